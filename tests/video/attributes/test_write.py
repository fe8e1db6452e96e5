"""What a tracking result leaves in the library, and that derived rows computed anew are the same."""

from __future__ import annotations

import numpy as np
import pytest
from attribute_worlds import INTERVAL_S, SIZE, make_library, make_result, make_track
from sqlalchemy import delete, func, select, text, update

from onlooker.errors import NothingFoundError, ShapeError
from onlooker.types import Shot, TrackingResult
from onlooker.video.attributes.write import refresh_geometry, write_tracking
from onlooker.video.store import schema

TABLES = (
    schema.SHOTS,
    schema.FRAMES,
    schema.TRACKLETS,
    schema.BOXES,
    schema.GAPS,
    schema.LINKS,
    schema.PAIRS,
    schema.PEAKS,
)


def counts(connection):
    return {
        t.name: connection.execute(select(func.count()).select_from(t)).scalar() for t in (*TABLES, schema.PICTURES)
    }


def snapshot(connection):
    return {t.name: connection.execute(select(t)).all() for t in (schema.TRACKLETS, schema.PAIRS, schema.PEAKS)}


EXPECTED = {
    "base_shots": 1,
    "base_frames": 40,
    "base_tracklets": 2,
    "base_boxes": 50,
    "base_gaps": 1,
    "base_links": 1,
    "base_pairs": 1,
    "base_peaks": 3,
    "base_pictures": 5,  # three crops, two keyframes
}


def test_everything_of_a_result_is_stored(library):
    store, _, ids = library
    assert set(ids) == {1, 2}
    with store.read() as connection:
        assert counts(connection) == EXPECTED
        row = connection.execute(select(schema.TRACKLETS).where(schema.TRACKLETS.c.number == 1)).mappings().one()
    assert (row["path_px"], row["speed_px_s"], row["n_boxes"], row["identity"]) == pytest.approx((152, 80, 20, 0.5))
    assert row["best_t"] == pytest.approx(0.3)  # the moment of the best crop, not of the largest box
    assert (row["enters_from"], row["direction"]) == ("start", "right")


def test_writing_twice_replaces_and_leaves_other_videos_alone(library):
    store, video_id, _ = library
    from attribute_worlds import add_video

    with store.write() as connection:
        other = add_video(connection, "other.mp4")
        write_tracking(connection, other, make_result(), [Shot(0, 4)], [(0, 0.0)], SIZE, INTERVAL_S)
        before = counts(connection)
        write_tracking(connection, video_id, make_result(), [Shot(0, 4)], [(i, i / 10) for i in range(40)], SIZE, 0.1)
        assert counts(connection) == before
        empty = TrackingResult((), (), {}, 0)
        assert write_tracking(connection, video_id, empty, [], [], SIZE, INTERVAL_S) == {}
        left = connection.execute(select(schema.TRACKLETS.c.video_id).distinct()).scalars().all()
        assert left == [other]


def test_refresh_after_no_edit_changes_nothing(library):
    store, video_id, _ = library
    with store.write() as connection:
        before = snapshot(connection)
        refresh_geometry(connection, video_id)
        assert snapshot(connection) == before


def test_refresh_follows_an_edit_and_drops_tracklets_without_boxes(library):
    store, video_id, ids = library
    with store.write() as connection:
        connection.execute(delete(schema.BOXES).where(schema.BOXES.c.tracklet_id == ids[2]))
        connection.execute(delete(schema.BOXES).where(schema.BOXES.c.tracklet_id == ids[1], schema.BOXES.c.frame >= 10))
        connection.execute(
            update(schema.TRACKLETS).where(schema.TRACKLETS.c.id == ids[1]).values(category="bus", color="red")
        )
        refresh_geometry(connection, video_id)
        row = connection.execute(select(schema.TRACKLETS)).mappings().one()
        assert (row["path_px"], row["visible_s"], row["t_end"]) == pytest.approx((72, 1.0, 0.9))
        assert row["color"] == "red"  # what annotators said stays
        peaks = connection.execute(
            select(schema.PEAKS.c.category, schema.PEAKS.c.n_tracklets).order_by(text("1"))
        ).all()
        assert peaks == [("", 1), ("bus", 1)]
        assert connection.execute(select(func.count()).select_from(schema.PAIRS)).scalar() == 0


def test_refresh_of_an_unknown_video_says_so(library):
    with library[0].write() as connection, pytest.raises(NothingFoundError, match="no video with key 99"):
        refresh_geometry(connection, 99)


def test_exact_boxes_reach_the_database_unrounded(tmp_path):
    store, video_id, _ = make_library(tmp_path)
    exact = np.array([[0.1, 0.2, 10.3, 20.7]])
    result = TrackingResult((make_track(7, "cat", exact),), (), {}, 0)
    with store.write() as connection:
        write_tracking(connection, video_id, result, [], [(0, 0.0)], SIZE, INTERVAL_S, exact_boxes={7: exact})
        row = connection.execute(select(schema.BOXES)).mappings().one()
    store.close()
    assert [row[c] for c in ("x1", "y1", "x2", "y2")] == [0.1, 0.2, 10.3, 20.7]


def test_a_number_used_twice_is_refused(library):
    store, video_id, _ = library
    twin = make_track(1, "car", [[0, 0, 9, 9]])
    with store.write() as connection, pytest.raises(ShapeError, match="must be unique"):
        write_tracking(connection, video_id, TrackingResult((twin, twin), (), {}, 0), [], [], SIZE, INTERVAL_S)


def test_repeated_timestamps_of_a_broken_file_are_survived(library):
    store, video_id, _ = library
    with store.write() as connection:
        write_tracking(connection, video_id, make_result(), [], [(0, 0.0), (1, 0.1), (2, 0.1)], SIZE, INTERVAL_S)
        assert connection.execute(select(schema.FRAMES.c.frame)).scalars().all() == [0, 1]


def test_hundreds_of_objects_are_written_in_seconds(tmp_path):
    store, video_id, _ = make_library(tmp_path)
    rng = np.random.default_rng(0)
    tracks = []
    for number in range(1, 301):
        corner = rng.uniform(0, 200, 2) + np.cumsum(rng.normal(0, 1, (60, 2)), 0)
        tracks.append(
            make_track(number, "bird", np.concatenate([corner, corner + 10], 1), first=int(rng.integers(0, 500)))
        )
    import time

    started = time.perf_counter()
    with store.write() as connection:
        result = TrackingResult(tuple(tracks), (), {}, 0)
        write_tracking(connection, video_id, result, [], [(i, i / 10) for i in range(560)], SIZE, INTERVAL_S)
    store.close()
    assert time.perf_counter() - started < 20
