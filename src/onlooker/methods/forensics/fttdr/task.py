"""Training in two stages, detection and then restoration, and at the end both together if wanted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from onlooker.configs import config_from_dict, config_to_dict
from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.forensics.fttdr.data import DamageConfig, DamagedPictures, damaged_pictures, fingerprint
from onlooker.methods.forensics.fttdr.infer import FtTdrRestorer
from onlooker.methods.forensics.fttdr.inpaint_net import dilate
from onlooker.methods.forensics.fttdr.judges import Features, FixedFeatures, PatchDiscriminator
from onlooker.methods.forensics.fttdr.losses import (
    MaskLossConfig,
    RestorationLossConfig,
    dice_loss,
    discriminator_hinge,
    hole_and_valid,
    mask_cross_entropy,
    perceptual_loss,
    side_loss,
    style_loss,
)
from onlooker.methods.forensics.fttdr.model import FtTdr, FtTdrOutput
from onlooker.methods.forensics.fttdr.scores import score_restoration
from onlooker.train.task import Batch, Metric, Moment, ParameterGroup, SampleDataset, Task

Phase = Literal["detect", "restore", "both"]


@dataclass(frozen=True, slots=True)
class PhasesConfig:
    """Which stage learns when, in parts of the run; what is left after `detect` and `restore` trains both together.

    Attributes:
        detect: first, stage 1 alone.
        restore: then stage 2 alone, stage 1 standing still.
        true_masks: part of `restore` in which stage 2 is given the true masks; afterwards those that stage 1 finds.
        together_rate: of the learning rate, while both learn (VCNet: 1e-5 after 1e-4).
        schedule: of the rate within each phase; "cosine" falls to 0.
    """

    detect: float = 0.4
    restore: float = 0.6
    true_masks: float = 0.6
    together_rate: float = 0.1
    schedule: Literal["constant", "cosine"] = "cosine"

    def __post_init__(self) -> None:
        if min(self.detect, self.restore) < 0 or self.detect + self.restore > 1 + 1e-9:
            raise ConfigError(f"`phases.detect` and `phases.restore` are parts of one run, got {self}")
        if not 0 <= self.true_masks <= 1 or not 0 < self.together_rate <= 1:
            raise ConfigError(f"`true_masks` is in [0, 1] and `together_rate` in (0, 1], got {self}")

    def at(self, fraction: float) -> tuple[Phase, float]:
        """The phase when `fraction` of the run is done, and how much of the phase is done."""
        if fraction < self.detect:
            return "detect", fraction / self.detect
        if fraction < self.detect + self.restore - 1e-9:
            return "restore", (fraction - self.detect) / self.restore
        left = 1 - self.detect - self.restore
        return ("both", (fraction - self.detect - self.restore) / left) if left > 1e-9 else ("restore", 1.0)


@dataclass(frozen=True)
class RestoreOptions:
    """Options of the task.

    Attributes:
        data: damaged pictures.
        phases: which stage learns when.
        mask_loss, restoration_loss: weights.
        mask_weight: of stage 1's loss while both learn (VCNet: 2).
        features: what perceptual and style losses compare by; their weights 0, unused.
        feature_weights: a file of torchvision's VGG16, for `features = "vgg16"`.
        discriminator_width: channels of its first layer.
    """

    data: DamageConfig = field(default_factory=DamageConfig)
    phases: PhasesConfig = field(default_factory=PhasesConfig)
    mask_loss: MaskLossConfig = field(default_factory=MaskLossConfig)
    restoration_loss: RestorationLossConfig = field(default_factory=RestorationLossConfig)
    mask_weight: float = 2.0
    features: Features = "random"
    feature_weights: str | None = None
    discriminator_width: int = 64

    def __post_init__(self) -> None:
        if self.mask_weight < 0 or self.discriminator_width < 1:
            raise ConfigError(f"`mask_weight` is 0 or more, `discriminator_width` positive, got {self}")
        if self.feature_weights is not None and self.features != "vgg16":
            raise ConfigError('`feature_weights` are those of `features = "vgg16"`')


class RestoreTask(Task):
    """Finds damage, then fills it.

    Args:
        network: what is trained.
        options: see there.
    """

    network: FtTdr

    def __init__(self, network: FtTdr, options: RestoreOptions) -> None:
        super().__init__(network)
        loss = options.restoration_loss
        self.options = options
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options.data.seed)
            self.discriminator = PatchDiscriminator(options.discriminator_width) if loss.adversarial > 0 else None
        # A recipe that is only looked at has no weights, and need not have those of the features.
        weights = None if next(network.parameters()).is_meta else options.feature_weights
        self.features = FixedFeatures(options.features, weights) if loss.needs_features else None

    @property
    def metric(self) -> Metric:
        return Metric("mask_iou", "%") if self.options.phases.detect >= 1 else Metric("psnr", "dB")

    def datasets(self) -> Mapping[str, SampleDataset]:
        data = self.options.data
        make = damaged_pictures(data, "train", self.network.config.image_size)
        return {"damaged": DamagedPictures(make, data.n_train, data.kept)}

    def data_fingerprint(self) -> str:
        """See `fingerprint`."""
        return fingerprint(self.options.data)

    def parameter_groups(self) -> tuple[ParameterGroup, ...]:
        """Each stage learns in its own phases, as the discriminator does with the second."""
        groups = [
            _group("detector", self.network.mask_net, self._rate("detect")),
            _group("restorer", self.network.inpaint_net, self._rate("restore")),
            _group("discriminator", self.discriminator, self._rate("restore")),
        ]
        return tuple(group for group in groups if group is not None)

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Losses of one batch of `DamagedPictures` samples, stacked.

        Raises:
            ShapeError: pictures hold values that are not finite.
        """
        damaged, truth, mask = batch["damaged"], batch["original"], batch["mask"]
        if not (damaged.isfinite().all() and truth.isfinite().all()):
            raise ShapeError("a picture holds values that are not finite; look at how it was made")
        phase, done = self._phase(moment)
        zero = damaged.new_zeros(())
        parts = dict.fromkeys(("cross_entropy", "dice", *_RESTORATION), zero)
        if phase == "detect":
            parts |= self._detection(self.network.find(damaged), mask)
        else:
            output = self._restored(damaged, mask, phase, done)
            parts |= self._restoration(output, truth, dilate(mask, self.network.config.dilate_px))
            if phase == "both":
                parts |= self._detection(output.mask_logits, mask)
        parts["loss"] = self._sum(parts, phase)
        return parts

    def evaluate(self) -> dict[str, float]:
        """Scores over the test pictures, restored as at inference; see `score_restoration`."""
        data = self.options.data
        make = damaged_pictures(data, "test", self.network.config.image_size)
        restorer = FtTdrRestorer.from_network(self.network)
        return score_restoration(restorer, [make(number) for number in range(data.n_test)])

    def _phase(self, moment: Moment) -> tuple[Phase, float]:
        """A single stage learns everything at once, all the time."""
        if self.network.mask_net is None:
            return "both", moment.fraction
        return self.options.phases.at(moment.fraction)

    def _rate(self, own: Phase) -> Callable[[int, int], float]:
        phases, alone = self.options.phases, self.network.mask_net is None

        def rate(step: int, total: int) -> float:
            phase, done = ("both", step / total) if alone else phases.at(step / total)
            if phase not in (own, "both"):
                return 0.0
            height = phases.together_rate if phase == "both" and not alone else 1.0
            return height * (0.5 * (1 + math.cos(math.pi * done)) if phases.schedule == "cosine" else 1.0)

        return rate

    def _restored(self, damaged: Tensor, mask: Tensor, phase: Phase, done: float) -> FtTdrOutput:
        network = self.network
        if phase == "both":
            output: FtTdrOutput = network(damaged)
            return output
        if done < self.options.phases.true_masks:
            return network.fill(damaged, dilate(mask, network.config.dilate_px), torch.zeros_like(mask))
        assert network.mask_net is not None
        network.mask_net.eval()  # it stands still, its statistics as well
        with torch.no_grad():
            logits = network.find(damaged)
            used = network.used_mask(logits)
        network.mask_net.train(network.training)
        return network.fill(damaged, used, logits)

    def _detection(self, logits: Tensor, mask: Tensor) -> dict[str, Tensor]:
        balance = self.options.mask_loss.balance
        return {"cross_entropy": mask_cross_entropy(logits, mask, balance), "dice": dice_loss(logits, mask)}

    def _restoration(self, output: FtTdrOutput, truth: Tensor, hole: Tensor) -> dict[str, Tensor]:
        raw = hole_and_valid(output.raw, truth, hole)
        parts = {"hole": raw.hole, "valid": raw.valid, "side": side_loss(output.sides, truth)}
        if self.features is not None:
            found, true = self.features(output.image), self.features(truth)
            parts |= {"perceptual": perceptual_loss(found, true), "style": style_loss(found, true)}
        if self.discriminator is not None:
            parts |= self._adversarial(self.discriminator, output.image, truth)
        return parts

    def _adversarial(self, judge: nn.Module, image: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """Both players' losses in one backward pass: the first reaches stage 2 alone, the second the judge alone."""
        judge.requires_grad_(False)
        fooled = -judge(image).mean()
        judge.requires_grad_(True)
        return {"adversarial": fooled, "discriminator": discriminator_hinge(judge(truth), judge(image.detach()))}

    def _sum(self, parts: Mapping[str, Tensor], phase: Phase) -> Tensor:
        mask, restored = self.options.mask_loss, self.options.restoration_loss
        detection = mask.cross_entropy * parts["cross_entropy"] + mask.dice * parts["dice"]
        if phase == "detect":
            return detection
        restoration = torch.stack([getattr(restored, name) * parts[name] for name in _WEIGHTED]).sum()
        restoration = restoration + parts["discriminator"]
        return restoration if phase == "restore" else restoration + self.options.mask_weight * detection


_WEIGHTED = ("hole", "valid", "side", "perceptual", "style", "adversarial")
_RESTORATION = (*_WEIGHTED, "discriminator")


def _group(name: str, part: nn.Module | None, rate: Callable[[int, int], float]) -> ParameterGroup | None:
    return None if part is None else ParameterGroup(name, tuple(part.parameters()), schedule=rate)


def detect(network: nn.Module, options: Mapping[str, object]) -> Task:
    """The task `detect` of recipes: stage 1 alone. Arguments and errors as `restore`."""
    return _task(network, options, PhasesConfig(detect=1.0, restore=0.0))


def restore(network: nn.Module, options: Mapping[str, object]) -> Task:
    """The task `restore` of recipes: stage 2 alone, around a stage 1 that was trained before (the recipe's `weights`).

    Raises:
        UnknownNameError, ConfigError: an option that does not exist, or a value that cannot be.
    """
    return _task(network, options, PhasesConfig(detect=0.0, restore=1.0))


def both(network: nn.Module, options: Mapping[str, object]) -> Task:
    """The task `both` of recipes: all phases in one run. Arguments and errors as `restore`."""
    return _task(network, options, PhasesConfig())


def _task(network: nn.Module, options: Mapping[str, object], phases: PhasesConfig) -> Task:
    if not isinstance(network, FtTdr):
        raise ConfigError(f"`fttdr` trains an `FtTdr`, got `{type(network).__name__}`")
    given = options.get("phases", {})
    if isinstance(given, Mapping):  # else the next line says what is wrong with it
        given = {**config_to_dict(phases), **given}
    return RestoreTask(network, config_from_dict(RestoreOptions, {**options, "phases": given}, "task_options."))
