"""Settings of a training run, as recipes give them in `[train]`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from onlooker.errors import ConfigError

Precision = Literal["no", "bf16", "fp16"]
Device = Literal["auto", "cpu", "cuda", "mps"]


@dataclass(frozen=True, slots=True)
class OptimiserConfig:
    """What turns gradients into steps.

    Attributes:
        name: "adamw", "lamb" (timm's, without a clipping of its own), or "sgd".
        learning_rate: what schedules multiply.
        weight_decay: of parameter groups that do not state their own. Decoupled for adamw and lamb.
        betas: of adamw and lamb; left out, (0.9, 0.999).
        epsilon: of adamw and lamb; left out, the optimiser's own: 1e-8 and 1e-6.
        momentum: of sgd; left out, 0.9.
    """

    name: Literal["adamw", "lamb", "sgd"] = "adamw"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    betas: tuple[float, float] | None = None
    epsilon: float | None = None
    momentum: float | None = None

    def __post_init__(self) -> None:
        _check(_positive(self.learning_rate), "optimiser.learning_rate", "positive", self.learning_rate)
        _check(_not_negative(self.weight_decay), "optimiser.weight_decay", "0 or more", self.weight_decay)
        if self.name == "sgd" and (self.betas is not None or self.epsilon is not None):
            raise ConfigError("`optimiser.betas` and `optimiser.epsilon` mean nothing to `sgd`; leave them out")
        if self.name != "sgd" and self.momentum is not None:
            raise ConfigError(f"`optimiser.momentum` means nothing to `{self.name}`; leave it out, or set `betas`")
        _check(all(0 <= beta < 1 for beta in self.betas or ()), "optimiser.betas", "in [0, 1)", self.betas)
        _check(self.epsilon is None or _positive(self.epsilon), "optimiser.epsilon", "positive", self.epsilon)
        _check(self.momentum is None or 0 <= self.momentum < 1, "optimiser.momentum", "in [0, 1)", self.momentum)


@dataclass(frozen=True, slots=True)
class ScheduleConfig:
    """How the learning rate goes over the run.

    Attributes:
        name: "cosine" and "linear" fall from the whole rate to `final_fraction` of it; "step" multiplies it by
            `milestone_factor` at every milestone; "constant" leaves it.
        warmup_steps: the rate rises in a straight line over so many steps; the first has 1 / warmup_steps of it.
        final_fraction: of cosine and linear.
        milestones: of step, in optimiser steps, rising.
        milestone_factor: of step.
    """

    name: Literal["cosine", "linear", "constant", "step"] = "cosine"
    warmup_steps: int = 0
    final_fraction: float = 0.0
    milestones: tuple[int, ...] = ()
    milestone_factor: float = 0.1

    def __post_init__(self) -> None:
        _check(self.warmup_steps >= 0, "schedule.warmup_steps", "0 or more", self.warmup_steps)
        _check(0 <= self.final_fraction <= 1, "schedule.final_fraction", "in [0, 1]", self.final_fraction)
        _check(_positive(self.milestone_factor), "schedule.milestone_factor", "positive", self.milestone_factor)
        rising = list(self.milestones) == sorted(set(self.milestones)) and min(self.milestones, default=1) > 0
        _check(rising, "schedule.milestones", "positive and rising", self.milestones)
        if (self.name == "step") != bool(self.milestones):
            raise ConfigError("`schedule.milestones` belongs to the schedule `step`, which needs at least one")
        if self.final_fraction and self.name not in ("cosine", "linear"):
            raise ConfigError(f"`schedule.final_fraction` means nothing to `{self.name}`; use `cosine` or `linear`")


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """A run.

    Attributes:
        seed: of data order, dropout and every other draw of the run. The network's first weights are the caller's.
        steps: optimiser steps of the whole run.
        batch_size: samples of one optimiser step, over all processes and micro-batches.
        micro_batches: forward passes, one after the other, that a process makes for one optimiser step.
        optimiser, schedule: see there.
        ema_decay: an exponential average of the network's parameters is kept, evaluated and handed out in the end.
        clip_norm: the largest allowed norm of all gradients together.
        precision: of the forward pass, by autocast; "fp16" needs a graphics card.
        eval_every, checkpoint_every: in optimiser steps; left out, an evaluation at the end and no checkpoint but that
            of an interruption.
        keep_checkpoints: the newest so many stay.
        log_every: in optimiser steps; the first and the last are always logged.
        n_workers: processes that load data; 0 loads in the training process.
    """

    seed: int = 0
    steps: int = 1000
    batch_size: int = 32
    micro_batches: int = 1
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    ema_decay: float | None = None
    clip_norm: float | None = None
    precision: Precision = "no"
    eval_every: int | None = None
    checkpoint_every: int | None = None
    keep_checkpoints: int = 2
    log_every: int = 10
    n_workers: int = 0

    def __post_init__(self) -> None:
        _check(0 <= self.seed < 2**63, "train.seed", "in [0, 2^63)", self.seed)
        for name in ("steps", "batch_size", "micro_batches", "keep_checkpoints", "log_every"):
            _check(getattr(self, name) >= 1, f"train.{name}", "1 or more", getattr(self, name))
        for name in ("eval_every", "checkpoint_every"):
            value = getattr(self, name)
            _check(value is None or value >= 1, f"train.{name}", "1 or more, or left out", value)
        _check(self.n_workers >= 0, "train.n_workers", "0 or more", self.n_workers)
        _check(self.ema_decay is None or 0 < self.ema_decay < 1, "train.ema_decay", "in (0, 1)", self.ema_decay)
        _check(self.clip_norm is None or _positive(self.clip_norm), "train.clip_norm", "positive", self.clip_norm)
        warmup = self.schedule.warmup_steps
        _check(warmup <= self.steps, "train.schedule.warmup_steps", f"at most the {self.steps} `train.steps`", warmup)
        if self.batch_size % self.micro_batches:
            raise ConfigError(
                f"`train.batch_size` ({self.batch_size}) must be a multiple of "
                f"`train.micro_batches` ({self.micro_batches})"
            )


def _positive(value: float) -> bool:
    return math.isfinite(value) and value > 0


def _not_negative(value: float) -> bool:
    return math.isfinite(value) and value >= 0


def _check(fits: bool, name: str, wanted: str, value: object) -> None:
    if not fits:
        raise ConfigError(f"setting `{name}` must be {wanted}, got `{value}`")
