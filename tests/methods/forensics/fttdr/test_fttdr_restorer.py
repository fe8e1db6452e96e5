"""Pictures of every kind and size, found, restored, left alone, and marked."""

from __future__ import annotations

import itertools
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as Pil
from torch import Tensor

from onlooker.errors import ConfigError, DecodeError, ShapeError, UnknownNameError
from onlooker.media.marks import read_mark
from onlooker.methods.forensics.fttdr.config import CONFIGS, FrequencyConfig, FtTdrConfig, InpaintConfig, MaskNetConfig
from onlooker.methods.forensics.fttdr.files import read_pixels, restore_file
from onlooker.methods.forensics.fttdr.framing import from_working, plan_framing, to_working, window_weights
from onlooker.methods.forensics.fttdr.infer import FtTdrRestorer
from onlooker.methods.forensics.fttdr.model import FtTdr, FtTdrOutput

SMALL = FtTdrConfig(
    image_size=32,
    mask_net=MaskNetConfig(FrequencyConfig(alpha=0.3), channels=8, blocks=1, patches=(4, 2)),
    inpaint_net=InpaintConfig(widths=(4, 6, 8), dilations=(2,), attention_side=8),
    dilate_px=1,
)
GREEN = (0, 255, 0)
FILL = 0.25


class SeesGreen(FtTdr):
    """What is pure green is damage, and a dark grey takes its place: says what must come out, to the pixel."""

    seen: int = 0

    def find(self, picture: Tensor) -> Tensor:
        self.seen += len(picture)
        return 100 * (picture[:, 1:2] - picture[:, :1] - 0.5)

    def fill(self, picture: Tensor, mask: Tensor, logits: Tensor) -> FtTdrOutput:
        raw = torch.full_like(picture, FILL)
        return FtTdrOutput(logits, mask, picture, raw, picture * (1 - mask) + raw * mask, ())


BUILT_ONCE = FtTdrRestorer.from_network(SeesGreen(SMALL))


@pytest.fixture
def restorer() -> FtTdrRestorer:
    return BUILT_ONCE


