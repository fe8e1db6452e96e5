"""Which pieces of track are one object: the probability of every plausible join, and the best set of joins.

A piece that ends and a piece that begins later are compared by where the motion of both says they should meet, size,
time apart, category and (when there is a model for it) appearance. A small logistic turns this into a probability; its
constants were fitted on true tracks cut at random and can be refitted by the calibration benchmark. Joins at or above
one bar become a tracklet with a `Gap`, those above a lower bar a `Link`. Joining is one to one and never overlaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from onlooker.types import GapKind
from onlooker.video.tracklets.association import Fragment
from onlooker.video.tracklets.boxes import xyxy_to_cxcywh
from onlooker.video.tracklets.config import RelinkConfig

Array = NDArray[np.float64]
IndexArray = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Ends:
    """One end of each of N pieces of track: all their beginnings, or all their ends.

    Attributes:
        times_s: (N,) time of the outermost detection.
        boxes_cxcywh: (N, 4) its box.
        speeds: (N, 2) speed of the centre there in px/s.
        categories: (N,) integer codes.
        shots: (N,) shot numbers.
        looks: (N, D) unit appearance vectors, rows of zeros where unknown; D may be 0.
    """

    times_s: Array
    boxes_cxcywh: Array
    speeds: Array
    categories: IndexArray
    shots: IndexArray
    looks: Array

    def select(self, rows: IndexArray) -> Ends:
        """The ends of some pieces."""
        return Ends(
            self.times_s[rows],
            self.boxes_cxcywh[rows],
            self.speeds[rows],
            self.categories[rows],
            self.shots[rows],
            self.looks[rows],
        )


@dataclass(frozen=True, slots=True)
class Join:
    """A decision about two pieces (by position in the list given): the one that ends and the one that begins."""

    first: int
    second: int
    probability: float
    kind: GapKind
    certain: bool


@dataclass(frozen=True, slots=True)
class LogisticWeights:
    """Weights of the join probability; the terms are those of `join_features`."""

    bias: float
    distance: float
    growth: float
    time: float
    label: float
    appearance: float

    def probability(self, features: Array) -> Array:
        """(K,) probabilities of (K, 5) features."""
        weights = np.array([self.distance, self.growth, self.time, self.label, self.appearance])
        result: Array = 1 / (1 + np.exp(-np.clip(self.bias + features @ weights, -60, 60)))
        return result


# Motion terms fitted by benchmarks/tracking_relink_calibration.py, see its result file for the reliability table. The
# appearance term is the slope of a balanced logistic on cosines of the bundled embedder, so it adds as evidence.
SHOT_WEIGHTS = LogisticWeights(bias=4.0, distance=-2.4, growth=-1.35, time=-3.3, label=-4.0, appearance=12.0)
# Ours: over a cut, position and motion say nothing; only a close match of appearance does.
CUT_WEIGHTS = LogisticWeights(bias=-2.5, distance=0.0, growth=-0.5, time=0.0, label=-4.0, appearance=12.0)
# Ours: motion at an end is measured over this stretch, and an unseen object's speed decays with this time constant.
_SPEED_SPAN_S = 0.6
_SPEED_MEMORY_S = 1.0
_PAIRS_AT_ONCE = 1024


def ends_of(fragments: Sequence[Fragment]) -> tuple[Ends, Ends]:
    """The ends and the beginnings of fragments, aligned with the list."""
    names = {name: i for i, name in enumerate(sorted({f.category for f in fragments}))}
    categories = np.array([names[f.category] for f in fragments], np.intp)
    shots = np.array([f.shot for f in fragments], np.intp)
    dim = max((len(f.appearance) for f in fragments if f.appearance is not None), default=0)
    looks = np.zeros((len(fragments), dim))
    for row, fragment in enumerate(fragments):
        if fragment.appearance is not None:
            looks[row] = fragment.appearance

    def side(at: int) -> Ends:
        boxes = np.array([f.boxes_xyxy[at] for f in fragments]).reshape(-1, 4)
        speeds = np.array([_speed(f, at) for f in fragments]).reshape(-1, 2)
        times = np.array([f.times_s[at] for f in fragments], np.float64)
        return Ends(times, xyxy_to_cxcywh(boxes), speeds, categories, shots, looks)

    return side(-1), side(0)


def pieces_with_partners(fragments: Sequence[Fragment], config: RelinkConfig) -> list[int]:
    """Positions of the fragments that could be joined to another one as far as times go."""
    if not fragments:
        return []
    first, second = candidate_pairs(*ends_of(fragments), config)
    return sorted({*first.tolist(), *second.tolist()})


def join_features(ends: Ends, starts: Ends, neutral_cosine: float) -> Array:
    """(K, 5) what the logistic sees of K pairs of an end and a later start.

    Distance between where both sides expect to meet, in object sizes and in the spread expected after that time;
    absolute logarithm of the area ratio; logarithm of one plus seconds apart; 1.0 if the labels differ; cosine of the
    appearance above the neutral one, 0 where unknown.
    """
    gap_s = np.maximum(starts.times_s - ends.times_s, 0.0)
    reach = (_SPEED_MEMORY_S * (1 - np.exp(-gap_s / _SPEED_MEMORY_S)))[:, None]
    areas = np.stack([np.prod(side.boxes_cxcywh[:, 2:], axis=1) for side in (ends, starts)]).clip(min=1e-3)
    size = np.maximum(np.sqrt(np.sqrt(areas[0] * areas[1])), 1.0)
    apart = starts.boxes_cxcywh[:, :2] - ends.boxes_cxcywh[:, :2]
    forward = np.hypot(*(apart - reach * ends.speeds).T)
    backward = np.hypot(*(apart - reach * starts.speeds).T)
    both = np.hypot(*(apart - reach * (ends.speeds + starts.speeds) / 2).T)
    distance = (np.minimum(forward, backward) + both) / 2 / (size * (0.3 + 0.8 * gap_s**0.75))
    growth = np.abs(np.log(areas[1] / areas[0]))
    known = np.any(ends.looks != 0, axis=1) & np.any(starts.looks != 0, axis=1)
    cosine = np.where(known, (ends.looks * starts.looks).sum(axis=1) - neutral_cosine, 0.0)
    differs = (ends.categories != starts.categories).astype(np.float64)
    return np.stack([distance, growth, np.log1p(gap_s), differs, cosine], axis=1)


def join_probability(ends: Ends, starts: Ends, neutral_cosine: float) -> Array:
    """(K,) probability that the object of each end is that of its start. Over a cut it is 0 without appearance."""
    features = join_features(ends, starts, neutral_cosine)
    known = np.any(ends.looks != 0, axis=1) & np.any(starts.looks != 0, axis=1)
    over_cut = np.where(known, CUT_WEIGHTS.probability(features), 0.0)
    return np.where(ends.shots == starts.shots, SHOT_WEIGHTS.probability(features), over_cut)


def find_joins(ends: Ends, starts: Ends, config: RelinkConfig) -> list[Join]:
    """Joins and links among N pieces, sorted by piece.

    Certain joins are one to one: no piece gets two successors or two predecessors. Of the others those at or above
    `link_probability` are returned as uncertain, unless one of the two has a certain partner on that side.
    """
    first, second = candidate_pairs(ends, starts, config)
    if not len(first):
        return []
    # In chunks: each pair carries two appearance vectors, and a long video has very many pairs.
    probability = np.concatenate(
        [
            join_probability(
                ends.select(first[at : at + _PAIRS_AT_ONCE]),
                starts.select(second[at : at + _PAIRS_AT_ONCE]),
                config.neutral_cosine,
            )
            for at in range(0, len(first), _PAIRS_AT_ONCE)
        ]
    )
    keep = probability >= max(config.link_probability, 1e-9)
    first, second, probability = first[keep], second[keep], probability[keep]
    chosen = _best_joins(first, second, probability, config.join_probability)
    left, right = set(first[chosen].tolist()), set(second[chosen].tolist())
    joins = []
    for i, j, p, sure in zip(first.tolist(), second.tolist(), probability.tolist(), chosen.tolist(), strict=True):
        if sure or (i not in left and j not in right):
            kind: GapKind = "occlusion" if ends.shots[i] == starts.shots[j] else "shot"
            joins.append(Join(i, j, p, kind, sure))
    return sorted(joins, key=lambda join: (join.first, join.second))


def candidate_pairs(ends: Ends, starts: Ends, config: RelinkConfig) -> tuple[IndexArray, IndexArray]:
    """Pairs near enough in time, found without comparing all with all: a day of video has 100,000 pieces."""
    order = np.argsort(starts.times_s, kind="stable")
    times = starts.times_s[order]
    reach = max(config.maximum_gap_s, config.maximum_shot_gap_s)
    low = np.searchsorted(times, ends.times_s, side="right")
    high = np.searchsorted(times, ends.times_s + reach, side="right")
    counts = high - low
    first = np.repeat(np.arange(len(ends.times_s)), counts)
    offset = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    second = order[np.repeat(low, counts) + offset]
    gap = starts.times_s[second] - ends.times_s[first]
    same_shot = ends.shots[first] == starts.shots[second]
    fits = gap <= np.where(same_shot, config.maximum_gap_s, config.maximum_shot_gap_s)
    return first[fits], second[fits]


def _best_joins(first: IndexArray, second: IndexArray, probability: Array, bar: float) -> NDArray[np.bool_]:
    """(K,) which pairs to join: at or above the bar, one to one, with the largest summed log-odds over the bar."""
    chosen = np.zeros(len(first), bool)
    sure = np.flatnonzero(probability >= bar)
    if not len(sure):
        return chosen
    p, b = np.clip(probability[sure], 1e-6, 1 - 1e-6), min(max(bar, 1e-6), 1 - 1e-6)
    gain = np.maximum(np.log(p / (1 - p)) - np.log(b / (1 - b)), 0.0) + 1e-3
    n = int(max(first.max(), second.max())) + 1
    graph = coo_array((np.ones(len(sure)), (first[sure], second[sure] + n)), shape=(2 * n, 2 * n))
    _, group = connected_components(graph, directed=False)
    member = group[first[sure]]
    for label in np.unique(member):
        edges = np.flatnonzero(member == label)
        rows, row_of = np.unique(first[sure[edges]], return_inverse=True)
        columns, column_of = np.unique(second[sure[edges]], return_inverse=True)
        table = np.zeros((len(rows), len(columns)))
        table[row_of, column_of] = gain[edges]
        edge_at = np.full(table.shape, -1)
        edge_at[row_of, column_of] = edges
        for r, c in zip(*linear_sum_assignment(-table), strict=True):
            if edge_at[r, c] >= 0:
                chosen[sure[edge_at[r, c]]] = True
    return chosen


def _speed(fragment: Fragment, at: int) -> tuple[float, float]:
    """Speed of the centre at one end: slope of a line through the detections of the outermost stretch."""
    near = np.abs(fragment.times_s - fragment.times_s[at]) <= _SPEED_SPAN_S
    if near.sum() < 2:
        near = np.zeros(len(fragment), bool)
        near[slice(-2, None) if at == -1 else slice(0, 2)] = True
    times = fragment.times_s[near]
    if len(times) < 2:
        return 0.0, 0.0
    centred = times - times.mean()
    boxes = fragment.boxes_xyxy[near]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    slope = centred @ centres / (centred @ centred)
    return float(slope[0]), float(slope[1])
