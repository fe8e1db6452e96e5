"""Spatial alignment: an encoder learns to show at its end what its middle layers know, with borders of a mask model.

The student starts as a copy of the core network. One teacher is an intermediate layer of the frozen core, token by
token; the other are mask logits, of which only matters which locations belong together. Section 5 of the paper.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.encoders.perception_encoder.alignment import plain_groups, tokens_config
from onlooker.methods.encoders.perception_encoder.contrastive import fingerprint
from onlooker.methods.encoders.perception_encoder.data import (
    SceneConfig,
    draw_hidden,
    make_samples,
    to_network_range,
)
from onlooker.methods.encoders.perception_encoder.layer_probe import probe_segmentation, probe_tracking
from onlooker.methods.encoders.perception_encoder.losses import (
    Squash,
    instance_features,
    mask_features,
    similarity_loss,
    token_cosine_loss,
)
from onlooker.methods.encoders.perception_encoder.mask_teacher import SamTeacher
from onlooker.methods.encoders.perception_encoder.model import PerceptionEncoder
from onlooker.methods.encoders.perception_encoder.probe_data import colour_pixels, tracked_clips
from onlooker.train.task import Batch, Metric, Moment, ParameterGroup, SampleDataset, Task

_TEST_CLIPS = 8
_TEACHER_DEPTH = 41 / 50  # section 5 of the paper


@dataclass(frozen=True, slots=True)
class MaskTeacherConfig:
    """Where the second teacher's masks come from.

    Attributes:
        model: hub name or folder of a SAM 2 model of transformers (paper: SAM 2.1-L); left out, the true instance masks
            of the synthetic world.
        points: prompts along each axis (paper: 32).
        squash, temperature: of the logits, see `losses.mask_features`.
    """

    model: str | None = None
    points: int = 32
    squash: Squash = "sigmoid"
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.points < 1 or self.temperature <= 0:
            raise ConfigError(f"`points` is at least 1 and `temperature` above 0, got {self}")


@dataclass(frozen=True, slots=True)
class SpatialOptions:
    """Options of the task `spatial_alignment`.

    Attributes:
        scenes: the data; texts are not used.
        core: folder or file of the core network the student and the first teacher start from.
        teacher_layer: of the core, from 0; left out, the one at 0.82 of its depth (paper: the 41st of 50).
        semantic_weight: of the first teacher's term; 0 leaves it out.
        locality_weight: of the second's; 0 leaves it out.
        size_px: of the pictures; left out, the network's own. Larger ones have finer borders for the same patches.
        layer_decay: factor of the learning rate from each block to the one before. Below 1, what is learned gathers at
            the end and the middle stays what it was; the paper gets that from 50 blocks and small steps, this is ours.
        hidden_part: of the student's patches that are hidden from it. The paper masks heavily; the number is ours.
        masks: the second teacher.
    """

    scenes: SceneConfig = field(default_factory=SceneConfig)
    core: str | None = None
    teacher_layer: int | None = None
    semantic_weight: float = 1.0
    locality_weight: float = 1.0
    size_px: int | None = None
    layer_decay: float = 1.0
    hidden_part: float = 0.25
    masks: MaskTeacherConfig = field(default_factory=MaskTeacherConfig)

    def __post_init__(self) -> None:
        if not 0 <= self.hidden_part < 1 or min(self.semantic_weight, self.locality_weight) < 0:
            raise ConfigError(f"weights are at least 0 and `hidden_part` is in [0, 1), got {self}")
        if not 0 < self.layer_decay <= 1:
            raise ConfigError(f"`layer_decay` is above 0 and at most 1, got {self.layer_decay}")
        if self.semantic_weight == 0 and self.locality_weight == 0:
            raise ConfigError("both terms are switched off; nothing is left to learn")
        if self.scenes.frames != 1:
            raise ConfigError(f"spatial alignment trains on still pictures, got {self.scenes.frames} frames")
        if self.scenes.table is not None and self.masks.model is None and self.locality_weight:
            raise ConfigError("files have no true masks; name a mask model in `masks.model`")


class SpatialTask(Task):
    """Student and both teachers.

    Args:
        student: what is trained, of a configuration that ends in tokens; `align_spatially` makes it from a core.
        core: the frozen core.
        options: see there; `core` has been loaded by the caller.
    """

    network: PerceptionEncoder

    def __init__(self, student: PerceptionEncoder, core: PerceptionEncoder, options: SpatialOptions) -> None:
        ours, theirs = student.config.vision, core.config.vision
        if student.visual.pool is not None or student.text is not None:
            raise ConfigError("the student ends in tokens: a configuration with `pool` none and no text side")
        if (ours.width, ours.patch_size) != (theirs.width, theirs.patch_size):
            raise ConfigError("student and core must have the same width and patch size; other sizes are distilled")
        super().__init__(student)
        self.options = options
        self.core = core.requires_grad_(False)
        wanted = options.teacher_layer
        if wanted is None:
            wanted = max(round(_TEACHER_DEPTH * theirs.depth) - 1, 0)
        self.teacher_layer = core.visual.block_number(wanted)
        self.mask_value = nn.Parameter(torch.zeros(ours.width)) if options.hidden_part else None
        if (options.size_px or ours.patch_size) % ours.patch_size:
            raise ConfigError(f"`size_px` {options.size_px} must be a multiple of the patch size {ours.patch_size}")
        self._masks = SamTeacher(options.masks.model, options.masks.points) if options.masks.model else None

    @property
    def metric(self) -> Metric:
        return Metric("j_and_f_percent", "%")

    def datasets(self) -> Mapping[str, SampleDataset]:
        return {"train": make_samples(self.options.scenes, self._size_px, "train", None)}

    def train(self, mode: bool = True) -> SpatialTask:
        """As usual, but the core stays in evaluation mode."""
        super().train(mode)
        self.core.eval()
        return self

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Losses of `pixels` (B, 3, H, W) uint8 and, without a mask model, `masks` (B, H, W).

        Returns:
            "loss", and "semantic" and "locality" where they are on, weighted.
        """
        images = to_network_range(batch["pixels"], self._size_px)
        tokens = self._student_tokens(images, moment.generator)  # (B, h*w, width)
        parts: dict[str, Tensor] = {}
        if self.options.semantic_weight:
            with torch.no_grad():
                wanted = self.core.forward_features(images, self.teacher_layer, strip_class_token=True)
            parts["semantic"] = self.options.semantic_weight * token_cosine_loss(tokens, wanted)
        if self.options.locality_weight:
            parts["locality"] = self.options.locality_weight * similarity_loss(tokens, self._regions(images, batch))
        return {"loss": sum(parts.values(), start=tokens.new_zeros(())), **parts}

    def evaluate(self) -> dict[str, float]:
        """On synthetic scenes, of the student's LAST layer: J&F of tracked masks and mIoU of a linear probe."""
        size = self._size_px
        tracking = probe_tracking(self.network, tracked_clips(size, self._seed, _TEST_CLIPS))
        train, test = (colour_pixels(size, self._seed, split) for split in ("train", "test"))
        segmentation = probe_segmentation(self.network, train, test)
        return {
            "j_and_f_percent": tracking.last,
            "miou_percent": segmentation.last,
            "best_layer_tracking": float(tracking.best),
            "best_layer_segmentation": float(segmentation.best),
        }

    def parameter_groups(self) -> tuple[ParameterGroup, ...]:
        return plain_groups(self, self._rate)

    def data_fingerprint(self) -> str | None:
        return fingerprint(self.options.scenes)

    def _rate(self, name: str) -> float:
        """What a parameter learns of the learning rate: all of it in the last block, less in each before."""
        block = re.match(r"network\.visual\.blocks\.(\d+)\.", name)
        depth: int = self.network.config.vision.depth
        if block is not None:
            return self.options.layer_decay ** (depth - 1 - int(block[1]))
        return self.options.layer_decay**depth if name.startswith("network.") else 1.0

    @functools.cached_property
    def _size_px(self) -> int:
        native: int = self.network.config.vision.image_size
        return native if self.options.size_px is None else self.options.size_px

    @property
    def _grid(self) -> int:
        patch_px: int = self.network.config.vision.patch_size
        return self._size_px // patch_px

    @property
    def _seed(self) -> int:
        return self.options.scenes.seed

    def _student_tokens(self, images: Tensor, generator: torch.Generator) -> Tensor:
        hidden = None
        if self.mask_value is not None:
            hidden = draw_hidden((len(images), self._grid**2), self.options.hidden_part, generator).to(images.device)
        return self.network.visual.features(
            images, [-1], strip_class_token=True, masked=hidden, mask_value=self.mask_value
        )[0]

    def _regions(self, images: Tensor, batch: Batch) -> Tensor:
        """(B, h*w, K) features that tell which locations belong together."""
        grid = (self._grid, self._grid)
        if self._masks is None:
            if "masks" not in batch:
                raise ShapeError("the batch has no `masks`, and no mask model is named")
            return instance_features(batch["masks"], grid)
        logits = self._masks(images)
        masks = self.options.masks
        return mask_features(logits, grid, masks.squash, masks.temperature)


def align_spatially(
    core: PerceptionEncoder, options: SpatialOptions, layer_scale: float | None = 1.0, drop_path: float = 0.1
) -> SpatialTask:
    """A task whose student is a copy of `core` that ends in tokens; `core` itself is frozen, in place.

    Args:
        core: a trained core network.
        options: see there.
        layer_scale: first value of gains added to the student's branches, or `None` for none. The paper's 0.1 changes
            the copied network at once and is for long runs; 1 leaves it as it was.
        drop_path: of the student.
    """
    return SpatialTask(
        core.derived(tokens_config(core.config, layer_scale=layer_scale, drop_path=drop_path)), core, options
    )
