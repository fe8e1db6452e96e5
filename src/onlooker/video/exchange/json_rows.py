"""Writes a JSON file of long lists row by row, so that no list is ever in memory whole."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO, TypeAlias

from onlooker.formats.files import atomic_path

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | dict[str, Json] | None"


class JsonRows:
    """One list that grows on disk."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._n_rows = stream, 0

    def __len__(self) -> int:
        return self._n_rows

    def add(self, row: Json) -> None:
        """Appends one row."""
        self._stream.write((", " if self._n_rows else "") + json.dumps(row, ensure_ascii=False))
        self._n_rows += 1

    def copy_to(self, stream: TextIO) -> None:
        """Writes the list, brackets included."""
        self._stream.seek(0)
        stream.write("[")
        shutil.copyfileobj(self._stream, stream)
        stream.write("]")


@contextmanager
def json_of_lists(
    target: Path, names: Sequence[str], about: Mapping[str, Json] | None = None
) -> Iterator[dict[str, JsonRows]]:
    """Lists to fill in any order; when the block ends well `target` holds them as one object, byte for byte as
    `json.dumps` would write it. The rows lie in unnamed files beside `target` meanwhile.

    Args:
        names: keys of the object that are lists, in their order there.
        about: keys with short values, which come first.
    """
    with atomic_path(target) as part, ExitStack() as stack:
        lists = {
            name: JsonRows(
                stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n", dir=part.parent))
            )
            for name in names
        }
        yield lists
        with part.open("w", encoding="utf-8", newline="\n") as stream:
            between = "{"
            for key, value in (about or {}).items():
                stream.write(f"{between}{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
                between = ", "
            for key, rows in lists.items():
                stream.write(f"{between}{json.dumps(key)}: ")
                rows.copy_to(stream)
                between = ", "
            stream.write("}")
