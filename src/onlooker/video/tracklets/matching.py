"""Which detection continues which track: two stages by score, one optimal assignment each.

Sure detections are matched first, doubtful ones may only continue what is left (the idea of ByteTrack). A pair costs
little when the predicted and the seen box agree (generalised IoU), the appearance agrees and the label agrees. A label
that flips is tolerated where the boxes overlap well. Detections are put into one canonical order first, so the result
cannot depend on the order in which a detector lists them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from onlooker.types import Detections
from onlooker.video.tracklets.boxes import area, giou_matrix, iou_matrix
from onlooker.video.tracklets.config import MatchConfig

Array = NDArray[np.float64]
IndexArray = NDArray[np.intp]

# Ours: a doubtful detection must overlap clearly, and so must one whose label differs.
_CLEAR_IOU = 0.35
# Ours: between two looks an object's area changes by less than this factor, also at one look per second.
_AREA_FACTOR = 3.0
_IMPOSSIBLE = 1e6


@dataclass(frozen=True, slots=True)
class Candidates:
    """Cleaned detections of one frame in canonical order: surest first, then by position, then by label.

    Attributes:
        boxes_xyxy: (N, 4) float64.
        scores: (N,) float64.
        labels: N names, the surest of each.
        votes: per detection, label -> score, with the labels of duplicates that were merged into it.
        source: (N,) rows of the detector's list.
    """

    boxes_xyxy: Array
    scores: Array
    labels: tuple[str, ...]
    votes: tuple[Mapping[str, float], ...]
    source: IndexArray

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Predicted:
    """What the tracks expect to see, (N, ...) each, and how far each candidate's centre is from it.

    `distances` (N, M) are squared Mahalanobis distances; `similarity` (N, M) in [-1, 1] compares appearance, `None`
    without appearance vectors.
    """

    boxes_xyxy: Array
    labels: tuple[str, ...]
    distances: Array
    similarity: Array | None = None


def clean_detections(detections: Detections, config: MatchConfig) -> Candidates:
    """Drop what is unusable, merge one object's several labels, sort canonically.

    A detector that suppresses overlaps per class reports an animal both as "cow" and as "horse". The surer box stays
    and the other becomes a vote for its label.
    """
    boxes = np.asarray(detections.boxes_xyxy_px, np.float64)
    scores = np.asarray(detections.scores, np.float64)
    usable = np.isfinite(boxes).all(axis=1) & np.isfinite(scores) & (scores >= config.low_score)
    usable &= (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1]) if len(boxes) else usable
    rows = np.flatnonzero(usable)
    names = np.array(detections.labels, dtype=np.str_)[rows] if len(rows) else np.zeros(0, np.str_)
    b = boxes[rows]
    order = np.lexsort((names, b[:, 3], b[:, 2], b[:, 1], b[:, 0], -scores[rows]))
    rows = rows[order]
    overlap = iou_matrix(boxes[rows], boxes[rows]) >= config.duplicate_iou
    kept: list[int] = []
    votes: list[dict[str, float]] = []
    for i in range(len(rows)):
        label, score = detections.labels[rows[i]], float(scores[rows[i]])
        twin = next((k for k, j in enumerate(kept) if overlap[j, i]), None)
        if twin is None:
            kept.append(i)
            votes.append({label: score})
        else:
            votes[twin][label] = max(votes[twin].get(label, 0.0), score)
    source = rows[np.array(kept, np.intp)]
    labels = tuple(detections.labels[i] for i in source)
    return Candidates(boxes[source], scores[source], labels, tuple(votes), source)


def match(predicted: Predicted, candidates: Candidates, config: MatchConfig) -> list[tuple[int, int]]:
    """Pairs (track, candidate), each at most once, sorted by track."""
    if not len(predicted.labels) or not len(candidates):
        return []
    overlap = iou_matrix(predicted.boxes_xyxy, candidates.boxes_xyxy)
    cost = _pair_cost(predicted, candidates, overlap, config)
    near = (overlap >= config.minimum_iou) | (predicted.distances <= config.gate)
    cost[~near] = _IMPOSSIBLE
    sure = candidates.scores >= config.high_score
    tracks, columns = np.arange(len(predicted.labels)), np.flatnonzero(sure)
    pairs = _assign(cost, tracks, columns)
    free = np.setdiff1d(tracks, np.array([t for t, _ in pairs], np.intp))
    cost[overlap < _CLEAR_IOU] = _IMPOSSIBLE
    pairs += _assign(cost, free, np.flatnonzero(~sure))
    return sorted(pairs)


def _pair_cost(predicted: Predicted, candidates: Candidates, overlap: Array, config: MatchConfig) -> Array:
    cost: Array = (1 - giou_matrix(predicted.boxes_xyxy, candidates.boxes_xyxy)) / 2
    if predicted.similarity is not None:
        share = config.appearance_weight
        cost = (1 - share) * cost + share * (1 - predicted.similarity) / 2
    known = {name: i for i, name in enumerate(sorted(set(predicted.labels) | set(candidates.labels)))}
    differs = _codes(predicted.labels, known)[:, None] != _codes(candidates.labels, known)[None, :]
    cost = cost + config.label_penalty * differs
    ratio = area(candidates.boxes_xyxy)[None, :] / np.maximum(area(predicted.boxes_xyxy), 1e-9)[:, None]
    unlike = (ratio > _AREA_FACTOR) | (ratio < 1 / _AREA_FACTOR)
    cost[(unlike & (overlap < config.minimum_iou)) | (differs & (overlap < _CLEAR_IOU))] = _IMPOSSIBLE
    return cost


def _codes(labels: Sequence[str], known: Mapping[str, int]) -> IndexArray:
    return np.array([known[name] for name in labels], np.intp)


def _assign(cost: Array, rows: IndexArray, columns: IndexArray) -> list[tuple[int, int]]:
    if not len(rows) or not len(columns):
        return []
    part = cost[np.ix_(rows, columns)]
    chosen_rows, chosen_columns = linear_sum_assignment(part)
    return [
        (int(rows[r]), int(columns[c]))
        for r, c in zip(chosen_rows, chosen_columns, strict=True)
        if part[r, c] < _IMPOSSIBLE
    ]
