"""`onlooker verify`: traces of manipulation in picture and video files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onlooker.cli.following import follow
from onlooker.cli.options import AsJson, Device, emit, emit_json, note_error, printable

if TYPE_CHECKING:
    from onlooker.video.authenticity.pictures import Tools
    from onlooker.video.authenticity.tools import JudgeChoice
    from onlooker.video.authenticity.verdict import Verdict


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command()(verify)


def verify(
    files: Annotated[list[Path], typer.Argument(help="Picture and video files.", readable=False)],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for heat map, curve and verdict.json.")
    ] = None,
    judge: Annotated[
        list[str] | None,
        typer.Option("--judge", metavar="NAME:weights=FOLDER", help="Ask this network, too; may be repeated."),
    ] = None,
    library: Annotated[
        Path | None, typer.Option("--library", "-l", help="Name tracklets of this library, if the video is in it.")
    ] = None,
    every: Annotated[float, typer.Option(help="Seconds between two looks at a video.")] = 1.0,
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """Look for traces of manipulation. It never says "authentic". Exit code 3 when a file could not be judged."""
    from onlooker.errors import OnlookerError
    from onlooker.video.authenticity.tools import make_tools
    from onlooker.video.authenticity.write import check_output

    folders = _folders(files, output)
    for folder in folders:
        if folder is not None:
            check_output(folder)
    tools, codes = make_tools([parse_judge(text, "--judge") for text in judge or ()], device), []
    for file, folder in zip(files, folders, strict=True):
        try:
            verdict = _verify_one(file, tools, folder, library, every)
        except OnlookerError as error:
            if len(files) == 1:
                raise
            note_error(error)
            codes.append(1)
            continue
        _show(verdict, as_json)
        codes.append(3 if verdict.status == "not_judged" else 0)
    if any(codes):
        raise typer.Exit(1 if 1 in codes else 3)


def _verify_one(file: Path, tools: Tools, folder: Path | None, library: Path | None, every_s: float) -> Verdict:
    from onlooker.video.authenticity.files import verify_file
    from onlooker.video.authenticity.opening import is_picture
    from onlooker.video.authenticity.videos import VideoLook
    from onlooker.video.authenticity.write import write_verdict

    tracks = None
    if library is not None and not is_picture(file):
        from onlooker.video.authenticity.library_tracks import open_tracks

        tracks = open_tracks(library, file)
    verdict = follow(verify_file(file, tools, VideoLook(every_s, tracks)))
    return verdict if folder is None else write_verdict(verdict, folder)


def _show(verdict: Verdict, as_json: bool) -> None:
    from onlooker.video.authenticity.verdict import verdict_as_dict
    from onlooker.video.authenticity.write import describe

    if as_json:
        emit_json(verdict_as_dict(verdict))
        return
    emit("\n".join(printable(line) for line in describe(verdict)))
    for written in (verdict.heat_map_file, verdict.curve_file):
        if written is not None:
            emit(printable(f"  wrote {written}"))


def _folders(files: list[Path], output: Path | None) -> list[Path | None]:
    """Where the results of each file go: the folder itself for one file, a folder in it for each of several."""
    if output is None:
        return [None] * len(files)
    if len(files) == 1:
        return [output]
    names = [file.name for file in files]
    numbered = [name if names.count(name) == 1 else f"{k + 1}-{name}" for k, name in enumerate(names)]
    return [output / name for name in numbered]


def parse_judge(text: str, option: str) -> JudgeChoice:
    """`NAME:weights=FOLDER` as it came after an option or argument."""
    from onlooker.video.authenticity.tools import JudgeChoice
    from onlooker.video.wiring import parse_role_choice

    if "=" in text.partition(":")[0]:
        raise typer.BadParameter(f"expected NAME:weights=FOLDER, got `{text}`", param_hint=option)
    _, choice = parse_role_choice(f"judge={text}")
    return JudgeChoice(choice.name, choice.options)
