"""What a trajectory remembers of its object: the last identities, newer and surer ones counting more."""

from __future__ import annotations

from collections import deque
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from onlooker.errors import ShapeError


class Remembered(NamedTuple):
    """An identity (D,) and the score of the detection it came from."""

    identity: Tensor
    score: float


class TrajectoryMemory:
    """Identities of one object.

    Args:
        length: M, how many are kept.
        weights: "temporal" is the paper's: score plus i / M for the i-th oldest. "scores" leaves the second part out.
        keep_first: the first one is kept beside the M last ones: it is what the user gave.
    """

    def __init__(self, length: int, weights: Literal["temporal", "scores"] = "temporal", *, keep_first: bool) -> None:
        self._length, self._weights, self._keep_first = length, weights, keep_first
        self._first: Remembered | None = None
        self._last: deque[Remembered] = deque(maxlen=length)

    def __len__(self) -> int:
        """Identities that count now."""
        return len(self._entries())

    def remember(self, identity: Tensor, score: float) -> None:
        """Adds an identity (D,); the oldest one but the first goes when there are too many.

        Raises:
            ShapeError: not a vector, or not finite.
        """
        if identity.ndim != 1 or not identity.isfinite().all():
            raise ShapeError(f"an identity is a finite vector (D,), got {tuple(identity.shape)}")
        entry = Remembered(identity.detach(), score)
        if self._keep_first and self._first is None:
            self._first = entry
        else:
            self._last.append(entry)

    def key(self) -> Tensor | None:
        """(D,) weighted mean of what is remembered; `None` when that is nothing."""
        entries = self._entries()
        if not entries:
            return None
        weights = [entry.score for entry in entries]
        if self._weights == "temporal":
            start = 0 if self._first is not None else 1  # the first one is older than all that move on
            weights = [weight + (start + place) / self._length for place, weight in enumerate(weights)]
        total = sum(weights)
        shares = [weight / total if total > 0 else 1 / len(weights) for weight in weights]
        stacked = torch.stack([entry.identity for entry in entries])  # (n, D)
        return stacked.new_tensor(shares) @ stacked

    def _entries(self) -> list[Remembered]:
        return ([self._first] if self._first is not None else []) + list(self._last)
