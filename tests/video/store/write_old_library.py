"""Writes `library_v<N>.sql`: a library of the present version with rows in every table, as SQL text.

Run it once per schema version, before the version is raised; `test_migrations.py` opens all of them.

    python tests/video/store/write_old_library.py
"""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

from sqlalchemy import Column, Float, Integer, LargeBinary, Table, insert

from onlooker.video.store.migrations import LATEST
from onlooker.video.store.schema import JUDGEMENTS, MASKS, META, METADATA, MIGRATIONS, PICTURES, VIDEOS
from onlooker.video.store.store import Store


def value_of(table: Table, name: str, number: int) -> object:
    """A plausible value for a column of row `number` (1 or 2); keys of other tables point to their first row."""
    column = table.c[name]
    fixed: dict[Column[object], tuple[object, object]] = {
        MASKS.c.rle: (b"01", b"01"),  # one pixel: migrations read masks
        JUDGEMENTS.c.probability: (0.25, None),  # one of the two is there
        JUDGEMENTS.c.reason: (None, "no face found"),
        VIDEOS.c.status: ("ready", "partial"),
        PICTURES.c.kind: ("crop", "keyframe"),
    }
    if column in fixed:
        return fixed[column][number - 1]
    if column.foreign_keys and name != "second_id" and not column.primary_key:
        return "1" if name == "answer_id" else 1
    if isinstance(column.type, LargeBinary):
        return bytes([number, 60])
    if isinstance(column.type, Integer):
        return number
    if isinstance(column.type, Float):
        return number / 4
    return f"{name} {number}" if name != "answer_id" else str(number)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "old.onlooker"
        with Store.open(path) as store, store.write() as connection:
            for table in METADATA.sorted_tables:
                if table not in (META, MIGRATIONS):
                    rows = [{c.name: value_of(table, c.name, number) for c in table.c} for number in (1, 2)]
                    connection.execute(insert(table), rows)
        raw = sqlite3.connect(path)
        lines = list(raw.iterdump())
        raw.close()
    target = Path(__file__).with_name(f"library_v{LATEST}.sql")
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
