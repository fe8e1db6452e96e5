"""The second stream: what the cosine transform keeps of a picture, and what it must not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.fft import dctn, idctn

from onlooker.errors import ConfigError
from onlooker.media.images import from_jpeg, to_jpeg
from onlooker.methods.forensics.objectformer.config import FrequencyConfig
from onlooker.methods.forensics.objectformer.frequency import dct_matrix, high_frequencies, high_pass

CPU = torch.device("cpu")


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", [(8, 8), (31, 48)])
def test_transform_is_the_orthonormal_dct_of_scipy(size: tuple[int, int]) -> None:
    image = noise(*size)
    ours = dct_matrix(size[0], CPU) @ image @ dct_matrix(size[1], CPU).T
    assert np.abs(ours.numpy() - dctn(image.numpy(), norm="ortho")).max() < 1e-5
    back = dct_matrix(size[0], CPU).T @ ours @ dct_matrix(size[1], CPU)
    assert (back - image).abs().max() < 1e-5


@pytest.mark.parametrize("rule", ["corner", "sum"])
def test_high_pass_is_what_scipy_makes_of_the_cut_coefficients(rule: str) -> None:
    config = FrequencyConfig(alpha=0.3, rule=rule, gain=4.0)  # type: ignore[arg-type]
    image = noise(2, 3, 24, 40)
    rows, columns = np.arange(24)[:, None] / 24, np.arange(40)[None, :] / 40
    keep = np.maximum(rows, columns) >= 0.3 if rule == "corner" else rows + columns > 0.3
    expected = 4.0 * idctn(dctn(image.numpy(), axes=(2, 3), norm="ortho") * keep, axes=(2, 3), norm="ortho")
    assert np.abs(high_pass(image, config).numpy() - expected).max() < 1e-4


def test_corner_rule_cuts_a_block_and_sum_rule_a_triangle() -> None:
    corner = high_frequencies(10, 10, FrequencyConfig(alpha=0.25), CPU)
    assert corner[:3, :3].sum() == 0
    assert corner.sum() == 100 - 9
    triangle = high_frequencies(10, 10, FrequencyConfig(alpha=0.25, rule="sum"), CPU)
    assert triangle.sum() == 100 - 6  # (0, 0), (0, 1), (1, 0), (0, 2), (2, 0), (1, 1)


def test_nothing_is_left_of_one_colour_and_brightness_does_not_matter() -> None:
    config = FrequencyConfig(gain=8.0)
    assert high_pass(torch.full((1, 3, 40, 40), 0.7), config).abs().max() < 1e-4
    image = noise(1, 3, 40, 40)
    assert (high_pass(image + 0.5, config) - high_pass(image, config)).abs().max() < 1e-4


def test_less_than_a_hundredth_of_a_smooth_picture_is_left() -> None:
    place = torch.linspace(0, 3.0, 64)
    smooth = (place[:, None].cos() * place[None, :].sin())[None, None]
    assert high_pass(smooth, FrequencyConfig()).square().sum() < 0.01 * smooth.square().sum()


def test_grid_of_a_jpeg_shows_as_peaks_every_eight_pixels() -> None:
    ramp = np.rint(np.add.outer(np.arange(64), np.arange(64)) * 1.7 + 13).clip(0, 255).astype(np.uint8)
    saved = from_jpeg(to_jpeg(np.repeat(ramp[..., None], 3, axis=2), 10))
    left = high_pass(torch.from_numpy(saved.copy()).permute(2, 0, 1).float()[None], FrequencyConfig(0.5)).abs()
    steps = (left[..., 1:] - left[..., :-1]).abs().mean(dim=(0, 1, 2))
    edges = steps[7::8].mean()  # between pixels 7 and 8, 15 and 16, ...
    others = torch.cat([steps[start::8] for start in range(7)]).mean()
    assert edges > 1.5 * others


@pytest.mark.parametrize(("alpha", "gain"), [(0.0, 1.0), (1.0, 1.0), (float("nan"), 1.0), (0.1, 0.0)])
def test_cuts_that_keep_all_or_nothing_are_refused(alpha: float, gain: float) -> None:
    with pytest.raises(ConfigError, match=r"`(alpha|gain)`"):
        FrequencyConfig(alpha=alpha, gain=gain)
