"""Given boxes followed by an OmniTracker network, beside the classes that the same network finds.

Given objects and classes differ in what a frame refers to (what was followed on the frame before, or all of that
frame), so that the network looks twice at a frame on which both are wanted; its weights are in memory once.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ShapeError
from onlooker.formats.run_lengths import encode_mask
from onlooker.methods.trackers.omnitracker import OmniTracker
from onlooker.types import BoxXYXY, Detections, Frame
from onlooker.video.following.values import FollowedTrack, Sighting, TrackBuilder


class OmniBoxes:
    """Follows given boxes through one video; make a new one for the next.

    Args:
        tracker: its network and labels are shared, its state is not.
        version: of the weights.
        hz: looks per second of video; boxes between two looks are drawn in a straight line.
    """

    name = "omnitracker"

    def __init__(self, tracker: OmniTracker, version: str, hz: float) -> None:
        self._tracker = copy.copy(tracker)  # shallow: one network; `start` gives the copy a state of its own
        self._version, self._period_s = version, 1 / hz
        self._built: dict[int, TrackBuilder] = {}
        self._category: dict[int, str] = {}
        self._due_s = self._last_s = 0.0
        self._cut = False

    @property
    def version(self) -> str:
        """First digits of the weights' digest."""
        return self._version

    @property
    def gives_masks(self) -> bool:
        """Whether the network has a mask head."""
        return self._tracker.config.mask is not None

    def start(self, frame: Frame, boxes: Mapping[int, BoxXYXY], found: Detections | None) -> None:
        """The frame on which the things are shown."""
        corners = np.array(list(boxes.values()), np.float64).reshape(-1, 4)
        self._built = {number: TrackBuilder() for number in boxes}
        told = self._tracker.start(frame.image, corners, ids=tuple(boxes), time_s=frame.time_s)
        for place, number in enumerate(told.ids.tolist()):
            rle = _inside(told.mask(place), boxes[number])
            self._built[number].add(frame.index, frame.time_s, Sighting(boxes[number], 1.0, mask=rle))
        self._due_s, self._last_s = frame.time_s + self._period_s, frame.time_s

    def update(self, frame: Frame, new_shot: bool, found: Detections | None) -> None:
        """The next frame."""
        if not self._built:
            raise ShapeError("a follower starts with boxes on a frame; call `start` first")
        interval_s, self._last_s = frame.time_s - self._last_s, frame.time_s
        # Half a frame early is nearer to the wanted time than half a frame late.
        if not new_shot and frame.time_s + interval_s / 2 < self._due_s:
            for built in self._built.values():
                built.add(frame.index, frame.time_s, None)
            return
        self._due_s = frame.time_s + self._period_s
        told = self._tracker.update(frame.image, frame.time_s, new_shot)
        for place, number in enumerate(told.ids.tolist()):
            sighting = Sighting(None, None)
            x1, y1, x2, y2 = told.boxes_xyxy_px[place].tolist()
            if told.present[place] and x2 > x1 and y2 > y1:
                mask = told.mask(place)
                rle = None if mask is None or not mask.any() else encode_mask(mask)
                sighting = Sighting((x1, y1, x2, y2), float(told.scores[place]), mask=rle)
            category = told.categories[place]
            if category is not None:
                self._category[number] = self._tracker.labels[category]
            self._built[number].add(frame.index, frame.time_s, sighting)

    def finish(self) -> Mapping[int, FollowedTrack]:
        """Number -> track; labelled by the class the network took it for."""
        return {n: built.build(n, "box", self._category.get(n)) for n, built in self._built.items()}


def _inside(mask: NDArray[np.bool_] | None, box: BoxXYXY) -> bytes | None:
    """Run lengths of the part of a mask inside a box that was given, and is true; `None` where that is nothing."""
    if mask is None:
        return None
    kept = np.zeros_like(mask)
    x1, y1, x2, y2 = int(box[0]), int(box[1]), int(np.ceil(box[2])), int(np.ceil(box[3]))
    kept[y1:y2, x1:x2] = mask[y1:y2, x1:x2]
    return encode_mask(kept) if kept.any() else None
