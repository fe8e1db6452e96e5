"""The released ObjectFormer against tensors recorded from the official code (`../shared/goldens/objectformer`), weights
through our key map. The paper's network has no public weights: it is a different one and is not compared here."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from onlooker.methods.forensics.objectformer.config import CONFIGS, ObjectFormerConfig, ReleasedConfig
from onlooker.methods.forensics.objectformer.released import ObjectFormerReleased
from onlooker.methods.forensics.objectformer.weights import key_map
from onlooker.weights.keys import compare_keys, translate
from onlooker.weights.load import load_state

pytestmark = pytest.mark.parity
GOLDENS = Path(__file__).parents[3] / "shared" / "goldens" / "objectformer"
TOLERANCE = {"atol": 1e-4, "rtol": 1e-4}  # of the README beside the tensors


def content(name: str) -> Any:
    path = GOLDENS / name
    if not path.is_file():
        pytest.skip(f"the golden file {name} is not here")
    return json.loads(path.read_text(encoding="utf-8"))


def config_of(name: str) -> ObjectFormerConfig:
    """The official configuration file in our words."""
    given = content(f"config_{name}.json")
    released = ReleasedConfig(
        stem_channels=given["INPLANES"],
        channels=tuple(given["NUM_CHS"]),
        blocks=tuple(given["NUM_LAYERS"]),
        strides=tuple(given["NUM_STRIDES"]),
        heads=tuple(given["NUM_HEADS"]),
        encoder_heads=tuple(given["NUM_ENC_HEADS"]),
        prototypes=tuple(given["NUM_PARTS"]),
        windows=tuple(given["PATCH_SIZES"]),
        drop_path=given["DROP_PATH"],
    )
    return ObjectFormerConfig(released=released, image_size=380)


def official_state(name: str) -> dict[str, Tensor]:
    """The rule of the README: a tensor is a function of its official name and shape."""
    state = {}
    for key, (shape, dtype) in content(f"state_dict_shapes_{name}.json").items():
        if not dtype.startswith("torch.float"):
            state[key] = torch.zeros(shape, dtype=torch.int64)
            continue
        generator = np.random.RandomState(zlib.crc32(key.encode()) & 0xFFFFFFFF)
        noise = np.asarray(generator.standard_normal(shape), np.float32)
        state[key] = torch.from_numpy(np.ascontiguousarray(_scaled(key, noise, shape))).float()
    return state


def _scaled(key: str, noise: np.ndarray, shape: list[int]) -> np.ndarray:
    if key.endswith("running_var"):
        return 1 + 0.1 * np.abs(noise)
    if key.endswith("running_mean"):
        return 0.1 * noise
    if len(shape) <= 1:
        return 1 + 0.1 * noise if key.endswith("weight") else 0.1 * noise
    return noise * np.sqrt(1 / np.prod(shape[1:]))


@pytest.fixture(scope="module")
def network() -> ObjectFormerReleased:
    config = config_of("tiny")
    found = ObjectFormerReleased(config).eval()
    load_state(found, official_state("tiny"), key_map(config), "the rule of the goldens")
    return found


def _recorded(network: ObjectFormerReleased, image: Tensor) -> dict[str, Tensor]:
    """Outputs and what happened inside, under the names of the golden files."""
    seen: dict[str, Tensor] = {}
    hooks = []

    def keep(name: str, module: nn.Module) -> None:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            parts = output if isinstance(output, tuple) else (output,)
            for place, part in enumerate(parts):
                seen[f"{name}.{place}" if isinstance(output, tuple) else name] = part

        hooks.append(module.register_forward_hook(hook))

    for number, stage in enumerate(network.stages):
        keep(f"layer_{number}", stage)
    keep("layer_0.block0.encoder", network.stages[0].blocks[0].encoder)
    keep("layer_0.block0.decoder", network.stages[0].blocks[0].decoder)
    with torch.inference_mode():
        output = network(image)
    for hook in hooks:
        hook.remove()
    seen["image_logit"] = output.image_logit
    seen |= {f"mask_{i}": output.mask_logits[:, i : i + 1].sigmoid() for i in range(output.mask_logits.shape[1])}
    return seen


@pytest.mark.parametrize("name", ["objectformer_tiny_sq_64x64", "objectformer_tiny_pad_72x88"])
def test_released_network_gives_the_official_tensors(network: ObjectFormerReleased, name: str) -> None:
    path = GOLDENS / f"{name}.safetensors"
    if not path.is_file():
        pytest.skip(f"the golden tensors {name} are not here")
    golden = load_file(path)
    found = _recorded(network, golden.pop("input"))
    assert set(golden) <= set(found), f"recorded nothing for {sorted(set(golden) - set(found))}"
    for key, expected in golden.items():
        torch.testing.assert_close(found[key], expected, **TOLERANCE, msg=lambda text, key=key: f"{key}: {text}")


@pytest.mark.parametrize("name", ["tiny", "official"])
def test_every_official_name_and_shape_has_its_place(name: str) -> None:
    shapes = {key: tuple(shape) for key, (shape, _) in content(f"state_dict_shapes_{name}.json").items()}
    config = config_of(name)
    with torch.device("meta"):
        ours = {key: tuple(value.shape) for key, value in ObjectFormerReleased(config).state_dict().items()}
    assert str(compare_keys(shapes, ours, key_map(config))) == "all keys fit"
    renamed, _ = translate({key: torch.empty(shape, device="meta") for key, shape in shapes.items()}, key_map(config))
    assert {key: tuple(value.shape) for key, value in renamed.items()} == ours
    back = {key_map(config).theirs(key): shape for key, shape in ours.items()}
    assert back == {(key,): shape for key, shape in shapes.items()}


def test_named_configuration_is_the_official_one() -> None:
    assert config_of("official").released == CONFIGS["released"].released
    assert config_of("tiny").released == CONFIGS["tiny-released"].released


@pytest.mark.parametrize("name", ["tiny", "official"])
def test_released_network_has_the_official_number_of_parameters(name: str) -> None:
    expected = {"tiny": 1_077_484, "official": 34_413_204}[name]
    with torch.device("meta"):
        network = ObjectFormerReleased(config_of(name))
    assert sum(parameter.numel() for parameter in network.parameters()) == expected
