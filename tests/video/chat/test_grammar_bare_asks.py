"""A bare "when?", "who?" or "how long?" asks more of the question before, not when its thing was first seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import action_world
import judged_world
import pytest
import street_world
from talking import Turns, talk

from onlooker.video.library import Library


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Library]]:
    def opened(path: Path) -> Library:
        return Library.open(path, create=False)

    street = street_world.make_world(tmp_path_factory.mktemp("street") / "street.onlooker")
    park = action_world.make_world(tmp_path_factory.mktemp("park"))
    news = judged_world.make_world(tmp_path_factory.mktemp("news"))
    with opened(street) as a, opened(park) as b, opened(news) as c:
        yield {"street.mp4": a, "park": b, "news": c}


# `street.mp4`: car 1 (red, 0-5 s) overlaps and passes car 2 (blue, parked) at 2.2 and 2.8 s; person 3 (2-8 s) is away
# from 4 to 6 s; Anna is 1-9 s; dog 5 comes at 9 s; a cut is at 7 s.
@pytest.mark.parametrize(
    "turns",
    [
        [("do the cars touch?", True), ("when?", 2.2), ("for how long?", 1.3), ("where?", None)],
        [("did the red car drive past the blue car?", True), ("and when was that?", 2.8), ("how long?", None)],
        [("are anna and person 3 visible together?", True), ("since when", 2.0), ("when exactly", 2.0)],
        [("is anyone near the blue car?", False), ("who?", [])],
        [("does person 3 come back?", True), ("when", 6.0), ("after how long", 2.0)],
        [("does person 3 come back?", True), ("how many times?", 1)],
        [("is person 3 ever out of sight?", True), ("for how long?", 2.0)],
        [("does person 3 leave?", True), ("when?", 8.0)],
        [("does anna enter from the right?", True), ("when?", 1.0)],
        [("is the red car moving?", True), ("when?", None)],
        [("is anna left of person 3?", False), ("when?", None)],
        [("is the dog faster than anna?", False), ("when", None)],
        [("what is the most people at once?", 2), ("when was that?", 2.0)],
        [("is there ever nobody there?", True), ("when?", 0.0), ("how long?", 1.9)],
        [("how many cuts are there?", 1), ("where are they?", 7.0)],
        [("is there a dog?", True), ("where to?", "right"), ("where from?", "inside")],
        [("is there a dog?", True), ("when?", 9.0), ("how long?", 1.1)],
        [("is there a dog?", True), ("what does it eat?", None), ("when?", None), ("when does it come?", 9.0)],
        [("does anna come before the dog?", True), ("how long before?", 8.0)],
        [("did anna leave before the dog came?", False), ("how long before", 0.0)],
        [("does anybody come in after 5 s?", False), ("who?", [])],
        [("is anybody there at 1 s?", True), ("who?", [4]), ("and how many?", 1)],
        [("is anna faster than the dog?", True), ("by how much?", None)],
        [("is there a dog?", True), ("what else is there?", [1, 2, 4, 3])],
        [("how many cars are there?", 2), ("what else is there?", [4, 3, 5])],
        [("what was said?", "Mind the gap Here comes the dog"), ("what exactly?", "Mind the gap Here comes the dog")],
        [("tell me about the exit sign", "EXIT 42"), ("how often is it shown?", 1)],
    ],
)
def test_what_was_asked_before_is_asked_on(worlds: dict[str, Library], turns: Turns) -> None:
    talk(worlds["street.mp4"], "street.mp4", turns, tolerance=0)


@pytest.mark.parametrize(
    ("video", "turns"),
    [
        ("park", [("is anyone dancing?", True), ("when?", 1.0), ("for how long?", 2.0), ("who?", [3])]),
        ("park", [("is anyone waving?", True), ("how many?", 2), ("who", [1, 3]), ("where?", None)]),
        ("park", [("did anyone eat something", True), ("what?", "eating burger"), ("who?", [2])]),
        ("news", [("is this video fake?", True), ("who?", [3]), ("which parts?", 0.0)]),
    ],
)
def test_doings_and_judgements_are_asked_on(worlds: dict[str, Library], video: str, turns: Turns) -> None:
    talk(worlds[video], video, turns, tolerance=0)
