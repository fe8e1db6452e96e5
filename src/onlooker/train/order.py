"""Which samples a step sees, and which numbers it draws: pure functions of the run's seed and the step."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch


def seed_from(*parts: int | str) -> int:
    """A seed in [0, 2^63) that depends on every part and is the same on every machine."""
    text = "\0".join(str(part) for part in parts).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1


@dataclass(frozen=True, slots=True)
class Share:
    """The part of every batch that one process loads.

    Attributes:
        process, n_processes: which of how many.
        micro_batches: of each process, per step.
    """

    process: int
    n_processes: int
    micro_batches: int

    def of(self, batch: list[int]) -> list[list[int]]:
        """This process's micro-batches of a global batch; those of all processes together are the batch.

        Args:
            batch: its length is a multiple of n_processes * micro_batches.
        """
        size = len(batch) // (self.n_processes * self.micro_batches)
        starts = [(micro * self.n_processes + self.process) * size for micro in range(self.micro_batches)]
        return [batch[start : start + size] for start in starts]


class SampleOrder:
    """The endless order of a dataset's samples: one permutation after the other, cut into batches. A batch may span two
    permutations, so that nothing is left out.

    Args:
        seed: of the run.
        name: of the dataset; two datasets of a run are shuffled differently.
        n_samples: at least 1.
        batch_size: of the global batch.
    """

    def __init__(self, seed: int, name: str, n_samples: int, batch_size: int) -> None:
        self._seed, self._name, self._n_samples, self._batch_size = seed, name, n_samples, batch_size
        self._epoch: int | None = None
        self._permutation: list[int] = []

    def batch(self, number: int) -> list[int]:
        """Sample numbers of the batch with this number, 0 first."""
        place, end = number * self._batch_size, (number + 1) * self._batch_size
        batch: list[int] = []
        while place < end:
            epoch, start = divmod(place, self._n_samples)
            stop = min(self._n_samples, start + end - place)
            batch += self._samples_of(epoch)[start:stop]
            place += stop - start
        return batch

    def _samples_of(self, epoch: int) -> list[int]:
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed(seed_from(self._seed, "order", self._name, epoch))
            self._permutation = torch.randperm(self._n_samples, generator=generator).tolist()
            self._epoch = epoch
        return self._permutation
