"""`RuleJudge`: all rules on all windows of a picture, and one calibrated probability with its evidence."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

import cv2
import numpy as np

from onlooker.methods.forensics.media_forensics.combining import Combination, Domain, load_combination
from onlooker.methods.forensics.media_forensics.detectors import find_rule
from onlooker.methods.forensics.media_forensics.samples import Detector, Finding, Refusal, Sample, inspect
from onlooker.methods.forensics.media_forensics.windows import (
    MOST_WINDOWS,
    WINDOW_PX,
    MapCanvas,
    cut,
    map_step,
    plan_windows,
    stored_luma,
)
from onlooker.types import FloatArray, Image, Judgement

WINDOW_RULES = (
    "error_level",
    "jpeg_ghost",
    "double_quantisation",
    "block_grid",
    "noise_level",
    "srm_residual",
    "cfa",
)
"""Looked for in every window."""
WHOLE_RULES = ("copy_move_keypoints",)
"""Looked for in the whole picture: a copy may lie far from what it was copied from."""
UNCALIBRATED_RULES = ("metadata",)
"""Told, and in no probability: nobody measured how often an honest file names an editor."""

UNEVEN = ":uneven"
"""Behind the name of a rule: how uneven its map is."""
_WHOLE_PX = 768  # longest side for rules on the whole picture
_MOST_FLAT = 0.15  # ours: of 8x8 blocks; photos have noise
_FLAT_STD = 1.0  # grey levels; below there is nothing to judge
LEAST_PX = 48  # ours: below, most rules refuse


@dataclass(frozen=True, slots=True)
class RuleReading:
    """What one rule says of a picture.

    Attributes:
        name, version: of the rule.
        score: in [0, 1], of the window where it is highest; `None` where the rule refuses.
        probability: by its own calibration; `None` where it has none, or where the score is the highest of several
            windows, which is high by chance alone.
        sentence: what was measured, or why it refuses.
        refused: True where it refuses everywhere.
        known_failures: where it is known to be wrong.
    """

    name: str
    version: str
    score: float | None
    probability: float | None
    sentence: str
    refused: bool
    known_failures: str


@dataclass(frozen=True, eq=False, slots=True)
class RuleReport:
    """What all rules say of a picture.

    Attributes:
        probability: calibrated; `None` where no rule can judge this picture.
        score: that it was made from, on the scale of one window.
        threshold, stated_false_alarms: probability from which on manipulation is suspected, and the share of untouched
            pictures it was set for, or that reached it in the test, whichever is higher.
        found_share: share of made forgeries that are found at this threshold, on photos the rules never saw.
        tested_on: the data of both numbers.
        readings: one per rule.
        heat_map: (H, W) float32 in [0, 1], one pixel for every `step` of the picture's (see `windows.map_step`); `None`
            without probability.
        n_windows, coverage: windows looked at, and what part of the picture they are.
        outside: why the picture is not like those the calibration was made with; empty where it is.
        reason: why there is no probability.
        jpeg_quality: of the last save, where the picture is a JPEG.
    """

    probability: float | None
    score: float | None
    threshold: float
    stated_false_alarms: float
    found_share: float
    tested_on: str
    readings: tuple[RuleReading, ...]
    heat_map: FloatArray | None
    n_windows: int
    coverage: float
    outside: tuple[str, ...]
    reason: str | None
    jpeg_quality: int | None = None


def read_window(sample: Sample) -> dict[str, Finding | Refusal]:
    """What every rule of windows says of one window."""
    return {name: inspect(find_rule(name), sample) for name in WINDOW_RULES}


def read_whole(sample: Sample) -> dict[str, Finding | Refusal]:
    """What every rule of whole pictures says, on at most 768 pixels a side."""
    small = _shrunk(sample.image)
    return {name: inspect(find_rule(name), Sample(small)) for name in WHOLE_RULES}


def score_of(said: Finding | Refusal | None) -> float | None:
    """Of a finding; `None` of a refusal."""
    return said.score if isinstance(said, Finding) else None


def numbers_of(found: Mapping[str, Finding | Refusal]) -> dict[str, float | None]:
    """What a combination reckons with: of every rule its score, and how uneven its map is: a region that differs from
    the rest tells more than one number for the whole does. `None` where a rule refuses."""
    numbers: dict[str, float | None] = {}
    for name, said in found.items():
        numbers[name] = score_of(said)
        heat = said.heat_map if isinstance(said, Finding) else None
        numbers[name + UNEVEN] = None if heat is None else unevenness(heat)
    return numbers


def unevenness(heat: FloatArray) -> float:
    """Standard deviation of a map after a mean over a sixth of its shorter side, in [0, 0.5]."""
    side = max(min(heat.shape) // 6, 1) | 1
    return float(cv2.blur(heat, (side, side), borderType=cv2.BORDER_REFLECT_101).std())


class RuleJudge:
    """Judges pictures by the classical rules, together.

    Args:
        combinations: domain -> combination, instead of those that come with the package.
        most_windows: looked at in a picture; of a larger one, so many spread evenly.
    """

    name = "media_forensics"
    version = "1"

    def __init__(
        self, combinations: Mapping[Domain, Combination] | None = None, most_windows: int = MOST_WINDOWS
    ) -> None:
        self._given = dict(combinations or {})
        self._most_windows = most_windows

    def combination(self, domain: Domain) -> Combination:
        """What probabilities of a domain are made with."""
        return self._given.get(domain) or load_combination(domain)

    @property
    def tested_on(self) -> str:
        """The data, in words."""
        return self.combination("pixels").tested_on

    def judge(self, images: Sequence[Image]) -> list[Judgement]:
        """One judgement per picture, as pixels without a file.

        A picture that no rule can judge has the probability 0 and a note that says so.

        Raises:
            ShapeError: not RGB uint8 (H, W, 3).
        """
        judged = []
        for image in images:
            report = self.report(Sample(image), "pixels")
            notes = report.outside if report.reason is None else (*report.outside, report.reason)
            heat = report.heat_map
            if heat is not None and heat.shape != image.shape[:2]:
                larger = cv2.resize(heat, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
                heat = np.asarray(np.clip(larger, 0, 1), np.float32)
            judged.append(Judgement(report.probability or 0.0, heat, None, notes))
        return judged

    def is_useful(self, domain: Domain) -> bool:
        """Whether the rules tell forged from untouched pictures of a domain at all."""
        return self.combination(domain).useful

    def report_file(
        self,
        image: Image,
        data: bytes | None,
        domain: Domain | None = None,
        most_windows: int | None = None,
    ) -> RuleReport:
        """As `report`, of a picture and the bytes of its file (`None` where there is none, like a frame of a video).

        Args:
            image: (H, W, 3) uint8 RGB as stored, NOT turned as its metadata asks: blocks of a JPEG lie as stored.
            data: bytes of the file.
            domain, most_windows: as `report`.

        Raises:
            ShapeError: not such a picture.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of odd metadata: what of it matters is told as evidence
            return self.report(Sample(image, data), domain, most_windows)

    def mean_probability(self, scores: Sequence[float], domain: Domain) -> float:
        """Of a video, from the scores of its frames (at least one): the curve of a frame at their mean."""
        return self.combination(domain).curve(float(np.mean(scores)))

    def report(self, sample: Sample, domain: Domain | None = None, most_windows: int | None = None) -> RuleReport:
        """Everything the rules say of a picture.

        Args:
            sample: a picture, as `open_sample` gives it.
            domain: left out, "jpeg" for a JPEG of its own size and "pixels" for the rest.
            most_windows: to look at; left out, the judge's.
        """
        used = self.combination(domain or ("jpeg" if sample.is_jpeg else "pixels"))
        unreadable = why_not(sample.image)
        if unreadable is not None:
            return _no_report(used, unreadable, _uncalibrated(sample))
        if used.useful:
            return self._read(sample, used, None, most_windows or self._most_windows)
        auc = used.test.auc
        reason = (
            "the rules do not tell forged from untouched pictures of this kind: in their test a forged one ranked "
            f"above an untouched one in {100 * auc:.0f} of 100 pairs, and half are chance"
        )
        return self._read(sample, used, reason, most_windows or self._most_windows)

    def _read(self, sample: Sample, used: Combination, reason: str | None, most: int) -> RuleReport:
        size = sample.image.shape[0], sample.image.shape[1]
        plan, stored, whole = plan_windows(*size, most=most), stored_luma(sample), read_whole(sample)
        canvas = MapCanvas(size, map_step(*size))
        said: dict[str, list[Finding | Refusal]] = {name: [] for name in WINDOW_RULES}
        scores = []
        for window in plan.windows:
            found = read_window(cut(sample, stored, window))
            score = used.window_score(numbers_of(found))
            scores.append(score)
            canvas.add(window, _window_map(found, used, score))
            for name, one in found.items():  # maps are large: only numbers and words are kept
                said[name].append(replace(one, heat_map=None) if _has_score(one) else one)
        score = used.picture_score(scores) + sum(used.share_of(name, score_of(one)) for name, one in whole.items())
        readings = [_reading(name, several, used) for name, several in said.items()]
        readings += [_reading(name, [one], used) for name, one in whole.items()]
        return replace(
            _no_report(used, reason, [*readings, *_uncalibrated(sample)]),
            probability=used.curve(score) if reason is None else None,
            score=score,
            heat_map=_with_whole(canvas.values, whole) if reason is None else None,
            n_windows=len(plan.windows),
            coverage=plan.coverage,
            outside=_outside(sample.image, plan.coverage),
            jpeg_quality=None if stored is None else stored.quality,
        )


