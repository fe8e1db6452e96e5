"""Who is who: identities of queries, and the loss that pulls those of one object together over two frames.

Losses of the paper and of IDOL (Wu et al. 2022), which follow QDTrack; the choice of positives and negatives is IDOL's.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import box_convert, box_iou, generalized_box_iou

from onlooker.errors import ShapeError
from onlooker.methods.trackers.omnitracker.config import IdentityConfig
from onlooker.methods.trackers.omnitracker.enhancement import Pyramid, region_cells
from onlooker.methods.trackers.omnitracker.mask_head import Mlp

_CENTRE = 2.5 / 32  # half side of the middle of an object, in parts of the frame (IDOL)
_FAR, _OUTSIDE = 100.0, 10000.0  # costs of a query beside an object's middle, and of one beside all objects (IDOL)
_ALPHA, _GAMMA, _OVERLAP_COST = 0.25, 2.0, 3.0


class IdentityHead(nn.Module):
    """Query and what its box shows, to an identity.

    Args:
        dim: of queries and maps.
        config: see there.
    """

    def __init__(self, dim: int, config: IdentityConfig) -> None:
        super().__init__()
        self.config = config
        inputs = 2 * dim if config.inputs == "query_and_region" else dim
        self.mlp = Mlp(inputs, dim, dim, config.dim)

    def forward(self, queries: Tensor, boxes: Tensor, pyramid: Pyramid) -> Tensor:
        """Identities of queries.

        Args:
            queries: (B, N, d).
            boxes: (B, N, 4) predicted boxes, cxcywh in parts of the frame; no gradient flows into them.
            pyramid: of the frame as it is, not enhanced: an identity does not depend on what was tracked before.

        Returns:
            (B, N, dim).
        """
        parts = [queries]
        if self.config.inputs == "query_and_region":
            corners = box_convert(boxes.detach(), "cxcywh", "xyxy").clamp(0.0, 1.0)
            side = self.config.roi_size
            seen = [region_cells(level, corners, side, 2).mean((-2, -1)) for level in pyramid.maps]  # (B, N, d) each
            parts.append(torch.stack(seen).mean(0))
        identities: Tensor = self.mlp(torch.cat(parts, -1))
        return identities


def contrastive_loss(keys: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """log(1 + sum over positives p and negatives n of exp(k.n - k.p)), per key.

    Args:
        keys: (N, D) identities on the key frame.
        others: (M, D) identities on the reference frame.
        positive, negative: (N, M) bool.

    Returns:
        (N,); exactly 0 for a key without positives or without negatives.

    Raises:
        ShapeError: shapes disagree.
    """
    shape = (keys.shape[0], others.shape[0])
    if keys.shape[-1] != others.shape[-1] or positive.shape != shape or negative.shape != shape:
        raise ShapeError(f"expected positives and negatives {shape}, got {positive.shape} and {negative.shape}")
    products = keys @ others.T  # (N, M)
    has_pair = positive.any(1) & negative.any(1)
    # The double sum is a product of two sums; their logarithms never overflow.
    away = torch.logsumexp(products.masked_fill(~negative, -torch.inf)[has_pair], dim=1)
    towards = torch.logsumexp((-products).masked_fill(~positive, -torch.inf)[has_pair], dim=1)
    losses = products.new_zeros(shape[0])
    return losses.index_put((has_pair.nonzero()[:, 0],), F.softplus(away + towards))


def auxiliary_loss(
    keys: Tensor, others: Tensor, positive: Tensor, negative: Tensor, generator: torch.Generator
) -> Tensor:
    """Squared error between cosine similarity and 1 for positives, 0 for negatives, per key.

    Ten negatives are drawn per positive, and ten where there is none (an object that left). Arguments as
    `contrastive_loss`; `generator` on the CPU. Returns (N,), 0 for a key with neither.
    """
    cosine = F.normalize(keys, dim=1) @ F.normalize(others, dim=1).T  # (N, M)
    wanted = 10 * positive.sum(1, keepdim=True).clamp(min=1)  # (N, 1)
    order = torch.rand(negative.shape, generator=generator).to(keys.device).masked_fill(~negative, 2.0)
    drawn = negative & (order.argsort(1).argsort(1) < wanted)
    counted = positive | drawn
    errors = (cosine - positive.to(cosine.dtype)).square() * counted
    return errors.sum(1) / counted.sum(1).clamp(min=1)


@dataclass(frozen=True)
class Pairs:
    """Which of M queries show each of K objects, and which do not: (K, M) bool each. The rest is undecided."""

    positive: Tensor
    negative: Tensor


@torch.no_grad()
def choose_pairs(scores: Tensor, boxes: Tensor, objects: Tensor, labels: Tensor) -> Pairs:
    """Positives and negatives of one frame, as IDOL chooses them (SimOTA).

    Args:
        scores: (M, C) in [0, 1], per query and class.
        boxes: (M, 4) of queries, cxcywh in parts of the frame.
        objects: (K, 4) true boxes, likewise. K may be 0.
        labels: (K,) their classes.
    """
    found, true = box_convert(boxes, "cxcywh", "xyxy"), box_convert(objects, "cxcywh", "xyxy")
    overlaps = box_iou(found, true)  # (M, K)
    in_box = _inside(boxes, true)
    in_middle = _inside(boxes, torch.cat([objects[:, :2] - _CENTRE, objects[:, :2] + _CENTRE], 1))
    wrong = (1 - _ALPHA) * scores**_GAMMA * -(1 - scores + 1e-8).log()
    right = _ALPHA * (1 - scores) ** _GAMMA * -(scores + 1e-8).log()
    cost = (right - wrong)[:, labels] - _OVERLAP_COST * generalized_box_iou(found, true)
    cost = cost + _FAR * ~(in_box & in_middle) + _OUTSIDE * ~(in_box | in_middle).any(1, keepdim=True)
    return Pairs(_dynamic_k(cost, overlaps, 10).T, ~_dynamic_k(cost, overlaps, 100).T)


def _inside(boxes: Tensor, regions: Tensor) -> Tensor:
    """(M, K): whether the centre of a box (M, 4) cxcywh lies in a region (K, 4) xyxy."""
    low = boxes[:, None, :2] > regions[None, :, :2]
    high = boxes[:, None, :2] < regions[None, :, 2:]
    return (low & high).all(-1)


def _dynamic_k(cost: Tensor, overlaps: Tensor, candidates: int) -> Tensor:
    """(M, K) bool: each object takes its cheapest queries, as many as its best overlaps add up to, at least one; a
    query that several take stays with the cheapest."""
    taken = torch.zeros_like(cost, dtype=torch.bool)
    if 0 in cost.shape:
        return taken
    best = overlaps.topk(min(candidates, len(overlaps)), dim=0).values
    counts = best.sum(0).int().clamp(min=1, max=len(cost))
    ranks = cost.argsort(0).argsort(0)
    taken = ranks < counts
    cheapest = F.one_hot(cost.masked_fill(~taken, torch.inf).argmin(1), cost.shape[1]).bool()
    several = taken.sum(1) > 1
    taken = torch.where(several[:, None], cheapest & taken, taken)
    for column in (~taken.any(0)).nonzero()[:, 0].tolist():  # all its queries went to others: it gets a free one
        free = cost[:, column].masked_fill(taken.any(1), torch.inf)
        taken[int(free.argmin()), column] = bool(free.isfinite().any())
    return taken
