"""The two towers and their common space: features of images, clips and texts, and retrieval with them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.encoders.omnivl.config import OmniVLConfig
from onlooker.methods.encoders.omnivl.text import encode_text, text_encoder, token_mask
from onlooker.methods.encoders.omnivl.visual import VisualEncoder
from onlooker.weights.saving import SavedNetwork


class Towers(SavedNetwork):
    """Visual encoder and text encoder with one projection each.

    Args:
        config: sizes.
    """

    config: OmniVLConfig

    def __init__(self, config: OmniVLConfig) -> None:
        super().__init__()
        self.config = config
        self.visual_encoder = VisualEncoder(config.visual)
        self.text_encoder = text_encoder(config.text, config.visual.width)
        self.vision_proj = nn.Linear(config.visual.width, config.embed_dim)
        self.text_proj = nn.Linear(config.text.width, config.embed_dim)

    def project_vision(self, tokens: Tensor) -> Tensor:
        """(B, embed_dim) unit rows of visual tokens (B, M, D_v)."""
        return functional.normalize(self.vision_proj(self.visual_encoder.pool(tokens)), dim=-1)

    def embed_vision(self, vision: Tensor) -> Tensor:
        """(B, embed_dim) unit rows of images (B, 3, H, W) or clips (B, 3, T, H, W)."""
        return self.project_vision(self.visual_encoder(vision))

    def embed_text(self, text_ids: Tensor) -> Tensor:
        """(B, embed_dim) unit rows of texts (B, L), [CLS] first, padded."""
        hidden = encode_text(self.text_encoder, text_ids, token_mask(text_ids, self.config.text))
        return functional.normalize(self.text_proj(hidden[:, 0]), dim=-1)


class OmniVLEmbedder(Towers):
    """The towers alone.

    Args:
        config: its head must be "embed".
    """

    def __init__(self, config: OmniVLConfig) -> None:
        if config.head != "embed":
            raise ConfigError(f"`OmniVLEmbedder` has the head `embed`, got `{config.head}`")
        super().__init__(config)

    def forward(self, vision: Tensor, text_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Features of both sides, (B, embed_dim) and (C, embed_dim) unit rows; the two need not be pairs."""
        return self.embed_vision(vision), self.embed_text(text_ids)


def class_features(model: Towers, prompt_ids: Tensor, classes: Tensor) -> Tensor:
    """Zero-shot classes (ours, the usual way): mean of the unit features of a class's prompts, unit again.

    Args:
        model: the towers.
        prompt_ids: (P, L) token ids of all prompts of all classes.
        classes: (P,) int64, the class of each prompt, from 0 without gaps.

    Returns:
        (C, embed_dim).

    Raises:
        ShapeError: a class has no prompt.
    """
    counts = torch.bincount(classes)
    if len(counts) == 0 or int(counts.min()) == 0:
        raise ShapeError("every class from 0 on needs at least one prompt")
    features = model.embed_text(prompt_ids)
    sums = features.new_zeros(len(counts), features.shape[1]).index_add_(0, classes, features)
    return functional.normalize(sums / counts[:, None], dim=-1)
