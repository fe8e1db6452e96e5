"""Sizes, keep ratios and training noise of STTS, with the released configurations and a tiny one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from onlooker.configs import whole_number
from onlooker.errors import ConfigError

Estimator = Literal["diagonal", "full"]
MViTScale = tuple[int, int, int]


@dataclass(frozen=True)
class SelectionConfig:
    """What is dropped, where, and how the choice is trained.

    Attributes:
        time_at: MViT block or Swin stage before which frames are dropped; `None` keeps all.
        time_ratio: kept part of the token frames, rounded down (0.9 of 8 keeps 7).
        space_at: MViT block before which every frame is cropped to its best square; `None` keeps the whole map.
        space_ratio: kept part of the token map; the square has side `int(sqrt(int(h * w * space_ratio)))`.
        sigma: standard deviation of the noise on the scores at the start of training (official: 0.1 for MViT, 0.05
            for Swin); scores lie in [0, 1].
        num_samples: noise samples per row of scores (500 in the official class).
        estimator: "diagonal" is the official gradient; "full" is the unbiased one of the smoothed choice.
    """

    time_at: int | None = None
    time_ratio: float = 1.0
    space_at: int | None = None
    space_ratio: float = 1.0
    sigma: float = 0.1
    num_samples: int = 500
    estimator: Estimator = "diagonal"

    def __post_init__(self) -> None:
        for name, ratio in (("time_ratio", self.time_ratio), ("space_ratio", self.space_ratio)):
            if not 0.0 < ratio <= 1.0:
                raise ConfigError(f"`{name}` is a part in (0, 1], got {ratio}")
        if self.sigma < 0.0 or not math.isfinite(self.sigma):
            raise ConfigError(f"`sigma` is a standard deviation, at least 0, got {self.sigma}")
        if self.num_samples < 1:
            raise ConfigError(f"`num_samples` is at least 1, got {self.num_samples}")


@dataclass(frozen=True)
class MViTConfig:
    """MViT-B 16x4 as STTS uses it (official configuration files).

    Attributes:
        embed_dim: channels of the first block; doubled at each of `grow_at`, as the number of heads.
        depth: blocks.
        grow_at: blocks whose queries are pooled by (1, 2, 2); channels grow at the end of the block before.
        kv_stride: pooling of keys and values in block 0; halved in space at each of `grow_at`.
        drop_path, head_dropout: rates in training.
        pool_norm_eps: of the normalisations after pooling (1e-5 in the official code, 1e-6 in torchvision).
    """

    embed_dim: int = 96
    depth: int = 16
    grow_at: tuple[int, ...] = (1, 3, 14)
    kv_stride: MViTScale = (1, 8, 8)
    drop_path: float = 0.2
    head_dropout: float = 0.5
    pool_norm_eps: float = 1e-5

    def __post_init__(self) -> None:
        if self.depth < 2 or list(self.grow_at) != sorted(set(self.grow_at)):
            raise ConfigError(f"`grow_at` is ascending and `depth` at least 2, got {self.grow_at} and {self.depth}")
        if self.grow_at and not (self.grow_at[0] > 0 and self.grow_at[-1] < self.depth):
            raise ConfigError(f"`grow_at` names blocks 1 to {self.depth - 1}, got {self.grow_at}")

    def channels_at(self, block: int) -> int:
        """Channels of the tokens that enter a block."""
        return int(self.embed_dim * 2 ** sum(block >= grow for grow in self.grow_at))

    def pooled_before(self, block: int) -> int:
        """By how much the map was pooled in height and width before a block."""
        return int(2 ** sum(block > grow for grow in self.grow_at))


@dataclass(frozen=True)
class SwinConfig:
    """Video-Swin-B (official configuration files)."""

    patch_size: tuple[int, int, int] = (2, 4, 4)
    embed_dim: int = 128
    depths: tuple[int, ...] = (2, 2, 18, 2)
    num_heads: tuple[int, ...] = (4, 8, 16, 32)
    window_size: tuple[int, int, int] = (8, 7, 7)
    drop_path: float = 0.3

    def __post_init__(self) -> None:
        if len(self.depths) != len(self.num_heads) or sum(self.depths) < 2:
            raise ConfigError(f"`depths` and `num_heads` name the same stages, got {self.depths} and {self.num_heads}")


@dataclass(frozen=True)
class SttsConfig:
    """One network.

    Attributes:
        frames, image_size: of a clip; (height, width) in pixels.
        num_classes: of the classifier; `None` leaves it out and the network returns features alone.
        selection: what is dropped.
        mvit, swin: the backbone; exactly one is given.
    """

    frames: int = 16
    image_size: tuple[int, int] = (224, 224)
    num_classes: int | None = 400
    selection: SelectionConfig = field(default_factory=SelectionConfig)
    mvit: MViTConfig | None = None
    swin: SwinConfig | None = None

    def __post_init__(self) -> None:
        if (self.mvit is None) == (self.swin is None):
            raise ConfigError("give exactly one backbone: `mvit` or `swin`")
        if self.num_classes is not None and self.num_classes < 1:
            raise ConfigError(f"`num_classes` is at least 1, or left out, got {self.num_classes}")
        steps = self.patch_stride
        for size, step, name in zip((self.frames, *self.image_size), steps, ("frames", "height", "width"), strict=True):
            if size < step or size % step:
                raise ConfigError(f"a clip's {name} must be a multiple of {step}, got {size}")
        self._check_places()
        _ = self.kept_frames, self.kept_region  # raise where nothing would be left

    def _check_places(self) -> None:
        chosen = self.selection
        places = self.mvit.depth if self.mvit is not None else len(self.swin.depths) if self.swin is not None else 0
        for name, place in (("time_at", chosen.time_at), ("space_at", chosen.space_at)):
            if place is not None and not 0 <= place < places:
                raise ConfigError(f"`{name}` is a place from 0 to {places - 1}, got {place}")
        if self.swin is not None and chosen.space_at is not None:
            raise ConfigError("regions are selected in MViT alone: shifted windows need the whole map; drop `space_at`")

    @property
    def patch_stride(self) -> tuple[int, int, int]:
        """Frames and pixels per token."""
        return self.swin.patch_size if self.swin is not None else (2, 4, 4)

    @property
    def token_frames(self) -> int:
        """Token frames T of a clip (two frames make one)."""
        return self.frames // self.patch_stride[0]

    @property
    def first_map(self) -> tuple[int, int]:
        """Height and width of the token map that enters the first block."""
        return self.image_size[0] // self.patch_stride[1], self.image_size[1] // self.patch_stride[2]

    @property
    def kept_frames(self) -> int:
        """Token frames that are left.

        Raises:
            ConfigError: none is.
        """
        if self.selection.time_at is None:
            return self.token_frames
        return frames_to_keep(self.token_frames, self.selection.time_ratio)

    @property
    def space_map(self) -> tuple[int, int] | None:
        """Height and width of the map that regions are chosen on."""
        if self.selection.space_at is None or self.mvit is None:
            return None
        pooled = self.mvit.pooled_before(self.selection.space_at)
        # A kernel of 3 with padding 1 and stride 2 rounds odd sizes up.
        return math.ceil(self.first_map[0] / pooled), math.ceil(self.first_map[1] / pooled)

    @property
    def kept_region(self) -> int | None:
        """Side of the kept square in tokens; `None` where the whole map is kept.

        Raises:
            ConfigError: nothing is left, or the square does not fit an oblong map.
        """
        space_map = self.space_map
        return None if space_map is None else region_to_keep(space_map, self.selection.space_ratio)

    @property
    def frames_at_space(self) -> int:
        """Token frames that are there when regions are chosen."""
        time_at, space_at = self.selection.time_at, self.selection.space_at
        before = time_at is not None and space_at is not None and time_at <= space_at
        return self.kept_frames if before else self.token_frames

    @property
    def anchors(self) -> int:
        """Squares that are compared per frame; 0 where the whole map is kept."""
        side, space_map = self.kept_region, self.space_map
        if side is None or space_map is None:
            return 0
        rows, columns = ((size - side) // anchor_stride(size, side) + 1 for size in space_map)
        return rows * columns

    @property
    def mean(self) -> tuple[float, float, float]:
        """Of RGB in [0, 1], subtracted from clips: SlowFast's for MViT, ImageNet's for Swin."""
        return (0.45, 0.45, 0.45) if self.mvit is not None else (0.485, 0.456, 0.406)

    @property
    def std(self) -> tuple[float, float, float]:
        """Of RGB in [0, 1], by which clips are divided."""
        return (0.225, 0.225, 0.225) if self.mvit is not None else (0.229, 0.224, 0.225)


def frames_to_keep(token_frames: int, ratio: float) -> int:
    """`int(T * ratio)`, as the official code rounds.

    Raises:
        ConfigError: none would be left.
    """
    kept = int(token_frames * ratio)
    if kept < 1:
        raise ConfigError(
            f"`time_ratio` {ratio} of {token_frames} token frames keeps none; give {1 / token_frames:.4g}"
        )
    return kept


def region_to_keep(token_map: tuple[int, int], ratio: float) -> int:
    """Side of the square that is kept of a map, `int(sqrt(int(h * w * ratio)))`.

    Raises:
        ConfigError: nothing would be left, or the square is higher or wider than the map.
    """
    height, width = token_map
    side = math.isqrt(int(height * width * ratio))
    if side < 1:
        raise ConfigError(f"`space_ratio` {ratio} of a {height}x{width} map keeps nothing; raise it")
    if side > min(height, width):
        raise ConfigError(
            f"`space_ratio` {ratio} keeps a {side}x{side} square, which does not fit the {height}x{width} map; "
            f"give at most {min(height, width) ** 2 / (height * width):.4g}"
        )
    return side


def anchor_stride(size: int, side: int) -> int:
    """Tokens between two anchors along one axis: half of what is left over, at least 1."""
    return max((size - side) // 2, 1)


def with_kept(config: SttsConfig, frames: int | None = None, region: int | None = None) -> SttsConfig:
    """The same network that keeps another number of token frames, or another square: the compute dial.

    Args:
        config: a configuration with the scorers that the dial needs.
        frames: token frames to keep, 1 to T.
        region: side of the kept square in tokens, 1 to the shorter side of the map.

    Raises:
        ConfigError: the network has no scorer for it, or the number is not whole or out of range.
    """
    chosen, space_map = config.selection, config.space_map
    if frames is not None:
        if chosen.time_at is None:
            raise ConfigError("`keep_frames` needs a network that scores frames; this one has no `time_at`")
        frames = whole_number("keep_frames", frames, 1, config.token_frames)
        chosen = replace(chosen, time_ratio=_ratio(frames, config.token_frames))
    if region is not None:
        if space_map is None:
            raise ConfigError("`keep_region` needs a network that scores regions; this one has no `space_at`")
        region = whole_number("keep_region", region, 1, min(space_map))
        chosen = replace(chosen, space_ratio=_ratio(region**2, space_map[0] * space_map[1]))
    return replace(config, selection=chosen)


def _ratio(kept: int, of: int) -> float:
    """A ratio that rounds down to exactly `kept`."""
    return min((kept + 0.5) / of, 1.0)


def _mvit(time_ratio: float | None = None, space_ratio: float | None = None) -> SttsConfig:
    selection = SelectionConfig()
    if time_ratio is not None and space_ratio is not None:
        selection = SelectionConfig(time_at=0, time_ratio=time_ratio, space_at=4, space_ratio=space_ratio, sigma=0.1)
    return SttsConfig(mvit=MViTConfig(), selection=selection)


def _swin(time_ratio: float | None = None) -> SttsConfig:
    selection = SelectionConfig(sigma=0.05)
    if time_ratio is not None:
        selection = SelectionConfig(time_at=0, time_ratio=time_ratio, sigma=0.05)
    return SttsConfig(frames=32, swin=SwinConfig(), selection=selection)


_TINY = SttsConfig(
    frames=8,
    image_size=(64, 64),
    num_classes=8,
    mvit=MViTConfig(embed_dim=16, depth=6, grow_at=(1, 3), drop_path=0.0, head_dropout=0.0),
    selection=SelectionConfig(time_at=0, time_ratio=0.5, space_at=4, space_ratio=0.6),
)

CONFIGS: Mapping[str, SttsConfig] = MappingProxyType(
    {
        # Names are the paper's roundings; the ratios are those of the released configuration files.
        "paper": _mvit(0.875, 0.863),
        "tiny": _TINY,
        "mvit-b": _mvit(),
        "mvit-b-t0.9-s0.9": _mvit(0.875, 0.863),
        "mvit-b-t0.8-s0.9": _mvit(0.75, 0.863),
        "mvit-b-t0.6-s0.9": _mvit(0.625, 0.863),
        "mvit-b-t0.5-s0.7": _mvit(0.5, 0.7367),
        "mvit-b-t0.4-s0.6": _mvit(0.375, 0.6174),
        "videoswin-b": _swin(),
        "videoswin-b-t0.9": _swin(0.875),
        "videoswin-b-t0.8": _swin(0.75),
        "videoswin-b-t0.6": _swin(0.625),
        "videoswin-b-t0.5": _swin(0.5625),
        "videoswin-b-t0.4": _swin(0.375),
    }
)
