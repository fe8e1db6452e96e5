"""Sizes of Perception Encoder: every released one, the paper's main model, and a tiny one for tests and claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, cast

from onlooker.errors import ConfigError

CLIP_VOCABULARY = 49408
_AXIS_PARTS = 4  # two axes, and rotation works on pairs: the width of a head is a multiple of four


@dataclass(frozen=True, slots=True)
class VisionConfig:
    """The picture side.

    Attributes:
        width, depth, heads, mlp_hidden: of the transformer. The hidden size is stored, not its ratio to the width: 8960
            of 1536 is no ratio that survives rounding.
        patch_size, image_size: in pixels; the image size is the native one, for which the position table is stored.
        class_token: whether a learned token stands before the patches. Only the G models have none.
        pool: "attention" gives one vector per picture, "none" leaves the tokens.
        pool_heads: heads of the attention pooling; 8 in all released models, whatever `heads` is.
        embed_dim: width of the space shared with text; `None` leaves out the projection.
        final_norm: whether a last LayerNorm stands before the pooling (core) or the tokens go out as they are.
        layer_scale: initial value of the gain of every branch; `None` leaves the gains out.
        drop_path: probability of dropping a branch of a sample in training, equal in all blocks.
        rope: two-dimensional rotary positions on the queries and keys of every block.
        absolute_positions: the learned position table. Switching this or `rope` off is for experiments.
    """

    width: int
    depth: int
    heads: int
    mlp_hidden: int
    patch_size: int
    image_size: int
    class_token: bool = True
    pool: Literal["attention", "none"] = "attention"
    pool_heads: int = 8
    embed_dim: int | None = None
    final_norm: bool = True
    layer_scale: float | None = None
    drop_path: float = 0.0
    rope: bool = True
    absolute_positions: bool = True

    def __post_init__(self) -> None:
        _check_sizes("vision", self.width, self.depth, self.heads, self.mlp_hidden)
        if self.patch_size < 1 or self.image_size < 1 or self.image_size % self.patch_size:
            raise ConfigError(f"`image_size` {self.image_size} must be a multiple of `patch_size` {self.patch_size}")
        if self.rope and self.head_dim % _AXIS_PARTS:
            raise ConfigError(f"rotary positions need a head width that is a multiple of 4, got {self.head_dim}")
        if self.pool == "attention" and self.width % self.pool_heads:
            raise ConfigError(f"`width` {self.width} must be a multiple of `pool_heads` {self.pool_heads}")
        if self.embed_dim is not None and (self.pool == "none" or self.embed_dim < 1):
            raise ConfigError(f"`embed_dim` {self.embed_dim} must be positive and needs `pool` to be `attention`")
        if not 0 <= self.drop_path < 1:
            raise ConfigError(f"`drop_path` is a probability below 1, got {self.drop_path}")

    @property
    def grid(self) -> int:
        """Patches along one side of a picture of the native size."""
        return self.image_size // self.patch_size

    @property
    def head_dim(self) -> int:
        return self.width // self.heads

    @property
    def output_dim(self) -> int:
        """Length of a picture's vector."""
        return self.width if self.embed_dim is None else self.embed_dim


@dataclass(frozen=True, slots=True)
class TextConfig:
    """The text side.

    Attributes:
        width, depth, heads, mlp_hidden: of the transformer.
        embed_dim: width of the space shared with pictures.
        context_length: tokens a text may have, start and end included.
        vocabulary: number of token ids. The last id ends a text: the vector is read at the largest id.
        tokenizer: how words become ids; "clip" is byte-pair encoding as in CLIP, "bytes" needs no vocabulary, "world"
            knows the words of `onlooker.synth`.
    """

    width: int
    depth: int
    heads: int
    mlp_hidden: int
    embed_dim: int
    context_length: int = 32
    vocabulary: int = CLIP_VOCABULARY
    tokenizer: Literal["clip", "bytes", "world"] = "clip"

    def __post_init__(self) -> None:
        _check_sizes("text", self.width, self.depth, self.heads, self.mlp_hidden)
        if self.embed_dim < 1 or self.context_length < 2 or self.vocabulary < 3:
            raise ConfigError(
                f"a text side needs `embed_dim` >= 1, `context_length` >= 2 and `vocabulary` >= 3, "
                f"got {self.embed_dim}, {self.context_length}, {self.vocabulary}"
            )


