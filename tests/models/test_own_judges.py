"""Judges of one's own: what they need, on what they say they were tested, and errors that say what to do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import onlooker
from onlooker.catalogue import create
from onlooker.errors import ConfigError, UnknownNameError, WeightsError
from onlooker.models.own.m2tr import M2trFaces
from onlooker.models.own.objectformer import ObjectFormerCrops

PICTURES = [np.random.default_rng(n).integers(0, 255, (70 + n, 90, 3)).astype(np.uint8) for n in range(3)]


@pytest.fixture(scope="module")
def m2tr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("m2tr")
    onlooker.build("m2tr", config="tiny", seed=1).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def objectformer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("objectformer")
    onlooker.build("objectformer", config="tiny", seed=1).save_pretrained(folder)
    return folder


def test_m2tr_without_a_calibration_says_that_nobody_measured_it(m2tr: Path) -> None:
    judge = M2trFaces(str(m2tr))
    assert (judge.need, judge.threshold, judge.smallest_px) == ("face", 0.5, 64)
    assert judge.tested_on == "nothing anybody recorded beside the weights (experimental)"
    found = judge.judge(PICTURES)
    assert all(0 <= one.probability <= 1 for one in found)
    assert len({one.probability for one in found}) == 3


def test_m2tr_takes_threshold_and_test_from_beside_the_weights_unless_told(m2tr: Path, tmp_path: Path) -> None:
    for file in m2tr.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    stored = {"temperature": 2.0, "threshold": 0.31, "tested_on": "12 faces", "test_auc_percent": 50.0}
    (tmp_path / "calibration.json").write_text(json.dumps(stored))
    judge = M2trFaces(str(tmp_path))
    assert (judge.threshold, judge.tested_on) == (0.31, "12 faces (experimental)")
    assert M2trFaces(str(tmp_path), threshold=0.9).threshold == 0.9
    assert judge.version == M2trFaces(str(m2tr)).version
    cooler = judge.judge(PICTURES[:1])[0].probability
    plain = M2trFaces(str(m2tr)).judge(PICTURES[:1])[0].probability
    assert abs(cooler - 0.5) < abs(plain - 0.5)  # a temperature above one draws probabilities to the middle


def test_objectformer_judges_crops_and_is_not_calibrated(objectformer: Path) -> None:
    judge = create("authenticity_judge", "objectformer", {"weights": str(objectformer), "view": "tiles"})
    assert isinstance(judge, ObjectFormerCrops)
    assert (judge.need, judge.threshold, judge.smallest_px) == ("crop", 0.5, 32)
    assert "not calibrated (experimental)" in judge.tested_on
    assert all(0 <= one.probability <= 1 for one in judge.judge(PICTURES))


@pytest.mark.parametrize("kind", [M2trFaces, ObjectFormerCrops])
def test_missing_weights_and_wrong_thresholds_are_named(kind, m2tr: Path, objectformer: Path, tmp_path: Path) -> None:
    folder = str(m2tr if kind is M2trFaces else objectformer)
    with pytest.raises(ConfigError, match="needs weights"):
        kind()
    with pytest.raises(WeightsError):
        kind(str(tmp_path))
    with pytest.raises(ConfigError, match="`threshold`"):
        kind(folder, threshold=1.5)


def test_an_unknown_view_is_named(objectformer: Path) -> None:
    with pytest.raises((ConfigError, UnknownNameError), match="view"):
        create("authenticity_judge", "objectformer", {"weights": str(objectformer), "view": "sideways"})
