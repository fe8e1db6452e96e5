"""Training: real or fake, where, and real faces held together; afterwards the probabilities are calibrated."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from onlooker.configs import config_from_dict
from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.forensics.m2tr.data import ForgedPictures, IndexedFaces, PicturesConfig, make_pictures
from onlooker.methods.forensics.m2tr.losses import LossConfig, m2tr_loss
from onlooker.methods.forensics.m2tr.model import FAKE, M2tr, M2trOutput, fake_probability
from onlooker.methods.forensics.m2tr.scores import (
    best_threshold,
    equal_error_rate,
    fit_temperature,
    mask_scores,
    ranking_auc,
)
from onlooker.methods.forensics.m2tr.weights import load_backbone
from onlooker.synth.forgeries.values import Split
from onlooker.train.task import Batch, Metric, Moment, SampleDataset, Task
from onlooker.weights.files import read_tensors
from onlooker.weights.lite0 import read_lite0

CALIBRATION_FILE = "calibration.json"
"""Beside the weights: temperature, threshold, and what they were measured on."""
PACKAGED_BACKBONE = "efficientnet-lite0"
"""Names the weights that come with this package where a file could stand."""
_EVALUATED_AT_ONCE = 32


@dataclass(frozen=True)
class DetectOptions:
    """Options of the task.

    Attributes:
        pictures: the data.
        loss: terms and their weights.
        backbone: what the backbone starts from, as the paper's does from ImageNet (AdvProp): a file with timm's
            weights of it, or "efficientnet-lite0", the weights of that network that come with this package.
    """

    pictures: PicturesConfig = field(default_factory=PicturesConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    backbone: str | None = None


Pictures = ForgedPictures | IndexedFaces


class Seen(NamedTuple):
    """What the network made of one split."""

    logits: Tensor  # (N, classes)
    labels: Tensor  # (N,)
    mask_probabilities: Tensor | None  # (N, H, W)
    masks: Tensor  # (N, H, W) bool
    has_mask: Tensor  # (N,) bool

    @property
    def fake(self) -> Tensor:
        """(N,) bool."""
        return self.labels >= FAKE


class DetectTask(Task):
    """Detection of manipulated pictures.

    Args:
        network: see there.
        options: see there.
        splits: all of the data, made from `options.pictures` before; left out, it is made when first needed.
    """

    network: M2tr

    def __init__(self, network: M2tr, options: DetectOptions, splits: Mapping[Split, Pictures] | None = None) -> None:
        super().__init__(network)
        self.options = options
        self._given = splits
        self._calibration: dict[str, object] | None = None
        if options.backbone == PACKAGED_BACKBONE:
            load_backbone(network, read_lite0(), PACKAGED_BACKBONE)
        elif options.backbone is not None:
            path = Path(options.backbone)
            load_backbone(network, read_tensors(path, ("state_dict", "model")), str(path))

    @property
    def metric(self) -> Metric:
        return Metric("auc", "%")

    def datasets(self) -> Mapping[str, SampleDataset]:
        return {"train": self._pictures["train"]}

    def data_fingerprint(self) -> str:
        return "; ".join(f"{split} {pictures.fingerprint()}" for split, pictures in self._pictures.items())

    def companions(self) -> Mapping[str, str]:
        """The calibration that goes with the weights that were evaluated last."""
        if self._calibration is None:
            return {}
        return {CALIBRATION_FILE: json.dumps(self._calibration, indent=1) + "\n"}

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """`image` (B, 3, S, S), `label` (B,), `mask` (B, S, S), `has_mask` (B,) to the loss and its parts.

        Raises:
            ShapeError: pictures hold NaN or infinite values.
        """
        image, labels = batch["image"], batch["label"]
        if not image.isfinite().all():
            raise ShapeError("a picture holds values that are not finite; look at how it was normalised")
        output: M2trOutput = self.network(image)
        parts = m2tr_loss(output, labels, batch["mask"], batch["has_mask"], self.options.loss)
        accuracy = ((output.logits.detach().argmax(-1) >= FAKE) == (labels >= FAKE)).float().mean()
        return {**parts, "accuracy": accuracy}

    def evaluate(self) -> dict[str, float]:
        """On the test pictures: AUC, equal error rate and accuracy (at 0.5 and at the validation's threshold) in
        percent; with a mask head IoU, F1 and pixel AUC on manipulated ones. Temperature and threshold are of the
        validation pictures."""
        held_out, test = self.see("validation"), self.see("test")
        temperature = fit_temperature(held_out.logits, held_out.labels)
        threshold = best_threshold(fake_probability(held_out.logits, temperature), held_out.fake)
        probability = fake_probability(test.logits, temperature)
        fake, scores = test.fake.numpy(), probability.numpy()
        auc = 100.0 * ranking_auc(scores, fake)
        self._calibration = {
            "temperature": temperature,
            "threshold": threshold,
            "tested_on": self._pictures["test"].fingerprint()[:200],
            "test_auc_percent": auc,
        }
        return {
            "auc": auc,
            "equal_error_rate": 100.0 * equal_error_rate(scores, fake),
            "accuracy": 100.0 * float(((scores >= 0.5) == fake).mean()),
            "accuracy_at_threshold": 100.0 * float(((scores >= threshold) == fake).mean()),
            "temperature": temperature,
            **_mask_results(test),
        }

    def see(self, split: Split) -> Seen:
        """The network's answers on a split, in evaluation mode if the network is."""
        return see(self.network, self._pictures[split])

    @functools.cached_property
    def _pictures(self) -> Mapping[Split, Pictures]:
        return self._given or make_pictures(self.network.config, self.options.pictures)


def see(network: M2tr, pictures: Pictures) -> Seen:
    """Answers of a network on a data set, on the CPU, without gradients."""
    device = next(network.parameters()).device
    seen: list[Seen] = []
    for start in range(0, len(pictures), _EVALUATED_AT_ONCE):
        samples = [pictures[place] for place in range(start, min(start + _EVALUATED_AT_ONCE, len(pictures)))]
        batch = {name: torch.stack([sample[name] for sample in samples]) for name in samples[0]}
        with torch.no_grad():
            output: M2trOutput = network(batch["image"].to(device))
        found = None if output.mask_logits is None else output.mask_logits[:, 0].sigmoid().cpu()
        seen.append(Seen(output.logits.float().cpu(), batch["label"], found, batch["mask"], batch["has_mask"]))
    found_masks = [part.mask_probabilities for part in seen if part.mask_probabilities is not None]
    return Seen(
        torch.cat([part.logits for part in seen]),
        torch.cat([part.labels for part in seen]),
        torch.cat(found_masks) if found_masks else None,
        torch.cat([part.masks for part in seen]),
        torch.cat([part.has_mask for part in seen]),
    )


def detect(network: nn.Module, options: Mapping[str, object]) -> Task:
    """The task `detect` of recipes.

    Raises:
        UnknownNameError, ConfigError: an option that does not exist, or a value that cannot be.
    """
    if not isinstance(network, M2tr):
        raise ConfigError(f"`detect` trains an `M2tr`, got `{type(network).__name__}`")
    return DetectTask(network, config_from_dict(DetectOptions, options))


def _mask_results(seen: Seen) -> dict[str, float]:
    if seen.mask_probabilities is None:
        return {}
    shown = seen.fake & seen.has_mask & seen.masks.flatten(1).any(dim=1)
    scores = mask_scores(seen.mask_probabilities[shown].numpy(), seen.masks[shown].numpy())
    return {"mask_iou": 100.0 * scores.iou, "mask_f1": 100.0 * scores.f1, "mask_auc": 100.0 * scores.auc}
