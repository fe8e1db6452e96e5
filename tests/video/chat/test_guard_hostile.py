"""Hostile statements and questions: nothing is written, nothing outside is read, everything ends in time."""

from __future__ import annotations

import hashlib
import json
import os
import random
import sqlite3
import time
from pathlib import Path

import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_library import make_library
from sqlglot import exp

from onlooker.errors import QueryError, QueryLimitError, QueryRefusedError
from onlooker.video.chat.answering import answer_question
from onlooker.video.chat.guard import ALLOWED_FUNCTIONS
from onlooker.video.store.reader import Limits, Reader
from onlooker.video.store.views import VIEWS

CASES = [json.loads(line) for line in (Path(__file__).parents[2] / "data" / "hostile.jsonl").read_text().splitlines()]
STATEMENTS = [case for case in CASES if case["kind"] == "sql"]
SECRET = "canary-5f1e"  # stands in base_videos.sha256, a column of no view
LIMIT_S = 0.15


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = make_library(tmp_path_factory.mktemp("hostile"))
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE base_videos SET sha256 = ? || id", (SECRET,))
    connection.close()
    return path


@pytest.fixture(scope="module")
def reader(library):
    with Reader.open(library, Limits(seconds=LIMIT_S)) as opened:
        yield opened


def fingerprint(library: Path) -> tuple[object, ...]:
    """Bytes of the library and of its log, and which files lie beside it.

    SQLite makes its log and its index of the log, both empty, when the first reader comes: those are no change.
    """
    log = library.with_name(library.name + "-wal")
    own = {library.name + suffix for suffix in ("-wal", "-shm")}
    files = sorted(p.name for p in library.parent.iterdir() if p.name not in own)
    contents = library.read_bytes() + (log.read_bytes() if log.exists() else b"")
    return files, hashlib.sha256(contents).hexdigest()


def outcome(reader: Reader, sql: str) -> str:
    try:
        rows = reader.query(sql)
    except QueryRefusedError:
        return "refused"
    except QueryLimitError:
        return "stopped"
    except QueryError:
        return "failed"
    assert SECRET not in str(rows)
    json.dumps(rows.rows)
    return "answered"


def test_the_set_is_large_and_varied():
    assert len(CASES) >= 200
    assert len({case["group"] for case in CASES}) >= 15
    assert len({case["text"] for case in STATEMENTS}) == len(STATEMENTS)


@pytest.mark.parametrize("case", STATEMENTS, ids=lambda case: f"{case['group']}: {case['text'][:40]!a}")
def test_hostile_statement(case, reader, library):
    before = fingerprint(library)
    started = time.process_time()
    assert outcome(reader, case["text"]) == case["expect"]
    assert time.process_time() - started < LIMIT_S + 1.0
    assert fingerprint(library) == before


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to list open files")
def test_no_statement_opens_a_file(reader):
    reader.query("SELECT count(*) FROM boxes")

    def opened() -> set[str]:
        return {
            os.readlink(f"/proc/self/fd/{fd}")
            for fd in os.listdir("/proc/self/fd")
            if os.path.exists(f"/proc/self/fd/{fd}")
        }

    before = opened()
    for case in STATEMENTS:
        if case["group"] in ("file function", "attach", "write"):
            outcome(reader, case["text"])
    assert opened() <= before


# Fuzzing. Pieces of SQL joined at random, hostile texts cut and spliced, and syntax trees with their parts exchanged.
NAMES = [view.name for view in VIEWS] + [
    "base_videos",
    "base_answers",
    "sqlite_master",
    "pragma_database_list",
    "x",
    "c",
]
FUNCTIONS = [*sorted(ALLOWED_FUNCTIONS), "load_extension", "zeroblob", "randomblob", "readfile", "replace", "hex"]
PIECES = [
    *NAMES, *FUNCTIONS, "SELECT", "FROM", "WHERE", "WITH", "RECURSIVE", "AS", "UNION ALL", "JOIN", "ON", "IN", "NOT",
    "(", ")", ",", ";", "*", "'", '"', "`", "[", "]", "--", "/*", "*/", "\n", "1", "'a'", "?", ":n", "=", "||", "LIKE",
    "'%a%'", "ORDER BY", "GROUP BY", "LIMIT", "OVER", "CASE", "WHEN", "END", "NULL", "id", "category", "t",
    "DROP TABLE", "ATTACH", "PRAGMA", "\u0430", "\x00", "\ud800", "9e999", "0x1f", "VALUES",
]  # fmt: skip
FUZZ = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def assert_contained(reader: Reader, library: Path, sql: str) -> None:
    before = fingerprint(library)
    started = time.process_time()
    outcome(reader, sql)  # anything but a QueryError fails the test by itself
    assert time.process_time() - started < LIMIT_S + 1.0
    assert fingerprint(library) == before


