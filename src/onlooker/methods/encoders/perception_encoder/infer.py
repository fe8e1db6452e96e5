"""Pictures, videos and texts to unit vectors of one space; naming without training; dense features of any layer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
from PIL import Image as PilImage
from torch import Tensor

from onlooker.configs import config_from_dict, whole_number
from onlooker.errors import ConfigError, ShapeError, UnknownNameError
from onlooker.methods.encoders.perception_encoder.config import (
    CONFIGS,
    RELEASED,
    PerceptionEncoderConfig,
)
from onlooker.methods.encoders.perception_encoder.model import PerceptionEncoder
from onlooker.methods.encoders.perception_encoder.tokenizer import Tokenizer, make_tokenizer
from onlooker.methods.encoders.perception_encoder.weights import from_timm, is_timm_layout, key_map
from onlooker.nn.device import check_device
from onlooker.types import FloatArray, Image
from onlooker.weights.files import read_tensors
from onlooker.weights.load import FoundWeights, load_state, locate_weights
from onlooker.weights.verify import sha256_of

TEMPLATES = ("a photo of a {}.",)
VIDEO_FRAMES = 8  # as the paper samples in training and evaluation
_COMMIT = re.compile(r"[0-9a-f]{40}")
_DIGEST_LETTERS = 12


class PerceptionEmbedder:
    """Appearance and text embedder in one space.

    Args:
        weights: a folder that training wrote, a file (ours, official, timm's or open_clip's), or a hub name. Left out,
            weights are random: only for trying things out.
        config: name of a configuration, for files that do not say theirs. Folders of ours and released names do.
        device: torch device.
        batch_size: pictures or texts per forward pass.
        offline: refuse the network.

    Raises:
        WeightsError: the weights cannot be found, fetched or fitted.
        ConfigError: the configuration is not known from the weights and not given, a batch size below 1, or a device
            that cannot be used.
        UnknownNameError: no such configuration.
    """

    name = "perception-encoder"

    def __init__(
        self,
        weights: str | None = None,
        config: str | None = None,
        device: str = "cpu",
        batch_size: int = 16,
        offline: bool = False,
    ) -> None:
        check_device(device)
        whole_number("batch_size", batch_size)
        found = None if weights is None else locate_weights(weights, offline=offline)
        chosen = _choose_config(weights, config, found)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = PerceptionEncoder(chosen)
        if found is not None:
            state = read_tensors(found.path, key_map(chosen).wrappers)
            state = from_timm(state) if is_timm_layout(state) else state
            load_state(network, state, key_map(chosen), str(found.path))
        self._fill(network.to(device), "random" if found is None else _version_of(found.path), batch_size)

    @classmethod
    def of_network(cls, network: PerceptionEncoder, version: str, batch_size: int = 16) -> Self:
        """Around a network at hand, which is put into evaluation mode; `version` names its weights."""
        made = cls.__new__(cls)
        made._fill(network, version, whole_number("batch_size", batch_size))
        return made

    def _fill(self, network: PerceptionEncoder, version: str, batch_size: int) -> None:
        self._network, self._version, self._batch_size = network.eval(), version, batch_size
        self._tokenizer: Tokenizer | None = None

    @property
    def version(self) -> str:
        """Commit of a hub model, else the first letters of the weights' sha256."""
        return self._version

    @property
    def dim(self) -> int:
        """Length of a vector."""
        length: int = self._network.config.vision.output_dim
        return length

    @property
    def similarity_scale(self) -> float:
        """Factor of cosines between pictures and texts under which the model's softmax over texts was trained."""
        return float(self._network.scale().detach())

    def embed_images(self, images: Sequence[Image]) -> FloatArray:
        """(N, dim) float32 unit rows of RGB uint8 (H, W, 3) pictures.

        Raises:
            ShapeError: a picture is grey, has alpha, is not uint8, or has no area.
            ConfigError: the weights have no pooling (lang and spatial models): use `features`.
        """
        rows = [np.zeros((0, self.dim), np.float32)]
        with torch.inference_mode():
            rows += [_array(self._network.encode_image(batch, normalize=True)) for batch in self._batches(images)]
        return np.concatenate(rows)

    def embed_video(self, frames: Sequence[Image], n_frames: int = VIDEO_FRAMES) -> FloatArray:
        """(dim,) float32 unit vector of a clip: the mean of the unit vectors of `n_frames` frames, evenly spread.

        A clip with fewer frames repeats some.

        Raises:
            ShapeError: no frames, or as `embed_images`.
            ConfigError: `n_frames` is no whole number from 1.
        """
        whole_number("n_frames", n_frames)
        if not len(frames):
            raise ShapeError("a clip needs a frame at least, got none")
        places = ((np.arange(n_frames) + 0.5) * len(frames) / n_frames).astype(int)
        distinct, counts = np.unique(places, return_counts=True)
        vectors = self.embed_images([frames[place] for place in distinct])
        mean: FloatArray = (vectors * counts[:, None].astype(np.float32)).sum(0)
        return mean / max(float(np.linalg.norm(mean)), 1e-12)

    def embed_texts(self, texts: Sequence[str]) -> FloatArray:
        """(N, dim) float32 unit rows. Long texts are cut, an empty one has a vector too.

        Raises:
            ConfigError: one string instead of a list, or weights without a text side (lang and spatial models).
        """
        text_config = self._network.config.text
        if text_config is None:
            raise ConfigError("these weights have no text side; the core models have one")
        if self._tokenizer is None:
            self._tokenizer = make_tokenizer(text_config)
        tokens = self._tokenizer(texts)
        rows = [np.zeros((0, self.dim), np.float32)]
        with torch.inference_mode():
            for start in range(0, len(tokens), self._batch_size):
                ids = tokens[start : start + self._batch_size].to(self._device)
                rows.append(_array(self._network.encode_text(ids, normalize=True)))
        return np.concatenate(rows)

    def classify(
        self, images: Sequence[Image], names: Sequence[str], templates: Sequence[str] = TEMPLATES
    ) -> FloatArray:
        """Names without training.

        Args:
            images: N pictures, as in `embed_images`.
            names: K names to choose from.
            templates: sentences with `{}` for the name; the vectors of one name are averaged over them.

        Returns:
            (N, K) float32 probabilities over the names, each row sums to 1.

        Raises:
            ConfigError: no names, or a template without `{}`.
        """
        without = [template for template in templates if "{}" not in template]
        if not len(names) or isinstance(names, str) or not templates or without:
            raise ConfigError(f"`classify` needs a list of names, and templates with `{{}}` in them, got {without}")
        prompts = [template.replace("{}", name) for name in names for template in templates]
        vectors = self.embed_texts(prompts).reshape(len(names), len(templates), -1).mean(axis=1)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        logits = self.similarity_scale * self.embed_images(images) @ vectors.T
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: FloatArray = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
        return probabilities

    def features(self, images: Sequence[Image], layer: int = -1) -> FloatArray:
        """(N, h, w, width) float32 patch features after one block, without the class token and the final norm.

        Args:
            images: N pictures, squashed to the network's square as everywhere.
            layer: block number from 0, or from the end with -1 for the last. The best one depends on the task.

        Raises:
            ConfigError: no such block.
        """
        vision = self._network.config.vision
        layer = whole_number("layer", layer, -vision.depth, vision.depth - 1)
        rows = [np.zeros((0, vision.grid, vision.grid, vision.width), np.float32)]
        with torch.inference_mode():
            for batch in self._batches(images):
                tokens = self._network.forward_features(batch, layer, strip_class_token=True)  # (B, h*w, width)
                rows.append(_array(tokens).reshape(-1, vision.grid, vision.grid, vision.width))
        return np.concatenate(rows)

    @property
    def _device(self) -> torch.device:
        return self._network.visual.patch_embed.weight.device

    def _batches(self, images: Sequence[Image]) -> Iterator[Tensor]:
        size = self._network.config.vision.image_size
        for start in range(0, len(images), self._batch_size):
            yield preprocess(images[start : start + self._batch_size], size).to(self._device)


