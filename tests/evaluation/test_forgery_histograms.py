from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from onlooker.errors import ShapeError
from onlooker.evaluation.forgery import pixel_scores, roc_curve
from onlooker.evaluation.forgery_histograms import N_BINS, MapHistogram, area, histogram_of, histogram_scores


def cases(seed: int = 0):
    """Maps with values on and beside thresholds; an empty mask, a full one, and one far from both."""
    rng = np.random.default_rng(seed)
    for k in range(6):
        mask = np.zeros((13, 17), np.bool_)
        mask[: 3 * k, : 4 * k] = True
        heat = np.clip(mask * 0.4 + rng.normal(0.3, 0.25, mask.shape), 0, 1)
        heat[0, :5] = (0.0, 0.5, 1.0, 0.29, 0.57)
        yield heat.astype(np.float32), mask


def test_scores_are_those_of_the_maps_themselves():
    maps, masks = zip(*cases(), strict=True)
    known, found = pixel_scores(maps, masks), histogram_scores([histogram_of(*one) for one in cases()])
    for group in ("tampered", "pooled", "authentic"):
        for name, score in getattr(found, group).items():
            tolerance = 0.003 if name == "auc" else 1e-12
            assert score.value == pytest.approx(getattr(known, group)[name].value, abs=tolerance), (group, name)


def test_areas_are_those_of_scikit_learn_with_values_of_a_bin_as_equal():
    heat, mask = list(cases(3))[2]
    counted = histogram_of(heat, mask)
    bins = np.arange(N_BINS)
    known = roc_auc_score(np.repeat([1, 0], N_BINS), np.tile(bins, 2), sample_weight=[*counted.true, *counted.other])
    assert area(counted).value == pytest.approx(known, abs=1e-12)
    assert area(counted).value == pytest.approx(roc_auc_score(mask.ravel(), heat.ravel()), abs=0.01)


def test_what_is_not_defined_says_why():
    heat, mask = np.full((4, 4), 0.7, np.float32), np.zeros((4, 4), np.bool_)
    quiet = histogram_scores([histogram_of(heat, mask)])
    assert quiet.tampered["f1"].note == "no manipulated picture"
    assert quiet.pooled["auc"].note == "one class only"
    assert quiet.authentic["false_alarm_pixels"].value == 1
    loud = histogram_scores([histogram_of(heat, ~mask)])
    assert loud.authentic["false_alarm_pixels"].note == "no authentic picture"
    assert loud.tampered["f1"].value == 1
    with pytest.raises(ShapeError, match="at least one map"):
        histogram_scores([])
    with pytest.raises(ShapeError, match="not negative"):
        MapHistogram(np.full(N_BINS, -1), np.zeros(N_BINS, np.int64))


def test_a_curve_needs_both_classes_and_runs_from_corner_to_corner():
    false_rate, true_rate = roc_curve(np.array([0.9, 0.4, 0.4, 0.1]), np.array([1, 1, 0, 0]))
    assert list(zip(false_rate, true_rate, strict=True)) == [(0, 0), (0, 0.5), (0.5, 1), (1, 1)]
    with pytest.raises(ShapeError, match="both classes"):
        roc_curve(np.array([0.9]), np.array([1]))
