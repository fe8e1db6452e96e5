"""Masks by convolutions that every query makes for itself (CondInst, Tian et al. 2020, with the layers of IDOL)."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from onlooker.errors import ShapeError
from onlooker.methods.trackers.omnitracker.config import MaskConfig


class Mlp(nn.Module):
    """Linear layers with ReLU between them.

    Args:
        sizes: of input, hidden and output vectors.
    """

    def __init__(self, *sizes: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))

    @property
    def linears(self) -> list[nn.Linear]:
        """The layers in order."""
        return [layer for layer in self.layers if isinstance(layer, nn.Linear)]

    def forward(self, x: Tensor) -> Tensor:
        """(..., sizes[0]) to (..., sizes[-1])."""
        for number, layer in enumerate(self.layers):
            x = layer(x) if number == len(self.layers) - 1 else layer(x).relu()
        return x


class MaskHead(nn.Module):
    """A shared map from the encoder's three finest levels, and per query the convolutions that turn it into a mask.

    Args:
        dim: of encoder tokens and queries.
        config: see there.
    """

    def __init__(self, dim: int, config: MaskConfig) -> None:
        super().__init__()
        self.config = config
        self.coarse, self.middle, self.fine = (nn.Conv2d(dim, dim, 3, padding=1) for _ in range(3))
        self.squeeze = nn.Conv2d(dim, dim // 4, 3, padding=1)
        self.project = nn.Conv2d(dim // 4, config.channels, 3, padding=1)
        for layer in (self.coarse, self.middle, self.fine, self.squeeze, self.project):
            nn.init.kaiming_uniform_(layer.weight, a=1)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        self.weight_shapes = kernel_shapes(config)
        self.controller = Mlp(dim, dim, dim, sum(o * i + o for o, i in self.weight_shapes))
        for linear in self.controller.linears:
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def features(self, maps: tuple[Tensor, ...]) -> Tensor:
        """(B, channels, h, w) of the finest of the encoder's maps (B, d, ., .)."""
        x = self.coarse(maps[2]).relu()
        x = self.middle(maps[1] + F.interpolate(x, size=maps[1].shape[-2:], mode="nearest")).relu()
        x = self.fine(maps[0] + F.interpolate(x, size=maps[0].shape[-2:], mode="nearest")).relu()
        projected: Tensor = self.project(self.squeeze(x).relu()).relu()
        return projected

    def forward(self, features: Tensor, queries: Tensor, points: Tensor, frame_size: tuple[int, int]) -> Tensor:
        """Masks of queries.

        Args:
            features: (B, channels, h, w).
            queries: (B, N, d).
            points: (B, N, 2) reference points (x, y) in parts of the frame.
            frame_size: (height, width) in pixels.

        Returns:
            (B, N, 2h, 2w) logits; about a quarter of the frame's size.

        Raises:
            ShapeError: `queries` and `points` disagree.
        """
        if queries.shape[:2] != points.shape[:2] or points.shape[-1] != 2:
            raise ShapeError(f"expected points (B, N, 2) for queries {tuple(queries.shape)}, got {tuple(points.shape)}")
        size, _, height, width = features.shape
        weights, biases = split_kernels(self.controller(queries), self.weight_shapes)
        offsets = relative_coordinates(points, (height, width), frame_size) / self.config.coordinate_px
        first = weights[0]  # (B, N, o, 2 + channels): coordinates before features, as in IDOL
        # The map is the same for all queries of a frame, so that it is not repeated for each.
        x = torch.einsum("bnoc,bchw->bnohw", first[..., 2:], features)
        x = x + torch.einsum("bnoc,bnchw->bnohw", first[..., :2], offsets) + biases[0][..., None, None]
        for weight, bias in zip(weights[1:], biases[1:], strict=True):
            x = torch.einsum("bnoc,bnchw->bnohw", weight, x.relu()) + bias[..., None, None]
        return aligned_upsample(x.reshape(size, queries.shape[1], height, width), 2)


def kernel_shapes(config: MaskConfig) -> tuple[tuple[int, int], ...]:
    """(outputs, inputs) of the 1x1 convolutions that a query makes."""
    inner = [config.kernel_channels] * (config.kernel_layers - 1)
    sizes = [config.channels + 2, *inner, 1]
    return tuple((b, a) for a, b in pairwise(sizes))


def split_kernels(numbers: Tensor, shapes: tuple[tuple[int, int], ...]) -> tuple[list[Tensor], list[Tensor]]:
    """(..., P) to weights (..., o, i) and biases (..., o): all weights come first, as in IDOL."""
    lengths = [o * i for o, i in shapes] + [o for o, _ in shapes]
    parts = torch.split(numbers, lengths, dim=-1)
    weights = [torch.unflatten(part, -1, shape) for part, shape in zip(parts, shapes, strict=False)]
    return weights, list(parts[len(shapes) :])


def relative_coordinates(points: Tensor, map_size: tuple[int, int], frame_size: tuple[int, int]) -> Tensor:
    """(B, N, 2, h, w) in pixels of the frame: a query's point minus the centre of each of the map's pixels."""
    (height, width), (frame_height, frame_width) = map_size, frame_size
    ys = (torch.arange(height, device=points.device, dtype=points.dtype) + 0.5) * (frame_height / height)
    xs = (torch.arange(width, device=points.device, dtype=points.dtype) + 0.5) * (frame_width / width)
    dx = points[..., 0, None] * frame_width - xs  # (B, N, w)
    dy = points[..., 1, None] * frame_height - ys  # (B, N, h)
    pair = (dx[..., None, :].expand(-1, -1, height, -1), dy[..., :, None].expand(-1, -1, -1, width))
    return torch.stack(pair, 2)


def aligned_upsample(x: Tensor, factor: int) -> Tensor:
    """(B, N, h, w) to (B, N, factor*h, factor*w), bilinear, with every old pixel at its old place: in the middle of the
    `factor` new ones it becomes."""
    if 0 in x.shape:
        return x.new_zeros(*x.shape[:2], x.shape[2] * factor, x.shape[3] * factor)
    height, width = (side * factor for side in x.shape[-2:])
    x = F.pad(x, (0, 1, 0, 1), mode="replicate")
    x = F.interpolate(x, size=(height + 1, width + 1), mode="bilinear", align_corners=True)
    x = F.pad(x, (factor // 2, 0, factor // 2, 0), mode="replicate")
    return x[..., :height, :width]
