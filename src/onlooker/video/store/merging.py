"""Moving everything that hangs on some tracklets over to another one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from sqlalchemy import Connection, insert

from onlooker.video.store.schema import GAPS

# In this order: what hangs on tracklet `old` goes to tracklet `new`. Where both have a row for the same thing, the
# better one stays (OR IGNORE leaves the other behind, and it goes with its tracklet).
_WORSE_BOXES = """
DELETE FROM base_boxes WHERE tracklet_id = :new AND EXISTS (
  SELECT 1 FROM base_boxes o WHERE o.tracklet_id = :old AND o.t = base_boxes.t AND o.score > base_boxes.score)
"""
# A mask belongs to the box that was kept, and goes with one that gave way. Between the two statements boxes move.
_MASKS_OF_WORSE_BOXES = """
DELETE FROM base_masks WHERE tracklet_id = :new
AND NOT EXISTS (SELECT 1 FROM base_boxes b WHERE b.tracklet_id = :new AND b.t = base_masks.t)
"""
_MASKS_OF_BOXES_LEFT = """
DELETE FROM base_masks WHERE tracklet_id = :old
AND EXISTS (SELECT 1 FROM base_boxes b WHERE b.tracklet_id = :old AND b.t = base_masks.t)
"""
# A judgement, too, is of the box that was kept.
_JUDGED_ON_WORSE_BOXES = _MASKS_OF_WORSE_BOXES.replace("base_masks", "base_judgements")
_JUDGED_ON_BOXES_LEFT = _MASKS_OF_BOXES_LEFT.replace("base_masks", "base_judgements")
_SURER_ATTRIBUTES = """
DELETE FROM base_attributes WHERE tracklet_id IN (:new, :old) AND start_s IS NULL AND EXISTS (
  SELECT 1 FROM base_attributes o WHERE o.tracklet_id IN (:new, :old) AND o.start_s IS NULL
  AND o.name = base_attributes.name AND o.value = base_attributes.value AND o.annotator = base_attributes.annotator
  AND (o.score > base_attributes.score OR (o.score = base_attributes.score AND o.id < base_attributes.id)))
"""
_MOVES = (
    _WORSE_BOXES,
    _MASKS_OF_WORSE_BOXES,
    _JUDGED_ON_WORSE_BOXES,
    "UPDATE OR IGNORE base_boxes SET tracklet_id = :new WHERE tracklet_id = :old",
    _MASKS_OF_BOXES_LEFT,
    _JUDGED_ON_BOXES_LEFT,
    "UPDATE OR IGNORE base_masks SET tracklet_id = :new WHERE tracklet_id = :old",
    "UPDATE OR IGNORE base_judgements SET tracklet_id = :new WHERE tracklet_id = :old",
    "UPDATE OR IGNORE base_gaps SET tracklet_id = :new WHERE tracklet_id = :old",
    _SURER_ATTRIBUTES,
    "UPDATE base_attributes SET tracklet_id = :new WHERE tracklet_id = :old",
    "UPDATE base_screen_text SET tracklet_id = :new WHERE tracklet_id = :old",
    "UPDATE base_pictures SET tracklet_id = :new WHERE tracklet_id = :old",
    # A vector OF the tracklet stays with its own look; vectors of text on it move along.
    "UPDATE base_embeddings SET tracklet_id = :new WHERE tracklet_id = :old AND subject = 'screen_text'",
    "DELETE FROM base_links WHERE (first_id = :new AND second_id = :old) OR (first_id = :old AND second_id = :new)",
    "UPDATE OR IGNORE base_links SET first_id = :new WHERE first_id = :old",
    "UPDATE OR IGNORE base_links SET second_id = :new WHERE second_id = :old",
)
_FILLED = ("label", "color", "upper_color", "lower_color", "appearance")
_FILL = (
    "UPDATE base_tracklets SET "  # noqa: S608 - the names are the literals above
    + ", ".join(f"{c} = coalesce(base_tracklets.{c}, o.{c})" for c in _FILLED)
    + " FROM base_tracklets AS o WHERE o.id = :old AND base_tracklets.id = :new"
)


def merge_rows(connection: Connection, video_id: int, new: int, olds: Sequence[int]) -> None:
    """Move all rows of the tracklets `olds` (ids) to `new` and remove them; gaps between the parts are filled in."""
    spans = _spans(connection, [new, *olds])
    for old in olds:
        for statement in (*_MOVES, _FILL, "DELETE FROM base_tracklets WHERE id = :old"):
            connection.exec_driver_sql(statement, {"new": new, "old": old})
    _rebuild_gaps(connection, video_id, new, spans)


def _spans(connection: Connection, keys: Sequence[int]) -> list[tuple[float, float]]:
    query = "SELECT t_start, t_end FROM base_tracklets WHERE id = ?"
    return [tuple(connection.exec_driver_sql(query, (key,)).one()) for key in keys]


def _rebuild_gaps(connection: Connection, video_id: int, key: int, spans: Sequence[tuple[float, float]]) -> None:
    """Keep the gaps that still are absences, and add those between one part and the next, certain by the edit."""
    times = (
        connection.exec_driver_sql("SELECT t FROM base_boxes WHERE tracklet_id = ? ORDER BY t", (key,)).scalars().all()
    )
    looked = connection.exec_driver_sql("SELECT t FROM base_frames WHERE video_id = ? ORDER BY t", (video_id,))
    place = {t: i for i, t in enumerate(looked.scalars())}
    cuts = connection.exec_driver_sql("SELECT start_s FROM base_shots WHERE video_id = ?", (video_id,)).scalars().all()
    known = {
        (row.start_s, row.end_s): (row.kind, row.probability)
        for row in connection.exec_driver_sql("SELECT * FROM base_gaps WHERE tracklet_id = ?", (key,))
    }
    connection.exec_driver_sql("DELETE FROM base_gaps WHERE tracklet_id = ?", (key,))
    rows = []
    for before, after in itertools.pairwise(times):
        missed = place.get(after, 0) - place.get(before, 0) > 1
        between = not any(start <= before and after <= end for start, end in spans)
        kind = "shot" if any(before < cut <= after for cut in cuts) else "occlusion"
        fact = known.get((before, after)) or ((kind, 1.0) if missed and between else None)
        if fact is not None:
            rows.append(
                {"tracklet_id": key, "start_s": before, "end_s": after, "kind": fact[0], "probability": fact[1]}
            )
    if rows:
        connection.execute(insert(GAPS), rows)
