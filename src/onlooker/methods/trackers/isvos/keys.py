"""Keys of a frame, into which instance queries are injected before they are matched: "look before you match".

Gather: every query collects what belongs to it from the frame (deformable attention around the centre of its mask).
Inject: every location of the frame attends to the queries, and what it learns is added to the features the key is made
of. Or, simpler (ours): every location learns where the instances are whose masks cover it. Either way the last layer
starts at zero, where keys equal those of a network without it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers.models.mask2former.modeling_mask2former import (
    Mask2FormerPixelDecoderEncoderMultiscaleDeformableAttention as DeformableAttention,
)
from transformers.models.mask2former.modeling_mask2former import Mask2FormerSinePositionEmbedding

from onlooker.methods.trackers.isvos.config import InstanceConfig, IsvosConfig, MatchingConfig
from onlooker.methods.trackers.isvos.instances import InstanceView
from onlooker.methods.trackers.isvos.layers import zero_convolution

_WAVES = 3  # of a place's code; the shortest is as long as a side of the picture


class Keys(NamedTuple):
    """Keys of a frame: `key` (B, C, h, w), `shrinkage` (B, 1, h, w), `selection` (B, C, h, w); the latter two where
    the similarity has them."""

    key: Tensor
    shrinkage: Tensor | None
    selection: Tensor | None


class KeyProjection(nn.Module):
    """Backbone features at stride 16 to keys; names and initial values are XMem's."""

    def __init__(self, in_dim: int, config: MatchingConfig) -> None:
        super().__init__()
        self.key_proj = nn.Conv2d(in_dim, config.key_dim, 3, padding=1)
        nn.init.orthogonal_(self.key_proj.weight)
        nn.init.zeros_(self.key_proj.bias)  # type: ignore[arg-type]
        shrinks, selects = config.similarity in ("shrinkage", "full"), config.similarity in ("selection", "full")
        self.d_proj = nn.Conv2d(in_dim, 1, 3, padding=1) if shrinks else None
        self.e_proj = nn.Conv2d(in_dim, config.key_dim, 3, padding=1) if selects else None

    def forward(self, features: Tensor) -> Keys:
        """(B, in, h, w) to keys."""
        shrinkage = None if self.d_proj is None else self.d_proj(features).square() + 1
        selection = None if self.e_proj is None else self.e_proj(features).sigmoid()
        return Keys(self.key_proj(features), shrinkage, selection)


