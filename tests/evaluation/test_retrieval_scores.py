"""Retrieval and classification scores on values worked out by hand, with ties and many right answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from onlooker.errors import ShapeError
from onlooker.evaluation.classification import top1_accuracy_percent, top_k_accuracy_percent
from onlooker.evaluation.retrieval import (
    mean_average_precision_percent,
    recall_at_k_percent,
    recall_both_ways_percent,
)

SIMILARITY = np.array([[0.9, 0.8, 0.1, 0.0], [0.2, 0.5, 0.6, 0.7], [0.3, 0.1, 0.2, 0.0]])
RELEVANT = np.array([[1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 1, 1]], bool)


def test_recall_counts_a_query_once_however_many_right_answers_it_has():
    # Ranks of the best right answer: 1, 3, 2.
    assert [recall_at_k_percent(SIMILARITY, RELEVANT, k) for k in (1, 2, 3, 9)] == pytest.approx(
        [100 / 3, 200 / 3, 100, 100]
    )


def test_average_precision_by_hand():
    # Right at ranks 1 and 3; 3; 2 and 4: (1 + 2/3) / 2, 1/3, (1/2 + 2/4) / 2.
    expected = 100 * ((1 + 2 / 3) / 2 + 1 / 3 + 0.5) / 3
    assert mean_average_precision_percent(SIMILARITY, RELEVANT) == pytest.approx(expected)


def test_a_constant_network_finds_nothing():
    flat, one = np.zeros((4, 10)), np.eye(4, 10, dtype=bool)
    assert recall_at_k_percent(flat, one, 9) == 0
    assert recall_at_k_percent(flat, one, 10) == 100
    assert mean_average_precision_percent(flat, one) == pytest.approx(10)
    assert top1_accuracy_percent(flat, np.zeros(4, int)) == 0


def test_both_ways_name_their_direction_and_k():
    similarity = np.array([[1.0, 2.0], [0.5, 3.0]])
    scores = recall_both_ways_percent(similarity, np.eye(2, dtype=bool), ks=(1,))
    # Rows: 2 beats 1 in the first; columns: each right.
    assert scores == {"forward_recall_at_1_percent": 50.0, "backward_recall_at_1_percent": 100.0}


@pytest.mark.parametrize(
    ("similarity", "relevant", "words"),
    [
        (np.zeros((2, 3)), np.ones((3, 2), bool), "one shape"),
        (np.zeros((0, 3)), np.ones((0, 3), bool), "none of them 0"),
        (np.zeros((2, 2)), np.eye(2), "bool"),
        (np.array([[np.nan, 0.0]]), np.ones((1, 2), bool), "NaN"),
        (np.zeros((2, 2)), np.array([[True, False], [False, False]]), "first query 1"),
    ],
)
def test_tables_that_make_no_sense_are_refused(similarity, relevant, words):
    for score in (lambda s, r: recall_at_k_percent(s, r, 1), mean_average_precision_percent):
        with pytest.raises(ShapeError, match=words):
            score(similarity, relevant)


def test_accuracy_by_hand():
    scores = np.array([[0.1, 0.9, 0.0], [0.5, 0.5, 0.1], [0.2, 0.1, 0.3], [0.0, 0.1, 0.2]])
    labels = np.array([1, 0, 2, 0])
    # The second is a tie and does not count.
    assert top1_accuracy_percent(scores, labels) == 50
    assert top_k_accuracy_percent(scores, labels, 2) == 75
    assert top_k_accuracy_percent(scores, labels, 3) == 100


@pytest.mark.parametrize("labels", [np.array([0, 3]), np.array([-1, 0]), np.array([0])])
def test_labels_out_of_range_are_refused(labels):
    with pytest.raises(ShapeError):
        top1_accuracy_percent(np.zeros((2, 3)), labels)
    with pytest.raises(ShapeError, match="NaN"):
        top1_accuracy_percent(np.full((1, 3), np.nan), np.array([0]))


tables = hnp.arrays(float, (5, 6), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0]))


@given(tables, hnp.arrays(bool, (5, 6)), st.permutations(range(6)), st.integers(1, 6))
def test_the_order_of_the_gallery_does_not_matter(similarity, relevant, order, k):
    relevant[:, 0] |= ~relevant.any(axis=1)
    order = list(order)
    for score in (lambda s, r: recall_at_k_percent(s, r, k), mean_average_precision_percent):
        assert score(similarity, relevant) == pytest.approx(score(similarity[:, order], relevant[:, order]))
    assert recall_at_k_percent(similarity, relevant, k) <= recall_at_k_percent(similarity, relevant, k + 1)
