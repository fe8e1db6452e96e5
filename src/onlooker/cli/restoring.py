"""`onlooker restore`: find damage in a picture or a video and fill it in, into a file that says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onlooker.cli.following import follow
from onlooker.cli.options import AsJson, Device, emit, emit_json, printable

if TYPE_CHECKING:
    from onlooker.restoring import Restoration

_MOST_LINES = 10  # of regions told on a terminal; JSON has more


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command()(restore)


def restore(
    file: Annotated[Path, typer.Argument(help="A picture or a video.", readable=False)],
    weights: Annotated[
        Path | None, typer.Option("--weights", "-w", help="Folder of a trained restorer, as `onlooker train` makes it.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The restored file, or a folder.  [default: NAME.restored.png or .mp4]"),
    ] = None,
    mask: Annotated[
        Path | None, typer.Option("--mask", help="Restore what is white in this picture instead of looking for damage.")
    ] = None,
    short_side: Annotated[
        int | None,
        typer.Option(
            help="Look at the picture with its shorter side this long; finer and slower.  [default: as trained]"
        ),
    ] = None,
    label: Annotated[
        bool, typer.Option("--label", help='Write "restored by AI" into the corner of a picture.')
    ] = False,
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """Find damage in a picture or video and fill it in. Exit code 3 when nothing is found; then nothing is written."""
    from onlooker.errors import NothingFoundError
    from onlooker.restoring.request import RestoreRequest
    from onlooker.restoring.run import restore_steps
    from onlooker.restoring.weights import HOW_TO_TRAIN

    if weights is None:
        raise typer.BadParameter(f"no weights are public; {HOW_TO_TRAIN}, then give its folder", param_hint="--weights")
    done = follow(restore_steps(RestoreRequest(file, weights, output, mask, label, short_side, device)))
    if as_json:
        emit_json(done.to_dict())
    else:
        emit("\n".join(describe(done)))
    if not done.is_changed:
        raise NothingFoundError("nothing found; nothing was written")


def describe(done: Restoration) -> list[str]:
    """What a person reads: how much was filled in and where, what the file said before, what was written."""
    name, filled = printable(done.source), f"{done.share:.2%} of the pixels filled in,"
    if done.kind == "video":
        frames = f"{done.n_frames} frames filled in, in {done.n_restored_frames} of them;"
        filled = f"{done.share:.2%} of the pixels of {frames}"
    lines = [f"{name}: {filled} {_count(done.n_regions)}"]
    for region in done.regions[:_MOST_LINES]:
        x1, y1, x2, y2 = region.box_xyxy_px
        lines.append(f"  {x1},{y1} to {x2},{y2}: {region.share:.2%}")
    if done.n_regions > _MOST_LINES:
        lines.append(f"  and {done.n_regions - _MOST_LINES} smaller ones")
    if done.before is not None:
        by = done.before.by or "a tool that gives no name"
        lines.append(printable(f"{name} says of itself: {done.before.kind} by {by}; {done.before.detail}").rstrip("; "))
    lines += [f"note: {printable(one)}" for one in done.notes]
    lines += [f"wrote {printable(one)}" for one in (done.restored, done.mask, done.compare) if one is not None]
    return lines


def _count(regions: int) -> str:
    return "1 region" if regions == 1 else f"{regions} regions"
