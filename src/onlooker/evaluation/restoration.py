"""How near a restored picture comes to the true one: peak signal-to-noise ratio and structural similarity.

PSNR of a whole picture flatters: what was not touched is right anyway. Give it of the damaged places, too.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from onlooker.errors import ShapeError

Pixels = NDArray[np.floating] | NDArray[np.uint8]
PERFECT_DB = 100.0
"""PSNR of equal pixels, which have no error to take a ratio with (ours)."""

_SIGMA, _TRUNCATE = 1.5, 3.5  # an 11x11 window (Wang et al. 2004)
_K1, _K2 = 0.01, 0.03


def psnr_db(found: Pixels, truth: Pixels, data_range: float, where: NDArray[np.bool_] | None = None) -> float:
    """Peak signal-to-noise ratio in decibels, at most `PERFECT_DB`.

    Args:
        found, truth: (H, W) or (H, W, C), of one shape.
        data_range: largest possible value less the smallest: 255 for uint8, 1 for pixels in [0, 1].
        where: (H, W), pixels that count; left out, all.

    Raises:
        ShapeError: shapes differ, or no pixel counts.
    """
    _check(found, truth, data_range)
    error = np.square(found.astype(np.float64) - truth.astype(np.float64))
    if where is not None:
        if where.shape != truth.shape[:2]:
            raise ShapeError(f"`where` is (H, W) of the pictures {truth.shape}, got {where.shape}")
        error = error[where]
    if error.size == 0:
        raise ShapeError("there is no pixel to score")
    mean = float(error.mean())
    return PERFECT_DB if mean == 0 else min(PERFECT_DB, 10 * math.log10(data_range**2 / mean))


def ssim(found: Pixels, truth: Pixels, data_range: float) -> float:
    """Mean structural similarity in [-1, 1] over pixels and channels (Wang et al. 2004: Gaussian window of 11, 1.5).

    Args:
        found, truth: (H, W) or (H, W, C), at least 11 pixels each way.
        data_range: as above; another one is another score.

    Raises:
        ShapeError: shapes differ, or the pictures are smaller than the window.
    """
    _check(found, truth, data_range)
    border = round(_TRUNCATE * _SIGMA)
    if min(truth.shape[:2]) < 2 * border + 1:
        raise ShapeError(f"pictures have {2 * border + 1} pixels each way at least, got {truth.shape}")
    x, y = found.astype(np.float64), truth.astype(np.float64)
    mean_x, mean_y = _blur(x), _blur(y)
    variance_x, variance_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    similar = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    similar /= (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    # Windows that reach over the border are left out, as the authors do.
    return float(similar[border:-border, border:-border].mean())


def _blur(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(gaussian_filter(x, _SIGMA, truncate=_TRUNCATE, axes=(0, 1)))


def _check(found: Pixels, truth: Pixels, data_range: float) -> None:
    if found.shape != truth.shape or truth.ndim not in (2, 3):
        raise ShapeError(f"expected two pictures (H, W) or (H, W, C) of one shape, got {found.shape}, {truth.shape}")
    if not (math.isfinite(data_range) and data_range > 0):
        raise ShapeError(f"`data_range` is positive, got {data_range}")
