"""Every recipe of every method resolves; the tiny ones train a few steps, learn eight samples by heart, evaluate."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch
from contract_tools import generator

from onlooker.catalogue import METHODS
from onlooker.papers import RECIPES
from onlooker.train import Moment, Task, TrainConfig, train
from onlooker.train.recipe import Recipe, load_recipe
from onlooker.training import resolve_recipe

CASES = [(name, recipe) for name in METHODS for recipe in ("paper", "tiny")]
TINY = list(METHODS)
LEARNING_STEPS = 60
EVALUATED_ON, FEW = ("n_validation", "n_test", "n_prior"), 12


def few(options: dict[str, Any]) -> dict[str, Any]:
    """Options of a task with no more than a few samples to evaluate on, wherever they say how many."""
    return {
        key: few(value) if isinstance(value, dict) else min(value, FEW) if key in EVALUATED_ON else value
        for key, value in options.items()
    }


def tiny_task(name: str) -> tuple[Task, Recipe]:
    recipe = load_recipe(f"{name}/tiny")
    resolved = resolve_recipe(dataclasses.replace(recipe, task_options=few(recipe.task_options)))
    return resolved.task, resolved.recipe


def short(recipe: Recipe, steps: int, batch_size: int) -> TrainConfig:
    """The recipe's run, cut short."""
    schedule = dataclasses.replace(recipe.train.schedule, warmup_steps=min(1, recipe.train.schedule.warmup_steps))
    return dataclasses.replace(
        recipe.train,
        steps=steps,
        batch_size=batch_size,
        micro_batches=1,
        schedule=schedule,
        eval_every=None,
        checkpoint_every=None,
        n_workers=0,
    )


@pytest.mark.parametrize(("name", "recipe_name"), CASES)
def test_recipe_resolves(name: str, recipe_name: str) -> None:
    resolved = resolve_recipe(f"{name}/{recipe_name}", weightless=True)
    assert resolved.recipe.method == name
    assert resolved.recipe.config == "tiny" or recipe_name != "tiny"
    assert resolved.n_parameters > 0


@pytest.mark.parametrize("name", TINY)
def test_a_method_has_just_the_recipes_with_known_names(name: str) -> None:
    files = {path.name for path in (RECIPES / name).iterdir()}
    assert {"paper.toml", "tiny.toml"} <= files


@pytest.mark.parametrize("name", TINY)
def test_every_value_of_the_paper_recipe_says_where_it_is_from(name: str) -> None:
    text = (RECIPES / name / "paper.toml").read_text(encoding="utf-8")
    tomllib.loads(text)
    settings = text[text.index("[") :].splitlines()
    silent = [line for line in settings if "=" in line.partition("#")[0] and "#" not in line]
    assert not silent, f"no place in the paper, and no `ours`, beside: {silent[:5]}"


@pytest.mark.parametrize("name", TINY)
def test_tiny_recipe_trains_three_steps_and_evaluates(name: str, tmp_path: Path) -> None:
    task, recipe = tiny_task(name)
    before = {key: tensor.clone() for key, tensor in task.network.state_dict().items()}
    result = train(task, short(recipe, steps=3, batch_size=4), device="cpu")
    assert result.step == 3
    assert task.metric.name in result.metrics
    assert all(math.isfinite(value) for value in result.metrics.values()), result.metrics
    after = task.network.state_dict()
    assert any(not after[key].equal(before[key]) for key in before), "three steps changed nothing"


@pytest.mark.parametrize("name", TINY)
def test_samples_depend_on_their_number_alone(name: str) -> None:
    first, second = tiny_task(name)[0].datasets(), tiny_task(name)[0].datasets()
    for part, samples in first.items():
        for place in (5, 0, 5):
            one, other = samples[place], second[part][place]
            assert one.keys() == other.keys()
            assert all(one[key].equal(other[key]) for key in one), f"sample {place} of `{part}` is not repeatable"


@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_loss_falls_on_eight_samples(name: str) -> None:
    task, recipe = tiny_task(name)
    trained = [parameter for group in task.parameter_groups() for parameter in group.parameters]
    optimiser = torch.optim.AdamW(trained, lr=recipe.train.optimiser.learning_rate, weight_decay=0.0)
    parts = {part: task.collate([samples[i] for i in range(8)]) for part, samples in task.datasets().items()}
    losses: dict[str, list[float]] = {part: [] for part in parts}
    task.train()
    for step in range(LEARNING_STEPS * len(parts)):
        part = task.dataset_at(step)
        moment = Moment(step, LEARNING_STEPS * len(parts), generator("eight", 0))
        task.before_step(moment)
        loss = task(parts[part], moment)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        task.after_step(moment)
        losses[part].append(float(loss.detach()))
    for part, seen in losses.items():
        if len(seen) < 10:
            continue
        start, end = sum(seen[:3]) / 3, sum(seen[-3:]) / 3
        assert end < start, f"loss on eight samples of `{part}` went from {start:.3f} to {end:.3f}"
