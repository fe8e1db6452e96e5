"""Index files of the release: columns, masks that mean what they show, pictures in training and test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

from onlooker.errors import DecodeError, FormatError
from onlooker.methods.forensics.objectformer import CONFIGS
from onlooker.methods.forensics.objectformer.data import AugmentConfig, ListedPictures, PicturesConfig
from onlooker.methods.forensics.objectformer.lists import load_pair, read_list

SQUARE = np.zeros((40, 60), np.uint8)
SQUARE[5:15, 10:30] = 255


def save(folder: Path, name: str, pixels: np.ndarray, **options: object) -> str:
    Pil.fromarray(pixels).save(folder / name, **options)
    return name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    save(tmp_path, "fake.png", rng.integers(0, 256, (40, 60, 3), np.uint8))
    save(tmp_path, "real.png", rng.integers(0, 256, (50, 30, 3), np.uint8))
    save(tmp_path, "mask.png", SQUARE)
    return tmp_path


def write(folder: Path, *lines: str) -> Path:
    path = folder / "list.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_lines_are_read_with_paths_beside_the_list(folder: Path) -> None:
    rows = read_list(write(folder, "fake.png\tmask.png\t1", "", "real.png\tNone\t0", "fake.png\tmask.png\tspliced"))
    assert [row.is_fake for row in rows] == [True, False, True]
    assert rows[0].image == folder / "fake.png"
    assert rows[1].mask is None
    image, mask = load_pair(rows[0])
    assert (image.shape, mask.shape) == ((40, 60, 3), (40, 60))
    assert mask.sum() == 200
    assert not load_pair(rows[1])[1].any()


def test_grey_of_a_mask_saved_as_jpeg_still_counts(folder: Path) -> None:
    soft = np.where(SQUARE > 0, 200, 60).astype(np.uint8)  # the release would take 255 alone
    save(folder, "soft.png", soft)
    assert load_pair(read_list(write(folder, "fake.png\tsoft.png\t1"))[0])[1].sum() == 200


def test_mask_of_another_size_is_brought_to_the_picture_without_blending(folder: Path) -> None:
    save(folder, "half.png", SQUARE[::2, ::2].copy())
    mask = load_pair(read_list(write(folder, "fake.png\thalf.png\t1"))[0])[1]
    assert mask.shape == (40, 60)
    assert abs(int(mask.sum()) - 200) <= 40


def test_mask_drawn_on_stored_pixels_turns_with_its_picture(folder: Path) -> None:
    stored = np.zeros((40, 60, 3), np.uint8)
    stored[SQUARE > 0] = 250
    exif = Pil.Exif()
    exif[0x0112] = 6
    save(folder, "turned.png", stored, exif=exif)
    rows = read_list(write(folder, "turned.png\tmask.png\t1"))
    image, mask = load_pair(rows[0])
    assert image.shape == (60, 40, 3)
    assert np.array_equal(mask, image[..., 0] > 127)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("fake.png\tmask.png", "line 1 of `list.txt` has 2 columns"),
        ("fake.png mask.png 1", "1 columns"),
        ("gone.png\tmask.png\t1", "there is no file"),
        ("fake.png\tNone\t1", "names no mask"),
        ("", "is empty"),
    ],
)
def test_broken_lines_are_named(folder: Path, line: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_list(write(folder, line))
    with pytest.raises(FormatError, match="no list at"):
        read_list(folder / "other.txt")


def test_labels_and_masks_that_contradict_each_other_are_refused(folder: Path) -> None:
    save(folder, "black.png", np.zeros((40, 60), np.uint8))
    rows = read_list(write(folder, "fake.png\tmask.png\t0", "fake.png\tblack.png\t1"))
    with pytest.raises(FormatError, match="says authentic, its mask marks something"):
        load_pair(rows[0])
    with pytest.raises(FormatError, match="says manipulated, its mask marks nothing"):
        load_pair(rows[1])
    (folder / "mask.png").write_bytes(b"no picture")
    with pytest.raises(DecodeError, match=r"mask\.png"):
        load_pair(rows[0])


def test_training_varies_with_the_number_and_the_test_does_not(folder: Path) -> None:
    path = str(write(folder, "fake.png\tmask.png\t1", "real.png\t\t0"))
    config = PicturesConfig(train_list=path, test_list=path, n_train=6, n_test=5)
    train, test = (ListedPictures(CONFIGS["tiny"], config, path, split) for split in ("train", "test"))
    assert (len(train), len(test)) == (6, 2)
    assert train[0]["image"].shape == test[0]["image"].shape == (3, 64, 64)
    assert train[0]["image"].equal(train[0]["image"])
    assert not train[0]["image"].equal(train[2]["image"])  # the same line, the next time round
    assert [train[place]["label"].item() for place in range(4)] == [1.0, 0.0, 1.0, 0.0]
    assert test[1]["mask"].sum() == 0
    with pytest.raises(IndexError, match="picture 6 of 6"):
        train[6]
    assert train.fingerprint == test.fingerprint


def test_mirroring_takes_the_mask_along(folder: Path) -> None:
    pixels = np.repeat(SQUARE[..., None], 3, axis=2)
    save(folder, "white.png", pixels)
    path = str(write(folder, "white.png\tmask.png\t1"))
    only_mirror = AugmentConfig(mirror=1.0, colour=0.0, noise=0.0, jpeg=0.0)
    config = PicturesConfig(train_list=path, test_list=path, augment=only_mirror, n_train=3)
    sample = ListedPictures(CONFIGS["tiny"], config, path, "train")[0]
    white = sample["image"][0] > 0
    assert (white == (sample["mask"][0] > 0)).float().mean() > 0.97  # edges are blended in the picture alone
