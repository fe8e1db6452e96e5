"""What both networks are made of: attention with separate normalisations, mixing of prototypes, MLPs, object encoders.

Prototypes are a few vectors that read the whole picture; patches read them in turn, so that a layer costs N times L
and never L times L (section 3.2 of the paper; module layout of the release).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class PrenormAttention(nn.Module):
    """Multi-head attention that normalises queries, keys and values each on its own; no bias before the last layer.

    Args:
        channels: C of all inputs and of the output.
        heads: C is a multiple of it.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_q, self.norm_k, self.norm_v = (nn.LayerNorm(channels) for _ in range(3))
        self.to_q, self.to_k, self.to_v = (nn.Linear(channels, channels, bias=False) for _ in range(3))
        self.proj = nn.Linear(channels, channels)

    def forward(self, query: Tensor, memory: Tensor, positions: nn.Module | None = None) -> Tensor:
        """What queries read from a memory, without the residual.

        Args:
            query: (B, Q, C).
            memory: (B, K, C).
            positions: (B, heads, Q, C / heads) projected queries -> what is added to the scores before their scaling.

        Returns:
            (B, Q, C).
        """
        return self.read(query, memory, memory, positions)

    def read(self, query: Tensor, keys: Tensor, values: Tensor, positions: nn.Module | None = None) -> Tensor:
        """The same where keys and values differ, as by an offset; both (B, K, C)."""
        q, k = self._split(self.to_q(self.norm_q(query))), self._split(self.to_k(self.norm_k(keys)))
        v = self._split(self.to_v(self.norm_v(values)))  # (B, heads, K, C / heads)
        bias = None if positions is None else positions(q) * q.shape[-1] ** -0.5
        found = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        joined: Tensor = self.proj(found.transpose(1, 2).flatten(2))  # (B, Q, C)
        return joined

    def weights(self, query: Tensor, memory: Tensor) -> Tensor:
        """(B, heads, Q, K) what `forward` weighs the memory with; rows sum to 1."""
        q, k = self._split(self.to_q(self.norm_q(query))), self._split(self.to_k(self.norm_k(memory)))
        weights: Tensor = (q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5).softmax(dim=-1)
        return weights

    def _split(self, tokens: Tensor) -> Tensor:
        return torch.unflatten(tokens, -1, (self.heads, -1)).transpose(1, 2)


class PrototypeMixing(nn.Module):
    """Prototypes exchange what they found: a learned N x N mixture of the normalised ones, added to them."""

    def __init__(self, prototypes: int, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.linear = nn.Conv1d(prototypes, prototypes, 1, bias=False)

    def forward(self, prototypes: Tensor) -> Tensor:
        """(B, N, C) to the same."""
        mixed: Tensor = prototypes + self.linear(self.norm(prototypes))
        return mixed


class FeedForward(nn.Module):
    """Normalisation and MLP, without the residual."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.fc1 = nn.Linear(channels, hidden)
        self.fc2 = nn.Linear(hidden, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """(..., C) to the same."""
        found: Tensor = self.fc2(functional.gelu(self.fc1(self.norm(tokens))))
        return found


class ObjectEncoder(nn.Module):
    """Prototypes read all patches, mix, and pass an MLP (equations of section 3.2).

    Args:
        channels, heads, prototypes: C, and N of the mixing.
        hidden: of the MLP; `None` leaves it out, as the last encoder of the release does.
        drop: of residual branches in training; left out, none are dropped.
    """

    def __init__(
        self, channels: int, heads: int, prototypes: int, hidden: int | None, drop: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.attention = PrenormAttention(channels, heads)
        self.mixing = PrototypeMixing(prototypes, channels)
        self.ffn = None if hidden is None else FeedForward(channels, hidden)
        self.drop = nn.Identity() if drop is None else drop

    def forward(self, prototypes: Tensor, patches: Tensor, offset: Tensor | None = None) -> Tensor:
        """Prototypes after one look.

        Args:
            prototypes: (B, N, C).
            patches: (B, L, C).
            offset: (1, N, 1, C / heads) added to what every head asks with.

        Returns:
            (B, N, C).
        """
        query = prototypes if offset is None else add_per_head(prototypes, offset)
        prototypes = prototypes + self.drop(self.attention(query, patches))
        prototypes = self.mixing(prototypes)
        return prototypes if self.ffn is None else prototypes + self.drop(self.ffn(prototypes))


def add_per_head(prototypes: Tensor, offset: Tensor) -> Tensor:
    """(B, N, C) plus an offset (1, N, 1, D) that is the same for every D of its C channels."""
    return prototypes + offset.expand(-1, -1, prototypes.shape[-1] // offset.shape[-1], -1).flatten(2)
