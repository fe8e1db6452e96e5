"""Boxes in, masks out, frame by frame: one session of a segmenter, kept honest by the tracker's boxes.

Each alone fails: a segmenter that was shown an object once slides onto its neighbour, and a mask made from one box
knows nothing of the frames before. So objects are followed, and whoever has left his detected box is shown anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onlooker.types import BoxXYXY, Image
from onlooker.video.masks.config import MaskConfig
from onlooker.video.protocols import Segmenter, SegmenterSession

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SeenBox:
    """Where the tracker has one object on a frame.

    Attributes:
        number: of the object, from 1.
        box_xyxy_px: in pixels of the frame; may reach outside it.
        detected: whether a detector saw it there; a box that was carried from one detection to the next is a guess.
        is_last: whether the object has no box on any later frame.
    """

    number: int
    box_xyxy_px: BoxXYXY
    detected: bool = True
    is_last: bool = False


class MaskFollower:
    """The objects of one video; all its state.

    Args:
        segmenter: the model.
        config: when to correct, how many to follow.
    """

    def __init__(self, segmenter: Segmenter, config: MaskConfig) -> None:
        self._segmenter = segmenter
        self._config = config
        self._session: SegmenterSession | None = None
        self._last_seen_s: dict[int, float] = {}

    @property
    def n_followed(self) -> int:
        """Objects in the session now: what bounds memory."""
        return len(self._last_seen_s)

    def cut(self) -> None:
        """The next frame belongs to another shot."""
        if self._session is not None:
            self._session.cut()

    def update(self, image: Image, time_s: float, boxes: Sequence[SeenBox]) -> dict[int, Mask]:
        """The next frame.

        Args:
            image: RGB uint8 (H, W, 3).
            time_s: when it is shown; increasing.
            boxes: of the objects that the tracker has on it.

        Returns:
            Number -> (H, W) bool for each of `boxes`. An object that the segmenter does not find, or whose box lies
            outside the frame, has none.
        """
        shown = {box.number: clipped for box in boxes if (clipped := _clip(box.box_xyxy_px, image.shape)) is not None}
        self._drop([n for n, seen_s in self._last_seen_s.items() if time_s - seen_s > self._config.hold_s])
        masks = dict(self._session.step(image)) if self._session is not None else {}
        followed = [box for box in boxes if box.number in self._last_seen_s]
        wrong = [box.number for box in followed if box.number in shown and self._has_drifted(masks, box, shown)]
        new = sorted(set(shown) - set(self._last_seen_s), key=lambda number: (-_area(shown[number]), number))
        room = self._config.max_objects - self.n_followed
        prompts = {number: shown[number] for number in (*wrong, *new[:room])}
        masks |= self._show(image, wrong, prompts) if prompts else {}
        masks |= self._once(image, {number: shown[number] for number in new[room:]})
        self._last_seen_s |= dict.fromkeys((*(box.number for box in followed), *prompts), time_s)
        self._drop([box.number for box in boxes if box.is_last])
        return {number: masks[number] for number in shown if number in masks and masks[number].any()}

    def _has_drifted(self, masks: Mapping[int, Mask], box: SeenBox, shown: Mapping[int, BoxXYXY]) -> bool:
        # A carried box is a guess of the tracker: a mask that left it may know better, behind a lamp post say.
        return box.detected and box_overlap(masks[box.number], shown[box.number]) < self._config.least_overlap

    def _show(self, image: Image, again: Sequence[int], prompts: Mapping[int, BoxXYXY]) -> Mapping[int, Mask]:
        """Shows objects on the frame that was just stepped to, those in `again` not for the first time."""
        if self._session is None:
            self._session = self._segmenter.start(image, prompts)
            return self._session.masks
        for number in again:
            self._session.remove(number)
        return self._session.add(prompts)

    def _once(self, image: Image, prompts: Mapping[int, BoxXYXY]) -> dict[int, Mask]:
        """Masks of objects that are too many to be followed, in batches as large as a session may be."""
        masks: dict[int, Mask] = {}
        numbers = list(prompts)
        for start in range(0, len(numbers), self._config.max_objects):
            batch = {number: prompts[number] for number in numbers[start : start + self._config.max_objects]}
            masks |= self._segmenter.start(image, batch).masks
        return masks

    def _drop(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            if self._last_seen_s.pop(number, None) is not None and self._session is not None:
                self._session.remove(number)
        if not self._last_seen_s:
            self._session = None


def box_overlap(mask: Mask, box: BoxXYXY) -> float:
    """Intersection over union of the box around a mask with `box`; 0 for a mask of nothing."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(rows):
        return 0.0
    own = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    wide = min(own[2], box[2]) - max(own[0], box[0])
    high = min(own[3], box[3]) - max(own[1], box[1])
    shared = max(0.0, wide) * max(0.0, high)
    return shared / (_area(own) + _area(box) - shared)


def _area(box: BoxXYXY) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _clip(box: BoxXYXY, shape: tuple[int, ...]) -> BoxXYXY | None:
    """The part of a box inside a frame of `shape` (H, W, ...); `None` for nothing."""
    height, width = shape[:2]
    x1, y1, x2, y2 = max(0.0, box[0]), max(0.0, box[1]), min(float(width), box[2]), min(float(height), box[3])
    return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None
