"""The high-frequency stream: discrete cosine transform, low frequencies cut away, and back to pixels.

The result is a picture again, so that convolutions may look at it anywhere (section 3.1 of the paper). The transform is
the orthonormal DCT-II, written as two matrix products; its inverse is its transpose.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from onlooker.methods.forensics.objectformer.config import FrequencyConfig


def high_pass(image: Tensor, config: FrequencyConfig) -> Tensor:
    """What is left of pictures without their low frequencies.

    Args:
        image: (B, C, H, W) floats of any scale; their mean does not matter, as it is the lowest frequency.
        config: which frequencies stay, and the gain.

    Returns:
        (B, C, H, W), signed, around zero.
    """
    rows, columns = dct_matrix(image.shape[2], image.device), dct_matrix(image.shape[3], image.device)
    # In full precision also under autocast: what is looked for is faint.
    with torch.autocast(image.device.type, enabled=False):
        coefficients = rows @ image.float() @ columns.T  # (B, C, H, W)
        kept = coefficients * high_frequencies(image.shape[2], image.shape[3], config, image.device)
        return (rows.T @ kept @ columns * config.gain).to(image.dtype)


def dct_matrix(size: int, device: torch.device) -> Tensor:
    """(size, size) orthonormal DCT-II: row u holds cosines of frequency u / 2 per picture; D @ D.T is the identity."""
    place = torch.arange(size, dtype=torch.float64, device=device)
    matrix = torch.cos(math.pi / size * (place[None, :] + 0.5) * place[:, None]) * math.sqrt(2.0 / size)
    matrix[0] /= math.sqrt(2.0)
    return matrix.float()


def high_frequencies(height: int, width: int, config: FrequencyConfig, device: torch.device) -> Tensor:
    """(H, W) of 1 where a coefficient stays and 0 where it is cut; (0, 0), the mean, is always cut."""
    down = torch.arange(height, dtype=torch.float32, device=device)[:, None] / height
    across = torch.arange(width, dtype=torch.float32, device=device)[None, :] / width
    if config.rule == "corner":
        return (torch.maximum(down, across) >= config.alpha).float()
    return (down + across > config.alpha).float()
