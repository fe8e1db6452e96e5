"""Sizes of ISVOS, and how its memory is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from onlooker.errors import ConfigError

Similarity = Literal["plain", "shrinkage", "selection", "full"]
Reference = Literal["centroid", "linear"]
Injection = Literal["queries", "places"]
Norm = Literal["frozen_batch", "group"]

STRIDE = 32
"""Pictures inside the network are multiples of this: the pixel decoder's coarsest map."""


@dataclass(frozen=True, slots=True)
class BackboneConfig:
    """A ResNet, or one of timm's networks.

    Attributes:
        layer: of a ResNet: "bottleneck" for ResNet-50 and larger, "basic" for smaller ones.
        stem: channels after the first convolution of a ResNet.
        widths: channels of its stages, the first at stride 4.
        depths: layers per stage; empty for a network of timm's.
        timm: timm's name of a network that stands in a ResNet's place; `widths` are then those of its maps.
    """

    layer: Literal["bottleneck", "basic"] = "bottleneck"
    stem: int = 64
    widths: tuple[int, ...] = (256, 512, 1024, 2048)
    depths: tuple[int, ...] = (3, 4, 6, 3)
    timm: str | None = None

    def __post_init__(self) -> None:
        if self.timm is not None:
            if self.depths or not self.widths or min(self.widths) < 1:
                raise ConfigError(f"a network of timm's needs positive widths and no depths, got {self}")
            return
        if len(self.widths) != len(self.depths) or min((self.stem, *self.widths, *self.depths)) < 1:
            raise ConfigError(f"stages need a width and a depth each, all positive, got {self}")


@dataclass(frozen=True, slots=True)
class InstanceConfig:
    """The instance branch, a Mask2Former. Defaults are those of Mask2Former R-50 for COCO instances.

    Attributes:
        dim: channels of the pixel decoder, of the pixel embedding and of the queries; a multiple of 32 from 64 on.
        queries: N; the number in the paper is not known here, this is Mask2Former's.
        classes: without "no object". Only the instance heads depend on it.
        encoder_layers: deformable layers of the pixel decoder.
        decoder_layers: predictions of the transformer decoder; it has one layer less.
        heads: of attention.
        encoder_hidden, decoder_hidden: widths inside their feed-forward layers.
    """

    dim: int = 256
    queries: int = 100
    classes: int = 80
    encoder_layers: int = 6
    decoder_layers: int = 10
    heads: int = 8
    encoder_hidden: int = 1024
    decoder_hidden: int = 2048

    def __post_init__(self) -> None:
        # Mask2Former normalises 32 groups; one channel in each has no spread on a map of one place.
        if self.dim % 32 or self.dim % self.heads or self.dim < 64:
            raise ConfigError(f"`instances.dim` is a multiple of 32 from 64 on and of `heads`, got {self.dim}")
        if min(self.queries, self.classes, self.encoder_layers) < 1 or self.decoder_layers < 2:
            raise ConfigError(f"queries, classes and layers are positive, decoder layers 2 or more, got {self}")


@dataclass(frozen=True, slots=True)
class MatchingConfig:
    """Keys, values and what is done with them.

    Attributes:
        key_dim, value_dim: channels of a remembered location (XMem: 64 and 512).
        similarity: XMem scales the distance by a learned "shrinkage" of each remembered location, weighs its channels
            by a "selection" of each asking one, or both ("full"); "plain" is STCN's.
        query_enhancement: whether instance queries enter the keys; the paper's first contribution.
        reference: where a query looks first in the asking features: the centre of its own mask, or a learned place.
        points: places a query looks at per head.
        injection: what enters the keys: "queries", which locations attend to; or "places", where the instances are
            whose masks cover a location (ours: what queries learned from a few sequences says nothing of other objects,
            and where they are does; decision 14). `reference` and `points` are for the former.
    """

    key_dim: int = 64
    value_dim: int = 512
    similarity: Similarity = "full"
    query_enhancement: bool = True
    reference: Reference = "centroid"
    points: int = 4
    injection: Injection = "queries"

    def __post_init__(self) -> None:
        if min(self.key_dim, self.value_dim, self.points) < 1:
            raise ConfigError(f"`matching` needs positive sizes, got {self}")


