"""Weights: our own layout, and loaders for the two networks ISVOS is built from.

No ISVOS weights are known, so our names are the only layout of the whole. Parts come from elsewhere: a Mask2Former with
a ResNet backbone fills the instance branch, an XMem checkpoint the memory branch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import Mask2FormerForUniversalSegmentation

from onlooker.errors import ConfigError, WeightsError
from onlooker.methods.trackers.isvos.config import PAPER, IsvosConfig
from onlooker.methods.trackers.isvos.instances import sizes_of
from onlooker.methods.trackers.isvos.model import Isvos
from onlooker.weights.keys import KeyMap, translate
from onlooker.weights.load import check_finite, compare_tensors

_RULES: Mapping[str, str] = MappingProxyType(
    {f"{part}.*": f"{part}.*" for part in ("instances", "key_proj", "value_encoder", "decoder")}
)
_BACKBONE = "instances.model.pixel_level_module.encoder"
_CONTRIBUTIONS = ("enhancement.", "paths.")


def key_map(config: IsvosConfig) -> KeyMap:
    """Ours to ours; the parts of the paper's contributions are there where their switches are on."""
    rules = dict(_RULES)
    if config.matching.query_enhancement:
        rules["enhancement.*"] = "enhancement.*"
    if config.multi_path:
        rules["paths.*"] = "paths.*"
    return KeyMap(rules)


class Started(NamedTuple):
    """A network that took over weights: `uninitialised` names what still has random ones."""

    network: Isvos
    uninitialised: tuple[str, ...]


def from_mask2former(model: Mask2FormerForUniversalSegmentation, config: IsvosConfig | None = None) -> Started:
    """ISVOS around a trained instance segmentation, the start the paper found best.

    Args:
        model: with a ResNet backbone of four stages; its sizes replace those of `config`. Copied, not shared.
        config: everything else; left out, the paper's.

    Raises:
        ConfigError: another backbone, of `model` or in `config`, or sizes that differ where ISVOS has one.
    """
    theirs = model.config
    if theirs.backbone_config.model_type != "resnet":
        raise ConfigError(f"the shared backbone is a ResNet, got `{theirs.backbone_config.model_type}`")
    if len({theirs.hidden_dim, theirs.feature_size, theirs.mask_feature_size}) != 1:
        raise ConfigError("pixel decoder, queries and pixel embedding must have one width to share their maps")
    backbone, instances = sizes_of(theirs)
    base = PAPER if config is None else config
    if base.backbone.timm is not None:
        raise ConfigError(
            f"a Mask2Former with a ResNet does not fill timm's `{base.backbone.timm}`; give a configuration whose "
            "backbone is a ResNet"
        )
    network = Isvos(replace(base, backbone=backbone, instances=instances, norm="frozen_batch"))
    state = {
        f"instances.{name}": tensor for name, tensor in model.state_dict().items() if not name.startswith("criterion.")
    }
    ours = network.state_dict()
    wanted = {name: tensor for name, tensor in ours.items() if name.startswith("instances.")}
    report = compare_tensors(state, wanted)
    if not report.fits:
        raise WeightsError(f"this Mask2Former does not fit the instance branch: {report}")
    network.load_state_dict({**ours, **state}, strict=True)
    return Started(network, tuple(name for name in ours if name not in state))


def load_xmem(network: Isvos, state: Mapping[str, Tensor], *, backbone: bool = True) -> tuple[str, ...]:
    """Fills the memory branch from an XMem checkpoint, in place.

    XMem's hidden state has no place here: its parts are left out, which equals a hidden state of zeros. A checkpoint
    for single objects gets a fifth input channel of zeros.

    Args:
        network: with `norm = "frozen_batch"` and XMem's sizes.
        state: XMem's names.
        backbone: take XMem's key encoder over as well. It is shared: the instance branch then has stages 1 to 3 of
            XMem and must be trained again; without it, the memory branch must.

    Returns:
        Names of ours that keep their values.

    Raises:
        ConfigError: the network's backbone is not a ResNet.
        WeightsError: a name or shape that does not fit, NaN or infinity; nothing is changed then.
    """
    if network.config.backbone.timm is not None:
        raise ConfigError(
            f"XMem's key encoder is a ResNet-50 and does not fit timm's `{network.config.backbone.timm}`; load it into "
            "a configuration whose backbone is a ResNet, such as `paper`"
        )
    renamed, unknown = translate(state, xmem_map(network.config))
    ours = network.state_dict()
    expected = {name: tensor for name, tensor in ours.items() if _is_xmems(name)}
    if not backbone:
        renamed = {name: tensor for name, tensor in renamed.items() if not name.startswith(_BACKBONE)}
        expected = {name: tensor for name, tensor in expected.items() if not name.startswith(_BACKBONE)}
    report = compare_tensors(renamed, expected, unknown)
    if not report.fits:
        raise WeightsError(f"this XMem checkpoint does not fit: {report}")
    check_finite(network, renamed, "the XMem checkpoint")
    network.load_state_dict({**ours, **renamed}, strict=True)
    return tuple(name for name in ours if name not in renamed)


