"""A small real video with known tracklets in a library, made from code alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert

from onlooker.media.encode import VideoWriter
from onlooker.media.images import to_jpeg
from onlooker.media.probe import probe
from onlooker.types import Crop, Gap, Shot, TrackingResult, Tracklet
from onlooker.video.attributes.write import write_tracking
from onlooker.video.store import Store, add_video, content_hash, set_status
from onlooker.video.store.schema import PICTURES, SCREEN_TEXT, SOUNDS, SPEECH

SIZE = (160, 120)
N_FRAMES = 30
STEP_S = 0.1
HOSTILE = "</script><script>document.title='pwned'</script><img src=x onerror=document.title='pwned'>"


@dataclass(frozen=True)
class Scene:
    """The library file, its store and the id and file of its one video.

    Tracklet 1 is a person whose box moves right by 30 px/s all the time; tracklet 2 a car at rest, absent on frames
    10 to 14.
    """

    library: Path
    store: Store
    video_id: int
    clip: Path


def person_box(frame: int) -> tuple[float, float, float, float]:
    return (10.0 + 3 * frame, 20.0, 30.0 + 3 * frame, 60.0)


CAR_BOX = (100.0, 80.0, 150.0, 110.0)


def _picture(frame: int) -> np.ndarray:
    image = np.full((SIZE[1], SIZE[0], 3), 40, np.uint8)
    for box, colour in ((person_box(frame), (200, 30, 30)), (CAR_BOX, (30, 60, 200))):
        x1, y1, x2, y2 = (int(edge) for edge in box)
        image[y1:y2, x1:x2] = colour
    return image


def _tracklet(number: int, category: str, frames: list[int], boxes: list[tuple[float, ...]], gaps: tuple[Gap, ...]):
    n = len(frames)
    return Tracklet(
        number,
        category,
        0.9,
        np.array(frames, np.int64),
        np.array(frames) * STEP_S,
        np.array(boxes, np.float32),
        np.full(n, 0.9, np.float32),
        np.ones(n, np.bool_),
        gaps,
    )


def build_scene(folder: Path, hostile: bool = False) -> Scene:
    """The scene in a folder; `hostile` puts markup into every text and the file name."""
    clip = folder / ("a # b % <b>&amp;.mp4" if hostile else "street.mp4")
    with VideoWriter(clip, SIZE, fps_hint=10.0) as writer:
        for frame in range(N_FRAMES):
            writer.write(_picture(frame), frame * STEP_S)
    everywhere = list(range(N_FRAMES))
    car_frames = [f for f in everywhere if not 10 <= f < 15]
    tracklets = (
        _tracklet(1, "person", everywhere, [person_box(f) for f in everywhere], ()),
        _tracklet(2, "car", car_frames, [CAR_BOX] * len(car_frames), (Gap(0.9, 1.5, "occlusion", 0.8),)),
    )
    picture = _picture(5)
    crops = {1: (Crop(5, 0.5, person_box(5), (0.0, 0.0, 20.0, 40.0), picture[20:60, 25:45].copy(), 1.0),)}
    store = Store.open(folder / "scene.onlooker")
    with store.write() as connection:
        video_id = add_video(connection, probe(clip), content_hash(clip), clip.name, "video")
        write_tracking(
            connection,
            video_id,
            TrackingResult(tracklets, (), crops, N_FRAMES),
            [Shot(0.0, 1.5), Shot(1.5, 3.0)],
            [(f, f * STEP_S) for f in everywhere],
            SIZE,
            STEP_S,
        )
        words = HOSTILE if hostile else "hello there"
        heard = {"video_id": video_id, "start_s": 0.2, "end_s": 1.0, "text": words, "confidence": 0.9}
        connection.execute(insert(SPEECH), [heard])
        box = {"x1": 1.0, "y1": 2.0, "x2": 30.0, "y2": 12.0}
        read = {"video_id": video_id, "tracklet_id": None, "start_s": 1.0, "end_s": 2.0, "text": "STOP", "score": 0.8}
        connection.execute(insert(SCREEN_TEXT), [read | box])
        sound = {"video_id": video_id, "start_s": 0.0, "end_s": 3.0, "label": "quiet", "score": 1.0, "level_db": -40.0}
        connection.execute(insert(SOUNDS), [sound])
        keyframe = {"video_id": video_id, "tracklet_id": None, "kind": "keyframe", "frame": 0, "t": 0.0, "quality": 1.0}
        whole = {"x1": 0.0, "y1": 0.0, "x2": 160.0, "y2": 120.0, "inner": json.dumps(None)}
        size = {"width": 160, "height": 120, "jpeg": to_jpeg(_picture(0))}
        connection.execute(insert(PICTURES), [keyframe | whole | size])
        set_status(connection, video_id, "ready", 3.0)
    return Scene(folder / "scene.onlooker", store, video_id, clip)


@pytest.fixture
def scene(tmp_path: Path):
    made = build_scene(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def hostile_scene(tmp_path: Path):
    made = build_scene(tmp_path, hostile=True)
    yield made
    made.store.close()
