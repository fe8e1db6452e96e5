"""Sizes of both networks called ObjectFormer: the paper's (`paper`, `tiny`) and the released weights' (`released`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from onlooker.configs import real_number, whole_number
from onlooker.errors import ConfigError

Embedding = Literal["efficientnet_b4", "stem"]
SecondStream = Literal["high_frequency", "rgb", "none"]
View = Literal["resize", "tiles"]
_STRIDES: Mapping[Embedding, tuple[int, ...]] = MappingProxyType({"efficientnet_b4": (4, 8, 16), "stem": (4,)})


@dataclass(frozen=True)
class FrequencyConfig:
    """What counts as high frequency. Coefficient (u, v) of an H x W picture lies at (u / H, v / W) in [0, 1).

    Attributes:
        alpha: the hand-set cut of the paper, whose value it does not state; 0.1 is IMDL-BenCo's.
        rule: "corner" keeps max(u / H, v / W) >= alpha, "sum" keeps u / H + v / W > alpha.
        gain: the picture that is left is multiplied by it; high frequencies are faint (ours).
    """

    alpha: float = 0.1
    rule: Literal["corner", "sum"] = "corner"
    gain: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < real_number("alpha", self.alpha) < 1.0:
            raise ConfigError(f"`alpha` cuts between the lowest frequency (0) and the highest (1), got {self.alpha}")
        if real_number("gain", self.gain) <= 0.0:
            raise ConfigError(f"`gain` is positive, got {self.gain}")


@dataclass(frozen=True)
class PaperConfig:
    """The network of the paper. What the paper does not state, or is not known here, is marked "ours".

    Attributes:
        embedding: convolutions before the transformer, one set of them per stream: the first stages of EfficientNet-B4
            (the paper's backbone), or four convolutions of our own ("stem") for small pictures.
        stride: pixels per token.
        channels: C of tokens and prototypes (ours).
        heads: of both attentions (ours; head size 32 as in the release).
        layers: I, each an object encoder, a patch decoder and an incoherence step (8 in IMDL-BenCo).
        prototypes: N, 16 in the paper; `None` leaves encoder and attention out, tokens then pass through their MLPs
            alone (an ablation).
        token_ffn, prototype_ffn: hidden channels of the MLPs as multiples of C.
        incoherence_window: k of the boundary-sensitive step, odd; `None` leaves it out (an ablation).
        second_stream: "high_frequency" is the paper's; "rgb" feeds the second stream the picture itself, an ablation
            of equal size; "none" leaves the stream out.
        frequency: of the second stream.
    """

    embedding: Embedding = "efficientnet_b4"
    stride: int = 4
    channels: int = 256
    heads: int = 8
    layers: int = 8
    prototypes: int | None = 16
    token_ffn: int = 4
    prototype_ffn: int = 1
    incoherence_window: int | None = 3
    second_stream: SecondStream = "high_frequency"
    frequency: FrequencyConfig = field(default_factory=FrequencyConfig)

    def __post_init__(self) -> None:
        for name in ("channels", "heads", "layers", "token_ffn", "prototype_ffn"):
            whole_number(name, getattr(self, name))
        if self.prototypes is not None:
            whole_number("prototypes", self.prototypes)
        if self.channels % self.heads or self.channels % 4:
            raise ConfigError(f"`channels` is a multiple of 4 and of `heads`, got {self.channels} and {self.heads}")
        if self.stride not in _STRIDES[self.embedding]:
            raise ConfigError(f"`stride` of `{self.embedding}` is one of {_STRIDES[self.embedding]}, got {self.stride}")
        window = self.incoherence_window
        if window is not None and whole_number("incoherence_window", window, 3) % 2 == 0:
            raise ConfigError(f"`incoherence_window` has a middle: an odd number, got {window}")

    @property
    def streams(self) -> int:
        """1 or 2."""
        return 1 if self.second_stream == "none" else 2


@dataclass(frozen=True)
class ReleasedConfig:
    """The network of the released weights, one entry per stage.

    Attributes:
        stem_channels: after the first convolution; pictures are a quarter of their size there.
        channels, blocks, strides: of the stages.
        heads: of patches looking at prototypes and at their window.
        encoder_heads: of prototypes looking at patches.
        prototypes: N, 64 everywhere in the release.
        windows: side of the windows that patches look around in.
        drop_path: rate of the last block; rises from 0 in a straight line.
        ffn: hidden channels of the patches' MLPs as a multiple.
    """

    stem_channels: int = 64
    channels: tuple[int, ...] = (96, 192, 384, 768)
    blocks: tuple[int, ...] = (1, 1, 3, 1)
    strides: tuple[int, ...] = (1, 2, 2, 2)
    heads: tuple[int, ...] = (3, 6, 12, 24)
    encoder_heads: tuple[int, ...] = (1, 3, 6, 12)
    prototypes: tuple[int, ...] = (64, 64, 64, 64)
    windows: tuple[int, ...] = (8, 7, 7, 7)
    drop_path: float = 0.1
    ffn: int = 3

    def __post_init__(self) -> None:
        stages = len(self.channels)
        for name in ("channels", "blocks", "strides", "heads", "encoder_heads", "prototypes", "windows"):
            values = getattr(self, name)
            if len(values) != stages or stages < 2:
                raise ConfigError(f"`{name}` names {stages} stages as `channels` does, at least 2, got {values}")
            for value in values:
                whole_number(name, value)
        for channels, heads, encoder in zip(self.channels, self.heads, self.encoder_heads, strict=True):
            if channels % (2 * heads) or channels % encoder:
                raise ConfigError(
                    f"`channels` are multiples of twice `heads` (half of a head is for rows, half for columns) and of "
                    f"`encoder_heads`, got {channels}, {heads} and {encoder}"
                )
        if not 0.0 <= real_number("drop_path", self.drop_path) < 1.0:
            raise ConfigError(f"`drop_path` is a rate in [0, 1), got {self.drop_path}")
        whole_number("stem_channels", self.stem_channels)
        whole_number("ffn", self.ffn)


@dataclass(frozen=True)
class ObjectFormerConfig:
    """One network; exactly one of `paper` and `released` is given.

    Attributes:
        paper, released: which of the two networks.
        image_size: side in pixels of the squares it is trained and asked on.
        view: how a picture becomes such squares: "resize" squeezes the whole picture into one (the protocol of paper
            and release), "tiles" cuts it at its own resolution, which keeps the traces the second stream looks for.
    """

    paper: PaperConfig | None = None
    released: ReleasedConfig | None = None
    image_size: int = 256
    view: View = "resize"

    def __post_init__(self) -> None:
        if (self.paper is None) == (self.released is None):
            raise ConfigError("give exactly one network: `paper` or `released`")
        whole_number("image_size", self.image_size, self.smallest_side)

    @property
    def smallest_side(self) -> int:
        """Pixels that a picture needs along both sides: two positions on the coarsest map that makes a mask."""
        if self.released is None:
            return 2 * self.paper.stride if self.paper is not None else 1
        stride = 4  # of the stem
        for step in self.released.strides[:-1]:  # the last stage makes no mask
            stride *= step
        return 2 * stride

    @property
    def masks(self) -> int:
        """Masks per picture; the last one is the answer."""
        return 1 if self.released is None else len(self.released.channels) - 1


_TINY = PaperConfig(
    embedding="stem",
    channels=48,
    heads=4,
    layers=3,
    token_ffn=2,
    frequency=FrequencyConfig(alpha=0.3, rule="sum", gain=8.0),
)
_TINY_RELEASED = ReleasedConfig(
    stem_channels=16,
    channels=(24, 48, 96, 96),
    blocks=(1, 1, 2, 1),
    heads=(2, 4, 8, 8),
    encoder_heads=(1, 2, 4, 4),
    prototypes=(16, 16, 12, 12),
    windows=(8, 4, 4, 2),
)

CONFIGS: Mapping[str, ObjectFormerConfig] = MappingProxyType(
    {
        "paper": ObjectFormerConfig(paper=PaperConfig()),
        "tiny": ObjectFormerConfig(paper=_TINY, image_size=64, view="tiles"),
        "released": ObjectFormerConfig(released=ReleasedConfig(), image_size=380),
        "tiny-released": ObjectFormerConfig(released=_TINY_RELEASED, image_size=64, view="tiles"),
    }
)
