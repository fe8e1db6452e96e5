"""Networks that only training needs: the discriminator, and fixed features to compare pictures by."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torchvision.models import vgg16

from onlooker.weights.files import read_tensors
from onlooker.weights.keys import KeyMap
from onlooker.weights.load import load_state

Features = Literal["vgg16", "random"]
_VGG_ENDS = (4, 9, 16)  # of its first three stages before pooling, as style transfer takes them
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet
_RANDOM_SEED, _RANDOM_WIDTHS = 0, (16, 32, 64)
_SLOPE = 0.2


class PatchDiscriminator(nn.Sequential):
    """Scores of overlapping patches (70x70 pixels with three halvings), spectrally normalised.

    Args:
        width: channels after the first layer; doubled by each next one, up to eight times.
        halvings: layers of stride 2.
    """

    def __init__(self, width: int = 64, halvings: int = 3) -> None:
        widths = [3, *(width * min(2**place, 8) for place in range(halvings + 1)), 1]
        layers: list[nn.Module] = []
        for place in range(len(widths) - 1):
            stride = 2 if place < halvings else 1
            layers.append(spectral_norm(nn.Conv2d(widths[place], widths[place + 1], 4, stride, 1)))
            if place < len(widths) - 2:
                layers.append(nn.LeakyReLU(_SLOPE))
        super().__init__(*layers)


class FixedFeatures(nn.Module):
    """Features of a network that is not trained.

    Args:
        kind: "vgg16" takes torchvision's network with weights of one's own from a file; "random" are three fixed random
            convolutions, which see edges and colours and know nothing of objects.
        weights: torchvision's VGG16 state dict (safetensors, or a pickle of tensors); without it, VGG16 is random.

    Raises:
        WeightsError: the file is missing or does not fit.
    """

    def __init__(self, kind: Features, weights: str | None = None) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_RANDOM_SEED)
            self._stages = _vgg(weights) if kind == "vgg16" else _random()
        self.requires_grad_(False)
        self.mean = nn.Buffer(torch.tensor(_MEAN).view(3, 1, 1), persistent=False)
        self.std = nn.Buffer(torch.tensor(_STD).view(3, 1, 1), persistent=False)

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Maps (B, C, h, w) of three depths for pictures (B, 3, H, W) in [0, 1]."""
        x = (picture - self.mean) / self.std
        maps = []
        for stage in self._stages:
            x = stage(x)
            maps.append(x)
        return maps

    def train(self, mode: bool = True) -> FixedFeatures:
        """Stays in evaluation mode."""
        super().train(False)
        return self


def _vgg(weights: str | None) -> nn.ModuleList:
    """The first stages alone; nothing is drawn or kept for the large layers behind them."""
    with torch.device("meta"):
        layers = list(vgg16(weights=None, init_weights=False).features)[: _VGG_ENDS[-1]]
    stages = nn.Sequential(*layers).to_empty(device="cpu")
    for layer in stages:
        if isinstance(layer, nn.Conv2d):
            layer.reset_parameters()
        elif isinstance(layer, nn.ReLU):
            layer.inplace = False  # maps of a stage are handed out and must stay
    if weights is not None:
        names = tuple(f"features.{place}." for place in range(_VGG_ENDS[-1]))
        state = {name.removeprefix("features."): x for name, x in read_tensors(Path(weights)).items()
                 if name.startswith(names)}  # fmt: skip
        load_state(stages, state, KeyMap({}), weights)
    starts = (0, *_VGG_ENDS[:-1])
    return nn.ModuleList(stages[start:end] for start, end in zip(starts, _VGG_ENDS, strict=True))


def _random() -> nn.ModuleList:
    given = (3, *_RANDOM_WIDTHS[:-1])
    return nn.ModuleList(
        nn.Sequential(nn.Conv2d(before, width, 3, 2, 1), nn.LeakyReLU(_SLOPE))
        for before, width in zip(given, _RANDOM_WIDTHS, strict=True)
    )
