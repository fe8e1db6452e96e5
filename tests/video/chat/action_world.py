"""A library with stored actions, and a second video in which nobody looked for any."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from small_library import add_peaks, add_tracklet, add_video, insert

from onlooker.video.store.store import Store

# video, number, category, from, to, then actions as (name, score, from, to)
PARK = (
    (1, "person", 0.0, 4.0, (("running", 0.9, 0.0, 2.0), ("running", 0.7, 2.0, 4.0), ("waving hand", 0.4, 2.0, 4.0))),
    (2, "person", 0.0, 4.0, (("eating burger", 0.8, 0.0, 4.0),)),
    (3, "person", 1.0, 4.0, (("waving hand", 0.6, 3.0, 4.0), ("swing dancing", 0.5, 1.0, 3.0))),
    (4, "dog", 0.0, 4.0, (("jumping", 0.8, 2.5, 4.0),)),
    (5, "dog", 0.0, 2.0, (("running", 0.6, 0.0, 2.0), ("jumping", 0.3, 0.0, 2.0))),
    (6, "car", 0.0, 4.0, ()),
)


def make_world(folder: Path) -> Path:
    """A filled library file, closed: `park` with actions, `road` without."""
    path = folder / "actions.onlooker"
    Store.open(path, create=True).close()
    connection = sqlite3.connect(path)
    with connection:
        park = add_video(connection, "park")
        for number, category, start, end, actions in PARK:
            key = add_tracklet(connection, park, number, category, start, end, color="red" if number == 1 else "blue")
            for name, score, since, until in actions:
                insert(
                    connection, "base_attributes", video_id=park, tracklet_id=key, name="action", value=name,
                    score=score, start_s=since, end_s=until, annotator="actions",
                )  # fmt: skip
        road = add_video(connection, "road")
        add_tracklet(connection, road, 1, "person", 0.0, 4.0, motion="stands still")
        for video in (park, road):
            for frame in range(101):
                insert(connection, "base_frames", video_id=video, t=frame / 25, frame=frame)
        add_peaks(connection)
    connection.close()
    return path
