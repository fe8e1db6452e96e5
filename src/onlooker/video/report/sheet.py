"""Contact sheet: the best view of every tracklet with its number, name, colours and times, as one PNG."""

from __future__ import annotations

from pathlib import Path

from PIL import Image as Pillow

from onlooker.errors import NothingFoundError
from onlooker.media.draw import colour_of
from onlooker.media.images import from_jpeg
from onlooker.media.panels import SheetCell, contact_sheet
from onlooker.video.report.data import ShownTracklet, VideoData

_MAX_CELLS = 240  # ours: a sheet of forty rows is still a picture every viewer opens


def write_sheet(data: VideoData, output: str | Path) -> Path:
    """Writes the sheet; tracklets in the order of their numbers.

    Raises:
        NothingFoundError: the video has no tracklets.
    """
    shown = data.tracklets[:_MAX_CELLS]
    if not shown:
        raise NothingFoundError(f"no objects were found in `{data.video.name}`: there is nothing to put on a sheet")
    count = f"{len(data.tracklets)} tracklets"
    if len(shown) < len(data.tracklets):
        count += f", the first {len(shown)} shown"
    picture = contact_sheet(f"{data.video.name}: {count}, {data.duration_s:.1f} s", [_cell(one) for one in shown])
    output = Path(output)
    Pillow.fromarray(picture).save(output, "PNG")
    return output


def _cell(tracklet: ShownTracklet) -> SheetCell:
    seen = f"{tracklet.t_start:.2f} to {tracklet.t_end:.2f} s"
    facts = ", ".join(tracklet.colors) or f"{tracklet.speed_px_s:.0f} px/s"
    picture = None if tracklet.crop is None else from_jpeg(tracklet.crop.jpeg)
    return SheetCell(picture, tracklet.title, (seen, facts), colour_of(tracklet.number))
