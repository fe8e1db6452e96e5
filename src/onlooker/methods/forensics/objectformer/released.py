"""The network that the released ObjectFormer checkpoints belong to. It is NOT the network of the paper.

Official code: wdrink/Objectformer, which carries no licence; checkpoints for CASIAv2 and IMD20 are on a file server.
That network has one RGB stream, no frequency branch and no incoherence step: it is a part-and-whole transformer of four
stages (64 prototypes, attention inside windows) with a mask head behind each of the first three. Written here from the
description of shapes and order; equality is held by golden tensors (`tests/parity/test_parity_objectformer.py`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from timm.layers import DropPath
from torch import Tensor, nn
from torch.nn import functional

from onlooker.errors import ConfigError
from onlooker.methods.forensics.objectformer.attention import FeedForward, ObjectEncoder, PrenormAttention, add_per_head
from onlooker.methods.forensics.objectformer.config import ObjectFormerConfig, ReleasedConfig
from onlooker.methods.forensics.objectformer.output import ObjectFormerOutput, check_image
from onlooker.weights.saving import SavedNetwork

_INIT_STD = 0.02  # release: all matrices, convolutions, prototypes and offsets
_SLOPE = 0.2  # release: leaky rectifiers of the mask heads


class ObjectFormerReleased(SavedNetwork):
    """Judge of pictures that loads the released checkpoints.

    Args:
        config: with `released`.

    Raises:
        ConfigError: it describes the paper's network.
    """

    def __init__(self, config: ObjectFormerConfig) -> None:
        super().__init__()
        if config.released is None:
            raise ConfigError("`ObjectFormerReleased` needs `released`; `ObjectFormer` is the paper's network")
        self.config: ObjectFormerConfig = config
        sizes = config.released
        self.stem = Stem(sizes.stem_channels)
        self.prototypes = nn.Parameter(torch.zeros(1, sizes.prototypes[0], sizes.stem_channels))
        self.stages = nn.ModuleList(Stage(sizes, number) for number in range(len(sizes.channels)))
        self.mask_heads = nn.ModuleList(MaskHead(channels) for channels in sizes.channels[:-1])
        self.classifier = nn.Linear(sizes.channels[-1], 1)
        self._initialise()

    def forward(self, image: Tensor) -> ObjectFormerOutput:
        """Judges pictures.

        Args:
            image: (B, 3, H, W) floats, normalised by ImageNet's mean and standard deviation.

        Raises:
            ShapeError: not such pictures, smaller than `config.smallest_side`, or with NaN.
        """
        check_image(image, self.stem.conv.weight, self.config)
        features = self.stem(image)
        prototypes = self.prototypes.expand(image.shape[0], -1, -1)
        size, masks = (image.shape[2], image.shape[3]), []
        for number, stage in enumerate(self.stages):
            features, prototypes = stage(features, prototypes)
            if number < len(self.mask_heads):
                masks.append(self.mask_heads[number](features, size))
        # The last stage hands out prototypes (B, N, C) as its features.
        pooled = functional.gelu(features).mean(dim=1)
        return ObjectFormerOutput(self.classifier(pooled).squeeze(-1), torch.cat(masks, dim=1))

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Conv1d, nn.Linear)):
                nn.init.trunc_normal_(module.weight, std=_INIT_STD)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, Stage):
                nn.init.trunc_normal_(module.query_offset, std=_INIT_STD)
                nn.init.trunc_normal_(module.key_offset, std=_INIT_STD)
        nn.init.trunc_normal_(self.prototypes, std=_INIT_STD)


class Stem(nn.Module):
    """(B, 3, H, W) to (B, C, H / 4, W / 4), rounded up."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, image: Tensor) -> Tensor:
        found = functional.gelu(self.norm(self.conv(image)))
        return functional.max_pool2d(found, 3, stride=2, padding=1)


class Windowed(NamedTuple):
    """A map cut into windows: tokens (B, windows, side * side, C), windows down and across, and the size before the
    zeros that were added on the right and below."""

    tokens: Tensor
    grid: tuple[int, int]
    size: tuple[int, int]


