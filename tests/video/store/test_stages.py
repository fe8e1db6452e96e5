"""A stage is done wholly or not at all, and only once per version."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import func, insert, select

from onlooker.types import VideoInfo
from onlooker.video.store import schema
from onlooker.video.store.stages import StageRun, clear_stage, record_stage, stage_done, stages_done
from onlooker.video.store.store import Store
from onlooker.video.store.vectors import vector_to_blob
from onlooker.video.store.videos import add_video


@pytest.fixture
def video(store: Store, info: VideoInfo) -> int:
    with store.write() as connection:
        return add_video(connection, info, "aa", "clip.mp4", "video")


def write_speech(store: Store, video: int, version: str, texts: list[str], fail: bool = False) -> None:
    with store.write() as connection:
        clear_stage(connection, video, "speech", [schema.SPEECH])
        for text in texts:
            row = {"video_id": video, "start_s": 0.0, "end_s": 1.0, "text": text, "confidence": 1.0}
            key = connection.execute(insert(schema.SPEECH).values(row).returning(schema.SPEECH.c.id)).scalar_one()
            vector = {"video_id": video, "subject": "speech", "subject_id": key, "space": "m@1"}
            connection.execute(insert(schema.EMBEDDINGS).values(vector | {"vector": vector_to_blob(np.ones(3))}))
        if fail:
            raise KeyboardInterrupt
        record_stage(connection, video, StageRun("speech", version, len(texts), 0.5, "tiny@2", "transcriber"))


def texts_in(store: Store) -> list[str]:
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(schema.EMBEDDINGS)).scalar_one() == (
            connection.execute(select(func.count()).select_from(schema.SPEECH)).scalar_one()
        )
        return list(connection.execute(select(schema.SPEECH.c.text).order_by(schema.SPEECH.c.id)).scalars())


def test_stage_is_done_only_at_the_version_it_ran_at(store: Store, video: int) -> None:
    write_speech(store, video, "1", ["hello"])
    with store.read() as connection:
        assert stage_done(connection, video, "speech", "1")
        assert not stage_done(connection, video, "speech", "2")
        assert not stage_done(connection, video, "sound", "1")
        assert stages_done(connection, video) == {"speech": "1"}


def test_newer_version_replaces_the_rows_and_vectors_of_the_older(store: Store, video: int) -> None:
    write_speech(store, video, "1", ["helo", "wrld"])
    write_speech(store, video, "2", ["hello world"])
    assert texts_in(store) == ["hello world"]


def test_stage_that_was_cut_off_leaves_what_was_there(store: Store, video: int) -> None:
    write_speech(store, video, "1", ["hello"])
    with pytest.raises(KeyboardInterrupt):
        write_speech(store, video, "2", ["half"], fail=True)
    assert texts_in(store) == ["hello"]
    with store.read() as connection:
        assert stages_done(connection, video) == {"speech": "1"}


def test_clearing_one_annotator_leaves_attributes_of_others(store: Store, video: int) -> None:
    with store.write() as connection:
        for annotator in ("color", "tags"):
            row = {"video_id": video, "name": "x", "value": annotator, "score": 1.0, "annotator": annotator}
            connection.execute(insert(schema.ATTRIBUTES).values(row))
        clear_stage(connection, video, "color")
        assert list(connection.execute(select(schema.ATTRIBUTES.c.value)).scalars()) == ["tags"]
