"""Losses of the detector on matched queries, of every decoder layer. Weights are IDOL's.

L = class (sigmoid focal) + L1 + GIoU + mask (focal + dice), with an optimal matching per layer. In instance batches the
target output takes the place of the class logits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torchvision.ops import box_convert, generalized_box_iou, generalized_box_iou_loss, sigmoid_focal_loss

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.trackers.omnitracker.model import OmniTrackerNetwork, Seen

ALPHA, GAMMA = 0.25, 2.0


@dataclass(frozen=True, slots=True)
class LossConfig:
    """Weights of the terms, and of the costs of matching.

    Attributes:
        classes, l1, giou, mask, dice: of the detector; matching has the first three.
        identity: of the identity losses together.
        auxiliary_identity: of their second part, within.
        auxiliary: whether all decoder layers are taught or the last alone.
    """

    classes: float = 2.0
    l1: float = 5.0
    giou: float = 2.0
    mask: float = 2.0
    dice: float = 5.0
    identity: float = 2.0
    auxiliary_identity: float = 1.5
    auxiliary: bool = True

    def __post_init__(self) -> None:
        weights = (self.classes, self.l1, self.giou, self.mask, self.dice, self.identity, self.auxiliary_identity)
        if min(weights) < 0:
            raise ConfigError(f"weights of losses are 0 or more, got {self}")


@dataclass(frozen=True, eq=False)
class Truth:
    """What is on B frames, K places each.

    Attributes:
        boxes: (B, K, 4) cxcywh in parts of the frame.
        labels: (B, K) int64, of the logits that are taught.
        valid: (B, K) bool, which places hold an object that is seen.
        masks: (B, K, H, W) bool, or `None` without masks.
    """

    boxes: Tensor
    labels: Tensor
    valid: Tensor
    masks: Tensor | None = None

    def __post_init__(self) -> None:
        places = self.valid.shape
        if self.boxes.shape != (*places, 4) or self.labels.shape != places or self.valid.dtype != torch.bool:
            raise ShapeError(f"boxes {tuple(self.boxes.shape)}, labels and valid {tuple(places)} disagree")
        if not self.boxes[self.valid].isfinite().all():
            raise ShapeError("a true box holds values that are not finite")


@dataclass(frozen=True, eq=False)
class Matches:
    """M pairs over a batch: sample, query and place in the truth, (M,) int64 each."""

    samples: Tensor
    queries: Tensor
    places: Tensor

    def __len__(self) -> int:
        return len(self.samples)


@torch.no_grad()
def match(logits: Tensor, boxes: Tensor, truth: Truth, config: LossConfig) -> Matches:
    """The cheapest assignment of one query to every true object, sample by sample.

    Args:
        logits: (B, Q, C).
        boxes: (B, Q, 4) cxcywh in parts of the frame.
        truth: of the same frames.
        config: costs.
    """
    found: list[tuple[int, int, int]] = []
    for sample in range(len(logits)):
        here = truth.valid[sample].nonzero()[:, 0]  # (k,)
        if not len(here):
            continue
        scores = logits[sample].sigmoid()[:, truth.labels[sample, here]]  # (Q, k)
        wrong = (1 - ALPHA) * scores**GAMMA * -(1 - scores + 1e-8).log()
        right = ALPHA * (1 - scores) ** GAMMA * -(scores + 1e-8).log()
        true = truth.boxes[sample, here]
        far = torch.cdist(boxes[sample], true, p=1)
        corners = (box_convert(b, "cxcywh", "xyxy") for b in (boxes[sample], true))
        cost = config.classes * (right - wrong) + config.l1 * far - config.giou * generalized_box_iou(*corners)
        rows, columns = linear_sum_assignment(cost.double().cpu().numpy())
        found += [(sample, int(q), int(here[k])) for q, k in zip(rows, columns, strict=True)]
    table = torch.from_numpy(np.array(found, np.int64).reshape(-1, 3)).to(logits.device)
    return Matches(table[:, 0], table[:, 1], table[:, 2])


def detection_losses(
    network: OmniTrackerNetwork, seen: Seen, truth: Truth, config: LossConfig, *, targets: bool
) -> tuple[dict[str, Tensor], Matches]:
    """Weighted terms, added over the taught layers, and the matching of the last one.

    Args:
        network: for the masks of matched queries.
        seen: of B frames.
        truth: of the same frames.
        config: weights.
        targets: teach the target output (labels are 0 then) in place of the class logits.

    Returns:
        "classes", "l1", "giou" and, with masks on both sides, "mask" and "dice", scalars per true object.
    """
    decoded = seen.decoded
    logits = decoded.target_logits[..., None] if targets else decoded.logits
    count = truth.valid.sum().clamp(min=1).to(decoded.boxes.dtype)
    last = len(logits) - 1
    totals: dict[str, Tensor] = {}
    matches = match(logits[last], decoded.boxes[last], truth, config)
    for layer in range(last + 1) if config.auxiliary else (last,):
        pairs = matches if layer == last else match(logits[layer], decoded.boxes[layer], truth, config)
        terms = _box_terms(logits[layer], decoded.boxes[layer], truth, pairs)
        if truth.masks is not None and network.mask_head is not None:
            terms |= _mask_terms(network, seen, truth.masks, pairs, layer)
        for name, term in terms.items():
            totals[name] = totals.get(name, 0.0) + getattr(config, name) * term / count
    if not targets and decoded.proposal_logits is not None and decoded.proposal_boxes is not None:
        # Proposals of a two-stage detector know one class, "object", the first.
        objects = Truth(truth.boxes, torch.zeros_like(truth.labels), truth.valid)
        pairs = match(decoded.proposal_logits, decoded.proposal_boxes, objects, config)
        for name, term in _box_terms(decoded.proposal_logits, decoded.proposal_boxes, objects, pairs).items():
            totals[name] = totals[name] + getattr(config, name) * term / count
    return totals, matches


def _box_terms(logits: Tensor, boxes: Tensor, truth: Truth, pairs: Matches) -> dict[str, Tensor]:
    """Sums over all queries (classes) and over matched ones (boxes)."""
    wanted = torch.zeros_like(logits)
    wanted[pairs.samples, pairs.queries, truth.labels[pairs.samples, pairs.places]] = 1.0
    found, true = boxes[pairs.samples, pairs.queries], truth.boxes[pairs.samples, pairs.places]  # (M, 4)
    corners = (box_convert(b, "cxcywh", "xyxy") for b in (found, true))
    return {
        "classes": sigmoid_focal_loss(logits, wanted, ALPHA, GAMMA, reduction="sum"),
        "l1": F.l1_loss(found, true, reduction="sum"),
        "giou": generalized_box_iou_loss(*corners, reduction="sum"),
    }


def _mask_terms(
    network: OmniTrackerNetwork, seen: Seen, masks: Tensor, pairs: Matches, layer: int
) -> dict[str, Tensor]:
    """Sums over matched queries whose mask is not empty."""
    chosen, columns = _by_sample(pairs, len(masks))
    logits = network.mask_logits(seen, chosen, layer)[pairs.samples, columns]  # (M, h, w)
    if not len(pairs):  # `interpolate` takes no empty batch
        return {"mask": logits.sum(), "dice": logits.sum()}
    true = masks[pairs.samples, pairs.places].to(logits.dtype)  # (M, H, W)
    # At the size of the prediction, as the share of each pixel that the object covers.
    true = F.interpolate(true[:, None], size=logits.shape[-2:], mode="area")[:, 0]
    logits, true = logits.flatten(1), true.flatten(1)
    focal = sigmoid_focal_loss(logits, true, ALPHA, GAMMA).mean(1).sum()
    return {"mask": focal, "dice": dice_loss(logits, true).sum()}


def dice_loss(logits: Tensor, true: Tensor) -> Tensor:
    """(M,) 1 - (2 overlap + 1) / (both areas + 1) of (M, P) logits and shares in [0, 1]."""
    share = logits.sigmoid()
    return 1 - (2 * (share * true).sum(1) + 1) / (share.sum(1) + true.sum(1) + 1)


def _by_sample(pairs: Matches, size: int) -> tuple[Tensor, Tensor]:
    """(B, N) queries by sample, filled up with query 0, and for every pair its column (M,)."""
    counts = torch.bincount(pairs.samples, minlength=size)
    starts = counts.cumsum(0) - counts
    columns = torch.arange(len(pairs), device=pairs.samples.device) - starts[pairs.samples]
    chosen = pairs.queries.new_zeros(size, int(counts.max()) if len(pairs) else 0)
    chosen[pairs.samples, columns] = pairs.queries
    return chosen, columns
