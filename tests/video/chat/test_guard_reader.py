"""The reader: SQLite's own walls, each tested with the guard out of the way, and how it opens files."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from small_library import add_tracklet, add_video, make_library

from onlooker.errors import LibraryError, QueryError, QueryLimitError, QueryRefusedError, SchemaError
from onlooker.video.chat.guard import CheckedQuery
from onlooker.video.store.reader import Limits, Reader
from onlooker.video.store.views import VIEW_NAMES


@pytest.fixture
def library(tmp_path):
    return make_library(tmp_path)


@pytest.fixture
def reader(library):
    with Reader.open(library) as opened:
        yield opened


def past_the_guard(reader: Reader, sql: str, views: frozenset[str] = VIEW_NAMES) -> None:
    """Run a statement as if the guard had been fooled into believing that it reads these views."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reader, "checked", lambda self, sql: CheckedQuery(sql, views, frozenset(), (), 0))
        reader.query(sql)


def test_rows_columns_and_bound_parameters(reader):
    found = reader.query("SELECT id, category, color FROM tracklets WHERE video = ? ORDER BY id", ["street"])
    assert found.columns == ("id", "category", "color")
    assert found.rows == ((1, "car", "red"), (2, "bicycle", "blue"), (3, "dog", None))
    assert reader.query("SELECT count(*) FROM tracklets WHERE category = :c", {"c": "car"}).rows == ((1,),)


def test_a_list_is_bound_as_one_parameter(reader):
    sql = "SELECT id FROM tracklets WHERE category IN (SELECT value FROM json_each(:list)) ORDER BY id"
    assert reader.query(sql, {"list": '["dog", "bicycle", "x"]'}).rows == ((2,), (3,))
    assert reader.query(sql.replace(":list", "'[\"dog\"]'")).rows == ((3,),)
    with pytest.raises(QueryError, match="malformed JSON"):
        reader.query(sql, {"list": "["})
    for refused in ("json_each(category)", "json_each('[]', '$')", "json_each", "json_tree('[]')"):
        with pytest.raises(QueryRefusedError):
            reader.query(f"SELECT 1 FROM tracklets, {refused}")


def test_every_view_can_be_read_and_counted(reader):
    for view in VIEW_NAMES:
        n = len(reader.query(f"SELECT * FROM {view}"))
        assert reader.query(f"SELECT count(*) FROM {view}").rows == ((n,),)
        assert reader.query(f"SELECT count(*) FROM {view.upper()} a LEFT JOIN {view} b ON 0").rows == ((n,),)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM base_answers",
        "SELECT count(*) FROM base_answers",
        "SELECT jpeg FROM base_pictures",
        "SELECT path FROM base_videos",
        "SELECT * FROM tracklets WHERE id IN (SELECT id FROM base_tracklets)",
        "WITH x AS (SELECT path FROM base_videos) SELECT * FROM x",
        "WITH tracklets AS (SELECT vector FROM base_embeddings) SELECT * FROM tracklets",
        "SELECT sql FROM sqlite_master",
        "SELECT * FROM pragma_table_info('base_videos')",
        "SELECT * FROM json_each('[1]')",
        "SELECT * FROM json_tree('[1]')",
        "SELECT randomblob(10)",
        "SELECT load_extension('x')",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c",
        "PRAGMA user_version",
        "PRAGMA query_only = OFF",
        "ATTACH ':memory:' AS m",
        "DELETE FROM base_videos",
        "DROP TABLE base_videos",
        "CREATE TEMP TABLE t (x)",
        "BEGIN",
        "VACUUM",
        "REINDEX",
        "ANALYZE",
    ],
)
def test_authoriser_holds_without_the_guard(reader, library, sql):
    before = hashlib.sha256(library.read_bytes()).digest()
    with pytest.raises(QueryError):
        past_the_guard(reader, sql)
    assert hashlib.sha256(library.read_bytes()).digest() == before


def test_guard_and_authoriser_must_agree_on_the_views(reader):
    # A statement that the guard believed to read `videos` only cannot read boxes.
    with pytest.raises(QueryRefusedError, match="prohibited"):
        past_the_guard(reader, "SELECT x1 FROM boxes", frozenset({"videos"}))


def test_endless_work_is_stopped_in_time(library):
    with Reader.open(library, Limits(seconds=0.2)) as reader:
        started = time.monotonic()
        with pytest.raises(QueryLimitError, match=r"0\.2 s"):
            reader.query("SELECT count(*) FROM boxes a, boxes b, boxes c, boxes d, boxes e, boxes f")
        assert time.monotonic() - started < 1.0
        assert reader.query("SELECT count(*) FROM videos").rows == ((2,),), "the reader works on after a stop"


def test_rows_and_bytes_are_capped(library):
    with Reader.open(library, Limits(rows=5)) as reader:
        assert len(reader.query("SELECT t FROM boxes LIMIT 5")) == 5
        with pytest.raises(QueryLimitError, match="more than 5 rows"):
            reader.query("SELECT t FROM boxes")
    with Reader.open(library, Limits(bytes=100)) as reader, pytest.raises(QueryLimitError, match="100 bytes"):
        reader.query("SELECT category, t FROM boxes")
    with Reader.open(library, Limits(text_bytes=1000)) as reader, pytest.raises(QueryLimitError, match="too big"):
        reader.query("SELECT group_concat(category || '----------') FROM (SELECT a.category FROM boxes a, boxes b)")


