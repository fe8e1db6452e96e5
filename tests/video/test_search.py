"""Search by words, by meaning and by picture, with small public embedders whose vectors are worked out by hand."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from onlooker.errors import ConfigError
from onlooker.video.search import MIN_SCORE, TextSearch, search_example
from onlooker.video.store.reader import Reader
from onlooker.video.store.vectors import vector_to_blob

sys.path.append(str(Path(__file__).parent / "chat"))
from small_library import add_tracklet, add_video, insert, make_library

AXES = ("car automobile", "bicycle bike two wheels", "dog puppy pet", "person human", "gap danger platform")


class WordEmbedder:
    """One axis a group of synonyms, one for all other texts: the first word that is in a group decides."""

    name, version, dim = "words", "1", len(AXES) + 1

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        self.embedded += texts
        rows = np.zeros((len(texts), self.dim), np.float32)
        for row, text in zip(rows, texts, strict=True):
            groups = [
                i for word in re.findall(r"\w+", text.lower()) for i, axis in enumerate(AXES) if word in axis.split()
            ]
            row[groups[0] if groups else -1] = 1.0
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class GreyEmbedder:
    """Mean grey and its opposite."""

    name, version, dim = "grey", "1", 2

    def embed_images(self, images: Sequence[np.ndarray]) -> np.ndarray:
        angles = [float(image.mean()) / 255 * np.pi / 2 for image in images]
        return np.array([[np.cos(a), np.sin(a)] for a in angles], np.float32)


@pytest.fixture
def library(tmp_path):
    return make_library(tmp_path)


@pytest.fixture
def search(library):
    with Reader.open(library) as reader, TextSearch(reader, WordEmbedder()) as opened:
        yield opened


def found(hits) -> list[tuple[str, str, int | None]]:
    return [(hit.kind, hit.video, hit.tracklet) for hit in hits]


def test_all_words_of_a_description_beat_some_of_them(search):
    hits = search.find("small red cars moving right", min_score=0.0)
    assert (hits[0].video, hits[0].tracklet, hits[0].score) == ("street", 1, 1.0)
    assert hits[0].why == "car: small, red, cars, moving, right"
    assert (hits[0].start_s, hits[0].end_s) == (0.0, 2.0)
    others = [hit for hit in hits[1:] if hit.why.endswith("small, moving, right")]
    assert others
    assert all(hit.score == pytest.approx(0.3) for hit in others), "three words of five count half"


def test_names_tags_speech_and_signs_are_found_by_word(search):
    assert found(search.find("Rex")) == [("tracklet", "street", 3)]
    assert found(search.find("mountain")) == [("tracklet", "street", 2)]
    (said,) = search.find("mind the GAP")
    assert (said.kind, said.tracklet, said.start_s, said.why) == (
        "speech",
        None,
        1.0,
        'said: "Mind the gap on the left"',
    )
    (sign,) = search.find("gate 42")
    assert (sign.kind, sign.why, sign.score) == ("screen_text", 'written: "EXIT GATE 42"', 1.0)


def test_other_words_for_the_same_thing_are_found_by_meaning(search):
    assert found(search.find("puppy")) == [("tracklet", "street", 3)]
    assert search.find("puppy")[0].why == 'near in meaning to "dog"'
    assert found(search.find("danger"))[0] == ("speech", "street", None)


def test_what_is_not_there_is_not_found(search):
    for absent in ("quantum chromodynamics", "%", "_", "100%", "", "   ", "\\", "a" * 5000, "\x00"):
        assert search.find(absent) == []


def test_scope_and_top_k_hold(search):
    assert found(search.find("human", videos=[2])) == [("tracklet", "attack", 1)]
    assert search.find("human", videos=[1]) == []
    assert search.find("car", videos=[]) == []
    assert len(search.find("moving right", top_k=2)) == 2


def test_unfinished_videos_are_not_searched(search):
    assert {hit.video for hit in search.find("car", min_score=0.0)} <= {"street", "attack"}


def test_stored_vectors_are_used_and_then_only_the_query_is_embedded(library):
    embedder = WordEmbedder()
    connection = sqlite3.connect(library)
    with connection:
        for key, text in ((1, "dog"), (2, "bicycle")):  # stored against the names, to see that they are what is read
            (vector,) = embedder.embed_texts([text])
            insert(
                connection, "base_embeddings", video_id=1, tracklet_id=key, subject="tags", subject_id=key,
                space="words@1", vector=vector_to_blob(vector),
            )  # fmt: skip
    connection.close()
    embedder.embedded.clear()
    with Reader.open(library) as reader, TextSearch(reader, embedder) as search:
        hits = {hit.tracklet: hit.why for hit in search.find("puppy")}
        assert set(hits) == {1, 3}, "1 by its stored vector, 3 as the category dog"
        assert {"dog", "red car"}.isdisjoint(embedder.embedded)


def test_distinct_phrases_are_embedded_once_however_many_tracklets_share_them(library):
    connection = sqlite3.connect(library)
    with connection:
        video = add_video(connection, "crowd")
        for number in range(1, 41):
            add_tracklet(connection, video, number, "person", 0.0, 1.0)
    connection.close()
    embedder = WordEmbedder()
    with Reader.open(library) as reader, TextSearch(reader, embedder) as search:
        assert len(search.find("human", top_k=100)) == 41
        assert embedder.embedded.count("person") == 1
        search.find("human")
        assert embedder.embedded.count("person") == 1


def test_words_are_data_even_when_they_look_like_sql(search, library):
    before = hashlib.sha256(library.read_bytes()).digest()
    for text in ("'; DROP TABLE base_videos; --", '" OR 1=1', "% ESCAPE '", ":w0 :scope"):
        search.find(text)
    assert hashlib.sha256(library.read_bytes()).digest() == before


def test_wrong_settings_are_refused(library):
    with Reader.open(library) as reader, TextSearch(reader, WordEmbedder()) as search:
        for top_k, min_score in ((0, None), (10, 1.5), (10, -0.1)):
            with pytest.raises(ConfigError):
                search.find("car", top_k, None, min_score)


def test_a_picture_finds_what_looks_like_it(library):
    connection = sqlite3.connect(library)
    with connection:
        for key, vector in ((1, [1.0, 0.0]), (2, [0.0, 1.0])):
            insert(
                connection, "base_embeddings", video_id=1, tracklet_id=key, subject="tracklet", subject_id=key,
                space="grey@1", vector=vector_to_blob(np.array(vector, np.float32)),
            )  # fmt: skip
    connection.close()
    black = np.zeros((8, 8, 3), np.uint8)
    with Reader.open(library) as reader:
        (hit,) = search_example(reader, GreyEmbedder(), black)
        assert (hit.kind, hit.video, hit.tracklet, hit.score, hit.why) == ("tracklet", "street", 1, 1.0, "looks alike")
        assert len(search_example(reader, GreyEmbedder(), black, min_score=0.0)) == 2
        assert search_example(reader, GreyEmbedder(), black, videos=[2]) == []


@pytest.mark.models
def test_the_real_sentence_model_ranks_meaning_sanely(library):
    from onlooker.models.bundled.minilm import MiniLm

    with Reader.open(library) as reader, TextSearch(reader, MiniLm()) as search:
        for query, best in [("puppy", 3), ("automobile", 1), ("vehicle with two wheels", 2), ("pet that barks", 3)]:
            assert (query, search.find(query, videos=[1])[0].tracklet) == (query, best)
        for absent in ("pizza recipe", "weapon", "quantum chromodynamics"):
            assert search.find(absent) == [], f"nothing above {MIN_SCORE}"


class ColourEmbedder:
    """Pictures and words in one space, by hand: red, green, blue, and one axis for words that are no colour."""

    name, version, dim, similarity_scale = "colours", "1", 4, 20.0

    def embed_images(self, images: Sequence[np.ndarray]) -> np.ndarray:
        means = np.array([image.reshape(-1, 3).mean(0) for image in images], np.float32)
        rows = np.concatenate([means, np.full((len(images), 1), 60, np.float32)], axis=1)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.array([[word in text for word in ("red", "green", "blue")] + [False] for text in texts], np.float32)
        rows[rows.sum(1) == 0, 3] = 1.0
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def store_look(library: Path, space: str, **colours: tuple[int, int, int]) -> None:
    """Vectors of flat pictures as the look of tracklets, in the order of their keys."""
    connection = sqlite3.connect(library)
    with connection:
        for key, colour in enumerate(colours.values(), start=1):
            (vector,) = ColourEmbedder().embed_images([np.full((8, 8, 3), colour, np.uint8)])
            insert(
                connection, "base_embeddings", video_id=1, tracklet_id=key, subject="tracklet", subject_id=key,
                space=space, vector=vector_to_blob(vector),
            )  # fmt: skip
    connection.close()


def test_words_find_the_picture_they_describe_where_both_share_a_space(library):
    store_look(library, "colours@1", first=(20, 20, 220), second=(220, 20, 20), third=(20, 220, 20))
    with Reader.open(library) as reader, TextSearch(reader, ColourEmbedder()) as search:
        for text, tracklet in (("something reddish", 2), ("the greenish one", 3), ("bluer than the rest", 1)):
            hits = [hit for hit in search.find(text) if hit.why == "looks like what the words say"]
            assert [hit.tracklet for hit in hits] == [tracklet], "the others fit unrelated words better"
            # cosines 220 and 60 of a vector of length sqrt(220^2 + 20^2 + 20^2 + 60^2) = 229.8, scale 20, 16 words
            odds = 16 * np.exp(20 * (60 - 220) / 229.8)
            assert hits[0].score == pytest.approx(1 / (1 + odds), abs=2e-3)
        assert search.find("quantum chromodynamics") == []
        assert search.find("something reddish", videos=[2]) == []


def test_words_meet_only_pictures_of_the_space_that_ingest_names(library):
    store_look(library, "row@main+options", first=(20, 220, 20))
    with Reader.open(library) as reader:
        with TextSearch(reader, ColourEmbedder()) as search:
            assert search.find("greenish") == []
        with TextSearch(reader, ColourEmbedder(), "row@main+options") as search:
            assert found(search.find("greenish")) == [("tracklet", "street", 1)]
        picture = np.full((4, 4, 3), (20, 220, 20), np.uint8)
        assert len(search_example(reader, ColourEmbedder(), picture, space="row@main+options")) == 1
