"""The loss of the paper: classification, mask, and features of real faces held together.

The released training loop uses the focal loss alone. The paper adds the two others; how they are weighted is remembered
(1 and 0.001) and was not verified against the paper's text, so both are options.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import sigmoid_focal_loss

from onlooker.configs import real_number
from onlooker.errors import ShapeError
from onlooker.methods.forensics.m2tr.model import FAKE, M2trOutput

CentreForm = Literal["difference", "hinge"]


@dataclass(frozen=True)
class LossConfig:
    """Terms and weights.

    Attributes:
        gamma: of the focal loss (official: 2).
        mask_weight: of the mask's cross-entropy; unverified (remembered: 1). 0 leaves it out.
        centre_weight: of the centre loss; unverified (remembered: 0.001). 0 leaves it out, as the released code does.
        centre_form: see `centre_loss`.
        centre_margin: of the form "hinge".
    """

    gamma: float = 2.0
    mask_weight: float = 1.0
    centre_weight: float = 0.001
    centre_form: CentreForm = "difference"
    centre_margin: float = 0.5

    def __post_init__(self) -> None:
        for name in ("gamma", "mask_weight", "centre_weight"):
            real_number(name, getattr(self, name), 0.0)
        real_number("centre_margin", self.centre_margin, 0.0, 2.0)


def m2tr_loss(
    output: M2trOutput, labels: Tensor, masks: Tensor, has_mask: Tensor, config: LossConfig
) -> dict[str, Tensor]:
    """All terms and their weighted sum as "loss".

    Args:
        output: of one forward.
        labels: (B,) class numbers, 0 real.
        masks: (B, H, W) in {0, 1}, blank for real pictures.
        has_mask: (B,) bool, false where nobody knows what was changed.
        config: terms and weights.

    Raises:
        ShapeError: masks of another size than the network's.
    """
    parts = {"focal": focal_loss(output.logits, labels, config.gamma)}
    loss = parts["focal"]
    if config.mask_weight and output.mask_logits is not None:
        parts["mask"] = mask_loss(output.mask_logits, masks, has_mask)
        loss = loss + config.mask_weight * parts["mask"]
    if config.centre_weight:
        parts["centre"] = centre_loss(output.features, labels >= FAKE, config.centre_form, config.centre_margin)
        loss = loss + config.centre_weight * parts["centre"]
    return {"loss": loss, **parts}


def focal_loss(logits: Tensor, labels: Tensor, gamma: float = 2.0) -> Tensor:
    """Sigmoid focal loss of (B, classes) logits against one-hot labels, mean over all of them.

    The official weight alpha is 1 for both answers; in torchvision's loss, -1 means that.
    """
    targets = functional.one_hot(labels, logits.shape[1]).to(logits)
    loss: Tensor = sigmoid_focal_loss(logits, targets, alpha=-1.0, gamma=gamma, reduction="mean")
    return loss


def mask_loss(mask_logits: Tensor, masks: Tensor, has_mask: Tensor) -> Tensor:
    """Binary cross-entropy of (B, 1, H, W) logits against (B, H, W) masks, mean over the pixels of those pictures that
    have one; 0 where none has."""
    if mask_logits.shape != (masks.shape[0], 1, *masks.shape[1:]):
        raise ShapeError(f"masks are (B, H, W) in the size of {tuple(mask_logits.shape)}, got {tuple(masks.shape)}")
    loss = functional.binary_cross_entropy_with_logits(mask_logits[:, 0], masks.to(mask_logits), reduction="none")
    known = has_mask.to(loss)
    return (loss.mean(dim=(1, 2)) * known).sum() / known.sum().clamp(min=1.0)


def centre_loss(features: Tensor, fake: Tensor, form: CentreForm = "difference", margin: float = 0.5) -> Tensor:
    """Real features are drawn to their centre, fake ones pushed from it, in cosine distance.

    "difference" is mean(1 - cos(real, centre)) - mean(1 - cos(fake, centre)); "hinge" stops pushing a fake that is
    `margin` further away than the real ones are on average. The class of the same purpose in the official code, which
    nothing calls, minimises similarity to the centre of the class "fake": the opposite of its description.

    Args:
        features: (B, D).
        fake: (B,) bool.
        form, margin: see above.

    Returns:
        Scalar. Without a real sample there is no centre and it is 0; without a fake one the first term is left.
    """
    if not bool((~fake).any()):
        return features.sum() * 0.0  # keeps the graph: every process then takes part in the exchange of gradients
    unit = functional.normalize(features.float(), dim=-1)
    centre = functional.normalize(features.float()[~fake].mean(dim=0), dim=-1)
    distance = 1.0 - unit @ centre  # (B,)
    near = distance[~fake].mean()
    if not bool(fake.any()):
        return near
    if form == "hinge":
        return near + torch.relu(margin + near.detach() - distance[fake]).mean()
    return near - distance[fake].mean()
