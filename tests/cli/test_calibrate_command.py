"""`onlooker calibrate`: from a judge nobody measured to one that counts in a verdict, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

import onlooker

SIDE = 48


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    onlooker.build("objectformer", config="tiny", seed=1).save_pretrained(folder)
    return folder


@pytest.fixture
def judge(weights: Path, tmp_path: Path) -> str:
    return f"objectformer:weights={shutil.copytree(weights, tmp_path / 'judge')},view=resize"


def pictures(folder: Path, n: int, seed: int, *, is_noisy: bool = False) -> Path:
    """Soft colours; the noisy ones are what a forgery is here."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    for k in range(n):
        soft = np.linspace(0, 1, SIDE)[:, None, None] * rng.uniform(40, 200, 3) + rng.uniform(0, 50, 3)
        grains = rng.normal(0, 40 if is_noisy else 2, (SIDE, SIDE, 3))
        Pil.fromarray(np.clip(soft + grains, 0, 255).astype(np.uint8)).save(folder / f"{k:02}.png")
    return folder


def test_a_measured_judge_counts_in_the_next_verdict(run, tmp_path: Path, judge: str) -> None:
    mine, fakes = pictures(tmp_path / "mine", 34, 0), pictures(tmp_path / "fakes", 30, 1, is_noisy=True)
    before = run("verify", mine / "00.png", "--judge", judge, "--json").json
    assert before["status"] == "not_judged"
    ran = run("calibrate", judge, "--untouched", mine, "--forged", fakes, "--false-alarms", "0.2", "--json")
    assert ran.code == 0
    assert ran.json["kinds"]["image"]["n_untouched"] == 22
    assert ran.json["false_alarm_rate"] <= 0.2
    assert ran.json["n_forged"] == 20
    written = json.loads((tmp_path / "judge" / "calibration.json").read_text())
    assert written["measured"]["threshold"] == ran.json["threshold"]
    assert str(tmp_path) not in json.dumps(written)  # names, no paths
    after = run("verify", mine / "00.png", "--judge", judge, "--json").json
    assert after["status"] in ("nothing_found", "manipulation_suspected")
    assert after["false_alarm_rate"] == pytest.approx(ran.json["false_alarm_rate"], abs=1e-6)
    assert after["threshold"] == pytest.approx(ran.json["threshold"], abs=1e-6)
    assert "of the folder `mine`" in after["tested_on"]


def test_words_say_what_was_measured_and_what_was_kept(run, tmp_path: Path, judge: str) -> None:
    mine = pictures(tmp_path / "mine", 5, 0)
    (mine / "notes.txt").write_text("words")
    (tmp_path / "judge" / "calibration.json").write_text('{"threshold": 0.4}')
    ran = run("calibrate", judge, "--untouched", mine, "--false-alarms", "0.5")
    assert ran.code == 0
    assert "0 of 5 untouched pictures reach that; of all such pictures at most 45.1 in 100" in ran.out
    assert "what was there is calibration-1.json" in ran.out
    assert "1 untouched files were left out: neither a picture nor a video" in ran.err
    again = run("calibrate", judge, "--untouched", mine, "--false-alarms", "0.5", "--output", tmp_path / "o" / "c.json")
    assert f"wrote {tmp_path / 'o' / 'c.json'}" in again.out
    assert (tmp_path / "o" / "c.json").read_text() == (tmp_path / "judge" / "calibration.json").read_text()


