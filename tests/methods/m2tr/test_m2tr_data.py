"""Augmentation, indexes of face data, and the forgeries to learn from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pil

from onlooker.errors import ConfigError, FormatError
from onlooker.methods.forensics.m2tr.augment import NO_AUGMENT, AugmentConfig, augment, resize_mask, resize_picture
from onlooker.methods.forensics.m2tr.config import CONFIGS
from onlooker.methods.forensics.m2tr.data import IndexConfig, PicturesConfig, make_pictures
from onlooker.methods.forensics.m2tr.indexes import check_disjoint, read_index
from onlooker.synth.forgeries.config import ForgeryConfig
from onlooker.types import Image

TINY = CONFIGS["tiny"]
ALWAYS = AugmentConfig(1.0, 1.0, 1.0, 10.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)


def square(size: int = 64) -> tuple[Image, np.ndarray]:
    """A bright square on dark ground, and where it is."""
    mask = np.zeros((size, size), np.bool_)
    mask[8:24, 12:28] = True
    return np.where(mask[..., None], np.uint8(230), np.uint8(20)).repeat(3, axis=2), mask


@pytest.mark.parametrize("field", ["crop", "flip", "turn"])
def test_the_mask_moves_with_the_picture(field: str) -> None:
    image, mask = square()
    config = replace(NO_AUGMENT, **{field: 1.0}, turn_deg=10.0)
    for seed in range(5):
        moved, where = augment(image, mask, config, np.random.default_rng(seed))
        assert where.shape == (64, 64)
        assert not np.array_equal(where, mask)
        inside = moved[..., 0] > 125
        assert (inside & where).sum() / (inside | where).sum() > 0.9


def test_augmentation_depends_on_its_generator_alone_and_leaves_its_arguments() -> None:
    image, mask = square()
    kept, kept_mask = image.copy(), mask.copy()
    for seed in range(12):
        first, second = (augment(image, mask, ALWAYS, np.random.default_rng(seed)) for _ in range(2))
        assert np.array_equal(first[0], second[0])
        assert np.array_equal(first[1], second[1])
        assert (first[0].shape, first[0].dtype) == ((64, 64, 3), np.uint8)
    assert np.array_equal(image, kept)
    assert np.array_equal(mask, kept_mask)
    same, _ = augment(image, mask, NO_AUGMENT, np.random.default_rng(0))
    assert np.array_equal(same, image)


def test_one_setting_does_not_move_the_others() -> None:
    image, mask = square()
    flipped = augment(image, mask, replace(NO_AUGMENT, flip=1.0, noise=1.0), np.random.default_rng(3))[0]
    straight = augment(image, mask, replace(NO_AUGMENT, noise=1.0), np.random.default_rng(3))[0]
    noise = straight.astype(int) - image
    assert np.array_equal(flipped.astype(int) - image[:, ::-1], noise)


def test_settings_of_augmentation_are_checked() -> None:
    with pytest.raises(ConfigError, match=r"`augment.flip` is 0 to 1"):
        AugmentConfig(flip=1.5)
    with pytest.raises(ConfigError, match="save_quality"):
        AugmentConfig(save_quality=(80, 65))


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (64, 64), (500, 333), (1200, 1600)])
def test_pictures_of_any_size_are_brought_to_one(shape: tuple[int, int]) -> None:
    assert np.array_equal(np.unique(resize_picture(np.full((*shape, 3), 77, np.uint8), 64)), [77])
    assert resize_mask(np.ones(shape, np.bool_), 64).all()


def test_shrinking_a_fine_pattern_gives_its_mean_not_a_picked_pixel() -> None:
    pattern = np.indices((640, 640)).sum(0) % 2 * np.uint8(200)
    assert np.abs(resize_picture(pattern[..., None].repeat(3, 2).astype(np.uint8), 64).astype(int) - 100).max() <= 1


def save(path: Path, shade: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pil.fromarray(np.full((20, 30, 3), shade, np.uint8)).save(path)


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """FaceForensics++ in small: three real videos and two fakes, one of them with masks."""
    lines: dict[str, list[str]] = {"train": [], "test": []}
    for split, videos in {"train": ("000", "001", "000_001"), "test": ("002", "002_003")}.items():
        for video in videos:
            for frame in range(2):
                save(tmp_path / "images" / video / f"{frame}.png", 200 if "_" in video else 50)
                lines[split].append(f"images/{video}/{frame}.png {int('_' in video)}")
    for frame in range(2):
        save(tmp_path / "masks" / "000_001" / f"{frame}.png", 255)
    for split, text in lines.items():
        (tmp_path / f"{split}.txt").write_text("\n".join(text) + "\n\n", encoding="utf-8")
    return tmp_path


def test_an_index_of_faceforensics_finds_labels_masks_and_videos(faces: Path) -> None:
    rows = read_index(faces / "train.txt", faces, "faceforensics")
    assert [row.label for row in rows] == [0, 0, 0, 0, 1, 1]
    assert rows[4].mask == faces / "masks" / "000_001" / "0.png"
    assert rows[0].mask is None
    assert rows[4].video == "images/000_001"
    assert read_index(faces / "test.txt", faces, "faceforensics")[2].mask is None  # a fake without its mask file


def test_the_three_labels_of_forgerynet(tmp_path: Path) -> None:
    save(tmp_path / "a b" / "1.png", 9)
    (tmp_path / "list.txt").write_text("a b/1.png 1 2 14\n", encoding="utf-8")
    for labels, expected in (("binary", 1), ("three", 2), ("sixteen", 14)):
        assert read_index(tmp_path / "list.txt", tmp_path, "forgerynet", labels)[0].label == expected  # type: ignore[arg-type]


def test_the_generator_of_an_sr_df_picture_is_its_folder(tmp_path: Path) -> None:
    for folder in ("FSGAN", "IcFace", "other"):
        save(tmp_path / folder / "v" / "1.png", 9)
    (tmp_path / "list.txt").write_text("FSGAN/v/1.png 1\nIcFace/v/1.png 1\nother/v/1.png 0\n", encoding="utf-8")
    assert [row.kind for row in read_index(tmp_path / "list.txt", tmp_path, "sr_df")] == ["fsgan", "icface", None]


@pytest.mark.parametrize(
    ("layout", "line", "message"),
    [
        ("faceforensics", "images/a.png", "line 1 is `images/a.png`; expected `path label`"),
        ("faceforensics", "images/a.png fake", "with whole numbers"),
        ("faceforensics", "images/a.png 2", "a binary label is 0 to 1, got 2"),
        ("faceforensics", "images/b.png 1", "there is no picture at"),
        ("celeb_df", "1 images/a.png", "begins with its label; in such lists of Celeb-DF 1 is real"),
        ("forgerynet", "images/a.png 1", "expected `path binary three sixteen`"),
        ("forgerynet", "images/a.png 0 1 3", "contradict each other"),
        ("forgerynet", "images/a.png 1 3 3", "a three label is 0 to 2, got 3"),
        ("sr_df", "  ", "is empty"),
    ],
)
def test_lines_that_cannot_be_used_say_where_and_why(tmp_path: Path, layout: str, line: str, message: str) -> None:
    save(tmp_path / "images" / "a.png", 1)
    (tmp_path / "list.txt").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(FormatError, match=message):
        read_index(tmp_path / "list.txt", tmp_path, layout, "three" if layout == "forgerynet" else "binary")  # type: ignore[arg-type]


def test_a_missing_index_and_labels_it_does_not_have(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot be read"):
        read_index(tmp_path / "none.txt", tmp_path, "celeb_df")
    with pytest.raises(FormatError, match="that is ForgeryNet's"):
        read_index(tmp_path / "none.txt", tmp_path, "celeb_df", "three")


def test_splits_that_share_a_video_or_a_person_are_refused(faces: Path) -> None:
    train = read_index(faces / "train.txt", faces, "faceforensics")
    save(faces / "images" / "001_004" / "0.png", 9)
    (faces / "leak.txt").write_text("images/001_004/0.png 1\n", encoding="utf-8")
    leak = read_index(faces / "leak.txt", faces, "faceforensics")
    with pytest.raises(FormatError, match=r"leak.txt, line 1 shows `001`, and so does .*train.txt, line 3"):
        check_disjoint(train, leak, "faceforensics")
    check_disjoint(train, leak, "celeb_df")  # names of its videos say no more than that
    with pytest.raises(FormatError, match="frames of one source in both splits"):
        check_disjoint(train, train[:1], "celeb_df")


def test_faces_of_an_index_become_samples(faces: Path) -> None:
    index = IndexConfig(str(faces), str(faces / "train.txt"), str(faces / "test.txt"), held_out=0.5)
    splits = make_pictures(TINY, PicturesConfig(index=index, seed=1))
    held_out, test = splits["validation"], splits["test"]
    assert len(splits["train"]) + len(held_out) == 6
    assert len(splits["train"]) > 0 < len(held_out)
    real, fake = test[0], test[2]
    assert real["image"].shape == (3, 64, 64)
    torch.testing.assert_close(real["image"][0, 0, 0], torch.tensor((50 / 255 - TINY.mean[0]) / TINY.std[0]))
    assert (int(real["label"]), int(fake["label"])) == (0, 1)
    assert (bool(real["has_mask"]), bool(fake["has_mask"])) == (True, False)
    masked = [sample for split in (splits["train"], held_out) for sample in split if int(sample["label"])]
    assert all(bool(sample["has_mask"]) and bool(sample["mask"].all()) for sample in masked)
    assert len(masked) == 2
    with pytest.raises(ConfigError, match="the network has 2"):
        make_pictures(TINY, PicturesConfig(index=replace(index, labels="three")))


def test_a_picture_that_cannot_be_read_is_named_by_its_line(faces: Path) -> None:
    (faces / "images" / "002" / "0.png").write_bytes(b"no picture")
    index = IndexConfig(str(faces), str(faces / "train.txt"), str(faces / "test.txt"), held_out=0.5)
    with pytest.raises(FormatError, match=r"test.txt, line 1: .*cannot be read"):
        make_pictures(TINY, PicturesConfig(index=index, seed=1))["test"][0]


def test_forgeries_come_with_masks_and_share_no_photo_between_splits() -> None:
    config = PicturesConfig(ForgeryConfig(kinds={"splice": 1.0}), n_train=12, n_validation=4, n_test=4, draws=2)
    splits = make_pictures(TINY, config)
    assert {name: len(split) for name, split in splits.items()} == {"train": 24, "validation": 4, "test": 4}
    samples = [splits["train"][place] for place in range(12)]
    assert {int(sample["label"]) for sample in samples} == {0, 1}
    for sample in samples:
        assert bool(sample["mask"].any()) == bool(sample["label"])
        assert sample["image"].shape == (3, 64, 64)
    assert splits["train"][3]["image"].equal(splits["train"][15]["image"])  # the same picture, not augmented
    photos = [set(split.tiles.tiles.photo_ids) for split in splits.values()]  # type: ignore[union-attr]
    assert not photos[0] & photos[1]
    assert not photos[0] & photos[2]
    assert not photos[1] & photos[2]
    with pytest.raises(ConfigError, match=r"forgeries are 96 px, the network takes 64.*size_px = 64"):
        make_pictures(TINY, PicturesConfig(ForgeryConfig(size_px=96)))
    with pytest.raises(IndexError):
        splits["test"][4]
