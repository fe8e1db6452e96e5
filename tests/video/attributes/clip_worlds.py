"""A clip with one red box that moves, a detector that sees it, and a toolbox around real wiring."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from onlooker.synth.clips import make_clip
from onlooker.types import Detections
from onlooker.video.ingest import Job, ingest_video
from onlooker.video.tracklets import TrackletTracker
from onlooker.video.wiring import ModelPool, RoleChoice, Settings, make_toolbox

FPS = 10.0
OFF = ("tagger", "appearance_embedder", "transcriber", "sound_tagger", "text_reader", "text_embedder")


class RedBoxDetector:
    """Finds the one red thing in a picture."""

    name, version, categories = "red-box", "1", ("person",)

    def detect(self, images):
        return [self._one(image.astype(int)) for image in images]

    def _one(self, image):
        rows, columns = np.nonzero((image[..., 0] > 150) & (image[..., 1] < 90))
        if len(rows) < 20:
            return Detections.empty()
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return Detections(np.array([box], np.float32), np.array([0.9], np.float32), self.categories)


def red_box_clip(path, n=20, step=4):
    """(n / 10) s of 160 x 96: a 40 x 30 red box goes right by `step` a frame; the ground grows lighter."""
    frames = []
    for index in range(n):
        picture = np.full((96, 160, 3), 40 + 2 * index, np.uint8)
        picture[30:60, 10 + step * index : 50 + step * index] = (220, 20, 20)
        frames.append(picture)
    return make_clip(path, frames, [index / FPS for index in range(n)])


def toolbox(action_recogniser=None, **settings):
    """The tools of a session with every bundled model but the detector's switched off."""
    roles = {role: RoleChoice("none") for role in OFF}
    if action_recogniser is not None:
        roles["action_recogniser"] = RoleChoice("stts", action_recogniser)
    tools = make_toolbox(ModelPool(Settings(roles=roles, **settings)))
    return replace(tools, make_tracker=lambda: TrackletTracker(RedBoxDetector(), None))


def ingest(store, tools, path):
    return Job(ingest_video(store, tools, path)).result()
