"""The transformer block both sides share: LayerNorm, attention, LayerNorm, MLP, each branch added to its input."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import Parameter
from torchvision.ops import stochastic_depth

from onlooker.methods.encoders.perception_encoder.rope import rotate

NORM_EPS = 1e-5


class Attention(nn.Module):
    """Self-attention with queries, keys and values from one matrix, as the official weights keep them."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.qkv.weight)
        nn.init.zeros_(self.qkv.bias)
        nn.init.zeros_(self.proj.bias)

    def forward(self, x: Tensor, turns: Tensor | None = None, causal: bool = False) -> Tensor:
        """(B, N, width) to the same.

        Args:
            turns: (N, 1, 1, head_dim / 2) complex rotations of queries and keys.
            causal: a token sees itself and those before it.
        """
        qkv = self.qkv(x).unflatten(-1, (3, self.heads, -1))  # (B, N, 3, heads, D)
        if turns is None:
            q, k, v = qkv.unbind(2)
        else:
            q, k = rotate(qkv[:, :, :2], turns).unbind(2)  # (B, N, heads, D)
            v = qkv[:, :, 2]
        mixed = F.scaled_dot_product_attention(
            q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), is_causal=causal
        )
        projected: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))  # (B, N, width)
        return projected


class Mlp(nn.Module):
    """Two layers with the exact GELU between."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return out


class Block(nn.Module):
    """x + g1 * attention(norm(x)), then x + g2 * mlp(norm(x)); the gains g only with `layer_scale`.

    Args:
        width, heads, mlp_hidden: sizes.
        layer_scale: initial gain of each branch, or `None` for no gains.
        drop_path: probability that a branch of a sample is left out in training.
    """

    def __init__(
        self, width: int, heads: int, mlp_hidden: int, layer_scale: float | None = None, drop_path: float = 0.0
    ) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, eps=NORM_EPS)
        self.attn = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width, eps=NORM_EPS)
        self.mlp = Mlp(width, mlp_hidden)
        self.gain_1 = _gain(width, layer_scale)
        self.gain_2 = _gain(width, layer_scale)
        self.drop_path = drop_path

    def forward(self, x: Tensor, turns: Tensor | None = None, causal: bool = False) -> Tensor:
        """(B, N, width) to the same; arguments as in `Attention`."""
        x = x + self._branch(self.attn(self.ln_1(x), turns, causal), self.gain_1)
        return x + self._branch(self.mlp(self.ln_2(x)), self.gain_2)

    def _branch(self, out: Tensor, gain: Parameter | None) -> Tensor:
        out = out if gain is None else out * gain
        if self.training and self.drop_path:
            dropped: Tensor = stochastic_depth(out, self.drop_path, "row", training=True)
            return dropped
        return out


def _gain(width: int, value: float | None) -> Parameter | None:
    if value is None:
        return None
    gain = Parameter(torch.empty(width))
    nn.init.constant_(gain, value)
    return gain
