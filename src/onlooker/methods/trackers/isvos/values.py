"""What is remembered of a frame: per object, a map made from the picture, its mask, and the masks of all others."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from onlooker.methods.trackers.isvos.config import IsvosConfig
from onlooker.methods.trackers.isvos.layers import FusionBlock, make_resnet

MASK_CHANNELS = 2
"""This object's mask and the sum of the others'."""


class ValueEncoder(nn.Module):
    """Runs once per object, as one batch."""

    def __init__(self, config: IsvosConfig) -> None:
        super().__init__()
        self._dim = config.matching.value_dim
        self.backbone = make_resnet(config.value_backbone, config.norm, 3 + MASK_CHANNELS)
        self.fuser = FusionBlock(config.backbone.widths[2], config.value_backbone.widths[2], self._dim)

    def forward(self, pictures: Tensor, features: Tensor, masks: Tensor) -> Tensor:
        """Values.

        Args:
            pictures: (B, 3, H, W).
            features: (B, C, H/16, W/16), the backbone's of the same pictures.
            masks: (B, K, H, W) soft, in [0, 1]; K may be 0.

        Returns:
            (B, K, D, H/16, W/16).
        """
        others = masks.sum(dim=1, keepdim=True) - masks
        return self.encode(pictures, features, masks, others)

    def encode(self, pictures: Tensor, features: Tensor, masks: Tensor, others: Tensor) -> Tensor:
        """The same for some of the objects; `others` (B, K, H, W) sums the masks of all objects but each."""
        batch, objects = masks.shape[:2]
        small = features.shape[-2:]
        if objects == 0:
            return features.new_zeros(batch, 0, self._dim, *small)
        pair = torch.stack([masks, others], dim=2)  # (B, K, 2, H, W)
        shown = torch.cat([_per_object(pictures, objects), pair], dim=2).flatten(0, 1)  # (B*K, 5, H, W)
        seen = self.backbone(shown).feature_maps[-1]  # (B*K, c, H/16, W/16)
        fused: Tensor = self.fuser(_per_object(features, objects).flatten(0, 1), seen)
        return fused.view(batch, objects, self._dim, *small)


def _per_object(x: Tensor, objects: int) -> Tensor:
    """(B, ...) to (B, K, ...)."""
    return x.unsqueeze(1).expand(-1, objects, *x.shape[1:])
