"""Who is who in the library, and taking a video out of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, insert, select

from onlooker.errors import LibraryError, UnknownNameError
from onlooker.types import VideoInfo
from onlooker.video.answer import Answer, Evidence
from onlooker.video.store import schema
from onlooker.video.store.answers import save_answer
from onlooker.video.store.stages import StageRun, record_stage
from onlooker.video.store.store import Store
from onlooker.video.store.vectors import vector_to_blob
from onlooker.video.store.videos import (
    add_video,
    content_hash,
    delete_video,
    find_by_content,
    find_videos,
    list_videos,
    set_status,
)


def add(store: Store, info: VideoInfo, sha256: str, name: str, path: str | None = None) -> int:
    if path is not None:
        info = dataclasses.replace(info, path=path)
    with store.write() as connection:
        return add_video(connection, info, sha256, name, "video")


def test_same_content_under_another_name_is_the_same_video(store: Store, info: VideoInfo) -> None:
    first = add(store, info, "aa", "clip.mp4")
    assert add(store, info, "aa", "copy.mp4", "/elsewhere/copy.mp4") == first
    with store.read() as connection:
        (video,) = list_videos(connection)
    assert (video.name, video.path, video.status) == ("clip.mp4", "/elsewhere/copy.mp4", "ingesting")


def test_other_content_under_a_taken_name_gets_a_number(store: Store, info: VideoInfo) -> None:
    for sha in ("aa", "bb", "cc"):
        add(store, info, sha, "100%_clip.mp4")
    with store.read() as connection:
        names = [video.name for video in list_videos(connection)]
    assert names == ["100%_clip.mp4", "100%_clip.mp4 (2)", "100%_clip.mp4 (3)"]


def test_videos_are_found_by_name_case_stem_and_path(store: Store, info: VideoInfo, tmp_path: Path) -> None:
    file = tmp_path / "orig.mov"
    ids = {
        "Street.MP4": add(store, info, "aa", "Street.MP4"),
        "park.v2.mp4": add(store, info, "bb", "park.v2.mp4"),
        "third": add(store, info, "cc", "third", str(file)),
    }
    with store.read() as connection:
        for name, wanted in [
            ("Street.MP4", "Street.MP4"),
            ("street.mp4", "Street.MP4"),
            ("STREET", "Street.MP4"),
            ("park.v2", "park.v2.mp4"),
            (str(file), "third"),
            ("orig.mov", "third"),
            ("orig", "third"),
        ]:
            assert [v.id for v in find_videos(connection, [name])] == [ids[wanted]], name
        assert len(find_videos(connection, ["street", "Street.MP4", "third"])) == 2
        with pytest.raises(UnknownNameError, match=r"unknown video `Stret\.mp4`; did you mean `Street\.MP4`"):
            find_videos(connection, ["Stret.mp4"])


def test_name_that_means_two_videos_lists_them(store: Store, info: VideoInfo) -> None:
    add(store, info, "aa", "clip.mp4")
    add(store, info, "bb", "clip.avi")
    with store.read() as connection, pytest.raises(LibraryError, match=r"2 videos: `clip\.mp4`, `clip\.avi`"):
        find_videos(connection, ["clip"])


def test_chat_does_not_see_a_video_before_it_is_finished(store: Store, info: VideoInfo) -> None:
    video = add(store, info, "aa", "clip.mp4")
    with store.write() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM videos").scalar_one() == 0
        set_status(connection, video, "partial", decoded_until_s=2.5)
        row = connection.exec_driver_sql("SELECT status, duration FROM videos").one()
    assert row.status == "partial"
    with store.read() as connection:
        found = find_by_content(connection, "aa")
        assert find_by_content(connection, "zz") is None
    assert found is not None
    assert found.decoded_until_s == 2.5


def test_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert content_hash(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_hash_of_a_sequence_counts_annotations_by_content_and_pictures_by_name(tmp_path: Path) -> None:
    def make(name: str, truth: str, picture: str = "000001.jpg") -> Path:
        folder = tmp_path / name
        (folder / "img1").mkdir(parents=True)
        (folder / "gt.txt").write_text(truth)
        (folder / "img1" / picture).write_bytes(name.encode())
        return folder

    one = content_hash(make("one", "1,1"))
    assert content_hash(make("two", "1,1")) == one
    assert content_hash(make("three", "1,2")) != one
    assert content_hash(make("four", "1,1", "000002.jpg")) != one
    four = tmp_path / "four"
    (four / "notes.txt").write_text("read me")
    assert content_hash(four, [four / "gt.txt"]) == content_hash(tmp_path / "four", [four / "gt.txt"])
    before = content_hash(four, [four / "gt.txt"])
    (four / "notes.txt").write_text("other")
    assert content_hash(four, [four / "gt.txt"]) == before


def _fill(store: Store, video: int, word: str) -> None:
    with store.write() as connection:
        tracklet = {c.name: 0 for c in schema.TRACKLETS.columns if not c.nullable and c.name != "id"}
        tracklet.update(video_id=video, number=1, category=word, direction="none", size="small", place="centre")
        key = connection.execute(
            insert(schema.TRACKLETS).values(tracklet).returning(schema.TRACKLETS.c.id)
        ).scalar_one()
        box = {"tracklet_id": key, "frame": 0, "t": 0.0, "x1": 0, "y1": 0, "x2": 1, "y2": 1, "score": 1, "detected": 1}
        connection.execute(insert(schema.BOXES).values(box))
        speech = {"video_id": video, "start_s": 0, "end_s": 1, "text": f"they said {word}", "confidence": 1}
        said = connection.execute(insert(schema.SPEECH).values(speech).returning(schema.SPEECH.c.id)).scalar_one()
        picture = {
            "video_id": video,
            "tracklet_id": key,
            "kind": "crop",
            "frame": 0,
            "t": 0.0,
            "quality": 1,
            "width": 1,
        }
        picture |= {"x1": 0, "y1": 0, "x2": 1, "y2": 1, "height": 1, "jpeg": word.encode() * 50}
        connection.execute(insert(schema.PICTURES).values(picture))
        attribute = {"video_id": video, "tracklet_id": key, "name": "tag", "value": word, "score": 1, "annotator": "t"}
        connection.execute(insert(schema.ATTRIBUTES).values(attribute))
        vector = {"video_id": video, "subject": "speech", "subject_id": said, "space": "m@1"}
        connection.execute(insert(schema.EMBEDDINGS).values(vector | {"vector": vector_to_blob(np.ones(4))}))
        record_stage(connection, video, StageRun("speech", "1", 1, 0.1))
        set_status(connection, video, "ready")


def test_deleted_video_leaves_no_word_in_the_file(store: Store, info: VideoInfo) -> None:
    secret, other = "xylophonequartz", "harmonicabasalt"
    gone, stays = add(store, info, "aa", "gone.mp4", "/v/gone.mp4"), add(store, info, "bb", "stays.mp4", "/v/stays.mp4")
    _fill(store, gone, secret)
    _fill(store, stays, other)
    for name, word in (("gone.mp4", secret), ("stays.mp4", other)):
        evidence = (Evidence("speech", name, quote=word),)
        answer = Answer(f"who says {word}?", "answered", word, evidence=evidence, answer_id=name)
        assert save_answer(store.path, answer)
    delete_video(store, gone)
    for file in store.path.parent.iterdir():
        content = file.read_bytes()
        assert secret.encode() not in content, file.name
        assert b"gone.mp4" not in content, file.name
    assert other.encode() in store.path.read_bytes()
    with store.read() as connection:
        assert connection.execute(select(schema.ANSWERS.c.answer_id)).scalars().all() == ["stays.mp4"]
        for table in schema.METADATA.sorted_tables:
            if "video_id" in table.c:
                owners = set(connection.execute(select(table.c.video_id)).scalars())
                assert owners <= {stays}, table.name
        assert connection.execute(select(func.count()).select_from(schema.BOXES)).scalar_one() == 1
    with pytest.raises(LibraryError, match="no video with key"):
        delete_video(store, gone)


def test_answer_with_more_rows_than_evidence_goes_with_any_video(store: Store, info: VideoInfo) -> None:
    first, second = add(store, info, "aa", "a.mp4"), add(store, info, "bb", "b.mp4")
    rows = tuple((f"words {i}",) for i in range(3))
    answer = Answer("what is said?", "answered", "…", evidence=(Evidence("speech", "a.mp4"),), rows=rows, answer_id="x")
    assert save_answer(store.path, answer)
    delete_video(store, second)
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(schema.ANSWERS)).scalar_one() == 0
    assert first


def test_answer_is_not_kept_waiting_by_a_long_ingest(store: Store, info: VideoInfo) -> None:
    answer = Answer("q", "answered", "a", answer_id="x")
    with store.write():
        assert not save_answer(store.path, answer)
    assert save_answer(store.path, answer)
    assert save_answer(store.path, answer)
