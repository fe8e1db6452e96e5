"""onlooker methods, papers, and models verify --method."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from onlooker.catalogue import METHODS
from onlooker.catalogue.toolkits import TOOLKITS
from onlooker.cli.app import app
from onlooker.errors import ConfigError, UnknownNameError, WeightsError

RUNNER = CliRunner()
NAME = "perception_encoder"


def said(*words: str) -> str:
    found = RUNNER.invoke(app, list(words), catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.stdout


def test_methods_are_listed_without_loading_torch() -> None:
    script = (
        "import sys\nfrom onlooker.cli.app import app\nsys.argv = ['onlooker', 'methods', '--json']\n"
        "try:\n    app()\nexcept SystemExit:\n    pass\n"
        "assert 'torch' not in sys.modules\nassert 'rich' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert [row["name"] for row in json.loads(done.stdout)] == list(METHODS)


def test_methods_lists_one_family() -> None:
    found = json.loads(said("methods", "--family", "encoders", "--json"))
    assert found
    assert {row["family"] for row in found} == {"encoders"}
    assert NAME in said("methods")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["methods", "--family", "encoder"], "did you mean `encoders`"),
        (["methods", "show", "perception_encodr"], "did you mean `perception_encoder`"),
        (["papers", "show", "perception_encodr"], "did you mean `perception_encoder`"),
        (["papers", "run", "perception_encodr"], "did you mean `perception_encoder`"),
        (
            ["models", "verify", "--method", "perception_encodr", "--weights", "x.pt"],
            "did you mean `perception_encoder`",
        ),
    ],
)
def test_unknown_names_show_the_nearest(words: list[str], message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        RUNNER.invoke(app, words, catch_exceptions=False)


def test_a_method_is_shown_with_paper_sizes_and_claims() -> None:
    found = json.loads(said("methods", "show", NAME, "--json"))
    sizes = {size["config"]: size["parameters"] for size in found["configs"]}
    assert set(sizes) == set(METHODS[NAME].configs)
    assert sizes["paper"] > 1e9
    text = said("methods", "show", NAME)
    assert METHODS[NAME].paper.identifier in text
    assert f"{sizes['paper']:,}" in text


def test_papers_are_listed_and_shown() -> None:
    assert [row["name"] for row in json.loads(said("papers", "list", "--json"))] == [*METHODS, *TOOLKITS]
    found = json.loads(said("papers", "show", NAME, "--json"))
    assert found["title"] == METHODS[NAME].paper.title
    assert METHODS[NAME].paper.title in said("papers", "show", NAME)


def test_claims_are_measured_into_the_folder_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import dataclasses

    from onlooker import papers
    from onlooker.catalogue import load_definition
    from onlooker.evaluation.claims import Claim

    claim = Claim(
        name="one_beats_two", statement="one is better", setting="made up", metric="accuracy", unit="fraction",
        arms=("one", "two"), run=lambda seed: {"one": 1.0, "two": 0.5}, holds=lambda scores: True, gate="always",
    )  # fmt: skip
    definition = dataclasses.replace(load_definition(NAME), claims=lambda: (claim,))
    monkeypatch.setattr(papers, "load_definition", lambda name: definition)
    monkeypatch.chdir(tmp_path)
    found = RUNNER.invoke(app, ["papers", "run", NAME, "--output", "here"], catch_exceptions=False)
    assert "one_beats_two: holds" in found.stdout
    assert "seed 2" in found.stderr
    record = json.loads((tmp_path / "here" / NAME / "one_beats_two.json").read_text())
    assert record["mean"] == {"one": 1.0, "two": 0.5}
    (quick,) = json.loads(said("papers", "run", NAME, "--claim", "one_beats_two", "--seeds", "1", "--json"))
    assert quick["holds"] is None
    assert (tmp_path / "onlooker-claims" / NAME / "one_beats_two.json").exists()
    with pytest.raises(UnknownNameError, match="did you mean `one_beats_two`"):
        RUNNER.invoke(app, ["papers", "run", NAME, "--claim", "one_beats_tow"], catch_exceptions=False)
    assert "one_beats_two: not run yet" in said("papers", "show", NAME)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    from onlooker import build

    build(NAME, "tiny").save_pretrained(tmp_path / "saved")  # type: ignore[operator]
    return tmp_path / "saved"


def test_weights_that_fit_are_said_to_fit(saved: Path) -> None:
    assert "all keys fit" in said("models", "verify", "--method", NAME, "--weights", str(saved))


def test_every_difference_of_weights_is_printed(saved: Path) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(saved / "model.safetensors")
    gone, changed = sorted(state)[:2]
    state.pop(gone)
    state[changed] = state[changed].flatten()[:1].clone()
    state["stranger"] = state[changed].clone()
    save_file(state, saved / "model.safetensors")
    words = ["models", "verify", "--method", NAME, "--weights", str(saved)]
    plain = RUNNER.invoke(app, words, catch_exceptions=False)
    assert plain.exit_code == 1
    found = RUNNER.invoke(app, [*words, "--json"], catch_exceptions=False)
    assert found.exit_code == 1
    report = json.loads(found.stdout)
    assert (report["fits"], report["missing"], report["surplus"]) == (False, [gone], ["stranger"])
    assert list(report["mismatched"]) == [changed]
    assert report["mismatched"][changed]["came"] == [1]
    for name in (gone, changed, "stranger"):
        assert name in plain.stdout


def test_weights_of_another_method_or_none_are_refused(saved: Path, tmp_path: Path) -> None:
    config = json.loads((saved / "config.json").read_text())
    (saved / "config.json").write_text(json.dumps({**config, "onlooker_method": "another"}))
    with pytest.raises(ConfigError, match="of `another`"):
        RUNNER.invoke(app, ["models", "verify", "--method", NAME, "--weights", str(saved)], catch_exceptions=False)
    with pytest.raises(WeightsError, match="there are no weights at"):
        RUNNER.invoke(
            app, ["models", "verify", "--method", NAME, "--weights", str(tmp_path / "x.pt")], catch_exceptions=False
        )
    assert RUNNER.invoke(app, ["models", "verify", "--method", NAME]).exit_code == 2
