"""A file restored, whatever it is."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from onlooker.media.probe import probe
from onlooker.restoring.pictures import restore_picture
from onlooker.restoring.request import RestoreRequest, kind_of, plan_files
from onlooker.restoring.values import Restoration
from onlooker.restoring.videos import restore_video
from onlooker.restoring.weights import open_restorer
from onlooker.steps import run_out
from onlooker.video.ingest.job import Progress


def restore_steps(request: RestoreRequest) -> Generator[Progress, None, Restoration]:
    """Restores a file and tells how far it is; a picture is one step and tells nothing.

    Raises:
        DecodeError, NotAVideoError: a file that cannot be read.
        WeightsError: weights that are none, or of another method.
        ShapeError: a mask of another size.
        ConfigError: an output that cannot be, or a setting out of range.
    """
    kind = kind_of(Path(request.source))
    if kind == "video":
        probe(request.source)  # what is neither is told as that, not as a wrong name of the output
    files = plan_files(request, kind)
    restorer = open_restorer(request.weights, request.short_side, request.device)
    if kind == "picture":
        return restore_picture(restorer, request, files)
    restored = yield from restore_video(restorer, request, files)
    return restored


def restore(request: RestoreRequest) -> Restoration:
    """Restores a file; errors as `restore_steps`. `is_changed` is false where nothing was found and written."""
    return run_out(restore_steps(request))
