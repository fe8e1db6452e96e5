"""Traces of the sensor: local noise, residuals of steganalysis, the pattern of a camera, the colour filter array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ShapeError
from onlooker.methods.forensics.media_forensics.rules.blocks import box_mean
from onlooker.methods.forensics.media_forensics.samples import Finding, Need, Refusal, Sample, squash, to_unit_map
from onlooker.types import FloatArray, Image

_RGB = frozenset({Need.RGB})
_LEAST_PX = 32
_SMALL = Refusal(f"pictures below {_LEAST_PX} pixels a side say nothing about noise")


@dataclass(frozen=True, slots=True)
class NoiseLevel:
    """Places with more or less noise than the rest, texture and brightness allowed for.

    The residual of a 3x3 median is averaged locally; what local contrast and brightness explain of it (a plane fitted
    to logarithms) is taken off. After Mahdian and Saic 2009, with a median in the place of a wavelet.
    """

    window_px: int = 11
    name: str = "noise_level"
    requires: frozenset[Need] = _RGB
    known_failures: str = "depth of field and smooth surfaces look like foreign noise; strong compression removes noise"

    def inspect(self, sample: Sample) -> Finding | Refusal:
        if min(sample.image.shape[:2]) < _LEAST_PX:
            return _SMALL
        grey = cv2.cvtColor(sample.image, cv2.COLOR_RGB2GRAY)
        residual = grey.astype(np.float32) - cv2.medianBlur(grey, 3)
        noise = np.log(np.sqrt(box_mean(residual**2, self.window_px)) + np.float32(0.1))
        if float(noise.std()) < 1e-3:
            return Refusal("the picture has no texture at all")
        soft = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 2)
        mean = box_mean(soft, self.window_px)
        contrast = np.log(np.sqrt(np.maximum(box_mean(soft**2, self.window_px) - mean**2, 0)) + np.float32(0.5))
        bright = mean / np.float32(255)
        left = _unexplained(noise, [contrast, bright, bright * bright])
        spread = 1.4826 * float(np.median(np.abs(left - np.median(left)))) + 0.05
        odd = np.abs(left - np.median(left)) / spread
        high = float(np.quantile(odd, 0.98))
        return Finding(
            squash(high, 4.0),
            to_unit_map(odd, 1.0, 5.0),
            f"the oddest places have noise {high:.1f} spreads away from what their texture explains",
            {"spreads": high},
        )


@dataclass(frozen=True, slots=True)
class SrmResidual:
    """Places whose high-pass residuals are distributed unlike the rest's: three kernels of the spatial rich model
    (Fridrich and Kodovsky 2012), local energies of their cut residuals, and how far these are from the picture's own
    (robust Mahalanobis distance, as Splicebuster has it, Cozzolino et al. 2015)."""

    window_px: int = 15
    cut: float = 3.0
    name: str = "srm_residual"
    requires: frozenset[Need] = _RGB
    known_failures: str = "a picture of two textures looks spliced along their border"

    def inspect(self, sample: Sample) -> Finding | Refusal:
        if min(sample.image.shape[:2]) < _LEAST_PX:
            return _SMALL
        grey = cv2.cvtColor(sample.image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        residuals = [np.clip(cv2.filter2D(grey, -1, kernel), -self.cut, self.cut) for kernel in SRM_KERNELS]
        features = [np.log(box_mean(residual**2, self.window_px) + np.float32(0.05)) for residual in residuals]
        features += [box_mean(np.abs(residual), self.window_px) for residual in residuals]
        stack = np.stack(features, axis=-1)  # (H, W, 6)
        distance = _robust_distance(stack)
        high = float(np.quantile(distance, 0.98))
        return Finding(
            squash(high, 4.5),
            to_unit_map(distance, 1.5, 6.0),
            f"the oddest residuals lie {high:.1f} spreads from the picture's own",
            {"spreads": high},
        )


@dataclass(frozen=True, slots=True)
class ColourFilterArray:
    """Places without the trace of demosaicing. Interpolated green pixels err less under interpolation than measured
    ones, on a chessboard (Ferrara et al. 2012). Refuses where the picture as a whole has no such trace: after a resize
    or a usual JPEG nothing of it is left.
    """

    window_px: int = 17
    least_trace: float = 0.25
    name: str = "cfa"
    requires: frozenset[Need] = _RGB
    known_failures: str = "compression and resizing remove the trace; flat places show none"

    def inspect(self, sample: Sample) -> Finding | Refusal:
        if min(sample.image.shape[:2]) < _LEAST_PX:
            return _SMALL
        ratio = self.trace(sample.image)
        typical = float(np.median(ratio))
        if abs(typical) < self.least_trace:
            return Refusal(f"no trace of a colour filter array in this picture ({abs(typical):.2f})")
        missing = to_unit_map(1 - ratio * np.float32(np.sign(typical) / abs(typical)), 0.0, 1.2)
        part = float((missing > 0.6).mean())
        return Finding(
            squash(part, 0.1, 25.0),
            missing,
            f"the trace of the colour filter array is missing in {100 * part:.0f} percent of the picture",
            {"trace": typical, "part": part},
        )

    def trace(self, image: Image) -> FloatArray:
        """(H, W): logarithm of the ratio of interpolation errors on the two colours of the chessboard."""
        green = image[..., 1].astype(np.float32)
        kernel = np.array([[0, 0.25, 0], [0.25, 0, 0.25], [0, 0.25, 0]], np.float32)
        error = (green - cv2.filter2D(green, -1, kernel)) ** 2
        rows, columns = np.mgrid[: green.shape[0], : green.shape[1]]
        board = ((rows + columns) % 2).astype(np.float32)
        odd = box_mean(error * board, self.window_px) / box_mean(board, self.window_px)
        even = box_mean(error * (1 - board), self.window_px) / box_mean(1 - board, self.window_px)
        return np.asarray(np.log((odd + 0.2) / (even + 0.2)), np.float32)


@dataclass(frozen=True, eq=False)
class CameraPattern:
    """A camera's fixed pattern (PRNU): (H, W) float32, of `n_images` pictures. Lukas, Fridrich and Goljan 2006."""

    pattern: FloatArray
    n_images: int


