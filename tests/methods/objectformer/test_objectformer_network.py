"""Both networks: parts checked by hand, sizes that must not matter, and what they refuse."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.forensics.objectformer import CONFIGS, ObjectFormer, ObjectFormerConfig, ObjectFormerReleased
from onlooker.methods.forensics.objectformer.config import PaperConfig, ReleasedConfig
from onlooker.methods.forensics.objectformer.incoherence import coherence
from onlooker.methods.forensics.objectformer.model import Layer, map_to_tokens, sine_positions, tokens_to_map
from onlooker.methods.forensics.objectformer.released import WindowPositions, cut_windows, join_windows

SMALL = PaperConfig(embedding="stem", channels=16, heads=2, layers=2, prototypes=4, token_ffn=2)


def image(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def paper_network(**changes: object) -> ObjectFormer:
    torch.manual_seed(0)
    return ObjectFormer(ObjectFormerConfig(paper=replace(SMALL, **changes), image_size=32)).eval()


def test_coherence_is_the_mean_cosine_with_neighbours_that_exist() -> None:
    east, north = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 2.0])
    row = torch.stack([east, 3 * east, north], dim=1)[None, :, None, :]  # (1, 2, 1, 3)
    # Cosines: left 1 and 1; middle 1, 1 and 0; right 0 and 1. Lengths do not matter, nor what is outside.
    assert coherence(row, 3)[0, 0, 0].tolist() == pytest.approx([1.0, 2 / 3, 0.5])


def test_coherence_equals_pairwise_cosines() -> None:
    features = image(1, 5, 6, 7)
    found = coherence(features, 3)
    for row, column in [(0, 0), (2, 3), (5, 6), (5, 2)]:
        window = features[0, :, max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2].flatten(1)
        here = features[0, :, row, column, None]
        cosines = torch.nn.functional.cosine_similarity(here, window, dim=0)
        assert found[0, 0, row, column].item() == pytest.approx(cosines.mean().item(), abs=1e-6)


def test_a_map_of_zeros_has_no_coherence_and_no_nan() -> None:
    assert coherence(torch.zeros(1, 4, 3, 3), 3).eq(0).all()


def test_streams_stay_apart_between_tokens_and_map() -> None:
    first, second = image(2, 4, 3, 5), image(2, 4, 3, 5) + 10
    tokens = torch.cat([part.flatten(2).transpose(1, 2) for part in (first, second)], dim=1)  # (2, 30, 4)
    features = tokens_to_map(tokens, (3, 5))
    assert features.equal(torch.cat([first, second], dim=1))
    assert map_to_tokens(features, 4).equal(tokens)


def test_positions_tell_every_place_apart() -> None:
    places = sine_positions((7, 9), 16).flatten(1).T
    apart = torch.cdist(places, places) + torch.eye(63) * 9
    assert apart.min() > 0.05


def test_second_stream_sees_what_the_first_one_cannot_tell_from_brightness() -> None:
    """With the high frequencies switched off the network is another one; with `rgb` both streams see the same."""
    picture = image(1, 3, 32, 32)
    full, same = paper_network(), paper_network(second_stream="rgb")
    assert [name for name, _ in full.named_parameters()] == [name for name, _ in same.named_parameters()]
    assert not full(picture).mask_logits.allclose(same(picture).mask_logits, atol=1e-6)
    assert len(paper_network(second_stream="none").embeddings) == 1


def test_prototypes_are_all_that_mixes_far_places() -> None:
    """Without them the far corner of a picture does not reach a place; with them it does."""
    near, far = image(1, 3, 64, 64), image(1, 3, 64, 64)
    far[..., 48:, 48:] += 3.0
    for prototypes, reaches in ((4, True), (None, False)):
        network = paper_network(prototypes=prototypes, second_stream="none", layers=1)
        found = (network(near).mask_logits - network(far).mask_logits)[..., :8, :8].abs().max()
        assert bool(found > 0) is reaches


def test_prototype_maps_share_out_every_place() -> None:
    maps = paper_network().prototype_maps(image(2, 3, 32, 48))
    assert maps.shape == (2, 4, 8, 12)
    assert maps.sum(dim=1).allclose(torch.ones(2, 8, 12))
    with pytest.raises(ConfigError, match="without prototypes"):
        paper_network(prototypes=None).prototype_maps(image(1, 3, 32, 32))


def test_a_layer_costs_in_proportion_to_its_tokens() -> None:
    layer, prototypes = Layer(replace(SMALL, incoherence_window=None)), image(1, 4, 16)
    flops = []
    for side in (8, 16):
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            layer(image(1, side * side, 16), prototypes, (side, side))
        flops.append(counter.get_total_flops())
    # Four times the tokens; what the prototypes do among themselves stays.
    assert 3.5 < flops[1] / flops[0] <= 4.0


@pytest.mark.parametrize("size", [(33, 47), (8, 8), (32, 100)])
def test_masks_have_the_size_of_the_picture_whatever_it_is(size: tuple[int, int]) -> None:
    output = paper_network()(image(1, 3, *size))
    assert output.mask_logits.shape == (1, 1, *size)
    assert output.mask_prob.min() > 0
    assert output.mask_prob.max() < 1


@pytest.mark.parametrize("stride", [4, 16])
def test_trunk_of_the_paper_makes_maps_of_its_stride(stride: int) -> None:
    sizes = replace(SMALL, embedding="efficientnet_b4", stride=stride, layers=1, second_stream="none")
    network = ObjectFormer(ObjectFormerConfig(paper=sizes, image_size=64)).eval()
    assert network.prototype_maps(image(1, 3, 64, 64)).shape[2:] == (64 // stride, 64 // stride)
    assert network(image(1, 3, 64, 64)).mask_logits.shape == (1, 1, 64, 64)


def test_windows_come_back_without_what_filled_them_up() -> None:
    features = image(2, 9, 11, 3)  # (B, H, W, C)
    windows = cut_windows(features, 4)
    assert windows.tokens.shape == (2, 9, 16, 3)
    assert windows.tokens[:, 0, 5].equal(features[:, 1, 1])  # second row and column of the first window
    assert windows.tokens[:, 4, 0].equal(features[:, 4, 4])  # first token of the middle window
    assert windows.tokens[:, 8, 1:4].equal(torch.cat([features[:, 8, 9:11], torch.zeros(2, 1, 3)], dim=1))
    assert join_windows(windows, 4).equal(features.permute(0, 3, 1, 2))


def test_window_positions_score_by_distance_in_rows_and_columns() -> None:
    positions = WindowPositions(3, 8)
    query = image(1, 2, 9, 8)
    scores = positions(query)
    for asker, asked in [(0, 0), (4, 2), (8, 1), (2, 6)]:
        down, across = asked // 3 - asker // 3, asked % 3 - asker % 3
        expected = query[0, 1, asker, :4] @ positions.rel_emb_h[down + 2]
        expected = expected + query[0, 1, asker, 4:] @ positions.rel_emb_w[across + 2]
        assert scores[0, 1, asker, asked].item() == pytest.approx(expected.item(), abs=1e-5)


def test_filled_up_places_take_part_in_the_released_attention() -> None:
    """As the official code does it: the same picture in a larger window grid gives other features."""
    config = CONFIGS["tiny-released"]
    torch.manual_seed(0)
    network = ObjectFormerReleased(config).eval()
    output = network(image(1, 3, 70, 90))
    assert output.mask_logits.shape == (1, 3, 70, 90)
    assert output.image_logit.isfinite().all()


@pytest.mark.parametrize("name", ["tiny", "tiny-released"])
def test_pictures_that_cannot_be_judged_are_refused_in_plain_words(name: str) -> None:
    config = CONFIGS[name]
    network = ObjectFormer(config) if config.paper is not None else ObjectFormerReleased(config)
    spoiled = image(1, 3, 64, 64)
    spoiled[0, 1, 2, 3] = float("nan")
    with pytest.raises(ShapeError, match="NaN"):
        network(spoiled)
    with pytest.raises(ShapeError, match=f"at least {config.smallest_side} pixels"):
        network(image(1, 3, 64, config.smallest_side - 1))
    with pytest.raises(ShapeError, match=r"\(B, 3, H, W\), got \(1, 1, 64, 64\)"):
        network(image(1, 1, 64, 64))
    with pytest.raises(ShapeError, match="divide by 255"):
        network(torch.zeros(1, 3, 64, 64, dtype=torch.uint8))
    network(image(1, 3, config.smallest_side, config.smallest_side).expand(2, -1, -1, -1))  # the smallest that goes


def test_each_class_refuses_the_configuration_of_the_other() -> None:
    with pytest.raises(ConfigError, match="`ObjectFormerReleased`"):
        ObjectFormer(CONFIGS["tiny-released"])
    with pytest.raises(ConfigError, match="`ObjectFormer` is the paper's"):
        ObjectFormerReleased(CONFIGS["tiny"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channels": 18}, "multiple of 4"),
        ({"stride": 8}, "`stride` of `stem`"),
        ({"incoherence_window": 4}, "odd"),
        ({"layers": 0}, "`layers`"),
        ({"prototypes": 0}, "`prototypes`"),
    ],
)
def test_sizes_that_cannot_be_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(SMALL, **changes)


def test_released_stages_are_named_alike() -> None:
    with pytest.raises(ConfigError, match="`blocks` names 4 stages"):
        ReleasedConfig(blocks=(1, 1, 1))
    with pytest.raises(ConfigError, match="twice `heads`"):
        ReleasedConfig(heads=(5, 6, 12, 24))
    with pytest.raises(ConfigError, match="exactly one network"):
        ObjectFormerConfig()
    with pytest.raises(ConfigError, match="`image_size`"):
        ObjectFormerConfig(released=ReleasedConfig(), image_size=16)
