"""The control that tells a detector of forgeries from a detector of compression."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onlooker.methods.forensics.m2tr.control import LEAST_AUC, ControlResult, compression_control, emptiness
from onlooker.synth.forgeries.config import MATCHED_HISTORY
from onlooker.synth.forgeries.photos import Photo, photo_sources
from onlooker.synth.forgeries.tiles import ForgedTiles

N_PICTURES = 100  # half of what the control takes by itself


@pytest.fixture(scope="module")
def photos() -> tuple[Photo, ...]:
    return photo_sources()


def test_a_detector_that_learned_compression_alone_fails(photos: tuple[Photo, ...]) -> None:
    found = compression_control(emptiness, n_pictures=N_PICTURES, photos=photos)
    assert found.compression_auc > 0.8  # it learned that well
    assert not found.passes
    assert found.forgery_auc < LEAST_AUC


def test_the_control_can_be_passed_and_is_about_forgeries_alone() -> None:
    assert ControlResult(forgery_auc=0.7, compression_auc=0.9).passes
    assert not ControlResult(forgery_auc=0.55, compression_auc=0.5).passes


def test_guessing_fails_and_knowing_passes(photos: tuple[Photo, ...]) -> None:
    rng = np.random.default_rng(0)
    guessed = compression_control(lambda images: rng.random(len(images)), 32, n_pictures=N_PICTURES, photos=photos)
    assert not guessed.passes
    assert guessed.compression_auc < 0.65
    tiles = ForgedTiles(replace(MATCHED_HISTORY, size_px=32), 0, "test", photos)
    forged = {tile.image.tobytes() for tile in (tiles[place] for place in range(N_PICTURES)) if tile.label}
    knowing = compression_control(
        lambda images: np.array([image.tobytes() in forged for image in images]),
        32,
        n_pictures=N_PICTURES,
        photos=photos,
    )
    assert knowing == ControlResult(forgery_auc=1.0, compression_auc=0.5)
    assert knowing.passes
