"""Writes tables: `tracklets` and `boxes` as CSV or Parquet, with the columns of the views of the same names."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, TextClause, bindparam, text

from onlooker.errors import ConfigError, MissingExtraError, NothingFoundError
from onlooker.formats.files import atomic_path
from onlooker.video.exchange.outgoing import ExportReport, check_places
from onlooker.video.store.store import Store

_TABLES = ("tracklets", "boxes")
_OWN_COLUMN = "video_key"  # of both tables in every version, and hardly of anybody else's
_LONGEST_HEADER = 10_000  # bytes; ours
_BATCH = 50_000  # rows in memory at once


def export_csv(store: Store, target: str | Path, video_ids: Sequence[int] | None = None) -> ExportReport:
    """Write `tracklets.csv` and `boxes.csv` into the folder `target`. Nothing of the two views is lost.

    Raises:
        NothingFoundError: there is no finished video to write.
        ConfigError: `target` is a file, or a file of a table's name is a folder or somebody else's.
    """
    files = _files(target, ".csv")
    with store.read() as connection:
        keys = _keys(connection, video_ids)
        for file in files:
            if file.exists():
                with file.open("rb") as stream:
                    first = stream.readline(_LONGEST_HEADER)
                _check_own(file, first.decode(errors="replace").strip().split(","))
        for table, file in zip(_TABLES, files, strict=True):
            with atomic_path(file) as part, part.open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream, lineterminator="\n")
                result = connection.execute(_query(table), {"keys": keys})
                writer.writerow(result.keys())
                for rows in result.partitions(_BATCH):
                    writer.writerows(rows)
    return ExportReport(files)


def export_parquet(store: Store, target: str | Path, video_ids: Sequence[int] | None = None) -> ExportReport:
    """Write `tracklets.parquet` and `boxes.parquet` into the folder `target`. Nothing of the two views is lost.

    Raises:
        MissingExtraError: pyarrow is not installed.
        NothingFoundError: there is no finished video to write.
        ConfigError: `target` is a file, or a file of a table's name is a folder or somebody else's.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError("Parquet needs `pip install 'onlooker[columnar]'`; CSV needs nothing") from error
    from onlooker.video.store.views import VIEWS

    types = {"int": pa.int64(), "0/1": pa.int64(), "text": pa.string()}
    files = _files(target, ".parquet")
    with store.read() as connection:
        keys = _keys(connection, video_ids)
        for file in files:
            if file.exists():
                try:
                    names = pq.read_schema(file).names
                except (pa.ArrowException, OSError):
                    names = []
                _check_own(file, names)
        for table, file in zip(_TABLES, files, strict=True):
            columns = next(view.columns for view in VIEWS if view.name == table)
            schema = pa.schema([(c.name, types.get(c.kind, pa.float64())) for c in columns])
            with atomic_path(file) as part, pq.ParquetWriter(part, schema) as writer:
                for rows in connection.execute(_query(table), {"keys": keys}).partitions(_BATCH):
                    arrays = [pa.array(values, field.type) for values, field in zip(zip(*rows), schema, strict=True)]  # noqa: B905
                    writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return ExportReport(files)


def _files(target: str | Path, ending: str) -> tuple[Path, ...]:
    folder = Path(target)
    if folder.is_file():
        raise ConfigError(f"`{folder}` is a file; two tables are written, give a folder")
    files = tuple(folder / f"{table}{ending}" for table in _TABLES)
    check_places(files)
    return files


def _check_own(file: Path, names: Sequence[str]) -> None:
    """Raises ConfigError where a table of somebody else would be replaced, by the names of its columns."""
    if _OWN_COLUMN not in names:
        raise ConfigError(f"`{file}` was not exported from a library and would be replaced; give another folder")


def _keys(connection: Connection, video_ids: Sequence[int] | None) -> list[int]:
    ready = [int(key) for key in connection.exec_driver_sql("SELECT key FROM videos ORDER BY key").scalars()]
    keys = ready if video_ids is None else [key for key in ready if key in set(video_ids)]
    if not keys:
        raise NothingFoundError("there is no finished video to export")
    return keys


def _query(table: str) -> TextClause:
    order = {"tracklets": "video_key, id", "boxes": "video_key, id, t"}[table]
    statement = f"SELECT * FROM {table} WHERE video_key IN :keys ORDER BY {order}"  # noqa: S608 - both are ours
    return text(statement).bindparams(bindparam("keys", expanding=True))
