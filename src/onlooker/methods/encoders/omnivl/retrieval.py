"""Retrieval in two steps: cosine of the features for all, then the match logit for the best few (as BLIP does it)."""

from __future__ import annotations

import torch
from torch import Tensor

from onlooker.errors import ShapeError
from onlooker.methods.encoders.omnivl.model import OmniVLPretrain

_NOT_RANKED = -100.0  # BLIP's score for what the first step left out


@torch.no_grad()
def rerank_vision(model: OmniVLPretrain, tokens: Tensor, text_ids: Tensor, top_k: int = 256) -> Tensor:
    """Scores of images or clips for texts.

    Args:
        model: in evaluation mode.
        tokens: (V, M, D_v) visual tokens, as `model.visual_encoder` gives them.
        text_ids: (Q, L) queries, [CLS] first, padded.
        top_k: how many per query the match logit judges.

    Returns:
        (Q, V): match logit plus cosine for the `top_k` nearest, -100 for the others.

    Raises:
        ShapeError: `top_k` is not from 1 to V.
    """
    cosine = model.embed_text(text_ids) @ model.project_vision(tokens).T  # (Q, V)
    scores, nearest = _start(cosine, top_k)
    for query, chosen in enumerate(nearest):
        logits = model.match(tokens[chosen], text_ids[query].expand(top_k, -1))[:, 1]
        scores[query, chosen] = logits + cosine[query, chosen]
    return scores


@torch.no_grad()
def rerank_texts(model: OmniVLPretrain, tokens: Tensor, text_ids: Tensor, top_k: int = 256) -> Tensor:
    """Scores (V, Q) of texts for images or clips; otherwise as `rerank_vision`."""
    cosine = model.project_vision(tokens) @ model.embed_text(text_ids).T  # (V, Q)
    scores, nearest = _start(cosine, top_k)
    for item, chosen in enumerate(nearest):
        logits = model.match(tokens[item].expand(top_k, -1, -1), text_ids[chosen])[:, 1]
        scores[item, chosen] = logits + cosine[item, chosen]
    return scores


def _start(cosine: Tensor, top_k: int) -> tuple[Tensor, Tensor]:
    """Empty scores and the (rows, top_k) nearest columns."""
    if not 1 <= top_k <= cosine.shape[1]:
        raise ShapeError(f"top_k must be from 1 to the {cosine.shape[1]} candidates, got {top_k}")
    return torch.full_like(cosine, _NOT_RANKED), cosine.topk(top_k, 1).indices
