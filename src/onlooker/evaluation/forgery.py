"""Was it manipulated, and where: scores of pictures, of pixels, and how sure they are.

Nothing here is in percent. A score that is not defined (one class only, an empty mask) is NaN with a note that says
why; it is never 0. Thresholds chosen on the data they are judged on are named `best_...` and are bounds, not results.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from onlooker.errors import ConfigError, ShapeError

FloatVector = NDArray[np.floating]
Labels = NDArray[np.integer]
THRESHOLDS = np.linspace(0.0, 1.0, 101)


class Score(NamedTuple):
    """A number, or NaN with the reason in `note`."""

    value: float
    note: str | None = None

    @property
    def is_defined(self) -> bool:
        return not math.isnan(self.value)


class Interval(NamedTuple):
    """A score with a confidence interval. `n_units` were drawn from with replacement; `n_defined` of the resamples had
    a defined score."""

    value: float
    low: float
    high: float
    n_units: int
    n_defined: int


class Counts(NamedTuple):
    """Pixels: found and true, found and false, missed, rightly left alone."""

    hit: float
    false_alarm: float
    missed: float
    quiet: float


def undefined(note: str) -> Score:
    return Score(math.nan, note)


def image_auc(scores: FloatVector, labels: Labels) -> Score:
    """Probability that a manipulated picture scores above an authentic one, ties half (area under the ROC).

    Args:
        scores: (N,), higher is more manipulated; any finite numbers.
        labels: (N,), 1 = manipulated.

    Raises:
        ShapeError: shapes disagree, a score is NaN, a label is neither 0 nor 1.
    """
    scores, positive = _checked(scores, labels)
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return undefined("one class only")
    ranks = rankdata(scores)
    area = (ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)
    return Score(float(area))


def average_precision(scores: FloatVector, labels: Labels) -> Score:
    """Precision at every recall step, weighted by the step; equal scores enter together."""
    scores, positive = _checked(scores, labels)
    if not positive.any():
        return undefined("no manipulated picture")
    hits, alarms = _curve(scores, positive)
    precision = hits / (hits + alarms)
    steps = np.diff(np.concatenate([[0.0], hits])) / hits[-1]
    return Score(float(steps @ precision))


def equal_error_rate(scores: FloatVector, labels: Labels) -> Score:
    """The false positive rate at the threshold where it and the miss rate differ least."""
    scores, positive = _checked(scores, labels)
    if positive.all() or not positive.any():
        return undefined("one class only")
    false_rate, true_rate = _rates(scores, positive)
    return Score(float(false_rate[np.argmin(np.abs(1 - true_rate - false_rate))]))


def roc_curve(scores: FloatVector, labels: Labels) -> tuple[FloatVector, FloatVector]:
    """False and true positive rates at every threshold that is a score, from (0, 0) to (1, 1).

    Raises:
        ShapeError: as `image_auc`, or one class only.
    """
    scores, positive = _checked(scores, labels)
    if positive.all() or not positive.any():
        raise ShapeError("a curve needs pictures of both classes")
    return _rates(scores, positive)


def recall_at_false_alarms(scores: FloatVector, labels: Labels, false_alarms: float) -> Score:
    """Largest part of the manipulated found while at most `false_alarms` of the authentic are accused."""
    scores, positive = _checked(scores, labels)
    if positive.all() or not positive.any():
        return undefined("one class only")
    false_rate, true_rate = _rates(scores, positive)
    found = float(true_rate[false_rate <= false_alarms].max())
    if false_alarms * (~positive).sum() < 1:
        return Score(found, f"fewer than {math.ceil(1 / false_alarms)} authentic pictures: no false alarm allowed")
    return Score(found)


def accuracy(scores: FloatVector, labels: Labels, threshold: float = 0.5) -> Score:
    """Part judged right; manipulated means a score above the threshold."""
    scores, positive = _checked(scores, labels)
    return Score(float(((scores > threshold) == positive).mean()))


def best_accuracy(scores: FloatVector, labels: Labels) -> Score:
    """`accuracy` at the best threshold for these very pictures: a bound."""
    scores, positive = _checked(scores, labels)
    hits, alarms = _curve(scores, positive)
    right = np.concatenate([[0.0], hits - alarms]) + (~positive).sum()
    return Score(float(right.max() / len(positive)))


def balanced_accuracy(scores: FloatVector, labels: Labels, threshold: float = 0.5) -> Score:
    """Mean of the parts judged right of either class."""
    scores, positive = _checked(scores, labels)
    if positive.all() or not positive.any():
        return undefined("one class only")
    said = scores > threshold
    return Score(float(said[positive].mean() + (~said[~positive]).mean()) / 2)


def calibration_error(probabilities: FloatVector, labels: Labels, n_bins: int = 15) -> Score:
    """Expected calibration error: how far the mean probability of a bin is from the part manipulated in it, weighted by
    the bins' pictures. Bins have equal width; 1 belongs to the last."""
    probabilities, positive = _checked(probabilities, labels)
    if probabilities.min() < 0 or probabilities.max() > 1:
        raise ShapeError(f"probabilities are in [0, 1], got {probabilities.min()} to {probabilities.max()}")
    bins = np.minimum((probabilities * n_bins).astype(int), n_bins - 1)
    gaps = np.bincount(bins, probabilities - positive, minlength=n_bins)
    return Score(float(np.abs(gaps).sum() / len(positive)))


