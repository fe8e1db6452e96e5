"""What a detector could learn instead of the manipulation, on the builder's real output and on sets made to leak."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from onlooker.synth.forgeries import ForgedImage, ForgedTiles, ForgeryConfig, chain, photo_sources
from onlooker.synth.forgeries.leaks import all_ones_f1, centre_prior_auc, linear_auc, measure_leaks

pytest.importorskip("sklearn")


def disc(x: float, y: float, radius: float, size: int = 64) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size]
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2


def leaky(item: ForgedImage, quality: int) -> ForgedImage:
    data = chain.encode_jpeg(item.image, quality, "4:4:4")
    return dataclasses.replace(item, provenance={**item.provenance, "final_jpeg": data})


@pytest.fixture(scope="module")
def items() -> list[ForgedImage]:
    tiles = ForgedTiles(ForgeryConfig(kinds={"splice": 1.0, "copy_move": 1.0}), 0, "train", photo_sources(()))
    return [tiles[k] for k in range(160)]


def test_the_builder_leaks_little_even_on_few_tiles(items):
    report = measure_leaks(items[:80], items[80:])
    assert report.file_auc.value < 0.68  # chance is 0.5 give or take 0.09 on 160 tiles
    assert report.colour_auc.value < 0.68
    assert report.centre_prior_auc.value < 0.65
    assert "skimage/coffee" in report.shared_photos  # both halves are of one split, and the report says so


def test_a_quality_that_belongs_to_a_class_is_found(items):
    marked = [leaky(item, 70 + item.label * 10 + k % 10) for k, item in enumerate(items)]
    assert measure_leaks(marked[:80], marked[80:]).file_auc.value > 0.95


def test_masks_in_the_middle_are_found_without_looking():
    rng = np.random.default_rng(0)
    middle = [disc(*rng.uniform(20, 44, 2), 9) for _ in range(80)]
    anywhere = [disc(*rng.uniform(0, 64, 2), 9) for _ in range(80)]
    assert centre_prior_auc(middle[:40], middle[40:]).value > 0.85
    assert centre_prior_auc(anywhere[:40], anywhere[40:]).value < 0.6


def test_all_ones_scores_the_area():
    half = np.zeros((8, 8), bool)
    half[:4] = True
    assert all_ones_f1([half, np.zeros((8, 8), bool)]).value == pytest.approx(2 / 3)


def test_a_linear_leak_is_measured_by_models_that_did_not_see_the_sample():
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    assert linear_auc(rng.normal(size=(60, 40)), labels).value < 0.75  # 40 features of noise fit 60 labels perfectly
    assert linear_auc(rng.normal(size=(60, 1)) + 9 * labels[:, None], labels).value == 1.0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_default_set_leaks_neither_by_file_nor_by_colour_nor_by_place():
    photos = photo_sources(())
    train, test = (ForgedTiles(ForgeryConfig(), 0, split, photos) for split in ("train", "test"))
    report = measure_leaks([train[k] for k in range(2000)], [test[k] for k in range(1000)])
    assert abs(report.file_auc.value - 0.5) <= 0.05
    assert report.colour_auc.value < 0.6
    assert report.centre_prior_auc.value < 0.6
    assert report.shared_photos == ()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["splice", "copy_move", "removal", "face_swap", "reenactment"])
def test_masks_of_every_kind_lie_anywhere(kind):
    photos = photo_sources(())
    config = ForgeryConfig(kinds={kind: 1.0}, authentic_share=0.0)
    train, test = (ForgedTiles(config, 1, split, photos) for split in ("train", "test"))
    prior = centre_prior_auc([train[k].mask for k in range(600)], [test[k].mask for k in range(300)])
    assert prior.value < 0.62
