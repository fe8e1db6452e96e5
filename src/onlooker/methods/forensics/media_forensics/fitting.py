"""Makes a `Combination` from scores of rules on made forgeries. Used by `benchmarks/verify_calibration.py`.

Everything that is chosen (weights, curve, threshold) is chosen on scores of photos that the weights were not fitted on:
each fifth of the photos is scored by a model of the others. Test photos are looked at once, at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ConfigError
from onlooker.evaluation.forgery import Score, bootstrap, image_auc
from onlooker.methods.forensics.media_forensics.calibration import Logistic, fit_logistic, fit_platt
from onlooker.methods.forensics.media_forensics.combining import Combination, Curve, Measured, Tail

Vector = NDArray[np.float64]
_FOLDS = 5
_PENALTY = 10.0  # ours: eight weights from a few hundred tiles of twenty photos
_TAIL_SHARE = 0.1
_RESAMPLES = 400


@dataclass(frozen=True, eq=False)
class Scored:
    """Pictures with what the rules said of them.

    Attributes:
        scores: one mapping per picture, rule -> score or `None` where it refused.
        labels: (N,) 1 forged, 0 untouched.
        photos: the photo of every picture.
        kinds: of manipulation.
    """

    scores: tuple[Mapping[str, float | None], ...]
    labels: NDArray[np.int64]
    photos: tuple[str, ...]
    kinds: tuple[str, ...]

    def __post_init__(self) -> None:
        n = len(self.scores)
        if self.labels.shape != (n,) or len(self.photos) != n or len(self.kinds) != n:
            raise ConfigError(f"scores, labels, photos and kinds are of the same pictures, got {n} scores")


def fit_combination(
    rules: Sequence[str],
    own: Scored,
    test: Scored,
    stated_false_alarms: float,
    tested_on: str,
    fingerprint: str,
    seed: int = 0,
) -> Combination:
    """The combination of a domain.

    Args:
        rules: names of the rules that take part.
        own: pictures to make it from.
        test: pictures of other photos, to measure it on.
        stated_false_alarms: share of untouched pictures that may be suspected.
        tested_on, fingerprint: of the data, kept with it.
        seed: of folds and intervals.

    Raises:
        ConfigError: a photo is in both sets, or a set lacks a class.
    """
    if set(own.photos) & set(test.photos):
        raise ConfigError(f"photos are in both sets: {sorted(set(own.photos) & set(test.photos))[:3]}")
    typical = tuple(_typical(own, name) for name in rules)
    features = _matrix(own, rules, typical)
    model = _fit(features, own.labels)
    held_out = _held_out_scores(features, own, seed)
    curve = _curve(held_out, own.labels)
    untouched = own.labels == 0
    limit = _threshold(
        held_out[untouched], [p for p, u in zip(own.photos, untouched, strict=True) if u], stated_false_alarms, seed
    )
    auc = bootstrap(lambda k: image_auc(held_out[k], own.labels[k]), own.photos, n_resamples=_RESAMPLES, seed=seed)
    draft = Combination(
        tuple(rules),
        typical,
        _plain(model.mean),
        _plain(model.spread),
        _plain(model.weights),
        model.bias,
        _tail(held_out[untouched]),
        curve,
        _alone(own, rules),
        curve(limit),
        stated_false_alarms,
        bool(auc.low > 0.5),
        tested_on,
        fingerprint,
        Measured(auc.value, auc.low, auc.high, 0.0, 0.0, 0.0, {}, 0, 0, 0),
    )
    return _with_test(draft, measure(draft, test, seed))


def measure(combination: Combination, test: Scored, seed: int = 0) -> Measured:
    """How a combination does on pictures with known truth, each taken as one window."""
    scores = np.array([combination.window_score(one) for one in test.scores], np.float64)
    suspected = np.array([combination.curve(score) >= combination.threshold for score in scores])
    forged = test.labels == 1
    auc = bootstrap(lambda k: image_auc(scores[k], test.labels[k]), test.photos, n_resamples=_RESAMPLES, seed=seed)
    calm = [photo for photo, is_forged in zip(test.photos, forged, strict=True) if not is_forged]
    alarms = suspected[~forged]
    rate = bootstrap(lambda k: Score(float(alarms[k].mean()), None), calm, n_resamples=_RESAMPLES, seed=seed)
    kinds = np.array(test.kinds)
    found = {str(kind): float(suspected[kinds == kind].mean()) for kind in sorted(set(kinds[forged]))}
    return Measured(
        auc.value,
        auc.low,
        auc.high,
        rate.value,
        rate.high,
        float(suspected[forged].mean()),
        found,
        int((~forged).sum()),
        int(forged.sum()),
        len(set(test.photos)),
    )


def _with_test(draft: Combination, test: Measured) -> Combination:
    return replace(draft, test=test)


def _typical(own: Scored, name: str) -> float:
    """Mean of a rule's scores on untouched pictures; where it refuses, it then says nothing either way."""
    found = [one[name] for one, label in zip(own.scores, own.labels, strict=True) if label == 0]
    known = [score for score in found if score is not None]
    return round(float(np.mean(known)), 6) if known else 0.0


