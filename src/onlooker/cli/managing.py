"""Commands that mend and keep: edit, models, doctor, db."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from onlooker.cli.options import DEFAULT_LIBRARY, AsJson, LibraryPath, Offline, emit, emit_json, emit_table, printable

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from onlooker.models.inventory import ModelStatus

T = TypeVar("T")
_VideoArgument = Annotated[str, typer.Argument(metavar="VIDEO", help="Name of the video.")]
_LARGEST = 2**53  # ours: no tracklet has a larger number, and SQLite's own integers end at 2**63
_Number = Annotated[
    int, typer.Argument(metavar="TRACKLET", min=0, max=_LARGEST, help="Number of the tracklet in its video.")
]


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    edit = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Correct tracklets; answers follow.")
    for command in (merge, split, rename, relabel, delete):
        edit.command()(command)
    edit.command("log")(edit_log)
    models = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The models behind the roles.")
    models.command("list")(models_list)
    models.command("pull")(models_pull)
    models.command("verify")(models_verify)
    db = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Keep the library file in order.")
    for upkeep in (migrate, backup, gc, info):
        db.command()(upkeep)
    app.add_typer(edit, name="edit")
    app.add_typer(models, name="models")
    app.add_typer(db, name="db")
    app.command()(doctor)


# -- edit -------------------------------------------------------------------------------------------------------


def merge(
    video: _VideoArgument,
    tracklets: Annotated[
        list[int], typer.Argument(min=0, max=_LARGEST, help="Two or more tracklet numbers; the first one stays.")
    ],
    library: LibraryPath = DEFAULT_LIBRARY,
    as_json: AsJson = False,
) -> None:
    """Say that several tracklets are one object."""
    from onlooker.video.store import edits

    number, edit = _edit(library, video, lambda connection, key: edits.merge_tracklets(connection, key, tracklets))
    _show_edit(edit, f"{len(set(tracklets))} tracklets are now tracklet {number}", as_json)


def split(
    video: _VideoArgument,
    tracklet: _Number,
    at: Annotated[float, typer.Option("--at", help="Second from which it is another object.")],
    library: LibraryPath = DEFAULT_LIBRARY,
    as_json: AsJson = False,
) -> None:
    """Say that a tracklet is two objects, one before and one from a moment on."""
    from onlooker.video.store import edits

    number, edit = _edit(library, video, lambda connection, key: edits.split_tracklet(connection, key, tracklet, at))
    _show_edit(edit, f"tracklet {tracklet} from {at:g} s on is now tracklet {number}", as_json)


def rename(
    video: _VideoArgument,
    tracklet: _Number,
    label: Annotated[str, typer.Argument(help='A name, like "Anna"; "" takes the name away.')],
    library: LibraryPath = DEFAULT_LIBRARY,
    as_json: AsJson = False,
) -> None:
    """Give a tracklet a name that questions can use."""
    from onlooker.video.store import edits

    _, edit = _edit(
        library, video, lambda connection, key: edits.rename_tracklet(connection, key, tracklet, label or None)
    )
    said = f"tracklet {tracklet} is called {printable(label)}" if label else f"tracklet {tracklet} has no name now"
    _show_edit(edit, said, as_json)


def relabel(
    video: _VideoArgument,
    tracklet: _Number,
    category: Annotated[str, typer.Argument(help="What it really is: truck.")],
    library: LibraryPath = DEFAULT_LIBRARY,
    as_json: AsJson = False,
) -> None:
    """Correct the category of a tracklet."""
    from onlooker.video.store import edits

    _, edit = _edit(library, video, lambda connection, key: edits.relabel_tracklet(connection, key, tracklet, category))
    _show_edit(edit, f"tracklet {tracklet} is a {printable(category)}", as_json)


def delete(
    video: _VideoArgument, tracklet: _Number, library: LibraryPath = DEFAULT_LIBRARY, as_json: AsJson = False
) -> None:
    """Take a tracklet away that is no object at all."""
    from onlooker.video.store import edits

    _, edit = _edit(library, video, lambda connection, key: edits.delete_tracklet(connection, key, tracklet))
    _show_edit(edit, f"tracklet {tracklet} is gone", as_json)


def edit_log(library: LibraryPath = DEFAULT_LIBRARY, as_json: AsJson = False) -> None:
    """List every edit made, oldest first."""
    from onlooker.video.store import Store, edits, list_videos

    with Store.open(library, create=False) as store, store.read() as connection:
        names = {video.id: video.name for video in list_videos(connection)}
        entries = edits.list_edits(connection)
    if as_json:
        emit_json([{"video": names[e.video_id], **dataclasses.asdict(e)} for e in entries])
    else:
        rows = [(e.created_at, names[e.video_id], e.kind, json.dumps(e.detail, ensure_ascii=False)) for e in entries]
        emit_table(("when", "video", "edit", "detail"), rows)


def _edit(library: Path, video: str, change: Callable[[Connection, int], T]) -> tuple[T, dict[str, object]]:
    """Applies one correction to one video, whole or not at all; also returns its entry of the log."""
    from onlooker.video.store import Store, edits, find_videos

    with Store.open(library, create=False) as store, store.write() as connection:
        (found,) = find_videos(connection, [video])
        result = change(connection, found.id)
        entry = edits.list_edits(connection, found.id)[-1]
    return result, {"video": found.name, **dataclasses.asdict(entry)}


def _show_edit(entry: dict[str, object], said: str, as_json: bool) -> None:
    if as_json:
        emit_json(entry)
    else:
        emit(said)


# -- models -----------------------------------------------------------------------------------------------------


def models_list(as_json: AsJson = False) -> None:
    """List the models of every role: where they are, how large, under which licence."""
    from onlooker.models.inventory import list_models

    _show_models(list_models(), as_json)


def models_verify(
    method: Annotated[str | None, typer.Option(help="A method, to hold --weights against its network.")] = None,
    weights: Annotated[str | None, typer.Option(help="A file, a folder or a hub name.")] = None,
    config: Annotated[str | None, typer.Option(help="Its configuration; left out, the stored one or paper.")] = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Check every installed model file against its sha256, or weights against a method. Exit code 1 on a misfit."""
    if method is not None or weights is not None:
        _verify_method(method, weights, config, offline, as_json)
        return
    from onlooker.models.inventory import verify_models

    found = verify_models()
    _show_models(found, as_json)
    if any(status.installed and status.verified is False for status in found):
        raise typer.Exit(1)


