"""Picture files: what is written, what is left alone, what is refused."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil
from restoring_samples import DAMAGE, FILL, picture

from onlooker.errors import ConfigError, DecodeError, NotAVideoError, ShapeError, WeightsError
from onlooker.media.marks import Mark, read_mark, save_marked
from onlooker.methods.forensics.fttdr import FtTdrRestorer, read_pixels
from onlooker.restoring import RestoreRequest, open_restorer, restore
from onlooker.restoring.drawing import draw_comparison
from onlooker.restoring.pictures import read_mask, restore_picture
from onlooker.restoring.request import MOST_PIXELS, kind_of, plan_files
from onlooker.restoring.values import MOST_REGIONS, Restoration, regions_of, with_history


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(restorer: FtTdrRestorer, request: RestoreRequest) -> Restoration:
    return restore_picture(restorer, request, plan_files(request, "picture"))


def test_damage_is_filled_and_everything_else_stays(restorer: FtTdrRestorer, here: Path) -> None:
    Pil.fromarray(picture()).save("old.png")
    done = run(restorer, RestoreRequest("old.png", "unused"))
    assert (done.restored, done.mask, done.compare) == (
        "old.restored.png",
        "old.restored.mask.png",
        "old.restored.compare.png",
    )
    made, mask = read_pixels("old.restored.png").pixels, read_mask("old.restored.mask.png", (60, 40))
    assert np.array_equal(made[~mask], picture()[~mask])
    assert mask[DAMAGE].mean() > 0.95
    assert np.abs(made[14:18, 20:30].astype(int) - round(255 * FILL)).max() <= 1
    assert done.share == pytest.approx(mask.mean())
    assert (done.n_regions, done.n_frames, done.n_restored_frames) == (1, 1, 1)
    x1, y1, x2, y2 = done.regions[0].box_xyxy_px
    assert mask[y1:y2, x1:x2].sum() == mask.sum()
    assert done.mark is not None
    assert read_mark("old.restored.png") == read_mark("old.restored.compare.png") == done.mark


def test_a_label_on_a_transparent_picture_says_what_is_lost(restorer: FtTdrRestorer, here: Path) -> None:
    clear = np.dstack([picture(), np.full(picture().shape[:2], 200, np.uint8)])
    Pil.fromarray(clear).save("clear.png")
    told = {label: run(restorer, RestoreRequest("clear.png", "unused", label=label)) for label in (False, True)}
    assert told[False].notes == ()
    assert told[True].notes == ("transparency was dropped: a label is written on RGB",)
    assert read_pixels("clear.restored.png").pixels.shape[2] == 3


def test_a_picture_of_fractions_is_refused_not_made_black(here: Path) -> None:
    Pil.fromarray(np.linspace(0, 1, 2400, dtype=np.float32).reshape(40, 60)).save("fractions.tif")
    with pytest.raises(DecodeError, match="holds fractions"):
        kind_of(Path("fractions.tif"))


def test_what_is_neither_picture_nor_video_is_told_before_the_output(here: Path) -> None:
    Path("drawing.svg").write_text("<svg/>" * 50)
    with pytest.raises(NotAVideoError, match="not a video"):
        restore(RestoreRequest("drawing.svg", "unused", output="drawing.png"))


def test_nothing_found_writes_nothing(restorer: FtTdrRestorer, here: Path) -> None:
    Pil.fromarray(picture(is_damaged=False)).save("sound.png")
    done = run(restorer, RestoreRequest("sound.png", "unused"))
    assert not done.is_changed
    assert (done.share, done.n_regions, done.regions, done.mark) == (0, 0, (), None)
    assert os.listdir() == ["sound.png"]


def test_a_given_mask_is_filled_to_its_pixel_and_comes_back_from_its_file(restorer: FtTdrRestorer, here: Path) -> None:
    Pil.fromarray(picture()).save("old.jpg", quality=95)
    asked = np.zeros((40, 60), np.uint8)
    asked[3:7, 50:60] = asked[30:35, 0:5] = 255
    Pil.fromarray(asked).save("mine.png")
    done = run(restorer, RestoreRequest("old.jpg", "unused", mask=Path("mine.png")))
    assert np.array_equal(read_mask("old.restored.mask.png", (60, 40)), asked > 0)
    assert [region.box_xyxy_px for region in done.regions] == [(50, 3, 60, 7), (0, 30, 5, 35)]
    made, given = read_pixels("old.restored.png").pixels, read_pixels("old.jpg").pixels
    assert np.array_equal(made[asked == 0], given[asked == 0])
    Pil.fromarray(asked * 0).save("nothing.png")
    assert not run(restorer, RestoreRequest("old.jpg", "unused", mask=Path("nothing.png"))).is_changed


def test_a_mask_is_read_by_what_is_bright_and_not_transparent(here: Path) -> None:
    rows = np.zeros((2, 4, 4), np.uint8)
    rows[..., 3] = 255
    rows[0, 0, :3], rows[0, 1, 2], rows[0, 2] = 255, 200, (255, 255, 255, 0)
    Pil.fromarray(rows).save("mask.png")
    assert read_mask("mask.png", (4, 2))[0].tolist() == [True, True, False, False]
    Pil.fromarray(np.array([[0, 32767, 32768, 65535]], np.uint16)).save("deep.png")
    assert read_mask("deep.png", (4, 1)).tolist() == [[False, False, True, True]]
    with pytest.raises(ShapeError, match="is 4x2, what to restore 9x9"):
        read_mask("mask.png", (9, 9))
    Path("mask.txt").write_text("white")
    with pytest.raises(ShapeError, match="no picture"):
        read_mask("mask.txt", (4, 2))


def test_a_picture_that_says_it_was_restored_is_told_and_keeps_saying_so(restorer: FtTdrRestorer, here: Path) -> None:
    before = Mark("restored", "Other tool 2", "the sky")
    save_marked(picture(), "old.png", before)
    done = run(restorer, RestoreRequest("old.png", "unused"))
    assert done.before == before
    assert done.mark is not None
    assert "before: restored by Other tool 2 (the sky)" in done.mark.detail
    assert read_mark("old.restored.png") == done.mark


def test_a_picture_that_a_network_made_stays_one_when_it_is_restored() -> None:
    mark = with_history(Mark("restored", "us", "2 %"), Mark("generated", ""))
    assert mark == Mark("generated", "us", "2 %; before: generated by a tool that gives no name")
    assert with_history(mark, None) is mark


@pytest.mark.parametrize(
    ("name", "shape"),
    [("grey.png", (40, 60)), ("clear.png", (40, 60, 4)), ("inks.tif", (40, 60, 3)), ("turned.jpg", (60, 40, 3))],
)
def test_pictures_of_every_kind_are_compared_side_by_side(
    restorer: FtTdrRestorer, here: Path, name: str, shape: tuple[int, ...]
) -> None:
    exif = Pil.Exif()
    exif[0x0112] = 6
    made = {
        "grey.png": Pil.fromarray(picture()[..., 1]),
        "clear.png": Pil.fromarray(np.dstack([picture(), np.full((40, 60), 9, np.uint8)])),
        "inks.tif": Pil.fromarray(picture()).convert("CMYK"),
        "turned.jpg": Pil.fromarray(picture()),
    }[name]
    made.save(name, **({"exif": exif, "quality": 95} if name == "turned.jpg" else {}))
    mask = np.zeros(shape[:2], np.uint8)
    mask[5:9, 5:12] = 255
    Pil.fromarray(mask).save("mask.png")
    done = run(restorer, RestoreRequest(name, "unused", mask=Path("mask.png")))
    assert done.size == (shape[1], shape[0])
    assert read_pixels(done.restored or "").pixels.shape == shape
    with Pil.open(done.compare or "") as compared:
        assert compared.mode == "RGB"
        assert compared.width > 3 * compared.height * shape[1] / shape[0] * 0.6
    assert any("CMYK" in note for note in done.notes) == (name == "inks.tif")


@pytest.mark.parametrize("size", [(1, 1), (2, 500), (3000, 2)])
def test_tiny_and_thread_like_pictures_pass(restorer: FtTdrRestorer, here: Path, size: tuple[int, int]) -> None:
    pixels = picture(False, size)
    Pil.fromarray(pixels).save("thin.png")
    Pil.fromarray(np.full(size, 255, np.uint8)).save("all.png")
    done = run(restorer, RestoreRequest("thin.png", "unused", mask=Path("all.png")))
    assert done.share == 1
    assert Path(done.compare or "").exists()


def test_an_all_black_picture_is_left_alone(restorer: FtTdrRestorer, here: Path) -> None:
    Pil.fromarray(np.zeros((50, 50, 3), np.uint8)).save("black.png")
    assert not run(restorer, RestoreRequest("black.png", "unused")).is_changed


def huge_png(path: Path, width: int, height: int) -> Path:
    """The head of a picture of any size, in few bytes: nothing behind it may be needed to refuse it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(head)) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    data = zlib.compress(b"\0" * 100)
    body = struct.pack(">I", len(data)) + b"IDAT" + data + struct.pack(">I", zlib.crc32(b"IDAT" + data))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + body)
    return path


