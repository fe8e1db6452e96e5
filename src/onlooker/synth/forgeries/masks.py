"""Object-like masks, never rectangles, anywhere on the tile: a mask that keeps to the middle can be found without
looking (0.90 pixel AUC were measured for centres within the middle 3/8, sheet `forgery_data.md`, section D)."""

from __future__ import annotations

import math

import cv2
import numpy as np

from onlooker.errors import MissingExtraError
from onlooker.synth.forgeries.config import MaskShape, Range
from onlooker.synth.forgeries.values import Mask
from onlooker.types import FloatArray, Image

_SUB = 4  # bits of sub-pixel places of OpenCV's polygons
_FINER = 4
_N_HARMONICS = 4
_SEGMENTS = 12
_OUTLINES = 10


def draw_outline(shape: MaskShape, rng: np.random.Generator) -> FloatArray:
    """(V, 2) vertices around (0, 0) with an area of about pi: a polygon of 4 to 9 corners, or a wavy blob."""
    if shape == "polygon":
        corners = int(rng.integers(4, 10))
        angles = np.sort(rng.uniform(0, 2 * math.pi, corners))
        radii = rng.uniform(0.6, 1.4, corners)
    else:
        angles = np.linspace(0, 2 * math.pi, 48, endpoint=False)
        radii = np.ones(48)
        for k in range(2, 2 + _N_HARMONICS):
            radii += rng.uniform(-0.35, 0.35) / (k - 1) * np.sin(k * angles + rng.uniform(0, 2 * math.pi))
        radii = np.maximum(radii, 0.2)
    stretch = math.exp(rng.uniform(-0.4, 0.4))
    turn = rng.uniform(0, 2 * math.pi)
    x, y = radii * np.cos(angles) * stretch, radii * np.sin(angles) / stretch
    turned = np.stack([x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)], axis=1)
    return turned.astype(np.float32)


def fill_outline(outline: FloatArray, centre_xy: tuple[float, float], radius: float, size_px: int) -> FloatArray:
    """(size_px, size_px) float32 in [0, 1]: the filled outline, clipped by the tile."""
    # Drawn large and averaged: OpenCV's own soft edges leave lines inside of sharp corners.
    canvas = np.zeros((size_px * _FINER, size_px * _FINER), np.uint8)
    places = (outline * np.float32(radius) + np.array(centre_xy, np.float32) + np.float32(0.5)) * _FINER - 0.5
    cv2.fillPoly(canvas, [np.rint(places * 2**_SUB).astype(np.int32)], 255, shift=_SUB)
    small = cv2.resize(canvas, (size_px, size_px), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)


def draw_region(shape: MaskShape, area: Range, size_px: int, rng: np.random.Generator) -> FloatArray:
    """(size_px, size_px) float32 in [0, 1]: a polygon or blob with its centre anywhere, `area` of the tile after
    clipping. Near the edges more of it hangs out, so it is drawn larger there."""
    wanted = float(rng.uniform(*area)) * size_px**2
    for _ in range(_OUTLINES):
        outline = draw_outline(shape, rng)
        centre = float(rng.uniform(0, size_px)), float(rng.uniform(0, size_px))
        region, found = _grown(outline, centre, wanted, size_px)
        if found >= min(0.5 * wanted, area[0] * size_px**2):
            break
    return region


def _grown(
    outline: FloatArray, centre_xy: tuple[float, float], wanted: float, size_px: int
) -> tuple[FloatArray, float]:
    """The filled outline at a size that shows about `wanted` pixels on the tile, and how many it shows."""
    radius = math.sqrt(wanted / math.pi)
    for _ in range(7):
        region = fill_outline(outline, centre_xy, radius, size_px)
        found = float((region > 0.5).sum())
        if 0.9 * wanted <= found <= 1.1 * wanted:
            break
        radius *= min(2.0, max(0.5, math.sqrt(wanted / max(found, 1.0))))
    return region, found


def feather(region: FloatArray, sigma_px: float) -> FloatArray:
    """Soft edges; pixels outside the tile count as their mirror images."""
    if sigma_px <= 0:
        return region
    blurred: FloatArray = cv2.GaussianBlur(region, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT_101)
    return blurred


def to_mask(alpha: FloatArray) -> Mask:
    """True where the pasted picture has more than half of the say."""
    return alpha > 0.5


def centre_of(region: FloatArray) -> tuple[float, float]:
    """(x, y) of the region's middle; the tile's middle when it is empty."""
    total = float(region.sum())
    height, width = region.shape
    if total == 0:
        return width / 2, height / 2
    rows, columns = region.sum(axis=1), region.sum(axis=0)
    return float(columns @ np.arange(width)) / total, float(rows @ np.arange(height)) / total


def segment_of(picture: Image, rng: np.random.Generator) -> FloatArray:
    """(H, W) float32 of 0 and 1: one to three neighbouring superpixels (SLIC) of a picture.

    Raises:
        MissingExtraError: scikit-image is not installed.
    """
    try:
        from skimage.segmentation import slic
    except ImportError as error:
        raise MissingExtraError(
            "masks of shape `segment` need scikit-image: pip install 'onlooker[forensics]'"
        ) from error
    labels = slic(picture, n_segments=_SEGMENTS, compactness=8.0, sigma=1.0, max_num_iter=5, start_label=0)
    height, width = labels.shape
    place = int(rng.integers(height)), int(rng.integers(width))
    chosen = labels == labels[place]
    for _ in range(int(rng.integers(3))):
        grown = cv2.dilate(chosen.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        neighbours = np.unique(labels[grown & ~chosen])
        if len(neighbours) == 0:
            break
        chosen |= labels == rng.choice(neighbours)
    return np.asarray(chosen, np.float32)