def image_scores(probabilities: FloatVector, labels: Labels) -> dict[str, Score]:
    """All scores of pictures by name."""
    return {
        "auc": image_auc(probabilities, labels),
        "average_precision": average_precision(probabilities, labels),
        "equal_error_rate": equal_error_rate(probabilities, labels),
        "recall_at_1_percent_false_alarms": recall_at_false_alarms(probabilities, labels, 0.01),
        "recall_at_0.1_percent_false_alarms": recall_at_false_alarms(probabilities, labels, 0.001),
        "accuracy": accuracy(probabilities, labels),
        "best_accuracy": best_accuracy(probabilities, labels),
        "balanced_accuracy": balanced_accuracy(probabilities, labels),
        "calibration_error": calibration_error(probabilities, labels),
    }


def count_pixels(found: NDArray[np.bool_], mask: NDArray[np.bool_]) -> Counts:
    """Counts of one picture; shapes agree."""
    if found.shape != mask.shape or found.dtype != np.bool_ or mask.dtype != np.bool_:
        raise ShapeError(f"expected two bool arrays of one shape, got {found.shape} {found.dtype} and {mask.shape}")
    hit = int((found & mask).sum())
    alarm, missed = int(found.sum()) - hit, int(mask.sum()) - hit
    return Counts(hit, alarm, missed, found.size - hit - alarm - missed)


def f1(counts: Counts) -> Score:
    """2 TP / (2 TP + FP + FN)."""
    below = 2 * counts.hit + counts.false_alarm + counts.missed
    return Score(2 * counts.hit / below) if below else undefined("neither found nor true pixels")


def iou(counts: Counts) -> Score:
    below = counts.hit + counts.false_alarm + counts.missed
    return Score(counts.hit / below) if below else undefined("neither found nor true pixels")


def matthews(counts: Counts) -> Score:
    """Matthews' correlation; 0 by convention when nothing or everything is found, though truth has both."""
    hit, alarm, missed, quiet = counts
    if not (hit + missed) or not (alarm + quiet):
        return undefined("the truth has one class only")
    below = math.sqrt((hit + alarm) * (hit + missed) * (quiet + alarm) * (quiet + missed))
    return Score((hit * quiet - alarm * missed) / below if below else 0.0)


def soft_counts(heat_map: FloatVector, mask: NDArray[np.bool_]) -> Counts:
    """Counts with every pixel taken by its probability: F1, IoU and MCC of these need no threshold."""
    check_map(heat_map, mask)
    total, hit, true = float(heat_map.sum()), float(heat_map[mask].sum()), int(mask.sum())
    return Counts(hit, total - hit, true - hit, mask.size - true - (total - hit))


@dataclass(frozen=True)
class PixelScores:
    """Where: `tampered` are means over manipulated pictures alone, `pooled` has all pixels of all pictures in one
    count, `authentic` what happens where there is nothing to find. Scores by name."""

    tampered: Mapping[str, Score]
    pooled: Mapping[str, Score]
    authentic: Mapping[str, Score]


