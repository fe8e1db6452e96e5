"""Commands that speak other tools' formats: import, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onlooker.cli.options import DEFAULT_LIBRARY, AsJson, LibraryPath, Videos, emit, emit_json

ImportFormat = Annotated[
    str, typer.Argument(metavar="FORMAT", help="mot (a sequence folder), coco-vid or ytvis (JSON).")
]
ExportFormat = Annotated[
    str,
    typer.Argument(metavar="FORMAT", help="mot, coco-vid, ytvis, csv, parquet, webvtt, cvat or label-studio."),
]


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command("import")(import_)
    app.command()(export)


def import_(
    form: ImportFormat,
    path: Annotated[Path, typer.Argument(help="The folder or file to import.", exists=True)],
    library: LibraryPath = DEFAULT_LIBRARY,
    name: Annotated[str | None, typer.Option(help="Call the video this instead of its own name.")] = None,
    as_json: AsJson = False,
) -> None:
    """Bring in tracks made elsewhere; their track numbers stay what people ask for."""
    from onlooker.video.exchange import import_annotations
    from onlooker.video.store import Store

    with Store.open(library) as store:
        report = import_annotations(store, form, path, name)
    if as_json:
        emit_json(report.as_dict())
    else:
        for video in report.videos:
            emit(f"{video.name}: {video.n_tracklets} tracklets, {video.n_boxes} boxes")


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
        written = export_annotations(store, form, output, video)
    if as_json:
        emit_json([str(path) for path in written])
    else:
        for path in written:
            emit(str(path))
