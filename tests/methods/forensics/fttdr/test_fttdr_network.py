"""Both stages and their parts, against values worked out by hand and scipy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.fft import dctn, idctn
from torch import Tensor, nn
from torch.nn import functional

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.forensics.fttdr.config import (
    CONFIGS,
    FrequencyConfig,
    FtTdrConfig,
    InpaintConfig,
    MaskNetConfig,
)
from onlooker.methods.forensics.fttdr.cvit import PatchAttention
from onlooker.methods.forensics.fttdr.frequency import HighPass, dct_matrix
from onlooker.methods.forensics.fttdr.inpaint_net import dilate, transfer
from onlooker.methods.forensics.fttdr.mask_net import MaskNet, coherence
from onlooker.methods.forensics.fttdr.model import FtTdr

CPU = torch.device("cpu")
SMALL = FtTdrConfig(
    image_size=32,
    mask_net=MaskNetConfig(FrequencyConfig(alpha=0.3), channels=8, blocks=1, patches=(4, 2)),
    inpaint_net=InpaintConfig(widths=(4, 6, 8), dilations=(2,), attention_side=8),
    dilate_px=1,
)
PICTURE = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def network(config: FtTdrConfig = SMALL, seed: int = 0) -> FtTdr:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return FtTdr(config)


def test_the_cosine_transform_is_scipys_and_its_transpose_undoes_it() -> None:
    matrix = dct_matrix(12, CPU)
    x = PICTURE[0, 0, :12, :12]
    np.testing.assert_allclose((matrix @ x @ matrix.T).numpy(), dctn(x.numpy(), norm="ortho"), atol=1e-5)
    torch.testing.assert_close(matrix.T @ matrix, torch.eye(12), atol=1e-5, rtol=0)


@pytest.mark.parametrize("rule", ["sum", "max"])
def test_the_high_pass_keeps_what_lies_beyond_the_cut(rule: str) -> None:
    found = HighPass(FrequencyConfig(alpha=0.3, rule=rule, gain=2.0))(PICTURE[:1, :1, :, :20])
    spectrum = dctn(PICTURE[0, 0, :, :20].numpy(), norm="ortho")
    u, v = np.arange(32)[:, None] / 32, np.arange(20)[None] / 20
    spectrum[(u + v if rule == "sum" else np.maximum(u, v)) <= 0.3] = 0
    np.testing.assert_allclose(found[0, 0].numpy(), 2 * idctn(spectrum, norm="ortho"), atol=1e-4)


def test_one_colour_has_no_high_frequencies_and_a_pasted_board_has_them_at_its_edge() -> None:
    view = HighPass(FrequencyConfig(alpha=0.2))
    assert view(torch.full((1, 3, 32, 32), 0.7)).abs().max() < 1e-4
    board = torch.zeros(1, 1, 64, 64)
    board[..., 20:44, 20:44] = 1.0
    found = view(board)[0, 0].abs()
    assert found[19:21, 22:42].mean() > 4 * found[28:36, 28:36].mean()
    assert found[19:21, 22:42].mean() > 4 * found[2:10, 2:10].mean()


def test_half_precision_leaves_no_rounding_in_the_high_pass() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert HighPass(FrequencyConfig())(torch.full((1, 3, 32, 32), 0.7)).abs().max() < 1e-4


def plain_attention(channels: int, patches: tuple[int, ...]) -> PatchAttention:
    """Without projections and merging."""
    layer = PatchAttention(channels, patches)
    for projection in (layer.query, layer.key, layer.value):
        with torch.no_grad():
            projection.weight.copy_(torch.eye(channels)[:, :, None, None])
            projection.bias.zero_()
    layer.merge = nn.Identity()
    return layer


def test_attention_is_between_whole_patches_of_each_heads_size() -> None:
    x = torch.randn(1, 2, 4, 4, generator=torch.Generator().manual_seed(1))
    found = plain_attention(2, (2, 1))(x)
    patches = [x[0, :1, i : i + 2, j : j + 2].flatten() for i in (0, 2) for j in (0, 2)]
    tokens = torch.stack(patches)  # 4 patches of 4 values
    first = (tokens @ tokens.T / 4**0.5).softmax(dim=-1) @ tokens
    torch.testing.assert_close(found[0, 0, :2, 2:].flatten(), first[1])
    pixels = x[0, 1].flatten()[:, None]
    second = (pixels @ pixels.T).softmax(dim=-1) @ pixels
    torch.testing.assert_close(found[0, 1].flatten(), second.flatten())


def test_coherence_is_the_mean_cosine_to_the_neighbours() -> None:
    x = torch.randn(1, 3, 4, 5, generator=torch.Generator().manual_seed(2))
    found = coherence(x, 3)
    for row, column in ((0, 0), (0, 2), (2, 3)):
        around = [
            functional.cosine_similarity(x[0, :, row, column], x[0, :, i, j], dim=0)
            for i in range(max(0, row - 1), min(4, row + 2))
            for j in range(max(0, column - 1), min(5, column + 2))
            if (i, j) != (row, column)
        ]
        assert float(found[0, 0, row, column]) == pytest.approx(float(torch.stack(around).mean()), abs=1e-5)
    torch.testing.assert_close(coherence(torch.ones(1, 2, 6, 6), 3), torch.ones(1, 1, 6, 6))
    assert coherence(torch.zeros(1, 2, 6, 6), 5).equal(torch.zeros(1, 1, 6, 6))


def test_coherence_is_lower_along_an_edge() -> None:
    x = torch.ones(1, 2, 8, 8)
    x[:, 1, :, 4:] = -1.0
    found = coherence(x, 3)[0, 0]
    assert found[4, 3] < 0.7
    assert found[4, 1] == pytest.approx(1.0)


def test_damaged_places_copy_the_sound_place_that_looks_like_them_below() -> None:
    deeper = torch.zeros(1, 2, 2, 2)
    deeper[0, 0, 0], deeper[0, 1, 1] = 1.0, 1.0  # the upper row looks alike, the lower row otherwise
    features = torch.arange(16.0).view(1, 1, 4, 4)
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., :2, :2] = 1.0  # the upper left place
    found = transfer(deeper, features, mask, 1, 1000.0)
    assert found[0, 0, :2, :2].tolist() == features[0, 0, :2, 2:].tolist()
    assert found[mask == 0].equal(features[mask == 0])


def test_when_all_is_damaged_every_place_counts_and_nothing_breaks() -> None:
    features = torch.arange(16.0).view(1, 1, 4, 4)
    found = transfer(torch.zeros(1, 2, 2, 2), features, torch.ones(1, 1, 4, 4), 1, 10.0)
    places = torch.stack([features[0, 0, i : i + 2, j : j + 2] for i in (0, 2) for j in (0, 2)])
    torch.testing.assert_close(found[0, 0, 2:, :2], places.mean(dim=0))


def test_larger_cells_copy_whole_squares() -> None:
    deeper = torch.randn(1, 3, 4, 4, generator=torch.Generator().manual_seed(3))
    features = torch.randn(1, 2, 8, 8, generator=torch.Generator().manual_seed(4))
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 1, 1] = 1.0  # one pixel makes its whole square no donor, and is all that changes
    found = transfer(deeper, features, mask, 2, 1000.0)
    assert (found != features).any(dim=1).sum() == 1
    copies = {tuple(features[0, :, 1 + i, 1 + j].tolist()) for i, j in ((0, 4), (4, 0), (4, 4))}
    assert tuple(found[0, :, 1, 1].tolist()) in copies


def test_masks_grow_by_squares_and_stay_soft() -> None:
    mask = torch.zeros(1, 1, 7, 7)
    mask[..., 3, 3] = 0.6
    grown = dilate(mask, 2)
    assert (grown == 0.6).nonzero().shape[0] == 25
    assert dilate(mask, 0).equal(mask)


def test_damage_is_white_for_stage_two_and_the_rest_is_the_picture_in_the_end() -> None:
    mask = torch.zeros(2, 1, 32, 32)
    mask[:, :, 8:16, 8:16] = 1.0
    with torch.no_grad():
        found = network().eval()(PICTURE, mask)
    inside = mask.expand(-1, 3, -1, -1) == 1
    assert (found.masked[inside] == 1).all()
    assert found.masked[~inside].equal(PICTURE[~inside])
    assert found.image[~inside].equal(PICTURE[~inside])
    assert found.image[inside].equal(found.raw[inside])
    assert found.mask.equal(mask)


def test_what_lies_under_a_given_mask_cannot_be_seen() -> None:
    mask = torch.zeros(2, 1, 32, 32)
    mask[:, :, 8:16, 8:16] = 1.0
    other = torch.where(mask == 1, 0.25, PICTURE)
    net = network().eval()
    with torch.no_grad():
        assert net(PICTURE, mask).raw.equal(net(other, mask).raw)


def test_masks_are_soft_in_training_so_that_stage_two_teaches_stage_one_and_hard_afterwards() -> None:
    net = network().train()
    net(PICTURE).raw.sum().backward()
    assert all(parameter.grad is not None for parameter in net.mask_net.parameters())
    assert any(float(parameter.grad.abs().max()) > 0 for parameter in net.mask_net.parameters())
    with torch.no_grad():
        found = net.eval()(PICTURE)
    assert set(found.mask.unique().tolist()) <= {0.0, 1.0}
    hard = (found.mask_logits.sigmoid() >= SMALL.threshold).float()
    assert found.mask.equal(dilate(hard, SMALL.dilate_px))


@pytest.mark.parametrize("view", ["pixels", "none"])
def test_ablations_of_the_second_view_start_from_the_same_weights(view: str) -> None:
    def made(config: MaskNetConfig) -> dict[str, Tensor]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            return MaskNet(config).state_dict()

    full = made(SMALL.mask_net)
    other = made(replace(SMALL.mask_net, frequency=FrequencyConfig(second_view=view)))
    assert set(other) == set(full) if view == "pixels" else set(other) < set(full)
    assert all(full[name].equal(value) for name, value in other.items())


def test_the_convolutions_that_replace_attention_have_as_many_weights() -> None:
    def count(config: FtTdrConfig) -> int:
        return sum(parameter.numel() for parameter in FtTdr(config).parameters())

    plain = replace(SMALL, mask_net=replace(SMALL.mask_net, attention="convolution"))
    assert count(plain) == count(SMALL)


def test_a_single_stage_gives_picture_and_mask_at_once_and_needs_no_mask() -> None:
    stage = replace(SMALL.inpaint_net, transfer=False, mask_in_decoder=False)
    net = network(replace(SMALL, stages="one", inpaint_net=stage)).eval()
    assert net.mask_net is None
    with torch.no_grad():
        found = net(PICTURE)
        assert found.masked.equal(PICTURE)
        assert net.find(PICTURE).equal(found.mask_logits)
        assert net.fill(PICTURE, found.mask, found.mask_logits).image.equal(found.image)


def test_oblong_pictures_of_the_right_multiple_are_taken() -> None:
    with torch.no_grad():
        found = network().eval()(torch.rand(1, 3, 32, 64, generator=torch.Generator().manual_seed(1)))
    assert found.image.shape == (1, 3, 32, 64)
    assert [tuple(side.shape[-2:]) for side in found.sides] == [(16, 32), (8, 16)]


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (PICTURE[0], "expected pictures"),
        (PICTURE[:, :1], "expected pictures"),
        (PICTURE[..., :20], "multiples of 16"),
        (PICTURE[:0], "a sample at least"),
        ((PICTURE * 255).to(torch.uint8), "normalised floats"),
        (PICTURE.double(), "weights are"),
        (PICTURE * 255, r"pixels are in \[0, 1\]"),
        (PICTURE * float("nan"), "NaN or infinity"),
    ],
)
def test_pictures_that_cannot_be_are_refused(picture: Tensor, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        network()(picture)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (torch.zeros(2, 3, 32, 32), "expected a mask"),
        (torch.zeros(2, 1, 32, 16), "expected a mask"),
        (torch.zeros(2, 1, 32, 32, dtype=torch.bool), "expected a mask"),
        (torch.full((2, 1, 32, 32), 255.0), "1 where damaged"),
        (torch.full((2, 1, 32, 32), float("nan")), "1 where damaged"),
    ],
)
def test_masks_that_cannot_be_are_refused(mask: Tensor, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        network()(PICTURE, mask)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FrequencyConfig(alpha=-0.1), "alpha"),
        (lambda: FrequencyConfig(alpha=1.0, rule="max"), "alpha"),
        (lambda: FrequencyConfig(gain=0.0), "gain"),
        (lambda: MaskNetConfig(channels=10, patches=(2, 1)), "multiple of 4"),
        (lambda: MaskNetConfig(patches=()), "positive"),
        (lambda: MaskNetConfig(window=4), "odd"),
        (lambda: InpaintConfig(widths=(8,)), "two levels"),
        (lambda: InpaintConfig(temperature=0.0), "positive"),
        (lambda: replace(SMALL, image_size=40), "multiple of 16"),
        (lambda: replace(SMALL, mask_net=replace(SMALL.mask_net, patches=(8, 2))), "whole map"),
        (lambda: replace(SMALL, stages="one"), "no mask to copy by"),
        (lambda: replace(SMALL, threshold=1.0), "threshold"),
    ],
)
def test_settings_that_cannot_be_are_refused(make: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


def test_the_papers_network_takes_256_pixels_and_compares_at_most_32_places_a_side() -> None:
    paper = CONFIGS["paper"]
    assert paper.multiple == 128
    assert [paper.cell(level) for level in range(3)] == [4, 2, 1]
