"""The calibration file: written whole, what was there kept, read only for the weights it belongs to."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from onlooker.errors import ConfigError, UnknownNameError, WeightsError
from onlooker.weights.measured import JudgeIdentity, KindCount, Measured, rescale, standing_of, write_measured

JUDGE = JudgeIdentity("m2tr", "ab" * 32, {"config": "tiny"})
MEASURED = Measured(
    JUDGE, 0.8, 0.05, 0.95, {"image": KindCount(93, 1, 0.0499)}, "93 pictures", 40, 12, 0.71, 2.0, -1.0, 30
)


def test_what_is_written_is_read_by_the_judge_it_belongs_to(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    assert standing_of(JUDGE, weights).measured is None
    assert write_measured(tmp_path / "calibration.json", MEASURED, 2.5) is None
    found = standing_of(JUDGE, weights)
    assert (found.measured, found.temperature, found.ignored) == (MEASURED, 2.5, None)
    assert (MEASURED.false_alarm_rate, MEASURED.found_share) == (0.0499, 0.3)


def test_the_method_reads_a_threshold_for_its_own_probabilities(tmp_path: Path) -> None:
    from onlooker.methods.forensics.m2tr.infer import _read_calibration

    write_measured(tmp_path / "calibration.json", MEASURED, 2.5)
    read = _read_calibration(tmp_path / "calibration.json")
    assert read is not None
    assert (read.temperature, read.tested_on) == (2.5, "93 pictures")
    assert rescale(read.threshold, 2.0, -1.0) == pytest.approx(0.8)
    assert replace(MEASURED, scale=1.0, shift=0.0).unscaled_threshold == 0.8  # not a digit off


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (replace(JUDGE, weights_sha256="cd" * 32), "other weights"),
        (replace(JUDGE, settings={}), "other settings"),
        (replace(JUDGE, name="objectformer"), "another judge, `m2tr`"),
    ],
)
def test_a_calibration_of_something_else_is_not_used_and_says_so(tmp_path: Path, other, said: str) -> None:
    write_measured(tmp_path / "calibration.json", MEASURED)
    found = standing_of(other, tmp_path / "model.safetensors")
    assert found.measured is None
    assert said in (found.ignored or "")
    assert "run `onlooker calibrate` again" in (found.ignored or "")


def test_what_was_there_is_kept_under_a_free_name(tmp_path: Path) -> None:
    target = tmp_path / "calibration.json"
    target.write_text('{"threshold": 0.4}')
    assert write_measured(target, MEASURED) == tmp_path / "calibration-1.json"
    assert json.loads((tmp_path / "calibration-1.json").read_text()) == {"threshold": 0.4}
    assert write_measured(target, MEASURED) is None  # the same again
    assert write_measured(target, replace(MEASURED, threshold=0.7)) == tmp_path / "calibration-2.json"
    assert json.loads((tmp_path / "calibration-2.json").read_text())["measured"]["threshold"] == 0.8
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "calibration-1.json",
        "calibration-2.json",
        "calibration.json",
    ]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "calibration.json"
    target.write_text("old")

    def full(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="disk full"):
        write_measured(target, MEASURED)
    assert target.read_text() == "old"


def test_a_training_run_s_calibration_is_no_measurement(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_text('{"temperature": 2.0, "threshold": 0.31, "tested_on": "12 faces"}')
    assert standing_of(JUDGE, tmp_path / "model.safetensors").measured is None
    with pytest.raises(WeightsError, match="no file that `onlooker calibrate` wrote"):
        standing_of(JUDGE, tmp_path / "model.safetensors", path)
    with pytest.raises(WeightsError, match="no file that"):
        standing_of(JUDGE, tmp_path / "model.safetensors", tmp_path / "gone.json")


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": 2.0},
        {"threshold": "high"},
        {"kinds": {}},
        {"kinds": {"sound": {"n_untouched": 5, "n_alarms": 0, "bound": 0.5}}},
        {"kinds": {"image": {"n_untouched": 5, "n_alarms": 6, "bound": 0.5}}},
        {"scale": -1.0},
        {"shift": float("nan")},
        {"n_found": 41},
        {"speed": 3},
    ],
)
def test_a_damaged_calibration_is_named(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "calibration.json"
    write_measured(path, MEASURED)
    content = json.loads(path.read_text())
    content["measured"] |= change
    path.write_text(json.dumps(content))
    with pytest.raises(WeightsError, match="cannot be used"):
        standing_of(JUDGE, tmp_path / "model.safetensors")


def test_a_measurement_of_nothing_cannot_be_made() -> None:
    with pytest.raises(ConfigError, match="at least one kind"):
        replace(MEASURED, kinds={})
    with pytest.raises(UnknownNameError, match="sound"):
        replace(MEASURED, kinds={"sound": KindCount(1, 0, 1.0)})
