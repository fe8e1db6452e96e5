"""Finetuning with token selection: the scorers learn from the start, the backbone waits, the noise fades."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from onlooker.configs import config_from_dict
from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.encoders.stts.data import ClipsConfig, NeedleClips, PatchClips, make_clips
from onlooker.methods.encoders.stts.losses import MixConfig, mix_clips, soft_cross_entropy
from onlooker.methods.encoders.stts.model import Stts
from onlooker.methods.encoders.stts.own_clips import OwnClips
from onlooker.methods.encoders.stts.weights import key_map, load_unpruned
from onlooker.train.task import Batch, Metric, Moment, ParameterGroup, SampleDataset, Task
from onlooker.weights.files import read_tensors

_EVALUATED_AT_ONCE = 32


@dataclass(frozen=True)
class ClassifyOptions:
    """Options of the task.

    Attributes:
        clips: the data.
        mix: how labels are softened.
        unpruned: file with a trained network without selection to start from, as the paper does.
        backbone_waits: part of the run in which all but the scorers stand still (paper: 3 of 20 epochs).
        backbone_rate: afterwards their learning rate is at most so much of the recipe's (paper: 0.1).
        final_rate: where the cosine of both ends, as a part of the recipe's rate (paper: 1e-6 of 1e-4).
    """

    clips: ClipsConfig = field(default_factory=ClipsConfig)
    mix: MixConfig = field(default_factory=MixConfig)
    unpruned: str | None = None
    backbone_waits: float = 0.15
    backbone_rate: float = 0.1
    final_rate: float = 0.01

    def __post_init__(self) -> None:
        for name in ("backbone_waits", "backbone_rate", "final_rate"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f"`{name}` is a part in [0, 1], got {getattr(self, name)}")


class ClassifyTask(Task):
    """Classification of clips.

    Args:
        network: with a classifier.
        options: see there.
    """

    network: Stts

    def __init__(self, network: Stts, options: ClassifyOptions) -> None:
        if network.config.num_classes is None:
            raise ConfigError("classification needs a network with `num_classes`")
        super().__init__(network)
        self.options = options
        self._classes = network.config.num_classes
        if options.unpruned is not None:
            path = Path(options.unpruned)
            load_unpruned(network, read_tensors(path, key_map(network.config).wrappers), str(path))

    @property
    def metric(self) -> Metric:
        return Metric("top1", "%")

    def datasets(self) -> Mapping[str, SampleDataset]:
        return {"train": self._train_clips}

    def companions(self) -> Mapping[str, str]:
        """Names of the classes, which the application shows instead of numbers."""
        return {"labels.txt": "".join(f"{name}\n" for name in self._train_clips.class_names)}

    def data_fingerprint(self) -> str:
        """The settings of a world; of a table, what its rows say and how large the files are."""
        if isinstance(self._train_clips, OwnClips) and isinstance(self._test_clips, OwnClips):
            return f"train {self._train_clips.fingerprint()}; test {self._test_clips.fingerprint()}"
        return f"synthetic clips {self.options.clips!r}"

    def sigma_at(self, moment: Moment) -> float:
        """Noise of the choice: falls in a straight line from the configuration's to 0 at the end of the run, where
        choosing in training and in evaluation become the same."""
        return self.network.config.selection.sigma * (1.0 - moment.fraction)

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """`clip` (B, 3, T, H, W) and `label` (B,) to the loss and, for the log, sigma and accuracy on hard labels.

        Raises:
            ShapeError: clips hold NaN or infinite values.
        """
        clips, labels = batch["clip"], batch["label"]
        if not clips.isfinite().all():
            raise ShapeError("a clip holds values that are not finite; look at how it was normalised")
        mixed, targets = mix_clips(clips, labels, self._classes, self.options.mix, moment.generator)
        sigma = self.sigma_at(moment)
        logits = self.network(mixed, sigma, moment.generator).logits
        return {
            "loss": soft_cross_entropy(logits, targets.to(logits)),
            "top1": (logits.detach().argmax(-1) == labels).float().mean(),
            "sigma": logits.new_tensor(sigma),
        }

    def evaluate(self) -> dict[str, float]:
        """Top-1 and top-5 in percent on the test clips, tokens chosen hard."""
        ranks = torch.cat([self._ranks(start) for start in range(0, len(self._test_clips), _EVALUATED_AT_ONCE)])
        return {f"top{k}": float((ranks < k).double().mean()) * 100.0 for k in (1, 5)}

    def parameter_groups(self) -> tuple[ParameterGroup, ...]:
        """Scorers and the rest, each with and without weight decay."""
        scorers = set(map(id, self.network.scorer_parameters().values()))
        whole = functools.partial(cosine, final=self.options.final_rate)
        groups = []
        for part, wanted, schedule in (("scorers", True, whole), ("backbone", False, self._backbone_schedule)):
            mine = [p for p in self.parameters() if (id(p) in scorers) is wanted and p.requires_grad]
            groups += [
                ParameterGroup(part, tuple(p for p in mine if p.ndim > 1), schedule=schedule),
                ParameterGroup(f"{part} gains and biases", tuple(p for p in mine if p.ndim <= 1), 0.0, schedule),
            ]
        return tuple(groups)

    def _backbone_schedule(self, step: int, total: int) -> float:
        if step < self.options.backbone_waits * total:
            return 0.0
        return min(cosine(step, total, final=self.options.final_rate), self.options.backbone_rate)

    def _ranks(self, start: int) -> Tensor:
        """How many classes were held likelier than the right one, for some of the test clips."""
        end = min(start + _EVALUATED_AT_ONCE, len(self._test_clips))
        samples = self.collate([self._test_clips[i] for i in range(start, end)])
        device = next(self.network.parameters()).device
        logits = self.network(samples["clip"].to(device)).logits.cpu()
        right = logits.gather(1, samples["label"][:, None])
        ranks: Tensor = (logits > right).sum(dim=1)
        return ranks

    @functools.cached_property
    def _train_clips(self) -> NeedleClips | PatchClips | OwnClips:
        return make_clips(self.network.config, self.options.clips, "train")

    @functools.cached_property
    def _test_clips(self) -> NeedleClips | PatchClips | OwnClips:
        return make_clips(self.network.config, self.options.clips, "test")


def cosine(step: int, total: int, final: float) -> float:
    """From 1 at the first step along half a cosine to `final` at the end; no warm-up."""
    return final + (1.0 - final) * 0.5 * (1.0 + math.cos(math.pi * step / total))


def classify(network: nn.Module, options: Mapping[str, object]) -> Task:
    """The task `classify` of recipes.

    Raises:
        UnknownNameError, ConfigError: an option that does not exist, or a value that cannot be.
    """
    if not isinstance(network, Stts):
        raise ConfigError(f"`classify` trains an `Stts`, got `{type(network).__name__}`")
    return ClassifyTask(network, config_from_dict(ClassifyOptions, options))
