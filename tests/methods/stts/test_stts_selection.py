"""Which tokens go on: order, places, oblong maps, constant scores, the dial, and baselines."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.encoders.stts import claims
from onlooker.methods.encoders.stts.baselines import MiddleRegion, RandomFrames, RandomRegion, UniformFrames
from onlooker.methods.encoders.stts.config import (
    CONFIGS,
    MViTConfig,
    SelectionConfig,
    SttsConfig,
    frames_to_keep,
    region_to_keep,
    with_kept,
)
from onlooker.methods.encoders.stts.flops import count_macs
from onlooker.methods.encoders.stts.model import Stts, with_budget
from onlooker.methods.encoders.stts.scorer import ScoreNetwork, min_max
from onlooker.methods.encoders.stts.selection import FrameSelector, RegionSelector
from onlooker.methods.encoders.stts.topk import Perturbation


class FirstChannel(nn.Module):
    """Scores a token by its first channel."""

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens[..., 0]


def numbered(*shape: int) -> Tensor:
    """Tokens whose channels all hold the token's number."""
    count = int(torch.tensor(shape[:-1]).prod())
    return torch.arange(float(count)).reshape(*shape[:-1], 1).expand(shape).clone()


def test_frames_keep_their_order_and_all_their_tokens() -> None:
    selector = FrameSelector(4)
    selector.scorer = FirstChannel()  # type: ignore[assignment]
    tokens = torch.tensor([0.3, 0.9, 0.1, 0.5]).reshape(1, 4, 1, 1).expand(1, 4, 2, 4)
    kept, choice = selector(tokens, 2, None)
    assert choice.indices.tolist() == [[1, 3]]
    assert kept.equal(tokens[:, [1, 3]])
    assert choice.scores[0].tolist() == pytest.approx([0.25, 1.0, 0.0, 0.5], abs=1e-4)


def test_region_is_the_window_with_the_best_mean_and_comes_out_row_by_row() -> None:
    selector = RegionSelector(4)
    selector.scorer = FirstChannel()  # type: ignore[assignment]
    tokens = torch.zeros(1, 2, 4, 4, 4)
    tokens[0, 0, 3, 1, 0] = 1.0  # only windows of 3x3 that begin in row 1 hold it; the first of them wins the tie
    tokens[0, 1, 0, 3, 0] = 1.0
    tokens[..., 1] = torch.arange(16.0).reshape(4, 4)
    kept, choice = selector(tokens, 3, None)
    assert choice.origins.tolist() == [[[1, 0], [0, 1]]]
    assert choice.scores.shape == (1, 2, 4)
    assert kept[0, 0, :, :, 1].tolist() == [[4.0, 5.0, 6.0], [8.0, 9.0, 10.0], [12.0, 13.0, 14.0]]
    assert kept[0, 1, :, :, 1].tolist() == [[1.0, 2.0, 3.0], [5.0, 6.0, 7.0], [9.0, 10.0, 11.0]]


def test_noise_of_nothing_mixes_to_the_same_tokens_as_the_hard_choice() -> None:
    torch.manual_seed(0)
    frames, regions = FrameSelector(8), RegionSelector(8)
    tokens = torch.randn(2, 4, 5, 6, 8)
    for selector, keep, shaped in ((frames, 2, tokens.flatten(2, 3)), (regions, 3, tokens)):
        hard, _ = selector(shaped, keep, None)
        soft, _ = selector(shaped, keep, Perturbation(0.0))
        assert soft.equal(hard)


def test_oblong_maps_have_anchors_along_both_sides() -> None:
    """6x9 tokens, a 3x3 square: strides 1 and 3, so 4 x 3 anchors; the square is found at the far end."""
    selector = RegionSelector(4)
    selector.scorer = FirstChannel()  # type: ignore[assignment]
    tokens = torch.zeros(1, 1, 6, 9, 4)
    tokens[0, 0, 5, 8, 0] = 1.0
    _, choice = selector(tokens, 3, None)
    assert choice.scores.shape == (1, 1, 12)
    assert choice.origins.tolist() == [[[3, 6]]]


