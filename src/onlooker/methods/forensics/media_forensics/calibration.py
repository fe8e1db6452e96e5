"""From scores to probabilities, fitted on pictures that are neither trained nor tested on.

Platt's logistic curve keeps the order of scores; an isotonic staircase follows any growing relation and needs more
data. A calibrated probability holds for the mixture it was fitted on: half manipulated here, which is not the world's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression, minimize

from onlooker.errors import ConfigError, ShapeError

Vector = NDArray[np.floating]
_LEAST = 10


@dataclass(frozen=True, eq=False)
class Logistic:
    """Logistic regression on standardised features: `mean`, `spread`, `weights` (F,) and `bias`."""

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: float

    def probability(self, features: Vector) -> NDArray[np.float64]:
        """(N, F) to (N,) in [0, 1]."""
        logit = ((features - self.mean) / self.spread) @ self.weights + self.bias
        return np.asarray(1 / (1 + np.exp(-np.clip(logit, -40, 40))), np.float64)


def fit_logistic(features: Vector, labels: NDArray[np.integer], penalty: float = 1.0) -> Logistic:
    """Maximum likelihood with a quadratic penalty on the weights, both classes weighing the same.

    Args:
        features: (N, F).
        labels: (N,), 0 and 1, both there.
        penalty: of the squared weights, against the sum over samples.

    Raises:
        ShapeError: shapes disagree or a feature is not finite.
        ConfigError: one class only.
    """
    if features.ndim != 2 or labels.shape != features.shape[:1] or not np.isfinite(features).all():
        raise ShapeError(f"expected finite features (N, F) and labels (N,), got {features.shape} and {labels.shape}")
    counts = np.bincount(labels, minlength=2)
    if min(counts) == 0:
        raise ConfigError("a classifier needs both classes")
    mean, spread = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
    x = (features - mean) / spread
    sign = np.where(labels == 1, 1.0, -1.0)
    share = (len(labels) / 2) / counts[labels]

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, bias = parameters[:-1], parameters[-1]
        margin = sign * (x @ weights + bias)
        pull = -sign * share / (1 + np.exp(np.clip(margin, -40, 40)))
        value = float((share * np.logaddexp(0, -margin)).sum() + 0.5 * penalty * weights @ weights)
        return value, np.append(x.T @ pull + penalty * weights, pull.sum())

    found = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B")
    return Logistic(mean.astype(np.float64), spread.astype(np.float64), found.x[:-1], float(found.x[-1]))


@dataclass(frozen=True, eq=False)
class Calibration:
    """Scores to probabilities: linear between `scores` (K,), growing, where `probabilities` (K,) hold."""

    scores: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    n_samples: int

    def __call__(self, scores: Vector) -> NDArray[np.float64]:
        return np.asarray(np.interp(scores, self.scores, self.probabilities), np.float64)


def fit_platt(scores: Vector, labels: NDArray[np.integer]) -> Calibration:
    """A logistic curve through the scores; one that falls is made flat: a detector is never turned round."""
    _check(scores, labels)
    # Nearly no penalty: two parameters. Platt's targets keep probabilities off 0 and 1.
    n1, n0 = int((labels == 1).sum()), int((labels == 0).sum())
    target = np.where(labels == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    mean, spread = float(scores.mean()), float(max(scores.std(), 1e-9))
    x = (scores - mean) / spread

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logit = parameters[0] * x + parameters[1]
        off = 1 / (1 + np.exp(-np.clip(logit, -40, 40))) - target
        value = float((np.logaddexp(0, logit) - target * logit).sum())
        return value, np.array([off @ x, off.sum()])

    slope, bias = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[(0.0, 50.0), (None, None)]).x
    places = np.linspace(min(0.0, float(scores.min())), max(1.0, float(scores.max())), 201)
    curve = 1 / (1 + np.exp(-np.clip(slope * (places - mean) / spread + bias, -40, 40)))
    return Calibration(places, curve, len(scores))


def fit_isotonic(scores: Vector, labels: NDArray[np.integer]) -> Calibration:
    """The growing staircase nearest to the labels, linear between its corners."""
    _check(scores, labels)
    places, group = np.unique(scores, return_inverse=True)
    sizes = np.bincount(group)
    means = np.bincount(group, labels) / sizes
    found = isotonic_regression(means, weights=sizes.astype(np.float64)).x
    return Calibration(places.astype(np.float64), np.asarray(found, np.float64), len(scores))


def _check(scores: Vector, labels: NDArray[np.integer]) -> None:
    if scores.ndim != 1 or labels.shape != scores.shape or not np.isfinite(scores).all():
        raise ShapeError(f"expected finite scores (N,) and labels (N,), got {scores.shape} and {labels.shape}")
    if min((labels == 1).sum(), (labels == 0).sum()) < _LEAST:
        raise ConfigError(
            f"calibration needs {_LEAST} pictures of either class, got {np.bincount(labels, minlength=2)}"
        )
