"""Does a detector see the manipulation, or what compression did beside it? A control every detector has to pass.

Two sets decide. In "matched" the forging was done before the first save, so that compression says nothing: a detector
that still tells forged from authentic saw something else. In "history" nothing is forged and half of the
pictures were compressed once, half twice: a detector that tells those apart reads histories, and will accuse innocent
pictures of an unusual past. Ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from onlooker.evaluation.forgery import Interval, Score, bootstrap, image_auc, undefined
from onlooker.methods.forensics.media_forensics.protocols import Outcome, draw_samples, run_detector
from onlooker.methods.forensics.media_forensics.samples import Detector, Finding, Sample
from onlooker.synth.forgeries.config import MATCHED_HISTORY, CompressionConfig, ForgeryConfig
from onlooker.synth.forgeries.photos import Photo

# Ours. A dozen test photos make intervals that are too narrow, hence a least AUC beside them; and how far from chance
# the history AUC may be.
_LEAST_MATCHED = 0.55
_MOST_HISTORY = 0.15


@dataclass(frozen=True, slots=True)
class ControlReport:
    """Outcome of the control.

    Attributes:
        matched: AUC of forged against authentic with equal histories, with its interval over photos.
        history: AUC of twice against once compressed, all authentic. 0.5 is what it should be.
        only_compression: the detector fails: no evidence that it sees the manipulation, or it reads histories.
        reason: why, for a reader.
    """

    matched: Interval
    history: Score
    only_compression: bool
    reason: str


def control_samples(
    size_px: int, count: int, seed: int = 0, photos: Sequence[Photo] | None = None
) -> tuple[list[Sample], list[Sample]]:
    """(matched set, history set) of test photos. In the second the label is 1 for what was compressed twice."""
    matched = draw_samples(replace(MATCHED_HISTORY, size_px=size_px), seed, "test", count, photos)
    once, twice = (
        draw_samples(
            ForgeryConfig(size_px, 1.0, compression=CompressionConfig(camera_share=share)),
            seed + 1,
            "test",
            count // 2,
            photos,
        )
        for share in (0.0, 1.0)
    )
    history = [replace(s, label=0) for s in once] + [replace(s, label=1) for s in twice]
    return matched, history


def run_control(
    detector: Detector, matched: Sequence[Sample], history: Sequence[Sample], seed: int = 0
) -> ControlReport:
    """The control on sets of `control_samples`. A refusal counts as the lowest score: nothing was found."""
    matched_scores, labels = _scores(run_detector(detector, matched)), _labels(matched)
    units = [sample.source_id for sample in matched]
    found = bootstrap(lambda k: image_auc(matched_scores[k], labels[k]), units, n_resamples=400, seed=seed)
    past = (
        image_auc(_scores(run_detector(detector, history)), _labels(history)) if history else undefined("no pictures")
    )
    if not (found.low > 0.5 and found.value >= _LEAST_MATCHED):
        reason = (
            f"with equal histories it does not tell forged from authentic (AUC {found.value:.2f}, from {found.low:.2f})"
        )
    elif abs(past.value - 0.5) > _MOST_HISTORY:
        reason = f"it tells once from twice compressed authentic pictures (AUC {past.value:.2f})"
    else:
        reason = f"it tells forged from authentic with equal histories (AUC {found.value:.2f}, from {found.low:.2f})"
        return ControlReport(found, past, False, reason)
    return ControlReport(found, past, True, reason)


def _scores(outcomes: Sequence[Outcome]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    said = [one.said.score if isinstance(one.said, Finding) else 0.0 for one in outcomes]
    return np.array([0.0 if score is None else score for score in said], np.float64)


def _labels(samples: Sequence[Sample]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([sample.label or 0 for sample in samples], np.int64)
