"""`ask`, `chat`, `search`, `sql` and `verify-answer`, from the words typed to what is printed."""

from __future__ import annotations

import json

import pytest
from PIL import Image

FIELDS = [
    "question", "status", "text", "value", "unit", "claims", "evidence", "sql", "columns", "rows", "planner",
    "confidence", "models", "elapsed_ms", "answer_id",
]  # fmt: skip
EVIDENCE_FIELDS = ["kind", "video", "tracklet", "start_s", "end_s", "frame_s", "box_xyxy_px", "quote"]


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("How many dogs are there?", 1),
        ("How many cars are visible at 1.5 seconds?", 0),
        ("When does the dog first appear?", 0.5),
        ("How long is the dog visible?", 1.0),
        ("Is there a car?", True),
        ("Is there a giraffe?", False),
        ("Which object is the fastest?", [9]),
        ("Where is the person at 1 second?", [30.0, 40.0, 50.0, 90.0]),
        ("Which direction does the car move?", "left"),
    ],
)
def test_value_has_the_type_of_its_question(run, shared_library, question, value):
    ran = run("ask", question, "--json", "-l", shared_library)
    answer = ran.json
    assert list(answer) == FIELDS
    assert type(answer["value"]) is type(value)
    assert answer["value"] == pytest.approx(value)
    assert ran.code == (0 if answer["status"] == "answered" else 3)
    assert answer["status"] == ("no_evidence" if value is False else "answered")
    assert answer["question"] == question
    assert answer["sql"].startswith("SELECT")
    assert all(len(row) == len(answer["columns"]) for row in answer["rows"])
    for item in answer["evidence"]:
        assert list(item) == EVIDENCE_FIELDS
        assert item["video"] == "yard"
    assert all(0 <= i < len(answer["evidence"]) for claim in answer["claims"] for i in claim["evidence"])
    assert ran.err == ""
    assert ran.out.count("\n") == 1


def test_people_read_the_answer_and_its_evidence(run, shared_library):
    ran = run("ask", "When does the dog first appear?", "-l", shared_library)
    text, evidence = ran.out.splitlines()[:2]
    assert "0.5 s" in text
    assert evidence.startswith("  [1] yard  tracklet 7  0.50-1.40 s")
    why = run("ask", "When does the dog first appear?", "--why", "-l", shared_library)
    assert "SELECT" in why.out
    assert "SELECT" not in ran.out


def test_ask_reads_a_question_from_standard_input(run, shared_library):
    assert run("ask", "-", "--json", "-l", shared_library, stdin="How many dogs are there?\n").json["value"] == 1


def test_unknown_video_is_a_usage_error_that_names_the_nearest(run, shared_library):
    for command in (["ask", "How many dogs?"], ["tracks"], ["search", "dog"]):
        ran = run(*command, "--video", "yrad", "-l", shared_library)
        assert ran.code == 2
        assert ran.error == "error: unknown video `yrad`; did you mean `yard`?"


def test_unknown_planner_is_refused(run, shared_library):
    assert "grammar or llm" in run("ask", "x", "--planner", "magic", "-l", shared_library).error
    assert "--base-url" in run("ask", "x", "--planner", "llm", "-l", shared_library).error


def test_chat_follows_up_until_an_empty_line(run, shared_library):
    talk = (
        "When does the dog first appear?\nHow long is it visible?\n\nHow long is it visible?\nHow many cars are there?"
    )
    first, second, fresh, last = run("chat", "--json", "-l", shared_library, stdin=talk).lines
    assert [list(answer) for answer in (first, second, fresh, last)] == [FIELDS] * 4
    assert (first["value"], second["value"], last["value"]) == (0.5, pytest.approx(1.0), 1)
    assert fresh["value"] != pytest.approx(1.0), "`it` of an earlier conversation was remembered"


def test_chat_speaks_unicode_through_pipes_whatever_the_locale(process, shared_library):
    talk = (
        "Is there a 🦒?\r\nGibt es hier Füchse?\n有多少人？\n".encode() + b"\xff\xfe broken\nHow many dogs are there?"
    )
    ran = process("chat", "--json", "-l", shared_library, stdin=talk, LC_ALL="POSIX", PYTHONIOENCODING="latin-1")
    assert ran.code == 0, ran.err
    answers = ran.lines
    assert [a["question"] for a in answers[:3]] == ["Is there a 🦒?", "Gibt es hier Füchse?", "有多少人？"]
    assert (len(answers), answers[4]["value"]) == (5, 1)


