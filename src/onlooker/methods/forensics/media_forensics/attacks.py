"""White-box attacks: changes too small to see, made with a network's own gradients so that it says the opposite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.forensics.media_forensics.samples import Sample

PGD = "pgd"
_AT_ONCE = 32
_REACH = 2.5  # steps together may go so many times as far as the bound (Madry et al.)


@runtime_checkable
class Differentiable(Protocol):
    """A detector that hands out its gradients."""

    def suspicion(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) RGB floats in [0, 255] to (B,), unbounded, higher for what looks manipulated."""
        ...


def projected_gradient(
    detector: Differentiable, samples: Sequence[Sample], strength: float, *, steps: int = 10, seed: int = 0
) -> list[Sample]:
    """Labelled samples after projected gradient descent within a cube (Madry et al. 2018, 1706.06083): manipulated ones
    are made to look sound, sound ones manipulated. What a JPEG's bytes told is gone.

    Args:
        detector: what is attacked.
        samples: of one size, each with a label.
        strength: the most that any value changes, in steps of 8-bit pictures.
        steps: of the descent, from a random place in the cube.
        seed: of that place.

    Raises:
        ConfigError: a strength or number of steps below 1, or a sample without a label.
        ShapeError: samples of different sizes.
    """
    if strength < 1 or steps < 1 or any(sample.label is None for sample in samples):
        raise ConfigError(f"an attack needs labels, a strength of 1 or more and steps, got {strength}, {steps}")
    if len({sample.image.shape for sample in samples}) > 1:
        raise ShapeError("samples that are attacked together have one size")
    made: list[Sample] = []
    generator = torch.Generator().manual_seed(seed)
    for start in range(0, len(samples), _AT_ONCE):
        some = samples[start : start + _AT_ONCE]
        before = torch.from_numpy(np.stack([sample.image for sample in some])).movedim(-1, 1).float()
        side = torch.tensor([1.0 if sample.label else -1.0 for sample in some])
        after = _descend(detector, before, side, strength, steps, generator)
        images = after.round().clamp(0, 255).byte().movedim(1, -1).numpy()
        made.extend(
            replace(sample, image=image, data=None, stored=None, meta=_named(sample, strength))
            for sample, image in zip(some, images, strict=True)
        )
    return made


def _descend(
    detector: Differentiable, before: Tensor, side: Tensor, strength: float, steps: int, generator: torch.Generator
) -> Tensor:
    low, high = (before - strength).clamp(min=0), (before + strength).clamp(max=255)
    x = before + strength * (2 * torch.rand(before.shape, generator=generator) - 1)
    step = _REACH * strength / steps
    for _ in range(steps):
        x = torch.minimum(torch.maximum(x, low), high).requires_grad_(True)
        (slope,) = torch.autograd.grad((side * detector.suspicion(x)).sum(), x)
        x = x.detach() - step * slope.sign()
    return torch.minimum(torch.maximum(x, low), high)


def _named(sample: Sample, strength: float) -> MappingProxyType[str, object]:
    return MappingProxyType({**sample.meta, "perturbation": f"{PGD} {strength:g}"})
