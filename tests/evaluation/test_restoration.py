"""Scores of restored pictures, against values by hand and scikit-image."""

from __future__ import annotations

import numpy as np
import pytest

from onlooker.errors import ShapeError
from onlooker.evaluation.restoration import PERFECT_DB, psnr_db, ssim

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 256, (20, 31, 3)).astype(np.uint8)
FOUND = np.clip(TRUTH + RNG.normal(0, 20, TRUTH.shape), 0, 255).astype(np.uint8)


def test_psnr_by_hand() -> None:
    truth, found = np.zeros((2, 2)), np.array([[0.1, 0.1], [0.1, 0.1]])
    assert psnr_db(found, truth, 1.0) == pytest.approx(20.0)
    assert psnr_db(found, truth, 10.0) == pytest.approx(40.0)
    assert psnr_db(truth, truth, 1.0) == PERFECT_DB


def test_psnr_of_the_damaged_places_counts_them_alone() -> None:
    truth, found = np.zeros((2, 2, 3)), np.zeros((2, 2, 3))
    found[0, 0] = 0.1
    where = np.array([[True, False], [False, False]])
    assert psnr_db(found, truth, 1.0, where) == pytest.approx(20.0)
    assert psnr_db(found, truth, 1.0) == pytest.approx(20.0 + 10 * np.log10(4))


def test_bytes_do_not_wrap_around() -> None:
    black, white = np.zeros((12, 12), np.uint8), np.full((12, 12), 255, np.uint8)
    assert psnr_db(black, white, 255) == pytest.approx(0.0)
    assert ssim(black, white, 255) == pytest.approx((0.01 * 255) ** 2 / (255**2 + (0.01 * 255) ** 2))


def test_ssim_equals_the_library() -> None:
    metrics = pytest.importorskip("skimage.metrics")
    options = {"data_range": 255, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    assert ssim(FOUND, TRUTH, 255) == pytest.approx(
        metrics.structural_similarity(FOUND, TRUTH, channel_axis=2, **options), abs=1e-9
    )
    grey = metrics.structural_similarity(FOUND[..., 0], TRUTH[..., 0], **options)
    assert ssim(FOUND[..., 0], TRUTH[..., 0], 255) == pytest.approx(grey, abs=1e-9)
    assert psnr_db(FOUND, TRUTH, 255) == pytest.approx(metrics.peak_signal_noise_ratio(TRUTH, FOUND, data_range=255))


@pytest.mark.parametrize(
    ("found", "truth", "message"),
    [
        (FOUND[:10], TRUTH, "one shape"),
        (FOUND[0, 0], TRUTH[0, 0], "one shape"),
        (FOUND[:9], TRUTH[:9], "11 pixels each way"),
    ],
)
def test_pictures_that_cannot_be_compared_are_refused(found: np.ndarray, truth: np.ndarray, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        ssim(found, truth, 255)


def test_no_pixel_and_no_range_are_refused() -> None:
    with pytest.raises(ShapeError, match="no pixel to score"):
        psnr_db(FOUND, TRUTH, 255, np.zeros((20, 31), np.bool_))
    with pytest.raises(ShapeError, match="positive"):
        psnr_db(FOUND, TRUTH, 0)
    with pytest.raises(ShapeError, match="of the pictures"):
        psnr_db(FOUND, TRUTH, 255, np.ones((3, 3), np.bool_))
