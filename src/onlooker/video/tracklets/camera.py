"""How the camera moved between two small grey pictures: shift and zoom, from the phase correlation of a grid of blocks.

Each block votes with its own shift; medians make moving objects and blank blocks harmless. A zoom shows as shifts that
grow with the distance from the centre.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onlooker.types import Image

Array = NDArray[np.float64]

# Ours: small enough for several blocks across 160 px, large enough to see shifts of a tenth of the width.
_BLOCK_PX = 32
# Ours: a correlation peak lower than this is noise.
_LEAST_PEAK = 0.08
_LEAST_CONTRAST = 2.0


@dataclass(frozen=True, slots=True)
class CameraMotion:
    """Where the static world went, in px of the picture: x -> centre + (x - centre) * exp(log_zoom) + shift.

    `share` is the share of blocks that agree; 0 means that nothing could be measured and the motion is zero.
    """

    shift_px: tuple[float, float]
    log_zoom: float
    share: float

    def at(self, points_px: Array, size: tuple[int, int]) -> Array:
        """(N, 2) motion of (N, 2) points of a picture of (width, height)."""
        centre = np.array(size, np.float64) / 2
        moved: Array = (points_px - centre) * np.expm1(self.log_zoom) + np.array(self.shift_px)
        return moved


STILL = CameraMotion((0.0, 0.0), 0.0, 0.0)


def camera_motion(before: Image, after: Image) -> CameraMotion:
    """Camera motion between two grey pictures (h, w) uint8 of one size; `STILL` if it cannot be told.

    Shifts up to about 15 px are seen.
    """
    height, width = before.shape
    if before.shape != after.shape or min(height, width) < _BLOCK_PX:
        return STILL
    corners = _block_corners(width, height)
    old, new = _blocks(before, corners), _blocks(after, corners)
    usable = np.minimum(old.std(axis=(1, 2)), new.std(axis=(1, 2))) > _LEAST_CONTRAST
    if usable.sum() < 2:
        return STILL
    shifts, peaks = _phase_shifts(old[usable], new[usable])
    clear = peaks > _LEAST_PEAK
    if clear.sum() < 2:
        return STILL
    centres = corners[usable][clear] + _BLOCK_PX / 2 - np.array([width, height]) / 2
    return _robust_fit(centres, shifts[clear])


def _block_corners(width: int, height: int) -> Array:
    columns = np.linspace(0, width - _BLOCK_PX, max(width // _BLOCK_PX, 2)).round()
    rows = np.linspace(0, height - _BLOCK_PX, max(height // _BLOCK_PX, 2)).round()
    x, y = np.meshgrid(columns, rows)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def _blocks(picture: Image, corners: Array) -> NDArray[np.float32]:
    views = np.lib.stride_tricks.sliding_window_view(picture, (_BLOCK_PX, _BLOCK_PX))
    cut: NDArray[np.float32] = views[corners[:, 1].astype(int), corners[:, 0].astype(int)].astype(np.float32)
    return cut


def _phase_shifts(old: NDArray[np.float32], new: NDArray[np.float32]) -> tuple[Array, Array]:
    """(K, 2) sub-pixel shifts and (K,) peak heights in [0, 1] of K pairs of blocks."""
    window = np.hanning(_BLOCK_PX + 2)[1:-1].astype(np.float32)
    weight = window[:, None] * window[None, :]
    spectra = [np.fft.rfft2((b - b.mean(axis=(1, 2), keepdims=True)) * weight) for b in (old, new)]
    cross = spectra[1] * np.conj(spectra[0])
    surface = np.fft.irfft2(cross / np.maximum(np.abs(cross), 1e-6), s=(_BLOCK_PX, _BLOCK_PX))
    flat = surface.reshape(len(surface), -1)
    best = flat.argmax(axis=1)
    rows, columns = np.divmod(best, _BLOCK_PX)
    pick = np.arange(len(surface))
    dx = columns + _parabola(*(surface[pick, rows, (columns + k) % _BLOCK_PX] for k in (-1, 0, 1)))
    dy = rows + _parabola(*(surface[pick, (rows + k) % _BLOCK_PX, columns] for k in (-1, 0, 1)))
    half = _BLOCK_PX / 2
    shifts = (np.stack([dx, dy], axis=1) + half) % _BLOCK_PX - half
    return shifts, flat[pick, best]


def _parabola(left: Array, middle: Array, right: Array) -> Array:
    curve = left - 2 * middle + right
    return np.where(curve < -1e-9, np.clip(0.5 * (left - right) / np.minimum(curve, -1e-9), -0.5, 0.5), 0.0)


def _robust_fit(centres: Array, shifts: Array) -> CameraMotion:
    """Median shift, then zoom from the agreeing blocks, by least squares."""
    middle = np.median(shifts, axis=0)
    agree = np.hypot(*(shifts - middle).T) < 2.0 + 0.05 * np.hypot(*centres.T)
    share = float(agree.mean())
    if share < 0.3 or agree.sum() < 2:
        return STILL
    spread = centres[agree] - centres[agree].mean(axis=0)
    off = shifts[agree] - shifts[agree].mean(axis=0)
    power = float((spread**2).sum())
    zoom = float((spread * off).sum() / power) if power > 0 and agree.sum() >= 4 else 0.0
    zoom = float(np.clip(zoom, -0.1, 0.1))
    shift = shifts[agree].mean(axis=0) - zoom * centres[agree].mean(axis=0)
    return CameraMotion((float(shift[0]), float(shift[1])), float(np.log1p(zoom)), share)
