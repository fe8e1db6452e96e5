"""Boxes of two tracks held against each other, frame by frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from onlooker.video.tracklets.boxes import area

Array = NDArray[np.float64]
Places = NDArray[np.intp]


def shared_frames(first: NDArray[np.int64], second: NDArray[np.int64]) -> tuple[Places, Places]:
    """Rows of the frames that are in both of two increasing lists."""
    _, mine, theirs = np.intersect1d(first, second, assume_unique=True, return_indices=True)
    return mine, theirs


def paired_overlap(first: NDArray[np.floating], second: NDArray[np.floating]) -> Array:
    """(N,) intersection over union of the boxes (N, 4) of each row."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = np.prod(np.maximum(sides, 0), axis=1)
    union = area(a) + area(b) - shared
    overlap: Array = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlap
