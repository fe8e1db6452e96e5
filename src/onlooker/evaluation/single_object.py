"""Scores of following one object by boxes: success, precision, normalised precision, in percent.

Success (Wu et al. 2013, OTB) is the share of frames whose overlap exceeds a threshold, averaged over 21 thresholds 0,
0.05, ..., 1. Precision is the share of frames whose centres are at most 20 px apart. Normalised precision (Mueller et
al. 2018, TrackingNet) divides the distance by the true box's size and averages over thresholds 0, 0.01, ..., 0.5.

Frames on which the truth is absent are judged apart: they count in no share above (there is no box to overlap), only in
`absence_recall`. A frame on which only the prediction is absent counts with no overlap and an endless distance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ShapeError
from onlooker.formats.single_object import BoxTrack

Array = NDArray[np.float64]
SUCCESS_THRESHOLDS = np.linspace(0.0, 1.0, 21)
NORMALISED_THRESHOLDS = np.linspace(0.0, 0.5, 51)
PRECISION_PX = 20.0


@dataclass(frozen=True, slots=True)
class SingleObjectScores:
    """Scores of one sequence, or means over sequences with one weight each.

    Attributes:
        success_auc, precision_20px, normalised_precision_auc: in percent.
        success_50: share of frames with an overlap above 0.5, percent.
        absence_recall: share of the frames without the object on which the prediction says so, percent; `None` where
            there is no such frame.
        n_frames: frames on which the truth is present.
    """

    success_auc: float
    precision_20px: float
    normalised_precision_auc: float
    success_50: float
    absence_recall: float | None
    n_frames: int


def score_single_object(predicted: BoxTrack, truth: BoxTrack, *, skip_first: bool = False) -> SingleObjectScores:
    """Scores of one sequence.

    Args:
        skip_first: leave out the first frame, whose box was given; OTB and LaSOT keep it.

    Raises:
        ShapeError: other numbers of frames, or the truth is present on none.
    """
    if len(predicted) != len(truth):
        raise ShapeError(f"{len(predicted)} frames predicted, {len(truth)} in the truth")
    counted = truth.visible.copy()
    if skip_first:
        counted[:1] = False
    if not counted.any():
        raise ShapeError("the truth shows the object on no frame")
    overlap = frame_overlap(predicted, truth)[counted]
    distance, normalised = _distances(predicted, truth)
    distance, normalised = distance[counted], normalised[counted]
    absent = ~truth.visible
    return SingleObjectScores(
        success_auc=100 * float((overlap[:, None] > SUCCESS_THRESHOLDS).mean()),
        precision_20px=100 * float((distance <= PRECISION_PX).mean()),
        normalised_precision_auc=100 * float((normalised[:, None] <= NORMALISED_THRESHOLDS).mean()),
        success_50=100 * float((overlap > 0.5).mean()),
        absence_recall=100 * float((~predicted.visible[absent]).mean()) if absent.any() else None,
        n_frames=int(counted.sum()),
    )


def mean_single_object(each: Mapping[str, SingleObjectScores]) -> SingleObjectScores:
    """Mean over sequences, each with the same weight, as in one-pass evaluation.

    Raises:
        ShapeError: there is none.
    """
    if not each:
        raise ShapeError("expected at least one sequence to score")
    rows = list(each.values())
    recalls = [row.absence_recall for row in rows if row.absence_recall is not None]
    return SingleObjectScores(
        success_auc=float(np.mean([row.success_auc for row in rows])),
        precision_20px=float(np.mean([row.precision_20px for row in rows])),
        normalised_precision_auc=float(np.mean([row.normalised_precision_auc for row in rows])),
        success_50=float(np.mean([row.success_50 for row in rows])),
        absence_recall=float(np.mean(recalls)) if recalls else None,
        n_frames=sum(row.n_frames for row in rows),
    )


def frame_overlap(predicted: BoxTrack, truth: BoxTrack) -> Array:
    """(T,) intersection over union per frame; 0 where either is absent."""
    a, b = predicted.boxes_xyxy, truth.boxes_xyxy
    sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = np.prod(np.maximum(sides, 0), axis=1)
    union = np.prod(a[:, 2:] - a[:, :2], axis=1) + np.prod(b[:, 2:] - b[:, :2], axis=1) - shared
    both = predicted.visible & truth.visible
    overlap: Array = np.divide(shared, union, out=np.zeros(len(union)), where=both & (union > 0))
    return overlap


def _distances(predicted: BoxTrack, truth: BoxTrack) -> tuple[Array, Array]:
    """(T,) pixels between centres, and the same in sizes of the true box; endless where the prediction is absent."""
    a, b = predicted.boxes_xyxy, truth.boxes_xyxy
    # Sums first: of equal boxes the difference is then exactly nothing, which the first threshold asks for.
    offset = ((a[:, :2] + a[:, 2:]) - (b[:, :2] + b[:, 2:])) / 2
    # Rows without a true box are never counted; a size of one keeps them from dividing by nothing.
    size = np.where(truth.visible[:, None], b[:, 2:] - b[:, :2], 1.0)
    lost = ~predicted.visible
    pixels, sizes = np.linalg.norm(offset, axis=1), np.linalg.norm(offset / size, axis=1)
    return np.where(lost, np.inf, pixels), np.where(lost, np.inf, sizes)
