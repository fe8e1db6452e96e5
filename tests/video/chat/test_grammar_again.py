"""Follow-ups that leave something out or keep a part of it, and words and sounds asked on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from shop_world import make_world
from talking import Turns, talk

from onlooker.video.library import Library

S = "shop.mp4"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library.open(make_world(tmp_path_factory.mktemp("shop") / "shop.onlooker"), create=False) as library:
        yield library


@pytest.mark.parametrize(
    "turns",
    [
        [("how many cars are there?", 2), ("and without the white one?", 1)],
        [("how many vehicles are there?", 4), ("without the bike?", 3), ("and w/o the truck?", 2)],
        [("list the vehicles", [6, 9, 7, 8]), ("ok but no bikes", [6, 7, 8])],
        [("which vehicles are white?", [6, 8]), ("and not counting the truck?", [6]), ("how long is it there?", 20.1)],
        [("list all the objects", [1, 2, 3, 4, 5, 6, 7, 8, 9]), ("except people", [4, 5, 6, 7, 8, 9])],
        [("which cars are there?", [6, 7]), ("ok and minus car 7?", [6])],
        [("which is the fastest vehicle?", [7]), ("and without the red one?", [8])],
    ],
)
def test_what_is_left_out_afterwards_is_left_out_of_the_same_question(world: Library, turns: Turns) -> None:
    talk(world, S, turns)


@pytest.mark.parametrize(
    "turns",
    [
        [("how many vehicles are there?", 4), ("only the white ones", 2), ("just the trucks", 1)],
        [("list all the objects", [1, 2, 3, 4, 5, 6, 7, 8, 9]), ("and only the red ones?", [1, 7])],
        [
            ("list all the objects", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
            ("without people", [4, 5, 6, 7, 8, 9]),
            ("only cars", [6, 7]),
        ],
    ],
)
def test_a_part_kept_afterwards_is_a_part_of_the_same_things(world: Library, turns: Turns) -> None:
    talk(world, S, turns)


@pytest.mark.parametrize(
    "turns",
    [
        [("how many cars are there?", 2), ("and without the cars?", None)],
        [("how many cars are there?", 2), ("and without the zebra?", None)],
        [("how many cars are there?", 2), ("and without the fastest one?", None)],
        [("and without the dog?", None)],
    ],
)
def test_what_cannot_be_left_out_is_said_to_be_so(world: Library, turns: Turns) -> None:
    talk(world, S, turns)


@pytest.mark.parametrize(
    "turns",
    [
        [("does it say SALE 50 anywhere?", True), ("and when?", 6.0), ("how long is it there?", 6.0)],
        [("is it loud at any point?", True), ("when?", 7.0), ("for how long?", 2.0)],
        [("what is said about dollars?", "That will be five dollars"), ("when?", 9.0)],
    ],
)
def test_when_and_how_long_ask_on_about_words_and_sounds(world: Library, turns: Turns) -> None:
    talk(world, S, turns)


@pytest.mark.parametrize(
    "turns",
    [
        [("what does the sign say?", "OPEN SALE 50"), ("how long is the video?", 20.1)],
        [("what does the sign say?", "OPEN SALE 50"), ("when is it loud?", 7.0)],
        [("what is said about dollars?", "That will be five dollars"), ("how long is the sign visible?", 20.0)],
        [("what is said about dollars?", "That will be five dollars"), ("when is it heard?", 9.0)],
        [("what is said about dollars?", "That will be five dollars"), ("where?", None)],
        [("when is it silent?", 5.0), ("and when is it loud?", 7.0)],
        [("when is it loud?", 7.0), ("how long is it silent?", 2.0), ("and how long is the clip?", 20.1)],
    ],
)
def test_after_words_and_sounds_another_topic_is_a_question_of_its_own(world: Library, turns: Turns) -> None:
    talk(world, S, turns)


@pytest.mark.parametrize(
    "turns",
    [
        [("is the dog there at 10.5?", True), ("who else?", [2, 4, 6])],
        [("when is the dog there?", 7.0), ("who else?", None)],
    ],
)
def test_who_else_is_about_the_same_moment(world: Library, turns: Turns) -> None:
    talk(world, S, turns)


def test_then_goes_on_from_what_happens_first(world: Library) -> None:
    talk(world, S, [("what happens first?", [1]), ("and then?", [6]), ("and then?", [2]), ("then?", [4])])


def test_what_happens_last_is_asked_back(world: Library) -> None:
    talk(world, S, [("what happens last?", None)])


def test_those_that_come_at_the_same_moment_are_all_named(world: Library) -> None:
    answer = world.ask("which object is there first?", videos=[S])
    assert answer.value == [1]
    assert "The same holds of car 6" in answer.text


def test_the_other_one_means_nothing_with_nothing_before(world: Library) -> None:
    talk(world, S, [("and the other one?", None)])


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("does person 1 leave before the dog shows up?", True),
        ("did person 2 leave before the truck came?", True),
        ("did the dog leave before the backpack appeared?", False),
        ("does the truck come after the dog left?", True),
        ("does the red car leave before the truck appears?", False),  # 17 s and 16 s
    ],
)
def test_going_is_weighed_against_coming(world: Library, question: str, value: bool) -> None:
    talk(world, S, [(question, value)])


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("who is there when the bicycle goes", [3]),
        ("who is still there once the bicycle went", [3]),
        ("who's left in the picture once the dog is gone", [2, 3]),
        ("how crowded is it at 10", 4),
        ("name the 2 slowest movers", [3, 9]),
        ("what left between 10 and 16", [2, 5, 9]),
        ("who left by 8.5", [1]),
        ("of the vehicles, which ones aint white", [7, 9]),
        ("who is the slowest out of the three people", [2]),
        ("the fast one of the two cars, which is it", [7]),
        ("how busy was it", 6),
        ("who came in after the dog left", [3]),
        ("who was in the shop longest", [2]),
        ("who's the last one to leave", [3]),
        ("any1 at the shop at 9.5", False),
    ],
)
def test_everyday_words_for_leaving_staying_and_moving(world: Library, question: str, value: object) -> None:
    answer = world.ask(question, videos=[S])
    told = sorted(answer.value) if isinstance(answer.value, list) else answer.value  # type: ignore[type-var]
    assert told == value, answer.text
