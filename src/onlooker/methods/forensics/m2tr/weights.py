"""Official names to ours, and the start from an ImageNet backbone.

Official checkpoints are pickles with `epoch`, `model_state`, `optimizer_state`, `scheduler_state` and `cfg`; the
tensors are under `model_state`. They are read with torch's safe loader, which takes tensors and plain values only.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

from torch import Tensor

from onlooker.errors import ConfigError, ShapeError, WeightsError
from onlooker.methods.forensics.m2tr.config import M2trConfig
from onlooker.methods.forensics.m2tr.model import M2tr
from onlooker.weights.keys import KeyMap, translate
from onlooker.weights.load import check_finite, compare_tensors

_LAYER_RULES: Mapping[str, str] = MappingProxyType(
    {
        "layers.{}.0.t.attention.query_embedding.*": "layers.{}.attention.query.*",
        "layers.{}.0.t.attention.key_embedding.*": "layers.{}.attention.key.*",
        "layers.{}.0.t.attention.value_embedding.*": "layers.{}.attention.value.*",
        "layers.{}.0.t.attention.output_linear.*": "layers.{}.attention.output.*",
        "layers.{}.0.t.feed_forward.conv.*": "layers.{}.feed_forward.layers.*",
        "layers.{}.1.filter.complex_weight": "layers.{}.frequency.filter.weight",
        "layers.{}.1.feed_forward.conv.*": "layers.{}.frequency.feed_forward.layers.*",
        "layers.{}.2.conv1.*": "layers.{}.fusion.query.*",
        "layers.{}.2.conv2.*": "layers.{}.fusion.key.*",
        "layers.{}.2.conv3.*": "layers.{}.fusion.value.*",
        "layers.{}.2.conv4.*": "layers.{}.fusion.output.*",
        "classifier.projection.*": "classifier.*",
        "mask_head.*": "mask_head.*",  # ours: no official weights of one exist
    }
)

# The official block n is block j of stage s in timm; B4 repeats (2, 4, 4, 6, 6, 8, 2) blocks.
# fmt: off
_B4_BLOCKS: Mapping[int, str] = MappingProxyType(
    {
        0: "0.0", 1: "0.1",
        2: "1.0", 3: "1.1", 4: "1.2", 5: "1.3",
        6: "2.0", 7: "2.1", 8: "2.2", 9: "2.3",
        10: "3.0", 11: "3.1", 12: "3.2", 13: "3.3", 14: "3.4", 15: "3.5",
        16: "4.0", 17: "4.1", 18: "4.2", 19: "4.3", 20: "4.4", 21: "4.5",
        22: "5.0", 23: "5.1", 24: "5.2", 25: "5.3", 26: "5.4", 27: "5.5", 28: "5.6", 29: "5.7",
        30: "6.0", 31: "6.1",
    }
)
# fmt: on
_FIRST_STAGE = (0, 1)  # blocks without an expansion

_NARROW_BLOCK: Mapping[str, str] = MappingProxyType(
    {
        "_depthwise_conv.*": "conv_dw.*",
        "_bn1.*": "bn1.*",
        "_se_reduce.*": "se.conv_reduce.*",
        "_se_expand.*": "se.conv_expand.*",
        "_project_conv.*": "conv_pw.*",
        "_bn2.*": "bn2.*",
    }
)
_WIDE_BLOCK: Mapping[str, str] = MappingProxyType(
    {
        "_expand_conv.*": "conv_pw.*",
        "_bn0.*": "bn1.*",
        "_depthwise_conv.*": "conv_dw.*",
        "_bn1.*": "bn2.*",
        "_se_reduce.*": "se.conv_reduce.*",
        "_se_expand.*": "se.conv_expand.*",
        "_project_conv.*": "conv_pwl.*",
        "_bn2.*": "bn3.*",
    }
)

_B4_RULES: Mapping[str, str] = MappingProxyType(
    {
        "model._conv_stem.*": "backbone.net.conv_stem.*",
        "model._bn0.*": "backbone.net.bn1.*",
        "model._conv_head.*": "backbone.net.conv_head.*",
        "model._bn1.*": "backbone.net.bn2.*",
        **{
            f"model._blocks.{number}.{official}": f"backbone.net.blocks.{place}.{ours}"
            for number, place in _B4_BLOCKS.items()
            for official, ours in (_NARROW_BLOCK if number in _FIRST_STAGE else _WIDE_BLOCK).items()
        },
    }
)

_OTHER_RULES: Mapping[str, str] = MappingProxyType({"model.*": "backbone.*"})
"""Backbones that the official code cannot build: names of ours behind its prefix."""

_UNUSED = ("model._fc.*",)
"""The backbone's own classifier: kept in official files, read by nothing."""

