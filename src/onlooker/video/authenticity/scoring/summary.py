"""Scores from predictions: of pictures, of videos by the mean of their frames, of pixels; with intervals over units."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from onlooker.evaluation.forgery import (
    Interval,
    PixelScores,
    Score,
    bootstrap,
    f1,
    image_auc,
    image_scores,
    mean_score,
    undefined,
)
from onlooker.evaluation.forgery_histograms import histogram_scores
from onlooker.video.authenticity.scoring.predictions import Prediction

Level = Literal["pictures", "videos"]
AS_IT_IS = "as it is"
_RESAMPLES = 1000
_MOST_DRAWN = 10_000_000  # ours: items drawn for an interval in all, so that a large set takes seconds


@dataclass(frozen=True, slots=True)
class Truth:
    """One picture or video with what was said of it: `threshold` is the judge's own, where it has one."""

    name: str
    label: int
    unit: str
    probability: float
    threshold: float | None


@dataclass(frozen=True, eq=False, slots=True)
class ScoreRow:
    """Scores of one change, level and kind.

    Attributes:
        change: what was done to the pictures first; `AS_IT_IS` where nothing was.
        level: what is counted.
        kind: the manipulation the forged ones have; `None` for all of them.
        n_real, n_forged: judged ones of either class.
        n_refused: the judge could not judge; they are in no score.
        images: scores by name, as `evaluation.forgery.image_scores`, and the shares of real and of forged ones in which
            the judge, at its own threshold, suspects a manipulation.
        auc: the area under the ROC with 95 percent over units.
        pixels: `None` where nothing says where, and for videos and kinds.
        pixel_f1: mean over manipulated pictures at 0.5, with 95 percent over units.
        truths: what it was reckoned from.
    """

    change: str
    level: Level
    kind: str | None
    n_real: int
    n_forged: int
    n_refused: int
    images: dict[str, Score]
    auc: Interval | None
    pixels: PixelScores | None
    pixel_f1: Interval | None
    truths: tuple[Truth, ...]


def score_rows(predictions: Sequence[Prediction]) -> list[ScoreRow]:
    """All rows, changes in the order they come in."""
    by_change: dict[str, list[Prediction]] = {}
    for one in predictions:
        by_change.setdefault(one.change or AS_IT_IS, []).append(one)
    rows = []
    for change, group in by_change.items():
        rows.append(_row(change, "pictures", None, group))
        kinds = sorted({one.manipulation for one in group if one.manipulation is not None and one.label == 1})
        if len(kinds) > 1:
            rows += [_row(change, "pictures", kind, _of_kind(group, kind)) for kind in kinds]
        if any(one.video is not None for one in group):
            rows.append(_row(change, "videos", None, group))
            if len(kinds) > 1:
                rows += [_row(change, "videos", kind, _of_kind(group, kind)) for kind in kinds]
    return rows


def refusals(predictions: Sequence[Prediction]) -> Counter[str]:
    """Why the judge could not judge, with how often."""
    return Counter(one.refused for one in predictions if one.refused is not None)


def pixel_gaps(predictions: Sequence[Prediction]) -> Counter[str]:
    """Why judged pictures are in no score of pixels, with how often."""
    return Counter(one.no_pixels for one in predictions if one.no_pixels is not None and one.refused is None)


def _of_kind(group: Sequence[Prediction], kind: str) -> list[Prediction]:
    return [one for one in group if one.label == 0 or one.manipulation == kind]


def _row(change: str, level: Level, kind: str | None, group: Sequence[Prediction]) -> ScoreRow:
    truths = _pictures(group) if level == "pictures" else _videos(group)
    n_all = len(group) if level == "pictures" else len({one.video for one in group if one.video is not None})
    images, auc = _image_scores(truths)
    shows_pixels = level == "pictures" and kind is None
    pixels, pixel_f1 = _pixel_scores(group) if shows_pixels else (None, None)
    n_forged = sum(one.label for one in truths)
    return ScoreRow(
        change,
        level,
        kind,
        len(truths) - n_forged,
        n_forged,
        n_all - len(truths),
        images,
        auc,
        pixels,
        pixel_f1,
        tuple(truths),
    )


def _pictures(group: Sequence[Prediction]) -> list[Truth]:
    return [
        Truth(one.image, one.label, one.unit, one.probability, one.threshold)
        for one in group
        if one.probability is not None
    ]


def _videos(group: Sequence[Prediction]) -> list[Truth]:
    """The mean over the judged frames of each; frames of one video have one label."""
    frames: dict[str, list[Prediction]] = defaultdict(list)
    for one in group:
        if one.video is not None and one.probability is not None:
            frames[one.video].append(one)
    return [
        Truth(
            video,
            own[0].label,
            own[0].unit,
            float(np.mean([one.probability for one in own])),
            own[0].threshold,
        )
        for video, own in frames.items()
    ]


def _image_scores(truths: Sequence[Truth]) -> tuple[dict[str, Score], Interval | None]:
    if not truths:
        return {"auc": undefined("nothing was judged")}, None
    scores = np.array([one.probability for one in truths])
    labels = np.array([one.label for one in truths])
    found = image_scores(scores, labels)
    for name, label in (("suspected_of_real", 0), ("suspected_of_forged", 1)):
        limits = [(one.probability, one.threshold) for one in truths if one.label == label]
        found[name] = _suspected(limits)
    if not found["auc"].is_defined:
        return found, None
    units = [one.unit for one in truths]
    auc = bootstrap(lambda k: image_auc(scores[k], labels[k]), units, n_resamples=_resamples(len(units)))
    return found, auc


def _suspected(limits: Sequence[tuple[float, float | None]]) -> Score:
    known = [probability >= threshold for probability, threshold in limits if threshold is not None]
    if not known:
        return undefined("none of this class" if not limits else "the judge has no threshold")
    return Score(float(np.mean(known)))


def _pixel_scores(group: Sequence[Prediction]) -> tuple[PixelScores | None, Interval | None]:
    counted = [(one, one.pixels) for one in group if one.pixels is not None]
    if not counted:
        return None, None
    pixels = histogram_scores([histogram for _, histogram in counted])
    tampered = [(one.unit, f1(histogram.counts)) for one, histogram in counted if histogram.n_true]
    if not tampered:
        return pixels, None
    interval = bootstrap(
        lambda k: mean_score([tampered[int(place)][1] for place in k]),
        [unit for unit, _ in tampered],
        n_resamples=_resamples(20 * len(tampered)),
    )
    return pixels, interval


def _resamples(n_items: int) -> int:
    return min(_RESAMPLES, max(100, _MOST_DRAWN // max(n_items, 1)))


def number(value: float) -> float | None:
    """For JSON, which has no NaN."""
    return None if math.isnan(value) else value