def photo(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Reddish noise: nothing in it is green."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 120, (height, width, 3)).astype(np.uint8)
    pixels[..., 0] += 100
    return pixels


def damaged(height: int, width: int) -> NDArray[np.uint8]:
    image = photo(height, width)
    image[height // 4 : height // 2, width // 4 : width // 2] = GREEN
    return image


@pytest.mark.parametrize("size", [(32, 32), (64, 48), (45, 71), (200, 33), (33, 500), (500, 350)])
def test_damage_is_filled_and_outside_the_mask_not_a_bit_changes(
    restorer: FtTdrRestorer, size: tuple[int, int]
) -> None:
    image = damaged(*size)
    before = image.copy()
    found = restorer.restore(image)
    assert np.array_equal(image, before)
    assert found.image.shape == image.shape
    assert found.image.dtype == np.uint8
    assert np.array_equal(found.image[~found.mask], image[~found.mask])
    green = (image == GREEN).all(axis=2)
    assert found.mask[green].mean() > 0.95
    assert found.mask.sum() < 4 * green.sum() + 200
    middle = found.image[size[0] * 3 // 8, size[1] * 3 // 8]
    assert np.abs(middle.astype(int) - round(255 * FILL)).max() <= 1
    assert found.probability.shape == size
    assert found.probability[size[0] * 3 // 8, size[1] * 3 // 8] > 0.9
    assert found.probability[-1, -1] < 0.1
    apart = np.abs(found.image.astype(int) - image.astype(int)).max(axis=2)
    assert np.array_equal(found.difference, apart)
    assert found.is_changed


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 1000))
def test_law_outside_the_found_mask_the_picture_is_untouched(height: int, width: int, seed: int) -> None:
    rng, image = np.random.default_rng(seed), photo(height, width, seed)
    image[rng.random((height, width)) < rng.random()] = GREEN
    found = BUILT_ONCE.restore(image)
    assert np.array_equal(found.image[~found.mask], image[~found.mask])
    assert (found.difference[~found.mask] == 0).all()


def test_a_network_with_random_weights_keeps_the_law_too() -> None:
    torch.manual_seed(0)
    found = FtTdrRestorer.from_network(FtTdr(replace(SMALL, threshold=0.5))).restore(image := damaged(60, 45))
    assert np.array_equal(found.image[~found.mask], image[~found.mask])
    assert 0 <= found.probability.min() <= found.probability.max() <= 1


def test_a_sound_picture_comes_back_as_it_is(restorer: FtTdrRestorer) -> None:
    image = photo(61, 80)
    found = restorer.restore(image)
    assert np.array_equal(found.image, image)
    assert not found.mask.any()
    assert not found.difference.any()
    assert not found.is_changed
    assert "0.00% of the pixels" in found.mark.detail


def test_a_speck_under_a_thousandth_is_taken_for_nothing(restorer: FtTdrRestorer) -> None:
    image = photo(320, 320)
    image[100:110, 100:110] = GREEN  # 0.098 %
    assert not restorer.restore(image).is_changed
    image[100:120, 100:120] = GREEN
    assert restorer.restore(image).is_changed


def test_mostly_damaged_pictures_are_told(restorer: FtTdrRestorer) -> None:
    image = photo(64, 64)
    image[:, :45] = GREEN  # edges fade when it is made smaller
    (note,) = restorer.restore(image).notes
    assert "69% of the picture look damaged" in note
    assert restorer.restore(damaged(64, 64)).notes == ()


@pytest.mark.parametrize("colour", [(0, 0, 0), GREEN, (255, 255, 255)])
def test_a_picture_of_one_colour_is_left_alone(restorer: FtTdrRestorer, colour: tuple[int, int, int]) -> None:
    image = np.full((40, 50, 3), colour, np.uint8)
    found = restorer.restore(image)
    assert np.array_equal(found.image, image)
    assert not found.is_changed
    assert any("one colour" in note for note in found.notes) == (colour == GREEN)


def test_grey_deep_and_transparent_pictures_keep_their_kind(restorer: FtTdrRestorer) -> None:
    mask = np.zeros((40, 50), np.bool_)
    mask[10:20, 10:30] = True
    deep = photo(40, 50).astype(np.uint16) * 257
    alpha = np.dstack([photo(40, 50), np.arange(2000, dtype=np.uint16).reshape(40, 50).astype(np.uint8)])
    for image in (photo(40, 50)[..., 0], photo(40, 50)[..., :1], deep[..., 1], deep, alpha):
        found = restorer.restore(image, mask)
        assert found.image.dtype == image.dtype
        assert found.image.shape == image.shape
        assert np.array_equal(found.image[~mask], image[~mask])
        wanted = FILL * np.iinfo(image.dtype).max
        inside = found.image[mask][..., :3].astype(float)
        assert np.abs(inside - wanted).max() <= 1
        assert found.difference.dtype == image.dtype
    assert np.array_equal(restorer.restore(alpha, mask).image[..., 3], alpha[..., 3])


def test_a_given_mask_is_restored_to_its_pixel_and_stage_one_is_not_asked() -> None:
    network = SeesGreen(SMALL)
    mask = np.zeros((70, 90), np.bool_)
    mask[5, 7] = mask[40:60, 20:50] = True
    found = FtTdrRestorer.from_network(network).restore(photo(70, 90), mask)
    assert network.seen == 0
    assert np.array_equal(found.mask, mask)
    assert np.array_equal(found.probability, mask.astype(np.float32))
    assert (found.image[mask] == round(255 * FILL)).all()
    nothing = FtTdrRestorer.from_network(network).restore(photo(70, 90), np.zeros((70, 90), np.bool_))
    assert not nothing.is_changed


def test_boxes_are_looked_at_alone(restorer: FtTdrRestorer) -> None:
    image = photo(80, 120)
    image[10:20, 10:20] = image[50:60, 90:100] = GREEN
    found = restorer.restore(image, boxes_xyxy_px=[(0, 0, 40, 40)])
    assert found.mask[10:20, 10:20].all()
    assert not found.mask[:, 40:].any()
    assert found.probability[:, 40:].max() == 0
    both = restorer.restore(image, boxes_xyxy_px=[(0, 0, 40, 40), (70, 35, 300, 300), (0, 0, 30, 30)])
    assert both.mask[50:60, 90:100].all()
    assert np.array_equal(both.image[~both.mask], image[~both.mask])
    assert not restorer.restore(image, boxes_xyxy_px=[]).is_changed


@pytest.mark.parametrize("box", [(200, 0, 220, 20), (5, 5, 5, 9), (float("nan"), 0, 9, 9)])
def test_boxes_without_a_pixel_are_refused(restorer: FtTdrRestorer, box: tuple[float, float, float, float]) -> None:
    with pytest.raises(ShapeError, match="box"):
        restorer.restore(photo(40, 40), boxes_xyxy_px=[box])


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.full((9, 9, 3), np.nan), "got NaN"),
        (np.ones((9, 9, 3), np.float32), "got floats"),
        (np.ones((9, 9, 3), np.int32), "uint8 or uint16"),
        (np.ones((9, 9, 3), np.bool_), "uint8 or uint16"),
        (np.ones((9, 9, 2), np.uint8), "1, 3 or 4 channels"),
        (np.ones((0, 9, 3), np.uint8), "1, 3 or 4 channels"),
        (np.ones((2, 9, 9, 3), np.uint8), "1, 3 or 4 channels"),
    ],
)
def test_what_is_no_picture_is_refused(restorer: FtTdrRestorer, image: NDArray, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        restorer.restore(image)


def test_masks_of_another_size_or_type_are_refused(restorer: FtTdrRestorer) -> None:
    for mask in (np.zeros((9, 9), np.bool_), np.zeros((40, 40), np.uint8)):
        with pytest.raises(ShapeError, match="a mask is"):
            restorer.restore(photo(40, 40), mask)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (3, 2), (1, 6000), (6000, 2)])
