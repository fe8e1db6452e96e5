"""Plain geometry of boxes `[x1, y1, x2, y2]`: overlaps, centre form, clipping. All functions are vectorised."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def xyxy_to_cxcywh(boxes_xyxy: NDArray[np.floating]) -> Array:
    """(N, 4) corners to (N, 4) centre x, centre y, width, height in float64."""
    boxes = np.asarray(boxes_xyxy, np.float64)
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)


def cxcywh_to_xyxy(boxes_cxcywh: NDArray[np.floating]) -> Array:
    """(N, 4) centre form to (N, 4) corners in float64."""
    boxes = np.asarray(boxes_cxcywh, np.float64)
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def area(boxes_xyxy: NDArray[np.floating]) -> Array:
    """(N,) areas; boxes without extent have area 0."""
    sides = np.maximum(np.asarray(boxes_xyxy, np.float64)[:, 2:] - boxes_xyxy[:, :2], 0)
    product: Array = sides[:, 0] * sides[:, 1]
    return product


def _intersection(first: Array, second: Array) -> Array:
    # One axis at a time: half the time of (N, M, 2) arrays for hundreds of boxes.
    sides = [
        np.minimum.outer(first[:, high], second[:, high]) - np.maximum.outer(first[:, low], second[:, low])
        for low, high in ((0, 2), (1, 3))
    ]
    product: Array = np.maximum(sides[0], 0) * np.maximum(sides[1], 0)
    return product


def iou_matrix(first: NDArray[np.floating], second: NDArray[np.floating]) -> Array:
    """(N, M) intersection over union in [0, 1]; 0 where both boxes have no area."""
    shared = _intersection(np.asarray(first, np.float64), np.asarray(second, np.float64))
    union = area(first)[:, None] + area(second)[None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def clip_boxes(boxes_xyxy: NDArray[np.floating], width: int, height: int) -> Array:
    """(N, 4) boxes cut to the frame; a box outside becomes one without extent on the border."""
    limits = np.array([width, height, width, height], np.float64)
    return np.clip(np.asarray(boxes_xyxy, np.float64), 0, limits)
