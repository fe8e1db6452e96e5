"""Stage 1: where the damage is. Two stems (picture, high frequencies), transformer blocks, incoherence, decoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from onlooker.methods.forensics.fttdr.config import MaskNetConfig
from onlooker.methods.forensics.fttdr.cvit import CvitBlock, conv_norm
from onlooker.methods.forensics.fttdr.frequency import HighPass


def coherence(x: Tensor, window: int) -> Tensor:
    """How much every location is like those around it: mean cosine similarity to its neighbours.

    Args:
        x: (B, C, h, w).
        window: side of the square around a location, odd. The location itself and what lies outside are left out.

    Returns:
        (B, 1, h, w) in [-1, 1]; near 1 inside an even region, lower along its edge.
    """
    unit = functional.normalize(x, dim=1)
    # The mean over the window of products is the product with the mean: no k*k copies of the map.
    total = window * window * functional.avg_pool2d(unit, window, 1, window // 2)  # zeros outside
    own = unit.square().sum(dim=1, keepdim=True)  # 1, or 0 where there is nothing at all
    there = torch.ones_like(own[:1])
    counted = window * window * functional.avg_pool2d(there, window, 1, window // 2) - 1
    return ((unit * total).sum(dim=1, keepdim=True) - own) / counted.clamp_min(1)


class Incoherence(nn.Module):
    """Multiplies a map by its coherence, so that edges of damage stand out (form of the authors' ObjectFormer)."""

    def __init__(self, window: int) -> None:
        super().__init__()
        self._window = window

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same."""
        return x * coherence(x, self._window)


class MaskNet(nn.Module):
    """G_M of the paper.

    Args:
        config: sizes and switches.
    """

    def __init__(self, config: MaskNetConfig) -> None:
        super().__init__()
        channels, view = config.channels, config.frequency.second_view
        self.rgb_stem = _stem(channels)
        self.blocks = nn.ModuleList(CvitBlock(config) for _ in range(config.blocks))
        self.incoherence = Incoherence(config.window) if config.incoherence else None
        self.decoder = nn.Sequential(
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
            conv_norm(channels, channels // 2),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
            conv_norm(channels // 2, channels // 4),
            nn.Conv2d(channels // 4, 1, 3, padding=1),
        )
        # After all that ablations share, which so start from the same weights.
        self.fad = HighPass(config.frequency) if view == "frequency" else None
        self.freq_stem = _stem(channels) if view != "none" else None
        self.fuse = nn.Conv2d(2 * channels, channels, 1) if view != "none" else None

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) in [-1, 1] to (B, 1, H, W) logits, positive where damaged."""
        x = self.rgb_stem(picture)  # (B, C, H/4, W/4)
        if self.freq_stem is not None and self.fuse is not None:
            second = picture if self.fad is None else self.fad(picture)
            x = self.fuse(torch.cat([x, self.freq_stem(second)], dim=1))
        for block in self.blocks:
            x = block(x)
        if self.incoherence is not None:
            x = self.incoherence(x)
        logits: Tensor = self.decoder(x)
        return logits


def _stem(channels: int) -> nn.Sequential:
    """(B, 3, H, W) to (B, C, H/4, W/4)."""
    return nn.Sequential(
        conv_norm(3, channels // 4),
        conv_norm(channels // 4, channels // 2, stride=2),
        conv_norm(channels // 2, channels, stride=2),
    )
