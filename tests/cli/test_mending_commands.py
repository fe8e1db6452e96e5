"""`edit`, `models`, `doctor` and `db`; answers follow edits. Also every kind of `show`, by the words typed."""

from __future__ import annotations

import json
import shutil
import sqlite3

import av
import pytest
from PIL import Image


def asked(run, library, question):
    return run("ask", question, "--json", "-l", library).json["value"]


def test_rename_gives_a_name_that_questions_use_and_takes_it_away_again(run, library):
    assert run("edit", "rename", "yard", "3", "Anna", "-l", library).out == "tracklet 3 is called Anna\n"
    assert asked(run, library, "When does Anna first appear?") == 0.0
    assert asked(run, library, "Which direction does Anna move?") == "right"
    assert run("edit", "rename", "yard", "3", "", "-l", library).out == "tracklet 3 has no name now\n"
    assert run("tracks", "--json", "-l", library).json[0]["label"] is None


def test_relabel_moves_a_tracklet_to_another_category(run, library):
    assert run("edit", "relabel", "yard", "9", "truck", "-l", library).out == "tracklet 9 is a truck\n"
    assert asked(run, library, "How many trucks are there?") == 1
    assert run("ask", "How many cars are there?", "-l", library).code == 3


def test_split_and_merge_are_each_others_undoing(run, library):
    ran = run("edit", "split", "yard", "3", "--at", "1.0", "-l", library)
    assert ran.out == "tracklet 3 from 1 s on is now tracklet 10\n"
    assert asked(run, library, "How many people are there?") == 2
    assert asked(run, library, "When does person 10 first appear?") == 1.0
    assert run("edit", "merge", "yard", "3", "10", "-l", library).out == "2 tracklets are now tracklet 3\n"
    assert asked(run, library, "How many people are there?") == 1
    assert asked(run, library, "How long is person 3 visible?") == pytest.approx(2.0)


def test_delete_takes_a_tracklet_away(run, library):
    assert run("edit", "delete", "yard", "7", "-l", library).out == "tracklet 7 is gone\n"
    assert run("ask", "How many dogs are there?", "-l", library).code == 3
    assert [row["id"] for row in run("tracks", "--json", "-l", library).json] == [3, 9]


@pytest.mark.parametrize("number", ["99999999999999999999999", "-1", "1e3", "٣x"])
def test_numbers_no_tracklet_can_have_are_wrong_use(run, library, number):
    for words in (["delete", "yard", number], ["rename", "yard", number, "x"], ["merge", "yard", "3", number]):
        assert run("edit", *words, "-l", library).code == 2
    assert len(run("tracks", "--json", "-l", library).json) == 3


def test_log_lists_edits_in_order_and_verify_answer_sees_them(run, library, tmp_path):
    answer = tmp_path / "answer.json"
    answer.write_text(run("ask", "How many dogs are there?", "--json", "-l", library).out)
    run("edit", "rename", "yard", "3", "\x1b[31mEve", "-l", library)
    run("edit", "delete", "yard", "7", "-l", library)
    entries = run("edit", "log", "--json", "-l", library).json
    assert [(e["video"], e["kind"]) for e in entries] == [("yard", "rename"), ("yard", "delete")]
    table = run("edit", "log", "-l", library).out
    assert "Eve" in table
    assert "\x1b" not in table
    assert run("verify-answer", answer, "-l", library).code == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["merge", "yard", "3"], 1, "two"),
        (["merge", "yard", "3", "4"], 2, "unknown tracklet `4`"),
        (["merge", "yrad", "3", "7"], 2, "did you mean `yard`?"),
        (["split", "yard", "3", "--at", "99"], 1, ""),
        (["split", "yard", "3", "--at", "nan"], 1, ""),
        (["split", "yard", "77", "--at", "1"], 2, "unknown tracklet `77`"),
        (["rename", "yard", "77", "Bob"], 2, "unknown tracklet `77`"),
        (["relabel", "yard", "3", " "], 1, "category"),
    ],
)
def test_wrong_edits_change_nothing(run, library, words, code, said):
    before = run("tracks", "--json", "-l", library).json
    ran = run("edit", *words, "-l", library)
    assert ran.code == code
    assert said in ran.error
    assert run("tracks", "--json", "-l", library).json == before
    assert run("edit", "log", "--json", "-l", library).json == []


