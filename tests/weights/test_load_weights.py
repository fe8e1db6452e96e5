"""Weights into a network: by place, by layout, strictly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from onlooker.errors import WeightsError
from onlooker.weights.keys import KeyMap
from onlooker.weights.load import check_finite, fit_state, load_state, load_weights, locate_weights

KEY_MAP = KeyMap({"fc.{}.*": "layers.{}.*", "norm.*": "norm.*"})


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 3), nn.Linear(3, 2)])
        self.norm = nn.LayerNorm(2)


def official(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.replace("layers.", "fc."): tensor for name, tensor in state.items()}


def test_both_layouts_fill_every_tensor() -> None:
    source = Small().state_dict()
    for state in (source, official(source), {f"module.{name}": t for name, t in official(source).items()}):
        network = Small()
        load_state(network, state, KEY_MAP, "memory")
        assert all(tensor.equal(source[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("layout", ["ours", "official"])
def test_what_does_not_fit_is_listed_first_of_each_and_nothing_is_loaded(layout: str) -> None:
    state = dict(Small().state_dict())
    del state["layers.1.weight"]
    state["norm.weight"] = torch.zeros(5)
    state["odd"] = torch.zeros(1)
    network = Small()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(WeightsError) as error:
        load_state(network, state if layout == "ours" else official(state), KEY_MAP, "file.pt")
    assert str(error.value) == (
        "the weights in `file.pt` do not fit `Small`: missing: `layers.1.weight`; surplus: `odd`; "
        "wrong shape: `norm.weight` is (2,), got (5,)"
    )
    assert all(tensor.equal(before[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("layout", ["ours", "official"])
def test_weights_with_one_value_that_is_no_number_are_refused_and_nothing_is_loaded(layout: str, value: float) -> None:
    state = {name: tensor.clone() for name, tensor in Small().state_dict().items()}
    state["layers.0.weight"][2, 1] = value
    network = Small()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(WeightsError, match=r"`run.pt` hold NaN or infinity in `layers.0.weight`; .* earlier"):
        load_state(network, state if layout == "ours" else official(state), KEY_MAP, "run.pt")
    assert all(tensor.equal(before[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.float8_e5m2, torch.complex64])
def test_spoiled_values_are_found_in_every_kind_of_float(dtype: torch.dtype) -> None:
    state = {name: tensor.to(dtype) for name, tensor in Small().state_dict().items()}
    check_finite(Small(), state, "a.pt")
    spoiled = {name: torch.full(tensor.shape, float("nan")).to(dtype) for name, tensor in state.items()}
    with pytest.raises(WeightsError, match=r"layers.0.weight`, `layers.0.bias`, `layers.1.weight` and 3 more tensors"):
        check_finite(Small(), spoiled, "a.pt")


def test_a_mask_of_minus_infinity_is_no_fault_where_the_network_has_it_too() -> None:
    class Masked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mask", torch.full((2, 2), -float("inf")).triu(1))
            self.register_buffer("mean", torch.zeros(2))
            self.register_buffer("none", torch.zeros(0))

    state = Masked().state_dict()
    load_state(Masked(), state, KeyMap({}), "a.pt")
    with pytest.raises(WeightsError, match="infinity in `mean`;"):
        load_state(Masked(), {**state, "mean": torch.full((2,), float("inf"))}, KeyMap({}), "a.pt")


def test_a_file_with_nothing_in_common_lists_both_sides() -> None:
    with pytest.raises(WeightsError, match=r"missing: `layers.0.weight`.* and 1 more; surplus: `x`"):
        load_state(Small(), {"x": torch.zeros(1)}, KEY_MAP, "file.pt")


def test_where_names_are_equal_shapes_tell_the_layouts_apart() -> None:
    """Only the official layout is transposed."""
    key_map = KeyMap({"weight": "weight", "bias": "bias"}, transforms={"weight": lambda tensor: tensor.T})
    whole = nn.Linear(2, 3).state_dict()
    network = nn.Linear(2, 3)
    load_state(network, {"weight": whole["weight"].T, "bias": whole["bias"]}, key_map, "official")
    assert network.weight.equal(whole["weight"])
    load_state(network, whole, key_map, "ours")
    assert network.weight.equal(whole["weight"])


def test_a_network_without_values_can_be_compared() -> None:
    with torch.device("meta"):
        network = Small()
    state = Small().state_dict()
    assert fit_state(network, official(state), KEY_MAP)[1].fits
    state["norm.bias"] = torch.zeros(7)
    assert fit_state(network, state, KEY_MAP)[1].mismatched == {"norm.bias": ((2,), (7,))}


def test_half_precision_files_fill_a_full_network() -> None:
    network = Small()
    state = {name: tensor.to(torch.bfloat16) for name, tensor in Small().state_dict().items()}
    load_state(network, state, KEY_MAP, "half")
    assert network.norm.weight.dtype == torch.float32


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(Small().state_dict(), path)


def test_a_folder_gives_its_one_file_or_ours_among_several(tmp_path: Path) -> None:
    write(tmp_path / "official.safetensors")
    assert locate_weights(tmp_path).path.name == "official.safetensors"
    write(tmp_path / "other.pt")
    with pytest.raises(WeightsError, match=r"exactly one weight file; found: official.safetensors, other.pt"):
        locate_weights(tmp_path)
    write(tmp_path / "model.safetensors")
    assert locate_weights(str(tmp_path)).path.name == "model.safetensors"


def test_a_folder_without_weights_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no weights here")
    with pytest.raises(WeightsError, match="found: none"):
        locate_weights(tmp_path)


@pytest.mark.parametrize(
    "weights", ["nothing-here", "runs/model.pt", "a/b/c", "./near/by", "../up", "~/nowhere-at-all", "/root-of/it"]
)
def test_a_place_that_is_not_there_reaches_for_no_network(weights: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def refuse(*_: object, **__: object) -> str:
        raise AssertionError("the hub was asked")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    for place in (weights, Path(weights)):
        with pytest.raises(WeightsError, match=r"no weights at|neither a folder nor a hub name"):
            locate_weights(place)


@pytest.mark.parametrize("weights", [5, {"a": torch.zeros(1)}])
def test_what_is_no_place_is_refused(weights: object) -> None:
    with pytest.raises(WeightsError, match=r"a path or a hub name, got `(int|dict)`; `load_state` takes tensors"):
        locate_weights(weights)  # type: ignore[arg-type]


def test_a_hub_name_offline_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match=r"`nobody/no-such-model`.*not in the local cache"):
        locate_weights("nobody/no-such-model", offline=True)


def test_the_stored_configuration_belongs_to_a_file_of_ours_only(tmp_path: Path) -> None:
    write(tmp_path / "model.safetensors")
    write(tmp_path / "elsewhere" / "weights.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"onlooker_method": "stts", "config": {"depth": 2}}))
    found = locate_weights(tmp_path)
    assert (found.method, found.config) == ("stts", {"depth": 2})
    assert locate_weights(tmp_path / "model.safetensors").config == {"depth": 2}
    assert locate_weights(tmp_path / "elsewhere" / "weights.safetensors").config is None


@pytest.mark.parametrize("content", ['{"architectures": ["Bert"], "hidden_size": 8}', "[]", '{"config": 3}', "null"])
def test_a_configuration_of_others_is_left_alone(tmp_path: Path, content: str) -> None:
    write(tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(content)
    assert locate_weights(tmp_path).config is None


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00"])
def test_a_broken_configuration_is_named(tmp_path: Path, content: bytes) -> None:
    write(tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(WeightsError, match=r"config.json` is not readable JSON"):
        locate_weights(tmp_path)


def test_loading_names_the_file(tmp_path: Path) -> None:
    write(tmp_path / "model.safetensors")
    load_weights(Small(), locate_weights(tmp_path), KEY_MAP)
    with pytest.raises(WeightsError, match=r"model.safetensors` do not fit `Linear`"):
        load_weights(nn.Linear(1, 1), locate_weights(tmp_path), KEY_MAP)
