"""What people call: pictures and clips of all kinds in, words and vectors out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from onlooker.catalogue import create as create_role
from onlooker.errors import ConfigError, ShapeError, UnknownNameError, WeightsError
from onlooker.methods.encoders.omnivl.config import (
    CONFIGS,
    ContrastConfig,
    GenerationConfig,
    OmniVLConfig,
    TextConfig,
    VisualConfig,
)
from onlooker.methods.encoders.omnivl.infer import OmniVLDescriber
from onlooker.methods.encoders.omnivl.model import OmniVLPretrain
from onlooker.methods.encoders.omnivl.networks import create
from onlooker.methods.encoders.omnivl.pixels import clip_to_batch, frame_places, image_to_rgb, images_to_batch
from onlooker.methods.encoders.omnivl.retrieval import rerank_texts, rerank_vision
from onlooker.methods.encoders.omnivl.tokenizer import (
    OmniVLTokenizer,
    build_vocabulary,
    clean_caption,
    clean_question,
)

WORDS = build_vocabulary(["A red square moves left, in the video we can see that?", "what colour yes no"])
VISUAL = VisualConfig(
    image_size=16, patch_size=8, width=24, depth=1, heads=2, num_frames=6, time_stride=2, drop_path=0.0
)
SMALL = OmniVLConfig(
    visual=VISUAL,
    text=TextConfig(
        vocab_size=64, width=24, layers=1, heads=2, ffn=32, max_positions=40, dropout=0.0, cls_id=2, sep_id=3
    ),
    embed_dim=8,
    contrast=ContrastConfig(queue_size=12),
    generation=GenerationConfig(prompt="in the video", beams=2, min_length=5, max_length=9),
)


def describer(head: str = "pretrain", **changes: object) -> OmniVLDescriber:
    torch.manual_seed(0)
    config = replace(SMALL, head=head, **changes)  # type: ignore[arg-type]
    return OmniVLDescriber.of(create(config), OmniVLTokenizer(WORDS, config.text), "test", batch_size=2)


def pictures(*sizes: tuple[int, ...]) -> list[np.ndarray]:
    made = np.random.default_rng(0)
    return [made.integers(0, 256, size, np.uint8) for size in sizes]


THREE = pictures((20, 30, 3), (16, 16, 3), (9, 40, 3))
FRAMES = pictures(*[(20, 24, 3)] * 5)


@pytest.mark.parametrize("head", ["pretrain", "caption"])
def test_every_picture_gets_one_caption_without_its_prompt(head: str) -> None:
    model = describer(head)
    captions = model.caption(THREE)
    assert len(captions) == 3
    assert captions == [model.caption([image])[0] for image in THREE]
    assert not any(text.startswith("in the video") for text in captions)
    assert model.caption([]) == []
    assert isinstance(model.caption_clip(FRAMES, "a red"), str)


def test_a_prompt_longer_than_the_longest_caption_leaves_room_to_speak() -> None:
    text = describer().caption(THREE[:1], "in the video we can see that a red square moves left")[0]
    assert isinstance(text, str)
    with pytest.raises(ShapeError, match="the model has 40 positions"):
        describer().caption(THREE[:1], "red " * 60)


def test_answers_come_for_pictures_clips_and_from_a_list() -> None:
    model = describer("vqa", generation=GenerationConfig(beams=1, min_length=2, max_length=6))
    assert len(model.answer(THREE, "what colour?")) == 3
    assert isinstance(model.answer_clip(FRAMES, "what colour?"), str)
    assert set(model.choose(THREE, "what colour?", ["red", "yes", "a red square"])) <= {"red", "yes", "a red square"}
    with pytest.raises(ShapeError, match="at least one word"):
        model.choose(THREE, "what colour?", ["red", " "])


def test_vectors_are_unit_rows_and_do_not_depend_on_the_batch() -> None:
    model = describer("embed")
    rows = model.embed_images(THREE)
    assert rows.shape == (3, model.dim) == (3, 8)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(model.embed_images(THREE[2:]), rows[2:], atol=1e-5)
    texts = model.embed_texts(["A red square!", "yes", ""])
    np.testing.assert_allclose(model.embed_texts(["a red   square"])[0], texts[0], atol=1e-5)
    assert texts.dtype == np.float32
    assert model.embed_video(FRAMES).shape == (8,)
    assert model.embed_images([]).shape == (0, 8)
    with pytest.raises(ConfigError, match="takes a list of texts"):
        model.embed_texts("red")


def test_heads_say_what_they_cannot_do() -> None:
    with pytest.raises(ConfigError, match="head `embed` cannot caption"):
        describer("embed").caption(THREE)
    with pytest.raises(ConfigError, match="head `caption` cannot embed"):
        describer("caption").embed_images(THREE)
    with pytest.raises(ConfigError, match="head `pretrain` cannot answer"):
        describer().answer(THREE, "what?")


def test_grey_and_transparent_pictures_have_a_defined_look() -> None:
    grey = np.array([[0, 200]], np.uint8)
    assert image_to_rgb(grey).tolist() == [[[0, 0, 0], [200, 200, 200]]]
    assert image_to_rgb(grey[:, :, None]).tolist() == image_to_rgb(grey).tolist()
    glass = np.array([[[200, 100, 50, 0], [200, 100, 50, 255], [200, 100, 50, 51]]], np.uint8)
    assert image_to_rgb(glass).tolist() == [[[0, 0, 0], [200, 100, 50], [40, 20, 10]]]


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros(4, np.uint8),
    ],
    ids=["float", "two channels", "no pixels", "a row"],
)
def test_what_is_no_picture_is_refused(image: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="pictures are"):
        describer("embed").embed_images([image])


def test_pixels_are_normalised_by_type_and_not_by_their_maximum() -> None:
    batch = images_to_batch([np.full((5, 7, 3), 1, np.uint8)], VISUAL)  # nearly black, maximum 1
    expected = (1 / 255 - torch.tensor([0.48145466, 0.4578275, 0.40821073])) / torch.tensor(
        [0.26862954, 0.26130258, 0.27577711]
    )
    torch.testing.assert_close(batch[0, :, 3, 3], expected)


def test_clips_without_frames_or_of_mixed_sizes_are_refused() -> None:
    with pytest.raises(ShapeError, match="at least one frame"):
        describer("embed").embed_video([])
    with pytest.raises(ShapeError, match="must have one size"):
        describer("embed").embed_video(THREE)


def test_frames_are_repeated_to_fill_a_slot_and_sampled_evenly_when_too_many() -> None:
    assert frame_places(1, 6, 2) == [0, 0]
    assert frame_places(5, 6, 2) == [0, 1, 2, 3, 4, 4]
    assert frame_places(6, 6, 2) == [0, 1, 2, 3, 4, 5]
    assert frame_places(12, 6, 2) == [1, 3, 5, 7, 9, 11]
    assert len(frame_places(9, 7, 3)) == 6
    assert clip_to_batch(FRAMES, VISUAL).shape == (1, 3, 6, 16, 16)


def test_weights_vocabulary_and_configuration_come_from_one_folder(tmp_path: Path) -> None:
    network = create(SMALL).eval()
    network.save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match=r"put their `vocab\.txt` beside them"):
        OmniVLDescriber(str(tmp_path))
    words = OmniVLTokenizer(WORDS, SMALL.text)
    words.save(tmp_path / "vocab.txt")
    model = create_role("captioner", "omnivl", {"weights": str(tmp_path), "device": "cpu"})
    assert isinstance(model, OmniVLDescriber)
    assert model.name == "omnivl"
    assert len(model.version) == 8
    same = OmniVLDescriber.of(network, words, "test")
    np.testing.assert_allclose(model.embed_images(THREE), same.embed_images(THREE), atol=1e-6)


def test_missing_weights_and_configurations_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no public weights"):
        OmniVLDescriber()
    with pytest.raises(WeightsError, match="there are no weights"):
        OmniVLDescriber(str(tmp_path / "gone.pth"))
    torch.save({"model": {"temp": torch.ones(())}}, tmp_path / "model.pth")
    with pytest.raises(ConfigError, match="no configuration lies beside"):
        OmniVLDescriber(str(tmp_path / "model.pth"))
    with pytest.raises(UnknownNameError, match="did you mean `tiny`"):
        OmniVLDescriber(str(tmp_path / "model.pth"), config="tinny")


def test_texts_are_cleaned_as_the_authors_do() -> None:
    assert clean_caption('A "Red" square:  (moves)... left! ') == "a red square moves left"
    assert clean_caption("word " * 60).count("word") == 50
    assert clean_question("What colour is it, #1?!") == "what colour is it, 1?"


def test_long_text_keeps_its_end_and_empty_text_its_borders() -> None:
    words = OmniVLTokenizer(WORDS, SMALL.text)
    ids = words.encode(["red " * 40, ""], length=30)
    assert ids.shape == (2, 30)
    assert ids[0, -1] == 3
    assert ids[1, :3].tolist() == [2, 3, 0]
    assert words.decode(words.encode(["a red square"])[0]) == "a red square"
    assert words.encode_prompt("").tolist() == [2]
    with pytest.raises(ShapeError, match="one string"):
        words.encode("red")


def test_vocabularies_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="are \\[DEC\\] and \\[ENC\\]"):
        OmniVLTokenizer([*WORDS, *map(str, range(60))], SMALL.text)
    with pytest.raises(ConfigError, match="`\\[CLS\\]` must have id 2"):
        OmniVLTokenizer(["[PAD]", "[CLS]", "[UNK]", "[SEP]"], SMALL.text)
    with pytest.raises(WeightsError, match="not a readable vocabulary"):
        OmniVLTokenizer.from_file(tmp_path / "gone.txt", SMALL.text)


@pytest.mark.models
def test_bundled_vocabulary_is_berts_with_room_for_two() -> None:
    words = OmniVLTokenizer.bundled(CONFIGS["paper"].text)
    assert len(words.vocabulary) == 30522
    assert words.encode(["a picture of a dog"]).tolist() == [[101, 1037, 3861, 1997, 1037, 3899, 102]]
    assert (CONFIGS["paper"].text.decode_id, CONFIGS["paper"].text.encode_id) == (30522, 30523)


def test_reranking_adds_the_match_logit_for_the_nearest_only() -> None:
    torch.manual_seed(0)
    network = OmniVLPretrain(SMALL).eval()
    tokens = network.visual_encoder(torch.randn(4, 3, 16, 16)).detach()
    ids = torch.tensor([[2, 7, 8, 3], [2, 9, 3, 0], [2, 6, 6, 3]])
    cosine = (network.embed_text(ids) @ network.project_vision(tokens).T).detach()
    scores = rerank_vision(network, tokens, ids, top_k=2)
    assert scores.shape == (3, 4)
    assert ((scores > -100).sum(1) == 2).all()
    best = int(cosine[1].argmax())
    expected = network.match(tokens[best : best + 1], ids[1:2])[0, 1] + cosine[1, best]
    torch.testing.assert_close(scores[1, best], expected.detach())
    torch.testing.assert_close(rerank_texts(network, tokens, ids, 3), rerank_vision(network, tokens, ids, 4).T)
    with pytest.raises(ShapeError, match="from 1 to the 4 candidates"):
        rerank_vision(network, tokens, ids, 5)
