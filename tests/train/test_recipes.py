"""Recipes: read strictly, resolved through the catalogue, trained from Python and from the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch
from small_method import CATALOGUE, RECIPE

import onlooker
from onlooker.catalogue import methods
from onlooker.cli import training
from onlooker.cli.app import main
from onlooker.configs import config_to_dict
from onlooker.errors import ConfigError, UnknownNameError, WeightsError
from onlooker.train.recipe import find_recipe, list_recipes, load_recipe
from onlooker.training import resolve_recipe, train_recipe

ROOT = Path(__file__).parents[2]


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.setattr(methods, "METHODS", CATALOGUE)
    path = tmp_path / "small.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs the command: exit code, standard output, standard error."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["onlooker", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_changes_reach_their_place_with_their_type(recipe):
    changed = load_recipe(
        recipe, ["train.steps=3", "train.optimiser.betas=[0.8, 0.9]", "model.width=5", "train.precision=bf16"]
    )
    assert (changed.train.steps, changed.train.optimiser.betas) == (3, (0.8, 0.9))
    assert (dict(changed.model), changed.train.precision) == ({"width": 5}, "bf16")
    assert changed.train.optimiser.learning_rate == 0.01
    assert config_to_dict(load_recipe(recipe))["model"] == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("train.step=3", r"unknown setting `train.step`; did you mean `train.steps`"),
        ("train.optimiser.lerning_rate=3", r"did you mean `train.optimiser.learning_rate`"),
        ("metod=small", r"unknown setting `metod`; did you mean `method`"),
        ("train.schedule.name=cosin", r"unknown value of `train.schedule.name` `cosin`; did you mean `cosine`"),
        ("task=fitt", r"unknown task of `small` `fitt`; did you mean `fit`"),
        ("method=smal", r"unknown method `smal`; did you mean `small`"),
        ("config=tinny", r"unknown configuration of `small` `tinny`; did you mean `tiny`"),
        ("model.widht=3", r"unknown setting `widht`; did you mean `width`"),
        ("task_options.drop=0.1", r"unknown setting `task_options.drop`; did you mean `task_options.dropout`"),
    ],
)
def test_unknown_names_are_answered_with_the_nearest(recipe, change, said):
    with pytest.raises(UnknownNameError, match=said):
        resolve_recipe(load_recipe(recipe, [change]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("train.steps=many", "setting `train.steps` must be int, got `'many'`"),
        ("train.steps=0", "setting `train.steps` must be 1 or more, got `0`"),
        ("model.width=0", "`width` must be positive"),
        ("train.steps", "expected a change like `train.steps=100`, got `train.steps`"),
        ("train.steps.deep=1", "setting `steps` is a value, not a table"),
    ],
)
def test_values_that_cannot_be_are_explained(recipe, change, said):
    with pytest.raises(ConfigError, match=said):
        resolve_recipe(load_recipe(recipe, [change]))


def test_recipes_that_are_not_there_or_not_readable_are_named(tmp_path):
    with pytest.raises(UnknownNameError, match="unknown recipe `no-such/recipe`"):
        find_recipe("no-such/recipe")
    with pytest.raises(UnknownNameError, match="no such file"):
        find_recipe(tmp_path / "gone.toml")
    (tmp_path / "broken.toml").write_text("method = ")
    with pytest.raises(ConfigError, match="is not readable TOML"):
        load_recipe(tmp_path / "broken.toml")


@pytest.mark.parametrize("name", list_recipes())
def test_bundled_recipes_are_complete_and_fit_their_method(name):
    resolved = resolve_recipe(name, weightless=True)
    assert resolved.recipe.method == name.partition("/")[0]
    assert resolved.n_parameters > 0


def test_a_trained_folder_builds_with_the_weights_that_were_scored(recipe, tmp_path):
    result = train_recipe(recipe, tmp_path / "run")
    network = onlooker.build("small", weights=tmp_path / "run")
    task = resolve_recipe(recipe).task
    task.network = network
    assert task.evaluate() == pytest.approx(dict(result.metrics))
    assert network[0].out_features == 8  # "tiny", from the folder
    # The copy in the folder is a recipe of its own and means the same run.
    copy = tmp_path / "run" / "recipe.toml"
    assert load_recipe(copy).train == load_recipe(recipe).train
    assert resolve_recipe(copy).identity == resolve_recipe(recipe).identity
    assert train_recipe(copy, tmp_path / "run").history == ()


def test_a_run_starts_from_the_weights_of_another_where_the_recipe_says_so(recipe, tmp_path):
    train_recipe(recipe, tmp_path / "first")
    trained = onlooker.build("small", weights=tmp_path / "first")
    second = resolve_recipe(load_recipe(recipe, [f"weights={tmp_path / 'first'}", "train.seed=5"]))
    assert torch.equal(second.task.network[0].weight, trained[0].weight)
    with pytest.raises(WeightsError, match="do not fit"):
        resolve_recipe(load_recipe(recipe, [f"weights={tmp_path / 'first'}", "model.width=3"]))


def test_first_weights_come_from_the_seed(recipe):
    def weight(*changes):
        return resolve_recipe(load_recipe(recipe, changes)).task.network[0].weight

    torch.manual_seed(99)
    first = weight()
    torch.rand(3)
    assert torch.equal(weight(), first)
    assert not torch.equal(weight("train.seed=1"), first)


def test_command_trains_and_prints_the_score(recipe, command, tmp_path):
    code, out, err = command("train", recipe, "--output", tmp_path / "run", "--set", "train.steps=8", "--seed", "3")
    written = json.loads((tmp_path / "run" / "result.json").read_text())
    assert (code, err) == (0, "")
    assert f"error {written['metric']['value']:.4g} squared distance after 8 steps" in out
    assert (written["seed"], written["method"]) == (3, "small")


def test_command_prints_one_json_line_per_event_and_the_result_last(recipe, command, tmp_path):
    code, out, _ = command("train", recipe, "-o", tmp_path / "run", "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(event["event"], event["step"]) for event in events] == [
        ("progress", 1), ("progress", 4), ("progress", 8), ("progress", 12), ("done", 12)
    ]  # fmt: skip
    assert events[-1]["metrics"] == events[-2]["evaluation"]


def test_dry_run_prints_the_whole_recipe_and_writes_nothing(recipe, command, tmp_path):
    code, out, _ = command("train", recipe, "--dry-run", "--set", "model.width=10", "--output", tmp_path / "run")
    shown = tomllib.loads(out)
    assert (code, shown["model"], shown["train"]["n_workers"]) == (0, {"width": 10}, 0)
    assert "# parameters of the network: 81" in out  # 6 * 10 + 10 + 10 + 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--output", "run", "--set", "train.stps=1"], 2, "did you mean `train.steps`"),
        (["--output", "run", "--device", "cpuu"], 2, "unknown device `cpuu`; did you mean `cpu`"),
        (["--output", "run", "--set", "train.steps=0"], 1, "must be 1 or more"),
        (["--output", "."], 1, "holds `small.toml` and no run of ours"),
        ([], 2, "a run needs a folder"),
    ],
)
def test_command_refuses_with_an_exit_code_that_says_why(recipe, command, tmp_path, monkeypatch, words, code, said):
    monkeypatch.chdir(tmp_path)
    ended, out, err = command("train", recipe, *words)
    assert (ended, out) == (code, "")
    assert said in " ".join(err.split())
    assert "Traceback" not in err


def test_fresh_starts_again_and_resume_does_not(recipe, command, tmp_path):
    words = ("train", recipe, "-o", tmp_path / "run", "--json")
    counts = [len(command(*words, *more)[1].splitlines()) for more in ((), (), ("--fresh",))]
    assert counts == [5, 1, 5]


def test_interrupted_command_says_how_to_go_on(recipe, command, tmp_path, monkeypatch):
    def ask_to_stop(event):
        if event.step == 1:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(training, "_emit_event", ask_to_stop)
    code, out, err = command("train", recipe, "-o", tmp_path / "run", "--json")
    assert (code, json.loads(out)["status"]) == (130, "interrupted")
    assert "stopped after step 2; the same command goes on from there" in err


@pytest.mark.slow
def test_two_launched_processes_print_once_and_reach_the_score_of_one(recipe, tmp_path):
    # Its `--cpu` starts one process only, whatever the number; this form starts two, which then meet over gloo.
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    script = [str(Path(__file__).parent / "small_method.py")]
    words = ["train", str(recipe), "--output", str(tmp_path / "two"), "--device", "cpu", "--json"]
    done = subprocess.run([*launch, *script, *words], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    events = [json.loads(line) for line in done.stdout.splitlines()]
    alone = train_recipe(load_recipe(recipe))
    assert [event["step"] for event in events] == [1, 4, 8, 12, 12]
    assert events[-1]["metrics"] == pytest.approx(dict(alone.metrics), abs=1e-6)
    assert json.loads((tmp_path / "two" / "result.json").read_text())["n_processes"] == 2