@pytest.mark.parametrize("kind", ["video", "sheet", "timeline", "report", "crop"])
def test_show_writes_a_file_that_opens(run, shared_library, tmp_path, kind):
    words = ["--track", "3"] if kind == "crop" else []
    ran = run("show", "yard", "--kind", kind, *words, "-o", tmp_path, "--json", "-l", shared_library)
    assert ran.code == 0, ran.err
    (shown,) = ran.json
    assert (shown["kind"], shown["videos"]) == (kind, ["yard"])
    if kind == "video":
        with av.open(shown["path"]) as container:
            assert sum(1 for _ in container.decode(video=0)) == 20
    elif kind == "report":
        page = (tmp_path / "yard.report.html").read_text()
        assert page.lstrip().lower().startswith("<!doctype html>")
        assert "yard" in page
    else:
        with Image.open(shown["path"]) as picture:
            picture.load()
            assert min(picture.size) >= 16


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--kind", "vidoe"], 2), (["barn"], 2), (["--kind", "sheet", "--track", "3"], 1), (["--track", "77"], 2),
        (["--track", "7", "--at", "0.1"], 3), (["--at", "nan"], 1), (["--at", "1e300"], 1), (["-o", "no/such/x"], 1),
        (["--kind", "crop"], 1), (["--source", "gone.mp4"], 1),
    ],
)  # fmt: skip
def test_show_fails_in_one_line_and_leaves_nothing(run, shared_library, tmp_path, monkeypatch, words, code):
    monkeypatch.chdir(tmp_path)
    ran = run("show", *words, "-l", shared_library)
    assert (ran.code, list(tmp_path.iterdir())) == (code, [])
    assert ran.error


def test_models_list_names_a_model_for_every_role(run):
    models = run("models", "list", "--json").json
    assert {m["role"] for m in models if m["profile"] == "bundled"} >= {"detector", "tagger", "transcriber"}
    assert all(model["code_licence"] for model in models)
    assert "ssd-mobilenet-v2" in run("models", "list").out


@pytest.mark.models
def test_models_verify_and_doctor_find_this_installation_sound(run, library):
    verified = run("models", "verify", "--json")
    assert verified.code == 0
    sound = {m["name"] for m in verified.json if m["verified"]}
    assert sound >= {"ssd-mobilenet-v2", "minilm-l6-v2", "whisper-tiny.en"}
    ran = run("doctor", "--json", "-l", library)
    assert [check for check in ran.json if check["verdict"] == "problem"] == []
    assert ran.code == 0
    assert {"python", "cv2", "codecs", "disk", "library"} <= {check["name"] for check in ran.json}


def test_doctor_reports_a_broken_library_as_a_row(run, tmp_path, monkeypatch):
    monkeypatch.setattr("onlooker.models.inventory.verify_models", lambda profile=None: [])
    (tmp_path / "lib").write_text("no library at all" * 100)
    ran = run("doctor", "--json", "-l", tmp_path / "lib")
    (row,) = [check for check in ran.json if check["name"] == "library"]
    assert (ran.code, row["verdict"]) == (1, "problem")
    assert "not an Onlooker library" in row["found"]


def test_models_pull_refuses_unknown_names_and_the_network_when_offline(run):
    assert run("models", "pull", "no-such-model").code == 2
    ran = run("models", "pull", "rtdetr-v2-r18", "--offline")
    assert ran.code == 1
    assert ran.error


def test_backup_is_a_library_and_never_overwrites(run, library, tmp_path):
    copy = tmp_path / "copy.onlooker"
    assert run("db", "backup", copy, "-l", library).out == f"{copy}\n"
    assert asked(run, copy, "How many dogs are there?") == 1
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    for target in (mine, library, tmp_path, tmp_path / "no" / "folder" / "x"):
        assert run("db", "backup", target, "-l", library).code == 1
    assert mine.read_text() == "mine"
    assert asked(run, library, "How many dogs are there?") == 1


