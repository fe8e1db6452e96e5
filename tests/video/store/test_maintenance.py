"""Backup, cleaning and checking of a library file."""

from __future__ import annotations

from pathlib import Path

import pytest

from onlooker.errors import LibraryError
from onlooker.types import VideoInfo
from onlooker.video.store.maintenance import backup, check, collect_garbage, describe
from onlooker.video.store.store import Store
from onlooker.video.store.videos import add_video

INSERT = "INSERT INTO base_meta (key, value) VALUES (?, ?)"


def test_backup_taken_while_a_writer_is_half_way_holds_the_last_commit(store: Store, tmp_path: Path) -> None:
    with store.write() as connection:
        connection.exec_driver_sql(INSERT, ("k1", "x"))
    with store.write() as connection:
        connection.exec_driver_sql(INSERT, ("k2", "y"))
        target = backup(store, tmp_path / "copy.onlooker")
    with Store.open(target) as copy, copy.read() as connection:
        rows = connection.exec_driver_sql("SELECT key FROM base_meta WHERE key LIKE 'k%'").scalars().all()
        assert rows == ["k1"]
        assert check(copy) == ()


def test_backup_never_overwrites_and_leaves_no_part_behind(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "copy.onlooker"
    target.write_text("precious")
    with pytest.raises(LibraryError, match="exists already"):
        backup(store, target)
    with pytest.raises(LibraryError, match="does not exist"):
        backup(store, tmp_path / "no" / "copy.onlooker")
    assert target.read_text() == "precious"
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".copy")]


def test_garbage_collection_gives_space_back(store: Store) -> None:
    with store.write() as connection:
        connection.exec_driver_sql(INSERT, ("k", "x" * 3_000_000))
    with store.write() as connection:
        connection.exec_driver_sql("DELETE FROM base_meta WHERE key = 'k'")
    assert collect_garbage(store) > 2_500_000
    assert store.path.stat().st_size < 1_000_000


def test_description_counts_rows_and_bytes(store: Store, info: VideoInfo) -> None:
    with store.write() as connection:
        add_video(connection, info, "aa", "clip.mp4", "video")
    found = describe(store)
    by_name = {table.table: table for table in found.tables}
    assert by_name["base_videos"].n_rows == 1
    size = by_name["base_videos"].n_bytes
    assert size is None or size >= 4096
    assert found.schema_version >= 1


def test_broken_reference_is_reported(store: Store) -> None:
    assert check(store) == ()
    with store.raw() as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("INSERT INTO base_sounds VALUES (1, 77, 0, 1, 'x', 1, -20)")
        connection.execute("PRAGMA foreign_keys = ON")
    assert check(store) == ("row 1 of base_sounds refers to a row of base_videos that is not there",)
