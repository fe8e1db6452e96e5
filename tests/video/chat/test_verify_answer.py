"""Answers run again: what stands, what drifted, what was tampered with, and files that are an attack."""

from __future__ import annotations

import copy
import hashlib
import json
import sqlite3
from pathlib import Path

import pytest
from small_library import make_library

from onlooker.errors import NotAnAnswerError
from onlooker.video.chat.answering import answer_question
from onlooker.video.chat.conversation import Conversation
from onlooker.video.chat.prompting import AnswerType
from onlooker.video.chat.rows_to_answer import Found, answer_from_rows
from onlooker.video.chat.verify_answer import same, verify
from onlooker.video.store.reader import Limits, Reader

QUESTIONS = [
    "How many cars are there?",
    "How many whales are there?",
    "Is there a dog?",
    "When does the bicycle appear?",
    "How long is the dog visible?",
    "Where is the car at 1 second?",
    "What colour is the car?",
    "Which is faster, the car or the bicycle?",
]


@pytest.fixture
def library(tmp_path):
    return make_library(tmp_path)


@pytest.fixture
def reader(library):
    with Reader.open(library, Limits(seconds=1.0)) as opened:
        yield opened


def by_grammar(reader: Reader, question: str) -> dict[str, object]:
    return json.loads(answer_question(reader, question).to_json())


def by_model(reader: Reader, sql: str, kind: AnswerType = "count") -> dict[str, object]:
    return json.loads(answer_from_rows("q", Found(sql, reader.query(sql), kind, None), reader, "llm").to_json())


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_fresh_grammar_answer_stands(reader, question):
    assert verify(by_grammar(reader, question), reader).drift == ()


def test_a_fresh_answer_over_some_videos_and_a_follow_up_stand(reader):
    talk = Conversation()
    for question in ("How many dogs are there?", "When does it appear?"):
        answer = json.loads(answer_question(reader, question, (1,), talk).to_json())
        assert verify(answer, reader).drift == ()


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT count(*) FROM tracklets", "count"),
        ("SELECT t_start, key FROM tracklets WHERE id = 2", "moment"),
        ("SELECT count(*) > 0 FROM tracklets", "yes_no"),
        ("SELECT id, key FROM tracklets ORDER BY speed", "tracklets"),
        ("SELECT x1, y1, x2, y2, tracklet_key, t FROM boxes WHERE category = 'car'", "box"),
        ("SELECT color FROM tracklets WHERE category = 'car'", "text"),
        ("SELECT text, video, t_start, t_end FROM speech", "rows"),
        ("SELECT avg(speed) FROM tracklets", "rows"),
    ],
)
def test_a_fresh_model_answer_stands_and_no_field_can_be_changed_unnoticed(reader, sql, kind):
    answer = by_model(reader, sql, kind)
    assert verify(answer, reader).ok
    changes: dict[str, object] = {
        "value": not answer["value"] if isinstance(answer["value"], bool) else 4711,
        "status": "no_evidence",
        "text": "Nothing of the kind, 99.",
        "rows": [*answer["rows"], answer["rows"][0]],
        "columns": ["x"],
        "sql": "SELECT 1",
    }
    if answer["evidence"]:
        changes["evidence"] = answer["evidence"][1:]
        changes["claims"] = []
    for field, new in changes.items():
        if field != "claims":
            tampered = answer | {field: new} | ({"claims": []} if field == "evidence" else {})
            assert not verify(tampered, reader).ok, field


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_grammar_answer_with_another_value_or_other_words_is_found_out(reader, question):
    answer = by_grammar(reader, question)
    value = answer["value"]
    other = (not value) if isinstance(value, bool) else ["x"] if isinstance(value, str) else 4711
    assert not verify(answer | {"value": other}, reader).ok
    assert not verify(answer | {"text": "All is well in the house of 12 cats."}, reader).ok


def test_what_changed_in_the_library_is_named(reader, library):
    answer = by_grammar(reader, "When does the bicycle appear?")
    connection = sqlite3.connect(library)
    with connection:
        connection.execute("UPDATE base_tracklets SET t_start = 1.5 WHERE category = 'bicycle'")
    connection.close()
    verification = verify(answer, reader)
    assert not verification.ok
    assert any("1.5" in line and line.startswith("row 1") for line in verification.drift)
    assert any(line.startswith("value: was 1.0, is 1.5") for line in verification.drift)


def test_evidence_of_a_deleted_video_is_named(reader, library):
    answer = by_model(reader, "SELECT text, video, t_start, t_end FROM speech WHERE video = 'street'", "rows")
    connection = sqlite3.connect(library)
    with connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("DELETE FROM base_videos WHERE name = 'street'")
    connection.close()
    assert "evidence 1: there is no video 'street'" in verify(answer, reader).drift


