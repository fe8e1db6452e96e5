"""One encoder for images and clips, contrasted, matched and described together with text.

OmniVL: One Foundation Model for Image-Language and Video-Language Tasks, NeurIPS 2022, arXiv 2209.07526. Model code of
the authors: github.com/yiwengxie/Chat-Video, folder projects/Omnivl (MIT; parts BSD-3-Clause); no weights are public.
What we do otherwise: the step does not update the momentum copies and the queues by itself (`prepare_step`,
`finish_step`), and a batch of one class goes without the matching loss instead of failing.
"""

from __future__ import annotations

import copy
import logging
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.encoders.omnivl import losses
from onlooker.methods.encoders.omnivl.config import OmniVLConfig
from onlooker.methods.encoders.omnivl.embedding import Towers
from onlooker.methods.encoders.omnivl.losses import HardNegatives, SamplingWeights
from onlooker.methods.encoders.omnivl.queues import KeyQueue, StepKeys
from onlooker.methods.encoders.omnivl.sharing import store_shared_once
from onlooker.methods.encoders.omnivl.text import (
    IGNORED_LABEL,
    decode_logits,
    encode_text_with,
    generation_loss,
    share_with_encoder,
    text_decoder,
    token_mask,
    with_first,
)

_LOG = logging.getLogger(__name__)
_COPIED = ("visual_encoder", "vision_proj", "text_encoder", "text_proj")


class PretrainOutput(NamedTuple):
    """What a pretraining step gives. All losses are scalars.

    Attributes:
        loss_ita: UniVLC.
        loss_itm: matching; 0 without gradient where the batch holds a single class.
        loss_lm: generation; 0 without gradient where the model has no decoder.
        keys: what `finish_step` puts into the queues.
        vision_features, text_features: (B, embed_dim) unit rows.
        match_logits: (3 B, 2): fitting pairs, (wrong image, text), (image, wrong text); `None` for a single class.
        negatives: the hard negatives used; `None` for a single class.
        weights: what they were drawn with.
    """

    loss_ita: Tensor
    loss_itm: Tensor
    loss_lm: Tensor
    keys: StepKeys
    vision_features: Tensor
    text_features: Tensor
    match_logits: Tensor | None
    negatives: HardNegatives | None
    weights: SamplingWeights

    @property
    def loss(self) -> Tensor:
        """The three with weight 1 each."""
        return self.loss_ita + self.loss_itm + self.loss_lm


