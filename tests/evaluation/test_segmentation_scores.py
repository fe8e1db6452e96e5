"""mIoU against torchmetrics; J and F on masks worked out by hand, on odd masks and against slow plain code."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torchmetrics.classification import MulticlassJaccardIndex

from onlooker.errors import ShapeError
from onlooker.evaluation.segmentation import (
    boundary_accuracy,
    boundary_of,
    confusion_matrix,
    mean_iou_percent,
    region_similarity,
    video_scores,
)

EMPTY = np.zeros((20, 30), bool)


def square(top: int, left: int, side: int, shape=(20, 30)):
    mask = np.zeros(shape, bool)
    mask[top : top + side, left : left + side] = True
    return mask


# --- mIoU ---


def test_mean_iou_by_hand_leaves_out_a_class_that_is_nowhere():
    truth, found = np.array([[0, 0, 1, 1]]), np.array([[0, 1, 1, 1]])
    # Class 0: 1 of 2, class 1: 2 of 3, class 2 nowhere.
    assert mean_iou_percent(confusion_matrix(found, truth, 3)) == pytest.approx(100 * (1 / 2 + 2 / 3) / 2)


def test_a_class_found_where_it_is_not_counts_as_zero():
    truth, found = np.array([0, 0, 0, 0]), np.array([0, 0, 0, 2])
    assert mean_iou_percent(confusion_matrix(found, truth, 3)) == pytest.approx(100 * (3 / 4 + 0) / 2)


@pytest.mark.parametrize("present", [(0, 1, 2, 3), (0, 2), (1,)])
def test_mean_iou_agrees_with_torchmetrics(present):
    rng = np.random.default_rng(len(present))
    truth, found = (rng.choice(present, (2, 9, 11)) for _ in range(2))
    reference = MulticlassJaccardIndex(num_classes=4, average="macro")(torch.tensor(found), torch.tensor(truth))
    assert mean_iou_percent(confusion_matrix(found, truth, 4)) == pytest.approx(100 * float(reference), abs=1e-4)


def test_matrices_of_pictures_add_up_and_ignored_pixels_do_not_count():
    rng = np.random.default_rng(0)
    truth, found = rng.integers(0, 3, (2, 8, 8)), rng.integers(0, 3, (2, 8, 8))
    whole = confusion_matrix(found, truth, 3)
    assert (whole == confusion_matrix(found[0], truth[0], 3) + confusion_matrix(found[1], truth[1], 3)).all()
    truth[0, 0, 0] = 255
    assert confusion_matrix(found, truth, 3, ignore=255).sum() == 127


def test_classes_out_of_range_and_nothing_to_score_are_refused():
    with pytest.raises(ShapeError, match=r"0\.\.3"):
        confusion_matrix(np.array([0, 3]), np.array([0, 1]), 3)
    with pytest.raises(ShapeError, match="differ"):
        confusion_matrix(np.zeros(3, int), np.zeros(4, int), 3)
    with pytest.raises(ShapeError, match="no pixel"):
        mean_iou_percent(np.zeros((2, 2), np.int64))
    with pytest.raises(ShapeError, match="square"):
        mean_iou_percent(np.zeros((2, 3), np.int64))


# --- J and F ---


def test_region_similarity_by_hand():
    # Two 4x4 squares two columns apart share 8 of 24 pixels.
    assert region_similarity(square(3, 3, 4), square(3, 5, 4)) == pytest.approx(8 / 24)
    assert region_similarity(EMPTY, EMPTY) == 1
    assert region_similarity(EMPTY, square(3, 3, 4)) == 0


def test_the_boundary_of_one_pixel_is_the_pixel_and_its_upper_left_neighbours():
    mask = square(5, 7, 1)
    assert sorted(zip(*np.nonzero(boundary_of(mask)), strict=True)) == [(4, 6), (4, 7), (5, 6), (5, 7)]


def test_the_border_of_the_picture_is_no_boundary():
    assert not boundary_of(~EMPTY).any()
    half = EMPTY.copy()
    half[:, :10] = True
    assert (np.nonzero(boundary_of(half))[1] == 9).all()
    assert boundary_of(half).sum() == 20


def test_boundary_accuracy_on_masks_without_a_boundary():
    something = square(3, 3, 4)
    assert boundary_accuracy(EMPTY, EMPTY) == 1
    assert boundary_accuracy(~EMPTY, EMPTY) == 1
    assert boundary_accuracy(EMPTY, something) == 0
    assert boundary_accuracy(something, EMPTY) == 0
    assert boundary_accuracy(something, something) == 1


def test_boundary_accuracy_forgives_one_pixel_and_not_ten():
    # The diagonal of 20 x 30 is 36.06 px; 0.8 % of it, rounded up, is 1 px.
    assert boundary_accuracy(square(5, 5, 6), square(5, 6, 6)) == 1
    assert boundary_accuracy(square(5, 2, 4), square(5, 20, 4)) == 0
    # One-column shift by two: rows of the squares' horizontal edges still agree in part.
    assert 0 < boundary_accuracy(square(5, 5, 6), square(5, 7, 6)) < 1


def slow_boundary_accuracy(predicted, truth):
    """Pixel by pixel: right is whoever has the other boundary within the radius."""
    radius = int(np.ceil(0.008 * np.sqrt(truth.shape[0] ** 2 + truth.shape[1] ** 2)))
    points = [np.argwhere(boundary_of(mask)) for mask in (predicted, truth)]
    if not len(points[0]) or not len(points[1]):
        return float(len(points[0]) == len(points[1]))
    squared = ((points[0][:, None] - points[1][None]) ** 2).sum(-1) <= radius**2
    precision, recall = squared.any(1).mean(), squared.any(0).mean()
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


@given(st.integers(0, 10_000), st.sampled_from([(1, 1), (1, 9), (12, 17), (130, 200), (40, 400)]))
def test_boundary_accuracy_agrees_with_plain_code_on_odd_masks(seed, shape):
    rng = np.random.default_rng(seed)

    def random_mask():
        ys, xs = (np.sort(rng.integers(0, n + 1, 2)) for n in shape)
        mask = np.zeros(shape, bool)
        mask[ys[0] : ys[1], xs[0] : xs[1]] = True
        return mask ^ bool(rng.integers(2))

    a, b = random_mask(), random_mask()
    assert boundary_accuracy(a, b) == pytest.approx(slow_boundary_accuracy(a, b), abs=1e-12)
    assert boundary_accuracy(a, b) == pytest.approx(boundary_accuracy(b, a))


@given(hnp.arrays(bool, (9, 9)), hnp.arrays(bool, (9, 9)))
def test_scores_stay_in_range_and_reward_the_truth(a, b):
    for score in (region_similarity, boundary_accuracy):
        assert 0 <= score(a, b) <= 1
        assert score(a, a) == 1


def test_video_scores_leave_out_first_and_last_frame_and_late_objects():
    truth = np.zeros((4, 20, 30), int)
    truth[:, 2:8, 2:8] = 1
    truth[:, 10:16, 20:26] = 2
    truth[2:, 0:2, 25:] = 3  # not in the first frame
    found = truth.copy()
    found[[0, 3]] = 0  # not scored
    found[1][found[1] == 2] = 0
    scores = video_scores(found, truth)
    # Of two objects in two frames one is missed once.
    assert scores == (75.0, 75.0)
    assert scores.j_and_f_percent == 75.0


def test_videos_without_object_or_too_short_are_refused():
    with pytest.raises(ShapeError, match="no object"):
        video_scores(np.zeros((3, 4, 4), int), np.zeros((3, 4, 4), int))
    with pytest.raises(ShapeError, match="T >= 3"):
        video_scores(np.ones((2, 4, 4), int), np.ones((2, 4, 4), int))
    with pytest.raises(ShapeError, match="bool"):
        region_similarity(np.zeros((3, 3)), np.zeros((3, 3)))
