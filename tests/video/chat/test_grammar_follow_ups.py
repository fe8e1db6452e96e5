"""Questions that lean on the one before, and questions that must not."""

from __future__ import annotations

import pytest

from onlooker.video.chat.answering import Answerer
from onlooker.video.chat.conversation import Conversation

STREET = (1,)


@pytest.mark.parametrize(
    "turns",
    [
        [("How many cars are there?", 2), ("Which one is red?", [1]), ("When does it leave?", 5.0)],
        [("When does car 1 leave?", 5.0), ("And car 2?", 10.0), ("what colour is it?", "blue")],
        [("Where is Anna at 5 s?", [405.0, 200.0, 445.0, 300.0]), ("how about at 1 s?", [600.0, 200.0, 640.0, 300.0])],
        [("Is there a dog?", True), ("When does it appear?", 9.0), ("Is it moving?", True)],
        [("How many people are there?", 2), ("which of them wears red?", [3]), ("does she come back?", True)],
        [("How many cars are there?", 2), ("And dogs?", 1), ("when?", 9.0)],
        [("Which is faster, the dog or car 1?", "car 1"), ("How fast is it?", 108.0), ("and the other one?", 30.0)],
        [("When is the dog first seen?", 9.0), ("Until when?", 10.0)],
        [("How many objects are visible at 3 s?", 4), ("how many of them are cars?", 2)],
        [("How many cars are there?", 2), ("Which is the fastest?", [1]), ("and the slowest?", [2])],
        [("Is there a dog?", True), ("what about a bus?", False), ("and what about a person in red?", True)],
        [("How many people are there before 2 s?", 2), ("and after that?", 2)],
        [("How many people are there?", 2), ("and at the same time?", 2)],
        [("Which person is the fastest?", [3]), ("which car?", [1])],
        [("When does the first person come?", 1.0), ("and the second?", 2.0), ("and the last?", 2.0)],
        [("Does the dog come before car 1?", False), ("and before Anna?", False), ("and after Anna?", True)],
    ],
)
def test_a_conversation_keeps_its_thread(answerer: Answerer, turns: list[tuple[str, object]]) -> None:
    talk = Conversation()
    for question, value in turns:
        answer = answerer.answer(question, STREET, talk)
        assert answer.value == (pytest.approx(value) if isinstance(value, float) else value), (question, answer.text)


def test_why_shows_what_the_last_answer_rests_on(answerer: Answerer) -> None:
    talk = Conversation()
    before = answerer.answer("How many cars are there?", STREET, talk)
    for question in ("why?", "are you sure?", "how do you know?"):
        answer = answerer.answer(question, STREET, talk)
        assert (answer.value, answer.evidence, answer.sql) == (before.value, before.evidence, before.sql)
        assert "tracklet 1 in street.mp4" in answer.text


def test_without_a_conversation_a_pronoun_means_nothing(answerer: Answerer) -> None:
    assert answerer.answer("When does it leave?", STREET).status == "cannot_answer"
    assert answerer.answer("why?", STREET).status == "cannot_answer"


INDEPENDENT = (
    ("How many objects are tracked in this video?", 5),
    ("Is there a dragon in this video?", False),
    ("When does the dog first appear (seconds)?", 9.0),
    ("How many cars are visible at 3 seconds?", 2),
    ("Does the dog end up further left or further right than where it started?", "right"),
    ("What is the id of the fastest car?", [1]),
    ("Which moves faster, the dog or car 1?", "car 1"),
    ("What is the id of the last person to enter?", [3]),
    ("For how many seconds is the dog visible?", 1.1),
    ("How long is the video?", 10.1),
    ("How many shots are there?", 2),
    ("What is the largest number of objects visible at the same time?", 4),
)


def test_questions_that_stand_alone_are_not_changed_by_any_question_before(answerer: Answerer) -> None:
    for first, _ in INDEPENDENT:
        for second, value in INDEPENDENT:
            talk = Conversation()
            answerer.answer(first, STREET, talk)
            answer = answerer.answer(second, STREET, talk)
            assert answer.value == (pytest.approx(value) if isinstance(value, float) else value), (first, second)


def test_two_conversations_do_not_meet(answerer: Answerer) -> None:
    one, other = Conversation(), Conversation()
    answerer.answer("When does car 1 leave?", STREET, one)
    answerer.answer("Is there a dog?", STREET, other)
    assert answerer.answer("what colour is it?", STREET, one).value == "red"
    one.forget()
    assert answerer.answer("what colour is it?", STREET, one).status == "cannot_answer"
