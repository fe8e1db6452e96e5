"""Two small videos with everything a question can be about: colours, clothes, words, sounds, shots, gaps and pairs."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, insert

from onlooker.types import Gap, Shot, TrackingResult, Tracklet
from onlooker.video.attributes.write import write_tracking
from onlooker.video.store import Store, schema

FRAMES = tuple((i, i / 10) for i in range(101))  # 10 s at ten frames a second


def track(
    number: int, category: str, span_s: tuple[float, float], boxes: tuple[tuple[float, ...], tuple[float, ...]],
    gap_s: tuple[float, float] | None = None,
) -> Tracklet:  # fmt: skip
    """A tracklet that goes evenly from the first box to the second, away during the gap."""
    frames = np.arange(round(span_s[0] * 10), round(span_s[1] * 10) + 1)
    if gap_s is not None:
        frames = frames[(frames <= round(gap_s[0] * 10)) | (frames >= round(gap_s[1] * 10))]
    share = ((frames - frames[0]) / max(frames[-1] - frames[0], 1))[:, None]
    path = np.asarray(boxes[0])[None] * (1 - share) + np.asarray(boxes[1])[None] * share
    n = len(frames)
    return Tracklet(
        number=number, category=category, category_score=0.9, frames=frames.astype(np.int64), times_s=frames / 10.0,
        boxes_xyxy_px=path.astype(np.float32), scores=np.full(n, 0.9, np.float32), detected=np.ones(n, bool),
        gaps=() if gap_s is None else (Gap(gap_s[0], gap_s[1], "occlusion", 0.8),),
    )  # fmt: skip


# In `street`: red car 1 crosses to the right and passes the parked blue car 2; person 3 (red shirt, black trousers)
# comes in at 2 s, is away from 4 s to 6 s and leaves at 8 s; person 4 (blue, grey) walks left; dog 5 is at the end.
STREET = (
    track(1, "car", (0.0, 5.0), ((10, 100, 70, 140), (550, 100, 610, 140))),
    track(2, "car", (0.0, 10.0), ((300, 60, 380, 110), (300, 60, 380, 110))),
    track(3, "person", (2.0, 8.0), ((0, 150, 30, 230), (200, 150, 230, 230)), (4.0, 6.0)),
    track(4, "person", (1.0, 9.0), ((600, 200, 640, 300), (210, 200, 250, 300))),
    track(5, "dog", (9.0, 10.0), ((100, 300, 160, 340), (130, 300, 190, 340))),
)
LOOKS: dict[int, dict[str, str]] = {
    1: {"color": "red"},
    2: {"color": "blue"},
    3: {"color": "black", "upper_color": "red", "lower_color": "black"},
    4: {"color": "blue", "upper_color": "blue", "lower_color": "grey", "label": "Anna"},
}
YARD = (
    track(1, "dog", (1.0, 6.0), ((50, 50, 110, 110), (250, 50, 310, 110))),
    track(2, "bicycle", (3.0, 4.0), ((400, 100, 440, 140), (300, 100, 340, 140))),
)


def _video(connection: Connection, name: str, has_audio: int) -> int:
    result = connection.execute(
        insert(schema.VIDEOS).values(
            name=name, path=f"/films/{name}", sha256=name, source="video", status="ready", width=640, height=360,
            fps=10.0, n_frames=101, duration_s=10.1, decoded_until_s=10.1, has_audio=has_audio, rotation_deg=0,
            codec="h264", created_at="2026-01-01T00:00:00",
        )
    )  # fmt: skip
    key = result.inserted_primary_key
    assert key is not None
    return int(key[0])


def _tracks(
    connection: Connection, video: int, tracks: tuple[Tracklet, ...], cuts: tuple[float, ...]
) -> dict[int, int]:
    edges = (0.0, *cuts, 10.1)
    shots = [Shot(a, b) for a, b in itertools.pairwise(edges)]
    return write_tracking(connection, video, TrackingResult(tracks, (), {}, 1), shots, FRAMES, (640, 360), 0.1)


def make_world(path: Path) -> Path:
    """The library file with the videos `street.mp4` and `yard`."""
    with Store.open(path) as store, store.write() as connection:
        street = _video(connection, "street.mp4", 1)
        keys = _tracks(connection, street, STREET, (7.0,))
        for number, looks in LOOKS.items():
            connection.execute(schema.TRACKLETS.update().where(schema.TRACKLETS.c.id == keys[number]).values(**looks))
        for start, end, text in ((1.0, 2.5, "Mind the gap"), (6.0, 7.0, "Here comes the dog")):
            connection.execute(
                insert(schema.SPEECH).values(video_id=street, start_s=start, end_s=end, text=text, confidence=0.8)
            )
        connection.execute(
            insert(schema.SCREEN_TEXT).values(
                video_id=street, start_s=3.0, end_s=5.0, text="EXIT 42", score=0.9, x1=500, y1=10, x2=560, y2=40
            )
        )
        for start, end, label in ((0.0, 4.0, "sound"), (4.0, 5.5, "silence"), (5.5, 8.0, "loud")):
            connection.execute(
                insert(schema.SOUNDS).values(
                    video_id=street, start_s=start, end_s=end, label=label, score=1.0, level_db=-20.0
                )
            )
        yard = _video(connection, "yard", 0)
        _tracks(connection, yard, YARD, ())
    return path
