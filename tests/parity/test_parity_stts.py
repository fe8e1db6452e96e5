"""STTS against tensors recorded from the official code (`../shared/goldens/stts`), weights through our key map."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from onlooker.methods.encoders.stts.config import MViTConfig, SelectionConfig, SttsConfig, SwinConfig
from onlooker.methods.encoders.stts.model import Stts
from onlooker.methods.encoders.stts.selection import FrameSelector, RegionSelector
from onlooker.methods.encoders.stts.topk import Perturbation, hard_top_k, perturbed_top_k
from onlooker.methods.encoders.stts.weights import SCORER_RULES, key_map
from onlooker.weights.keys import KeyMap, compare_keys
from onlooker.weights.load import load_state

pytestmark = pytest.mark.parity
GOLDENS = Path(__file__).parents[3] / "shared" / "goldens" / "stts"
OPERATOR, OUTPUT, GRADIENT = 1e-6, 1e-5, 1e-3  # tolerances of the README beside the tensors; gradients relative


def golden(name: str) -> dict[str, Tensor]:
    path = GOLDENS / f"{name}.safetensors"
    if not path.is_file():
        pytest.skip(f"the golden tensors {name} are not here")
    return load_file(path)


def settings(name: str) -> dict[str, Any]:
    return json.loads((GOLDENS / "configs.json").read_text(encoding="utf-8"))[name]


def assert_near(found: Tensor, expected: Tensor, tolerance: float) -> None:
    assert found.shape == expected.shape
    assert (found - expected).abs().max().item() <= tolerance


def assert_gradient_near(found: Tensor | None, expected: Tensor, scale: float) -> None:
    """Relative to the largest gradient of the tensor; below 1e-6 of `scale` there is rounding only. The last bias of a
    scorer, which min-max takes away, is frozen here and has rounding there."""
    found = torch.zeros_like(expected) if found is None else found
    assert found.shape == expected.shape
    assert (found - expected).abs().max().item() <= GRADIENT * max(expected.abs().max().item(), 1e-3 * scale)


@pytest.mark.parametrize("case", ["a", "b", "c", "d"])
def test_operator_and_its_official_gradient(case: str) -> None:
    tensors = golden("perturbed_topk")
    chosen = settings(f"perturbed_{case}")
    scores = tensors[f"{case}.scores"].clone().requires_grad_()
    perturbation = Perturbation(chosen["sigma"], noise=tensors[f"{case}.noise"])
    indicator = perturbed_top_k(scores, chosen["k"], perturbation)
    assert_near(indicator, tensors[f"{case}.indicator"], OPERATOR)
    assert hard_top_k(scores.detach(), chosen["k"]).equal(tensors[f"{case}.hard_topk"])
    indicator.backward(tensors[f"{case}.grad_output"])
    assert scores.grad is not None
    assert_near(scores.grad, tensors[f"{case}.grad_scores"], OPERATOR)


@pytest.mark.parametrize("case", ["a", "b", "c"])
def test_operator_draws_what_the_official_one_draws(case: str) -> None:
    tensors, chosen = golden("perturbed_topk"), settings(f"perturbed_{case}")
    shape = tensors[f"{case}.noise"].shape
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(chosen["manual_seed"]))
    if not drawn.equal(tensors[f"{case}.noise"]):
        pytest.skip("scores were drawn from the same seed before the noise")
    perturbation = Perturbation(
        chosen["sigma"], chosen["num_samples"], torch.Generator().manual_seed(chosen["manual_seed"])
    )
    found = perturbed_top_k(tensors[f"{case}.scores"], chosen["k"], perturbation)
    assert_near(found, tensors[f"{case}.indicator"], OPERATOR)


def _check_patchnet(name: str) -> None:
    tensors, chosen = golden(name), settings(name)
    batch, _, channels = tensors["x"].shape
    frames, per_frame, keep = chosen["T"], chosen["N"], chosen["k"]
    selector: FrameSelector | RegionSelector
    if chosen["score"] == "tpool":
        selector, inner, size = FrameSelector(channels), (per_frame,), keep
    else:
        side = int(per_frame**0.5)
        selector, inner, size = RegionSelector(channels), (side, side), int(keep**0.5)
    weights = {name[2:]: tensor for name, tensor in tensors.items() if name.startswith("w.")}
    load_state(selector, weights, KeyMap(rules=SCORER_RULES), name)
    x = tensors["x"].clone().requires_grad_()
    tokens = x.reshape(batch, frames, *inner, channels)

    hard, _ = selector(tokens, size, None)
    assert_near(hard.reshape(batch, -1, channels), tensors["eval_out"], OUTPUT)

    soft, _ = selector(tokens, size, Perturbation(chosen["sigma"], noise=tensors["noise"]))
    soft = soft.reshape(batch, -1, channels)
    assert_near(soft, tensors["train_out"], OUTPUT)
    (soft * tensors["train_weight"]).sum().backward()
    scale = tensors["grad_x"].abs().max().item()
    assert_gradient_near(x.grad, tensors["grad_x"], scale)
    named = dict(selector.named_parameters())
    for official, expected in tensors.items():
        if official.startswith("grad."):
            ours = KeyMap(rules=SCORER_RULES).ours(official.removeprefix("grad."))
            assert ours is not None
            assert_gradient_near(named[ours].grad, expected, scale)


def test_temporal_selector() -> None:
    _check_patchnet("patchnet_time")


def test_spatial_selector() -> None:
    _check_patchnet("patchnet_space")


def _mvit_config(name: str) -> SttsConfig:
    chosen = settings(name)
    (time_at, time_ratio), (space_at, space_ratio) = chosen["time"], chosen["space"]
    selection = SelectionConfig(
        time_at=time_at[0] if time_at else None,
        time_ratio=time_ratio[0] if time_ratio else 1.0,
        space_at=space_at[0] if space_at else None,
        space_ratio=space_ratio[0] if space_ratio else 1.0,
    )
    return SttsConfig(
        frames=chosen["frames"],
        image_size=(chosen["crop"], chosen["crop"]),
        num_classes=chosen["classes"],
        selection=selection,
        mvit=MViTConfig(
            embed_dim=chosen["embed_dim"], depth=chosen["depth"], drop_path=chosen["droppath"], head_dropout=0.0
        ),
    )


def _load(name: str, config: SttsConfig) -> Stts:
    weights = golden(f"{name}.weights")
    network = Stts(config)
    assert compare_keys(weights, network.state_dict(), key_map(config)).fits
    load_state(network, weights, key_map(config), name)
    return network


def _check_gradients(network: Stts, x: Tensor, tensors: dict[str, Tensor]) -> None:
    if "grad_x" in tensors:
        assert_gradient_near(x.grad, tensors["grad_x"], tensors["grad_x"].abs().max().item())
    expected = {name.removeprefix("grad."): tensor for name, tensor in tensors.items() if name.startswith("grad.")}
    scale = max((tensor.abs().max().item() for tensor in expected.values()), default=0.0)
    named = dict(network.named_parameters())
    for official, gradient in expected.items():
        ours = key_map(network.config).ours(official)
        assert ours is not None
        assert_gradient_near(named[ours].grad, gradient, scale)


@pytest.mark.parametrize("name", ["mvit_base", "mvit_t05", "mvit_t05_s4"])
def test_mvit_outputs_and_gradients(name: str) -> None:
    tensors = golden(f"{name}.io")
    network = _load(name, _mvit_config(name))
    with torch.no_grad():
        logits = network.eval()(tensors["x"]).logits
    assert_near(logits.softmax(-1), tensors["probs_eval"], OUTPUT)

    x = tensors["x"].clone().requires_grad_()
    output = network.train()(x, generator=torch.Generator().manual_seed(settings(name)["train_seed"]))
    assert_near(output.logits, tensors["train_logits"], OUTPUT)
    loss = functional.cross_entropy(output.logits, torch.tensor([3, 7]))
    assert_near(loss, tensors["train_loss"], OUTPUT)
    loss.backward()
    _check_gradients(network, x, tensors)


@pytest.mark.parametrize("name", ["videoswin_base", "videoswin_t05"])
def test_videoswin_features_and_gradients(name: str) -> None:
    tensors, chosen = golden(f"{name}.io"), settings(name)
    time_at = chosen["time_pruning_loc"]
    config = SttsConfig(
        frames=chosen["num_frames"],
        image_size=(chosen["image_size"], chosen["image_size"]),
        num_classes=None,
        selection=SelectionConfig(
            time_at=time_at[0] if time_at else None,
            time_ratio=chosen["time_left_ratio"][0] if time_at else 1.0,
            sigma=chosen["sigma"],
        ),
        swin=SwinConfig(
            patch_size=tuple(chosen["patch_size"]),
            embed_dim=chosen["embed_dim"],
            depths=tuple(chosen["depths"]),
            num_heads=tuple(chosen["num_heads"]),
            window_size=tuple(chosen["window_size"]),
            drop_path=chosen["drop_path_rate"],
        ),
    )
    network = _load(name, config)
    with torch.no_grad():
        assert_near(network.eval()(tensors["x"]).features, tensors["feat_eval"], OUTPUT)
    if "train_feat" not in tensors:
        return
    x = tensors["x"].clone().requires_grad_()
    features = network.train()(x, generator=torch.Generator().manual_seed(chosen["train_seed"])).features
    assert_near(features, tensors["train_feat"], OUTPUT)
    loss = features.square().mean()
    assert_near(loss, tensors["train_loss"], OUTPUT)
    loss.backward()
    _check_gradients(network, x, tensors)
