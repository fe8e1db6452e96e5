"""Dividing what hangs on one tracklet between it and a new one, by time."""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select

from onlooker.video.store.schema import TRACKLETS

# What has a time goes to its side of the cut. What is said of the whole tracklet is true of both parts as far as anyone
# knows, and is copied; so are its links and vectors.
_MOVES = (
    "UPDATE base_masks SET tracklet_id = :new WHERE tracklet_id = :old AND t >= :at",
    "UPDATE base_judgements SET tracklet_id = :new WHERE tracklet_id = :old AND t >= :at",
    "UPDATE base_boxes SET tracklet_id = :new WHERE tracklet_id = :old AND t >= :at",
    "DELETE FROM base_gaps WHERE tracklet_id = :old AND start_s < :at AND end_s >= :at",
    "UPDATE base_gaps SET tracklet_id = :new WHERE tracklet_id = :old AND start_s >= :at",
    "UPDATE base_pictures SET tracklet_id = :new WHERE tracklet_id = :old AND t >= :at",
    "UPDATE base_screen_text SET tracklet_id = :new WHERE tracklet_id = :old AND start_s >= :at",
    "UPDATE base_embeddings SET tracklet_id = :new WHERE tracklet_id = :old AND subject = 'screen_text' "
    "AND subject_id IN (SELECT id FROM base_screen_text WHERE tracklet_id = :new)",
    "UPDATE base_attributes SET tracklet_id = :new WHERE tracklet_id = :old AND start_s >= :at",
    "INSERT INTO base_attributes (video_id, tracklet_id, name, value, score, start_s, end_s, annotator) "
    "SELECT video_id, :new, name, value, score, max(start_s, :at), end_s, annotator FROM base_attributes "
    "WHERE tracklet_id = :old AND (start_s IS NULL OR end_s > :at)",
    "UPDATE base_attributes SET end_s = :at WHERE tracklet_id = :old AND end_s > :at",
    "INSERT INTO base_embeddings (video_id, tracklet_id, subject, subject_id, space, vector) "
    "SELECT video_id, :new, subject, :new, space, vector FROM base_embeddings "
    "WHERE tracklet_id = :old AND subject_id = :old AND subject <> 'screen_text'",
    "INSERT OR IGNORE INTO base_links (first_id, second_id, probability) "
    "SELECT :new, second_id, probability FROM base_links WHERE first_id = :old",
    "DELETE FROM base_links WHERE first_id = :old",
)


def split_rows(connection: Connection, video_id: int, old: int, at_s: float) -> int:
    """Give everything of tracklet `old` (id) from `at_s` on to a new tracklet; returns its number."""
    highest = select(func.max(TRACKLETS.c.number)).where(TRACKLETS.c.video_id == video_id)
    number = int(connection.execute(highest).scalar_one()) + 1
    row = dict(connection.execute(select(TRACKLETS).where(TRACKLETS.c.id == old)).mappings().one())
    del row["id"]
    # The name a person gave stays with the first part: nobody said that it is the other one's, too.
    row.update(number=number, label=None)
    new = int(connection.execute(insert(TRACKLETS).values(row).returning(TRACKLETS.c.id)).scalar_one())
    values = {"new": new, "old": old, "at": at_s}
    for statement in _MOVES:
        connection.exec_driver_sql(statement, values)
    return number
