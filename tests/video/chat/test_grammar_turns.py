"""Ordinals, exceptions, passives, denials and offsets: what is meant is answered, and no easier question instead."""

from __future__ import annotations

import pytest

from onlooker.video.chat.answering import Answerer

# `street`, 10.1 s: car 1 (red, 0-5 s) passes the parked car 2 (blue, 0-10 s); person 3 (2-8 s, away from 4 to 6 s);
# person 4 (1-9 s); dog 5 (9-10 s).
STREET = (1,)
ANSWERED: tuple[tuple[str, object], ...] = (
    # places in an order
    ("Which object was the second to leave?", [3]),
    ("Which person left second?", [4]),
    ("Which was the second-to-last object to appear?", [3]),
    ("What is the penultimate object to appear?", [3]),
    ("Which object came last but one?", [3]),
    # moments so long after an event
    ("One second after the dog appears, how many cars are there?", 1),
    ("Is person 4 visible half a second before the dog arrives?", True),
    ("Is the dog visible half a second before person 4 leaves?", False),
    ("How many objects had left by the time the clip hit the 6-second mark?", 1),
    ("Just before the end, at 8.5 s, how many people are there?", 1),
    ("How many cars are there between 8 and 3 seconds?", 2),
    # who does it to whom
    ("Is car 2 overtaken by car 1?", True),
    ("Was the dog preceded by person 3?", True),
    ("Is car 2 outpaced by car 1?", True),
    ("Do cars 1 and 2 touch?", True),
    ("When does the moving car go past the parked one?", pytest.approx(2.8)),
    # exceptions
    ("Other than the dog, how many objects are there?", 4),
    ("Besides the dog, how many objects are there?", 4),
    ("Which object leaves last, the dog aside?", [2]),
    ("Which object is the last to appear, apart from the dog?", [3]),
    # none of them
    ("At no point did a dog appear, is that right?", False),
    ("A cat never appears, right?", True),
    ("Is neither person 3 nor person 4 visible at 9.5 s?", True),
    # around the question
    ("Might one ask how many people there are?", 2),
    ("Is it at all possible to find out which person left second?", [4]),
    ("Because they keep asking me, I need to know whether a dog was recorded.", True),
    ("Now that everybody agrees that there's a dog, at what second does it first come into the picture?", 9.0),
    ("any dogs or nah", True),
    ("bruh is there a dog", True),
    ("person 3: time in?", 2.0),
    ("person 3: time out?", 8.0),
    ("dog visible secs", pytest.approx(1.1)),
    ("Who is visible at 3 s?", [4, 3]),
    ("Which are there more of, cars or dogs?", "car"),
    # words, and going missing
    ("At what second is the word dog uttered?", 6.0),
    ("Is the gap ever mentioned?", True),
    ("Which is parked, car 1 or car 2?", [2]),
    ("What was said first?", "Mind the gap"),
    ("What is the last thing said?", "Here comes the dog"),
    ("Until when can the sign be read?", 5.0),
    ("When does the sign disappear?", 5.0),
    ("For how long does person 3 vanish?", 2.0),
    ("In which frame does the dog first appear?", 9.0),
)
REFUSED = (
    "When does car 1 leave and who is person 3?",
    "Is there not no dog?",
    "It isn't the case that nobody is there at 3 s, is it not?",
    "Is it faster than it?",
    "Which is closer to the camera, the dog or car 1?",
    "What colour are the trousers of whoever wears a red shirt?",
    "qzty cars",
    "How many cars are gone by then?",
    "How many frames is the dog in?",
    "How long is person 4 visible between 2 and 4 s?",
    "How long before the end does car 1 leave?",
    "What is the gap between person 3 arriving and leaving?",
    "Are all of the cars gone by the end?",
    "Are both cars visible at 7 s?",
    "Is neither the dog nor the red car visible at 6 s?",
    "Is person 4 there for most of the video?",
)
ODD = (
    "", "?", "🚗🚗🚗", "有多少辆车？", "сколько машин в видео", "'; DROP TABLE tracklets; --", "penultimate",
    "second to last", ", aside", "one second after", "neither nor", "by the time", "last but", "the the the",
    "who who who",
    "Which is the 0th car to appear?", "Which is the 999th car to leave?", "How many cars at -5 seconds?",
    "one second after " * 100 + "the car appears, how many people are there?", "a" * 5000, "car " * 500,
)  # fmt: skip


def test_it_is_answered_as_it_was_meant(answerer: Answerer) -> None:
    answers = [(value, answerer.answer(question, STREET)) for question, value in ANSWERED]
    wrong = [f"{a.question!r}: expected {value}, got {a.value}: {a.text}" for value, a in answers if a.value != value]
    assert wrong == []


def test_no_easier_question_is_answered_instead(answerer: Answerer) -> None:
    answers = [answerer.answer(question, STREET) for question in REFUSED]
    assert [f"{a.question!r}: {a.value}: {a.text}" for a in answers if a.status != "cannot_answer"] == []


def test_odd_input_gets_a_plain_reply(answerer: Answerer) -> None:
    for question in ODD:
        assert answerer.answer(question, STREET).text
