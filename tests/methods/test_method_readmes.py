"""The page in every method's folder: its section on golden tensors runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
METHODS = ROOT / "src" / "onlooker" / "methods"
SECTION = "## Running other golden tensors\n"
_BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
_TOLERANCE = 1e-5  # the tightest of the three folders for outputs
_ERROR = re.compile(r"tensor\(([^,)]+)")


def pages() -> list[Path]:
    return [page for page in sorted(METHODS.rglob("README.md")) if SECTION in page.read_text(encoding="utf-8")]


@pytest.mark.parity
@pytest.mark.parametrize("page", pages(), ids=lambda page: page.parent.name)
def test_the_code_for_golden_tensors_runs_and_meets_them(
    page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not (ROOT / "../shared/goldens" / page.parent.name).is_dir():
        pytest.skip(f"the golden tensors of {page.parent.name} are not here")
    monkeypatch.chdir(ROOT)
    section = page.read_text(encoding="utf-8").split(SECTION)[1].split("\n## ")[0]
    code = "\n".join(_BLOCK.findall(section))
    exec(compile(code, str(page), "exec"), {"__name__": "page"})
    errors = [float(error) for error in _ERROR.findall(capsys.readouterr().out) if not error.startswith("[")]
    assert errors  # every print of a difference
    assert max(errors) <= _TOLERANCE


def test_the_three_encoders_say_how_other_golden_tensors_are_run() -> None:
    assert {"omnivl", "perception_encoder", "stts"} <= {page.parent.name for page in pages()}
