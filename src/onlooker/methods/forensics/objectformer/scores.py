"""How well pictures and pixels are judged, beside what needs no look at the picture at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from onlooker.errors import NothingFoundError, ShapeError

_THRESHOLDS = np.linspace(0.05, 0.95, 19)  # the best of them is reported beside 0.5, never instead


@dataclass(frozen=True)
class PixelScores:
    """Means over manipulated pictures; an authentic one has no pixel to find.

    Attributes:
        auc: area under the curve of each picture's pixels.
        f1: at threshold 0.5.
        best_f1: at the one threshold for all pictures that suits this very set best: an upper bound, no result.
    """

    auc: float
    f1: float
    best_f1: float


def area_under_curve(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> float:
    """Probability that a positive is scored above a negative, ties counting half.

    Args:
        scores, positive: of the same shape.

    Raises:
        NothingFoundError: there are positives or negatives only.
    """
    flat = positive.ravel()
    count, others = int(flat.sum()), int((~flat).sum())
    if not count or not others:
        raise NothingFoundError("an area under the curve needs positives and negatives; one of them is missing")
    ranks = np.asarray(rankdata(scores.ravel()), np.float64)
    return float((ranks[flat].sum() - count * (count + 1) / 2) / (count * others))


def f1_score(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Harmonic mean of precision and recall of pixels; 0 where nothing is right."""
    right = int((found & truth).sum())
    return 2.0 * right / max(int(found.sum()) + int(truth.sum()), 1)


def pixel_scores(prob: Sequence[NDArray[np.floating]], truth: Sequence[NDArray[np.bool_]]) -> PixelScores:
    """Scores of heat maps.

    Args:
        prob: (H, W) in [0, 1] per picture.
        truth: (H, W) per picture; those without or full of manipulated pixels are left out.

    Raises:
        NothingFoundError: no picture is left.
        ShapeError: shapes differ.
    """
    if any(found.shape != mask.shape for found, mask in zip(prob, truth, strict=True)):
        raise ShapeError("every heat map has the shape of its mask; resize probabilities, not masks")
    pairs = [(found, mask) for found, mask in zip(prob, truth, strict=True) if mask.any() and not mask.all()]
    if not pairs:
        raise NothingFoundError("no picture is partly manipulated: pixel scores need some")
    by_threshold = [np.mean([f1_score(found > at, mask) for found, mask in pairs]) for at in _THRESHOLDS]
    return PixelScores(
        auc=float(np.mean([area_under_curve(found, mask) for found, mask in pairs])),
        f1=float(np.mean([f1_score(found > 0.5, mask) for found, mask in pairs])),
        best_f1=float(max(by_threshold)),
    )
