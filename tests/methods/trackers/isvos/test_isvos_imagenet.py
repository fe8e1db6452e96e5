"""ISVOS on a backbone that knows ImageNet: what it starts from, who learns how fast, and what does not fit."""

from __future__ import annotations

from dataclasses import replace

import pytest
import timm
import torch
from skimage.data import chelsea

from onlooker.errors import ConfigError
from onlooker.methods.trackers.isvos.config import CONFIGS, BackboneConfig, InstanceConfig, IsvosConfig
from onlooker.methods.trackers.isvos.data import ClipsConfig, TrainingSet, normalise, training_clips
from onlooker.methods.trackers.isvos.losses import BootstrapConfig
from onlooker.methods.trackers.isvos.model import Isvos
from onlooker.methods.trackers.isvos.task import FollowOptions, FollowTask
from onlooker.methods.trackers.isvos.weights import load_xmem
from onlooker.train import Moment
from onlooker.train.optimise import checked_groups
from onlooker.weights.lite0 import LITE0, read_lite0

SMALL = replace(CONFIGS["tiny-imagenet"], instances=InstanceConfig(64, 6, 1, 1, 3, 4, 32, 32))
CLIPS = ClipsConfig(n_train=4, n_test=1, test_frames=3)
OPTIONS = FollowOptions(
    CLIPS,
    bootstrap=BootstrapConfig(1, 2),
    points=64,
    backbone="efficientnet-lite0",
    backbone_rate=0.1,
    instance_rate=0.5,
    frozen_stages=2,
)


def made(config: IsvosConfig = SMALL) -> Isvos:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Isvos(config)


@pytest.fixture(scope="module")
def task() -> FollowTask:
    return FollowTask(made(), OPTIONS)


def test_a_picture_gives_both_branches_the_features_of_timms_network(task: FollowTask) -> None:
    pixels = chelsea()[::3, ::2][:96, :160].copy()
    whole = timm.create_model(LITE0, pretrained=False)
    whole.load_state_dict(read_lite0(), strict=True)
    own = (torch.from_numpy(pixels).permute(2, 0, 1)[None].float() - 127) / 128
    with torch.no_grad():
        expected = whole.eval().forward_intermediates(own, indices=[1, 2, 3, 4], intermediates_only=True)
        found = task.network.train().look(normalise(pixels)[None]).stages
    for ours, theirs, spread in zip(found, expected, task.network.instances.backbone.spreads, strict=True):
        assert float((ours * spread - theirs).abs().max()) <= 1e-5 * float(theirs.abs().max())


def test_the_backbone_learns_slower_and_frozen_stages_not_at_all(task: FollowTask) -> None:
    groups = {group.name: group for group in checked_groups(task)}
    assert {name: group.rate for name, group in groups.items()} == {
        "backbone": 0.1, "backbone, gains and biases": 0.1, "instances": 0.5, "instances, gains and biases": 0.5,
        "rest": 1.0, "rest, gains and biases": 1.0,
    }  # fmt: skip
    assert {name for name, group in groups.items() if group.weight_decay == 0.0} == {n for n in groups if "gains" in n}
    backbone = sum(p.numel() for name in ("backbone", "backbone, gains and biases") for p in groups[name].parameters)
    assert 0 < backbone < sum(parameter.numel() for parameter in task.network.instances.backbone.parameters())


def test_a_step_gives_gradients_to_what_is_trained_and_leaves_statistics(task: FollowTask) -> None:
    samples = TrainingSet(CLIPS, training_clips(CLIPS), still=False)
    batch = task.collate([samples[0], samples[1]])
    task.train()(batch, Moment(0, 10, torch.Generator().manual_seed(0)))["loss"].backward()
    backbone = dict(task.network.instances.backbone.named_parameters())
    without = {name for name, parameter in backbone.items() if parameter.grad is None}
    assert without == {name for name, parameter in backbone.items() if not parameter.requires_grad}
    assert "net.conv_stem.weight" in without
    assert "net.blocks.6.0.conv_dw.weight" not in without
    stored = read_lite0()["blocks.6.0.bn1.running_mean"]
    assert task.network.instances.backbone.state_dict()["net.blocks.6.0.bn1.running_mean"].equal(stored)
    task.zero_grad()


def test_the_value_encoder_keeps_its_own_norm() -> None:
    kinds = {type(part) for part in made().value_encoder.modules()}
    assert torch.nn.GroupNorm in kinds
    assert torch.nn.BatchNorm2d not in kinds


def test_without_the_option_the_backbone_keeps_what_the_network_has() -> None:
    network = made()
    before = network.instances.backbone.state_dict()["net.conv_stem.weight"].clone()
    FollowTask(network, replace(OPTIONS, backbone=None))
    assert network.instances.backbone.state_dict()["net.conv_stem.weight"].equal(before)


def test_what_does_not_fit_is_said() -> None:
    tiny = made(CONFIGS["tiny"])
    with pytest.raises(ConfigError, match="as the configuration `tiny-imagenet` has"):
        FollowTask(tiny, FollowOptions(CLIPS, backbone="efficientnet-lite0"))
    with pytest.raises(ConfigError, match="`frozen_stages` is for a backbone of timm's"):
        FollowTask(tiny, FollowOptions(CLIPS, frozen_stages=1))
    with pytest.raises(ConfigError, match="does not fit timm's `tf_efficientnet_lite0`"):
        load_xmem(made(), {})
    with pytest.raises(ConfigError, match=r"got \(24, 40, 80, 320\)"):
        Isvos(replace(SMALL, backbone=BackboneConfig(widths=(24, 40, 80, 320), depths=(), timm=LITE0)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BackboneConfig(timm=LITE0), "positive widths and no depths"),
        (lambda: replace(SMALL, value_backbone=BackboneConfig(widths=(8, 8, 8), depths=(), timm=LITE0)), "is a ResNet"),
        (lambda: FollowOptions(backbone_rate=0.0), "`backbone_rate` and `instance_rate` are above 0"),
        (lambda: FollowOptions(frozen_stages=5), "`frozen_stages` 0 to 4"),
    ],
)
def test_settings_that_cannot_be_are_refused(make: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()
