"""Heat maps made to fit and drawn over pictures, and the curve of a video as a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image as Pil
from PIL import ImageDraw

from onlooker.media.draw import colour_of
from onlooker.media.lettering import Colour, Lettering, lettering
from onlooker.media.panels import clock_text, nice_step_s
from onlooker.types import FloatArray, Image
from onlooker.video.authenticity.verdict import Curve, Sight, Verdict

_PAPER: Colour = (250, 251, 252)
_INK: Colour = (22, 25, 29)
_SOFT: Colour = (96, 106, 118)
_LINE: Colour = (217, 222, 229)
_LIMIT: Colour = (200, 60, 60)
_FRAMES: Colour = (47, 96, 160)
_WIDTH, _ROW, _TOP, _BOTTOM, _RIGHT, _EDGE = 1200, 110, 62, 34, 24, 16
_MOST_ROWS = 24  # ours: a longer picture no longer opens everywhere
_LEAST_OVERLAY_PX, _MOST_OVERLAY_PX, _LINE_PX = 420, 2400, 18
# Dark to bright: nothing is drawn where the map is 0.
_STOPS = np.array([[0.0, 60, 0, 90], [0.35, 190, 40, 90], [0.7, 250, 130, 20], [1.0, 255, 235, 60]], np.float32)


def fit_map(heat: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """A map at another (height, width)."""
    if heat.shape == shape:
        return heat
    resized = Pil.fromarray(heat, "F").resize((shape[1], shape[0]), Pil.Resampling.BILINEAR)
    return np.asarray(np.clip(np.asarray(resized), 0, 1), np.float32)


def shrunk(image: Image, shape: tuple[int, int]) -> Image:
    """A picture at another (height, width)."""
    if image.shape[:2] == shape:
        return image
    return np.asarray(Pil.fromarray(image).resize((shape[1], shape[0]), Pil.Resampling.BOX))


def draw_overlay(sight: Sight, caption: str, strength: float = 1.0) -> Image:
    """The picture in grey with its map in colour over it, beside the picture itself, and a line below.

    Args:
        sight: picture and map.
        caption: the line.
        strength: in [0, 1], of the colours: a map is loudest somewhere on every picture, also where nothing was found.
    """
    height, width = sight.image.shape[:2]
    scale = min(1.0, _MOST_OVERLAY_PX / (2 * width), _MOST_OVERLAY_PX / height)
    shape = max(1, round(height * scale)), max(1, round(width * scale))
    picture, heat = shrunk(sight.image, shape), fit_map(sight.heat_map, shape) * np.float32(strength)
    grey = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2) * 0.75
    colour = np.stack([np.interp(heat, _STOPS[:, 0], _STOPS[:, k]) for k in (1, 2, 3)], axis=-1)
    share = np.clip(heat * 1.4, 0, 0.85)[..., None]
    over = np.rint(grey * (1 - share) + colour * share).astype(np.uint8)
    gap = np.full((shape[0], 6, 3), 255, np.uint8)
    both = np.concatenate([picture, gap, over], axis=1)
    font, room = lettering(14), max(both.shape[1], _LEAST_OVERLAY_PX)
    lines = _wrapped(caption, font, room - 16)
    canvas = Pil.new("RGB", (room, shape[0] + 12 + _LINE_PX * len(lines)), _PAPER)
    canvas.paste(Pil.fromarray(both), (0, 0))
    pen = ImageDraw.Draw(canvas)
    for row, line in enumerate(lines):
        font.write(pen, (8, shape[0] + 7 + _LINE_PX * row), line, _INK)
    return np.asarray(canvas)


def _wrapped(text: str, font: Lettering, width: int) -> list[str]:
    """Words in lines of a width; a word that is wider is cut."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.width(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(font.fitted(word, width))
    return lines


