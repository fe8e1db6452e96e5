"""Terms of the three trainings against values worked out by hand, and their laws."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as processes
from torch import Tensor

from onlooker.errors import ShapeError
from onlooker.methods.encoders.perception_encoder.losses import (
    contrastive_loss,
    cosines_between,
    gather_rows,
    instance_features,
    mask_features,
    similarity_loss,
    token_cosine_loss,
)


def unit(*shape: int, seed: int = 0) -> Tensor:
    return torch.nn.functional.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_contrast_of_two_pairs_is_the_cross_entropy_worked_out_by_hand() -> None:
    image = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    text = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    # Cosines: [[1, 0.6], [0, 0.8]], times 2: rows then columns.
    rows = -math.log(math.e**2 / (math.e**2 + math.e**1.2)) - math.log(math.e**1.6 / (1 + math.e**1.6))
    columns = -math.log(math.e**2 / (math.e**2 + 1)) - math.log(math.e**1.6 / (math.e**1.2 + math.e**1.6))
    found = contrastive_loss(image, text, torch.tensor(2.0))
    assert float(found) == pytest.approx((rows / 2 + columns / 2) / 2, abs=1e-6)


def test_contrast_does_not_care_in_which_order_pairs_stand() -> None:
    image, text, order = unit(6, 4), unit(6, 4, seed=1), torch.randperm(6)
    scale = torch.tensor(5.0)
    assert torch.allclose(contrastive_loss(image, text, scale), contrastive_loss(image[order], text[order], scale))


def test_contrast_of_different_numbers_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(3, 4\) and \(2, 4\)"):
        contrastive_loss(unit(3, 4), unit(2, 4), torch.tensor(1.0))


def test_token_loss_is_zero_for_one_direction_and_two_for_opposite_ones() -> None:
    tokens = unit(2, 5, 8)
    assert float(token_cosine_loss(tokens * 3, tokens)) == pytest.approx(0, abs=1e-6)
    assert float(token_cosine_loss(-tokens, tokens)) == pytest.approx(2, abs=1e-6)


def test_similarity_loss_is_zero_for_turned_features_of_another_width() -> None:
    tokens = torch.randn(2, 7, 5)
    turn = torch.linalg.qr(torch.randn(9, 9))[0][:5]  # rows stay orthonormal: angles are kept
    assert float(similarity_loss(tokens, tokens)) == 0
    assert float(similarity_loss(tokens, tokens @ turn)) == pytest.approx(0, abs=1e-10)


def test_similarity_loss_of_two_tokens_is_the_difference_of_their_cosine() -> None:
    alike = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    apart = torch.tensor([[[1.0, 0.0], [0.6, 0.8]]])
    # Of four pairs, two are a token with itself; the others differ by 0.4.
    assert float(similarity_loss(alike, apart)) == pytest.approx(2 * 0.4**2 / 4, abs=1e-6)
    assert cosines_between(apart)[0, 0, 1] == pytest.approx(0.6)


def test_mask_features_squash_then_average_over_each_location() -> None:
    logits = torch.zeros(1, 2, 4, 4)
    logits[0, 0, :2, :2] = 40.0  # fills the first location
    logits[0, 1, 3, 3] = -40.0
    found = mask_features(logits, (2, 2), "sigmoid", temperature=2.0)
    assert found.shape == (1, 4, 2)
    assert found[0, 0, 0] == pytest.approx(1.0)
    assert found[0, 3, 1] == pytest.approx(0.375)  # three halves and a nought
    assert mask_features(logits, (2, 2), "none")[0, 3, 1] == pytest.approx(-10.0)


def test_instance_features_are_the_covered_part_of_each_location() -> None:
    masks = torch.zeros(1, 4, 4, dtype=torch.uint8)
    masks[0, :2, :1], masks[0, 2:, 2:] = 1, 2
    found = instance_features(masks, (2, 2))
    assert found[0].tolist() == [[0.5, 0.5, 0], [1, 0, 0], [1, 0, 0], [0, 0, 1]]


def test_rows_of_a_single_process_are_gathered_as_they_are() -> None:
    rows = unit(3, 2)
    assert gather_rows(rows) is rows


def _one_of_two(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    image, text, scale = _leaves()
    half = slice(2 * rank, 2 * rank + 2)
    loss = contrastive_loss(gather_rows(image[half]), gather_rows(text[half]), scale)
    loss.backward()
    for leaf in (image, text, scale):  # as distributed training does: mean over processes
        dist.all_reduce(leaf.grad)
        leaf.grad /= 2
    if rank == 0:
        torch.save([leaf.grad for leaf in (image, text, scale)], f"{folder}/gradients.pt")
    dist.destroy_process_group()


def _leaves() -> tuple[Tensor, Tensor, Tensor]:
    return unit(4, 3).requires_grad_(), unit(4, 3, seed=1).requires_grad_(), torch.tensor(3.0, requires_grad=True)


@pytest.mark.slow
def test_two_processes_have_the_gradient_of_one_with_the_whole_batch(tmp_path: Path) -> None:
    processes.spawn(_one_of_two, (str(tmp_path),), nprocs=2)
    image, text, scale = _leaves()
    contrastive_loss(image, text, scale).backward()
    found = torch.load(tmp_path / "gradients.pt", weights_only=True)
    for gradient, leaf in zip(found, (image, text, scale), strict=True):
        assert torch.allclose(gradient, leaf.grad, atol=1e-6)
