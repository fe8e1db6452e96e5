"""The mark on made or changed pictures: written, read back, and written over nothing but metadata."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import ImageCms

from onlooker.errors import ConfigError, DecodeError, ShapeError
from onlooker.media.marks import Mark, read_mark, save_marked, with_label

MARK = Mark("restored", "Onlooker <1.0> & fttdr", 'a "tenth" of it is a guess, ü')
RNG = np.random.default_rng(0)


def picture(*shape: int, dtype: type = np.uint8) -> NDArray:
    return RNG.integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)


@pytest.mark.parametrize("suffix", [".png", ".webp"])
@pytest.mark.parametrize("shape", [(9, 14, 3), (9, 14, 4), (1, 1, 3)])
def test_lossless_files_keep_every_pixel_and_the_mark(tmp_path: Path, suffix: str, shape: tuple[int, ...]) -> None:
    image, path = picture(*shape), tmp_path / f"a{suffix}"
    save_marked(image, path, MARK)
    assert read_mark(path) == MARK
    with Pil.open(path) as stored:
        assert np.array_equal(np.asarray(stored), image)


def test_sixteen_bits_are_kept_in_png_in_grey_and_in_colour(tmp_path: Path) -> None:
    for shape in ((7, 5), (7, 5, 3)):
        image, path = picture(*shape, dtype=np.uint16), tmp_path / f"{len(shape)}.png"
        save_marked(image, path, MARK)
        stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(stored if len(shape) == 2 else stored[..., ::-1], image)
        assert read_mark(path) == MARK


def test_jpeg_keeps_the_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.JPG"
    save_marked(picture(20, 20), path, MARK)
    assert read_mark(path) == MARK
    with pytest.raises(ConfigError, match="no transparency"):
        save_marked(picture(20, 20, 4), path, MARK)


def test_the_source_type_is_the_one_editors_read() -> None:
    assert "digitalsourcetype/compositeWithTrainedAlgorithmicMedia" in MARK.xmp
    assert "digitalsourcetype/trainedAlgorithmicMedia" in Mark("generated", "x").xmp


def test_colour_profiles_stay(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for suffix in (".png", ".webp", ".jpg"):
        save_marked(picture(9, 9, 3), tmp_path / f"a{suffix}", MARK, icc_profile=profile)
        with Pil.open(tmp_path / f"a{suffix}") as stored:
            assert stored.info["icc_profile"] == profile


def test_marks_of_other_tools_are_read_and_unmarked_files_are_not_made_up(tmp_path: Path) -> None:
    theirs = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><Iptc4xmpExt:DigitalSourceType>'
        "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
        "</Iptc4xmpExt:DigitalSourceType></x:xmpmeta>"
    )
    image = Pil.fromarray(picture(9, 9, 3))
    image.save(tmp_path / "theirs.jpg", xmp=theirs.encode())
    assert read_mark(tmp_path / "theirs.jpg") == Mark("generated", "", "")
    image.save(tmp_path / "camera.jpg", xmp=theirs.replace("trainedAlgorithmicMedia", "digitalCapture").encode())
    image.save(tmp_path / "plain.jpg")
    assert read_mark(tmp_path / "camera.jpg") is None
    assert read_mark(tmp_path / "plain.jpg") is None
    (tmp_path / "no.jpg").write_text("no picture")
    with pytest.raises(DecodeError, match="cannot be read"):
        read_mark(tmp_path / "no.jpg")


@pytest.mark.parametrize("size", [(120, 200), (40, 30), (3, 2), (1, 1)])
def test_a_label_changes_its_corner_of_a_copy(size: tuple[int, int]) -> None:
    image = np.full((*size, 3), 200, np.uint8)
    labelled = with_label(image, "restored")
    assert labelled.shape == image.shape
    assert (image == 200).all()
    assert (labelled[-1, -1] != 200).any()
    if size == (120, 200):
        assert (labelled[:60] == 200).all()
        assert labelled.max() > 220  # letters


def test_what_cannot_be_marked_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="written as one of"):
        save_marked(picture(9, 9, 3), tmp_path / "a.bmp", MARK)
    with pytest.raises(ConfigError, match="16 bits"):
        save_marked(picture(9, 9, dtype=np.uint16), tmp_path / "a.webp", MARK)
    with pytest.raises(ShapeError, match="expected a picture"):
        save_marked(picture(9, 9, 2), tmp_path / "a.png", MARK)
    with pytest.raises(ShapeError, match="RGB uint8"):
        with_label(picture(9, 9), "x")
