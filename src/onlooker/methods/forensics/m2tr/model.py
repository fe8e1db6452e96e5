"""M2TR: a face crop's textures attend to each other in patches of several sizes and to a filtered copy of themselves.

Wang et al., "M2TR: Multi-modal Multi-scale Transformers for Deepfake Detection", 2104.09770. Official code:
wangjk666/M2TR-Multi-modal-Multi-scale-Transformers-for-Deepfake-Detection (MIT); checkpoints are on a file server only.
Between the shallow and the deep half of an EfficientNet stand a few blocks: patches of four sizes attend to each other,
a learnable filter works on the spectrum of the map, and attention joins the two.

What is otherwise here: logits are raw in evaluation, too (the official head applies a sigmoid to each class there); the
mask head works (the official one cannot be built) and gives logits; the backbone is timm's; its own classifier, which
nothing reads, is left out; the cut between its halves is found by stride, so that other EfficientNets work.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.forensics.m2tr.backbone import make_backbone
from onlooker.methods.forensics.m2tr.config import M2trConfig
from onlooker.methods.forensics.m2tr.fusion import FusionBlock
from onlooker.nn.inputs import check_pixels
from onlooker.weights.saving import SavedNetwork

FAKE = 1
"""Number of the class "fake"; 0 is "real", all higher ones are kinds of fakes."""


@dataclass(frozen=True)
class M2trOutput:
    """What one forward gives.

    Attributes:
        logits: (B, classes), raw.
        features: (B, D), the mean of the last map.
        mask_logits: (B, 1, H, W), raw, high where the picture was changed; `None` without a mask head.
    """

    logits: Tensor
    features: Tensor
    mask_logits: Tensor | None


class M2tr(SavedNetwork):
    """Face crop in, real or fake out, and where.

    Args:
        config: sizes and parts.

    Raises:
        ConfigError: the backbone does not exist, or its textures cannot be cut into the chunks asked for.
    """

    def __init__(self, config: M2trConfig) -> None:
        super().__init__()
        self.config: M2trConfig = config
        self.backbone = make_backbone(config)
        channels, fusion = self.backbone.texture_channels, config.fusion
        if fusion.depth and channels % len(fusion.patch_divisors):
            raise ConfigError(f"{channels} channels cannot be cut into {len(fusion.patch_divisors)} equal chunks")
        self.layers = nn.ModuleList(FusionBlock(channels, config.texture_size, fusion) for _ in range(fusion.depth))
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(self.backbone.feature_channels, config.num_classes)
        self.mask_head = MaskHead(channels, fusion.slope) if config.mask_head else None

    def forward(self, image: Tensor) -> M2trOutput:
        """Judges face crops.

        Args:
            image: (B, 3, image_size, image_size) floats, normalised by `config.mean` and `config.std`.

        Raises:
            ShapeError: not such pictures, or NaN among them.
        """
        self._check(image)
        x = self.backbone.textures(image)  # (B, C, h, w)
        for layer in self.layers:
            x = layer(x)
        features = self.backbone.features(x).mean(dim=(2, 3))  # (B, D)
        logits = self.classifier(self.dropout(features))
        return M2trOutput(logits, features, None if self.mask_head is None else self.mask_head(x))

    def _check(self, image: Tensor) -> None:
        check_pixels(image, next(self.parameters()), "a picture")
        size = self.config.image_size
        if image.ndim != 4 or tuple(image.shape[1:]) != (3, size, size):
            raise ShapeError(
                f"pictures are (B, 3, {size}, {size}), got {tuple(image.shape)}; resize them, or build the network for "
                "their size: `with_image_size` carries the learnable filter over"
            )


class MaskHead(nn.Module):
    """From the fused map to a mask in the size of the picture: twice as large, convolved, twice as large again."""

    def __init__(self, channels: int, slope: float) -> None:
        super().__init__()
        half = max(channels // 2, 1)
        self.early = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.LeakyReLU(slope),
            nn.Conv2d(channels, half, 3, padding=1),
            nn.LeakyReLU(slope),
        )
        self.late = nn.Sequential(
            nn.Conv2d(half, half, 3, padding=1), nn.LeakyReLU(slope), nn.Conv2d(half, 1, 3, padding=1)
        )

    def forward(self, fused: Tensor) -> Tensor:
        """(B, C, h, w) to (B, 1, 4h, 4w) logits."""
        y: Tensor = self.late(_doubled(self.early(_doubled(fused))))
        return y


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=True)  # official


def fake_probability(logits: Tensor, temperature: float = 1.0) -> Tensor:
    """(B, classes) raw logits to (B,) in [0, 1]: all classes but "real", logits divided by a temperature first."""
    return (logits.float() / temperature).softmax(dim=-1)[:, FAKE:].sum(dim=-1).clamp(max=1.0)


def with_image_size(network: M2tr, image_size: int) -> M2tr:
    """The same weights for pictures of another size; the learnable filters are sampled anew, everything else is copied.

    A filter is read as a function of frequency in cycles per cell of the map and sampled between its known frequencies
    in a straight line, the rows going round. What a filter does to a frequency stays so nearly the same; the accuracy
    does not have to: measure it. `network` is unchanged.

    Raises:
        ConfigError: the size does not fit the network, or its weights belong to places and not to frequencies.
    """
    if network.config.fusion.second_stream == "spatial":
        raise ConfigError("weights of places belong to one size of picture; only a filter can be carried to another")
    config = replace(network.config, image_size=image_size)
    other = M2tr(config).to(next(network.parameters()))
    state = {
        name: sample_filter(value, config.texture_size) if name.endswith("filter.weight") else value
        for name, value in network.state_dict().items()
    }
    other.load_state_dict(state, strict=True)
    return other.train(network.training)


def sample_filter(weight: Tensor, size: int) -> Tensor:
    """(h, h // 2 + 1, C, 2) weights of a filter to (size, size // 2 + 1, C, 2), linear between known frequencies."""
    old = weight.shape[0]
    rows = torch.arange(size, device=weight.device) / size * old  # frequency in steps of the old table
    columns = (torch.arange(size // 2 + 1, device=weight.device) / size * old).clamp(max=weight.shape[1] - 1)
    sampled = _between(weight, rows, dim=0, wraps=True)
    return _between(sampled, columns, dim=1, wraps=False)


def _between(table: Tensor, places: Tensor, dim: int, wraps: bool) -> Tensor:
    length = table.shape[dim]
    low = places.floor().long()
    part = (places - low).to(table).reshape(-1, *[1] * (table.ndim - dim - 1))
    high = (low + 1) % length if wraps else (low + 1).clamp(max=length - 1)
    return table.index_select(dim, low) * (1 - part) + table.index_select(dim, high) * part
