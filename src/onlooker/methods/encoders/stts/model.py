"""STTS: a video transformer that scores its own tokens and goes on with the best frames and regions only.

Wang et al., "Efficient Video Transformers with Spatial-Temporal Token Selection", 2111.11591. Official code:
wangjk666/STTS (MIT); its checkpoints are on a file server only, the unpruned starts are torchvision's (BSD-3).
A tiny network gives every frame, and every square of the token map, a score; the best k go on. Trained through a
perturbed top-k, it learns to choose from the classification loss alone.

What is otherwise here: attention is computed fused, the classifier returns logits in evaluation too (the official one
returns probabilities), maps may be oblong as long as the kept square fits, and the scorers start from torch's own
initialisation.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.encoders.stts.config import SttsConfig, with_kept
from onlooker.methods.encoders.stts.mvit import MViTTrunk
from onlooker.methods.encoders.stts.selection import FrameChoice, RegionChoice
from onlooker.methods.encoders.stts.swin import SwinTrunk
from onlooker.methods.encoders.stts.topk import Perturbation
from onlooker.nn.inputs import check_pixels
from onlooker.weights.saving import SavedNetwork

_SCORER_PARTS = ("backbone.frame_selector.", "backbone.region_selector.")


@dataclass(frozen=True)
class SttsOutput:
    """What one forward gives.

    Attributes:
        logits: (B, classes), or `None` without a classifier.
        features: (B, D) class token of MViT, or (B, D, T', H', W') map of Swin, normalised.
        frames, regions: what was kept, or `None` where nothing is dropped.
    """

    logits: Tensor | None
    features: Tensor
    frames: FrameChoice | None
    regions: RegionChoice | None


class Stts(SavedNetwork):
    """Video classifier with token selection.

    Args:
        config: sizes and what is dropped.
    """

    def __init__(self, config: SttsConfig) -> None:
        super().__init__()
        self.config: SttsConfig = config
        self.backbone: MViTTrunk | SwinTrunk
        if config.mvit is not None:
            self.backbone, dropout = MViTTrunk(config, config.mvit), config.mvit.head_dropout
        elif config.swin is not None:
            self.backbone, dropout = SwinTrunk(config, config.swin), 0.5  # official: dropout 0.5 before `fc_cls`
        else:
            raise ConfigError("give exactly one backbone: `mvit` or `swin`")
        self.dropout = nn.Dropout(dropout)
        self.classifier = None if config.num_classes is None else nn.Linear(self.backbone.width, config.num_classes)
        if self.classifier is not None:
            nn.init.trunc_normal_(self.classifier.weight, std=0.02)
            nn.init.zeros_(self.classifier.bias)

    def forward(self, clip: Tensor, sigma: float | None = None, generator: torch.Generator | None = None) -> SttsOutput:
        """Classifies clips.

        In training mode tokens are chosen under noise, and what goes on is their mean over its draws; in evaluation
        the best are taken as they are.

        Args:
            clip: (B, 3, frames, height, width) floats, normalised by `config.mean` and `config.std`.
            sigma: noise of this forward in training mode; `None` takes the configuration's, 0 chooses hard.
            generator: of that noise; `None` is torch's global one.

        Raises:
            ShapeError: not such a clip, or one with NaN.
        """
        self._check(clip)
        perturbation = self._perturbation(sigma, generator) if self.training else None
        features, frames, regions = self.backbone(clip, perturbation)
        logits: Tensor | None = None
        if self.classifier is not None:
            pooled = features if features.ndim == 2 else features.mean(dim=(2, 3, 4))  # (B, D)
            logits = self.classifier(self.dropout(pooled))
        return SttsOutput(logits, features, frames, regions)

    def scorer_parameters(self) -> dict[str, nn.Parameter]:
        """The parameters that choose, by name; all others are those of the unpruned network."""
        return {name: value for name, value in self.named_parameters() if name.startswith(_SCORER_PARTS)}

    def _perturbation(self, sigma: float | None, generator: torch.Generator | None) -> Perturbation:
        chosen = self.config.selection
        noise = chosen.sigma if sigma is None else sigma
        return Perturbation(noise, chosen.num_samples, generator, estimator=chosen.estimator)

    def _check(self, clip: Tensor) -> None:
        check_pixels(clip, next(self.parameters()), "a clip")
        expected = (3, self.config.frames, *self.config.image_size)
        if clip.ndim != 5 or tuple(clip.shape[1:]) != expected:
            sizes = ", ".join(map(str, expected))
            raise ShapeError(f"a clip is (B, {sizes}), got {tuple(clip.shape)}; resize or resample")


def with_budget(network: Stts, frames: int | None = None, region: int | None = None) -> Stts:
    """The same weights keeping another number of token frames or another square; tensors are shared, not copied.

    Raises:
        ConfigError: the network has no scorer for it, or the number is out of range.
    """
    with torch.device("meta"):
        other = Stts(with_kept(network.config, frames, region))
    other.load_state_dict(network.state_dict(), strict=True, assign=True)
    return other.train(network.training)
