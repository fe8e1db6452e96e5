"""UniVLC, the label-aware contrastive loss, and the choice of hard negatives for the matching loss."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from onlooker.errors import ShapeError

_FLOOR = 1e-4  # added to every sampling weight, so that none vanishes (authors' code)


class HardNegatives(NamedTuple):
    """Which other member of the batch each sample is mismatched with, both (B,) int64.

    Attributes:
        image_for_text: for every text the image that does not fit it.
        text_for_image: for every image the text that does not fit it.
    """

    image_for_text: Tensor
    text_for_image: Tensor


class SamplingWeights(NamedTuple):
    """How likely every member of the batch is drawn as a hard negative, both (B, B), 0 where ids are the same.

    Attributes:
        vision_to_text: row i, the texts for image i.
        text_to_vision: row i, the images for text i.
    """

    vision_to_text: Tensor
    text_to_vision: Tensor


def same_class(target: Tensor, queue_ids: Tensor) -> Tensor:
    """Which keys are positives of which sample.

    Args:
        target: (B,) int64 class ids of the batch; 0 is caption data, whose only positive is its own pair.
        queue_ids: (K,) ids of the queue.

    Returns:
        (B, B + K) bool.

    Raises:
        ShapeError: `target` is not (B,) int64, or holds a negative id.
    """
    if target.ndim != 1 or target.dtype != torch.int64:
        raise ShapeError(f"target must be (B,) int64, got {tuple(target.shape)} {target.dtype}")
    if target.numel() and int(target.min()) < 0:
        raise ShapeError(f"class ids start at 1 and captions have 0, got {int(target.min())}")
    ids = torch.cat([target, queue_ids])
    unique = -1 - torch.arange(len(ids), device=ids.device)
    ids = torch.where(ids == 0, unique, ids)  # every caption becomes a class of its own
    return ids[: len(target), None] == ids[None]


def univlc_targets(same: Tensor, momentum_logits: Tensor, alpha: float, *, normalise_positives: bool = False) -> Tensor:
    """What the softmax over the keys should be: positives, softened by what the momentum copies say.

    Args:
        same: (B, M) bool positives.
        momentum_logits: (B, M) similarities of the momentum copies over temperature.
        alpha: weight of the momentum copies' opinion.
        normalise_positives: rows of the positives sum to 1. By default a row with P positives weighs P times more.

    Returns:
        (B, M).
    """
    positives = same.to(momentum_logits.dtype)
    if normalise_positives:
        positives = positives / positives.sum(1, keepdim=True)
    if alpha == 0:
        return positives
    return (1 - alpha) * positives + alpha * momentum_logits.softmax(1)


def contrast(logits: Tensor, targets: Tensor) -> Tensor:
    """Scalar cross entropy of (B, M) logits with (B, M) targets that need not sum to 1, mean over the batch."""
    return -(targets * logits.log_softmax(1)).sum(1).mean()


def sampling_weights(logits_v2t: Tensor, logits_t2v: Tensor, same: Tensor) -> SamplingWeights:
    """Weights for drawing hard negatives: the more alike, the likelier; members of the same class never.

    Args:
        logits_v2t, logits_t2v: (B, M) with the batch's own keys first.
        same: (B, M) bool.
    """
    batch = len(same)

    def weights(logits: Tensor) -> Tensor:
        return (logits[:, :batch].softmax(1) + _FLOOR).masked_fill(same[:, :batch], 0)

    return SamplingWeights(weights(logits_v2t), weights(logits_t2v))


def draw_negatives(weights: SamplingWeights, generator: torch.Generator | None = None) -> HardNegatives | None:
    """One negative per sample and direction, or `None` where the batch holds a single class.

    Args:
        weights: see there.
        generator: on the CPU; torch's own when `None`.
    """
    if not (bool((weights.vision_to_text.sum(1) > 0).all()) and bool((weights.text_to_vision.sum(1) > 0).all())):
        return None
    device = weights.vision_to_text.device
    images = torch.multinomial(weights.text_to_vision.float().cpu(), 1, generator=generator)[:, 0]
    texts = torch.multinomial(weights.vision_to_text.float().cpu(), 1, generator=generator)[:, 0]
    return HardNegatives(images.to(device), texts.to(device))


def matching_loss(logits: Tensor) -> Tensor:
    """Scalar cross entropy of (3 B, 2) match logits: the first third fits (index 1), the others do not (index 0)."""
    labels = torch.zeros(len(logits), dtype=torch.int64, device=logits.device)
    labels[: len(logits) // 3] = 1
    return functional.cross_entropy(logits, labels)
