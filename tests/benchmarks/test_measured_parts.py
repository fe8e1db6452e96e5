"""A benchmark that is cut off goes on where it stopped, and measures again what its data changed under."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import common
import tracking_common
from tracking_common import Part, measure_parts


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(common, "RESULTS", tmp_path)
    monkeypatch.setattr(tracking_common, "RESULTS", tmp_path)
    return tmp_path


class Counted:
    """Two parts that count their runs; the second breaks as long as it is told to."""

    def __init__(self, data: Path) -> None:
        data.write_text("as it was")
        self.runs, self.breaks, self.data = {"first": 0, "second": 0}, False, data

    def parts(self) -> dict[str, Part]:
        return {name: Part(self._run(name), lambda: [self.data]) for name in self.runs}

    def _run(self, name: str) -> Callable[[], Mapping[str, object]]:
        def run() -> dict[str, object]:
            if self.breaks and name == "second":
                raise RuntimeError("cut off")
            self.runs[name] += 1
            return {"run": self.runs[name]}

        return run


def test_a_run_that_was_cut_off_goes_on_and_writes_the_result_only_when_whole(results: Path) -> None:
    counted = Counted(results / "data.txt")
    counted.breaks = True
    with pytest.raises(RuntimeError, match="cut off"):
        measure_parts("it", {}, counted.parts(), ())
    assert not (results / "it.json").exists()
    counted.breaks = False
    measure_parts("it", {"what": "words"}, counted.parts(), ())
    assert counted.runs == {"first": 1, "second": 1}
    assert sorted(f.name for f in results.glob("*.json")) == ["it.json"]
    made = json.loads((results / "it.json").read_text())
    assert (made["what"], made["first"]["found"], made["second"]["found"]) == ("words", {"run": 1}, {"run": 1})


def test_only_what_is_asked_for_or_has_other_data_is_measured_again(results: Path) -> None:
    counted = Counted(results / "data.txt")
    measure_parts("it", {}, counted.parts(), ())
    measure_parts("it", {}, counted.parts(), ["second"])
    assert counted.runs == {"first": 1, "second": 2}
    counted.data.write_text("other")
    measure_parts("it", {}, counted.parts(), ())
    assert counted.runs == {"first": 2, "second": 3}


def test_a_summary_is_made_of_all_parts(results: Path) -> None:
    counted = Counted(results / "data.txt")
    measure_parts("it", {}, counted.parts(), (), lambda parts: {"n": len(parts)})
    assert json.loads((results / "it.json").read_text())["n"] == 2
