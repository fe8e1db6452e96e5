"""What is made from a library's words is kept from question to question, and only as long as they stay the same."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from small_library import add_peaks, add_tracklet, make_library

from onlooker.video.chat import answering
from onlooker.video.library import Library


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make_library(tmp_path)


def test_readers_are_made_once_though_every_answer_is_stored(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Counted(answering.QuestionReader):
        def __init__(self, *words: object) -> None:
            made.append(words[1])
            super().__init__(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(answering, "QuestionReader", Counted)
    with Library.open(path, create=False) as library:
        for _ in range(3):
            assert library.ask("how many dogs are there?").value == 1
            assert library.ask("how many dogs are there?", videos=["street"]).value == 1
        assert made == [None, (1,)]


def test_a_thing_that_came_meanwhile_is_known_to_the_next_question(path: Path) -> None:
    with Library.open(path, create=False) as library:
        assert library.ask("how many zebras are there?").value in (0, None)
        with sqlite3.connect(path) as connection:
            add_tracklet(connection, 1, 9, "zebra", 0.0, 1.0)
            connection.execute("DELETE FROM base_peaks")
            add_peaks(connection)
        answer = library.ask("how many zebras are there?")
        assert (answer.status, answer.value) == ("answered", 1)
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE base_tracklets SET label = 'Marty' WHERE category = 'zebra'")
        assert library.ask("when does Marty first appear?").value == 0.0
