"""The frequency anomaly detector's view: a picture without its low frequencies, brought back to pixels.

Pixels and not coefficients are handed on, so that what convolutions see keeps its place in the picture.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from onlooker.methods.forensics.fttdr.config import FrequencyConfig


def dct_matrix(size: int, device: torch.device) -> Tensor:
    """(N, N) orthonormal DCT-II, float32: row u is the cosine of frequency u. Its transpose is its inverse."""
    places = torch.arange(size, device=device, dtype=torch.float64)
    matrix = torch.cos(math.pi * places[:, None] * (places[None] + 0.5) / size) * math.sqrt(2.0 / size)
    matrix[0] /= math.sqrt(2.0)
    return matrix.float()


def is_high(height: int, width: int, config: FrequencyConfig, device: torch.device) -> Tensor:
    """(H, W) bool: the frequencies beyond the cut."""
    rows = torch.arange(height, device=device)[:, None] / height
    columns = torch.arange(width, device=device)[None] / width
    place = rows + columns if config.rule == "sum" else torch.maximum(rows, columns)
    return place > config.alpha


class HighPass(nn.Module):
    """D_high of the paper's stage 1: transform, cut, transform back. It has no weights.

    Args:
        config: cut and gain.
    """

    def __init__(self, config: FrequencyConfig) -> None:
        super().__init__()
        self.config = config

    def forward(self, picture: Tensor) -> Tensor:
        """The high part of (B, C, H, W), times the gain; same shape, zero for a picture of one colour.

        Computed in float32 under autocast, too: half precision would leave rounding where there is nothing.
        """
        height, width = picture.shape[-2:]
        with torch.autocast(picture.device.type, enabled=False):
            rows, columns = dct_matrix(height, picture.device), dct_matrix(width, picture.device)
            spectrum = rows @ picture.float() @ columns.T  # (B, C, H, W): u down, v across
            high = spectrum * is_high(height, width, self.config, picture.device)
            return (rows.T @ high @ columns * self.config.gain).to(picture.dtype)
