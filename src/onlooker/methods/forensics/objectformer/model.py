"""ObjectFormer as the paper describes it: is this picture manipulated, and where?

Wang et al., "ObjectFormer for Image Manipulation Detection and Localization", CVPR 2022, 2203.14681. Patches of the
picture and of its high frequencies are read by a few learned prototypes of objects; patches read the prototypes in
turn, and what does not fit its surroundings stands out. Official code: wdrink/Objectformer, without a licence; it holds
another network (`released.py`), so that for this one neither code nor weights are public.

What the paper leaves open is ours: how wide and how fine tokens are (`PaperConfig` marks it), positions (sines of row
and column, the same in both streams), normalisation before each part, and the widths of the mask head. Borders do not
count as incoherent.
"""

from __future__ import annotations

import math
from itertools import pairwise

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from onlooker.errors import ConfigError
from onlooker.methods.forensics.objectformer.attention import FeedForward, ObjectEncoder, PrenormAttention
from onlooker.methods.forensics.objectformer.config import ObjectFormerConfig, PaperConfig
from onlooker.methods.forensics.objectformer.frequency import high_pass
from onlooker.methods.forensics.objectformer.incoherence import coherence
from onlooker.methods.forensics.objectformer.output import ObjectFormerOutput, check_image
from onlooker.methods.forensics.objectformer.released import ObjectFormerReleased
from onlooker.weights.saving import SavedNetwork

_INIT_STD = 0.02  # ours, as the release
_LONGEST_WAVE = 10_000.0  # of sinusoidal positions, as everywhere
_NARROWEST = 16  # ours: channels where maps are largest
_TRUNK = "tf_efficientnet_b4"
# Index of timm's stage and of the first block that comes after it, per stride.
_TRUNK_ENDS = {4: (1, 2), 8: (2, 3), 16: (3, 5)}


class ObjectFormer(SavedNetwork):
    """Judge of pictures: the paper's network.

    Args:
        config: with `paper`.

    Raises:
        ConfigError: it describes the released network.
    """

    def __init__(self, config: ObjectFormerConfig) -> None:
        super().__init__()
        if config.paper is None:
            raise ConfigError("`ObjectFormer` needs `paper`; `ObjectFormerReleased` is the network of the checkpoints")
        self.config: ObjectFormerConfig = config
        sizes = config.paper
        self.sizes = sizes
        embedding = TrunkEmbedding if sizes.embedding == "efficientnet_b4" else StemEmbedding
        self.embeddings = nn.ModuleList(embedding(sizes) for _ in range(sizes.streams))
        self.prototypes: nn.Parameter | None = None
        if sizes.prototypes is not None:
            self.prototypes = nn.Parameter(torch.randn(1, sizes.prototypes, sizes.channels) * _INIT_STD)
        self.layers = nn.ModuleList(Layer(sizes) for _ in range(sizes.layers))
        width = sizes.streams * sizes.channels
        self.classifier = nn.Linear(width, 1)
        self.mask_head = MaskHead(width, sizes)

    def forward(self, image: Tensor) -> ObjectFormerOutput:
        """Judges pictures.

        Args:
            image: (B, 3, H, W) floats, normalised by ImageNet's mean and standard deviation.

        Raises:
            ShapeError: not such pictures, smaller than `config.smallest_side`, or with NaN.
        """
        tokens, size, prototypes = self._embed(image)
        for layer in self.layers:
            tokens, prototypes = layer(tokens, prototypes, size)
        features = tokens_to_map(tokens, size)  # (B, streams * C, h, w)
        image_logit = self.classifier(features.mean(dim=(2, 3))).squeeze(-1)  # (B,)
        return ObjectFormerOutput(image_logit, self.mask_head(features, (image.shape[2], image.shape[3])))

    @torch.no_grad()
    def prototype_maps(self, image: Tensor) -> Tensor:
        """Which prototype every place of the picture listens to in the last layer, for explanations.

        Args:
            image: as `forward`.

        Returns:
            (B, N, h, w) mean over heads, of the picture's own stream; the N values of a place sum to 1.

        Raises:
            ConfigError: the network has no prototypes.
        """
        tokens, size, prototypes = self._embed(image)
        for layer in self.layers[:-1]:
            tokens, prototypes = layer(tokens, prototypes, size)
        # (B, streams * L, N)
        weights: Tensor = self.layers[-1].listened_to(tokens, prototypes)  # type: ignore[operator]
        return torch.unflatten(weights[:, : size[0] * size[1]].transpose(1, 2), 2, size)

    def _embed(self, image: Tensor) -> tuple[Tensor, tuple[int, int], Tensor | None]:
        """Tokens (B, streams * L, C) with positions, the size (h, w) of their map, and prototypes (B, N, C)."""
        check_image(image, self.classifier.weight, self.config)
        streams = [image]
        if self.sizes.second_stream == "high_frequency":
            streams.append(high_pass(image, self.sizes.frequency))
        elif self.sizes.second_stream == "rgb":
            streams.append(image)
        maps = [embed(stream) for embed, stream in zip(self.embeddings, streams, strict=True)]  # (B, C, h, w) each
        size = (maps[0].shape[2], maps[0].shape[3])
        positions = sine_positions(size, self.sizes.channels).to(maps[0])
        tokens = torch.cat([(features + positions).flatten(2).transpose(1, 2) for features in maps], dim=1)
        prototypes = None if self.prototypes is None else self.prototypes.expand(image.shape[0], -1, -1)
        return tokens, size, prototypes


