from __future__ import annotations

import numpy as np
import pytest

from onlooker.errors import ShapeError
from onlooker.evaluation.single_object import mean_single_object, score_single_object
from onlooker.formats.single_object import BoxTrack


def track(*boxes: tuple[float, float, float, float] | None) -> BoxTrack:
    rows = np.array([box or (0, 0, 0, 0) for box in boxes], np.float64)
    return BoxTrack(rows, np.array([box is not None for box in boxes]))


def test_perfect_boxes_miss_only_the_last_threshold():
    truth = track((0, 0, 10, 10), (5, 5, 25, 15))
    scores = score_single_object(truth, truth)
    # An overlap of 1 exceeds 20 of the 21 thresholds, not 1 itself: the curve's end in the original toolkit.
    assert scores.success_auc == pytest.approx(100 * 20 / 21)
    assert (scores.precision_20px, scores.normalised_precision_auc, scores.success_50) == (100, 100, 100)
    assert (scores.absence_recall, scores.n_frames) == (None, 2)


def test_perfect_boxes_of_any_numbers_are_no_distance_away():
    corners = np.random.default_rng(0).uniform(0, 300, (500, 2, 2))
    rows = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    truth = BoxTrack(rows, np.ones(500, np.bool_))
    assert score_single_object(truth, truth).normalised_precision_auc == 100


def test_half_overlap_by_hand():
    scores = score_single_object(track((0, 0, 10, 5)), track((0, 0, 10, 10)))
    # 0.5 exceeds 0, 0.05, ..., 0.45: ten of 21. Centres are 2.5 px, a quarter of the height, apart: 26 of 51.
    assert scores.success_auc == pytest.approx(100 * 10 / 21)
    assert scores.success_50 == 0
    assert scores.normalised_precision_auc == pytest.approx(100 * 26 / 51)


def test_precision_includes_twenty_pixels():
    truth = track((0, 0, 10, 10), (0, 0, 10, 10))
    scores = score_single_object(track((20, 0, 30, 10), (20.1, 0, 30.1, 10)), truth)
    assert scores.precision_20px == 50


def test_frames_without_the_object_count_apart():
    truth = track((0, 0, 10, 10), None, None)
    scores = score_single_object(track((0, 0, 10, 10), None, (0, 0, 5, 5)), truth)
    assert scores.success_50 == 100
    assert scores.absence_recall == 50
    assert scores.n_frames == 1


def test_giving_up_on_a_frame_with_the_object_counts_as_a_miss():
    truth = track((0, 0, 10, 10), (0, 0, 10, 10))
    scores = score_single_object(track((0, 0, 10, 10), None), truth)
    assert (scores.success_50, scores.precision_20px, scores.normalised_precision_auc) == (50, 50, 50)


def test_the_given_frame_can_be_left_out():
    truth = track((0, 0, 10, 10), (0, 0, 10, 10))
    assert score_single_object(track((0, 0, 10, 10), None), truth, skip_first=True).success_auc == 0


def test_sequences_weigh_the_same_whatever_their_length():
    long, short = track(*[(0, 0, 10, 10)] * 9), track((0, 0, 10, 10))
    each = {"long": score_single_object(long, long), "short": score_single_object(track(None), short)}
    assert mean_single_object(each).success_50 == 50


def test_what_does_not_pair_up_is_refused():
    with pytest.raises(ShapeError, match="1 frames predicted, 2 in the truth"):
        score_single_object(track(None), track(None, None))
    with pytest.raises(ShapeError, match="on no frame"):
        score_single_object(track(None), track(None))
    with pytest.raises(ShapeError, match="at least one"):
        mean_single_object({})
