"""Boxes, masks, trails and notes on a picture, legible at any resolution. Sheets and timelines are in `panels`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import ImageDraw

from onlooker.errors import ShapeError
from onlooker.media.lettering import Colour, Lettering, lettering
from onlooker.types import BoxXYXY, Image

Rect = tuple[float, float, float, float]

_DARK: Colour = (16, 18, 22)
_LIGHT: Colour = (255, 255, 255)
# Ours: neighbours differ in hue and lightness, all stand out on dark and on light pictures.
_PALETTE: tuple[Colour, ...] = (
    *((255, 176, 0), (76, 154, 255), (224, 62, 112), (47, 191, 113), (161, 108, 240), (255, 111, 60)),
    *((0, 184, 196), (240, 222, 70), (232, 120, 214), (138, 196, 58), (92, 108, 226), (214, 150, 104)),
)
# Ours: later rounds through the palette are mixed with white and with black, so that 36 ids in a row differ.
_ROUNDS: tuple[tuple[Colour, float], ...] = ((_LIGHT, 0.0), (_LIGHT, 0.4), (_DARK, 0.4))
# Ours: the picture below stays readable.
_FILL = 0.45  # share of an object's colour inside its mask


@dataclass(frozen=True, slots=True)
class DrawnTrack:
    """One object on one picture.

    Attributes:
        number: its id; decides the colour.
        box_xyxy_px: where it is, in pixels of the picture.
        label: shown after the id, "car"; left out over a narrow box, where it would hide the neighbours.
        detail: shown after the label where the box is wide enough, "red".
        verdict: shown last, over a narrow box too: "manipulated? 0.83".
        carried: True where the box was carried between detections: dashed.
        trail_px: earlier centres (x, y), oldest first; drawn fading towards the old end.
        mask: optional (H, W) bool of the picture's size.
    """

    number: int
    box_xyxy_px: BoxXYXY
    label: str = ""
    detail: str = ""
    verdict: str = ""
    carried: bool = False
    trail_px: tuple[tuple[float, float], ...] = ()
    mask: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Words about the whole picture on a dark ground: a clock in the corner, speech below."""

    text: str
    place: Literal["top right", "bottom"]


def colour_of(number: int) -> Colour:
    """Red, green and blue, 0..255, of an id: the same in every picture, video and page."""
    at_round, place = divmod(number - 1, len(_PALETTE))
    towards, share = _ROUNDS[at_round % len(_ROUNDS)]
    red, green, blue = (round(a + share * (b - a)) for a, b in zip(_PALETTE[place], towards, strict=True))
    return red, green, blue


def text_colour_on(colour: Colour) -> Colour:
    """Dark or white, whichever reads better on `colour`."""
    luminance = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    return _DARK if luminance > 140 else _LIGHT


def draw_tracks(image: Image, items: Sequence[DrawnTrack], notes: Sequence[Note] = ()) -> Image:
    """A copy of `image` with every item drawn: masks below trails below boxes below labels below notes.

    Args:
        image: (H, W, 3) uint8 RGB.
        items: objects; larger ones are drawn first so that small ones stay visible.
        notes: at most one for each place; labels keep clear of them where there is room.

    Raises:
        ShapeError: a mask is not of the picture's size.
    """
    ordered = sorted(items, key=lambda item: -_area(item.box_xyxy_px))
    masks = {item.number: item.mask for item in ordered if item.mask is not None}
    canvas = Pil.fromarray(draw_masks(image, masks) if masks else image)
    pen = ImageDraw.Draw(canvas, "RGBA")
    short_side = min(canvas.size)
    line_px = max(2, round(short_side / 240))
    for item in ordered:
        _draw_trail(pen, item, line_px)
    for item in ordered:
        _draw_box(pen, item, line_px)
    letters = lettering(max(12, round(short_side / 36)))
    labels = _LabelPlacer(canvas.size, letters, [_note_rect(note, canvas.size, letters) for note in notes])
    for item in ordered:
        labels.draw(pen, item)
    for note in notes:
        _draw_note(pen, note, canvas.size, letters)
    return np.asarray(canvas)


def draw_masks(image: Image, masks: Mapping[int, NDArray[np.bool_]]) -> Image:
    """A copy of `image` with masks drawn alone: a translucent fill and an outline, each in the colour of its id.

    Args:
        image: (H, W, 3) uint8 RGB.
        masks: by id, (H, W) bool; where two share a pixel the later one lies above. A mask of nothing draws nothing.

    Raises:
        ShapeError: a mask is not of the picture's size.
    """
    blended = image.copy()
    for number, mask in masks.items():
        if mask.shape != image.shape[:2]:
            raise ShapeError(f"the mask of {number} is {mask.shape}, the picture {image.shape[:2]}")
        colour = np.array(colour_of(number), np.float32)
        blended[mask] = ((1 - _FILL) * blended[mask] + _FILL * colour).astype(np.uint8)
        blended[_outline(mask)] = colour
    return blended