def draw_curves(verdict: Verdict, duration_s: float) -> Image:
    """One row per curve over a common time axis; the threshold as a red line, where one judge alone decides."""
    curves = verdict.curves[:_MOST_ROWS]
    counted = [one.key for one in verdict.evidence if one.counts]
    canvas = Pil.new("RGB", (_WIDTH, _TOP + _ROW * len(curves) + _BOTTOM), _PAPER)
    pen = ImageDraw.Draw(canvas)
    font = lettering(16)
    heading = f"probability of manipulation over time: {verdict.file.rsplit('/', 1)[-1]}"
    if len(verdict.curves) > _MOST_ROWS:
        heading += f", the first {_MOST_ROWS} of {len(verdict.curves)} curves"
    font.write(pen, (_EDGE, 12), font.fitted(heading, _WIDTH - 2 * _EDGE), _INK)
    titles = [_title(curve) for curve in curves]
    small = lettering(12)
    left = min(max((small.width(t) for t in titles), default=0.0) + 2.5 * _EDGE + 26, 0.3 * _WIDTH)
    _draw_axis(pen, left, duration_s, _TOP + _ROW * len(curves))
    for row, (curve, title) in enumerate(zip(curves, titles, strict=True)):
        limit = verdict.threshold if counted == [curve.judge] else None
        _draw_row(pen, curve, title, limit, (left, _TOP + row * _ROW, duration_s))
    return np.asarray(canvas)


def _title(curve: Curve) -> str:
    return f"{curve.label} · {curve.judge}"


def _draw_axis(pen: ImageDraw.ImageDraw, left: float, duration_s: float, bottom: int) -> None:
    step_s = nice_step_s(duration_s / 12)
    small = lettering(12)
    for k in range(int(duration_s / step_s + 1e-9) + 1):
        x = left + (_WIDTH - _RIGHT - left) * k * step_s / duration_s
        pen.line((x, _TOP - 6, x, bottom), fill=_LINE)
        small.write(pen, (x, bottom + 8), clock_text(k * step_s, step_s), _SOFT, "ma")


def _draw_row(
    pen: ImageDraw.ImageDraw,
    curve: Curve,
    title: str,
    threshold: float | None,
    place: tuple[float, float, float],
) -> None:
    """`place` is (left, top, seconds of the axis)."""
    left, top, duration_s = place
    low, high = top + _ROW - 18, top + 12
    small, tiny = lettering(12), lettering(10)
    colour = _FRAMES if curve.label == "frames" else colour_of(curve.tracklet or _number(curve.label))

    def at(time_s: float, probability: float) -> tuple[float, float]:
        share = min(max(time_s / duration_s, 0.0), 1.0)
        return left + (_WIDTH - _RIGHT - left) * share, low + (high - low) * probability

    small.write(pen, (_EDGE, (low + high) / 2), small.fitted(title, left - 2 * _EDGE - 22), _INK, "lm")
    for value in (0.0, 0.5, 1.0):
        y = at(0, value)[1]
        pen.line((left, y, _WIDTH - _RIGHT, y), fill=_LINE)
        tiny.write(pen, (left - 6, y), f"{value:g}", _SOFT, "rm")
    if threshold is not None:
        y = at(0, threshold)[1]
        pen.line((left, y, _WIDTH - _RIGHT, y), fill=_LIMIT)
    points = [at(t, p) for t, p in zip(curve.times_s, curve.probabilities, strict=True)]
    if len(points) > 1:
        pen.line(points, fill=colour, width=2)
    for x, y in points:
        pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=colour)


def _number(label: str) -> int:
    digits = "".join(c for c in label if c.isdigit())
    return max(int(digits), 1) if digits else 1


def duration_of(curves: Sequence[Curve], told_s: float | None) -> float:
    """Seconds of the axis: the longest of what was told and what was seen."""
    seen = max((curve.times_s[-1] for curve in curves if curve.times_s), default=0.0)
    return max(told_s or 0.0, seen, 0.1)