@dataclass(frozen=True, slots=True)
class PerceptionEncoderConfig:
    """Picture side, and text side where there is one: the core models have both, lang and spatial only the first.

    Raises:
        ConfigError: the two sides do not end in one space.
    """

    vision: VisionConfig
    text: TextConfig | None = None

    def __post_init__(self) -> None:
        if self.text is not None and self.vision.embed_dim != self.text.embed_dim:
            raise ConfigError(
                f"both sides must end in one space: `embed_dim` is {self.vision.embed_dim} for pictures "
                f"and {self.text.embed_dim} for text"
            )


def _check_sizes(side: str, width: int, depth: int, heads: int, mlp_hidden: int) -> None:
    if min(width, depth, heads, mlp_hidden) < 1:
        raise ConfigError(f"sizes of the {side} side must be positive, got {(width, depth, heads, mlp_hidden)}")
    if width % heads:
        raise ConfigError(f"`width` {width} of the {side} side must be a multiple of `heads` {heads}")


def config_from_official(
    vision: Mapping[str, object], text: Mapping[str, object] | None = None
) -> PerceptionEncoderConfig:
    """A configuration from the constructor arguments of the official code (`width`, `layers`, `mlp_ratio`, ...).

    The hidden size becomes `int(width * mlp_ratio)`, as there.

    Raises:
        ConfigError: a pooling that no released model has, or a side without normalisation at its entry.
    """
    pools: dict[object, Literal["attention", "none"]] = {"attn": "attention", "none": "none"}
    if vision["pool_type"] not in pools or not vision.get("use_ln_pre", True):
        raise ConfigError("only `pool_type` attn or none, with `use_ln_pre`, can be built; no released model differs")
    picture = VisionConfig(
        width=_whole(vision["width"]),
        depth=_whole(vision["layers"]),
        heads=_whole(vision["heads"]),
        mlp_hidden=_hidden(vision),
        patch_size=_whole(vision["patch_size"]),
        image_size=_whole(vision["image_size"]),
        class_token=bool(vision.get("use_cls_token", True)),
        pool=pools[vision["pool_type"]],
        pool_heads=_whole(vision.get("attn_pooler_heads", 8)),
        embed_dim=None if vision["output_dim"] is None else _whole(vision["output_dim"]),
        final_norm=bool(vision.get("use_ln_post", True)),
        layer_scale=cast("float | None", vision.get("ls_init_value")),
        drop_path=cast("float", vision.get("drop_path", 0.0)),
        rope=bool(vision.get("use_rope2d", True)),
        absolute_positions=bool(vision.get("use_abs_posemb", True)),
    )
    if text is None:
        return PerceptionEncoderConfig(picture)
    vocabulary = _whole(text["vocab_size"])
    words = TextConfig(
        width=_whole(text["width"]),
        depth=_whole(text["layers"]),
        heads=_whole(text["heads"]),
        mlp_hidden=_hidden(text),
        embed_dim=_whole(text["output_dim"]),
        context_length=_whole(text["context_length"]),
        vocabulary=vocabulary,
        tokenizer="clip" if vocabulary == CLIP_VOCABULARY else "bytes",
    )
    return PerceptionEncoderConfig(picture, words)


def _hidden(arguments: Mapping[str, object]) -> int:
    return int(_whole(arguments["width"]) * cast("float", arguments.get("mlp_ratio", 4.0)))


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise ConfigError(f"expected a whole number, got `{value!r}`")
    return value


# Widths, depths, heads and hidden sizes are those of the official code; its README says width 394 for S and is wrong.
_TEXT_SMALL = TextConfig(width=512, depth=12, heads=8, mlp_hidden=2048, embed_dim=512)
_TEXT_BASE = TextConfig(width=1024, depth=24, heads=16, mlp_hidden=4096, embed_dim=1024)
_TEXT_GIANT = TextConfig(width=1280, depth=24, heads=20, mlp_hidden=5120, embed_dim=1280, context_length=72)

_T = VisionConfig(192, 12, 3, 768, patch_size=16, image_size=384, embed_dim=512)
_S = VisionConfig(384, 12, 6, 1536, patch_size=16, image_size=384, embed_dim=512)
_B = VisionConfig(768, 12, 12, 3072, patch_size=16, image_size=224, embed_dim=1024)
_L = VisionConfig(1024, 24, 16, 4096, patch_size=14, image_size=336, embed_dim=1024)
_G = VisionConfig(1536, 50, 16, 8960, patch_size=14, image_size=448, class_token=False, embed_dim=1280)