def estimate_pattern(images: Sequence[Image]) -> CameraPattern:
    """The pattern by maximum likelihood: sum of residual times picture over sum of picture squared, means of rows and
    columns taken off (Chen et al. 2008).

    Raises:
        ShapeError: no pictures, or of several sizes.
    """
    if not images or any(image.shape != images[0].shape for image in images):
        raise ShapeError("a camera's pattern needs pictures of one size")
    above, below = np.zeros(images[0].shape[:2]), np.zeros(images[0].shape[:2])
    for image in images:
        grey = image.astype(np.float32).mean(axis=2)
        above += noise_residual(grey) * grey
        below += grey**2
    pattern = above / np.maximum(below, 1.0)
    pattern -= pattern.mean(axis=0, keepdims=True)
    pattern -= pattern.mean(axis=1, keepdims=True)
    return CameraPattern(pattern.astype(np.float32), len(images))


def correlate_pattern(image: Image, camera: CameraPattern) -> float:
    """Normalised correlation of a picture's residual with the pattern times the picture, in [-1, 1]."""
    if image.shape[:2] != camera.pattern.shape:
        raise ShapeError(f"the pattern has the size {camera.pattern.shape}, the picture {image.shape[:2]}")
    grey = image.astype(np.float32).mean(axis=2)
    a, b = noise_residual(grey), camera.pattern * grey
    a, b = a - a.mean(), b - b.mean()
    below = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / below if below > 0 else 0.0


@dataclass(frozen=True, eq=False)
class PatternDetector:
    """Places that lack the pattern of the camera the picture is said to be of."""

    camera: CameraPattern
    window_px: int = 65
    name: str = "prnu"
    requires: frozenset[Need] = _RGB
    known_failures: str = (
        "needs about 20 pictures of the very camera at full size; dark and textured places say nothing"
    )

    def inspect(self, sample: Sample) -> Finding | Refusal:
        if sample.image.shape[:2] != self.camera.pattern.shape:
            return Refusal("the picture has another size than the camera's pattern: cropped, resized or another camera")
        whole = correlate_pattern(sample.image, self.camera)
        grey = sample.image.astype(np.float32).mean(axis=2)
        a, b = noise_residual(grey), self.camera.pattern * grey
        product, squares = box_mean(a * b, self.window_px), box_mean(a * a, self.window_px)
        local = product / np.sqrt(squares * box_mean(b * b, self.window_px) + 1e-6)
        missing = to_unit_map(whole - local, 0.0, max(abs(whole), 0.02))
        return Finding(
            squash(-whole, -0.02, 200.0),
            missing,
            f"the picture correlates with the camera's pattern by {whole:.3f}",
            {"correlation": whole},
        )


def noise_residual(grey: FloatArray) -> FloatArray:
    """What a local Wiener filter takes off: its gain follows the local variance, as the wavelet filter of the papers
    does; edges are suppressed. (H, W) float32."""
    mean = box_mean(grey, 3)
    variance = np.maximum(box_mean(grey**2, 3) - mean**2, 0)
    noise = np.float32(9.0)
    gain = np.maximum(variance - noise, 0) / np.maximum(variance, noise)
    return np.asarray(grey - (mean + gain * (grey - mean)), np.float32)


def _unexplained(values: FloatArray, causes: Sequence[FloatArray]) -> FloatArray:
    """`values` less the plane in `causes` that fits them best."""
    matrix = np.stack([np.ones_like(values), *causes], axis=-1).reshape(-1, len(causes) + 1)
    weights, *_ = np.linalg.lstsq(matrix, values.ravel(), rcond=None)
    return np.asarray(values - (matrix @ weights).reshape(values.shape), np.float32)


def _robust_distance(features: FloatArray) -> FloatArray:
    """(H, W) Mahalanobis distance of (H, W, F) features to the bulk: two rounds, each without the farthest tenth."""
    flat = features.reshape(-1, features.shape[-1]).astype(np.float64)
    kept = flat
    distance = np.zeros(len(flat))
    for _ in range(3):
        covariance = np.cov(kept, rowvar=False) + 1e-3 * np.eye(flat.shape[1])
        away = flat - kept.mean(axis=0)
        distance = np.sqrt(np.maximum(((away @ np.linalg.inv(covariance)) * away).sum(axis=1), 0))
        kept = flat[distance <= np.quantile(distance, 0.9)]
    return np.asarray(distance.reshape(features.shape[:2]), np.float32)


# First order, square 3x3 (second order) and KV 5x5 of the spatial rich model, scaled to a middle of 1 in size.
SRM_KERNELS: tuple[NDArray[np.floating], ...] = (
    np.array([[0, 0, 0], [0, -1, 1], [0, 0, 0]], np.float32),
    np.array([[-1, 2, -1], [2, -4, 2], [-1, 2, -1]], np.float32) / 4,
    np.array(
        [[-1, 2, -2, 2, -1], [2, -6, 8, -6, 2], [-2, 8, -12, 8, -2], [2, -6, 8, -6, 2], [-1, 2, -2, 2, -1]], np.float32
    )
    / 12,
)
