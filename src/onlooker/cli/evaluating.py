"""The commands that score results: evaluate track, evaluate forgery."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onlooker.cli.evaluating_forgery import forgery
from onlooker.cli.options import AsJson, emit_json, emit_table, note

if TYPE_CHECKING:
    from onlooker.evaluation.track_files import TrackReport


class TrackFormatName(StrEnum):
    """Formats of tracks; the twin of `onlooker.evaluation.track_files.TrackFormat`."""

    mot = "mot"
    mots = "mots"
    davis = "davis"
    ytvis = "ytvis"
    sot = "sot"


class RulesName(StrEnum):
    """Rules of benchmarks; the twin of `onlooker.evaluation.track_files.Rules`."""

    none = "none"
    mot17 = "mot17"


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    evaluate = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Score results against the truth.")
    evaluate.callback()(_evaluate)
    evaluate.command("track")(track)
    evaluate.command("forgery")(forgery)
    app.add_typer(evaluate, name="evaluate")


def _evaluate() -> None:
    """Score results against the truth."""


def track(
    predictions: Annotated[Path, typer.Argument(help="File or folder of predictions.")],
    truth: Annotated[Path, typer.Argument(help="File or folder of the truth.")],
    format_: Annotated[TrackFormatName, typer.Option("--format", "-f", help="What both are.")],
    fps: Annotated[
        float | None, typer.Option(min=0.001, help="Frames a second, where files do not say; for rates per minute.")
    ] = None,
    rules: Annotated[
        RulesName, typer.Option(help="mot17 forgives distractors and counts pedestrians only.")
    ] = RulesName.none,
    one_object: Annotated[bool, typer.Option("--one-object", help="DAVIS 2016: all foreground is one object.")] = False,
    first_pixel: Annotated[
        int,
        typer.Option(min=0, max=1, help="sot: number of the first pixel in the truth, 1 in OTB; predictions have 0."),
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Score tracks: HOTA, MOTA, IDF1, switches; sMOTSA; J and F; AP of tubes; success of single objects."""
    from onlooker.evaluation.track_files import TrackOptions, evaluate_tracks

    options = TrackOptions(fps, rules.value, one_object, 1 if first_pixel else 0)
    report = evaluate_tracks(predictions, truth, format_.value, options)
    for line in report.notes:
        note(f"note: {line}")
    if as_json:
        emit_json(dataclasses.asdict(report))
    else:
        emit_table(("sequence", *report.overall), _rows(report))


def _rows(report: TrackReport) -> Iterable[tuple[object, ...]]:
    for name, row in report.sequences.items():
        yield name, *row.values()
    yield "overall", *report.overall.values()