def test_parameters_must_fit_the_statement(reader):
    for sql, params in [
        ("SELECT ?", ()),
        ("SELECT ?", (1, 2)),
        ("SELECT 1", (1,)),
        ("SELECT :a", {}),
        ("SELECT :a", {"a": 1, "b": 2}),
        ("SELECT :a", (1,)),
        ("SELECT ?", {"a": 1}),
        ("SELECT ?", (2**70,)),
        ("SELECT ?", ("\ud800",)),
        ("SELECT ?", (b"blob",)),
        ("SELECT ?", ("x" * 200_000,)),
    ]:
        with pytest.raises(QueryRefusedError):
            reader.query(sql, params)
    assert reader.query("SELECT ?", (2**63 - 1,)).rows == ((2**63 - 1,),)


def test_unknown_column_names_the_nearest_and_lists_what_there_is(reader):
    with pytest.raises(
        QueryError, match=r"no such column: t\.colour; did you mean `color`.* Columns: tracklets\(key, id"
    ):
        reader.query("SELECT t.colour FROM tracklets t")


def test_unfinished_videos_are_invisible(reader):
    assert reader.query("SELECT count(*) FROM tracklets WHERE video = 'unfinished'").rows == ((0,),)


@pytest.mark.parametrize(
    "name", ["what?.onlooker", "a#b%41.onlooker", "фильмы und größe.onlooker", "two  spaces&mode=rw.db"]
)
def test_names_that_mean_something_in_a_uri_open(tmp_path, name):
    with Reader.open(make_library(tmp_path, name)) as reader:
        assert reader.query("SELECT count(*) FROM videos").rows == ((2,),)
    assert [p.name for p in tmp_path.iterdir() if not p.name.startswith(name)] == []


def test_what_is_no_library_is_said(tmp_path):
    with pytest.raises(LibraryError, match="there is no library"):
        Reader.open(tmp_path / "missing.onlooker")
    assert not (tmp_path / "missing.onlooker").exists()
    text = tmp_path / "text.onlooker"
    text.write_text("not a database at all" * 100)
    empty = tmp_path / "empty.onlooker"
    empty.touch()
    for path in (text, empty):
        with pytest.raises(SchemaError, match="is not a library"):
            Reader.open(path)


def test_reads_while_a_writer_ingests_and_sees_each_commit(reader, library):
    writer = sqlite3.connect(library, isolation_level=None)
    version = reader.data_version
    writer.execute("BEGIN IMMEDIATE")
    video = add_video(writer, "new")
    add_tracklet(writer, video, 1, "car", 0.0, 1.0)
    assert reader.query("SELECT count(*) FROM videos").rows == ((2,),), "uncommitted rows are invisible"
    assert reader.data_version == version
    with reader.snapshot():
        assert reader.query("SELECT count(*) FROM videos").rows == ((2,),)
        writer.execute("COMMIT")
        assert reader.query("SELECT count(*) FROM videos").rows == ((2,),), "a snapshot stays what it was"
    assert reader.query("SELECT count(*) FROM videos").rows == ((3,),)
    assert reader.data_version != version
    writer.close()


def test_threads_share_one_reader(reader):
    wrong: list[object] = []

    def work(category: str, n: int) -> None:
        for _ in range(50):
            rows = reader.query("SELECT count(*) FROM tracklets WHERE category = ?", [category]).rows
            if rows != ((n,),):
                wrong.append(rows)

    threads = [threading.Thread(target=work, args=case) for case in [("car", 1), ("dog", 1), ("whale", 0)] * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


READ_AS_NOBODY = """
import os, sys
from onlooker.video.store.reader import Reader
from onlooker.errors import OnlookerError
from onlooker.video.chat.guard import check
check("SELECT 1")  # loads the parser while the interpreter's own folder can be read
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
try:
    print(Reader.open(sys.argv[1]).query("SELECT count(*) FROM videos").rows[0][0])
except OnlookerError as error:
    print(type(error).__name__, error)
"""


def read_as_nobody(path) -> str:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", READ_AS_NOBODY, str(path)], capture_output=True, text=True, env=environment, check=False
    )
    return done.stdout.strip() or done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="folder rights are POSIX here")
def test_library_at_rest_in_a_folder_without_write_permission_opens(tmp_path):
    for parent in [tmp_path, *tmp_path.parents]:
        if parent != Path(tempfile.gettempdir()) and Path(tempfile.gettempdir()) in parent.parents:
            parent.chmod(0o755)  # pytest closes its folders to others
    folder = tmp_path / "shared"
    folder.mkdir()
    path = make_library(folder)
    path.chmod(0o444)
    folder.chmod(0o555)
    try:
        assert read_as_nobody(path) == "2"
        # Commits that only a writable folder lets SQLite find must not be silently left out.
        path.with_name(path.name + "-wal").write_bytes(b"x" * 100)
        assert "copy the folder" in read_as_nobody(path)
    finally:
        folder.chmod(0o755)


def test_opening_and_first_query_are_quick(library):
    with Reader.open(library) as reader:
        reader.query("SELECT count(*) FROM tracklets")  # loads the SQL parser, once a process
    best = 1.0
    for _ in range(5):
        started = time.perf_counter()
        with Reader.open(library) as reader:
            reader.query("SELECT category, count(*) FROM tracklets GROUP BY category")
        best = min(best, time.perf_counter() - started)
    assert best < 0.030