@pytest.mark.models
def test_faces_are_cut_as_verify_cuts_them(run, tmp_path: Path) -> None:
    """A judge of faces, with the real finder, on variants of one portrait."""
    from onlooker.weights.verify import package_folder

    package = package_folder("matplotlib")
    assert package is not None
    (tmp_path / "mine").mkdir()
    with Pil.open(package / "mpl-data" / "sample_data" / "grace_hopper.jpg") as opened:
        portrait = opened.convert("RGB").crop((120, 60, 420, 400))
    for k in range(5):
        portrait.resize((200 + 5 * k, 230)).save(tmp_path / "mine" / f"{k}.jpg")
    Pil.new("RGB", (90, 90), (30, 90, 200)).save(tmp_path / "mine" / "sky.png")
    onlooker.build("m2tr", config="tiny", seed=1).save_pretrained(tmp_path / "judge")
    judge = f"m2tr:weights={tmp_path / 'judge'}"
    ran = run("calibrate", judge, "--untouched", tmp_path / "mine", "--false-alarms", "0.5", "--json")
    assert (ran.json["kinds"]["image"]["n_untouched"], ran.json["n_forged"]) == (5, 0)
    assert any("1 untouched files were left out: no face was found" in note for note in ran.json["notes"])
    verdict = run("verify", tmp_path / "mine" / "0.jpg", "--judge", judge, "--json").json
    said = next(one for one in verdict["evidence"] if one["name"] == "m2tr")
    assert said["counts"]
    assert said["probability"] < ran.json["threshold"]
    assert "5 untouched pictures with faces" in said["tested_on"]


@pytest.mark.models
def test_pictures_without_any_face_are_refused(run, tmp_path: Path) -> None:
    onlooker.build("m2tr", config="tiny", seed=1).save_pretrained(tmp_path / "judge")
    mine = pictures(tmp_path / "mine", 5, 0)
    ran = run("calibrate", f"m2tr:weights={tmp_path / 'judge'}", "--untouched", mine, "--false-alarms", "0.5")
    assert ran.code == 3
    assert "none of the untouched files" in ran.err
    assert "no face was found" in ran.err
    assert not (tmp_path / "judge" / "calibration.json").exists()


def test_what_cannot_be_measured_is_refused_before_any_work(run, tmp_path: Path, judge: str) -> None:
    mine = pictures(tmp_path / "mine", 20, 0)
    (tmp_path / "empty").mkdir()
    few = run("calibrate", judge, "--untouched", mine)
    assert few.code == 1
    assert "can be stated from 59 different untouched pictures" in few.error
    assert "there are 20" in few.error
    assert "add 39, or ask for `--false-alarms 0.14`" in few.error
    assert run("calibrate", judge, "--untouched", tmp_path / "empty").code == 3
    assert "is not there" in run("calibrate", judge, "--untouched", tmp_path / "gone").error
    same = run("calibrate", judge, "--untouched", mine, "--forged", mine, "--false-alarms", "0.2")
    assert "20 files are among the untouched and among the forged ones" in same.error
    for share in ("0", "0.9", "nan"):
        assert "`false_alarms`" in run("calibrate", judge, "--untouched", mine, "--false-alarms", share).error
    assert "leave `threshold` out" in run("calibrate", f"{judge},threshold=0.4", "--untouched", mine).error
    folder = run("calibrate", judge, "--untouched", mine, "--false-alarms", "0.2", "--output", tmp_path)
    assert "is a folder" in folder.error
    assert run("calibrate", "m2rt:weights=x", "--untouched", mine, "--false-alarms", "0.2").code == 2
    assert run("calibrate", "judge=m2tr:weights=x", "--untouched", mine).code == 2


def test_weights_that_change_while_they_are_measured_are_refused(run, tmp_path: Path, judge: str, monkeypatch) -> None:
    from onlooker.video.authenticity import calibrating

    mine, stamp = pictures(tmp_path / "mine", 5, 0), tmp_path / "judge" / "model.safetensors"
    measure = calibrating.measure

    def meddle(*arguments: object, **more: object) -> object:
        stamp.write_bytes(stamp.read_bytes() + b" ")
        return measure(*arguments, **more)

    monkeypatch.setattr(calibrating, "measure", meddle)
    ran = run("calibrate", judge, "--untouched", mine, "--false-alarms", "0.5")
    assert ran.code == 1
    assert "changed while it was measured" in ran.err
    assert not (tmp_path / "judge" / "calibration.json").exists()
