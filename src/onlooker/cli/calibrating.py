"""`onlooker calibrate`: how often a judge of one's own alarms for nothing, measured on files of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onlooker.cli.following import follow
from onlooker.cli.options import AsJson, Device, emit, emit_json, note, printable

if TYPE_CHECKING:
    from onlooker.video.authenticity.calibrating import CalibrationReport


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command()(calibrate)


def calibrate(
    judge: Annotated[str, typer.Argument(metavar="NAME:weights=FOLDER", help="A judge, as `verify --judge` takes it.")],
    untouched: Annotated[Path, typer.Option("--untouched", help="Folder of your own files that nobody manipulated.")],
    forged: Annotated[
        Path | None, typer.Option("--forged", help="Folder of forged files: what the judge finds is measured, too.")
    ] = None,
    false_alarms: Annotated[float, typer.Option(help="Share of untouched files that may reach the threshold.")] = 0.05,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write.  [default: calibration.json beside the weights]"),
    ] = None,
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """Measure a judge on your own files, so that it counts in the verdicts of `verify`."""
    from onlooker.cli.verifying import parse_judge
    from onlooker.video.authenticity.calibrating import CalibrationRequest, calibrate_steps

    request = CalibrationRequest(parse_judge(judge, "JUDGE"), untouched, forged, false_alarms, output, device)
    report = follow(calibrate_steps(request))
    if as_json:
        emit_json(report.to_dict())
    else:
        emit("\n".join(printable(line) for line in describe(report)))
        for one in report.notes:
            note(f"note: {printable(one)}")


def describe(report: CalibrationReport) -> list[str]:
    """What a person reads."""
    measured = report.measured
    lines = [f"{measured.judge.name}: suspects from probability {measured.threshold:.4g} on"]
    for kind, count in measured.kinds.items():
        what = {"image": "pictures", "video": "videos"}[kind]
        lines.append(
            f"  {count.n_alarms} of {count.n_untouched} untouched {what} reach that; of all such {what} at most "
            f"{100 * count.bound:.1f} in 100, with {100 * measured.confidence:.0f} percent confidence"
        )
    if measured.auc is not None:
        lines.append(f"  {measured.n_found} of {measured.n_forged} forged files reach it; AUC {measured.auc:.2f}")
    if measured.n_fitted:
        lines.append(f"  probabilities were fitted on {measured.n_fitted} other files of both folders")
    lines.append(f"  wrote {report.file}" + ("" if report.kept is None else f"; what was there is {report.kept.name}"))
    return lines
