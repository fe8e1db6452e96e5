"""A backbone of timm's: same features as timm's own network, statistics that stay, refusals that say what is wrong."""

from __future__ import annotations

import pytest
import timm
import torch
from skimage.data import chelsea
from timm.layers import BatchNormAct2d
from torch import Tensor, nn

from onlooker.errors import ConfigError, WeightsError
from onlooker.nn.timm_pyramid import IMAGENET_MEAN, IMAGENET_STD, TimmPyramid, keep_statistics_
from onlooker.weights.lite0 import LITE0, read_lite0

WIDTHS = (24, 40, 112, 320)


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return read_lite0()


@pytest.fixture(scope="module")
def pyramid(state: dict[str, Tensor]) -> TimmPyramid:
    filled = TimmPyramid(LITE0, WIDTHS)
    filled.fill_(state, "memory")
    return filled


def photo() -> Tensor:
    """(1, 3, 96, 160) pixels of a real picture, 0 to 255."""
    pixels = torch.from_numpy(chelsea()[::3, ::2][:96, :160].copy())
    return pixels.permute(2, 0, 1)[None].float()


def normalised(pixels: Tensor) -> Tensor:
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return (pixels / 255 - mean) / std


def assert_near(found: Tensor, expected: Tensor) -> None:
    assert found.shape == expected.shape
    assert float((found - expected).abs().max()) <= 1e-5 * max(1.0, float(expected.abs().max()))


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_features_of_a_picture_are_those_of_timms_network_fed_its_own_way(
    pyramid: TimmPyramid, state: dict[str, Tensor], training: bool
) -> None:
    whole = timm.create_model(LITE0, pretrained=False)
    whole.load_state_dict(state, strict=True)
    with torch.no_grad():
        expected = whole.eval().forward_intermediates(
            (photo() - 127) / 128, indices=list(pyramid.places), intermediates_only=True
        )
        found = pyramid.train(training)(normalised(photo()))
    assert [tuple(part.shape[1:]) for part in found] == [(24, 24, 40), (40, 12, 20), (112, 6, 10), (320, 3, 5)]
    for ours, theirs, spread in zip(found, expected, pyramid.spreads, strict=True):
        assert_near(ours * spread, theirs)
        assert 0.3 < float(ours.std()) < 3


def test_pixels_of_other_networks_are_what_timm_states() -> None:
    other = TimmPyramid("tf_efficientnet_lite1", WIDTHS)
    seen = []
    other.net.register_forward_pre_hook(lambda _, pictures: seen.append(pictures[0]))
    other(normalised(photo()))
    assert_near(seen[0], (photo() / 255 - 0.5) / 0.5)


def test_activation_and_epsilon_of_a_norm_outlive_the_exchange() -> None:
    class One(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = BatchNormAct2d(1, eps=0.5, act_layer=nn.ReLU6)

    module = One()
    keep_statistics_(module)
    state = {"norm.weight": 3.0, "norm.bias": 1.0, "norm.running_mean": 2.0, "norm.running_var": 3.5}
    module.load_state_dict({name: torch.tensor([value]) for name, value in state.items()})
    x = torch.tensor([0.0, 2.0, 3.0, 9.0]).view(4, 1, 1, 1)
    # 3 * (x - 2) / sqrt(3.5 + 0.5) + 1, cut to [0, 6]
    assert module.train().norm(x).flatten().tolist() == pytest.approx([0.0, 1.0, 2.5, 6.0])
    assert module.norm.running_mean.item() == 2.0


def test_frozen_stages_get_no_gradient_and_later_ones_do() -> None:
    pyramid = TimmPyramid(LITE0, WIDTHS)
    pyramid.freeze_(2)
    sum(part.mean() for part in pyramid(normalised(photo()))).backward()
    got = {name.split(".bn")[0].split(".conv")[0] for name, p in pyramid.net.named_parameters() if p.grad is not None}
    assert {name.split(".")[1] for name in got} == {"3", "4", "5", "6"}
    pyramid.freeze_(4)
    assert not any(parameter.requires_grad for parameter in pyramid.parameters())
    with pytest.raises(ConfigError, match="`frozen_stages` is 0 to 4"):
        pyramid.freeze_(5)


@pytest.mark.parametrize(
    ("name", "widths", "message"),
    [
        ("no_such_network", WIDTHS, "timm knows no network"),
        (LITE0, (24, 40, 80, 320), r"has the widths \(24, 40, 112, 320\).*got \(24, 40, 80, 320\)"),
        ("vit_tiny_patch16_224", WIDTHS, r"maps at strides \[16\], and none at \[4, 8, 32\]"),
    ],
)
def test_networks_that_do_not_fit_are_refused(name: str, widths: tuple[int, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TimmPyramid(name, widths)


def test_weights_that_do_not_fit_change_nothing(state: dict[str, Tensor]) -> None:
    pyramid = TimmPyramid(LITE0, WIDTHS)
    before = {name: tensor.clone() for name, tensor in pyramid.state_dict().items()}
    fewer = {name: tensor for name, tensor in state.items() if name != "conv_stem.weight"}
    with pytest.raises(WeightsError, match=r"missing: `conv_stem\.weight`"):
        pyramid.fill_(fewer, "cut.pth")
    with pytest.raises(WeightsError, match=r"NaN or infinity in `bn1\.bias`"):
        pyramid.fill_({**state, "bn1.bias": state["bn1.bias"] * torch.nan}, "spoiled.pth")
    assert all(tensor.equal(before[name]) for name, tensor in pyramid.state_dict().items())