def _verify_method(method: str | None, weights: str | None, config: str | None, offline: bool, as_json: bool) -> None:
    if method is None or weights is None:
        raise typer.BadParameter("--method and --weights belong together")
    from onlooker.catalogue import compare_weights

    report = compare_weights(method, weights, config, offline=offline)
    wrong = {name: {"ours": ours, "came": came} for name, (ours, came) in report.mismatched.items()}
    if as_json:
        emit_json({"fits": report.fits, "missing": report.missing, "surplus": report.surplus, "mismatched": wrong})
    else:
        rows = [("missing", name, "") for name in report.missing] + [("surplus", name, "") for name in report.surplus]
        rows += [("wrong shape", name, f"{w['came']}, ours is {w['ours']}") for name, w in wrong.items()]
        if rows:
            emit_table(("problem", "tensor", "shape"), rows)
        emit(str(report))
    if not report.fits:
        raise typer.Exit(1)


def models_pull(
    names: Annotated[list[str], typer.Argument(help="Names from `onlooker models list`.")],
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Fetch models of the hub profile, so that they work offline afterwards."""
    from onlooker.models.inventory import pull_models

    paths = [str(path) for path in pull_models(names, offline=offline)]
    if as_json:
        emit_json(paths)
        return
    for path in paths:
        emit(path)


def _show_models(found: list[ModelStatus], as_json: bool) -> None:
    if as_json:
        emit_json([status.as_dict() for status in found])
        return
    columns = ("role", "name", "version", "profile", "installed", "sha256", "MB", "licence")
    marks = {True: "ok", False: "WRONG", None: ""}
    rows = [
        (
            m.role,
            m.name,
            m.version,
            m.profile,
            "yes" if m.installed else "no",
            marks[m.verified],
            m.megabytes,
            m.licence,
        )
        for m in found
    ]
    emit_table(columns, rows)


# -- doctor and db ----------------------------------------------------------------------------------------------


def doctor(library: LibraryPath = DEFAULT_LIBRARY, as_json: AsJson = False) -> None:
    """Check this installation: versions, codecs, models, disk, library. Exit code 1 when something is broken."""
    from onlooker.doctor import examine

    checks = examine(library)
    if as_json:
        emit_json([{"name": c.name, "verdict": c.verdict, "found": c.found, "advice": c.advice} for c in checks])
    else:
        emit_table(
            ("check", "verdict", "found", "what to do"), [(c.name, c.verdict, c.found, c.advice) for c in checks]
        )
    if any(check.verdict == "problem" for check in checks):
        raise typer.Exit(1)


def migrate(library: LibraryPath = DEFAULT_LIBRARY, as_json: AsJson = False) -> None:
    """Bring a library of an older version up to date (opening one does so, too)."""
    from onlooker.video.store import Store
    from onlooker.video.store.migrations import schema_version

    with Store.open(library, create=False) as store, store.read() as connection:
        version = schema_version(connection)
    if as_json:
        emit_json({"library": str(library), "schema_version": version})
    else:
        emit(f"{printable(str(library))} is up to date")


def backup(
    output: Annotated[Path, typer.Argument(help="Where the copy goes.")],
    library: LibraryPath = DEFAULT_LIBRARY,
    as_json: AsJson = False,
) -> None:
    """Write a consistent copy, also while videos are being read."""
    from onlooker.video.store import Store
    from onlooker.video.store.maintenance import backup as write_backup

    with Store.open(library, create=False) as store:
        write_backup(store, output)
    if as_json:
        emit_json({"backup": str(output), "n_bytes": output.stat().st_size})
    else:
        emit(str(output))


def gc(library: LibraryPath = DEFAULT_LIBRARY, as_json: AsJson = False) -> None:
    """Give back the space of what was deleted."""
    from onlooker.video.store import Store
    from onlooker.video.store.maintenance import collect_garbage

    with Store.open(library, create=False) as store:
        given_back = collect_garbage(store)
    if as_json:
        emit_json({"n_bytes_given_back": given_back})
    else:
        emit(f"{given_back / 1024**2:.1f} MiB given back")


def info(library: LibraryPath = DEFAULT_LIBRARY, as_json: AsJson = False) -> None:
    """Show how many rows and bytes each table holds."""
    from onlooker.video.store import Store
    from onlooker.video.store.maintenance import describe

    with Store.open(library, create=False) as store:
        found = describe(store)
    if as_json:
        emit_json(dataclasses.asdict(found))
    else:
        emit_table(("table", "rows", "bytes"), [(t.table, t.n_rows, t.n_bytes) for t in found.tables])
        emit(f"{found.n_bytes} bytes, {found.n_free_bytes} of them free; schema {found.schema_version}")
