"""What the networks learn from: cross-entropy on the picture's label and soft Dice on its mask, weighted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.nn import functional

from onlooker.configs import real_number
from onlooker.errors import ShapeError
from onlooker.methods.forensics.objectformer.output import ObjectFormerOutput

_SMOOTH = 1.0  # release


@dataclass(frozen=True)
class LossConfig:
    """Weights of both parts.

    Attributes:
        lambda_cls, lambda_seg: as the release's configuration names them. Its training loop never multiplies by them,
            so that its weights really were 1 and 1.
        mask: "dice" is the release's; "bce" is cross-entropy per pixel, as in IMDL-BenCo.
    """

    lambda_cls: float = 0.25
    lambda_seg: float = 1.0
    mask: Literal["dice", "bce"] = "dice"

    def __post_init__(self) -> None:
        real_number("lambda_cls", self.lambda_cls, 0.0)
        real_number("lambda_seg", self.lambda_seg, 0.0)


def judgement_loss(output: ObjectFormerOutput, mask: Tensor, label: Tensor, config: LossConfig) -> dict[str, Tensor]:
    """Loss of a batch and its parts.

    Args:
        output: of a network.
        mask: (B, 1, H, W), 1 where manipulated; zeros for authentic pictures.
        label: (B,), 1 where manipulated.
        config: weights.

    Returns:
        "loss", and "classification" and "localisation" before weighting; the latter is summed over all masks.

    Raises:
        ShapeError: `mask` or `label` do not fit the output.
    """
    logits = output.mask_logits
    expected = (logits.shape[0], 1, *logits.shape[2:])
    if tuple(mask.shape) != expected or tuple(label.shape) != tuple(output.image_logit.shape):
        raise ShapeError(
            f"a batch has masks {expected} and labels {tuple(output.image_logit.shape)}, got {tuple(mask.shape)} and "
            f"{tuple(label.shape)}"
        )
    classification = functional.binary_cross_entropy_with_logits(output.image_logit, label.to(logits))
    parts = [_mask_loss(logits[:, place : place + 1], mask.to(logits), config) for place in range(logits.shape[1])]
    localisation = sum(parts[1:], parts[0])
    loss = config.lambda_cls * classification + config.lambda_seg * localisation
    return {"loss": loss, "classification": classification.detach(), "localisation": localisation.detach()}


def dice_loss(prob: Tensor, target: Tensor) -> Tensor:
    """One minus soft Dice of the whole batch as one vector, squares below the line (release).

    Args:
        prob: in [0, 1], of any shape.
        target: the same shape, 0 or 1.
    """
    overlap = (prob * target).sum()
    return 1.0 - (2.0 * overlap + _SMOOTH) / (prob.square().sum() + target.square().sum() + _SMOOTH)


def _mask_loss(logits: Tensor, mask: Tensor, config: LossConfig) -> Tensor:
    if config.mask == "bce":
        return functional.binary_cross_entropy_with_logits(logits, mask)
    return dice_loss(logits.sigmoid(), mask)
