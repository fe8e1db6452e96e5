"""The commands `videos`, `tracks` and `show`, and what the demo takes for a proven answer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from onlooker.cli import looking
from onlooker.cli.demo import QUESTIONS, DemoQuestion, is_proven
from onlooker.errors import ConfigError, NothingFoundError, UnknownNameError
from onlooker.media.images import read_picture
from onlooker.video.answer import Answer, Evidence
from onlooker.video.exchange import import_mot
from onlooker.video.store import Store


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    """Ten frames at 10 fps; track 3 is a dog that moves right, track 7 a ball at rest."""
    folder = tmp_path_factory.mktemp("cli")
    sequence = folder / "garden"
    (sequence / "gt").mkdir(parents=True)
    (sequence / "img1").mkdir()
    ini = "[Sequence]\nname=garden\nimDir=img1\nframeRate=10\nseqLength=10\nimWidth=64\nimHeight=48\nimExt=.png\n"
    (sequence / "seqinfo.ini").write_text(ini)
    (sequence / "tracks.json").write_text(json.dumps({"categories": {"3": "dog", "7": "ball"}}))
    rows = []
    for frame in range(10):
        image = np.full((48, 64, 3), 90, np.uint8)
        image[10:30, 2 + 4 * frame : 12 + 4 * frame] = (250, 0, 0)
        Image.fromarray(image).save(sequence / "img1" / f"{frame + 1:06d}.png")
        rows += [f"{frame + 1},3,{3 + 4 * frame},11,10,20,1,1,1", f"{frame + 1},7,41,31,8,8,1,1,1"]
    (sequence / "gt" / "gt.txt").write_text("\n".join(rows))
    path = folder / "cli.onlooker"
    with Store.open(path) as store:
        import_mot(store, sequence)
    return path


@pytest.fixture
def run(library, monkeypatch, tmp_path):
    """Runs a command in an empty folder; errors come through as they are."""
    app = typer.Typer()
    looking.register(app)
    monkeypatch.chdir(tmp_path)

    def call(*words: str):
        return CliRunner().invoke(app, [*words, "--library", str(library)], catch_exceptions=False)

    return call


def test_videos_lists_what_the_library_holds(run):
    (video,) = json.loads(run("videos", "--json").stdout)
    assert (video["name"], video["n_tracklets"], video["duration_s"]) == ("garden", 2, 1.0)
    assert "garden" in run("videos").stdout


def test_tracks_filters_by_category_and_names_the_known_ones(run):
    (dog,) = json.loads(run("tracks", "--category", "dog", "--json").stdout)
    assert (dog["id"], dog["t_start"], dog["direction"]) == (3, 0.0, "right")
    assert len(json.loads(run("tracks", "--video", "garden", "--json").stdout)) == 2
    with pytest.raises(NothingFoundError, match="there are: ball, dog"):
        run("tracks", "--category", "zebra")


def test_show_writes_beside_and_prints_the_path(run, tmp_path):
    assert run("show", "--kind", "sheet").stdout == "garden.sheet.png\n"
    assert (tmp_path / "garden.sheet.png").is_file()
    (shown,) = json.loads(run("show", "garden", "--kind", "report", "--json").stdout)
    assert shown == {"kind": "report", "videos": ["garden"], "path": "garden.report.html"}


def test_show_annotates_an_imported_folder_of_pictures(run, tmp_path):
    assert run("show", "-o", "out.mp4").stdout == "out.mp4\n"
    assert (tmp_path / "out.mp4").stat().st_size > 500


def test_show_cuts_the_tracklet_out_of_the_frame_of_that_moment(run, tmp_path):
    run("show", "--track", "3", "--at", "0.5", "-o", "dog.png")
    crop = read_picture(tmp_path / "dog.png")
    assert crop.shape == (20, 10, 3)
    # Pixels count from 0 or 1 by the habit of the file: a row and a column of background may come along.
    assert (crop == (250, 0, 0)).all(axis=-1).mean() > 0.8


def test_show_refuses_what_it_cannot_make(run):
    with pytest.raises(UnknownNameError, match="did you mean `sheet`"):
        run("show", "--kind", "shet")
    with pytest.raises(ConfigError, match="--kind crop"):
        run("show", "--kind", "timeline", "--at", "1")
    with pytest.raises(UnknownNameError, match="garden"):
        run("show", "gardn", "--kind", "sheet")


def test_answer_without_evidence_or_sql_does_not_pass_the_demo():
    asked = DemoQuestion("a.mp4", "How many?")
    proof = (Evidence("tracklet", "a.mp4", 1, 0.0, 1.0),)
    good = Answer("How many?", "answered", "1", 1, evidence=proof, sql="SELECT 1")
    assert is_proven(asked, good)
    assert not is_proven(asked, Answer("How many?", "answered", "1", 1, sql="SELECT 1"))
    assert not is_proven(asked, Answer("How many?", "answered", "1", 1, evidence=proof))
    assert not is_proven(asked, Answer("How many?", "cannot_answer", "?"))
    absent = DemoQuestion("a.mp4", "A giraffe?", expected="no_evidence")
    assert is_proven(absent, Answer("A giraffe?", "no_evidence", "none"))
    assert not is_proven(absent, good)


def test_demo_asks_at_least_ten_questions_of_both_videos():
    assert len(QUESTIONS) >= 10
    assert {asked.video for asked in QUESTIONS} == {"bikes.mp4", "bigbuckbunny.mp4"}
    assert any(asked.goes_on for asked in QUESTIONS)
    assert any(asked.expected == "no_evidence" for asked in QUESTIONS)
