"""Small worlds for the tests of attributes: a library with one video, tracklets, crops and keyframes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sqlalchemy import insert

from onlooker.types import Crop, Frame, Gap, Link, Shot, TrackingResult, Tracklet
from onlooker.video.attributes.pictures import KeyframeKeeper, save_keyframes
from onlooker.video.attributes.registry import ModelHandle
from onlooker.video.attributes.write import write_tracking
from onlooker.video.store import schema
from onlooker.video.store.store import Store

SIZE = (320, 240)
INTERVAL_S = 0.1


def make_track(number, category, boxes, first=0, gaps=()):
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
    n = len(boxes)
    frames = np.arange(first, first + n)
    return Tracklet(
        number, category, 0.9, frames, frames * INTERVAL_S, boxes, np.full(n, 0.8, np.float32), np.ones(n, bool), gaps
    )


def make_crop(colour, frame=0, quality=0.5, background=(90, 90, 90), size=(48, 60)):
    """A crop whose box is filled with one colour on a plain background; the box is 10 % in from every side."""
    height, width = size
    image = np.full((height, width, 3), background, np.uint8)
    x, y = width // 12, height // 12
    image[y : height - y, x : width - x] = colour
    inner = (float(x), float(y), float(width - x), float(height - y))
    return Crop(frame, frame * INTERVAL_S, inner, inner, image, quality)


def make_result():
    car = make_track(
        1, "car", [[10 + 8 * i, 100, 60 + 8 * i, 140] for i in range(20)], gaps=(Gap(0.5, 0.6, "occlusion", 0.5),)
    )
    dog = make_track(2, "dog", [[200, 100, 240, 140]] * 30, first=5)
    crops = {1: (make_crop((200, 20, 20), 3, 0.9), make_crop((190, 25, 20), 9)), 2: (make_crop((20, 20, 200), 8),)}
    return TrackingResult((car, dog), (Link(1, 2, 0.25),), crops, 7)


def add_video(connection, name="clip.mp4", has_audio=0, path="clip.mp4"):
    row = {
        "name": name,
        "path": path,
        "sha256": name,
        "source": "video",
        "status": "ready",
        "width": SIZE[0],
        "height": SIZE[1],
        "has_audio": has_audio,
        "duration_s": 4.0,
        "created_at": "now",
    }
    return connection.execute(insert(schema.VIDEOS).values(row)).inserted_primary_key[0]


def make_library(folder: Path, has_audio=0, path="clip.mp4"):
    """(store, video id, {tracklet number: id}) with two keyframes at 0 s and 2 s."""
    store = Store.open(folder / "library.onlooker")
    keeper = KeyframeKeeper()
    for i in range(40):
        still = np.random.default_rng(i // 20).integers(0, 255, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
        keeper.update(Frame.from_image(i, i * INTERVAL_S, still), False)
    with store.write() as connection:
        video_id = add_video(connection, has_audio=has_audio, path=path)
        frames = [(i, i * INTERVAL_S) for i in range(40)]
        ids = write_tracking(connection, video_id, make_result(), [Shot(0, 4)], frames, SIZE, INTERVAL_S)
        save_keyframes(connection, video_id, keeper.finish())
    return store, video_id, ids


class Scripted:
    """A model whose answers are given; counts how often it is called."""

    name, version = "scripted", "1"
    dim = 4

    def __init__(self, answer):
        self._answer, self.calls = answer, 0

    def _give(self, items):
        self.calls += 1
        return [self._answer(item) for item in items]

    def tag(self, images, top_k=5):
        return self._give(images)

    def caption(self, images, prompt=None):
        return self._give(images)

    def embed_images(self, images):
        return np.asarray(self._give(images), np.float32)

    def embed_texts(self, texts):
        return np.asarray(self._give(texts), np.float32)

    def read(self, image):
        return self._give([image])[0]

    def transcribe(self, waveform):
        return self._give([waveform])[0]

    def tag_sound(self, waveform):
        return self._give([waveform])[0]


def handle(answer, role="tagger", version="1"):
    """A handle and the model behind it."""
    model = Scripted(answer)
    return ModelHandle(role, f"scripted@{version}", lambda: model), model
