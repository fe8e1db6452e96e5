"""Libraries of every older version open with their rows, and come out as a new library would."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from onlooker.video.store import migrations
from onlooker.video.store.maintenance import check
from onlooker.video.store.migrations import APPLICATION_ID, LATEST, Migration
from onlooker.video.store.schema import META, METADATA, MIGRATIONS
from onlooker.video.store.store import Store
from onlooker.video.store.views import VIEWS

HERE = Path(__file__).parent
# Tables that came with a later version, and the views that read them: a library from before has no rows for them.
SINCE = {"base_judges": 3, "base_judgements": 3, "judges": 3, "judgements": 3, "verdicts": 3}


def old_library(tmp_path: Path, version: int) -> Path:
    path = tmp_path / f"v{version}.onlooker"
    raw = sqlite3.connect(path)
    raw.executescript((HERE / f"library_v{version}.sql").read_text(encoding="utf-8"))
    raw.execute(f"PRAGMA user_version = {version}")
    raw.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    raw.close()
    return path


def structure(store: Store) -> dict[str, object]:
    """Columns, keys and indices by table: what two files must share, whatever way they were made."""
    found: dict[str, object] = {}
    with store.read() as connection:
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1").scalars()
        for name in [n for n in names if not n.startswith("sqlite_")]:
            columns = [tuple(row) for row in connection.exec_driver_sql(f"PRAGMA table_info({name})")]
            keys = sorted(tuple(row)[2:] for row in connection.exec_driver_sql(f"PRAGMA foreign_key_list({name})"))
            indices = []
            for row in connection.exec_driver_sql(f"PRAGMA index_list({name})").all():
                parts = [tuple(p) for p in connection.exec_driver_sql(f"PRAGMA index_info({row.name})")]
                indices.append((row.origin, row.unique, parts))
            found[name] = (columns, keys, sorted(indices))
    return found


@pytest.mark.parametrize("version", range(1, LATEST + 1))
def test_library_of_every_version_opens_with_its_rows(tmp_path: Path, version: int) -> None:
    path = old_library(tmp_path, version)
    with Store.open(path) as store, Store.open(tmp_path / "new.onlooker") as new:
        assert structure(store) == structure(new), "schema.py changed: add a step to migrations.STEPS"
        assert check(store) == ()
        with store.read() as connection:
            assert connection.exec_driver_sql("PRAGMA user_version").scalar_one() == LATEST
            for table in METADATA.sorted_tables:
                if table not in (META, MIGRATIONS):
                    rows = connection.exec_driver_sql(f"SELECT count(*) FROM {table.name}").scalar_one()
                    assert rows == (2 if version >= SINCE.get(table.name, 1) else 0), table.name
            for view in VIEWS:
                found = connection.exec_driver_sql(f"SELECT * FROM {view.name}").first()
                assert (found is not None) == (version >= SINCE.get(view.name, 1)), view.name


def test_steps_run_once_in_order_and_are_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def add_column(connection) -> None:
        connection.exec_driver_sql("ALTER TABLE base_videos ADD COLUMN mood TEXT")

    def fill_column(connection) -> None:
        connection.exec_driver_sql("UPDATE base_videos SET mood = 'calm'")

    steps = (
        Migration(LATEST + 1, "mood of a video", add_column),
        Migration(LATEST + 2, "all are calm", fill_column),
    )
    path = old_library(tmp_path, LATEST)
    monkeypatch.setattr(migrations, "STEPS", steps)
    monkeypatch.setattr(migrations, "LATEST", LATEST + 2)
    for _ in range(2):
        with Store.open(path) as store, store.write() as connection:
            migrations.migrate(connection)
    with Store.open(path) as store, store.read() as connection:
        assert connection.exec_driver_sql("SELECT DISTINCT mood FROM base_videos").scalars().all() == ["calm"]
        names = connection.exec_driver_sql("SELECT name FROM base_migrations ORDER BY version").scalars().all()
        assert names[-2:] == ["mood of a video", "all are calm"]


def test_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(connection) -> None:
        connection.exec_driver_sql("ALTER TABLE base_videos ADD COLUMN mood TEXT")
        raise KeyboardInterrupt

    path = old_library(tmp_path, LATEST)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", (Migration(LATEST + 1, "half", half),))
        with pytest.raises(KeyboardInterrupt), Store.open(path) as store, store.write() as connection:
            migrations.migrate(connection)
    with Store.open(path) as store, store.read() as connection:
        columns = [row[1] for row in connection.exec_driver_sql("PRAGMA table_info(base_videos)")]
        assert "mood" not in columns


def test_every_reference_is_indexed_so_that_deleting_does_not_read_the_library() -> None:
    for table in METADATA.sorted_tables:
        leading = {next(iter(index.columns)).name for index in table.indexes}
        leading |= {
            next(iter(key.columns)).name
            for key in table.constraints
            if getattr(key, "columns", None) and type(key).__name__ in ("PrimaryKeyConstraint", "UniqueConstraint")
        }
        for column in table.columns:
            if column.foreign_keys:
                assert column.name in leading, f"{table.name}.{column.name}"
