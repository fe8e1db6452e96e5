"""A real task small enough for many runs: a regression with dropout, two datasets that can take turns, and a queue."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from onlooker.train.task import Batch, Metric, Moment, SampleDataset, Task

N_SAMPLES = 24


class Points(Dataset[dict[str, Tensor]]):
    """Points x (6,) with y = sin of their sum; `seen` lists what was asked for."""

    def __init__(self, n_samples: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.x = torch.randn(n_samples, 6, generator=generator)
        self.seen: list[int] = []

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        self.seen.append(index)
        return {"x": self.x[index], "y": self.x[index].sum().sin(), "index": torch.tensor(index)}


class SmallTask(Task):
    """Mean squared error of a two-layer network.

    Args:
        dropout: of the hidden layer; 0 makes losses a function of the samples alone.
        alternate: a second dataset feeds every third step.
        noise: standard deviation of noise on x, drawn from the moment's generator.
    """

    def __init__(self, dropout: float = 0.0, alternate: bool = False, noise: float = 0.0) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(7)
            super().__init__(nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Dropout(dropout), nn.Linear(16, 1)))
        self.register_buffer("queue", torch.zeros(4))
        self.queue: Tensor
        self.noise = noise
        self.points = {"train": Points(N_SAMPLES, 0)}
        if alternate:
            self.points["other"] = Points(10, 1)
        self.calls: list[str] = []

    @property
    def metric(self) -> Metric:
        return Metric("error", "squared distance", higher_is_better=False)

    def datasets(self) -> Mapping[str, SampleDataset]:
        return self.points

    def dataset_at(self, step: int) -> str:
        return "other" if len(self.points) > 1 and step % 3 == 2 else "train"

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        x = batch["x"] + self.noise * torch.randn(batch["x"].shape, generator=moment.generator)
        error = (self.network(x).squeeze(1) - batch["y"]).square()
        return {"loss": error.mean(), "largest": error.detach().max()}

    def after_step(self, moment: Moment) -> None:
        self.queue.copy_(torch.cat([self.queue[1:], torch.rand(1, generator=moment.generator)]))

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        held_out = Points(16, 2)
        y = held_out.x.sum(1).sin()
        return {"error": float((self.network(held_out.x).squeeze(1) - y).square().mean())}
