"""The table of methods, and `build`, on methods made up here."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from onlooker import build, list_methods
from onlooker.catalogue import MethodEntry, Paper, compare_weights, find_method, load_definition
from onlooker.catalogue import methods as table
from onlooker.errors import ConfigError, MissingExtraError, UnknownNameError, WeightsError
from onlooker.methods.definition import Method
from onlooker.weights.keys import KeyMap
from onlooker.weights.saving import SavedNetwork

PAPER = Paper("A title", "2401.00001", 2024, None, "none", "none")


@dataclass(frozen=True)
class PointConfig:
    size: int = 5

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ConfigError(f"`size` must be 1 or more, got {self.size}")


class Point(SavedNetwork):
    def __init__(self, config: PointConfig) -> None:
        super().__init__()
        self.config = config
        self.inner = nn.Linear(config.size, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x)


def entry(name: str, module: str, extra: str | None = None) -> MethodEntry:
    return MethodEntry(name, "encoders", f"{module}:METHOD", "made up", (), ("paper", "tiny"), PAPER, extra)


@pytest.fixture(autouse=True)
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = ModuleType("made_up_point")
    module.METHOD = Method(
        name="point",
        config_type=PointConfig,
        configs={"paper": PointConfig(), "tiny": PointConfig(2)},
        build=Point,
        key_map=lambda config: KeyMap({"fc.*": "inner.*"}),
        example=lambda config, batch, generator: {"x": torch.randn(batch, config.size, generator=generator)},
        run=lambda network, inputs: {"y": network(**inputs)},
        output_shapes=lambda config, batch: {"y": (batch, 1)},
    )
    monkeypatch.setitem(sys.modules, "made_up_point", module)
    rows = (
        entry("point", "made_up_point"),
        entry("needs_more", "no_such_module_here", "gen"),
        entry("broken", "no_such_module_here"),
    )
    monkeypatch.setattr(table, "METHODS", MappingProxyType({row.name: row for row in rows}))


def test_building_by_name_configuration_mapping_and_object() -> None:
    assert build("point").config == PointConfig(5)
    assert build("point", "tiny").config == PointConfig(2)
    assert build("point", {"size": 3}).config == PointConfig(3)
    assert build("point", PointConfig(4)).config == PointConfig(4)
    assert not build("point").training


def test_weights_depend_on_the_seed_alone_and_nothing_else_is_drawn() -> None:
    before = torch.random.get_rng_state()
    first, again, other = build("point", seed=1), build("point", seed=1), build("point", seed=2)
    assert torch.random.get_rng_state().equal(before)
    assert first.inner.weight.equal(again.inner.weight)
    assert not first.inner.weight.equal(other.inner.weight)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("pont",), "unknown method `pont`; did you mean `point`"),
        (("point", "tinny"), "unknown configuration of `point` `tinny`; did you mean `tiny`"),
        (("point", {"sise": 3}), "unknown setting `sise`; did you mean `size`"),
    ],
)
def test_unknown_names_show_the_nearest(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        build(*arguments)


@pytest.mark.parametrize(
    ("config", "message"),
    [({"size": 0}, "1 or more"), ({"size": "3"}, "must be int"), (3, "is a name, a mapping or a")],
)
def test_configurations_that_cannot_be_are_refused(config: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build("point", config)


def test_a_saved_folder_brings_its_own_configuration(tmp_path: Path) -> None:
    saved: Any = build("point", {"size": 3}, seed=9)
    saved.save_pretrained(tmp_path)
    loaded = build("point", weights=tmp_path)
    assert loaded.config == PointConfig(3)
    assert loaded.inner.weight.equal(saved.inner.weight)
    with pytest.raises(WeightsError, match=r"`inner.weight` is \(1, 2\), got \(1, 3\)"):
        build("point", "tiny", weights=tmp_path)
    assert compare_weights("point", tmp_path).fits
    assert not compare_weights("point", tmp_path, "tiny").fits


def test_an_official_file_goes_through_the_key_map(tmp_path: Path) -> None:
    torch.save(
        {"state_dict": {"module.fc.weight": torch.ones(1, 5), "module.fc.bias": torch.ones(1)}}, tmp_path / "o.pt"
    )
    assert build("point", weights=tmp_path / "o.pt").inner.weight.sum() == 5
    assert compare_weights("point", tmp_path / "o.pt").fits


def test_weights_of_another_method_are_refused(tmp_path: Path) -> None:
    network: Any = build("point")
    network.save_pretrained(tmp_path)
    text = (tmp_path / "config.json").read_text()
    (tmp_path / "config.json").write_text(text.replace("{", '{"onlooker_method": "broken",', 1))
    with pytest.raises(ConfigError, match="holds weights of `broken`, not of `point`"):
        build("point", weights=tmp_path)


def test_a_folder_of_others_says_whose_configuration_is_read(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text('{"config": {"sizes": 3}}')
    for use in (build, compare_weights):
        with pytest.raises(ConfigError, match=r"safetensors` is none of `point`: unknown setting `sizes`"):
            use("point", weights=tmp_path)


def test_a_name_that_is_no_text_is_an_unknown_name() -> None:
    with pytest.raises(UnknownNameError, match="unknown method `5`"):
        build(5)  # type: ignore[arg-type]


def test_a_missing_dependency_names_what_to_install() -> None:
    with pytest.raises(MissingExtraError, match=r'pip install "onlooker\[gen\]"'):
        load_definition("needs_more")
    with pytest.raises(MissingExtraError, match="reinstall `onlooker`"):
        load_definition("broken")


def test_lists_and_rows() -> None:
    assert [row.name for row in list_methods()] == ["point", "needs_more", "broken"]
    assert [row.name for row in list_methods("encoders")] == ["point", "needs_more", "broken"]
    assert find_method("point").paper is PAPER
    with pytest.raises(UnknownNameError, match="did you mean `encoders`"):
        list_methods("encoder")


def test_from_pretrained_needs_a_stored_configuration(tmp_path: Path) -> None:
    network: Any = build("point", "tiny")
    network.save_pretrained(tmp_path)
    assert Point.from_pretrained(tmp_path).config == PointConfig(2)
    (tmp_path / "config.json").unlink()
    with pytest.raises(WeightsError, match=r"holds no `config.json` of ours"):
        Point.from_pretrained(tmp_path)
