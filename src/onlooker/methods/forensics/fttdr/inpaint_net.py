"""Stage 2: restoration from the deepest level to the picture itself (top-down refinement).

The abstract says that features of different levels are restored one after the other, top-down, consistent with the
undamaged region; how is our reading. At every level, damaged places are filled with the encoder's features of sound
ones; which sound ones is decided by the level below, which is restored already.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from onlooker.methods.forensics.fttdr.config import FtTdrConfig

_SURE = 1e-12  # a damaged place weighs this much as a donor; all damaged, all weigh the same


class Pictures(NamedTuple):
    """What stage 2 gives.

    Attributes:
        raw: (B, 3, H, W) in [-1, 1].
        sides: pictures of the deeper levels, (B, 3, H/2^l, W/2^l) for l = 1 and on; empty without side outputs.
        mask_logits: (B, 1, H, W) where it finds the damage itself, as the single stage does.
    """

    raw: Tensor
    sides: tuple[Tensor, ...]
    mask_logits: Tensor | None


class GatedConv(nn.Module):
    """Features times a gate in (0, 1), both by a 3x3 convolution: damaged places can be kept out.

    Args:
        given, made: channels.
        stride, dilation: of the convolution.
    """

    def __init__(self, given: int, made: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(given, 2 * made, 3, stride, dilation, dilation)

    def forward(self, x: Tensor) -> Tensor:
        """(B, given, h, w) to (B, made, h/stride, w/stride)."""
        features, gate = self.conv(x).chunk(2, dim=1)
        return functional.elu(features) * torch.sigmoid(gate)


class GatedResidual(nn.Module):
    """A gated convolution beside a shortcut."""

    def __init__(self, given: int, made: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv = GatedConv(given, made, dilation=dilation)
        self.shortcut = nn.Identity() if given == made else nn.Conv2d(given, made, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, given, h, w) to (B, made, h, w)."""
        out: Tensor = self.shortcut(x) + self.conv(x)
        return out


def transfer(deeper: Tensor, features: Tensor, mask: Tensor, cell: int, temperature: float) -> Tensor:
    """Fills damaged places with features of sound ones that look alike one level below.

    Args:
        deeper: (B, D, h, w), restored features of the level below.
        features: (B, C, 2h, 2w), of the encoder.
        mask: (B, 1, 2h, 2w) in [0, 1], 1 where damaged.
        cell: places of `deeper` are compared in squares of this side, which divides h and w.
        temperature: the larger, the more the most similar place decides.

    Returns:
        (B, C, 2h, 2w): `features` where the mask is 0. Nowhere sound, everywhere counts alike.
    """
    height, width = features.shape[-2:]
    place = 2 * cell  # side of a cell in `features`
    looks = functional.normalize(functional.avg_pool2d(deeper, cell), dim=1).flatten(2)  # (B, D, n)
    # (B, n): a cell is sound if all of it is. No gradient: where all is damaged, that of the logarithm has no bound.
    damaged = functional.max_pool2d(mask.detach(), place).flatten(1)
    similar = temperature * (looks.mT @ looks) + (1 - damaged).clamp_min(_SURE).log()[:, None]  # (B, n asking, n given)
    donors = functional.unfold(features, place, stride=place)  # (B, C*place*place, n)
    copied = functional.fold(donors @ similar.softmax(dim=-1).mT, (height, width), place, stride=place)
    return features * (1 - mask) + copied * mask


class RefineLevel(nn.Module):
    """One level of the decoder: copy, join with the level below, mix.

    Args:
        config: of the network.
        level: 0 is the picture's size.
    """

    def __init__(self, config: FtTdrConfig, level: int) -> None:
        super().__init__()
        stage, self._cell = config.inpaint_net, config.cell(level)
        self._config = stage
        own, below = stage.widths[level], stage.widths[level + 1]
        self.mix = GatedResidual(own + below + int(stage.mask_in_decoder), own)

    def forward(self, deeper: Tensor, features: Tensor, mask: Tensor) -> Tensor:
        """Restored features (B, C, 2h, 2w) from those below (B, D, h, w); arguments as `transfer`."""
        if self._config.transfer:
            features = transfer(deeper, features, mask, self._cell, self._config.temperature)
        parts = [features, functional.interpolate(deeper, scale_factor=2.0, mode="nearest")]
        if self._config.mask_in_decoder:
            parts.append(mask)
        restored: Tensor = self.mix(torch.cat(parts, dim=1))
        return restored


class InpaintNet(nn.Module):
    """TDRefine.

    Args:
        config: of the network; with `stages = "one"` it is given no mask and gives one.
    """

    def __init__(self, config: FtTdrConfig) -> None:
        super().__init__()
        stage = config.inpaint_net
        self._alone = config.stages == "one"
        widths = stage.widths
        self.enc = nn.ModuleList([nn.Sequential(GatedConv(3 if self._alone else 4, widths[0]))])
        for given, made in itertools.pairwise(widths):
            self.enc.append(nn.Sequential(GatedConv(given, made, stride=2), GatedConv(made, made)))
        self.bottleneck = nn.Sequential(*(GatedResidual(widths[-1], widths[-1], rate) for rate in stage.dilations))
        self.dec = nn.ModuleList(RefineLevel(config, level) for level in range(len(widths) - 1))
        pictures = len(widths) if stage.side_outputs else 1
        self.rgb_side = nn.ModuleList(nn.Conv2d(width, 3, 3, padding=1) for width in widths[:pictures])
        self.mask_side = nn.Conv2d(widths[0], 1, 3, padding=1) if self._alone else None

    def forward(self, picture: Tensor, mask: Tensor) -> Pictures:
        """Restores.

        Args:
            picture: (B, 3, H, W) in [-1, 1], damaged places filled with white.
            mask: (B, 1, H, W) in [0, 1], 1 where damaged.
        """
        x = picture if self._alone else torch.cat([picture, mask], dim=1)
        encoded = []
        for level in self.enc:
            x = level(x)
            encoded.append(x)  # level l: (B, widths[l], H/2^l, W/2^l)
        x = self.bottleneck(x)
        restored = [x]
        for number in reversed(range(len(self.dec))):
            here = functional.max_pool2d(mask, 2**number) if number else mask
            x = self.dec[number](x, encoded[number], here)
            restored.insert(0, x)
        sides = [torch.tanh(head(features)) for head, features in zip(self.rgb_side, restored, strict=False)]
        logits = None if self.mask_side is None else self.mask_side(x)
        return Pictures(sides[0], tuple(sides[1:]), logits)


def dilate(mask: Tensor, pixels: int) -> Tensor:
    """(B, 1, H, W) grown by a square of so many pixels each way; soft masks stay soft."""
    return mask if pixels == 0 else functional.max_pool2d(mask, 2 * pixels + 1, 1, pixels)
