"""Sizes and choices of OmniVL. Values without a remark are those of the authors' model code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from onlooker.configs import whole_number
from onlooker.errors import ConfigError

Head = Literal["pretrain", "retrieval", "caption", "vqa", "embed"]


@dataclass(frozen=True)
class VisualConfig:
    """The encoder of images and clips.

    Attributes:
        backbone: "vit" knows images only (stage 1); "timesformer" adds clips, time slots and temporal attention.
        image_size, patch_size: in pixels; the position table is made for this square.
        width, depth, heads, mlp_ratio: of the transformer.
        num_frames: frames the time table is made for; 1 makes a timesformer without a tokeniser for clips.
        time_stride: frames that become one time slot.
        drop_path: of the last block, rising linearly from 0.
        pool: what stands for the whole: the class token, or the mean of all tokens.
    """

    backbone: Literal["vit", "timesformer"] = "timesformer"
    image_size: int = 224
    patch_size: int = 16
    width: int = 768
    depth: int = 12
    heads: int = 12
    mlp_ratio: float = 4.0
    num_frames: int = 16
    time_stride: int = 2
    drop_path: float = 0.1
    pool: Literal["class", "mean"] = "class"

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ConfigError(f"visual width {self.width} must be a multiple of its {self.heads} heads")
        if self.image_size < self.patch_size or self.image_size % self.patch_size:
            raise ConfigError(f"image size {self.image_size} must be a multiple of the patch size {self.patch_size}")
        if not 1 <= self.time_stride <= self.num_frames:
            raise ConfigError(
                f"time_stride must be from 1 to num_frames ({self.num_frames}), got {self.time_stride}; "
                "for images alone set both to 1"
            )
        if not 0 <= self.drop_path < 1:
            raise ConfigError(f"drop_path must be in [0, 1), got {self.drop_path}")

    @property
    def grid(self) -> int:
        """Patches along one side of the position table."""
        return self.image_size // self.patch_size

    @property
    def slots(self) -> int:
        """Rows of the time table."""
        return self.num_frames // self.time_stride

    @property
    def takes_clips(self) -> bool:
        """Whether there is a tokeniser for clips."""
        return self.backbone == "timesformer" and self.num_frames > 1


@dataclass(frozen=True)
class TextConfig:
    """The BERT-like text parts and the ids of the special tokens.

    Attributes:
        vocab_size: rows of the word table, [DEC] and [ENC] included.
        width, layers, heads, ffn, max_positions, layer_norm_eps, dropout: of the transformer.
        pad_id, cls_id, sep_id: of the word-piece vocabulary.
        dec_id, enc_id: the added tokens; `None` takes the last two rows of the table.
    """

    vocab_size: int = 30524
    width: int = 768
    layers: int = 12
    heads: int = 12
    ffn: int = 3072
    max_positions: int = 512
    layer_norm_eps: float = 1e-12
    dropout: float = 0.1
    pad_id: int = 0
    cls_id: int = 101
    sep_id: int = 102
    dec_id: int | None = None
    enc_id: int | None = None

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ConfigError(f"text width {self.width} must be a multiple of its {self.heads} heads")
        for name in ("pad_id", "cls_id", "sep_id", "dec_id", "enc_id"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < self.vocab_size:
                raise ConfigError(f"{name} must be from 0 to {self.vocab_size - 1}, got {value}")

    @property
    def decode_id(self) -> int:
        """Id of [DEC], the first token of everything generated."""
        return self.vocab_size - 2 if self.dec_id is None else self.dec_id

    @property
    def encode_id(self) -> int:
        """Id of [ENC], the first token of texts that are read together with an image."""
        return self.vocab_size - 1 if self.enc_id is None else self.enc_id


@dataclass(frozen=True)
class ContrastConfig:
    """UniVLC, its queues and the momentum copies.

    Attributes:
        kind: "unified" uses class ids; "pairs" is the plain contrast of image and text (ids all 0, no id queue).
        queue_size: keys kept of earlier steps; every global batch must divide it.
        momentum: of the copies, per step.
        temperature: at the start; learned, kept in [0.001, 0.5].
        normalise_positives: divide the targets by the number of positives. The authors do not.
        per_modality_queue: clips are contrasted with keys of clips. In the authors' code both kinds of step read the
            keys of images, whether meant or not.
    """

    kind: Literal["unified", "pairs"] = "unified"
    queue_size: int = 57600
    momentum: float = 0.995
    temperature: float = 0.07
    normalise_positives: bool = False
    per_modality_queue: bool = False

    def __post_init__(self) -> None:
        if self.queue_size < 1:
            raise ConfigError(f"queue_size must be at least 1, got {self.queue_size}")
        if not 0 <= self.momentum <= 1:
            raise ConfigError(f"momentum must be in [0, 1], got {self.momentum}")
        if not 0.001 <= self.temperature <= 0.5:
            raise ConfigError(f"temperature must be in [0.001, 0.5], got {self.temperature}")


@dataclass(frozen=True)
class GenerationConfig:
    """How sentences are generated. Lengths count the prompt and [DEC], as the authors' do.

    Attributes:
        prompt: what every caption starts with; it is cut off again.
        beams: 1 is greedy.
        min_length, max_length: tokens.
        repetition_penalty: 1 is none.
    """

    prompt: str = ""
    beams: int = 3
    min_length: int = 10
    max_length: int = 30
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        whole_number("beams", self.beams)
        whole_number("min_length", self.min_length, 0)
        whole_number("max_length", self.max_length, 0)
        if not 0 <= self.min_length <= self.max_length:
            raise ConfigError(f"lengths must be 0 <= min <= max, got {self.min_length} and {self.max_length}")
        if self.repetition_penalty <= 0:
            raise ConfigError(f"repetition_penalty must be above 0, got {self.repetition_penalty}")


@dataclass(frozen=True)
class OmniVLConfig:
    """One OmniVL model.

    Attributes:
        head: "pretrain" (all three losses), "retrieval" (no generation), "caption", "vqa" or "embed".
        visual, text: the two sides.
        embed_dim: of the common space.
        share_weights: in pretraining, the generation decoder shares all but its self-attention with the text encoder.
        label_smoothing: of the generation loss.
        contrast, generation: see there.
    """

    head: Head = "pretrain"
    visual: VisualConfig = field(default_factory=VisualConfig)
    text: TextConfig = field(default_factory=TextConfig)
    embed_dim: int = 256
    share_weights: bool = True
    label_smoothing: float = 0.1
    contrast: ContrastConfig = field(default_factory=ContrastConfig)
    generation: GenerationConfig = field(default_factory=GenerationConfig)

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise ConfigError(f"label_smoothing must be in [0, 1), got {self.label_smoothing}")
        if self.generation.max_length > self.text.max_positions:
            raise ConfigError(
                f"generation.max_length {self.generation.max_length} is over the {self.text.max_positions} positions"
            )


_IMAGE = VisualConfig(num_frames=1, time_stride=1)
_PAIRS = ContrastConfig(kind="pairs")
_ANSWER = GenerationConfig(beams=1, min_length=10, max_length=30, repetition_penalty=1.1)
_COCO = GenerationConfig(prompt="a picture of ", beams=3, min_length=5, max_length=20)
_YOUCOOK = GenerationConfig(prompt="", beams=1, min_length=1, max_length=30)
# Ours: two minutes of training on two cores (sheet of sizes in the README).
_TINY = OmniVLConfig(
    visual=VisualConfig(
        image_size=48, patch_size=8, width=96, depth=4, heads=4, num_frames=8, time_stride=2, drop_path=0.0
    ),
    text=TextConfig(
        vocab_size=256, width=96, layers=2, heads=4, ffn=384, max_positions=64, dropout=0.0, cls_id=2, sep_id=3
    ),
    embed_dim=64,
    contrast=ContrastConfig(queue_size=512),
    generation=GenerationConfig(beams=3, min_length=2, max_length=20),
)

CONFIGS: Mapping[str, OmniVLConfig] = MappingProxyType(
    {
        "paper": OmniVLConfig(),
        "stage1": OmniVLConfig(visual=VisualConfig(backbone="vit")),
        "stage1-large": OmniVLConfig(visual=VisualConfig(backbone="vit", width=1024, depth=24, heads=16)),
        "caption-coco": OmniVLConfig(head="caption", visual=replace(_IMAGE, image_size=384), generation=_COCO),
        "caption-youcook2": OmniVLConfig(
            head="caption",
            visual=VisualConfig(image_size=384, num_frames=32, time_stride=4),
            generation=_YOUCOOK,
        ),
        "retrieval-image": OmniVLConfig(head="retrieval", visual=replace(_IMAGE, image_size=384), contrast=_PAIRS),
        "retrieval-video": OmniVLConfig(head="retrieval", visual=VisualConfig(image_size=384), contrast=_PAIRS),
        "vqa-vqav2": OmniVLConfig(head="vqa", visual=replace(_IMAGE, image_size=480), generation=_ANSWER),
        "vqa-msrvtt": OmniVLConfig(head="vqa", visual=VisualConfig(image_size=480, num_frames=32), generation=_ANSWER),
        "vqa-msvd": OmniVLConfig(head="vqa", visual=VisualConfig(image_size=384, num_frames=32), generation=_ANSWER),
        "embed": OmniVLConfig(head="embed"),
        "tiny": _TINY,
        "tiny-stage1": replace(_TINY, visual=replace(_TINY.visual, backbone="vit")),
        "tiny-caption": replace(_TINY, head="caption"),
        "tiny-vqa": replace(_TINY, head="vqa", generation=replace(_TINY.generation, beams=1, min_length=1)),
        "tiny-embed": replace(_TINY, head="embed"),
    }
)
"""Name -> configuration. "paper" is the pretraining model of stage 2; the others are of the authors' task files."""