def test_tiny_and_thread_like_pictures_pass(size: tuple[int, int]) -> None:
    network = SeesGreen(SMALL)
    image = photo(*size)
    image[: size[0] // 2 + 1, : size[1] // 2 + 1] = GREEN
    found = FtTdrRestorer.from_network(network).restore(image)
    assert found.image.shape == image.shape
    assert np.array_equal(found.image[~found.mask], image[~found.mask])
    assert network.seen <= 70


def test_a_large_picture_is_seen_in_few_windows_and_more_with_a_longer_short_side() -> None:
    image = damaged(450, 650)
    seen = []
    for short_side in (None, 64):
        network = SeesGreen(SMALL)
        FtTdrRestorer.from_network(network, short_side=short_side).restore(image)
        seen.append(network.seen)
    assert seen[0] == 2
    assert seen[1] == 3 * 4


def test_framing_covers_the_picture_with_windows_that_overlap() -> None:
    framing = plan_framing((100, 250), 64, 32)
    assert framing.scaled == (64, 160)
    covered = np.zeros(framing.padded, int)
    for top, left in framing.corners():
        assert top + 32 <= 64
        assert left + 32 <= 160
        covered[top : top + 32, left : left + 32] += 1
    assert covered.min() >= 1
    rows = sorted({top for top, _ in framing.corners()})
    assert all(after - before <= 24 for before, after in itertools.pairwise(rows))
    assert window_weights(32).min() > 0


def test_maps_come_back_to_the_pixels_they_were_made_of() -> None:
    framing = plan_framing((64, 64), 64, 32)
    small = to_working(photo(64, 64), framing)
    np.testing.assert_allclose(from_working(small, framing, slice(0, 64)), photo(64, 64) / 255, atol=1e-6)
    double = plan_framing((128, 128), 64, 32)
    line = np.broadcast_to(np.arange(64, dtype=np.float32), (64, 64))
    back = from_working(line, double, slice(10, 12))
    assert back.shape == (2, 128)
    np.testing.assert_allclose(back[0, :4], [0.0, 0.25, 0.75, 1.25])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Pil.fromarray(damaged(40, 60)).save(tmp_path / "plain.png")
    exif = Pil.Exif()
    exif[0x0112] = 6  # stored lying on its left side
    Pil.fromarray(damaged(40, 60)).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    Pil.fromarray(damaged(40, 60)).convert("CMYK").save(tmp_path / "inks.tif")
    Pil.fromarray(damaged(40, 60)).convert("P").save(tmp_path / "palette.png")
    Pil.fromarray(damaged(40, 60)[..., 1]).save(tmp_path / "grey.png")
    Pil.fromarray(damaged(40, 60)[..., 1].astype(np.uint16) * 257).save(tmp_path / "deep.png")
    frames = [Pil.fromarray(damaged(40, 60)), Pil.fromarray(photo(40, 60))]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    Pil.fromarray(np.dstack([damaged(40, 60), np.full((40, 60), 9, np.uint8)])).save(tmp_path / "clear.png")
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "turned.jpg").read_bytes()[:300])
    Pil.fromarray(np.full((9, 9), np.nan, np.float32)).save(tmp_path / "nan.tif")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "shape", "kind"),
    [
        ("plain.png", (40, 60, 3), np.uint8),
        ("turned.jpg", (60, 40, 3), np.uint8),
        ("inks.tif", (40, 60, 3), np.uint8),
        ("palette.png", (40, 60, 3), np.uint8),
        ("grey.png", (40, 60), np.uint8),
        ("deep.png", (40, 60), np.uint16),
        ("moving.gif", (40, 60, 3), np.uint8),
        ("clear.png", (40, 60, 4), np.uint8),
    ],
)
def test_files_of_every_kind_are_restored_into_marked_ones(
    restorer: FtTdrRestorer, folder: Path, name: str, shape: tuple[int, ...], kind: type
) -> None:
    read = read_pixels(folder / name).pixels
    assert read.shape == shape
    assert read.dtype == kind
    mask = np.zeros(shape[:2], np.bool_)
    mask[5:9, 5:12] = True  # grey holds no green to be found
    restored = restore_file(restorer, folder / name, folder / "out.png", mask=mask if len(shape) == 2 else None)
    assert restored.is_changed
    mark = read_mark(folder / "out.png")
    assert mark == restored.mark
    assert mark.kind == "restored"
    assert f"{restored.mask.mean():.2%} of the pixels" in mark.detail
    written = read_pixels(folder / "out.png").pixels
    assert np.array_equal(written, restored.image)
    assert np.array_equal(written[~restored.mask], read[~restored.mask])


