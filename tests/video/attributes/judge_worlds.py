"""Scripted judges and face finders, and a clip in which the brightness of the ground tells the time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from clip_worlds import OFF, RedBoxDetector, ingest, red_box_clip
from sqlalchemy import select

from onlooker.types import Detections, Judgement
from onlooker.video.attributes.authenticity import Authenticity
from onlooker.video.attributes.registry import ModelHandle
from onlooker.video.store import Store, list_videos, schema
from onlooker.video.tracklets import TrackletTracker
from onlooker.video.wiring import ModelPool, RoleChoice, Settings, make_toolbox


@dataclass
class Judge:
    """The brighter the corner of a picture, the more manipulated: the ground of the clip goes from 40 to 78."""

    need: str = "crop"
    smallest_px: int = 8
    threshold: float = 0.5
    tested_on: str = "scripted pictures"
    name: str = "scripted"
    version: str = "1"
    seen: list[tuple[int, int]] = field(default_factory=list)

    def judge(self, images):
        self.seen += [image.shape[:2] for image in images]
        return [Judgement(float(np.clip((image[0, 0].mean() - 40) / 38, 0, 1)), notes=("a note",)) for image in images]


@dataclass
class Finder:
    """A face of `side` px at the top middle of the red thing in a picture, if it is at least so wide."""

    side: int = 12
    name: str = "red-faces"
    version: str = "1"

    def find(self, images):
        return [self._one(image.astype(int)) for image in images]

    def _one(self, image):
        found = RedBoxDetector()._one(image)
        if not len(found) or not self.side:
            return Detections.empty()
        x1, y1, x2, _ = found.boxes_xyxy_px[0]
        left = (x1 + x2 - self.side) / 2
        box = [left, y1, left + self.side, y1 + self.side]
        return Detections(np.array([box], np.float32), np.array([0.9], np.float32), ("face",))


def held(model, role="authenticity_judge"):
    return ModelHandle(role, f"{model.name}@{model.version}", lambda: model)


def annotator(judge, finder=None, plan=None):
    return Authenticity(held(judge), None if finder is None else held(finder, "face_finder"), plan)


def make_world(folder, category="person"):
    """(store, video id) of one red box of a category, read without any model but a detector's double."""
    path = red_box_clip(folder / "clip.mp4")
    store = Store.open(folder / "library.onlooker")
    detector = RedBoxDetector()
    detector.categories = (category,)
    tools = make_toolbox(ModelPool(Settings(roles={role: RoleChoice("none") for role in OFF})))
    ingest(store, replace(tools, make_tracker=lambda: TrackletTracker(detector, None)), path)
    with store.read() as connection:
        (video,) = list_videos(connection)
    return store, video.id


def rows(store):
    """(time, probability, reason, box) in order of tracklet and time."""
    j = schema.JUDGEMENTS.c
    query = select(j.t, j.probability, j.reason, j.x1, j.y1, j.x2, j.y2).order_by(j.tracklet_id, j.t)
    with store.read() as connection:
        return [(row[0], row[1], row[2], tuple(row[3:])) for row in connection.execute(query)]