class OmniVLPretrain(Towers):
    """Both towers with momentum copies, queues, matching head and (head "pretrain") generation decoder.

    Args:
        config: its head must be "pretrain" or "retrieval".
    """

    def __init__(self, config: OmniVLConfig) -> None:
        if config.head not in ("pretrain", "retrieval"):
            raise ConfigError(f"`OmniVLPretrain` has the head `pretrain` or `retrieval`, got `{config.head}`")
        super().__init__(config)
        self.itm_head = nn.Linear(config.text.width, 2)
        self.temp = nn.Parameter(torch.tensor(config.contrast.temperature))
        self.visual_encoder_m = copy.deepcopy(self.visual_encoder)
        self.vision_proj_m = copy.deepcopy(self.vision_proj)
        self.text_encoder_m = copy.deepcopy(self.text_encoder)
        self.text_proj_m = copy.deepcopy(self.text_proj)
        for name in _COPIED:
            self.get_submodule(f"{name}_m").requires_grad_(False)
        labelled = config.contrast.kind == "unified"
        self.image_step_keys = KeyQueue(config.contrast.queue_size, config.embed_dim, labelled)
        self.clip_step_keys = KeyQueue(config.contrast.queue_size, config.embed_dim, labelled)
        self.text_decoder = text_decoder(config.text, config.visual.width) if config.head == "pretrain" else None
        if self.text_decoder is not None and config.share_weights:
            share_with_encoder(self.text_decoder, self.text_encoder)
        store_shared_once(self)

    def forward(
        self,
        vision: Tensor,
        text_ids: Tensor,
        target: Tensor | None = None,
        alpha: float = 0.0,
        negatives: HardNegatives | None = None,
        generator: torch.Generator | None = None,
    ) -> PretrainOutput:
        """Losses of one step of images or of clips. Changes nothing: see `prepare_step` and `finish_step`.

        Args:
            vision: (B, 3, H, W) or (B, 3, T, H, W) normalised pixels.
            text_ids: (B, L) int64, [CLS] first, padded.
            target: (B,) int64 class ids, 0 for captions; `None` is all captions. Ids of sources must not overlap.
            alpha: weight of the momentum copies' soft targets.
            negatives: hard negatives to use; drawn when `None`.
            generator: for the draw, on the CPU.

        Raises:
            ShapeError: sizes that do not fit, or a negative class id.
        """
        if len(vision) != len(text_ids):
            raise ShapeError(f"as many texts as images or clips are needed, got {len(text_ids)} and {len(vision)}")
        if target is not None and target.shape != (len(vision),):
            raise ShapeError(f"`target` holds a class for each of the {len(vision)} items, got {tuple(target.shape)}")
        tokens = self.visual_encoder(vision)  # (B, M, D_v)
        v = self.project_vision(tokens)
        t = self.embed_text(text_ids)
        if target is None or self.config.contrast.kind == "pairs":
            target = torch.zeros(len(vision), dtype=torch.int64, device=vision.device)
        keys = self._momentum_keys(vision, text_ids, target)
        loss_ita, weights = self._contrast(v, t, keys, alpha)
        if negatives is None:
            negatives = losses.draw_negatives(weights, generator)
        match_logits = None
        loss_itm = loss_ita.new_zeros(())
        if negatives is None:
            _LOG.warning("the batch of %d holds a single class: no matching loss in this step", len(vision))
        else:
            match_logits = self._match_all(tokens, text_ids, negatives)
            loss_itm = losses.matching_loss(match_logits)
        loss_lm = loss_ita.new_zeros(()) if self.text_decoder is None else self._generation(tokens, text_ids)
        return PretrainOutput(loss_ita, loss_itm, loss_lm, keys, v, t, match_logits, negatives, weights)

    @torch.no_grad()
    def prepare_step(self) -> None:
        """Before a step: the temperature goes back into [0.001, 0.5], the momentum copies follow, in place."""
        self.temp.clamp_(0.001, 0.5)
        momentum = self.config.contrast.momentum
        for name in _COPIED:
            pairs = zip(
                self.get_submodule(f"{name}_m").parameters(), self.get_submodule(name).parameters(), strict=True
            )
            for kept, online in pairs:
                kept.mul_(momentum).add_(online, alpha=1 - momentum)

    def finish_step(self, output: PretrainOutput) -> None:
        """After a step: its keys enter the queue of images or the one of clips, in place."""
        (self.clip_step_keys if output.keys.is_clip else self.image_step_keys).enqueue(output.keys)

    @torch.no_grad()
    def copy_to_momentum(self) -> None:
        """Makes the momentum copies equal to the online parts, in place; for models started from other weights."""
        for name in _COPIED:
            self.get_submodule(f"{name}_m").load_state_dict(self.get_submodule(name).state_dict())

    def match(self, tokens: Tensor, text_ids: Tensor) -> Tensor:
        """Match logits (B, 2), index 1 for "they fit", of visual tokens (B, M, D_v) and texts (B, L)."""
        mask = token_mask(text_ids, self.config.text)
        ids = with_first(text_ids, self.config.text.encode_id)
        logits: Tensor = self.itm_head(encode_text_with(self.text_encoder, ids, mask, tokens)[:, 0])
        return logits

    def generation_logits(self, tokens: Tensor, text_ids: Tensor) -> Tensor:
        """Next-token logits (B, L, V) of the generation decoder.

        Raises:
            ConfigError: the head "retrieval" has no decoder.
        """
        if self.text_decoder is None:
            raise ConfigError("the head `retrieval` has no generation decoder; use `pretrain` or `caption`")
        ids = with_first(text_ids, self.config.text.decode_id)
        return decode_logits(self.text_decoder, ids, token_mask(text_ids, self.config.text), tokens)

    @torch.no_grad()
    def _momentum_keys(self, vision: Tensor, text_ids: Tensor, target: Tensor) -> StepKeys:
        tokens = self.visual_encoder_m(vision)
        v = functional.normalize(self.vision_proj_m(self.visual_encoder_m.pool(tokens)), dim=-1)
        hidden = self.text_encoder_m(input_ids=text_ids, attention_mask=token_mask(text_ids, self.config.text))
        t = functional.normalize(self.text_proj_m(hidden.last_hidden_state[:, 0]), dim=-1)
        return StepKeys(v, t, target, vision.ndim == 5)

    def _contrast(self, v: Tensor, t: Tensor, keys: StepKeys, alpha: float) -> tuple[Tensor, SamplingWeights]:
        """UniVLC of features (B, D) against the keys of the step and of a queue."""
        config = self.config.contrast
        # Clips, too, meet the keys of image steps unless the flag says otherwise: so it is in the authors' code.
        queue = self.clip_step_keys if keys.is_clip and config.per_modality_queue else self.image_step_keys
        text_keys = torch.cat([keys.text.T, queue.text], 1)  # (D, B + K)
        vision_keys = torch.cat([keys.vision.T, queue.vision], 1)
        same = losses.same_class(keys.ids, queue.class_ids())
        logits_v2t, logits_t2v = v @ text_keys / self.temp, t @ vision_keys / self.temp
        with torch.no_grad():
            normalise = config.normalise_positives
            soft_v2t = losses.univlc_targets(
                same, keys.vision @ text_keys / self.temp, alpha, normalise_positives=normalise
            )
            soft_t2v = losses.univlc_targets(
                same, keys.text @ vision_keys / self.temp, alpha, normalise_positives=normalise
            )
            weights = losses.sampling_weights(logits_v2t, logits_t2v, same)
        loss = (losses.contrast(logits_v2t, soft_v2t) + losses.contrast(logits_t2v, soft_t2v)) / 2
        return loss, weights

    def _match_all(self, tokens: Tensor, text_ids: Tensor, negatives: HardNegatives) -> Tensor:
        """(3 B, 2) logits: fitting pairs, (wrong image, text), (image, wrong text)."""
        all_tokens = torch.cat([tokens, tokens[negatives.image_for_text], tokens])
        all_ids = torch.cat([text_ids, text_ids, text_ids[negatives.text_for_image]])
        return self.match(all_tokens, all_ids)

    def _generation(self, tokens: Tensor, text_ids: Tensor) -> Tensor:
        ids = with_first(text_ids, self.config.text.decode_id)
        labels = ids.masked_fill(ids == self.config.text.pad_id, IGNORED_LABEL)
        return generation_loss(self.generation_logits(tokens, text_ids), labels, self.config.label_smoothing)
