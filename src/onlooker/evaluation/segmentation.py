"""Segmentation scores, in percent: mean intersection over union, and J and F of DAVIS.

J (region) is the intersection over union of an object's masks; F (boundary) is the harmonic mean of precision and
recall of boundary pixels, a boundary pixel being right within a small disk. Perazzi et al. 2016 (DAVIS), section 4;
Pont-Tuset et al. 2017 for several objects.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from onlooker.errors import ShapeError

Mask = NDArray[np.bool_]
LabelMap = NDArray[np.integer]
# Radius of the disk as a part of the picture's diagonal (Perazzi et al. 2016; the value of the official evaluation).
_BOUNDARY_PART = 0.008


class RegionAndBoundary(NamedTuple):
    """Means over objects and frames, in percent."""

    j_percent: float
    f_percent: float

    @property
    def j_and_f_percent(self) -> float:
        return (self.j_percent + self.f_percent) / 2


def confusion_matrix(
    predicted: LabelMap, truth: LabelMap, n_classes: int, ignore: int | None = None
) -> NDArray[np.int64]:
    """(K, K) counts of pixels, truth down and prediction across; matrices of several pictures add up.

    Args:
        predicted, truth: arrays of one shape with values in [0, n_classes).
        ignore: pixels with this truth are left out; the value need not be a class.
    """
    if predicted.shape != truth.shape:
        raise ShapeError(f"prediction {predicted.shape} and truth {truth.shape} differ in shape")
    keep = np.ones(truth.shape, np.bool_) if ignore is None else truth != ignore
    found, true = predicted[keep].astype(np.int64), truth[keep].astype(np.int64)
    for name, values in (("prediction", found), ("truth", true)):
        if values.size and (values.min() < 0 or values.max() >= n_classes):
            raise ShapeError(f"{name} holds classes {values.min()}..{values.max()}, expected [0, {n_classes})")
    return np.bincount(true * n_classes + found, minlength=n_classes**2).reshape(n_classes, n_classes)


def mean_iou_percent(confusion: NDArray[np.int64]) -> float:
    """Mean over the classes that occur in truth or prediction; a class in neither is left out.

    Raises:
        ShapeError: not a square of counts, or no pixel at all.
    """
    if confusion.ndim != 2 or confusion.shape[0] != confusion.shape[1]:
        raise ShapeError(f"expected a square matrix of counts, got {confusion.shape}")
    union = confusion.sum(axis=0) + confusion.sum(axis=1) - np.diag(confusion)
    if not union.any():
        raise ShapeError("there is no pixel to score")
    return 100.0 * float(np.mean(np.diag(confusion)[union > 0] / union[union > 0]))


def region_similarity(predicted: Mask, truth: Mask) -> float:
    """J of one object in one frame, in [0, 1]; 1 when both masks are empty."""
    _check_pair(predicted, truth)
    union = np.count_nonzero(predicted | truth)
    return 1.0 if union == 0 else np.count_nonzero(predicted & truth) / union


def boundary_accuracy(predicted: Mask, truth: Mask) -> float:
    """F of one object in one frame, in [0, 1]; 1 when neither mask has a boundary, 0 when only one has."""
    _check_pair(predicted, truth)
    found, true = boundary_of(predicted), boundary_of(truth)
    if not found.any() or not true.any():
        return float(found.any() == true.any())
    radius_px = np.ceil(_BOUNDARY_PART * np.hypot(*truth.shape))
    precision = float(_near(true, radius_px)[found].mean())
    recall = float(_near(found, radius_px)[true].mean())
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def boundary_of(mask: Mask) -> Mask:
    """Pixels that differ from the one to the right, below, or below right. The picture's border is no boundary."""
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    here = padded[:-1, :-1]
    edge: Mask = (here != padded[:-1, 1:]) | (here != padded[1:, :-1]) | (here != padded[1:, 1:])
    return edge


def video_scores(predicted: LabelMap, truth: LabelMap) -> RegionAndBoundary:
    """J and F of the objects in the first frame of `truth`, over all frames but the first and the last, as DAVIS does.

    Args:
        predicted, truth: (T, H, W), 0 is ground, T >= 3.

    Raises:
        ShapeError: other shapes, or no object in the first frame.
    """
    if truth.ndim != 3 or predicted.shape != truth.shape or len(truth) < 3:
        raise ShapeError(f"expected two (T, H, W) with T >= 3, got {predicted.shape} and {truth.shape}")
    ids = [int(i) for i in np.unique(truth[0]) if i != 0]
    if not ids:
        raise ShapeError("the first frame shows no object to follow")
    pairs = [(p == i, t == i) for i in ids for p, t in zip(predicted[1:-1], truth[1:-1], strict=True)]
    return RegionAndBoundary(
        100.0 * float(np.mean([region_similarity(p, t) for p, t in pairs])),
        100.0 * float(np.mean([boundary_accuracy(p, t) for p, t in pairs])),
    )


def _near(boundary: Mask, radius_px: float) -> Mask:
    """Dilation by a disk: every pixel within `radius_px` of the boundary."""
    # Distances are square roots of whole numbers; those that equal the radius are exact.
    return np.asarray(distance_transform_edt(~boundary) <= radius_px)


def _check_pair(predicted: Mask, truth: Mask) -> None:
    if truth.ndim != 2 or predicted.shape != truth.shape:
        raise ShapeError(f"expected two masks (H, W), got {predicted.shape} and {truth.shape}")
    if truth.dtype != np.bool_ or predicted.dtype != np.bool_:
        raise ShapeError(f"masks are bool, got {predicted.dtype} and {truth.dtype}")