def pixel_scores(
    heat_maps: Sequence[FloatVector], masks: Sequence[NDArray[np.bool_]], threshold: float = 0.5
) -> PixelScores:
    """Localisation over pictures, at a fixed threshold and at the best one.

    `f1_permuted` takes the better of a map and its inverse for every picture: for detectors that mark either side of a
    boundary. `best_f1` and `best_iou` take one threshold for all pictures, chosen on them.

    Args:
        heat_maps: (H, W) each, in [0, 1].
        masks: (H, W) each, as many.
        threshold: pixels above it are found.

    Raises:
        ShapeError: numbers or shapes disagree, a map is out of range or NaN.
    """
    if len(heat_maps) != len(masks) or not masks:
        raise ShapeError(f"expected as many maps as masks and at least one, got {len(heat_maps)} and {len(masks)}")
    for heat_map, mask in zip(heat_maps, masks, strict=True):
        check_map(heat_map, mask)
    pairs = list(zip(heat_maps, masks, strict=True))
    tampered = [(heat_map, mask) for heat_map, mask in pairs if mask.any()]
    quiet = [heat_map for heat_map, mask in pairs if not mask.any()]
    counts = [count_pixels(heat_map > threshold, mask) for heat_map, mask in pairs]
    total = Counts(*np.sum(counts, axis=0).tolist())
    soft = Counts(*np.sum([soft_counts(*pair) for pair in pairs], axis=0).tolist())
    everything = np.concatenate([h.ravel() for h in heat_maps]), np.concatenate([m.ravel() for m in masks])
    pooled = {
        "f1": f1(total),
        "iou": iou(total),
        "matthews": matthews(total),
        "auc": image_auc(everything[0], everything[1].astype(np.int64)),
        "weighted_f1": f1(soft),
        "weighted_iou": iou(soft),
        **_best_pooled(pairs),
    }
    false_alarms = [float((heat_map > threshold).mean()) for heat_map in quiet]
    nothing = undefined("no authentic picture")
    authentic = {
        "false_alarm_pixels": Score(float(np.mean(false_alarms))) if quiet else nothing,
        "pictures_with_false_alarms": Score(float(np.mean([part > 0.01 for part in false_alarms])))
        if quiet
        else nothing,
    }
    return PixelScores(_mean_scores(tampered, threshold), pooled, authentic)


def _mean_scores(pairs: Sequence[tuple[FloatVector, NDArray[np.bool_]]], threshold: float) -> dict[str, Score]:
    names = ("f1", "best_f1", "f1_permuted", "iou", "best_iou", "matthews", "auc", "weighted_f1", "weighted_iou")
    if not pairs:
        return {name: undefined("no manipulated picture") for name in names}
    counts = [count_pixels(heat_map > threshold, mask) for heat_map, mask in pairs]
    inverse = [count_pixels(1 - heat_map > threshold, mask) for heat_map, mask in pairs]
    soft = [soft_counts(*pair) for pair in pairs]
    hits, found, true = (np.array(part) for part in zip(*(_hit_curve(*pair) for pair in pairs), strict=True))
    curves = 2 * hits / (found + true)  # (N, thresholds); 0 where nothing is found
    return {
        "f1": mean_score([f1(c) for c in counts]),
        "best_f1": Score(float(curves.mean(axis=0).max())),
        "f1_permuted": Score(
            float(np.mean([max(f1(a).value, f1(b).value) for a, b in zip(counts, inverse, strict=True)]))
        ),
        "iou": mean_score([iou(c) for c in counts]),
        "best_iou": Score(float((hits / (found + true - hits)).mean(axis=0).max())),
        "matthews": mean_score([matthews(c) for c in counts]),
        "auc": mean_score([image_auc(h.ravel(), m.ravel().astype(np.int64)) for h, m in pairs]),
        "weighted_f1": mean_score([f1(c) for c in soft]),
        "weighted_iou": mean_score([iou(c) for c in soft]),
    }


def mean_score(scores: Sequence[Score]) -> Score:
    """Mean of those that are defined; the note says how many were not."""
    defined = [score.value for score in scores if score.is_defined]
    if not defined:
        return undefined(scores[0].note or "undefined everywhere") if scores else undefined("nothing to average")
    left_out = len(scores) - len(defined)
    return Score(float(np.mean(defined)), f"{left_out} of {len(scores)} left out as undefined" if left_out else None)


