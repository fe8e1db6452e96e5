"""Sizes and switches of FT-TDR.

The paper's text is not at hand and no official code exists: what is not marked "page" (read on a public reader's page)
or "abstract" is our reading, and can be changed here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from onlooker.errors import ConfigError

SecondView = Literal["frequency", "pixels", "none"]
Attention = Literal["patches", "convolution"]
Stages = Literal["two", "one"]
STEM_STRIDE = 4
"""Pixels per location of the detector's map."""


@dataclass(frozen=True, slots=True)
class FrequencyConfig:
    """The frequency anomaly detector: what is kept of a picture's cosine transform (page: a high-pass with a hand-set
    cut).

    Attributes:
        second_view: what the second stem looks at. "frequency" is the paper's way; "pixels" shows it the picture again,
            which leaves every size as it is (the fair ablation); "none" leaves the stem out.
        alpha: cut; frequencies (u, v) of a picture of height H and width W are kept where they lie beyond it. The
            paper's value is not known.
        rule: "sum" keeps u/H + v/W > alpha, "max" keeps max(u/H, v/W) > alpha.
        gain: high frequencies are small; multiplied by this they are about as large as pixels (ours).
    """

    second_view: SecondView = "frequency"
    alpha: float = 0.2
    rule: Literal["sum", "max"] = "sum"
    gain: float = 8.0

    def __post_init__(self) -> None:
        most = 2.0 if self.rule == "sum" else 1.0
        if not 0.0 <= self.alpha < most:
            raise ConfigError(
                f"`frequency.alpha` is a part in [0, {most:g}) with the rule `{self.rule}`, got {self.alpha}"
            )
        if not (math.isfinite(self.gain) and self.gain > 0.0):
            raise ConfigError(f"`frequency.gain` is positive, got {self.gain}")


@dataclass(frozen=True, slots=True)
class MaskNetConfig:
    """Stage 1, which finds the damage.

    Attributes:
        frequency: the second view.
        channels: of the map, divisible by 4 times the number of patch sides.
        blocks: of the convolutional vision transformer.
        patches: sides of the patches, in locations of the map, one per head; no patch may cover the whole map, as
            attention over one patch says nothing.
        attention: "patches", or "convolution" of the same size in its place (ablation).
        incoherence: whether the map is multiplied by how much each location is like its neighbours (abstract: local
            contextual incoherence; the form is ours).
        window: side of that neighbourhood, odd.
    """

    frequency: FrequencyConfig = field(default_factory=FrequencyConfig)
    channels: int = 256
    blocks: int = 6
    patches: tuple[int, ...] = (32, 16, 8, 4)
    attention: Attention = "patches"
    incoherence: bool = True
    window: int = 3

    def __post_init__(self) -> None:
        if not self.patches or min(self.patches) < 1 or self.blocks < 1:
            raise ConfigError(f"`patches` and `blocks` are positive, got {self.patches} and {self.blocks}")
        if self.channels < 4 or self.channels % math.lcm(4, len(self.patches)):
            raise ConfigError(
                f"`channels` is a multiple of 4 and of the {len(self.patches)} patch sides, got {self.channels}"
            )
        if self.window < 3 or self.window % 2 == 0:
            raise ConfigError(f"`window` is odd and at least 3, got {self.window}")


@dataclass(frozen=True, slots=True)
class InpaintConfig:
    """Stage 2, which restores from the deepest level to the picture itself.

    Attributes:
        widths: channels per level; level 0 has the picture's size, each next one half of it.
        dilations: of the residual blocks at the deepest level.
        transfer: copy features of sound places into damaged ones, guided by the level below (ablation: keep the
            encoder's features as they are, as a U-Net does).
        mask_in_decoder: whether the decoder is told where the damage is.
        side_outputs: whether every level gives a picture, to be trained on.
        temperature: of the attention between places.
        attention_side: most places along a side that are compared; finer maps are compared in cells.
    """

    widths: tuple[int, ...] = (64, 128, 256, 512)
    dilations: tuple[int, ...] = (2, 4, 8, 16)
    transfer: bool = True
    mask_in_decoder: bool = True
    side_outputs: bool = True
    temperature: float = 10.0
    attention_side: int = 32

    def __post_init__(self) -> None:
        if len(self.widths) < 2 or min(self.widths) < 1 or min(self.dilations, default=1) < 1:
            raise ConfigError(f"two levels at least, widths and dilations positive, got {self}")
        if not (math.isfinite(self.temperature) and self.temperature > 0.0) or self.attention_side < 1:
            raise ConfigError(f"`temperature` and `attention_side` are positive, got {self}")