class QueryEnhancement(nn.Module):
    """Instance queries into backbone features, by attention.

    What the paper leaves open is inferred: queries keep their own content beside what they gather, locations carry sine
    positions when they ask, and what is injected is added to the features before the projection to keys.

    Args:
        in_dim: channels of the features at stride 16.
        instances: of the branch the queries come from.
        config: where queries look first, and how often.
    """

    def __init__(self, in_dim: int, instances: InstanceConfig, config: MatchingConfig) -> None:
        super().__init__()
        dim = instances.dim
        self.project = nn.Conv2d(in_dim, dim, 1)
        self.gather = DeformableAttention(dim, instances.heads, n_levels=1, n_points=config.points)
        self.reference = nn.Linear(dim, 2) if config.reference == "linear" else None
        self.norm_queries = nn.LayerNorm(dim)
        self.norm_pixels = nn.LayerNorm(dim)
        self.inject = nn.MultiheadAttention(dim, instances.heads, batch_first=True)
        self.output = zero_convolution(dim, in_dim, 1)
        self._position = Mask2FormerSinePositionEmbedding(dim // 2, normalize=True)
        _start_as_ring_(self.gather)

    def forward(self, features: Tensor, view: InstanceView) -> Tensor:
        """Features (B, in, h, w), enhanced."""
        pixels = self.project(features)  # (B, d, h, w)
        by_location = pixels.flatten(2).transpose(1, 2)  # (B, h*w, d)
        gathered, _ = self.gather(
            view.queries,
            encoder_hidden_states=by_location,
            reference_points=self._references(view)[:, :, None],  # (B, N, 1, 2)
            spatial_shapes_list=[tuple(pixels.shape[-2:])],
        )
        queries = self.norm_queries(view.queries + gathered)  # (B, N, d)
        positions = self._position(pixels.shape, pixels.device, pixels.dtype).flatten(2).transpose(1, 2)
        asking = self.norm_pixels(by_location) + positions
        injected, _ = self.inject(asking, queries, queries, need_weights=False)  # (B, h*w, d)
        enhanced: Tensor = features + self.output(injected.transpose(1, 2).reshape(pixels.shape))
        return enhanced

    def _references(self, view: InstanceView) -> Tensor:
        """(B, N, 2) places as x and y in [0, 1]."""
        if self.reference is not None:
            learned: Tensor = self.reference(view.queries).sigmoid()
            return learned
        return mask_centres(view.mask_logits[-1])


class PlaceEnhancement(nn.Module):
    """Where the instance at a location is, into backbone features: ours, for queries that learned from few sequences.

    A location belongs to the queries whose masks cover it, and gets from them where the centres of those masks are. The
    code of a place is coarse, because masks differ a little from frame to frame, and what a query holds besides is left
    out, because which query stands for an object changes.

    Args:
        in_dim: channels of the features at stride 16.
        instances: of the branch the queries come from.
    """

    def __init__(self, in_dim: int, instances: InstanceConfig) -> None:
        super().__init__()
        dim = instances.dim
        self.place = nn.Sequential(nn.Linear(4 * _WAVES, dim), nn.ReLU())
        self.output = zero_convolution(dim, in_dim, 1)

    def forward(self, features: Tensor, view: InstanceView) -> Tensor:
        """Features (B, in, h, w), enhanced."""
        masks = view.mask_logits[-1]
        waves = 2.0 ** torch.arange(_WAVES, device=masks.device) * (math.pi / 2)
        angles = (mask_centres(masks)[..., None] * waves).flatten(2)  # (B, N, 2 * waves)
        codes = self.place(torch.cat([angles.sin(), angles.cos()], dim=-1))  # (B, N, d)
        shares = mask_shares(masks, (features.shape[-2], features.shape[-1]))  # (B, N, h, w)
        enhanced: Tensor = features + self.output(torch.einsum("bnhw,bnd->bdhw", shares, codes))
        return enhanced


def enhancement(in_dim: int, config: IsvosConfig) -> QueryEnhancement | PlaceEnhancement:
    """What the configuration injects into features of `in_dim` channels."""
    if config.matching.injection == "places":
        return PlaceEnhancement(in_dim, config.instances)
    return QueryEnhancement(in_dim, config.instances, config.matching)


def mask_shares(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """How locations are shared out among masks; the rest up to 1 is nobody's.

    Args:
        logits: (B, N, H, W), in which 0 is as likely nobody's.
        size: (h, w) of the result, means over areas of the masks.

    Returns:
        (B, N, h, w) in [0, 1], without gradient.
    """
    nobody = torch.zeros_like(logits[:, :1])
    shares = torch.cat([nobody, logits.detach()], dim=1).softmax(dim=1)[:, 1:]
    return F.adaptive_avg_pool2d(shares, size)


def mask_centres(logits: Tensor) -> Tensor:
    """Centres of mass of masks, as x and y in [0, 1]; of the whole soft mask where no pixel is above one half.

    Args:
        logits: (B, N, H, W).

    Returns:
        (B, N, 2), without gradient.
    """
    soft = logits.detach().sigmoid()
    sure = soft * (soft > 0.5)
    weight = torch.where((sure > 0).any(dim=(-2, -1), keepdim=True), sure, soft + 1e-6)
    weight = weight / weight.sum(dim=(-2, -1), keepdim=True)
    height, width = logits.shape[-2:]
    x = (torch.arange(width, device=logits.device, dtype=soft.dtype) + 0.5) / width
    y = (torch.arange(height, device=logits.device, dtype=soft.dtype) + 0.5) / height
    return torch.stack([weight.sum(dim=-2) @ x, weight.sum(dim=-1) @ y], dim=-1)


def _start_as_ring_(attention: DeformableAttention) -> None:
    """Heads look in directions spread over a circle, each point one step farther (Zhu et al. 2020, Deformable DETR)."""
    angles = torch.arange(attention.n_heads) * (2 * math.pi / attention.n_heads)
    ring = torch.stack([angles.cos(), angles.sin()], dim=-1)
    ring = ring / ring.abs().amax(dim=-1, keepdim=True)  # (heads, 2)
    steps = torch.arange(1, attention.n_points + 1)
    offsets = ring[:, None, None, :] * steps[None, None, :, None]  # (heads, 1, points, 2)
    with torch.no_grad():
        attention.sampling_offsets.weight.zero_()
        attention.sampling_offsets.bias.copy_(offsets.flatten())
