"""The picture side: patches through a transformer to tokens, and the pooling that makes one vector of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.encoders.perception_encoder.blocks import NORM_EPS, Block, Mlp
from onlooker.methods.encoders.perception_encoder.config import VisionConfig
from onlooker.methods.encoders.perception_encoder.rope import TurnTable
from onlooker.nn.inputs import check_pixels

_POOL_MLP_RATIO = 4  # as in the official code, whatever the trunk's ratio is


class VisionTower(nn.Module):
    """Pictures to tokens, and to one vector where the configuration has a pooling.

    Pictures may have any size that is a multiple of the patch size; the position table is then resized bilinearly
    without antialias and rotary positions simply go on counting.
    """

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.config = config
        width, std = config.width, config.width**-0.5
        self.patch_embed = nn.Conv2d(3, width, config.patch_size, stride=config.patch_size, bias=False)
        self.class_token = nn.Parameter(torch.randn(width) * std) if config.class_token else None
        n_tokens = config.grid**2 + int(config.class_token)
        self.positions = nn.Parameter(torch.randn(n_tokens, width) * std) if config.absolute_positions else None
        self.ln_pre = nn.LayerNorm(width, eps=NORM_EPS)
        self.blocks = nn.ModuleList(
            Block(width, config.heads, config.mlp_hidden, config.layer_scale, config.drop_path)
            for _ in range(config.depth)
        )
        self.ln_post = nn.LayerNorm(width, eps=NORM_EPS) if config.final_norm else None
        self.pool = AttentionPool(width, config.pool_heads) if config.pool == "attention" else None
        self.proj = nn.Parameter(torch.randn(width, config.embed_dim) * std) if config.embed_dim is not None else None
        self._turn_table = TurnTable(config.head_dim, config.class_token) if config.rope else None

    def forward(self, images: Tensor, masked: Tensor | None = None, mask_value: Tensor | None = None) -> Tensor:
        """One vector per picture, (B, D), not normalised; without pooling the tokens, as `features`.

        Arguments and errors as in `embed`.
        """
        x = self._run(self.embed(images, masked, mask_value), images, [self.config.depth - 1])[-1]
        return self.pooled(x if self.ln_post is None else self.ln_post(x))

    def pooled(self, tokens: Tensor) -> Tensor:
        """Tokens (B, N, width), after the last norm, to vectors (B, D); as they came where there is no pooling."""
        if self.pool is None:
            return tokens
        vectors: Tensor = self.pool(tokens)[:, 0]  # (B, width)
        return vectors if self.proj is None else vectors @ self.proj

    def features(
        self,
        images: Tensor,
        layers: Sequence[int],
        norm: bool = False,
        strip_class_token: bool = False,
        masked: Tensor | None = None,
        mask_value: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """Tokens after each of the blocks asked for; blocks after the last of them are not run.

        Args:
            images: (B, 3, H, W), as in `embed`.
            layers: block numbers from 0, or from the end with -1 for the last.
            norm: pass each through the final norm (core models). It was trained for the last block only.
            strip_class_token: leave out the token before the patches, where there is one.
            masked, mask_value: as in `embed`.

        Returns:
            One (B, N, width) for each of `layers`, in their order; N = h*w patches row by row, after the class token.

        Raises:
            ShapeError: as in `embed`.
            ConfigError: no such block, or `norm` without a final norm.
        """
        if norm and self.ln_post is None:
            raise ConfigError("this configuration has no final norm; ask for features with `norm=False`")
        wanted = [self.block_number(layer) for layer in layers]
        found = self._run(self.embed(images, masked, mask_value), images, wanted)
        first = 1 if strip_class_token and self.class_token is not None else 0
        ends = found if not norm or self.ln_post is None else [self.ln_post(x) for x in found]
        return tuple(x[:, first:] for x in ends)

    def block_number(self, layer: int) -> int:
        """`layer` counted from 0; raises ConfigError where there is no such block."""
        depth = self.config.depth
        if not -depth <= layer < depth:
            raise ConfigError(f"there are {depth} blocks: a layer is between {-depth} and {depth - 1}, got {layer}")
        return layer % depth

    def embed(self, images: Tensor, masked: Tensor | None = None, mask_value: Tensor | None = None) -> Tensor:
        """What enters the first block.

        Args:
            images: (B, 3, H, W) float in [-1, 1], H and W multiples of the patch size.
            masked: (B, h*w) bool, True where a patch is hidden from the network (mask regularisation).
            mask_value: (width,) put in place of hidden patches before positions are added; zeros if left out.

        Returns:
            (B, N, width).

        Raises:
            ShapeError: wrong rank, channels, size or dtype of an argument.
        """
        check_pixels(images, self.patch_embed.weight, "a batch of pictures")
        height, width = self._grid_of(images)
        x = self.patch_embed(images).flatten(2).transpose(1, 2)  # (B, h*w, width)
        if masked is not None:
            if masked.shape != x.shape[:2] or masked.dtype != torch.bool:
                raise ShapeError(
                    f"`masked` must be bool of shape {tuple(x.shape[:2])}, got {masked.dtype} {tuple(masked.shape)}"
                )
            x = torch.where(masked[..., None], x.new_zeros(()) if mask_value is None else mask_value.to(x.dtype), x)
        if self.class_token is not None:
            x = torch.cat([self.class_token.to(x.dtype).expand(x.shape[0], 1, -1), x], dim=1)
        if self.positions is not None:
            x = x + self._positions_for(height, width).to(x.dtype)
        out: Tensor = self.ln_pre(x)
        return out

    def _run(self, x: Tensor, images: Tensor, wanted: Sequence[int]) -> list[Tensor]:
        """States after each of the `wanted` blocks, in that order."""
        height, width = self._grid_of(images)
        turns = None if self._turn_table is None else self._turn_table.turns(height, width, x.device)
        last = max(wanted, default=-1)
        kept: dict[int, Tensor] = {}
        for number, block in enumerate(self.blocks):
            if number > last:
                break
            x = block(x, turns)
            if number in wanted:
                kept[number] = x
        return [kept[number] for number in wanted]

    def _positions_for(self, height: int, width: int) -> Tensor:
        """(N, width) rows of the position table, resized where the grid is not the native one."""
        assert self.positions is not None
        grid, first = self.config.grid, int(self.config.class_token)
        if (height, width) == (grid, grid):
            return self.positions
        table = self.positions[first:].T.reshape(1, -1, grid, grid)  # (1, width, g, g)
        table = F.interpolate(table, (height, width), mode="bilinear", align_corners=False)
        return torch.cat([self.positions[:first], table.flatten(2)[0].T])

    def _grid_of(self, images: Tensor) -> tuple[int, int]:
        patch = self.config.patch_size
        if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
            raise ShapeError(
                f"pictures are float (B, 3, H, W) in [-1, 1], got {images.dtype} {tuple(images.shape)}; "
                "repeat the channel of a grey picture three times"
            )
        height, width = int(images.shape[2]), int(images.shape[3])
        if not height or not width or height % patch or width % patch:
            raise ShapeError(
                f"height and width must be multiples of {patch}, got {height}x{width}: resize or pad first"
            )
        return height // patch, width // patch


class AttentionPool(nn.Module):
    """One learned query looks at all tokens, the class token included; then an MLP with a residual of its own.

    The query is the same for every picture, so keys and values of the tokens need not be made: the key matrix is
    folded into the query, and the value matrix is applied after the tokens are mixed. Same result in exact arithmetic
    (the key bias shifts all scores of a head alike and drops out of the softmax), for heads / width of the work.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.probe = nn.Parameter(torch.randn(1, 1, width))
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.mlp = Mlp(width, _POOL_MLP_RATIO * width)
        nn.init.xavier_uniform_(self.qkv.weight)
        nn.init.zeros_(self.qkv.bias)
        nn.init.zeros_(self.proj.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, width) to (B, 1, width)."""
        width = x.shape[-1]
        query_weight, key_weight, value_weight = self.qkv.weight.chunk(3)
        query_bias, _, value_bias = self.qkv.bias.chunk(3)
        q = F.linear(self.probe[0], query_weight, query_bias).view(self.heads, 1, -1)  # (heads, 1, D)
        folded = (q * (width // self.heads) ** -0.5) @ key_weight.view(self.heads, -1, width)  # (heads, 1, width)
        weights = (x @ folded[:, 0].T.to(x.dtype)).softmax(dim=1)  # (B, N, heads)
        mixed = (weights.transpose(1, 2) @ x).transpose(0, 1)  # (heads, B, width)
        values = mixed @ value_weight.view(self.heads, -1, width).transpose(1, 2).to(x.dtype)  # (heads, B, D)
        joined = values.permute(1, 0, 2).flatten(1) + value_bias  # (B, width)
        out: Tensor = self.proj(joined)[:, None]  # (B, 1, width)
        pooled: Tensor = out + self.mlp(self.norm(out))
        return pooled
