from __future__ import annotations

import numpy as np
import pytest

from onlooker.errors import ShapeError
from onlooker.evaluation.video_objects import mean_objects, score_video_objects, statistics


def clip(*frames: list[list[int]]) -> np.ndarray:
    return np.array(frames, np.uint8)


def test_first_and_last_frame_do_not_count():
    truth = np.zeros((4, 8, 8), np.uint8)
    truth[:, 2:5, 2:5] = 1
    predicted = truth.copy()
    predicted[[0, -1]] = 0
    assert score_video_objects(predicted, truth)[1].j_and_f == 100


def test_region_by_hand():
    truth, predicted = np.zeros((3, 4, 4), np.uint8), np.zeros((3, 4, 4), np.uint8)
    truth[:, 0, :2], predicted[:, 0, 1:3] = 1, 1
    # One pixel in common of three.
    assert score_video_objects(predicted, truth)[1].j.mean == pytest.approx(100 / 3)


def test_objects_are_those_of_the_first_frame_one_by_one():
    truth = np.zeros((4, 6, 6), np.uint8)
    truth[:, :2, :2], truth[:, 4:, 4:] = 1, 2
    truth[2:, 0, 5] = 3
    predicted = np.where(truth == 2, 0, truth).astype(np.uint8)
    scores = score_video_objects(predicted, truth)
    assert sorted(scores) == [1, 2]
    assert (scores[1].j.mean, scores[2].j.mean) == (100, 0)
    assert mean_objects(scores.values()).j_and_f == 50


def test_single_object_data_joins_all_ids():
    truth = np.zeros((3, 6, 6), np.uint8)
    truth[:, :2], truth[:, 4:] = 1, 2
    predicted = (truth > 0).astype(np.uint8) * 5
    assert score_video_objects(predicted, truth, one_object=True)[1].j_and_f == 100
    with pytest.raises(ShapeError, match=r"holds objects \[5\]"):
        score_video_objects(predicted, truth)


def test_void_is_judged_nowhere():
    truth = np.zeros((3, 6, 6), np.uint8)
    truth[:, :2], truth[:, 2:4] = 1, 255
    predicted = np.zeros_like(truth)
    predicted[:, :4] = 1
    assert score_video_objects(predicted, truth)[1].j.mean == 100


def test_an_object_that_is_gone_wants_an_empty_mask():
    truth = np.zeros((4, 6, 6), np.uint8)
    truth[0, :3, :3] = 1
    assert score_video_objects(truth, truth)[1].j_and_f == 100
    stuck = np.repeat(truth[:1], 4, axis=0)
    assert score_video_objects(stuck, truth)[1].j_and_f == 0


def test_statistics_by_hand():
    # Quarters of eight frames as the official code cuts them end at frames 1, 3, 5, 6 and 8 (2.75, 4.5, 6.25 rounded).
    values = np.array([1, 1, 1, 0.6, 0.5, 0.4, 0.2, 0.0])
    found = statistics(values)
    assert found.mean == pytest.approx(100 * 4.7 / 8)
    assert found.recall == pytest.approx(100 * 4 / 8)
    assert found.decay == pytest.approx(100 * (1 - (0.4 + 0.2 + 0.0) / 3))


def test_bad_clips_are_refused():
    flat = np.zeros((3, 4, 4), np.uint8)
    with pytest.raises(ShapeError, match="no object"):
        score_video_objects(flat, flat)
    with pytest.raises(ShapeError, match="T >= 3"):
        score_video_objects(flat[:2], flat[:2])
    with pytest.raises(ShapeError, match="at least one object"):
        mean_objects([])


def odd_clips() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """(predicted, truth) with what evaluators stumble over; three frames, so that one counts."""
    rng = np.random.default_rng(0)
    shape = (3, 60, 90)
    blob, none, pixel, border = (np.zeros(shape, np.uint8) for _ in range(4))
    blob[:, 20:40, 30:60] = 1
    pixel[:, 30, 44] = 1
    border[:, :, :7] = border[:, :5] = border[:, -1] = border[:, :, -1] = 1
    first = blob * np.array([1, 0, 0], np.uint8)[:, None, None]
    shifted = np.roll(blob, 3, axis=2)
    noisy = np.where(rng.random(shape) < 0.3, 1 - blob, blob).astype(np.uint8)
    full = np.ones(shape, np.uint8)
    return {
        "same": (blob, blob),
        "shifted": (shifted, blob),
        "nothing found": (none, blob),
        "object gone": (none, first),
        "found though gone": (blob, first),
        "one pixel": (pixel, blob),
        "one pixel true": (blob, pixel),
        "at the border": (border, np.roll(border, 2, axis=1)),
        "whole picture": (full, blob),
        "whole picture true": (full, full),
        "noise": (noisy, blob),
    }


@pytest.mark.parity
@pytest.mark.parametrize("name", odd_clips())
def test_odd_cases_score_as_in_the_reference_evaluator(name: str):
    evaluator = pytest.importorskip("vos_benchmark.evaluator", reason="compares with vos-benchmark")
    predicted, truth = odd_clips()[name]
    reference = evaluator.Evaluator()
    reference.objects_in_gt.add(1)
    reference.feed_frame(predicted[1], truth[1])
    j, f = reference.conclude()
    ours = score_video_objects(predicted, truth)[1]
    if name == "object gone":  # the reference leaves objects out that neither side shows; DAVIS gives them 1
        assert (ours.j.mean, ours.f.mean) == (100, 100)
        return
    assert ours.j.mean == pytest.approx(j[1], abs=1e-9)
    assert ours.f.mean == pytest.approx(f[1], abs=1e-9)
