"""Overviews of a video: a sheet of pictures with titles, and a timeline of who is there when."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import ImageDraw

from onlooker.errors import ConfigError
from onlooker.media.draw import Colour, Font, load_font, text_colour_on
from onlooker.types import Image

_PAPER: Colour = (250, 250, 248)
_BAND: Colour = (242, 243, 241)
_GRID: Colour = (224, 226, 224)
_INK: Colour = (34, 38, 44)
_FAINT_INK: Colour = (112, 118, 126)
_CELL: Colour = (32, 34, 38)
# Drawn twice as large and reduced: smooth edges, which Pillow does not draw itself.
_FINE = 2


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a lane. A `gap` is drawn as a dotted line (absent, but believed to be the same object)."""

    start_s: float
    end_s: float
    label: str = ""
    kind: Literal["solid", "gap"] = "solid"


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of a timeline.

    Attributes:
        title: written on the left.
        spans: what happens when.
        colour: of the spans; use `colour_of(number)` for a tracklet.
        levels_db: loudness curve from second 0, instead of spans, in dB relative to full scale.
        level_step_s: time between two of them.
    """

    title: str
    spans: tuple[Span, ...] = ()
    colour: Colour = (92, 124, 168)
    levels_db: tuple[float, ...] = ()
    level_step_s: float = 0.1


def contact_sheet(pictures: Sequence[tuple[Image, str]], columns: int = 5, cell_px: int = 220) -> Image:
    """Pictures in a grid, each whole and with its title (up to two lines) below.

    Args:
        pictures: ((H, W, 3) uint8 RGB, title) pairs, of any sizes.
        columns: pictures in a row; fewer pictures make a narrower sheet.
        cell_px: width and height that a picture may fill.

    Raises:
        ConfigError: no pictures, or no columns.
    """
    if not pictures or columns < 1:
        raise ConfigError(f"a contact sheet needs pictures and columns, got {len(pictures)} and {columns}")
    columns = min(columns, len(pictures))
    rows = math.ceil(len(pictures) / columns)
    font = load_font(max(11, cell_px // 15))
    gap = max(8, cell_px // 16)
    line_px = _line_height(font)
    step_x, step_y = cell_px + gap, cell_px + 2 * line_px + gap + gap // 2
    sheet = Pil.new("RGB", (columns * step_x + gap, rows * step_y + gap), _PAPER)
    pen = ImageDraw.Draw(sheet)
    for k, (image, title) in enumerate(pictures):
        x, y = gap + k % columns * step_x, gap + k // columns * step_y
        sheet.paste(_cell(image, cell_px), (x, y))
        for row, text in enumerate(_two_lines(pen, title, font, cell_px)):
            pen.text((x, y + cell_px + gap // 3 + row * line_px), text, font=font, fill=_FAINT_INK if row else _INK)
    return np.asarray(sheet)


def timeline(lanes: Sequence[Lane], duration_s: float, width_px: int = 1200, max_lanes: int = 120) -> Image:
    """Lanes over a common time axis.

    Args:
        lanes: rows from top to bottom; those over `max_lanes` are counted in a last line, not drawn.
        duration_s: length of the axis; parts of spans outside it are cut.
        width_px: of the picture; its height follows from the lanes.
        max_lanes: rows drawn at most.

    Raises:
        ConfigError: no duration, or too narrow to draw.
    """
    if not (0 < duration_s < float("inf")) or width_px < 200:
        raise ConfigError(f"a timeline needs a duration and 200 px, got {duration_s} s and {width_px} px")
    sheet = _TimelineSheet(lanes[:max_lanes], duration_s, width_px, len(lanes) - max_lanes)
    return sheet.draw()


class _TimelineSheet:
    """Lays out and draws one timeline, in pixels of the doubled picture."""

    def __init__(self, lanes: Sequence[Lane], duration_s: float, width_px: int, n_left_out: int) -> None:
        self._lanes, self._duration_s, self._n_left_out = lanes, duration_s, n_left_out
        self._size_px = width_px
        self._font = load_font(13 * _FINE)
        self._small = load_font(11 * _FINE)
        self._row, self._axis, self._edge = 26 * _FINE, 30 * _FINE, 16 * _FINE
        self._width = width_px * _FINE
        footer = self._row if n_left_out > 0 else 0
        self._bottom = self._axis + len(lanes) * self._row
        self._height = self._bottom + footer + self._edge // 2
        self._canvas = Pil.new("RGB", (self._width, self._height), _PAPER)
        self._pen = ImageDraw.Draw(self._canvas, "RGBA")
        titles = [self._pen.textlength(lane.title, font=self._font) for lane in lanes]
        self._left = self._edge + min(max(titles, default=0), self._width * 0.28) + self._edge
        self._right = self._width - self._edge * 1.5

    def draw(self) -> Image:
        for k in range(0, len(self._lanes), 2):
            y = self._axis + k * self._row
            self._pen.rectangle((0, y, self._width, y + self._row), fill=_BAND)
        self._draw_axis()
        for k, lane in enumerate(self._lanes):
            self._draw_lane(lane, self._axis + k * self._row)
        if self._n_left_out > 0:
            text = f"and {self._n_left_out} more"
            self._pen.text((self._edge, self._bottom + 5 * _FINE), text, font=self._font, fill=_FAINT_INK)
        size = (self._size_px, round(self._height / _FINE))
        return np.asarray(self._canvas.resize(size, Pil.Resampling.LANCZOS))

    def _x(self, time_s: float) -> float:
        part = min(max(time_s / self._duration_s, 0.0), 1.0)
        return self._left + part * (self._right - self._left)

    def _draw_axis(self) -> None:
        room = (self._right - self._left) / (70 * _FINE)
        step_s = nice_step_s(self._duration_s / max(1.0, room))
        for k in range(math.floor(self._duration_s / step_s + 1e-9) + 1):
            x = self._x(k * step_s)
            self._pen.line((x, self._axis - 5 * _FINE, x, self._bottom), fill=_GRID, width=_FINE)
            text = clock_text(k * step_s, step_s)
            half = self._pen.textlength(text, font=self._small) / 2
            self._pen.text((x - half, 7 * _FINE), text, font=self._small, fill=_FAINT_INK)

    def _draw_lane(self, lane: Lane, y: int) -> None:
        title = _shortened(self._pen, lane.title, self._font, self._left - 2 * self._edge)
        offset = (self._row - _line_height(self._font)) / 2
        self._pen.text((self._edge, y + offset), title, font=self._font, fill=_INK)
        for span in lane.spans:
            if span.end_s > 0 and span.start_s < self._duration_s:
                self._draw_span(lane, span, y)
        if lane.levels_db:
            self._draw_levels(lane, y)

    def _draw_span(self, lane: Lane, span: Span, y: int) -> None:
        x1, x2 = self._x(span.start_s), self._x(span.end_s)
        if span.kind == "gap":
            middle = y + self._row / 2
            for x in np.arange(x1 + 2 * _FINE, x2 - _FINE, 6 * _FINE):
                end = min(float(x) + 3 * _FINE, x2)
                self._pen.line((float(x), middle, end, middle), fill=lane.colour, width=2 * _FINE)
            return
        # A moment is still seen, and neighbours are told apart by a hair of paper.
        x2 = max(x2 - _FINE, x1 + 2 * _FINE)
        top, bottom = y + 4 * _FINE, y + self._row - 4 * _FINE
        self._pen.rounded_rectangle((x1, top, x2, bottom), radius=min(4 * _FINE, (x2 - x1) / 2), fill=lane.colour)
        text = _shortened(self._pen, span.label, self._small, x2 - x1 - 10 * _FINE)
        if text:
            offset = (self._row - _line_height(self._small)) / 2
            ink = text_colour_on(lane.colour)
            self._pen.text((x1 + 5 * _FINE, y + offset), text, font=self._small, fill=ink)

    def _draw_levels(self, lane: Lane, y: int) -> None:
        """A mirrored curve from -60 dB (a hair) to 0 dB (full height)."""
        middle, reach = y + self._row / 2, self._row / 2 - 3 * _FINE
        loud = np.clip((np.asarray(lane.levels_db) + 60.0) / 60.0, 0.0, 1.0)
        end = self._x(len(loud) * lane.level_step_s)
        columns = np.arange(math.ceil(self._left), max(math.floor(end), self._left + 1), _FINE)
        # The loudest step under each column, so that a short bang is not skipped in a long video.
        px_per_step = (self._right - self._left) / self._duration_s * lane.level_step_s
        edges = (np.append(columns, columns[-1] + _FINE) - self._left) / px_per_step
        for x, peak in zip(columns, _peaks(loud, edges), strict=True):
            half = max(_FINE / 2, peak * reach)
            self._pen.line((int(x), middle - half, int(x), middle + half), fill=lane.colour, width=_FINE)


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


def _peaks(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    starts = np.minimum(np.floor(edges[:-1]).astype(int), len(values) - 1)
    ends = np.maximum(np.ceil(edges[1:]).astype(int), starts + 1)
    return np.array([values[a:b].max() for a, b in zip(starts, ends, strict=True)])


def _cell(image: Image, cell_px: int) -> Pil.Image:
    """The picture fitted into a dark square."""
    scale = cell_px / max(image.shape[:2])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = Pil.fromarray(image).resize(size, Pil.Resampling.LANCZOS)
    cell = Pil.new("RGB", (cell_px, cell_px), _CELL)
    cell.paste(small, ((cell_px - size[0]) // 2, (cell_px - size[1]) // 2))
    return cell


def _line_height(font: Font) -> int:
    height: float = font.getbbox("Ag")[3]
    return math.ceil(height * 1.15)


def _two_lines(pen: ImageDraw.ImageDraw, text: str, font: Font, width: float) -> list[str]:
    first, _, rest = text.partition("\n")
    words = first.split()
    taken = len(words)
    while taken > 1 and pen.textlength(" ".join(words[:taken]), font=font) > width:
        taken -= 1
    second = " ".join([*words[taken:], *rest.split()])
    lines = [" ".join(words[:taken]), second]
    return [_shortened(pen, line, font, width) for line in lines if line]


def _shortened(pen: ImageDraw.ImageDraw, text: str, font: Font, width: float) -> str:
    """`text`, cut with dots so that it fits; empty when not even two letters do."""
    if not text or pen.textlength(text, font=font) <= width:
        return text
    keep = len(text)
    while keep > 1 and pen.textlength(text[:keep].rstrip() + "…", font=font) > width:
        keep -= 1
    return text[:keep].rstrip() + "…" if keep > 1 else ""
