"""One library file: opening it, writing to it in transactions, reading from it.

SQLite in WAL mode: any number of readers while one writer works. A writer takes the write lock at once (`BEGIN
IMMEDIATE`), so that it waits before it has done work and not after. The file is assumed to lie on a local disk.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from onlooker.errors import LibraryError, SchemaError
from onlooker.video.store.failures import mapped_failures
from onlooker.video.store.migrations import LATEST, migrate, schema_version, views_current

_WRITES = "onlooker_writes"
_BUSY_TIMEOUT_S = 15.0  # ours: longer than any one stage's commit, shorter than a person's patience


class Store:
    """A library file. Make one with `Store.open`; close it, or use it as a context manager.

    Attributes:
        path: where the file is.
        read_only: the file or its folder cannot be written; `write` raises.
    """

    def __init__(self, path: Path, engine: Engine, read_only: bool) -> None:
        self.path, self.read_only = path, read_only
        self._engine = engine

    @classmethod
    def open(cls, path: str | Path, create: bool = True, busy_timeout_s: float = _BUSY_TIMEOUT_S) -> Store:
        """Open the library at `path`, bringing an older file up to date.

        Args:
            path: the file; with `create` it is made when missing (its folder must exist).
            create: whether a missing or empty file is made a library.
            busy_timeout_s: how long to wait for another writer.

        Raises:
            LibraryError: if the file is missing and `create` is false, or cannot be opened.
            LibraryBusyError: if another process holds the file while it has to be brought up to date.
            SchemaError: if the file is not a library, or was written by a newer version.
        """
        path = Path(path)
        check_path(path, create)
        read_only = not _is_writable(path)
        engine = _make_engine(path, read_only, busy_timeout_s)
        store = cls(path, engine, read_only)
        try:
            store._bring_up_to_date(create)
        except BaseException:
            engine.dispose()
            raise
        return store

    def _bring_up_to_date(self, create: bool) -> None:
        with self.read() as connection:
            version = schema_version(connection)  # raises for a file that is not ours, before anything is changed
            current = version == LATEST and views_current(connection)
        if version == 0 and not create:
            raise SchemaError(f"`{self.path}` is empty and no library; name another with `--library`")
        if not self.read_only:
            self._use_wal()  # only now: the file is known to be a library, or empty
        if current:
            return
        if self.read_only:
            raise LibraryError(
                f"`{self.path}` was made by an older version and cannot be written to bring it up to date; "
                "copy it to a folder that can be written and open the copy"
            )
        with self.write() as connection:
            migrate(connection)

    def _use_wal(self) -> None:
        with self.raw() as connection:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode = WAL")

    def check_writable(self) -> None:
        """Call it before long work whose result is to be written.

        Raises:
            LibraryError: the library can only be read.
        """
        if self.read_only:
            raise LibraryError(f"`{self.path}` can only be read; make the file and its folder writable or copy it")

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start: committed at the end, rolled back on any error.

        Raises:
            LibraryBusyError: another process kept the lock for longer than the time-out.
            StorageFullError: the disk is full; the transaction was rolled back.
            LibraryError: the library can only be read.
        """
        self.check_writable()
        with (
            mapped_failures(self.path),
            self._engine.connect().execution_options(**{_WRITES: True}) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of the base tables, for trusted code; never waits for a writer."""
        with mapped_failures(self.path), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def raw(self) -> Iterator[sqlite3.Connection]:
        """The driver's own connection outside any transaction: for VACUUM, backup and checkpoints."""
        with mapped_failures(self.path):
            pooled = self._engine.raw_connection()
            try:
                connection = pooled.driver_connection
                assert isinstance(connection, sqlite3.Connection)
                yield connection
            finally:
                pooled.close()

    def close(self) -> None:
        """Close all connections; the last one to close folds the write-ahead log into the file."""
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def check_path(path: Path, create: bool) -> None:
    """Refuses what can be no library, or no place for one, without touching it.

    Raises:
        LibraryError: a folder, a missing file that is not to be made, or a place that cannot be written.
    """
    if path.is_dir():
        raise LibraryError(f"`{path}` is a folder; a library is one file, for example `{path / 'library.onlooker'}`")
    if path.exists() and not path.is_file():
        raise LibraryError(f"`{path}` is not a regular file; a library is one file on a disk")
    if not path.exists():
        if not create:
            raise LibraryError(
                f"there is no library at `{path}`; make one with `onlooker ingest VIDEO --library {path}`, "
                "or name an existing one with `--library`"
            )
        if not path.parent.is_dir():
            raise LibraryError(f"the folder `{path.parent}` does not exist; make it first or give another path")
        if not os.access(path.parent, os.W_OK):
            raise LibraryError(f"the folder `{path.parent}` cannot be written; give a path in one that can")


def _is_writable(path: Path) -> bool:
    # WAL needs two more files beside the library, so the folder counts as much as the file.
    return os.access(path.parent, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))


def read_only_uri(path: Path) -> str:
    """SQLite URI to read the library at `path` with; also from a folder that cannot be written."""
    uri = f"file:{quote(os.fsencode(path.resolve()))}?mode=ro"
    wal = path.with_name(path.name + "-wal")
    # Without a writable folder SQLite cannot make the shared-memory file that WAL needs. A library that nobody was
    # writing has all its rows in the main file and is read as immutable; one with a log left behind is read as it is.
    if not os.access(path.parent, os.W_OK) and not (wal.exists() and wal.stat().st_size):
        uri += "&immutable=1"
    return uri


def _make_engine(path: Path, read_only: bool, busy_timeout_s: float) -> Engine:
    uri = read_only_uri(path) if read_only else f"file:{quote(os.fsencode(path.resolve()))}?mode=rwc"

    def connect() -> sqlite3.Connection:
        # isolation_level None: the driver must not begin transactions of its own (the `begin` event below does).
        return sqlite3.connect(uri, uri=True, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False)

    engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=QueuePool, pool_size=5, max_overflow=20)

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA cache_size = -65536")  # 64 MB: a question over 5 million boxes stays in memory
        cursor.execute("PRAGMA temp_store = MEMORY")
        if not read_only:
            cursor.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten, not only unlinked
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
