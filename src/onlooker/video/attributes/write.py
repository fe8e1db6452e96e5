"""Tracklets into the database, and every row derived from their boxes.

`write_tracking` stores what a tracker or an importer found; `refresh_geometry` computes the derived rows anew from the
stored boxes after an edit (merge, split, relabel). Both run inside the caller's transaction and share the code, so an
edited library cannot differ from one that was written that way.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Table, bindparam, delete, func, insert, select, update

from onlooker.errors import NothingFoundError, ShapeError
from onlooker.types import Gap, Shot, TrackingResult, Tracklet
from onlooker.video.attributes.geometry import Scene, TrackletGeometry, boxes_of, tracklet_geometry
from onlooker.video.attributes.pictures import crop_row
from onlooker.video.attributes.relations import PairGeometry, Peak, pair_geometry, peaks_of
from onlooker.video.store import schema

Boxes = NDArray[np.float64]

# Stages whose rows do not hang on tracklets; the record of every other stage goes with the old tracklets.
INDEPENDENT_STAGES = frozenset({"speech", "sound"})
_CHUNK = 20_000  # rows of one executemany: bounds the memory of dictionaries made for it


def write_tracking(  # noqa: PLR0913 - one call stores all a tracker found; grouping would only rename the arguments
    connection: Connection,
    video_id: int,
    result: TrackingResult,
    shots: Sequence[Shot],
    frames: Sequence[tuple[int, float]],
    frame_size: tuple[int, int],
    frame_interval_s: float,
    exact_boxes: Mapping[int, Boxes] | None = None,
) -> dict[int, int]:
    """Replace everything tracklet-shaped of a video.

    Args:
        connection: inside a write transaction, foreign keys on. The record of finished stages is cleared too, but for
            speech and sound; record the tracking stage after this call.
        video_id: row of `base_videos`.
        result: tracklets, links and crops.
        shots: in time order; may be empty.
        frames: (frame index, time) of every frame on which boxes were looked for.
        frame_size: (width, height).
        frame_interval_s: the time one box stands for.
        exact_boxes: (N, 4) float64 boxes by tracklet number, where the source gave more than float32 holds.

    Returns:
        `base_tracklets.id` by tracklet number.

    Raises:
        ShapeError: if a number occurs twice, or exact boxes do not fit their tracklet.
    """
    tracklets = result.tracklets
    if len({t.number for t in tracklets}) != len(tracklets):
        raise ShapeError("tracklet numbers must be unique inside a video")
    _delete_tracking(connection, video_id)
    _insert(connection, schema.SHOTS, [_shot_row(video_id, i + 1, shot) for i, shot in enumerate(shots)])
    _insert(connection, schema.FRAMES, [{"video_id": video_id, "frame": f, "t": t} for f, t in _one_per_time(frames)])
    scene = _scene(frame_size, frame_interval_s, [f for f, _ in frames], shots)
    boxes = [boxes_of(t, (exact_boxes or {}).get(t.number)) for t in tracklets]
    ids = _insert_tracklets(connection, video_id, result, boxes, scene)
    for tracklet, own in zip(tracklets, boxes, strict=True):
        _insert(connection, schema.BOXES, _box_rows(ids[tracklet.number], tracklet, own))
    gaps = [_gap_row(ids[t.number], gap) for t in tracklets for gap in t.gaps]
    _insert(connection, schema.GAPS, gaps)
    links = [
        {"first_id": ids[link.first], "second_id": ids[link.second], "probability": link.probability}
        for link in result.links
    ]
    _insert(connection, schema.LINKS, links)
    _write_relations(connection, video_id, tracklets, boxes, [ids[t.number] for t in tracklets], frame_interval_s)
    for number, crops in result.crops.items():
        if number in ids:
            _insert(connection, schema.PICTURES, [crop_row(video_id, ids[number], crop) for crop in crops])
    return ids


def refresh_geometry(connection: Connection, video_id: int, frame_interval_s: float | None = None) -> None:
    """Compute geometric columns, pairs and peaks of a video anew from its stored boxes, gaps, frames and shots.

    Tracklets without a box are deleted: an edit that moved their boxes away leaves nothing to describe.

    Args:
        connection: inside a write transaction.
        video_id: row of `base_videos`.
        frame_interval_s: the time one box stands for; by default what the stored tracklets were written with.

    Raises:
        NothingFoundError: if there is no such video.
    """
    size = connection.execute(
        select(schema.VIDEOS.c.width, schema.VIDEOS.c.height).where(schema.VIDEOS.c.id == video_id)
    ).one_or_none()
    if size is None:
        raise NothingFoundError(f"no video with key {video_id} in this library")
    frames = connection.execute(
        select(schema.FRAMES.c.frame, schema.FRAMES.c.t).where(schema.FRAMES.c.video_id == video_id)
    ).all()
    interval = frame_interval_s or _stored_interval(connection, video_id, [t for _, t in frames])
    shots = [
        Shot(row.start_s, row.end_s)
        for row in connection.execute(select(schema.SHOTS).where(schema.SHOTS.c.video_id == video_id))
    ]
    scene = _scene((size.width, size.height), interval, [frame for frame, _ in frames], shots)
    ids, tracklets, boxes = _load(connection, video_id)
    best = _best_crop_times(connection, video_id)
    rows = [
        {"b_id": key, **_geometry_row(tracklet, own, scene, best.get(key))}
        for key, tracklet, own in zip(ids, tracklets, boxes, strict=True)
    ]
    if rows:
        connection.execute(update(schema.TRACKLETS).where(schema.TRACKLETS.c.id == bindparam("b_id")), rows)
    _delete_relations(connection, video_id)
    _write_relations(connection, video_id, tracklets, boxes, ids, interval)


def _scene(size: tuple[int, int], interval_s: float, frames: Sequence[int], shots: Sequence[Shot]) -> Scene:
    first, last = (min(frames), max(frames)) if frames else (None, None)
    return Scene(size[0], size[1], interval_s, first, last, tuple(shots))


def _insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows that all have the same keys, in the driver's own executemany where it takes positions."""
    if not rows:
        return
    compiled = insert(table).compile(dialect=connection.dialect, column_keys=list(rows[0]))
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        if compiled.positiontup is None:
            connection.execute(insert(table), chunk)
        else:
            pick = itemgetter(*compiled.positiontup)
            connection.exec_driver_sql(str(compiled), [pick(row) for row in chunk])


