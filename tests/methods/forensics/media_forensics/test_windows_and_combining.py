"""Windows of large pictures, one probability of many rules, and how it is fitted."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from authenticity_doubles import combination, jpeg, scene
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pil

from onlooker.errors import ConfigError, ShapeError, UnknownNameError
from onlooker.methods.forensics.media_forensics.combining import DOMAINS, Curve, load_combination
from onlooker.methods.forensics.media_forensics.fitting import Scored, fit_combination, measure
from onlooker.methods.forensics.media_forensics.rule_judge import RuleJudge, numbers_of, read_window, unevenness
from onlooker.methods.forensics.media_forensics.samples import Sample
from onlooker.methods.forensics.media_forensics.windows import (
    MapCanvas,
    Window,
    box_shrunk,
    cut,
    map_step,
    plan_windows,
    stored_luma,
)


@given(st.integers(1, 700), st.integers(1, 700))
@settings(max_examples=60, deadline=None)
def test_windows_cover_all_but_a_rest_of_a_block_and_begin_at_blocks(height: int, width: int) -> None:
    plan = plan_windows(height, width)
    seen = np.zeros((height, width), bool)
    for window in plan.windows:
        assert window.top % 8 == window.left % 8 == 0
        assert window.bottom - window.top == min(128, height)
        assert window.right - window.left == min(128, width)
        seen[window.top : window.bottom, window.left : window.right] = True
    assert seen[: height - 7 if height > 128 else None, : width - 7 if width > 128 else None].all()
    assert plan.coverage == 1.0


def test_too_many_windows_are_spread_over_the_whole_picture() -> None:
    plan = plan_windows(9000, 12000, most=50)
    assert len(plan.windows) == 50
    assert plan.coverage == 50 / plan.n_all
    assert plan.windows[0][:2] == (0, 0)
    assert plan.windows[-1].bottom == 9000
    with pytest.raises(ConfigError):
        plan_windows(0, 10)


def test_a_window_of_a_jpeg_holds_the_luminance_of_the_whole_file() -> None:
    data = jpeg(scene(200, 300), 80)
    with Pil.open(io.BytesIO(data)) as opened:
        sample = Sample(np.array(opened), data)
        luma = np.array(opened.convert("L"))
    stored = stored_luma(sample)
    part = cut(sample, stored, Window(64, 128, 192, 256))
    assert part.is_jpeg
    assert part.stored is not None
    assert part.stored.quality == 80
    assert np.abs(part.stored.luma - luma[64:192, 128:256]).max() <= 2
    assert cut(sample, None, Window(0, 0, 8, 8)).stored is None
    with pytest.raises(ShapeError):
        replace(part, image=part.image[:-1])


def test_maps_of_windows_join_to_the_map_of_the_picture() -> None:
    canvas = MapCanvas((5, 9), 1)
    canvas.add(Window(0, 0, 4, 4), np.full((4, 4), 0.5, np.float32))
    canvas.add(Window(1, 2, 5, 6), np.full((4, 4), 0.2, np.float32))
    assert canvas.values[1, 3] == np.float32(0.5)
    assert canvas.values[4, 5] == np.float32(0.2)
    assert canvas.values[0, 8] == 0
    coarse = MapCanvas((20, 20), 8)
    coarse.add(Window(8, 8, 20, 20), np.ones((12, 12), np.float32))
    np.testing.assert_array_equal(coarse.values, [[0, 0, 0], [0, 1, 1], [0, 1, 1]])
    assert box_shrunk(np.arange(4, dtype=np.float32).reshape(2, 2), 2).tolist() == [[1.5]]
    assert [map_step(h, w) for h, w in ((100, 100), (2000, 3000), (9000, 12000))] == [1, 2, 8]


def test_one_window_is_its_own_score_and_many_are_corrected() -> None:
    used = combination()
    assert used.picture_score([0.7]) == 0.7
    # One of ten windows reaches the score that one in a hundred does: about a tenth of such pictures have one.
    rare = used.tail.score(0.01)
    corrected = used.picture_score([rare] + [used.tail.score(0.5)] * 9)
    assert used.tail.chance(corrected) == pytest.approx(1 - 0.99**10, rel=1e-6)


def test_what_all_windows_share_is_no_sign() -> None:
    used = combination()
    assert used.picture_score([1.5] * 9) < used.picture_score([1.5] + [-1.0] * 8)


@given(st.floats(-3, 6), st.floats(-3, 6))
@settings(max_examples=80, deadline=None)
def test_chances_fall_as_scores_grow_and_come_back(first: float, second: float) -> None:
    tail = combination().tail
    low, high = sorted((first, second))
    assert tail.chance(low) >= tail.chance(high)
    if -2.0 < high < 6.0 and tail.chance(high) > 1e-11:
        assert tail.score(tail.chance(high)) == pytest.approx(high, abs=0.11)


def test_untouched_pictures_of_many_windows_are_suspected_no_more_often_than_of_one() -> None:
    used = combination()
    rng = np.random.default_rng(0)
    limit = used.tail.score(0.05)

    def share(n: int) -> float:
        draws = [used.picture_score([used.tail.score(c) for c in rng.random(n)]) for _ in range(1500)]
        return float(np.mean(np.array(draws) >= limit))

    assert share(1) == pytest.approx(0.05, abs=0.015)
    assert share(4) == pytest.approx(0.05, abs=0.02)
    assert share(40) < 0.08


def test_a_refusing_rule_says_nothing_either_way() -> None:
    used = combination(typical=(0.3, 0.1))
    assert used.window_score({"double_quantisation": None}) == pytest.approx(4 * 0.3 + 2 * 0.1 - 2)
    assert used.share_of("copy_move_keypoints", None) == 0.0
    assert used.share_of("copy_move_keypoints", 0.6) == pytest.approx(1.0)
    assert used.share_of("unknown", 0.6) == 0.0


def test_numbers_of_a_window_are_scores_and_how_uneven_maps_are() -> None:
    numbers = numbers_of(read_window(Sample(scene(96, 96))))
    assert numbers["double_quantisation"] is None
    assert numbers["noise_level"] is not None
    assert numbers["noise_level:uneven"] is not None
    half = np.zeros((60, 60), np.float32)
    half[:, 30:] = 1
    assert unevenness(half) > 0.4
    assert unevenness(np.full((60, 60), 0.7, np.float32)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_shipped_calibration_is_whole_and_no_rule_speaks_against_suspicion(domain: str) -> None:
    found = load_combination(domain)
    n = len(found.rules)
    assert n == len(found.typical) == len(found.mean) == len(found.spread) == len(found.weights) > 0
    assert min(found.weights) >= 0
    assert min(found.spread) > 0
    assert 0 < found.threshold < 1
    assert found.stated_false_alarms == 0.05
    assert len(found.fingerprint) == 64
    assert found.test.n_photos >= 8


def test_an_unknown_domain_is_named() -> None:
    with pytest.raises(UnknownNameError, match="`jpeg`"):
        load_combination("jpg")


def made_scores(n: int, photos: str, seed: int, strength: float = 2.0) -> Scored:
    """Rule a tells, rule b is noise, rule c falls with forgery, rule d refuses."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    a, b, c = strength * labels + rng.normal(size=n), rng.normal(size=n), -labels + rng.normal(size=n)
    rows = tuple({"a": float(x), "b": float(y), "c": float(z), "d": None} for x, y, z in zip(a, b, c, strict=True))
    names = tuple(f"{photos}{k % 12}" for k in range(n))
    return Scored(rows, labels.astype(np.int64), names, tuple("splice" if one else "authentic" for one in labels))


