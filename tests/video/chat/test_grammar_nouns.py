"""Nouns against a library: exact values, synonyms, hypernyms, strangers; and spelling that never invents a category."""

from __future__ import annotations

import pytest

from onlooker.video.chat.grammar import QuestionReader
from onlooker.video.chat.grammar.nouns import Nouns, plural, singular
from onlooker.video.chat.vocabulary import VideoName, Vocabulary

STREET = ("car", "pedestrian", "cyclist", "person sitting", "van", "misc")
HOME = ("person", "dog", "cat", "Traffic_Light", "bicycle")


def read(question: str, categories: tuple[str, ...] = HOME):
    vocabulary = Vocabulary((VideoName(1, "clip", 10.0),), categories, {})
    return QuestionReader(vocabulary, None, categories).read(question)


@pytest.mark.parametrize(
    ("words", "categories"),
    [
        ("people", ("pedestrian", "person sitting")),
        ("person", ("pedestrian", "person sitting")),
        ("person sittings", ("person sitting",)),
        ("persons sitting", ("person sitting",)),
        ("sitting people", ("person sitting",)),
        ("vehicles", ("car", "van")),
        ("automobile", ("car",)),
        ("bicyclists", ("cyclist",)),
        ("miscs", ("misc",)),
        ("objects", None),
        ("dog", ()),
        ("men", ("pedestrian", "person sitting")),
    ],
)
def test_a_noun_covers_the_categories_it_means_here(words: str, categories: tuple[str, ...] | None) -> None:
    sense = Nouns(STREET, STREET).lookup(words.split())
    assert sense is not None
    assert sense.categories == categories


def test_an_exact_category_wins_over_its_wider_sense() -> None:
    sense = Nouns(("person", "pedestrian", "cyclist"), ()).lookup(["persons"])
    assert sense is not None
    assert sense.categories == ("person",)


def test_a_rider_counts_as_a_person_only_when_nothing_else_does() -> None:
    assert Nouns(("cyclist",), ()).lookup(["people"]).categories == ("cyclist",)  # type: ignore[union-attr]
    assert "cyclist" not in Nouns(STREET, STREET).lookup(["people"]).categories  # type: ignore[operator,union-attr]


def test_a_woman_is_a_person_with_a_caveat() -> None:
    sense = Nouns(HOME, HOME).lookup(["women"])
    assert sense is not None
    assert sense.categories == ("person",)
    assert sense.caveat is not None
    assert "woman" in sense.caveat


@pytest.mark.parametrize("word", ["dragon", "wagon", "elephant", "goat", "boat", "house", "bat", "hat", "dot"])
def test_a_proper_word_of_another_meaning_is_never_corrected_into_a_category(word: str) -> None:
    reading = read(f"Is there a {word} in this video?")
    assert reading.corrections == ()
    assert [m.selection.categories for m in reading.mentions] == [()]


@pytest.mark.parametrize(
    ("typed", "category"),
    [("dgo", "dog"), ("persn", "person"), ("bicylce", "bicycle"), ("dogg", "dog"), ("trafic light", "Traffic_Light")],
)
def test_a_misspelt_category_is_found(typed: str, category: str) -> None:
    assert read(f"How many {typed}s are there?").mentions[0].selection.categories == (category,)


def test_misspelt_question_words_are_understood() -> None:
    reading = read("hwo mny dogs aer visibel at 3 secnds")
    assert reading.form == "count"
    assert reading.window is not None


@pytest.mark.parametrize(
    ("many", "one"), [("buses", "bus"), ("people", "person"), ("boxes", "box"), ("flies", "fly"), ("glass", "glass")]
)
def test_singulars(many: str, one: str) -> None:
    assert singular(many) == one


@pytest.mark.parametrize(("one", "many"), [("car", "cars"), ("person", "people"), ("bus", "buses"), ("sheep", "sheep")])
def test_plurals(one: str, many: str) -> None:
    assert plural(one) == many


@pytest.mark.parametrize(
    ("question", "numbers"),
    [
        ("Where is car 3?", (3,)),
        ("where is car #3", (3,)),
        ("the car with the id of 3", (3,)),
        ("object number 12", (12,)),
        ("track 7", (7,)),
        ("#7", (7,)),
        ("cars 3 and 5", (3, 5)),
        ("car three", (3,)),
        ("car id=3", (3,)),
    ],
)
def test_track_numbers_are_read(question: str, numbers: tuple[int, ...]) -> None:
    assert read(question, STREET).mentions[0].selection.numbers == numbers


def test_an_amount_is_not_a_track_number() -> None:
    mention = read("Are there 3 dogs?").mentions[0]
    assert mention.selection.numbers == ()
    assert mention.amount == 3
