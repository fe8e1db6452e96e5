"""Losses of both branches: which object every pixel belongs to, and which instances are there at all."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import Mask2FormerConfig
from transformers.models.mask2former.modeling_mask2former import Mask2FormerLoss

from onlooker.errors import ConfigError
from onlooker.methods.trackers.isvos.config import IsvosConfig
from onlooker.methods.trackers.isvos.instances import mask2former_config

VOID = 255
"""A pixel with this label counts nowhere."""


@dataclass(frozen=True, slots=True)
class BootstrapConfig:
    """Which part of the pixels the cross-entropy looks at: all at first, in the end the worst.

    Attributes:
        start_step, end_step: between them the part falls in a straight line (XMem: 20,000 and 70,000).
        final_part: of the pixels of a frame (XMem: 0.15).
    """

    start_step: int = 20_000
    end_step: int = 70_000
    final_part: float = 0.15

    def __post_init__(self) -> None:
        if not 0 <= self.start_step < self.end_step or not 0 < self.final_part <= 1:
            raise ConfigError(f"`bootstrap` falls from one step to a later one, to a part in (0, 1], got {self}")

    def part_at(self, step: int) -> float:
        """In (0, 1]."""
        done = (step - self.start_step) / (self.end_step - self.start_step)
        return 1.0 - min(max(done, 0.0), 1.0) * (1.0 - self.final_part)


def bootstrapped_cross_entropy(logits: Tensor, labels: Tensor, part: float) -> Tensor:
    """Cross-entropy of the worst pixels.

    Args:
        logits: (B, K+1, H, W), ground first.
        labels: (B, H, W) int64 in [0, K], or VOID.
        part: of the pixels that are not void, in (0, 1]; at least one pixel counts.

    Returns:
        Scalar, the mean over samples; a sample that is all void has loss 0.
    """
    each = F.cross_entropy(logits, labels, ignore_index=VOID, reduction="none").flatten(1)  # (B, H*W)
    counted = (labels != VOID).flatten(1).sum(dim=1)
    losses = []
    for sample, n_pixels in zip(each, counted.tolist(), strict=True):
        worst = sample.topk(max(1, round(part * n_pixels))).values  # void pixels have loss 0 and come last
        losses.append(worst.mean())
    return torch.stack(losses).mean()


def dice_loss(probabilities: Tensor, labels: Tensor, present: Tensor) -> Tensor:
    """One minus the smoothed Dice coefficient of every object.

    Args:
        probabilities: (B, K+1, H, W), ground first, which is left out here.
        labels: (B, H, W), as above.
        present: (B, K) bool, which objects count.

    Returns:
        Scalar, the mean over objects; 0 without any.
    """
    known = (labels != VOID).unsqueeze(1)
    numbers = torch.arange(1, probabilities.shape[1], device=labels.device)
    truth = (labels.unsqueeze(1) == numbers[:, None, None]).to(probabilities.dtype).flatten(2)  # (B, K, H*W)
    found = (probabilities[:, 1:] * known).flatten(2)
    # Smoothing by 1 (XMem): an absent object that is not predicted costs nothing.
    overlap = (2 * (found * truth).sum(dim=2) + 1) / (found.sum(dim=2) + truth.sum(dim=2) + 1)
    return ((1 - overlap) * present).sum() / present.sum().clamp_min(1)


class InstanceLoss(nn.Module):
    """Mask2Former's set loss over all prediction layers, with one class: "object".

    Videos with masks say nothing of categories, so classes of the network are taken together.

    Args:
        config: of the network.
        points: places at which masks are compared (Mask2Former: 12,544).
    """

    def __init__(self, config: IsvosConfig, points: int) -> None:
        super().__init__()
        theirs: Mask2FormerConfig = mask2former_config(config.backbone, config.instances)
        theirs.num_labels, theirs.train_num_points = 1, points
        self._weights = {
            "loss_cross_entropy": theirs.class_weight,
            "loss_mask": theirs.mask_weight,
            "loss_dice": theirs.dice_weight,
        }
        self.criterion = Mask2FormerLoss(theirs, self._weights)

    def forward(self, class_logits: tuple[Tensor, ...], mask_logits: tuple[Tensor, ...], labels: Tensor) -> Tensor:
        """Scalar.

        Args:
            class_logits: (B, N, classes + 1) of every prediction layer, the last layer last.
            mask_logits: (B, N, h, w) likewise.
            labels: (B, H, W), 0 for ground, VOID, or the number of an instance.
        """
        masks = [_masks_of(frame) for frame in labels]
        kinds = [torch.zeros(len(frame), dtype=torch.int64, device=labels.device) for frame in masks]
        layers = [
            {"masks_queries_logits": mask, "class_queries_logits": _object_or_not(kind)}
            for mask, kind in zip(mask_logits, class_logits, strict=True)
        ]
        parts = self.criterion(**layers[-1], mask_labels=masks, class_labels=kinds, auxiliary_predictions=layers[:-1])
        terms = [
            weight * loss for name, loss in parts.items() for part, weight in self._weights.items() if part in name
        ]
        return torch.stack(terms).sum()


def _masks_of(labels: Tensor) -> Tensor:
    """(n, H, W) float masks of the n instances in an (H, W) label map."""
    numbers = [number for number in torch.unique(labels).tolist() if number not in (0, VOID)]
    return (
        torch.stack([labels == number for number in numbers]).float()
        if numbers
        else labels.new_zeros((0, *labels.shape), dtype=torch.float32)
    )


def _object_or_not(logits: Tensor) -> Tensor:
    """(..., classes + 1) to (..., 2): any class, no object."""
    return torch.cat([logits[..., :-1].logsumexp(dim=-1, keepdim=True), logits[..., -1:]], dim=-1)
