"""Maps of a network of timm's at several strides, with ImageNet's statistics kept: a backbone that knows pictures.

Pictures arrive normalised as for ImageNet, as all networks here take them; what the network itself was trained on is
made of that inside. timm's batch norms hold the activation, too, and TensorFlow's variants another epsilon: both are
kept, which a plain exchange of norms would lose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from onlooker.errors import ConfigError, UnknownNameError, WeightsError
from onlooker.weights.coco_mobilenet import (
    COCO_MOBILENET,
    COCO_MOBILENET_MEAN,
    COCO_MOBILENET_STD,
    read_coco_mobilenet,
)
from onlooker.weights.lite0 import LITE0, LITE0_MEAN, LITE0_STD, read_lite0
from onlooker.weights.load import check_finite, compare_tensors

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PACKAGED_BACKBONE: Final = "efficientnet-lite0"
"""Names the ImageNet weights that come with this package."""
PACKAGED_COCO_BACKBONE: Final = "mobilenet-coco"
"""Names the COCO weights that come with this package."""


@dataclass(frozen=True, slots=True)
class _Packaged:
    """Weights that come with this package, and how the network they fill departs from what timm states.

    Attributes:
        name: of the network, in configurations; `config` is one of those that have it.
        read: gives the weights under timm's names.
        mean, std: of pixels in [0, 1], that the weights were trained with.
        spreads: how far the maps deviate, by stride: maps come out divided by it, because what is built on them starts
            as if they varied by one.
        options: of the network, beside timm's.
    """

    name: str
    config: str
    read: Callable[[], dict[str, Tensor]]
    mean: float
    std: float
    spreads: Mapping[int, float]
    options: Mapping[str, object] = field(default_factory=dict)


_PACKAGED: Mapping[str, _Packaged] = MappingProxyType(
    {
        # Measured on noise; frames of DAVIS deviate by 9.2, 7.8, 7.2 and 3.0 (ours; decision 14).
        PACKAGED_BACKBONE: _Packaged(
            LITE0,
            "tiny-imagenet",
            read_lite0,
            LITE0_MEAN,
            LITE0_STD,
            MappingProxyType({4: 10.0, 8: 6.5, 16: 4.0, 32: 1.8}),
        ),
        # Measured on a frame of DAVIS.
        PACKAGED_COCO_BACKBONE: _Packaged(
            COCO_MOBILENET,
            "tiny-coco",
            read_coco_mobilenet,
            COCO_MOBILENET_MEAN,
            COCO_MOBILENET_STD,
            MappingProxyType({4: 2.9, 8: 2.6, 16: 2.75, 32: 1.04}),
            MappingProxyType({"pad_type": "same", "bn_eps": 1e-3}),
        ),
    }
)
_BY_NETWORK: Mapping[str, _Packaged] = MappingProxyType({one.name: one for one in _PACKAGED.values()})
_BEHIND = ("conv_head.", "bn2.", "classifier.")
"""What a classifier of timm's EfficientNet family has behind its last stage."""
_COUNTER = "num_batches_tracked"


