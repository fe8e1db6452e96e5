"""MobileNetV2 trained on COCO, under timm's names: the backbone inside the SSD detector that comes with this package.

Sandler et al. 2018 (arXiv 1801.04381), width 1.0, as `ssd_mobilenet_v2_coco` of TensorFlow's detection models holds it,
Apache-2.0. The network it fills is timm's `mobilenetv2_100` with TensorFlow's padding ("same") and batch norm epsilon
(1e-3); pixels become `x / 127.5 - 1`.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from torch import Tensor

from onlooker.errors import WeightsError
from onlooker.weights.bundled import SSD_GRAPH, SSD_GRAPH_TEXT
from onlooker.weights.verify import verified_path

COCO_MOBILENET = "mobilenetv2_100.ssd_coco"
"""Name of the network in configurations: timm's, and behind the point what makes it TensorFlow's."""
COCO_MOBILENET_MEAN, COCO_MOBILENET_STD = 0.5, 0.5
"""Of pixels in [0, 1], every channel."""

_FOLDER = "FeatureExtractor/MobilenetV2/"
_BLOCKS_PER_STAGE = (1, 2, 3, 4, 3, 3, 1)
_STATISTICS = ("running_mean", "running_var", "weight", "bias")  # in the order OpenCV keeps them


def read_coco_mobilenet() -> dict[str, Tensor]:
    """The tensors of the stages under timm's names; the detector's own last layers are left out.

    Raises:
        WeightsError: the package that carries the detector is not installed, its file was altered, or OpenCV reads
            other layers from it.
    """
    net = cv2.dnn.readNetFromTensorflow(str(verified_path(SSD_GRAPH)), str(verified_path(SSD_GRAPH_TEXT)))
    state = {}
    for theirs, convolution, norm in _layers():
        kernel = "depthwise" if theirs.endswith("/depthwise") else "Conv2D"
        state[f"{convolution}.weight"] = _blobs(net, f"{theirs}/{kernel}", 1)[0]
        statistics = _blobs(net, f"{theirs}/BatchNorm/batchnorm/add_1", len(_STATISTICS))
        state |= {f"{norm}.{name}": blob.flatten() for name, blob in zip(_STATISTICS, statistics, strict=True)}
    return state


def _layers() -> Iterator[tuple[str, str, str]]:
    """A convolution with its norm: the detector's name, timm's of the convolution, timm's of the norm."""
    yield "Conv", "conv_stem", "bn1"
    block = 0
    for stage, count in enumerate(_BLOCKS_PER_STAGE):
        for place in range(count):
            theirs, ours = f"expanded_conv_{block}" if block else "expanded_conv", f"blocks.{stage}.{place}"
            if block:
                yield f"{theirs}/expand", f"{ours}.conv_pw", f"{ours}.bn1"
            # The first block has no expansion, so timm numbers its parts differently.
            yield f"{theirs}/depthwise", f"{ours}.conv_dw", f"{ours}.bn{2 if block else 1}"
            yield f"{theirs}/project", f"{ours}.{'conv_pwl' if block else 'conv_pw'}", f"{ours}.bn{3 if block else 2}"
            block += 1


def _blobs(net: cv2.dnn.Net, name: str, count: int) -> list[Tensor]:
    number = net.getLayerId(_FOLDER + name)
    blobs = [] if number < 0 else net.getLayer(number).blobs
    if len(blobs) != count:
        raise WeightsError(
            f"OpenCV {cv2.__version__} reads {len(blobs)} tensors for the layer `{name}` of the bundled detector, "
            f"where {count} are expected; versions 4.11 and 5.0 are known to work"
        )
    return [torch.from_numpy(np.array(blob, np.float32)) for blob in blobs]
