"""Masks keep their pixels, time and area in the file, and go with their boxes through every edit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection
from test_migrations import old_library

from onlooker.errors import ShapeError
from onlooker.formats.run_lengths import decode_mask, encode_mask
from onlooker.video.exchange import import_mot
from onlooker.video.library import Library
from onlooker.video.store.edits import delete_tracklet, merge_tracklets, relabel_tracklet, split_tracklet
from onlooker.video.store.masks import StoredMask, add_masks, clear_masks
from onlooker.video.store.store import Store
from onlooker.video.store.videos import delete_video

SIZE = (20, 30)  # (height, width)
# Ten frames at 10 per second: 1 is on frames 0 to 5, 2 on frames 4 to 9; both have a mask on every second frame.
ROWS = [f"{f + 1},1,{2 * f},3,6,5,1,1,1" for f in range(6)] + [f"{f + 1},2,{2 * f},3,6,5,1,1,1" for f in range(4, 10)]


def pixels(number: int, frame: int) -> np.ndarray:
    mask = np.zeros(SIZE, np.bool_)
    mask[3 : 3 + number, 2 * frame : 2 * frame + 3] = True
    return mask


def masks_of(connection: Connection) -> list[StoredMask]:
    keys = {n: key(connection, n) for n in (1, 2)}
    seen = {1: range(0, 6, 2), 2: range(4, 10, 2)}
    return [StoredMask(keys[n], f, f / 10, encode_mask(pixels(n, f))) for n in keys for f in seen[n]]


def key(connection: Connection, number: int) -> int:
    return connection.exec_driver_sql("SELECT id FROM base_tracklets WHERE number = ?", (number,)).scalar_one()


def read(store: Store, sql: str) -> list[tuple]:
    with store.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


@pytest.fixture
def video(store: Store, tmp_path: Path) -> int:
    folder = tmp_path / "toy"
    (folder / "gt").mkdir(parents=True)
    (folder / "seqinfo.ini").write_text("[Sequence]\nname=toy\nframeRate=10\nseqLength=10\nimWidth=30\nimHeight=20\n")
    (folder / "gt" / "gt.txt").write_text("\n".join(ROWS))
    video = import_mot(store, folder).videos[0].video_id
    with store.write() as connection:
        assert add_masks(connection, masks_of(connection)) == 6
    return video


def test_the_view_tells_time_area_and_run_lengths_that_give_the_pixels_back(store: Store, video: int) -> None:
    with Library.open(store.path) as library:
        rows = library.sql("SELECT id, category, frame, t, area, height, width, rle FROM masks WHERE id = 2").rows
        (total,) = library.sql("SELECT sum(area) FROM masks WHERE video = 'toy'").rows
    assert [row[:4] for row in rows] == [(2, "person", f, pytest.approx(f / 10)) for f in (4, 6, 8)]
    for *_, frame, _, area, height, width, rle in rows:
        mask = decode_mask(str(rle).encode(), height, width)
        assert area == 6
        assert np.array_equal(mask, pixels(2, frame))
    assert total == (3 * 3 + 3 * 6,)


def test_masks_that_cannot_be_read_are_refused_and_a_mask_of_nothing_has_no_area(store: Store, video: int) -> None:
    with store.write() as connection:
        with pytest.raises(ShapeError):
            add_masks(connection, [StoredMask(key(connection, 1), 1, 0.1, b"\xff")])
        add_masks(connection, [StoredMask(key(connection, 1), 1, 0.1, encode_mask(np.zeros(SIZE, np.bool_)))])
    assert read(store, "SELECT area FROM masks WHERE frame = 1") == [(0,)]


def test_a_merge_keeps_the_mask_of_the_box_it_keeps_whichever_side_that_is(store: Store, video: int) -> None:
    with store.write() as connection:
        one, two = key(connection, 1), key(connection, 2)
        # On frame 4 the box of 2 is the surer one and has a mask; on frame 5 that of 1 is, and has none: a mask of 2
        # there belongs to the box that gives way.
        connection.exec_driver_sql("UPDATE base_boxes SET score = 0.5 WHERE tracklet_id = ? AND frame = 4", (one,))
        connection.exec_driver_sql("UPDATE base_boxes SET score = 0.5 WHERE tracklet_id = ? AND frame = 5", (two,))
        add_masks(connection, [StoredMask(two, 5, 0.5, encode_mask(pixels(2, 5)))])
        merge_tracklets(connection, video, [1, 2])
    assert read(store, "SELECT id, frame, area FROM masks ORDER BY frame") == [
        (1, 0, 3), (1, 2, 3), (1, 4, 6), (1, 6, 6), (1, 8, 6),
    ]  # fmt: skip


def test_a_merge_drops_the_mask_of_a_box_that_gives_way_to_one_without(store: Store, video: int) -> None:
    with store.write() as connection:
        connection.exec_driver_sql("DELETE FROM base_masks WHERE tracklet_id = ? AND frame = 4", (key(connection, 2),))
        merge_tracklets(connection, video, [2, 1])  # equal scores: the first one's box stays
    assert read(store, "SELECT id, frame FROM masks ORDER BY frame") == [(2, 0), (2, 2), (2, 6), (2, 8)]


def test_a_split_divides_masks_with_their_boxes_and_a_merge_brings_them_back(store: Store, video: int) -> None:
    before = read(store, "SELECT id, frame, t, area, rle FROM masks ORDER BY id, frame")
    with store.write() as connection:
        new = split_tracklet(connection, video, 1, 0.2)
    assert read(store, "SELECT id, frame FROM masks WHERE id <> 2 ORDER BY frame") == [(1, 0), (new, 2), (new, 4)]
    with store.write() as connection:
        merge_tracklets(connection, video, [1, new])
    assert read(store, "SELECT id, frame, t, area, rle FROM masks ORDER BY id, frame") == before


def test_masks_go_with_a_deleted_tracklet_and_follow_a_new_category(store: Store, video: int) -> None:
    with store.write() as connection:
        relabel_tracklet(connection, video, 2, "dog")
        delete_tracklet(connection, video, 1)
    assert set(read(store, "SELECT id, category FROM masks")) == {(2, "dog")}
    with store.write() as connection:
        clear_masks(connection, video)
    assert read(store, "SELECT count(*) FROM base_masks") == [(0,)]


def test_masks_go_with_their_video(store: Store, video: int) -> None:
    delete_video(store, video)
    assert read(store, "SELECT count(*) FROM base_masks") == [(0,)]


def test_masks_of_an_older_library_get_their_time_and_area(tmp_path: Path) -> None:
    with Store.open(old_library(tmp_path, 1)) as store:
        assert read(store, "SELECT tracklet_id, frame, t, area_px, cast(rle AS text) FROM base_masks") == [
            (1, 1, 0.25, 1, "01"),
            (2, 2, 0.5, 1, "01"),
        ]
