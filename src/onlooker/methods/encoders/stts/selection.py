"""Which frames, and which square of every frame, go on through the network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from onlooker.errors import ShapeError
from onlooker.methods.encoders.stts.config import anchor_stride
from onlooker.methods.encoders.stts.scorer import ScoreNetwork, min_max
from onlooker.methods.encoders.stts.topk import Perturbation, hard_top_k, perturbed_top_k


@dataclass(frozen=True)
class FrameChoice:
    """Frames that were kept.

    Attributes:
        indices: (B, k) token frames, ascending. Under noise, those of the scores without it.
        scores: (B, T) in [0, 1], one per token frame; they carry the gradient of the scorer.
    """

    indices: Tensor
    scores: Tensor


@dataclass(frozen=True)
class RegionChoice:
    """The square kept of every frame.

    Attributes:
        origins: (B, T', 2) row and column of the square's upper left token in the map it was cut from.
        scores: (B, T', A) in [0, 1], one per anchor, row by row.
        side: of the square, in tokens.
        token_map: height and width of the map.
    """

    origins: Tensor
    scores: Tensor
    side: int
    token_map: tuple[int, int]


class FrameSelector(nn.Module):
    """Keeps the best frames ("tpool" in the official code).

    Args:
        dim: channels C of a token.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.scorer = ScoreNetwork(2 * dim)

    def forward(self, tokens: Tensor, keep: int, perturbation: Perturbation | None) -> tuple[Tensor, FrameChoice]:
        """The kept frames in their order.

        Args:
            tokens: (B, T, N, C).
            keep: frames k to keep, 1 to T.
            perturbation: noise for training, under which frames are mixed; `None` picks them hard.

        Returns:
            (B, k, N, C), and what was chosen.
        """
        batch, _, per_frame, channels = tokens.shape
        pooled = torch.cat((tokens.mean(dim=2), tokens.max(dim=2).values), dim=-1)  # (B, T, 2C)
        scores = min_max(self.scorer(pooled))  # (B, T)
        indices = hard_top_k(scores.detach(), keep)  # (B, k)
        choice = FrameChoice(indices, scores)
        if perturbation is None:
            places = indices[:, :, None, None].expand(batch, keep, per_frame, channels)
            return tokens.gather(1, places), choice
        mixed = _mix(perturbed_top_k(scores, keep, perturbation), tokens.flatten(2))  # (B, k, N*C)
        return mixed.reshape(batch, keep, per_frame, channels), choice


class RegionSelector(nn.Module):
    """Keeps the best square of every frame ("spatch" in the official code).

    The kept tokens stay a square, so that pooling convolutions behind it remain valid.

    Args:
        dim: channels C of a token.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.scorer = ScoreNetwork(dim)

    def forward(self, tokens: Tensor, side: int, perturbation: Perturbation | None) -> tuple[Tensor, RegionChoice]:
        """The kept square of every frame.

        Args:
            tokens: (B, T, H, W, C).
            side: of the square, 1 to min(H, W).
            perturbation: noise for training, under which squares are mixed; `None` crops hard.

        Returns:
            (B, T, side, side, C), and what was chosen.

        Raises:
            ShapeError: the square does not fit the map.
        """
        batch, frames, height, width, channels = tokens.shape
        if not 1 <= side <= min(height, width):
            raise ShapeError(f"a square of {side} tokens does not fit a {height}x{width} map")
        rows = tokens.flatten(0, 1)  # (B*T, H, W, C)
        stride = (anchor_stride(height, side), anchor_stride(width, side))
        raw = self.scorer(rows.flatten(1, 2)).reshape(-1, height, width)  # (B*T, H, W)
        # The mean score inside a window is its anchor's score.
        scores = min_max(functional.avg_pool2d(raw.unsqueeze(1), side, stride).flatten(1))  # (B*T, A)
        across = (width - side) // stride[1] + 1
        best = hard_top_k(scores.detach(), 1).squeeze(1)  # (B*T)
        origins = torch.stack((best // across * stride[0], best % across * stride[1]), dim=-1)  # (B*T, 2)
        choice = RegionChoice(
            origins.reshape(batch, frames, 2), scores.reshape(batch, frames, -1), side, (height, width)
        )
        if perturbation is None:
            return crop(rows, origins, side).reshape(batch, frames, side, side, channels), choice
        indicator = perturbed_top_k(scores, 1, perturbation)  # (B*T, 1, A)
        squares = rows.unfold(1, side, stride[0]).unfold(2, side, stride[1])  # (B*T, down, across, C, side, side)
        squares = squares.permute(0, 1, 2, 4, 5, 3).flatten(1, 2).flatten(2)  # (B*T, A, side*side*C), row by row
        mixed = _mix(indicator, squares)  # (B*T, 1, side*side*C)
        return mixed.reshape(batch, frames, side, side, channels), choice


def crop(rows: Tensor, origins: Tensor, side: int) -> Tensor:
    """(R, H, W, C) maps and (R, 2) origins to (R, side, side, C) squares."""
    span = torch.arange(side, device=rows.device)
    down = (origins[:, 0:1] + span)[:, :, None]  # (R, side, 1)
    along = (origins[:, 1:2] + span)[:, None, :]  # (R, 1, side)
    row = torch.arange(rows.shape[0], device=rows.device)[:, None, None]
    return rows[row, down, along]


def _mix(indicator: Tensor, values: Tensor) -> Tensor:
    """(B, k, n) times (B, n, D) in float32, whatever autocast would choose, in the type of the values."""
    with torch.autocast(values.device.type, enabled=False):
        return torch.bmm(indicator, values.float()).to(values.dtype)
