"""The judge on pictures of every kind: what it says, where, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pil

from onlooker.errors import ConfigError, NothingFoundError, ShapeError, UnknownNameError, WeightsError
from onlooker.media.images import read_picture
from onlooker.methods.forensics.m2tr.config import FusionConfig, M2trConfig, SmallConfig
from onlooker.methods.forensics.m2tr.infer import NO_FACE, NOT_CALIBRATED, SMALL, Calibration, M2trJudge
from onlooker.methods.forensics.m2tr.model import M2tr
from onlooker.types import Image

CONFIG = M2trConfig(
    image_size=64,
    fusion=FusionConfig(depth=1),
    small=SmallConfig(texture_channels=8, widths=(8,), feature_channels=8),
    mask_head=True,
)


def network(config: M2trConfig = CONFIG) -> M2tr:
    torch.manual_seed(0)
    return M2tr(config)


def judge(**options: object) -> M2trJudge:
    return M2trJudge.from_network(network(), **options)  # type: ignore[arg-type]


def picture(height: int = 100, width: int = 80, seed: int = 0) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("shape", [(1, 1), (5, 400), (63, 64), (64, 64), (301, 207), (3000, 2000)])
def test_pictures_of_any_size_get_a_map_of_their_own_size(shape: tuple[int, int]) -> None:
    found = judge().judge([picture(*shape)])[0]
    assert 0.0 <= found.probability <= 1.0
    assert found.heat_map is not None
    assert found.heat_map.shape == shape
    assert (SMALL in found.notes) == (min(shape) < 64)


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        (np.zeros((8, 8), np.uint8), r"uint8 of shape \(8, 8\)"),
        (np.zeros((8, 8, 1), np.uint8), r"uint8 of shape \(8, 8, 1\)"),
        (np.zeros((8, 8, 4), np.uint8), r"uint8 of shape \(8, 8, 4\)"),
        (np.zeros((8, 8, 3), np.uint16), "uint16"),
        (np.full((8, 8, 3), np.nan, np.float32), "float32"),
        (np.zeros((0, 8, 3), np.uint8), r"uint8 of shape \(0, 8, 3\)"),
        (np.zeros((2, 8, 8, 3), np.uint8), r"uint8 of shape \(2, 8, 8, 3\)"),
    ],
    ids=["grey", "one channel", "alpha", "16 bit", "nan", "empty", "stack"],
)
def test_arrays_that_are_no_rgb_picture_are_refused_by_their_place(image: np.ndarray, shown: str) -> None:
    with pytest.raises(ShapeError, match=rf"picture 1 must be RGB uint8.*got {shown}.*read_picture"):
        judge().judge([picture(), image])


def test_files_of_every_kind_are_judged_as_read(tmp_path: Path) -> None:
    grey = np.tile(np.arange(90, dtype=np.uint8), (70, 1))
    rgb = Pil.fromarray(picture())
    rgb.convert("CMYK").save(tmp_path / "cmyk.jpg")
    Pil.fromarray(grey).save(tmp_path / "grey.png")
    Pil.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    rgb.convert("RGBA").save(tmp_path / "alpha.png")
    rgb.convert("P").save(tmp_path / "animated.gif", save_all=True, append_images=[rgb.convert("P")])
    turned = Pil.Exif()
    turned[0x0112] = 6
    rgb.save(tmp_path / "turned.jpg", exif=turned)
    found = {path.name: judge().judge([read_picture(path)])[0] for path in sorted(tmp_path.iterdir())}
    assert len(found) == 6
    assert found["deep.png"].probability == pytest.approx(found["grey.png"].probability, abs=1e-6)
    turned_map = found["turned.jpg"].heat_map
    assert turned_map is not None
    assert turned_map.shape == (80, 100)


def test_an_all_black_picture_is_judged_and_no_picture_gives_none() -> None:
    assert 0.0 <= judge().judge([np.zeros((64, 64, 3), np.uint8)])[0].probability <= 1.0
    assert judge().judge([]) == []


def test_many_pictures_are_judged_as_each_alone_in_the_order_given() -> None:
    pictures = [picture(seed=seed) for seed in range(19)]
    before = [each.copy() for each in pictures]
    found = judge().judge(pictures)
    for place in (0, 7, 18):
        alone = judge().judge([pictures[place]])[0]
        assert found[place].probability == pytest.approx(alone.probability, abs=1e-6)
    assert len({round(each.probability, 9) for each in found}) > 1
    assert all(np.array_equal(*pair) for pair in zip(pictures, before, strict=True))


def test_temperature_draws_probabilities_to_one_half_and_keeps_their_order() -> None:
    pictures = [picture(seed=seed) for seed in range(4)]
    raw = judge().judge(pictures)
    cool = judge(calibration=Calibration(temperature=10.0)).judge(pictures)
    assert all(NOT_CALIBRATED in each.notes for each in raw)
    assert all(NOT_CALIBRATED not in each.notes for each in cool)
    for before, after in zip(raw, cool, strict=True):
        logit = np.log(before.probability / (1 - before.probability))
        assert after.probability == pytest.approx(1 / (1 + np.exp(-logit / 10)), abs=1e-5)


def test_a_frame_is_judged_by_its_likeliest_face_and_the_map_covers_all() -> None:
    frame = picture(200, 300)
    boxes = [(20.0, 20.0, 90.0, 90.0), (180.0, 90.0, 260.0, 190.0)]
    each = judge().judge_faces(frame, boxes)
    found = judge(find_faces=lambda image: boxes).judge([frame])[0]
    assert found.probability == max(face.probability for face in each)
    assert found.heat_map is not None
    assert found.heat_map.shape == (200, 300)
    assert found.heat_map[5, 290] == 0.0  # no face there
    assert found.heat_map[50, 50] > 0.0
    assert found.heat_map[150, 220] > 0.0
    assert "2 faces were judged" in found.notes
    window = frame[9:101, 9:101]  # 70 px and the margin of 0.3 around it: 9.5 to 100.5
    assert each[0].probability == pytest.approx(judge().judge([window])[0].probability, abs=1e-6)


def test_a_frame_without_a_face_is_judged_whole_and_says_so() -> None:
    frame = picture()
    found = judge(find_faces=lambda image: []).judge([frame])[0]
    assert NO_FACE in found.notes
    assert found.probability == judge().judge([frame])[0].probability


@pytest.mark.parametrize(
    "box", [(10.0, 10.0, 10.0, 20.0), (-30.0, 0.0, -1.0, 20.0), (400.0, 0.0, 420.0, 20.0), (30.0, 5.0, 20.0, 20.0)]
)
def test_boxes_that_show_nothing_are_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(ShapeError, match="a face's box is"):
        judge().judge_faces(picture(), [box])
    with pytest.raises(ConfigError, match="finite"):
        judge().judge_faces(picture(), [(0.0, 0.0, float("nan"), 5.0)])


def test_a_box_that_reaches_out_of_the_frame_is_cut() -> None:
    found = judge().judge_faces(picture(), [(-40.0, -40.0, 30.0, 30.0)])[0]
    assert found.heat_map is not None
    assert found.heat_map[99, 79] == 0.0


def test_a_track_has_the_mean_and_the_highest_of_its_frames() -> None:
    pictures = [picture(seed=seed) for seed in range(3)]
    found = judge().judge_track(pictures)
    probabilities = [frame.probability for frame in found.frames]
    assert found.mean == pytest.approx(sum(probabilities) / 3)
    assert found.highest == max(probabilities)
    with pytest.raises(NothingFoundError, match="a picture at least"):
        judge().judge_track([])


def test_without_a_mask_head_there_is_no_map() -> None:
    headless = M2trJudge.from_network(network(replace(CONFIG, mask_head=False)))
    assert headless.judge([picture()])[0].heat_map is None
    assert headless.judge_faces(picture(), [(0.0, 0.0, 50.0, 50.0)])[0].heat_map is None


def test_weights_and_calibration_come_from_one_folder(tmp_path: Path) -> None:
    saved = network().eval()
    saved.save_pretrained(tmp_path)
    assert M2trJudge(tmp_path).calibration is None
    assert M2trJudge(tmp_path).config == CONFIG
    expected = M2trJudge.from_network(saved).judge([picture()])[0].probability
    assert M2trJudge(tmp_path).judge([picture()])[0].probability == expected
    (tmp_path / "calibration.json").write_text(json.dumps({"temperature": 2.0, "threshold": 0.4, "more": 1}))
    assert M2trJudge(tmp_path).calibration == Calibration(2.0, 0.4)
    for spoiled in ("{", '{"temperature": 0}', '{"temperature": "hot"}', "[1]"):
        (tmp_path / "calibration.json").write_text(spoiled)
        with pytest.raises(WeightsError, match=r"calibration.json` cannot be used"):
            M2trJudge(tmp_path)
    with pytest.raises(UnknownNameError, match="did you mean `tiny`"):
        M2trJudge(tmp_path, "tinny")
    with pytest.raises(ConfigError, match="device"):
        M2trJudge(tmp_path, device="quantum")
