"""Sizes of OmniTracker, and how its loop decides.

The paper's sizes are not known here: "paper" is ResNet-50 Deformable DETR with the settings of IDOL, the nearest
released code; the larger variants are inferred too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from onlooker.errors import ConfigError

TrackTask = Literal["instance", "category"]
"""Follow given objects of any class, or every object of known classes."""


@dataclass(frozen=True, slots=True)
class BackboneConfig:
    """Four stages; the last three, at strides 8, 16 and 32, are used.

    Attributes:
        kind: "resnet" or "swin", transformers' classes, or "timm", a network of timm's whose batch norms keep their
            statistics.
        layer: of a ResNet: "bottleneck" for 50 layers and more, "basic" for fewer.
        stem: channels after the first convolution of a ResNet, of the first stage of a Swin.
        widths: channels of the stages of a ResNet or of timm's network, the first at stride 4; empty for a Swin.
        depths: layers per stage; empty for a network of timm's.
        heads: attention heads per stage of a Swin; empty for a ResNet.
        window: side of a Swin's windows.
        norm: of a ResNet: "frozen_batch" keeps the statistics of pretrained weights and freezes stem and first stage;
            "group" trains from nothing, whatever the batch (ours).
        timm: timm's name of its network.
    """

    kind: Literal["resnet", "swin", "timm"] = "resnet"
    layer: Literal["bottleneck", "basic"] = "bottleneck"
    stem: int = 64
    widths: tuple[int, ...] = (256, 512, 1024, 2048)
    depths: tuple[int, ...] = (3, 4, 6, 3)
    heads: tuple[int, ...] = ()
    window: int = 7
    norm: Literal["frozen_batch", "group"] = "frozen_batch"
    timm: str | None = None

    def __post_init__(self) -> None:
        if (self.kind == "timm") != (self.timm is not None):
            raise ConfigError(f'`backbone.timm` names a network where, and only where, `kind` is "timm", got {self}')
        if self.kind == "timm":
            if len(self.widths) != 4 or min(self.widths) < 1 or self.depths or self.heads or self.norm == "group":
                raise ConfigError(
                    f"a network of timm's has four widths, no depths or heads, and keeps its statistics, got {self}"
                )
            return
        if len(self.depths) != 4 or min((self.stem, self.window, *self.depths)) < 1:
            raise ConfigError(f"a backbone has four stages of one layer or more, got {self}")
        if self.kind == "resnet" and (len(self.widths) != 4 or self.heads or min(self.widths) < 1):
            raise ConfigError(f"a ResNet has four widths and no heads, got {self}")
        if self.kind == "swin" and len(self.heads) != 4:
            raise ConfigError(f"a Swin has heads for four stages, got {self.heads}")
        if self.norm == "group" and any(width % 8 for width in (self.stem, *self.widths)):
            raise ConfigError('`backbone.norm = "group"` needs widths that are multiples of 8')


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """Deformable DETR. Defaults are those of IDOL.

    Attributes:
        dim: of tokens and queries, a multiple of 32 (group normalisation) and of twice `heads`.
        heads, points: of deformable attention, points per level.
        levels: of the pyramid, from stride 8 on; 3 come from the backbone.
        encoder_layers, decoder_layers: layers.
        hidden: width inside feed-forward layers (1024 in Deformable DETR and IDOL, 2048 in UNINEXT).
        queries: 300 in IDOL, 900 in UNINEXT.
        classes: sigmoid outputs of the class head.
        box_refine: every decoder layer starts from the boxes of the one before.
        two_stage: queries start at proposals of the encoder; needs `box_refine`.
        dropout: in training.
    """

    dim: int = 256
    heads: int = 8
    points: int = 4
    levels: int = 4
    encoder_layers: int = 6
    decoder_layers: int = 6
    hidden: int = 1024
    queries: int = 300
    classes: int = 80
    box_refine: bool = True
    two_stage: bool = False
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.dim % 32 or self.dim % self.heads or self.dim < 32:
            raise ConfigError(f"`detector.dim` is a multiple of 32 and of `heads`, got {self.dim} and {self.heads}")
        if min(self.points, self.encoder_layers, self.decoder_layers, self.hidden, self.queries, self.classes) < 1:
            raise ConfigError(f"`detector` needs positive sizes, got {self}")
        if self.levels < 3 or (self.two_stage and not self.box_refine) or not 0 <= self.dropout < 1:
            raise ConfigError(f"3 levels or more, and `two_stage` needs `box_refine`, got {self}")


@dataclass(frozen=True, slots=True)
class EnhancementConfig:
    """Reference-guided feature enhancement, the paper's contribution. The numbers are inferred.

    Attributes:
        sharing: one module for all levels with a level embedding, or one per level.
        roi_size: side of the grid of tokens that a tracked box gives.
        sampling: samples per cell and side when a box is read.
        pooled_size: longest side of the downsampled map that category tracking refers to.
        heads, hidden: of attention and of the MLP.
        detach: no gradient flows back into the reference frame.
    """

    sharing: Literal["shared", "per_level"] = "shared"
    roi_size: int = 7
    sampling: int = 2
    pooled_size: int = 16
    heads: int = 8
    hidden: int = 1024
    detach: bool = False

    def __post_init__(self) -> None:
        if min(self.roi_size, self.sampling, self.pooled_size, self.heads, self.hidden) < 1:
            raise ConfigError(f"`enhancement` needs positive sizes, got {self}")


@dataclass(frozen=True, slots=True)
class MaskConfig:
    """CondInst as in IDOL.

    Attributes:
        channels: of the map that all masks are made from (IDOL: dim / 32).
        kernel_channels: of the convolutions that a query emits.
        kernel_layers: how many of them.
        coordinate_px: unit of the coordinates relative to a query's reference point. IDOL has plain pixels (1); 64
            keeps inputs of new networks near 1 (CondInst's smallest unit).
    """

    channels: int = 8
    kernel_channels: int = 8
    kernel_layers: int = 3
    coordinate_px: float = 64.0

    def __post_init__(self) -> None:
        if min(self.channels, self.kernel_channels) < 1 or self.kernel_layers < 2 or self.coordinate_px <= 0:
            raise ConfigError(f"`mask` needs positive sizes and two layers or more, got {self}")


@dataclass(frozen=True, slots=True)
class IdentityConfig:
    """The identity head.

    Attributes:
        dim: of an identity (IDOL: 256).
        inputs: "query_and_region" joins the query with what the pyramid shows inside its box (paper); "query" is
            IDOL's head.
        roi_size: side of the grid over which the box is averaged.
    """

    dim: int = 256
    inputs: Literal["query_and_region", "query"] = "query_and_region"
    roi_size: int = 7

    def __post_init__(self) -> None:
        if min(self.dim, self.roi_size) < 1:
            raise ConfigError(f"`identity` needs positive sizes, got {self}")


@dataclass(frozen=True, slots=True)
class TrackingConfig:
    """How the loop decides. Training does not look at this.

    Attributes:
        select_score: detections below are not looked at (IDOL: 0.1, and 0.05 for YouTube-VIS).
        nms_overlap: the weaker of two detections that overlap more goes; of masks where there is a mask head, across
            classes, else of boxes within a class.
        match_score: least similarity of a detection to a trajectory (IDOL: 0.5).
        birth_score: an unmatched detection at least this sure starts a trajectory (IDOL: 0.5), or is a given object
            that was lost (ours).
        birth_overlap: one that overlaps a followed detection more is a double of it and starts nothing; overlaps are
            those of `nms_overlap` (ours; with 1, as in IDOL, anything sure enough starts).
        update_score: a weaker detection is followed but not remembered (ours): bad matches make memories drift.
        memory_length: identities kept per trajectory, M (IDOL: 3 to 10).
        memory_weights: "temporal" adds i / M to the score of the i-th oldest; "scores" does not (ours, to compare).
        association: what trajectories are matched by: the paper's "identity", or the "overlap" of predicted boxes that
            it is compared with.
        gate_iou: pairs whose box overlaps the predicted one less are not matched (paper: 0.25); `None` for no gate.
        gated_frames: a trajectory unseen for longer is matched by identity alone, or it could not be found again.
        patience: unseen frames after which a trajectory of category tracking ends (10; MOT: 30).
        motion: "linear" keeps the speed between frames; "still" expects boxes where they were.
    """

    select_score: float = 0.1
    nms_overlap: float = 0.7
    match_score: float = 0.5
    birth_score: float = 0.5
    birth_overlap: float = 1.0
    update_score: float = 0.3
    memory_length: int = 5
    memory_weights: Literal["temporal", "scores"] = "temporal"
    association: Literal["identity", "overlap"] = "identity"
    gate_iou: float | None = 0.25
    gated_frames: int = 10
    patience: int = 10
    motion: Literal["linear", "still"] = "linear"

    def __post_init__(self) -> None:
        scores = (self.select_score, self.match_score, self.birth_score, self.update_score)
        overlaps = (self.nms_overlap, self.birth_overlap, self.gate_iou or 0.0)
        if not all(0 <= share <= 1 for share in (*scores, *overlaps)):
            raise ConfigError(f"scores and overlaps of `tracking` are in [0, 1], got {self}")
        if self.memory_length < 1 or self.gated_frames < 0 or self.patience < 0:
            raise ConfigError(f"`tracking` remembers at least one identity and counts frames from 0, got {self}")


@dataclass(frozen=True, slots=True)
class OmniTrackerConfig:
    """The whole network.

    Attributes:
        backbone, detector: Deformable DETR.
        enhancement: `None` leaves it out: the detector then knows nothing of the frame before.
        mask: `None` leaves the mask head out.
        identity: the identity head.
        short_side, long_side: largest sides in pixels at inference; larger frames are made smaller.
        tracking: at inference.
    """

    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    enhancement: EnhancementConfig | None = field(default_factory=EnhancementConfig)
    mask: MaskConfig | None = field(default_factory=MaskConfig)
    identity: IdentityConfig = field(default_factory=IdentityConfig)
    short_side: int = 480
    long_side: int = 1333
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    def __post_init__(self) -> None:
        if not 32 <= self.short_side <= self.long_side:
            raise ConfigError(f"32 <= `short_side` <= `long_side`, got {self.short_side} and {self.long_side}")
        if self.enhancement is not None and self.detector.dim % self.enhancement.heads:
            raise ConfigError(f"`detector.dim` is a multiple of `enhancement.heads`, got {self.enhancement.heads}")


PAPER = OmniTrackerConfig()

TINY = OmniTrackerConfig(
    backbone=BackboneConfig(layer="basic", stem=16, widths=(16, 32, 64, 64), depths=(1, 1, 1, 1), norm="group"),
    detector=DetectorConfig(
        dim=64, heads=4, encoder_layers=2, decoder_layers=2, hidden=128, queries=20, classes=7, dropout=0.0
    ),
    enhancement=EnhancementConfig(heads=4, hidden=128, pooled_size=8),
    identity=IdentityConfig(dim=64, roi_size=3),  # reading regions takes a third of a step otherwise
    short_side=160,
    long_side=320,
)

CONFIGS: Mapping[str, OmniTrackerConfig] = MappingProxyType(
    {
        "paper": PAPER,
        "tiny": TINY,
        # The same on a small network that knows ImageNet (ours): see the option `backbone` of the task.
        "tiny-imagenet": replace(
            TINY,
            backbone=BackboneConfig("timm", widths=(24, 40, 112, 320), depths=(), timm="tf_efficientnet_lite0"),
        ),
        # The paper's variants are named T and L; which backbones they have is inferred.
        "swin-t": replace(
            PAPER, backbone=BackboneConfig("swin", stem=96, widths=(), depths=(2, 2, 6, 2), heads=(3, 6, 12, 24))
        ),
        "swin-l": replace(
            PAPER,
            backbone=BackboneConfig(
                "swin", stem=192, widths=(), depths=(2, 2, 18, 2), heads=(6, 12, 24, 48), window=12
            ),
        ),
        "per-level": replace(PAPER, enhancement=EnhancementConfig(sharing="per_level")),
        # Boxes only, for single-object and box tracking.
        "boxes": replace(PAPER, mask=None),
        # Layouts of released detectors.
        "two-stage": replace(PAPER, detector=DetectorConfig(two_stage=True)),
        "no-refine": replace(PAPER, detector=DetectorConfig(box_refine=False)),
        "idol": replace(
            PAPER,
            enhancement=None,
            mask=MaskConfig(coordinate_px=1.0),
            identity=IdentityConfig(inputs="query"),
            detector=DetectorConfig(classes=40),
        ),
    }
)
