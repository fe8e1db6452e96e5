"""Handcrafted features with a linear model, judges of other folders as detectors, and videos by the mean of frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.forensics.media_forensics.calibration import Logistic, fit_logistic
from onlooker.methods.forensics.media_forensics.rules.blocks import block_dct
from onlooker.methods.forensics.media_forensics.samples import Detector, Finding, Need, Refusal, Sample, inspect
from onlooker.types import Image, Judgement

Features = Callable[[Image], NDArray[np.float64]]
_RGB = frozenset({Need.RGB})
_RINGS = 24
_AT_ONCE = 32
_LEAST_PX = 32
_LOW_FREQUENCIES = tuple((u, v) for u in range(6) for v in range(6 - u))[1:]


class Judge(Protocol):
    """What networks of this family are to their users."""

    def judge(self, images: Sequence[Image]) -> list[Judgement]: ...


@dataclass(frozen=True, eq=False)
class LinearDetector:
    """A logistic regression on features of the whole picture; says whether, not where."""

    name: str
    features: Features
    model: Logistic
    trained_on: str
    requires: frozenset[Need] = _RGB
    known_failures: str = "knows the pictures it was trained on; other cameras and savings move all of its features"

    def inspect(self, sample: Sample) -> Finding | Refusal:
        if min(sample.image.shape[:2]) < _LEAST_PX:
            return Refusal(f"pictures below {_LEAST_PX} pixels a side have no statistics to speak of")
        probability = float(self.model.probability(self.features(sample.image)[None])[0])
        return Finding(probability, None, f"its statistics are those of {self.trained_on} by {probability:.2f}")


@dataclass(frozen=True, eq=False)
class JudgeDetector:
    """A network of this family as a detector. It need not be told what a picture's history is."""

    name: str
    judge: Judge
    requires: frozenset[Need] = _RGB
    known_failures: str = "manipulations, cameras and savings it was not trained on"

    def inspect(self, sample: Sample) -> Finding | Refusal:
        return self.inspect_all([sample])[0]

    def inspect_all(self, samples: Sequence[Sample]) -> list[Finding | Refusal]:
        """What the network says of each sample, asked some at a time."""
        found: list[Finding | Refusal] = []
        for start in range(0, len(samples), _AT_ONCE):
            for said in self.judge.judge([sample.image for sample in samples[start : start + _AT_ONCE]]):
                told = f"the network says {said.probability:.2f}" + (f" ({said.kind})" if said.kind else "")
                found.append(Finding(said.probability, said.heat_map, "; ".join([told, *said.notes])))
        return found


def fit_detector(name: str, samples: Sequence[Sample]) -> LinearDetector:
    """A detector with the features of `FEATURES[name]`, fitted to labelled samples.

    Raises:
        ConfigError: no such features, a sample without a label, or one class only.
    """
    if name not in FEATURES:
        raise ConfigError(f"features are {', '.join(FEATURES)}, got `{name}`")
    labels = [sample.label for sample in samples if sample.label is not None]
    if len(labels) != len(samples) or not samples:
        raise ConfigError("a detector is fitted to samples that all have a label")
    features = FEATURES[name]
    kinds = sorted({sample.manipulation or "manipulated" for sample in samples if sample.label == 1})
    table = np.stack([features(sample.image) for sample in samples])
    return LinearDetector(name, features, fit_logistic(table, np.array(labels)), "/".join(kinds))


def colour_statistics(image: Image) -> NDArray[np.float64]:
    """Mean, spread, skewness and neighbour differences of the channels of YCbCr and HSV (30 numbers). After Li et al.
    2020 ("identification of deep network generated images using disparities in colour components")."""
    made: list[float] = []
    for code in (cv2.COLOR_RGB2YCrCb, cv2.COLOR_RGB2HSV):
        for channel in cv2.split(cv2.cvtColor(image, code)):
            values = channel.astype(np.float64)
            mean, spread = values.mean(), values.std() + 1e-3
            skewness = float((((values - mean) / spread) ** 3).mean())
            steps = float(np.abs(np.diff(values, axis=1)).mean()), float(np.abs(np.diff(values, axis=0)).mean())
            made += [float(mean), float(spread), skewness, *steps]
    return np.array(made)


