"""Questions of every type asked of a small world whose answers are worked out by hand (see `street_world`)."""

from __future__ import annotations

import pytest

from onlooker.video.chat.answering import Answerer

STREET, YARD = (1,), (2,)


@pytest.mark.parametrize(
    ("question", "value"),
    [
        # how many
        ("How many red cars are there?", 1),
        ("How many objects are not cars?", 3),
        ("How many objects other than people are there?", 3),
        ("How many cars and dogs are there?", 3),
        ("How many cars are moving?", 1),
        ("How many people move right?", 1),
        ("How many vehicles are visible at 3 s?", 2),
        ("How many objects are visible between 4.5 and 5.5 s?", 3),
        ("How many people enter in the first 3 seconds?", 2),
        ("How many objects are on the left at 2.5 s?", 1),
        ("How many people are visible when the dog appears?", 1),
        ("How many objects appear after the dog?", 0),
        ("How many times does person 3 disappear?", 1),
        ("How many kinds of objects are there?", 3),
        ("How many more cars than dogs are there?", 1),
        ("What is the most people visible at the same time?", 2),
        # yes or no
        ("Is there a green car?", False),
        ("Is there a person in blue?", True),
        ("Are there more than 3 people at the same time?", False),
        ("Are there at least two people?", True),
        ("Are there more cars than people?", False),
        ("Are both cars moving?", False),
        ("Is car 2 parked?", True),
        ("Does person 3 come back?", True),
        ("Is person 3 visible at 5 s?", False),
        ("Is person 3 on the left at 2.5 s?", True),
        ("Is anything on the right at 1.5 s?", True),
        ("Is car 1 faster than car 2?", True),
        ("Is car 1 the fastest object?", True),
        ("Is the car faster than 50 px/s?", True),
        ("Is object 5 a dog?", True),
        ("Is object 5 a cat?", False),
        ("Does the dog stay until the end?", True),
        ("Does car 1 pass car 2?", True),
        ("Do car 1 and car 2 touch?", True),
        ("Is person 3 left of person 4 at 3 s?", True),
        ("Are there no dogs?", False),
        # which
        ("Which person is wearing red?", [3]),
        ("who has black trousers?", [3]),
        ("Which objects never move?", [2]),
        ("Which objects move to the left?", [4]),
        ("Which persons enter from the left?", [3]),
        ("Which objects appear after 5 s?", [5]),
        ("Which objects are visible for more than 6 seconds?", [2, 4]),
        ("Which object is nearest to car 2 at 2 s?", [1]),
        ("What is the second object to appear?", [2]),
        ("Who leaves first?", [3]),
        ("Which object leaves first?", [1]),
        ("In what order do the people leave?", [3, 4]),
        # when, how long, where
        ("When does person 3 come back?", 6.0),
        ("When does the red car overtake the blue car?", 2.8),
        ("When are both people visible?", 2.0),
        ("When is Anna first seen?", 1.0),
        ("How long is person 3 gone?", 2.0),
        ("How long are car 1 and car 2 together?", 5.1),
        ("How many seconds after person 3 does the dog appear?", 7.0),
        ("Where is Anna at 5 s?", [405.0, 200.0, 445.0, 300.0]),
        ("Trajectory of car 1 from 1 to 3 s", [118.0, 100.0, 178.0, 140.0, 334.0, 100.0, 394.0, 140.0]),
        # what
        ("What colour is car 1?", "red"),
        ("What colour are the trousers of person 4?", "grey"),
        ("Where does person 3 enter from?", "left"),
        ("In which direction does car 1 go?", "right"),
        ("Is car 2 moving or parked?", "stationary"),
        ("How fast is car 1?", 108.0),
        ("What kinds of objects are there?", ["car", "person", "dog"]),
        ("What is object 5?", "dog"),
        ("Which moves faster, the dog or the person?", "person"),
        # words, sound, video
        ("What is said at 6.5 s?", "Here comes the dog"),
        ('When does someone say "gap"?', 1.0),
        ("Does anyone say hello?", False),
        ("What text is on the screen?", "EXIT 42"),
        ('When does the sign "EXIT" appear?', 3.0),
        ("Is there sound?", True),
        ("When is it silent?", 4.0),
        ("How long is it loud?", 2.5),
        ("How long is the video?", 10.1),
        ("What is the resolution?", "640x360"),
        ("How many shots are there?", 2),
        ("When is the first cut?", 7.0),
    ],
)
def test_the_answer_worked_out_by_hand(answerer: Answerer, question: str, value: object) -> None:
    answer = answerer.answer(question, STREET)
    assert answer.value == (pytest.approx(value) if isinstance(value, float) else value), answer.text
    assert answer.status in {"answered", "no_evidence"}
    assert answer.sql is not None


