"""MViT-B with frames and regions dropped on the way.

Fan et al., "Multiscale Vision Transformers", 2104.11227; blocks and positions are torchvision's (`MViT`), the attention
inside them is computed fused. Selection stands before a block: positions are already added, the class token is set
aside, tokens are chosen, and the block goes on with a smaller (T, H, W).
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.video import MViT
from torchvision.models.video.mvit import MSBlockConfig, MultiscaleAttention

from onlooker.methods.encoders.stts.config import MViTConfig, SttsConfig, frames_to_keep, region_to_keep
from onlooker.methods.encoders.stts.selection import FrameChoice, FrameSelector, RegionChoice, RegionSelector
from onlooker.methods.encoders.stts.topk import Perturbation

TokenShape = tuple[int, int, int]


class MViTTrunk(nn.Module):
    """Clip to the normalised class token.

    Args:
        config: with `mvit`.
    """

    def __init__(self, config: SttsConfig, mvit: MViTConfig) -> None:
        super().__init__()
        self.selection = config.selection
        whole = _torchvision_mvit(config, mvit)
        self.conv_proj, self.pos_encoding = whole.conv_proj, whole.pos_encoding
        self.blocks, self.norm = whole.blocks, whole.norm
        time_at, space_at = config.selection.time_at, config.selection.space_at
        self.frame_selector: nn.Module | None = None if time_at is None else FrameSelector(mvit.channels_at(time_at))
        self.region_selector: nn.Module | None = (
            None if space_at is None else RegionSelector(mvit.channels_at(space_at))
        )
        self.width = mvit.channels_at(mvit.depth)

    def forward(
        self, clip: Tensor, perturbation: Perturbation | None
    ) -> tuple[Tensor, FrameChoice | None, RegionChoice | None]:
        """(B, 3, T, H, W) to (B, width), and what was chosen; `None` chooses hard."""
        grid = self.conv_proj(clip)  # (B, C, T/2, H/4, W/4)
        thw: TokenShape = (grid.shape[2], grid.shape[3], grid.shape[4])
        tokens = self.pos_encoding(grid.flatten(2).transpose(1, 2))  # (B, 1 + T*N, C), class token first
        frames: FrameChoice | None = None
        regions: RegionChoice | None = None
        for place, block in enumerate(self.blocks):
            if self.frame_selector is not None and place == self.selection.time_at:
                keep = frames_to_keep(thw[0], self.selection.time_ratio)
                class_token, spread = _spread(tokens, thw)  # (B, T, H, W, C)
                kept, frames = self.frame_selector(spread.flatten(2, 3), keep, perturbation)  # (B, k, N, C)
                tokens, thw = torch.cat((class_token, kept.flatten(1, 2)), dim=1), (keep, thw[1], thw[2])
            if self.region_selector is not None and place == self.selection.space_at:
                side = region_to_keep(thw[1:], self.selection.space_ratio)
                class_token, spread = _spread(tokens, thw)
                kept, regions = self.region_selector(spread, side, perturbation)  # (B, T, side, side, C)
                tokens, thw = torch.cat((class_token, kept.flatten(1, 3)), dim=1), (thw[0], side, side)
            tokens, thw = block(tokens, thw)
        return self.norm(tokens[:, 0]), frames, regions


class FusedAttention(nn.Module):
    """torchvision's pooling attention with `scaled_dot_product_attention`: the same numbers without storing the
    attention map.

    Args:
        unfused: the module whose parts are taken over.
    """

    def __init__(self, unfused: MultiscaleAttention) -> None:
        super().__init__()
        self.num_heads: int
        self.head_dim: int
        self.output_dim: int
        self.num_heads, self.head_dim, self.output_dim = unfused.num_heads, unfused.head_dim, unfused.output_dim
        self.qkv, self.project = unfused.qkv, unfused.project
        self.pool_q, self.pool_k, self.pool_v = unfused.pool_q, unfused.pool_k, unfused.pool_v

    def forward(self, x: Tensor, thw: TokenShape) -> tuple[Tensor, TokenShape]:
        """(B, 1 + T*H*W, C) to (B, 1 + T'*H'*W', output_dim) and the pooled (T', H', W')."""
        batch, length, _ = x.shape
        qkv = self.qkv(x).view(batch, length, 3, self.num_heads, self.head_dim)
        q, k, v = qkv.transpose(1, 3).unbind(dim=2)  # (B, heads, 1 + THW, D) each
        if self.pool_k is not None:
            k = self.pool_k(k, thw)[0]
        if self.pool_v is not None:
            v = self.pool_v(v, thw)[0]
        if self.pool_q is not None:
            q, thw = self.pool_q(q, thw)
        mixed = functional.scaled_dot_product_attention(q, k, v)  # (B, heads, 1 + T'H'W', D)
        return self.project(mixed.transpose(1, 2).reshape(batch, -1, self.output_dim)), thw


def _spread(tokens: Tensor, thw: TokenShape) -> tuple[Tensor, Tensor]:
    """The class token (B, 1, C), and the others as (B, T, H, W, C)."""
    batch, _, channels = tokens.shape
    return tokens[:, :1], tokens[:, 1:].reshape(batch, *thw, channels)


def _torchvision_mvit(config: SttsConfig, mvit: MViTConfig) -> MViT:
    whole = MViT(
        spatial_size=config.image_size,
        temporal_size=config.frames,
        block_setting=[_block(mvit, place) for place in range(mvit.depth)],
        residual_pool=False,
        residual_with_cls_embed=True,
        rel_pos_embed=False,
        proj_after_attn=False,
        stochastic_depth_prob=mvit.drop_path,
        num_classes=1,  # the classifier is ours
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
    )
    for block in whole.blocks:
        block.attn = FusedAttention(block.attn)
        for pool in (block.attn.pool_q, block.attn.pool_k, block.attn.pool_v):
            if pool is not None:
                pool.norm_act[0].eps = mvit.pool_norm_eps
    return whole


def _block(mvit: MViTConfig, place: int) -> MSBlockConfig:
    """One block; its heads double where its queries are pooled, its output widens where the next one's are."""
    pools = place in mvit.grow_at
    halvings = sum(place >= grow for grow in mvit.grow_at)
    stride_t, stride_h, stride_w = mvit.kv_stride
    return MSBlockConfig(
        num_heads=2**halvings,
        input_channels=mvit.channels_at(place),
        output_channels=mvit.channels_at(min(place + 1, mvit.depth - 1)),
        kernel_q=[3, 3, 3] if pools else [],
        kernel_kv=[3, 3, 3],
        stride_q=[1, 2, 2] if pools else [],
        stride_kv=[stride_t, max(stride_h >> halvings, 1), max(stride_w >> halvings, 1)],
    )
