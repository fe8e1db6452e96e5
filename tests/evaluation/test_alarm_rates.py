"""Thresholds from untouched files: how many it takes, and that the stated rate holds on files nobody saw."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binomtest

from onlooker.errors import ConfigError, ShapeError
from onlooker.evaluation.alarm_rates import (
    alarm_bound,
    allowed_alarms,
    best_rate,
    files_needed,
    logit,
    sigmoid,
    threshold_above,
)

_TRIALS = 1000


def test_numbers_of_files_are_those_of_the_rule_worked_by_hand() -> None:
    """0.95^58 = 0.0510 and 0.95^59 = 0.0485: 59 files, none of them alarming, exclude a rate above 5 in 100."""
    assert files_needed(0.05) == 59
    assert files_needed(0.5) == 5  # 1/32 < 0.05 < 1/16
    assert best_rate(59) == pytest.approx(1 - 0.05 ** (1 / 59))
    assert best_rate(0) == 1.0
    assert alarm_bound(3, 3) == 1.0
    assert allowed_alarms(59, 0.05) == 0
    assert [allowed_alarms(n, 0.05) for n in (92, 93, 124)] == [0, 1, 2]  # tables of Wilks: 59, 93, 124, 153


@pytest.mark.parametrize(("alarms", "n"), [(0, 59), (1, 93), (7, 40)])
def test_the_bound_is_the_library_s_clopper_pearson(alarms: int, n: int) -> None:
    reference = binomtest(alarms, n, alternative="less").proportion_ci(0.95, method="exact").high
    assert alarm_bound(alarms, n) == pytest.approx(reference, abs=1e-9)


@given(n=st.integers(1, 400), rate=st.floats(0.005, 0.5))
def test_as_many_alarms_are_allowed_as_the_rate_covers_and_no_more(n: int, rate: float) -> None:
    if n < files_needed(rate):
        with pytest.raises(ConfigError, match=f"needs {files_needed(rate)} untouched files, got {n}"):
            allowed_alarms(n, rate)
        return
    k = allowed_alarms(n, rate)
    assert alarm_bound(k, n) <= rate + 1e-9
    assert alarm_bound(k + 1, n) > rate


@given(st.integers(0, 10_000), st.integers(14, 150), st.sampled_from([0.05, 0.1, 0.2]), st.booleans())
@settings(max_examples=10, deadline=None)
def test_the_stated_rate_holds_on_fresh_files(seed: int, n: int, rate: float, is_tied: bool) -> None:
    """Of many folders, at most 5 in 100 get a threshold that more than the stated share of the world reaches; with
    equal scores, too. The world's share is known here: scores are even in [0, 1], or in twenty steps of it."""
    if n < files_needed(rate):
        n = files_needed(rate) + n
    rng = np.random.default_rng(seed)
    k = allowed_alarms(n, rate)
    stated = alarm_bound(k, n)
    scores = rng.random((_TRIALS, n))
    if is_tied:
        scores = np.floor(scores * 20) / 20
    thresholds = np.array([_placed(row, k) for row in scores])
    true = 1 - (np.ceil(thresholds * 20 - 1e-9) / 20 if is_tied else thresholds)
    broken = float((true > stated + 1e-12).mean())
    assert broken <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / _TRIALS)
    assert ((scores >= thresholds[:, None]).sum(axis=1) <= k).all()


def _placed(scores: np.ndarray, alarms: int) -> float:
    return threshold_above(scores, alarms)


def test_the_world_s_rate_is_spread_as_theory_says() -> None:
    """Not only bounded: a threshold far too high would hold, too, and find nothing."""
    rng = np.random.default_rng(0)
    true = np.array([1 - threshold_above(rng.random(93), 1) for _ in range(_TRIALS)])
    expected = beta(2, 92).mean()
    assert true.mean() == pytest.approx(expected, rel=0.35)  # the threshold is put halfway to the next score
    assert true.mean() > 0.5 * expected


def test_the_threshold_lies_between_its_neighbours() -> None:
    scores = np.array([0.1, 0.2, 0.2, 0.9])
    assert 0.9 < threshold_above(scores, 0) < 0.901
    assert 0.2 < threshold_above(scores, 1) < 0.21
    assert threshold_above(scores, 2) == threshold_above(scores, 1)  # both of 0.2 would reach it, one may not
    assert 0.2 < threshold_above(np.array([0.2, np.nextafter(0.2, 1)]), 1) <= np.nextafter(0.2, 1)
    assert threshold_above(np.zeros(3), 0) > 0


def test_scores_no_threshold_is_above_are_refused() -> None:
    with pytest.raises(ConfigError, match="more than 1 of 3 untouched files have probability 1"):
        threshold_above(np.array([1.0, 1.0, 0.2]), 1)
    for scores, alarms in ((np.array([np.nan]), 0), (np.array([1.2, 0.1]), 0), (np.array([0.5]), 1)):
        with pytest.raises(ShapeError):
            threshold_above(scores, alarms)


@pytest.mark.parametrize("rate", [0.0, 1.0, float("nan")])
def test_rates_that_are_none_are_refused(rate: float) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        files_needed(rate)


@given(st.floats(0.0, 1.0))
def test_logits_return_where_they_started(probability: float) -> None:
    assert sigmoid(logit(probability)) == pytest.approx(probability, abs=1e-12)