def test_a_square_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError, match="does not fit a 4x9 map"):
        RegionSelector(4)(torch.zeros(1, 1, 4, 9, 4), 5, None)
    with pytest.raises(ConfigError, match="does not fit the 4x9 map"):
        region_to_keep((4, 9), 0.9)


def test_constant_scores_become_zeros_and_gradients_stay_finite() -> None:
    scores = torch.full((2, 5), 3.0, requires_grad=True)
    found = min_max(scores)
    assert found.tolist() == [[0.0] * 5] * 2
    found.sum().backward()
    assert scores.grad is not None
    assert scores.grad.isfinite().all()


def test_equal_frames_are_kept_from_the_start_of_the_clip() -> None:
    torch.manual_seed(0)
    selector = FrameSelector(4)
    tokens = torch.randn(1, 1, 3, 4).expand(2, 6, 3, 4)
    kept, choice = selector(tokens, 2, None)
    assert choice.indices.tolist() == [[0, 1]] * 2
    assert kept.isfinite().all()


def test_scorer_judges_a_token_beside_the_others() -> None:
    torch.manual_seed(0)
    scorer = ScoreNetwork(8)
    tokens = torch.randn(1, 4, 8)
    other = tokens.clone()
    other[:, 3] += torch.randn(8)
    assert not torch.allclose(scorer(tokens)[:, 0], scorer(other)[:, 0])
    order = [2, 0, 3, 1]
    assert torch.allclose(scorer(tokens)[:, order], scorer(tokens[:, order]), atol=1e-6)


@pytest.mark.parametrize(
    ("frames", "ratio", "kept"), [(8, 0.875, 7), (8, 0.9, 7), (16, 0.5625, 9), (8, 0.5, 4), (8, 1.0, 8), (4, 0.5, 2)]
)
def test_kept_frames_round_down(frames: int, ratio: float, kept: int) -> None:
    assert frames_to_keep(frames, ratio) == kept


@pytest.mark.parametrize(("ratio", "side", "anchors"), [(0.863, 13, 4), (0.7367, 12, 9), (0.6174, 11, 16)])
def test_released_regions_of_a_14x14_map(ratio: float, side: int, anchors: int) -> None:
    config = SttsConfig(mvit=MViTConfig(), selection=SelectionConfig(space_at=4, space_ratio=ratio))
    assert config.space_map == (14, 14)
    assert config.kept_region == side
    assert config.anchors == anchors


def test_a_ratio_that_keeps_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="keeps none"):
        SttsConfig(mvit=MViTConfig(), selection=SelectionConfig(time_at=0, time_ratio=0.12))
    with pytest.raises(ConfigError, match="keeps nothing"):
        SttsConfig(mvit=MViTConfig(), selection=SelectionConfig(space_at=4, space_ratio=0.005))
    with pytest.raises(ConfigError, match="part in"):
        SelectionConfig(time_ratio=0.0)


@pytest.mark.parametrize("region", range(1, 15))
def test_dial_keeps_exactly_what_it_is_told(region: int) -> None:
    config = with_kept(CONFIGS["paper"], frames=1 + region % 8, region=region)
    assert (config.kept_frames, config.kept_region) == (1 + region % 8, region)


def test_dial_without_a_scorer_or_out_of_range_is_refused() -> None:
    with pytest.raises(ConfigError, match="no `time_at`"):
        with_kept(CONFIGS["mvit-b"], frames=4)
    with pytest.raises(ConfigError, match="`keep_frames` is 1 to 8"):
        with_kept(CONFIGS["paper"], frames=9)
    with pytest.raises(ConfigError, match="`keep_region` is 1 to 14"):
        with_kept(CONFIGS["paper"], region=0)