def test_migrate_gc_and_info_keep_what_is_there(run, library):
    assert "up to date" in run("db", "migrate", "-l", library).out
    run("remove", "yard", "-l", library)
    ran = run("db", "gc", "-l", library)
    assert ran.out.endswith("MiB given back\n")
    info = run("db", "info", "--json", "-l", library).json
    assert info["n_free_bytes"] == 0
    assert {t["table"]: t["n_rows"] for t in info["tables"]}["base_videos"] == 0
    assert "base_tracklets" in run("db", "info", "-l", library).out


@pytest.mark.parametrize(
    "words",
    [["db", "info"], ["db", "migrate"], ["db", "gc"], ["db", "backup", "copy"], ["edit", "log"], ["videos"],
     ["edit", "delete", "yard", "7"], ["ask", "How many dogs are there?"], ["remove", "yard"]],
)  # fmt: skip
def test_an_empty_file_is_no_library_and_stays_empty(run, tmp_path, words):
    empty = tmp_path / "empty.onlooker"
    empty.touch()
    ran = run(*words, "-l", empty)
    assert ran.code == 1
    assert "no library" in ran.error or "not a library" in ran.error
    assert [p.name for p in tmp_path.iterdir()] == ["empty.onlooker"]
    assert empty.stat().st_size == 0


def test_changes_come_back_as_json_when_asked(run, library, tmp_path):
    def changed(*words):
        return run(*words, "--json", "-l", library).json

    split = changed("edit", "split", "yard", "3", "--at", "1.0")
    assert (split["video"], split["kind"]) == ("yard", "split")
    assert split["detail"] == {"tracklet": 3, "at_s": 1.0, "new": 10}
    assert changed("edit", "merge", "yard", "3", "10")["detail"] == {"into": 3, "merged": [10]}
    assert changed("edit", "rename", "yard", "3", "Anna")["detail"] == {"tracklet": 3, "label": "Anna"}
    relabelled = changed("edit", "relabel", "yard", "9", "truck")
    assert relabelled["detail"] == {"tracklet": 9, "from": "car", "to": "truck"}
    deleted = changed("edit", "delete", "yard", "7")
    assert deleted["detail"] == {"tracklet": 7}
    log = run("edit", "log", "--json", "-l", library).json
    assert [entry["kind"] for entry in log] == ["split", "merge", "rename", "relabel", "delete"]
    assert log[3:] == [relabelled, deleted]
    copy = tmp_path / "copy.onlooker"
    assert changed("db", "backup", copy) == {"backup": str(copy), "n_bytes": copy.stat().st_size}
    assert changed("db", "migrate")["schema_version"] >= 1
    assert changed("remove", "yard") == {"removed": ["yard"]}
    assert list(changed("db", "gc")) == ["n_bytes_given_back"]


def test_a_question_brings_the_views_of_an_older_library_up_to_date(run, library):
    connection = sqlite3.connect(library)
    with connection:
        connection.execute("DROP VIEW peaks")
        connection.execute("UPDATE base_meta SET value = 'older' WHERE key = 'views'")
    connection.close()
    assert asked(run, library, "How many dogs are there?") == 1
    (video,) = run("videos", "--json", "-l", library).json
    assert video["n_tracklets"] == 3


def test_a_damaged_library_is_named_as_such(run, library, tmp_path):
    data = bytearray(library.read_bytes())
    data[4096:] = bytes(len(data) - 4096)
    broken = tmp_path / "broken.onlooker"
    broken.write_bytes(data)
    cut = tmp_path / "cut.onlooker"
    cut.write_bytes(library.read_bytes()[:5000])
    for path in (broken, cut):
        for words in (["ask", "How many dogs are there?"], ["videos"], ["tracks"], ["db", "info"], ["db", "gc"]):
            ran = run(*words, "-l", path)
            assert ran.code in (1, 3)
            assert ran.error
    shutil.rmtree(tmp_path / "none", ignore_errors=True)
    assert json.loads(run("tracks", "--json", "-l", library).out)
