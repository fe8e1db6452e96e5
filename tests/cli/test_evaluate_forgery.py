"""`onlooker evaluate forgery`, from its words to its numbers, with an untrained network as the judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image as Pil

import onlooker
from onlooker.cli.evaluating_forgery import LayoutName
from onlooker.video.authenticity.scoring.labelled import Layout

SIDE = 48


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("weights")
    onlooker.build("objectformer", config="tiny", seed=1).save_pretrained(folder)
    return f"objectformer:weights={folder},view=resize"


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for k in range(6):
        folder = tmp_path / "set" / ("forged" if k % 2 else "real")
        folder.mkdir(parents=True, exist_ok=True)
        Pil.fromarray(rng.integers(0, 255, (SIDE, SIDE, 3), np.uint8)).save(folder / f"{k}.png")
        if k % 2:
            mask = np.zeros((SIDE, SIDE), np.uint8)
            mask[: 8 * k] = 255
            (tmp_path / "set" / "masks").mkdir(exist_ok=True)
            Pil.fromarray(mask).save(tmp_path / "set" / "masks" / f"{k}.png")
    return tmp_path / "set"


def test_names_of_layouts_are_those_of_the_library():
    assert tuple(name.value for name in LayoutName) == get_args(Layout)


def test_a_judge_with_weights_prints_tables_and_then_the_same_as_json(run, judge: str, labelled: Path, tmp_path: Path):
    words = ("evaluate", "forgery", "--data", labelled, "--judge", judge, "--output", tmp_path / "out")
    ran = run(*words)
    assert ran.code == 0
    heads = [line.split("  ")[0] for line in ran.out.splitlines()]
    assert heads[:2] == ["change", "as it is"]
    assert heads.count("change") == 2  # pictures, then pixels
    assert f"wrote {tmp_path / 'out' / 'report.html'}" in ran.out
    told = run(*words, "--json").json
    assert told["judged_before"] == 6
    assert len(told["judge"]["weights_sha256"]) == 64
    assert told["rows"][0]["pixels"]["tampered"]["f1"] is not None
    assert f"{told['rows'][0]['images']['auc']:.3f}" in ran.out


def test_one_class_is_not_defined_in_the_table_and_null_in_json(run, judge: str, labelled: Path):
    words = ("evaluate", "forgery", "--real", labelled / "real", "--judge", judge)
    ran = run(*words)
    assert ran.code == 0
    assert "not defined" in ran.out
    assert "nan" not in ran.out.lower()
    assert "all pictures are real" in ran.err
    images = run(*words, "--json").json["rows"][0]["images"]
    assert images["auc"] is None
    assert "NaN" not in json.dumps(images)


def test_bad_words_are_told_in_one_line(run, judge: str, labelled: Path, tmp_path: Path):
    (tmp_path / "list.txt").write_text("a.png 0\nb.png 1\n")
    missing = run("evaluate", "forgery", "--data", tmp_path / "list.txt", "--judge", judge)
    assert missing.code == 1
    assert "2 of 2 pictures cannot be used" in missing.error
    assert "a.png` is not there" in missing.error
    none = run("evaluate", "forgery", "--data", tmp_path / "list.txt", "--judge", judge, "--skip-missing")
    assert (none.code, "no picture" in none.error) == (3, True)
    assert run("evaluate", "forgery", "--data", labelled, "--judge", "objectfromer:weights=x").code == 2
    assert "needs weights" in run("evaluate", "forgery", "--data", labelled, "--judge", "m2tr").error
    assert "neither came" in run("evaluate", "forgery").error
