"""The word tokenizer keeps what it knows, marks what it does not, and keeps its lengths."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onlooker.errors import ConfigError
from onlooker.synth.needle import NeedleConfig, NeedleWorld
from onlooker.synth.questions import ANSWERS
from onlooker.synth.words import SpecialIds, WordTokenizer, split_words, world_vocabulary
from onlooker.synth.worlds import CLIPS, STILLS, World

TINY = ("a", "red", "ring", ",")


def test_ids_are_those_worked_out_by_hand():
    tokenizer = WordTokenizer(TINY)
    assert tokenizer.encode("A ring, red zebra") == [2, 4, 6, 7, 5, 1, 3]
    assert tokenizer.encode("a ring", 6) == [2, 4, 6, 3, 0, 0]
    assert tokenizer.encode("a red red red ring", 4) == [2, 4, 5, 3]
    assert tokenizer.decode([2, 4, 5, 1, 3, 6, 0]) == "a red <unk>"
    assert tokenizer.size == 8


def test_words_take_the_numbers_special_ids_leave_free():
    tokenizer = WordTokenizer(TINY, SpecialIds(pad=1, unknown=5, bos=None, eos=3))
    assert tokenizer.encode("a red ring ,") == [0, 2, 4, 6, 3]
    assert tokenizer.size == 7
    assert WordTokenizer(("a",), SpecialIds(bos=None, eos=None)).encode("a", 3) == [2, 0, 0]
    assert WordTokenizer(("a",), SpecialIds(pad=100)).size == 101


def test_every_word_of_any_world_is_known():
    tokenizer = WordTokenizer(world_vocabulary())
    clips = replace(CLIPS, n_objects=(1, 6), others="any", radius=(0.12, 0.14))
    worlds = (
        World(STILLS, 0),
        World(clips, 0),
        World(replace(STILLS, n_objects=(4, 6)), 0),
        NeedleWorld(NeedleConfig(), 0),
    )
    for world in worlds:
        for i in range(40):
            scene = world[i]
            for text in (*scene.captions, *(q.text for q in scene.questions), *(q.answer for q in scene.questions)):
                ids = tokenizer.encode(text)
                assert tokenizer.special.unknown not in ids, text
                assert tokenizer.decode(ids) == " ".join(split_words(text))
            assert {q.answer for q in scene.questions} <= set(ANSWERS)


def test_the_vocabulary_is_sorted_and_holds_no_word_twice():
    words = world_vocabulary()
    assert list(words) == sorted(set(words))
    assert len(set(ANSWERS)) == len(ANSWERS)


@given(st.text(max_size=40), st.integers(2, 12))
def test_any_text_gets_the_length_asked_for(text, length):
    ids = WordTokenizer(TINY).encode(text, length)
    assert len(ids) == length
    assert ids[0] == 2
    assert ids.count(3) == 1


@given(st.lists(st.sampled_from(TINY), max_size=10))
def test_known_words_return_where_they_started(words):
    tokenizer = WordTokenizer(TINY)
    assert tokenizer.decode(tokenizer.encode(" ".join(words))) == " ".join(words)


def test_wrong_vocabularies_lengths_and_ids_are_refused():
    for vocabulary in (("a", "a"), ("A",), ("two words",), ("",)):
        with pytest.raises(ConfigError):
            WordTokenizer(vocabulary)
    with pytest.raises(ConfigError, match="no room"):
        WordTokenizer(TINY).encode("a", 1)
    with pytest.raises(ConfigError, match="ids end at 7"):
        WordTokenizer(TINY).decode([9])
    with pytest.raises(ConfigError):
        SpecialIds(pad=1)
