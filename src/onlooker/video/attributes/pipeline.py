"""Runs annotators over one video: only what is missing, one transaction each.

An annotator computes outside any transaction, so that a slow model never holds the write lock; then its old rows go and
its new ones come together with the record that it is done. Cut off anywhere, it is simply still due.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from onlooker.video.attributes.registry import Annotator, AnnotatorSpec, Context, Output, Report
from onlooker.video.attributes.write import INDEPENDENT_STAGES
from onlooker.video.store import schema
from onlooker.video.store.stages import TRACK_STAGE, StageRun, clear_stage, record_stage, stage_done, stages_done
from onlooker.video.store.store import Store
from onlooker.video.store.videos import get_video

Progress = Callable[[str, int, int], None]


def is_done(store: Store, video_id: int, spec: AnnotatorSpec) -> bool:
    """Whether this annotator has finished this video at this version, with this model."""
    with store.read() as connection:
        return stage_done(connection, video_id, spec.name, spec.full_version)


def run_annotators(
    store: Store, video_id: int, annotators: Sequence[Annotator], progress: Progress | None = None
) -> dict[str, int]:
    """Run what is missing, in an order that respects `after`.

    Args:
        progress: called with (annotator, done, total) while one runs.

    Returns:
        Rows written by annotator; one that was up to date is not in it.
    """
    written = {}
    for annotator in in_order(annotators):
        name = annotator.spec.name
        rows = run_annotator(store, video_id, annotator, _bound(progress, name))
        if rows is not None:
            written[name] = rows
    return written


def run_annotator(store: Store, video_id: int, annotator: Annotator, report: Report | None = None) -> int | None:
    """Run one annotator over one video unless it is up to date.

    Args:
        report: called with (done, total).

    Returns:
        Rows written, or `None` when there was nothing to do.

    Raises:
        LibraryError: if the video was deleted meanwhile.
    """
    while not is_done(store, video_id, annotator.spec):
        rows = _run_once(store, video_id, annotator, report or _silent)
        if rows is not None:
            return rows
    return None


def _run_once(store: Store, video_id: int, annotator: Annotator, report: Report) -> int | None:
    """Rows written, or `None` when tracklets came to the video that this run has not seen: it has to be done again."""
    spec = annotator.spec
    started = time.monotonic()
    with store.read() as connection:
        video = get_video(connection, video_id)
        seen, tracking = _tracklet_keys(connection, video_id), stages_done(connection, video_id).get(TRACK_STAGE)
    output = annotator.run(Context(store, video, report))
    run = StageRun(
        annotator=spec.name,
        version=spec.full_version,
        rows=output.n_rows,
        seconds=time.monotonic() - started,
        model=spec.model,
        role=spec.role,
    )
    with store.write() as connection:
        get_video(connection, video_id)
        # Keys of tracklets that were replaced may be given out again, so the version of the tracking counts as well.
        changed = stages_done(connection, video_id).get(TRACK_STAGE) != tracking
        if spec.name not in INDEPENDENT_STAGES and (changed or not _tracklet_keys(connection, video_id) <= seen):
            return None
        _replace(connection, video_id, spec, output)
        record_stage(connection, video_id, run)
    return output.n_rows


def in_order(annotators: Iterable[Annotator]) -> list[Annotator]:
    """The same annotators, each behind those it builds on, otherwise in the given order."""
    waiting = {annotator.spec.name: annotator for annotator in annotators}
    ordered: list[Annotator] = []

    def place(annotator: Annotator) -> None:
        for upstream in annotator.spec.after:
            if upstream.name in waiting:
                place(waiting[upstream.name])
        if waiting.pop(annotator.spec.name, None) is not None:
            ordered.append(annotator)

    while waiting:
        place(next(iter(waiting.values())))
    return ordered


def _tracklet_keys(connection: Connection, video_id: int) -> set[int]:
    k = schema.TRACKLETS.c
    return set(connection.execute(select(k.id).where(k.video_id == video_id)).scalars())


def _silent(done: int, total: int) -> None:
    """Progress that nobody watches."""


def _bound(progress: Progress | None, name: str) -> Report | None:
    if progress is None:
        return None
    return lambda done, total: progress(name, done, total)


def _replace(connection: Connection, video_id: int, spec: AnnotatorSpec, output: Output) -> None:
    clear_stage(connection, video_id, spec.name, spec.tables)
    for subject in spec.subjects:
        # Old vectors of this subject go whatever their space: a changed model must not leave half a library behind.
        vectors = schema.EMBEDDINGS.c
        connection.execute(delete(schema.EMBEDDINGS).where(vectors.video_id == video_id, vectors.subject == subject))
    k = schema.TRACKLETS.c
    if spec.columns:
        cleared = dict.fromkeys(spec.columns)
        connection.execute(update(schema.TRACKLETS).where(k.video_id == video_id).values(cleared))
    # Tracklets may have been edited away while the annotator was working.
    alive = _tracklet_keys(connection, video_id)
    for table, rows in output.inserts.items():
        kept = [{**row, "video_id": video_id} for row in rows if row.get("tracklet_id") in alive | {None}]
        if kept:
            connection.execute(insert(table), kept)
    changed = [{"b_id": key, **values} for key, values in output.columns.items() if key in alive]
    if changed:
        connection.execute(update(schema.TRACKLETS).where(k.id == bindparam("b_id")), changed)
