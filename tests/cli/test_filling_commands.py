"""`ingest`, `import`, `export` and `remove`, and the round trips between them."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from onlooker.synth.clips import make_clip, moving_squares

TRACKS = "SELECT id, category, t_start, t_end, n_frames FROM tracklets ORDER BY id"
BOXES = "SELECT id, t, x1, y1, x2, y2 FROM boxes ORDER BY id, t"
FORMATS = ["mot", "coco-vid", "ytvis", "csv", "parquet", "webvtt", "cvat", "label-studio"]


def rows(run, library: Path, statement: str) -> list[list[object]]:
    return run("sql", statement, "--json", "-l", library).json["rows"]


@pytest.fixture(scope="module")
def street(run, cheap, phone_clip, tmp_path_factory) -> tuple[Path, Path, list[dict[str, object]]]:
    """A real video, the library it was read into, and the events the command printed."""
    folder = tmp_path_factory.mktemp("street")
    clip = Path(shutil.copy(phone_clip, folder))
    ran = run("ingest", clip, "--json", "-l", folder / "lib.onlooker", *cheap)
    assert (ran.code, ran.err) == (0, "")
    return clip, folder / "lib.onlooker", ran.lines


@pytest.mark.models
def test_ingest_prints_one_json_event_per_line_and_the_report_last(street):
    clip, _, events = street
    assert {event["event"] for event in events[:-1]} == {"progress"}
    for event in events[:-1]:
        assert list(event) == ["event", "video", "stage", "done", "total", "unit", "message"]
        assert event["video"] == "phone.mp4"
    tracked = [event["done"] for event in events if event.get("stage") == "track"]
    assert tracked == sorted(tracked)
    report = events[-1]
    assert (report["event"], report["status"], report["path"]) == ("done", "ready", str(clip))
    assert report["n_frames"] == 30
    assert report["n_tracklets"] >= 1
    assert report["problem"] is None


@pytest.mark.models
def test_a_man_on_the_phone_is_found_and_answered_about(run, street):
    answer = run("ask", "How many people are there?", "--json", "-l", street[1]).json
    assert answer["value"] == 1
    assert answer["models"]["detector"].startswith("ssd-mobilenet-v2@")


@pytest.mark.models
def test_second_ingest_computes_nothing_and_a_moved_file_is_found_again(run, cheap, street, tmp_path):
    clip, library, _ = street
    library = Path(shutil.copy(library, tmp_path / "lib.onlooker"))
    before = rows(run, library, BOXES)
    moved = Path(shutil.copy(clip, tmp_path / "moved.mp4"))
    ran = run("ingest", moved, "-l", library, *cheap)
    assert ran.out == "phone.mp4: already in the library, nothing to do\n"
    (video,) = run("videos", "--json", "-l", library).json
    assert (video["name"], video["path"]) == ("phone.mp4", str(moved.resolve()))
    assert rows(run, library, BOXES) == before


@pytest.mark.models
def test_an_ingest_cut_off_after_tracking_is_resumed_there(run, cheap, street, tmp_path):
    clip, library, _ = street
    library = Path(shutil.copy(library, tmp_path / "lib.onlooker"))
    before = rows(run, library, BOXES)
    connection = sqlite3.connect(library)
    with connection:
        connection.execute("UPDATE base_videos SET status = 'ingesting'")
        connection.execute("DELETE FROM base_annotator_runs WHERE annotator = 'colour'")
        connection.execute("UPDATE base_tracklets SET color = NULL")
    connection.close()
    assert run("videos", "-l", library).code == 3
    report = run("ingest", clip, "--json", "-l", library, *cheap).lines[-1]
    assert list(report["seconds"]) == ["colour"]
    assert report["status"] == "ready"
    assert rows(run, library, BOXES) == before
    assert rows(run, library, "SELECT count(color) > 0 FROM tracklets") == [[1]]


@pytest.mark.models
def test_folder_of_good_and_bad_files_reads_the_good_and_names_the_bad(run, cheap, tmp_path):
    (tmp_path / "clips" / "deep").mkdir(parents=True)
    make_clip(tmp_path / "clips" / "deep" / "good.mp4", moving_squares(3))
    (tmp_path / "clips" / "bad.mp4").write_text("no video")
    (tmp_path / "clips" / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    (tmp_path / "clips" / "notes.txt").write_text("not looked at")
    (tmp_path / "clips" / ".hidden.mp4").write_text("not looked at")
    ran = run("ingest", tmp_path / "clips", "--json", "-l", tmp_path / "lib.onlooker", *cheap)
    ended = [event for event in ran.lines if event["event"] != "progress"]
    assert [(Path(e["path"]).name, e["event"]) for e in ended] == [
        ("bad.mp4", "error"), ("good.mp4", "done"), ("gone.mp4", "error"),
    ]  # fmt: skip
    assert ended[0]["error"] == "NotAVideoError"
    assert ran.code == 1
    assert "2 of 3 files could not be read" in ran.err
    assert [v["name"] for v in run("videos", "--json", "-l", tmp_path / "lib.onlooker").json] == ["good.mp4"]


def test_ingest_refuses_settings_that_make_no_sense_before_any_work(run, tmp_path):
    clip = make_clip(tmp_path / "a.mp4", moving_squares(2))
    library = tmp_path / "lib.onlooker"
    for words, code, said in (
        (["--profile", "bundeld"], 2, "did you mean `bundled`?"),
        (["--set", "detector"], 1, "expected ROLE=NAME"),
        (["--set", "detektor=none"], 2, "did you mean `detector`?"),
        (["--set", "detector=ssd"], 2, "unknown"),
        (["--set", "detector=ssd-mobilenet-v2:threshhold=1"], 1, "threshhold"),
        (["--set", "detector=ssd-mobilenet-v2:tiles=often"], 1, "tiles"),
        (["--device", "cuad"], 1, "the device `cuad` cannot be used"),
        (["--detector-hz", "0"], 1, "detector_hz"),
        (["--detector-hz", "nan"], 1, "detector_hz"),
    ):
        ran = run("ingest", clip, "-l", library, *words)
        assert (words, ran.code) == (words, code)
        assert said in ran.error
    assert run("ingest", clip, "--detector-hz", "often", "-l", library).code == 2


def test_import_says_what_came_and_keeps_track_numbers(run, sequence, tmp_path):
    library = tmp_path / "lib.onlooker"
    assert run("import", "mot", sequence, "-l", library).out == "yard: 3 tracklets, 40 boxes\n"
    again = run("import", "mot", sequence, "-l", library)
    assert again.out == "yard: 3 tracklets, 40 boxes (already in the library)\n"
    assert rows(run, library, TRACKS) == [
        [3, "person", 0.0, 1.9, 20], [7, "dog", 0.5, 1.4, 10], [9, "car", 0.0, 0.9, 10],
    ]  # fmt: skip
    (video,) = run("import", "mot", sequence, "--json", "-l", tmp_path / "b").json["videos"]
    assert (video["name"], video["n_tracklets"], video["unchanged"]) == ("yard", 3, False)


def test_import_refuses_unknown_formats_and_options_of_other_formats(run, sequence, tmp_path):
    library = tmp_path / "lib.onlooker"
    ran = run("import", "mott", sequence, "-l", library)
    assert ran.code == 2
    assert "did you mean `mot`?" in ran.error
    assert "belongs to coco-vid" in run("import", "mot", sequence, "--fps", "5", "-l", library).error
    file = tmp_path / "a.json"
    file.write_text("{}")
    assert "belongs to mot" in run("import", "ytvis", file, "--name", "x", "-l", library).error
    assert run("import", "mot", tmp_path / "none", "-l", library).code == 2
    assert not library.exists()
    assert run("import", "mot", sequence, "-l", library).code == 0
    assert run("import", "ytvis", file, "-l", library).code == 1
    assert library.exists()  # with what it held before


@pytest.mark.parametrize("form", FORMATS)
def test_export_writes_the_files_it_names(run, shared_library, tmp_path, form):
    target = tmp_path / "out"
    ran = run("export", form, target, "--json", "-l", shared_library)
    assert ran.code == 0
    files = [Path(file) for file in ran.json]
    assert files
    assert all(file.is_file() for file in files)
    if form == "csv":
        with files[0].open(newline="") as text:
            assert [row["id"] for row in csv.DictReader(text)] == ["3", "7", "9"]
    elif form == "parquet":
        import pyarrow.parquet as parquet

        assert parquet.read_table(files[0]).column("id").to_pylist() == [3, 7, 9]
    elif form == "cvat":
        assert len(ElementTree.parse(files[0]).getroot().findall("track")) == 3
    elif form == "webvtt":
        assert files[0].read_text().startswith("WEBVTT\n")
    elif form != "mot":
        assert json.loads(files[0].read_text())


@pytest.mark.parametrize("form", ["mots", "davis"])
def test_export_of_masks_that_nobody_made_says_how_to_make_them(run, shared_library, tmp_path, form):
    ran = run("export", form, tmp_path / "out", "-l", shared_library)
    assert ran.code == 3
    assert "--set segmenter=" in ran.error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", ["mot", "coco-vid", "ytvis"])
def test_export_and_import_give_the_same_tracks_again(run, shared_library, tmp_path, form):
    written = run("export", form, tmp_path / "out", "--json", "-l", shared_library)
    source = tmp_path / "out" if form == "mot" else written.json[0]
    back = tmp_path / "back.onlooker"
    assert run("import", form, source, "-l", back).code == 0
    assert rows(run, back, TRACKS) == [pytest.approx(row) for row in rows(run, shared_library, TRACKS)]
    assert rows(run, back, BOXES) == [pytest.approx(row) for row in rows(run, shared_library, BOXES)]
    question = ("ask", "When does the dog first appear?", "--json", "-l")
    assert run(*question, back).json["value"] == run(*question, shared_library).json["value"] == 0.5


def test_export_fails_in_one_line(run, shared_library, tmp_path):
    assert run("export", "moot", tmp_path / "x", "-l", shared_library).code == 2
    assert run("export", "mot", tmp_path / "x", "--video", "barn", "-l", shared_library).code == 2
    (tmp_path / "file").write_text("mine")
    for form in FORMATS:
        ran = run("export", form, tmp_path / "file" / "below", "-l", shared_library)
        assert (form, ran.code) == (form, 1)
        assert ran.error
    assert (tmp_path / "file").read_text() == "mine"


def test_remove_takes_a_video_and_its_answers_and_nothing_else(run, library, sequence, tmp_path):
    other = tmp_path / "barn"
    shutil.copytree(sequence, other)
    (other / "gt" / "gt.txt").write_text("1,1,5,5,10,10,1,1,1")
    assert run("import", "mot", other, "--name", "barn", "-l", library).code == 0
    run("ask", "How many dogs are there?", "--video", "yard", "-l", library)
    assert run("remove", "yrad", "-l", library).code == 2
    assert run("remove", "yard", "-l", library).out == "removed yard\n"
    assert [v["name"] for v in run("videos", "--json", "-l", library).json] == ["barn"]
    connection = sqlite3.connect(library)
    cited = """SELECT question FROM base_answers WHERE answer_json LIKE '%"video": "yard"%'"""
    kept = connection.execute(cited).fetchall()
    connection.close()
    assert kept == []
    assert run("remove", "barn", "-l", library).code == 0
    assert run("videos", "--json", "-l", library).code == 3
    assert run("ask", "How many dogs are there?", "-l", library).code == 3
