"""Sizes of M2TR: the released configuration, the paper's with its mask head, and a tiny one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from onlooker.configs import real_number, whole_number
from onlooker.errors import ConfigError

SecondStream = Literal["fourier", "spatial", "plain", "none"]


@dataclass(frozen=True)
class EfficientNetConfig:
    """An EfficientNet, or a relative of the same build, from timm.

    Attributes:
        name: timm's ("tf_efficientnet_b4", "tf_efficientnet_b0", "efficientnet_lite0", "mobilenetv2_100", ...).
        drop_path: rate of stochastic depth in the last block, less in earlier ones (official: 0.2).
        stages: how many of timm's stages are kept, without the head behind them, for networks that are trained in
            minutes (ours); left out, the whole network.
    """

    name: str = "tf_efficientnet_b4"
    drop_path: float = 0.2
    stages: int | None = None

    def __post_init__(self) -> None:
        if not self.name or self.name != self.name.strip():
            raise ConfigError(f"`efficientnet.name` is timm's name of a network, got `{self.name}`")
        real_number("efficientnet.drop_path", self.drop_path, 0.0, 0.9)
        if self.stages is not None:
            whole_number("efficientnet.stages", self.stages)


@dataclass(frozen=True)
class SmallConfig:
    """A backbone of our own that starts from nothing: three convolutions, then an inverted residual block per width.

    Attributes:
        texture_channels: of the map of stride 4 on which the fusion blocks work.
        widths: channels after each block of the deep half; every one halves the map.
        feature_channels: of the last map.
        expansion: how much wider a block is inside.
    """

    texture_channels: int = 32
    widths: tuple[int, ...] = (48, 64)
    feature_channels: int = 128
    expansion: int = 2

    def __post_init__(self) -> None:
        for name in ("texture_channels", "feature_channels", "expansion"):
            whole_number(f"small.{name}", getattr(self, name))
        for width in self.widths:
            whole_number("small.widths", width)


@dataclass(frozen=True)
class FusionConfig:
    """The stack of fusion blocks between the two halves of the backbone.

    Attributes:
        depth: blocks (official: 4); 0 leaves the backbone alone.
        patch_divisors: one per chunk of channels: chunk i attends between square patches of side map / divisor. With a
            divisor of 1 there is one patch and nothing to attend to, as in the official code.
        second_stream: what the fusion attends to: "fourier" is the paper's learnable filter; "spatial" multiplies
            places of the map instead of its frequencies by as many learnable numbers (within a ninth), an ablation of
            equal size; "plain" leaves the filter out; "none" leaves out the stream and the fusion with it.
        slope: of the leaky rectifiers below zero (official: 0.2).
    """

    depth: int = 4
    patch_divisors: tuple[int, ...] = (1, 2, 4, 8)
    second_stream: SecondStream = "fourier"
    slope: float = 0.2

    def __post_init__(self) -> None:
        whole_number("fusion.depth", self.depth, least=0)
        if not self.patch_divisors:
            raise ConfigError("`fusion.patch_divisors` names a divisor per chunk of channels, got none")
        for divisor in self.patch_divisors:
            whole_number("fusion.patch_divisors", divisor)
        real_number("fusion.slope", self.slope, 0.0, 1.0)


@dataclass(frozen=True)
class M2trConfig:
    """A network.

    Attributes:
        image_size: height and width of a face crop in pixels. The learnable filter is tied to it.
        fusion: the paper's contribution.
        efficientnet, small: the backbone; exactly one is given.
        num_classes: 2, real and fake, in this order.
        dropout: before the classifier (official: 0.5).
        mask_head: whether a decoder says where.
        mean, std: of RGB in [0, 1]; ImageNet's, as the official configuration has them.
    """

    image_size: int = 320
    fusion: FusionConfig = field(default_factory=FusionConfig)
    efficientnet: EfficientNetConfig | None = None
    small: SmallConfig | None = None
    num_classes: int = 2
    dropout: float = 0.5
    mask_head: bool = False
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        whole_number("image_size", self.image_size)
        whole_number("num_classes", self.num_classes, least=2)
        real_number("dropout", self.dropout, 0.0, 0.95)
        if (self.efficientnet is None) == (self.small is None):
            raise ConfigError("give exactly one backbone: `efficientnet` or `small`")
        if self.image_size % 32:  # the deepest map has stride 32; other sizes are padded otherwise in the official code
            raise ConfigError(f"`image_size` is a multiple of 32, got {self.image_size}; resize to one")
        if self.small is not None and self.small.texture_channels % len(self.fusion.patch_divisors):
            raise ConfigError(
                f"`small.texture_channels` ({self.small.texture_channels}) is a multiple of the "
                f"{len(self.fusion.patch_divisors)} chunks of `fusion.patch_divisors`"
            )
        for divisor in self.fusion.patch_divisors if self.fusion.depth else ():
            if self.texture_size % divisor:
                raise ConfigError(
                    f"the map of {self.texture_size}x{self.texture_size} (a quarter of `image_size`) cannot be cut "
                    f"into {divisor}x{divisor} patches; `image_size` {self._next_size()} can"
                )
        if not all(math.isfinite(value) and value > 0.0 for value in self.std):
            raise ConfigError(f"`std` is positive, got {self.std}")

    @property
    def texture_size(self) -> int:
        """Side of the map on which the fusion blocks work."""
        return self.image_size // 4

    def _next_size(self) -> int:
        step = math.lcm(32, *(4 * divisor for divisor in self.fusion.patch_divisors))
        return -(-self.image_size // step) * step


_HALF, _SPREAD = 127 / 255, 128 / 255
_RELEASED = M2trConfig(efficientnet=EfficientNetConfig())

CONFIGS: Mapping[str, M2trConfig] = MappingProxyType(
    {
        "paper": _RELEASED,  # as released; no weights of the mask head are
        "paper-mask": replace(_RELEASED, mask_head=True),  # paper: trained with the mask as well
        "paper-backbone": replace(_RELEASED, fusion=FusionConfig(depth=0)),  # paper: the baseline of its tables
        # Starts from ImageNet, as the paper's does, and fits a CPU; means and spreads are those of its backbone.
        "tiny": M2trConfig(
            image_size=64,
            fusion=FusionConfig(depth=2),
            efficientnet=EfficientNetConfig("tf_efficientnet_lite0", drop_path=0.0),
            dropout=0.1,
            mask_head=True,
            mean=(_HALF, _HALF, _HALF),
            std=(_SPREAD, _SPREAD, _SPREAD),
        ),
    }
)
