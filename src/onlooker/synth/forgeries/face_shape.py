"""A schematic face of 68 points in the usual order (jaw 0-16, brows 17-26, nose 27-35, eyes 36-47, mouth 48-67).

Ours, made of arcs; it stands in for a landmark detector, which nobody ships offline: laid on five points it is near
enough for hulls and warps. Coordinates: x right, y down, eyes at (-1, 0) and (1, 0).
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from onlooker.errors import ShapeError
from onlooker.types import FloatArray

FIVE = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, 1.15], [-0.8, 2.1], [0.8, 2.1]], np.float32)
_CENTRE_Y = 0.8  # middle of brows and chin
_HALF_WIDTH = 2.05  # of the face, ear to ear


def schematic_face() -> FloatArray:
    """(68, 2) float32."""
    jaw = [(-_HALF_WIDTH * math.cos(a), 0.1 + 3.25 * math.sin(a)) for a in np.linspace(0, math.pi, 17)]
    left_brow = [(-1.7 + 1.3 * t, -0.55 - 0.3 * math.sin(math.pi * t)) for t in np.linspace(0, 1, 5)]
    right_brow = [(-x, y) for x, y in reversed(left_brow)]
    bridge = [(0.0, y) for y in np.linspace(0.0, 0.95, 4)]
    nostrils = [(x, 1.3 + 0.12 * (1 - (x / 0.45) ** 2)) for x in np.linspace(-0.45, 0.45, 5)]
    mouth = _ring(0.0, 2.1, 0.85, 0.38, 12)
    inner = _ring(0.0, 2.1, 0.6, 0.12, 8)
    points = jaw + left_brow + right_brow + bridge + nostrils + _eye(-1.0) + _eye(1.0) + mouth + inner
    return np.array(points, np.float32)


def _eye(x: float) -> list[tuple[float, float]]:
    return _ring(x, 0.0, 0.38, 0.16, 6)


def _ring(x: float, y: float, half_width: float, half_height: float, count: int) -> list[tuple[float, float]]:
    """Points clockwise from the left corner."""
    angles = np.linspace(math.pi, 3 * math.pi, count, endpoint=False)
    return [(x + half_width * math.cos(a), y + half_height * math.sin(a)) for a in angles]


def five_to_68(points_px: FloatArray) -> FloatArray:
    """The schematic face laid on five points by the affine map of least squares.

    Args:
        points_px: (5, 2): eyes, nose, corners of the mouth.

    Raises:
        ShapeError: another shape, or points on a line.
    """
    if points_px.shape != (5, 2) or not np.isfinite(points_px).all():
        raise ShapeError(f"expected five finite points (5, 2), got {points_px.shape}")
    sources = np.hstack([FIVE, np.ones((5, 1), np.float32)])
    if np.linalg.matrix_rank(points_px - points_px.mean(axis=0), tol=1e-2) < 2:
        raise ShapeError("the five points lie on a line: no face")
    matrix, *_ = np.linalg.lstsq(sources, points_px, rcond=None)  # (3, 2)
    shape = schematic_face()
    return np.asarray(np.hstack([shape, np.ones((68, 1), np.float32)]) @ matrix, np.float32)


def align_matrix(points_px: FloatArray, face_height_px: float, turn: float) -> FloatArray:
    """(2, 3) similarity that puts the face of five points upright around (0, 0), chin to brows `face_height_px` high,
    then turned by `turn` radians."""
    shape = (FIVE - np.array([0.0, _CENTRE_Y], np.float32)) * np.float32(face_height_px / 4.2)
    cosine, sine = math.cos(turn), math.sin(turn)
    turned = shape @ np.array([[cosine, sine], [-sine, cosine]], np.float32)
    matrix, _ = cv2.estimateAffinePartial2D(points_px, turned.astype(np.float32), method=cv2.LMEDS)
    if matrix is None:
        raise ShapeError("the five points fit no face")
    return np.asarray(matrix, np.float32)


def turn_points(points: FloatArray, matrix: FloatArray) -> FloatArray:
    """(N, 2) points under a (2, 3) affine map."""
    return (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def place_shape(size_px: int, rng: np.random.Generator) -> FloatArray:
    """A face's outline laid anywhere on a tile that shows no face: (68, 2) in pixels."""
    unit = size_px * float(rng.uniform(0.08, 0.16))
    turn = float(rng.uniform(-0.4, 0.4))
    stretch = np.exp(rng.uniform(-0.15, 0.15, 2)).astype(np.float32)
    shape = (schematic_face() - np.array([0.0, _CENTRE_Y], np.float32)) * stretch * np.float32(unit)
    cosine, sine = math.cos(turn), math.sin(turn)
    turned = shape @ np.array([[cosine, sine], [-sine, cosine]], np.float32)
    centre = rng.uniform(0, size_px, 2).astype(np.float32)
    return (turned + centre).astype(np.float32)
