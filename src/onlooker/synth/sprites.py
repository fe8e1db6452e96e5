"""Sprites: ten shapes, seven colours and four textures, drawn with soft edges at any place, size and angle.

A shape is a function of local coordinates that is negative inside and grows about as fast as the distance outside.
All shapes have nearly the same area at the same radius, and no two are one another turned or stretched evenly, so that
neither the number of coloured pixels nor the mean colour tells them apart. Ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ShapeError

Field = NDArray[np.float32]

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (220, 40, 40),
    "green": (50, 190, 60),
    "blue": (50, 80, 230),
    "yellow": (235, 215, 50),
    "purple": (160, 60, 200),
    "cyan": (50, 210, 220),
    "orange": (240, 140, 30),
}
TEXTURES = ("plain", "striped", "checked", "dotted")
# Turning a plain one of these shows nothing.
ROUND_SHAPES = frozenset({"circle", "ring"})
# No shape reaches farther than this from its centre, in radii; the tip of the diamond is the farthest.
REACH = 1.36
# Shade of the darker parts of a texture, as a part of the colour.
_DARK = np.float32(0.35)


def _norm(u: Field, v: Field) -> Field:
    length: Field = np.sqrt(u * u + v * v)
    return length


def _box(u: Field, v: Field, half_u: float, half_v: float) -> Field:
    return np.maximum(np.abs(u) - np.float32(half_u), np.abs(v) - np.float32(half_v))


def _circle(u: Field, v: Field) -> Field:
    return _norm(u, v) - np.float32(0.798)


def _square(u: Field, v: Field) -> Field:
    return _box(u, v, 0.707, 0.707)


def _bar(u: Field, v: Field) -> Field:
    return _box(u, v, 1.15, 0.435)


def _cross(u: Field, v: Field) -> Field:
    return np.minimum(_box(u, v, 0.98, 0.3), _box(u, v, 0.3, 0.98))


def _corner(u: Field, v: Field) -> Field:
    """An L: a square from which a smaller square was cut."""
    return np.maximum(_box(u, v, 0.875, 0.875), -np.maximum(np.float32(-0.175) - u, v - np.float32(0.175)))


def _diamond(u: Field, v: Field) -> Field:
    # |u| / 1.35 + |v| / 0.74 = 1, scaled to grow by one per unit of distance.
    return (np.abs(u) / np.float32(1.35) + np.abs(v) / np.float32(0.74) - 1) * np.float32(0.649)


def _triangle(u: Field, v: Field) -> Field:
    side = np.float32(0.866) * np.abs(u) - np.float32(0.5) * v
    return np.maximum(side, v) - np.float32(0.62)


def _ring(u: Field, v: Field) -> Field:
    return np.abs(_norm(u, v) - np.float32(0.775)) - np.float32(0.2055)


def _moon(u: Field, v: Field) -> Field:
    bite = _norm(u - np.float32(0.6), v) - np.float32(0.75)
    return np.maximum(_norm(u, v) - np.float32(1.0), -bite)


def _star(u: Field, v: Field) -> Field:
    """A pentagram is where at most one of the five half planes is left: the second largest of five distances."""
    first = np.full_like(u, -np.inf)
    second = first
    for k in range(5):
        turn = 2 * np.pi * k / 5
        plane = np.float32(np.sin(turn)) * u + np.float32(np.cos(turn)) * v
        second = np.maximum(second, np.minimum(first, plane))
        first = np.maximum(first, plane)
    return second - np.float32(0.4125)


_DISTANCES: dict[str, Callable[[Field, Field], Field]] = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "cross": _cross,
    "ring": _ring,
    "diamond": _diamond,
    "bar": _bar,
    "moon": _moon,
    "corner": _corner,
}
SHAPES = tuple(_DISTANCES)


@dataclass(frozen=True, slots=True)
class Look:
    """How a sprite looks. `rgb` is its own shade of the named colour."""

    shape: str
    colour: str
    texture: str
    rgb: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Poses:
    """Where a sprite is, frame by frame; (T,) arrays. `x`, `y`, `radius` in pixels, `angle` in radians."""

    x: Field
    y: Field
    radius: Field
    angle: Field
    shown: NDArray[np.bool_]

    def __post_init__(self) -> None:
        shapes = {a.shape for a in (self.x, self.y, self.radius, self.angle, self.shown)}
        if len(shapes) != 1 or self.x.ndim != 1:
            raise ShapeError(f"poses are arrays of one length (T,), got shapes {sorted(shapes)}")

    @property
    def mean_radius(self) -> float:
        return float(self.radius.mean())


class Stamp(NamedTuple):
    """A sprite drawn for all frames inside the window `rows`, `columns` that holds every one of them.

    `cover` (T, h, w) in [0, 1] is the part of a pixel that is covered, `rgb` (T, h, w, 3) its colours.
    """

    rows: slice
    columns: slice
    cover: Field
    rgb: Field


def draw(look: Look, poses: Poses, size_px: int) -> Stamp:
    """Draw a sprite for every frame of a (T, size_px, size_px) clip. What lies outside the picture is cut off."""
    reach = REACH * poses.radius + 1
    rows = _window(poses.y, reach, size_px)
    columns = _window(poses.x, reach, size_px)
    # Pixel i covers [i, i + 1): its centre is at i + 0.5.
    dy = np.arange(rows.start, rows.stop, dtype=np.float32)[None, :, None] + np.float32(0.5) - poses.y[:, None, None]
    dx = np.arange(columns.start, columns.stop, dtype=np.float32)[None, None] + np.float32(0.5) - poses.x[:, None, None]
    cosine, sine = (f(poses.angle)[:, None, None] / poses.radius[:, None, None] for f in (np.cos, np.sin))
    u = cosine * dx + sine * dy  # (T, h, w)
    v = cosine * dy - sine * dx
    distance_px = _DISTANCES[look.shape](u, v) * poses.radius[:, None, None]
    cover = np.clip(np.float32(0.5) - distance_px, 0, 1) * poses.shown[:, None, None]
    rgb = _tone(look.texture, u, v)[..., None] * np.array(look.rgb, np.float32)
    return Stamp(rows, columns, cover.astype(np.float32, copy=False), rgb)


def _window(centre: Field, reach: Field, size_px: int) -> slice:
    start = int(np.floor((centre - reach).min()))
    stop = int(np.ceil((centre + reach).max()))
    start, stop = (min(max(edge, 0), size_px) for edge in (start, stop))
    return slice(start, stop)


def _tone(texture: str, u: Field, v: Field) -> Field:
    if texture == "plain":
        return np.ones_like(u)
    # Periods of 0.8 to 0.9 radii put two to three stripes on a sprite, each wider than a pixel at the usual sizes.
    wave_u = np.sin(np.float32(7.5) * u)
    if texture == "striped":
        return np.where(wave_u > 0, np.float32(1), _DARK)
    wave_v = np.sin(np.float32(7.5) * v)
    dark = wave_u * wave_v > 0 if texture == "checked" else np.maximum(wave_u, wave_v) < 0
    return np.where(dark, _DARK, np.float32(1))
