"""The fusion block: patches of several sizes attend to each other, a learnable filter works on their spectrum, and the
pictures' stream asks the filtered one at every place (paper, section 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from onlooker.methods.forensics.m2tr.config import FusionConfig

_FILTER_STD = 0.02  # official


class FusionBlock(nn.Module):
    """One block on a map of constant size.

    Args:
        channels: of the map; a multiple of the number of chunks.
        size: side of the square map.
        config: see there.
    """

    def __init__(self, channels: int, size: int, config: FusionConfig) -> None:
        super().__init__()
        self.attention = PatchAttention(channels, config.patch_divisors, config.slope)
        self.feed_forward = FeedForward(channels, config.slope)
        self.frequency: FrequencyStream | None = None
        self.fusion: CrossModalityFusion | None = None
        if config.second_stream != "none":
            self.frequency = FrequencyStream(channels, size, config)
            self.fusion = CrossModalityFusion(channels, config.slope)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same. The second stream reads what the attention gives out, as in the official code."""
        x = x + self.attention(x)
        x = x + self.feed_forward(x)
        if self.frequency is None or self.fusion is None:
            return x
        fused: Tensor = self.fusion(x, self.frequency(x))
        return fused


class PatchAttention(nn.Module):
    """Attention between the patches of a map; every chunk of channels has patches of its own size.

    A patch of side p is one token of C/chunks * p * p numbers; attention has one head.
    """

    def __init__(self, channels: int, divisors: tuple[int, ...], slope: float) -> None:
        super().__init__()
        self.divisors = divisors
        self.query = nn.Conv2d(channels, channels, 1)
        self.key = nn.Conv2d(channels, channels, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.output = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.LeakyReLU(slope)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same; sides are multiples of every divisor."""
        n = len(self.divisors)
        queries, keys, values = (each(x).chunk(n, dim=1) for each in (self.query, self.key, self.value))
        attended = [_attend(q, k, v, p) for q, k, v, p in zip(queries, keys, values, self.divisors, strict=True)]
        y: Tensor = self.output(torch.cat(attended, dim=1))  # (B, C, h, w)
        return y


def _attend(query: Tensor, key: Tensor, value: Tensor, divisor: int) -> Tensor:
    """One chunk, (B, c, h, w) each, cut into divisor * divisor patches."""
    q, k, v = (_to_patches(part, divisor) for part in (query, key, value))  # (B, n, c * p * p)
    # Written out: tokens are few (1 to 64) and very long, which fused kernels are not made for.
    weights = (q @ k.transpose(1, 2) / q.shape[-1] ** 0.5).softmax(dim=-1)  # (B, n, n)
    return _from_patches(weights @ v, divisor, value.shape)


def _to_patches(part: Tensor, divisor: int) -> Tensor:
    batch, channels, height, width = part.shape
    cut = part.reshape(batch, channels, divisor, height // divisor, divisor, width // divisor)
    return cut.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)  # (B, n, c * p * p)


def _from_patches(tokens: Tensor, divisor: int, shape: torch.Size) -> Tensor:
    batch, channels, height, width = shape
    cut = tokens.reshape(batch, divisor, divisor, channels, height // divisor, width // divisor)
    return cut.permute(0, 3, 1, 4, 2, 5).reshape(shape)


class FeedForward(nn.Module):
    """Two convolutions, the first one dilated."""

    def __init__(self, channels: int, slope: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=2, dilation=2),
            nn.BatchNorm2d(channels),
            nn.LeakyReLU(slope),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
            nn.LeakyReLU(slope),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same."""
        y: Tensor = self.layers(x)
        return y


class FrequencyStream(nn.Module):
    """The filtered map and convolutions behind it, with a shortcut around both."""

    def __init__(self, channels: int, size: int, config: FusionConfig) -> None:
        super().__init__()
        self.filter: nn.Module = nn.Identity()
        if config.second_stream == "fourier":
            self.filter = FourierFilter(channels, size)
        elif config.second_stream == "spatial":
            self.filter = SpatialWeights(channels, size)
        self.feed_forward = FeedForward(channels, config.slope)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same."""
        y: Tensor = x + self.feed_forward(self.filter(x))
        return y


class FourierFilter(nn.Module):
    """Every frequency of every channel is multiplied by a learnable complex number.

    `weight` is (h, w // 2 + 1, C, 2), real and imaginary parts last, rows in the order of `torch.fft.fftfreq`: it fits
    one size of map only.
    """

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(size, size // 2 + 1, channels, 2) * _FILTER_STD)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same."""
        # In float32 always: transforms in half precision overflow, and exist for few sizes only.
        spectrum = torch.fft.rfft2(x.float(), norm="ortho")  # (B, C, h, w // 2 + 1)
        weight = torch.view_as_complex(self.weight.float().contiguous()).permute(2, 0, 1)
        filtered: Tensor = torch.fft.irfft2(spectrum * weight, s=x.shape[-2:], norm="ortho")
        return filtered.to(x.dtype)


class SpatialWeights(nn.Module):
    """Every place of every channel is multiplied by a learnable number: the filter without its transform (ours)."""

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, size, size) * _FILTER_STD)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) to the same."""
        return x * self.weight


class CrossModalityFusion(nn.Module):
    """Every place of the picture stream asks all places of the other stream; the answer is added (paper, CMF)."""

    def __init__(self, channels: int, slope: float) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, channels, 1)
        self.key = nn.Conv2d(channels, channels, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.output = nn.Sequential(nn.Conv2d(channels, channels, 1), nn.BatchNorm2d(channels), nn.LeakyReLU(slope))

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """(B, C, h, w) twice to (B, C, h, w)."""
        q = _one_head(self.query(x))  # (B, 1, h * w, C)
        k, v = _one_head(self.key(other)), _one_head(self.value(other))
        # Fused, with the official scale of 1 / sqrt(C): 6400 x 6400 weights at 320 px are never in memory at once.
        # Torch's kernel for CPUs wants heads and contiguous tensors; without, it falls back to all weights at once.
        answer = functional.scaled_dot_product_attention(q, k, v)  # (B, 1, h * w, C)
        y: Tensor = x + self.output(answer.squeeze(1).transpose(1, 2).reshape(x.shape))
        return y


def _one_head(x: Tensor) -> Tensor:
    """(B, C, h, w) to (B, 1, h * w, C)."""
    return x.flatten(2).transpose(1, 2).unsqueeze(1).contiguous()