def dct_statistics(image: Image) -> NDArray[np.float64]:
    """Mean size and peakedness of the 20 lowest frequencies of 8x8 blocks, logarithms of the energies of a Haar
    transform of three levels (49 numbers)."""
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    blocks = block_dct(luma).reshape(-1, 8, 8)
    made: list[float] = []
    for u, v in _LOW_FREQUENCIES:
        size = np.abs(blocks[:, u, v])
        made += [float(np.log(size.mean() + 0.1)), float(np.log((size**2).mean() / (size.mean() ** 2 + 0.1) + 0.1))]
    for _ in range(3):
        luma = luma[: luma.shape[0] // 2 * 2, : luma.shape[1] // 2 * 2]
        low, high = (luma[0::2] + luma[1::2]) / 2, (luma[0::2] - luma[1::2]) / 2
        bands = (
            (low[:, 0::2] - low[:, 1::2]) / 2,
            (high[:, 0::2] + high[:, 1::2]) / 2,
            (high[:, 0::2] - high[:, 1::2]) / 2,
        )
        made += [float(np.log((band**2).mean() + 0.01)) for band in bands]
        luma = (low[:, 0::2] + low[:, 1::2]) / 2
    return np.array(made)


def spectrum(image: Image) -> NDArray[np.float64]:
    """Logarithm of the power spectrum over 24 rings from the lowest to the highest frequency, less its mean, and the
    peaks at half the highest frequency on both axes that up-sampling leaves. After Durall et al. 2020 and Zhang et al.
    2019 (26 numbers). The residual of a median is taken: what the picture shows is not its maker."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    residual = grey.astype(np.float32) - cv2.medianBlur(grey, 3)
    height, width = residual.shape
    window = np.outer(np.hanning(height), np.hanning(width))
    power = np.log(np.abs(np.fft.fft2(residual * window)) ** 2 + 1.0)
    rows, columns = np.abs(np.fft.fftfreq(height)), np.abs(np.fft.fftfreq(width))
    radius = np.minimum(np.hypot(rows[:, None], columns[None, :]) / 0.5, 0.9999)
    ring = (radius * _RINGS).astype(int)
    sums = np.bincount(ring.ravel(), power.ravel(), minlength=_RINGS)
    rings = sums / np.bincount(ring.ravel(), minlength=_RINGS)
    typical = float(np.median(power))
    peaks = [float(power[:, width // 2].max() - typical), float(power[height // 2].max() - typical)]
    return np.array([*(rings - rings.mean()), *peaks])


FEATURES: Mapping[str, Features] = MappingProxyType(
    {"colour_statistics": colour_statistics, "dct_statistics": dct_statistics, "spectrum": spectrum}
)


def average_over_frames(detector: Detector, frames: Sequence[Sample], most_frames: int = 32) -> Mapping[str, Finding]:
    """One finding per video: the mean score of up to `most_frames` frames, evenly spread, refused frames left out.

    Raises:
        ShapeError: a frame names no video.
    """
    videos: dict[str, list[Sample]] = {}
    for frame in frames:
        if frame.video_id is None:
            raise ShapeError("a frame of a video names it in `video_id`")
        videos.setdefault(frame.video_id, []).append(frame)
    made = {}
    for name, own in videos.items():
        picked = np.unique(np.linspace(0, len(own) - 1, min(most_frames, len(own))).round().astype(int))
        said = [inspect(detector, own[k]) for k in picked]
        scores = [one.score for one in said if isinstance(one, Finding) and one.score is not None]
        if scores:
            told = f"mean of {len(scores)} frames of {len(picked)} looked at; highest {max(scores):.2f}"
            made[name] = Finding(float(np.mean(scores)), None, told, {"highest": max(scores), "frames": len(scores)})
    return made