@FUZZ
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=25))
def test_random_pieces_never_break_out(pieces, reader, library):
    assert_contained(reader, library, "SELECT " + " ".join(pieces))


@FUZZ
@given(
    first=st.sampled_from(STATEMENTS),
    second=st.sampled_from(STATEMENTS),
    cut=st.floats(0, 1),
    splice=st.floats(0, 1),
    noise=st.text(max_size=3),
)
def test_spliced_hostile_statements_never_break_out(first, second, cut, splice, noise, reader, library):
    a, b = first["text"], second["text"]
    assert_contained(reader, library, a[: int(cut * len(a))] + noise + b[int(splice * len(b)) :])


def parsed_seeds() -> list[exp.Expression]:
    seeds = []
    for case in STATEMENTS:
        if case["group"] not in ("structure", "too big", "recursion"):
            try:
                seeds.append(sqlglot.parse_one(case["text"], read="sqlite"))
            except sqlglot.errors.SqlglotError:
                continue
    return [seed for seed in seeds if not isinstance(seed, exp.Command)]


SEEDS = parsed_seeds()


def mutated(tree: exp.Expression, chance: random.Random) -> exp.Expression:
    def change(node: exp.Expression) -> exp.Expression:
        if chance.random() > 0.3:
            return node
        if isinstance(node, exp.Table):
            return exp.to_table(chance.choice(NAMES))
        if isinstance(node, exp.Column | exp.Literal):
            inner = chance.choice([node.copy(), exp.Literal.string("a"), exp.Literal.number(10**9), exp.Star()])
            return exp.Anonymous(this=chance.choice(FUNCTIONS), expressions=[inner])
        if isinstance(node, exp.Subquery):
            return exp.Subquery(this=chance.choice(SEEDS).copy())
        return node

    return tree.copy().transform(change)


@FUZZ
@given(seed=st.integers(0, 2**32))
def test_exchanged_parts_of_syntax_trees_never_break_out(seed, reader, library):
    chance = random.Random(seed)
    sql = mutated(chance.choice(SEEDS), chance).sql("sqlite")
    assert_contained(reader, library, sql)


@FUZZ
@given(sql=st.text(max_size=80))
def test_any_text_never_breaks_out(sql, reader, library):
    assert_contained(reader, library, sql)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case["kind"] == "prompt"], ids=lambda case: ascii(case["text"][:40])
)
def test_hostile_question_is_answered_harmlessly_by_the_grammar(case, library):
    before = fingerprint(library)
    started = time.process_time()
    with Reader.open(library) as reader:
        answer = answer_question(reader, case["text"])
    assert time.process_time() - started < 3.0
    assert answer.status in ("answered", "no_evidence", "cannot_answer")
    assert SECRET not in answer.to_json()
    assert fingerprint(library) == before


def test_half_a_character_is_refused(reader):
    with pytest.raises(QueryRefusedError, match="half a character"):
        reader.query("SELECT '\ud800' FROM videos")
    with pytest.raises(QueryRefusedError, match="half a character"):
        reader.query("SELECT count(*) FROM videos WHERE name = ?", ("\ud800",))


def test_text_inside_videos_is_quoted_and_never_obeyed(library):
    before = fingerprint(library)
    with Reader.open(library) as reader:
        for question in (
            "What is said in the video?",
            "What text is visible?",
            "What does the sign say?",
            "Describe the person.",
        ):
            answer = answer_question(reader, question)
            assert SECRET not in answer.to_json()
    assert fingerprint(library) == before