@dataclass(frozen=True, slots=True)
class FtTdrConfig:
    """The whole network.

    Attributes:
        image_size: side of the square pictures it is trained on, in pixels.
        stages: "two" is the paper's way; "one" is a single generator that sees the damage and gives picture and mask at
            once (ablation; `mask_net` then says nothing and nothing can be copied from sound places).
        mask_net: stage 1.
        inpaint_net: stage 2.
        threshold: probability from which a pixel counts as damaged outside training.
        dilate_px: what is found is grown by so many pixels of the network's picture before it is restored (ours: the
            edge of damage is soft).
    """

    image_size: int = 256
    stages: Stages = "two"
    mask_net: MaskNetConfig = field(default_factory=MaskNetConfig)
    inpaint_net: InpaintConfig = field(default_factory=InpaintConfig)
    threshold: float = 0.5
    dilate_px: int = 3

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold < 1.0 or self.dilate_px < 0:
            raise ConfigError(f"`threshold` is in (0, 1) and `dilate_px` 0 or more, got {self}")
        if self.stages == "one" and self.inpaint_net.transfer:
            raise ConfigError('`stages = "one"` has no mask to copy by: set `inpaint_net.transfer = false`')
        if self.image_size < 1 or self.image_size % self.multiple:
            raise ConfigError(f"`image_size` must be a multiple of {self.multiple} here, got {self.image_size}")
        if self.stages == "two" and self.image_size <= STEM_STRIDE * max(self.mask_net.patches):
            raise ConfigError(
                f"a patch of {max(self.mask_net.patches)} covers the whole map of {self.image_size // STEM_STRIDE}: "
                "attention over one patch says nothing"
            )

    @property
    def multiple(self) -> int:
        """Height and width of pictures are multiples of this."""
        levels = len(self.inpaint_net.widths) - 1
        cells = [self.cell(level) * 2 ** (level + 1) for level in range(levels)]
        patches = [] if self.stages == "one" else [STEM_STRIDE * side for side in self.mask_net.patches]
        return math.lcm(2**levels, *cells, *patches)

    def cell(self, level: int) -> int:
        """Side of the cells, in locations of the level below `level`, between which attention is computed there."""
        below = self.image_size // 2 ** (level + 1)
        return max(1, below // self.inpaint_net.attention_side) if self.inpaint_net.transfer else 1


PAPER = FtTdrConfig()

TINY = FtTdrConfig(
    image_size=64,
    mask_net=MaskNetConfig(FrequencyConfig(alpha=0.3), channels=32, blocks=2, patches=(8, 4, 2, 1)),
    inpaint_net=InpaintConfig(widths=(24, 48, 96), dilations=(2, 4), attention_side=16),
    dilate_px=1,
)

CONFIGS: Mapping[str, FtTdrConfig] = MappingProxyType(
    {
        "paper": PAPER,
        "tiny": TINY,
        # Ablations by name, of equal size but for the last.
        "tiny-no-frequency": replace(
            TINY, mask_net=replace(TINY.mask_net, frequency=FrequencyConfig(second_view="pixels"))
        ),
        "tiny-plain-skips": replace(
            TINY,
            inpaint_net=replace(TINY.inpaint_net, transfer=False, mask_in_decoder=False, side_outputs=False),
        ),
    }
)
