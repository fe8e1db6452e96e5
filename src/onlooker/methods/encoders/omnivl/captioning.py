"""The caption model: visual encoder and generation decoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import GenerationConfig as LibraryGenerationConfig

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.encoders.omnivl.config import GenerationConfig, OmniVLConfig, TextConfig
from onlooker.methods.encoders.omnivl.sharing import store_shared_once
from onlooker.methods.encoders.omnivl.text import (
    IGNORED_LABEL,
    decode_logits,
    generation_loss,
    text_decoder,
    token_mask,
    with_first,
)
from onlooker.methods.encoders.omnivl.visual import VisualEncoder
from onlooker.weights.saving import SavedNetwork


class OmniVLCaptioner(SavedNetwork):
    """Describes images and clips.

    Args:
        config: its head must be "caption".
    """

    config: OmniVLConfig

    def __init__(self, config: OmniVLConfig) -> None:
        if config.head != "caption":
            raise ConfigError(f"`OmniVLCaptioner` has the head `caption`, got `{config.head}`")
        super().__init__()
        self.config = config
        self.visual_encoder = VisualEncoder(config.visual)
        self.text_decoder = text_decoder(config.text, config.visual.width)
        store_shared_once(self)

    def forward(self, vision: Tensor, text_ids: Tensor, prompt_length: int = 1) -> Tensor:
        """Generation loss, a scalar.

        Args:
            vision: (B, 3, H, W) or (B, 3, T, H, W) normalised pixels.
            text_ids: (B, L) int64, [CLS] first, prompt and caption, padded.
            prompt_length: tokens at the start that are given and not learned, [CLS] among them.
        """
        self._check(vision, text_ids)
        ids = with_first(text_ids, self.config.text.decode_id)
        labels = ids.masked_fill(ids == self.config.text.pad_id, IGNORED_LABEL)
        labels[:, :prompt_length] = IGNORED_LABEL
        return generation_loss(self.logits(vision, text_ids), labels, self.config.label_smoothing)

    def logits(self, vision: Tensor, text_ids: Tensor) -> Tensor:
        """(B, L, V) next-token logits; arguments as `forward`."""
        mask = self._check(vision, text_ids)
        ids = with_first(text_ids, self.config.text.decode_id)
        return decode_logits(self.text_decoder, ids, mask, self.visual_encoder(vision))

    def _check(self, vision: Tensor, text_ids: Tensor) -> Tensor:
        """The mask of the texts; raises ShapeError unless there is a text for every item."""
        mask = token_mask(text_ids, self.config.text)
        if len(vision) != len(text_ids):
            raise ShapeError(f"as many texts as images or clips are needed, got {len(text_ids)} and {len(vision)}")
        return mask

    @torch.no_grad()
    def generate(self, vision: Tensor, prompt_ids: Tensor, settings: GenerationConfig | None = None) -> Tensor:
        """Captions as token ids.

        Args:
            vision: as `forward`.
            prompt_ids: (P,) int64: [CLS] and the prompt's tokens, without [SEP].
            settings: beams and lengths; those of the configuration when `None`.

        Returns:
            (B, L) int64, one row per item: [DEC], the prompt, the caption, [SEP], padding.
        """
        settings = settings or self.config.generation
        ids = with_first(prompt_ids[None].expand(len(vision), -1), self.config.text.decode_id)
        return generate_ids(self.text_decoder, ids, self.visual_encoder(vision), settings, self.config.text)


def generate_ids(
    decoder: nn.Module, ids: Tensor, states: Tensor, settings: GenerationConfig, text: TextConfig
) -> Tensor:
    """Continues (B, P) ids while looking at (B, M, D_v) states: greedy with one beam, else beam search. (B, L) ids."""
    library = LibraryGenerationConfig(
        max_length=settings.max_length,
        min_length=settings.min_length,
        num_beams=settings.beams,
        do_sample=False,
        repetition_penalty=settings.repetition_penalty,
        bos_token_id=text.decode_id,
        eos_token_id=text.sep_id,
        pad_token_id=text.pad_id,
    )
    generated: Tensor = decoder.generate(  # type: ignore[operator]
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        encoder_hidden_states=states,
        generation_config=library,
    )
    return generated
