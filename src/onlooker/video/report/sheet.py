"""Contact sheet: the best view of every tracklet with its number, name, colours and times, as one PNG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from onlooker.errors import NothingFoundError
from onlooker.media.draw import colour_of, draw_masks
from onlooker.media.images import from_jpeg
from onlooker.media.panels import SheetCell, contact_sheet
from onlooker.video.report.data import ShownTracklet, VideoData

_MAX_CELLS = 240  # ours: a sheet of forty rows is still a picture every viewer opens


def write_sheet(data: VideoData, output: str | Path, masks: Mapping[int, NDArray[np.bool_]] | None = None) -> Path:
    """Writes the sheet; tracklets in the order of their numbers.

    Args:
        data: the video.
        output: the .png file.
        masks: (h, w) by tracklet number, at the size of its best view; drawn on it.

    Raises:
        NothingFoundError: the video has no tracklets.
    """
    shown = data.tracklets[:_MAX_CELLS]
    if not shown:
        raise NothingFoundError(f"no objects were found in `{data.video.name}`: there is nothing to put on a sheet")
    count = f"{len(data.tracklets)} tracklets"
    if len(shown) < len(data.tracklets):
        count += f", the first {len(shown)} shown"
    picture = contact_sheet(
        f"{data.video.name}: {count}, {data.duration_s:.1f} s", [_cell(one, masks or {}) for one in shown]
    )
    output = Path(output)
    Pillow.fromarray(picture).save(output, "PNG")
    return output


def _cell(tracklet: ShownTracklet, masks: Mapping[int, NDArray[np.bool_]]) -> SheetCell:
    seen = f"{tracklet.t_start:.2f} to {tracklet.t_end:.2f} s"
    facts = ", ".join(tracklet.colors) or f"{tracklet.speed_px_s:.0f} px/s"
    if tracklet.verdict is not None:
        facts = tracklet.verdict.summary
    picture = None if tracklet.crop is None else from_jpeg(tracklet.crop.jpeg)
    if picture is not None and tracklet.number in masks:
        picture = draw_masks(picture, {tracklet.number: masks[tracklet.number]})
    return SheetCell(picture, tracklet.title, (seen, facts), colour_of(tracklet.number))
