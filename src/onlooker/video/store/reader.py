"""The second wall around untrusted SQL: a read-only connection that can only read the public views, within bounds.

A statement passes `chat/guard.py` first. Then SQLite itself is asked at every table, column and function it is about to
touch (the authoriser), the file is opened read-only, sizes are capped by SQLite's own limits, time by the progress
handler, rows and bytes while fetching. A library in WAL mode is read while another connection writes: every statement
sees the last commit, and everything inside `with reader.snapshot():` sees one and the same commit.

Thread safety: a `Reader` may be shared between threads; its calls run one after the other. For parallel reads open one
reader a thread; opening takes a few milliseconds.
"""

from __future__ import annotations

import difflib
import re
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from onlooker.errors import LibraryBusyError, LibraryError, QueryError, QueryLimitError, QueryRefusedError, SchemaError
from onlooker.video.answer import Cell
from onlooker.video.chat.guard import ALLOWED_FUNCTIONS, LIST_TABLE, MAX_SQL_CHARS, CheckedQuery, check
from onlooker.video.store.views import VIEW_NAMES, VIEWS

Parameters = Sequence[Cell] | Mapping[str, Cell]

_BASE_OF_VIEW = {view.name: frozenset(re.findall(r"\bbase_\w+", view.ddl)) for view in VIEWS}
_STEPS_BETWEEN_LOOKS = 500  # virtual machine steps between two looks at the clock: well below a millisecond
_VERDICTS_KEPT = 512
_MAX_TEXT_PARAMETER = 100_000
_MAX_INT = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one query. `text_bytes` caps any single text SQLite builds: it bounds the time of one function call."""

    seconds: float = 5.0
    rows: int = 10_000
    bytes: int = 8 * 1024 * 1024
    text_bytes: int = 400_000
    columns: int = 256
    expression_depth: int = 100
    compound_selects: int = 50


@dataclass(frozen=True, slots=True)
class Rows:
    """What a query returned: column names and rows of `None | int | float | str`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __len__(self) -> int:
        return len(self.rows)


@lru_cache(maxsize=_VERDICTS_KEPT)
def _judged(sql: str) -> CheckedQuery:
    """The verdict depends on the text alone, so readers of all libraries share it: a server opens one a question."""
    return check(sql)


