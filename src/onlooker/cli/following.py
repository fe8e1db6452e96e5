"""Shows how far work has come while running it to its end."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from typing import TYPE_CHECKING, TypeVar, cast

from onlooker.cli.options import note, printable

if TYPE_CHECKING:
    from onlooker.video.ingest.job import Progress

T = TypeVar("T")
_QUIET_EVERY_S = 5.0


def follow(steps: Generator[Progress, None, T]) -> T:
    """Runs work to its end with a bar on a terminal, else a line every few seconds, on standard error."""
    if sys.stderr.isatty():
        return _follow_with_bar(steps)
    last = time.monotonic()
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            return cast(T, end.value)
        if time.monotonic() - last > _QUIET_EVERY_S:
            last = time.monotonic()
            note(f"{printable(step.video)}: {step.stage} {step.done:.0f}/{step.total or 0:.0f} {step.unit}")


def _follow_with_bar(steps: Generator[Progress, None, T]) -> T:
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    name = TextColumn("{task.description}", markup=False)
    with Bars(name, BarColumn(), TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        tasks: dict[tuple[str, str], TaskID] = {}
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return cast(T, end.value)
            key = (step.video, step.stage)
            if key not in tasks:
                tasks[key] = bars.add_task(f"{printable(step.video)} {step.stage}", total=step.total)
            bars.update(tasks[key], completed=step.done, total=step.total)
