"""BLEU and CIDEr-D on values worked out by hand. (They were also compared with pycocoevalcap 1.2: equal to 1e-9.)"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onlooker.errors import ShapeError
from onlooker.evaluation.captions import bleu_percent, cider_d, words_of


def test_words_lose_marks_and_case():
    assert words_of("A ring, isn't it? A-b 3.") == ["a", "ring", "isn't", "it", "a", "b", "3"]


def test_bleu_by_hand():
    # Words: a, red, ring are there (3 of 4); pairs: "a red" of 3; length 4 against 4.
    assert bleu_percent(["a red big ring"], [["a red ring here"]], 1) == pytest.approx(75)
    assert bleu_percent(["a red big ring"], [["a red ring here"]], 2) == pytest.approx(100 * math.sqrt(3 / 4 * 1 / 3))
    assert bleu_percent(["a red big ring"], [["a red ring here"]], 4) == 0


def test_bleu_clips_repeated_words_at_the_best_reference():
    # "the" stands at most twice in one reference: 2 of 7 (the example of Papineni et al., section 2.1).
    references = [["the cat is on the mat", "there is a cat on the mat"]]
    assert bleu_percent(["the the the the the the the"], references, 1) == pytest.approx(200 / 7)


def test_bleu_takes_the_closest_reference_length_and_the_shorter_of_two():
    # Two words against references of 1 and 3: the shorter counts, so nothing is taken off.
    assert bleu_percent(["a ring"], [["a", "a ring here"]], 1) == pytest.approx(100)
    # One word against three: exp(1 - 3).
    assert bleu_percent(["a"], [["a ring here"]], 1) == pytest.approx(100 * math.exp(-2))


def test_bleu_is_of_the_set_not_the_mean_of_sentences():
    # Matched 1 + 3 of 1 + 5 words, lengths 6 against 6.
    assert bleu_percent(["a", "b c d x y"], [["a"], ["b c d e f"]], 1) == pytest.approx(100 * 4 / 6)


def test_cider_by_hand():
    # Two images, four different words: every n-gram weighs log 2, up to length n.
    # Same sentence of two words: n = 1 and 2 have cosine 1, n = 3 and 4 have no grams: 10 * 2 / 4.
    assert cider_d(["a b", "c d"], [["a b"], ["c d"]]) == pytest.approx(5)
    # One word of two, same length: cosine 1/2 for n = 1 and 0 for pairs: 10 * 0.5 / 4 for the first image.
    assert cider_d(["a x", "c d"], [["a b"], ["c d"]]) == pytest.approx((10 * 0.5 / 4 + 5) / 2)
    # One word against two: cosine 1 / sqrt 2 for n = 1, and exp(-1 / 72) for the length.
    first = 10 * math.exp(-1 / 72) / math.sqrt(2) / 4
    assert cider_d(["a", "c d"], [["a b"], ["c d"]]) == pytest.approx((first + 5) / 2)


def test_cider_gives_nothing_for_words_that_every_image_has():
    assert cider_d(["a", "a"], [["a b"], ["a c"]]) == 0


def test_cider_clips_repetition():
    # "b b b" weighs b three times, clipped to the reference's once: cosine 1 / 3, length off by two.
    first = 10 * math.exp(-4 / 72) / 3 / 4
    assert cider_d(["b b b", "c"], [["b"], ["c"]]) == pytest.approx((first + 10 / 4) / 2)


@given(st.lists(st.lists(st.sampled_from("abcdef"), min_size=4, max_size=9).map(" ".join), min_size=1, max_size=5))
def test_scores_stay_in_range_and_the_truth_has_full_bleu(sentences):
    assert bleu_percent(sentences, [[s] for s in sentences]) == pytest.approx(100)
    assert 0 <= cider_d(sentences, [[s] for s in sentences]) <= 10 + 1e-9


def test_lists_that_do_not_fit_are_refused():
    for score in (bleu_percent, cider_d):
        for candidates, references in (([], []), (["a"], []), (["a"], [[]]), (["a"], ["a b"])):
            with pytest.raises(ShapeError):
                score(candidates, references)
    with pytest.raises(ShapeError):
        bleu_percent(["a"], [["a"]], 5)
    assert bleu_percent([""], [["a"]]) == 0
    assert cider_d(["", "b"], [["a"], ["b"]]) == pytest.approx(10 / 4 / 2)