class Layer(nn.Module):
    """Object encoder, patch decoder, incoherence step (section 3.2 and 3.3)."""

    def __init__(self, sizes: PaperConfig) -> None:
        super().__init__()
        self.window = sizes.incoherence_window
        self.encoder: ObjectEncoder | None = None
        self.decoder: PrenormAttention | None = None
        if sizes.prototypes is not None:
            hidden = sizes.prototype_ffn * sizes.channels
            self.encoder = ObjectEncoder(sizes.channels, sizes.heads, sizes.prototypes, hidden)
            self.decoder = PrenormAttention(sizes.channels, sizes.heads)
        self.ffn = FeedForward(sizes.channels, sizes.token_ffn * sizes.channels)

    def forward(self, tokens: Tensor, prototypes: Tensor | None, size: tuple[int, int]) -> tuple[Tensor, Tensor | None]:
        """(B, streams * L, C) and (B, N, C) to the same; L is h * w of `size`."""
        if self.encoder is not None and self.decoder is not None and prototypes is not None:
            prototypes = self.encoder(prototypes, tokens)
            tokens = tokens + self.decoder(tokens, prototypes)
        tokens = tokens + self.ffn(tokens)
        if self.window is not None:
            features = tokens_to_map(tokens, size)  # (B, streams * C, h, w): streams stay apart, side by side
            tokens = map_to_tokens(features * coherence(features, self.window), tokens.shape[-1])
        return tokens, prototypes

    def listened_to(self, tokens: Tensor, prototypes: Tensor | None) -> Tensor:
        """(B, streams * L, N) what the decoder weighs prototypes with, mean over heads.

        Raises:
            ConfigError: there are no prototypes.
        """
        if self.encoder is None or self.decoder is None or prototypes is None:
            raise ConfigError("a network without prototypes has no maps of them; build it with `prototypes`")
        return self.decoder.weights(tokens, self.encoder(prototypes, tokens)).mean(dim=1)