def _row_of(value: TrackletGeometry | PairGeometry | Peak) -> dict[str, object]:
    """Columns of a flat value; `dataclasses.asdict` copies deeply, which costs more than the geometry itself."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _one_per_time(frames: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Broken files repeat timestamps; the table holds one frame per time, the first."""
    by_time: dict[float, int] = {}
    for frame, t in frames:
        by_time.setdefault(float(t), int(frame))
    return [(frame, t) for t, frame in by_time.items()]


def _delete_tracking(connection: Connection, video_id: int) -> None:
    for table in (schema.SHOTS, schema.FRAMES, schema.PEAKS, schema.TRACKLETS):
        connection.execute(delete(table).where(table.c.video_id == video_id))
    runs = schema.ANNOTATOR_RUNS.c
    stale = delete(schema.ANNOTATOR_RUNS).where(runs.video_id == video_id, runs.annotator.not_in(INDEPENDENT_STAGES))
    connection.execute(stale)


def _shot_row(video_id: int, number: int, shot: Shot) -> dict[str, object]:
    return {"video_id": video_id, "number": number, "start_s": shot.start_s, "end_s": shot.end_s}


def _gap_row(key: int, gap: Gap) -> dict[str, object]:
    values = {"start_s": gap.start_s, "end_s": gap.end_s, "kind": gap.kind, "probability": gap.probability}
    return {"tracklet_id": key, **values}


def _geometry_row(tracklet: Tracklet, boxes: Boxes, scene: Scene, best_crop_s: float | None) -> dict[str, object]:
    row: dict[str, object] = _row_of(tracklet_geometry(tracklet, scene, boxes))
    if best_crop_s is not None:  # the moment people are shown must be the picture that was kept
        row["best_t"] = best_crop_s
    return row


def _insert_tracklets(
    connection: Connection, video_id: int, result: TrackingResult, boxes: Sequence[Boxes], scene: Scene
) -> dict[int, int]:
    rows = []
    for tracklet, own in zip(result.tracklets, boxes, strict=True):
        crops = result.crops.get(tracklet.number, ())
        best = max(crops, key=lambda crop: crop.quality).time_s if crops else None
        named = {
            "video_id": video_id,
            "number": tracklet.number,
            "category": tracklet.category,
            "category_score": float(tracklet.category_score),
        }
        rows.append({**named, **_geometry_row(tracklet, own, scene, best)})
    if not rows:
        return {}
    statement = insert(schema.TRACKLETS).returning(schema.TRACKLETS.c.number, schema.TRACKLETS.c.id)
    return {int(row.number): int(row.id) for row in connection.execute(statement, rows)}


def _box_rows(key: int, tracklet: Tracklet, boxes: Boxes) -> list[dict[str, object]]:
    columns = zip(
        tracklet.frames.tolist(),
        tracklet.times_s.tolist(),
        boxes.tolist(),
        tracklet.scores.tolist(),
        tracklet.detected.tolist(),
        strict=True,
    )
    return [
        {"tracklet_id": key, "frame": f, "t": t, "x1": x1, "y1": y1, "x2": x2, "y2": y2, "score": s, "detected": int(d)}
        for f, t, (x1, y1, x2, y2), s, d in columns
    ]


