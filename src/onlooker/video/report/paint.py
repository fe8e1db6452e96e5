"""Pictures on Pillow canvases: fonts, labels, text that fits."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from onlooker.video.report.colours import RGB, ink_on

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

PAPER: RGB = (250, 251, 252)
CARD: RGB = (255, 255, 255)
INK: RGB = (22, 25, 29)
SOFT: RGB = (96, 106, 118)
LINE: RGB = (217, 222, 229)
LANE: RGB = (236, 239, 244)


@lru_cache(maxsize=16)
def font(size_px: int) -> FreeTypeFont:
    """The font that comes with Pillow."""
    from PIL import ImageFont

    loaded = ImageFont.load_default(size_px)
    assert isinstance(loaded, ImageFont.FreeTypeFont)  # asking for a size gives the scalable one
    return loaded


def fitted(text: str, size_px: int, width_px: float) -> str:
    """The text on one line, cut with an ellipsis where it is wider than `width_px`."""
    text = " ".join(text.split())
    if font(size_px).getlength(text) <= width_px:
        return text
    while text and font(size_px).getlength(text + "...") > width_px:
        text = text[:-1]
    return text.rstrip() + "..." if text else ""


def draw_text(pen: ImageDraw, at: tuple[float, float], text: str, size_px: int, colour: RGB = INK) -> None:
    """One line with its top left corner at `at`."""
    pen.text(at, text, font=font(size_px), fill=colour)


def draw_label(pen: ImageDraw, corner: tuple[float, float], text: str, size_px: int, colour: RGB) -> None:
    """A filled label that sits on the top left corner of a box, kept inside the picture."""
    canvas_width = pen.im.size[0]
    width, height = font(size_px).getlength(text) + 0.6 * size_px, 1.35 * size_px
    left = min(max(corner[0], 0), max(0, canvas_width - width))
    top = corner[1] - height if corner[1] >= height else corner[1]
    pen.rectangle((left, top, left + width, top + height), fill=colour)
    pen.text((left + 0.3 * size_px, top + height / 2), text, font=font(size_px), fill=ink_on(colour), anchor="lm")
