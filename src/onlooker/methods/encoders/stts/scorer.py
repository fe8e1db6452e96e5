"""The small network that says how much a token is worth, from itself and from all others of its row."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from onlooker.errors import ConfigError


class ScoreNetwork(nn.Module):
    """One number per token (official `PredictorLG`).

    Half of the channels stays with the token, the other half is averaged over the row: each token is judged beside the
    rest, not alone.

    Args:
        dim: channels of a token; a multiple of 4.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        if dim < 4 or dim % 4:
            raise ConfigError(f"the score network halves its channels twice; `dim` must be a multiple of 4, got {dim}")
        self.inner = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, dim), nn.GELU())
        self.outer = nn.Sequential(
            nn.Linear(dim, dim // 2), nn.GELU(), nn.Linear(dim // 2, dim // 4), nn.GELU(), nn.Linear(dim // 4, 1)
        )
        # `min_max` takes every shift away: the last bias is there for the official layout and has no gradient but
        # rounding, which Adam would turn into a walk.
        self.outer[-1].bias.requires_grad_(False)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, n, dim) tokens to (B, n) raw scores."""
        own, shared = self.inner(tokens).chunk(2, dim=-1)  # (B, n, dim/2) each
        shared = shared.mean(dim=1, keepdim=True).expand_as(own)
        scores: Tensor = self.outer(torch.cat((own, shared), dim=-1)).squeeze(-1)  # (B, n)
        return scores


def min_max(scores: Tensor) -> Tensor:
    """(B, n) scores stretched to [0, 1] per row, so that one sigma suits every row; equal scores become zeros."""
    # `amin` would share the gradient among ties; the official code gives it to one of them.
    low = scores.min(dim=-1, keepdim=True).values
    high = scores.max(dim=-1, keepdim=True).values
    return (scores - low) / (high - low + 1e-5)
