"""Shows how far work has come while running it to its end."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Generic, TypeVar

from onlooker.cli.options import note, printable

if TYPE_CHECKING:
    from onlooker.video.ingest.job import Progress

T = TypeVar("T")
_QUIET_EVERY_S = 5.0


def follow(steps: Generator[Progress, None, T]) -> T:
    """Runs work to its end, shows how far it is, and returns what it returns."""
    work = _Returning(steps)
    show_progress(work)
    return work.result


def show_progress(steps: Iterable[Progress]) -> None:
    """Goes through the steps with a bar on a terminal, else a line every few seconds, on standard error."""
    if sys.stderr.isatty():
        _show_bars(steps)
        return
    last = time.monotonic()
    for step in steps:
        if time.monotonic() - last > _QUIET_EVERY_S:
            last = time.monotonic()
            note(f"{printable(step.video)}: {step.stage} {_count(step)}")


class _Returning(Generic[T]):
    """A generator to go through in a `for` that keeps what it returns."""

    result: T

    def __init__(self, steps: Generator[Progress, None, T]) -> None:
        self._steps = steps

    def __iter__(self) -> Generator[Progress, None, None]:
        self.result = yield from self._steps


def _show_bars(steps: Iterable[Progress]) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    name, count = TextColumn("{task.description}", markup=False), TextColumn("{task.fields[count]}")
    with Bars(name, BarColumn(), count, TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        tasks: dict[tuple[str, str], TaskID] = {}
        for step in steps:
            key = (step.video, step.stage)
            if key not in tasks:
                tasks[key] = bars.add_task(f"{printable(step.video)} {step.stage}", total=step.total, count="")
            bars.update(tasks[key], completed=step.done, total=step.total, count=_count(step))


def _count(step: Progress) -> str:
    total = "" if step.total is None else f"/{step.total:.0f}"
    return f"{step.done:.0f}{total} {step.unit}"
