"""Which detection continues which track: three stages, one optimal assignment each.

Sure detections that overlap the prediction are matched first, doubtful ones may only continue what is left (the idea of
ByteTrack), and last come sure ones that do not overlap but lie where the motion could have brought the object. A pair
is worth much when the predicted and the seen box overlap, the appearance agrees and the label agrees; a label that
flips is tolerated where the boxes overlap well. Detections are put into one canonical order first, so the result cannot
depend on the order in which a detector lists them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from onlooker.types import Detections
from onlooker.video.tracklets.boxes import area, iou_matrix
from onlooker.video.tracklets.config import MatchConfig

Array = NDArray[np.float64]
IndexArray = NDArray[np.intp]

# Ours: a doubtful detection must overlap clearly, and so must one whose label differs.
_CLEAR_IOU = 0.35
# Ours: boxes that do not touch are only one object if their areas differ by less than this factor.
_ALIKE_FACTOR = 1.7


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
    twins = np.triu(iou_matrix(boxes[rows], boxes[rows]) >= config.duplicate_iou, 1)
    kept: list[int] = []
    votes: dict[int, dict[str, float]] = {}
    for i, row in enumerate(rows):
        label, score = detections.labels[row], float(scores[row])
        # The surest of the boxes kept so far that this one doubles.
        twin = next((int(j) for j in np.flatnonzero(twins[:i, i]) if j in votes), None)
        if twin is None:
            kept.append(i)
            votes[i] = {label: score}
        else:
            votes[twin][label] = max(votes[twin].get(label, 0.0), score)
    source = rows[np.array(kept, np.intp)]
    labels = tuple(detections.labels[i] for i in source)
    return Candidates(boxes[source], scores[source], labels, tuple(votes[i] for i in kept), source)


def match(predicted: Predicted, candidates: Candidates, config: MatchConfig) -> list[tuple[int, int]]:
    """Pairs (track, candidate), each at most once, sorted by track."""
    if not len(predicted.labels) or not len(candidates):
        return []
    overlap = iou_matrix(predicted.boxes_xyxy, candidates.boxes_xyxy)
    allowed = ~_labels_differ(predicted, candidates) | (overlap >= _CLEAR_IOU)
    gain = _agreement(overlap, predicted, candidates, config)
    sure = candidates.scores >= config.high_score
    pairs = _stage(np.where(allowed & (overlap >= config.minimum_iou), gain, 0.0), sure, [])
    pairs = _stage(np.where(allowed & (overlap >= _CLEAR_IOU), gain, 0.0), ~sure, pairs)
    nearness = np.where(_area_ratio(predicted, candidates) < _ALIKE_FACTOR, np.exp(-predicted.distances / 2), 0.0)
    reached = allowed & (predicted.distances <= config.gate)
    pairs = _stage(np.where(reached, _agreement(nearness, predicted, candidates, config), 0.0), sure, pairs)
    return sorted(pairs)


def births(candidates: Candidates, matched: Sequence[int], config: MatchConfig) -> list[int]:
    """Which unmatched candidates start a track: sure ones that are not a second box around a matched object."""
    free = np.setdiff1d(np.flatnonzero(candidates.scores >= config.start_score), np.array(matched, np.intp))
    if not len(matched) or not len(free):
        return [int(c) for c in free]
    taken = np.array(matched, np.intp)
    overlap = iou_matrix(candidates.boxes_xyxy[free], candidates.boxes_xyxy[taken])
    names = np.array(candidates.labels)
    second = (overlap > config.birth_iou) & (names[free][:, None] == names[taken][None, :])
    return [int(c) for c in free[~second.any(axis=1)]]


def _agreement(place: Array, predicted: Predicted, candidates: Candidates, config: MatchConfig) -> Array:
    """(N, M) what a pair is worth, from the agreement in place in [0, 1], size, appearance and label.

    The assignment maximises the sum of this and not the number of pairs: two bad pairs must not beat one good one, or
    every object that hides would take over a neighbour's box.
    """
    gain = place / np.sqrt(_area_ratio(predicted, candidates))
    if predicted.similarity is not None:
        share = config.appearance_weight
        gain = (1 - share) * gain + share * np.clip(predicted.similarity, 0, 1) * (place > 0)
    return gain * np.where(_labels_differ(predicted, candidates), 1 - config.label_penalty, 1.0)


def _labels_differ(predicted: Predicted, candidates: Candidates) -> NDArray[np.bool_]:
    known = {name: i for i, name in enumerate(sorted(set(predicted.labels) | set(candidates.labels)))}
    differ: NDArray[np.bool_] = _codes(predicted.labels, known)[:, None] != _codes(candidates.labels, known)[None, :]
    return differ


def _area_ratio(predicted: Predicted, candidates: Candidates) -> Array:
    """(N, M) larger area over smaller one."""
    ratio = area(candidates.boxes_xyxy)[None, :] / np.maximum(area(predicted.boxes_xyxy), 1e-9)[:, None]
    larger: Array = np.maximum(ratio, 1 / np.maximum(ratio, 1e-9))
    return larger


def _stage(gain: Array, columns: NDArray[np.bool_], pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The pairs so far and the best ones among what they left over; a pair without gain is none."""
    rows = np.setdiff1d(np.arange(len(gain)), np.array([t for t, _ in pairs], np.intp))
    free = np.setdiff1d(np.flatnonzero(columns), np.array([c for _, c in pairs], np.intp))
    if not len(rows) or not len(free):
        return pairs
    part = gain[np.ix_(rows, free)]
    chosen = zip(*linear_sum_assignment(part, maximize=True), strict=True)
    return pairs + [(int(rows[r]), int(free[c])) for r, c in chosen if part[r, c] > 0]


def _codes(labels: Sequence[str], known: Mapping[str, int]) -> IndexArray:
    return np.array([known[name] for name in labels], np.intp)
