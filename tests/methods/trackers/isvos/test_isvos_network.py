"""The network's switches, its memory functions and its losses, against values worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.trackers.isvos.config import (
    CONFIGS,
    BackboneConfig,
    InstanceConfig,
    IsvosConfig,
    MatchingConfig,
    MemoryConfig,
)
from onlooker.methods.trackers.isvos.decoder import aggregate
from onlooker.methods.trackers.isvos.instances import InstanceView
from onlooker.methods.trackers.isvos.keys import mask_centres, mask_shares
from onlooker.methods.trackers.isvos.losses import (
    VOID,
    BootstrapConfig,
    InstanceLoss,
    bootstrapped_cross_entropy,
    dice_loss,
)
from onlooker.methods.trackers.isvos.memory import affinity, readout, similarity
from onlooker.methods.trackers.isvos.model import Isvos

TINY = CONFIGS["tiny"]
GENERATOR = torch.Generator().manual_seed(0)
FRAMES = torch.randn(1, 3, 3, 64, 96, generator=GENERATOR)
MASKS = (torch.rand(1, 3, 64, 96, generator=GENERATOR) > 0.7).float()


@pytest.fixture(scope="module", params=["queries", "places"])
def network(request: pytest.FixtureRequest) -> Isvos:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Isvos(replace(TINY, matching=replace(TINY.matching, injection=request.param))).eval()


def answer(network: Isvos, masks: Tensor = MASKS) -> Tensor:
    with torch.no_grad():
        return network(FRAMES, masks).logits


def test_without_weights_in_the_injection_keys_are_the_plain_projection(network: Isvos) -> None:
    with torch.no_grad():
        view = network.look(FRAMES[0])
        assert view.keys.key.equal(network.key_proj(view.stages[2]).key)
        network.enhancement.output.weight.fill_(0.01)
        assert not network.look(FRAMES[0]).keys.key.equal(view.keys.key)
        network.enhancement.output.weight.zero_()


@pytest.mark.parametrize("switch", ["query_enhancement", "multi_path"])
def test_a_contribution_at_zero_equals_the_network_without_it(network: Isvos, switch: str) -> None:
    if switch == "multi_path":
        config = replace(network.config, multi_path=False)
    else:
        config = replace(network.config, matching=replace(TINY.matching, query_enhancement=False))
    plain = Isvos(config).eval()
    state = {name: value for name, value in network.state_dict().items() if name in plain.state_dict()}
    plain.load_state_dict(state, strict=True)
    assert answer(plain).equal(answer(network))


def test_ablations_start_from_the_same_weights() -> None:
    def made(config: IsvosConfig) -> dict[str, Tensor]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            return Isvos(config).state_dict()

    full, bare = made(TINY), made(replace(TINY, multi_path=False, matching=MatchingConfig(32, 64, "plain", False)))
    assert set(bare) < set(full)
    assert all(full[name].equal(value) for name, value in bare.items())


def test_objects_in_another_order_give_masks_in_that_order(network: Isvos) -> None:
    order = [2, 0, 1]
    found = answer(network, MASKS[:, order])
    torch.testing.assert_close(found, answer(network)[:, :, [0, 3, 1, 2]], atol=1e-5, rtol=1e-5)


def test_places_that_fill_up_a_batch_change_nothing(network: Isvos) -> None:
    present = torch.tensor([[True, True, False]])
    with torch.no_grad():
        padded = network(FRAMES, MASKS, present).logits.softmax(dim=2)
        alone = network(FRAMES, MASKS[:, :2]).logits.softmax(dim=2)
    torch.testing.assert_close(padded[:, :, :3], alone, atol=1e-5, rtol=1e-5)
    assert float(padded[:, :, 3].max()) < 1e-5


@pytest.mark.parametrize("objects", [0, 1, 20])
def test_any_number_of_objects_shares_every_pixel_out(network: Isvos, objects: int) -> None:
    masks = (torch.rand(1, objects, 64, 96, generator=GENERATOR) > 0.8).float()
    shares = answer(network, masks).softmax(dim=2)
    assert shares.shape == (1, 2, objects + 1, 64, 96)
    torch.testing.assert_close(shares.sum(dim=2), torch.ones(1, 2, 64, 96))


def test_instance_heads_change_no_mask(network: Isvos) -> None:
    with torch.no_grad():
        without, with_heads = network.look(FRAMES[0]), network.look(FRAMES[0], heads=True)
    assert without.keys.key.equal(with_heads.keys.key)
    assert all(a.equal(b) for a, b in zip(without.paths, with_heads.paths, strict=True))
    assert not without.instances.class_logits


def test_a_network_with_both_switches_off_runs_no_instance_branch() -> None:
    bare = Isvos(replace(TINY, multi_path=False, matching=MatchingConfig(32, 64, "plain", False)))
    assert bare.look(FRAMES[0]).instances is None


def test_frames_read_only_the_memory_they_are_allowed(network: Isvos) -> None:
    with torch.no_grad():
        first_only = network(FRAMES, MASKS, memory=[[0], [0]]).logits
        changed = FRAMES.clone()
        changed[:, 1] = 0
        assert network(changed, MASKS, memory=[[0], [0]]).logits[:, 1].equal(first_only[:, 1])
        assert not network(changed, MASKS).logits[:, 1].equal(answer(network)[:, 1])


@pytest.mark.parametrize(
    ("frames", "masks", "message"),
    [
        (FRAMES[0], MASKS, "T >= 2"),
        (FRAMES[:, :1], MASKS, "T >= 2"),
        (FRAMES[..., :90], MASKS[..., :90], "multiples of 32"),
        (FRAMES, MASKS[..., :32], "of their size"),
        (FRAMES, MASKS.bool(), "are floats"),
    ],
)
def test_wrong_clips_are_refused(network: Isvos, frames: Tensor, masks: Tensor, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        network(frames, masks)


@pytest.mark.slow
def test_shapes_of_the_paper_at_480x864() -> None:
    network = Isvos(CONFIGS["paper"]).eval()
    with torch.no_grad():
        view = network.look(torch.zeros(1, 3, 480, 864))
        values = network.value_encoder(torch.zeros(1, 3, 480, 864), view.stages[2], torch.zeros(1, 2, 480, 864))
    assert [tuple(stage.shape[1:]) for stage in view.stages[:3]] == [(256, 120, 216), (512, 60, 108), (1024, 30, 54)]
    assert tuple(view.keys.key.shape) == (1, 64, 30, 54)
    assert tuple(values.shape) == (1, 2, 512, 30, 54)
    assert tuple(view.instances.queries.shape) == (1, 100, 256)
    assert tuple(view.instances.pixel_embedding.shape) == (1, 256, 120, 216)


def test_similarity_is_minus_the_squared_distance_over_the_root_of_channels() -> None:
    key, query = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]]), torch.tensor([[[1.0], [1.0]]])
    selection, shrinkage = torch.tensor([[[1.0], [0.5]]]), torch.tensor([[[1.0, 3.0]]])
    distances = torch.tensor([1.0, 2.0])
    plain = similarity(key, query)[0, :, 0]
    assert float(plain[0] - plain[1]) == pytest.approx(float(distances[1] - distances[0]) / math.sqrt(2))
    assert similarity(key, query, shrinkage)[0, :, 0].tolist() == pytest.approx([-1 / math.sqrt(2), -6 / math.sqrt(2)])
    both = similarity(key, query, shrinkage, selection)[0, :, 0]
    assert both.tolist() == pytest.approx([-0.5 / math.sqrt(2), -3 * 1.5 / math.sqrt(2)])


def test_beyond_the_best_k_affinity_is_exactly_zero_and_large_values_do_not_overflow() -> None:
    similar = torch.tensor([[[900.0], [901.0], [899.0]]])
    weights = affinity(similar, 2)[0, :, 0]
    assert weights[2] == 0
    assert weights[:2].tolist() == pytest.approx([1 / (1 + math.e), math.e / (1 + math.e)])
    assert affinity(similar, 9).equal(similar.softmax(dim=1))


def test_readout_is_shared_by_objects() -> None:
    weights = torch.tensor([[[0.25], [0.75]]])
    values = torch.tensor([[[[4.0, 8.0]], [[0.0, 4.0]]]])  # (1, K=2, D=1, N=2)
    assert readout(weights, values).flatten().tolist() == [7.0, 3.0]
    with pytest.raises(ShapeError, match="expected values"):
        readout(weights, values[..., :1])


def test_soft_aggregation_of_two_objects_by_hand() -> None:
    p = torch.tensor([0.8, 0.5])
    odds = [0.1 / 0.9, 4.0, 1.0]  # ground is (1 - 0.8) * (1 - 0.5)
    shares = aggregate(p.view(1, 2, 1, 1)).softmax(dim=1).flatten()
    assert shares.tolist() == pytest.approx([value / sum(odds) for value in odds])
    assert aggregate(torch.ones(1, 2, 1, 1)).isfinite().all()


def test_mask_centres_by_hand_and_for_masks_of_nothing() -> None:
    logits = torch.full((1, 2, 4, 8), -9.0)
    logits[0, 0, 1, 6:8] = 9.0
    found = mask_centres(logits)
    assert found[0, 0].tolist() == pytest.approx([7 / 8, 1.5 / 4])
    assert found[0, 1].tolist() == pytest.approx([0.5, 0.5])


def test_locations_are_shared_out_by_masks_and_by_nothing() -> None:
    logits = torch.full((1, 2, 4, 8), -30.0)
    logits[0, :, :2] = math.log(2.0)  # both twice as likely as nothing
    logits[0, 0, 2:, 4:] = 30.0
    shares = mask_shares(logits, (2, 2))
    expected = [[[0.4, 0.4], [0.0, 1.0]], [[0.4, 0.4], [0.0, 0.0]]]
    assert shares[0].flatten().tolist() == pytest.approx(torch.tensor(expected).flatten().tolist())


def test_what_is_injected_says_where_the_instance_is_that_covers_a_place() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        enhancement = Isvos(replace(TINY, matching=replace(TINY.matching, injection="places"))).enhancement.eval()
        torch.nn.init.normal_(enhancement.output.weight)
    features = torch.randn(1, 1, 1, 1).expand(1, TINY.backbone.widths[2], 4, 8)  # alike everywhere
    queries = torch.zeros(1, 2, TINY.instances.dim)
    logits = torch.full((1, 2, 16, 32), -30.0)
    logits[0, 0, :8, :8] = logits[0, 1, :8, -8:] = 30.0
    view = InstanceView(queries, (queries, queries), queries, (logits,), ())
    with torch.no_grad():
        added = (enhancement(features, view) - features)[0]  # (C, 4, 8)
        swapped = (enhancement(features, replace(view, mask_logits=(logits.flip(1),))) - features)[0]
    assert float(added[:, 2:].abs().max()) < 1e-6, "nobody's ground got something"
    left, right = added[:, :2, :2], added[:, :2, -2:]
    torch.testing.assert_close(left, left[:, :1, :1].expand_as(left))
    assert float((left[:, 0, 0] - right[:, 0, 0]).abs().max()) > 0.1, "two places look the same"
    torch.testing.assert_close(swapped, added)


def test_bootstrap_keeps_all_pixels_first_and_the_worst_in_the_end() -> None:
    config = BootstrapConfig(10, 20, 0.2)
    assert [config.part_at(step) for step in (0, 10, 15, 20, 99)] == pytest.approx([1.0, 1.0, 0.6, 0.2, 0.2])
    logits = torch.tensor([[[[2.0, 0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0, 0.0]]]])
    labels = torch.tensor([[[1, 0, 0, VOID]]])
    each = F.cross_entropy(logits[..., :3], labels[..., :3], reduction="none").flatten()
    assert float(bootstrapped_cross_entropy(logits, labels, 1.0)) == pytest.approx(float(each.mean()))
    assert float(bootstrapped_cross_entropy(logits, labels, 0.3)) == pytest.approx(float(each[0]))
    assert float(bootstrapped_cross_entropy(logits, torch.full_like(labels, VOID), 1.0)) == 0.0


def test_dice_counts_objects_that_are_there_and_no_void() -> None:
    shares = torch.tensor([[[[0.0, 1.0, 0.5]], [[1.0, 0.0, 0.5]]]])  # (1, 2, 1, 3)
    labels = torch.tensor([[[1, 0, VOID]]])
    assert float(dice_loss(shares, labels, torch.tensor([[True]]))) == pytest.approx(0.0)
    wrong = torch.tensor([[[0, 1, VOID]]])
    assert float(dice_loss(shares, wrong, torch.tensor([[True]]))) == pytest.approx(1 - 1 / 3)
    assert float(dice_loss(shares, wrong, torch.tensor([[False]]))) == 0.0


def test_instance_loss_is_lower_for_the_true_masks_and_stands_frames_without_objects() -> None:
    loss = InstanceLoss(TINY, 256)
    labels = torch.zeros(1, 32, 32, dtype=torch.int64)
    labels[0, 4:20, 4:20] = 3
    labels[0, 30:, :] = VOID
    right = torch.where(labels == 3, 8.0, -8.0)[:, None].repeat(1, 2, 1, 1)
    kinds = torch.tensor([[[4.0, -4.0], [-4.0, 4.0]]])
    good = loss((kinds, kinds), (right, right), labels)
    assert good < loss((kinds, kinds), (-right, -right), labels)
    assert loss((kinds,), (right,), torch.zeros_like(labels)).isfinite()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BackboneConfig(widths=(8, 8), depths=(1,)), "width and a depth each"),
        (lambda: InstanceConfig(dim=32), "multiple of 32 from 64"),
        (lambda: InstanceConfig(queries=0), "positive"),
        (lambda: MatchingConfig(key_dim=0), "positive"),
        (lambda: MemoryConfig(every=0), "positive counts"),
        (lambda: MemoryConfig(max_megabytes=0), "positive sizes"),
        (lambda: IsvosConfig(short_side=16), "at least 32"),
        (lambda: IsvosConfig(backbone=BackboneConfig(widths=(8,), depths=(1,))), "four stages"),
        (lambda: replace(TINY, backbone=BackboneConfig("basic", 16, (12, 16, 16, 16), (1,) * 4)), "multiples of 8"),
        (lambda: BootstrapConfig(5, 5), "later one"),
    ],
)
def test_sizes_that_cannot_be_are_refused(make: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()
