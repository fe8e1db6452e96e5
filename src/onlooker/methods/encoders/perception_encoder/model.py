"""Perception Encoder: a picture encoder and a text encoder trained only to tell which text belongs to which picture.

The best general features turn out to lie in layers before the last; two short trainings (language and spatial
alignment) move them to the end. Paper: "Perception Encoder: The best visual embeddings are not at the output of the
network", Bolya et al. 2025, arXiv 2504.13181. Official code: facebookresearch/perception_models (Apache-2.0 for this
model); weights: facebook/PE-{Core,Lang,Spatial}-* on the hub (Apache-2.0).

What we do otherwise: pictures whose size is no multiple of the patch are refused instead of cropped silently; text
positions and projection are initialised as in CLIP, where the official code leaves them uninitialised; the attention
pooling folds its key and value matrices into its single query (see `vision.AttentionPool`), with equal results.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.encoders.perception_encoder.config import PerceptionEncoderConfig
from onlooker.methods.encoders.perception_encoder.text import TextTower
from onlooker.methods.encoders.perception_encoder.vision import VisionTower
from onlooker.weights.saving import SavedNetwork

_FIRST_TEMPERATURE = 0.07  # as in CLIP


class PerceptionEncoder(SavedNetwork):
    """Pictures, videos and texts to vectors of one space, and pictures to tokens of any layer.

    Args:
        config: sizes; without a text side only pictures can be encoded.
    """

    def __init__(self, config: PerceptionEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.visual = VisionTower(config.vision)
        self.text = TextTower(config.text) if config.text is not None else None
        self.logit_scale = (
            nn.Parameter(torch.tensor(math.log(1 / _FIRST_TEMPERATURE))) if config.text is not None else None
        )

    def forward(self, image: Tensor, text: Tensor | None = None) -> dict[str, Tensor]:
        """Both sides at once, ready for a contrastive loss.

        Args:
            image: (B, 3, H, W) float in [-1, 1].
            text: (T, L) int64 token ids; T need not be B.

        Returns:
            "image_embed" (B, D) of unit length, or "tokens" (B, N, width) for configurations without pooling; with
            `text` also "text_embed" (T, D) of unit length and "logit_scale", the scalar exp(s).

        Raises:
            ShapeError: as in `VisionTower.embed` and `TextTower.forward`.
            ConfigError: `text` without a text side.
        """
        if self.visual.pool is None:
            outputs = {"tokens": self.visual(image)}
        else:
            outputs = {"image_embed": self.encode_image(image, normalize=True)}
        if text is not None:
            outputs |= {"text_embed": self.encode_text(text, normalize=True), "logit_scale": self.scale()}
        return outputs

    def encode_image(self, image: Tensor, normalize: bool = False) -> Tensor:
        """(B, 3, H, W) float in [-1, 1] to (B, D), of unit length with `normalize`.

        Raises:
            ConfigError: the configuration has no pooling: it gives tokens, by `forward_features`.
        """
        if self.visual.pool is None:
            raise ConfigError("this configuration gives tokens, not one vector per picture: use `forward_features`")
        vectors: Tensor = self.visual(image)
        return F.normalize(vectors, dim=-1) if normalize else vectors

    def encode_video(self, video: Tensor, normalize: bool = False) -> Tensor:
        """Mean of the frames' vectors.

        Args:
            video: (B, T, 3, H, W) float in [-1, 1], T >= 1; the paper samples 8 frames uniformly.
            normalize: give every frame unit length BEFORE the mean. The mean itself is not normalised again, as in the
                official code.

        Returns:
            (B, D).

        Raises:
            ShapeError: not five dimensions, or no frames.
        """
        if video.ndim != 5 or video.shape[1] < 1:
            raise ShapeError(f"a video is (B, T, 3, H, W) with T >= 1, got {tuple(video.shape)}")
        frames = self.encode_image(video.flatten(0, 1), normalize)  # (B*T, D)
        return frames.view(video.shape[0], video.shape[1], -1).mean(dim=1)

    def encode_text(self, text: Tensor, normalize: bool = False) -> Tensor:
        """(T, L) int64 token ids to (T, D), of unit length with `normalize`.

        Raises:
            ConfigError: the configuration has no text side.
        """
        if self.text is None:
            raise ConfigError("this configuration has no text side: the core models have one")
        vectors: Tensor = self.text(text)
        return F.normalize(vectors, dim=-1) if normalize else vectors

    def scale(self) -> Tensor:
        """exp(s), the learned factor of cosines in the contrastive loss.

        Raises:
            ConfigError: the configuration has no text side.
        """
        if self.logit_scale is None:
            raise ConfigError("this configuration has no text side, and so no scale of similarities")
        return self.logit_scale.exp()

    def forward_features(
        self, images: Tensor, layer: int = -1, norm: bool = False, strip_class_token: bool = False
    ) -> Tensor:
        """Tokens (B, N, width) after one block; arguments and errors as in `VisionTower.features`."""
        return self.visual.features(images, [layer], norm, strip_class_token)[0]

    def forward_layers(
        self, images: Tensor, layers: Sequence[int], norm: bool = False, strip_class_token: bool = False
    ) -> tuple[Tensor, ...]:
        """Tokens after each of several blocks in one pass; arguments and errors as in `VisionTower.features`."""
        return self.visual.features(images, layers, norm, strip_class_token)

    def truncated(self, layer: int) -> Self:
        """A copy that ends after block `layer`; norm, pooling, projection and text side are kept where they are."""
        depth = self.visual.block_number(layer) + 1
        return self.derived(replace(self.config, vision=replace(self.config.vision, depth=depth)))

    def derived(self, config: PerceptionEncoderConfig) -> Self:
        """A network of another configuration that starts from a copy of these weights, as the alignments do.

        Blocks, pooling, projection, final norm and text side may be left out, and gains (`layer_scale`) may be added;
        anything else that `config` has and this network has not is an error. Training mode and device are kept.

        Raises:
            ConfigError: a tensor of `config` has no counterpart here, or one of another shape.
        """
        network = type(self)(config)
        ours = self.state_dict()
        wanted = network.state_dict()
        absent = [name for name in wanted if name not in ours and not name.endswith((".gain_1", ".gain_2"))]
        if absent:
            raise ConfigError(f"`{absent[0]}` of the new configuration has no counterpart in this network")
        other = [name for name, tensor in wanted.items() if name in ours and ours[name].shape != tensor.shape]
        if other:
            raise ConfigError(
                f"`{other[0]}` is {tuple(ours[other[0]].shape)} here, not {tuple(wanted[other[0]].shape)}"
            )
        network.load_state_dict({name: ours.get(name, tensor) for name, tensor in wanted.items()}, strict=True)
        device = self.visual.patch_embed.weight.device
        return network.to(device, self.visual.patch_embed.weight.dtype).train(self.training)
