"""Training on clips: both branches together, from single pictures to videos, with predicted masks in memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from onlooker.configs import config_from_dict, config_to_dict
from onlooker.errors import ConfigError, ShapeError
from onlooker.evaluation.segmentation import video_scores
from onlooker.methods.trackers.isvos.data import ClipsConfig, TrainingSet, test_clips, training_clips
from onlooker.methods.trackers.isvos.infer import IsvosSegmenter
from onlooker.methods.trackers.isvos.losses import (
    VOID,
    BootstrapConfig,
    InstanceLoss,
    bootstrapped_cross_entropy,
    dice_loss,
)
from onlooker.methods.trackers.isvos.model import ClipOutput, Isvos
from onlooker.nn.timm_pyramid import freeze_stages_, start_from_packaged_
from onlooker.train.task import Batch, Metric, Moment, ParameterGroup, SampleDataset, Task


@dataclass(frozen=True)
class FollowOptions:
    """Options of the task.

    Attributes:
        clips: the data.
        instance_steps: the first so many steps train the instance branch by itself, as the paper's comes trained on
            COCO; every third of them is on single pictures that are made to move.
        still_steps: so many steps after those are on single pictures that are made to move (the paper's first stage).
        memory_frames: most earlier frames a frame may read in training, the first among them (XMem: 3).
        bootstrap: of the cross-entropy.
        instance_weight: of the instance branch's loss; the paper's is not known. 0 trains the memory branch alone.
        instance_frames: frames of every clip the instance loss looks at, drawn anew; left out, all.
        points: places at which the instance loss compares masks.
        backbone: what the backbone starts from: left out, what the network has; or weights that come with this package,
            "efficientnet-lite0" of ImageNet for the configuration `tiny-imagenet`, "mobilenet-coco" for `tiny-coco`.
        backbone_rate: learning rate of the backbone, as a part of the recipe's.
        instance_rate: likewise of the rest of the instance branch, for one that has learned before.
        frozen_stages: stem and so many first stages of a backbone of timm's are not trained, which saves time.
    """

    clips: ClipsConfig = field(default_factory=ClipsConfig)
    instance_steps: int = 0
    still_steps: int = 0
    memory_frames: int = 3
    bootstrap: BootstrapConfig = field(default_factory=BootstrapConfig)
    instance_weight: float = 1.0
    instance_frames: int | None = None
    points: int = 12_544
    backbone: Literal["efficientnet-lite0", "mobilenet-coco"] | None = None
    backbone_rate: float = 1.0
    instance_rate: float = 1.0
    frozen_stages: int = 0

    def __post_init__(self) -> None:
        if min(self.instance_steps, self.still_steps, self.instance_weight) < 0:
            raise ConfigError(f"steps and weights are 0 or more, got {self}")
        if min(self.memory_frames, self.points) < 1:
            raise ConfigError(f"counts are 1 or more, got {self}")
        if self.instance_frames is not None and self.instance_frames < 1:
            raise ConfigError(f"`instance_frames` is 1 or more, or left out, got {self.instance_frames}")
        if not 0 < self.backbone_rate <= 1 or not 0 < self.instance_rate <= 1 or not 0 <= self.frozen_stages <= 4:
            raise ConfigError(
                "`backbone_rate` and `instance_rate` are above 0 and at most 1 and `frozen_stages` 0 to 4, "
                f"got {self.backbone_rate}, {self.instance_rate} and {self.frozen_stages}"
            )


class FollowTask(Task):
    """Objects of the first frame are followed through a clip.

    Args:
        network: what is trained.
        options: see there.
    """

    network: Isvos

    def __init__(self, network: Isvos, options: FollowOptions) -> None:
        super().__init__(network)
        self.options = options
        self.instance_loss = InstanceLoss(network.config, options.points)
        if options.backbone is not None:
            start_from_packaged_(network.instances.backbone, options.backbone)
        freeze_stages_(network.instances.backbone, options.frozen_stages)

    @property
    def metric(self) -> Metric:
        return Metric("j_and_f", "%")

    def datasets(self) -> Mapping[str, SampleDataset]:
        clips = self.options.clips
        make = training_clips(clips)
        return {"still": TrainingSet(clips, make, still=True), "moving": TrainingSet(clips, make, still=False)}

    def dataset_at(self, step: int) -> str:
        """Single pictures first, or now and then while the instance branch learns by itself."""
        joint = step - self.options.instance_steps
        still = step % 3 == 0 if joint < 0 else joint < self.options.still_steps
        return "still" if still else "moving"

    def data_fingerprint(self) -> str:
        """Digest of what the clips are made from by number."""
        said = json.dumps(config_to_dict(self.options.clips), sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Losses of one batch of `TrainingSet` samples, stacked.

        Raises:
            ShapeError: frames hold values that are not finite.
        """
        frames, labels = batch["frames"], batch["labels"]
        if not frames.isfinite().all():
            raise ShapeError("a frame holds values that are not finite; look at how it was normalised")
        if moment.step < self.options.instance_steps:
            return self._instances_alone(frames, batch["instances"])
        masks = object_masks(labels[:, 0], self.options.clips.objects)
        present = masks.flatten(2).any(dim=2)
        plan = self._plan(frames.shape[1], moment)
        output = self.network(frames, masks, present, plan)
        logits, truth = output.logits.flatten(0, 1), labels[:, 1:].flatten(0, 1)
        part = self.options.bootstrap.part_at(moment.step - self.options.instance_steps)
        pixels = bootstrapped_cross_entropy(logits, truth, part)
        every_frame = present.repeat_interleave(output.logits.shape[1], dim=0)
        dice = dice_loss(logits.softmax(dim=1), truth, every_frame)
        losses = {"pixels": pixels, "dice": dice, "loss": pixels + dice}
        if self.options.instance_weight > 0:
            losses["instances"] = self._instances(output, batch["instances"], moment)
            losses["loss"] = losses["loss"] + self.options.instance_weight * losses["instances"]
        return losses

    def parameter_groups(self) -> tuple[ParameterGroup, ...]:
        """Parts with rates of their own, each with and without weight decay; the usual groups where all learn alike."""
        branch = self.network.instances
        rates = {"backbone": self.options.backbone_rate, "instances": self.options.instance_rate}
        if set(rates.values()) == {1.0}:
            return super().parameter_groups()
        parts: dict[str, list[nn.Parameter]] = {"backbone": [], "instances": [], "rest": []}
        known = {id(parameter): "instances" for parameter in branch.parameters()}
        known |= {id(parameter): "backbone" for parameter in branch.backbone.parameters()}
        for parameter in self.parameters():
            if parameter.requires_grad:
                parts[known.get(id(parameter), "rest")].append(parameter)
        groups = []
        for name, found in parts.items():
            matrices, vectors = (tuple(p for p in found if (p.ndim > 1) == wanted) for wanted in (True, False))
            rate = rates.get(name, 1.0)
            groups.append(ParameterGroup(name, matrices, rate=rate))
            groups.append(ParameterGroup(f"{name}, gains and biases", vectors, weight_decay=0.0, rate=rate))
        return tuple(group for group in groups if group.parameters)

    def _instances_alone(self, frames: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """The instance branch's loss, on the first two frames of every clip."""
        branch = self.network.instances
        found = branch(branch.stages(frames[:, :2].flatten(0, 1)), heads=True)
        loss: Tensor = self.instance_loss(found.class_logits, found.mask_logits, labels[:, :2].flatten(0, 1))
        return {"instances": loss, "loss": loss}

    def _instances(self, output: ClipOutput, labels: Tensor, moment: Moment) -> Tensor:
        """The instance branch's loss on some frames of every clip; `labels` (B, T, H, W)."""
        clips, length = labels.shape[:2]
        n_frames = min(self.options.instance_frames or length, length)
        drawn = torch.rand(clips, length, generator=moment.generator).argsort(dim=1)[:, :n_frames].to(labels.device)
        rows = (drawn + torch.arange(clips, device=labels.device)[:, None] * length).flatten()  # of the B*T frames
        classes, masks = (tuple(x[rows] for x in part) for part in (output.class_logits, output.mask_logits))
        loss: Tensor = self.instance_loss(classes, masks, labels.flatten(0, 1)[rows])
        return loss

    def evaluate(self) -> dict[str, float]:
        """J, F and their mean in percent over the test clips, followed as at inference."""
        clips = self.options.clips
        make, segmenter = test_clips(clips), IsvosSegmenter.from_network(self.network)
        scores = []
        for number in range(clips.n_test):
            clip = make(number)
            if np.isin(clip.labels[0], (0, VOID)).all():
                continue  # nothing to follow
            found = segmenter.follow(list(clip.frames), clip.labels[0])
            scores.append(video_scores(found, clip.labels))
        if not scores:
            raise ConfigError("no test clip shows an object on its first frame; raise `clips.n_test`")
        return {
            "j": float(np.mean([score.j_percent for score in scores])),
            "f": float(np.mean([score.f_percent for score in scores])),
            "j_and_f": float(np.mean([score.j_and_f_percent for score in scores])),
        }

    def _plan(self, length: int, moment: Moment) -> list[list[int]]:
        """For each frame from the second on, the earlier frames it reads: the first and random others."""
        plan = []
        for t in range(1, length):
            others = torch.randperm(t - 1, generator=moment.generator)[: self.options.memory_frames - 1] + 1
            plan.append([0, *sorted(others.tolist())])
        return plan


def object_masks(labels: Tensor, objects: int) -> Tensor:
    """(B, K, H, W) float masks of the objects 1..K of label maps (B, H, W)."""
    numbers = torch.arange(1, objects + 1, device=labels.device)
    return (labels.unsqueeze(1) == numbers[:, None, None]).float()


def follow(network: nn.Module, options: Mapping[str, object]) -> Task:
    """The task `follow` of recipes.

    Raises:
        UnknownNameError, ConfigError: an option that does not exist, or a value that cannot be.
    """
    if not isinstance(network, Isvos):
        raise ConfigError(f"`follow` trains an `Isvos`, got `{type(network).__name__}`")
    return FollowTask(network, config_from_dict(FollowOptions, options, "task_options."))
