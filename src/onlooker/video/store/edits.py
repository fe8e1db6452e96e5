"""Corrections by hand: merge, split, rename, relabel and delete tracklets. Answers follow.

Every edit runs in the caller's transaction, computes the geometry of the video anew with the code that computed it
first, drops cached answers that cite the video, and is recorded in `base_edits`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, delete, insert, select, update

from onlooker.errors import ConfigError, UnknownNameError
from onlooker.video.attributes.write import refresh_geometry
from onlooker.video.store.merging import merge_rows
from onlooker.video.store.migrations import utc_now
from onlooker.video.store.schema import EDITS, TRACKLETS
from onlooker.video.store.splitting import split_rows
from onlooker.video.store.videos import forget_answers

EditKind = Literal["merge", "split", "rename", "relabel", "delete"]
Detail = dict[str, int | float | str | list[int] | None]


@dataclass(frozen=True, slots=True)
class Edit:
    """One recorded correction. `detail` says what was changed, in tracklet numbers."""

    id: int
    video_id: int
    kind: EditKind
    detail: Detail
    created_at: str


def merge_tracklets(connection: Connection, video_id: int, numbers: Sequence[int]) -> int:
    """Make one tracklet of several that are the same object. Where two have a box on one frame, the surer one stays.

    Returns:
        The number of the result: the first of `numbers`, whose category and label it keeps.

    Raises:
        UnknownNameError: the video has no such tracklet.
        ConfigError: fewer than two different numbers are given.
    """
    distinct = list(dict.fromkeys(numbers))
    if len(distinct) < 2:
        raise ConfigError(f"a merge needs at least two different tracklets, got {list(numbers)}")
    keys = [_key(connection, video_id, number) for number in distinct]
    merge_rows(connection, video_id, keys[0], keys[1:])
    _finish(connection, video_id, "merge", {"into": distinct[0], "merged": distinct[1:]})
    return distinct[0]


def split_tracklet(connection: Connection, video_id: int, number: int, at_s: float) -> int:
    """Make two of a tracklet that is two objects: boxes from `at_s` on become a new one.

    Returns:
        The number of the new tracklet: one more than the highest in the video.

    Raises:
        UnknownNameError: the video has no such tracklet.
        ConfigError: all boxes lie on one side of `at_s`.
    """
    key = _key(connection, video_id, number)
    row = connection.execute(select(TRACKLETS.c.t_start, TRACKLETS.c.t_end).where(TRACKLETS.c.id == key)).one()
    if not row.t_start < at_s <= row.t_end:
        raise ConfigError(
            f"tracklet {number} is seen from {row.t_start:g} s to {row.t_end:g} s; "
            f"a split has to come after the first and not after the last of these, got {at_s:g} s"
        )
    new_number = split_rows(connection, video_id, key, at_s)
    _finish(connection, video_id, "split", {"tracklet": number, "at_s": at_s, "new": new_number})
    return new_number


def rename_tracklet(connection: Connection, video_id: int, number: int, label: str | None) -> None:
    """Give a tracklet the name people use ("Anna"), or take it away with `None`.

    Raises:
        UnknownNameError: the video has no such tracklet.
        ConfigError: the name is blank.
    """
    key = _key(connection, video_id, number)
    clean = None if label is None else _clean(label, "name")
    connection.execute(update(TRACKLETS).where(TRACKLETS.c.id == key).values(label=clean))
    _finish(connection, video_id, "rename", {"tracklet": number, "label": clean})


def relabel_tracklet(connection: Connection, video_id: int, number: int, category: str) -> None:
    """Say what a tracklet really is; from then on its category is certain.

    Raises:
        UnknownNameError: the video has no such tracklet.
        ConfigError: the category is blank.
    """
    key = _key(connection, video_id, number)
    clean = _clean(category, "category")
    before = connection.execute(select(TRACKLETS.c.category).where(TRACKLETS.c.id == key)).scalar_one()
    values = {"category": clean, "category_score": 1.0}
    connection.execute(update(TRACKLETS).where(TRACKLETS.c.id == key).values(values))
    _finish(connection, video_id, "relabel", {"tracklet": number, "from": before, "to": clean})


def delete_tracklet(connection: Connection, video_id: int, number: int) -> None:
    """Take a false tracklet out, with its boxes, pictures and attributes.

    Raises:
        UnknownNameError: the video has no such tracklet.
    """
    key = _key(connection, video_id, number)
    connection.execute(delete(TRACKLETS).where(TRACKLETS.c.id == key))
    _finish(connection, video_id, "delete", {"tracklet": number})


def list_edits(connection: Connection, video_id: int | None = None) -> list[Edit]:
    """Corrections of one video, or of all, oldest first."""
    query = select(EDITS).order_by(EDITS.c.id)
    if video_id is not None:
        query = query.where(EDITS.c.video_id == video_id)
    return [
        Edit(row.id, row.video_id, row.kind, json.loads(row.detail), row.created_at)
        for row in connection.execute(query)
    ]


def _key(connection: Connection, video_id: int, number: int) -> int:
    table = TRACKLETS.c
    found = connection.execute(select(table.id).where(table.video_id == video_id, table.number == number)).scalar()
    if found is None:
        known = connection.execute(select(table.number).where(table.video_id == video_id).order_by(table.number))
        raise UnknownNameError("tracklet", str(number), [str(n) for n in known.scalars()])
    return int(found)


def _clean(text: str, what: str) -> str:
    clean = " ".join(text.split())
    if not clean:
        raise ConfigError(f"a {what} needs at least one letter, got `{text}`")
    return clean


def _finish(connection: Connection, video_id: int, kind: EditKind, detail: Detail) -> None:
    refresh_geometry(connection, video_id)
    forget_answers(connection, video_id)
    row = {
        "video_id": video_id,
        "kind": kind,
        "detail": json.dumps(detail, ensure_ascii=False),
        "created_at": utc_now(),
    }
    connection.execute(insert(EDITS).values(row))
