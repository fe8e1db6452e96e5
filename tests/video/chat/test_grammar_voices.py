"""Constructions people use in any voice: time clauses in front, shares of the clip, exceptions, and words that change
what is asked."""

from __future__ import annotations

import pytest

from onlooker.video.chat.answering import Answerer

STREET = (1,)


@pytest.mark.parametrize(
    ("question", "value"),
    [
        # a time clause in front says when, as it does behind
        ("After person 4 has left, how many objects are there?", 2),
        ("Before person 3 comes in, is person 4 visible?", True),
        ("Before person 4 comes in, is person 3 visible?", False),
        ("Once car 1 has gone, how many cars can be seen?", 1),
        ("After car 1 has gone, is car 1 visible?", False),
        # parts of the clip
        ("How many people come in after the first 1.5 seconds?", 1),
        ("In the middle third, how many dogs are seen?", 0),
        ("How many cars do we see in the second quarter?", 2),
        ("A quarter of the way in, how many objects are visible?", 4),
        ("At the three-quarter mark, how many people are there?", 2),
        ("At half time, how many people are visible?", 1),
        ("How many people are there at five seconds flat?", 1),
        # all the time, or all of them
        ("Is the dog visible throughout?", False),
        ("Is car 2 visible throughout the video?", True),
        ("Throughout the video, how many cars are there?", 2),
        # negations that have an answer
        ("Isn't there a dog?", True),
        ("Isn't it true that a tiger appears?", False),
        ("Is person 3 not visible at 5 seconds?", True),
        ("Is the dog missing at 3 s?", True),
        ("Is person 4 absent at 5 s?", False),
        # exceptions and comparisons
        ("Apart from the dog, who comes in last?", [3]),
        ("car 1 v. car 2, which is faster?", [1]),
        ("Is the number of dogs smaller than that of cars?", True),
        ("Is the number of dogs greater than that of cars?", False),
        ("By how many do the cars exceed the dogs?", 1),
        ("Does car 2 stay later than car 1?", True),
        ("Of the two cars, which was the earlier to leave?", [1]),
        ("By speed, who's number one amongst the persons? id?", [3]),
        # fronts and slips
        ("Perhaps you could tell me how many cars there are?", 2),
        ("I was hoping somebody could let me know how long the dog is visible.", 1.1),
        ("how many people at the sametime max", 2),
        ("How many cars turn up on my camera?", 2),
    ],
)
def test_it_is_answered_as_it_was_meant(answerer: Answerer, question: str, value: object) -> None:
    answer = answerer.answer(question, STREET)
    assert answer.value == pytest.approx(value) if isinstance(value, float) else answer.value == value, answer.text


@pytest.mark.parametrize(
    "question",
    [
        "Is the dog alone at 9.5 s?",
        "Are there several dogs?",
        "Is only the dog visible at 9.5 s?",
        "Are all objects cars?",
        "Are most objects cars?",
        "Does car 1 appear twice?",
        "How many cars almost touch?",
        "Was the dog there yesterday?",
        "Which car would have won?",
        "Could the dog be a sheep?",
        "How many legs do you see?",
        "Is it false that a dog appears?",
        "Are there twice as many cars as dogs?",
        "In the dying seconds, is the dog still there?",
        "Besides car 2, which car is the fastest?",
        "Not counting the dog, when does the last object come in?",
        "Which objects come in between car 1 and the dog?",
    ],
)
def test_a_word_that_changes_the_question_is_not_read_over(answerer: Answerer, question: str) -> None:
    answer = answerer.answer(question, STREET)
    assert (answer.status, answer.value) == ("cannot_answer", None), answer.text


def test_a_clause_about_what_is_not_there_gives_no_time(answerer: Answerer) -> None:
    answer = answerer.answer("After the bus has gone, how many cars are there?", STREET)
    assert (answer.status, answer.value) == ("no_evidence", None)


@pytest.mark.parametrize("role", ["customer", "player", "bloke", "visitor"])
def test_what_people_are_to_whoever_asks_is_said_to_be_unknown(answerer: Answerer, role: str) -> None:
    answer = answerer.answer(f"How many {role}s are there?", STREET)
    assert answer.value == 2
    assert f"Whether a person is a {role} is not stored." in answer.text
