"""Every configuration of every method: built without memory, counted, saved, loaded, and named as the key map says."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from contract_tools import Tiny, definition_of

from onlooker import build
from onlooker.configs import config_from_dict, config_to_dict
from onlooker.errors import UnknownNameError, WeightsError
from onlooker.methods.definition import Method
from onlooker.weights.keys import compare_keys
from onlooker.weights.load import load_state
from onlooker.weights.saving import SavedNetwork

COUNT_TOLERANCE = 0.005
SIZES = Path(__file__).parents[2] / "docs" / "papers" / "sizes.json"


@dataclass(frozen=True)
class Outline:
    """Names of a network without values: what the tests below need of it, small enough to keep for all of them."""

    tensors: tuple[str, ...]
    n_parameters: int
    made_elsewhere: tuple[str, ...]


@functools.cache
def outline(name: str, config_name: str) -> Outline:
    """Built on the meta device; large networks cost no memory there."""
    method = definition_of(name)
    with torch.device("meta"):
        network = method.build(method.configs[config_name])
    parameters = dict(network.named_parameters())
    elsewhere = [name for name, parameter in parameters.items() if parameter.device.type != "meta"]
    count = sum(parameter.numel() for parameter in parameters.values())
    return Outline(tuple(network.state_dict()), count, tuple(elsewhere))


def test_every_configuration_builds_without_memory(method: Method[Any], config_name: str) -> None:
    found = outline(method.name, config_name)
    assert found.n_parameters > 0
    assert not found.made_elsewhere, f"made on a device of their own choice: {found.made_elsewhere[:5]}"


def test_parameter_counts_are_the_stated_ones(method: Method[Any], config_name: str) -> None:
    stated = method.parameter_counts.get(config_name)
    if stated is None:
        assert config_name != "paper", "`parameter_counts` states the paper's main configuration"
        pytest.skip("the sources state no count for it")
    counted = outline(method.name, config_name).n_parameters
    assert abs(counted - stated) <= COUNT_TOLERANCE * stated, f"{counted:,} parameters, {stated:,.0f} stated"


def test_parameter_counts_on_the_page_are_current(method: Method[Any], config_name: str) -> None:
    if not SIZES.exists():
        pytest.skip("the pages of papers are not here")
    sizes = {size["config"]: size["parameters"] for size in json.loads(SIZES.read_text())[method.name]}
    counted = outline(method.name, config_name).n_parameters
    assert sizes[config_name] == counted, f"run `python docs/generate_papers.py {method.name}`"


def test_every_configuration_survives_plain_data(method: Method[Any], config_name: str) -> None:
    config = method.configs[config_name]
    assert config_from_dict(method.config_type, config_to_dict(config)) == config


def test_every_name_of_ours_has_an_official_one(method: Method[Any], config_name: str) -> None:
    ours = list(outline(method.name, config_name).tensors)
    key_map = method.key_map(method.configs[config_name])
    unreachable = [name for name in ours if not key_map.theirs(name)]
    assert not unreachable, f"no rule leads to {len(unreachable)} of our tensors: {unreachable[:5]}"
    official = [key_map.theirs(name)[0] for name in ours]
    assert len(set(official)) == len(official), "one official name fills two of ours"
    report = compare_keys(official, ours, key_map)
    assert report.fits, str(report)


def test_every_rule_of_the_key_map_serves_some_configuration(method: Method[Any]) -> None:
    """A rule may be idle in one configuration, and under one spelling of the official prefix, but not everywhere."""
    used, known = set(), set()
    for config_name, config in method.configs.items():
        key_map = method.key_map(config)
        known |= set(key_map.rules.values())
        for ours in outline(method.name, config_name).tensors:
            rules = [key_map.rule_for(official) for official in key_map.theirs(ours)]
            used |= {key_map.rules[rule] for rule in rules if rule is not None}
    assert known <= used, f"rules that lead to no tensor of any configuration: {sorted(known - used)[:5]}"


def test_official_tensors_go_where_they_belong(tiny: Tiny) -> None:
    """Through the map, as a file in the official layout would: values arrive where the names say, unless a transform
    changes them on the way."""
    key_map = tiny.method.key_map(tiny.config)
    if key_map.transforms:
        pytest.skip("its official tensors have another layout; golden tensors check them")
    source, target = tiny.copied_network(1), tiny.copied_network(2)
    state = source.state_dict()
    load_state(target, {key_map.theirs(name)[0]: tensor for name, tensor in state.items()}, key_map, "memory")
    for name, tensor in target.state_dict().items():
        assert tensor.equal(state[name]), f"`{name}` got the values of another tensor"


def test_save_and_load_is_exact(tiny: Tiny, tmp_path: Path) -> None:
    network = tiny.network(seed=7).eval()
    assert isinstance(network, SavedNetwork), "networks derive from `onlooker.weights.saving.SavedNetwork`"
    network.save_pretrained(tmp_path)
    state = network.state_dict()
    for loaded in (type(network).from_pretrained(tmp_path), build(tiny.method.name, weights=tmp_path)):
        assert loaded.config == tiny.config
        assert not loaded.training
        assert list(loaded.state_dict()) == list(state)
        assert all(tensor.equal(state[name]) for name, tensor in loaded.state_dict().items())
        inputs = tiny.inputs(2)
        with torch.no_grad():
            expected, found = tiny.run(network, inputs), tiny.run(loaded, inputs)
        assert all(found[name].equal(expected[name]) for name in expected)


def test_building_by_name_is_repeatable_and_ready_for_use(tiny: Tiny) -> None:
    built = build(tiny.method.name, "tiny", seed=3)
    assert not built.training
    expected = tiny.network(3).state_dict()
    assert all(tensor.equal(expected[name]) for name, tensor in built.state_dict().items())


def test_a_missing_or_surplus_tensor_is_named_in_our_layout(tiny: Tiny) -> None:
    state = tiny.copied_network().state_dict()
    gone = list(state)[len(state) // 2]
    fewer = {name: tensor for name, tensor in state.items() if name != gone}
    key_map = tiny.method.key_map(tiny.config)
    with pytest.raises(WeightsError) as missing:
        load_state(tiny.copied_network(), fewer, key_map, "cut.safetensors")
    assert f"missing: `{gone}`" in str(missing.value)
    assert "surplus" not in str(missing.value)
    with pytest.raises(WeightsError, match="surplus: `not_a_tensor_of_ours`"):
        load_state(
            tiny.copied_network(), {**state, "not_a_tensor_of_ours": torch.zeros(1)}, key_map, "more.safetensors"
        )


def test_unknown_configurations_and_fields_are_answered_with_the_nearest(method: Method[Any]) -> None:
    with pytest.raises(UnknownNameError, match="did you mean `tiny`"):
        method.resolve("tinny")
    field = next(iter(config_to_dict(method.configs["tiny"])))
    with pytest.raises(UnknownNameError, match=f"did you mean.*`{field}`"):
        method.resolve({f"{field}x": 1})