class TrunkEmbedding(nn.Module):
    """The first stages of EfficientNet-B4 and a projection; (B, 3, H, W) to (B, C, h, w)."""

    def __init__(self, sizes: PaperConfig) -> None:
        super().__init__()
        stage, blocks = _TRUNK_ENDS[sizes.stride]
        self.trunk = timm.create_model(_TRUNK, pretrained=False, features_only=True, out_indices=(stage,))
        self.trunk.blocks = self.trunk.blocks[:blocks]  # later ones are not asked for
        self.project = nn.Conv2d(self.trunk.feature_info.channels()[0], sizes.channels, 1)

    def forward(self, image: Tensor) -> Tensor:
        projected: Tensor = self.project(self.trunk(image)[0])
        return projected


class StemEmbedding(nn.Module):
    """Four small convolutions, the first of them at full resolution where traces are; (B, 3, H, W) to (B, C, h, w)."""

    def __init__(self, sizes: PaperConfig) -> None:
        super().__init__()
        widths = (3, _NARROWEST, sizes.channels // 2, sizes.channels)
        strides = (1, 2, 2)
        layers: list[nn.Module] = []
        for before, after, stride in zip(widths[:-1], widths[1:], strides, strict=True):
            layers += [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.GELU()]
        self.convolutions = nn.Sequential(*layers, nn.Conv2d(widths[-1], sizes.channels, 1))

    def forward(self, image: Tensor) -> Tensor:
        embedded: Tensor = self.convolutions(image)
        return embedded


class MaskHead(nn.Module):
    """Convolutions, the map doubled before each but the first, until half the picture's size; logits are doubled once
    more, as a convolution at full size would cost as much as all others together (ours)."""

    def __init__(self, width: int, sizes: PaperConfig) -> None:
        super().__init__()
        self.inner = nn.Conv2d(width, sizes.channels, 3, padding=1)
        widths = [sizes.channels]
        for _ in range(int(math.log2(sizes.stride)) - 1):
            widths.append(max(widths[-1] // 2, _NARROWEST))
        self.steps = nn.ModuleList(nn.Conv2d(before, after, 3, padding=1) for before, after in pairwise(widths))
        self.out = nn.Conv2d(widths[-1], 1, 3, padding=1)

    def forward(self, features: Tensor, size: tuple[int, int]) -> Tensor:
        """(B, streams * C, h, w) to logits (B, 1, H, W)."""
        found = functional.gelu(self.inner(features))
        for step in self.steps:
            found = functional.gelu(step(_twice(found)))
        logits = _twice(self.out(found))
        # Where the size is no multiple of the stride, the map reaches over the right and lower edge by part of a token.
        return logits[:, :, : size[0], : size[1]]


def _twice(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)


def tokens_to_map(tokens: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, streams * L, C), stream after stream, to (B, streams * C, h, w), stream after stream."""
    return torch.unflatten(tokens, 1, (-1, *size)).permute(0, 1, 4, 2, 3).flatten(1, 2)


def map_to_tokens(features: Tensor, channels: int) -> Tensor:
    """(B, streams * C, h, w) back to (B, streams * L, C)."""
    return torch.unflatten(features, 1, (-1, channels)).permute(0, 1, 3, 4, 2).flatten(1, 3)


def sine_positions(size: tuple[int, int], channels: int) -> Tensor:
    """(C, h, w): sines and cosines of the row in the first half of channels, of the column in the second."""
    quarter = channels // 4
    waves = _LONGEST_WAVE ** (-torch.arange(quarter, dtype=torch.float32) / quarter)
    rows = torch.arange(size[0], dtype=torch.float32)[:, None] * waves  # (h, C / 4)
    columns = torch.arange(size[1], dtype=torch.float32)[:, None] * waves
    down = torch.cat([rows.sin(), rows.cos()], dim=1).T[:, :, None].expand(-1, -1, size[1])
    across = torch.cat([columns.sin(), columns.cos()], dim=1).T[:, None, :].expand(-1, size[0], -1)
    return torch.cat([down, across])


def build_network(config: ObjectFormerConfig) -> ObjectFormer | ObjectFormerReleased:
    """The network that a configuration describes, with random weights."""
    return ObjectFormer(config) if config.released is None else ObjectFormerReleased(config)
