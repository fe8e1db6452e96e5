"""Commands that fill a library: ingest, remove."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onlooker.cli.following import show_progress
from onlooker.cli.options import (
    DEFAULT_LIBRARY,
    AsJson,
    Device,
    LibraryPath,
    Offline,
    Profile,
    SetRole,
    emit,
    emit_json,
    note,
    note_error,
    printable,
)

if TYPE_CHECKING:
    from onlooker.video.ingest import IngestReport, Job, Progress
    from onlooker.video.library import Library
    from onlooker.video.masks.config import MaskConfig
    from onlooker.video.wiring import Settings

DetectorRate = Annotated[
    float | None, typer.Option("--detector-hz", help="Looks of the detector per second of moving video.")
]
CropsPerTracklet = Annotated[
    int | None,
    typer.Option(
        "--crops-per-tracklet", min=1, help="Views of each object its look vector is made from; fewer are cheaper."
    ),
]
MaskOverlap = Annotated[
    float | None,
    typer.Option(help="With a segmenter: a mask that overlaps its object's detected box less is made anew from it."),
]
MaskObjects = Annotated[
    int | None, typer.Option(help="With a segmenter: objects followed at once; bounds memory and time.")
]
Again = Annotated[
    bool, typer.Option("--again", help="Read anew what was read with other settings; corrections by hand are lost.")
]


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command()(ingest)
    app.command()(remove)


def ingest(
    paths: Annotated[
        list[Path], typer.Argument(readable=False, help="Video files, or folders that are searched for videos.")
    ],
    library: LibraryPath = DEFAULT_LIBRARY,
    profile: Profile = "bundled",
    set_role: SetRole = None,
    detector_hz: DetectorRate = None,
    crops_per_tracklet: CropsPerTracklet = None,
    mask_overlap: MaskOverlap = None,
    mask_objects: MaskObjects = None,
    device: Device = "cpu",
    offline: Offline = False,
    again: Again = False,
    as_json: AsJson = False,
) -> None:
    """Read videos into the library. What is already there is not computed again; a cut-off run is resumed."""
    from onlooker.video.ingest import find_videos_below
    from onlooker.video.library import Library

    masks = make_mask_config(mask_overlap, mask_objects)
    settings = make_settings(profile, set_role, detector_hz, device, offline, crops_per_tracklet, masks)
    files = find_videos_below(paths)
    failed = 0
    with Library.open(library, settings=settings) as lib:
        for file in files:
            failed += not _ingest_one(lib, file, again, as_json, alone=len(files) == 1)
    if failed:
        rest = "" if failed == len(files) else f"; the others are in `{printable(str(library))}`"
        note(f"{failed} of {len(files)} files could not be read{rest}")
        raise typer.Exit(1)


def remove(
    videos: Annotated[list[str], typer.Argument(help="Names of videos to delete.")],
    library: LibraryPath = DEFAULT_LIBRARY,
    as_json: AsJson = False,
) -> None:
    """Delete videos and everything derived from them: tracklets, pictures, vectors, cached answers."""
    from onlooker.video.library import Library

    with Library.open(library, create=False) as lib:
        removed = lib.remove(*videos)
    if as_json:
        emit_json({"removed": removed})
        return
    for name in removed:
        emit(f"removed {printable(name)}")


def make_settings(
    profile: str,
    set_role: list[str] | None,
    detector_hz: float | None,
    device: str,
    offline: bool,
    crops_per_tracklet: int | None = None,
    masks: MaskConfig | None = None,
) -> Settings:
    """Settings from the options of a command."""
    from onlooker.video.masks.config import MaskConfig
    from onlooker.video.wiring import Settings, parse_role_choice

    roles = dict(parse_role_choice(text) for text in set_role or [])
    return Settings(profile, roles, detector_hz, offline, device, crops_per_tracklet, masks or MaskConfig())


def make_mask_config(least_overlap: float | None, max_objects: int | None) -> MaskConfig:
    """How masks are made, from the options of a command; what is left out is as the library has it."""
    from dataclasses import replace

    from onlooker.video.masks.config import MaskConfig

    config = MaskConfig()
    if least_overlap is not None:
        config = replace(config, least_overlap=least_overlap)
    return config if max_objects is None else replace(config, max_objects=max_objects)


def _ingest_one(lib: Library, file: Path, again: bool, as_json: bool, alone: bool) -> bool:
    """Whether one file went in; a bad file among several is reported and the rest go on."""
    from onlooker.errors import MediaError

    try:
        report = run_with_progress(lib.add(file, again=again), as_json)
    except MediaError as error:
        if alone and not as_json:
            raise
        if as_json:
            emit_json({"event": "error", "path": str(file), "error": type(error).__name__, "message": str(error)})
        note_error(error)
        return False
    if as_json:
        emit_json({"event": "done", **report_as_dict(report)})
    else:
        emit(describe(report))
    return True


def report_as_dict(report: IngestReport) -> dict[str, object]:
    """The report as plain values."""
    import dataclasses

    return dataclasses.asdict(report)


def describe(report: IngestReport) -> str:
    """One line a person reads after an ingest."""
    name = printable(report.video)
    if report.outdated:
        return f"{name}: read with other settings before, its tracklets are kept (--again reads it anew)"
    if report.status == "unchanged":
        return f"{name}: already in the library, nothing to do"
    took = sum(report.seconds.values())
    line = f"{name}: {report.n_tracklets} tracklets in {report.n_frames} frames, {took:.1f} s"
    return line if report.problem is None else f"{line} (partial: {printable(report.problem)})"


def run_with_progress(job: Job, as_json: bool) -> IngestReport:
    """Runs a job: JSON events on standard output, a bar on a terminal, else a line every few seconds."""
    if as_json:
        for step in job:
            emit_json({"event": "progress", **_step_as_dict(step)})
            sys.stdout.flush()
    else:
        show_progress(job)
    return job.result()


def _step_as_dict(step: Progress) -> dict[str, object]:
    import dataclasses

    return dataclasses.asdict(step)
