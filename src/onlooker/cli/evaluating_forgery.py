"""`onlooker evaluate forgery`: what a judge of authenticity is worth on pictures whose truth is known."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onlooker.cli.following import follow
from onlooker.cli.options import AsJson, Device, emit, emit_json, emit_table, note, printable

if TYPE_CHECKING:
    from onlooker.video.authenticity.scoring.run import ScoringReport


class LayoutName(StrEnum):
    """Layouts of lists; the twin of `onlooker.video.authenticity.scoring.labelled.Layout`."""

    auto = "auto"
    tsv = "tsv"
    space = "space"
    jsonl = "jsonl"
    pairs = "pairs"
    deepfakebench = "deepfakebench"


def forgery(
    data: Annotated[
        Path | None, typer.Option("--data", help="List of pictures, or a folder with forged, masks and real in it.")
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Folder that paths in the list are below.  [default: its own]")
    ] = None,
    layout: Annotated[LayoutName, typer.Option(help="Layout of the list.")] = LayoutName.auto,
    forged: Annotated[Path | None, typer.Option(help="Folder of forged pictures, in the place of a list.")] = None,
    masks: Annotated[Path | None, typer.Option(help="Folder of their masks, of the same names.")] = None,
    real: Annotated[Path | None, typer.Option(help="Folder of real pictures.")] = None,
    judge: Annotated[
        str, typer.Option("--judge", metavar="NAME:weights=FOLDER", help="As `verify --judge` takes it, or rules.")
    ] = "rules",
    split: Annotated[str | None, typer.Option(help="Only this split of the list.")] = None,
    perturb: Annotated[
        str | None, typer.Option(metavar="NAME:STRENGTH,...", help="Score after these changes, too: jpeg:50,blur:3.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many pictures, spread over the set.")] = None,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Go on without files that are missing, broken or do not fit.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for predictions, scores and a page; a cut run goes on from there."),
    ] = None,
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """Score a judge of manipulations: AUC, EER, AP of pictures and videos; F1, IoU, AUC of pixels."""
    from onlooker.cli.verifying import parse_judge
    from onlooker.video.authenticity.scoring.labelled import Source
    from onlooker.video.authenticity.scoring.run import RULES, ScoringRequest, score_steps

    source = Source(data, root, layout.value, forged, masks, real)
    choice = None if judge == RULES else parse_judge(judge, "--judge")
    request = ScoringRequest(source, choice, split, perturb, limit, skip_missing, output, device)
    report = follow(score_steps(request))
    for line in report.notes:
        note(f"note: {printable(line)}")
    for line in report.warnings:
        note(f"warning: {printable(line)}")
    if as_json:
        emit_json(report.to_dict())
    else:
        _show(report)


def _show(report: ScoringReport) -> None:
    from onlooker.video.authenticity.scoring.tables import image_table, pixel_table

    emit_table(*image_table(report.rows))
    columns, cells = pixel_table(report.rows)
    if cells:
        emit("")
        emit_table(columns, cells)
    for file in report.written:
        emit(printable(f"wrote {file}"))