def test_evidence_is_checked_piece_by_piece(reader):
    answer = by_model(reader, "SELECT x1, y1, x2, y2, tracklet_key, t FROM boxes WHERE category = 'car'", "box")
    words = by_model(reader, "SELECT text, video, t_start, t_end FROM speech WHERE video = 'street'", "rows")
    for source, field, wrong, said in [
        (answer, "tracklet", 77, "no tracklet 77"),
        (answer, "tracklet", "1", "not a number"),
        (answer, "frame_s", 900.0, "is seen from 0 to 2 s only"),
        (answer, "start_s", "soon", "not numbers"),
        (answer, "box_xyxy_px", [1, 2, 3, 4], "the box of tracklet 1"),
        (answer, "box_xyxy_px", "all", "the box of tracklet 1"),
        (words, "quote", "Mind the cat", "does not hold the words"),
        (words, "video", "elsewhere", "no video"),
    ]:
        tampered = copy.deepcopy(source)
        tampered["evidence"][0][field] = wrong
        assert any(said in line for line in verify(tampered, reader).drift), said


@pytest.mark.parametrize(
    "hostile",
    [
        None, 7, "x", [], {}, {"sql": "DROP TABLE base_videos"}, [[[[]]]],
        {"evidence": {"a": 1}}, {"evidence": [1, 2]}, {"evidence": [{}] * 5000}, {"rows": [1]}, {"value": {"a": [1]}},
        {"value": [[1]]}, {"claims": [{"evidence": [99]}]}, {"claims": [{"evidence": "all"}]}, {"status": "fine"},
        {"evidence": [{"video": "street", "tracklet": 10**30}]}, {"evidence": [{"video": ["street"]}]},
        {"evidence": [{"video": "street", "start_s": float("nan")}]}, {"evidence": [{"video": "street\ud800"}]},
        {"sql": "SELECT 1; DROP TABLE base_videos"}, {"sql": "SELECT * FROM base_answers"}, {"sql": ""},
        {"sql": "SELECT count(*) FROM boxes a, boxes b, boxes c, boxes d, boxes e, boxes f"},
        {"sql": None}, {"question": "\x00" * 100, "value": 3},
        {"planner": "llm->grammar", "question": "x" * 50_000, "value": 3},
    ],
    ids=lambda hostile: str(hostile)[:30],
)  # fmt: skip
def test_hostile_answer_files_fail_cleanly(reader, library, hostile):
    before = hashlib.sha256(library.read_bytes()).digest()
    good = by_grammar(reader, "How many cars are there?")
    try:
        result = verify(good | hostile if isinstance(hostile, dict) and hostile else hostile, reader)
    except NotAnAnswerError as error:
        said = [str(error)]
    else:
        assert not result.ok
        said = list(result.drift)
    assert said
    assert all(isinstance(line, str) and len(line) < 2_000 for line in said)
    assert hashlib.sha256(library.read_bytes()).digest() == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1], r"expected an answer object as `ask --json` writes it \(question, .*\), got a list"),
        (None, "got null"),
        ({"name": "x"}, "`question`: expected text, got no such field; .*; and 7 more"),
        ({"sql": 1}, "`sql`: expected text or null, got a number"),
        ({"status": "fine"}, "`status`: expected one of answered, no_evidence, cannot_answer, got 'fine'"),
    ],
)
def test_json_that_is_no_answer_has_not_drifted_it_is_none(reader, content, said):
    good = by_grammar(reader, "How many cars are there?")
    whole = good | content if isinstance(content, dict) and "name" not in content else content
    with pytest.raises(NotAnAnswerError, match=said):
        verify(whole, reader)


def test_hostile_statements_in_answer_files_change_nothing(reader, library):
    before = hashlib.sha256(library.read_bytes()).digest()
    cases = (Path(__file__).parents[2] / "data" / "hostile.jsonl").read_text().splitlines()
    good = by_grammar(reader, "How many cars are there?")
    for case in map(json.loads, cases):
        if case["kind"] == "sql" and case["group"] not in ("time bomb", "size bomb"):
            assert not verify(good | {"sql": case["text"]}, reader).ok
    assert hashlib.sha256(library.read_bytes()).digest() == before


def test_numbers_are_the_same_to_one_in_a_thousand_million():
    assert same(1.0, 1.0 + 1e-10)
    assert same(3, 3.0)
    assert same([1, None, "a"], (1, None, "a"))
    assert not same(1.0, 1.0 + 1e-6)
    assert not same(True, 1)
    assert not same("1", 1)
    assert not same([1], [1, 2])
