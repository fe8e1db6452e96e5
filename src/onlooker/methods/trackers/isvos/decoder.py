"""What was read from memory becomes masks: multi-path fusion with backbone and pixel decoder, then soft aggregation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from onlooker.methods.trackers.isvos.config import IsvosConfig
from onlooker.methods.trackers.isvos.instances import InstanceView
from onlooker.methods.trackers.isvos.layers import FusionBlock, ResidualBlock, zero_convolution

_SURE = 1e-7  # probabilities stay so far from 0 and 1 (XMem)
Paths = tuple[Tensor, Tensor, Tensor]


class MultiPath(nn.Module):
    """Pixel decoder's maps at strides 16, 8 and 4, brought to the decoder's widths.

    The convolutions start at zero: then the decoder is the one without them.
    """

    def __init__(self, config: IsvosConfig) -> None:
        super().__init__()
        dim, widths = config.instances.dim, config.decoder_widths
        self.align_16 = zero_convolution(dim, config.matching.value_dim, 3)
        self.align_8 = zero_convolution(dim, widths[0], 3)
        self.align_4 = zero_convolution(dim, widths[1], 3)

    def forward(self, view: InstanceView) -> Paths:
        """(B, width, h, w) at strides 16, 8 and 4."""
        at_16, at_8 = view.pyramid
        return self.align_16(at_16), self.align_8(at_8), self.align_4(view.pixel_embedding)


class _UpBlock(nn.Module):
    """Twice the size, with what the backbone and the pixel decoder have there."""

    def __init__(self, skip_dim: int, in_dim: int, out_dim: int) -> None:
        super().__init__()
        self.skip_conv = nn.Conv2d(skip_dim, in_dim, 3, padding=1)
        self.out_conv = ResidualBlock(in_dim, out_dim)

    def forward(self, x: Tensor, skip: Tensor, path: Tensor | None) -> Tensor:
        """`x` (B, K, in, h, w), `skip` (B, s, 2h, 2w), `path` (B, in, 2h, 2w) to (B, K, out, 2h, 2w)."""
        batch, objects = x.shape[:2]
        here = self.skip_conv(skip)  # (B, in, 2h, 2w)
        if path is not None:
            here = here + path
        larger = F.interpolate(x.flatten(0, 1), scale_factor=2, mode="bilinear", align_corners=False)
        joined = torch.unflatten(larger, 0, (batch, objects)) + here.unsqueeze(1)
        out: Tensor = self.out_conv(joined.flatten(0, 1))
        return torch.unflatten(out, 0, (batch, objects))


class MaskDecoder(nn.Module):
    """Strides 16 to 4, then a logit per pixel and object. Parameter names are XMem's."""

    def __init__(self, config: IsvosConfig) -> None:
        super().__init__()
        widths, stages = config.decoder_widths, config.backbone.widths
        self.fuser = FusionBlock(stages[2], config.matching.value_dim, widths[0])
        self.up_16_8 = _UpBlock(stages[1], widths[0], widths[1])
        self.up_8_4 = _UpBlock(stages[0], widths[1], widths[2])
        self.pred = nn.Conv2d(widths[2], 1, 3, padding=1)

    def forward(self, memory: Tensor, stages: tuple[Tensor, ...], paths: Paths | None) -> Tensor:
        """Mask logits.

        Args:
            memory: (B, K, D, H/16, W/16) read from memory.
            stages: backbone features from stride 4 on.
            paths: of the pixel decoder, or `None` for a single path.

        Returns:
            (B, K, H, W).
        """
        batch, objects = memory.shape[:2]
        res2, res3, res4 = stages[:3]
        if objects == 0:
            return memory.new_zeros(batch, 0, 4 * res2.shape[-2], 4 * res2.shape[-1])
        at_16, at_8, at_4 = (None, None, None) if paths is None else paths
        if at_16 is not None:
            memory = memory + at_16.unsqueeze(1)
        per_object = res4.unsqueeze(1).expand(-1, objects, *res4.shape[1:])
        x = torch.unflatten(self.fuser(per_object.flatten(0, 1), memory.flatten(0, 1)), 0, (batch, objects))
        x = self.up_16_8(x, res3, at_8)
        x = self.up_8_4(x, res2, at_4)  # (B, K, w, H/4, W/4)
        logits = self.pred(F.relu(x.flatten(0, 1)))  # (B*K, 1, H/4, W/4)
        logits = F.interpolate(logits, scale_factor=4, mode="bilinear", align_corners=False)
        return torch.unflatten(logits, 0, (batch, objects)).squeeze(2)


def aggregate(probabilities: Tensor) -> Tensor:
    """Objects and ground share every pixel out (soft aggregation of STM, 1904.00607).

    Args:
        probabilities: (B, K, H, W) of each object by itself.

    Returns:
        (B, K+1, H, W) logits over ground (first) and objects; their softmax is the answer.
    """
    ground = (1 - probabilities).prod(dim=1, keepdim=True)
    all_of_them = torch.cat([ground, probabilities], dim=1).clamp(_SURE, 1 - _SURE)
    return (all_of_them / (1 - all_of_them)).log()