class Reader:
    """A guarded read-only connection to one library file. Made by `Reader.open`."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path = path
        self.limits = limits
        self._lock = threading.RLock()
        self._deadline = float("inf")
        self._own_statement = False
        self._checked: CheckedQuery | None = None  # the statement being compiled
        self._connection, self._immutable_stamp = _connect(path)
        self._harden()

    @classmethod
    def open(cls, path: str | Path, limits: Limits | None = None) -> Self:
        """Open a library for reading; it must exist.

        A library in a folder that cannot be written is opened too, unless it holds commits that only a writable folder
        lets SQLite read (a `-wal` file left by a crash).

        Raises:
            LibraryError: there is no such file, or it cannot be opened.
            SchemaError: the file is not a library.
        """
        return cls(Path(path).resolve(), limits or Limits())

    def query(self, sql: str, params: Parameters = ()) -> Rows:
        """Run one checked statement and return all of its rows.

        Args:
            sql: one SELECT over the public views.
            params: values for `?` (a sequence) or `:name` (a mapping).

        Raises:
            QueryRefusedError: not a bounded read of the views, or the parameters do not fit the statement.
            QueryLimitError: stopped at the time, row, byte or size limit.
            QueryError: SQLite cannot make sense of it (unknown column, wrong use of an aggregate).
        """
        checked = self.checked(sql)
        values = _bound(checked, params)
        with self._lock:
            self._refresh_immutable()
            self._deadline = time.monotonic() + self.limits.seconds
            self._checked = checked
            try:
                cursor = self._connection.execute(checked.sql, values)
                return self._fetch(cursor)
            except UnicodeEncodeError as error:
                raise QueryRefusedError("the statement holds half a character (an unpaired surrogate)") from error
            except (sqlite3.Error, sqlite3.Warning, MemoryError) as error:
                raise _translated(error, self.limits, checked.views) from error
            finally:
                self._deadline = float("inf")
                self._checked = None

    def checked(self, sql: str) -> CheckedQuery:
        """The guard's verdict on a statement, remembered by its text."""
        return _judged(sql)

    @property
    def data_version(self) -> tuple[int, ...]:
        """Changes whenever somebody commits to the library: the key under which results may be cached."""
        with self._lock:
            if self._immutable_stamp is not None:
                self._refresh_immutable()
                return self._immutable_stamp
            return (int(self._run_own("PRAGMA data_version").fetchone()[0]),)

    @contextmanager
    def snapshot(self) -> Iterator[Self]:
        """Inside, every query sees the same commit, whatever is written meanwhile. Other threads wait."""
        with self._lock:
            if self._connection.in_transaction:
                yield self
                return
            self._run_own("BEGIN")
            try:
                yield self
            finally:
                self._run_own("COMMIT")

    def close(self) -> None:
        """Close the connection. A second call does nothing."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _harden(self) -> None:
        """Take away from the connection all that a read of the views does not need."""
        connection, limits = self._connection, self.limits
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        # The first use of a table-valued function declares its columns, which the authoriser would see as a write.
        connection.execute("SELECT value FROM json_each('[]')")
        for category, value in (
            (sqlite3.SQLITE_LIMIT_LENGTH, limits.text_bytes),
            (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 2 * MAX_SQL_CHARS),
            (sqlite3.SQLITE_LIMIT_COLUMN, limits.columns),
            (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, limits.expression_depth),
            (sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, limits.compound_selects),
            (sqlite3.SQLITE_LIMIT_FUNCTION_ARG, 32),
            (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
            (sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 500),
            (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1),
            (sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0),
        ):
            connection.setlimit(category, value)
        connection.set_progress_handler(self._out_of_time, _STEPS_BETWEEN_LOOKS)
        connection.set_authorizer(self._authorise)

    def _out_of_time(self) -> bool:
        return time.monotonic() > self._deadline

    def _authorise(
        self, action: int, first: str | None, second: str | None, database: str | None, through: str | None
    ) -> int:
        """SQLite asks this before it compiles each part of a statement; `through` is the view a read goes through."""
        if action == sqlite3.SQLITE_SELECT:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ:
            return self._authorise_read(first or "", second or "", database, through)
        if action == sqlite3.SQLITE_FUNCTION:
            return sqlite3.SQLITE_OK if second is not None and second.lower() in ALLOWED_FUNCTIONS else _DENY
        if self._own_statement and action in (sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_PRAGMA):
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    def _authorise_read(self, table: str, column: str, database: str | None, through: str | None) -> int:
        """Only views the guard found in the statement, and what lies behind exactly those."""
        if table.lower() == LIST_TABLE and column in ("value", "key", ""):
            return sqlite3.SQLITE_OK
        if self._checked is None:
            return _DENY
        views, table = self._checked.views, table.lower()  # SQLite passes names as the statement spells them
        if database == "main":
            through = through.lower() if through is not None else None
            behind = _BASE_OF_VIEW[through] if through is not None and through in views else frozenset()
            return sqlite3.SQLITE_OK if table in views or table in behind else _DENY
        # What no column is needed of is reported bare, after views and subqueries were dissolved into one another.
        if database is not None or column:
            return _DENY
        known = table in views or table in self._checked.subqueries
        return sqlite3.SQLITE_OK if known or any(table in _BASE_OF_VIEW[view] for view in views) else _DENY

    def _run_own(self, sql: Literal["BEGIN", "COMMIT", "PRAGMA data_version"]) -> sqlite3.Cursor:
        self._own_statement = True
        try:
            return self._connection.execute(sql)
        except sqlite3.Error as error:
            raise _translated(error, self.limits) from error
        finally:
            self._own_statement = False

    def _fetch(self, cursor: sqlite3.Cursor) -> Rows:
        columns = tuple(item[0] for item in cursor.description)
        rows: list[tuple[Cell, ...]] = []
        n_bytes = 0
        for row in cursor:
            n_bytes += _size(row)
            if len(rows) >= self.limits.rows:
                raise QueryLimitError(
                    f"the result has more than {self.limits.rows} rows; narrow it with WHERE or LIMIT, or count in SQL"
                )
            if n_bytes > self.limits.bytes:
                raise QueryLimitError(
                    f"the result is larger than {self.limits.bytes} bytes; select fewer columns or rows"
                )
            rows.append(row)
        return Rows(columns, tuple(rows))

    def _refresh_immutable(self) -> None:
        """A file opened as immutable is read without locks: look before each use whether it changed after all."""
        if self._immutable_stamp is not None and _stamp(self.path) != self._immutable_stamp:
            self._connection.close()
            self._connection, self._immutable_stamp = _connect(self.path)
            self._harden()


_DENY = sqlite3.SQLITE_DENY


def _size(row: tuple[Cell, ...]) -> int:
    size = 0
    for cell in row:
        if isinstance(cell, str):
            size += len(cell.encode("utf-8", "surrogatepass")) if not cell.isascii() else len(cell)
        elif isinstance(cell, bytes):
            raise QueryRefusedError("the result holds a blob; CAST(... AS BLOB) is refused")
        else:
            size += 8
    return size


def _connect(path: Path) -> tuple[sqlite3.Connection, tuple[int, ...] | None]:
    """A read-only connection, and the file's stamp when it had to be opened as immutable."""
    if not path.is_file():
        raise LibraryError(f"there is no library at `{path}`; make one with `onlooker ingest`")
    # `as_uri` escapes what a URI reserves (`?`, `#`, `%`) and everything outside ASCII.
    uri = path.as_uri() + "?mode=ro"
    try:
        return _opened(uri), None
    except sqlite3.OperationalError as error:
        if not error.sqlite_errorname.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")):
            raise _not_opened(path, error) from error
        wal = path.with_name(path.name + "-wal")
        if wal.is_file() and wal.stat().st_size > 0:
            raise LibraryError(
                f"`{path}` has commits in `{wal.name}` that can be read only where its folder can be written; "
                "copy the folder to a place you can write to"
            ) from error
    except sqlite3.DatabaseError as error:
        raise _not_opened(path, error) from error
    # A WAL library at rest in a folder we cannot write: nobody with our rights can change it, so no locks are needed.
    stamp = _stamp(path)
    try:
        return _opened(uri + "&immutable=1"), stamp
    except sqlite3.DatabaseError as error:
        raise _not_opened(path, error) from error