def _best_pooled(pairs: Sequence[tuple[FloatVector, NDArray[np.bool_]]]) -> dict[str, Score]:
    """Of all pixels in one count, each at its own best threshold."""
    hits, found, true = (np.sum(part, axis=0) for part in zip(*(_hit_curve(*pair) for pair in pairs), strict=True))
    if not int(true[0]):
        return {name: undefined("no manipulated picture") for name in ("best_f1", "best_iou")}
    return {
        "best_f1": Score(float((2 * hits / (found + true)).max())),
        "best_iou": Score(float((hits / (found + true - hits)).max())),
    }


class _HitCurve(NamedTuple):
    """At every threshold of the grid, (thresholds,) each: found and true pixels, found ones, true ones."""

    hits: NDArray[np.intp]
    found: NDArray[np.intp]
    true: NDArray[np.intp]


def _hit_curve(heat_map: FloatVector, mask: NDArray[np.bool_]) -> _HitCurve:
    all_sorted, true_sorted = np.sort(heat_map.ravel()), np.sort(heat_map[mask])
    found = heat_map.size - np.searchsorted(all_sorted, THRESHOLDS, side="right")
    hits = len(true_sorted) - np.searchsorted(true_sorted, THRESHOLDS, side="right")
    return _HitCurve(hits, found, np.full_like(hits, len(true_sorted)))


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], Score],
    units: Sequence[object],
    *,
    level: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """Percentile interval of a statistic under resampling of WHOLE units: photos or videos, never their frames.

    Args:
        statistic: indices of items -> score.
        units: the unit of every item, in order. Items of one unit are drawn together.
        level: of the interval.
        n_resamples, seed: of the resampling; undefined resamples are left out and counted.

    Raises:
        ConfigError: no items, or a level outside (0, 1).
    """
    if not units or not 0 < level < 1 or n_resamples < 1:
        raise ConfigError(f"expected items, a level in (0, 1) and resamples, got {len(units)}, {level}, {n_resamples}")
    members: dict[object, list[int]] = {}
    for index, unit in enumerate(units):
        members.setdefault(unit, []).append(index)
    groups = [np.array(group, np.intp) for group in members.values()]
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(n_resamples):
        chosen = rng.integers(0, len(groups), len(groups))
        drawn.append(statistic(np.concatenate([groups[k] for k in chosen])).value)
    defined = np.array([value for value in drawn if not math.isnan(value)])
    value = statistic(np.arange(len(units))).value
    if not len(defined):
        return Interval(value, math.nan, math.nan, len(groups), 0)
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high), len(groups), len(defined))


def _checked(scores: FloatVector, labels: Labels) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    if scores.ndim != 1 or labels.shape != scores.shape or not len(scores):
        raise ShapeError(f"expected scores (N,) and labels (N,), got {scores.shape} and {labels.shape}")
    if not np.isfinite(scores).all():
        raise ShapeError("a score is not finite")
    if not np.isin(labels, (0, 1)).all():
        raise ShapeError(f"labels are 0 and 1, got {np.unique(labels)[:5]}")
    return scores.astype(np.float64), labels.astype(bool)


def _curve(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> tuple[FloatVector, FloatVector]:
    """Numbers of found and of falsely accused pictures at every threshold that is a score, the highest first."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)  # equal scores pass together
    hits, alarms = np.cumsum(positive[order])[last], np.cumsum(~positive[order])[last]
    return hits.astype(np.float64), alarms.astype(np.float64)


def _rates(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> tuple[FloatVector, FloatVector]:
    """False and true positive rates, from (0, 0) to (1, 1)."""
    hits, alarms = _curve(scores, positive)
    return np.concatenate([[0.0], alarms / alarms[-1]]), np.concatenate([[0.0], hits / hits[-1]])


def check_map(heat_map: FloatVector, mask: NDArray[np.bool_]) -> None:
    """Raises ShapeError unless the map is (H, W) in [0, 1] and its mask bool of that shape."""
    if heat_map.ndim != 2 or heat_map.shape != mask.shape or mask.dtype != np.bool_ or not mask.size:
        raise ShapeError(
            f"expected a map (H, W) and its mask of bool, got {heat_map.shape} and {mask.shape} {mask.dtype}"
        )
    low, high = float(heat_map.min()), float(heat_map.max())
    if not 0 <= low <= high <= 1:
        raise ShapeError(f"heat maps are in [0, 1] and no NaN, got {low} to {high}")
