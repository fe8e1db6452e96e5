"""Loss terms against values worked out by hand, and batches that hold one class or no mask."""

from __future__ import annotations

import math

import pytest
import torch

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.forensics.m2tr.losses import LossConfig, centre_loss, focal_loss, m2tr_loss, mask_loss
from onlooker.methods.forensics.m2tr.model import M2trOutput

REAL, FAKE = False, True


def test_focal_loss_by_hand() -> None:
    """At a logit of 0 both answers have probability 1/2: a quarter of the cross-entropy; sure answers cost nothing."""
    assert float(focal_loss(torch.zeros(3, 2), torch.tensor([0, 1, 1]))) == pytest.approx(0.25 * math.log(2))
    assert float(focal_loss(torch.zeros(1, 2), torch.tensor([0]), gamma=0.0)) == pytest.approx(math.log(2))
    assert float(focal_loss(torch.tensor([[20.0, -20.0]]), torch.tensor([0]))) < 1e-8
    p = 1 / (1 + math.e)  # of the right answer at logits (-1, 1) for label 0, in both columns
    wrong = focal_loss(torch.tensor([[-1.0, 1.0]]), torch.tensor([0]))
    assert float(wrong) == pytest.approx((1 - p) ** 2 * -math.log(p))


def test_mask_loss_counts_only_pictures_whose_mask_is_known() -> None:
    logits = torch.zeros(2, 1, 4, 4)
    logits[1] = 50.0
    masks = torch.zeros(2, 4, 4)
    assert float(mask_loss(logits, masks, torch.tensor([True, False]))) == pytest.approx(math.log(2))
    assert float(mask_loss(logits, masks, torch.tensor([True, True]))) == pytest.approx((math.log(2) + 50) / 2)
    assert float(mask_loss(logits, masks, torch.tensor([False, False]))) == 0.0
    with pytest.raises(ShapeError, match=r"\(2, 1, 4, 4\), got \(2, 8, 8\)"):
        mask_loss(logits, torch.zeros(2, 8, 8), torch.tensor([True, True]))


def test_centre_loss_by_hand() -> None:
    """Reals at right angles have their centre between them, at 45 degrees to each; the fake lies opposite."""
    features = torch.tensor([[1.0, 0.0], [0.0, 3.0], [-2.0, -2.0]])
    fake = torch.tensor([REAL, REAL, FAKE])
    centre = torch.tensor([0.5, 1.5])
    cosines = [float(torch.cosine_similarity(row, centre, dim=0)) for row in features]
    near = 1 - (cosines[0] + cosines[1]) / 2
    assert float(centre_loss(features, fake)) == pytest.approx(near - (1 - cosines[2]))
    assert float(centre_loss(features, fake, "hinge", margin=0.5)) == pytest.approx(near)  # further than the margin
    assert float(centre_loss(features, fake, "hinge", margin=2.0)) == pytest.approx(
        near + 2.0 + near - (1 - cosines[2])
    )


def test_a_step_down_the_centre_loss_gathers_reals_and_drives_fakes_away() -> None:
    """The class in the official code does the opposite: the sign is what this test is for."""
    features = torch.randn(8, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()
    fake = torch.tensor([REAL] * 4 + [FAKE] * 4)

    def distances(values: torch.Tensor) -> tuple[float, float]:
        centre = values[~fake].mean(0)
        apart = 1 - torch.cosine_similarity(values, centre[None], dim=1)
        return float(apart[~fake].mean()), float(apart[fake].mean())

    near, far = distances(features.detach())
    (gradient,) = torch.autograd.grad(centre_loss(features, fake), features)
    nearer, further = distances(features.detach() - 0.1 * gradient)
    assert nearer < near
    assert further > far


@pytest.mark.parametrize("fake", [[FAKE, FAKE], [REAL, REAL]])
def test_a_batch_of_one_class_gives_numbers_not_nan(fake: list[bool]) -> None:
    features = torch.tensor([[1.0, 2.0], [2.0, 1.0]], requires_grad=True)
    loss = centre_loss(features, torch.tensor(fake))
    loss.backward()
    assert loss.isfinite()
    assert features.grad is not None
    assert features.grad.isfinite().all()
    assert (float(loss.detach()) == 0.0) == all(fake)


def test_terms_are_weighted_and_left_out_as_the_options_say() -> None:
    output = M2trOutput(torch.zeros(2, 2), torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.zeros(2, 1, 4, 4))
    labels, masks, known = torch.tensor([0, 1]), torch.zeros(2, 4, 4), torch.tensor([True, True])
    all_terms = m2tr_loss(output, labels, masks, known, LossConfig(mask_weight=2.0, centre_weight=0.1))
    assert float(all_terms["loss"]) == pytest.approx(0.25 * math.log(2) + 2 * math.log(2) - 0.1)
    released = m2tr_loss(output, labels, masks, known, LossConfig(mask_weight=0.0, centre_weight=0.0))
    assert set(released) == {"loss", "focal"}
    headless = m2tr_loss(M2trOutput(output.logits, output.features, None), labels, masks, known, LossConfig())
    assert set(headless) == {"loss", "focal", "centre"}
    with pytest.raises(ConfigError, match="`gamma` is at least 0"):
        LossConfig(gamma=-1.0)