def _has_score(said: Finding | Refusal) -> TypeGuard[Finding]:
    return isinstance(said, Finding) and said.score is not None


def _with_whole(heat: FloatArray, whole: Mapping[str, Finding | Refusal]) -> FloatArray:
    """The map with those of rules on the whole picture."""
    for said in whole.values():
        if isinstance(said, Finding) and said.heat_map is not None and said.heat_map.any():
            larger = cv2.resize(said.heat_map, (heat.shape[1], heat.shape[0]), interpolation=cv2.INTER_LINEAR)
            heat = np.maximum(heat, np.clip(larger, 0, 1), dtype=np.float32)
    return heat


def why_not(image: Image) -> str | None:
    """Why no rule can judge a picture; `None` where they can."""
    height, width = image.shape[:2]
    if min(height, width) < LEAST_PX:
        return f"the picture is {width}x{height} pixels; below {LEAST_PX} a side there is too little to measure"
    step = max(1, min(height, width) // 512)
    if float(image[::step, ::step].astype(np.float32).mean(axis=2).std()) < _FLAT_STD:
        return "the picture is of one colour: there is nothing to measure"
    return None


def _outside(image: Image, coverage: float) -> tuple[str, ...]:
    reasons = []
    height, width = image.shape[:2]
    if min(height, width) < WINDOW_PX:
        reasons.append(f"size: {width}x{height} pixels; the rules were calibrated on {WINDOW_PX} and more a side")
    if max(height, width) > 1100:
        reasons.append(f"size: {width}x{height} pixels; the photos of the calibration had at most 1100 a side")
    flat = _flat_share(image)
    if flat > _MOST_FLAT:
        reasons.append(f"content: {100 * flat:.0f} percent of it is perfectly flat, as in drawings and screenshots")
    if coverage < 1:
        reasons.append(f"size: only {100 * coverage:.2g} percent of the picture were looked at, in even steps")
    return tuple(reasons)


def _flat_share(image: Image) -> float:
    """Share of 8x8 blocks of one colour that are neither black nor white throughout, as overexposed sky may be."""
    step = max(1, min(image.shape[:2]) // 1024)
    height, width = image.shape[0] // 8 * 8, image.shape[1] // 8 * 8
    blocks = image[:height, :width, 1].reshape(height // 8, 8, width // 8, 8)[::step, :, ::step]
    low, high = blocks.min(axis=(1, 3)), blocks.max(axis=(1, 3))
    return float(((low == high) & (low > 4) & (low < 251)).mean())


def _no_report(used: Combination, reason: str | None, readings: Sequence[RuleReading]) -> RuleReport:
    return RuleReport(
        None,
        None,
        used.threshold,
        max(used.stated_false_alarms, used.test.false_alarms),  # what was aimed at may not have been reached
        used.test.found,
        used.tested_on,
        tuple(readings),
        None,
        0,
        1.0,
        (),
        reason,
    )


def _reading(name: str, said: Sequence[Finding | Refusal], used: Combination) -> RuleReading:
    """One rule over the windows: where it is highest."""
    rule: Detector = find_rule(name)
    findings = [one for one in said if isinstance(one, Finding) and one.score is not None]
    if not findings:
        reason = next(one.reason for one in said if isinstance(one, Refusal))
        return RuleReading(name, "1", None, None, reason, True, rule.known_failures)
    best = max(findings, key=lambda one: one.score or 0.0)
    score = float(best.score or 0.0)
    curve = used.alone.get(name)
    probability = curve(score) if curve is not None and len(said) == 1 else None
    sentence = best.evidence if len(said) == 1 else f"{best.evidence} (the highest of {len(findings)} windows)"
    return RuleReading(name, "1", score, probability, sentence, False, rule.known_failures)


def _uncalibrated(sample: Sample) -> list[RuleReading]:
    readings = []
    for name in UNCALIBRATED_RULES:
        rule = find_rule(name)
        said = inspect(rule, sample)
        if isinstance(said, Refusal):
            readings.append(RuleReading(name, "1", None, None, said.reason, True, rule.known_failures))
        else:
            readings.append(RuleReading(name, "1", said.score, None, said.evidence, False, rule.known_failures))
    return readings


def _window_map(said: Mapping[str, Finding | Refusal], used: Combination, score: float) -> FloatArray:
    """Maps of the rules of one window, each weighing what it adds to the probability; scaled by how suspicious the
    window is as a whole, so that an untouched picture stays dark."""
    weights = dict(zip(used.rules, used.weights, strict=True))
    maps = [
        (one.heat_map, weights.get(name, 0.0) + weights.get(name + UNEVEN, 0.0))
        for name, one in said.items()
        if isinstance(one, Finding) and one.heat_map is not None
    ]
    total = sum(weight for _, weight in maps)
    if total <= 0:
        return np.zeros(maps[0][0].shape if maps else (1, 1), np.float32)
    mean = sum((heat * np.float32(weight / total) for heat, weight in maps), np.float32(0))
    share = min(1.0, used.curve(score) / max(used.threshold, 1e-6))
    return np.asarray(np.clip(mean * share, 0, 1), np.float32)


def _shrunk(image: Image) -> Image:
    height, width = image.shape[:2]
    scale = _WHOLE_PX / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