def _tokens_only(
    vision: VisionConfig,
    image_size: int,
    depth: int | None = None,
    layer_scale: float | None = None,
    drop_path: float = 0.0,
) -> PerceptionEncoderConfig:
    """The layout of the lang and spatial models: the trunk of a core model without its end."""
    return PerceptionEncoderConfig(
        replace(
            vision,
            image_size=image_size,
            depth=vision.depth if depth is None else depth,
            layer_scale=layer_scale,
            drop_path=drop_path,
            pool="none",
            embed_dim=None,
            final_norm=False,
        )
    )


_TINY = PerceptionEncoderConfig(
    VisionConfig(96, 6, 4, 384, patch_size=8, image_size=48, embed_dim=64),
    TextConfig(96, 3, 4, 384, embed_dim=64, context_length=32, vocabulary=256, tokenizer="world"),
)

CONFIGS: Mapping[str, PerceptionEncoderConfig] = MappingProxyType(
    {
        "paper": PerceptionEncoderConfig(_G, _TEXT_GIANT),
        "tiny": _TINY,
        # Gains of 1 leave the copied network as it was; a tiny run is too short to grow back from gains of 0.1.
        "tiny-lang": _tokens_only(_TINY.vision, 48, depth=5, layer_scale=1.0, drop_path=0.1),
        "tiny-spatial": _tokens_only(_TINY.vision, 48, layer_scale=1.0, drop_path=0.1),
        "core-t16-384": PerceptionEncoderConfig(_T, _TEXT_SMALL),
        "core-s16-384": PerceptionEncoderConfig(_S, _TEXT_SMALL),
        "core-b16-224": PerceptionEncoderConfig(_B, _TEXT_BASE),
        "core-l14-336": PerceptionEncoderConfig(_L, _TEXT_BASE),
        "core-g14-448": PerceptionEncoderConfig(_G, _TEXT_GIANT),
        "lang-l14-448": _tokens_only(_L, 448, depth=23, layer_scale=0.1),
        "lang-g14-448": _tokens_only(_G, 448, depth=47, layer_scale=0.1),
        "spatial-t16-512": _tokens_only(_T, 512),
        "spatial-s16-512": _tokens_only(_S, 512),
        "spatial-b16-512": _tokens_only(_B, 512),
        "spatial-l14-448": _tokens_only(_L, 448),
        "spatial-g14-448": _tokens_only(_G, 448, layer_scale=0.1),
    }
)
"""Name -> configuration. "paper" is core-g14-448, the model the paper's headline numbers are from."""

RELEASED: Mapping[str, str] = MappingProxyType(
    {
        "facebook/PE-Core-T16-384": "core-t16-384",
        "facebook/PE-Core-S16-384": "core-s16-384",
        "facebook/PE-Core-B16-224": "core-b16-224",
        "facebook/PE-Core-L14-336": "core-l14-336",
        "facebook/PE-Core-G14-448": "core-g14-448",
        "facebook/PE-Lang-L14-448": "lang-l14-448",
        "facebook/PE-Lang-G14-448": "lang-g14-448",
        "facebook/PE-Lang-L14-448-Tiling": "lang-l14-448",
        "facebook/PE-Lang-G14-448-Tiling": "lang-g14-448",
        "facebook/PE-Spatial-T16-512": "spatial-t16-512",
        "facebook/PE-Spatial-S16-512": "spatial-s16-512",
        "facebook/PE-Spatial-B16-512": "spatial-b16-512",
        "facebook/PE-Spatial-L14-448": "spatial-l14-448",
        "facebook/PE-Spatial-G14-448": "spatial-g14-448",
        "timm/PE-Core-T-16-384": "core-t16-384",
        "timm/PE-Core-S-16-384": "core-s16-384",
        "timm/PE-Core-B-16": "core-b16-224",
        "timm/PE-Core-L-14-336": "core-l14-336",
        "timm/PE-Core-bigG-14-448": "core-g14-448",
    }
)
"""Hub name of a checkpoint -> its configuration. The tiling models are others only in how they were trained."""
