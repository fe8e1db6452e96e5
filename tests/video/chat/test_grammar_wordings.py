"""Wordings of people who do not ask like a manual: tags, fronts, tails, searches, and what must not be overlooked."""

from __future__ import annotations

import pytest

from onlooker.video.chat.answering import Answerer
from onlooker.video.chat.conversation import Conversation
from onlooker.video.chat.grammar.fronts import unwrapped
from onlooker.video.chat.grammar.tokens import normalise, tokenise

STREET, YARD = (1,), (2,)


@pytest.mark.parametrize(
    ("question", "said", "asserted"),
    [
        ("There is a dog, right?", "there is a dog", True),
        ("There is a dog isn't there?", "there is a dog", True),
        ("There's no dog, is there?", "there is dog", True),
        ("The dog is faster than the car, yes or no?", "the dog is faster than the car", True),
        ("Confirm that a dog is there", "a dog is there", True),
        ("Would you say the dog is faster?", "the dog is faster", True),
        ("Could I have the box of the dog at 3 s, thanks.", "the box of the dog at 3 s", False),
        ("Count the dogs, would you?", "count the dogs", False),
        ("How many dogs would you say we see?", "how many dogs we see", False),
        ("Can you see a dog?", "can you see a dog", False),
        ("Does it move left, right?", "does it move left , right", False),
        ("thanks", "thanks", False),
    ],
)
def test_what_stands_around_a_question_is_dropped(question: str, said: str, asserted: bool) -> None:
    spoken = unwrapped(tokenise(normalise(question)))
    assert " ".join(t.text for t in spoken.tokens if t.text != "?") == said
    assert spoken.asserted is asserted


@pytest.mark.parametrize(
    ("question", "value"),
    [
        # tags and fronts
        ("There's a mutt in this video, right?", True),
        ("No tiger in this video, is there?", False),
        ("There are more people than dogs, correct?", True),
        ("Car 1 is faster than car 2, isn't it?", True),
        ("Would you say car 2 outpaces car 1?", False),
        ("Does anybody know how many saloons there are?", 2),
        ("Is the clip free of dogs?", False),
        # times
        ("cars 3s count", 2),
        ("How many people come in after the half-second mark?", 2),
        ("How many objects leave before 8.5 seconds are up?", 2),
        ("How many people show up in the opening second and a half?", 1),
        ("At point five seconds, how many objects are there?", 2),
        ("By the 3-second point, how many objects are in view at that instant?", 4),
        # lengths, moments, places
        ("For what span of time, in seconds, is the dog visible?", 1.1),
        ("Over how many seconds does dog 5 hang about?", 1.1),
        ("At what second is car 1 glimpsed for the very last time?", 5.0),
        ("By how many seconds does the dog come after person 4?", 8.0),
        ("car 2's box at 3 s", [300.0, 60.0, 380.0, 110.0]),
        # the most at once
        ("What is the most people we ever have in a single frame?", 2),
        ("Which is the maximum of cars visible in the same moment?", 2),
        ("Peak occupancy?", 4),
        # one of several
        ("Which of the cars is the fastest one? The id will do.", [1]),
        ("Of the people, whose entry comes at the very end? The id please.", [3]),
        ("What stays for the greatest length of time? Give its id.", [2]),
        ("Is object 5 a car or a dog?", "dog"),
        ("How many people are left at the end?", 0),
    ],
)
def test_it_is_understood(answerer: Answerer, question: str, value: object) -> None:
    answer = answerer.answer(question, STREET)
    expected = pytest.approx(value) if isinstance(value, float | list) else value
    assert answer.value == expected, (answer.text, answer.sql)


def test_a_kind_that_is_not_stored_is_said_to_be_unknown(answerer: Answerer) -> None:
    assert "saloon is not stored" in answerer.answer("How many saloons are there?", STREET).text


@pytest.mark.parametrize(
    "question",
    [
        "Which car is visible for 3.5 s?",  # a time that is neither a moment nor a limit
        "Which car zigzags the most?",
        "What are the ids of the two fastest people?",
        "How many people are sitting?",
        "What is the car of the person?",  # no "yes" to a question that asks what
    ],
)
def test_what_is_not_understood_is_not_answered_in_part(answerer: Answerer, question: str) -> None:
    answer = answerer.answer(question, STREET)
    assert (answer.status, answer.value) == ("cannot_answer", None), answer.text


@pytest.mark.parametrize(
    "turns",
    [
        [("How many people are there at 3 s?", 2), ("and two seconds later?", 1), ("a second before that?", 2)],
        [("When does car 1 arrive?", 0.0), ("and leave?", 5.0), ("Same question for the dog.", 10.0)],
        [("Which person came in last?", [3]), ("and before that?", [4])],
        [("Is there a dog?", True), ("How many seconds is that in sight?", 1.1)],
        [("When is car 1 first seen?", 0.0), ("So for how long altogether?", 5.1)],
        [("Where is car 2 at 3 s?", [300.0, 60.0, 380.0, 110.0]), ("How many people were there then?", 2)],
        [("How many people?", 2), ("at most how many at the same time?", 2)],
    ],
)
def test_a_follow_up_moves_the_moment_the_order_or_the_event(
    answerer: Answerer, turns: list[tuple[str, object]]
) -> None:
    talk = Conversation()
    for question, value in turns:
        answer = answerer.answer(question, STREET, talk)
        expected = pytest.approx(value) if isinstance(value, float | list) else value
        assert answer.value == expected, (question, answer.text)


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("What amount of cars is there?", 2),
        ("Give total persons.", 2),
        ("How many people can you get in a single frame at the very most?", 2),
        ("How many objects were visible at the point when most were?", 4),
        ("Which person comes in after the other?", [3]),
        ("Which person is the last to show?", [3]),
        ("In which second does car 1 end?", 5.0),
        ("What's the first second the dog is there?", 9.0),
        ("Where on the timeline does the dog first show up?", 9.0),
        ("How many seconds in does the dog first come up?", 9.0),
        ("How many seconds separate the arrival of person 4 and that of the dog?", 8.0),
        ("Is the cow the slower animal?", False),
        ("For how long does car 1 stay, 5 s or more?", 5.1),
    ],
)
def test_searches_and_small_talk_are_understood(answerer: Answerer, question: str, value: object) -> None:
    answer = answerer.answer(question, STREET)
    expected = pytest.approx(value) if isinstance(value, float) else value
    assert answer.value == expected, (answer.text, answer.sql)
