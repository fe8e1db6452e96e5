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
    distance: Field = np.maximum(np.abs(u) - np.float32(half_u), np.abs(v) - np.float32(half_v))
    return distance


def _circle(u: Field, v: Field) -> Field:
    return _norm(u, v) - np.float32(0.798)


def _square(u: Field, v: Field) -> Field:
    return _box(u, v, 0.707, 0.707)


def _bar(u: Field, v: Field) -> Field:
    return _box(u, v, 1.15, 0.435)


def _cross(u: Field, v: Field) -> Field:
    distance: Field = np.minimum(_box(u, v, 0.98, 0.3), _box(u, v, 0.3, 0.98))
    return distance


def _corner(u: Field, v: Field) -> Field:
    """An L: a square from which a smaller square was cut."""
    distance: Field = np.maximum(_box(u, v, 0.875, 0.875), -np.maximum(np.float32(-0.175) - u, v - np.float32(0.175)))
    return distance


def _diamond(u: Field, v: Field) -> Field:
    # |u| / 1.35 + |v| / 0.74 = 1, scaled to grow by one per unit of distance.
    part: Field = np.abs(u / np.float32(1.35)) + np.abs(v / np.float32(0.74))
    return (part - np.float32(1)) * np.float32(0.649)


def _triangle(u: Field, v: Field) -> Field:
    side = np.float32(0.866) * np.abs(u) - np.float32(0.5) * v
    distance: Field = np.maximum(side, v) - np.float32(0.62)
    return distance


def _ring(u: Field, v: Field) -> Field:
    distance: Field = np.abs(_norm(u, v) - np.float32(0.775)) - np.float32(0.2055)
    return distance


def _moon(u: Field, v: Field) -> Field:
    bite = _norm(u - np.float32(0.63), v) - np.float32(0.7875)
    distance: Field = np.maximum(_norm(u, v) - np.float32(1.05), -bite)
    return distance


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
    """A sprite drawn for all frames, each in its own small window of P by P pixels.

    `top` and `left` (T,) are the corners of the windows, which lie inside the picture; `cover` (T, P, P) in [0, 1] is
    the part of a pixel that is covered, `rgb` (T, P, P, 3) its colours.
    """

    top: NDArray[np.int64]
    left: NDArray[np.int64]
    cover: Field
    rgb: Field

    def windows(self) -> list[tuple[int, slice, slice]]:
        """Frame, rows and columns of every window in which the sprite is shown."""
        side = self.cover.shape[1]
        shown = np.flatnonzero(self.cover.any(axis=(1, 2))).tolist()
        top, left = self.top.tolist(), self.left.tolist()
        return [(t, slice(top[t], top[t] + side), slice(left[t], left[t] + side)) for t in shown]


def draw(look: Look, poses: Poses, size_px: int) -> Stamp:
    """Draw a sprite for every frame of a (T, size_px, size_px) clip. What lies outside the picture is cut off."""
    reach = REACH * float(poses.radius.max()) + 1
    side = min(size_px, 2 * int(np.ceil(reach)) + 1)
    top, left = (_window_start(centre, reach, size_px - side) for centre in (poses.y, poses.x))
    # Pixel i covers [i, i + 1): its centre is at i + 0.5.
    centres = np.arange(side, dtype=np.float32) + np.float32(0.5)
    dy = centres[None, :, None] + (top - poses.y).astype(np.float32)[:, None, None]  # (T, P, 1)
    dx = centres[None, None, :] + (left - poses.x).astype(np.float32)[:, None, None]  # (T, 1, P)
    cosine, sine = (f(poses.angle)[:, None, None] / poses.radius[:, None, None] for f in (np.cos, np.sin))
    u = cosine * dx + sine * dy  # (T, P, P)
    v = cosine * dy - sine * dx
    distance_px = _DISTANCES[look.shape](u, v) * poses.radius[:, None, None]
    cover: Field = np.clip(np.float32(0.5) - distance_px, 0, 1) * poses.shown[:, None, None]
    rgb = _tone(look.texture, u, v)[..., None] * np.array(look.rgb, np.float32)
    return Stamp(top, left, cover, rgb)


def _window_start(centre: Field, reach: float, last: int) -> NDArray[np.int64]:
    """(T,) first pixel of a window around `centre`, moved into the picture where it would leave it."""
    start: NDArray[np.int64] = np.clip(np.floor(centre - np.float32(reach)), 0, last).astype(np.int64)
    return start


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
