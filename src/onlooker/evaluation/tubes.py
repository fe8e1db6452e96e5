"""Video instance segmentation: AP and AR over tubes, in percent, as COCO computes them over boxes.

A tube's overlap with another is the sum of their intersections over all frames by the sum of their unions (Yang et al.
2019, section 4). Matching goes by falling score, precision is interpolated at 101 recalls, and means are over the
overlaps 0.5, 0.55, ..., 0.95 and over the categories that the truth holds. All sizes count as one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ShapeError
from onlooker.formats.run_lengths import decode_mask
from onlooker.formats.ytvis import Tube, TubeSet, TubeVideo

Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
THRESHOLDS = np.linspace(0.5, 0.95, 10)
_RECALLS = np.linspace(0.0, 1.0, 101)
_MOST = 100  # tubes of a category in a video that count, best first (COCO's limit)
_AR_LIMITS = (1, 10)


@dataclass(frozen=True, slots=True)
class TubeScores:
    """Percent. `ar1`, `ar10`: mean recall with the best tube or ten of each category and video.

    `ap_by_category` has the categories with a truth. `None` where no truth is there to find.
    """

    ap: float | None
    ap50: float | None
    ap75: float | None
    ar1: float | None
    ar10: float | None
    ap_by_category: Mapping[str, float]
    n_truths: int
    n_tubes: int


@dataclass(frozen=True, eq=False, slots=True)
class _Matches:
    """One category in one video: (D,) scores falling, (10, D) whether matched or not to be judged, and true tubes."""

    scores: Array
    matched: BoolArray
    ignored: BoolArray
    n_truths: int


def score_tubes(results: Sequence[Tube], truth: TubeSet, videos: Sequence[int] | None = None) -> TubeScores:
    """AP and AR of scored tubes.

    Args:
        videos: numbers of the videos that count; all by default.

    Raises:
        ShapeError: a result has no score.
    """
    if any(tube.score is None for tube in results):
        raise ShapeError("a tube has no score; results are ranked by it")
    chosen = set(truth.videos if videos is None else videos)
    precision: dict[str, Array] = {}
    recalls: dict[int, list[Array]] = {limit: [] for limit in _AR_LIMITS}
    for number, name in truth.categories.items():
        found = [
            _match_video(results, truth, video, number) for video in truth.videos.values() if video.number in chosen
        ]
        n_truths = sum(m.n_truths for m in found)
        if n_truths:
            precision[name] = _precision(found, n_truths)
            for limit, rows in recalls.items():
                rows.append(_recall(found, limit, n_truths))
    table = np.stack(list(precision.values())) if precision else None  # (K, 10, 101)
    return TubeScores(
        ap=None if table is None else 100 * float(table.mean()),
        ap50=None if table is None else 100 * float(table[:, 0].mean()),
        ap75=None if table is None else 100 * float(table[:, 5].mean()),
        ar1=100 * float(np.mean(recalls[1])) if recalls[1] else None,
        ar10=100 * float(np.mean(recalls[10])) if recalls[10] else None,
        ap_by_category={name: 100 * float(rows.mean()) for name, rows in precision.items()},
        n_truths=sum(not t.crowd and t.video in chosen for t in truth.tubes),
        n_tubes=sum(t.video in chosen for t in results),
    )


def tube_overlaps(first: Sequence[Tube], second: Sequence[Tube], video: TubeVideo) -> Array:
    """(N, M) overlaps of tubes of one video; with a crowd in `second` the share of the first that lies in it."""
    width, height = video.size
    shared = np.zeros((len(first), len(second)))
    own, other = np.zeros(len(first)), np.zeros(len(second))
    for t in range(len(video.file_names)):
        a, b = (_flat([tube.counts[t] for tube in tubes], height, width) for tubes in (first, second))
        shared += a @ b.T
        own += a.sum(axis=1)
        other += b.sum(axis=1)
    crowd = np.array([tube.crowd for tube in second], np.bool_)
    union = np.where(crowd[None], own[:, None], own[:, None] + other[None] - shared)
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def _flat(counts: Sequence[bytes | None], height: int, width: int) -> NDArray[np.float32]:
    """(N, H*W) of 0 and 1; sums of pixels of a picture are exact in float32."""
    rows = np.zeros((len(counts), height * width), np.float32)
    for row, packed in zip(rows, counts, strict=True):
        if packed is not None:
            row[:] = decode_mask(packed, height, width).ravel()
    return rows


def _match_video(results: Sequence[Tube], truth: TubeSet, video: TubeVideo, category: int) -> _Matches:
    mine = [t for t in results if (t.video, t.category) == (video.number, category)]
    mine = sorted(mine, key=_rank)[:_MOST]
    # Crowds last: a real object is preferred to a region in which nothing counts.
    true = sorted((t for t in truth.tubes if (t.video, t.category) == (video.number, category)), key=lambda t: t.crowd)
    crowd = np.array([t.crowd for t in true], np.bool_)
    overlaps = tube_overlaps(mine, true, video) if mine and true else np.zeros((len(mine), len(true)))
    rows = [_match(overlaps, crowd, float(threshold)) for threshold in THRESHOLDS]
    scores = np.array([-_rank(t) for t in mine], np.float64)
    return _Matches(scores, np.stack([r[0] for r in rows]), np.stack([r[1] for r in rows]), int((~crowd).sum()))


def _match(overlaps: Array, crowd: BoolArray, threshold: float) -> tuple[BoolArray, BoolArray]:
    """(D,) which tubes, by falling score, take a truth, and which of these took a crowd."""
    n = len(overlaps)
    matched, ignored = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    taken = np.zeros(len(crowd), np.bool_)
    for place in range(n):
        for kind in (False, True):
            open_ = (crowd == kind) & (~taken | crowd) & (overlaps[place] >= min(threshold, 1 - 1e-10))
            if open_.any():
                # The last of equal overlaps, as in the reference.
                best = int(np.flatnonzero(open_ & (overlaps[place] == overlaps[place][open_].max()))[-1])
                taken[best] = matched[place] = True
                ignored[place] = kind
                break
    return matched, ignored


def _precision(found: Sequence[_Matches], n_truths: int) -> Array:
    """(10, 101) interpolated precision of one category over all videos."""
    order = np.argsort(-np.concatenate([m.scores for m in found]), kind="mergesort")
    matched = np.concatenate([m.matched for m in found], axis=1)[:, order]
    ignored = np.concatenate([m.ignored for m in found], axis=1)[:, order]
    right, wrong = np.cumsum(matched & ~ignored, axis=1), np.cumsum(~matched & ~ignored, axis=1)
    table = np.zeros((len(THRESHOLDS), len(_RECALLS)))
    for row, tp, fp in zip(table, right, wrong, strict=True):
        precision = tp / np.maximum(tp + fp, np.finfo(float).eps)
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        places = np.searchsorted(tp / n_truths, _RECALLS, side="left")
        inside = places < len(envelope)
        row[inside] = envelope[places[inside]]
    return table


def _recall(found: Sequence[_Matches], limit: int, n_truths: int) -> Array:
    """(10,) recall with the best `limit` tubes of every video."""
    hits = [(m.matched & ~m.ignored)[:, :limit].sum(axis=1) for m in found]
    return np.asarray(np.sum(hits, axis=0) / n_truths, np.float64)


def _rank(tube: Tube) -> float:
    """Smaller is better; checked before: results have scores."""
    return -(tube.score or 0.0)
