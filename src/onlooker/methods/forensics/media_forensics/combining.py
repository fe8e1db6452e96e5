"""One probability from many rules: a linear model of their scores, calibrated on pictures of other photos.

A picture larger than a window has many windows, and the strongest of many is high by chance alone. Its score is turned
into the chance of such a score in an untouched window, corrected for the number of windows, and turned back: what comes
out is on the scale of one window, and one calibration serves pictures of all sizes. Ours.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Literal, get_args

import numpy as np

from onlooker.configs import config_from_dict
from onlooker.errors import UnknownNameError, WeightsError

Domain = Literal["jpeg", "pixels", "video"]
"""What a picture was when it came: a JPEG with its bytes; pixels of anything else; a frame of a compressed video."""
DOMAINS: tuple[str, ...] = get_args(Domain)
FILE = "rule_calibration.json"
_LEAST_CHANCE = 1e-12
_MANY = 5  # windows from which on a picture's own typical score says something


@dataclass(frozen=True, slots=True)
class Curve:
    """A score to a probability: 1 / (1 + exp(-(slope * score + bias))); `slope` is never negative."""

    slope: float
    bias: float

    def __call__(self, score: float) -> float:
        return 1.0 / (1.0 + math.exp(-min(max(self.slope * score + self.bias, -40.0), 40.0)))


@dataclass(frozen=True, slots=True)
class Tail:
    """Scores of untouched windows: `share` of them lie above `start`, from where on they thin out exponentially, by e
    in every `scale`; below, `quantiles` are their 0, 5, 10, ... 100 percent quantiles."""

    quantiles: tuple[float, ...]
    start: float
    share: float
    scale: float

    def chance(self, score: float) -> float:
        """Of an untouched window to score at least this."""
        if score >= self.start:
            return max(self.share * math.exp(-(score - self.start) / self.scale), _LEAST_CHANCE)
        places = np.linspace(1.0, 0.0, len(self.quantiles))
        return float(np.clip(np.interp(score, self.quantiles, places), self.share, 1.0))

    def score(self, chance: float) -> float:
        """The score an untouched window reaches with this chance."""
        if chance <= self.share:
            return self.start - self.scale * math.log(max(chance, _LEAST_CHANCE) / self.share)
        places = np.linspace(0.0, 1.0, len(self.quantiles))
        return float(np.interp(1.0 - chance, places, self.quantiles))


@dataclass(frozen=True, slots=True)
class Measured:
    """How a combination did on photos that it was not made with.

    Attributes:
        auc, auc_low, auc_high: of forged against untouched, with 95 percent over photos.
        false_alarms, false_alarms_high: share of untouched pictures at or above the threshold, and the upper end of 95
            percent over photos.
        found: share of forged pictures at or above the threshold.
        found_by_kind: the same by kind of manipulation.
        n_untouched, n_forged, n_photos: of what it was measured on.
    """

    auc: float
    auc_low: float
    auc_high: float
    false_alarms: float
    false_alarms_high: float
    found: float
    found_by_kind: Mapping[str, float]
    n_untouched: int
    n_forged: int
    n_photos: int


@dataclass(frozen=True, slots=True)
class Combination:
    """What one probability of a domain is made with.

    Attributes:
        rules: names, in the order of the numbers that follow.
        typical: score put in where a rule refuses.
        mean, spread, weights, bias: of the linear model.
        tail: of its scores on untouched windows.
        curve: its score to a probability.
        alone: rule -> its own score to a probability.
        threshold: probability from which on manipulation is suspected.
        stated_false_alarms: what the threshold stands for: it was set so that no more than this share of untouched
            pictures is suspected, by the upper end of an interval over photos.
        useful: it tells forged from untouched pictures at all, by the lower end of an interval over photos.
        tested_on: the data, in words.
        fingerprint: of the data.
        test: how it did.
    """

    rules: tuple[str, ...]
    typical: tuple[float, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    tail: Tail
    curve: Curve
    alone: Mapping[str, Curve]
    threshold: float
    stated_false_alarms: float
    useful: bool
    tested_on: str
    fingerprint: str
    test: Measured

    def window_score(self, scores: Mapping[str, float | None]) -> float:
        """The linear model on scores of rules by name; a rule that is missing or `None` counts as typical."""
        found = [scores.get(name) for name in self.rules]
        values = np.array([t if s is None else s for s, t in zip(found, self.typical, strict=True)], np.float64)
        standard = (values - np.array(self.mean)) / np.array(self.spread)
        return float(standard @ np.array(self.weights)) + self.bias

    def share_of(self, name: str, score: float | None) -> float:
        """What a rule adds to the score of a picture, over a typical one; 0 where it refuses or takes no part."""
        if score is None or name not in self.rules:
            return 0.0
        place = self.rules.index(name)
        return self.weights[place] * (score - self.typical[place]) / self.spread[place]

    def picture_score(self, window_scores: Sequence[float]) -> float:
        """Of a picture from its windows (at least one), on the scale of one window.

        From five windows on, what all of them share is taken off first, as far as it is above the usual: a whole
        picture that is grainy or was saved often is no sign of something put into it.
        """
        scores = np.asarray(window_scores, np.float64)
        if len(scores) >= _MANY:
            scores = scores - max(float(np.median(scores)) - self.tail.score(0.5), 0.0)
        if len(scores) == 1:
            return float(scores[0])
        chance = self.tail.chance(float(scores.max()))
        return self.tail.score(-math.expm1(len(scores) * math.log1p(-min(chance, 1 - 1e-9))))


@lru_cache(maxsize=1)
def _table() -> Mapping[str, object]:
    try:
        content = json.loads(resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"`{FILE}` of the package cannot be read: {error}; install Onlooker again") from error
    if not isinstance(content, dict) or not isinstance(content.get("domains"), dict):
        raise WeightsError(f"`{FILE}` of the package is damaged; install Onlooker again")
    found: dict[str, object] = content["domains"]
    return found


def load_combination(domain: str) -> Combination:
    """The combination that comes with the package, made by `benchmarks/verify_calibration.py`.

    Raises:
        UnknownNameError: there is none for the domain.
        WeightsError: the file is damaged.
    """
    if domain not in DOMAINS:
        raise UnknownNameError("domain", domain, DOMAINS)
    content = _table().get(domain)
    if not isinstance(content, dict):
        raise WeightsError(f"`{FILE}` has nothing on `{domain}`; install Onlooker again")
    return config_from_dict(Combination, content)
