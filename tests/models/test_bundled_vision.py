"""The bundled detector, tagger, embedder and text reader on real and drawn pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFont

from onlooker.errors import ConfigError, ShapeError, WeightsError
from onlooker.models.boxes import pairwise_iou
from onlooker.models.bundled.efficientnet import EfficientNetLite, fold_batch_norms_, square_input
from onlooker.models.bundled.rapidocr_reader import RapidOcrReader
from onlooker.models.bundled.ssd_detector import SsdDetector, cut_by_window, tile_windows
from onlooker.models.imagenet import imagenet_names
from onlooker.types import Image
from onlooker.video.protocols import AppearanceEmbedder, Detector, Tagger, TextReader
from onlooker.weights.lite0 import timm_key

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def detector() -> SsdDetector:
    return SsdDetector()


@pytest.fixture(scope="module")
def lite() -> EfficientNetLite:
    return EfficientNetLite()


@pytest.fixture(scope="module")
def reader() -> RapidOcrReader:
    return RapidOcrReader()


def davis(shared_data: Path, name: str) -> Image:
    return np.array(PilImage.open(shared_data / "davis2016-val-240p" / "JPEGImages" / name / "00010.jpg"))


def davis_box(shared_data: Path, name: str) -> np.ndarray:
    mask = np.array(PilImage.open(shared_data / "davis2016-val-240p" / "Annotations" / name / "00010.png")) > 0
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return np.array([[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]], np.float32)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "label"), [("blackswan", "bird"), ("cows", "cow"), ("car-roundabout", "car"), ("kite-surf", "person")]
)
def test_detector_names_and_places_the_object(detector: SsdDetector, shared_data: Path, name: str, label: str) -> None:
    found = detector.detect([davis(shared_data, name)])[0]
    assert found.labels[0] == label
    if name != "kite-surf":  # the truth there covers the board as well
        assert pairwise_iou(found.boxes_xyxy_px[:1], davis_box(shared_data, name))[0, 0] > 0.7


@pytest.mark.shared_data
def test_detector_reads_red_before_blue(detector: SsdDetector, shared_data: Path) -> None:
    image = davis(shared_data, "blackswan")  # its red beak, turned blue, costs a quarter of the score
    swapped = np.ascontiguousarray(image[:, :, ::-1])
    assert detector.detect([image])[0].scores[0] > detector.detect([swapped])[0].scores[0] + 0.15


@pytest.mark.shared_data
def test_detector_gives_one_label_per_object_unless_told_otherwise(detector: SsdDetector, shared_data: Path) -> None:
    image = davis(shared_data, "dog")
    every = SsdDetector(cross_category_iou=1.0).detect([image])[0]
    one = detector.detect([image])[0]
    iou = pairwise_iou(one.boxes_xyxy_px, one.boxes_xyxy_px) - np.eye(len(one))
    assert len(every) > len(one)
    assert iou.max() <= 0.9


@pytest.mark.shared_data
def test_detector_result_does_not_depend_on_neighbours_and_arguments_stay(
    detector: SsdDetector, shared_data: Path
) -> None:
    first, second = davis(shared_data, "cows"), davis(shared_data, "camel")
    before = first.copy()
    together = detector.detect([first, second])
    alone = detector.detect([second])[0]
    np.testing.assert_array_equal(together[1].boxes_xyxy_px, alone.boxes_xyxy_px)
    np.testing.assert_array_equal(first, before)
    assert np.all(together[0].scores >= 0.05)


@pytest.mark.shared_data
def test_tiles_find_more_people_in_a_crowd(detector: SsdDetector, shared_data: Path) -> None:
    image = np.array(PilImage.open(shared_data / "mot17-mini/train/MOT17-04-FRCNN/img1/000001.jpg"))
    truth = np.loadtxt(shared_data / "mot17-mini/train/MOT17-04-FRCNN/gt/gt.txt", delimiter=",")
    rows = truth[(truth[:, 0] == 1) & (truth[:, 7] == 1)]
    boxes = np.concatenate([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]], axis=1).astype(np.float32)

    def recalled(found_by: SsdDetector) -> int:
        found = found_by.detect([image])[0]
        people = found.select([i for i, label in enumerate(found.labels) if label == "person"])
        people = people.select(np.flatnonzero(people.scores >= 0.3))
        return int((pairwise_iou(boxes, people.boxes_xyxy_px).max(axis=1, initial=0) >= 0.5).sum())

    assert recalled(SsdDetector(tiles=2)) >= recalled(detector) + 5


def test_detector_survives_odd_pictures(detector: SsdDetector) -> None:
    odd = [np.zeros((1, 1, 3), np.uint8), np.full((2, 900, 3), 255, np.uint8), np.zeros((301, 17, 3), np.uint8)]
    assert len(detector.detect(odd)) == 3
    assert detector.detect([]) == []
    with pytest.raises(ShapeError, match="RGB"):
        detector.detect([np.zeros((10, 10), np.uint8)])


def test_tiles_cover_the_frame_and_cut_boxes_are_recognised() -> None:
    windows = tile_windows(100, 60, 2, 0.25)
    assert windows == [(0, 0, 58, 35), (42, 0, 100, 35), (0, 25, 58, 60), (42, 25, 100, 60)]
    boxes = np.array([[0, 0, 20, 20], [30, 5, 57, 20], [30, 5, 50, 34]], np.float32)
    assert cut_by_window(boxes, windows[0], 100, 60).tolist() == [False, True, True]
    assert cut_by_window(boxes, (0, 0, 100, 60), 100, 60).tolist() == [False, False, False]


@pytest.mark.parametrize("options", [{"score_floor": 0.0}, {"tiles": 0}, {"tile_overlap": 1.0}])
def test_detector_refuses_settings_out_of_range(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="got"):
        SsdDetector(**options)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "label"),
    [("blackswan", "black swan"), ("camel", "arabian camel"), ("cows", "ox"), ("horsejump-high", "sorrel")],
)
def test_tagger_names_the_animal_in_its_box(lite: EfficientNetLite, shared_data: Path, name: str, label: str) -> None:
    x1, y1, x2, y2 = davis_box(shared_data, name)[0].astype(int)
    tags = lite.tag([davis(shared_data, name)[y1:y2, x1:x2]], top_k=3)[0]
    assert tags[0].label == label
    assert len(tags) == 3
    assert tags[0].score > tags[1].score > tags[2].score > 0


@pytest.mark.shared_data
def test_vectors_of_one_animal_are_nearer_than_those_of_two(lite: EfficientNetLite, shared_data: Path) -> None:
    root = shared_data / "davis2016-val-240p" / "JPEGImages"
    swan, later, cow = (
        np.array(PilImage.open(root / name))
        for name in ("blackswan/00000.jpg", "blackswan/00030.jpg", "cows/00000.jpg")
    )
    vectors, tags = lite.embed_and_tag([swan, later, cow])
    assert vectors.shape == (3, lite.dim) == (3, 1280)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2
    assert tags[0][0].label == "black swan"


def test_embedding_does_not_depend_on_the_batch(lite: EfficientNetLite) -> None:
    images = list(np.random.default_rng(0).integers(0, 255, (3, 40, 70, 3), np.uint8))
    np.testing.assert_allclose(lite.embed_images(images)[1:2], lite.embed_images(images[1:2]), atol=1e-5)
    assert lite.embed_images([]).shape == (0, 1280)
    assert lite.tag([]) == []


def test_folding_batch_norms_changes_nothing_but_speed() -> None:
    import timm

    torch.manual_seed(0)
    network = timm.create_model("tf_efficientnet_lite0").eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -1, 1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    pixels = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        before = network(pixels)
        fold_batch_norms_(network)
        after = network(pixels)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())
    torch.testing.assert_close(before, after, atol=1e-4, rtol=1e-4)


def test_key_map_covers_first_block_later_blocks_and_head() -> None:
    assert timm_key("_blocks.0._project_conv.weight") == "blocks.0.0.conv_pw.weight"
    assert timm_key("_blocks.5._bn0.running_mean") == "blocks.3.0.bn1.running_mean"
    assert timm_key("_blocks.15._project_conv.weight") == "blocks.6.0.conv_pwl.weight"
    assert timm_key("_fc.bias") == "classifier.bias"
    for wrong in ("_blocks.16._bn0.weight", "_blocks.1._se_reduce.weight", "_other.weight"):
        with pytest.raises(WeightsError, match="no place for"):
            timm_key(wrong)


def test_pictures_keep_their_shape_on_grey() -> None:
    wide = square_input(np.full((10, 40, 3), 200, np.uint8), 64)
    assert wide.shape == (64, 64, 3)
    assert np.all(wide[24:40] == 200)
    assert np.all(wide[:24] == 127)
    assert np.all(wide[40:] == 127)


def test_imagenet_names_are_a_thousand_different_lower_case_words() -> None:
    names = imagenet_names()
    assert (names[0], names[144], names[100]) == ("tench", "pelican", "black swan")
    assert len(set(names)) == 1000
    assert all(name == name.lower() and name.strip() for name in names)


def drawn(text: str, size: int = 40, canvas: tuple[int, int] = (640, 360)) -> Image:
    image = PilImage.new("RGB", canvas, (40, 60, 80))
    ImageDraw.Draw(image).text((60, 120), text, font=ImageFont.load_default(size), fill=(255, 255, 255))
    return np.array(image)


def test_reader_reads_words_where_they_are(reader: RapidOcrReader) -> None:
    found = reader.read(drawn("EXIT GATE 42"))
    assert [region.text for region in found] == ["EXIT GATE 42"]
    x1, y1, x2, y2 = found[0].box_xyxy_px
    assert found[0].score > 0.8
    assert 50 <= x1 <= 70
    assert 115 <= y1 < y2 <= 175
    assert 250 <= x2 <= 350


def test_reader_orders_lines_from_the_top(reader: RapidOcrReader) -> None:
    image = drawn("second line")
    image[10:80] = drawn("first line")[110:180]
    assert [region.text for region in reader.read(image)] == ["first line", "second line"]


def test_reader_finds_nothing_in_pictures_without_text(
    reader: RapidOcrReader, capfd: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    for image in (np.full((120, 160, 3), 90, np.uint8), noise, np.zeros((1, 1, 3), np.uint8)):
        assert reader.read(image) == []
    assert capfd.readouterr() == ("", "")


def test_classes_play_their_roles(detector: SsdDetector, lite: EfficientNetLite, reader: RapidOcrReader) -> None:
    assert isinstance(detector, Detector)
    assert isinstance(lite, Tagger)
    assert isinstance(lite, AppearanceEmbedder)
    assert isinstance(reader, TextReader)