def test_chat_answers_each_line_before_the_next_is_written(shared_library):
    import subprocess
    import sys

    words = [sys.executable, "-c", "from onlooker.cli.app import main; main()", "chat", "--json", "-l"]
    with subprocess.Popen([*words, str(shared_library)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as chat:
        for question, value in ((b"How many dogs are there?\n", 1), (b"When does it first appear?\n", 0.5)):
            chat.stdin.write(question)
            chat.stdin.flush()
            assert json.loads(chat.stdout.readline())["value"] == value
        chat.stdin.close()
        assert chat.wait(timeout=30) == 0


def test_a_reader_that_goes_away_leaves_no_traceback(shared_library):
    import subprocess
    import sys

    words = [sys.executable, "-c", "from onlooker.cli.app import main; main()", "chat", "-l", str(shared_library)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as chat:
        chat.stdout.close()
        chat.stdin.write(b"How many dogs are there?\n" * 20)
        chat.stdin.close()
        assert b"Traceback" not in chat.stderr.read()
        assert chat.wait(timeout=30) == 1


def test_sql_prints_rows_for_people_and_programs(run, shared_library):
    statement = "SELECT id, category FROM tracklets ORDER BY id"
    ran = run("sql", statement, "--json", "-l", shared_library)
    assert ran.json == {"columns": ["id", "category"], "rows": [[3, "person"], [7, "dog"], [9, "car"]]}
    assert run("sql", "-", "--json", "-l", shared_library, stdin=statement).json == ran.json
    assert [line.split() for line in run("sql", statement, "-l", shared_library).out.splitlines()] == [
        ["id", "category"], ["3", "person"], ["7", "dog"], ["9", "car"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    ["", "DROP TABLE base_videos", "SELECT 1; SELECT 2", "SELECT * FROM base_videos", "PRAGMA user_version", "SELEC",
     "SELECT nope FROM tracklets", "\x00", "SELECT " + "(" * 3000 + "1" + ")" * 3000, "SELECT x'00'",
     "ATTACH DATABASE '/etc/passwd' AS p", "SELECT load_extension('x')", "SELECT \udc80"],
)  # fmt: skip
def test_sql_refuses_what_is_no_read_of_the_views(run, shared_library, statement):
    before = shared_library.read_bytes()
    ran = run("sql", statement, "-l", shared_library)
    assert ran.code == 1
    assert ran.error
    assert shared_library.read_bytes() == before


def test_verify_answer_tells_a_true_answer_from_a_tampered_one(run, shared_library, tmp_path):
    answer = run("ask", "How many dogs are there?", "--json", "-l", shared_library).json
    file = tmp_path / "answer.json"
    file.write_text(json.dumps(answer))
    ran = run("verify-answer", file, "--json", "-l", shared_library)
    assert (ran.code, ran.json) == (0, {"ok": True, "drift": []})
    assert run("verify-answer", file, "-l", shared_library).out == "the answer stands\n"
    for change in ({"value": 2}, {"rows": [[2]]}, {"sql": "DELETE FROM tracklets"}, {"text": "No \x1b[31mdogs."}):
        file.write_text(json.dumps({**answer, **change}))
        ran = run("verify-answer", file, "-l", shared_library)
        assert ran.code == 1
        assert ran.out.startswith("the answer has drifted:\n")
        assert "\x1b" not in ran.out


@pytest.mark.parametrize(
    "content", [b"", b"no json", b"\xff\xfe", b"[" * 100_000, b"[]", b"null", b'{"sql": 1}', b"1e999"]
)
def test_verify_answer_survives_any_file(run, shared_library, tmp_path, content):
    file = tmp_path / "answer.json"
    file.write_bytes(content)
    ran = run("verify-answer", file, "-l", shared_library)
    assert ran.code == 2
    assert "as `ask --json` writes it" in ran.error


@pytest.fixture(scope="module")
def searchable(run, tmp_path_factory, phone_clip):
    """A library whose tracklets have vectors."""
    path = tmp_path_factory.mktemp("searchable") / "lib.onlooker"
    off = [
        word for role in ("tagger", "transcriber", "text_reader", "sound_tagger") for word in ("--set", f"{role}=none")
    ]
    assert run("ingest", phone_clip, "-l", path, *off).code == 0
    return path


@pytest.mark.models
def test_search_by_words_and_by_picture_ranks_hits(run, searchable, tmp_path):
    hits = run("search", "person", "--json", "-l", searchable, "--top", "3").json
    assert 1 <= len(hits) <= 3
    assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)
    assert hits[0]["video"] == "phone.mp4"
    assert "phone" in run("search", "person", "-l", searchable).out
    assert run("show", "--track", "1", "-o", tmp_path / "crop.jpg", "-l", searchable).code == 0
    nearest = run("search", "--example", tmp_path / "crop.jpg", "--json", "-l", searchable).json[0]
    assert nearest["tracklet"] == 1
    ran = run("search", "giraffe", "--min-score", "0.9", "--json", "-l", searchable)
    assert (ran.code, ran.json) == (3, [])


@pytest.mark.slow
@pytest.mark.models
def test_search_refuses_what_it_cannot_look_for(run, searchable, tmp_path):
    assert "either a text or --example" in run("search", "-l", searchable).error
    assert "either a text or --example" in run("search", "x", "--example", tmp_path, "-l", searchable).error
    for name, content in (("text.jpg", b"hello"), ("empty.jpg", b"")):
        (tmp_path / name).write_bytes(content)
        ran = run("search", "--example", tmp_path / name, "-l", searchable)
        assert ran.code == 1
        assert name in ran.error
    assert run("search", "--example", tmp_path / "none.jpg", "-l", searchable).code == 1
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    assert run("search", "--example", tmp_path / "dot.png", "-l", searchable).code in (0, 3)
    for words in ("\x00", "x" * 20_000, "\udc80", "'; DROP TABLE x", "🚲", "\x1b[31m"):
        ran = run("search", words, "-l", searchable)
        assert ran.code in (0, 3)
        assert "\x1b" not in ran.out + ran.err