class Stage(nn.Module):
    """Patches and prototypes, embedded anew, then blocks.

    Args:
        sizes: of the whole network.
        number: of this stage; the last one ends with one more encoder, whose prototypes are its result.
    """

    def __init__(self, sizes: ReleasedConfig, number: int) -> None:
        super().__init__()
        channels, prototypes = sizes.channels[number], sizes.prototypes[number]
        before = sizes.stem_channels if number == 0 else sizes.channels[number - 1]
        prototypes_before = prototypes if number == 0 else sizes.prototypes[number - 1]
        heads, encoder_heads = sizes.heads[number], sizes.encoder_heads[number]
        self.window = sizes.windows[number]
        self.query_offset = nn.Parameter(torch.zeros(1, prototypes, 1, channels // encoder_heads))
        self.key_offset = nn.Parameter(torch.zeros(1, prototypes, 1, channels // heads))
        self.embed = PatchEmbedding(before, channels, sizes.strides[number])
        self.carry = PrototypeEmbedding(before, channels, prototypes_before, prototypes)
        rates = _drop_rates(sizes)[number]
        self.blocks = nn.ModuleList(Block(sizes, number, rate) for rate in rates)
        last = number == len(sizes.channels) - 1
        self.final_encoder = (
            ObjectEncoder(channels, encoder_heads, prototypes, None, DropPath(rates[-1])) if last else None
        )

    def forward(self, features: Tensor, prototypes: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C', H', W') and (B, N', C') to the map (B, C, H, W) and prototypes (B, N, C) of this stage; of the last
        one, to final prototypes (B, N, C) and those before."""
        windows = cut_windows(self.embed(features), self.window)
        prototypes = self.carry(prototypes)
        tokens = windows.tokens
        for block in self.blocks:
            tokens, prototypes = block(tokens, prototypes, self.query_offset, self.key_offset)
        if self.final_encoder is not None:
            return self.final_encoder(prototypes, tokens.flatten(1, 2), self.query_offset), prototypes
        return join_windows(windows._replace(tokens=tokens), self.window), prototypes


class PatchEmbedding(nn.Module):
    """Depthwise convolution with a stride, projection, normalisation; (B, C', H', W') to (B, H, W, C)."""

    def __init__(self, before: int, channels: int, stride: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(before, before, 3, stride=stride, padding=1, groups=before)
        self.project = nn.Linear(before, channels, bias=False)
        self.norm = nn.LayerNorm(channels)

    def forward(self, features: Tensor) -> Tensor:
        embedded: Tensor = self.norm(self.project(self.depthwise(features).permute(0, 2, 3, 1)))
        return embedded


class PrototypeEmbedding(nn.Module):
    """Prototypes of the stage before, in this stage's channels and, where it changes, number."""

    def __init__(self, before: int, channels: int, prototypes_before: int, prototypes: int) -> None:
        super().__init__()
        same = prototypes_before == prototypes
        self.mix = None if same else nn.Conv1d(prototypes_before, prototypes, 1, bias=False)
        self.project = nn.Linear(before, channels)
        self.norm = nn.LayerNorm(channels)

    def forward(self, prototypes: Tensor) -> Tensor:
        mixed = prototypes if self.mix is None else self.mix(prototypes)
        embedded: Tensor = self.norm(self.project(mixed))
        return embedded


class Block(nn.Module):
    """Prototypes read all patches; patches read the prototypes, then their window."""

    def __init__(self, sizes: ReleasedConfig, number: int, rate: float) -> None:
        super().__init__()
        channels, prototypes = sizes.channels[number], sizes.prototypes[number]
        self.encoder = ObjectEncoder(channels, sizes.encoder_heads[number], prototypes, channels, DropPath(rate))
        self.decoder = WindowDecoder(sizes, number, rate)

    def forward(
        self, tokens: Tensor, prototypes: Tensor, query_offset: Tensor, key_offset: Tensor
    ) -> tuple[Tensor, Tensor]:
        """(B, windows, K, C) and (B, N, C) to the same. Zeros that fill the last windows take part."""
        prototypes = self.encoder(prototypes, tokens.flatten(1, 2), query_offset)
        return self.decoder(tokens, prototypes, key_offset), prototypes


class WindowDecoder(nn.Module):
    """Patches read prototypes, then each other inside a window, an MLP behind each."""

    def __init__(self, sizes: ReleasedConfig, number: int, rate: float) -> None:
        super().__init__()
        channels, heads = sizes.channels[number], sizes.heads[number]
        self.look_up = PrenormAttention(channels, heads)
        self.look_around = PrenormAttention(channels, heads)
        self.positions = WindowPositions(sizes.windows[number], channels // heads)
        self.ffn1 = FeedForward(channels, sizes.ffn * channels)
        self.ffn2 = FeedForward(channels, sizes.ffn * channels)
        self.drop = DropPath(rate)

    def forward(self, tokens: Tensor, prototypes: Tensor, key_offset: Tensor) -> Tensor:
        """(B, windows, K, C), (B, N, C) and (1, N, 1, C / heads) to (B, windows, K, C)."""
        batch, count = tokens.shape[:2]
        patches = tokens.flatten(1, 2)  # (B, windows * K, C)
        keys = add_per_head(prototypes, key_offset)
        patches = patches + self.drop(self.look_up.read(patches, keys, prototypes))
        patches = patches + self.drop(self.ffn1(patches))
        inside = patches.reshape(batch * count, -1, patches.shape[-1])  # (B * windows, K, C)
        inside = inside + self.drop(self.look_around(inside, inside, self.positions))
        inside = inside + self.drop(self.ffn2(inside))
        return torch.unflatten(inside, 0, (batch, count))


class WindowPositions(nn.Module):
    """How far apart rows and columns are, as a score: half of a query meets a table of rows, half one of columns."""

    def __init__(self, window: int, head_channels: int) -> None:
        super().__init__()
        self.window = window
        self.rel_emb_h = nn.Parameter(torch.randn(2 * window - 1, head_channels // 2) * head_channels**-0.5)
        self.rel_emb_w = nn.Parameter(torch.randn(2 * window - 1, head_channels // 2) * head_channels**-0.5)

    def forward(self, query: Tensor) -> Tensor:
        """(B, heads, K, D) to (B, heads, K, K), K being window * window."""
        window = self.window
        places = torch.arange(window, device=query.device)
        apart = places[None, :] - places[:, None] + window - 1  # (query, key)
        by_row, by_column = torch.unflatten(query, 2, (window, window)).chunk(2, dim=-1)  # (B, heads, h, w, D / 2)
        rows = torch.einsum("bghwc,hkc->bghwk", by_row, self.rel_emb_h[apart])
        columns = torch.einsum("bghwc,wkc->bghwk", by_column, self.rel_emb_w[apart])
        scores = rows[..., :, None] + columns[..., None, :]  # (B, heads, h, w, h', w')
        return scores.flatten(4, 5).flatten(2, 3)


class MaskHead(nn.Module):
    """A map, enlarged four times, to a mask of logits in the size of the picture."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = channels // 2
        self.up1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.narrow = nn.Conv2d(channels, narrow, 3, padding=1)
        self.up2 = nn.Conv2d(narrow, narrow, 3, padding=1)
        self.out = nn.Conv2d(narrow, 1, 3, padding=1)

    def forward(self, features: Tensor, size: tuple[int, int]) -> Tensor:
        """(B, C, H', W') to (B, 1, H, W)."""
        found = _leaky(self.narrow(_leaky(self.up1(_twice(features)))))
        found = _leaky(_leaky(self.up2(_twice(found))))  # the release applies it twice here
        return functional.interpolate(self.out(found), size, mode="bilinear", align_corners=True)


def cut_windows(features: Tensor, window: int) -> Windowed:
    """(B, H, W, C), filled up with zeros to whole windows, as windows."""
    height, width = features.shape[1], features.shape[2]
    rows, columns = math.ceil(height / window), math.ceil(width / window)
    padded = functional.pad(features, (0, 0, 0, columns * window - width, 0, rows * window - height))
    tokens = torch.unflatten(
        torch.unflatten(padded, 2, (columns, window)), 1, (rows, window)
    )  # (B, rows, w, columns, w, C)
    tokens = tokens.transpose(2, 3).flatten(3, 4).flatten(1, 2)  # (B, rows * columns, w * w, C)
    return Windowed(tokens, (rows, columns), (height, width))


def join_windows(windows: Windowed, window: int) -> Tensor:
    """The map (B, C, H, W) of windows; what was filled up is cut off again."""
    tokens = torch.unflatten(torch.unflatten(windows.tokens, 2, (window, window)), 1, windows.grid)
    # (B, rows, columns, w, w, C) to (B, C, rows * w, columns * w)
    features = tokens.permute(0, 5, 1, 3, 2, 4).flatten(4, 5).flatten(2, 3)
    return features[:, :, : windows.size[0], : windows.size[1]]


def _drop_rates(sizes: ReleasedConfig) -> list[list[float]]:
    """Per stage and block, from 0 for the first block to `drop_path` for the last."""
    total, done, rates = sum(sizes.blocks), 0, []
    for count in sizes.blocks:
        rates.append([sizes.drop_path * place / max(total - 1, 1) for place in range(done, done + count)])
        done += count
    return rates


def _leaky(features: Tensor) -> Tensor:
    return functional.leaky_relu(features, _SLOPE)


def _twice(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2, mode="bilinear", align_corners=True)
