"""Backbones in two halves: textures of stride 4 for the fusion blocks, and everything deeper.

A backbone is any module with `textures`, `features`, `texture_channels` and `feature_channels`; two are here.
"""

from __future__ import annotations

import itertools
from typing import Protocol

import timm
import torch
from torch import Tensor, nn

from onlooker.errors import ConfigError
from onlooker.methods.forensics.m2tr.config import EfficientNetConfig, M2trConfig, SmallConfig

_TEXTURE_STRIDE = 4


class Backbone(Protocol):
    """What a network needs of its backbone."""

    texture_channels: int
    feature_channels: int

    def textures(self, image: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, texture_channels, H/4, W/4)."""
        ...

    def features(self, textures: Tensor) -> Tensor:
        """(B, texture_channels, H/4, W/4) to (B, feature_channels, H/32, W/32) or another stride."""
        ...


class EfficientNetBackbone(nn.Module):
    """timm's EfficientNet, cut behind the last stage of stride 4 wherever that is (official: after six blocks, which is
    right for B4 alone).

    Raises:
        ConfigError: timm has no such network, it is not built like an EfficientNet, or it cannot be cut there.
    """

    def __init__(self, config: EfficientNetConfig) -> None:
        super().__init__()
        if not timm.is_model(config.name):
            raise ConfigError(f"timm knows no network `{config.name}`; `timm.list_models('*efficientnet*')` lists them")
        # Known before anything is built: other builds may not take the options.
        self.net = timm.create_model(config.name, num_classes=0, global_pool="", drop_path_rate=config.drop_path)
        parts = ("conv_stem", "bn1", "blocks", "conv_head", "bn2")
        missing = [part for part in parts if not hasattr(self.net, part)]
        stages = [info for info in self.net.feature_info if info["reduction"] == _TEXTURE_STRIDE]
        if missing or not stages:
            raise ConfigError(
                f"`{config.name}` is not built like an EfficientNet: it has no `{[*missing, 'stage of stride 4'][0]}`"
            )
        self.cut = int(stages[-1]["module"].split(".")[1]) + 1
        self.texture_channels = int(stages[-1]["num_chs"])
        self.feature_channels = int(self.net.num_features)
        if config.stages is not None:
            self._shorten(config.stages)

    def _shorten(self, stages: int) -> None:
        found = len(self.net.blocks)
        if not self.cut < stages <= found:
            raise ConfigError(
                f"`efficientnet.stages` keeps a deep half: {self.cut + 1} to {found} of the stages, got {stages}"
            )
        self.net.blocks = self.net.blocks[:stages]
        self.net.conv_head, self.net.bn2 = nn.Identity(), nn.Identity()
        self.feature_channels = int(self.net.blocks[-1][-1].conv_pwl.out_channels)

    def textures(self, image: Tensor) -> Tensor:
        x: Tensor = self.net.bn1(self.net.conv_stem(image))
        for stage in self.net.blocks[: self.cut]:
            x = stage(x)
        return x

    def features(self, textures: Tensor) -> Tensor:
        x = textures
        for stage in self.net.blocks[self.cut :]:
            x = stage(x)
        y: Tensor = self.net.bn2(self.net.conv_head(x))
        return y


class SmallBackbone(nn.Module):
    """Ours, for training on a CPU in minutes.

    The first filters start with a mean of zero and see every pixel, and their answers count by truncated size: what
    forgeries leave is faint beside what pictures show, edges above all. Steganalysis does the same to its residuals.
    """

    def __init__(self, config: SmallConfig) -> None:
        super().__init__()
        width = config.texture_channels
        residuals = nn.Conv2d(3, width, 3, padding=1, bias=False)
        with torch.no_grad():
            residuals.weight -= residuals.weight.mean(dim=(2, 3), keepdim=True)
        self.stem = nn.Sequential(
            *(residuals, nn.BatchNorm2d(width), TruncatedSize()),
            *_conv(width, width, kernel=3, stride=2),
            *_conv(width, width, kernel=3, stride=2),
        )
        widths = (width, *config.widths)
        self.stages = nn.ModuleList(
            InvertedResidual(before, after, config.expansion) for before, after in itertools.pairwise(widths)
        )
        self.head = nn.Sequential(*_conv(widths[-1], config.feature_channels, kernel=1))
        self.texture_channels, self.feature_channels = config.texture_channels, config.feature_channels

    def textures(self, image: Tensor) -> Tensor:
        x: Tensor = self.stem(image)
        return x

    def features(self, textures: Tensor) -> Tensor:
        x = textures
        for stage in self.stages:
            x = stage(x)
        y: Tensor = self.head(x)
        return y


class TruncatedSize(nn.Module):
    """|x|, truncated at 1 with a soft knee at a half."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same."""
        return torch.tanh(2.0 * x).abs()


class InvertedResidual(nn.Module):
    """Widen, look around with stride 2, narrow; no shortcut, as sizes differ."""

    def __init__(self, before: int, after: int, expansion: int) -> None:
        super().__init__()
        inner = before * expansion
        self.body = nn.Sequential(
            *_conv(before, inner, kernel=1),
            *_conv(inner, inner, kernel=3, stride=2, groups=inner),
            nn.Conv2d(inner, after, 1, bias=False),
            nn.BatchNorm2d(after),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, before, H, W) to (B, after, H/2, W/2), rounded up."""
        y: Tensor = self.body(x)
        return y


def _conv(before: int, after: int, kernel: int, stride: int = 1, groups: int = 1) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(before, after, kernel, stride, kernel // 2, groups=groups, bias=False)
    return convolution, nn.BatchNorm2d(after), nn.ReLU()


def make_backbone(config: M2trConfig) -> EfficientNetBackbone | SmallBackbone:
    """The backbone that a configuration names; errors as those of the backbone."""
    if config.efficientnet is not None:
        return EfficientNetBackbone(config.efficientnet)
    if config.small is not None:
        return SmallBackbone(config.small)
    raise ConfigError("give exactly one backbone: `efficientnet` or `small`")