@pytest.mark.parametrize("side", [int(MOST_PIXELS**0.5) + 1, 10_000, 15_000])
def test_a_picture_too_large_to_hold_is_refused_by_its_head_alone(tmp_path: Path, side: int) -> None:
    with pytest.raises(DecodeError, match="make it smaller"):
        kind_of(huge_png(tmp_path / "huge.png", side, side))


def test_what_is_no_picture_is_tried_as_a_video(tmp_path: Path) -> None:
    film, words = tmp_path / "film.mpg", tmp_path / "words.txt"
    film.write_bytes(bytes.fromhex("000001b3 1600f0c4 02ffff40") + bytes(64))
    words.write_text("words")
    assert kind_of(film) == kind_of(words) == "video"


def test_files_that_cannot_be_restored_are_refused_before_weights_are_looked_for(here: Path) -> None:
    Pil.fromarray(picture()).save("cut.jpg")
    Path("cut.jpg").write_bytes(Path("cut.jpg").read_bytes()[:20])
    for name, message in (("none.png", "no file"), (".", "a folder"), ("cut.jpg", "cannot be read as a picture")):
        with pytest.raises(DecodeError, match=message):
            restore(RestoreRequest(name, "no-weights"))


def test_a_picture_that_breaks_off_is_refused(untrained: Path, here: Path) -> None:
    Pil.fromarray(picture()).save("cut.jpg")
    Path("cut.jpg").write_bytes(Path("cut.jpg").read_bytes()[:700])
    with pytest.raises(DecodeError, match=r"cut\.jpg"):
        restore(RestoreRequest("cut.jpg", untrained))
    assert os.listdir() == ["cut.jpg"]


