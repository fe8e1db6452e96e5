"""`onlooker track`: follow what is pointed at, and everything of a class, through one video file, without a library."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onlooker.cli.following import follow
from onlooker.cli.ingesting import make_settings
from onlooker.cli.options import AsJson, Device, Offline, Profile, SetRole, emit, emit_json, note, printable

if TYPE_CHECKING:
    from collections.abc import Generator

    from onlooker.types import BoxXYXY
    from onlooker.video.following.request import FollowRequest
    from onlooker.video.following.values import FollowedTrack, FollowResult
    from onlooker.video.ingest.job import Progress
    from onlooker.video.wiring import Settings

_MOST_LINES = 40  # of tracks told on a terminal; the file has all


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command()(track)


def track(
    video: Annotated[Path, typer.Argument(help="A video file.", readable=False)],
    box: Annotated[
        list[str] | None,
        typer.Option(
            "--box", "-b", metavar="X1,Y1,X2,Y2", help="Follow the thing in this box, in pixels; may be repeated."
        ),
    ] = None,
    at: Annotated[float | None, typer.Option(help="The second the boxes are of.  [default: that of --from]")] = None,
    of_class: Annotated[
        list[str] | None,
        typer.Option("--class", "-c", metavar="NAME", help="Follow everything of this class; may be repeated."),
    ] = None,
    from_s: Annotated[float, typer.Option("--from", help="Begin at this second.")] = 0.0,
    to_s: Annotated[float | None, typer.Option("--to", help="End at this second.  [default: the end]")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--out", "--output", "-o", help="Folder for the results.  [default: the video's name + .track]"),
    ] = None,
    masks: Annotated[bool, typer.Option("--masks", help="Write masks: DAVIS pictures and YouTube-VIS JSON.")] = False,
    profile: Profile = "bundled",
    set_role: SetRole = None,
    detector_hz: Annotated[
        float, typer.Option(help="Looks of the detector per second of moving video; fewer are faster.")
    ] = 6.0,
    device: Device = "cpu",
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Follow what is in a box, and everything of a class, through a video. Exit code 3 when nothing was seen."""
    from onlooker.errors import NothingFoundError
    from onlooker.video.following.request import FollowRequest

    settings = make_settings(profile, set_role, detector_hz, device, offline)
    boxes, begins_s = tuple(_parse_box(text) for text in box or ()), from_s if at is None else at
    request = FollowRequest(video, boxes, begins_s, tuple(of_class or ()), from_s, to_s)
    folder = output if output is not None else Path(f"{video.stem}.track")
    result, files = follow(_run(request, settings, folder, masks))
    if as_json:
        from onlooker.video.following.write import as_dict

        emit_json({**as_dict(request, result), "files": [str(file) for file in files]})
    else:
        emit("\n".join([*describe(result), *(printable(f"wrote {file}") for file in files)]))
    if not any(one.seen.any() for one in result.tracks):
        asked = ", ".join(request.classes)
        raise NothingFoundError(f"nothing was seen of: {asked}" if asked else "nothing was seen")


def _run(
    request: FollowRequest, settings: Settings, folder: Path, masks: bool
) -> Generator[Progress, None, tuple[FollowResult, list[Path]]]:
    """Follows, then writes everything; returns the result and the files."""
    from onlooker.video.following.folder import check_folder, remove_left_over
    from onlooker.video.following.passes import follow_video
    from onlooker.video.following.pictures import draw_result
    from onlooker.video.following.tools import make_follow_tools
    from onlooker.video.following.write import missing_masks, picture_limit, write_masks, write_tracks
    from onlooker.video.wiring import ModelPool

    check_folder(folder, request.path)
    pool = ModelPool(settings)
    result = yield from follow_video(request, lambda checked: make_follow_tools(pool, checked, masks))
    folder.mkdir(parents=True, exist_ok=True)
    files = [*write_tracks(folder, request, result)]
    if masks:
        files += write_masks(folder, result)
        for said in (picture_limit(result), missing_masks(result)):
            if said is not None:
                note(f"note: {said}")
    if result.tracks:
        drawn = yield from draw_result(folder, result)
        files += [drawn.video, drawn.sheet]
    remove_left_over(folder, files)
    return result, files


def _parse_box(text: str) -> BoxXYXY:
    parts = text.replace(" ", "").split(",")
    try:
        x1, y1, x2, y2 = map(float, parts)
    except ValueError:
        raise typer.BadParameter(
            f"expected four numbers X1,Y1,X2,Y2 in pixels, got `{text}`", param_hint="--box"
        ) from None
    return x1, y1, x2, y2


def describe(result: FollowResult) -> list[str]:
    """What a person reads: a line per track, and what was wrong with the file."""
    lines = [_line(one) for one in result.tracks[:_MOST_LINES]] or ["no tracks"]
    if len(result.tracks) > _MOST_LINES:
        lines.append(f"... and {len(result.tracks) - _MOST_LINES} more tracks")
    if result.problem is not None:
        lines.append(f"the file is damaged: {printable(result.problem)}")
    return lines


def _line(track: FollowedTrack) -> str:
    what = track.label or "thing"
    name = f"{track.number} {what} (box)" if track.source == "box" else f"{track.number} {what}"
    spans = [f"{track.times_s[a]:.2f} to {track.times_s[b - 1]:.2f} s" for a, b in track.stretches()]
    if not spans:
        return f"{name}: never seen"
    shown = ", ".join(spans[:4]) + (f" and {len(spans) - 4} more times" if len(spans) > 4 else "")
    twin = f"; the same as {', '.join(map(str, track.same_as))}" if track.same_as else ""
    return f"{name}: seen {shown}, {int(track.seen.sum())} of {len(track.seen)} frames{twin}"
