"""The judge: pictures of any size and kind in, judgements in their size out, plain words for what cannot be judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pil

from onlooker.errors import ConfigError, DecodeError, ShapeError, UnknownNameError, WeightsError
from onlooker.methods.forensics.objectformer import (
    CONFIGS,
    ObjectFormer,
    ObjectFormerConfig,
    ObjectFormerJudge,
    PaperConfig,
)
from onlooker.methods.forensics.objectformer.infer import NOT_CALIBRATED
from onlooker.methods.forensics.objectformer.views import cut_tiles, join_heat, plan_tiles, to_rgb8

SMALL = ObjectFormerConfig(
    paper=PaperConfig(embedding="stem", channels=16, heads=2, layers=1, prototypes=4, token_ffn=2),
    image_size=32,
    view="tiles",
)


@pytest.fixture(scope="module")
def judge() -> ObjectFormerJudge:
    torch.manual_seed(0)
    return ObjectFormerJudge.from_network(ObjectFormer(SMALL))


def picture(*shape: int, dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype)


@pytest.mark.parametrize("view", ["tiles", "resize"])
@pytest.mark.parametrize("size", [(1, 1), (5, 90), (32, 32), (33, 47), (100, 64)])
def test_heat_maps_come_back_in_the_size_of_the_picture(
    judge: ObjectFormerJudge, size: tuple[int, int], view: str
) -> None:
    other = ObjectFormerJudge.from_network(judge._network, view)  # type: ignore[arg-type]
    (found,) = other.judge([picture(*size, 3)])
    assert found.heat_map is not None
    assert found.heat_map.shape == size
    assert 0.0 < found.probability < 1.0
    assert any("too small" in note for note in found.notes) == (min(size) < 32)


@pytest.mark.parametrize("view", ["tiles", "resize"])
def test_a_picture_of_the_networks_size_gets_the_networks_own_answer(judge: ObjectFormerJudge, view: str) -> None:
    image = picture(32, 32, 3)
    other = ObjectFormerJudge.from_network(judge._network, view)  # type: ignore[arg-type]
    (found,) = other.judge([image])
    pixels = (
        torch.from_numpy(image).permute(2, 0, 1).float() / 255 - torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    ) / (torch.tensor([0.229, 0.224, 0.225])[:, None, None])
    with torch.no_grad():
        expected = judge._network(pixels[None])
    assert found.probability == pytest.approx(expected.image_logit.sigmoid().item(), abs=1e-6)
    assert np.abs(found.heat_map - expected.mask_prob[0, 0].numpy()).max() < 1e-6
    assert found.notes == (NOT_CALIBRATED,)


def test_pictures_are_judged_one_by_one_in_order(judge: ObjectFormerJudge) -> None:
    images = [picture(40, 50, 3), np.zeros((40, 50, 3), np.uint8), picture(70, 33, 3)]
    kept = [image.copy() for image in images]
    together = judge.judge(images)
    assert [found.probability for found in together] == [judge.judge([image])[0].probability for image in images]
    assert all(np.array_equal(image, before) for image, before in zip(images, kept, strict=True))
    assert judge.judge([]) == []


@pytest.mark.parametrize("value", [0, 255])
def test_a_picture_of_one_colour_is_answered_with_a_warning(judge: ObjectFormerJudge, value: int) -> None:
    (found,) = judge.judge([np.full((64, 64, 3), value, np.uint8)])
    assert "one colour" in found.notes[1]


def test_grey_deep_and_transparent_pictures_are_the_same_pictures(judge: ObjectFormerJudge) -> None:
    grey = picture(40, 40)
    rgb = np.repeat(grey[..., None], 3, axis=2)
    forms = [grey, grey[..., None], rgb, np.dstack([rgb, grey]), grey.astype(np.uint16) * 257]
    assert len({found.probability for found in judge.judge(forms)}) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.full((40, 40, 3), np.nan, np.float32), "float32, NaN or infinity"),
        (np.zeros((40, 40, 3)), "bring floats to 0 to 255"),
        (np.zeros((40, 40, 2), np.uint8), r"got \(40, 40, 2\)"),
        (np.zeros((0, 40, 3), np.uint8), r"got \(0, 40, 3\)"),
        (np.zeros((2, 40, 40, 3), np.uint8), r"got \(2, 40, 40, 3\)"),
        (np.zeros((40, 40), np.bool_), "got bool"),
    ],
)
def test_what_is_no_picture_is_refused_in_plain_words(
    judge: ObjectFormerJudge, given: np.ndarray, message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        judge.judge([given])


def test_files_of_every_kind_are_read(judge: ObjectFormerJudge, tmp_path: Path) -> None:
    rgb = picture(40, 60, 3)
    Pil.fromarray(rgb).convert("CMYK").save(tmp_path / "cmyk.jpg")
    Pil.fromarray(picture(40, 60)).save(tmp_path / "grey.png")
    Pil.fromarray(picture(40, 60, dtype=np.uint16)).save(tmp_path / "deep.png")
    frames = [Pil.fromarray(frame) for frame in (rgb, rgb[::-1].copy())]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    for name in ("cmyk.jpg", "grey.png", "deep.png", "moving.gif"):
        found = judge.judge_file(tmp_path / name)
        assert found.heat_map is not None
        assert found.heat_map.shape == (40, 60)
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "cmyk.jpg").read_bytes()[:90])
    for name in ("broken.jpg", "gone.jpg"):
        with pytest.raises(DecodeError, match=name):
            judge.judge_file(tmp_path / name)


def test_a_turned_file_is_judged_upright(judge: ObjectFormerJudge, tmp_path: Path) -> None:
    image = picture(40, 60, 3)
    exif = Pil.Exif()
    exif[0x0112] = 6  # shown turned clockwise
    Pil.fromarray(image).save(tmp_path / "turned.png", exif=exif)
    found, (expected,) = judge.judge_file(tmp_path / "turned.png"), judge.judge([np.rot90(image, -1)])
    assert found.probability == expected.probability
    assert np.array_equal(found.heat_map, expected.heat_map)


def test_tiles_reach_every_pixel_and_overlap_while_there_is_room() -> None:
    plan = plan_tiles((100, 33), 32, 100)
    assert (plan.tops, plan.lefts) == ((0, 14, 27, 41, 54, 68), (0, 1))
    assert plan.size == (100, 33)
    spread = plan_tiles((100, 100), 32, 20)  # 36 that overlap are too many
    assert spread.tops == (0, 23, 45, 68)
    small = plan_tiles((1000, 2000), 32, 50)
    assert small.count <= 50
    assert small.size[1] / small.size[0] == pytest.approx(2.0, abs=0.05)


def test_a_huge_picture_is_shrunk_and_says_so(judge: ObjectFormerJudge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onlooker.methods.forensics.objectformer.infer._MOST_TILES", 20)
    (found,) = judge.judge([np.tile(picture(64, 64, 3), (30, 60, 1))])
    assert found.heat_map is not None
    assert found.heat_map.shape == (1920, 3840)
    assert "shrunk from 3840x1920" in found.notes[1]


def test_joined_heat_is_the_heat_that_was_cut() -> None:
    ramp = np.linspace(0, 1, 80 * 70, dtype=np.float32).reshape(80, 70)
    plan = plan_tiles((80, 70), 32, 100)
    tiles = [ramp[top : top + 32, left : left + 32] for top in plan.tops for left in plan.lefts]
    assert np.abs(join_heat(np.stack(tiles), plan, (80, 70)) - ramp).max() < 1e-6
    image = (np.repeat(ramp[..., None], 3, axis=2) * 255).astype(np.uint8)
    assert all(tile.shape == (32, 32, 3) for tile in cut_tiles(image, plan))
    assert np.array_equal(cut_tiles(image[:7, :9], plan_tiles((7, 9), 32, 4))[0][:7, :9], image[:7, :9])


def test_probability_of_many_tiles_is_that_of_the_most_suspicious_tenth(judge: ObjectFormerJudge) -> None:
    image = picture(96, 96, 3)
    plan = plan_tiles((96, 96), 32, 1024)
    alone = [judge.judge([tile])[0].probability for tile in cut_tiles(image, plan)]
    assert len(alone) == 25
    logits = np.sort(np.log(alone) - np.log1p(-np.array(alone)))[-2:]
    assert judge.judge([image])[0].probability == pytest.approx(1 / (1 + np.exp(-logits.mean())), abs=1e-5)


def test_sixteen_bits_become_eight_by_scaling() -> None:
    assert to_rgb8(np.array([[0, 257, 65535]], np.uint16))[0, :, 0].tolist() == [0, 1, 255]


def test_a_saved_network_comes_back_as_a_judge(judge: ObjectFormerJudge, tmp_path: Path) -> None:
    judge._network.save_pretrained(tmp_path)
    image = picture(32, 32, 3)
    again = ObjectFormerJudge(tmp_path)
    assert again.config == SMALL
    assert again.judge([image])[0].probability == judge.judge([image])[0].probability
    with pytest.raises(WeightsError, match="do not fit"):
        ObjectFormerJudge(tmp_path, config="tiny")


def test_names_that_do_not_exist_are_answered_with_the_nearest(judge: ObjectFormerJudge, tmp_path: Path) -> None:
    judge._network.save_pretrained(tmp_path)
    with pytest.raises(UnknownNameError, match="did you mean `tiny`"):
        ObjectFormerJudge(tmp_path, config="tinny")
    with pytest.raises(UnknownNameError, match="did you mean `tiles`"):
        ObjectFormerJudge(tmp_path, view="tile")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="`config` is a name"):
        ObjectFormerJudge(tmp_path, config=3)  # type: ignore[arg-type]
    assert CONFIGS["released"].view == "resize"
