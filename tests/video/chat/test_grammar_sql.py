"""What reaches the database: bound values only, statements that pass the guard and give the same rows again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from street_world import make_world

from onlooker.errors import QueryError
from onlooker.video.chat.answering import Answerer, answer_question
from onlooker.video.chat.compile import Binder, render
from onlooker.video.chat.query import Condition
from onlooker.video.store.reader import Reader, Rows

QUESTIONS = (
    "How many red cars are there?",
    "How many cars are visible halfway through the video?",
    "How many objects are visible between 2 and 4 s?",
    "When does person 3 come back?",
    "Where is car 1 in frame 20?",
    "Which object is the fastest?",
    "Do car 1 and car 2 touch?",
    "Is Anna left of car 2 at 3 s?",
    'When does someone say "gap"?',
    "What is the most people visible at the same time?",
    "How long is the video?",
)


class Spy:
    """A reader that keeps every statement that passes through it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.statements: list[tuple[str, Mapping[str, object]]] = []

    def query(self, sql: str, params: Mapping[str, str | int | float | None]) -> Rows:
        self.statements.append((sql, params))
        return self._reader.query(sql, params)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    path: Path = make_world(tmp_path_factory.mktemp("sql") / "street.onlooker")
    with Reader.open(path) as opened:
        yield opened


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_statement_of_an_answer_gives_its_rows_again(reader: Reader, question: str) -> None:
    answer = answer_question(reader, question, (1,))
    assert answer.sql is not None
    assert ":" not in answer.sql.replace("'", "")
    again = reader.query(answer.sql)
    assert tuple(again.columns) == answer.columns
    assert [tuple(row) for row in again.rows] == [tuple(row) for row in answer.rows]


@pytest.mark.parametrize(
    "noun",
    [
        "'; DROP TABLE base_tracklets; --",
        'car" OR 1=1 --',
        "car') UNION SELECT * FROM base_videos --",
        "%' OR '1'='1",
    ],
)
def test_words_of_a_question_never_become_sql(reader: Reader, noun: str) -> None:
    spy = Spy(reader)
    for question in (f"Is there a {noun} in the video?", f'When does someone say "{noun}"?', f"when is {noun} seen"):
        answer_question(spy, question, (1,))
    for sql, _ in spy.statements:
        assert "DROP" not in sql
        assert "1=1" not in sql.replace(" ", "")
        assert "base_" not in sql


def test_equal_values_share_a_placeholder_and_strings_are_quoted() -> None:
    binder = Binder()
    assert binder.bind("it's") == ":p0"
    assert binder.bind(1) == ":p1"
    assert binder.bind(1.0) == ":p2"  # an int is not a float
    assert binder.bind("it's") == ":p0"
    assert render("SELECT :p0, :p1", {"p0": "it's", "p1": -2}) == "SELECT 'it''s', -2"


def test_a_condition_on_an_unknown_column_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(QueryError, match=r"`mood` is not a column of tracklets; known: .*color"):
        Condition("mood", "=", "happy")


def test_the_words_of_a_library_are_read_once_until_somebody_commits(tmp_path: Path) -> None:
    path = make_world(tmp_path / "street.onlooker")
    with Reader.open(path) as opened:
        answerer = Answerer(opened)
        assert answerer.answer("How many dogs are there?").value == 2
        first = answerer.vocabulary
        answerer.answer("How many cars are there?")
        assert answerer.vocabulary is first
        import sqlite3

        with sqlite3.connect(path) as writer:
            writer.execute("UPDATE base_tracklets SET category = 'wolf' WHERE category = 'dog'")
            writer.execute("UPDATE base_peaks SET category = 'wolf' WHERE category = 'dog'")
        assert answerer.answer("How many wolves are there?").value == 2
