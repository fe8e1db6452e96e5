"""What tracklets of one video have to do with each other: pairs on screen together, and the most at one time.

Work is bounded by the number of times two boxes share a frame; tracklets that never meet cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onlooker.types import Tracklet

Boxes = NDArray[np.float64]
Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class PairGeometry:
    """Columns of `base_pairs`; `first` and `second` are positions in the sequence of tracklets, first < second."""

    first: int
    second: int
    together_s: float
    first_t: float
    last_t: float
    overlap_s: float
    overlap_t: float | None
    max_iou: float
    min_distance_px: float
    min_distance_t: float
    min_gap_px: float


@dataclass(frozen=True, slots=True)
class Peak:
    """A row of `base_peaks`; category "" stands for all."""

    category: str
    n_tracklets: int
    peak: int
    peak_t: float


@dataclass(frozen=True, slots=True)
class _Flat:
    """All boxes of a video sorted by frame, then owner; `stop[k]` is one past the last box on the frame of box k."""

    owner: Indices
    times: Floats
    boxes: Boxes
    stop: Indices
    position: Indices  # where box i of the input order went


def _flatten(tracklets: Sequence[Tracklet], boxes: Sequence[Boxes]) -> _Flat:
    frames = np.concatenate([t.frames for t in tracklets])
    owner = np.repeat(np.arange(len(tracklets)), [len(t) for t in tracklets])
    order = np.lexsort((owner, frames))
    position = np.empty(len(order), np.intp)
    position[order] = np.arange(len(order))
    ordered = frames[order]
    stop = np.searchsorted(ordered, ordered, side="right")
    times = np.concatenate([t.times_s for t in tracklets])[order]
    return _Flat(owner[order], times, np.concatenate(boxes)[order], stop, position)


def pair_geometry(tracklets: Sequence[Tracklet], boxes: Sequence[Boxes], frame_interval_s: float) -> list[PairGeometry]:
    """Every pair that shares at least one frame, in order of (first, second).

    Args:
        tracklets: N tracklets of one video.
        boxes: their (n_i, 4) float64 boxes.
        frame_interval_s: the time one frame stands for.
    """
    if len(tracklets) < 2:
        return []
    flat = _flatten(tracklets, boxes)
    found: list[PairGeometry] = []
    offset = 0
    for index, tracklet in enumerate(tracklets):
        mine = flat.position[offset : offset + len(tracklet)]
        offset += len(tracklet)
        # Boxes are sorted by owner inside a frame, so the later ones of a frame belong to later tracklets.
        counts = flat.stop[mine] - mine - 1
        total = int(counts.sum())
        if total:
            own = np.repeat(mine, counts)
            ends = np.cumsum(counts)
            other = own + 1 + np.arange(total) - np.repeat(ends - counts, counts)
            found += _pairs_of(index, flat, own, other, frame_interval_s)
    return found


def _pairs_of(index: int, flat: _Flat, own: Indices, other: Indices, interval_s: float) -> list[PairGeometry]:
    """Reduce the co-visible boxes (own[k], other[k]) of one tracklet to one row per partner."""
    order = np.argsort(flat.owner[other], kind="stable")  # stable: time order stays inside a partner
    own, other = own[order], other[order]
    partner = flat.owner[other]
    starts = np.flatnonzero(np.concatenate([[True], partner[1:] != partner[:-1]]))
    sizes = np.diff(np.concatenate([starts, [len(partner)]]))
    times = flat.times[own]
    iou, distance, gap = _measure(flat.boxes[own], flat.boxes[other])
    touching = iou > 0
    overlaps = np.add.reduceat(touching.astype(np.int64), starts)
    overlap_t = np.minimum.reduceat(np.where(touching, times, np.inf), starts)
    nearest = np.minimum.reduceat(distance, starts)
    nearest_t = np.minimum.reduceat(np.where(distance == np.repeat(nearest, sizes), times, np.inf), starts)
    columns = zip(
        partner[starts].tolist(),
        (sizes * interval_s).tolist(),
        times[starts].tolist(),
        times[starts + sizes - 1].tolist(),
        (overlaps * interval_s).tolist(),
        [t if np.isfinite(t) else None for t in overlap_t.tolist()],
        np.maximum.reduceat(iou, starts).tolist(),
        nearest.tolist(),
        nearest_t.tolist(),
        np.minimum.reduceat(gap, starts).tolist(),
        strict=True,
    )
    return [PairGeometry(index, *row) for row in columns]


def _measure(a: Boxes, b: Boxes) -> tuple[Floats, Floats, Floats]:
    """Row by row: intersection over union, distance of centres, distance of edges (0 when they touch or overlap)."""
    ax1, ay1, ax2, ay2 = a.T
    bx1, by1, bx2, by2 = b.T
    between_x = np.maximum(ax1, bx1) - np.minimum(ax2, bx2)  # below 0 where they overlap
    between_y = np.maximum(ay1, by1) - np.minimum(ay2, by2)
    shared = np.maximum(-between_x, 0) * np.maximum(-between_y, 0)
    union = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - shared
    iou = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    distance = np.hypot(ax1 + ax2 - bx1 - bx2, ay1 + ay2 - by1 - by2) / 2
    return iou, distance, np.hypot(np.maximum(between_x, 0), np.maximum(between_y, 0))


def peaks_of(tracklets: Sequence[Tracklet]) -> list[Peak]:
    """Per category, and "" for all: how many tracklets, the most on one frame, and the first time of that."""
    groups: dict[str, list[Tracklet]] = {"": list(tracklets)} if tracklets else {}
    for tracklet in tracklets:
        groups.setdefault(tracklet.category, []).append(tracklet)
    found = []
    for category, members in groups.items():
        _, first, counts = np.unique(np.concatenate([t.frames for t in members]), return_index=True, return_counts=True)
        times = np.concatenate([t.times_s for t in members])[first]
        most = int(np.argmax(counts))  # the first of equals; frames are in order
        found.append(Peak(category, len(members), int(counts[most]), float(times[most])))
    return found
