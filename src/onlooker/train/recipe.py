"""A recipe: one TOML file that says which method is trained as what on what, and how.

method = "stts"
config = "tiny"
task = "classify"
[model]              # changes of the configuration
[task_options]       # options of the task
[train]              # `TrainConfig`
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from onlooker.configs import config_from_dict, config_to_dict
from onlooker.errors import ConfigError, UnknownNameError
from onlooker.train.config import TrainConfig

_EMPTY: Mapping[str, object] = MappingProxyType({})
_BUNDLED = Path(__file__).parents[1] / "recipes"


@dataclass(frozen=True)
class Recipe:
    """A recipe, read. That method, configuration, task and their options exist is checked when it is resolved.

    Attributes:
        method: catalogue name.
        config: name of one of its configurations.
        task: name of one of its tasks.
        train: how to train.
        model: field of the configuration -> other value.
        task_options: option of the task -> value.
        weights: what the network starts from: a folder, a file or a hub name, as `onlooker.build` takes it. Left out,
            random weights from the seed.
    """

    method: str
    config: str
    task: str
    train: TrainConfig
    model: Mapping[str, object] = field(default_factory=lambda: _EMPTY)
    task_options: Mapping[str, object] = field(default_factory=lambda: _EMPTY)
    weights: str | None = None

    def to_dict(self) -> dict[str, object]:
        """Plain data, ready for TOML."""
        return config_to_dict(self)


def list_recipes() -> tuple[str, ...]:
    """Names of the recipes that come with the package, `method/recipe`."""
    return tuple(sorted(path.relative_to(_BUNDLED).with_suffix("").as_posix() for path in _BUNDLED.glob("*/*.toml")))


def find_recipe(name: str | Path) -> Path:
    """The file of a recipe.

    Args:
        name: of a bundled one ("stts/tiny"), or the path of a TOML file.

    Raises:
        UnknownNameError: neither.
    """
    if Path(name).suffix == ".toml":
        if Path(name).is_file():
            return Path(name)
        raise UnknownNameError("recipe (no such file)", str(name), list_recipes())
    known = list_recipes()
    if str(name) not in known:
        raise UnknownNameError("recipe", str(name), known)
    return _BUNDLED / f"{name}.toml"


def load_recipe(name: str | Path, changes: Iterable[str] = ()) -> Recipe:
    """Reads a recipe.

    Args:
        name: as `find_recipe` takes it.
        changes: "dotted.setting=value", the value as TOML has it; a word without quotes is taken as text.

    Raises:
        UnknownNameError: no such recipe, or a setting that does not exist; the message names the nearest.
        ConfigError: not TOML, or a value that cannot be.
    """
    path = find_recipe(name)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"recipe `{path}` is not readable TOML: {error}") from error
    for change in changes:
        values = _changed(values, *_parsed_change(change))
    try:
        return config_from_dict(Recipe, values)
    except ConfigError as error:
        raise ConfigError(f"recipe `{path}`: {error}") from error


def _parsed_change(change: str) -> tuple[list[str], object]:
    name, equals, text = change.partition("=")
    if not equals or not all(part.strip() for part in name.split(".")):
        raise ConfigError(f"expected a change like `train.steps=100`, got `{change}`")
    try:
        value: object = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    return [part.strip() for part in name.split(".")], value


def _changed(values: Mapping[str, object], place: list[str], value: object) -> dict[str, object]:
    """`values` with another value at a place; tables on the way are made."""
    first, rest = place[0], place[1:]
    if not rest:
        return {**values, first: value}
    inner = values.get(first, {})
    if not isinstance(inner, Mapping):
        raise ConfigError(f"setting `{first}` is a value, not a table; it has no `{'.'.join(rest)}`")
    return {**values, first: _changed(inner, rest, value)}
