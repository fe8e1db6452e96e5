"""Face forgeries: self-blended, swapped, and moved features (recipes 4 to 6).

Each recipe draws its numbers first and applies them second, so that videos can let the numbers drift from frame to
frame. Facts about self-blending (Shiohara and Yamasaki, CVPR 2022) are of public descriptions; lengths given there for
256-pixel faces scale with the tile. On tiles that show no face the shapes lie anywhere (`hosts="photos"`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator

from onlooker.errors import ConfigError
from onlooker.synth.forgeries import chain, masks
from onlooker.synth.forgeries.face_shape import place_shape
from onlooker.synth.forgeries.hosts import Host
from onlooker.synth.forgeries.pasting import Draft, Workshop, composite, donor_save, match_colour, warp
from onlooker.synth.forgeries.values import Draws, Mask
from onlooker.types import FloatArray, Image

Hull = Literal["with_forehead", "landmarks", "inner", "lower"]
Degrade = Literal["down", "sharpen", "none"]
_STRENGTHS = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)
_REFERENCE_PX = 256.0  # side of a face crop that kernel sizes are given for
_ELASTIC_ALPHA, _ELASTIC_SIGMA = 50.0, 7.0
_MIN_AREA = 0.01
_PLACE_TRIES = 30
_MOVED_PX = 0.5
_GRID = 17
_FIELD_EDGE = 0.04


@dataclass(frozen=True, slots=True)
class SelfBlend:
    """Numbers of one self-blended face. Colours: `rgb` in grey levels, `hsv` and `light` (brightness, contrast) as
    parts. `shift` in parts of the side. `blur_px` are the two standard deviations of the mask's softening."""

    hull: Hull
    rgb: tuple[float, float, float]
    hsv: tuple[float, float, float]
    light: tuple[float, float]
    degrade: Degrade
    factor: int
    on_target: bool
    shift: tuple[float, float]
    scale: float
    elastic_seed: int
    blur_px: tuple[float, float]
    strength: float


@dataclass(frozen=True, slots=True)
class Swap:
    """Numbers of one swap: the hull, its softness, how far colours are from matched."""

    hull: Hull
    feather_px: float
    colour_jitter: float
    colour_seed: int


@dataclass(frozen=True, slots=True)
class Expression:
    """How features move, in parts of the distance of the eyes: lower lip down, corners of the mouth out, eyelids
    towards each other, brows up, mouth and nose to the side."""

    open_mouth: float
    wide_mouth: float
    close_eyes: float
    raise_brows: float
    turn: float


def self_blended(host: Host, shop: Workshop) -> Draft:
    """One picture supplies both sides of the blend."""
    numbers = draw_self_blend(host.pixels.shape[0], shop.rng)
    points = _placed(host, shop, lambda p: hull_region(p, numbers.hull, host.pixels.shape[0]))
    image, mask = apply_self_blend(host.pixels, points, numbers)
    return Draft(image, mask, (), _as_draws(numbers))


def face_swap(host: Host, shop: Workshop) -> Draft:
    """The face of another identity, laid on the landmarks, its colours matched, within a soft hull."""
    rng = shop.rng
    donor = shop.pool.draw_other(host, rng, donor_save(shop.history, host, shop))
    if donor is None:
        raise ConfigError("a face swap needs a second face")
    numbers = draw_swap(shop.config.blend.feather_px, rng)
    points = _placed(host, shop, lambda p: hull_region(p, numbers.hull, host.pixels.shape[0]))
    image, mask = apply_swap(host.pixels, points, (donor.pixels, donor.points_px), numbers)
    return Draft(image, mask, (donor.photo_id,), {**_as_draws(numbers), "donor_who": donor.who})


def reenacted(host: Host, shop: Workshop) -> Draft:
    """Mouth, eyes and brows moved by a thin-plate warp: no boundary, no foreign colour. The mask is where pixels moved
    by more than half a pixel."""
    numbers = draw_expression(shop.rng)
    points = _placed(host, shop, lambda p: displacement(p, numbers, host.pixels.shape[0])[1].astype(np.float32))
    image, mask = apply_expression(host.pixels, points, numbers)
    return Draft(image, mask, (), _as_draws(numbers))


