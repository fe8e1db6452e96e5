"""Boxes for every frame from the boxes of the detector runs.

Between two runs a box follows the carried motion (what picture motion did to it), plus what is missing to arrive at the
second box, spread evenly over the time between: without carried motion that is linear interpolation. Before the first
and after the last detection a box lives on for half the time to the neighbouring run, the unbiased guess for an object
that appeared or vanished unseen in between.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onlooker.types import FloatArray
from onlooker.video.tracklets.association import Fragment
from onlooker.video.tracklets.boxes import area, clip_boxes, cxcywh_to_xyxy, xyxy_to_cxcywh

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Ours: a box pushed out of the picture until less than this share of it is left is no longer shown.
_LEAST_INSIDE = 0.2


@dataclass(frozen=True, slots=True)
class Clock:
    """All frames of one shot and the detector runs among them.

    Attributes:
        frames: (F,) frame indices, increasing.
        times_s: (F,) their times.
        runs_s: (R,) times of detector runs, increasing.
        held_s: (R,) until when the picture was known to be as it was at each run; at least the time of the run.
        size: (width, height) of the frames in px.
    """

    frames: IntArray
    times_s: Array
    runs_s: Array
    held_s: Array
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Path:
    """Boxes of one fragment on every frame it lives. Arrays as in `onlooker.types.Tracklet`."""

    frames: IntArray
    times_s: Array
    boxes_xyxy_px: FloatArray
    scores: FloatArray
    detected: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.frames)


def fill_path(fragment: Fragment, clock: Clock) -> Path:
    """One box per frame from the (extended) begin to the (extended) end of a fragment, cut to the frame.

    Args:
        fragment: detections of one object inside one shot.
        clock: the frames and detector runs of that shot.

    Returns:
        A path that holds at least the detected boxes themselves.
    """
    begin, end = _extended_span(fragment.times_s, clock)
    low, high = np.searchsorted(clock.times_s, [begin, end], side="left")
    high += int(high < len(clock.times_s) and clock.times_s[high] <= end)
    times, frames = clock.times_s[low:high], clock.frames[low:high]
    detected = np.isin(times, fragment.times_s)
    free = _boxes_at(fragment, times)
    free[detected] = fragment.boxes_xyxy
    boxes = clip_boxes(free, *clock.size)
    inside = area(boxes) > _LEAST_INSIDE * np.maximum(area(free), 1e-9)
    keep = _unbroken(inside | detected, detected)
    scores = np.interp(times, fragment.times_s, fragment.scores)
    detected_boxes = detected[keep]
    out = boxes[keep]
    # A detection wholly outside the picture keeps its own coordinates rather than becoming a line on the border.
    lost = detected_boxes & (area(out) <= 0)
    out[lost] = free[keep][lost]
    return Path(frames[keep], times[keep], out.astype(np.float32), scores[keep].astype(np.float32), detected_boxes)


def _extended_span(seen_s: Array, clock: Clock) -> tuple[float, float]:
    first, last = float(seen_s[0]), float(seen_s[-1])
    before = clock.runs_s[clock.runs_s < first]
    after = clock.runs_s[clock.runs_s > last]
    begin = (float(before[-1]) + first) / 2 if len(before) else float(clock.times_s[0])
    held = max(last, float(clock.held_s[np.searchsorted(clock.runs_s, last)]))
    end = (float(after[0]) + held) / 2 if len(after) else float(clock.times_s[-1])
    return min(begin, first), max(end, last)


def _boxes_at(fragment: Fragment, times_s: Array) -> Array:
    """(N, 4) boxes xyxy at any times, before and after the detections as well."""
    seen = fragment.times_s
    measured = _flat(xyxy_to_cxcywh(fragment.boxes_xyxy))
    rest = measured - _carried_at(fragment, seen)
    inner = np.stack([np.interp(times_s, seen, rest[:, i]) for i in range(4)], axis=1)
    boxes = inner + _carried_at(fragment, times_s)
    if len(seen) > 1:
        early, late = times_s < seen[0], times_s > _carried_end(fragment)
        speed = (measured[1] - measured[0]) / (seen[1] - seen[0])
        boxes[early, :2] += (times_s[early, None] - seen[0]) * speed[:2]
        speed = (measured[-1] - measured[-2]) / (seen[-1] - seen[-2])
        boxes[late, :2] += (times_s[late, None] - _carried_end(fragment)) * speed[:2]
    boxes[:, 2:] = np.exp(boxes[:, 2:])
    return cxcywh_to_xyxy(boxes)


def _flat(boxes_cxcywh: Array) -> Array:
    """Sizes as logarithms: growing by a factor takes the same time at every size, and no size becomes negative."""
    return np.concatenate([boxes_cxcywh[:, :2], np.log(np.maximum(boxes_cxcywh[:, 2:], 1e-3))], axis=1)


def _carried_end(fragment: Fragment) -> float:
    last = float(fragment.times_s[-1])
    return max(last, float(fragment.carried[-1, 0])) if len(fragment.carried) else last


def _carried_at(fragment: Fragment, times_s: Array) -> Array:
    """(N, 4) summed carried motion (dx, dy, log zoom, log zoom); constant outside the known stretch."""
    if not len(fragment.carried):
        return np.zeros((len(times_s), 4))
    knots = fragment.carried
    return np.stack([np.interp(times_s, knots[:, 0], knots[:, i]) for i in (1, 2, 3, 3)], axis=1)


def _unbroken(keep: NDArray[np.bool_], detected: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Only the frames between the first and last detection, and those reached from there without leaving `keep`."""
    marks = np.flatnonzero(detected)
    first, last = int(marks[0]), int(marks[-1])
    result = keep.copy()
    head, tail = ~keep[:first], ~keep[last + 1 :]
    if head.any():
        result[: int(np.flatnonzero(head)[-1]) + 1] = False
    if tail.any():
        result[last + 1 + int(np.flatnonzero(tail)[0]) :] = False
    return result
