"""Devices that are not here: every model and command says so in the same plain words, before it loads anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from onlooker.errors import ConfigError
from onlooker.nn.device import check_device


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "xla", "hpu", "mtia", "", "0", 0, True, None, "cpu:-1", "mkldnn"])
def test_a_device_that_torch_cannot_use_is_named_with_what_there_is(name: object) -> None:
    with pytest.raises(
        ConfigError, match=r"^the device `.*` cannot be used \(.+\); torch has `cpu`.* here, `cpu` always"
    ):
        check_device(name)


def test_an_unknown_kind_is_said_in_a_few_words() -> None:
    with pytest.raises(ConfigError, match=r"^the device `gpu` cannot be used \(torch knows no such kind\); torch has"):
        check_device("gpu")


def test_devices_of_the_processor_pass_and_shapes_without_values_do_not() -> None:
    assert check_device("cpu") == check_device(torch.device("cpu")) == "cpu"
    with pytest.raises(ConfigError, match=r"`meta` cannot be used \(it holds shapes without values\)"):
        check_device("meta")


def _embedder(weights: str) -> object:
    from onlooker.methods.encoders.perception_encoder.infer import PerceptionEmbedder

    return PerceptionEmbedder(weights, device="gpu")


def _describer(weights: str) -> object:
    from onlooker.methods.encoders.omnivl.infer import OmniVLDescriber

    return OmniVLDescriber(weights, device="gpu")


def _recogniser(weights: str) -> object:
    from onlooker.methods.encoders.stts.infer import SttsRecogniser

    return SttsRecogniser(weights, device="gpu")


def _segmenter(weights: str) -> object:
    from onlooker.methods.trackers.isvos.infer import IsvosSegmenter

    return IsvosSegmenter(weights, device="gpu")


def _tracker(weights: str) -> object:
    from onlooker.methods.trackers.omnitracker.infer import OmniTracker

    return OmniTracker(weights, device="gpu")


def _actions(weights: str) -> object:
    from onlooker.models.own.stts import SttsActions

    return SttsActions(weights, device="gpu")


def _hub_model(weights: str) -> object:
    from onlooker.models.hub.pe_core import PeCore

    return PeCore(weights, device="gpu")


def _tagger(weights: str) -> object:
    from onlooker.models.bundled.efficientnet import EfficientNetLite

    return EfficientNetLite(device="gpu")


@pytest.mark.parametrize(
    "make", [_embedder, _describer, _recogniser, _segmenter, _tracker, _actions, _hub_model, _tagger]
)
def test_every_model_refuses_the_device_before_it_looks_for_weights(
    make: Callable[[str], object], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="the device `gpu` cannot be used"):
        make(str(tmp_path / "absent"))


@pytest.mark.parametrize(
    ("name", "said"), [("cuda:99", "cannot be used"), ("cpu:0", "one of `auto`, `cpu`, `cuda`, `mps`")]
)
def test_training_takes_kinds_of_devices_that_are_here(name: str, said: str) -> None:
    from onlooker.training import training_device

    assert [training_device(known) for known in ("auto", "cpu")] == ["auto", "cpu"]
    with pytest.raises(ConfigError, match=said):
        training_device(name)
