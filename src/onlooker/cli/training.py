"""The command that trains a method: train."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onlooker.cli.options import AsJson, emit, emit_json, note, printable

if TYPE_CHECKING:
    from onlooker.train import LogEvent, TrainResult
    from onlooker.training import ResolvedRecipe

_QUIET_EVERY_S = 5.0
_INTERRUPTED = 130

Output = Annotated[Path | None, typer.Option("--output", "-o", help="Folder of the run; made when it is missing.")]
Change = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SETTING=VALUE", help="Another value for a setting, like train.steps=100."),
]
Seed = Annotated[int | None, typer.Option(help="Seed of the run, instead of the recipe's.")]
TrainDevice = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.")]
Resume = Annotated[
    bool, typer.Option("--resume/--fresh", help="Go on from the newest checkpoint, or delete it and start again.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the whole recipe and the number of parameters only.")]


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command()(train)


def train(
    recipe: Annotated[str, typer.Argument(help="A bundled recipe such as stts/tiny, or a TOML file.")],
    output: Output = None,
    change: Change = None,
    seed: Seed = None,
    device: TrainDevice = "auto",
    resume: Resume = True,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Train a method from a recipe. A run that was stopped goes on where it was."""
    from onlooker.train.recipe import load_recipe
    from onlooker.training import resolve_recipe, train_recipe, training_device

    changes = [*(change or []), *([] if seed is None else [f"train.seed={seed}"])]
    read = load_recipe(recipe, changes)
    if dry_run:
        _emit_plan(resolve_recipe(read, weightless=True), as_json)
        return
    if output is None:
        raise typer.BadParameter("a run needs a folder; give --output, or --dry-run to look only")
    with _progress(as_json) as report:
        result = train_recipe(read, output, resume=resume, progress=report, device=training_device(device))
    _emit_result(recipe, result, as_json)
    if result.status == "interrupted":
        raise typer.Exit(_INTERRUPTED)


def _emit_plan(resolved: ResolvedRecipe, as_json: bool) -> None:
    from onlooker.train.toml_text import to_toml

    if as_json:
        emit_json({"recipe": resolved.identity.recipe, "n_parameters": resolved.n_parameters})
    else:
        emit(to_toml(resolved.identity.recipe) + f"\n# parameters of the network: {resolved.n_parameters:,}")


def _emit_result(recipe: str, result: TrainResult, as_json: bool) -> None:
    """Of several processes only the first speaks."""
    from accelerate import PartialState

    if not PartialState().is_main_process:
        return
    if as_json:
        emit_json({"event": "done", **result.to_dict()})
    elif result.status == "finished":
        metric, folder = result.metric, printable(str(result.folder))
        score = f"{metric.name} {result.value:.4g} {metric.unit}"
        emit(f"{printable(recipe)}: {score} after {result.step} steps, {result.seconds:.0f} s, in {folder}")
    if result.status == "interrupted":
        note(f"stopped after step {result.step}; the same command goes on from there")


@contextmanager
def _progress(as_json: bool) -> Iterator[Callable[[LogEvent], None]]:
    """What to call with every event: JSON lines on standard output, a bar on a terminal, else a line now and then."""
    if as_json:
        yield _emit_event
    elif sys.stderr.isatty():
        with _bar() as report:
            yield report
    else:
        yield _Lines().report


def _emit_event(event: LogEvent) -> None:
    emit_json({"event": "progress", **event.to_dict()})
    sys.stdout.flush()


class _Lines:
    """A line to standard error every few seconds."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def report(self, event: LogEvent) -> None:
        """Says how far the run is, unless it just did."""
        if time.monotonic() - self._last > _QUIET_EVERY_S:
            self._last = time.monotonic()
            note(f"step {event.step}/{event.total}: {_numbers(event)}")


@contextmanager
def _bar() -> Iterator[Callable[[LogEvent], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        bar = bars.add_task("starting", total=None)

        def report(event: LogEvent) -> None:
            bars.update(bar, total=event.total, completed=event.step, description=_numbers(event))

        yield report


def _numbers(event: LogEvent) -> str:
    rate = max(event.learning_rates.values())
    return f"loss {event.losses['loss']:.4g}, rate {rate:.2g}, {event.samples_per_s:.3g} samples/s"
