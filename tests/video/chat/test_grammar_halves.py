"""Halves of the picture, places that something is not in, and either of two colours. `street.mp4` is 640 by 360 px: the
centre of car 2 is at 340, 85; person 3 goes from 15 to 215 at 190, Anna (4) from 620 to 230 at 250."""

from __future__ import annotations

import pytest

from onlooker.video.chat.answering import Answerer

STREET = (1,)


@pytest.mark.parametrize(
    ("question", "value"),
    [
        # mostly, by the centre of the box
        ("which people are in the left half of the picture?", [3]),
        ("who is in the right half?", [4]),
        ("which cars are in the upper half", [1, 2]),
        ("how many objects are in the lower half of the frame?", 3),
        ("is car 2 in the right half?", True),
        ("is car 2 in the bottom half?", False),
        # at a moment
        ("is car 1 in the left half at 1 s?", True),
        ("is car 1 in the left half at 4 s?", False),
        ("which cars are in the right half at 1 s", [2]),
        ("which cars are in the left half at 1 s", [1]),
        # a side alone is still a third
        ("which cars are on the right at 4 s?", [1]),
        ("is car 2 on the right?", False),
        # elsewhere
        ("which objects are not in the top half", [4, 3, 5]),
        ("which people are not on the left?", [4]),
        ("is car 2 not on the left at 2 s?", True),
        ("is car 1 not on the left at 1 s?", False),
        ("is car 1 not in the left half at 4 s?", True),
        # either colour will do, or which it is
        ("is anything red or green?", True),
        ("is there something green or white?", False),
        ("is there a green or red car?", True),
        ("is car 1 red or green?", "red"),
    ],
)
def test_halves_denied_places_and_either_colour(answerer: Answerer, question: str, value: object) -> None:
    answer = answerer.answer(question, STREET)
    assert answer.status != "cannot_answer", answer.text
    assert answer.value == value, answer.text


@pytest.mark.parametrize("question", ["who is never on the left?", "which cars were never in the left half?"])
def test_never_being_somewhere_is_not_mostly_being_elsewhere(answerer: Answerer, question: str) -> None:
    assert answerer.answer(question, STREET).status == "cannot_answer"


def test_the_answer_names_the_half_and_what_is_denied(answerer: Answerer) -> None:
    assert "in the left half" in answerer.answer("which people are in the left half?", STREET).text
    assert "not in the top half" in answerer.answer("how many objects are not in the top half?", STREET).text
    assert "not at the left" in answerer.answer("how many people are not on the left?", STREET).text


def test_the_upper_half_of_somebody_is_what_is_worn(answerer: Answerer) -> None:
    assert answerer.answer("who wears red on the upper half?", STREET).value == [3]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("where is the person in the left half?", "Person 3 is at"),
        ("where is the person in the right half?", "Person 4 is at"),
        ("where is the blue car in the bottom half?", "no blue car in the bottom half"),
        ("where is the dog?", "Dog 5 is at"),
    ],
)
def test_where_keeps_to_the_place_that_is_named(answerer: Answerer, question: str, said: str) -> None:
    assert said in answerer.answer(question, STREET).text
