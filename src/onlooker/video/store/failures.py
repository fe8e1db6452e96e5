"""SQLite's failures in the words of this package."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from onlooker.errors import LibraryBusyError, LibraryError, SchemaError, StorageFullError

# Primary result codes (the low byte of an extended code): https://www.sqlite.org/rescode.html
_BUSY, _LOCKED, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = 5, 6, 8, 10, 11, 13, 14, 26


def library_error(error: BaseException, path: Path) -> LibraryError | None:
    """The error of ours that says what `error` means for the library at `path`; `None` if it is not about the file."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if primary in (_BUSY, _LOCKED):
        return LibraryBusyError(f"`{path}` is being written by another process; try again when it has finished")
    if primary == _FULL:
        return StorageFullError(f"no space left for `{path}`; nothing was lost, free some space and run it again")
    if primary == _IOERR:
        return StorageFullError(f"the disk under `{path}` failed or is full ({error}); free space and run it again")
    if primary == _NOTADB:
        return SchemaError(f"`{path}` is not an Onlooker library; give another path")
    if primary == _CORRUPT:
        return SchemaError(f"`{path}` is damaged ({error}); restore a backup made with `onlooker db backup`")
    if primary == _READONLY:
        return LibraryError(f"`{path}` can only be read; make the file and its folder writable or copy it elsewhere")
    if primary == _CANTOPEN:
        return LibraryError(f"`{path}` cannot be opened; check that its folder exists and may be read and written")
    return None


@contextmanager
def mapped_failures(path: Path) -> Iterator[None]:
    """Inside, failures of the file come out as `LibraryError`s; all others pass unchanged."""
    try:
        yield
    except DBAPIError as error:
        mapped = library_error(error.orig, path) if error.orig is not None else None
        if mapped is None:
            raise
        raise mapped from error
    except sqlite3.Error as error:
        mapped = library_error(error, path)
        if mapped is None:
            raise
        raise mapped from error
