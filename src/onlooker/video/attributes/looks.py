"""Which moments of a tracklet a judge of single pictures looks at, and their pixels as the file holds them.

Crops that were kept while tracking are JPEG at 256 px: enough to name a thing by, and useless for traces of a
manipulation. So the file is decoded a second time, once for all tracklets, and cuts are neither resized nor compressed.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from onlooker.errors import ConfigError
from onlooker.types import BoxXYXY, Frame, Image
from onlooker.video.attributes.registry import Context
from onlooker.video.source import open_frames
from onlooker.video.store import schema
from onlooker.video.store.store import Store

Floats = NDArray[np.float64]
_FACE_MARGIN = 1.3  # a face is judged with so much around it (the crops of DeepfakeBench, which M2TR takes, too)
_CROP_MARGIN = 1.1  # ours: an object's own edge is where a pasted one betrays itself
_CARRIED = 0.5  # worth of a box that no detector saw: it may be beside its object (ours)


@dataclass(frozen=True, slots=True)
class LookPlan:
    """How many moments, and how near to each other. Values are ours.

    Attributes:
        most: moments of one tracklet, spread evenly over the time it is visible.
        every_s: less time than this does not lie between them: neighbouring frames say the same.
    """

    most: int = 16
    every_s: float = 0.25

    def __post_init__(self) -> None:
        if not (self.most >= 1 and self.every_s > 0):
            raise ConfigError(f"looks need `most` >= 1 and `every_s` > 0, got {self.most} and {self.every_s}")


@dataclass(frozen=True, slots=True)
class Look:
    """One moment of one tracklet: its box on the frame with this index and time."""

    tracklet_id: int
    frame: int
    time_s: float
    box_xyxy_px: BoxXYXY


def plan_looks(store: Store, tracklet_ids: Sequence[int], plan: LookPlan) -> list[Look]:
    """The moments of tracklets, in the given order and then in time. No pixels are touched."""
    return [look for key in tracklet_ids for look in choose_looks(key, _boxes(store, key), plan)]


def choose_looks(tracklet_id: int, boxes: Floats, plan: LookPlan) -> list[Look]:
    """The largest box of every part of a tracklet's time.

    Args:
        boxes: (N, 7) frame, time, x1, y1, x2, y2, detected; N >= 0, in time order.
    """
    if not len(boxes):
        return []
    times = boxes[:, 1]
    length_s = float(times[-1] - times[0])
    n = min(plan.most, max(1, math.ceil(length_s / plan.every_s)))
    part = np.minimum((times - times[0]) / (length_s or 1.0) * n, n - 1).astype(np.int64)
    worth = (boxes[:, 4] - boxes[:, 2]) * (boxes[:, 5] - boxes[:, 3]) * np.where(boxes[:, 6] > 0, 1.0, _CARRIED)
    best = [int(rows[worth[rows].argmax()]) for rows in (np.flatnonzero(part == p) for p in range(n)) if len(rows)]
    return [_look(tracklet_id, boxes[row]) for row in best]


def boxes_on(store: Store, tracklet_ids: Sequence[int], frames: set[int]) -> Mapping[int, list[Look]]:
    """Boxes of tracklets on some frames, by frame."""
    found: dict[int, list[Look]] = defaultdict(list)
    for key in tracklet_ids:
        for row in _boxes(store, key):
            if int(row[0]) in frames:
                found[int(row[0])].append(_look(key, row))
    return found


def read_frames(context: Context, frames: set[int]) -> Iterator[Frame]:
    """These frames of the video, in order, by one sequential decode that ends after the last of them.

    Raises:
        MediaError: the file is gone or holds something else, or the video was imported without pictures.
    """
    if not frames:
        return
    last = max(frames)
    with open_frames(context.video) as decoded:
        for frame in decoded:
            if frame.index in frames:
                yield frame
            if frame.index >= last:
                return


def cut(image: Image, box: BoxXYXY) -> tuple[Image, tuple[int, int]]:
    """The pixels of a box, as far as it lies in the picture, and the corner (x, y) they begin at.

    At least one pixel comes back, whatever the box.
    """
    height, width = image.shape[:2]
    x1, y1 = min(max(math.floor(box[0]), 0), width - 1), min(max(math.floor(box[1]), 0), height - 1)
    x2, y2 = min(max(math.ceil(box[2]), x1 + 1), width), min(max(math.ceil(box[3]), y1 + 1), height)
    return np.ascontiguousarray(image[y1:y2, x1:x2]), (x1, y1)


def cut_to_judge(image: Image, box: BoxXYXY, is_face: bool) -> tuple[Image, tuple[int, int]]:
    """What a judge of authenticity is shown of a box, and the corner it begins at: a face in a square with a margin, as
    judges of faces are trained, and of other things a little of what is around them."""
    return cut(image, widened(box, _FACE_MARGIN if is_face else _CROP_MARGIN, square=is_face))


def widened(box: BoxXYXY, factor: float, square: bool = False) -> BoxXYXY:
    """The box with its sides times `factor` around the same centre; `square` takes the longer side for both."""
    width, height = box[2] - box[0], box[3] - box[1]
    if square:
        width = height = max(width, height)
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return (x - factor * width / 2, y - factor * height / 2, x + factor * width / 2, y + factor * height / 2)


def _look(key: int, row: Floats) -> Look:
    x1, y1, x2, y2 = row[2:6].tolist()
    return Look(key, int(row[0]), float(row[1]), (x1, y1, x2, y2))


def _boxes(store: Store, key: int) -> Floats:
    b = schema.BOXES.c
    columns = (b.frame, b.t, b.x1, b.y1, b.x2, b.y2, b.detected)
    with store.read() as connection:
        rows = connection.execute(select(*columns).where(b.tracklet_id == key).order_by(b.t)).all()
    return np.asarray([tuple(row) for row in rows], np.float64).reshape(-1, 7)
