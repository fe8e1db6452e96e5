"""`onlooker verify`: output, exit codes, files left behind."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from authenticity_doubles import jpeg, moving, scene, write_clip
from PIL import Image as Pil

__all__ = ["write_clip"]
_STATUS_CODES = {"manipulation_suspected": 0, "nothing_found": 0, "not_judged": 3}


def test_one_picture_gives_one_verdict_and_the_exit_code_of_its_status(run, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(scene(200, 240)))
    ran = run("verify", tmp_path / "a.jpg", "--json")
    assert ran.json["file"] == str(tmp_path / "a.jpg")
    assert ran.json["kind"] == "image"
    assert ran.code == _STATUS_CODES[ran.json["status"]]
    assert {one["name"] for one in ran.json["evidence"]} >= {"media_forensics", "double_quantisation", "metadata"}
    words = run("verify", tmp_path / "a.jpg")
    assert words.code == ran.code
    assert words.out.startswith(f"{tmp_path / 'a.jpg'}: ")
    assert "authentic" not in words.out.lower()


def test_a_picture_nothing_can_judge_exits_with_three(run, tmp_path: Path) -> None:
    Pil.new("RGB", (7, 7)).save(tmp_path / "tiny.png")
    ran = run("verify", tmp_path / "tiny.png")
    assert ran.code == 3
    assert "not judged" in ran.out
    assert "7x7" in ran.out


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("words.jpg", b"words", "neither a picture nor a video"),
        ("empty.png", b"", "empty"),
        ("cut.jpg", jpeg(scene())[:2000], "damaged or cut off"),
    ],
)
def test_files_that_cannot_be_read_exit_with_one(run, tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    ran = run("verify", tmp_path / name)
    assert ran.code == 1
    assert said in ran.error


def test_a_missing_file_and_an_unknown_judge_are_told(run, tmp_path: Path) -> None:
    assert "there is no file" in run("verify", tmp_path / "gone.jpg").error
    (tmp_path / "a.jpg").write_bytes(jpeg(scene()))
    ran = run("verify", tmp_path / "a.jpg", "--judge", "m2rt:weights=x")
    assert ran.code == 2
    assert "m2tr" in ran.error
    assert run("verify", tmp_path / "a.jpg", "--judge", "m2tr").code == 1
    assert run("verify", tmp_path / "a.jpg", "--judge", "judge=m2tr:weights=x").code == 2


def test_of_several_files_the_readable_ones_are_judged_and_the_worst_is_the_exit_code(run, tmp_path: Path) -> None:
    (tmp_path / "words.jpg").write_text("words")
    Pil.new("RGB", (7, 7)).save(tmp_path / "tiny.png")
    ran = run("verify", tmp_path / "words.jpg", tmp_path / "tiny.png", "--json", "--output", tmp_path / "out")
    assert ran.code == 1
    assert [one["status"] for one in ran.lines] == ["not_judged"]
    assert "neither" in ran.err
    assert (tmp_path / "out" / "tiny.png" / "verdict.json").is_file()


def test_a_video_leaves_its_verdict_and_facts(run, tmp_path: Path, write_clip) -> None:
    path = write_clip(moving(30), "walk.mp4")
    ran = run("verify", path, "--every", "0.5", "--output", tmp_path / "out", "--json")
    assert ran.code == _STATUS_CODES[ran.json["status"]]
    assert ran.json["kind"] == "video"
    facts = {one["name"]: one["value"] for one in ran.json["facts"]}
    assert facts["looks"] == 3
    assert facts["codec"].startswith("h264")
    assert json.loads((tmp_path / "out" / "verdict.json").read_text())["status"] == ran.json["status"]


def test_a_library_must_exist(run, tmp_path: Path, write_clip) -> None:
    path = write_clip(moving(5), "walk.mp4")
    ran = run("verify", path, "--library", tmp_path / "none.onlooker")
    assert ran.code == 1
    assert "none.onlooker" in ran.error


def test_output_must_be_a_folder(run, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(scene()))
    ran = run("verify", tmp_path / "a.jpg", "--output", tmp_path / "a.jpg")
    assert ran.code == 1
    assert "expected a folder" in ran.error


def test_odd_names_do_not_reach_the_terminal(run, tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m.png"
    Pil.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)
    assert "\x1b" not in run("verify", path).out
