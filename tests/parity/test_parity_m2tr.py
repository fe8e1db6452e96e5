"""M2TR against tensors recorded from the official code (`../shared/goldens/m2tr`), weights through our key map.

Weights are not stored: each is drawn from a seed that is the CRC of its official name, as the README there says. Every
`m2tr_img{size}_depth{depth}.safetensors` in the folder is checked, with the `state_dict_shapes_*.json` of its name.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file
from torch import Tensor

from onlooker.methods.forensics.m2tr.config import CONFIGS, FusionConfig, M2trConfig
from onlooker.methods.forensics.m2tr.losses import focal_loss
from onlooker.methods.forensics.m2tr.model import M2tr
from onlooker.methods.forensics.m2tr.weights import key_map, load_backbone, to_official
from onlooker.weights.keys import compare_keys
from onlooker.weights.load import load_state

pytestmark = pytest.mark.parity
GOLDENS = Path(__file__).parents[3] / "shared" / "goldens" / "m2tr"
TOLERANCE = 1e-4  # of the README beside the tensors, absolute and relative
OFFICIAL = GOLDENS / "state_dict_shapes_official_img320_depth4.json"
_NAMED = re.compile(r"m2tr_img(\d+)_depth(\d+)")
CASES = sorted({"m2tr_img64_depth2", *(path.stem for path in GOLDENS.glob("m2tr_img*_depth*.safetensors"))})


def shapes_of(path: Path) -> dict[str, list[object]]:
    if not path.is_file():
        pytest.skip(f"`{path.name}` is not here")
    return json.loads(path.read_text(encoding="utf-8"))


def drawn(key: str, shape: list[int], dtype: str) -> Tensor:
    """The value of one official tensor."""
    if "int" in dtype:
        return torch.zeros(shape, dtype=torch.int64)
    noise = np.random.RandomState(zlib.crc32(key.encode()) & 0xFFFFFFFF).standard_normal(shape).astype(np.float32)
    if key.endswith("running_var"):
        value = 1 + 0.1 * np.abs(noise)
    elif key.endswith("running_mean"):
        value = 0.1 * noise
    elif len(shape) <= 1:
        value = 1 + 0.1 * noise if key.endswith("weight") else 0.1 * noise
    elif key.endswith("complex_weight"):
        value = 0.5 * noise
    else:
        value = noise * np.sqrt(1 / np.prod(shape[1:]))
    return torch.from_numpy(np.asarray(value, np.float32))


def official_state(shapes: dict[str, list[object]]) -> dict[str, Tensor]:
    return {key: drawn(key, shape, dtype) for key, (shape, dtype) in shapes.items()}  # type: ignore[arg-type]


def config_of(name: str) -> M2trConfig:
    matched = _NAMED.match(name)
    assert matched is not None
    return replace(CONFIGS["paper"], image_size=int(matched[1]), fusion=FusionConfig(depth=int(matched[2])))


@pytest.mark.parametrize("name", CASES)
def test_every_recorded_tensor_is_met(name: str) -> None:
    path = GOLDENS / f"{name}.safetensors"
    if not path.is_file():
        pytest.skip(f"the golden tensors {name} are not here")
    tensors, config = load_file(path), config_of(name)
    state = official_state(shapes_of(GOLDENS / f"state_dict_shapes_{name.removeprefix('m2tr_')}.json"))
    network = M2tr(config).eval()
    assert compare_keys(state, network.state_dict(), key_map(config)).fits
    load_state(network, state, key_map(config), name)
    found: dict[str, Tensor] = {}
    with torch.no_grad():
        x = network.backbone.textures(tensors["input"])
        found["texture"] = x
        for place, layer in enumerate(network.layers):
            x = x + layer.attention(x)
            x = x + layer.feed_forward(x)
            found[f"layer{place}.multiscale_attn_out"] = x
            found[f"layer{place}.global_filter_out"] = layer.frequency.filter(x)
            other = layer.frequency(x)
            found[f"layer{place}.freq_block_out"] = other
            x = layer.fusion(x, other)
            found[f"layer{place}.cma_out"] = x
        found["head_map"] = network.backbone.features(x)
        output = network(tensors["input"])
    found |= {"pooled": output.features, "raw_logits": output.logits, "probs_eval": output.logits.sigmoid()}
    if "focal_loss" in tensors:
        labels = torch.arange(len(output.logits)) % 2  # the README's: 0, 1
        found["focal_loss"] = focal_loss(output.logits, labels).reshape(1)
    assert set(tensors) - {"input"} <= set(found)
    for key, expected in tensors.items():
        if key != "input":
            torch.testing.assert_close(
                found[key], expected, atol=TOLERANCE, rtol=TOLERANCE, msg=lambda m, k=key: f"{k}: {m}"
            )


def test_the_official_names_and_shapes_map_completely_both_ways() -> None:
    shapes, config = shapes_of(OFFICIAL), CONFIGS["paper"]
    assert len(shapes) == 928
    with torch.device("meta"):
        network = M2tr(config)
    ours, names = network.state_dict(), key_map(config)
    ignored = {key for key in shapes if names.ours(key) is None}
    assert ignored == {"model._fc.weight", "model._fc.bias"}  # read by nothing in the official code
    assert compare_keys(shapes, ours, names).fits
    for key, (shape, _) in shapes.items():
        target = names.ours(key)
        if target is not None:
            assert list(ours[target].shape) == shape, key
            assert names.theirs(target) == (key,)
    back = to_official(network)
    assert {key: list(tensor.shape) for key, tensor in back.items()} == {
        key: shape for key, (shape, _) in shapes.items()
    }


def test_the_backbone_from_timm_gives_timms_features() -> None:
    """Both halves together are the whole network that timm builds; the texture cut loses nothing."""
    config = replace(CONFIGS["paper"], image_size=64, fusion=FusionConfig(depth=0))
    torch.manual_seed(0)
    reference = timm.create_model("tf_efficientnet_b4").eval()
    network = M2tr(config).eval()
    load_backbone(network, reference.state_dict(), "timm")
    image = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = reference.forward_features(image)
        found = network.backbone.features(network.backbone.textures(image))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
