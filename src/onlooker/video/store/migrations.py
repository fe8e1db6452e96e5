"""Numbered changes of the library file, applied in order and recorded in the file itself.

A library carries an application id (so that another SQLite file is not taken for one), its schema version
(`PRAGMA user_version`) and one row per migration. Views hold no data: they are made anew whenever their text changed.

A new file is made from `schema.py` as it stands; an older one goes through the steps it lacks. A test holds both ways
equal, so a change of `schema.py` needs a step here, and the rows of every older version are tried in that test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from sqlalchemy import Connection, insert
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from onlooker.errors import SchemaError, ShapeError
from onlooker.formats.run_lengths import mask_area
from onlooker.video.store.schema import META, METADATA, MIGRATIONS
from onlooker.video.store.views import VIEWS, views_fingerprint

APPLICATION_ID = 0x4F6E4C6B  # "OnLk", ours


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: brings a file from `version - 1` to `version`."""

    version: int
    name: str
    apply: Callable[[Connection], None]


# As it was at version 2; `schema.py` may have gone on since.
_MASKS_2 = """
CREATE TABLE base_masks (
  tracklet_id INTEGER NOT NULL, frame INTEGER NOT NULL, t FLOAT NOT NULL, area_px INTEGER NOT NULL, rle BLOB NOT NULL,
  PRIMARY KEY (tracklet_id, frame),
  FOREIGN KEY(tracklet_id) REFERENCES base_tracklets (id) ON DELETE CASCADE
) WITHOUT ROWID
"""


def _masks_with_time_and_area(connection: Connection) -> None:
    """Masks are asked for by time and area. One without a box, or that cannot be read, is left out."""
    connection.exec_driver_sql("ALTER TABLE base_masks RENAME TO old_masks")
    connection.exec_driver_sql(_MASKS_2)
    owners = connection.exec_driver_sql("SELECT DISTINCT tracklet_id FROM old_masks").scalars().all()
    for owner in owners:
        boxes = connection.exec_driver_sql("SELECT frame, t FROM base_boxes WHERE tracklet_id = ?", (owner,))
        times = {row[0]: row[1] for row in boxes}
        masks = connection.exec_driver_sql("SELECT frame, rle FROM old_masks WHERE tracklet_id = ?", (owner,))
        rows = []
        for frame, rle in masks:
            try:
                area = mask_area(rle)
            except ShapeError:
                continue
            if frame in times:
                rows.append((owner, frame, times[frame], area, rle))
        if rows:
            connection.exec_driver_sql("INSERT INTO base_masks VALUES (?, ?, ?, ?, ?)", rows)
    connection.exec_driver_sql("DROP TABLE old_masks")


# As they were at version 3.
_JUDGES_3 = """
CREATE TABLE base_judges (
  video_id INTEGER NOT NULL, judge TEXT NOT NULL, finder TEXT, need TEXT NOT NULL, threshold FLOAT NOT NULL,
  tested_on TEXT NOT NULL, PRIMARY KEY (video_id),
  FOREIGN KEY(video_id) REFERENCES base_videos (id) ON DELETE CASCADE
)
"""
_JUDGEMENTS_3 = """
CREATE TABLE base_judgements (
  video_id INTEGER NOT NULL, tracklet_id INTEGER NOT NULL, frame INTEGER NOT NULL, t FLOAT NOT NULL, probability FLOAT,
  reason TEXT, x1 FLOAT NOT NULL, y1 FLOAT NOT NULL, x2 FLOAT NOT NULL, y2 FLOAT NOT NULL, kind TEXT, notes TEXT,
  PRIMARY KEY (tracklet_id, t), CHECK ((probability IS NULL) <> (reason IS NULL)),
  FOREIGN KEY(video_id) REFERENCES base_videos (id) ON DELETE CASCADE,
  FOREIGN KEY(tracklet_id) REFERENCES base_tracklets (id) ON DELETE CASCADE
) WITHOUT ROWID
"""


def _judgements(connection: Connection) -> None:
    """Room for what judges of authenticity say; nothing of it could be stored before."""
    connection.exec_driver_sql(_JUDGES_3)
    connection.exec_driver_sql(_JUDGEMENTS_3)
    connection.exec_driver_sql("CREATE INDEX ix_judgements_video ON base_judgements (video_id)")


STEPS: tuple[Migration, ...] = (  # from version 2 on
    Migration(2, "masks carry their time and area", _masks_with_time_and_area),
    Migration(3, "judgements of authenticity", _judgements),
)
LATEST = 1 + len(STEPS)


def utc_now() -> str:
    """The time now as ISO 8601 text in UTC, seconds precise."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def schema_version(connection: Connection) -> int:
    """Version of the open file; 0 for an empty one.

    Raises:
        SchemaError: if the file is an SQLite database of something else, or was written by a newer version.
    """
    version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    application = int(connection.exec_driver_sql("PRAGMA application_id").scalar_one())
    n_objects = int(connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one())
    if application != APPLICATION_ID and (n_objects or version or application):
        raise SchemaError("the file is an SQLite database, but not an Onlooker library; give another path")
    if version > LATEST:
        raise SchemaError(
            f"the library has schema version {version}, this program knows up to {LATEST}; "
            "upgrade with `pip install --upgrade onlooker`"
        )
    return version


def views_current(connection: Connection) -> bool:
    """Whether the file carries exactly the views of this program."""
    row = connection.execute(META.select().where(META.c.key == "views")).first()
    return row is not None and row.value == views_fingerprint()


def migrate(connection: Connection) -> int:
    """Bring the file up to date inside the caller's transaction.

    Returns:
        The number of steps applied; 0 for a file that was new or up to date.
    """
    version = schema_version(connection)
    if version == 0:
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        for statement in _statements():
            connection.exec_driver_sql(statement)
        _record(connection, LATEST, "made")
    todo = [step for step in STEPS if 0 < version < step.version]
    for step in todo:
        step.apply(connection)
        _record(connection, step.version, step.name)
    if todo or not views_current(connection):
        make_views(connection)
    return len(todo)


@cache
def _statements() -> tuple[str, ...]:
    """What makes the tables of a new file. To put the text together takes longer than to run it."""
    tables = METADATA.sorted_tables
    indexes = sorted((index for table in tables for index in table.indexes), key=lambda index: str(index.name))
    made: list[ExecutableDDLElement] = [*map(CreateTable, tables), *map(CreateIndex, indexes)]
    return tuple(str(statement.compile(dialect=sqlite.dialect())) for statement in made)


def _record(connection: Connection, version: int, name: str) -> None:
    row = {"version": version, "name": name, "applied_at": utc_now()}
    connection.execute(insert(MIGRATIONS).values(row))
    connection.exec_driver_sql(f"PRAGMA user_version = {version}")


def make_views(connection: Connection) -> None:
    """Drop every view of the file and create those of this program."""
    names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'view'").scalars().all()
    for name in names:
        connection.exec_driver_sql(f'DROP VIEW "{name}"')
    for view in VIEWS:
        connection.exec_driver_sql(view.ddl)
    record = "INSERT OR REPLACE INTO base_meta (key, value) VALUES ('views', ?)"
    connection.exec_driver_sql(record, (views_fingerprint(),))
