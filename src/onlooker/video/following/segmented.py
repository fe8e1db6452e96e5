"""Following given boxes by their masks: a segmenter follows, and the box is what is around the mask."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ShapeError
from onlooker.formats.run_lengths import encode_mask
from onlooker.types import BoxXYXY, Detections, Frame
from onlooker.video.following.values import FollowedTrack, Sighting, TrackBuilder
from onlooker.video.protocols import Segmenter, SegmenterSession

Mask = NDArray[np.bool_]


class SegmentedFollower:
    """Follows given boxes through one video; make a new one for the next.

    Masks of a segmenter share no pixel, so that of two equal boxes one would get nothing: they are followed as one
    thing and told as two.

    Args:
        segmenter: shown every box on the first frame and nothing after it. It cannot say how sure it is.
    """

    gives_masks = True

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter
        self._session: SegmenterSession | None = None
        self._built: dict[int, TrackBuilder] = {}
        self._followed_as: dict[int, int] = {}  # number -> the first that was given with the same box

    @property
    def name(self) -> str:
        return self._segmenter.name

    @property
    def version(self) -> str:
        return self._segmenter.version

    def start(self, frame: Frame, boxes: Mapping[int, BoxXYXY], found: Detections | None) -> None:
        """The frame on which the things are shown; a thing it finds nothing of is told with the box it was given."""
        first: dict[BoxXYXY, int] = {}
        self._followed_as = {number: first.setdefault(box, number) for number, box in boxes.items()}
        self._session = self._segmenter.start(frame.image, {number: box for box, number in first.items()})
        masks = self._session.masks
        for number, box in boxes.items():
            self._built[number] = TrackBuilder()
            seen = _sighting(masks.get(self._followed_as[number]))
            self._built[number].add(frame.index, frame.time_s, seen if seen.box_xyxy_px else Sighting(box, None))

    def update(self, frame: Frame, new_shot: bool, found: Detections | None) -> None:
        """The next frame."""
        if self._session is None:
            raise ShapeError("a follower starts with boxes on a frame; call `start` first")
        if new_shot:
            self._session.cut()
        masks = self._session.step(frame.image)
        for number, built in self._built.items():
            built.add(frame.index, frame.time_s, _sighting(masks.get(self._followed_as[number])))

    def finish(self) -> Mapping[int, FollowedTrack]:
        """Number -> track."""
        return {number: built.build(number, "box", None) for number, built in self._built.items()}


def _sighting(mask: Mask | None) -> Sighting:
    """The box around a mask; not seen where that is a mask of nothing."""
    if mask is None or not mask.any():
        return Sighting(None, None)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
    return Sighting(box, None, mask=encode_mask(mask))
