"""The pages of papers say what catalogue, folders and records say."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from onlooker.catalogue import METHODS
from onlooker.evaluation.claim_runs import ClaimPlace, run_claim
from onlooker.evaluation.claims import Claim
from onlooker.papers import ClaimStatus

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_papers", ROOT / "docs" / "generate_papers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["generate_papers"] = module
    spec.loader.exec_module(module)
    return module


def test_the_pages_of_papers_are_current(generator: ModuleType) -> None:
    pages = generator.render()
    for name, text in pages.items():
        path = generator.TARGET / name
        assert path.exists(), f"no page `{name}`: run `python docs/generate_papers.py`"
        assert path.read_text(encoding="utf-8") == text, f"`{name}`: run `python docs/generate_papers.py`"
    assert {path.name for path in generator.TARGET.glob("*.md")} == set(pages)


def test_sizes_beside_the_pages_are_of_the_configurations_there_are(generator: ModuleType) -> None:
    stored = json.loads(generator.SIZES.read_text(encoding="utf-8"))
    assert {name: {size["config"] for size in sizes} for name, sizes in stored.items()} == {
        name: set(row.configs) for name, row in METHODS.items()
    }, "run `python docs/generate_papers.py`"


def a_claim(holds: bool) -> Claim:
    return Claim(
        name="b_beats_a",
        statement="b is better (Table 2).",
        setting="made up",
        metric="error",
        unit="px",
        arms=("b", "a"),
        run=lambda seed: {"a": 3.0, "b": [1.0, 2.0, 3.0][seed]},
        holds=lambda scores: holds,
        gate="b has the smaller mean",
        higher_is_better=False,
    )


@pytest.mark.parametrize(("holds", "verdict"), [(True, "**held**"), (False, "**did not hold**")])
def test_a_claim_is_drawn_with_verdict_scores_and_place(
    generator: ModuleType, tmp_path: Path, holds: bool, verdict: str
) -> None:
    claim = a_claim(holds)
    result = run_claim(claim, ClaimPlace("toy", tmp_path, tmp_path / "records"))
    text = generator._claims("toy", [ClaimStatus(claim, result, stale=False)])
    assert f"### b_beats_a: {verdict}" in text
    # Mean of 1, 2, 3 and their standard deviation over n - 1.
    assert "| b | 2 ± 1 | 1, 2, 3 |" in text
    assert "| a | 3 ± 0 | 3, 3, 3 |" in text
    assert "error (px, lower is better)" in text
    assert "benchmarks/claims/run.py toy" in text
    assert f"code `{result.code}`" in text


def test_a_claim_without_a_record_says_so(generator: ModuleType) -> None:
    text = generator._claims("toy", [ClaimStatus(a_claim(True), None, stale=False)])
    assert "### b_beats_a: not run yet" in text
    assert "±" not in text


def test_speed_is_drawn_with_machine_versions_and_every_column(generator: ModuleType) -> None:
    machine = {
        "cpu_count": 2,
        "architecture": "x86_64",
        "python": "3.11.7",
        "packages": {"torch": "2.14", "timm": None},
    }
    rows = [{"config": "tiny", "ratio": 0.5}, {"config": "paper", "ratio": 0.75, "flops": 3}]
    text = generator._speed("toy", {"what": "forward time", "machine": machine, "rows": rows})
    assert "2 cores x86_64, Python 3.11.7, torch 2.14: forward time." in text
    assert "| config | ratio | flops |" in text
    assert "| tiny | 0.5 |  |" in text
    assert "| paper | 0.75 | 3 |" in text
