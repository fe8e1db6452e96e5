"""EfficientNet-Lite0 trained on ImageNet, from the installed package that carries it, under timm's names.

Tan and Le 2019 (arXiv 1905.11946), the "lite" variant; the TensorFlow weights converted to PyTorch, Apache-2.0. The
network they fill is timm's `tf_efficientnet_lite0`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from torch import Tensor

from onlooker.errors import WeightsError
from onlooker.weights.bundled import EFFICIENTNET_LITE0
from onlooker.weights.files import read_tensors
from onlooker.weights.verify import verified_path

LITE0 = "tf_efficientnet_lite0"
"""timm's name of the network."""
LITE0_MEAN, LITE0_STD = 127 / 255, 128 / 255
"""Of pixels in [0, 1], every channel: the file keeps TensorFlow's `(x - 127) / 128` of pixels in [0, 255]."""

_BLOCKS_PER_STAGE = (1, 2, 2, 3, 3, 4, 1)
_STEM_AND_HEAD: Mapping[str, str] = MappingProxyType(
    {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
)
_FIRST_BLOCK: Mapping[str, str] = MappingProxyType(
    {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
)
"""The first block has no expansion, so timm numbers its parts differently."""
_BLOCK: Mapping[str, str] = MappingProxyType(
    {
        "_expand_conv": "conv_pw",
        "_bn0": "bn1",
        "_depthwise_conv": "conv_dw",
        "_bn1": "bn2",
        "_project_conv": "conv_pwl",
        "_bn2": "bn3",
    }
)


def read_lite0() -> dict[str, Tensor]:
    """The tensors under timm's names, the classifier of ImageNet's 1,000 classes among them.

    Raises:
        WeightsError: the package is not installed, or its file was altered.
    """
    return {timm_key(key): tensor for key, tensor in read_tensors(verified_path(EFFICIENTNET_LITE0)).items()}


def timm_key(key: str) -> str:
    """timm's name for a tensor of the file: `_blocks.1._bn0.weight` is `blocks.1.0.bn1.weight`.

    Raises:
        WeightsError: for a key no part of the network answers to.
    """
    block = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", key)
    if block is not None:
        index, part, tensor = int(block[1]), block[2], block[3]
        names = _FIRST_BLOCK if index == 0 else _BLOCK
        if part in names and index < sum(_BLOCKS_PER_STAGE):
            stage, inside = _stage_of(index)
            return f"blocks.{stage}.{inside}.{names[part]}.{tensor}"
    else:
        part, _, tensor = key.partition(".")
        if part in _STEM_AND_HEAD:
            return f"{_STEM_AND_HEAD[part]}.{tensor}"
    raise WeightsError(f"the EfficientNet-Lite0 weights hold a tensor `{key}` that the network has no place for")


def _stage_of(index: int) -> tuple[int, int]:
    """Stage and position inside it of the running block number."""
    for stage, count in enumerate(_BLOCKS_PER_STAGE):
        if index < count:
            return stage, index
        index -= count
    raise AssertionError("callers check the range")
