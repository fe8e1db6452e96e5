"""The class of every head."""

from __future__ import annotations

from onlooker.methods.encoders.omnivl.answering import OmniVLAnswerer
from onlooker.methods.encoders.omnivl.captioning import OmniVLCaptioner
from onlooker.methods.encoders.omnivl.config import OmniVLConfig
from onlooker.methods.encoders.omnivl.embedding import OmniVLEmbedder
from onlooker.methods.encoders.omnivl.model import OmniVLPretrain

OmniVL = OmniVLPretrain | OmniVLCaptioner | OmniVLAnswerer | OmniVLEmbedder


def create(config: OmniVLConfig) -> OmniVL:
    """The network of `config.head`, with random weights, in training mode."""
    if config.head == "caption":
        return OmniVLCaptioner(config)
    if config.head == "vqa":
        return OmniVLAnswerer(config)
    if config.head == "embed":
        return OmniVLEmbedder(config)
    return OmniVLPretrain(config)
