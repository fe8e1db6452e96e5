"""What both networks take and give: checked pictures in, logits out."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from onlooker.errors import ShapeError
from onlooker.methods.forensics.objectformer.config import ObjectFormerConfig
from onlooker.nn.inputs import check_pixels

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)  # ImageNet's, of RGB in [0, 1]; what the release and the paper's backbone expect


@dataclass(frozen=True)
class ObjectFormerOutput:
    """What one forward gives.

    Attributes:
        image_logit: (B,) that the picture was manipulated.
        mask_logits: (B, M, H, W) in the size of the pictures; M is 1 in the paper's network and 3 in the released one,
            whose masks come from finer to coarser maps. The last one is the answer.
    """

    image_logit: Tensor
    mask_logits: Tensor

    @property
    def mask_prob(self) -> Tensor:
        """(B, 1, H, W) in [0, 1], of the last mask."""
        return self.mask_logits[:, -1:].sigmoid()


def check_image(image: Tensor, weight: Tensor, config: ObjectFormerConfig) -> None:
    """Refuses what a network cannot judge.

    Args:
        image: should be (B, 3, H, W).
        weight: of the first layer.
        config: of the network.

    Raises:
        ShapeError: another rank, number of channels or type, too small, or NaN.
    """
    check_pixels(image, weight, "an image")
    if image.ndim != 4 or image.shape[1] != 3:
        raise ShapeError(f"an image is (B, 3, H, W), got {tuple(image.shape)}; repeat a grey one three times")
    if min(image.shape[2:]) < config.smallest_side:
        raise ShapeError(
            f"an image is at least {config.smallest_side} pixels high and wide here, got "
            f"{image.shape[2]}x{image.shape[3]}; resize or pad it"
        )
