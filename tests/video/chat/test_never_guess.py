"""What cannot be answered from what is stored is refused, and what can be is not answered with something easier."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from street_world import make_world

from onlooker.video.answer import Answer
from onlooker.video.library import Library

# `street`, 10.1 s: car 1 crosses to the right, car 2 is parked, person 3 is away from 4 s to 6 s, person 4 walks left.


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library.open(make_world(tmp_path_factory.mktemp("world") / "world.onlooker"), create=False) as library:
        yield library


def ask(library: Library, question: str, video: str = "street.mp4") -> Answer:
    return library.ask(question, videos=[video])


@pytest.mark.parametrize(
    "question",
    [
        "how many wheels does car 1 have?",
        "how many people are running?",
        "does car 2 fly?",
        "is person 3 walking or running?",
        "is person 3 a man or a woman?",
        "does person 3 wear a hat?",
        "how many people are sitting in the car?",
        "who is driving the car?",
        "does person 3 get into the car?",
        "is anyone looking at the camera?",
        "what is person 3 holding?",
        "is the dog on the ground?",
        "are the people friends?",
        "when does car 1 move left?",
        "how often does car 1 stop?",
        "does car 1 stop?",
        "did car 2 stop?",
        "does person 3 ever stop?",
        "when does car 1 stop?",
        "has car 2 stopped?",
        "does car 1 halt at some point?",
        "which cars stop?",
        "does person 4 stop moving?",
        "which people are slower than car 1?",
        "who filmed it?",
        "which objects are not visible at 3 s?",
        "what percentage of people are moving?",
        "which person is nearest to the left edge?",
        "do they ever touch?",
        "how many people does car 1 pass?",
        "how many people are there besides person 3?",
        "which objects do not touch car 1?",
        "which person does not come from the left?",
        "how long are two cars visible together?",
        "how long are two people visible at the same time?",
        "how long are three people visible together?",
        "how long are people visible together?",
        "how many people at 3 and at 4 seconds?",
        "how many people are visible at 3 s and at 7 s?",
        "how often do two people appear together?",
        "how many times are two cars visible at the same time?",
        "how many people in total and how many at once?",
    ],
)
def test_what_is_not_stored_is_refused(world: Library, question: str) -> None:
    answer = ask(world, question)
    assert (answer.status, answer.value) == ("cannot_answer", None), answer.text


@pytest.mark.parametrize(
    "question", ["Wie viele Autos gibt es?", "cuantos coches hay", "combien de voitures", "¿Dónde está el coche?"]
)
def test_other_languages_are_told_that_english_is_understood(world: Library, question: str) -> None:
    answer = ask(world, question)
    assert answer.status == "cannot_answer"
    assert "English" in answer.text


@pytest.mark.parametrize(
    ("question", "status"),
    [
        ("where is person 3 at 1e400 seconds?", "cannot_answer"),
        ("what happens at second -5?", "cannot_answer"),
        ("where is person 3 at 100 seconds?", "no_evidence"),
        ("how many people are visible at 50 s?", "no_evidence"),
    ],
)
def test_moments_that_no_video_has_are_said_to_be_so(world: Library, question: str, status: str) -> None:
    answer = ask(world, question)
    assert (answer.status, answer.value) == (status, None), answer.text


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("which person comes back?", [3]),
        ("did anybody come back after leaving?", True),
        ("which objects never leave the frame?", [2, 5]),
        ("which person does not return?", None),
        ("which objects are visible the whole time?", [2]),
        ("is car 1 always visible?", False),
        ("how many cars are not red?", 1),
        ("how many people are not wearing red?", 1),
        ("which person is nearest to the left edge at 3 seconds?", [3]),
        ("which person is nearest to the right edge at 3 seconds?", [4]),
        ("how many people are near car 2?", 0),
        ("how many cars are near car 2?", 1),
    ],
)
def test_the_asked_thing_is_answered_and_not_its_opposite(world: Library, question: str, value: object) -> None:
    assert ask(world, question).value == value


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("is car 2 stopped?", True),
        ("is car 1 stopped?", False),
        ("is car 2 stationary?", True),
        ("has car 2 been stopped the whole time?", True),
        ("how many stopped cars are there?", 1),
        ("when does car 1 stop being visible?", 5.0),
        ("is there a stop sign?", False),
        ("if I stop the video at 3 seconds, how many people do I see?", 2),
    ],
)
def test_other_uses_of_stop_are_not_taken_for_stopping_at_a_moment(
    world: Library, question: str, value: object
) -> None:
    answer = ask(world, question)
    assert answer.status != "cannot_answer", answer.text
    assert answer.value == value


def test_the_noun_asked_for_is_what_is_nearest(world: Library) -> None:
    answer = ask(world, "which person is closest to the dog?")
    assert answer.value in ([3], [4])


def test_the_share_of_the_video_is_in_percent_of_its_frames(world: Library) -> None:
    answer = ask(world, "what percentage of the video is car 1 visible?")
    assert answer.unit == "%"
    assert answer.value == pytest.approx(100 * 51 / 101)


def test_the_share_of_several_counts_each_frame_once(world: Library) -> None:
    answer = ask(world, "what share of the time are people visible?")
    assert answer.value == pytest.approx(100 * 81 / 101)  # person 4 from 1 s to 9 s; person 3 lies within


@pytest.mark.parametrize("question", ["how many dogs are red?", "is there a red dog?", "which bicycles are blue?"])
def test_colours_nobody_looked_at_are_not_counted_as_none(world: Library, question: str) -> None:
    answer = ask(world, question, "yard")
    assert (answer.status, answer.value) == ("cannot_answer", None)
    assert "not known" in answer.text


def test_the_length_of_a_video_names_it_once(world: Library) -> None:
    assert ask(world, "how long is the video?").text.count("street.mp4") == 1


def test_a_question_tag_is_no_negation(world: Library) -> None:
    assert ask(world, "the video does have a person, doesn't it?").value is not False
    assert ask(world, "the video does have a person, doesn't it?").status == "answered"


@pytest.mark.parametrize(
    ("question", "status", "value"),
    [
        ("how many people are visible with car 9?", "no_evidence", 0),
        ("how many people are visible together with car 9?", "no_evidence", 0),
        ("how many people are visible with car 1?", "answered", 2),
        ("how many cars are visible at the same time as car 1?", "answered", 1),
    ],
)
def test_who_is_counted_with_another_is_seen_with_it(world: Library, question: str, status: str, value: object) -> None:
    answer = ask(world, question)
    assert (answer.status, answer.value) == (status, value), answer.text


@pytest.mark.parametrize("question", ["which objects are visible together with car 1?", "what appears with car 1?"])
def test_what_is_seen_with_a_thing_leaves_it_out(world: Library, question: str) -> None:
    answer = ask(world, question)
    assert isinstance(answer.value, list)
    assert answer.value
    assert 1 not in answer.value, answer.text


def test_one_moment_of_minutes_and_seconds_is_not_two(world: Library) -> None:
    assert ask(world, "how many people are visible at 0 minutes and 3 seconds?").status == "answered"


def test_the_busiest_moment_is_a_time(world: Library) -> None:
    answer = ask(world, "what is the busiest moment?")
    assert answer.unit == "s"
    assert answer.value == ask(world, "when is the busiest moment?").value
    assert ask(world, "how many objects are there at the busiest moment?").unit is None
