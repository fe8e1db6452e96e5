"""Small spatial models: what a large aligned encoder knows, in a network of another size.

The official small models were distilled from the large one by the likeness of token pairs and by the features
themselves; how the two were weighted is not stated, so the weights are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from onlooker.errors import ConfigError
from onlooker.methods.encoders.perception_encoder.alignment import plain_groups
from onlooker.methods.encoders.perception_encoder.contrastive import fingerprint
from onlooker.methods.encoders.perception_encoder.data import SceneConfig, make_samples, resize, to_network_range
from onlooker.methods.encoders.perception_encoder.losses import similarity_loss, token_cosine_loss
from onlooker.methods.encoders.perception_encoder.model import PerceptionEncoder
from onlooker.train.task import Batch, Metric, Moment, ParameterGroup, SampleDataset, Task

_TESTED = 64


@dataclass(frozen=True, slots=True)
class DistillOptions:
    """Options of the task `spatial_distillation`.

    Attributes:
        scenes: the data; texts are not used.
        teacher: folder or released name of an aligned encoder.
        similarity_weight, feature_weight: of the two terms.
    """

    scenes: SceneConfig = field(default_factory=SceneConfig)
    teacher: str | None = None
    similarity_weight: float = 1.0
    feature_weight: float = 1.0

    def __post_init__(self) -> None:
        if min(self.similarity_weight, self.feature_weight) < 0 or self.similarity_weight + self.feature_weight == 0:
            raise ConfigError(f"weights are at least 0 and not both 0, got {self}")
        if self.scenes.frames != 1:
            raise ConfigError(f"distillation trains on still pictures, got {self.scenes.frames} frames")


class DistillTask(Task):
    """Last-layer tokens of the teacher, for a student of any width with as many patches along a side.

    Args:
        network: the student, ending in tokens.
        teacher: frozen, in place; pictures are brought to its own size.
        options: see there; `teacher` has been loaded by the caller.
    """

    network: PerceptionEncoder

    def __init__(self, network: PerceptionEncoder, teacher: PerceptionEncoder, options: DistillOptions) -> None:
        ours, theirs = network.config.vision, teacher.config.vision
        if network.visual.pool is not None or network.text is not None:
            raise ConfigError("the student ends in tokens: a configuration with `pool` none and no text side")
        if ours.grid != theirs.grid:
            raise ConfigError(f"student and teacher need equal grids, got {ours.grid} and {theirs.grid} patches a side")
        super().__init__(network)
        self.options = options
        self.teacher = teacher.requires_grad_(False)
        self.head = nn.Linear(ours.width, theirs.width)  # thrown away with the task

    @property
    def metric(self) -> Metric:
        return Metric("similarity_error", "mean squared difference of cosines", higher_is_better=False)

    def datasets(self) -> Mapping[str, SampleDataset]:
        return {"train": make_samples(self.options.scenes, self._size_px, "train", None)}

    def train(self, mode: bool = True) -> DistillTask:
        """As usual, but the teacher stays in evaluation mode."""
        super().train(mode)
        self.teacher.eval()
        return self

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Losses of `pixels` (B, 3, H, W) uint8: "loss", "similarity" and "features", weighted."""
        tokens, wanted = self._both(batch["pixels"])
        parts = {
            "similarity": self.options.similarity_weight * similarity_loss(tokens, wanted),
            "features": self.options.feature_weight * token_cosine_loss(self.head(tokens), wanted),
        }
        return {"loss": parts["similarity"] + parts["features"], **parts}

    def evaluate(self) -> dict[str, float]:
        """How far the likeness of token pairs is from the teacher's, on test samples."""
        samples = make_samples(self.options.scenes, self._size_px, "test", None)
        batch = self.collate([samples[i] for i in range(min(_TESTED, len(samples)))])
        device = next(self.network.parameters()).device
        return {"similarity_error": float(similarity_loss(*self._both(batch["pixels"].to(device))))}

    def parameter_groups(self) -> tuple[ParameterGroup, ...]:
        return plain_groups(self)

    def data_fingerprint(self) -> str | None:
        return fingerprint(self.options.scenes)

    @property
    def _size_px(self) -> int:
        size: int = max(self.network.config.vision.image_size, self.teacher.config.vision.image_size)
        return size

    def _both(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (B, h*w, width) of the student and (B, h*w, width of the teacher) of the teacher."""
        images = to_network_range(pixels, self._size_px)
        with torch.no_grad():
            pictures = resize(images, self.teacher.config.vision.image_size)
            wanted = self.teacher.forward_features(pictures, strip_class_token=True)
        ours = resize(images, self.network.config.vision.image_size)
        return self.network.forward_features(ours, strip_class_token=True), wanted
