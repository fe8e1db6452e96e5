"""Commands that speak other tools' formats: import, export."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from onlooker.cli.options import DEFAULT_LIBRARY, AsJson, LibraryPath, Videos, emit, emit_json, note, printable
from onlooker.errors import OnlookerError

ImportFormat = Annotated[
    str, typer.Argument(metavar="FORMAT", help="mot (a sequence folder), coco-vid or ytvis (JSON).")
]
ExportFormat = Annotated[
    str,
    typer.Argument(
        metavar="FORMAT", help="mot, coco-vid, ytvis, mots, davis, csv, parquet, webvtt, cvat or label-studio."
    ),
]


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command("import")(import_)
    app.command()(export)


def import_(
    form: ImportFormat,
    path: Annotated[Path, typer.Argument(help="The folder or file to import.", exists=True)],
    library: LibraryPath = DEFAULT_LIBRARY,
    name: Annotated[str | None, typer.Option(help="mot: call the video this instead of its own name.")] = None,
    fps: Annotated[float | None, typer.Option(help="coco-vid, ytvis: frames a second, if not in the file.")] = None,
    pictures: Annotated[Path | None, typer.Option(help="Folder of the pictures, if elsewhere.")] = None,
    as_json: AsJson = False,
) -> None:
    """Bring in tracks made elsewhere; their track numbers stay what people ask for."""
    from onlooker.video.exchange import ImportOptions, import_annotations
    from onlooker.video.store import Store

    made = not library.exists()
    try:
        with Store.open(library) as store:
            report = import_annotations(store, form, path, ImportOptions(name, fps, pictures))
    except OnlookerError:
        if made and library.is_file():
            _remove_if_empty(library)
        raise
    for remark in report.notes:
        note(printable(remark))
    if as_json:
        emit_json(dataclasses.asdict(report))
    else:
        for video in report.videos:
            state = " (already in the library)" if video.unchanged else ""
            emit(f"{printable(video.name)}: {video.n_tracklets} tracklets, {video.n_boxes} boxes{state}")


def _remove_if_empty(library: Path) -> None:
    """Nobody asked for a library with nothing in it; what another process has stored meanwhile stays."""
    from onlooker.video.store import Store
    from onlooker.video.store.videos import list_videos

    with Store.open(library, create=False) as store, store.read() as connection:
        empty = not list_videos(connection)
    if empty:
        library.unlink()


def export(
    form: ExportFormat,
    output: Annotated[Path, typer.Argument(help="The folder or file to write.")],
    library: LibraryPath = DEFAULT_LIBRARY,
    video: Videos = None,
    as_json: AsJson = False,
) -> None:
    """Write tracklets in a format other tools read."""
    from onlooker.video.exchange import export_annotations
    from onlooker.video.store import Store

    with Store.open(library, create=False) as store:
        report = export_annotations(store, form, output, video)
    for remark in report.notes:
        note(printable(remark))
    files = [str(file) for file in report.files]
    if as_json:
        emit_json(files)
    else:
        for file in files:
            emit(printable(file))
