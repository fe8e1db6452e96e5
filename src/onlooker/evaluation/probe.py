"""How much a linear classifier reads off frozen features: closed-form ridge, or logistic regression. Deterministic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from onlooker.errors import ConfigError, ShapeError
from onlooker.evaluation.classification import top1_accuracy_percent


@dataclass(frozen=True, slots=True)
class ProbeConfig:
    """`penalty` is the weight of the squared weights, per sample, on features of unit variance."""

    kind: Literal["ridge", "logistic"] = "ridge"
    penalty: float = 1e-3
    max_iterations: int = 200

    def __post_init__(self) -> None:
        if self.kind not in ("ridge", "logistic") or self.penalty <= 0 or self.max_iterations < 1:
            raise ConfigError(f"a probe is ridge or logistic with a penalty above 0, got {self}")


@dataclass(frozen=True, slots=True)
class LinearProbe:
    """`weight` (D, K), `bias` (K,), both float64, on features as they come."""

    weight: Tensor
    bias: Tensor

    def scores(self, features: Tensor) -> Tensor:
        """(N, D) to (N, K)."""
        return features.double() @ self.weight + self.bias


def fit_probe(features: Tensor, labels: Tensor, n_classes: int, config: ProbeConfig | None = None) -> LinearProbe:
    """Fit on features (N, D) and labels (N,) in [0, n_classes).

    Raises:
        ShapeError: shapes disagree, a feature is not finite or a label is out of range.
    """
    config = config or ProbeConfig()
    _check(features, labels, n_classes)
    x = features.detach().double()
    mean = x.mean(dim=0)
    # A feature that never changes is divided by one and gets no weight: centred, it is zero.
    spread = x.std(dim=0, correction=0)
    spread = torch.where(spread > 1e-12, spread, torch.ones_like(spread))
    x = (x - mean) / spread
    fit = _ridge if config.kind == "ridge" else _logistic
    weight, bias = fit(x, labels.long(), n_classes, config)
    weight = weight / spread[:, None]
    return LinearProbe(weight, bias - mean @ weight)


def probe_accuracy_percent(
    train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], n_classes: int, config: ProbeConfig | None = None
) -> float:
    """Top-1 accuracy on `test` of a probe fitted on `train`, each (features (N, D), labels (N,))."""
    _check(*test, n_classes)
    scores = fit_probe(*train, n_classes, config).scores(test[0])
    return top1_accuracy_percent(scores.numpy(), test[1].numpy())


def _ridge(x: Tensor, labels: Tensor, n_classes: int, config: ProbeConfig) -> tuple[Tensor, Tensor]:
    """Least squares on one-hot targets: (x'x / N + penalty) W = x'(y - mean y) / N."""
    targets = F.one_hot(labels, n_classes).double()
    bias = targets.mean(dim=0)
    gram = x.T @ x / len(x) + config.penalty * torch.eye(x.shape[1], dtype=x.dtype)
    return torch.linalg.solve(gram, x.T @ (targets - bias) / len(x)), bias


def _logistic(x: Tensor, labels: Tensor, n_classes: int, config: ProbeConfig) -> tuple[Tensor, Tensor]:
    """Cross-entropy by L-BFGS from zero on all samples at once."""
    weight = torch.zeros(x.shape[1], n_classes, dtype=x.dtype, requires_grad=True)
    bias = torch.zeros(n_classes, dtype=x.dtype, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=config.max_iterations, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = F.cross_entropy(x @ weight + bias, labels) + config.penalty * weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    with torch.enable_grad():
        optimiser.step(closure)  # type: ignore[no-untyped-call]
    return weight.detach(), bias.detach()


def _check(features: Tensor, labels: Tensor, n_classes: int) -> None:
    if features.ndim != 2 or labels.shape != features.shape[:1] or 0 in features.shape:
        raise ShapeError(
            f"expected features (N, D) and labels (N,), got {tuple(features.shape)} and {tuple(labels.shape)}"
        )
    if not features.isfinite().all():
        raise ShapeError("a feature is not finite")
    if int(labels.min()) < 0 or int(labels.max()) >= n_classes:
        raise ShapeError(f"labels are in [0, {n_classes}), got {int(labels.min())}..{int(labels.max())}")