def _delete_relations(connection: Connection, video_id: int) -> None:
    own = select(schema.TRACKLETS.c.id).where(schema.TRACKLETS.c.video_id == video_id)
    connection.execute(delete(schema.PAIRS).where(schema.PAIRS.c.first_id.in_(own)))
    connection.execute(delete(schema.PEAKS).where(schema.PEAKS.c.video_id == video_id))


def _write_relations(
    connection: Connection,
    video_id: int,
    tracklets: Sequence[Tracklet],
    boxes: Sequence[Boxes],
    ids: Sequence[int],
    interval_s: float,
) -> None:
    """Pairs and peaks. `ids` are the keys of `tracklets`, in their order."""
    pairs = []
    for pair in pair_geometry(tracklets, boxes, interval_s):
        places = sorted((pair.first, pair.second), key=lambda place: ids[place])
        row = _row_of(pair)
        del row["first"], row["second"]
        row["video_id"] = video_id
        for side, place in zip(("first", "second"), places, strict=True):
            row |= {f"{side}_id": ids[place], f"{side}_number": tracklets[place].number}
            row[f"{side}_category"] = tracklets[place].category
        pairs.append(row)
    _insert(connection, schema.PAIRS, pairs)
    peaks = [{"video_id": video_id, **_row_of(peak)} for peak in peaks_of(tracklets)]
    _insert(connection, schema.PEAKS, peaks)


def _stored_interval(connection: Connection, video_id: int, times: Sequence[float]) -> float:
    """The frame interval most tracklets were written with; else the median step between looked-at frames."""
    table = schema.TRACKLETS.c
    ratios = connection.execute(
        select(table.visible_s / table.n_boxes).where(table.video_id == video_id, table.n_boxes > 0)
    ).scalars()
    # Two intervals that differ in the last bits are one.
    common = Counter(float(f"{ratio:.12g}") for ratio in ratios if ratio > 0).most_common(1)
    if common:
        return common[0][0]
    steps = np.diff(np.sort(np.asarray(times, dtype=np.float64)))
    steps = steps[steps > 0]
    return float(np.median(steps)) if len(steps) else 1.0


def _best_crop_times(connection: Connection, video_id: int) -> dict[int, float]:
    """Time of the best kept crop per tracklet key."""
    pictures = schema.PICTURES.c
    rows = connection.execute(
        select(pictures.tracklet_id, pictures.t, func.max(pictures.quality))
        .where(pictures.video_id == video_id, pictures.kind == "crop", pictures.tracklet_id.is_not(None))
        .group_by(pictures.tracklet_id)
    )
    return {int(row[0]): float(row[1]) for row in rows}


def _load(connection: Connection, video_id: int) -> tuple[list[int], list[Tracklet], list[Boxes]]:
    """Tracklets of a video as values, in order of their key, with their exact boxes; deletes those without a box."""
    by_key: dict[int, list[tuple[float, ...]]] = defaultdict(list)
    b, k = schema.BOXES.c, schema.TRACKLETS.c
    for row in connection.execute(
        select(b.tracklet_id, b.frame, b.t, b.x1, b.y1, b.x2, b.y2, b.score, b.detected)
        .join_from(schema.BOXES, schema.TRACKLETS, k.id == b.tracklet_id)
        .where(k.video_id == video_id)
        .order_by(b.tracklet_id, b.frame)
    ):
        by_key[row[0]].append(tuple(row[1:]))
    gaps: dict[int, list[Gap]] = defaultdict(list)
    g = schema.GAPS.c
    for row in connection.execute(
        select(schema.GAPS)
        .join_from(schema.GAPS, schema.TRACKLETS, k.id == g.tracklet_id)
        .where(k.video_id == video_id)
        .order_by(g.start_s)
    ):
        gaps[row.tracklet_id].append(Gap(row.start_s, row.end_s, row.kind, row.probability))
    ids, tracklets, boxes = [], [], []
    described = connection.execute(
        select(k.id, k.number, k.category, k.category_score).where(k.video_id == video_id).order_by(k.id)
    ).all()
    for key, number, category, score in described:
        if key not in by_key:
            connection.execute(delete(schema.TRACKLETS).where(k.id == key))
            continue
        rows = np.array(by_key[key], dtype=np.float64)
        ids.append(key)
        boxes.append(rows[:, 2:6])
        tracklets.append(_tracklet(number, category, score, rows, tuple(gaps[key])))
    return ids, tracklets, boxes


def _tracklet(number: int, category: str, score: float, rows: NDArray[np.float64], gaps: tuple[Gap, ...]) -> Tracklet:
    """A tracklet from rows of (frame, t, x1, y1, x2, y2, score, detected)."""
    return Tracklet(
        number=number,
        category=category,
        category_score=score,
        frames=rows[:, 0].astype(np.int64),
        times_s=rows[:, 1],
        boxes_xyxy_px=rows[:, 2:6].astype(np.float32),
        scores=rows[:, 6].astype(np.float32),
        detected=rows[:, 7] > 0,
        gaps=gaps,
    )
