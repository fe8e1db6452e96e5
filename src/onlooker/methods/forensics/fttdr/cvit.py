"""The convolutional vision transformer of stage 1: attention between patches of several sizes, among convolutions.

The block is the one whose code the authors published with their next paper (M2TR); that FT-TDR has the same is our
reading.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from onlooker.methods.forensics.fttdr.config import MaskNetConfig

_SLOPE = 0.2


def conv_norm(given: int, made: int, kernel: int = 3, *, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """Convolution that keeps the size (up to the stride), batch norm, leaky ReLU."""
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv2d(given, made, kernel, stride, padding, dilation, bias=False),
        nn.BatchNorm2d(made),
        nn.LeakyReLU(_SLOPE),
    )


class PatchAttention(nn.Module):
    """Self-attention between whole patches, one head per patch side.

    Args:
        channels: of the map; every head has an equal share.
        patches: sides.
    """

    def __init__(self, channels: int, patches: tuple[int, ...]) -> None:
        super().__init__()
        self._patches = patches
        self.query, self.key, self.value = (nn.Conv2d(channels, channels, 1) for _ in range(3))
        self.merge = conv_norm(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same; h and w are multiples of every side."""
        heads = len(self._patches)
        parts = [projection(x).chunk(heads, dim=1) for projection in (self.query, self.key, self.value)]
        found = []
        for side, q, k, v in zip(self._patches, *parts, strict=True):
            # (B, c, h, w) -> (B, c*p*p, n) -> (B, 1, n, c*p*p): one token is one patch
            query, key, value = (functional.unfold(part, side, stride=side).mT.unsqueeze(1) for part in (q, k, v))
            gathered = functional.scaled_dot_product_attention(query, key, value)
            found.append(functional.fold(gathered.squeeze(1).mT, x.shape[-2:], side, stride=side))
        merged: Tensor = self.merge(torch.cat(found, dim=1))
        return merged


class PlainConvolution(nn.Module):
    """What stands in for `PatchAttention` in the ablation: the same layers in a row, no attention, no more weights."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(
            *(layer for _ in range(3) for layer in (nn.Conv2d(channels, channels, 1), nn.LeakyReLU(_SLOPE)))
        )
        self.merge = conv_norm(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same."""
        merged: Tensor = self.merge(self.mix(x))
        return merged


class CvitBlock(nn.Module):
    """Attention, then a convolutional feed-forward (3x3 dilated, 3x3), both residual."""

    def __init__(self, config: MaskNetConfig) -> None:
        super().__init__()
        channels = config.channels
        self.attention: nn.Module = (
            PatchAttention(channels, config.patches) if config.attention == "patches" else PlainConvolution(channels)
        )
        self.feed_forward = nn.Sequential(conv_norm(channels, channels, dilation=2), conv_norm(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same."""
        x = x + self.attention(x)
        mixed: Tensor = x + self.feed_forward(x)
        return mixed
