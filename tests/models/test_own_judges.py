"""Judges of one's own: what they need, on what they say they were tested, and errors that say what to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import onlooker
from onlooker.catalogue import create
from onlooker.configs import config_to_dict
from onlooker.errors import ConfigError, UnknownNameError, WeightsError
from onlooker.models.own.m2tr import M2trFaces
from onlooker.models.own.m2tr_tested import words_on_test
from onlooker.models.own.objectformer import ObjectFormerCrops
from onlooker.synth.forgeries.config import ForgeryConfig
from onlooker.weights.measured import KindCount, Measured, rescale, write_measured

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
    stored = {"temperature": 2.0, "threshold": 0.31, "tested_on": "12 faces", "test_auc_percent": 61.2}
    (tmp_path / "calibration.json").write_text(json.dumps(stored))
    judge = M2trFaces(str(tmp_path))
    assert (judge.threshold, judge.tested_on) == (0.31, "12 faces (AUC 0.61 on them; experimental)")
    assert M2trFaces(str(tmp_path), threshold=0.9).threshold == 0.9
    assert judge.version == M2trFaces(str(m2tr)).version
    cooler = judge.judge(PICTURES[:1])[0].probability
    plain = M2trFaces(str(m2tr)).judge(PICTURES[:1])[0].probability
    assert abs(cooler - 0.5) < abs(plain - 0.5)  # a temperature above one draws probabilities to the middle


_RECIPE = """
method = "m2tr"
[task_options.pictures]
n_test = 40
[task_options.pictures.forgeries]
hosts = "portraits"
kinds = {self_blended = 1.0, splice = 0.0}
compression = {final_quality = [30, 50]}
"""


def test_what_m2tr_was_tested_on_is_told_in_words(tmp_path: Path) -> None:
    """A run writes the settings of its pictures, cut off after 200 characters; nobody reads those."""
    config = ForgeryConfig(hosts="portraits", kinds={"self_blended": 1.0, "splice": 0.0})
    recorded = f"40 forgeries {config_to_dict(config)} seed 0 test of a, b"[:200]
    words = words_on_test(tmp_path, recorded)
    assert words == (
        "40 pictures of 64x64 pixels of aligned faces, half of them untouched, the others with self-blended "
        "faces made by Onlooker (experimental)"
    )
    (tmp_path / "recipe.toml").write_text(_RECIPE)
    assert "saved as JPEG 30 to 50" in words_on_test(tmp_path, recorded)
    other = recorded.replace("40 forgeries", "41 forgeries")
    assert "JPEG" not in words_on_test(tmp_path, other)  # the recipe is not of this test
    assert words_on_test(tmp_path, other[:84]).endswith("self-blended faces or more made by Onlooker (experimental)")


def test_faces_of_a_list_are_named_by_it(tmp_path: Path) -> None:
    recorded = "7 faces 0123456789abcdef"
    assert words_on_test(tmp_path, recorded) == "7 faces of a list of the trainer's own (experimental)"
    lists = 'index = {root = "/data/faces", train = "train.txt", test = "lists/c40_test.txt"}'
    (tmp_path / "recipe.toml").write_text(f"[task_options.pictures]\n{lists}\n")
    (tmp_path / "calibration.json").write_text('{"test_auc_percent": NaN}')
    assert words_on_test(tmp_path, recorded) == "7 faces of the list `c40_test.txt` (experimental)"
    (tmp_path / "recipe.toml").write_text("not = [toml")
    assert "7 faces" in words_on_test(tmp_path, recorded)
    assert words_on_test(tmp_path, "what somebody wrote") == "what somebody wrote (experimental)"


def test_objectformer_judges_crops_and_is_not_calibrated(objectformer: Path) -> None:
    judge = create("authenticity_judge", "objectformer", {"weights": str(objectformer), "view": "tiles"})
    assert isinstance(judge, ObjectFormerCrops)
    assert (judge.need, judge.threshold, judge.smallest_px) == ("crop", 0.5, 32)
    assert "not calibrated (experimental)" in judge.tested_on
    assert all(0 <= one.probability <= 1 for one in judge.judge(PICTURES))


def _measured(judge: M2trFaces | ObjectFormerCrops, **changes: object) -> Measured:
    values = {"threshold": 0.62, "kinds": {"image": KindCount(93, 1, 0.05)}, "tested_on": "93 pictures"} | changes
    return Measured(judge.standing.judge, false_alarms_asked=0.05, confidence=0.95, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [M2trFaces, ObjectFormerCrops])
def test_a_measured_judge_states_what_was_measured(kind, m2tr: Path, objectformer: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(m2tr if kind is M2trFaces else objectformer, tmp_path / "judge")
    plain = kind(str(folder))
    assert (plain.false_alarm_rate, plain.found_share, plain.tested_kinds) == (None, None, None)
    measured = _measured(plain, n_forged=40, n_found=10, auc=0.8, scale=3.0, shift=-0.5, n_fitted=30)
    write_measured(folder / "calibration.json", measured)
    judge = kind(str(folder))
    assert (judge.threshold, judge.false_alarm_rate, judge.found_share) == (0.62, 0.05, 0.25)
    assert (judge.tested_on, judge.tested_kinds) == ("93 pictures", ("image",))
    raw, said = plain.judge(PICTURES[:1])[0], judge.judge(PICTURES[:1])[0]
    assert judge.judge_raw(PICTURES[:1])[0].probability == raw.probability
    assert said.probability == pytest.approx(rescale(raw.probability, 3.0, -0.5))
    assert not any("not calibrated" in note for note in said.notes)
    own = kind(str(folder), threshold=0.3)
    assert (own.threshold, own.false_alarm_rate, own.found_share) == (0.3, None, None)  # nobody measured that one


@pytest.mark.parametrize("kind", [M2trFaces, ObjectFormerCrops])
def test_weights_that_changed_since_are_judged_without_the_calibration(
    kind, m2tr: Path, objectformer: Path, tmp_path: Path
) -> None:
    source = m2tr if kind is M2trFaces else objectformer
    folder = shutil.copytree(source, tmp_path / "judge")
    write_measured(folder / "calibration.json", _measured(kind(str(folder))), 4.0)
    measured = kind(str(folder))
    assert any("only its threshold was measured" in note for note in measured.judge(PICTURES[:1])[0].notes)
    onlooker.build("m2tr" if kind is M2trFaces else "objectformer", config="tiny", seed=2).save_pretrained(folder)
    judge = kind(str(folder))
    assert (judge.threshold, judge.false_alarm_rate) == (0.5, None)
    assert "nothing anybody recorded" in judge.tested_on
    said = judge.judge(PICTURES[:1])[0]
    assert any("measured with other weights" in note for note in said.notes)
    (folder / "calibration.json").unlink()
    assert said.probability == kind(str(folder)).judge(PICTURES[:1])[0].probability  # no temperature of the others


def test_a_calibration_may_lie_elsewhere(objectformer: Path, tmp_path: Path) -> None:
    options = {"weights": str(objectformer), "view": "tiles"}
    write_measured(tmp_path / "mine.json", _measured(create("authenticity_judge", "objectformer", options)))
    judge = create("authenticity_judge", "objectformer", {**options, "calibration": str(tmp_path / "mine.json")})
    assert judge.false_alarm_rate == 0.05
    with pytest.raises(WeightsError, match="no file that `onlooker calibrate` wrote"):
        create("authenticity_judge", "objectformer", {**options, "calibration": str(tmp_path / "gone.json")})


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
