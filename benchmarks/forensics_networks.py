"""The tiny networks of the forensic methods as contestants: trained on whatever samples the benchmark hands them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from onlooker.errors import ConfigError
from onlooker.evaluation.forgery import image_auc
from onlooker.methods.forensics import m2tr as m2tr_method
from onlooker.methods.forensics import objectformer as objectformer_method
from onlooker.methods.forensics.m2tr.data import to_pixels
from onlooker.methods.forensics.m2tr.infer import M2trJudge
from onlooker.methods.forensics.m2tr.losses import LossConfig as M2trLossConfig
from onlooker.methods.forensics.m2tr.losses import m2tr_loss
from onlooker.methods.forensics.m2tr.model import M2tr, fake_probability
from onlooker.methods.forensics.m2tr.weights import load_backbone
from onlooker.methods.forensics.media_forensics.learned import JudgeDetector
from onlooker.methods.forensics.media_forensics.protocols import Contestant
from onlooker.methods.forensics.media_forensics.samples import Detector, Sample
from onlooker.methods.forensics.objectformer.data import normalise
from onlooker.methods.forensics.objectformer.infer import ObjectFormerJudge
from onlooker.methods.forensics.objectformer.losses import LossConfig, judgement_loss
from onlooker.methods.forensics.objectformer.model import ObjectFormer
from onlooker.train import train
from onlooker.train.config import OptimiserConfig, ScheduleConfig, TrainConfig
from onlooker.train.task import Batch, Metric, Moment, SampleDataset, Task
from onlooker.weights.lite0 import read_lite0

Losses = Callable[[nn.Module, Batch], dict[str, Tensor]]
Scores = Callable[[nn.Module, Tensor], Tensor]
_CHECKED = 200  # training samples the final score is taken on: a sign of life, no result


class _Samples(Dataset[dict[str, Tensor]]):
    """Samples of one size as tensors, mirrored at random by their place in the pass."""

    def __init__(self, samples: Sequence[Sample], to_image: Callable[[np.ndarray], Tensor]) -> None:
        self._samples, self._to_image = samples, to_image

    def __len__(self) -> int:
        return 2 * len(self._samples)  # every sample and its mirror image

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        sample = self._samples[index // 2]
        if sample.mask is None or sample.label is None:
            raise ConfigError("networks learn from samples with label and mask")
        image, mask = sample.image, sample.mask
        if index % 2:
            image, mask = np.ascontiguousarray(image[:, ::-1]), np.ascontiguousarray(mask[:, ::-1])
        return {
            "image": self._to_image(image),
            "mask": torch.from_numpy(mask.astype(np.float32)),
            "label": torch.tensor(sample.label),
        }


class _OnSamples(Task):
    """A network on samples that are at hand."""

    def __init__(self, network: nn.Module, data: _Samples, losses: Losses, scores: Scores) -> None:
        super().__init__(network)
        self._data, self._losses, self._scores = data, losses, scores

    @property
    def metric(self) -> Metric:
        return Metric("training_auc", "area under the curve")

    def datasets(self) -> Mapping[str, SampleDataset]:
        return {"train": self._data}

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        return self._losses(self.network, batch)

    def evaluate(self) -> dict[str, float]:
        samples = [self._data[2 * k] for k in range(min(_CHECKED, len(self._data) // 2))]
        scores = torch.cat([self._scores(self.network, s["image"][None]) for s in samples])
        labels = np.array([int(s["label"]) for s in samples])
        return {"training_auc": image_auc(scores.double().numpy(), labels).value}


def network_contestants(size_px: int, steps: int) -> list[Contestant]:
    """ObjectFormer and M2TR, tiny, where the tiles have the size these are built for; none otherwise."""
    made = []
    if objectformer_method.METHOD.configs["tiny"].image_size == size_px:
        made.append(Contestant("objectformer_tiny", functools.partial(_fit, _objectformer, steps), is_trained=True))
    if m2tr_method.METHOD.configs["tiny"].image_size == size_px:
        made.append(Contestant("m2tr_tiny", functools.partial(_fit, _m2tr, steps), is_trained=True))
    return made


@dataclass(frozen=True, eq=False, kw_only=True)
class NetworkDetector(JudgeDetector):
    """A network that hands out its gradients, so that it can be attacked; `logit` of (B, 3, H, W) in [0, 255]."""

    logit: Callable[[Tensor], Tensor]

    def suspicion(self, pixels: Tensor) -> Tensor:
        """(B,), higher for what looks manipulated."""
        return self.logit(pixels)


Setup = Callable[[Sequence[Sample], int], tuple[_OnSamples, Callable[[], Detector]]]


def _fit(set_up: Setup, steps: int, samples: Sequence[Sample], seed: int) -> Detector:
    task, detector = set_up(samples, seed)
    config = TrainConfig(
        seed=seed,
        steps=steps,
        batch_size=16,
        clip_norm=1.0,
        optimiser=OptimiserConfig("adamw", 2e-3, 0.01),
        schedule=ScheduleConfig("cosine", warmup_steps=min(20, steps)),
    )
    train(task, config, device="cpu")
    return detector()


def _objectformer(samples: Sequence[Sample], seed: int) -> tuple[_OnSamples, Callable[[], Detector]]:
    network = objectformer_method.METHOD.create(objectformer_method.METHOD.configs["tiny"], seed)
    assert isinstance(network, ObjectFormer)
    # Both losses alike: the small network has minutes (the settings of its tiny recipe).
    weights = LossConfig(lambda_cls=1.0, lambda_seg=1.0, mask="bce")

    def losses(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        return judgement_loss(model(batch["image"]), batch["mask"][:, None], batch["label"].float(), weights)

    data = _Samples(samples, lambda image: normalise(torch.from_numpy(image)))
    task = _OnSamples(network, data, losses, lambda model, image: model(image).image_logit)

    def logit(pixels: Tensor) -> Tensor:
        found: Tensor = network(normalise(pixels.movedim(1, -1))).image_logit
        return found.flatten()

    return task, lambda: NetworkDetector(
        name="objectformer_tiny", judge=ObjectFormerJudge.from_network(network), logit=logit
    )


def _m2tr(samples: Sequence[Sample], seed: int) -> tuple[_OnSamples, Callable[[], Detector]]:
    config = m2tr_method.METHOD.configs["tiny"]
    network = m2tr_method.METHOD.create(config, seed)
    assert isinstance(network, M2tr)
    load_backbone(network, read_lite0(), "efficientnet-lite0")  # from ImageNet, as its tiny recipe
    weights = M2trLossConfig(gamma=0.0, centre_weight=0.0)  # of the same recipe

    def losses(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        known = torch.ones(len(batch["label"]), dtype=torch.bool)
        return dict(m2tr_loss(model(batch["image"]), batch["label"], batch["mask"], known, weights))

    data = _Samples(samples, lambda image: to_pixels(image, config))
    task = _OnSamples(network, data, losses, lambda model, image: fake_probability(model(image).logits, 1.0))
    mean, std = (torch.tensor(values).reshape(3, 1, 1) for values in (config.mean, config.std))

    def logit(pixels: Tensor) -> Tensor:
        found: Tensor = network((pixels / 255 - mean) / std).logits
        return found[:, 1] - found[:, 0]

    return task, lambda: NetworkDetector(name="m2tr_tiny", judge=M2trJudge.from_network(network), logit=logit)
