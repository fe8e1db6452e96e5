"""Damage for blind restoration: exact masks, soft edges, nothing outside, everything by seed."""

from __future__ import annotations

import numpy as np
import pytest

from onlooker.errors import ShapeError
from onlooker.synth.forgeries import CompressionConfig, CorruptionConfig, ForgedTiles, ForgeryConfig
from onlooker.synth.forgeries.corruptions import Damage, damage

RNG = np.random.default_rng(3)
PICTURE = np.clip(RNG.normal(120, 30, (64, 80, 3)), 0, 255).astype(np.uint8)
OTHER = np.clip(RNG.normal(200, 10, (64, 80, 3)), 0, 255).astype(np.uint8)


def made(config: CorruptionConfig, seed: int = 0) -> Damage:
    return damage(PICTURE, OTHER, config, np.random.default_rng(seed))


@pytest.mark.parametrize("content", ["photo", "noise", "constant", "text"])
def test_outside_the_cover_every_pixel_is_the_given_one_and_inside_almost_none(content: str) -> None:
    before = PICTURE.copy()
    for seed in range(6):
        found = made(CorruptionConfig(contents=(content,)), seed)
        assert found.image[found.cover == 0].tolist() == PICTURE[found.cover == 0].tolist()
        assert (found.image != PICTURE).any(axis=2)[found.mask].mean() > 0.9
        assert np.array_equal(found.mask, found.cover > 0.5)
        assert found.content == content
    assert np.array_equal(PICTURE, before)


def test_edges_fade_unless_asked_to_be_hard() -> None:
    soft = [made(CorruptionConfig(), seed).cover for seed in range(8)]
    assert all(((cover > 0.02) & (cover < 0.98)).any() for cover in soft)
    hard = made(CorruptionConfig(smooth_edges=False)).cover
    assert set(np.unique(hard)) == {0.0, 1.0}


def test_areas_keep_to_what_was_asked_for() -> None:
    config = CorruptionConfig(area=(0.1, 0.3))
    parts = np.array([made(config, seed).mask.mean() for seed in range(40)])
    assert ((parts >= 0.1) & (parts <= 0.3)).mean() > 0.9
    assert (parts > 0).all()


def test_masks_lie_anywhere() -> None:
    """A mask that keeps to the middle could be found without looking."""
    mean = np.mean([made(CorruptionConfig(), seed).mask for seed in range(80)], axis=0)
    assert 0.5 < mean[:16, :20].mean() / mean[24:40, 30:50].mean() < 2.0


def test_matched_photos_have_the_colour_of_what_they_hide() -> None:
    always, never = (CorruptionConfig(contents=("photo",), matched_share=share) for share in (1.0, 0.0))
    found, plain = made(always, 1), made(never, 1)
    hidden = PICTURE[found.mask].mean()
    assert abs(found.image[found.mask].mean() - hidden) < 15
    assert abs(plain.image[plain.mask].mean() - 200) < 30
    assert found.draws["matched"] is True
    assert plain.draws["matched"] is False


def test_without_another_photo_a_colour_takes_its_place() -> None:
    found = damage(PICTURE, None, CorruptionConfig(contents=("photo",)), np.random.default_rng(0))
    assert found.content == "constant"
    assert len(np.unique(found.image[found.cover == 1].reshape(-1, 3), axis=0)) == 1


def test_the_same_seed_damages_alike_and_another_otherwise() -> None:
    assert np.array_equal(made(CorruptionConfig(), 5).image, made(CorruptionConfig(), 5).image)
    assert not np.array_equal(made(CorruptionConfig(), 5).image, made(CorruptionConfig(), 6).image)


def test_pictures_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ShapeError, match="8 pixels each way"):
        damage(PICTURE[:5], None, CorruptionConfig(), RNG)
    with pytest.raises(ShapeError, match="the other its shape"):
        damage(PICTURE, OTHER[:32], CorruptionConfig(), RNG)
    with pytest.raises(ShapeError):
        damage(PICTURE.astype(np.float32), None, CorruptionConfig(), RNG)


def test_tiles_come_with_masks_and_originals_of_the_same_history() -> None:
    lossless = CompressionConfig(final_quality=None)
    config = ForgeryConfig(authentic_share=0.0, kinds={"corruption": 1.0}, compression=lossless)
    tiles = ForgedTiles(config, 0, "train")
    contents = set()
    for number in range(12):
        tile = tiles[number]
        contents.add(tile.provenance["content"])
        assert tile.kind == "corruption"
        assert tile.original is not None
        assert tile.mask.any()
        changed = (tile.image != tile.original).any(axis=2)
        assert changed[tile.mask].mean() > 0.9
        rows, columns = np.nonzero(tile.mask)
        outside = np.ones_like(tile.mask)
        outside[max(rows.min() - 8, 0) : rows.max() + 9, max(columns.min() - 8, 0) : columns.max() + 9] = False
        assert not changed[outside].any()
        assert len(tile.source_ids) == (2 if tile.provenance["content"] == "photo" else 1)
        assert len(set(tile.source_ids)) == len(tile.source_ids)
    assert len(contents) == 3