class TimmPyramid(nn.Module):
    """Stages of one of timm's networks, with random weights; nothing is downloaded.

    Args:
        name: timm's, or `mobilenetv2_100.ssd_coco` for the variant whose weights come with this package.
        widths: channels of the maps, checked against the network's.
        strides: of the maps, in pixels.
        first: maps before this one are checked and not handed out.

    Raises:
        ConfigError: timm has no such network, it has no map at one of the strides, or other widths.
    """

    def __init__(
        self, name: str, widths: tuple[int, ...], strides: tuple[int, ...] = (4, 8, 16, 32), first: int = 0
    ) -> None:
        super().__init__()
        packaged = _BY_NETWORK.get(name)
        architecture = timms_name(name)
        if not timm.is_model(architecture):
            raise ConfigError(f"timm knows no network `{name}`; `timm.list_models()` lists them")
        options = {} if packaged is None else packaged.options
        try:
            self.net = timm.create_model(architecture, pretrained=False, features_only=True, **options)
        except RuntimeError as error:
            raise ConfigError(f"timm's `{name}` hands out no maps: {error}") from error
        infos = self.net.feature_info.get_dicts()
        # The last map of a stride is the deepest one.
        places = {int(info["reduction"]): place for place, info in enumerate(infos)}
        missing = [stride for stride in strides if stride not in places]
        if missing:
            raise ConfigError(f"timm's `{name}` has maps at strides {sorted(places)}, and none at {missing}")
        known = tuple(places[stride] for stride in strides)
        found = tuple(int(infos[place]["num_chs"]) for place in known)
        if found != tuple(widths):
            raise ConfigError(f"timm's `{name}` has the widths {found} at strides {strides}, got {tuple(widths)}")
        self.name = name
        self._places = known[first:]
        spreads = {} if packaged is None else packaged.spreads
        self._spreads = tuple(spreads.get(stride, 1.0) for stride in strides[first:])
        self._modules_of = tuple(str(infos[place]["module"]) for place in known)
        mean, std = _pixel_statistics(packaged, self.net.default_cfg)
        self._scale = tuple(theirs / ours for theirs, ours in zip(IMAGENET_STD, std, strict=True))
        self._shift = tuple((m - own) / s for m, own, s in zip(IMAGENET_MEAN, mean, std, strict=True))
        keep_statistics_(self.net)

    @property
    def places(self) -> tuple[int, ...]:
        """Which of timm's maps are handed out, as its `out_indices` count them."""
        return self._places

    @property
    def spreads(self) -> tuple[float, ...]:
        """What each map is divided by, 1 for most networks."""
        return self._spreads

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, H, W), normalised as for ImageNet, to a map (B, width, H/stride, W/stride), rounded up, per stride.

        Those of the network whose weights come with this package are divided by their `spreads`.
        """
        scale, shift = (pictures.new_tensor(values).view(1, 3, 1, 1) for values in (self._scale, self._shift))
        maps = self.net(pictures * scale + shift)
        return tuple(maps[place] / spread for place, spread in zip(self._places, self._spreads, strict=True))

    def fill_(self, state: Mapping[str, Tensor], source: str) -> None:
        """Takes over weights under timm's names, the classifier's aside.

        Args:
            state: of the whole network or its stages.
            source: for messages.

        Raises:
            WeightsError: a name or shape that does not fit, NaN or infinity; nothing is changed then.
        """
        ours = self.net.state_dict()
        found = {
            name: tensor
            for name, tensor in state.items()
            if not name.startswith(_BEHIND) and not name.endswith(_COUNTER)
        }
        report = compare_tensors(found, ours)
        if not report.fits:
            raise WeightsError(f"the weights in `{source}` do not fit timm's `{self.name}`: {report}")
        check_finite(self.net, found, source)
        if not any(tensor.is_meta for tensor in ours.values()):  # a network without values is only checked
            self.net.load_state_dict(found, strict=True)

    def freeze_(self, stages: int) -> None:
        """Stem and what makes the first `stages` maps are trained no more and cost no gradients.

        Raises:
            ConfigError: the network has not so many.
        """
        if not 0 <= stages <= len(self._modules_of):
            raise ConfigError(f"`frozen_stages` is 0 to {len(self._modules_of)} for `{self.name}`, got {stages}")
        if stages == 0:
            return
        parameters = list(self.net.named_parameters())  # in the order they are run
        last = self._modules_of[stages - 1] + "."
        end = max(place for place, (name, _) in enumerate(parameters) if name.startswith(last))
        for _, parameter in parameters[: end + 1]:
            parameter.requires_grad_(False)


def start_from_imagenet_(backbone: nn.Module) -> None:
    """The backbone of a network starts from the EfficientNet-Lite0 of ImageNet that comes with this package; in place.

    Raises:
        ConfigError: it is another network.
        WeightsError: the package that carries the weights is not installed, or its file was altered.
    """
    start_from_packaged_(backbone, PACKAGED_BACKBONE)


def start_from_packaged_(backbone: nn.Module, weights: str) -> None:
    """The backbone of a network starts from weights that come with this package; in place.

    Args:
        backbone: what is filled.
        weights: "efficientnet-lite0", trained on ImageNet, or "mobilenet-coco", trained on COCO.

    Raises:
        UnknownNameError: other weights.
        ConfigError: they are of another network.
        WeightsError: the package that carries them is not installed, or its file was altered.
    """
    packaged = _PACKAGED.get(weights)
    if packaged is None:
        raise UnknownNameError("packaged weights", weights, _PACKAGED)
    if not isinstance(backbone, TimmPyramid) or backbone.name != packaged.name:
        raise ConfigError(
            f"the weights `{weights}` fill a backbone `{packaged.name}`, as the configuration `{packaged.config}` "
            f"has; this network's is {_said(backbone)}"
        )
    backbone.fill_(packaged.read(), weights)


def timms_name(name: str) -> str:
    """What timm calls the network `name` of a configuration; it knows nothing of our variant of its MobileNetV2."""
    return name.partition(".")[0] if name in _BY_NETWORK else name


def freeze_stages_(backbone: nn.Module, stages: int) -> None:
    """Stem and first `stages` of a network's backbone are trained no more; in place.

    Raises:
        ConfigError: it is not one of timm's, or has not so many stages.
    """
    if stages == 0:
        return
    if not isinstance(backbone, TimmPyramid):
        raise ConfigError(f"`frozen_stages` is for a backbone of timm's; this network's is {_said(backbone)}")
    backbone.freeze_(stages)


def _said(backbone: nn.Module) -> str:
    return f"timm's `{backbone.name}`" if isinstance(backbone, TimmPyramid) else f"a {type(backbone).__name__}"


class KeptStatistics(nn.Module):
    """A batch norm of timm's that uses its stored statistics in training, too; gain and bias are trained. Its
    activation and epsilon stay. Names are the batch norm's, without its counter."""

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        count = norm.num_features
        self.weight, self.bias = nn.Parameter(torch.ones(count)), nn.Parameter(torch.zeros(count))
        self.register_buffer("running_mean", torch.zeros(count))
        self.register_buffer("running_var", torch.ones(count))
        self.eps = norm.eps
        self.behind = nn.Sequential(*(getattr(norm, part) for part in ("drop", "act") if hasattr(norm, part)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W), same shape."""
        mean, variance = self.get_buffer("running_mean"), self.get_buffer("running_var")
        y: Tensor = self.behind(F.batch_norm(x, mean, variance, self.weight, self.bias, False, 0.0, self.eps))
        return y


def keep_statistics_(module: nn.Module) -> None:
    """Replaces every batch norm inside `module` by one whose statistics stay as they are loaded."""
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, name, KeptStatistics(child))
        else:
            keep_statistics_(child)


def _pixel_statistics(
    packaged: _Packaged | None, stated: Mapping[str, object]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation per channel, of pixels in [0, 1], that the network was trained with."""
    if packaged is not None:
        return (packaged.mean,) * 3, (packaged.std,) * 3
    means, stds = stated["mean"], stated["std"]
    assert isinstance(means, tuple), "timm states one mean per channel"
    assert isinstance(stds, tuple), "timm states one deviation per channel"
    return means, stds
