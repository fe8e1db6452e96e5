"""Pictures, clips and texts through the class people use: pre-processing, bad input, naming, features, weights."""

import hashlib

import numpy as np
import pytest
import torch
from PIL import Image as PilImage
from torchvision import transforms

from onlooker import catalogue
from onlooker.errors import ConfigError, ShapeError, UnknownNameError, WeightsError
from onlooker.methods.encoders.perception_encoder import CONFIGS, METHOD, PerceptionEncoder
from onlooker.methods.encoders.perception_encoder.config import TextConfig
from onlooker.methods.encoders.perception_encoder.infer import PerceptionEmbedder, preprocess
from onlooker.methods.encoders.perception_encoder.tokenizer import make_tokenizer
from onlooker.types import Image
from onlooker.video.protocols import PictureTextEmbedder


@pytest.fixture(scope="module")
def embedder() -> PerceptionEmbedder:
    return PerceptionEmbedder(config="tiny", batch_size=2)


def pictures(*sizes: tuple[int, int]) -> list[Image]:
    generator = np.random.default_rng(4)
    return [generator.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (48, 48), (200, 31), (33, 500)])
def test_pre_processing_equals_torchvisions_reference(size: tuple[int, int]) -> None:
    reference = transforms.Compose(
        [
            transforms.Resize((48, 48), transforms.InterpolationMode.BILINEAR),
            transforms.ToTensor(),
            transforms.Normalize([0.5] * 3, [0.5] * 3),
        ]
    )
    (image,) = pictures(size)
    found = preprocess([image], 48)
    assert found.is_contiguous()
    assert torch.allclose(found[0], reference(PilImage.fromarray(image)), atol=1e-6)


def test_vectors_have_unit_length_and_do_not_depend_on_the_batch(embedder: PerceptionEmbedder) -> None:
    images = pictures((20, 30), (90, 60), (48, 48))
    vectors = embedder.embed_images(images)
    assert vectors.shape == (3, embedder.dim) == (3, 64)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    alone = np.concatenate([embedder.embed_images([image]) for image in images])
    assert np.abs(alone - vectors).max() < 1e-5
    texts = ["a red circle", "", "two blue squares and a striped star"]
    words = embedder.embed_texts(texts)
    alone = np.concatenate([embedder.embed_texts([text]) for text in texts])
    assert np.abs(alone - words).max() < 1e-5, "a short text is not moved by a long one beside it"
    assert embedder.embed_images([]).shape == embedder.embed_texts([]).shape == (0, 64)


@pytest.mark.parametrize(
    ("image", "remedy"),
    [
        (np.zeros((8, 8), np.uint8), "repeat a grey picture"),
        (np.zeros((8, 8, 4), np.uint8), "alpha"),
        (np.zeros((0, 8, 3), np.uint8), "without area"),
        (np.full((8, 8, 3), np.nan, np.float32), "whole numbers from 0 to 255"),
        (np.zeros((8, 8, 2), np.uint8), "three channels last"),
    ],
)
def test_pictures_that_cannot_be_read_say_what_to_do(
    embedder: PerceptionEmbedder, image: np.ndarray, remedy: str
) -> None:
    with pytest.raises(ShapeError, match=remedy):
        embedder.embed_images([image])


def test_a_clip_is_the_mean_of_evenly_spread_frames(embedder: PerceptionEmbedder) -> None:
    frames = pictures(*[(16, 16)] * 5)
    mean = embedder.embed_images([frames[1], frames[3]]).mean(0)  # the middles of two halves
    assert embedder.embed_video(frames, n_frames=2) == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)
    assert embedder.embed_video(frames[:1]) == pytest.approx(embedder.embed_images(frames[:1])[0], abs=1e-5)
    three = embedder.embed_images(frames[:3])
    mean = (3 * three[0] + 2 * three[1] + 3 * three[2]) / 8  # eight places over three frames
    assert embedder.embed_video(frames[:3]) == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)
    with pytest.raises(ShapeError, match="needs a frame"):
        embedder.embed_video([])


def test_naming_is_the_softmax_of_scaled_cosines_over_averaged_prompts(embedder: PerceptionEmbedder) -> None:
    images, names, templates = pictures((9, 9), (30, 30)), ["circle", "star", "ring"], ["a red {}", "{} and square"]
    found = embedder.classify(images, names, templates)
    assert found.sum(axis=1) == pytest.approx([1, 1], abs=1e-5)
    prompts = np.stack([embedder.embed_texts([t.format(name) for t in templates]).mean(0) for name in names])
    prompts /= np.linalg.norm(prompts, axis=1, keepdims=True)
    logits = torch.from_numpy(embedder.embed_images(images) @ prompts.T / 0.07)
    assert found == pytest.approx(logits.softmax(dim=1).numpy(), abs=1e-5)
    for wrong in (([], templates), (names, ["no place"]), (names, [])):
        with pytest.raises(ConfigError, match="classify"):
            embedder.classify(images, *wrong)


