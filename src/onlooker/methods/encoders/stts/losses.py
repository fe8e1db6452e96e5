"""The only loss of STTS, classification against soft targets, and the mixing of clips that makes targets soft."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from timm.data.mixup import mixup_target
from torch import Tensor
from torch.nn import functional

from onlooker.errors import ConfigError


@dataclass(frozen=True)
class MixConfig:
    """Mixing and smoothing of labels (official: 0.8, 1.0, 0.5, 0.1; 0 switches each off).

    Attributes:
        mixup: alpha of the Beta distribution of blends.
        cutmix: alpha of the Beta distribution of areas that are pasted over.
        switch: probability of cutmix where both are on.
        smoothing: part of the target that is spread over all classes.
    """

    mixup: float = 0.0
    cutmix: float = 0.0
    switch: float = 0.5
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        if min(self.mixup, self.cutmix) < 0.0:
            raise ConfigError(f"`mixup` and `cutmix` are alphas of 0 or more, got {self.mixup} and {self.cutmix}")
        if not (0.0 <= self.switch <= 1.0 and 0.0 <= self.smoothing < 1.0):
            raise ConfigError(f"`switch` and `smoothing` are parts, got {self.switch} and {self.smoothing}")


def soft_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean over the batch of -sum target * log softmax(logits); both (B, classes), rows of `targets` sum to 1."""
    return -(targets * functional.log_softmax(logits.float(), dim=-1)).sum(dim=-1).mean()


def mix_clips(
    clips: Tensor, labels: Tensor, classes: int, config: MixConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Each clip blended with, or partly covered by, its mirror in the batch, and the soft targets that say how much.

    Args:
        clips: (B, 3, T, H, W); left as they are.
        labels: (B,) class numbers.
        classes: their number.
        config: what is done.
        generator: of the draws, on the CPU.

    Returns:
        (B, 3, T, H, W) clips and (B, classes) targets.
    """
    rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
    cut = config.cutmix > 0 and (config.mixup == 0 or rng.random() < config.switch)
    alpha = config.cutmix if cut else config.mixup
    share = float(rng.beta(alpha, alpha)) if alpha > 0 else 1.0
    if cut:
        clips, share = _paste(clips, share, rng)
    elif alpha > 0:
        clips = clips * share + clips.flip(0) * (1.0 - share)
    targets: Tensor = mixup_target(labels, classes, share, config.smoothing)
    return clips, targets


def _paste(clips: Tensor, share: float, rng: np.random.Generator) -> tuple[Tensor, float]:
    """A box of all frames taken from the mirrored batch; what is left of a clip is counted in pixels."""
    height, width = clips.shape[-2:]
    side = (1.0 - share) ** 0.5
    half_h, half_w = int(height * side) // 2, int(width * side) // 2
    row, column = int(rng.integers(height)), int(rng.integers(width))
    top, bottom = max(row - half_h, 0), min(row + half_h, height)
    left, right = max(column - half_w, 0), min(column + half_w, width)
    mixed = clips.clone()
    mixed[..., top:bottom, left:right] = clips.flip(0)[..., top:bottom, left:right]
    return mixed, 1.0 - (bottom - top) * (right - left) / (height * width)
