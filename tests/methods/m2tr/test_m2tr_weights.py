"""Names of official checkpoints, of timm's, and what is said when sizes do not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import timm
import torch
from torch import nn

from onlooker.catalogue import build
from onlooker.errors import ConfigError, WeightsError
from onlooker.methods.forensics.m2tr.config import CONFIGS, EfficientNetConfig, FusionConfig, M2trConfig, SmallConfig
from onlooker.methods.forensics.m2tr.infer import M2trJudge
from onlooker.methods.forensics.m2tr.model import M2tr
from onlooker.methods.forensics.m2tr.weights import key_map, load_backbone, to_official
from onlooker.weights.lite0 import read_lite0
from onlooker.weights.load import load_state

SMALL = M2trConfig(
    image_size=64,
    fusion=FusionConfig(depth=1),
    small=SmallConfig(texture_channels=8, widths=(8,), feature_channels=8),
)


def network(config: M2trConfig = SMALL, seed: int = 0) -> M2tr:
    torch.manual_seed(seed)
    return M2tr(config).eval()


def official(source: M2tr) -> dict[str, torch.Tensor]:
    names = key_map(source.config)
    return {names.theirs(name)[0]: value for name, value in source.state_dict().items()}


def test_official_parts_go_where_the_official_code_has_them() -> None:
    names = key_map(CONFIGS["paper"])
    for theirs, ours in {
        "layers.3.0.t.attention.output_linear.1.running_var": "layers.3.attention.output.1.running_var",
        "layers.0.1.filter.complex_weight": "layers.0.frequency.filter.weight",
        "layers.2.1.feed_forward.conv.4.bias": "layers.2.frequency.feed_forward.layers.4.bias",
        "layers.2.0.t.feed_forward.conv.0.weight": "layers.2.feed_forward.layers.0.weight",
        "layers.1.2.conv2.weight": "layers.1.fusion.key.weight",
        "layers.1.2.conv4.0.weight": "layers.1.fusion.output.0.weight",
        "classifier.projection.bias": "classifier.bias",
        "model._conv_stem.weight": "backbone.net.conv_stem.weight",
        "model._bn1.weight": "backbone.net.bn2.weight",
        "model._blocks.1._project_conv.weight": "backbone.net.blocks.0.1.conv_pw.weight",
        "model._blocks.6._expand_conv.weight": "backbone.net.blocks.2.0.conv_pw.weight",
        "model._blocks.31._bn2.running_mean": "backbone.net.blocks.6.1.bn3.running_mean",
    }.items():
        assert names.ours(theirs) == ours
        assert names.theirs(ours) == (theirs,)
    assert names.ours("model._fc.weight") is None


def test_values_in_the_official_layout_arrive_where_they_belong() -> None:
    source, target = network(seed=1), network(seed=2)
    load_state(target, official(source), key_map(SMALL), "memory")
    assert all(value.equal(source.state_dict()[name]) for name, value in target.state_dict().items())


def test_an_official_checkpoint_of_another_picture_size_says_which_size_it_is_for() -> None:
    other = network(replace(SMALL, image_size=96))
    with pytest.raises(
        WeightsError, match=r"complex_weight.*Fourier weight belongs to pictures of 96 px.*built for 64"
    ):
        load_state(network(), official(other), key_map(SMALL), "memory")


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("code ran",)


def test_a_checkpoint_as_the_official_code_saves_it_is_read_and_one_with_code_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = network(seed=3)
    content = {"epoch": 4, "model_state": official(source), "optimizer_state": {}, "scheduler_state": {}, "cfg": "A: 1"}
    torch.save(content, tmp_path / "best.pth")
    built = build("m2tr", SMALL, weights=tmp_path / "best.pth")
    assert all(value.equal(source.state_dict()[name]) for name, value in built.state_dict().items())
    assert M2trJudge(tmp_path / "best.pth", SMALL).config == SMALL
    torch.save({**content, "cfg": Bomb()}, tmp_path / "bomb.pth")
    with pytest.raises(WeightsError, match="would run code"):
        build("m2tr", SMALL, weights=tmp_path / "bomb.pth")
    assert "code ran" not in capsys.readouterr().out


def test_the_start_from_timm_fills_the_backbone_alone() -> None:
    config = M2trConfig(
        image_size=64, efficientnet=EfficientNetConfig("efficientnet_lite0"), fusion=FusionConfig(depth=1)
    )
    reference = timm.create_model("efficientnet_lite0")
    with torch.no_grad():
        nn.init.constant_(reference.conv_stem.weight, 0.25)
    built = network(config)
    before = {name: value.clone() for name, value in built.state_dict().items()}
    load_backbone(built, reference.state_dict(), "timm")
    for name, value in built.state_dict().items():
        expected = reference.state_dict()[name.removeprefix("backbone.net.")] if name.startswith("backbone.") else None
        assert value.equal(before[name] if expected is None else expected), name
    cut = {name: value for name, value in reference.state_dict().items() if name != "bn2.weight"}
    with pytest.raises(WeightsError, match=r"cut` do not fit `efficientnet_lite0`: missing: `backbone.net.bn2.weight`"):
        load_backbone(built, cut, "cut")
    with pytest.raises(ConfigError, match="this network has a `small` one"):
        load_backbone(network(), reference.state_dict(), "timm")


def test_the_packaged_start_fills_a_backbone_that_is_cut_short() -> None:
    built, packaged = network(CONFIGS["tiny"]), read_lite0()
    load_backbone(built, packaged, "packaged")
    for name, value in built.state_dict().items():
        if name.startswith("backbone."):
            assert value.equal(packaged[name.removeprefix("backbone.net.")]), name
    cut = {name: value for name, value in packaged.items() if not name.startswith("blocks.3.")}
    with pytest.raises(WeightsError, match=r"missing: `backbone\.net\.blocks\.3"):
        load_backbone(built, cut, "cut")


def test_networks_the_official_code_cannot_build_are_not_written_for_it() -> None:
    with pytest.raises(ConfigError, match="EfficientNet-B4"):
        to_official(network())
