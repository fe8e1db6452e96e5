"""Names that say more than the noun in them. `street.mp4` has two cars, persons 3 and 4 (Anna) and dog 5."""

from __future__ import annotations

import pytest

from onlooker.video.chat.answering import Answerer
from onlooker.video.chat.grammar.nouns import kind_names

STREET = (1,)


@pytest.mark.parametrize(
    "question",
    [
        # another thing by the noun behind it
        "is there a car park",
        "are there car parks",
        "how many car parks can you see",
        "where is the car park?",
        "is there a dog show",
        "is there a dog sign",
        "is there a car entrance",
        "is there a car wash?",
        # what somebody is to others, or is like
        "is person 3 the boss?",
        "is person 3 a waiter?",
        "is Anna the shop assistant",
        "is the dog a friend of person 3?",
        "is person 3 a cyclist?",
        "is person 3 rich?",
        "is it dangerous?",
        "is that legal?",
        "is car 1 the same car as car 2?",
        "are person 3 and Anna a couple",
        # what nothing is stored for, behind its subject
        "did person 3 pay?",
        "does the dog belong to Anna?",
        "does Anna really like the dog?",
        "does person 3 have a hat?",
        "is the shirt of person 3 striped?",
        "is the yard dangerous?",
        "is the video fake news?",
        "did the dog catch a person?",
        "who is new at 2 s?",
        # kinds stored as a wider one
        "is there a puppy?",
    ],
)
def test_a_longer_name_is_not_answered_with_its_noun(answerer: Answerer, question: str) -> None:
    answer = answerer.answer(question, STREET)
    assert (answer.value, answer.status) == (None, "cannot_answer"), answer.text


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("is there a parked car", True),
        ("does a dog show up?", True),
        ("do you see a car exit?", True),
        ("is the dog a cat?", False),
        ("is the dog a giraffe?", False),
        ("is the dog a dog?", True),
        ("is the red thing a car?", True),
        ("is the moving thing a truck", False),
        ("is car 1 the red one?", True),
        ("is the dog the last to appear?", True),
        ("does the dog really come after car 1?", True),
        ("does the video have a dog?", True),
        ("is it empty at 9.5 s?", False),
        ("can anyone see a dog?", True),
        ("how many puppies are there?", 1),
    ],
)
def test_what_only_looks_like_one_is_answered(answerer: Answerer, question: str, value: object) -> None:
    answer = answerer.answer(question, STREET)
    assert answer.value == value, answer.text


def test_a_kind_of_a_kind_is_said_to_be_unknown(answerer: Answerer) -> None:
    assert "puppy is not stored" in answerer.answer("how many puppies are there?", STREET).text


def test_names_of_kinds_are_no_roles() -> None:
    assert {"giraffe", "bike", "vehicle"} <= kind_names()
    assert not {"waiter", "thief"} & kind_names()