def _outline(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of the mask with a neighbour outside it."""
    padded = np.pad(mask, 1)
    inside = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask & ~inside


def _draw_trail(pen: ImageDraw.ImageDraw, item: DrawnTrack, line_px: int) -> None:
    colour = colour_of(item.number)
    n = len(item.trail_px)
    for k in range(1, n):
        alpha = round(40 + 190 * k / n)
        ends = [item.trail_px[k - 1], item.trail_px[k]]
        pen.line(ends, fill=(*colour, alpha), width=max(1, line_px), joint="curve")
    if n:
        x, y = item.trail_px[-1]
        pen.ellipse((x - line_px * 1.5, y - line_px * 1.5, x + line_px * 1.5, y + line_px * 1.5), fill=colour)


def _draw_box(pen: ImageDraw.ImageDraw, item: DrawnTrack, line_px: int) -> None:
    x1, y1, x2, y2 = _ordered(item.box_xyxy_px)
    colour = colour_of(item.number)
    # A dark seam on both sides keeps the line visible on any ground.
    pen.rectangle((x1 - 1, y1 - 1, x2, y2), outline=(*_DARK, 110), width=1)
    inner = (x1 + line_px, y1 + line_px, x2 - 1 - line_px, y2 - 1 - line_px)
    if inner[2] > inner[0] and inner[3] > inner[1]:
        pen.rectangle(inner, outline=(*_DARK, 110), width=1)
    if not item.carried:
        pen.rectangle((x1, y1, x2 - 1, y2 - 1), outline=colour, width=line_px)
        return
    dash = line_px * 5
    half = line_px / 2
    for y in (y1 + half, y2 - 1 - half):
        for x in np.arange(x1, x2, 2 * dash):
            pen.line((float(x), y, min(float(x) + dash, x2 - 1), y), fill=colour, width=line_px)
    for x in (x1 + half, x2 - 1 - half):
        for y in np.arange(y1, y2, 2 * dash):
            pen.line((x, float(y), x, min(float(y) + dash, y2 - 1)), fill=colour, width=line_px)


def _note_rect(note: Note, size: tuple[int, int], letters: Lettering) -> Rect:
    width, height = size
    pad = 0.4 * letters.size_px
    wide = min(letters.width(note.text), 0.92 * width) + 2 * pad
    tall = 1.2 * letters.size_px + pad
    if note.place == "top right":
        return width - wide - pad, pad, width - pad, pad + tall
    return (width - wide) / 2, height - tall - pad, (width + wide) / 2, height - pad


def _draw_note(pen: ImageDraw.ImageDraw, note: Note, size: tuple[int, int], letters: Lettering) -> None:
    rect = _note_rect(note, size, letters)
    pen.rounded_rectangle(rect, radius=0.25 * letters.size_px, fill=(*_DARK, 165))
    middle = ((rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2)
    letters.write(pen, middle, letters.fitted(note.text, 0.92 * size[0]), _LIGHT, "mm")


class _LabelPlacer:
    """Puts labels above their boxes, inside the picture and not on top of each other where there is room."""

    def __init__(self, size: tuple[int, int], letters: Lettering, taken: Sequence[Rect]) -> None:
        self._width, self._height = size
        self._letters = letters
        self._taken = list(taken)

    def draw(self, pen: ImageDraw.ImageDraw, item: DrawnTrack) -> None:
        text = self._told(item)
        pad = max(2, round(0.25 * self._letters.size_px))
        # Height of a full line, not of this text: labels of one picture are then all alike.
        size = (self._letters.width(text) + 2 * pad, round(1.2 * self._letters.size_px) + pad)
        rect = self._place(item.box_xyxy_px, size)
        self._taken.append(rect)
        colour = colour_of(item.number)
        pen.rounded_rectangle(rect, radius=pad, fill=(*colour, 235))
        self._letters.write(pen, (rect[0] + pad, (rect[1] + rect[3]) / 2), text, text_colour_on(colour), "lm")

    def _told(self, item: DrawnTrack) -> str:
        """As much of `3 car, red` as is not much wider than the box, and the verdict in any case."""
        room = 1.6 * (item.box_xyxy_px[2] - item.box_xyxy_px[0])
        short = f"{item.number} {item.label}".strip()
        last = f", {item.verdict}" if item.verdict else ""
        for text in (f"{short}, {item.detail}{last}" if item.detail else short + last, short + last):
            if self._letters.width(text) < room:
                return text
        return f"{item.number} {item.verdict}".strip()

    def _place(self, box: BoxXYXY, size: tuple[float, float]) -> Rect:
        width, height = size
        x1, y1, x2, y2 = _ordered(box)
        wanted = [(x1, y1 - height), (x2 - width, y1 - height), (x1, y1), (x1, y2), (x1, y2 - height), (x2, y1)]
        for x, y in wanted:
            rect = self._inside((x, y, x + width, y + height))
            if not any(_overlap(rect, other) for other in self._taken):
                return rect
        return self._inside((x1, y1 - height, x1 + width, y1))

    def _inside(self, rect: Rect) -> Rect:
        x1, y1, x2, y2 = rect
        dx = max(0.0, -x1) - max(0.0, x2 - self._width)
        dy = max(0.0, -y1) - max(0.0, y2 - self._height)
        # A label wider than the picture keeps its beginning.
        return (max(0.0, x1 + dx), y1 + dy, max(0.0, x1 + dx) + x2 - x1, y2 + dy)


def _overlap(a: Rect, b: Rect) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _ordered(box: BoxXYXY) -> BoxXYXY:
    """Whole pixels, at least 2 wide and high, so that a degenerate box is still drawn."""
    x1, y1, x2, y2 = (float(round(v)) for v in box)
    return x1, y1, max(x2, x1 + 2), max(y2, y1 + 2)


def _area(box: BoxXYXY) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
