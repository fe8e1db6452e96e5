"""Reference-guided feature enhancement: the current frame's features ask what was tracked on the frame before.

The reference is a few tokens: cells of the tracked boxes for given objects, a downsampled map for categories. Which of
the two it is makes the whole difference between the task families. Equations of the paper: f' = MLP(attention(query
f_t, key and value h_{t-1})). Its normalisation is not known; here it stands before each branch and both branches end in
a layer of zeros, so that a fresh module changes nothing and a trained detector keeps its behaviour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import roi_align

from onlooker.errors import ShapeError
from onlooker.methods.trackers.omnitracker.config import EnhancementConfig

_TEMPERATURE = 10000.0  # as in DETR


@dataclass(frozen=True)
class Pyramid:
    """Features of B frames.

    Attributes:
        maps: (B, d, h, w) per level, finest first.
        valid: (B, h, w) bool per level, False on padding.
    """

    maps: tuple[Tensor, ...]
    valid: tuple[Tensor, ...]


@dataclass(frozen=True)
class Reference:
    """What B frames refer to; N differs between levels, and may be 0.

    Attributes:
        tokens: (B, N, d) per level.
        positions: (B, N, 2) per level: (x, y) of each token's source in parts of the frame's width and height.
        valid: (B, N) bool per level.
    """

    tokens: tuple[Tensor, ...]
    positions: tuple[Tensor, ...]
    valid: tuple[Tensor, ...]

    def joined(self, other: Reference) -> Reference:
        """Tokens of both."""
        return Reference(
            tuple(torch.cat(pair, 1) for pair in zip(self.tokens, other.tokens, strict=True)),
            tuple(torch.cat(pair, 1) for pair in zip(self.positions, other.positions, strict=True)),
            tuple(torch.cat(pair, 1) for pair in zip(self.valid, other.valid, strict=True)),
        )

    def part(self, place: int, count: int) -> Reference:
        """Tokens of one of `count` boxes that have equally many."""
        length = self.tokens[0].shape[1] // count
        mine = slice(place * length, (place + 1) * length)
        return Reference(
            tuple(level[:, mine] for level in self.tokens),
            tuple(level[:, mine] for level in self.positions),
            tuple(level[:, mine] for level in self.valid),
        )


def box_tokens(pyramid: Pyramid, boxes: Tensor, valid: Tensor, config: EnhancementConfig) -> Reference:
    """Cells of boxes on every level, the reference of instance tracking.

    Args:
        pyramid: of the reference frames.
        boxes: (B, K, 4) xyxy in parts of the frame; what lies outside is cut off. K may be 0.
        valid: (B, K) bool. A box without extent inside the frame is not valid either.

    Raises:
        ShapeError: `boxes` and `valid` disagree with each other or with the pyramid.
    """
    size = pyramid.maps[0].shape[0]
    if boxes.ndim != 3 or boxes.shape[0] != size or boxes.shape[2] != 4 or valid.shape != boxes.shape[:2]:
        raise ShapeError(f"expected boxes ({size}, K, 4) and valid (B, K), got {tuple(boxes.shape)}, {valid.shape}")
    side, count = config.roi_size, boxes.shape[1]
    inside = boxes.clamp(0.0, 1.0)
    valid = valid & (inside[..., 2:] > inside[..., :2]).all(-1)
    # A whole frame stands in for boxes that do not count, so that nothing is read from a box without extent.
    inside = torch.where(valid[..., None], inside, inside.new_tensor([0.0, 0.0, 1.0, 1.0]))
    steps = (torch.arange(side, device=boxes.device, dtype=boxes.dtype) + 0.5) / side  # (7,) centres of cells
    extent = inside[..., 2:] - inside[..., :2]  # (B, K, 2)
    xs = inside[..., 0, None] + extent[..., 0, None] * steps  # (B, K, 7)
    ys = inside[..., 1, None] + extent[..., 1, None] * steps
    grid_x, grid_y = xs[:, :, None, :].expand(-1, -1, side, -1), ys[:, :, :, None].expand(-1, -1, -1, side)
    places = torch.stack([grid_x, grid_y], -1).flatten(1, 3)  # (B, K*49, 2)
    tokens = []
    for level in pyramid.maps:
        cells = region_cells(level, inside, side, config.sampling)  # (B, K, d, 7, 7)
        tokens.append(cells.permute(0, 1, 3, 4, 2).reshape(size, count * side * side, level.shape[1]))
    flags = valid[..., None].expand(-1, -1, side * side).flatten(1)  # (B, K*49)
    return Reference(tuple(tokens), (places,) * len(tokens), (flags,) * len(tokens))


def region_cells(level: Tensor, boxes: Tensor, side: int, sampling: int) -> Tensor:
    """(B, K, d, side, side): features (B, d, h, w) inside `boxes` (B, K, 4), xyxy in parts of the frame.

    The map covers the frame exactly, as deformable attention has it: strides follow from sizes, level by level.
    """
    size, dim, height, width = level.shape
    scaled = boxes * boxes.new_tensor([width, height, width, height])
    rows = torch.arange(size, device=boxes.device, dtype=boxes.dtype)[:, None, None].expand(-1, boxes.shape[1], 1)
    rois = torch.cat([rows, scaled], -1).flatten(0, 1)  # (B*K, 5), the batch's place first
    cells: Tensor = roi_align(level, rois.to(level.dtype), side, 1.0, sampling, True)
    return cells.reshape(size, boxes.shape[1], dim, side, side)


def pooled_tokens(pyramid: Pyramid, config: EnhancementConfig) -> Reference:
    """The downsampled maps, the reference of category tracking."""
    tokens, places, flags = [], [], []
    for level, valid in zip(pyramid.maps, pyramid.valid, strict=True):
        height, width = (min(side, config.pooled_size) for side in level.shape[-2:])
        small = F.adaptive_avg_pool2d(level, (height, width))  # (B, d, h, w)
        tokens.append(small.flatten(2).transpose(1, 2))  # (B, h*w, d)
        places.append(grid_positions(height, width, level).expand(level.shape[0], -1, -1))
        flags.append(F.adaptive_avg_pool2d(valid[:, None].to(level.dtype), (height, width)).flatten(1) > 0.5)
    return Reference(tuple(tokens), tuple(places), tuple(flags))


def grid_positions(height: int, width: int, like: Tensor) -> Tensor:
    """(1, height*width, 2): (x, y) of the pixels of a map, row by row, in parts of the frame."""
    ys = (torch.arange(height, device=like.device, dtype=like.dtype) + 0.5) / height
    xs = (torch.arange(width, device=like.device, dtype=like.dtype) + 0.5) / width
    grid_y, grid_x = torch.meshgrid(ys, xs, indexing="ij")
    return torch.stack([grid_x, grid_y], -1).reshape(1, height * width, 2)


def sine_positions(points: Tensor, dim: int) -> Tensor:
    """(..., dim) sines and cosines of (..., 2) points (x, y) in [0, 1]: y in the first half, x in the second."""
    half = dim // 2
    place = torch.arange(half, device=points.device)
    scale = _TEMPERATURE ** (2 * (place // 2).to(points.dtype) / half)  # (half,)
    parts = []
    for axis in (1, 0):
        angle = 2 * math.pi * points[..., axis, None] / scale  # (..., half)
        parts.append(torch.where(place % 2 == 0, angle.sin(), angle.cos()))
    return torch.cat(parts, -1)


class ReferenceEnhancement(nn.Module):
    """All levels of a pyramid, enhanced.

    Args:
        dim: d.
        levels: of the pyramid.
        config: see there.
    """

    def __init__(self, dim: int, levels: int, config: EnhancementConfig) -> None:
        super().__init__()
        self.config = config
        modules = levels if config.sharing == "per_level" else 1
        self.blocks = nn.ModuleList(_Block(dim, config) for _ in range(modules))
        self.level_embed = None
        if config.sharing == "shared":
            self.level_embed = nn.Parameter(torch.randn(levels, dim) * 0.02)

    def forward(self, pyramid: Pyramid, reference: Reference) -> Pyramid:
        """The pyramid with every map enhanced; where a frame has nothing valid to refer to, it stays as it is."""
        enhanced = []
        for number, level in enumerate(pyramid.maps):
            tokens, valid = reference.tokens[number], reference.valid[number]
            if tokens.shape[1] == 0:
                enhanced.append(level)
                continue
            size, dim, height, width = level.shape
            place = sine_positions(grid_positions(height, width, level), dim)  # (1, h*w, d)
            source = sine_positions(reference.positions[number].to(level.dtype), dim)  # (B, N, d)
            if self.level_embed is not None:
                place, source = place + self.level_embed[number], source + self.level_embed[number]
            asking = level.flatten(2).transpose(1, 2)  # (B, h*w, d)
            block = self.blocks[number if len(self.blocks) > 1 else 0]
            answered = block(asking, place, tokens.detach() if self.config.detach else tokens, source, valid)
            known = valid.any(1)[:, None, None]
            answered = torch.where(known, answered, asking).transpose(1, 2)  # (B, d, h*w)
            enhanced.append(answered.reshape(size, dim, height, width))
        return Pyramid(tuple(enhanced), pyramid.valid)


class _Block(nn.Module):
    """Attention to the reference, then an MLP, each added to what it reads."""

    def __init__(self, dim: int, config: EnhancementConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.query_norm, self.reference_norm, self.mlp_norm = (nn.LayerNorm(dim) for _ in range(3))
        self.query, self.key, self.value = (nn.Linear(dim, dim) for _ in range(3))
        self.output = nn.Linear(dim, dim)
        self.hidden, self.contract = nn.Linear(dim, config.hidden), nn.Linear(config.hidden, dim)
        for last in (self.output, self.contract):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, asking: Tensor, place: Tensor, tokens: Tensor, source: Tensor, valid: Tensor) -> Tensor:
        """(B, M, d) asking pixels with (1, M, d) positions, (B, N, d) tokens with theirs, (B, N) which count."""
        normed = self.reference_norm(tokens)
        query = self._split(self.query(self.query_norm(asking) + place))  # (B, heads, M, d/heads)
        key, value = self._split(self.key(normed + source)), self._split(self.value(normed))
        # A row without a single key would be NaN; what it gets instead is thrown away by the caller.
        seen = (valid | ~valid.any(1, keepdim=True))[:, None, None]  # (B, 1, 1, N)
        read = F.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        asking = asking + self.output(read.transpose(1, 2).flatten(2))
        change: Tensor = self.contract(self.hidden(self.mlp_norm(asking)).relu())
        return asking + change

    def _split(self, tokens: Tensor) -> Tensor:
        size, count, dim = tokens.shape
        return tokens.reshape(size, count, self.heads, dim // self.heads).transpose(1, 2)
