"""What the training loop needs to know of a method: `Task`.

The loop calls the steps below in a fixed order; a method that needs something else overrides the one that differs.

Everything random in a step comes from `Moment`: a run that was stopped and resumed, or that is spread over processes,
meets the same numbers at the same step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from onlooker.errors import UnknownNameError

Batch = dict[str, Tensor]
SampleDataset = Dataset[dict[str, Tensor]]


@dataclass(frozen=True, slots=True)
class Metric:
    """What a task is judged by: a key of `Task.evaluate`."""

    name: str
    unit: str
    higher_is_better: bool = True


@dataclass(frozen=True, slots=True)
class Moment:
    """Where in a run a forward pass stands.

    Attributes:
        step: optimiser steps done before this one; 0 first.
        total: optimiser steps of the whole run.
        generator: on the CPU, seeded from run seed, step, process and micro-batch. `torch`'s global generator is
            seeded with the same numbers, for dropout.
    """

    step: int
    total: int
    generator: torch.Generator

    @property
    def fraction(self) -> float:
        """Part of the run that is done, in [0, 1)."""
        return self.step / self.total


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that share a learning rate.

    Attributes:
        name: for the log.
        parameters: each parameter of the task belongs to exactly one group, or to none if it is not trained.
        weight_decay: `None` takes the recipe's.
        schedule: (step, total) -> factor of the recipe's learning rate; `None` takes the recipe's schedule.
        rate: further factor of the learning rate, at every step.
    """

    name: str
    parameters: tuple[nn.Parameter, ...]
    weight_decay: float | None = None
    schedule: Callable[[int, int], float] | None = None
    rate: float = 1.0


class Task(nn.Module, ABC):
    """A network with its losses and data.

    Extra networks that are trained or kept (momentum copies, heads that are thrown away, teachers) are submodules of
    the task; `network` alone is what a finished run hands out.

    Args:
        network: what is trained and, at the end, saved.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    @property
    @abstractmethod
    def metric(self) -> Metric:
        """What runs are compared by."""

    @abstractmethod
    def datasets(self) -> Mapping[str, SampleDataset]:
        """Named map-style datasets; item i depends on i alone and holds only tensors. Most tasks have one, "train"."""

    @abstractmethod
    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Losses of one micro-batch: "loss" (scalar, mean over samples) is minimised; other scalars are logged."""

    @abstractmethod
    def evaluate(self) -> dict[str, float]:
        """Scores on held-out data of the task's own, `metric.name` among them. Called in evaluation mode, without
        gradients, on the main process."""

    def dataset_at(self, step: int) -> str:
        """Which dataset feeds a step. Default: the only one."""
        names = list(self.datasets())
        if len(names) != 1:
            raise UnknownNameError("dataset of a step: override `dataset_at`", str(step), names)
        return names[0]

    def collate(self, samples: list[dict[str, Tensor]]) -> Batch:
        """Samples to a batch. Default: every tensor stacked along a new first dimension."""
        return {name: torch.stack([sample[name] for sample in samples]) for name in samples[0]}

    def parameter_groups(self) -> tuple[ParameterGroup, ...]:
        """Who learns how fast. Default: matrices with the recipe's weight decay, gains and biases without."""
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        return (
            ParameterGroup("weights", tuple(p for p in trained if p.ndim > 1)),
            ParameterGroup("gains and biases", tuple(p for p in trained if p.ndim <= 1), weight_decay=0.0),
        )

    def data_fingerprint(self) -> str | None:
        """What identifies the data (a hash of files, or seed and version of a synthetic world), for the result file."""
        return None

    def companions(self) -> Mapping[str, str]:
        """Texts that belong beside the weights, by file name: a vocabulary, names of classes. Default: none."""
        return {}

    def before_step(self, moment: Moment) -> None:
        """Called before the first forward of an optimiser step (a noise level that decays, say). Default: nothing.
        All processes draw the same numbers here and in `after_step`."""

    def after_step(self, moment: Moment) -> None:
        """Called after the optimiser's step (momentum copies, queues). Default: nothing."""
