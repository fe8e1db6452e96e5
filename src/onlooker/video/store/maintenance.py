"""Care of a library file: backup, cleaning up, checking, and what lies in it."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path

from onlooker.errors import LibraryError
from onlooker.video.store.failures import mapped_failures
from onlooker.video.store.schema import METADATA
from onlooker.video.store.store import Store

_PAGES_PER_STEP = 4096  # of a backup: a writer gets its turn between steps


@dataclass(frozen=True, slots=True)
class TableSize:
    """Rows and bytes of one table, its indices included. `n_bytes` is `None` where SQLite cannot say."""

    table: str
    n_rows: int
    n_bytes: int | None


@dataclass(frozen=True, slots=True)
class LibraryDescription:
    """What is in a library file."""

    path: str
    schema_version: int
    n_bytes: int
    n_free_bytes: int
    tables: tuple[TableSize, ...]


def backup(store: Store, target: str | Path) -> Path:
    """Copy the library to `target` as it is at one moment, while others may be writing.

    Raises:
        LibraryError: `target` exists already, or its folder does not.
        StorageFullError: no space; nothing is left behind.
    """
    target = Path(target)
    if target.exists():
        raise LibraryError(f"`{target}` exists already; give another name or remove it first")
    if not target.parent.is_dir():
        raise LibraryError(f"the folder `{target.parent}` does not exist; make it first")
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    part = Path(name)
    try:
        with store.raw() as source, mapped_failures(target):
            copy = sqlite3.connect(part, isolation_level=None)
            try:
                source.backup(copy, pages=_PAGES_PER_STEP)
                # One file is easier to carry than three: the copy keeps no log beside it until it is opened to write.
                copy.execute("PRAGMA journal_mode = DELETE")
            finally:
                copy.close()
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return target


def collect_garbage(store: Store) -> int:
    """Give unused space back, fold the log into the file and refresh the planner's statistics.

    Returns:
        Bytes by which the file became smaller.
    """
    before = _file_bytes(store.path)
    with store.raw() as connection:
        connection.execute("VACUUM")
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return before - _file_bytes(store.path)


def check(store: Store) -> tuple[str, ...]:
    """What is wrong with the file; empty when it is sound."""
    with store.raw() as connection:
        problems = [str(row[0]) for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
        for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
            problems.append(f"row {row} of {table} refers to a row of {parent} that is not there")
    return tuple(problems)


def describe(store: Store) -> LibraryDescription:
    """Counts and bytes per table."""
    with store.raw() as connection:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        free = int(connection.execute("PRAGMA freelist_count").fetchone()[0])
        page = int(connection.execute("PRAGMA page_size").fetchone()[0])
        sizes = _bytes_by_table(connection)
        tables = []
        for table in METADATA.sorted_tables:
            count = f'SELECT count(*) FROM "{table.name}"'  # noqa: S608 - the name is our own table's
            n_rows = int(connection.execute(count).fetchone()[0])
            tables.append(TableSize(table.name, n_rows, None if sizes is None else sizes.get(table.name, 0)))
    return LibraryDescription(str(store.path), version, _file_bytes(store.path), free * page, tuple(tables))


def _bytes_by_table(connection: sqlite3.Connection) -> dict[str, int] | None:
    if not connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'dbstat'").fetchone():
        return None
    query = (
        "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name "
        "WHERE s.aggregate = 1 GROUP BY m.tbl_name"
    )
    return {str(name): int(size) for name, size in connection.execute(query)}


def _file_bytes(path: Path) -> int:
    log = path.with_name(path.name + "-wal")
    return path.stat().st_size + (log.stat().st_size if log.exists() else 0)
