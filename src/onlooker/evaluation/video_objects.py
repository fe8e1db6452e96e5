"""Video object segmentation as DAVIS scores it: J, F and J&F per object, first and last frame left out.

Single-object data (DAVIS 2016) counts all annotated foreground as one object; otherwise every id of the truth's first
frame is an object (DAVIS 2017, semi-supervised: Pont-Tuset et al. 2017). Pixels of the void label are judged nowhere.
Recall is the share of frames above 0.5, decay the mean of the first quarter of frames less that of the last (Perazzi
et al. 2016, section 4).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ShapeError
from onlooker.evaluation.segmentation import boundary_accuracy, region_similarity

LabelMap = NDArray[np.integer]
_VOID = 255
_N_QUARTERS = 4
_RECALL_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Statistics:
    """Mean, recall and decay of one measure over the frames of an object, or their means over objects; percent."""

    mean: float
    recall: float
    decay: float


@dataclass(frozen=True, slots=True)
class ObjectScores:
    """Region (`j`) and boundary (`f`) statistics of one object, or of several with one weight each."""

    j: Statistics
    f: Statistics

    @property
    def j_and_f(self) -> float:
        """Mean of the two means, percent."""
        return (self.j.mean + self.f.mean) / 2


def score_video_objects(predicted: LabelMap, truth: LabelMap, *, one_object: bool = False) -> dict[int, ObjectScores]:
    """Scores of every object of the truth's first frame, by its id.

    Args:
        predicted, truth: (T, H, W) ids, 0 for ground, 255 void in the truth; T >= 3.
        one_object: all foreground is object 1, in both.

    Raises:
        ShapeError: other shapes, no object in the first frame, or ids predicted that are none of the truth's.
    """
    if truth.ndim != 3 or predicted.shape != truth.shape or len(truth) < 3:
        raise ShapeError(f"expected two (T, H, W) with T >= 3, got {predicted.shape} and {truth.shape}")
    void = truth == _VOID
    if one_object:
        predicted, truth = (predicted != 0).astype(np.uint8), np.where(void, 0, truth != 0).astype(np.uint8)
    ids = [int(i) for i in np.unique(truth[0]) if i not in (0, _VOID)]
    if not ids:
        raise ShapeError("the first frame shows no object to follow")
    surplus = sorted(set(np.unique(predicted).tolist()) - {0, _VOID} - set(np.unique(truth).tolist()))
    if surplus:
        raise ShapeError(f"the prediction holds objects {surplus[:5]}, the truth's first frame {ids[:5]}")
    return {i: _score(predicted == i, truth == i, void) for i in ids}


def mean_objects(scores: Iterable[ObjectScores]) -> ObjectScores:
    """Mean over objects, each with the same weight; over all objects of a data set for its score.

    Raises:
        ShapeError: there is none.
    """
    rows = list(scores)
    if not rows:
        raise ShapeError("expected at least one object to score")
    return ObjectScores(_mean([row.j for row in rows]), _mean([row.f for row in rows]))


def statistics(values: NDArray[np.float64]) -> Statistics:
    """Mean, recall and decay of values per frame in [0, 1]; (T,), T >= 1."""
    # The ends of the quarters as the official evaluation rounds them.
    ends = np.round(np.linspace(1, len(values), _N_QUARTERS + 1) + 1e-10).astype(int) - 1
    first, last = values[ends[0] : ends[1] + 1], values[ends[3] : ends[4] + 1]
    return Statistics(
        100 * float(values.mean()),
        100 * float((values > _RECALL_THRESHOLD).mean()),
        100 * float(first.mean() - last.mean()),
    )


def _score(predicted: NDArray[np.bool_], truth: NDArray[np.bool_], void: NDArray[np.bool_]) -> ObjectScores:
    # In DAVIS the first frame is given, and the last has no mask in some of its sets.
    pairs = [(p & ~v, t & ~v) for p, t, v in zip(predicted[1:-1], truth[1:-1], void[1:-1], strict=True)]
    j = np.array([region_similarity(p, t) for p, t in pairs])
    f = np.array([boundary_accuracy(p, t) for p, t in pairs])
    return ObjectScores(statistics(j), statistics(f))


def _mean(rows: list[Statistics]) -> Statistics:
    means = np.mean([(row.mean, row.recall, row.decay) for row in rows], axis=0)
    return Statistics(*means.tolist())