def test_dial_shares_weights_and_keeping_all_equals_no_selection() -> None:
    torch.manual_seed(0)
    network = Stts(CONFIGS["tiny"]).eval()
    everything = with_budget(network, 4, 4)
    assert everything.classifier is not None
    assert network.classifier is not None
    assert everything.classifier.weight.data_ptr() == network.classifier.weight.data_ptr()
    plain = Stts(replace(CONFIGS["tiny"], selection=SelectionConfig())).eval()
    kept = set(plain.state_dict())
    plain.load_state_dict({name: value for name, value in network.state_dict().items() if name in kept})
    clip = torch.randn(2, 3, 8, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.allclose(everything(clip).logits, plain(clip).logits, atol=1e-6)


def test_one_kept_frame_and_an_oblong_clip_run_in_both_modes() -> None:
    selection = SelectionConfig(time_at=0, time_ratio=0.25, space_at=2, space_ratio=0.4, num_samples=20)
    mvit = MViTConfig(embed_dim=16, depth=3, grow_at=(1,), kv_stride=(1, 4, 4), drop_path=0.0, head_dropout=0.0)
    config = SttsConfig(frames=8, image_size=(48, 80), num_classes=3, mvit=mvit, selection=selection)
    assert (config.kept_frames, config.space_map, config.kept_region) == (1, (6, 10), 4)
    network = Stts(config)
    for training in (True, False):
        output = network.train(training)(torch.randn(2, 3, 8, 48, 80))
        assert output.regions.scores.shape == (2, 1, config.anchors)
        assert output.logits.isfinite().all()


def test_autocast_mixes_in_full_precision() -> None:
    torch.manual_seed(0)
    network = Stts(CONFIGS["tiny"]).train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = network(torch.randn(1, 3, 8, 64, 64))
    output.logits.float().sum().backward()
    assert output.logits.isfinite().all()


def test_clip_of_another_shape_or_type_is_refused() -> None:
    network = Stts(CONFIGS["tiny"])
    for shape in ((1, 3, 8, 64, 32), (1, 1, 8, 64, 64), (1, 3, 16, 64, 64), (3, 8, 64, 64)):
        with pytest.raises(ShapeError, match="a clip is"):
            network(torch.zeros(shape))
    with pytest.raises(ShapeError, match="a sample at least"):
        network(torch.zeros(0, 3, 8, 64, 64))
    with pytest.raises(ShapeError, match="normalised floats"):
        network(torch.zeros(1, 3, 8, 64, 64, dtype=torch.uint8))


def test_baselines_choose_what_their_names_say() -> None:
    tokens = numbered(2, 8, 3, 4)
    kept, choice = UniformFrames()(tokens, 2, None)
    assert choice.indices.tolist() == [[0, 7]] * 2
    assert kept.equal(tokens[:, [0, 7]])
    kept, choice = RandomFrames(0)(tokens, 3, None)
    assert (choice.indices.diff(dim=-1) > 0).all()
    assert kept[1].equal(tokens[1, choice.indices[1]])
    space = numbered(1, 2, 8, 8, 4)
    kept, region = MiddleRegion()(space, 4, None)
    assert region.origins.tolist() == [[[2, 2], [2, 2]]]
    assert kept[0, 0, :, :, 0].equal(space[0, 0, 2:6, 2:6, 0])
    _, region = RandomRegion(0)(space, 4, None)
    assert set(region.origins.flatten().tolist()) <= {0, 2, 4}


@pytest.mark.parametrize(
    ("name", "gmac"),
    [
        ("mvit-b", 70.6),
        pytest.param("mvit-b-t0.9-s0.9", 56.2, marks=pytest.mark.slow),
        pytest.param("mvit-b-t0.8-s0.9", 47.1, marks=pytest.mark.slow),
        pytest.param("mvit-b-t0.6-s0.9", 38.3, marks=pytest.mark.slow),
        pytest.param("mvit-b-t0.5-s0.7", 26.9, marks=pytest.mark.slow),
        ("mvit-b-t0.4-s0.6", 18.4),
    ],
)
def test_cost_is_that_of_the_official_network(name: str, gmac: float) -> None:
    assert count_macs(CONFIGS[name]) / 1e9 == pytest.approx(gmac, rel=0.01)


def test_cost_grows_with_the_batch_and_is_counted_without_running() -> None:
    assert count_macs(CONFIGS["tiny"], 3) == 3 * count_macs(CONFIGS["tiny"])


def test_selection_of_the_accuracy_claim_saves_a_fifth_at_least() -> None:
    full = claims._network_config(16, 32, SelectionConfig())
    assert count_macs(replace(full, selection=claims._FEWER)) <= 0.8 * count_macs(full)
