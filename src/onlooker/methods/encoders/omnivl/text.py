"""The text parts: a BERT with cross-attention in every layer, as transformers' BLIP classes have it.

One set of weights reads text alone (cross-attention skipped) or together with an image ([ENC] first, both directions);
the generation decoder is causal ([DEC] first) and, in pretraining, shares all but its self-attention with it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BlipTextConfig, BlipTextModel
from transformers.models.blip.modeling_blip_text import BlipTextLMHeadModel

from onlooker.errors import ShapeError
from onlooker.methods.encoders.omnivl.config import TextConfig
from onlooker.nn.inputs import check_token_ids

IGNORED_LABEL = -100
"""Labels of this value are left out of the generation loss (torch's convention)."""


def text_encoder(config: TextConfig, vision_width: int) -> nn.Module:
    """A `BlipTextModel` without pooler; `vision_width` is the width of what its cross-attention reads."""
    encoder: nn.Module = BlipTextModel(_library_config(config, vision_width), add_pooling_layer=False)
    _repair_cross_attention(encoder)
    return encoder


def text_decoder(config: TextConfig, vision_width: int) -> nn.Module:
    """A `BlipTextLMHeadModel` whose vocabulary matrix is tied to its word table."""
    decoder: nn.Module = BlipTextLMHeadModel(_library_config(config, vision_width))
    _repair_cross_attention(decoder.get_submodule("bert"))
    predictions = decoder.get_submodule("cls.predictions")
    predictions.get_submodule("decoder").weight = decoder.get_submodule("bert.embeddings.word_embeddings").weight
    predictions.get_submodule("decoder").bias = predictions.bias
    return decoder


def share_with_encoder(decoder: nn.Module, encoder: nn.Module) -> None:
    """Makes the decoder use the encoder's embeddings, cross-attention and feed-forward parts, in place."""
    bert = decoder.get_submodule("bert")
    bert.embeddings = encoder.get_submodule("embeddings")
    decoder.get_submodule("cls.predictions.decoder").weight = encoder.get_submodule("embeddings.word_embeddings").weight
    pairs = zip(_layers(bert), _layers(encoder), strict=True)
    for own, shared in pairs:
        own.crossattention = shared.crossattention
        own.intermediate = shared.intermediate
        own.output = shared.output


def encode_text(encoder: nn.Module, ids: Tensor, mask: Tensor) -> Tensor:
    """Hidden states (B, L, D) of text alone. `ids` and `mask` are (B, L); the mask is 1 at tokens, 0 at padding."""
    hidden: Tensor = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    return hidden


def encode_text_with(encoder: nn.Module, ids: Tensor, mask: Tensor, vision: Tensor) -> Tensor:
    """Hidden states (B, L, D) of text that looks at visual tokens (B, M, D_v), in both directions."""
    hidden: Tensor = encoder(input_ids=ids, attention_mask=mask, encoder_hidden_states=vision).last_hidden_state
    return hidden


def decode_logits(
    decoder: nn.Module, ids: Tensor, mask: Tensor, states: Tensor, states_mask: Tensor | None = None
) -> Tensor:
    """Next-token logits (B, L, V) of causal text that looks at states (B, M, D_v), where `states_mask` (B, M) is 1."""
    logits: Tensor = decoder(
        input_ids=ids,
        attention_mask=mask,
        encoder_hidden_states=states,
        encoder_attention_mask=states_mask,
        use_cache=False,
    ).logits
    return logits


def token_losses(logits: Tensor, labels: Tensor, label_smoothing: float) -> Tensor:
    """Cross entropy of every next token.

    Args:
        logits: (B, L, V).
        labels: (B, L), the tokens themselves; shifted by one here. `IGNORED_LABEL` counts nothing.
        label_smoothing: weight of the uniform distribution, as torch has it.

    Returns:
        (B, L - 1), 0 at ignored labels.
    """
    shifted = labels[:, 1:]
    losses = functional.cross_entropy(
        logits[:, :-1].flatten(0, 1),
        shifted.flatten(),
        reduction="none",
        ignore_index=IGNORED_LABEL,
        label_smoothing=label_smoothing,
    )
    return losses.view_as(shifted)


def generation_loss(logits: Tensor, labels: Tensor, label_smoothing: float) -> Tensor:
    """Scalar: the mean of `token_losses` over the tokens that count; 0 where none does."""
    n_tokens = (labels[:, 1:] != IGNORED_LABEL).sum().clamp(min=1)
    return token_losses(logits, labels, label_smoothing).sum() / n_tokens


def with_first(ids: Tensor, first: int) -> Tensor:
    """A copy of (B, L) ids whose first token is `first`: [ENC] to read with an image, [DEC] to generate."""
    changed = ids.clone()
    changed[:, 0] = first
    return changed


def token_mask(ids: Tensor, config: TextConfig) -> Tensor:
    """(B, L) int64: 1 at tokens, 0 at padding.

    Raises:
        ShapeError: `ids` is not (B, L) of integers inside the vocabulary and the positions.
    """
    if ids.ndim != 2 or ids.dtype != torch.int64:
        raise ShapeError(f"token ids must be (B, L) int64, got {tuple(ids.shape)} {ids.dtype}")
    if not 1 <= ids.shape[1] <= config.max_positions:
        raise ShapeError(f"texts must have 1 to {config.max_positions} tokens, got {ids.shape[1]}; cut them first")
    check_token_ids(ids, config.vocab_size)
    return (ids != config.pad_id).long()


def _library_config(config: TextConfig, vision_width: int) -> BlipTextConfig:
    return BlipTextConfig(
        vocab_size=config.vocab_size,
        hidden_size=config.width,
        encoder_hidden_size=vision_width,
        intermediate_size=config.ffn,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        max_position_embeddings=config.max_positions,
        layer_norm_eps=config.layer_norm_eps,
        hidden_dropout_prob=config.dropout,
        attention_probs_dropout_prob=config.dropout,
        bos_token_id=config.decode_id,
        eos_token_id=config.sep_id,
        sep_token_id=config.sep_id,
        pad_token_id=config.pad_id,
        hidden_act="gelu",
    )


def _layers(bert: nn.Module) -> nn.ModuleList:
    layers = bert.get_submodule("encoder.layer")
    assert isinstance(layers, nn.ModuleList)
    return layers


def _repair_cross_attention(bert: nn.Module) -> None:
    """The library hands the mask of the other side over under a name its cross-attention does not read (transformers
    4.57 and 5.23), so padding of a question would be looked at; a test would tell if that changed."""
    for layer in _layers(bert):
        layer.get_submodule("crossattention.self").register_forward_pre_hook(_pass_mask_on, with_kwargs=True)


def _pass_mask_on(
    module: nn.Module, args: tuple[object, ...], kwargs: dict[str, object]
) -> tuple[tuple[object, ...], dict[str, object]]:
    return args, {**kwargs, "encoder_attention_mask": kwargs.get("attention_mask")}
