"""Files of every sort: what is let in, what it becomes, and what is said of the others."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from authenticity_doubles import jpeg, scene
from PIL import Image as Pil
from PIL import ImageOps

from onlooker.errors import DecodeError, MediaError
from onlooker.video.authenticity.opening import is_picture, open_picture, unlike_tested, upright


def png_that_declares(width: int, height: int) -> bytes:
    """A PNG of no pixels whose header claims some."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"\0" * 100)

    def chunk(content: bytes) -> bytes:
        return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))

    return b"\x89PNG\r\n\x1a\n" + chunk(header) + chunk(data) + chunk(b"IEND")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pixels_stay_as_stored_and_are_turned_for_people(tmp_path: Path, orientation: int) -> None:
    image = scene(24, 40)
    exif = Pil.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.png"
    Pil.fromarray(image).save(path, exif=exif)
    opened = open_picture(path)
    np.testing.assert_array_equal(opened.image, image)
    with Pil.open(path) as read:
        np.testing.assert_array_equal(
            upright(opened.image, opened.orientation), np.array(ImageOps.exif_transpose(read))
        )


def test_an_orientation_nobody_defined_turns_nothing(tmp_path: Path) -> None:
    exif = Pil.Exif()
    exif[0x0112] = 77
    Pil.fromarray(scene(16, 16)).save(tmp_path / "odd.jpg", exif=exif)
    assert open_picture(tmp_path / "odd.jpg").orientation == 1


@pytest.mark.parametrize(
    ("mode", "suffix", "said"),
    [
        ("L", ".png", "a grey picture"),
        ("RGBA", ".png", "transparency"),
        ("LA", ".png", "transparency"),
        ("P", ".png", "a palette"),
        ("1", ".png", "black and white"),
        ("CMYK", ".jpg", "CMYK"),
        ("YCbCr", ".tif", "converted from YCbCr"),
    ],
)
def test_every_mode_becomes_rgb_and_says_so(tmp_path: Path, mode: str, suffix: str, said: str) -> None:
    path = tmp_path / f"picture{suffix}"
    Pil.fromarray(scene(32, 48)).convert(mode).save(path)
    opened = open_picture(path)
    assert opened.image.shape == (32, 48, 3)
    assert opened.image.dtype == np.uint8
    assert any(said in reason for reason in unlike_tested(opened))


def test_sixteen_bits_keep_their_brightness(tmp_path: Path) -> None:
    values = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    Pil.fromarray(values).save(tmp_path / "deep.png")
    opened = open_picture(tmp_path / "deep.png")
    assert abs(int(opened.image[32, 32, 0]) - int(values[32, 32] / 257)) <= 1
    assert any("8 bits" in reason for reason in unlike_tested(opened))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_colours_of_sixteen_bits_are_told_to_be_cut(tmp_path: Path, suffix: str) -> None:
    image = scene(32, 48)
    assert cv2.imwrite(str(tmp_path / f"deep{suffix}"), image[..., ::-1].astype(np.uint16) * 257)
    opened = open_picture(tmp_path / f"deep{suffix}")
    np.testing.assert_array_equal(opened.image, image)
    assert opened.changed == ("depth: more than 8 bits, cut to 8",)


@pytest.mark.parametrize(("most", "level"), [(1.0, 255), (255.0, 255), (1000.0, 4), (65535.0, 255), (1e6, 255)])
def test_fractions_keep_their_brightness(tmp_path: Path, most: float, level: int) -> None:
    values = np.linspace(0, most, 40 * 40, dtype=np.float32).reshape(40, 40)
    values[0, 0], values[0, 1] = np.nan, -np.inf
    Pil.fromarray(values).save(tmp_path / "fractions.tif")
    grey = open_picture(tmp_path / "fractions.tif").image[..., 0]
    assert abs(int(grey.max()) - level) <= 1
    assert abs(int(grey[20, 0]) - level / 2) <= 2


def test_pages_are_no_animation(tmp_path: Path) -> None:
    pages = [Pil.fromarray(scene(32, 48, seed)) for seed in range(3)]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    assert unlike_tested(open_picture(tmp_path / "pages.tif")) == ("pages: only the first of 3 pages was judged",)


@pytest.mark.parametrize(("suffix", "options"), [(".gif", {}), (".webp", {"lossless": True}), (".png", {})])
def test_of_an_animation_the_first_frame_is_taken_and_told(
    tmp_path: Path, suffix: str, options: dict[str, object]
) -> None:
    frames = [Pil.fromarray(scene(32, 48, seed)) for seed in range(3)]
    path = tmp_path / f"moving{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, **options)
    opened = open_picture(path)
    assert opened.n_frames == 3
    assert any("only the first of 3 frames" in reason for reason in unlike_tested(opened))
    if suffix != ".gif":
        np.testing.assert_array_equal(opened.image, np.array(frames[0]))


@pytest.mark.parametrize("size", [(20_000, 20_000), (200_000, 200_000)])
def test_a_picture_that_declares_too_much_is_refused_before_it_is_decoded(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_that_declares(*size))
    assert is_picture(path)
    with pytest.raises(MediaError, match="declares"):
        open_picture(path)


def test_a_cut_off_picture_is_damaged_not_half_judged(tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    path.write_bytes(jpeg(scene())[:3000])
    with pytest.raises(DecodeError, match="damaged or cut off"):
        open_picture(path)


@pytest.mark.parametrize("content", [b"just words, no picture", b"\xff\xd8\xff", b"GIF89a"])
def test_what_is_no_picture_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "words.jpg"
    path.write_bytes(content)
    with pytest.raises(MediaError):
        open_picture(path)


def test_missing_empty_and_folder_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    for place, said in (
        (tmp_path / "gone.jpg", "there is no file"),
        (tmp_path / "empty.jpg", "empty"),
        (tmp_path, "folder"),
    ):
        with pytest.raises(MediaError, match=said):
            is_picture(place)
        with pytest.raises(MediaError, match=said):
            open_picture(place)


def test_a_phones_two_pictures_in_one_jpeg_are_one_picture(tmp_path: Path) -> None:
    first, second = Pil.fromarray(scene(64, 64)), Pil.fromarray(scene(64, 64, 1))
    first.save(tmp_path / "two.jpg", format="MPO", save_all=True, append_images=[second])
    opened = open_picture(tmp_path / "two.jpg")
    assert opened.file_format == "MPO"
    assert opened.n_frames == 1
