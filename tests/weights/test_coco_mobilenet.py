"""The COCO backbone inside the bundled detector: timm's network makes of a picture what OpenCV makes of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import timm
import torch
from numpy.typing import NDArray
from skimage.data import chelsea, coffee

from onlooker.errors import WeightsError
from onlooker.nn.timm_pyramid import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    PACKAGED_COCO_BACKBONE,
    TimmPyramid,
    start_from_packaged_,
)
from onlooker.weights import coco_mobilenet
from onlooker.weights.bundled import SSD_GRAPH, SSD_GRAPH_TEXT
from onlooker.weights.coco_mobilenet import COCO_MOBILENET, read_coco_mobilenet
from onlooker.weights.verify import verified_path

WIDTHS = (24, 32, 96, 320)
SIDE = 300  # the detector's
LAYERS = [
    f"FeatureExtractor/MobilenetV2/expanded_conv_{last}"
    for last in ("2/add", "5/add", "12/add", "16/project/BatchNorm/batchnorm/add_1")
]


def maps_of_the_detector(picture: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """At strides 4, 8, 16 and 32, as OpenCV computes them."""
    files = [str(verified_path(part)) for part in (SSD_GRAPH, SSD_GRAPH_TEXT)]
    if int(cv2.__version__.split(".")[0]) < 5:
        net, wanted = cv2.dnn.readNetFromTensorflow(*files), LAYERS
    else:
        net = cv2.dnn.readNetFromTensorflow(*files, extraOutputs=LAYERS)
        wanted = list(net.getUnconnectedOutLayersNames())
    net.setInput(cv2.dnn.blobFromImage(picture, 1.0, (SIDE, SIDE)))
    found = dict(zip(wanted, net.forward(wanted), strict=True))
    return [found[name] for name in LAYERS]


@pytest.mark.parametrize("photo", [chelsea, coffee])
def test_maps_are_those_of_the_detector(photo) -> None:
    picture = cv2.resize(photo(), (SIDE, SIDE))
    pyramid = TimmPyramid(COCO_MOBILENET, WIDTHS)
    start_from_packaged_(pyramid, PACKAGED_COCO_BACKBONE)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    with torch.no_grad():
        found = pyramid((torch.from_numpy(picture).permute(2, 0, 1)[None] / 255 - mean) / std)
    for ours, theirs, spread in zip(found, maps_of_the_detector(picture), pyramid.spreads, strict=True):
        assert ours.shape == theirs.shape
        assert float(np.abs((ours * spread).numpy() - theirs).max()) <= 1e-5 * float(np.abs(theirs).max())
        assert 0.3 < float(ours.std()) < 3


def test_every_tensor_of_the_stages_is_there_and_none_besides() -> None:
    stages = timm.create_model("mobilenetv2_100", features_only=True).state_dict()
    assert set(read_coco_mobilenet()) == {name for name in stages if not name.endswith("num_batches_tracked")}


def test_a_detector_with_other_layers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coco_mobilenet, "_FOLDER", "FeatureExtractor/MobilenetV3/")
    with pytest.raises(WeightsError, match=r"reads 0 tensors for the layer `Conv/Conv2D`.*where 1 are expected"):
        read_coco_mobilenet()
