"""Convolutional blocks that key, value and mask decoders share; parameter names follow XMem's."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import ResNetBackbone, ResNetConfig

from onlooker.methods.trackers.isvos.config import BackboneConfig, Norm

_GROUPS = 8
Gate = Literal["mean", "max"]


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut, activation first, no normalisation."""

    def __init__(self, in_dim: int, out_dim: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_dim, out_dim, 3, padding=1)
        self.conv2 = nn.Conv2d(out_dim, out_dim, 3, padding=1)
        self.downsample = None if in_dim == out_dim else nn.Conv2d(in_dim, out_dim, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) to (B, out, H, W)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        y: Tensor = shortcut + self.conv2(F.relu(self.conv1(F.relu(x))))
        return y


class _ChannelGate(nn.Module):
    """What of each channel passes, from its mean and its maximum."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        hidden = max(dim // 16, 1)
        self.mlp = nn.Sequential(nn.Flatten(), nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, dim))

    def forward(self, x: Tensor) -> Tensor:
        gate: Tensor = self.mlp(x.mean(dim=(2, 3))) + self.mlp(x.amax(dim=(2, 3)))  # (B, C)
        return x * gate.sigmoid()[:, :, None, None]


class _Convolution(nn.Module):
    def __init__(self, in_dim: int, out_dim: int, size: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_dim, out_dim, size, padding=size // 2)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return y


class _SpatialGate(nn.Module):
    """What of each place passes, from the maximum and the mean over channels."""

    def __init__(self) -> None:
        super().__init__()
        self.spatial = _Convolution(2, 1, 7)

    def forward(self, x: Tensor) -> Tensor:
        summary = torch.cat([x.amax(dim=1, keepdim=True), x.mean(dim=1, keepdim=True)], dim=1)  # (B, 2, H, W)
        gate: Tensor = self.spatial(summary).sigmoid()
        return x * gate


class GateBlock(nn.Module):
    """CBAM (Woo et al. 2018): channels are gated, then places."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.ChannelGate = _ChannelGate(dim)
        self.SpatialGate = _SpatialGate()

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W), same shape."""
        y: Tensor = self.SpatialGate(self.ChannelGate(x))
        return y


class FusionBlock(nn.Module):
    """Features of the picture and of one object become one map."""

    def __init__(self, picture_dim: int, object_dim: int, out_dim: int) -> None:
        super().__init__()
        self.block1 = ResidualBlock(picture_dim + object_dim, out_dim)
        self.attention = GateBlock(out_dim)
        self.block2 = ResidualBlock(out_dim, out_dim)

    def forward(self, picture: Tensor, per_object: Tensor) -> Tensor:
        """(B, P, H, W) and (B, O, H, W) to (B, out, H, W)."""
        x = self.block1(torch.cat([picture, per_object], dim=1))
        y: Tensor = self.block2(x + self.attention(x))
        return y


def make_resnet(config: BackboneConfig, norm: Norm, in_channels: int = 3) -> ResNetBackbone:
    """A ResNet that hands out all its stages; BatchNorm where statistics are frozen, else groups of channels."""
    backbone = ResNetBackbone(resnet_config(config, in_channels))
    adapt_norm_(backbone, norm)
    return backbone


def resnet_config(config: BackboneConfig, in_channels: int = 3) -> ResNetConfig:
    """The same in transformers' terms."""
    return ResNetConfig(
        num_channels=in_channels,
        embedding_size=config.stem,
        hidden_sizes=list(config.widths),
        depths=list(config.depths),
        layer_type=config.layer,
        out_features=[f"stage{stage}" for stage in range(1, len(config.widths) + 1)],
    )


def adapt_norm_(module: nn.Module, norm: Norm) -> None:
    """Replaces BatchNorm inside `module` by what `norm` asks for."""
    for name, child in list(module.named_children()):
        if not isinstance(child, nn.BatchNorm2d):
            adapt_norm_(child, norm)
        elif norm == "group":
            setattr(module, name, nn.GroupNorm(_GROUPS, child.num_features))
        else:
            setattr(module, name, FrozenStatistics(child.num_features))


class FrozenStatistics(nn.BatchNorm2d):
    """BatchNorm that uses its stored statistics in training, too; gain and bias are trained."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W), same shape."""
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)


def zero_convolution(in_dim: int, out_dim: int, kernel: int) -> nn.Conv2d:
    """Gives nothing at first: what it adds to starts as if it were not there."""
    layer = nn.Conv2d(in_dim, out_dim, kernel, padding=kernel // 2)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer
