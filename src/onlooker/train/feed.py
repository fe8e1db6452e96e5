"""Batches of a task's datasets, in the run's order, from this process or from loader processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, cast

from torch.utils.data import DataLoader

from onlooker.errors import ConfigError, UnknownNameError
from onlooker.train.config import TrainConfig
from onlooker.train.order import SampleOrder, Share
from onlooker.train.task import Batch, SampleDataset, Task


class _Sized(Protocol):
    def __len__(self) -> int: ...


class Feed:
    """Gives every step its micro-batches.

    Each dataset counts its own batches, so that two that take turns are each gone through in full.

    Args:
        task: whose datasets and `collate` are used.
        config: seed, batch size and loader processes.
        share: what this process loads.

    Raises:
        ConfigError: no dataset, an empty one, or a batch that cannot be shared out evenly.
    """

    def __init__(self, task: Task, config: TrainConfig, share: Share) -> None:
        self._task, self._config, self._share = task, config, share
        self._datasets: Mapping[str, SampleDataset] = task.datasets()
        self.counters: dict[str, int] = dict.fromkeys(self._datasets, 0)
        self._iterators: dict[str, Iterator[Batch]] = {}
        parts = share.n_processes * share.micro_batches
        if config.batch_size % parts:
            raise ConfigError(
                f"`train.batch_size` ({config.batch_size}) must be a multiple of {share.n_processes} processes times "
                f"{share.micro_batches} micro-batches"
            )
        self._orders = {
            name: SampleOrder(config.seed, name, _size(name, dataset), config.batch_size)
            for name, dataset in self._datasets.items()
        }
        if not self._orders:
            raise ConfigError(f"`{type(task).__name__}.datasets()` names no dataset")

    def name_at(self, step: int) -> str:
        """The dataset that feeds a step.

        Raises:
            UnknownNameError: the task names one that it has not got.
        """
        if len(self._orders) == 1:
            return next(iter(self._orders))
        name = self._task.dataset_at(step)
        if name not in self._orders:
            raise UnknownNameError(f"dataset of step {step}", name, self._orders)
        return name

    def take(self, step: int) -> list[Batch]:
        """The micro-batches of a step for this process; its dataset moves on by one batch."""
        name = self.name_at(step)
        if self._config.n_workers == 0:
            indices = self._share.of(self._orders[name].batch(self.counters[name]))
            dataset = self._datasets[name]
            batches = [self._task.collate([dataset[index] for index in micro]) for micro in indices]
        else:
            batches = [next(self._loader(name)) for _ in range(self._share.micro_batches)]
        self.counters[name] += 1
        return batches

    def close(self) -> None:
        """Ends loader processes."""
        self._iterators.clear()

    def _loader(self, name: str) -> Iterator[Batch]:
        if name not in self._iterators:
            batches = _EndlessBatches(self._orders[name], self._share, self.counters[name])
            loader: DataLoader[Batch] = DataLoader(
                self._datasets[name],
                batch_sampler=batches,
                num_workers=self._config.n_workers,
                collate_fn=self._task.collate,
            )
            self._iterators[name] = iter(loader)
        return self._iterators[name]


class _EndlessBatches:
    """Sample numbers of one micro-batch after the other, from batch `first` on."""

    def __init__(self, order: SampleOrder, share: Share, first: int) -> None:
        self._order, self._share, self._first = order, share, first

    def __iter__(self) -> Iterator[list[int]]:
        number = self._first
        while True:
            yield from self._share.of(self._order.batch(number))
            number += 1


def _size(name: str, dataset: SampleDataset) -> int:
    if not hasattr(dataset, "__len__"):
        raise ConfigError(f"dataset `{name}` has no length; training takes map-style datasets")
    size = len(cast("_Sized", dataset))
    if size == 0:
        raise ConfigError(f"dataset `{name}` is empty")
    return size