def draw_self_blend(size_px: int, rng: np.random.Generator) -> SelfBlend:
    """Numbers with the ranges of the description.

    Colours +-20 grey levels with probability 0.3, hue, saturation and value +-0.3, brightness and contrast +-0.1, shift
    +-3 and +-1.5 percent, scale 0.95 to 1/0.95. A fourth of the resolution is left to tiles of 128 pixels and more:
    nothing would remain of smaller ones.
    """
    forehead = rng.random() >= 0.25
    others: tuple[Hull, ...] = ("with_forehead", "inner", "lower")
    r, g, b = (float(v) for v in rng.uniform(-20, 20, 3) * (rng.random() < 0.3))
    hue, saturation, value = (float(v) for v in rng.uniform(-0.3, 0.3, 3) * (rng.random() < 0.5))
    brightness, contrast = (float(v) for v in rng.uniform(-0.1, 0.1, 2))
    degrade: tuple[Degrade, ...] = ("down", "sharpen")
    blurs = rng.uniform(5, 25, 2) / 6  # a kernel of k pixels cuts a Gaussian of k/6 at three deviations
    return SelfBlend(
        others[int(rng.integers(3))] if forehead else "landmarks",
        (r, g, b),
        (hue, saturation, value),
        (brightness, contrast),
        degrade[int(rng.integers(2))],
        (2, 4)[int(rng.integers(2))] if size_px >= 128 else 2,
        bool(rng.random() < 0.5),
        (float(rng.uniform(-0.03, 0.03)), float(rng.uniform(-0.015, 0.015))),
        float(rng.uniform(0.95, 1 / 0.95)),
        int(rng.integers(2**31)),
        (float(blurs[0]), float(blurs[1])),
        float(rng.choice(_STRENGTHS)),
    )


def draw_swap(feather_px: tuple[float, float], rng: np.random.Generator) -> Swap:
    hull: tuple[Hull, ...] = ("landmarks", "inner")
    chosen = hull[int(rng.integers(2))]
    return Swap(chosen, float(rng.uniform(*feather_px)), float(rng.uniform(0, 0.2)), int(rng.integers(2**31)))


def draw_expression(rng: np.random.Generator) -> Expression:
    """At least the mouth or the eyes move visibly."""
    mouth, wide, eyes, brows, turn = (float(v) for v in rng.uniform(-1, 1, 5))
    return Expression(
        0.06 * float(np.sign(mouth)) + 0.1 * mouth, 0.2 * wide, 0.08 + 0.06 * eyes, 0.15 * brows, 0.1 * turn
    )


def apply_self_blend(pixels: Image, points: FloatArray, numbers: SelfBlend) -> tuple[Image, Mask]:
    """(image, mask): where the shape has more than half of its full strength. A strength below a half still counts."""
    size = pixels.shape[0]
    changed = _degraded(_recoloured(pixels, numbers), numbers)
    source, target = (pixels, changed) if numbers.on_target else (changed, pixels)
    middle = (size - 1) / 2
    matrix = np.array([[numbers.scale, 0, 0], [0, numbers.scale, 0]], np.float32)
    matrix[:, 2] = (1 - numbers.scale) * middle + np.array(numbers.shift, np.float32) * size
    region = hull_region(points, numbers.hull, size)
    moved: FloatArray = cv2.warpAffine(region, matrix, (size, size))
    soft = _soften(_elastic(moved, numbers.elastic_seed), numbers.blur_px)
    image = composite(target, warp(source, matrix), soft * np.float32(numbers.strength))
    return image, masks.to_mask(soft)


