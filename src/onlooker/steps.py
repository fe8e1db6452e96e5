"""Work that tells how far it is: generators that yield progress and return what was asked for."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")


def run_out(steps: Generator[object, None, T]) -> T:
    """Runs work to its end and returns its result, for who needs no progress."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
