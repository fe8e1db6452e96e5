"""Choices that learn nothing, to compare with: evenly spread or random frames, the middle or a random square.

They stand in for a selector: `network.backbone.frame_selector = UniformFrames()`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from onlooker.methods.encoders.stts.config import anchor_stride
from onlooker.methods.encoders.stts.selection import FrameChoice, RegionChoice, crop
from onlooker.methods.encoders.stts.topk import Perturbation, hard_top_k


class UniformFrames(nn.Module):
    """Frames evenly spread from the first to the last (official `generate_uniform_indices`)."""

    def forward(self, tokens: Tensor, keep: int, perturbation: Perturbation | None) -> tuple[Tensor, FrameChoice]:
        """As `FrameSelector`; the noise is not used."""
        batch, frames = tokens.shape[:2]
        indices = torch.linspace(0, frames - 1, keep, device=tokens.device).long()
        choice = FrameChoice(indices.expand(batch, keep), tokens.new_zeros(batch, frames))
        return tokens[:, indices], choice


class RandomFrames(nn.Module):
    """Other frames for every clip and at every forward.

    Args:
        seed: of the draws.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._generator = torch.Generator().manual_seed(seed)

    def forward(self, tokens: Tensor, keep: int, perturbation: Perturbation | None) -> tuple[Tensor, FrameChoice]:
        """As `FrameSelector`; the noise is not used."""
        batch, frames = tokens.shape[:2]
        scores = torch.rand(batch, frames, generator=self._generator).to(tokens)
        indices = hard_top_k(scores, keep)
        row = torch.arange(batch, device=tokens.device)[:, None]
        return tokens[row, indices], FrameChoice(indices, scores)


class MiddleRegion(nn.Module):
    """The anchor in the middle of every frame."""

    def forward(self, tokens: Tensor, side: int, perturbation: Perturbation | None) -> tuple[Tensor, RegionChoice]:
        """As `RegionSelector`; the noise is not used."""
        rows, columns = _anchors(tokens, side)
        return _cut(tokens, torch.full(tokens.shape[:2], (rows // 2) * columns + columns // 2), side)


class RandomRegion(nn.Module):
    """Another anchor for every frame and at every forward.

    Args:
        seed: of the draws.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._generator = torch.Generator().manual_seed(seed)

    def forward(self, tokens: Tensor, side: int, perturbation: Perturbation | None) -> tuple[Tensor, RegionChoice]:
        """As `RegionSelector`; the noise is not used."""
        rows, columns = _anchors(tokens, side)
        return _cut(tokens, torch.randint(rows * columns, tokens.shape[:2], generator=self._generator), side)


def _anchors(tokens: Tensor, side: int) -> tuple[int, int]:
    """Anchors down and across of (B, T, H, W, C)."""
    height, width = tokens.shape[2:4]
    return (height - side) // anchor_stride(height, side) + 1, (width - side) // anchor_stride(width, side) + 1


def _cut(tokens: Tensor, anchors: Tensor, side: int) -> tuple[Tensor, RegionChoice]:
    """The squares of (B, T) anchors."""
    batch, frames, height, width, channels = tokens.shape
    rows, columns = _anchors(tokens, side)
    steps = torch.tensor([anchor_stride(height, side), anchor_stride(width, side)])
    origins = (torch.stack((anchors // columns, anchors % columns), dim=-1) * steps).to(tokens.device)  # (B, T, 2)
    kept = crop(tokens.flatten(0, 1), origins.flatten(0, 1), side).reshape(batch, frames, side, side, channels)
    scores = tokens.new_zeros(batch, frames, rows * columns)
    return kept, RegionChoice(origins, scores, side, (height, width))
