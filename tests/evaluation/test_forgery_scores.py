from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from onlooker.errors import ShapeError
from onlooker.evaluation import forgery
from onlooker.evaluation.forgery import Counts


def tied_scores(seed: int, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    return np.round(rng.random(n) * 0.7 + 0.2 * labels, 1), labels


@pytest.mark.parametrize("seed", range(4))
def test_image_scores_agree_with_scikit_learn_on_tied_scores(seed):
    metrics = pytest.importorskip("sklearn.metrics")
    scores, labels = tied_scores(seed)
    assert forgery.image_auc(scores, labels).value == pytest.approx(metrics.roc_auc_score(labels, scores))
    expected = metrics.average_precision_score(labels, scores)
    assert forgery.average_precision(scores, labels).value == pytest.approx(expected)
    fpr, tpr, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    assert forgery.equal_error_rate(scores, labels).value == pytest.approx(fpr[np.argmin(np.abs(1 - tpr - fpr))])
    assert forgery.recall_at_false_alarms(scores, labels, 0.1).value == pytest.approx(tpr[fpr <= 0.1].max())
    said = (scores > 0.5).astype(int)
    balanced = metrics.balanced_accuracy_score(labels, said)
    assert forgery.balanced_accuracy(scores, labels).value == pytest.approx(balanced)
    best = max(((scores > t) == labels).mean() for t in [-1, *scores])
    assert forgery.best_accuracy(scores, labels).value == pytest.approx(best)


@pytest.mark.slow
@pytest.mark.parity
def test_calibration_error_agrees_with_torchmetrics():
    classification = pytest.importorskip("torchmetrics.functional.classification")
    rng = np.random.default_rng(1)
    scores, labels = rng.random(200), rng.integers(0, 2, 200)
    expected = classification.binary_calibration_error(torch.tensor(scores), torch.tensor(labels), n_bins=15)
    assert forgery.calibration_error(scores, labels).value == pytest.approx(float(expected), abs=1e-6)


def test_calibration_error_by_hand():
    # Bin 1 of 2: mean 0.2, none manipulated; bin 2: mean 0.75, one of two.
    found = forgery.calibration_error(np.array([0.1, 0.3, 0.5, 1.0]), np.array([0, 0, 0, 1]), n_bins=2)
    assert found.value == pytest.approx(0.5 * 0.2 + 0.5 * 0.25)


def test_pixel_scores_agree_with_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    mask, heat = rng.random((12, 9)) < 0.3, rng.random((12, 9))
    counts = forgery.count_pixels(heat > 0.5, mask)
    truth, said = mask.ravel(), (heat > 0.5).ravel()
    assert forgery.f1(counts).value == pytest.approx(metrics.f1_score(truth, said))
    assert forgery.iou(counts).value == pytest.approx(metrics.jaccard_score(truth, said))
    assert forgery.matthews(counts).value == pytest.approx(metrics.matthews_corrcoef(truth, said))
    found = forgery.pixel_scores([heat], [mask])
    assert found.tampered["auc"].value == pytest.approx(metrics.roc_auc_score(truth, heat.ravel()))
    grid = [metrics.f1_score(truth, (heat > t).ravel(), zero_division=0) for t in np.linspace(0, 1, 101)]
    assert found.tampered["best_f1"].value == pytest.approx(max(grid))
    inverse = metrics.f1_score(truth, (1 - heat > 0.5).ravel())
    assert found.tampered["f1_permuted"].value == pytest.approx(max(inverse, forgery.f1(counts).value))


def test_pixel_scores_by_hand_on_one_tampered_and_one_authentic_picture():
    mask = np.array([[True, True], [False, False]])
    heat = np.array([[0.9, 0.2], [0.6, 0.1]])  # one hit, one false alarm, one miss
    clean, quiet = np.zeros((2, 2), bool), np.array([[0.9, 0.0], [0.0, 0.0]])
    found = forgery.pixel_scores([heat, quiet], [mask, clean])
    assert found.tampered["f1"].value == pytest.approx(0.5)
    assert found.tampered["iou"].value == pytest.approx(1 / 3)
    assert found.tampered["best_f1"].value == pytest.approx(0.8)  # threshold below 0.2: three found, two right
    assert found.tampered["weighted_f1"].value == pytest.approx(2 * 1.1 / (1.8 + 2))
    assert found.pooled["f1"].value == pytest.approx(2 / (2 + 2 + 1))  # the authentic picture's alarm counts
    assert found.authentic["false_alarm_pixels"].value == pytest.approx(0.25)


def test_best_thresholds_by_hand_on_tampered_and_on_all_pictures():
    """At 0.35 the tampered picture is right throughout and the authentic one is accused of one pixel of four."""
    heat, mask = np.array([[0.4, 0.4], [0.3, 0.0]]), np.array([[True, True], [False, False]])
    quiet, clean = np.array([[0.9, 0.0], [0.0, 0.0]]), np.zeros((2, 2), bool)
    found = forgery.pixel_scores([heat, quiet], [mask, clean])
    assert (found.tampered["f1"].value, found.tampered["iou"].value) == (0.0, 0.0)  # at 0.5
    assert (found.tampered["best_f1"].value, found.tampered["best_iou"].value) == (1.0, 1.0)
    assert found.pooled["best_f1"].value == pytest.approx(0.8)
    assert found.pooled["best_iou"].value == pytest.approx(2 / 3)
    nothing = forgery.pixel_scores([quiet], [clean]).pooled
    assert not nothing["best_f1"].is_defined
    assert not nothing["best_iou"].is_defined


def test_undefined_scores_are_nan_with_a_reason_and_never_zero():
    one = forgery.image_scores(np.array([0.2, 0.4]), np.array([0, 0]))
    for name in ("auc", "average_precision", "equal_error_rate", "balanced_accuracy"):
        assert math.isnan(one[name].value)
        assert one[name].note
    assert one["accuracy"].value == 1.0
    empty = forgery.pixel_scores([np.zeros((3, 3))], [np.zeros((3, 3), bool)])
    assert math.isnan(empty.tampered["f1"].value)
    assert empty.tampered["f1"].note == "no manipulated picture"
    assert math.isnan(empty.pooled["f1"].value)
    assert empty.authentic["false_alarm_pixels"].value == 0.0
    assert math.isnan(forgery.matthews(Counts(4, 0, 0, 0)).value)
    assert forgery.matthews(Counts(0, 0, 2, 2)).value == 0.0


def test_bad_scores_are_refused():
    with pytest.raises(ShapeError, match="finite"):
        forgery.image_auc(np.array([0.1, np.nan]), np.array([0, 1]))
    with pytest.raises(ShapeError, match="0 and 1"):
        forgery.image_auc(np.array([0.1, 0.2]), np.array([0, 2]))
    with pytest.raises(ShapeError, match=r"\[0, 1\]"):
        forgery.pixel_scores([np.full((2, 2), 1.5)], [np.ones((2, 2), bool)])


def test_bootstrap_draws_whole_videos():
    rng = np.random.default_rng(0)
    offsets = np.repeat(rng.normal(0, 1, 12), 20)  # frames of a video resemble one another
    values = offsets + rng.normal(0, 0.1, 240)

    def mean_of(chosen: np.ndarray) -> forgery.Score:
        return forgery.Score(float(values[chosen].mean()))

    by_video = forgery.bootstrap(mean_of, [k // 20 for k in range(240)], n_resamples=300)
    by_frame = forgery.bootstrap(mean_of, list(range(240)), n_resamples=300)
    assert by_video.n_units == 12
    assert by_video.value == pytest.approx(values.mean())
    assert by_video.high - by_video.low > 3 * (by_frame.high - by_frame.low)


def test_bootstrap_counts_undefined_resamples():
    labels, scores = np.array([0, 1, 1, 1]), np.array([0.1, 0.9, 0.8, 0.7])
    found = forgery.bootstrap(lambda k: forgery.image_auc(scores[k], labels[k]), list("abcd"), n_resamples=200)
    assert 0 < found.n_defined < 200
    assert found.low == found.high == 1.0
