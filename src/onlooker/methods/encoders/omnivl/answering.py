"""The question model: question and image or clip are read together, an answer decoder looks at what was read."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.encoders.omnivl.captioning import generate_ids
from onlooker.methods.encoders.omnivl.config import GenerationConfig, OmniVLConfig
from onlooker.methods.encoders.omnivl.sharing import store_shared_once
from onlooker.methods.encoders.omnivl.text import (
    IGNORED_LABEL,
    decode_logits,
    encode_text_with,
    text_decoder,
    text_encoder,
    token_losses,
    token_mask,
    with_first,
)
from onlooker.methods.encoders.omnivl.visual import VisualEncoder
from onlooker.weights.saving import SavedNetwork


class Ranking(NamedTuple):
    """Answers of a list, ranked for every question.

    Attributes:
        best: (B,) int64, the chosen answer of each question.
        candidates: (B, k) int64, the answers whose first word is likeliest.
        scores: (B, k) minus the summed loss of each candidate.
        first_logits: (B, V) logits of the first word.
    """

    best: Tensor
    candidates: Tensor
    scores: Tensor
    first_logits: Tensor


class OmniVLAnswerer(SavedNetwork):
    """Answers questions about images and clips. Text encoder and answer decoder share nothing here.

    Args:
        config: its head must be "vqa".
    """

    config: OmniVLConfig

    def __init__(self, config: OmniVLConfig) -> None:
        if config.head != "vqa":
            raise ConfigError(f"`OmniVLAnswerer` has the head `vqa`, got `{config.head}`")
        super().__init__()
        self.config = config
        self.visual_encoder = VisualEncoder(config.visual)
        self.text_encoder = text_encoder(config.text, config.visual.width)
        self.text_decoder = text_decoder(config.text, config.text.width)
        store_shared_once(self)

    def read_question(self, vision: Tensor, question_ids: Tensor) -> Tensor:
        """Question states (B, L, D): the question, [ENC] first, looking at the image or clip."""
        if len(vision) != len(question_ids):
            raise ShapeError(f"as many questions as images are needed, got {len(question_ids)} and {len(vision)}")
        mask = token_mask(question_ids, self.config.text)
        ids = with_first(question_ids, self.config.text.encode_id)
        return encode_text_with(self.text_encoder, ids, mask, self.visual_encoder(vision))

    def forward(
        self, vision: Tensor, question_ids: Tensor, answer_ids: Tensor, answer_counts: Tensor, answer_weights: Tensor
    ) -> Tensor:
        """Training loss: weighted token-sum cross entropy of all answers over the number of images, a scalar.

        Args:
            vision: (B, 3, H, W) or (B, 3, T, H, W) normalised pixels.
            question_ids: (B, L) int64, [CLS] first, padded.
            answer_ids: (A, M) int64, [CLS] first, padded: the answers of question 0, then of question 1, and so on.
            answer_counts: (B,) int64, answers per question; their sum is A.
            answer_weights: (A,), weight of each answer (how many people gave it, say).

        Raises:
            ShapeError: counts that do not add up.
        """
        if int(answer_counts.sum()) != len(answer_ids) or len(answer_weights) != len(answer_ids):
            raise ShapeError(
                f"{len(answer_ids)} answers came with {len(answer_weights)} weights and counts that sum to "
                f"{int(answer_counts.sum())}; the three must agree"
            )
        states = self.read_question(vision, question_ids).repeat_interleave(answer_counts, 0)
        states_mask = token_mask(question_ids, self.config.text).repeat_interleave(answer_counts, 0)
        losses = self._answer_losses(answer_ids, states, states_mask)
        return (answer_weights * losses).sum() / len(vision)

    @torch.no_grad()
    def generate(self, vision: Tensor, question_ids: Tensor, settings: GenerationConfig | None = None) -> Tensor:
        """Free answers as token ids (B, L): [DEC], the answer, [SEP], padding.

        Padding of the questions is looked at, as in the authors' code; give questions of one length to avoid it.
        """
        states = self.read_question(vision, question_ids)
        ids = torch.full((len(vision), 1), self.config.text.decode_id, device=vision.device)
        return generate_ids(self.text_decoder, ids, states, settings or self.config.generation, self.config.text)

    @torch.no_grad()
    def rank(self, vision: Tensor, question_ids: Tensor, answer_ids: Tensor, top_k: int = 128) -> Ranking:
        """Chooses from a list of answers: the `top_k` whose first word is likeliest are scored whole.

        Args:
            vision, question_ids: as `forward`.
            answer_ids: (C, M) int64 of the list, [CLS] or [DEC] first, padded.
            top_k: at most C.

        Raises:
            ShapeError: `top_k` is not from 1 to C, or an answer has no token.
        """
        if not 1 <= top_k <= len(answer_ids):
            raise ShapeError(f"top_k must be from 1 to the {len(answer_ids)} answers, got {top_k}")
        if answer_ids.ndim != 2 or answer_ids.shape[1] < 2:
            raise ShapeError(f"answers must be (C, M) with at least two tokens, got {tuple(answer_ids.shape)}")
        mask = token_mask(question_ids, self.config.text)
        states = self.read_question(vision, question_ids)
        start = torch.full((len(vision), 1), self.config.text.decode_id, device=vision.device)
        first = decode_logits(self.text_decoder, start, torch.ones_like(start), states, mask)[:, 0]  # (B, V)
        candidates = first.softmax(1)[:, answer_ids[:, 1]].topk(top_k, 1).indices  # (B, k)
        losses = self._answer_losses(
            answer_ids[candidates.flatten()], states.repeat_interleave(top_k, 0), mask.repeat_interleave(top_k, 0)
        )
        scores = -losses.view(len(vision), top_k)
        best = candidates.gather(1, scores.argmax(1, keepdim=True))[:, 0]
        return Ranking(best, candidates, scores, first)

    def _answer_losses(self, answer_ids: Tensor, states: Tensor, states_mask: Tensor) -> Tensor:
        """(A,) token-sum losses of answers (A, M), each looking at its question states (A, L, D)."""
        mask = token_mask(answer_ids, self.config.text)
        ids = with_first(answer_ids, self.config.text.decode_id)
        labels = ids.masked_fill(ids == self.config.text.pad_id, IGNORED_LABEL)
        logits = decode_logits(self.text_decoder, ids, mask, states, states_mask)
        return token_losses(logits, labels, self.config.label_smoothing).sum(1)
