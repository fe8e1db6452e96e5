"""Cheap tracking between detector runs: where did the pixels of each box go in the next small grey picture?

Every box is sampled on a fixed grid of points, so all boxes are solved at once. Three guesses (as the camera moved, as
the object moved before, not at all) are compared by their difference of grey, and the best one is refined by a few
Gauss-Newton steps in shift and zoom (the method of Lucas and Kanade).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from onlooker.types import Image

Array = NDArray[np.float64]

# Ours: grid points per side, and the middle part of a box that they cover; the border is mostly background.
_POINTS = 10
_MIDDLE = 0.8
_STEPS = 4
# Ours: refinement may leave its guess by this share of the box, plus a pixel.
_LONGEST_REFINEMENT = 0.35
_GRID = np.linspace(-_MIDDLE / 2, _MIDDLE / 2, _POINTS)


def smooth(picture: Image) -> NDArray[np.float32]:
    """A grey picture as floats, blurred a little so that gradients reach further than a pixel."""
    blurred: NDArray[np.float32] = uniform_filter(picture.astype(np.float32), 3)
    return blurred


def carried_motion(
    before: NDArray[np.float32], after: NDArray[np.float32], boxes_cxcywh: Array, guesses: Array
) -> tuple[Array, Array]:
    """Motion of boxes between two pictures.

    Args:
        before: (h, w) from `smooth`.
        after: the same size, later.
        boxes_cxcywh: (N, 4) in px of these pictures, where the objects are in `before`.
        guesses: (G, N, 2) shifts to start from; the first is what is kept where nothing can be measured.

    Returns:
        (N, 2) shift in px of the pictures and (N,) logarithm of the growth.
    """
    n = len(boxes_cxcywh)
    if n == 0:
        return np.zeros((0, 2)), np.zeros(0)
    offsets = _offsets(boxes_cxcywh)
    points = boxes_cxcywh[:, None, :2] + offsets
    old = _contrast(_sample(before, points))
    misses = np.stack([np.abs(_contrast(_sample(after, points + g[:, None])) - old).mean(axis=1) for g in guesses])
    start = guesses[misses.argmin(axis=0), np.arange(n)]
    shift, zoom = _refine(after, old, _gradient(before, points), offsets, boxes_cxcywh, start)
    moved = boxes_cxcywh[:, None, :2] + shift[:, None] + offsets * np.exp(zoom)[:, None, None]
    miss = np.abs(_contrast(_sample(after, moved)) - old).mean(axis=1)
    limit = _LONGEST_REFINEMENT * np.sqrt(np.prod(np.maximum(boxes_cxcywh[:, 2:], 1), axis=1)) + 1
    good = (miss <= misses.min(axis=0)) & (np.hypot(*(shift - start).T) <= limit)
    return np.where(good[:, None], shift, start), np.where(good, zoom, 0.0)


def _offsets(boxes_cxcywh: Array) -> Array:
    """(N, P, 2) grid points relative to the centre of each box."""
    y, x = np.meshgrid(_GRID, _GRID, indexing="ij")
    unit = np.stack([x.ravel(), y.ravel()], axis=1)
    scaled: Array = unit[None] * boxes_cxcywh[:, None, 2:]
    return scaled


def _sample(picture: NDArray[np.float32], points: Array) -> Array:
    """(N, P) bilinear values at (N, P, 2) points; the border repeats outside."""
    height, width = picture.shape
    # A pixel's middle is at +0.5, so a box [0, 2) is centred between its two pixels.
    x = np.clip(points[..., 0] - 0.5, 0, width - 1)
    y = np.clip(points[..., 1] - 0.5, 0, height - 1)
    x0, y0 = np.minimum(x.astype(np.intp), max(width - 2, 0)), np.minimum(y.astype(np.intp), max(height - 2, 0))
    fx, fy = x - x0, y - y0
    flat = picture.ravel()
    at = y0 * width + x0
    right, below = int(width > 1), width if height > 1 else 0
    top = flat[at] * (1 - fx) + flat[at + right] * fx
    bottom = flat[at + below] * (1 - fx) + flat[at + below + right] * fx
    value: Array = top * (1 - fy) + bottom * fy
    return value


def _contrast(values: Array) -> Array:
    """(N, P) values without their mean: a lamp that flickers must not look like motion."""
    difference: Array = values - values.mean(axis=1, keepdims=True)
    return difference


def _gradient(picture: NDArray[np.float32], points: Array) -> Array:
    """(N, P, 2) central differences at points."""
    steps = [np.array([1.0, 0.0]), np.array([0.0, 1.0])]
    return np.stack([(_sample(picture, points + s) - _sample(picture, points - s)) / 2 for s in steps], axis=-1)


def _refine(
    after: NDArray[np.float32], old: Array, gradient: Array, offsets: Array, boxes_cxcywh: Array, start: Array
) -> tuple[Array, Array]:
    """Gauss-Newton in (dx, dy, log zoom); blank boxes stay at the start by a small ridge."""
    jacobian = np.concatenate([gradient, (gradient * offsets).sum(axis=-1, keepdims=True)], axis=-1)
    jacobian = jacobian - jacobian.mean(axis=1, keepdims=True)
    sideways = np.ascontiguousarray(jacobian.transpose(0, 2, 1))
    normal = sideways @ jacobian
    scale = np.maximum(boxes_cxcywh[:, 2:].mean(axis=1), 1.0)
    # Ours: the ridge of about one grey level per pixel; zoom is held back ten times more, in px at the box's rim.
    ridge = np.zeros_like(normal)
    ridge[:, 0, 0] = ridge[:, 1, 1] = _POINTS**2 * 0.5
    ridge[:, 2, 2] = _POINTS**2 * 0.5 * scale**2
    solver = np.linalg.inv(normal + ridge) @ sideways
    shift, zoom = start.copy(), np.zeros(len(start))
    for _ in range(_STEPS):
        points = boxes_cxcywh[:, None, :2] + shift[:, None] + offsets * np.exp(zoom)[:, None, None]
        error = old - _contrast(_sample(after, points))
        step = (solver @ error[..., None])[..., 0]
        shift = shift + step[:, :2]
        zoom = np.clip(zoom + step[:, 2], -0.15, 0.15)
    return shift, zoom