@pytest.mark.parametrize(
    "question",
    [
        "How old is person 3?",
        "What is the price of the car?",
        "Is there an angry dog?",
        "How many shiny cars are there?",
        "Does the dog bark?",
        "What is the meaning of life?",
        "who is the president?",
        "asdkjh qwlekj",
        "hello",
        "???",
        "",
    ],
)
def test_what_nothing_is_stored_about_is_refused_and_says_what_can_be_asked(answerer: Answerer, question: str) -> None:
    answer = answerer.answer(question, STREET)
    assert answer.status == "cannot_answer"
    assert answer.value is None
    assert "ask" in answer.text.lower()


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("How many dragons are there?", 0),
        ("Is there a dragon?", False),
        ("When does the dragon appear?", None),
        ("Which dragon is the fastest?", []),
        ("Where is the dragon at 3 s?", None),
        ("How many people with umbrellas are there?", 0),
        ("Which is faster, the dragon or the car?", None),
        ("Hello there, quick question, is there a dragon?", False),
    ],
)
def test_an_absent_thing_is_none_and_never_another_thing(answerer: Answerer, question: str, value: object) -> None:
    answer = answerer.answer(question, STREET)
    assert answer.value == value
    assert answer.status == "no_evidence"
    assert answer.text.startswith(("None", "No"))


def test_a_colour_nobody_looked_at_is_not_guessed(answerer: Answerer) -> None:
    for question in ("What colour is the dog?", "Is the dog brown?"):
        answer = answerer.answer(question, STREET)
        assert (answer.value, answer.status) == (None, "no_evidence"), answer.text


def test_sex_is_said_to_be_unknown(answerer: Answerer) -> None:
    answer = answerer.answer("How many women are there?", STREET)
    assert answer.value == 2
    assert "Whether a person is a woman is not stored" in answer.text
    assert answer.confidence < 0.6


def test_several_videos_are_named(answerer: Answerer) -> None:
    assert answerer.answer("How many dogs are there?").value == 2
    assert answerer.answer("Which videos contain a dog?").value == ["street.mp4", "yard"]
    assert answerer.answer("How many videos contain a car?").value == 1
    answer = answerer.answer("When does a dog first appear?")
    assert answer.value == 1.0
    assert "yard" in answer.text


@pytest.mark.parametrize("question", ["How many dogs are in yard?", "How many dogs are there in the video yard?"])
def test_a_video_named_in_the_question_narrows_it(answerer: Answerer, question: str) -> None:
    answer = answerer.answer(question)
    assert answer.value == 1
    assert {e.video for e in answer.evidence} == {"yard"}


def test_a_video_outside_the_scope_is_not_read(answerer: Answerer) -> None:
    answer = answerer.answer("How many bicycles are there in the video yard?", STREET)
    assert all(e.video != "yard" for e in answer.evidence)
    assert answer.value in (0, None)


def test_claims_point_at_evidence_with_boxes_and_times(answerer: Answerer) -> None:
    answer = answerer.answer("How many cars are there?", STREET)
    assert [i for c in answer.claims for i in c.evidence] == [0, 1]
    assert [(e.kind, e.video, e.tracklet, e.start_s, e.end_s) for e in answer.evidence] == [
        ("tracklet", "street.mp4", 1, 0.0, 5.0),
        ("tracklet", "street.mp4", 2, 0.0, 10.0),
    ]
    assert all(e.box_xyxy_px is not None and e.frame_s is not None for e in answer.evidence)