def test_features_are_laid_out_as_the_picture_is(embedder: PerceptionEmbedder) -> None:
    network = METHOD.create(CONFIGS["tiny"], 0).eval()
    (image,) = pictures((48, 48))
    grids = PerceptionEmbedder.of_network(network, "1").features([image], layer=2)
    assert grids.shape == (1, 6, 6, 96)
    with torch.no_grad():
        tokens = network.forward_features(preprocess([image], 48), layer=2)
    assert grids[0, 1, 4] == pytest.approx(tokens[0, 1 + 6 + 4].numpy(), abs=1e-5), "second row, fifth column"


def test_weights_of_a_folder_are_used_and_named_by_their_content(tmp_path, embedder: PerceptionEmbedder) -> None:
    network = METHOD.create(CONFIGS["tiny"], 5)
    network.save_pretrained(tmp_path / "mine")
    options = {"weights": str(tmp_path / "mine"), "offline": True}
    made = catalogue.create("appearance_embedder", "perception-encoder", options)
    assert isinstance(made, PerceptionEmbedder)
    assert isinstance(made, PictureTextEmbedder)
    assert made.version == hashlib.sha256((tmp_path / "mine" / "model.safetensors").read_bytes()).hexdigest()[:12]
    images = pictures((30, 30))
    expected = PerceptionEmbedder.of_network(network, "1").embed_images(images)
    assert np.array_equal(made.embed_images(images), expected)
    assert not np.allclose(embedder.embed_images(images), expected, atol=1e-3)


def test_what_cannot_be_known_or_found_is_an_error(tmp_path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "mystery.pt")
    with pytest.raises(ConfigError, match="say which with `config=`"):
        PerceptionEmbedder(str(tmp_path / "mystery.pt"))
    with pytest.raises(WeightsError, match="do not fit"):
        PerceptionEmbedder(str(tmp_path / "mystery.pt"), config="tiny")
    with pytest.raises(UnknownNameError, match="core-b16-224"):
        PerceptionEmbedder(config="core-b16-22")
    with pytest.raises(ConfigError, match="say which"):
        PerceptionEmbedder()
    with pytest.raises(WeightsError, match="no weights at"):
        PerceptionEmbedder(str(tmp_path / "absent.pt"))
    with pytest.raises(ConfigError, match="batch_size"):
        PerceptionEmbedder(config="tiny", batch_size=0)
    with pytest.raises(ConfigError, match="`batch_size` is a whole number"):
        PerceptionEmbedder(config="tiny", batch_size=1.5)  # type: ignore[arg-type]


def test_byte_and_world_ids_end_with_the_largest_even_when_cut() -> None:
    text = TextConfig(8, 1, 2, 8, embed_dim=8, context_length=5, vocabulary=300, tokenizer="bytes")
    ids = make_tokenizer(text)(["Ab", "", "abcdefgh"])
    assert ids.tolist() == [[298, 98, 99, 299, 0], [298, 299, 0, 0, 0], [298, 98, 99, 100, 299]]
    assert CONFIGS["tiny"].text is not None
    words = make_tokenizer(CONFIGS["tiny"].text)
    rows = words(["a red circle", "", "red " * 50, "zebra"])
    assert rows.argmax(dim=1).tolist() == [4, 1, 31, 2]
    assert rows.max(dim=1).values.tolist() == [255] * 4
    with pytest.raises(ConfigError, match="pass `\\[text\\]`"):
        words("a red circle")


def test_models_that_end_in_tokens_say_so() -> None:
    lang = PerceptionEncoder(METHOD.resolve({"vision": {**SMALL, "pool": "none", "final_norm": False}}))
    embedder = PerceptionEmbedder.of_network(lang, "1")
    assert embedder.features(pictures((9, 9))).shape == (1, 2, 2, 16)
    with pytest.raises(ConfigError, match="forward_features"):
        embedder.embed_images(pictures((9, 9)))
    with pytest.raises(ConfigError, match="no text side"):
        embedder.embed_texts(["a"])


SMALL = {"width": 16, "depth": 1, "heads": 2, "mlp_hidden": 32, "patch_size": 8, "image_size": 16}


def test_a_picture_that_is_no_array_is_refused() -> None:
    embedder = PerceptionEmbedder(config="tiny")
    for picture in ("a.png", None, [[1, 2]]):
        with pytest.raises(ShapeError, match="a picture is a numpy array"):
            embedder.embed_images([picture])  # type: ignore[list-item]
