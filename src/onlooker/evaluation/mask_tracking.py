"""Tracking and segmentation scores (MOTS, Voigtlaender et al. 2019): HOTA, MOTSA, sMOTSA over masks.

Masks of one frame do not overlap, so a frame is a map of ids, and all overlaps come from one count of pixel pairs. A
tracked mask that found no truth and lies mostly in an ignore region is taken out without harm, as in MOTSChallenge.
The sums are those of `tracking`; there `mota` is MOTSA and `smota` is sMOTSA.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from onlooker.errors import ShapeError
from onlooker.evaluation.tracking import OverlapSequence, TrackingScores, score_overlaps

LabelMap = NDArray[np.integer]
Array = NDArray[np.float64]
IntArray = NDArray[np.int64]
_FOUND_IOU = 0.5
_IGNORED_PART = 0.5


class MaskFrame(NamedTuple):
    """Maps (H, W) of ids, 0 for ground; `ignore` (H, W) bool where results are neither right nor wrong."""

    truth: LabelMap
    tracked: LabelMap
    ignore: NDArray[np.bool_] | None = None


def mask_overlaps(name: str, frames: Iterable[MaskFrame], frame_interval_s: float) -> OverlapSequence:
    """One video as ids and overlaps; frames may come one by one and are not kept.

    Raises:
        ShapeError: a frame's maps differ in shape.
    """
    rows = [_frame_overlaps(frame) for frame in frames]
    truth, tracked, overlaps = (tuple(part) for part in zip(*rows, strict=True)) if rows else ((), (), ())
    return OverlapSequence(name, truth, tracked, overlaps, frame_interval_s)


def score_masks(name: str, truth: LabelMap, tracked: LabelMap, frame_interval_s: float = 0.04) -> TrackingScores:
    """Scores of one video given as (T, H, W) maps of ids.

    Raises:
        ShapeError: the maps differ in shape.
    """
    if truth.ndim != 3 or truth.shape != tracked.shape:
        raise ShapeError(f"expected two (T, H, W), got {truth.shape} and {tracked.shape}")
    frames = (MaskFrame(a, b) for a, b in zip(truth, tracked, strict=True))
    return score_overlaps([mask_overlaps(name, frames, frame_interval_s)])[0]


def mask_iou(truth: LabelMap, tracked: LabelMap) -> tuple[IntArray, IntArray, Array]:
    """(N,) and (M,) ids in two maps (H, W), and their (N, M) intersections over unions."""
    if truth.ndim != 2 or truth.shape != tracked.shape:
        raise ShapeError(f"expected two maps (H, W), got {truth.shape} and {tracked.shape}")
    a_ids, a = np.unique(truth, return_inverse=True)
    b_ids, b = np.unique(tracked, return_inverse=True)
    shape = len(a_ids), len(b_ids)
    counts = np.bincount(a.ravel() * shape[1] + b.ravel(), minlength=shape[0] * shape[1]).reshape(shape)
    union = counts.sum(axis=1)[:, None] + counts.sum(axis=0)[None] - counts
    objects = np.ix_(a_ids != 0, b_ids != 0)
    iou: Array = counts[objects] / np.maximum(union[objects], 1)
    return a_ids[a_ids != 0].astype(np.int64), b_ids[b_ids != 0].astype(np.int64), iou


def _frame_overlaps(frame: MaskFrame) -> tuple[IntArray, IntArray, Array]:
    truth_ids, tracked_ids, iou = mask_iou(frame.truth, frame.tracked)
    if frame.ignore is None or not len(tracked_ids):
        return truth_ids, tracked_ids, iou
    keep = np.ones(len(tracked_ids), np.bool_)
    free = np.setdiff1d(np.arange(len(tracked_ids)), _found(iou))
    inside = _area(frame.tracked[frame.ignore], tracked_ids) / np.maximum(_area(frame.tracked, tracked_ids), 1)
    keep[free[inside[free] > _IGNORED_PART]] = False
    return truth_ids, tracked_ids[keep], iou[:, keep]


def _found(iou: Array) -> IntArray:
    """Columns that belong to a row at the usual overlap."""
    enough = np.where(iou < _FOUND_IOU - np.finfo(float).eps, 0.0, iou)
    rows, columns = linear_sum_assignment(-enough)
    return np.asarray(columns[enough[rows, columns] > 0], np.int64)


def _area(labels: LabelMap, ids: IntArray) -> IntArray:
    values, counts = np.unique(labels, return_counts=True)
    known = dict(zip(values.tolist(), counts.tolist(), strict=True))
    return np.array([known.get(i, 0) for i in ids.tolist()], np.int64)


def labels_to_boxes(labels: LabelMap) -> tuple[IntArray, Array]:
    """(N,) ids of a map (H, W) and the (N, 4) boxes around them, ends exclusive."""
    ids = [int(i) for i in np.unique(labels) if i]
    boxes = []
    for number in ids:
        rows, columns = np.nonzero(labels == number)
        boxes.append((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))
    return np.array(ids, np.int64), np.array(boxes, np.float64).reshape(-1, 4)


def combine_masks(masks: Sequence[NDArray[np.bool_]], ids: Sequence[int], shape: tuple[int, int]) -> NDArray[np.int64]:
    """One map (H, W) of masks that do not overlap, each with its id plus one: an id may be 0, which is ground in a map.

    Raises:
        ShapeError: two masks share a pixel, or a mask has another shape.
    """
    labels = np.zeros(shape, np.int64)
    for number, mask in zip(ids, masks, strict=True):
        if mask.shape != shape:
            raise ShapeError(f"a mask is {mask.shape}, expected {shape}")
        if labels[mask].any():
            raise ShapeError(f"the mask of {number} shares pixels with another; masks of a frame do not overlap")
        labels[mask] = number + 1
    return labels
