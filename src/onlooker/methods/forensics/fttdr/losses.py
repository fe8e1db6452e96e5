"""Losses of both stages by their names: what is damaged, and how like the true picture the restored one is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from onlooker.errors import ConfigError

Balance = Literal["none", "area"]


@dataclass(frozen=True, slots=True)
class MaskLossConfig:
    """Stage 1 (page: cross-entropy and Dice; their weights are ours).

    Attributes:
        cross_entropy, dice: weights.
        balance: "area" weighs damaged and sound pixels of a picture by the other's share (VCNet's self-adaptive form).
    """

    cross_entropy: float = 1.0
    dice: float = 1.0
    balance: Balance = "none"

    def __post_init__(self) -> None:
        _check_weights(self, self.cross_entropy, self.dice)


@dataclass(frozen=True, slots=True)
class RestorationLossConfig:
    """Stage 2 (names recalled of the paper, weights of common practice, all ours).

    Attributes:
        hole, valid: of the absolute error inside and outside the damage.
        side: of the absolute error of the deeper levels' pictures.
        perceptual, style: of features of a fixed network and of their Gram matrices; 0 needs no such network.
        adversarial: of the hinge loss; 0 makes no discriminator.
    """

    hole: float = 6.0
    valid: float = 1.0
    side: float = 1.0
    perceptual: float = 0.0
    style: float = 0.0
    adversarial: float = 0.0

    def __post_init__(self) -> None:
        _check_weights(self, self.hole, self.valid, self.side, self.perceptual, self.style, self.adversarial)

    @property
    def needs_features(self) -> bool:
        return self.perceptual > 0 or self.style > 0


class HoleAndValid(NamedTuple):
    """Mean absolute errors inside and outside the damage; 0 where there is no such pixel in the batch."""

    hole: Tensor
    valid: Tensor


def mask_cross_entropy(logits: Tensor, mask: Tensor, balance: Balance) -> Tensor:
    """Binary cross-entropy, mean over pixels.

    Args:
        logits, mask: (B, 1, H, W), the mask 1 where damaged.
        balance: with "area", damaged pixels of a picture weigh as much as its sound ones are many, and the other way
            round, scaled so that an even split gives the plain loss.
    """
    if balance == "none":
        return functional.binary_cross_entropy_with_logits(logits, mask)
    sound = 1 - mask.mean(dim=(1, 2, 3), keepdim=True)
    weight = 2 * (sound * mask + (1 - sound) * (1 - mask))
    return functional.binary_cross_entropy_with_logits(logits, mask, weight)


def dice_loss(logits: Tensor, mask: Tensor) -> Tensor:
    """One minus the Dice coefficient of every picture, smoothed by one pixel so that nothing found where nothing is
    costs nothing; mean over pictures. Arguments as above."""
    found, truth = logits.sigmoid().flatten(1), mask.flatten(1)
    overlap = (2 * (found * truth).sum(dim=1) + 1) / (found.sum(dim=1) + truth.sum(dim=1) + 1)
    return (1 - overlap).mean()


def hole_and_valid(raw: Tensor, truth: Tensor, mask: Tensor) -> HoleAndValid:
    """Absolute errors of (B, 3, H, W) against the truth, split by a mask (B, 1, H, W), 1 where damaged."""
    error = (raw - truth).abs().mean(dim=1, keepdim=True)
    sound = 1 - mask
    return HoleAndValid(
        (error * mask).sum() / mask.sum().clamp_min(1), (error * sound).sum() / sound.sum().clamp_min(1)
    )


def side_loss(sides: tuple[Tensor, ...], truth: Tensor) -> Tensor:
    """Mean absolute error of pictures of deeper levels against the truth, averaged down to their sizes; 0 without any.

    Args:
        sides: (B, 3, H/2^l, W/2^l) for l = 1 and on.
        truth: (B, 3, H, W).
    """
    losses = [
        functional.l1_loss(side, functional.avg_pool2d(truth, truth.shape[-1] // side.shape[-1])) for side in sides
    ]
    return torch.stack(losses).mean() if losses else truth.new_zeros(())


def perceptual_loss(found: list[Tensor], truth: list[Tensor]) -> Tensor:
    """Mean absolute distance of features, summed over layers."""
    return torch.stack([functional.l1_loss(x, y) for x, y in zip(found, truth, strict=True)]).sum()


def style_loss(found: list[Tensor], truth: list[Tensor]) -> Tensor:
    """Mean absolute distance of Gram matrices, summed over layers."""
    return torch.stack([functional.l1_loss(gram(x), gram(y)) for x, y in zip(found, truth, strict=True)]).sum()


def gram(x: Tensor) -> Tensor:
    """(B, C, h, w) to (B, C, C): products of channels over all places, per channel and place."""
    flat = x.flatten(2)  # (B, C, h*w)
    return flat @ flat.mT / (flat.shape[1] * flat.shape[2])


def discriminator_hinge(real: Tensor, fake: Tensor) -> Tensor:
    """Hinge loss of the discriminator from its scores of true and restored pictures."""
    return functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()


def _check_weights(config: object, *weights: float) -> None:
    if min(weights) < 0 or not all(math.isfinite(weight) for weight in weights) or sum(weights) == 0:
        raise ConfigError(f"weights of losses are 0 or more and not all 0, got {config}")
