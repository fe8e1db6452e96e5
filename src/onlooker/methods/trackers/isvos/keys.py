"""Keys of a frame, into which instance queries are injected before they are matched: "look before you match".

Gather: every query collects what belongs to it from the frame (deformable attention around the centre of its mask).
Inject: every location of the frame attends to the queries, or takes those whose masks cover it, and what it learns is
added to the features the key is made of. The last layer of the injection starts at zero, where keys equal those of a
network without it.
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

from onlooker.methods.trackers.isvos.config import InstanceConfig, MatchingConfig
from onlooker.methods.trackers.isvos.instances import InstanceView


_WAVES = 8  # of a place's code; the shortest is 1/32 of a side


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
    """Instance queries into backbone features.

    What the paper leaves open is inferred: queries keep their own content beside what they gather, locations carry sine
    positions when they ask, and what is injected is added to the features before the projection to keys.

    Args:
        in_dim: channels of the features at stride 16.
        instances: of the branch the queries come from.
        config: where queries look first, how often, and how locations come to them.
    """

    def __init__(self, in_dim: int, instances: InstanceConfig, config: MatchingConfig) -> None:
        super().__init__()
        dim = instances.dim
        self.project = nn.Conv2d(in_dim, dim, 1)
        self.gather = DeformableAttention(dim, instances.heads, n_levels=1, n_points=config.points)
        self.reference = nn.Linear(dim, 2) if config.reference == "linear" else None
        by_masks = config.injection == "masks"
        self.inject = ByMasks(dim) if by_masks else ByAttention(dim, instances.heads)
        self.output = nn.Conv2d(dim, in_dim, 1)
        _start_as_ring_(self.gather)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor, view: InstanceView) -> Tensor:
        """Features (B, in, h, w), enhanced."""
        pixels = self.project(features)  # (B, d, h, w)
        references = self._references(view)
        gathered, _ = self.gather(
            view.queries,
            encoder_hidden_states=pixels.flatten(2).transpose(1, 2),  # (B, h*w, d)
            reference_points=references[:, :, None],  # (B, N, 1, 2)
            spatial_shapes_list=[tuple(pixels.shape[-2:])],
        )
        enhanced: Tensor = features + self.output(self.inject(pixels, gathered, references, view))
        return enhanced

    def _references(self, view: InstanceView) -> Tensor:
        """(B, N, 2) places as x and y in [0, 1]."""
        if self.reference is not None:
            learned: Tensor = self.reference(view.queries).sigmoid()
            return learned
        return mask_centres(view.mask_logits[-1])


class ByAttention(nn.Module):
    """Locations attend to queries, which keep their own content beside what they gathered."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm_queries = nn.LayerNorm(dim)
        self.norm_pixels = nn.LayerNorm(dim)
        self.attention = nn.MultiheadAttention(dim, heads, batch_first=True)
        self._position = Mask2FormerSinePositionEmbedding(dim // 2, normalize=True)

    def forward(self, pixels: Tensor, gathered: Tensor, references: Tensor, view: InstanceView) -> Tensor:
        """Pixels (B, d, h, w) and what queries gathered (B, N, d) to what is injected (B, d, h, w)."""
        queries = self.norm_queries(view.queries + gathered)
        positions = self._position(pixels.shape, pixels.device, pixels.dtype)
        asking = self.norm_pixels(pixels.flatten(2).transpose(1, 2)) + positions.flatten(2).transpose(1, 2)
        found, _ = self.attention(asking, queries, queries, need_weights=False)  # (B, h*w, d)
        return found.transpose(1, 2).reshape(pixels.shape)


class ByMasks(nn.Module):
    """Locations take what queries gathered and where they are, shared out by their masks.

    Which query stands for an object changes from frame to frame; so its own content is left out.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm_gathered = nn.LayerNorm(dim)
        self.place = nn.Linear(4 * _WAVES, dim)
        self.mix = nn.Sequential(nn.Linear(dim, dim), nn.ReLU())
        self.waves: Tensor
        self.register_buffer("waves", 2.0 ** torch.arange(_WAVES) * (math.pi / 2), persistent=False)

    def forward(self, pixels: Tensor, gathered: Tensor, references: Tensor, view: InstanceView) -> Tensor:
        """As above."""
        shares = mask_shares(view.mask_logits[-1], tuple(pixels.shape[-2:]))  # (B, N, h, w)
        angles = (references[..., None] * self.waves).flatten(2)  # (B, N, 2 * waves)
        places = self.place(torch.cat([angles.sin(), angles.cos()], dim=-1))
        codes = self.mix(self.norm_gathered(gathered) + places)  # (B, N, d)
        return torch.einsum("bnhw,bnd->bdhw", shares, codes)


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