def test_what_is_read_is_never_written_over(here: Path) -> None:
    for name in ("old.png", "old.mask.png", "other.jpg"):
        Pil.fromarray(picture()).save(name)
    os.link("old.png", "link.png")
    mask = Path("old.mask.png")
    for output, given in (("old.png", None), ("link.png", None), ("./old.png", mask)):
        with pytest.raises(ConfigError, match="written over"):
            plan_files(RestoreRequest("old.png", "", Path(output), given), "picture")
    with pytest.raises(ConfigError, match=r"written over `old\.mask\.png`"):
        plan_files(RestoreRequest("other.jpg", "", Path("old.webp"), mask), "picture")


def test_outputs_of_other_types_and_in_no_folder_are_refused(here: Path) -> None:
    for output, message in ((Path("x.bmp"), "written as"), (Path("nowhere/x.png"), "no folder `nowhere`")):
        with pytest.raises(ConfigError, match=message):
            plan_files(RestoreRequest("old.jpg", "", output), "picture")
    with pytest.raises(ConfigError, match=r"video is written as \.mp4"):
        plan_files(RestoreRequest("old.avi", "", Path("x.avi")), "video")
    Path("out").mkdir()
    assert plan_files(RestoreRequest("a/old.jpg", "", Path("out")), "picture").restored == Path("out/old.restored.png")


def test_weights_that_are_none_say_how_to_train_some(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    stts, bare, broken = (tmp_path / name for name in ("stts", "bare", "broken"))
    for folder in (stts, bare, broken):
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"none")
    (stts / "config.json").write_text('{"onlooker_method": "stts", "config": {"width": 3}}')
    (broken / "config.json").write_text('{"config": {"width": 3}}')
    for folder, message in (
        (tmp_path / "missing", "no folder"),
        (tmp_path / "empty", r"should hold `model\.safetensors`"),
        (stts, "weights of `stts`, which restores nothing"),
        (bare, "without their configuration"),
        (broken, "holds no restorer"),
    ):
        with pytest.raises(WeightsError, match=message) as caught:
            open_restorer(folder)
        assert "onlooker train fttdr/tiny" in str(caught.value)


def test_regions_are_counted_all_and_the_largest_are_told() -> None:
    mask = np.zeros((60, 60), np.bool_)
    mask[::4, ::4] = True
    mask[1, 1] = True  # touches (0, 0) by its corner
    count, regions = regions_of(mask)
    assert (count, len(regions)) == (225, MOST_REGIONS)
    assert regions[0].box_xyxy_px == (0, 0, 2, 2)
    assert regions[0].share == 2 / 3600
    assert regions_of(np.zeros((3, 3), np.bool_)) == (0, ())


def test_the_comparison_shows_what_was_found_in_red_and_the_result_beside_it() -> None:
    image, mask = np.full((300, 400, 3), 100, np.uint8), np.zeros((300, 400), np.bool_)
    mask[100:200, 100:300] = True
    shown = draw_comparison(image, mask, image + 100, ("a", "b", "c"))
    height, width = shown.shape[:2]
    panel = (width - 40) // 3
    middle = height - 10 - 150
    assert shown[middle, 10 + 200].tolist() == [100] * 3
    assert shown[middle, 20 + panel + 200].tolist() == [230, 40, 40]
    assert shown[middle, 20 + panel + 20].tolist() == [140] * 3
    assert shown[middle, 30 + 2 * panel + 200].tolist() == [200] * 3
