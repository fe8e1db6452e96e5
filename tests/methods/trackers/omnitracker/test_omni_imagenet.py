"""OmniTracker on a backbone that knows ImageNet: what it starts from, who learns, and what does not fit."""

from __future__ import annotations

from dataclasses import replace

import pytest
import timm
import torch
from skimage.data import chelsea

from onlooker.errors import ConfigError
from onlooker.methods.trackers.omnitracker.config import CONFIGS, BackboneConfig, OmniTrackerConfig
from onlooker.methods.trackers.omnitracker.data import ClipsConfig
from onlooker.methods.trackers.omnitracker.infer import MEAN, STD
from onlooker.methods.trackers.omnitracker.model import OmniTrackerNetwork
from onlooker.methods.trackers.omnitracker.task import TrackingTask, TrackOptions
from onlooker.methods.trackers.omnitracker.weights import load_idol
from onlooker.train import Moment
from onlooker.train.config import ScheduleConfig
from onlooker.train.optimise import Rates, checked_groups
from onlooker.weights.lite0 import LITE0, read_lite0

SMALL = CONFIGS["tiny-imagenet"]
OPTIONS = TrackOptions(
    clips=ClipsConfig(n_train=4, n_test=2), backbone="efficientnet-lite0", backbone_rate=0.1, frozen_stages=2
)


def made(config: OmniTrackerConfig = SMALL) -> OmniTrackerNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return OmniTrackerNetwork(config)


@pytest.fixture(scope="module")
def task() -> TrackingTask:
    return TrackingTask(made(), OPTIONS)


def test_a_picture_of_any_size_gives_the_features_of_timms_network(task: TrackingTask) -> None:
    pixels = torch.from_numpy(chelsea()[::3, ::2][:93, :150].copy()).permute(2, 0, 1)[None].float()
    whole = timm.create_model(LITE0, pretrained=False)
    whole.load_state_dict(read_lite0(), strict=True)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
    with torch.no_grad():
        expected = whole.eval().forward_intermediates((pixels - 127) / 128, indices=[2, 3, 4], intermediates_only=True)
        valid = torch.ones(1, *pixels.shape[2:], dtype=torch.bool)
        found = task.network.train().model.backbone((pixels / 255 - mean) / std, valid)
    assert [tuple(part.shape[1:]) for part, _ in found] == [(40, 12, 19), (112, 6, 10), (320, 3, 5)]
    for (ours, _), theirs, spread in zip(found, expected, task.network.model.backbone.model.spreads, strict=True):
        assert float((ours * spread - theirs).abs().max()) <= 1e-5 * float(theirs.abs().max())


def test_a_step_trains_the_later_stages_at_a_tenth_and_leaves_statistics(task: TrackingTask) -> None:
    samples = task.datasets()["instance"]
    batch = task.collate([samples[0], samples[1]])
    task.train()(batch, Moment(0, 9, torch.Generator().manual_seed(0)))["loss"].backward()
    backbone = dict(task.network.model.backbone.model.named_parameters())
    without = {name for name, parameter in backbone.items() if parameter.grad is None}
    assert without == {name for name, parameter in backbone.items() if not parameter.requires_grad}
    assert {name.split(".")[2] for name in without if ".blocks." in name} == {"0", "1", "2"}
    stored = read_lite0()["blocks.6.0.bn1.running_mean"]
    assert task.network.state_dict()["model.backbone.model.net.blocks.6.0.bn1.running_mean"].equal(stored)
    task.zero_grad()
    rates = Rates(1.0, ScheduleConfig("constant"), checked_groups(task), 9).at(0)
    assert rates["backbone"] == pytest.approx(0.1)
    assert rates["rest"] == 1.0


def test_without_the_option_the_backbone_keeps_what_the_network_has() -> None:
    network = made()
    name = "model.backbone.model.net.conv_stem.weight"
    before = network.state_dict()[name].clone()
    TrackingTask(network, replace(OPTIONS, backbone=None))
    assert network.state_dict()[name].equal(before)


def test_what_does_not_fit_is_said() -> None:
    tiny = made(CONFIGS["tiny"])
    with pytest.raises(ConfigError, match="as the configuration `tiny-imagenet` has"):
        TrackingTask(tiny, OPTIONS)
    with pytest.raises(ConfigError, match="`frozen_stages` is for a backbone of timm's"):
        TrackingTask(tiny, replace(OPTIONS, backbone=None))
    with pytest.raises(ConfigError, match="IDOL's backbone here is a ResNet"):
        load_idol(made(), {})
    with pytest.raises(ConfigError, match=r"got \(16, 40, 112, 320\)"):
        made(replace(SMALL, backbone=replace(SMALL.backbone, widths=(16, 40, 112, 320))))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BackboneConfig("timm"), "names a network where, and only where"),
        (lambda: BackboneConfig(timm=LITE0), "names a network where, and only where"),
        (lambda: BackboneConfig("timm", timm=LITE0), "no depths"),
        (lambda: replace(SMALL.backbone, norm="group"), "keeps its statistics"),
        (lambda: TrackOptions(frozen_stages=5), "`frozen_stages` is 0 to 4"),
    ],
)
def test_settings_that_cannot_be_are_refused(make: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()
