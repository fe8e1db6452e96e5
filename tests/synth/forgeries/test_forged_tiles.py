from __future__ import annotations

import numpy as np
import pytest

from onlooker.errors import ConfigError, MissingExtraError, ShapeError, UnknownNameError
from onlooker.synth.forgeries import ForgedImage, ForgedTiles, ForgeryConfig, Photo, TileCache, photo_sources
from onlooker.synth.forgeries.photos import photos_of

PASTED = ForgeryConfig(kinds={"splice": 1.0, "copy_move": 1.0}, authentic_share=0.3)


@pytest.fixture(scope="module")
def photos() -> tuple[Photo, ...]:
    return photo_sources(())


def test_an_item_depends_on_its_number_alone(photos):
    first, second = ForgedTiles(PASTED, 3, "train", photos), ForgedTiles(PASTED, 3, "train", photos)
    _ = [first[k] for k in range(3)]
    for k in (5, 0):
        a, b = first[k], second[k]
        assert a.kind == b.kind
        assert a.source_ids == b.source_ids
        np.testing.assert_array_equal(a.image, b.image)
        np.testing.assert_array_equal(a.mask, b.mask)
        assert a.final_jpeg == b.final_jpeg
    assert not np.array_equal(ForgedTiles(PASTED, 4, "train", photos)[5].image, first[5].image)


def test_splits_share_no_photo(photos):
    used = {split: set() for split in ("train", "validation", "test")}
    for split, ids in used.items():
        tiles = ForgedTiles(PASTED, 0, split, photos)
        for k in range(30):
            ids.update(tiles[k].source_ids)
        assert ids <= {photo.id for photo in photos_of(photos, split)}
    assert not used["train"] & used["test"]
    assert not used["train"] & used["validation"]
    assert not used["validation"] & used["test"]


def test_outside_the_mask_only_blocks_of_the_last_save_differ(photos):
    tiles = ForgedTiles(PASTED, 1, "train", photos)
    for item in (tiles[k] for k in range(20)):
        assert item.original is not None
        changed = np.abs(item.image.astype(int) - item.original).max(axis=2)
        if item.kind == "authentic":
            assert changed.max() == 0
        else:
            assert item.mask.any()
            assert changed[item.mask].mean() > 2 * changed[~item.mask].mean()


def test_a_cache_hands_out_what_the_tiles_are(photos):
    tiles = ForgedTiles(PASTED, 0, "test", photos)
    cache = TileCache(tiles, 4)
    arrays = cache.arrays()
    assert arrays.images.shape == (4, 64, 64, 3)
    assert cache[2] is cache[2]
    np.testing.assert_array_equal(arrays.images[3], tiles[3].image)
    np.testing.assert_array_equal(arrays.labels, [item.label for item in (tiles[k] for k in range(4))])
    with pytest.raises(IndexError):
        cache[4]


def test_too_few_photos_name_what_to_install(photos):
    with pytest.raises(MissingExtraError, match=r"onlooker\[forensics\]"):
        ForgedTiles(PASTED, 0, "train", photos[:1])


def test_wrong_settings_are_refused():
    with pytest.raises(ConfigError, match="size_px"):
        ForgeryConfig(size_px=60)
    with pytest.raises(UnknownNameError, match="copy_move"):
        ForgeryConfig(kinds={"copymove": 1.0})
    with pytest.raises(ShapeError, match="empty mask"):
        ForgedImage(np.zeros((8, 8, 3), np.uint8), np.ones((8, 8), bool), "authentic", ("a",), {})


def test_grey_photos_give_no_tiles(photos: tuple[Photo, ...]) -> None:
    """What `docs/how-to/restore-a-picture.md` says of five photos that come with packages."""
    plain = [photo for photo in photos if not photo.id.startswith("insightface/")]  # no part of what is installed
    tiles = ForgedTiles(ForgeryConfig(kinds={"corruption": 1.0}), 0, "train", plain)
    listed = {photo.id for photo in plain if photo.split == "train"}
    assert listed - set(tiles.photo_ids) == {"skimage/brick", "skimage/grass"}
    assert len(tiles.photo_ids) == 5