_TIMM = KeyMap(
    rules=MappingProxyType({"*": "backbone.net.*"}), ignored=("classifier.*",), wrappers=("state_dict", "model")
)


def key_map(config: M2trConfig) -> KeyMap:
    """The map of a configuration; checkpoints of the authors' later library have the same names."""
    efficientnet = config.efficientnet
    if efficientnet is not None and efficientnet.name.split(".")[0] == "tf_efficientnet_b4":
        backbone = _B4_RULES
    else:
        backbone = _OTHER_RULES
    sizes = MappingProxyType({"layers.{}.frequency.filter.weight": functools.partial(_of_size, config)})
    return KeyMap(rules={**backbone, **_LAYER_RULES}, ignored=_UNUSED, transforms=sizes)


def _is_behind(name: str, stages: int) -> bool:
    """Whether a tensor of timm's network is of a part behind its first `stages` stages."""
    part, _, rest = name.removeprefix("backbone.net.").partition(".")
    return part in ("conv_head", "bn2") or (part == "blocks" and int(rest.partition(".")[0]) >= stages)


def _of_size(config: M2trConfig, weight: Tensor) -> Tensor:
    """The weight of a filter as it is, if it belongs to pictures of the configuration's size; that two shapes differ
    would not tell a reader why."""
    side = config.texture_size
    if weight.ndim == 4 and weight.shape[:2] != (side, side // 2 + 1):
        raise ShapeError(
            f"this Fourier weight belongs to pictures of {4 * weight.shape[0]} px, the network is built for "
            f"{config.image_size}; build it with `image_size` {4 * weight.shape[0]}, and if another size is wanted, "
            "carry it over with `with_image_size`"
        )
    return weight


def to_official(network: M2tr) -> dict[str, Tensor]:
    """The tensors under official names, for the official code. What that code holds and never reads, the backbone's own
    classifier, is filled with zeros, so that its strict loading is content.

    Raises:
        ConfigError: the official code has no such backbone or mask head.
    """
    config = network.config
    if config.efficientnet is None or config.mask_head or config.fusion.second_stream != "fourier":
        raise ConfigError("the official code builds EfficientNet-B4 with the learnable filter and without a mask head")
    names = key_map(config)
    state = {names.theirs(ours)[0]: tensor for ours, tensor in network.state_dict().items()}
    weight = network.classifier.weight
    unused = {"model._fc.weight": weight.new_zeros(weight.shape), "model._fc.bias": weight.new_zeros(weight.shape[0])}
    return {**state, **unused}


def load_backbone(network: M2tr, state: Mapping[str, Tensor], source: str) -> None:
    """Fills the backbone from timm's weights, the start of training; everything else stays as it is.

    Args:
        network: with a timm backbone; filled in place.
        state: timm's names, with or without its classifier. Stages that `efficientnet.stages` leaves out may be there.
        source: for messages.

    Raises:
        WeightsError: a key or shape that does not fit, NaN or infinity; nothing is changed then.
        ConfigError: the backbone is not one of timm's.
    """
    if network.config.efficientnet is None:
        raise ConfigError("weights of timm fill an `efficientnet` backbone; this network has a `small` one")
    current = network.state_dict()
    wanted = {name: tensor for name, tensor in current.items() if name.startswith("backbone.")}
    found, unknown = translate(state, _TIMM)
    if network.config.efficientnet.stages is not None:
        found = {
            name: tensor for name, tensor in found.items() if not _is_behind(name, network.config.efficientnet.stages)
        }
    report = compare_tensors(found, wanted, unknown)
    if not report.fits:
        raise WeightsError(
            f"the backbone weights in `{source}` do not fit `{network.config.efficientnet.name}`: {report}"
        )
    check_finite(network, found, source)
    if not any(tensor.is_meta for tensor in wanted.values()):  # a network without values is only checked
        network.load_state_dict({**current, **found}, strict=True)