def preprocess(images: Sequence[Image], size: int) -> Tensor:
    """Pictures squashed to a square, (N, 3, size, size) float32 in [-1, 1].

    Bilinear with antialias, aspect not kept: as the official evaluation does.

    Raises:
        ShapeError: a picture is not RGB uint8 (H, W, 3) or has no area.
    """
    squares = np.empty((len(images), size, size, 3), np.uint8)
    for square, image in zip(squares, images, strict=True):
        _check_image(image)
        square[:] = np.asarray(PilImage.fromarray(image).resize((size, size), PilImage.Resampling.BILINEAR))
    pixels = torch.from_numpy(squares).permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)
    return pixels.div_(255).sub_(0.5).div_(0.5)


def _check_image(image: Image) -> None:
    if not isinstance(image, np.ndarray):
        raise ShapeError(f"a picture is a numpy array, got `{type(image).__name__}`; `np.asarray` makes one of pixels")
    if image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.size:
        return
    if image.dtype == np.uint8 and image.ndim == 2:
        remedy = "repeat a grey picture three times: `np.repeat(image[..., None], 3, axis=2)`"
    elif image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 4:
        remedy = "leave the alpha channel out: `image[..., :3]`"
    elif not image.size:
        remedy = "a picture without area shows nothing: leave it out"
    else:
        remedy = "convert pixels to whole numbers from 0 to 255 first, three channels last"
    raise ShapeError(f"a picture is RGB uint8 (H, W, 3), got {image.dtype} {image.shape}; {remedy}")


def _choose_config(weights: str | None, name: str | None, found: FoundWeights | None) -> PerceptionEncoderConfig:
    """The configuration asked for, else the one stored with the weights, else the one released under their name."""
    if name is not None:
        if name not in CONFIGS:
            raise UnknownNameError("configuration of `perception_encoder`", name, CONFIGS)
        return CONFIGS[name]
    if found is not None and found.config is not None:
        return config_from_dict(PerceptionEncoderConfig, found.config)
    released = {repository.rpartition("/")[2]: config for repository, config in RELEASED.items()}
    for known in (Path(weights or "").name, Path(weights or "").stem, found.path.stem if found is not None else ""):
        if known in released:
            return CONFIGS[released[known]]
    raise ConfigError(
        f"the configuration of `{weights}` is not known; say which with `config=`, one of {', '.join(CONFIGS)}"
    )


def _version_of(path: Path) -> str:
    return path.parent.name if _COMMIT.fullmatch(path.parent.name) else sha256_of(path)[:_DIGEST_LETTERS]


def _array(rows: Tensor) -> FloatArray:
    result: FloatArray = rows.float().cpu().numpy()
    return result
