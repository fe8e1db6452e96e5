"""A restorer whose finding and filling can be told to the pixel, and small files for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from onlooker.media.encode import VideoWriter
from onlooker.methods.forensics.fttdr import FtTdr, FtTdrOutput
from onlooker.methods.forensics.fttdr.config import FrequencyConfig, FtTdrConfig, InpaintConfig, MaskNetConfig

SMALL = FtTdrConfig(
    image_size=32,
    mask_net=MaskNetConfig(FrequencyConfig(alpha=0.3), channels=8, blocks=1, patches=(4, 2)),
    inpaint_net=InpaintConfig(widths=(4, 6, 8), dilations=(2,), attention_side=8),
    dilate_px=1,
)
GREEN, FILL = (0, 255, 0), 0.25
DAMAGE = (slice(10, 22), slice(16, 34))  # rows, columns


class SeesGreen(FtTdr):
    """What is green is damage, and a dark grey takes its place."""

    def find(self, picture: Tensor) -> Tensor:
        return 100 * (picture[:, 1:2] - picture[:, :1] - 0.4)

    def fill(self, picture: Tensor, mask: Tensor, logits: Tensor) -> FtTdrOutput:
        raw = torch.full_like(picture, FILL)
        return FtTdrOutput(logits, mask, picture, raw, picture * (1 - mask) + raw * mask, ())


def picture(is_damaged: bool = True, size: tuple[int, int] = (40, 60)) -> NDArray[np.uint8]:
    """Reddish noise; damage is pure green."""
    pixels = np.random.default_rng(0).integers(0, 90, (*size, 3)).astype(np.uint8)
    pixels[..., 0] += 100
    if is_damaged:
        pixels[DAMAGE] = GREEN
    return pixels


def film(path: Path, damaged: list[bool], size: tuple[int, int] = (40, 60)) -> Path:
    """A video of ten frames a second, a frame for each of `damaged`."""
    with VideoWriter(path, (size[1], size[0]), crf=8, fps_hint=10) as writer:
        for number, is_damaged in enumerate(damaged):
            writer.write(picture(is_damaged, size), number / 10)
    return path
