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
        # in a span: mostly in it, wherever it is at other times
        ("is Anna in the left half between 7.5 and 9 s?", True),
        ("which people are in the left half between 7.5 and 9 s?", [4, 3]),
        ("how many people are on the right in the first 3 seconds?", 1),
        ("is Anna not in the left half between 1 and 3 s?", True),
        ("is the dog on the left in the second shot?", True),
        # "to the left" is a place where nothing goes anywhere
        ("which car is to the left at 1 s?", [1]),
        ("who is to the right at 2 s?", [4]),
        ("is Anna moving to the left?", True),
        ("which cars are heading to the right?", [1]),
        # no shot but a time
        ("is the dog in shot 9.4 seconds in?", True),
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


@pytest.mark.parametrize(
    ("question", "value", "said"),
    [
        # the centre of Anna comes to 320 px at 7.15 s, that of car 1 to 427 px at 3.58 s
        ("when is anna on the left half", 7.2, "7.2–9 s"),
        ("when is car 1 on the right?", 3.6, "at the right 3.6–5 s"),
        ("when is person 3 in the left half?", 2.0, "2–4 s and 6–8 s"),
        ("when are the cars in the top half?", 0.0, "car 2 is in the top half 0–10 s"),
        ("when is car 1 at the center of the frame?", 1.7, "in the centre 1.7–3.5 s"),
        ("when is the blue car at the bottom?", None, "Never"),
    ],
)
def test_when_it_is_somewhere_is_told_from_its_boxes(
    answerer: Answerer, question: str, value: float | None, said: str
) -> None:
    answer = answerer.answer(question, STREET)
    assert answer.value == value, answer.text
    assert said in answer.text
    assert answer.evidence


def test_when_it_is_beside_another_is_refused(answerer: Answerer) -> None:
    assert answerer.answer("when is anna left of person 3?", STREET).status == "cannot_answer"


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


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("is Anna in the left half at 3 s?", "No: Anna is not in the left half at 3 s."),
        (
            "is Anna in the left half between 7.5 and 9 s?",
            "Yes: Anna is mostly in the left half between 7.5 s and 9 s.",
        ),
        ("is car 2 in the right half?", "Yes: car 2 is mostly in the right half."),
        ("is car 1 not in the left half at 4 s?", "Yes: car 1 is not in the left half at 4 s."),
    ],
)
def test_a_place_is_told_as_it_was_asked(answerer: Answerer, question: str, told: str) -> None:
    assert answerer.answer(question, STREET).text == told


@pytest.mark.parametrize("question", ["what is in shot 0?", "is the dog in scene 1.5?"])
def test_a_shot_that_cannot_be_is_asked_back(answerer: Answerer, question: str) -> None:
    answer = answerer.answer(question, STREET)
    assert answer.status == "cannot_answer"
    assert "counted 1, 2, 3" in answer.text