@dataclass(frozen=True, slots=True)
class MemoryConfig:
    """What is remembered of a video while it is followed. Training does not look at this.

    Attributes:
        every: a frame is stored after so many (paper and XMem: 5).
        max_frames: frames kept besides the first ones of objects; `None` for any number.
        max_megabytes: keys and values together never take more (2**20 bytes).
        keep_last: the frame before counts too, until the next one comes (STCN).
        top_k: remembered locations that count at each asking one (XMem: 30); `None` for all.
        chunk_megabytes: similarities that are held at once.
    """

    every: int = 5
    max_frames: int | None = 20
    max_megabytes: float = 512.0
    keep_last: bool = False
    top_k: int | None = 30
    chunk_megabytes: float = 64.0

    def __post_init__(self) -> None:
        if self.every < 1 or (self.max_frames or 0) < 0 or (self.top_k is not None and self.top_k < 1):
            raise ConfigError(f"`memory` needs positive counts, got {self}")
        if self.max_megabytes <= 0 or self.chunk_megabytes <= 0:
            raise ConfigError(f"`memory` needs positive sizes, got {self}")


@dataclass(frozen=True, slots=True)
class IsvosConfig:
    """The whole network.

    Attributes:
        backbone: shared by both branches; four stages.
        value_backbone: a ResNet that reads picture and masks; three stages (ResNet-18 without its last in XMem).
        norm: of ResNets: "frozen_batch" keeps the statistics of pretrained weights (XMem, Mask2Former); "group" trains
            from nothing, whatever the batch (ours). A backbone of timm's always keeps its statistics.
        instances: the instance branch.
        matching: the memory branch.
        decoder_widths: channels at strides 16, 8 and 4 of the mask decoder.
        multi_path: whether features of the pixel decoder enter the mask decoder; the paper's second contribution.
        short_side: longest short side in pixels at inference; larger frames are made smaller (paper: 480).
        memory: at inference.
    """

    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    value_backbone: BackboneConfig = field(
        default_factory=lambda: BackboneConfig("basic", 64, (64, 128, 256), (2, 2, 2))
    )
    norm: Norm = "frozen_batch"
    instances: InstanceConfig = field(default_factory=InstanceConfig)
    matching: MatchingConfig = field(default_factory=MatchingConfig)
    decoder_widths: tuple[int, int, int] = (512, 256, 256)
    multi_path: bool = True
    short_side: int = 480
    memory: MemoryConfig = field(default_factory=MemoryConfig)

    def __post_init__(self) -> None:
        if len(self.backbone.widths) != 4 or len(self.value_backbone.widths) != 3:
            raise ConfigError("the backbone has four stages and the value encoder's three")
        if self.value_backbone.timm is not None:
            raise ConfigError(f"the value encoder reads masks, too, and is a ResNet; got `{self.value_backbone.timm}`")
        if min(self.decoder_widths) < 1 or self.short_side < STRIDE:
            raise ConfigError(f"`decoder_widths` are positive and `short_side` at least {STRIDE}, got {self}")
        normed = self.value_backbone.widths + (() if self.backbone.timm else self.backbone.widths)
        if self.norm == "group" and any(width % 8 for width in normed):
            raise ConfigError('`norm = "group"` needs widths that are multiples of 8')


PAPER = IsvosConfig()

TINY = IsvosConfig(
    backbone=BackboneConfig("basic", 16, (16, 32, 64, 64), (1, 1, 1, 1)),
    value_backbone=BackboneConfig("basic", 16, (16, 32, 64), (1, 1, 1)),
    norm="group",
    instances=InstanceConfig(64, 16, 1, 2, 4, 4, 128, 128),
    matching=MatchingConfig(32, 64, "plain"),
    decoder_widths=(64, 32, 32),
    short_side=128,
)

CONFIGS: Mapping[str, IsvosConfig] = MappingProxyType(
    {
        "paper": PAPER,
        "tiny": TINY,
        # The same on a small network that knows ImageNet (ours): see the option `backbone` of the task.
        "tiny-imagenet": replace(
            TINY, backbone=BackboneConfig(widths=(24, 40, 112, 320), depths=(), timm="tf_efficientnet_lite0")
        ),
        # The same on a small network that knows COCO, the start the paper found best (ours).
        "tiny-coco": replace(
            TINY,
            backbone=BackboneConfig(widths=(24, 32, 96, 320), depths=(), timm="mobilenetv2_100.ssd_coco"),
            matching=MatchingConfig(32, 64, "plain", injection="places"),
        ),
        # The paper's ablations and STCN's similarity, by name.
        "paper-no-queries": replace(PAPER, matching=MatchingConfig(query_enhancement=False)),
        "paper-single-path": replace(PAPER, multi_path=False),
        "tiny-full": replace(TINY, matching=MatchingConfig(32, 64, "full", reference="linear")),
    }
)
