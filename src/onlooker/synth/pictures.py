"""From stamps to pixels: grounds, compositing, visible masks, boxes, and the camera's faults."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ConfigError
from onlooker.synth.sprites import Field, Look, Poses, Stamp, draw

BACKGROUNDS = ("flat", "gradient", "noise", "field")
_BEAM_GREY = np.float32(95)
# An occluder that would leave less than this of some object in all frames is left out.
_MIN_LEFT = 0.4


@dataclass(frozen=True, slots=True)
class NuisanceConfig:
    """What differs from scene to scene and says nothing about it.

    Attributes:
        backgrounds: kinds drawn from, of `BACKGROUNDS`.
        brightness: largest shift of all pixels, in grey levels.
        contrast: largest relative change of contrast, below 1.
        noise_std: of independent noise per pixel, in grey levels; the standard deviation itself is drawn up to this.
        occluder_probability: of a grey beam in front of everything. It has no id; pixels behind it are ground.
        n_specks: least and most of tiny drifting dots, without id.
    """

    backgrounds: tuple[str, ...] = BACKGROUNDS
    brightness: float = 20.0
    contrast: float = 0.2
    noise_std: float = 6.0
    occluder_probability: float = 0.0
    n_specks: tuple[int, int] = (0, 3)

    def __post_init__(self) -> None:
        unknown = set(self.backgrounds) - set(BACKGROUNDS)
        if unknown or not self.backgrounds:
            raise ConfigError(f"`backgrounds` are some of {BACKGROUNDS}, got {self.backgrounds}")
        if not (0 <= self.contrast < 1 and self.brightness >= 0 and self.noise_std >= 0):
            raise ConfigError(
                "`brightness` and `noise_std` are at least 0 and `contrast` is in [0, 1), got " + repr(self)
            )
        if not (0 <= self.occluder_probability <= 1 and 0 <= self.n_specks[0] <= self.n_specks[1]):
            raise ConfigError("`occluder_probability` is in [0, 1] and `n_specks` (least, most), got " + repr(self))


class Picture(NamedTuple):
    """`frames` (T, H, W, 3) uint8; `masks` (T, H, W) int16, k + 1 where the k-th sprite is in front, else 0."""

    frames: NDArray[np.uint8]
    masks: NDArray[np.int16]


def render(
    sprites: Sequence[tuple[Look, Poses]],
    size_px: int,
    n_frames: int,
    nuisance: NuisanceConfig,
    rng: np.random.Generator,
) -> Picture:
    """Draw sprites from the farthest to the nearest over a random ground."""
    ground = _background(str(rng.choice(nuisance.backgrounds)), size_px, rng)  # (H, W, 3)
    canvas = np.repeat(ground[None], n_frames, axis=0)
    masks = np.zeros((n_frames, size_px, size_px), np.int16)
    for stamp in _specks(size_px, n_frames, nuisance, rng):
        _put(canvas, stamp)
    for k, (look, poses) in enumerate(sprites):
        stamp = draw(look, poses, size_px)
        _put(canvas, stamp)
        inside = stamp.cover > 0.5
        for t, rows, columns in stamp.windows():
            masks[t, rows, columns][inside[t]] = k + 1
    if rng.random() < nuisance.occluder_probability:
        _occlude(canvas, masks, len(sprites), rng)
    return Picture(_photograph(canvas, nuisance, rng), masks)


def boxes_of(masks: NDArray[np.int16], number: int) -> tuple[Field, NDArray[np.bool_]]:
    """Extents of the pixels equal to `number`.

    Returns:
        boxes (T, 4) float32 [x1, y1, x2, y2] in pixels, x2 and y2 exclusive, NaN where there is no such pixel;
        visible (T,).
    """
    inside = masks == number
    in_rows, in_columns = inside.any(axis=2), inside.any(axis=1)  # (T, H), (T, W)
    visible = in_rows.any(axis=1)
    boxes = np.stack(
        [
            in_columns.argmax(axis=1),
            in_rows.argmax(axis=1),
            in_columns.shape[1] - in_columns[:, ::-1].argmax(axis=1),
            in_rows.shape[1] - in_rows[:, ::-1].argmax(axis=1),
        ],
        axis=1,
    ).astype(np.float32)
    boxes[~visible] = np.nan
    return boxes, visible


def _put(canvas: Field, stamp: Stamp) -> None:
    cover = stamp.cover[..., None]
    paint, left = cover * stamp.rgb, 1 - cover
    for t, rows, columns in stamp.windows():
        part = canvas[t, rows, columns]
        part *= left[t]
        part += paint[t]


def _background(kind: str, size_px: int, rng: np.random.Generator) -> Field:
    """(H, W, 3) in [0, 255], of weak colour, so that every sprite stands out somewhat."""
    if kind == "flat":
        flat: Field = np.tile(_dull(rng, 1), (size_px, size_px, 1))
        return flat
    if kind == "gradient":
        direction = rng.uniform(0, 2 * np.pi)
        line = np.linspace(-0.5, 0.5, size_px, dtype=np.float32)
        slope = np.float32(np.cos(direction)) * line[None] + np.float32(np.sin(direction)) * line[:, None]
        first, last = _dull(rng, 2)
        place = (slope[..., None] * np.float32(0.7) + np.float32(0.5)).astype(np.float32)
        slide: Field = first + (last - first) * place
        return slide
    if kind == "noise":
        grain = _noise((size_px, size_px, 1), rng) * np.float32(18)
        return _dull(rng, 1) + grain
    n = int(rng.integers(3, 7))
    knots = _dull(rng, n * n).reshape(n, n, 3)
    weights = _interpolation(n, size_px)  # (H, n)
    return _spread(knots, weights)


def _spread(knots: Field, weights: Field) -> Field:
    """(n, n, 3) knots to (H, W, 3) by bilinear interpolation."""
    rows = np.tensordot(weights, knots, axes=(1, 0))  # (H, n, 3)
    spread: Field = np.ascontiguousarray(np.tensordot(rows, weights, axes=(1, 1)).transpose(0, 2, 1))
    return spread


def _interpolation(n: int, size_px: int) -> Field:
    """(H, n) weights of a piecewise linear curve through n knots."""
    place = np.linspace(0, n - 1, size_px, dtype=np.float32)[:, None]
    weights: Field = np.maximum(0, 1 - np.abs(place - np.arange(n, dtype=np.float32)))
    return weights


def _dull(rng: np.random.Generator, n: int) -> Field:
    """(n, 3) colours near grey."""
    grey = rng.uniform(40, 170, (n, 1))
    return (grey + rng.uniform(-22, 22, (n, 3))).astype(np.float32)


def _specks(size_px: int, n_frames: int, nuisance: NuisanceConfig, rng: np.random.Generator) -> list[Stamp]:
    stamps = []
    for _ in range(int(rng.integers(nuisance.n_specks[0], nuisance.n_specks[1] + 1))):
        x, y = rng.uniform(0, size_px, 2)
        dx, dy = rng.uniform(-0.03, 0.03, 2) * size_px
        steps = np.arange(n_frames)
        poses = Poses(
            x=((x + dx * steps) % size_px).astype(np.float32),
            y=((y + dy * steps) % size_px).astype(np.float32),
            radius=np.full(n_frames, max(1.0, 0.022 * size_px), np.float32),
            angle=np.zeros(n_frames, np.float32),
            shown=np.ones(n_frames, np.bool_),
        )
        red, green, blue = rng.uniform(30, 230, 3)
        stamps.append(draw(Look("circle", "any", "plain", (red, green, blue)), poses, size_px))
    return stamps


def _occlude(canvas: Field, masks: NDArray[np.int16], n_sprites: int, rng: np.random.Generator) -> None:
    """Put a beam across the picture unless it would hide an object in all frames."""
    size = masks.shape[1]
    place = rng.uniform(0.15, 0.85, 2) * size
    thickness, angle = rng.uniform(0.05, 0.09) * size, rng.uniform(0, np.pi)
    line = np.arange(size, dtype=np.float32) + np.float32(0.5)
    across = np.cos(angle) * (line[None] - place[0]) + np.sin(angle) * (line[:, None] - place[1])
    cover = np.clip(0.5 + thickness - np.abs(across), 0, 1).astype(np.float32)  # (H, W)
    hidden = cover > 0.5
    for number in range(1, n_sprites + 1):
        own = masks == number
        area = own.sum(axis=(1, 2))
        left = (own & ~hidden).sum(axis=(1, 2))
        if area.max() == 0 or (left[area > 0] / area[area > 0]).max() < _MIN_LEFT:
            return
    masks[:, hidden] = 0
    canvas += cover[None, :, :, None] * (_BEAM_GREY - canvas)


def _photograph(canvas: Field, nuisance: NuisanceConfig, rng: np.random.Generator) -> NDArray[np.uint8]:
    gain = np.float32(1 + rng.uniform(-1, 1) * nuisance.contrast)
    shift = np.float32(rng.uniform(-1, 1) * nuisance.brightness)
    canvas -= 128
    canvas *= gain
    canvas += 128 + shift
    std = rng.random() * nuisance.noise_std
    if std > 0:
        canvas += _noise(canvas.shape, rng) * np.float32(std)
    # The half makes the cut to whole numbers a rounding.
    canvas += np.float32(0.5)
    return np.clip(canvas, 0, 255, out=canvas).astype(np.uint8)


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> Field:
    """Unit variance; the sum of two random bytes, many times faster to draw than a normal number."""
    drawn = np.frombuffer(rng.bytes(2 * math.prod(shape)), np.int8).reshape(2, *shape)
    # The variance of a byte is (256^2 - 1) / 12, its mean -1/2.
    scale = np.float32(1 / math.sqrt(2 * (256**2 - 1) / 12))
    noise: Field = np.add(drawn[0], drawn[1], dtype=np.int16).astype(np.float32)
    return (noise + np.float32(1)) * scale