def xmem_map(config: IsvosConfig) -> KeyMap:
    """XMem's names to ours."""
    picture = config.backbone.widths[2] + config.matching.value_dim
    rules = {
        **_resnet_rules("key_encoder", ("res2", "layer2", "layer3"), _BACKBONE),
        **_resnet_rules("value_encoder", ("layer1", "layer2", "layer3"), "value_encoder.backbone"),
        "value_encoder.fuser.*": "value_encoder.fuser.*",
        "key_proj.key_proj.*": "key_proj.key_proj.*",
        "decoder.fuser.*": "decoder.fuser.*",
        "decoder.up_16_8.*": "decoder.up_16_8.*",
        "decoder.up_8_4.*": "decoder.up_8_4.*",
        "decoder.pred.*": "decoder.pred.*",
    }
    ignored = ["value_encoder.hidden_reinforce.*", "decoder.hidden_update.*"]
    for part, wanted in (("d_proj", ("shrinkage", "full")), ("e_proj", ("selection", "full"))):
        if config.matching.similarity in wanted:
            rules[f"key_proj.{part}.*"] = f"key_proj.{part}.*"
        else:
            ignored.append(f"key_proj.{part}.*")
    transforms: dict[str, Callable[[Tensor], Tensor]] = {
        f"decoder.fuser.block1.{layer}.weight": lambda weight: weight[:, :picture] for layer in ("conv1", "downsample")
    }
    transforms["value_encoder.backbone.embedder.embedder.convolution.weight"] = _with_channel_of_others
    return KeyMap(rules, ignored=tuple(ignored), transforms=transforms)


def _resnet_rules(theirs: str, stages: tuple[str, ...], ours: str) -> dict[str, str]:
    """torchvision's names of a ResNet to transformers'."""
    rules = {
        f"{theirs}.conv1.weight": f"{ours}.embedder.embedder.convolution.weight",
        f"{theirs}.bn1.*": f"{ours}.embedder.embedder.normalization.*",
    }
    for number, stage in enumerate(stages):
        source, target = f"{theirs}.{stage}.{{}}", f"{ours}.encoder.stages.{number}.layers.{{}}"
        for layer in range(3):
            rules[f"{source}.conv{layer + 1}.weight"] = f"{target}.layer.{layer}.convolution.weight"
            rules[f"{source}.bn{layer + 1}.*"] = f"{target}.layer.{layer}.normalization.*"
        rules[f"{source}.downsample.0.weight"] = f"{target}.shortcut.convolution.weight"
        rules[f"{source}.downsample.1.*"] = f"{target}.shortcut.normalization.*"
    return rules


def _is_xmems(name: str) -> bool:
    """Whether a tensor of ours has a counterpart in XMem."""
    if name.startswith(_CONTRIBUTIONS):
        return False
    if name.startswith("instances."):
        return name.startswith(_BACKBONE) and not name.startswith(f"{_BACKBONE}.encoder.stages.3.")
    return True


def _with_channel_of_others(weight: Tensor) -> Tensor:
    """(D, 4, 7, 7) of a single-object checkpoint to (D, 5, 7, 7); five stay five."""
    missing = 5 - weight.shape[1]
    if missing not in (0, 1):
        raise ValueError(f"4 or 5 input channels, got {weight.shape[1]}")
    return torch.as_tensor(F.pad(weight, (0, 0, 0, 0, 0, missing)))
