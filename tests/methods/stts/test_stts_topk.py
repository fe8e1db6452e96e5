"""The perturbed top-k: values worked out by hand, its gradient, and the cases in which it must not break."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from onlooker.errors import ShapeError
from onlooker.methods.encoders.stts.topk import Perturbation, hard_top_k, perturbed_top_k


def test_slots_are_in_order_of_index_not_of_score() -> None:
    assert hard_top_k(torch.tensor([[0.1, 0.9, 0.3, 0.8]]), 3).tolist() == [[1, 2, 3]]


def test_equal_scores_give_the_first_indices() -> None:
    assert hard_top_k(torch.zeros(2, 50), 4).tolist() == [[0, 1, 2, 3]] * 2


def test_indicator_and_gradient_of_two_draws_by_hand() -> None:
    scores = torch.tensor([[0.5, 0.4, 0.0]], requires_grad=True)
    noise = torch.tensor([[[0.0, 0.0, 0.0], [-1.0, 1.0, 0.0]]])  # second draw: 0.3, 0.6, 0.0
    indicator = perturbed_top_k(scores, 1, Perturbation(0.2, noise=noise))
    assert indicator.tolist() == [[[0.5, 0.5, 0.0]]]
    indicator.backward(torch.tensor([[[3.0, 7.0, 5.0]]]))
    # Index 0 won with noise 0, index 1 with noise 1: 7 * 1 / (2 draws * 0.2).
    assert scores.grad is not None
    assert scores.grad[0].tolist() == pytest.approx([0.0, 17.5, 0.0])


def test_full_estimator_of_two_draws_by_hand() -> None:
    scores = torch.tensor([[0.5, 0.4, 0.0]], requires_grad=True)
    noise = torch.tensor([[[0.5, 0.0, 0.0], [-1.0, 1.0, 0.25]]])
    indicator = perturbed_top_k(scores, 1, Perturbation(0.2, noise=noise, estimator="full"))
    indicator.backward(torch.tensor([[[3.0, 7.0, 5.0]]]))
    # Rewards 3 and 7, each times its whole noise, over 2 draws * 0.2.
    assert scores.grad is not None
    assert scores.grad[0].tolist() == pytest.approx([(1.5 - 7.0) / 0.4, 7.0 / 0.4, 1.75 / 0.4])


def test_without_noise_the_choice_is_hard_and_the_gradient_zero() -> None:
    scores = torch.tensor([[0.2, 0.9, 0.4]], requires_grad=True)
    indicator = perturbed_top_k(scores, 2, Perturbation(0.0))
    assert indicator.tolist() == [[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]]
    indicator.sum().backward()
    assert scores.grad is not None
    assert scores.grad.tolist() == [[0.0, 0.0, 0.0]]


def test_fading_noise_leads_to_the_hard_choice() -> None:
    scores = torch.rand(4, 8, generator=torch.Generator().manual_seed(0))
    hard = functional.one_hot(hard_top_k(scores, 3), 8).float()
    errors = []
    for sigma in (1.0, 0.1, 0.01, 1e-5):
        soft = perturbed_top_k(scores, 3, Perturbation(sigma, generator=torch.Generator().manual_seed(1)))
        errors.append(float((soft - hard).abs().sum()))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] == 0.0


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(1, 9), st.data(), st.sampled_from([1, 127, 128, 129, 300]))
def test_rows_sum_to_one_and_slots_ascend(batch: int, n: int, data: st.DataObject, samples: int) -> None:
    k = data.draw(st.integers(1, n))
    generator = torch.Generator().manual_seed(batch * 31 + n)
    scores = torch.rand(batch, n, generator=generator)
    indicator = perturbed_top_k(scores, k, Perturbation(0.3, samples, generator))
    assert torch.allclose(indicator.sum(-1), torch.ones(batch, k), atol=1e-5)
    places = (indicator * torch.arange(n)).sum(-1)
    assert (places.diff(dim=-1) > 0).all()
    assert (indicator.sum(1) <= 1 + 1e-5).all()  # an index is chosen at most once per draw


def test_same_generator_gives_the_same_choice_and_the_global_one_is_not_touched() -> None:
    scores = torch.rand(2, 6, generator=torch.Generator().manual_seed(0))
    before = torch.get_rng_state()
    first, second = (
        perturbed_top_k(scores, 2, Perturbation(0.1, generator=torch.Generator().manual_seed(3))) for _ in range(2)
    )
    assert first.equal(second)
    assert torch.get_rng_state().equal(before)


def test_half_precision_scores_are_counted_in_full_precision() -> None:
    scores = torch.tensor([[0.5, 0.5]], dtype=torch.bfloat16)
    indicator = perturbed_top_k(scores, 1, Perturbation(0.1, 1000, torch.Generator().manual_seed(0)))
    assert indicator.dtype == torch.float32
    counts = indicator * 1000
    assert torch.allclose(counts, counts.round(), atol=1e-3)


def test_diagonal_estimator_drops_cross_terms_only() -> None:
    """For a reward on one index alone, the official gradient of that index's score is the full one."""
    scores = torch.rand(1, 5, generator=torch.Generator().manual_seed(2))
    noise = torch.randn(1, 2000, 5, generator=torch.Generator().manual_seed(3))
    reward = torch.zeros(1, 2, 5)
    reward[:, :, 3] = 1.0
    found = {}
    for estimator in ("full", "diagonal"):
        leaf = scores.clone().requires_grad_()
        perturbed_top_k(leaf, 2, Perturbation(0.3, noise=noise, estimator=estimator)).backward(reward)
        assert leaf.grad is not None
        found[estimator] = leaf.grad[0]
    assert found["full"][3] == pytest.approx(float(found["diagonal"][3]), rel=1e-4)
    assert found["diagonal"][:3].abs().max() == 0.0
    assert found["full"][:3].abs().max() > 0.0


@pytest.mark.parametrize(("shape", "k"), [((3,), 1), ((2, 3), 0), ((2, 3), 4), ((1, 2, 3), 1)])
def test_wrong_scores_or_k_are_refused(shape: tuple[int, ...], k: int) -> None:
    with pytest.raises(ShapeError):
        hard_top_k(torch.zeros(shape), k)
    with pytest.raises(ShapeError):
        perturbed_top_k(torch.zeros(shape), k, Perturbation(0.1))


def test_noise_of_another_shape_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"noise is \(B, samples, n\)"):
        perturbed_top_k(torch.zeros(2, 3), 1, Perturbation(0.1, noise=torch.zeros(2, 10, 4)))