def _opened(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=5.0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("SELECT 1 FROM tracklets LIMIT 0")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _stamp(path: Path) -> tuple[int, ...]:
    status = path.stat()
    wal = path.with_name(path.name + "-wal")
    return (status.st_ino, status.st_size, status.st_mtime_ns, wal.stat().st_size if wal.is_file() else 0)


def _not_opened(path: Path, error: sqlite3.Error) -> LibraryError:
    message = str(error)
    if "no such table" in message or "not a database" in message or "malformed" in message:
        return SchemaError(f"`{path}` is not a library ({message})")
    if "locked" in message or "busy" in message:
        return LibraryBusyError(f"`{path}` is locked by another process ({message})")
    return LibraryError(f"`{path}` cannot be opened for reading ({message})")


def _bound(checked: CheckedQuery, params: Parameters) -> tuple[Cell, ...] | dict[str, Cell]:
    """The parameters in the form the statement wants, every one of them bound."""
    values: tuple[Cell, ...] | dict[str, Cell]
    if isinstance(params, Mapping):
        missing = [name for name in checked.named_parameters if name not in params]
        surplus = [name for name in params if name not in checked.named_parameters]
        if missing or surplus or checked.n_positional:
            raise QueryRefusedError(
                f"parameters do not fit: missing {missing}, not in the statement {surplus}, "
                f"{checked.n_positional} positional ones needed"
            )
        values = dict(params)
    else:
        if checked.named_parameters or len(params) != checked.n_positional:
            needed = list(checked.named_parameters) or checked.n_positional
            raise QueryRefusedError(f"the statement needs parameters {needed}, got {len(params)} positional ones")
        values = tuple(params)
    for value in values.values() if isinstance(values, dict) else values:
        _check_value(value)
    return values


def _check_value(value: Cell) -> None:
    if isinstance(value, str):
        if len(value) > _MAX_TEXT_PARAMETER:
            raise QueryRefusedError(f"a text parameter has {len(value)} characters; at most {_MAX_TEXT_PARAMETER}")
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise QueryRefusedError("a text parameter holds half a character (an unpaired surrogate)")
    elif isinstance(value, int) and abs(value) > _MAX_INT:
        raise QueryRefusedError(f"the parameter {value} does not fit into 64 bits")
    elif value is not None and not isinstance(value, int | float):
        raise QueryRefusedError(f"a parameter is text, a number or nothing, got {type(value).__name__}")


_LIMIT_SIGNS = (
    "too big",
    "too many",
    "too large",
    "too complex",
    "stack overflow",
    "maximum depth",
    "out of memory",
    "full",
)


def _translated(error: Exception, limits: Limits, views: frozenset[str] = frozenset()) -> QueryError | LibraryError:
    """The package's own error for what SQLite reported."""
    message = str(error) or type(error).__name__
    if message == "interrupted":
        return QueryLimitError(f"the query ran longer than {limits.seconds:g} s and was stopped; narrow it")
    if "prohibited" in message or "not authorized" in message:
        return QueryRefusedError(f"{message}; only the views may be read: {', '.join(sorted(VIEW_NAMES))}")
    if isinstance(error, MemoryError) or any(sign in message for sign in _LIMIT_SIGNS):
        return QueryLimitError(f"the query is too large: {message}")
    if "locked" in message or "busy" in message:
        return LibraryBusyError(f"the library is locked by another process ({message})")
    if "image is malformed" in message or "disk I/O" in message or "not a database" in message:
        return LibraryError(f"the library file is damaged ({message})")
    return QueryError(message + _column_hint(message, views))


def _column_hint(message: str, views: frozenset[str]) -> str:
    """What the columns really are, for whoever wrote the statement to try again."""
    if not message.startswith("no such column: ") or not views:
        return ""
    wanted = message.removeprefix("no such column: ").rpartition(".")[2].strip('"')
    columns = {view.name: [column.name for column in view.columns] for view in VIEWS if view.name in views}
    near = difflib.get_close_matches(wanted, {name for names in columns.values() for name in names}, n=2, cutoff=0.6)
    hint = "; did you mean " + " or ".join(f"`{name}`" for name in near) + "?" if near else ""
    known = "; ".join(f"{view}({', '.join(names)})" for view, names in sorted(columns.items()))
    return f"{hint} Columns: {known}"
