"""Top-k that can be trained through: indices are chosen under many draws of noise and averaged (the perturbed maximum).

Cordonnier et al., "Differentiable Patch Selection for Image Recognition", 2104.03059, as used by STTS. Nothing here
builds the (B, S, k, n) one-hot tensor of the formula: indices are counted instead, which is the same number with k/n of
the memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from onlooker.errors import ShapeError
from onlooker.methods.encoders.stts.config import Estimator

_HARD_BELOW = 1e-20  # official: a smaller sigma is no noise, and its gradient is exactly zero
_SAMPLES_AT_ONCE = 128  # ours: bounds the memory of the sorted copies


@dataclass(frozen=True)
class Perturbation:
    """The noise of one training forward.

    Attributes:
        sigma: standard deviation; 0 chooses hard and gives no gradient.
        num_samples: draws per row.
        generator: where draws come from; `None` is torch's global generator.
        noise: (B, S, n) standard normal draws to use instead, S of them.
        estimator: gradient; see `SelectionConfig`.
    """

    sigma: float
    num_samples: int = 500
    generator: torch.Generator | None = None
    noise: Tensor | None = None
    estimator: Estimator = "diagonal"


def hard_top_k(scores: Tensor, k: int) -> Tensor:
    """(B, k) indices of the k best of (B, n) scores, ascending; of equal scores the first ones win.

    Raises:
        ShapeError: `scores` is no matrix, or k is not in 1 to n.
    """
    _check(scores, k)
    order = torch.sort(scores, dim=-1, descending=True, stable=True).indices
    return order[:, :k].sort(dim=-1).values


def perturbed_top_k(scores: Tensor, k: int, perturbation: Perturbation) -> Tensor:
    """How often each index was the j-th chosen one under noise.

    Args:
        scores: (B, n). Lower precisions are computed in float32.
        k: how many are chosen per draw, 1 to n.
        perturbation: the noise.

    Returns:
        (B, k, n) float32 indicator; rows sum to 1, slots are in ascending order of index. Times the tokens, it selects.

    Raises:
        ShapeError: `scores` is no matrix, k is not in 1 to n, or given noise has another shape.
    """
    _check(scores, k)
    scores = scores.float()  # a mean of one-hots in half precision is off in the third digit
    if perturbation.sigma <= _HARD_BELOW:
        # Multiplied in, the scores get a gradient of exactly zero instead of none at all.
        chosen = torch.nn.functional.one_hot(hard_top_k(scores, k), scores.shape[-1]).float()
        return chosen + (scores * 0.0).unsqueeze(1)
    noise = perturbation.noise
    if noise is None:
        shape = (scores.shape[0], perturbation.num_samples, scores.shape[1])
        noise = torch.randn(shape, generator=perturbation.generator, device=_device_of(perturbation, scores))
    elif noise.ndim != 3 or (noise.shape[0], noise.shape[2]) != scores.shape:
        raise ShapeError(
            f"noise is (B, samples, n) for scores of shape {tuple(scores.shape)}, got {tuple(noise.shape)}"
        )
    noise = noise.to(scores)
    indicator: Tensor = _PerturbedTopK.apply(scores, noise, k, perturbation.sigma, perturbation.estimator)
    return indicator


def _device_of(perturbation: Perturbation, scores: Tensor) -> torch.device:
    """A generator draws on its own device only."""
    return scores.device if perturbation.generator is None else perturbation.generator.device


def _check(scores: Tensor, k: int) -> None:
    if scores.ndim != 2:
        raise ShapeError(f"scores are (B, n), got {tuple(scores.shape)}")
    if not 1 <= k <= scores.shape[1]:
        raise ShapeError(f"k is 1 to {scores.shape[1]} (the number of scores), got {k}")


class _PerturbedTopK(torch.autograd.Function):
    """Forward counts choices; backward estimates their derivative from the same draws."""

    @staticmethod
    def forward(ctx: FunctionCtx, scores: Tensor, noise: Tensor, k: int, sigma: float, estimator: Estimator) -> Tensor:
        batch, samples, n = noise.shape
        indices = _chosen(scores, noise, k, sigma)  # (B, S, k)
        slots = indices.transpose(1, 2)  # (B, k, S)
        indicator = scores.new_zeros(batch, k, n).scatter_add_(2, slots, scores.new_ones(slots.shape)) / samples
        ctx.factor = 1.0 / (samples * sigma)  # type: ignore[attr-defined]
        ctx.estimator = estimator  # type: ignore[attr-defined]
        if estimator == "full":
            ctx.save_for_backward(indices, noise)
        else:
            drawn = noise.gather(2, indices).transpose(1, 2)  # (B, k, S): noise of what was chosen
            ctx.save_for_backward(scores.new_zeros(batch, k, n).scatter_add_(2, slots, drawn))
        return indicator

    @staticmethod
    def backward(ctx: FunctionCtx, grad_output: Tensor) -> tuple[Tensor, None, None, None, None]:
        factor: float = ctx.factor  # type: ignore[attr-defined]
        if ctx.estimator == "full":  # type: ignore[attr-defined]
            # grad_i = mean_s <G, onehot_s> Z[s, i] / sigma: the Jacobian with its cross terms.
            indices, noise = ctx.saved_tensors  # type: ignore[attr-defined]
            reward = grad_output.gather(2, indices.transpose(1, 2)).sum(1)  # (B, S)
            return (reward.unsqueeze(1) @ noise).squeeze(1) * factor, None, None, None, None
        # grad_i = sum_j G[j, i] E[j, i], E = mean_s onehot[s, j, i] Z[s, i] / sigma: the diagonal alone, as official.
        (chosen_noise,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return (grad_output * chosen_noise).sum(1) * factor, None, None, None, None


def _chosen(scores: Tensor, noise: Tensor, k: int, sigma: float) -> Tensor:
    """(B, S, k) indices of the best under every draw, ascending, a part of the draws at a time."""
    parts = []
    for start in range(0, noise.shape[1], _SAMPLES_AT_ONCE):
        perturbed = scores.unsqueeze(1) + sigma * noise[:, start : start + _SAMPLES_AT_ONCE]  # (B, s, n)
        parts.append(perturbed.topk(k, dim=-1, sorted=False).indices.sort(dim=-1).values)
    return torch.cat(parts, dim=1)