def test_a_fit_keeps_its_word_on_other_photos_and_turns_no_rule_round() -> None:
    own, test = made_scores(600, "own", 0), made_scores(2000, "test", 1)
    found = fit_combination(("a", "b", "c", "d"), own, test, 0.05, "words", "print")
    assert dict(zip(found.rules, found.weights, strict=True))["c"] == 0.0
    assert found.weights[0] > 5 * found.weights[1]
    assert found.useful
    assert found.test.auc > 0.85
    assert found.test.false_alarms < 0.05
    assert found.test.found > 0.3
    assert found.test == measure(found, test)


def test_rules_that_tell_nothing_are_called_useless() -> None:
    found = fit_combination(
        ("a", "b"), made_scores(400, "own", 2, 0.0), made_scores(400, "test", 3, 0.0), 0.05, "words", "print"
    )
    assert not found.useful


def test_a_photo_in_both_sets_is_refused() -> None:
    own = made_scores(100, "own", 0)
    with pytest.raises(ConfigError, match="both sets"):
        fit_combination(("a",), own, own, 0.05, "words", "print")


def test_the_judge_speaks_as_judges_do() -> None:
    used = combination()
    judge = RuleJudge({"pixels": used})
    found = judge.judge([scene(130, 150), np.zeros((60, 60, 3), np.uint8)])
    assert found[0].heat_map is not None
    assert found[0].heat_map.shape == (130, 150)
    assert found[1].probability == 0.0
    assert any("one colour" in note for note in found[1].notes)
    assert judge.mean_probability([0.0, 2.0], "pixels") == Curve(1.0, 0.0)(1.0)
    assert judge.tested_on == used.tested_on


def test_a_rate_that_was_not_reached_in_the_test_is_not_stated() -> None:
    used = combination()
    missed = replace(used, test=replace(used.test, false_alarms=0.12))
    sample = Sample(scene(100, 100))
    assert RuleJudge({"pixels": used}).report(sample).stated_false_alarms == 0.05
    assert RuleJudge({"pixels": missed}).report(sample).stated_false_alarms == 0.12
