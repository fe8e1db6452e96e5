"""Who is trained on what and judged on what: samples from forged tiles, contestants, outcomes, scores with intervals.

Splits are by photo; thresholds and calibration come from the validation split alone; intervals draw whole photos.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ConfigError
from onlooker.evaluation.forgery import (
    Interval,
    PixelScores,
    Score,
    bootstrap,
    image_auc,
    image_scores,
    pixel_scores,
    undefined,
)
from onlooker.methods.forensics.media_forensics.calibration import Calibration, fit_platt
from onlooker.methods.forensics.media_forensics.samples import (
    Detector,
    Finding,
    LooksTogether,
    Refusal,
    Sample,
    inspect,
)
from onlooker.synth.forgeries.config import ForgeryConfig
from onlooker.synth.forgeries.photos import Photo
from onlooker.synth.forgeries.tiles import ForgedTiles
from onlooker.synth.forgeries.values import ForgedImage, Split

_LEAST_CALIBRATION = 10
_OF_PROBABILITIES = ("accuracy", "balanced_accuracy", "calibration_error")


@dataclass(frozen=True)
class Contestant:
    """A detector that may have to be trained first.

    Attributes:
        name: in tables.
        fit: (training samples, seed) -> detector. Rules ignore both.
        is_trained: False for rules: protocols that differ in training only are the same for them.
    """

    name: str
    fit: Callable[[Sequence[Sample], int], Detector]
    is_trained: bool


def rule(detector: Detector) -> Contestant:
    """A detector that needs no training."""
    return Contestant(detector.name, functools.partial(_as_it_is, detector), is_trained=False)


def _as_it_is(detector: Detector, samples: Sequence[Sample], seed: int) -> Detector:
    return detector


def sample_of(item: ForgedImage) -> Sample:
    """A forged tile as a sample, with the bytes of its last save where they are the tile's own."""
    shifted = item.provenance.get("final_shift", (0, 0)) != (0, 0)
    return Sample(
        item.image,
        None if shifted else item.final_jpeg,
        item.label,
        item.mask,
        item.source_ids[0],
        None,
        item.kind,
        None,
        MappingProxyType({"source_ids": item.source_ids}),
    )


def draw_samples(
    config: ForgeryConfig, seed: int, split: Split, count: int, photos: Sequence[Photo] | None = None
) -> list[Sample]:
    """The first `count` tiles of a split as samples."""
    tiles = ForgedTiles(config, seed, split, photos)
    return [sample_of(tiles[k]) for k in range(count)]


@dataclass(frozen=True)
class Outcome:
    """What a detector said of a sample."""

    sample: Sample
    said: Finding | Refusal


def run_detector(detector: Detector, samples: Sequence[Sample]) -> list[Outcome]:
    """A detector on every sample; one that looks at several together is given all of them."""
    if isinstance(detector, LooksTogether):
        return [Outcome(sample, said) for sample, said in zip(samples, detector.inspect_all(samples), strict=True)]
    return [Outcome(sample, inspect(detector, sample)) for sample in samples]


@dataclass(frozen=True)
class Evaluation:
    """How a detector fared on a set.

    Attributes:
        images: scores of pictures by name; accuracies and calibration error of calibrated probabilities, where a
            calibration was given, all others of the scores themselves.
        pixels: scores of places; `None` for detectors without maps.
        auc: with its interval over photos.
        n_samples, n_refused: refused samples are in no score.
        reasons: of refusals, with their numbers.
    """

    images: Mapping[str, Score]
    pixels: PixelScores | None
    auc: Interval | None
    n_samples: int
    n_refused: int
    reasons: Mapping[str, int]


def calibrate(outcomes: Sequence[Outcome]) -> Calibration | None:
    """A Platt curve through validation outcomes; `None` with fewer than ten scored samples of either class."""
    scores, labels, _ = _scored(outcomes)
    if len(labels) == 0 or min((labels == 1).sum(), (labels == 0).sum()) < _LEAST_CALIBRATION:
        return None
    return fit_platt(scores, labels)


def evaluate(
    outcomes: Sequence[Outcome], calibration: Calibration | None = None, n_resamples: int = 200, seed: int = 0
) -> Evaluation:
    """Scores of outcomes with known truth.

    Args:
        outcomes: at least one; samples without label or mask are refused.
        calibration: scores to probabilities; left out, scores count as they are.
        n_resamples, seed: of the interval.

    Raises:
        ConfigError: nothing to evaluate, or a sample without truth.
    """
    if not outcomes:
        raise ConfigError("there are no outcomes to evaluate")
    if any(one.sample.label is None for one in outcomes):
        raise ConfigError("a sample without label cannot be evaluated on")
    scores, labels, units = _scored(outcomes)
    refused = [one.said.reason for one in outcomes if isinstance(one.said, Refusal)]
    if len(scores):
        images = image_scores(scores, labels)
        if calibration is not None:
            # A curve that is flat somewhere makes ties: what asks for the order alone is taken from the scores.
            calibrated = image_scores(calibration(scores), labels)
            images |= {name: calibrated[name] for name in _OF_PROBABILITIES}
        auc: Interval | None = bootstrap(
            lambda k: image_auc(scores[k], labels[k]), units, n_resamples=n_resamples, seed=seed
        )
    else:
        images, auc = {"auc": undefined("no picture has a score")}, None
    return Evaluation(images, _pixels(outcomes), auc, len(outcomes), len(refused), Counter(refused))


def _scored(
    outcomes: Sequence[Outcome],
) -> tuple[NDArray[np.float64], NDArray[np.int64], list[str]]:
    """(scores, labels, photos) of what has a score."""
    pairs = [(one.said.score, one.sample) for one in outcomes if isinstance(one.said, Finding)]
    kept = [(score, sample.label, sample.source_id) for score, sample in pairs if score is not None]
    scores = np.array([score for score, _, _ in kept], np.float64)
    labels = np.array([label for _, label, _ in kept], np.int64)
    return scores, labels, [unit for _, _, unit in kept]


def _pixels(outcomes: Sequence[Outcome]) -> PixelScores | None:
    pairs = [
        (one.said.heat_map, one.sample.mask)
        for one in outcomes
        if isinstance(one.said, Finding) and one.said.heat_map is not None and one.sample.mask is not None
    ]
    if not pairs:
        return None
    maps = [heat_map for heat_map, _ in pairs if heat_map is not None]
    masks = [mask for _, mask in pairs if mask is not None]
    return pixel_scores(maps, masks)


def strongest(detectors: Sequence[Evaluation]) -> int:
    """Place of the evaluation with the highest AUC; undefined ones count as chance."""
    values = [one.images["auc"].value if one.images["auc"].is_defined else 0.5 for one in detectors]
    return int(np.argmax(values))
