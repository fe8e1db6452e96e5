"""Scores of pixels from counts: what a set of heat maps is worth without keeping the maps.

A map is kept as two histograms, of its values on manipulated and on other pixels. The bins' edges are the thresholds of
`forgery` with one more between each two, so that F1 and IoU, at 0.5 and at the best threshold, are exactly those of
`forgery.pixel_scores`; areas under the ROC take values in one bin as equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ShapeError
from onlooker.evaluation.forgery import (
    THRESHOLDS,
    Counts,
    FloatVector,
    PixelScores,
    Score,
    check_map,
    f1,
    iou,
    mean_score,
    undefined,
)

_MIDDLES = (THRESHOLDS[:-1] + THRESHOLDS[1:]) / 2
_EDGES = np.sort(np.concatenate([THRESHOLDS, _MIDDLES]))
N_BINS = len(_EDGES)  # bin k holds values above edge k - 1 up to edge k; the first holds 0 alone
_HALF = int(np.argmin(np.abs(_EDGES - 0.5)))
_ACCUSED = 0.01  # part of an authentic picture from which on it counts as accused, as in `forgery.pixel_scores`
NO_FORGED, NO_REAL = "no manipulated picture", "no authentic picture"


@dataclass(frozen=True, eq=False, slots=True)
class MapHistogram:
    """Pixels of one map by value, (N_BINS,) int64 each: `true` of those that are manipulated, `other` of the rest."""

    true: NDArray[np.int64]
    other: NDArray[np.int64]

    def __post_init__(self) -> None:
        for part in (self.true, self.other):
            if part.shape != (N_BINS,) or part.dtype != np.int64 or part.min() < 0:
                raise ShapeError(f"a histogram is ({N_BINS},) int64 and not negative, got {part.shape} {part.dtype}")

    @property
    def counts(self) -> Counts:
        """Of pixels found where the map exceeds 0.5."""
        hit, alarm = int(self.true[_HALF + 1 :].sum()), int(self.other[_HALF + 1 :].sum())
        return Counts(hit, alarm, int(self.true.sum()) - hit, int(self.other.sum()) - alarm)

    @property
    def n_true(self) -> int:
        """Manipulated pixels."""
        return int(self.true.sum())


def histogram_of(heat_map: FloatVector, mask: NDArray[np.bool_]) -> MapHistogram:
    """Counts a map.

    Args:
        heat_map: (H, W), in [0, 1].
        mask: (H, W), True where manipulated.

    Raises:
        ShapeError: shapes disagree, or the map is out of range or NaN.
    """
    check_map(heat_map, mask)
    bins = np.searchsorted(_EDGES, heat_map.ravel(), side="left")
    every = np.bincount(bins, minlength=N_BINS)
    true = np.bincount(bins[mask.ravel()], minlength=N_BINS)
    return MapHistogram(true.astype(np.int64), (every - true).astype(np.int64))


def area(counted: MapHistogram) -> Score:
    """Area under the ROC of pixels; values in one bin count as equal."""
    n_true, n_other = int(counted.true.sum()), int(counted.other.sum())
    if not n_true or not n_other:
        return undefined("one class only")
    below = np.cumsum(counted.other) - counted.other
    return Score(float((counted.true * (below + counted.other / 2)).sum() / n_true / n_other))


def histogram_scores(counted: Sequence[MapHistogram]) -> PixelScores:
    """As `forgery.pixel_scores`, without the scores that need the maps themselves.

    Raises:
        ShapeError: nothing is given.
    """
    if not counted:
        raise ShapeError("expected the histogram of at least one map, got none")
    tampered = [one for one in counted if one.n_true]
    quiet = [one for one in counted if not one.n_true]
    pooled = MapHistogram(np.sum([one.true for one in counted], axis=0), np.sum([one.other for one in counted], axis=0))
    return PixelScores(_tampered(tampered), _pooled(pooled), _authentic(quiet))


def _tampered(counted: Sequence[MapHistogram]) -> dict[str, Score]:
    if not counted:
        return dict.fromkeys(("f1", "best_f1", "iou", "best_iou", "auc"), undefined(NO_FORGED))
    curves = [_curves(one) for one in counted]
    return {
        "f1": mean_score([f1(one.counts) for one in counted]),
        "best_f1": Score(float(np.mean([curve[0] for curve in curves], axis=0).max())),
        "iou": mean_score([iou(one.counts) for one in counted]),
        "best_iou": Score(float(np.mean([curve[1] for curve in curves], axis=0).max())),
        "auc": mean_score([area(one) for one in counted]),
    }


def _pooled(pooled: MapHistogram) -> dict[str, Score]:
    best_f1, best_iou = undefined(NO_FORGED), undefined(NO_FORGED)
    if pooled.n_true:
        by_f1, by_iou = _curves(pooled)
        best_f1, best_iou = Score(float(by_f1.max())), Score(float(by_iou.max()))
    return {
        "f1": f1(pooled.counts),
        "best_f1": best_f1,
        "iou": iou(pooled.counts),
        "best_iou": best_iou,
        "auc": area(pooled),
    }


def _authentic(counted: Sequence[MapHistogram]) -> dict[str, Score]:
    if not counted:
        return dict.fromkeys(("false_alarm_pixels", "pictures_with_false_alarms"), undefined(NO_REAL))
    parts = [one.counts.false_alarm / int(one.other.sum()) for one in counted]
    return {
        "false_alarm_pixels": Score(float(np.mean(parts))),
        "pictures_with_false_alarms": Score(float(np.mean([part > _ACCUSED for part in parts]))),
    }


def _curves(counted: MapHistogram) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """F1 and IoU at every threshold of the grid; some pixel is true."""
    hits = (counted.n_true - np.cumsum(counted.true))[::2]
    alarms = (int(counted.other.sum()) - np.cumsum(counted.other))[::2]
    found, true = hits + alarms, counted.n_true
    return 2 * hits / (found + true), hits / (found + true - hits)
