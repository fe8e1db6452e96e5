"""Pictures as bytes and as sequences."""

import numpy as np
import pytest
from PIL import Image as Pil

from onlooker.errors import ConfigError, DecodeError, NotAVideoError
from onlooker.media.images import ImageSequenceReader, from_jpeg, list_pictures, read_picture, to_jpeg
from onlooker.synth.clips import moving_squares


def save(folder, images, names):
    folder.mkdir(exist_ok=True)
    for image, name in zip(images, names, strict=True):
        Pil.fromarray(image).save(folder / name)


def test_jpeg_round_trip_is_near(tmp_path):
    image = np.repeat(np.repeat(moving_squares(1)[0], 4, 0), 4, 1)
    assert np.abs(from_jpeg(to_jpeg(image, 95)).astype(int) - image).mean() < 6
    assert len(to_jpeg(image, 20)) < len(to_jpeg(image, 95))
    with pytest.raises(DecodeError, match="3 bytes"):
        from_jpeg(b"abc")
    with pytest.raises(ConfigError, match="1 to 95"):
        to_jpeg(image, 0)


def test_folder_is_read_in_the_order_of_numbers(tmp_path):
    images = [np.full((8, 8, 3), v, np.uint8) for v in (10, 20, 30)]
    save(tmp_path / "img1", images, ["2.png", "10.png", "1.png"])
    (tmp_path / "img1" / "notes.txt").write_text("no picture")
    with ImageSequenceReader(tmp_path / "img1", fps=14) as reader:
        frames = list(reader)
    assert [int(f.image[0, 0, 0]) for f in frames] == [30, 10, 20]
    assert [f.time_s for f in frames] == pytest.approx([0, 1 / 14, 2 / 14])
    assert reader.size == (8, 8)
    assert (reader.n_frames, reader.end_s, reader.problem) == (3, pytest.approx(3 / 14), None)
    assert frames[1].grey(4).tolist() == [[10] * 4] * 4


def test_other_sizes_are_fitted_and_broken_ones_told(tmp_path):
    save(tmp_path / "p", [np.full((8, 16, 3), 200, np.uint8), np.full((8, 8, 3), 200, np.uint8)], ["1.png", "2.png"])
    (tmp_path / "p" / "3.png").write_bytes(b"broken")
    with ImageSequenceReader(tmp_path / "p", fps=1) as reader:
        first, second, third = list(reader)
    assert second.image.shape == first.image.shape == (8, 16, 3)
    assert second.image[4].tolist()[:4] == [[0, 0, 0]] * 4
    assert second.image[4, 8].tolist() == [200, 200, 200]
    assert third.image.max() == 0
    assert "3.png" in reader.problem


def test_palette_grey_alpha_and_turned_pictures_become_rgb(tmp_path):
    (tmp_path / "q").mkdir()
    grey = Pil.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8))
    grey.save(tmp_path / "q" / "1.png")
    grey.convert("P").save(tmp_path / "q" / "2.png")
    grey.convert("RGBA").save(tmp_path / "q" / "3.png")
    exif = Pil.Exif()
    exif[0x0112] = 6  # shown turned clockwise
    Pil.new("RGB", (4, 2), "red").save(tmp_path / "q" / "4.jpg", exif=exif)
    with ImageSequenceReader(tmp_path / "q", fps=1) as reader:
        frames = list(reader)
    for frame in frames[:3]:
        assert frame.image[7, 7].tolist() == [63, 63, 63]
    assert from_jpeg((tmp_path / "q" / "4.jpg").read_bytes()).shape == (4, 2, 3)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_grey_of_sixteen_bits_keeps_its_shades_instead_of_turning_white(tmp_path, suffix):
    shades = np.array([[0, 257, 25700, 65535]], np.uint16)
    Pil.fromarray(shades).save(tmp_path / f"deep{suffix}")
    assert read_picture(tmp_path / f"deep{suffix}")[0].tolist() == [[0] * 3, [1] * 3, [100] * 3, [255] * 3]
    Pil.fromarray(np.array([[0, 7, 255]], np.int32)).save(tmp_path / "shallow.tif")
    assert read_picture(tmp_path / "shallow.tif")[0, :, 0].tolist() == [0, 7, 255]


def test_no_pictures_and_bad_rate_are_refused(tmp_path):
    with pytest.raises(NotAVideoError, match="no pictures"):
        list_pictures(tmp_path)
    with pytest.raises(NotAVideoError, match="not a folder"):
        ImageSequenceReader(tmp_path / "none", 25)
    with pytest.raises(NotAVideoError, match="at least one"):
        ImageSequenceReader([], 25)
    with pytest.raises(ConfigError, match="fps"):
        ImageSequenceReader(tmp_path, 0)
    with pytest.raises(DecodeError, match=r"gone\.jpg"):
        ImageSequenceReader([tmp_path / "gone.jpg"], 25)


def test_names_with_raised_figures_are_sorted_like_any_letter(tmp_path):
    # "²" is a digit to Python's `isdigit` and no number to its `int`.
    names = ["1²2.png", "2.png", "10.png"]
    for name in names:
        Pil.new("RGB", (4, 4)).save(tmp_path / name)
    assert sorted(path.name for path in list_pictures(tmp_path)) == sorted(names)
