"""A threshold from untouched files alone, and what may be said of how often it alarms for nothing.

The threshold lies above the (k + 1)-th highest of n scores, and k is chosen from n and the asked rate before any score
is looked at. The share of the world's untouched files that reach it is then at most the Clopper-Pearson bound of k
alarms among n files, with the stated confidence, whatever the scores are distributed like (Wilks 1941: it is the level
of an order statistic, which follows a beta distribution; equal scores only make it smaller). So the same files may set
the threshold and state its rate. It holds for files drawn like these, each by itself: ten frames of one scene are one.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binom

from onlooker.errors import ConfigError, ShapeError

CONFIDENCE = 0.95
"""Share of all folders of files that get a bound which holds."""
_MARGIN = 1e-3  # ours, in logits: the same file judged on another machine differs by less
_LOGIT_END = 1e-15


def files_needed(rate: float, confidence: float = CONFIDENCE) -> int:
    """The fewest untouched files from which a false alarm rate can be stated: with none of them alarming.

    Raises:
        ConfigError: a rate or confidence that is not between 0 and 1.
    """
    _check_share("the false alarm rate", rate)
    _check_share("the confidence", confidence)
    return math.ceil(math.log(1 - confidence) / math.log(1 - rate) - 1e-9)


def best_rate(n_files: int, confidence: float = CONFIDENCE) -> float:
    """The lowest false alarm rate that so many files can state; 1 of none."""
    return alarm_bound(0, n_files, confidence)


def alarm_bound(alarms: int, n_files: int, confidence: float = CONFIDENCE) -> float:
    """Upper end of the one-sided Clopper-Pearson interval of so many alarms among so many files; 1 where all alarm.

    Raises:
        ConfigError: more alarms than files, or a confidence that is not between 0 and 1.
    """
    _check_share("the confidence", confidence)
    if not 0 <= alarms <= n_files:
        raise ConfigError(f"alarms are 0 to the {n_files} files, got {alarms}")
    return 1.0 if alarms == n_files else float(beta.ppf(confidence, alarms + 1, n_files - alarms))


def allowed_alarms(n_files: int, rate: float, confidence: float = CONFIDENCE) -> int:
    """How many of so many untouched files may alarm so that the bound stays within the rate.

    Raises:
        ConfigError: so few files can state no such rate; the message says how many can.
    """
    needed = files_needed(rate, confidence)
    if n_files < needed:
        raise ConfigError(
            f"a false alarm rate of {rate:g} needs {needed} untouched files, got {n_files}, which can state "
            f"{best_rate(n_files, confidence):.2g} at best"
        )
    within = np.flatnonzero(binom.cdf(np.arange(n_files), n_files, rate) <= 1 - confidence)
    return int(within[-1]) if len(within) else 0


def threshold_above(scores: NDArray[np.floating], alarms: int) -> float:
    """The probability that at most so many of these scores reach.

    Args:
        scores: (N,) in [0, 1], N > `alarms`.
        alarms: how many may.

    Returns:
        In (0, 1]; a little above the highest score that must not reach it.

    Raises:
        ShapeError: scores that are no probabilities, or too few of them.
        ConfigError: more scores than `alarms` are 1, which no threshold is above.
    """
    scores = np.asarray(scores, np.float64)
    if scores.ndim != 1 or not ((scores >= 0) & (scores <= 1)).all() or not 0 <= alarms < len(scores):
        raise ShapeError(f"expected more than {alarms} probabilities (N,), got shape {scores.shape}")
    floor = float(np.sort(scores)[len(scores) - 1 - alarms])
    if floor >= 1.0:
        raise ConfigError(
            f"more than {alarms} of {len(scores)} untouched files have probability 1: no threshold is above them; "
            "this judge does not tell these files from forged ones"
        )
    above = scores[scores > floor]
    middle = (logit(floor) + logit(float(above.min()))) / 2 if len(above) else math.inf
    return max(math.nextafter(floor, 1.0), sigmoid(min(logit(floor) + _MARGIN, middle)))


def logit(probability: float) -> float:
    """Finite for 0 and 1, too."""
    inside = min(max(probability, _LOGIT_END), 1 - _LOGIT_END)
    return math.log(inside) - math.log1p(-inside)


def sigmoid(value: float) -> float:
    """The other way, without overflow."""
    small = math.exp(-abs(value))
    return 1 / (1 + small) if value >= 0 else small / (1 + small)


def _check_share(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise ConfigError(f"{name} is between 0 and 1, got {value}")
