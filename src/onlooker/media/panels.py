"""Overviews of a video: a sheet of pictures with words below, and a timeline of who is there when."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image as Pil
from PIL import ImageDraw

from onlooker.errors import ConfigError
from onlooker.media.draw import text_colour_on
from onlooker.media.lettering import Colour, lettering
from onlooker.types import Image

_PAPER: Colour = (250, 251, 252)
_CARD: Colour = (255, 255, 255)
_INK: Colour = (22, 25, 29)
_SOFT: Colour = (96, 106, 118)
_LINE: Colour = (217, 222, 229)
_GROOVE: Colour = (236, 239, 244)

_CELL = (190, 236)
_CELL_PICTURE = (_CELL[0] - 20, 160)
_MARGIN = 16
_HEADER = 44

_AXIS_TOP = 64
_LANE = 24
_BAR = 16
_EDGE = 14


@dataclass(frozen=True, slots=True)
class SheetCell:
    """One card of a contact sheet.

    Attributes:
        picture: (H, W, 3) uint8 RGB of any size; absent, a grey field stands for it.
        title: the first line below it.
        lines: up to two more, smaller.
        colour: of the bar on top; use `colour_of(number)` for a tracklet.
    """

    picture: Image | None
    title: str
    lines: tuple[str, ...]
    colour: Colour


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a lane.

    Attributes:
        start_s: from here.
        end_s: to here; a moment is drawn 2 px wide.
        colour: of the bar.
        text: written into it as far as it fits.
        height: share of the lane, 0..1, from its bottom.
        kind: a "gap" is hatched: absent, but believed to be the same object.
    """

    start_s: float
    end_s: float
    colour: Colour
    text: str = ""
    height: float = 1.0
    kind: Literal["solid", "gap"] = "solid"


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of a timeline; `dot` is a spot of colour before the title, as tracklets have it."""

    title: str
    spans: tuple[Span, ...] = ()
    dot: Colour | None = None


def contact_sheet(heading: str, cells: Sequence[SheetCell], columns: int = 6) -> Image:
    """Cards in a grid below a heading, every picture whole.

    Args:
        heading: one line above all.
        cells: at least one.
        columns: cards in a row; fewer cards make a narrower sheet.

    Raises:
        ConfigError: no cards, or no columns.
    """
    if not cells or columns < 1:
        raise ConfigError(f"a contact sheet needs pictures and columns, got {len(cells)} and {columns}")
    columns = min(columns, max(3, len(cells)))  # narrower than three the heading has no room
    rows = math.ceil(len(cells) / columns)
    size = (2 * _MARGIN + columns * _CELL[0], _HEADER + rows * _CELL[1] + _MARGIN)
    sheet = Pil.new("RGB", size, _PAPER)
    pen = ImageDraw.Draw(sheet)
    large = lettering(17)
    large.write(pen, (_MARGIN + 5, 14), large.fitted(heading, size[0] - 2 * _MARGIN), _INK)
    for place, cell in enumerate(cells):
        row, column = divmod(place, columns)
        _draw_cell(sheet, pen, cell, (_MARGIN + column * _CELL[0], _HEADER + row * _CELL[1]))
    return np.asarray(sheet)


def _draw_cell(sheet: Pil.Image, pen: ImageDraw.ImageDraw, cell: SheetCell, corner: tuple[int, int]) -> None:
    x, y = corner
    pen.rounded_rectangle((x + 4, y + 4, x + _CELL[0] - 4, y + _CELL[1] - 4), 8, fill=_CARD, outline=_LINE)
    pen.rounded_rectangle((x + 4, y + 4, x + _CELL[0] - 4, y + 10), 3, fill=cell.colour)
    if cell.picture is None:
        pen.rectangle((x + 12, y + 16, x + _CELL[0] - 12, y + 10 + _CELL_PICTURE[1]), fill=_GROOVE)
    else:
        picture = _scaled(cell.picture)
        across, down = _CELL[0] - picture.width, _CELL_PICTURE[1] - picture.height
        sheet.paste(picture, (x + across // 2, y + 14 + down // 2))
    width = _CELL[0] - 24
    title, small = lettering(15), lettering(12)
    title.write(pen, (x + 12, y + 178), title.fitted(cell.title, width), _INK)
    for row, line in enumerate(cell.lines[:2]):
        small.write(pen, (x + 12, y + 197 + 15 * row), small.fitted(line, width), _SOFT)


def _scaled(image: Image) -> Pil.Image:
    """The picture, made to fill the place for it; small ones at most twice as large: more shows only blur."""
    height, width = image.shape[:2]
    scale = min(_CELL_PICTURE[0] / width, _CELL_PICTURE[1] / height, 2.0)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return Pil.fromarray(image).resize(size, Pil.Resampling.BICUBIC)


def timeline(heading: str, lanes: Sequence[Lane], duration_s: float, width_px: int = 1400) -> Image:
    """Lanes over a common time axis.

    Args:
        heading: one line above all.
        lanes: rows from top to bottom.
        duration_s: length of the axis; parts of spans outside it are cut.
        width_px: of the picture; its height follows from the lanes.

    Raises:
        ConfigError: no duration, or too narrow to draw.
    """
    if not (0 < duration_s < math.inf) or width_px < 200:
        raise ConfigError(f"a timeline needs a duration and 200 px, got {duration_s} s and {width_px} px")
    return _TimelineSheet(heading, lanes, duration_s, width_px).draw()


class _TimelineSheet:
    """Lays out and draws one timeline."""

    def __init__(self, heading: str, lanes: Sequence[Lane], duration_s: float, width_px: int) -> None:
        self._heading, self._lanes, self._duration_s = heading, lanes, duration_s
        self._large, self._font, self._small, self._tiny = (lettering(size) for size in (17, 13, 12, 11))
        self._bottom = _AXIS_TOP + len(lanes) * _LANE
        self._canvas = Pil.new("RGB", (width_px, self._bottom + _EDGE), _PAPER)
        self._pen = ImageDraw.Draw(self._canvas)
        titles = (_title_left(lane) + self._font.width(lane.title) for lane in lanes)
        self._left = min(max(titles, default=0.0) + 1.5 * _EDGE, 0.28 * width_px)
        self._right = width_px - 2.0 * _EDGE

    def draw(self) -> Image:
        width = self._canvas.width - 2 * _EDGE
        self._large.write(self._pen, (_EDGE, 10), self._large.fitted(self._heading, width), _INK)
        self._draw_axis()
        for place, lane in enumerate(self._lanes):
            self._draw_lane(lane, _AXIS_TOP + place * _LANE)
        return np.asarray(self._canvas)

    def _x(self, time_s: float) -> float:
        share = min(max(time_s / self._duration_s, 0.0), 1.0)
        return self._left + share * (self._right - self._left)

    def _draw_axis(self) -> None:
        room = (self._right - self._left) / 70  # 70 px for "1:01:05" and some air
        step_s = nice_step_s(self._duration_s / max(1.0, room))
        for k in range(math.floor(self._duration_s / step_s + 1e-9) + 1):
            x = self._x(k * step_s)
            self._pen.line((x, _AXIS_TOP - 8, x, self._bottom + 4), fill=_LINE)
            self._small.write(self._pen, (x, _AXIS_TOP - 11), clock_text(k * step_s, step_s), _SOFT, "md")

    def _draw_lane(self, lane: Lane, y: int) -> None:
        left, top, bottom = _title_left(lane), y + (_LANE - _BAR) // 2, y + (_LANE + _BAR) // 2
        if lane.dot is not None:
            self._pen.rounded_rectangle((_EDGE, y + 7, _EDGE + 10, y + 17), 3, fill=lane.dot)
        title = self._font.fitted(lane.title, self._left - left - 8)
        self._font.write(self._pen, (left, y + _LANE / 2), title, _SOFT if lane.dot is None else _INK, "lm")
        self._pen.rounded_rectangle((self._left, top, self._right, bottom), 3, fill=_GROOVE)
        for span in lane.spans:
            if span.end_s >= 0 and span.start_s < self._duration_s:
                self._draw_span(span, top, bottom)

    def _draw_span(self, span: Span, top: int, bottom: int) -> None:
        x1 = self._x(span.start_s)
        x2 = max(self._x(span.end_s), x1 + 2)
        if span.kind == "gap":
            for x in range(math.ceil(x1), math.floor(x2) - 5, 5):
                self._pen.line((x, bottom - 4, x + 5, top + 4), fill=span.colour)
            return
        # Neighbours are told apart by a hair of the groove.
        box = (x1, bottom - min(max(span.height, 0.0), 1.0) * (bottom - top), max(x2 - 1.5, x1 + 1), bottom)
        self._pen.rounded_rectangle(box, min(3.0, (box[2] - box[0]) / 2, (box[3] - box[1]) / 2), fill=span.colour)
        text = self._tiny.fitted(span.text, x2 - x1 - 8) if x2 - x1 > 12 else ""
        if text:
            ink = text_colour_on(span.colour)
            self._tiny.write(self._pen, (x1 + 4, (top + bottom) / 2), text, ink, "lm")


def _title_left(lane: Lane) -> int:
    return _EDGE if lane.dot is None else _EDGE + 16


def nice_step_s(least_s: float) -> float:
    """The smallest round step of time of at least `least_s` (1, 2, 5 parts of a second; seconds; minutes; hours)."""
    rounds = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
    for step_s in rounds:
        if step_s >= least_s * 0.999:
            return step_s
    return 3600.0 * math.ceil(least_s / 3600)


def clock_text(time_s: float, step_s: float) -> str:
    """ "0.5 s" or "7 s" below a minute, "1:05" and "1:01:05" above."""
    if time_s < 59.995:
        digits = 2 if step_s < 0.1 else 1 if step_s < 1 else 0
        return f"{time_s:.{digits}f} s"
    total = round(time_s)
    hours, minutes, seconds = total // 3600, total // 60 % 60, total % 60
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