def apply_swap(pixels: Image, points: FloatArray, donor: tuple[Image, FloatArray], numbers: Swap) -> tuple[Image, Mask]:
    """(image, mask); `donor` is a picture with its 68 points."""
    size = pixels.shape[0]
    sources = np.hstack([donor[1], np.ones((68, 1), np.float32)])
    matrix, *_ = np.linalg.lstsq(sources, points, rcond=None)  # (3, 2)
    laid = warp(donor[0], np.ascontiguousarray(matrix.T, dtype=np.float32))
    alpha = masks.feather(hull_region(points, numbers.hull, size), numbers.feather_px)
    rng = np.random.default_rng(numbers.colour_seed)
    image = composite(pixels, match_colour(laid, pixels, alpha, numbers.colour_jitter, rng), alpha)
    return image, masks.to_mask(alpha)


def apply_expression(pixels: Image, points: FloatArray, numbers: Expression) -> tuple[Image, Mask]:
    """(image, mask of what moved)."""
    field, mask = displacement(points, numbers, pixels.shape[0])
    grid = np.mgrid[: pixels.shape[0], : pixels.shape[1]].astype(np.float32)
    maps = (grid[1] + field[..., 0]).astype(np.float32), (grid[0] + field[..., 1]).astype(np.float32)
    made: Image = cv2.remap(pixels, *maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return made, mask


def displacement(points: FloatArray, numbers: Expression, size_px: int) -> tuple[FloatArray, Mask]:
    """Where each pixel comes from: (size_px, size_px, 2) offsets x and y in pixels, and where they exceed half a pixel.

    A thin-plate spline through the landmarks, held still along the jaw and the tile's rim, evaluated coarsely.
    """
    unit = float(np.linalg.norm(points[36:42].mean(axis=0) - points[42:48].mean(axis=0)))
    across = (points[42:48].mean(axis=0) - points[36:42].mean(axis=0)) / max(unit, 1e-3)
    down = np.array([-across[1], across[0]], np.float32)
    down = down if float(down @ (points[8] - points[27])) > 0 else -down
    moves = np.zeros((68, 2), np.float32)
    lower = [55, 56, 57, 58, 59, 65, 66, 67]
    moves[lower] += numbers.open_mouth * down
    moves[[48, 60]] -= numbers.wide_mouth * across
    moves[[54, 64]] += numbers.wide_mouth * across
    for first in (36, 42):
        moves[[first + 1, first + 2]] += numbers.close_eyes * down
        moves[[first + 4, first + 5]] -= numbers.close_eyes * down
    moves[17:27] -= numbers.raise_brows * down
    moves[30:36] += 0.6 * numbers.turn * across
    moves[48:68] += numbers.turn * across
    moves *= unit
    line = np.linspace(-0.25 * size_px, 1.25 * size_px, 7)
    rim = np.array([(x, y) for x in line for y in line if x < 0 or y < 0 or x > size_px or y > size_px])
    kept = np.concatenate([points + moves, rim])
    offsets = np.concatenate([-moves, np.zeros_like(rim)])
    spline = RBFInterpolator(kept, offsets, kernel="thin_plate_spline", smoothing=1e-3, neighbors=None)
    ticks = np.linspace(0, size_px - 1, _GRID)
    grid = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    coarse = spline(grid).reshape(_GRID, _GRID, 2).astype(np.float32)
    # A spline reaches everywhere; faces move within their outline.
    within = masks.feather(hull_region(points, "landmarks", size_px), _FIELD_EDGE * size_px)
    field = _upsampled(coarse, size_px) * within[..., None]
    return field, np.linalg.norm(field, axis=2) > _MOVED_PX


def hull_region(points: FloatArray, hull: Hull, size_px: int) -> FloatArray:
    """(size_px, size_px) float32 in [0, 1]: convex hull of the landmarks a style takes."""
    brows = points[17:27]
    if hull == "with_forehead":
        up = brows.mean(axis=0) - points[28:36].mean(axis=0)
        chosen = np.concatenate([points, brows + np.float32(0.7) * up])
    elif hull == "landmarks":
        chosen = points
    elif hull == "inner":
        chosen = points[17:68]
    else:
        chosen = np.concatenate([points[2:15], points[29:36]])
    corners = cv2.convexHull(chosen.astype(np.float32))[:, 0]
    return masks.fill_outline(corners, (0.0, 0.0), 1.0, size_px)


def _placed(host: Host, shop: Workshop, region_of: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """The host's landmarks; on tiles without a face, shapes are laid anew until one shows enough of its region."""
    points = host.points_px
    if host.window.points_px is not None:
        return points
    for _ in range(_PLACE_TRIES):
        if float((region_of(points) > 0.5).mean()) >= _MIN_AREA:
            break
        points = place_shape(host.pixels.shape[0], shop.rng)
    return points


def _recoloured(pixels: Image, numbers: SelfBlend) -> Image:
    shifted = np.clip(pixels + np.array(numbers.rgb, np.float32), 0, 255) / np.float32(255)
    hsv = cv2.cvtColor(shifted.astype(np.float32), cv2.COLOR_RGB2HSV)  # hue in degrees
    hsv[..., 0] = (hsv[..., 0] + 360 * 0.1 * numbers.hsv[0]) % 360  # a third of a turn would be no skin any more
    hsv[..., 1] = np.clip(hsv[..., 1] * (1 + numbers.hsv[1]), 0, 1)
    hsv[..., 2] = np.clip(hsv[..., 2] * (1 + numbers.hsv[2]), 0, 1)
    rgb = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255
    brightness, contrast = numbers.light
    return chain.to_uint8((rgb - 128) * np.float32(1 + contrast) + 128 + np.float32(255 * brightness))


def _degraded(pixels: Image, numbers: SelfBlend) -> Image:
    """Down and up again by the nearest pixel, or sharpened."""
    if numbers.degrade == "none":
        return pixels
    if numbers.degrade == "sharpen":
        soft = cv2.GaussianBlur(pixels, (0, 0), 1.0).astype(np.float32)
        return chain.to_uint8(pixels + np.float32(0.5) * (pixels - soft))
    size = pixels.shape[1], pixels.shape[0]
    small = cv2.resize(pixels, (size[0] // numbers.factor, size[1] // numbers.factor), interpolation=cv2.INTER_NEAREST)
    back: Image = cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)
    return back


def _elastic(region: FloatArray, seed: int) -> FloatArray:
    """The region warped by a smooth random field."""
    size = region.shape[0]
    share = size / _REFERENCE_PX
    noise = np.random.default_rng(seed).uniform(-1, 1, (2, size, size)).astype(np.float32)
    fields = [cv2.GaussianBlur(n, (0, 0), max(1.0, _ELASTIC_SIGMA * share)) for n in noise]
    grid = np.mgrid[:size, :size].astype(np.float32)
    amount = np.float32(_ELASTIC_ALPHA * share)
    x, y = grid[1] + amount * fields[0], grid[0] + amount * fields[1]
    made: FloatArray = cv2.remap(region, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return made


def _soften(region: FloatArray, blur_px: tuple[float, float]) -> FloatArray:
    """Blurred, cut back to its core, blurred again: a soft edge that lies inside the shape."""
    share = region.shape[0] / _REFERENCE_PX
    first = masks.feather(region, max(0.5, blur_px[0] * share))
    core = (first > 0.75).astype(np.float32)
    return masks.feather(core, max(0.5, blur_px[1] * share))


def _upsampled(coarse: FloatArray, size_px: int) -> FloatArray:
    """Values at ticks 0, ..., size - 1 to all pixels, linear between them (`cv2.resize` would shift them by half)."""
    ticks = (np.arange(size_px) * ((_GRID - 1) / (size_px - 1))).astype(np.float32)
    x, y = np.meshgrid(ticks, ticks)
    made: FloatArray = cv2.remap(coarse, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
    return made


def _as_draws(numbers: SelfBlend | Swap | Expression) -> Draws:
    return {name: getattr(numbers, name) for name in numbers.__dataclass_fields__}
