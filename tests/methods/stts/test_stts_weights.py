"""Names in both directions for every configuration and layout, and starts from unpruned networks."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torchvision.models.video import mvit_v1_b, swin3d_b

from onlooker.errors import WeightsError
from onlooker.methods.encoders.stts.config import CONFIGS, SelectionConfig, SttsConfig
from onlooker.methods.encoders.stts.model import Stts
from onlooker.methods.encoders.stts.weights import key_map, load_unpruned
from onlooker.weights.keys import compare_keys
from onlooker.weights.load import load_state

MVIT_NAMES = {
    "conv_proj.": "patch_embed.proj.",
    "pos_encoding.class_token": "cls_token",
    "pos_encoding.spatial_pos": "pos_embed_spatial",
    "pos_encoding.temporal_pos": "pos_embed_temporal",
    "pos_encoding.class_pos": "pos_embed_class",
    ".attn.project.0.": ".attn.proj.",
    ".pool.weight": ".weight",
    ".mlp.0.": ".mlp.fc1.",
    ".mlp.3.": ".mlp.fc2.",
    ".project.": ".proj.",
    "head.1.": "head.projection.",
}


def slowfast_names(names: list[str]) -> list[str]:
    """torchvision's names as SlowFast has them, written independently of the key map."""
    found = []
    for name in names:
        for part in "qkv":
            name = name.replace(f"attn.pool_{part}.norm_act.0.", f"attn.norm_{part}.")
        for ours, theirs in MVIT_NAMES.items():
            name = name.replace(ours, theirs)
        found.append(name)
    return found


def scorer_names(predictor: str) -> list[str]:
    layers = ("in_conv.0", "in_conv.1", "out_conv.0", "out_conv.2", "out_conv.4")
    return [f"{predictor}.0.score_network.{layer}.{part}" for layer in layers for part in ("weight", "bias")]


def official_names(config: SttsConfig) -> list[str]:
    """What the released checkpoint of a configuration holds."""
    with torch.device("meta"):
        theirs = mvit_v1_b() if config.mvit is not None else swin3d_b()
    names = list(theirs.state_dict())
    if config.mvit is not None:
        found = slowfast_names(names)
    else:
        found = []
        for name in names:
            part, _, rest = name.removeprefix("features.").partition(".")
            if name.startswith("features."):
                stage, merger = divmod(int(part), 2)
                name = f"layers.{stage}.{'downsample' if merger else 'blocks'}.{rest}"
            name = name.replace("mlp.0.", "mlp.fc1.").replace("mlp.3.", "mlp.fc2.")
            found.append(name.replace("head.", "cls_head.fc_cls.") if name.startswith("head.") else f"backbone.{name}")
    prefix = "" if config.mvit is not None else "backbone."
    if config.selection.time_at is not None:
        found += scorer_names(f"{prefix}time_score_predictor")
    if config.selection.space_at is not None:
        found += scorer_names(f"{prefix}space_score_predictor")
    return found


@pytest.mark.parametrize("name", [name for name in CONFIGS if name != "tiny"])
def test_official_names_fit_in_both_directions(name: str) -> None:
    config = CONFIGS[name]
    with torch.device("meta"):
        ours = Stts(config).state_dict()
    report = compare_keys(official_names(config), ours, key_map(config))
    assert report.fits, str(report)


@pytest.mark.parametrize("name", ["mvit-b", "videoswin-b"])
def test_torchvision_names_fit_in_both_directions(name: str) -> None:
    with torch.device("meta"):
        theirs = mvit_v1_b() if name == "mvit-b" else swin3d_b()
        ours = Stts(CONFIGS[name])
    report = compare_keys(theirs.state_dict(), ours.state_dict(), key_map(CONFIGS[name]))
    assert report.fits, str(report)
    assert sum(p.numel() for p in theirs.parameters()) == sum(p.numel() for p in ours.parameters())


def test_parameter_counts_are_the_papers() -> None:
    with torch.device("meta"):
        network = Stts(CONFIGS["paper"])
    scorers = sum(value.numel() for value in network.scorer_parameters().values())
    assert scorers == pytest.approx(0.30e6, rel=0.01)
    assert sum(value.numel() for value in network.parameters()) - scorers == pytest.approx(36.6e6, rel=0.005)


def tiny(selection: SelectionConfig | None = None) -> Stts:
    torch.manual_seed(0)
    return Stts(CONFIGS["tiny"] if selection is None else replace(CONFIGS["tiny"], selection=selection))


def in_official_layout(network: Stts) -> dict[str, Tensor]:
    names = key_map(network.config)
    state = {names.theirs(name)[0]: value.clone() for name, value in network.state_dict().items()}
    for name in ("cls_token", "pos_embed_class"):
        state[name] = state[name].reshape(1, 1, -1)
    for name in ("pos_embed_spatial", "pos_embed_temporal"):
        state[name] = state[name][None]
    return state


def test_separate_queries_keys_and_values_are_joined_in_that_order() -> None:
    source, target = tiny(), tiny()
    state = in_official_layout(source)
    for name in [name for name in state if ".attn.qkv." in name]:
        for part, tensor in zip("qkv", state.pop(name).chunk(3), strict=True):
            state[name.replace(".qkv.", f".{part}.")] = tensor
    with torch.no_grad():
        for parameter in target.parameters():
            parameter.zero_()
    load_state(target, state, key_map(target.config), "memory")
    assert all(value.equal(source.state_dict()[name]) for name, value in target.state_dict().items())


def test_queries_without_values_are_reported() -> None:
    network = tiny()
    state = in_official_layout(network)
    fused = state.pop("blocks.0.attn.qkv.weight")
    state["blocks.0.attn.q.weight"], state["blocks.0.attn.k.weight"], _ = fused.chunk(3)
    with pytest.raises(WeightsError, match=r"missing: `backbone\.blocks\.0\.attn\.qkv\.weight`"):
        load_state(network, state, key_map(network.config), "cut.pyth")


@pytest.mark.parametrize("layout", ["ours", "official"])
def test_unpruned_start_leaves_scorers_as_they_were(layout: str) -> None:
    unpruned = tiny(SelectionConfig())
    with torch.no_grad():
        for parameter in unpruned.parameters():
            parameter.mul_(2.0)
    network, before = tiny(), tiny().state_dict()
    load_unpruned(network, unpruned.state_dict() if layout == "ours" else in_official_layout(unpruned), "memory")
    scorers = network.scorer_parameters()
    for name, value in network.state_dict().items():
        assert value.equal(before[name] if name in scorers else unpruned.state_dict()[name]), name
    assert scorers["backbone.frame_selector.scorer.inner.1.weight"].requires_grad


@pytest.mark.parametrize("layout", ["ours", "official"])
def test_unpruned_start_with_a_hole_or_too_much_changes_nothing(layout: str) -> None:
    unpruned = tiny(SelectionConfig())
    state = dict(unpruned.state_dict() if layout == "ours" else in_official_layout(unpruned))
    first = next(iter(state))
    network, before = tiny(), tiny().state_dict()
    with pytest.raises(WeightsError, match="missing: `backbone"):
        load_unpruned(network, {name: value for name, value in state.items() if name != first}, "cut")
    with pytest.raises(WeightsError, match="surplus: `odd`"):
        load_unpruned(network, {**state, "odd": torch.zeros(1)}, "more")
    assert all(value.equal(before[name]) for name, value in network.state_dict().items())
