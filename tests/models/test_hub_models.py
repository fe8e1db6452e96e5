"""Hub models run through the real loading code, on tiny random networks of the official classes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_hub_models as tiny
import torch

from onlooker.catalogue import Option, create
from onlooker.errors import ConfigError, ShapeError, WeightsError
from onlooker.models.hub.grounding_dino import best_categories, category_spans, split_categories
from onlooker.models.hub.sound_tagger import join_neighbours
from onlooker.types import SoundSegment

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 255, (48, 64, 3), np.uint8)
OTHER = RNG.integers(0, 255, (90, 30, 3), np.uint8)
NOISE = RNG.normal(0, 0.1, 16_000 * 7).astype(np.float32)
BUILDERS: dict[str, tuple[Callable[[Path], Path], str, str]] = {
    "rtdetr": (tiny.rtdetr_folder, "detector", "rtdetr-v2-r18"),
    "dino": (tiny.grounding_dino_folder, "detector", "grounding-dino-tiny"),
    "siglip": (tiny.siglip_folder, "appearance_embedder", "siglip2-base"),
    "pe": (tiny.timm_folder, "appearance_embedder", "pe-core-base"),
    "ast": (tiny.ast_folder, "sound_tagger", "ast-audioset"),
    "whisper": (tiny.whisper_folder, "transcriber", "whisper-base"),
    "smolvlm": (tiny.smolvlm_folder, "captioner", "smolvlm2-500m"),
}
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:transformers.*", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("hub")
    return {name: build(root / name) for name, (build, _, _) in BUILDERS.items()}


def load(folders: dict[str, Path], name: str, **options: Option) -> object:
    _, role, row = BUILDERS[name]
    return create(role, row, {"model": str(folders[name]), "offline": True, **options})


def test_rtdetr_boxes_lie_in_the_image_and_labels_are_coco_s(folders: dict[str, Path]) -> None:
    detector = load(folders, "rtdetr")
    assert detector.categories == ("person", "airplane", "dog")
    found = detector.detect([IMAGE, OTHER])
    for image, result in zip((IMAGE, OTHER), found, strict=True):
        assert len(result) > 0
        assert set(result.labels) <= set(detector.categories)
        assert np.all(np.diff(result.scores) <= 0)
        assert np.all(result.boxes_xyxy_px >= 0)
        assert np.all(result.boxes_xyxy_px.max(axis=0) <= [image.shape[1], image.shape[0]] * 2)
    alone = detector.detect([OTHER])[0]
    np.testing.assert_allclose(alone.boxes_xyxy_px, found[1].boxes_xyxy_px, atol=1e-3)
    assert detector.detect([]) == []


def test_rtdetr_scales_a_known_box_to_the_image_and_keeps_the_better_of_two_labels(folders: dict[str, Path]) -> None:
    detector = load(folders, "rtdetr", score_floor=0.3)

    class Output:
        # one query says dog (0.88) and person (0.73) of the same box, the other says nothing over the floor
        logits = torch.tensor([[[1.0, -9.0, 2.0], [-2.0, -9.0, -9.0]]])
        pred_boxes = torch.tensor([[[0.5, 0.5, 0.25, 0.5], [0.1, 0.1, 0.1, 0.1]]])

    processor = detector._processor
    rows = processor.post_process_object_detection(Output(), threshold=0.3, target_sizes=[(40, 80)])
    found = detector._to_detections(rows[0], (40, 80))
    assert found.labels == ("dog",)
    np.testing.assert_allclose(found.boxes_xyxy_px, [[30, 10, 50, 30]], atol=1e-4)
    np.testing.assert_allclose(found.scores, [0.8808], atol=1e-4)


def test_grounding_dino_answers_only_with_names_asked_for(folders: dict[str, Path]) -> None:
    detector = load(folders, "dino", categories="Red  car. dog. red car.", box_threshold=0.05, text_threshold=0.01)
    assert detector.categories == ("red car", "dog")
    found = detector.detect([IMAGE])[0]
    assert len(found) > 0
    assert set(found.labels) <= {"red car", "dog"}
    assert np.all(found.boxes_xyxy_px >= 0)
    assert np.all(found.boxes_xyxy_px.max(axis=0) <= [64, 48, 64, 48])
    again = detector.detect([IMAGE])[0]
    np.testing.assert_array_equal(found.boxes_xyxy_px, again.boxes_xyxy_px)


def test_grounding_dino_takes_the_category_of_the_best_token_and_applies_both_thresholds() -> None:
    def logit(p: float) -> float:
        return float(np.log(p / (1 - p)))

    # tokens: [CLS] red car . dog . [SEP] and one of padding
    spans = category_spans([2, 7, 8, 18, 9, 18, 3, 0], stop_id=18, special_ids={0, 2, 3})
    assert spans == [[1, 2], [4]]
    low = logit(0.01)
    rows = [
        [low, logit(0.2), logit(0.7), low, logit(0.6), low, low, -np.inf],  # "car" wins although "dog" passes as well
        [low, low, low, low, logit(0.5), low, low, -np.inf],  # dog
        [low, low, low, logit(0.9), logit(0.2), low, low, -np.inf],  # only the full stop is sure: no category
        [low, low, logit(0.35), low, low, low, low, -np.inf],  # under the box threshold
    ]
    boxes = torch.tensor([[0.5, 0.5, 0.2, 0.4], [0.25, 0.25, 0.5, 0.5], [0.5, 0.5, 1, 1], [0.5, 0.5, 1, 1]])
    corners, scores, indices = best_categories(torch.tensor(rows), boxes, spans, 0.4, 0.3)
    assert indices == [0, 1]
    np.testing.assert_allclose(scores, [0.7, 0.5], atol=1e-6)
    np.testing.assert_allclose(corners, [[0.4, 0.3, 0.6, 0.7], [0, 0, 0.5, 0.5]], atol=1e-6)


def test_categories_are_cleaned_and_none_is_an_error() -> None:
    assert split_categories(" Person.  red   CAR ..dog. person") == ("person", "red car", "dog")
    with pytest.raises(ConfigError, match="at least one category"):
        split_categories(" . ")


def test_siglip_vectors_are_unit_and_do_not_depend_on_the_batch(folders: dict[str, Path]) -> None:
    model = load(folders, "siglip", batch_size=2)
    images = model.embed_images([IMAGE, OTHER, IMAGE])
    assert images.shape == (3, model.dim)
    np.testing.assert_allclose(np.linalg.norm(images, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(images[0], images[2], atol=1e-6)
    assert not np.allclose(images[0], images[1], atol=1e-3)
    texts = model.embed_texts(["A red CAR", "a red car", "dog"])
    np.testing.assert_allclose(texts[0], texts[1], atol=1e-6)
    assert not np.allclose(texts[0], texts[2], atol=1e-3)
    assert model.embed_images([]).shape == (0, model.dim)
    with pytest.raises(ConfigError, match="list of texts"):
        model.embed_texts("dog")


def test_pe_core_loads_from_a_timm_folder(folders: dict[str, Path]) -> None:
    model = load(folders, "pe")
    vectors = model.embed_images([IMAGE, OTHER])
    assert vectors.shape == (2, model.dim) == (2, 12)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    with pytest.raises(ShapeError, match="RGB"):
        model.embed_images([IMAGE[:, :, 0]])


def test_ast_names_windows_and_leaves_silence_out(folders: dict[str, Path]) -> None:
    tagger = load(folders, "ast", threshold=0.01, window_s=2.0)
    wave = np.concatenate([NOISE[: 16_000 * 4], np.zeros(16_000 * 4, np.float32)])
    found = tagger.tag_sound(wave)
    assert {segment.label for segment in found} == {"Speech", "Music"}
    assert all((segment.start_s, segment.end_s) == (0.0, 4.0) for segment in found)
    assert all(segment.level_db == pytest.approx(-20, abs=0.2) for segment in found)
    assert tagger.tag_sound(np.zeros(0, np.float32)) == []
    with pytest.raises(ShapeError, match="finite"):
        tagger.tag_sound(np.full(100, np.nan, np.float32))


def test_neighbouring_windows_join_only_when_they_touch() -> None:
    first = SoundSegment(0, 2, "music", 0.5, -10)
    second = SoundSegment(2, 3, "music", 0.9, -40)
    later = SoundSegment(5, 6, "music", 0.4, -20)
    assert join_neighbours([first, second, later]) == [SoundSegment(0, 3, "music", 0.9, -20), later]


def test_whisper_writes_the_same_text_twice_and_is_silent_about_silence(folders: dict[str, Path]) -> None:
    model = load(folders, "whisper", language="en")
    first, second = model.write_down(NOISE[:16_000]), model.write_down(NOISE[:16_000])
    assert first == second
    assert first[1] < 0
    assert model.transcribe(np.zeros(16_000 * 3, np.float32)) == []
    assert model.transcribe(np.zeros(0, np.float32)) == []


def test_captioner_says_the_same_twice_and_stops_at_its_limit(folders: dict[str, Path]) -> None:
    pytest.importorskip("num2words", reason="the SmolVLM processor needs num2words")
    model = load(folders, "smolvlm", max_tokens=5)
    captions = model.caption([IMAGE, IMAGE])
    assert captions[0] == captions[1]
    assert len(captions[0].split()) <= 5
    assert model.caption([]) == []


def test_missing_tensor_is_an_error_and_not_a_random_layer(folders: dict[str, Path], tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copytree(folders["ast"], tmp_path / "cut")
    file = tmp_path / "cut" / "model.safetensors"
    state = load_file(file)
    state.pop("classifier.dense.weight")
    save_file(state, file, metadata={"format": "pt"})
    with pytest.raises(WeightsError, match=r"missing keys: `classifier\.dense\.weight`"):
        create("sound_tagger", "ast-audioset", {"model": str(tmp_path / "cut"), "offline": True})


@pytest.mark.parametrize("name", BUILDERS)
def test_empty_folder_is_reported_as_such(name: str, tmp_path: Path) -> None:
    _, role, row = BUILDERS[name]
    with pytest.raises(WeightsError, match="not a usable model folder"):
        create(role, row, {"model": str(tmp_path), "offline": True})


@pytest.mark.parametrize("name", BUILDERS)
def test_offline_refuses_a_model_that_is_not_here(name: str, tmp_path: Path) -> None:
    _, role, row = BUILDERS[name]
    with pytest.raises(WeightsError, match=r"network is switched off.*model=DIR"):
        create(role, row, {"model": "nobody/no-such-model", "offline": True})
