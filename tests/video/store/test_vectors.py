"""Vectors: what is kept, and that search is exact and stays inside its space."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import insert

from onlooker.errors import LibraryError, ShapeError
from onlooker.types import VideoInfo
from onlooker.video.store import vectors
from onlooker.video.store.schema import EMBEDDINGS
from onlooker.video.store.store import Store
from onlooker.video.store.vectors import VectorSearch, blob_to_vector, vector_to_blob
from onlooker.video.store.videos import add_video, set_status


@pytest.fixture
def video(store: Store, info: VideoInfo) -> int:
    with store.write() as connection:
        key = add_video(connection, info, "aa", "clip.mp4", "video")
        set_status(connection, key, "ready")
        return key


Row = dict[str, int | str | bytes]


def save(store: Store, *rows: Row) -> None:
    with store.write() as connection:
        connection.execute(insert(EMBEDDINGS).prefix_with("OR REPLACE"), list(rows))


def row(video: int, number: int, vector: list[float], space: str = "m@1", subject: str = "speech") -> Row:
    blob = vector_to_blob(np.array(vector, np.float32))
    return {"video_id": video, "subject": subject, "subject_id": number, "space": space, "vector": blob}


def test_vector_comes_back_as_unit_length_half_precision() -> None:
    back = blob_to_vector(vector_to_blob(np.array([3.0, 4.0], np.float32)))
    np.testing.assert_array_equal(back, np.array([0.6, 0.8], np.float16).astype(np.float32))


@pytest.mark.parametrize("bad", [[np.nan, 1.0], [np.inf, 1.0], [[1.0, 0.0]]])
def test_vector_that_is_no_vector_is_refused(bad: list[float]) -> None:
    with pytest.raises(ShapeError, match="finite vector"):
        vector_to_blob(np.array(bad, np.float32))


@pytest.mark.parametrize("bad", [[0.0, 0.0], [np.nan, 1.0], [[1.0, 0.0]]])
def test_query_without_direction_is_refused(store: Store, video: int, bad: list[float]) -> None:
    save(store, row(video, 1, [1, 0]))
    with VectorSearch.open(store.path) as search, pytest.raises(ShapeError, match="finite query"):
        search.search("m@1", np.array(bad, np.float32))


def test_nearest_come_first_with_their_cosine(store: Store, video: int) -> None:
    save(store, row(video, 1, [1, 0]), row(video, 2, [1, 1]), row(video, 3, [-1, 0]))
    with VectorSearch.open(store.path) as search:
        hits = search.search("m@1", np.array([2, 0], np.float32), top_k=2)
    assert [hit.subject_id for hit in hits] == [1, 2]
    assert [hit.score for hit in hits] == pytest.approx([1.0, 0.70710678], abs=5e-4)


def test_spaces_are_never_mixed_and_subjects_and_videos_filter(store: Store, video: int, info: VideoInfo) -> None:
    with store.write() as connection:
        second = add_video(connection, info, "bb", "b.mp4", "video")
        set_status(connection, second, "ready")
        hidden = add_video(connection, info, "cc", "c.mp4", "video")
    save(
        store,
        row(video, 1, [1, 0]),
        row(second, 2, [1, 0]),
        row(video, 3, [1, 0], subject="tags"),
        row(video, 4, [1, 0, 0], space="other@1"),
        row(hidden, 5, [1, 0]),
    )
    query = np.array([1, 0], np.float32)
    with VectorSearch.open(store.path) as search:
        assert [h.subject_id for h in search.search("m@1", query)] == [1, 2, 3]
        assert [h.subject_id for h in search.search("m@1", query, subjects=["tags"])] == [3]
        assert [h.subject_id for h in search.search("m@1", query, video_ids={second})] == [2]
        assert search.search("absent@1", query) == []
        assert search.spaces() == ("m@1", "other@1")
        with pytest.raises(ShapeError, match=r"`other@1` has vectors of 3 numbers, the query has 2"):
            search.search("other@1", query)


def test_search_notices_what_another_connection_wrote(store: Store, video: int) -> None:
    query = np.array([1, 0], np.float32)
    with VectorSearch.open(store.path) as search:
        assert search.search("m@1", query) == []
        save(store, row(video, 1, [0, 1]))
        assert [h.subject_id for h in search.search("m@1", query)] == [1]
        save(store, row(video, 1, [1, 0]))
        assert [round(h.score, 3) for h in search.search("m@1", query)] == [1.0]


@pytest.mark.parametrize("as_stored", [False, True])
def test_chunked_search_agrees_with_one_product(
    store: Store, video: int, monkeypatch: pytest.MonkeyPatch, as_stored: bool
) -> None:
    monkeypatch.setattr(vectors, "_CHUNK_ROWS", 7)
    if as_stored:
        monkeypatch.setattr(vectors, "FLOAT32_UP_TO_BYTES", 0)
    made = np.random.default_rng(0).normal(size=(50, 16)).astype(np.float32)
    save(store, *(row(video, i, v.tolist()) for i, v in enumerate(made)))
    query = made[17] + 0.1
    unit = made / np.linalg.norm(made, axis=1, keepdims=True)
    wanted = np.argsort(-(unit @ query / np.linalg.norm(query)))[:5]
    with VectorSearch.open(store.path) as search:
        assert [h.subject_id for h in search.search("m@1", query, top_k=5)] == wanted.tolist()
        some = search.search("m@1", query, top_k=50, video_ids=[video])
    assert len(some) == 50


def test_search_in_a_missing_library_says_so(store: Store) -> None:
    with pytest.raises(LibraryError, match="no library"):
        VectorSearch.open(store.path.with_name("none"))
