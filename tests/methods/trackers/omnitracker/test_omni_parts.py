"""Reference tokens, masks by kernels, identities and memory, against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.trackers.omnitracker.config import CONFIGS, DetectorConfig, EnhancementConfig, MaskConfig
from onlooker.methods.trackers.omnitracker.enhancement import (
    Pyramid,
    Reference,
    ReferenceEnhancement,
    box_tokens,
    grid_positions,
    pooled_tokens,
    sine_positions,
)
from onlooker.methods.trackers.omnitracker.identity import auxiliary_loss, choose_pairs, contrastive_loss
from onlooker.methods.trackers.omnitracker.mask_head import (
    MaskHead,
    aligned_upsample,
    kernel_shapes,
    relative_coordinates,
    split_kernels,
)
from onlooker.methods.trackers.omnitracker.memory import TrajectoryMemory

CONFIG = EnhancementConfig(heads=2, hidden=8, pooled_size=4)
SIZES = ((12, 17), (6, 9), (3, 5), (2, 3))  # of odd frames, whose levels are no exact halves


def coordinate_pyramid(dim: int = 2, batch: int = 1) -> Pyramid:
    """Every pixel holds its own (x, y) in parts of the frame, in its first two channels."""
    maps, valid = [], []
    for height, width in SIZES:
        points = grid_positions(height, width, torch.zeros(1)).transpose(1, 2).reshape(1, 2, height, width)
        maps.append(torch.cat([points, torch.zeros(1, dim - 2, height, width)], 1).expand(batch, -1, -1, -1))
        valid.append(torch.ones(batch, height, width, dtype=torch.bool))
    return Pyramid(tuple(maps), tuple(valid))


def some(*boxes: list[float]) -> Tensor:
    return torch.tensor([list(boxes)])


# -- reference tokens -------------------------------------------------------------------------------------------


def test_cells_of_a_box_are_read_at_their_own_places_on_every_level() -> None:
    """A wrong stride on any level would read another place than the one that is said to be read."""
    box = some([0.35, 0.4, 0.65, 0.6])
    reference = box_tokens(coordinate_pyramid(), box, torch.ones(1, 1, dtype=torch.bool), CONFIG)
    for level, (tokens, places) in enumerate(zip(reference.tokens, reference.positions, strict=True)):
        assert tokens.shape == (1, 49, 2)
        # Bilinear reading of a ramp is exact away from the border.
        torch.testing.assert_close(tokens, places, atol=1e-5, rtol=0, msg=f"level {level}")
    first = places[0].reshape(7, 7, 2)
    assert first[0, 0].tolist() == pytest.approx([0.35 + 0.3 / 14, 0.4 + 0.2 / 14])
    assert first[0, 6].tolist() == pytest.approx([0.65 - 0.3 / 14, 0.4 + 0.2 / 14])


def test_boxes_are_read_from_their_own_frame_of_the_batch() -> None:
    pyramid = coordinate_pyramid(batch=2)
    pyramid = Pyramid(tuple(torch.cat([m[:1], m[1:] + 10]) for m in pyramid.maps), pyramid.valid)
    boxes = some([0.4, 0.4, 0.6, 0.6]).expand(2, -1, -1)
    reference = box_tokens(pyramid, boxes, torch.ones(2, 1, dtype=torch.bool), CONFIG)
    torch.testing.assert_close(reference.tokens[0][1], reference.tokens[0][0] + 10)


@pytest.mark.parametrize(
    ("box", "counts"),
    [
        ([0.5, 0.5, 0.5 + 1 / 136, 0.5 + 1 / 96], True),  # one pixel
        ([-0.5, -0.5, 0.1, 0.1], True),
        ([-0.5, -0.5, -0.1, -0.1], False),
        ([0.3, 0.3, 0.3, 0.3], False),
        ([0.6, 0.6, 0.4, 0.4], False),
        ([1.0, 0.2, 1.4, 0.4], False),
    ],
    ids=["pixel", "partly outside", "outside", "empty", "turned", "beyond the right"],
)
def test_boxes_without_extent_in_the_frame_do_not_count(box: list[float], counts: bool) -> None:
    reference = box_tokens(coordinate_pyramid(), some(box), torch.ones(1, 1, dtype=torch.bool), CONFIG)
    assert bool(reference.valid[0].all()) is counts
    assert bool(reference.valid[0].any()) is counts
    assert all(tokens.isfinite().all() for tokens in reference.tokens)


def test_pooled_maps_are_small_and_know_where_they_came_from() -> None:
    reference = pooled_tokens(coordinate_pyramid(), CONFIG)
    assert [tokens.shape[1] for tokens in reference.tokens] == [16, 16, 12, 6]
    torch.testing.assert_close(reference.tokens[3], reference.positions[3])  # not pooled at all: 2 x 3
    assert reference.tokens[0].mean(1).tolist()[0] == pytest.approx([0.5, 0.5], abs=0.02)


def test_padding_is_not_referred_to() -> None:
    pyramid = coordinate_pyramid()
    half = tuple(torch.arange(v.shape[2]).expand_as(v) < v.shape[2] // 2 for v in pyramid.valid)
    flags = pooled_tokens(Pyramid(pyramid.maps, half), CONFIG).valid[0][0].reshape(4, 4)
    assert flags[:, 0].all()
    assert not flags[:, 3].any()


def awake(sharing: str) -> ReferenceEnhancement:
    """An enhancement that is no longer the identity."""
    torch.manual_seed(0)
    config = EnhancementConfig(sharing=sharing, heads=2, hidden=8, pooled_size=4)  # type: ignore[arg-type]
    module = ReferenceEnhancement(8, 4, config)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return module


@pytest.mark.parametrize("sharing", ["shared", "per_level"])
def test_a_fresh_enhancement_changes_nothing_and_a_taught_one_does(sharing: str) -> None:
    pyramid = coordinate_pyramid(8)
    reference = pooled_tokens(pyramid, CONFIG)
    fresh = ReferenceEnhancement(8, 4, EnhancementConfig(sharing=sharing, heads=2, hidden=8))  # type: ignore[arg-type]
    for before, after in zip(pyramid.maps, fresh(pyramid, reference).maps, strict=True):
        assert after.equal(before)
    for before, after in zip(pyramid.maps, awake(sharing)(pyramid, reference).maps, strict=True):
        assert after.shape == before.shape
        assert (after - before).abs().max() > 1e-3


@pytest.mark.parametrize("boxes", [0, 2])
def test_without_a_valid_reference_features_stay_and_gradients_are_finite(boxes: int) -> None:
    """All targets lost: attention over nothing would be NaN."""
    pyramid = coordinate_pyramid(8)
    pyramid = Pyramid(tuple(m.clone().requires_grad_() for m in pyramid.maps), pyramid.valid)
    nothing = torch.zeros(1, boxes, dtype=torch.bool)
    reference = box_tokens(pyramid, torch.rand(1, boxes, 4), nothing, CONFIG)
    module = awake("shared")
    enhanced = module(pyramid, reference)
    for before, after in zip(pyramid.maps, enhanced.maps, strict=True):
        assert after.equal(before)
    sum(m.sum() for m in enhanced.maps).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in module.parameters())
    assert all(m.grad is not None and m.grad.isfinite().all() for m in pyramid.maps)


def test_a_lost_target_in_one_frame_leaves_the_other_frames_enhancement_alone() -> None:
    pyramid = coordinate_pyramid(8, batch=2)
    boxes = some([0.1, 0.1, 0.5, 0.5]).expand(2, -1, -1)
    module = awake("shared")
    both = module(pyramid, box_tokens(pyramid, boxes, torch.tensor([[True], [True]]), CONFIG)).maps[0]
    one = module(pyramid, box_tokens(pyramid, boxes, torch.tensor([[True], [False]]), CONFIG)).maps[0]
    torch.testing.assert_close(one[0], both[0])
    assert one[1].equal(pyramid.maps[0][1])


def test_the_order_of_targets_does_not_matter() -> None:
    pyramid, module = coordinate_pyramid(8), awake("shared")
    boxes = some([0.1, 0.1, 0.5, 0.5], [0.4, 0.2, 0.9, 0.8])
    valid = torch.ones(1, 2, dtype=torch.bool)
    straight = module(pyramid, box_tokens(pyramid, boxes, valid, CONFIG)).maps[1]
    turned = module(pyramid, box_tokens(pyramid, boxes.flip(1), valid, CONFIG)).maps[1]
    torch.testing.assert_close(turned, straight)


def test_tokens_of_one_box_are_its_part_of_all() -> None:
    pyramid = coordinate_pyramid()
    boxes, valid = some([0.1, 0.1, 0.5, 0.5], [0.4, 0.2, 0.9, 0.8]), torch.ones(1, 2, dtype=torch.bool)
    both = box_tokens(pyramid, boxes, valid, CONFIG)
    alone: Reference = box_tokens(pyramid, boxes[:, 1:], valid[:, 1:], CONFIG)
    assert both.part(1, 2).tokens[2].equal(alone.tokens[2])
    assert both.part(0, 2).joined(alone).positions[0].equal(both.positions[0])


def test_positions_are_those_of_detr() -> None:
    from transformers.models.deformable_detr.modeling_deformable_detr import DeformableDetrSinePositionEmbedding

    theirs = DeformableDetrSinePositionEmbedding(8, normalize=True)
    expected = theirs(torch.Size([1, 16, 5, 7]), "cpu", torch.float32).flatten(2).transpose(1, 2)
    torch.testing.assert_close(sine_positions(grid_positions(5, 7, torch.zeros(1)), 16), expected, atol=1e-5, rtol=0)


def test_boxes_of_another_shape_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"expected boxes \(1, K, 4\)"):
        box_tokens(coordinate_pyramid(), torch.zeros(2, 1, 4), torch.ones(2, 1, dtype=torch.bool), CONFIG)


# -- masks ------------------------------------------------------------------------------------------------------


def test_a_query_makes_169_numbers() -> None:
    shapes = kernel_shapes(MaskConfig())
    assert shapes == ((8, 10), (8, 8), (1, 8))
    assert sum(o * i + o for o, i in shapes) == 169


def test_numbers_are_all_weights_then_all_biases() -> None:
    weights, biases = split_kernels(torch.arange(169.0), kernel_shapes(MaskConfig()))
    assert weights[0][0, 0] == 0
    assert weights[1][0, 0] == 80
    assert weights[2][0, 0] == 144
    assert [bias[0].item() for bias in biases] == [152, 160, 168]


def test_coordinates_point_from_pixels_to_the_reference_in_frame_pixels() -> None:
    found = relative_coordinates(torch.tensor([[[0.5, 0.25]]]), (2, 4), (16, 32))[0, 0]
    assert found[0].tolist() == [[12.0, 4.0, -4.0, -12.0]] * 2
    assert found[1].tolist() == [[0.0] * 4, [-8.0] * 4]


def test_upsampling_keeps_pixels_at_their_places() -> None:
    ramp = torch.arange(4.0).expand(1, 1, 2, 4)
    found = aligned_upsample(ramp, 2)[0, 0]
    assert found.shape == (4, 8)
    # Old pixel j stands at new pixel 2j + 1 from the left, halves between.
    assert found[0].tolist() == [0.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    assert aligned_upsample(torch.zeros(2, 0, 3, 3), 2).shape == (2, 0, 6, 6)


def test_kernels_are_applied_as_three_convolutions() -> None:
    """Against an explicit loop over queries and `conv2d`."""
    torch.manual_seed(0)
    head = MaskHead(16, MaskConfig(channels=3, kernel_channels=4, coordinate_px=8.0))
    features, queries, points = torch.randn(2, 3, 5, 6), torch.randn(2, 3, 16), torch.rand(2, 3, 2)
    found = head(features, queries, points, (40, 48))
    numbers = head.controller(queries)
    for b in range(2):
        for n in range(3):
            weights, biases = split_kernels(numbers[b, n], head.weight_shapes)
            offsets = relative_coordinates(points[b : b + 1, n : n + 1], (5, 6), (40, 48))[0, 0] / 8.0
            x = torch.cat([offsets, features[b]])[None]
            for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
                x = torch.conv2d(x if layer == 0 else x.relu(), weight[..., None, None], bias)
            torch.testing.assert_close(found[b, n], aligned_upsample(x, 2)[0, 0], atol=1e-5, rtol=1e-5)


# -- identities -------------------------------------------------------------------------------------------------


def test_contrast_by_hand_and_without_overflow() -> None:
    key = torch.tensor([[1.0, 0.0]])
    others = torch.tensor([[2.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    positive = torch.tensor([[True, False, False]])
    expected = math.log(1 + math.exp(0 - 2) + math.exp(1 - 2))
    assert contrastive_loss(key, others, positive, ~positive).item() == pytest.approx(expected)
    large = contrastive_loss(300 * key, others, ~positive, positive)
    assert large.isfinite().all()
    assert large.item() == pytest.approx(600.0, rel=1e-3)  # the worst pair: 600 - 0


@pytest.mark.parametrize("flag", [True, False])
def test_contrast_without_positives_or_negatives_is_zero_with_a_gradient_of_zero(flag: bool) -> None:
    key = torch.randn(2, 4, requires_grad=True)
    all_or_none = torch.full((2, 3), flag)
    loss = contrastive_loss(key, torch.randn(3, 4), all_or_none, ~all_or_none)
    assert loss.tolist() == [0.0, 0.0]
    loss.sum().backward()
    assert key.grad is not None
    assert not key.grad.isnan().any()


def test_auxiliary_loss_draws_ten_negatives_per_positive() -> None:
    key, others = torch.tensor([[1.0, 0.0]]), torch.cat([torch.tensor([[0.0, 2.0]]), torch.ones(40, 2)])
    positive = torch.zeros(1, 41, dtype=torch.bool)
    positive[0, 0] = True
    found = auxiliary_loss(key, others, positive, ~positive, torch.Generator().manual_seed(0))
    assert found.item() == pytest.approx((1.0 + 10 * 0.5) / 11)  # (0 - 1)^2, ten times cos(45 deg)^2


def test_pairs_are_the_queries_on_an_object_and_negatives_far_from_it() -> None:
    objects = torch.tensor([[0.3, 0.3, 0.2, 0.2], [0.7, 0.7, 0.2, 0.2]])
    boxes = torch.tensor([[0.3, 0.3, 0.2, 0.2], [0.31, 0.3, 0.2, 0.2], [0.7, 0.7, 0.2, 0.2], [0.1, 0.9, 0.1, 0.1]])
    scores = torch.full((4, 3), 0.5)
    pairs = choose_pairs(scores, boxes, objects, torch.tensor([0, 2]))
    assert pairs.positive.tolist() == [[True, False, False, False], [False, False, True, False]]
    assert not pairs.negative[0, 0]
    assert pairs.negative[:, 3].all()
    none = choose_pairs(scores, boxes, objects[:0], torch.zeros(0, dtype=torch.long))
    assert none.positive.shape == (0, 4)


def test_two_objects_on_one_place_both_get_a_query() -> None:
    objects = torch.tensor([[0.3, 0.3, 0.2, 0.2], [0.3, 0.3, 0.2, 0.2]])
    boxes = torch.tensor([[0.3, 0.3, 0.2, 0.2], [0.8, 0.8, 0.1, 0.1], [0.6, 0.1, 0.1, 0.1]])
    pairs = choose_pairs(torch.full((3, 1), 0.5), boxes, objects, torch.zeros(2, dtype=torch.long))
    assert pairs.positive.any(1).all()
    assert (pairs.positive.sum(0) <= 1).all()


# -- memory -----------------------------------------------------------------------------------------------------


def unit(place: int) -> Tensor:
    return torch.eye(4)[place]


def test_newer_and_surer_identities_count_more() -> None:
    memory = TrajectoryMemory(2, keep_first=False)
    assert memory.key() is None
    for place, score in enumerate((0.9, 0.5, 0.8)):
        memory.remember(unit(place), score)
    weights = [0.5 + 1 / 2, 0.8 + 2 / 2]  # the first has gone
    expected = [0.0, weights[0] / sum(weights), weights[1] / sum(weights), 0.0]
    assert memory.key().tolist() == pytest.approx(expected)  # type: ignore[union-attr]


def test_the_given_identity_is_never_forgotten() -> None:
    memory = TrajectoryMemory(1, "scores", keep_first=True)
    for place, score in enumerate((1.0, 0.5, 0.5)):
        memory.remember(unit(place), score)
    assert len(memory) == 2
    assert memory.key().tolist() == pytest.approx([1 / 1.5, 0.0, 0.5 / 1.5, 0.0])  # type: ignore[union-attr]


def test_scores_of_zero_still_have_a_mean() -> None:
    memory = TrajectoryMemory(2, "scores", keep_first=False)
    memory.remember(unit(0), 0.0)
    memory.remember(unit(1), 0.0)
    assert memory.key().tolist() == [0.5, 0.5, 0.0, 0.0]  # type: ignore[union-attr]


@pytest.mark.parametrize("identity", [torch.tensor([1.0, float("nan")]), torch.zeros(1, 3)])
def test_what_is_no_identity_is_not_remembered(identity: Tensor) -> None:
    with pytest.raises(ShapeError, match="finite vector"):
        TrajectoryMemory(2, keep_first=False).remember(identity, 1.0)


# -- configuration ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [({"dim": 48}, "multiple of 32"), ({"two_stage": True, "box_refine": False}, "needs `box_refine`")],
)
def test_sizes_that_cannot_be_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        DetectorConfig(**options)  # type: ignore[arg-type]


def test_the_tiny_detector_has_the_size_of_the_sheet() -> None:
    from onlooker.methods.trackers.omnitracker.model import OmniTrackerNetwork

    with torch.device("meta"):
        network = OmniTrackerNetwork(CONFIGS["tiny"])
    detector = sum(p.numel() for n, p in network.named_parameters() if n.startswith(("model.", "class_", "bbox_")))
    assert detector == pytest.approx(0.41e6, rel=0.01)