def _matrix(data: Scored, rules: Sequence[str], typical: Sequence[float]) -> Vector:
    rows = [
        [t if (s := one[name]) is None else s for name, t in zip(rules, typical, strict=True)] for one in data.scores
    ]
    return np.array(rows, np.float64)


def _fit(features: Vector, labels: NDArray[np.int64]) -> Logistic:
    """A linear model without negative weights: a rule that finds something never speaks against it. Rules that would
    weigh less than nothing are left out, the worst first."""
    kept = np.flatnonzero(features.std(axis=0) > 1e-3)  # a rule that always says the same says nothing
    if not len(kept):
        raise ConfigError("no rule says anything about these pictures")
    while True:
        model = fit_logistic(features[:, kept], labels, _PENALTY)
        if len(kept) == 1 or model.weights.min() >= 0:
            break
        kept = np.delete(kept, int(np.argmin(model.weights)))
    mean, spread, weights = features.mean(axis=0), np.ones(features.shape[1]), np.zeros(features.shape[1])
    mean[kept], spread[kept], weights[kept] = model.mean, model.spread, np.maximum(model.weights, 0)
    return Logistic(mean, spread, weights, model.bias)


def _held_out_scores(features: Vector, own: Scored, seed: int) -> Vector:
    """Every picture's score by a model of photos other than its own."""
    names = sorted(set(own.photos))
    order = np.random.default_rng(seed).permutation(len(names))
    fold = {names[k]: place % _FOLDS for place, k in enumerate(order)}
    folds = np.array([fold[photo] for photo in own.photos])
    scores = np.zeros(len(own.labels), np.float64)
    for k in range(_FOLDS):
        model = _fit(features[folds != k], own.labels[folds != k])
        scores[folds == k] = _logit(model, features[folds == k])
    return scores


def _logit(model: Logistic, features: Vector) -> Vector:
    return np.asarray(((features - model.mean) / model.spread) @ model.weights + model.bias, np.float64)


def _curve(scores: Vector, labels: NDArray[np.int64]) -> Curve:
    """Platt's, its slope and bias read off the calibration made by `fit_platt`."""
    fitted = fit_platt(scores, labels)
    low, high = fitted(np.array([0.0, 1.0]))
    first, second = np.log(low / (1 - low)), np.log(high / (1 - high))
    return Curve(float(second - first), float(first))


def _alone(own: Scored, rules: Sequence[str]) -> dict[str, Curve]:
    curves = {}
    for name in rules:
        kept = [(one[name], label) for one, label in zip(own.scores, own.labels, strict=True)]
        known = [(score, label) for score, label in kept if score is not None]
        labels = np.array([label for _, label in known], np.int64)
        if len(labels) and min((labels == 1).sum(), (labels == 0).sum()) >= 30:
            curves[name] = _curve(np.array([score for score, _ in known], np.float64), labels)
    return curves


def _threshold(scores: Vector, photos: Sequence[str], most: float, seed: int) -> float:
    """The lowest score at which no more than `most` of untouched pictures are suspected, by the upper end of 90 percent
    over photos."""
    for share in np.linspace(most, 0.0, 26):
        limit = float(np.quantile(scores, 1 - share)) + 1e-9
        found = bootstrap(
            lambda k, limit=limit: Score(float((scores[k] >= limit).mean()), None),  # type: ignore[misc]
            photos,
            level=0.9,
            n_resamples=_RESAMPLES,
            seed=seed,
        )
        if found.high <= most:
            return limit
    return float(scores.max()) + 1e-9


def _tail(scores: Vector) -> Tail:
    start = float(np.quantile(scores, 1 - _TAIL_SHARE))
    above = scores[scores > start]
    quantiles = np.quantile(scores, np.linspace(0, 1, 21))
    return Tail(_plain(quantiles), start, _TAIL_SHARE, float(max((above - start).mean(), 1e-3)))


def _plain(values: NDArray[np.floating]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
