"""What was computed for a video, so that a second run does only what is missing.

A stage is one annotator (or tracking itself) over one video. Its rows and the record that it is done are written in
ONE transaction: a stage that was cut off left nothing and is repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.dialects.sqlite import insert

from onlooker.video.store.migrations import utc_now
from onlooker.video.store.schema import ANNOTATOR_RUNS, ATTRIBUTES, EMBEDDINGS, SCREEN_TEXT, SPEECH

TRACK_STAGE = "tracklets"

# Tables whose rows carry vectors: (table, subject) as in base_embeddings.
_EMBEDDED = {SPEECH.name: "speech", SCREEN_TEXT.name: "screen_text"}


@dataclass(frozen=True, slots=True)
class StageRun:
    """A finished stage: which annotator at which version, with which model in which role, and what it gave."""

    annotator: str
    version: str
    rows: int
    seconds: float
    model: str | None = None
    role: str | None = None


def stage_done(connection: Connection, video_id: int, annotator: str, version: str) -> bool:
    """Whether `annotator` has finished this video at exactly this version."""
    runs = ANNOTATOR_RUNS.c
    query = select(runs.version).where(runs.video_id == video_id, runs.annotator == annotator)
    return connection.execute(query).scalar() == version


def stages_done(connection: Connection, video_id: int) -> dict[str, str]:
    """Version of every stage that is finished for this video."""
    runs = ANNOTATOR_RUNS.c
    rows = connection.execute(select(runs.annotator, runs.version).where(runs.video_id == video_id))
    return {row.annotator: row.version for row in rows}


def record_stage(connection: Connection, video_id: int, run: StageRun) -> None:
    """Record that a stage is finished; call it in the transaction that wrote its rows."""
    row = {
        "video_id": video_id,
        "annotator": run.annotator,
        "version": run.version,
        "model": run.model,
        "role": run.role,
        "rows": run.rows,
        "seconds": run.seconds,
        "finished_at": utc_now(),
    }
    statement = insert(ANNOTATOR_RUNS).values(row)
    keys = [ANNOTATOR_RUNS.c.video_id, ANNOTATOR_RUNS.c.annotator]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=row))


def clear_stage(connection: Connection, video_id: int, annotator: str, tables: Sequence[Table] = ()) -> None:
    """Remove what `annotator` wrote for this video, and its record, before it writes again.

    Args:
        annotator: rows of `base_attributes` it signed go.
        tables: tables that belong to this annotator alone (speech, sounds, ...): their rows of the video go, with the
            vectors made from them.
    """
    attributes = ATTRIBUTES.c
    connection.execute(delete(ATTRIBUTES).where(attributes.video_id == video_id, attributes.annotator == annotator))
    for table in tables:
        subject = _EMBEDDED.get(table.name)
        if subject is not None:
            vectors = EMBEDDINGS.c
            connection.execute(delete(EMBEDDINGS).where(vectors.video_id == video_id, vectors.subject == subject))
        connection.execute(delete(table).where(table.c.video_id == video_id))
    runs = ANNOTATOR_RUNS.c
    connection.execute(delete(ANNOTATOR_RUNS).where(runs.video_id == video_id, runs.annotator == annotator))