def test_where_nothing_is_found_no_file_is_written(restorer: FtTdrRestorer, folder: Path) -> None:
    assert not restore_file(restorer, folder / "grey.png", folder / "out.png").is_changed
    assert not (folder / "out.png").exists()


@pytest.mark.parametrize(
    ("name", "orientation"),
    [*(("deep.png", orientation) for orientation in range(1, 9)), ("deep_clear.png", 6), ("deep.tif", 1)],
)
def test_colour_of_sixteen_bits_keeps_all_of_them_and_is_turned(tmp_path: Path, name: str, orientation: int) -> None:
    rng = np.random.default_rng(0)
    stored = rng.integers(0, 65536, (5, 7, 4 if "clear" in name else 3)).astype(np.uint16)
    exif = Pil.Exif()
    exif[0x0112] = orientation
    rows = np.arange(35, dtype=np.uint8).reshape(5, 7)
    Pil.fromarray(rows).save(tmp_path / "rows.png", exif=exif)
    wanted = stored.reshape(35, -1)[read_pixels(tmp_path / "rows.png").pixels]
    to_bgr = cv2.COLOR_RGBA2BGRA if "clear" in name else cv2.COLOR_RGB2BGR
    written = cv2.imencode(Path(name).suffix, cv2.cvtColor(stored, to_bgr))[1].tobytes()
    if name.endswith(".png"):
        chunk = b"eXIf" + exif.tobytes().removeprefix(b"Exif\0\0")
        packed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        written = written[:33] + packed + written[33:]  # behind the header
    (tmp_path / name).write_bytes(written)
    read = read_pixels(tmp_path / name).pixels
    assert read.dtype == np.uint16
    assert np.array_equal(read, wanted)


