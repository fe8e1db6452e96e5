"""Contact sheet: the best view of every tracklet with its number, name, colours and times, as one PNG."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from onlooker.errors import NothingFoundError
from onlooker.video.report.colours import tracklet_colour
from onlooker.video.report.data import Picture, ShownTracklet, VideoData
from onlooker.video.report.paint import CARD, INK, LANE, LINE, PAPER, SOFT, draw_text, fitted

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage
    from PIL.ImageDraw import ImageDraw

_CELL = (190, 236)
_PICTURE_PX = 170
_MARGIN = 16
_HEADER = 44
_COLUMNS = 6
_MAX_CELLS = 240  # ours: a sheet of forty rows is still a picture every viewer opens


def write_sheet(data: VideoData, output: str | Path) -> Path:
    """Writes the sheet; tracklets in the order of their numbers.

    Raises:
        NothingFoundError: the video has no tracklets.
    """
    from PIL import Image, ImageDraw

    shown = data.tracklets[:_MAX_CELLS]
    if not shown:
        raise NothingFoundError(f"no objects were found in `{data.video.name}`: there is nothing to put on a sheet")
    columns = min(_COLUMNS, max(3, len(shown)))
    rows = -(-len(shown) // columns)
    size = (2 * _MARGIN + columns * _CELL[0], _HEADER + rows * _CELL[1] + _MARGIN)
    canvas = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(canvas)
    left_out = len(data.tracklets) - len(shown)
    count = f"{len(data.tracklets)} tracklets" + (f", the first {len(shown)} shown" if left_out else "")
    head = f"{data.video.name}: {count}, {data.duration_s:.1f} s"
    draw_text(pen, (_MARGIN + 5, 14), fitted(head, 17, size[0] - 2 * _MARGIN), 17)
    for place, tracklet in enumerate(shown):
        row, column = divmod(place, columns)
        _draw_cell(canvas, pen, tracklet, (_MARGIN + column * _CELL[0], _HEADER + row * _CELL[1]))
    output = Path(output)
    canvas.save(output, "PNG", optimize=True)
    return output


def _draw_cell(canvas: PillowImage, pen: ImageDraw, tracklet: ShownTracklet, corner: tuple[int, int]) -> None:
    x, y = corner
    colour = tracklet_colour(tracklet.number)
    pen.rounded_rectangle((x + 4, y + 4, x + _CELL[0] - 4, y + _CELL[1] - 4), 8, fill=CARD, outline=LINE)
    pen.rounded_rectangle((x + 4, y + 4, x + _CELL[0] - 4, y + 10), 3, fill=colour)
    if tracklet.crop is not None:
        picture = _opened(tracklet.crop)
        canvas.paste(picture, (x + (_CELL[0] - picture.width) // 2, y + 14 + (_PICTURE_PX - 10 - picture.height) // 2))
    else:
        pen.rectangle((x + 12, y + 16, x + _CELL[0] - 12, y + _PICTURE_PX), fill=LANE)
    width = _CELL[0] - 24
    draw_text(pen, (x + 12, y + 178), fitted(tracklet.title, 15, width), 15, INK)
    seen = f"{tracklet.t_start:.2f} to {tracklet.t_end:.2f} s"
    draw_text(pen, (x + 12, y + 197), fitted(seen, 12, width), 12, SOFT)
    facts = ", ".join(tracklet.colors) or f"{tracklet.speed_px_s:.0f} px/s"
    draw_text(pen, (x + 12, y + 212), fitted(facts, 12, width), 12, SOFT)


def _opened(crop: Picture) -> PillowImage:
    """The crop, scaled to fill the picture area of a cell (small ones at most twice)."""
    from PIL import Image

    with Image.open(io.BytesIO(crop.jpeg)) as image:
        picture = image.convert("RGB")
    scale = min((_PICTURE_PX - 10) / picture.height, (_CELL[0] - 20) / picture.width, 2.0)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.BICUBIC)
