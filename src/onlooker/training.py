"""Recipes joined with methods: what `onlooker train` runs, for Python.

from onlooker.training import train_recipe

result = train_recipe("stts/tiny", "runs/first")
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import torch

from onlooker.catalogue import load_definition
from onlooker.configs import config_to_dict, replace_fields
from onlooker.errors import ConfigError, UnknownNameError
from onlooker.nn.device import check_device
from onlooker.train.config import Device
from onlooker.train.recipe import Recipe, load_recipe
from onlooker.train.record import LogEvent, RunIdentity, TrainResult
from onlooker.weights.load import load_weights, locate_weights

if TYPE_CHECKING:
    from onlooker.train.task import Task


@dataclass(frozen=True)
class ResolvedRecipe:
    """A recipe with its method built.

    Attributes:
        recipe: as read.
        task: with a network whose first weights come from the recipe's seed.
        identity: what the run folder stores of it.
    """

    recipe: Recipe
    task: Task
    identity: RunIdentity

    @property
    def n_parameters(self) -> int:
        """Of the network that the run hands out."""
        return sum(parameter.numel() for parameter in self.task.network.parameters())


def resolve_recipe(recipe: Recipe | str | Path, *, weightless: bool = False) -> ResolvedRecipe:
    """Builds what a recipe names.

    Args:
        recipe: one, the name of a bundled one, or the path of a TOML file.
        weightless: leave the network's weights out (the meta device): to look at a recipe of any size, not to train.

    Raises:
        UnknownNameError: no such recipe, method, configuration, field, task or option.
        ConfigError: a value that cannot be.
        WeightsError: the weights to start from are missing or do not fit.
    """
    recipe = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    definition = load_definition(recipe.method)
    if recipe.task not in definition.tasks:
        raise UnknownNameError(f"task of `{recipe.method}`", recipe.task, definition.tasks)
    config = replace_fields(definition.resolve(recipe.config), recipe.model)
    with torch.device("meta") if weightless else nullcontext():
        network = definition.create(config, recipe.train.seed)
    if recipe.weights is not None and not weightless:
        load_weights(network, locate_weights(recipe.weights), definition.key_map(config))
    task = definition.tasks[recipe.task](network, recipe.task_options)
    # All fields of the configuration are kept, so that the run does not change when the named one does.
    plain = config_to_dict(config)
    return ResolvedRecipe(recipe, task, RunIdentity(recipe.method, plain, {**recipe.to_dict(), "model": plain}))


def train_recipe(
    recipe: Recipe | str | Path | ResolvedRecipe,
    folder: str | Path | None = None,
    *,
    resume: bool = True,
    progress: Callable[[LogEvent], None] | None = None,
    device: Device = "auto",
) -> TrainResult:
    """Trains what a recipe names; `onlooker.build(method, weights=folder)` then loads it.

    Args:
        recipe: one, resolved or not, the name of a bundled one, or the path of a TOML file.
        folder, resume, progress, device: as `onlooker.train.train` takes them.

    Raises:
        UnknownNameError, ConfigError: as `resolve_recipe`, or the folder holds another run.
        TrainingError, StorageFullError: as `onlooker.train.train`.
    """
    from onlooker.train.loop import train

    resolved = recipe if isinstance(recipe, ResolvedRecipe) else resolve_recipe(recipe)
    return train(
        resolved.task,
        resolved.recipe.train,
        None if folder is None else Path(folder),
        resume=resume,
        progress=progress,
        device=device,
        identity=resolved.identity,
    )


def training_device(name: str) -> Device:
    """The device of that name; "auto" leaves the choice to accelerate.

    Raises:
        UnknownNameError: no such kind of device.
        ConfigError: torch cannot use it here, or it is one card of several, which accelerate tells apart.
    """
    if name.partition(":")[0] not in get_args(Device):
        raise UnknownNameError("device", name, get_args(Device))
    if name != "auto":
        check_device(name)
    for device in get_args(Device):
        if device == name:
            known: Device = device
            return known
    kinds = ", ".join(f"`{device}`" for device in get_args(Device))
    raise ConfigError(f"training takes a kind of device, one of {kinds}, got `{name}`")