def test_what_of_a_file_is_left_out_is_told(folder: Path) -> None:
    assert read_pixels(folder / "plain.png").notes == ()
    assert read_pixels(folder / "moving.gif").notes == ("the file holds 2 pictures: the first alone was looked at",)
    assert "CMYK to RGB" in read_pixels(folder / "inks.tif").notes[0]


def test_what_is_found_can_be_averaged_over_frames_and_given_back(restorer: FtTdrRestorer) -> None:
    image = damaged(45, 71)
    likely = restorer.find(image)
    assert likely.shape == (32, 50)
    assert np.array_equal(restorer.restore_found(image, likely).image, restorer.restore(image).image)
    assert not restorer.restore_found(image, likely * 0.4).is_changed
    with pytest.raises(ShapeError, match=r"a map of this picture is \(32, 50\)"):
        restorer.restore_found(image, likely[:-1])


def test_a_label_is_written_only_when_asked_for(restorer: FtTdrRestorer, folder: Path) -> None:
    restored = restore_file(restorer, folder / "plain.png", folder / "out.webp", label=True)
    mask = np.ones((40, 60), np.bool_)
    written = read_pixels(folder / "out.webp").pixels
    assert not np.array_equal(written, restored.image)
    assert np.array_equal(written[:20], restored.image[:20])
    with pytest.raises(ConfigError, match="8 bits"):
        restore_file(restorer, folder / "deep.png", folder / "out.png", mask=mask, label=True)


def test_broken_files_and_bad_targets_are_refused(restorer: FtTdrRestorer, folder: Path) -> None:
    with pytest.raises(DecodeError, match=r"broken\.jpg"):
        restore_file(restorer, folder / "broken.jpg", folder / "out.png")
    with pytest.raises(DecodeError, match="missing"):
        restore_file(restorer, folder / "missing.jpg", folder / "out.png")
    with pytest.raises(DecodeError, match="NaN"):
        restore_file(restorer, folder / "nan.tif", folder / "out.png")
    with pytest.raises(ConfigError, match="written as one of"):
        restore_file(restorer, folder / "plain.png", folder / "out.bmp")
    with pytest.raises(ConfigError, match="original stays"):
        restore_file(restorer, folder / "plain.png", folder / "plain.png")


def test_weights_are_needed_and_a_stored_network_comes_back(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="train some"):
        FtTdrRestorer()
    torch.manual_seed(0)
    network = FtTdr(SMALL).eval()
    network.save_pretrained(tmp_path)
    image = damaged(50, 50)
    first, second = FtTdrRestorer(str(tmp_path)), FtTdrRestorer.from_network(network)
    assert np.array_equal(first.restore(image).image, second.restore(image).image)
    with pytest.raises(UnknownNameError, match="tiny"):
        FtTdrRestorer(str(tmp_path), config="tinny")
    with pytest.raises(ConfigError, match="short_side"):
        FtTdrRestorer(str(tmp_path), short_side=16)
    assert CONFIGS["tiny"].image_size == 64
