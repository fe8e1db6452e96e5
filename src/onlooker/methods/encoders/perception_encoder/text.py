"""The text side: a causal transformer over token ids, read at the token that ends the text."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from onlooker.errors import ShapeError
from onlooker.methods.encoders.perception_encoder.blocks import NORM_EPS, Block
from onlooker.methods.encoders.perception_encoder.config import TextConfig
from onlooker.nn.inputs import check_token_ids

_TOKEN_STD = 0.02  # as in CLIP
_POSITION_STD = 0.01  # as in CLIP; the official code leaves the table uninitialised, it always loads a checkpoint


class TextTower(nn.Module):
    """Token ids to one vector per text.

    Padding needs no mask: no token sees a later one, and only the state at the first end token is used.
    """

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.token_embedding = nn.Embedding(config.vocabulary, width)
        self.positions = nn.Parameter(torch.randn(config.context_length, width) * _POSITION_STD)
        self.blocks = nn.ModuleList(Block(width, config.heads, config.mlp_hidden) for _ in range(config.depth))
        self.ln_final = nn.LayerNorm(width, eps=NORM_EPS)
        self.proj = nn.Parameter(torch.randn(width, config.embed_dim) * width**-0.5)
        nn.init.normal_(self.token_embedding.weight, std=_TOKEN_STD)

    def forward(self, tokens: Tensor) -> Tensor:
        """One vector per text, not normalised.

        Args:
            tokens: (B, L) int64, L at most the context length. The largest id of a row ends its text.

        Returns:
            (B, D).

        Raises:
            ShapeError: wrong rank or dtype, more tokens than positions, or an id outside the vocabulary.
        """
        if tokens.ndim != 2 or tokens.dtype not in (torch.int64, torch.int32) or tokens.shape[1] < 1:
            raise ShapeError(f"tokens are whole numbers (B, L), got {tokens.dtype} {tuple(tokens.shape)}")
        length = tokens.shape[1]
        if length > self.config.context_length:
            raise ShapeError(f"a text has at most {self.config.context_length} tokens, got {length}: truncate it first")
        check_token_ids(tokens, self.config.vocabulary)
        ends = tokens.argmax(dim=-1)
        if tokens.device.type == "cpu" and len(tokens):  # elsewhere, asking for the length would stall the device
            # Nothing after the end of the longest text is seen by any token that is read.
            length = int(ends.max()) + 1
        x = self.token_embedding(tokens[:, :length]) + self.positions[:length]  # (B, L, width)
        for block in self.blocks:
            x = block(x, causal=True)
        at_end = x[torch.arange(x.shape[0], device=x.device), ends]  # (B, width)
        normed: Tensor = self.ln_final(at_end)
        return normed @ self.proj
