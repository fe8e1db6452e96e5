"""Classification scores, in percent; ties are decided against the model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ShapeError


def top_k_accuracy_percent(scores: NDArray[np.floating], labels: NDArray[np.integer], k: int = 1) -> float:
    """Part of the samples whose label has fewer than k classes scored as high as it or higher.

    Args:
        scores: (N, K), N >= 1.
        labels: (N,) in [0, K).
        k: from 1.

    Raises:
        ShapeError: shapes disagree, a score is NaN or a label is out of range.
    """
    if scores.ndim != 2 or labels.shape != scores.shape[:1] or 0 in scores.shape:
        raise ShapeError(f"expected scores (N, K) and labels (N,), got {scores.shape} and {labels.shape}")
    if np.isnan(scores).any():
        raise ShapeError("a score is NaN")
    if labels.min() < 0 or labels.max() >= scores.shape[1] or k < 1:
        raise ShapeError(f"labels are in [0, {scores.shape[1]}) and k from 1, got {labels.min()}..{labels.max()}, {k}")
    own = np.take_along_axis(scores, labels[:, None], axis=1)  # (N, 1)
    # Its own class is among those scored at least as high.
    ahead = (scores >= own).sum(axis=1) - 1
    return 100.0 * float(np.mean(ahead < k))


def top1_accuracy_percent(scores: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """`top_k_accuracy_percent` with k = 1."""
    return top_k_accuracy_percent(scores, labels, 1)
