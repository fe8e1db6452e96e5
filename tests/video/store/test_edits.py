"""Corrections by hand: rows follow, answers follow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert

from onlooker.errors import ConfigError, UnknownNameError
from onlooker.video.answer import Answer, Evidence
from onlooker.video.exchange import import_mot
from onlooker.video.store import schema
from onlooker.video.store.answers import save_answer
from onlooker.video.store.edits import (
    delete_tracklet,
    list_edits,
    merge_tracklets,
    relabel_tracklet,
    rename_tracklet,
    split_tracklet,
)
from onlooker.video.store.store import Store
from onlooker.video.store.vectors import vector_to_blob

# Ten frames at 10 per second. 1: frames 1-3 at x = 10, 20, 30; 2: frames 7-9 at x = 70, 80, 90; 3: always at x = 200.
ROWS = (
    [f"{f},1,{10 * f},50,20,20,1,1,1" for f in (1, 2, 3)]
    + [f"{f},2,{10 * f},50,20,20,1,1,1" for f in (7, 8, 9)]
    + [f"{f},3,200,50,20,20,1,3,1" for f in range(1, 11)]
)


@pytest.fixture
def video(store: Store, tmp_path: Path) -> int:
    folder = tmp_path / "toy"
    (folder / "gt").mkdir(parents=True)
    (folder / "seqinfo.ini").write_text("[Sequence]\nname=toy\nframeRate=10\nseqLength=10\nimWidth=300\nimHeight=100\n")
    (folder / "gt" / "gt.txt").write_text("\n".join(ROWS))
    video = import_mot(store, folder).videos[0].video_id
    with store.write() as connection:
        for number, value, score in ((1, "red", 0.6), (2, "red", 0.9), (2, "hat", 0.5)):
            row = {"video_id": video, "tracklet_id": key(connection, number), "name": "tag", "value": value}
            connection.execute(insert(schema.ATTRIBUTES).values(row | {"score": score, "annotator": "t"}))
        for owner in (key(connection, 1), key(connection, 2)):
            row = {"video_id": video, "tracklet_id": owner, "subject": "tracklet", "subject_id": owner, "space": "m@1"}
            connection.execute(insert(schema.EMBEDDINGS).values(row | {"vector": vector_to_blob(np.ones(4))}))
    answer = Answer("?", "answered", "!", evidence=(Evidence("tracklet", "toy", 1),), answer_id="x")
    assert save_answer(store.path, answer)
    return video


def key(connection, number: int) -> int:
    return connection.exec_driver_sql("SELECT id FROM base_tracklets WHERE number = ?", (number,)).scalar_one()


def read(store: Store, sql: str) -> list[tuple]:
    with store.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def answers(store: Store) -> int:
    return read(store, "SELECT count(*) FROM base_answers")[0][0]


def test_merge_makes_one_path_with_a_certain_gap(store: Store, video: int) -> None:
    with store.write() as connection:
        assert merge_tracklets(connection, video, [1, 2]) == 1
    columns = "id, t_start, t_end, n_frames, n_gaps, identity, net_px, direction"
    assert read(store, f"SELECT {columns} FROM tracklets WHERE category = 'person'") == [
        (1, 0.0, 0.8, 6, 1, 1.0, 80.0, "right")
    ]
    ((start, end, kind, probability),) = read(store, "SELECT t_start, t_end, kind, probability FROM gaps")
    assert (start, end, kind, probability) == (pytest.approx(0.2), pytest.approx(0.6), "occlusion", 1.0)
    assert read(store, "SELECT category, n_tracklets, peak FROM peaks WHERE category = 'person'") == [("person", 1, 1)]
    assert read(store, "SELECT first_id, second_id, together_s FROM pairs") == [(1, 3, pytest.approx(0.6))]
    # "red" was said of both: the surer one stays.
    assert read(store, "SELECT value, score FROM attributes ORDER BY value") == [("hat", 0.5), ("red", 0.9)]
    assert read(store, "SELECT count(*) FROM base_embeddings") == [(1,)]
    assert answers(store) == 0


def test_merge_keeps_the_surer_box_where_both_have_one(store: Store, video: int) -> None:
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE base_boxes SET score = 0.4 WHERE tracklet_id = ?", (key(connection, 3),))
        merge_tracklets(connection, video, [3, 1, 2])
    assert read(store, "SELECT id, n_frames, n_gaps, category FROM tracklets") == [(3, 10, 0, "car")]
    assert [x for (x,) in read(store, "SELECT x1 FROM boxes ORDER BY t")] == [
        10,
        20,
        30,
        200,
        200,
        200,
        70,
        80,
        90,
        200,
    ]


def test_split_gives_later_boxes_and_gaps_to_a_new_tracklet(store: Store, video: int) -> None:
    with store.write() as connection:
        merge_tracklets(connection, video, [1, 2])
        rename_tracklet(connection, video, 1, "Anna")
        assert split_tracklet(connection, video, 1, 0.75) == 4
    rows = read(store, "SELECT id, label, t_start, t_end, n_frames, n_gaps FROM tracklets WHERE category = 'person'")
    assert rows == [(1, "Anna", 0.0, 0.7, 5, 1), (4, None, 0.8, 0.8, 1, 0)]
    assert read(store, "SELECT value FROM attributes WHERE id = 4 ORDER BY value") == [("hat",), ("red",)]
    assert read(store, "SELECT count(*), count(DISTINCT subject_id) FROM base_embeddings") == [(2, 2)]


def test_merge_undoes_split(store: Store, video: int) -> None:
    tables = ("tracklets", "boxes", "gaps", "pairs", "peaks")
    columns = {"pairs": "first_id, second_id, together_s, min_distance_px"}
    before = {t: read(store, f"SELECT {columns.get(t, '*')} FROM {t}") for t in tables}
    with store.write() as connection:
        new = split_tracklet(connection, video, 3, 0.45)
        merge_tracklets(connection, video, [3, new])
    assert {t: read(store, f"SELECT {columns.get(t, '*')} FROM {t}") for t in tables} == before


def test_relabel_moves_counts_to_the_new_category(store: Store, video: int) -> None:
    with store.write() as connection:
        relabel_tracklet(connection, video, 3, "  dog ")
    assert read(store, "SELECT category, n_tracklets FROM peaks ORDER BY 1") == [("", 3), ("dog", 1), ("person", 2)]
    assert read(store, "SELECT second_category FROM pairs") == [("dog",), ("dog",)]
    assert answers(store) == 0


def test_deleted_tracklet_is_in_no_table(store: Store, video: int) -> None:
    with store.write() as connection:
        gone = key(connection, 2)
        delete_tracklet(connection, video, 2)
    for table in schema.METADATA.sorted_tables:
        for column in ("tracklet_id", "first_id", "second_id"):
            if column in table.c:
                assert read(store, f"SELECT count(*) FROM {table.name} WHERE {column} = {gone}") == [(0,)], table.name
    assert read(store, "SELECT n_tracklets FROM peaks WHERE category = ''") == [(2,)]


def test_every_edit_is_listed_in_order(store: Store, video: int) -> None:
    with store.write() as connection:
        rename_tracklet(connection, video, 3, "the taxi")
        rename_tracklet(connection, video, 3, None)
        delete_tracklet(connection, video, 2)
    with store.read() as connection:
        edits = list_edits(connection, video)
        assert list_edits(connection) == edits
    assert [(e.kind, e.detail) for e in edits] == [
        ("rename", {"tracklet": 3, "label": "the taxi"}),
        ("rename", {"tracklet": 3, "label": None}),
        ("delete", {"tracklet": 2}),
    ]


def test_wrong_requests_change_nothing(store: Store, video: int) -> None:
    before = read(store, "SELECT * FROM tracklets")
    with store.write() as connection:
        with pytest.raises(UnknownNameError, match="unknown tracklet `9`; known: `1`, `2`, `3`"):
            delete_tracklet(connection, video, 9)
        with pytest.raises(ConfigError, match="two different tracklets"):
            merge_tracklets(connection, video, [1, 1])
        with pytest.raises(ConfigError, match=r"seen from 0 s to 0\.2 s"):
            split_tracklet(connection, video, 1, 0.0)
        with pytest.raises(ConfigError, match="needs at least one letter"):
            relabel_tracklet(connection, video, 1, " ")
    assert read(store, "SELECT * FROM tracklets") == before
    assert answers(store) == 1
