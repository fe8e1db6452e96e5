"""Box arithmetic on plain arrays, shared by the detectors. Boxes are (N, 4) `[x1, y1, x2, y2]`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ShapeError
from onlooker.types import Detections, FloatArray, Image


def check_image(image: Image) -> None:
    """Raises ShapeError unless the image is (H, W, 3) uint8 with at least one pixel."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ShapeError(f"a model reads RGB images of (H, W, 3) uint8, got {image.shape} {image.dtype}")


def pairwise_iou(first: FloatArray, second: FloatArray) -> FloatArray:
    """(N, M) intersection over union; 0 where both boxes are empty."""
    top_left = np.maximum(first[:, None, :2], second[None, :, :2])
    bottom_right = np.minimum(first[:, None, 2:], second[None, :, 2:])
    overlap = np.prod(np.clip(bottom_right - top_left, 0, None), axis=2)
    area_first = np.prod(np.clip(first[:, 2:] - first[:, :2], 0, None), axis=1)
    area_second = np.prod(np.clip(second[:, 2:] - second[:, :2], 0, None), axis=1)
    union = area_first[:, None] + area_second[None, :] - overlap
    return np.where(union > 0, overlap / np.where(union > 0, union, 1), 0).astype(np.float32)


def suppress(
    boxes: FloatArray, scores: FloatArray, labels: Sequence[str], same_iou: float, other_iou: float
) -> NDArray[np.intp]:
    """Greedy non-maximum suppression, best score first, ties in the order given.

    Args:
        boxes: (N, 4).
        scores: (N,).
        labels: N names.
        same_iou: a box overlapping a better one of its own label by more than this goes.
        other_iou: the same between different labels; 1.0 keeps them all.

    Returns:
        (K,) rows kept, by falling score.
    """
    order = np.argsort(-scores, kind="stable")
    iou = pairwise_iou(boxes, boxes)
    names = np.asarray(labels)
    limit = np.where(names[:, None] == names[None, :], same_iou, other_iou)
    kept: list[int] = []
    for row in order:
        if not kept or not np.any(iou[row, kept] > limit[row, kept]):
            kept.append(int(row))
    return np.asarray(kept, dtype=np.intp)


def clip_boxes(boxes: FloatArray, width: int, height: int) -> FloatArray:
    """(N, 4) boxes cut at the image border."""
    limits = np.array([width, height, width, height], np.float32)
    return np.clip(boxes, 0, limits).astype(np.float32)


def make_detections(boxes: FloatArray, scores: FloatArray, labels: Sequence[str], size: tuple[int, int]) -> Detections:
    """Detections clipped to a (width, height) image; boxes with no pixel left are dropped."""
    clipped = clip_boxes(boxes.reshape(-1, 4), *size)
    rows = np.flatnonzero((clipped[:, 2] > clipped[:, 0]) & (clipped[:, 3] > clipped[:, 1]))
    bounded = np.clip(scores, 0, 1).astype(np.float32)
    return Detections(clipped[rows], bounded[rows], tuple(labels[int(i)] for i in rows))
