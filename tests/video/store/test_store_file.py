"""Opening, writing and reading a library file."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from onlooker.errors import LibraryBusyError, LibraryError, SchemaError, StorageFullError
from onlooker.video.store.failures import library_error
from onlooker.video.store.store import Store, read_only_uri

INSERT = "INSERT INTO base_meta (key, value) VALUES (?, ?)"
COUNT = "SELECT count(*) FROM base_meta WHERE key LIKE 'k%'"


def count(store: Store) -> int:
    with store.read() as connection:
        return int(connection.exec_driver_sql(COUNT).scalar_one())


def insert_and_fail(store: Store) -> None:
    with store.write() as connection:
        connection.exec_driver_sql(INSERT, ("k2", "lost"))
        _ = 1 / 0


def fill_disk(store: Store) -> None:
    with store.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 5}")
        for i in range(100):
            connection.exec_driver_sql(INSERT, (f"k-{i}", "x" * 10_000))


def test_writes_are_committed_at_the_end_and_rolled_back_on_any_error(store: Store) -> None:
    with store.write() as connection:
        connection.exec_driver_sql(INSERT, ("k1", "kept"))
    with pytest.raises(ZeroDivisionError):
        insert_and_fail(store)
    assert count(store) == 1


def test_missing_library_is_not_made_unless_asked_for(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match=r"no library at .*onlooker ingest"):
        Store.open(tmp_path / "none.onlooker", create=False)
    assert not list(tmp_path.iterdir())


def test_folder_and_missing_parent_are_refused_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="is a folder"):
        Store.open(tmp_path)
    with pytest.raises(LibraryError, match="does not exist; make it first"):
        Store.open(tmp_path / "a" / "b.onlooker")


def test_text_file_is_not_a_library_and_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello " * 1000)
    with pytest.raises(SchemaError, match="not an Onlooker library"):
        Store.open(path)
    assert path.read_text() == "hello " * 1000


def test_database_of_another_program_is_refused_and_not_switched_to_wal(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE t (x)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(SchemaError, match="not an Onlooker library"):
        Store.open(path)
    assert path.read_bytes() == before


def test_library_of_a_newer_version_says_to_upgrade(tmp_path: Path) -> None:
    path = tmp_path / "lib.onlooker"
    Store.open(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()
    with pytest.raises(SchemaError, match=r"schema version 99.*upgrade"):
        Store.open(path)


def test_second_writer_gets_busy_error_and_nothing_is_lost(store: Store) -> None:
    with Store.open(store.path, busy_timeout_s=0.05) as other, store.write() as connection:
        connection.exec_driver_sql(INSERT, ("k1", "x"))
        with pytest.raises(LibraryBusyError, match="being written by another process"), other.write():
            pass
    assert count(store) == 1


def test_reader_sees_the_last_commit_while_a_writer_is_half_way(store: Store) -> None:
    with Store.open(store.path) as other, store.write() as connection:
        connection.exec_driver_sql(INSERT, ("k1", "x"))
        assert count(other) == 0
    assert count(store) == 1


def test_read_sees_one_moment_although_others_commit(store: Store) -> None:
    with store.read() as reading:
        before = reading.exec_driver_sql(COUNT).scalar_one()
        with store.write() as connection:
            connection.exec_driver_sql(INSERT, ("k1", "x"))
        assert reading.exec_driver_sql(COUNT).scalar_one() == before


def test_changed_views_are_made_anew_when_a_library_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "lib.onlooker"
    Store.open(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("DROP VIEW tracklets")
        raw.execute("CREATE VIEW old_view AS SELECT 1")
        raw.execute("UPDATE base_meta SET value = 'other' WHERE key = 'views'")
    raw.close()
    with Store.open(path) as store, store.read() as connection:
        names = set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'view'").scalars())
    assert "tracklets" in names
    assert "old_view" not in names


def test_every_view_can_be_read(store: Store) -> None:
    from onlooker.video.store.views import VIEWS

    with store.read() as connection:
        for view in VIEWS:
            keys = list(connection.exec_driver_sql(f"SELECT * FROM {view.name}").keys())
            assert keys == [column.name for column in view.columns]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (5, LibraryBusyError),
        (517, LibraryBusyError),
        (13, StorageFullError),
        (778, StorageFullError),
        (26, SchemaError),
    ],
)
def test_sqlite_codes_become_errors_of_ours(code: int, kind: type[LibraryError]) -> None:
    error = sqlite3.OperationalError("x")
    error.sqlite_errorcode = code
    assert type(library_error(error, Path("lib"))) is kind


def test_unknown_sqlite_errors_are_not_hidden(store: Store) -> None:
    from sqlalchemy.exc import OperationalError

    with pytest.raises(OperationalError, match="no such table"), store.read() as connection:
        connection.exec_driver_sql("SELECT * FROM nowhere")


def test_full_disk_rolls_back_and_keeps_what_was_there(store: Store) -> None:
    with store.write() as connection:
        connection.exec_driver_sql(INSERT, ("k1", "x"))
    with pytest.raises(StorageFullError, match="no space left"):
        fill_disk(store)
    assert count(store) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere: the next test stands in")
def test_library_in_a_read_only_folder_can_be_read(tmp_path: Path) -> None:
    _read_only_case(tmp_path)


def test_library_in_a_place_that_cannot_be_written_is_read_and_refuses_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.access
    monkeypatch.setattr(os, "access", lambda p, mode: False if mode == os.W_OK else real(p, mode))
    _read_only_case(tmp_path)


def _read_only_case(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    path = folder / "lib.onlooker"
    make_in_another_process(path)
    folder.chmod(0o500)
    try:
        with Store.open(path) as store:
            assert store.read_only
            assert count(store) == 1
            with pytest.raises(LibraryError, match="can only be read"), store.write():
                pass
        assert sorted(p.name for p in folder.iterdir()) == ["lib.onlooker"]
    finally:
        folder.chmod(0o700)


def make_in_another_process(path: Path) -> None:
    code = (
        "import sys; from onlooker.video.store import Store\n"
        "with Store.open(sys.argv[1]) as s:\n"
        "    with s.write() as c: c.exec_driver_sql(\"INSERT INTO base_meta VALUES ('k', 'v')\")\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)


def test_path_with_odd_characters_opens_the_right_file(tmp_path: Path) -> None:
    path = tmp_path / "my ?lib #1 100% ü.onlooker"
    Store.open(path).close()
    assert path.exists()
    raw = sqlite3.connect(read_only_uri(path), uri=True)
    assert raw.execute("SELECT count(*) FROM tracklets").fetchone() == (0,)
    raw.close()


def _open_and_write(path: str, number: int) -> None:
    with Store.open(path) as store, store.write() as connection:
        connection.exec_driver_sql(INSERT, (f"k{number}", "x"))


def test_processes_that_make_the_same_library_at_once_all_succeed(tmp_path: Path) -> None:
    path = tmp_path / "lib.onlooker"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_open_and_write, args=(str(path), i)) for i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    with Store.open(path) as store:
        assert count(store) == 4


def test_killed_writer_leaves_the_last_commit(tmp_path: Path) -> None:
    path = tmp_path / "lib.onlooker"
    code = (
        "import os, signal, sys; from onlooker.video.store import Store\n"
        "s = Store.open(sys.argv[1])\n"
        "with s.write() as c: c.exec_driver_sql(\"INSERT INTO base_meta VALUES ('k1', 'v')\")\n"
        "with s.write() as c:\n"
        "    c.exec_driver_sql(\"INSERT INTO base_meta VALUES ('k2', 'v')\")\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -9
    with Store.open(path) as store:
        assert count(store) == 1
