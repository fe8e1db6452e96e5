"""The visual encoder: one transformer for images and clips, told apart by the rank of the input alone.

A clip differs from an image by its tokeniser (3D instead of 2D patches), by more than one time slot, and by temporal
attention in front of the spatial one (divided space-time attention, Bertasius et al. 2021, arXiv 2102.05095). All
spatial weights are shared, so images teach the encoder of clips.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import StochasticDepth

from onlooker.errors import ShapeError
from onlooker.methods.encoders.omnivl.config import VisualConfig
from onlooker.nn.inputs import check_pixels

_EPSILON = 1e-6
_INIT_STD = 0.02


class VisualEncoder(nn.Module):
    """Tokens of images or clips.

    Args:
        config: sizes.
    """

    def __init__(self, config: VisualConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + config.grid**2, width))
        self.time_embed = (
            nn.Parameter(torch.zeros(1, config.slots, width)) if config.backbone == "timesformer" else None
        )
        self.patch_embed = ImagePatches(config)
        self.patch_embed_3d = ClipPatches(config) if config.takes_clips else None
        rates = torch.linspace(0, config.drop_path, config.depth, device="cpu").tolist()
        self.blocks = nn.ModuleList(Block(config, rate) for rate in rates)
        self.norm = nn.LayerNorm(width, eps=_EPSILON)
        nn.init.trunc_normal_(self.cls_token, std=_INIT_STD)
        nn.init.trunc_normal_(self.pos_embed, std=_INIT_STD)
        self.apply(_init_linear)

    def forward(self, vision: Tensor) -> Tensor:
        """Tokens after the final norm.

        Args:
            vision: normalised pixels, (B, 3, H, W) or (B, 3, T, H, W); H and W multiples of the patch size, T at
                least `time_stride` (frames that do not fill a slot at the end are dropped).

        Returns:
            (B, 1 + N * S, D): the class token, then the patches, the S slots of each beside each other; S is 1 for
            images.

        Raises:
            ShapeError: another rank, size or dtype, NaN, or a clip for a configuration without a tokeniser of clips.
        """
        patches, grid = self.tokenise(vision)  # (B, N, S, D)
        batch, n_patches, slots, width = patches.shape
        positions = resize_positions(self.pos_embed, grid, "nearest")
        patches = patches + positions[:, 1:, None]
        if self.time_embed is not None:  # images get slot 0
            patches = patches + resize_times(self.time_embed, slots, "nearest")[:, None]
        class_token = (self.cls_token + positions[:, :1]).expand(batch, -1, -1)  # (B, 1, D)
        x = torch.cat([class_token, patches.reshape(batch, n_patches * slots, width)], 1)
        for block in self.blocks:
            x = block(x, slots)
        tokens: Tensor = self.norm(x)
        return tokens

    def tokenise(self, vision: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """Patches (B, N, S, D) and their grid (rows, columns); arguments and errors as `forward`."""
        check_pixels(vision, self.pos_embed, "vision")
        check_vision(vision, self.config)
        size = self.config.patch_size
        grid = (vision.shape[-2] // size, vision.shape[-1] // size)
        if vision.ndim == 4:
            return self.patch_embed(vision).unsqueeze(2), grid
        assert self.patch_embed_3d is not None  # checked above
        return self.patch_embed_3d(vision), grid

    def pool(self, tokens: Tensor) -> Tensor:
        """(B, D), what stands for the whole in the contrastive loss."""
        return tokens[:, 0] if self.config.pool == "class" else tokens.mean(1)


def check_vision(vision: Tensor, config: VisualConfig) -> None:
    """Raises ShapeError unless `vision` can pass the encoder."""
    if vision.ndim not in (4, 5) or vision.shape[1] != 3:
        raise ShapeError(f"vision must be (B, 3, H, W) or (B, 3, T, H, W), got {tuple(vision.shape)}")
    if min(vision.shape[-2:]) < config.patch_size or any(side % config.patch_size for side in vision.shape[-2:]):
        raise ShapeError(
            f"height and width must be multiples of the patch size {config.patch_size}, got "
            f"{vision.shape[-2]} x {vision.shape[-1]}; resize first"
        )
    if vision.ndim == 5 and not config.takes_clips:
        raise ShapeError(
            f"a clip {tuple(vision.shape)} came, but this configuration (`{config.backbone}`, "
            f"num_frames={config.num_frames}) has no tokeniser for clips; give images (B, 3, H, W)"
        )
    if vision.ndim == 5 and vision.shape[2] < config.time_stride:
        raise ShapeError(f"a clip needs at least {config.time_stride} frames (one time slot), got {vision.shape[2]}")


class ImagePatches(nn.Module):
    """(B, 3, H, W) to (B, N, D)."""

    def __init__(self, config: VisualConfig) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, config.width, config.patch_size, config.patch_size)

    def forward(self, image: Tensor) -> Tensor:
        tokens: Tensor = self.proj(image)  # (B, D, h, w)
        return tokens.flatten(2).transpose(1, 2)


class ClipPatches(nn.Module):
    """(B, 3, T, H, W) to (B, N, S, D); frames that do not fill a slot are dropped."""

    def __init__(self, config: VisualConfig) -> None:
        super().__init__()
        kernel = (config.time_stride, config.patch_size, config.patch_size)
        self.proj = nn.Conv3d(3, config.width, kernel, kernel)

    def forward(self, clip: Tensor) -> Tensor:
        tokens: Tensor = self.proj(clip)  # (B, D, S, h, w)
        return tokens.flatten(3).permute(0, 3, 2, 1)


class Attention(nn.Module):
    """Multi-head self-attention with one projection for queries, keys and values."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, D) to (B, L, D)."""
        batch, length, width = x.shape
        qkv = self.qkv(x).reshape(batch, length, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (B, heads, L, D / heads)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        attended: Tensor = self.proj(mixed.transpose(1, 2).reshape(batch, length, width))
        return attended


class Mlp(nn.Module):
    """Two layers with GELU between."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """(..., D) to (..., D)."""
        result: Tensor = self.fc2(functional.gelu(self.fc1(x)))
        return result


class Block(nn.Module):
    """Pre-norm transformer block; with more than one slot, temporal attention goes first.

    Args:
        config: sizes.
        drop_path: probability that a residual branch is dropped, per row of its batch.
    """

    def __init__(self, config: VisualConfig, drop_path: float) -> None:
        super().__init__()
        width = config.width
        self.norm1 = nn.LayerNorm(width, eps=_EPSILON)
        self.attn = Attention(width, config.heads)
        self.norm2 = nn.LayerNorm(width, eps=_EPSILON)
        self.mlp = Mlp(width, int(width * config.mlp_ratio))
        self.drop_path = StochasticDepth(drop_path, "row")
        if config.backbone == "timesformer":
            self.temporal_norm1 = nn.LayerNorm(width, eps=_EPSILON)
            self.temporal_attn = Attention(width, config.heads)
            self.temporal_fc = nn.Linear(width, width)

    def forward(self, x: Tensor, slots: int) -> Tensor:
        """(B, 1 + N * S, D) to the same."""
        x = x + self.drop_path(self.attn(self.norm1(x))) if slots == 1 else self._divided(x, slots)
        result: Tensor = x + self.drop_path(self.mlp(self.norm2(x)))
        return result

    def _divided(self, x: Tensor, slots: int) -> Tensor:
        """Attention over the slots of every patch, then over the patches of every slot."""
        batch, length, width = x.shape
        n_patches = (length - 1) // slots
        class_token = x[:, :1]  # (B, 1, D)
        patches = x[:, 1:].reshape(batch * n_patches, slots, width)
        # Drop path sits in front of the last projection, whose bias therefore always stays.
        patches = patches + self.temporal_fc(self.drop_path(self.temporal_attn(self.temporal_norm1(patches))))
        by_slot = patches.view(batch, n_patches, slots, width).transpose(1, 2)  # (B, S, N, D)
        rows = torch.cat([class_token[:, None].expand(-1, slots, -1, -1), by_slot], 2)  # (B, S, 1 + N, D)
        update = self.drop_path(self.attn(self.norm1(rows.flatten(0, 1)))).view(batch, slots, 1 + n_patches, width)
        # The class token takes the mean over slots of its updates, on top of what entered the block.
        class_token = class_token + update[:, :, 0].mean(1, keepdim=True)
        patches = (by_slot + update[:, :, 1:]).transpose(1, 2)  # (B, N, S, D)
        return torch.cat([class_token, patches.reshape(batch, n_patches * slots, width)], 1)


def resize_positions(table: Tensor, grid: tuple[int, int], mode: str) -> Tensor:
    """A position table for another grid.

    Args:
        table: (1, 1 + n * n, D), the class token first.
        grid: rows and columns that are wanted.
        mode: "nearest" in a forward pass, "bicubic" when weights are loaded (the authors' choice at either place).

    Returns:
        (1, 1 + rows * columns, D).
    """
    side = round((table.shape[1] - 1) ** 0.5)
    if grid == (side, side):
        return table
    squares = table[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)  # (1, D, n, n)
    corners = None if mode == "nearest" else False
    resized = functional.interpolate(squares, grid, mode=mode, align_corners=corners)
    return torch.cat([table[:, :1], resized.flatten(2).transpose(1, 2)], 1)


def resize_times(table: Tensor, slots: int, mode: str) -> Tensor:
    """(1, S, D) to (1, `slots`, D): "nearest" in a forward pass, "linear" when weights are loaded."""
    if table.shape[1] == slots:
        return table
    corners = None if mode == "nearest" else False
    return functional.interpolate(table.transpose(1, 2), slots, mode=mode, align_corners=corners).transpose(1, 2)


def _init_linear(module: nn.Module) -> None:
    """Truncated normal. The temporal projection gets it too: the authors mean to zero it, but this runs last."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=_INIT_STD)
        nn.init.zeros_(module.bias)
