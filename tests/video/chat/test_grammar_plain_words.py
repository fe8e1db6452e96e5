"""Plain and sloppy wordings of people with a camera, a clip or a trap: what is stored is answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import shop_world
import street_world

from onlooker.video.library import Library


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Library]]:
    def opened(path: Path) -> Library:
        return Library.open(path, create=False)

    street = street_world.make_world(tmp_path_factory.mktemp("street") / "street.onlooker")
    shop = shop_world.make_world(tmp_path_factory.mktemp("shop") / "shop.onlooker")
    with opened(street) as a, opened(shop) as b:
        yield {"street.mp4": a, "shop.mp4": b, "garden.mp4": b}


@pytest.mark.parametrize(
    ("video", "question", "value"),
    [
        # meeting is being near
        ("shop.mp4", "who does the dog meet?", [2]),
        ("shop.mp4", "do the people ever meet", True),
        ("street.mp4", "does anna meet the person in red", True),
        ("street.mp4", "how many people does the dog meet", 0),
        # what is worn
        ("street.mp4", "does anybody wear blue stuff", True),
        ("street.mp4", "who wears blue stuff", [4]),
        # away
        ("street.mp4", "is the red car gone after 6", True),
        ("street.mp4", "is anna gone after 9 s", True),
        ("street.mp4", "is person 3 gone between 4 and 6 s", True),
        ("street.mp4", "is person 3 gone between 2 and 7 s", False),
        ("street.mp4", "is person 3 away at any time", True),
        ("street.mp4", "is anna ever away", False),
        ("street.mp4", "when is nobody around", 0.0),
        # both ends of a stay
        ("garden.mp4", "when did the cat turn up and when did it leave", 3.0),
        ("street.mp4", "when does the dog appear and disappear", 9.0),
        ("shop.mp4", "list all objects with start and end times", 0.0),
        # together
        ("street.mp4", "how long is anna there with person 3", pytest.approx(4.2)),
        # shots by their number
        ("street.mp4", "how long is the second shot", pytest.approx(3.1)),
        ("street.mp4", "which shot is longer", [1]),
        ("street.mp4", "what's in the second shot", ["person", "car", "dog"]),
        ("street.mp4", "is there a dog in the first shot", False),
        ("street.mp4", "is there a dog in scene 2?", True),
        ("street.mp4", "is there text on screen in the second shot", False),
        ("street.mp4", "what is said in the first shot", "Mind the gap"),
        ("street.mp4", "who is there before the cut", [4, 3]),
        ("garden.mp4", "how many black birds before the cut", 1),
        ("garden.mp4", "which birds come after the cut?", [2, 5]),
        ("garden.mp4", "is there a bird in the last shot", True),
        # the number of another of the same kind
        ("shop.mp4", "is car 6 overtaken by 7?", True),
        ("shop.mp4", "is car 7 faster than 6?", True),
        # who goes by moves, and stands near each other
        ("shop.mp4", "what vehicles go past", [9, 7, 8]),
        ("shop.mp4", "how many people walk past", 2),
        ("shop.mp4", "did two customers ever stand close to each other", True),
        # the two ends of the video
        ("street.mp4", "does the clip end with the dog", True),
        ("street.mp4", "does the video end with a person", False),
        ("street.mp4", "any animals besides the dog", False),
        # every value of several
        ("street.mp4", "name all colours of the cars", ["blue", "red"]),
        ("street.mp4", "what do the two people wear", ["blue", "red"]),
        ("garden.mp4", "what colors were the birds", ["white", "black"]),
        ("street.mp4", 'find the line "here comes the dog"', 6.0),
    ],
)
def test_it_is_answered(worlds: dict[str, Library], video: str, question: str, value: object) -> None:
    answer = worlds[video].ask(question, videos=[video])
    assert answer.status != "cannot_answer", answer.text
    assert answer.value == value, answer.text


def test_both_ends_of_every_stay_are_told(worlds: dict[str, Library]) -> None:
    told = worlds["shop.mp4"].ask("list all objects with start and end times", videos=["shop.mp4"]).text
    assert "Person 1 is visible from 0 s to 6 s" in told
    assert "person 2 (3–15 s)" in told


def test_the_moment_of_nearness_is_that_of_the_least_distance(worlds: dict[str, Library]) -> None:
    answer = worlds["street.mp4"].ask("when is anna near person 3?", videos=["street.mp4"])
    assert answer.text.startswith("Closest at 8 s")


def test_where_something_is_written_names_its_box(worlds: dict[str, Library]) -> None:
    answer = worlds["street.mp4"].ask("where is the sign?", videos=["street.mp4"])
    assert "[500, 10, 560, 40]" in answer.text


@pytest.mark.parametrize(
    ("video", "question"),
    [
        ("garden.mp4", "was there a bird on its own"),
        ("garden.mp4", "how long was the cat there without a person"),
        ("street.mp4", "is there a moment when the dog is by itself"),
        ("street.mp4", "are the red car and the blue car moving"),
        ("shop.mp4", "is there any time with a car and a truck both moving"),
        ("shop.mp4", "how many vehicles go left vs right"),
        ("shop.mp4", "how many red and white cars are there"),
        ("street.mp4", "when does anna come and when does the dog leave"),
        ("street.mp4", "how long is it visible"),
        ("street.mp4", "how many times is it shown"),
        ("street.mp4", "did someone shout"),
        ("street.mp4", "did the person in red turn around"),
        ("shop.mp4", "how many people came and went before 10 s"),
        ("shop.mp4", "which person stood around the most"),
        ("street.mp4", "does the other car move"),
        ("street.mp4", "does the person in red go behind something"),
        ("street.mp4", "for how long"),
        ("shop.mp4", "does the sale sign go away before the end"),
        ("shop.mp4", "is car 6 overtaken by 7 s"),
        ("street.mp4", "is there a dog in the third shot"),
        ("street.mp4", "which shot has the dog"),
        ("shop.mp4", "is there a dog after the cut"),
    ],
)
def test_nothing_easier_is_answered(worlds: dict[str, Library], video: str, question: str) -> None:
    answer = worlds[video].ask(question, videos=[video])
    assert answer.status == "cannot_answer", answer.text
