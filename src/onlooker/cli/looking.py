"""Commands that look at what a library holds: videos, tracks, show; and the demo."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from onlooker.cli.demo import demo
from onlooker.cli.following import follow
from onlooker.cli.options import (
    DEFAULT_LIBRARY,
    AsJson,
    LibraryPath,
    Videos,
    emit,
    emit_json,
    emit_table,
    printable,
)


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command()(videos)
    app.command()(tracks)
    app.command()(show)
    app.command()(demo)


def videos(library: LibraryPath = DEFAULT_LIBRARY, as_json: AsJson = False) -> None:
    """List the videos of a library. Exit code 3 when there are none."""
    from onlooker.errors import NothingFoundError
    from onlooker.video.library import Library

    with Library.open(library, create=False) as lib:
        found = lib.videos()
    if as_json:
        emit_json([dataclasses.asdict(one) for one in found])
    elif found:
        columns = ("name", "seconds", "size", "sound", "tracklets", "status", "path")
        sound = {True: "yes", False: "no"}
        rows = [(v.name, v.duration_s, f"{v.width}x{v.height}", sound[v.has_audio], v.n_tracklets) for v in found]
        emit_table(columns, [(*row, v.status, v.path) for row, v in zip(rows, found, strict=True)])
    if not found:
        raise NothingFoundError("the library holds no finished video; add one with `onlooker ingest FILE`")


def tracks(
    library: LibraryPath = DEFAULT_LIBRARY,
    video: Videos = None,
    category: Annotated[str | None, typer.Option("--category", "-c", help="Only this category, e.g. person.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Show at most this many.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """List tracklets: who or what was followed, when, and how it looks and moves. Exit code 3 when there are none."""
    from onlooker.errors import NothingFoundError
    from onlooker.video.library import Library

    with Library.open(library, create=False) as lib:
        rows = lib.tracklets(videos=video, category=category, limit=limit)
        present = sorted({str(row["category"]) for row in rows or lib.tracklets(videos=video)})
    if as_json:
        emit_json(rows)
    elif rows:
        columns = ("video", "id", "label", "category", "t_start", "t_end", "speed", "direction", "color", "place")
        emit_table(columns, [[row[column] for column in columns] for row in rows])
    if not rows:
        what = f"no tracklet is a `{category}`" if category else "no objects were found"
        raise NothingFoundError(f"{what}; there are: {', '.join(present) or 'no tracklets'}")


def show(
    video: Annotated[list[str] | None, typer.Argument(metavar="[VIDEO]...", help="Names; all by default.")] = None,
    kind: Annotated[
        str,
        typer.Option(help="video (annotated mp4), sheet (picture per tracklet), timeline, report (HTML) or crop."),
    ] = "",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file, or a folder for several.")] = None,
    at: Annotated[float | None, typer.Option(help="crop: the moment, in seconds.")] = None,
    track: Annotated[int | None, typer.Option(help="crop: the number of a tracklet.")] = None,
    source: Annotated[Path | None, typer.Option(help="Where the video file is now, if it has moved.")] = None,
    masks: Annotated[bool, typer.Option(help="video, sheet, crop: draw masks, where there are some.")] = True,
    library: LibraryPath = DEFAULT_LIBRARY,
    as_json: AsJson = False,
) -> None:
    """Make something to look at: annotated video, contact sheet, timeline, report page, or one view."""
    from onlooker.video.report.show import ShowRequest, kind_named
    from onlooker.video.report.show import show as make
    from onlooker.video.store import Store

    chosen = kind_named(kind or ("video" if at is None and track is None else "crop"))
    request = ShowRequest(chosen, tuple(video or ()), output, at, track, source, masks)
    with Store.open(library, create=False) as store:
        written = follow(make(store, request))
    if as_json:
        emit_json([dataclasses.asdict(one) for one in written])
    else:
        emit("\n".join(printable(one.path) for one in written))
