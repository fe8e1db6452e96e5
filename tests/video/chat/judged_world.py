"""A library with stored judgements: `news` (one minute) and `clean` were judged, `plain` was not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from small_library import add_peaks, add_tracklet, add_video, insert

from onlooker.video.reasons import NO_FACE, NOT_A_PERSON
from onlooker.video.store.store import Store

# number, category, from, to, what the tracklet is called, then probability by second or why it was not judged
NEWS = (
    (1, "person", 0, 60, {}, lambda t: 0.9 if t >= 40 else 0.1),
    (2, "person", 0, 60, {"color": "red", "upper_color": "red"}, lambda t: 0.2),
    (3, "person", 0, 28, {"label": "Anna"}, lambda t: 0.8),
    (4, "person", 20, 48, {}, NO_FACE),
    (5, "car", 0, 60, {}, NOT_A_PERSON),
    (6, "dog", 30, 34, {}, NOT_A_PERSON),
)
CLEAN = ((1, "person", 0, 12, {}, lambda t: 0.1), (2, "person", 0, 12, {}, lambda t: 0.7 if t == 4 else 0.2))
JUDGE, TESTED_ON = "scripted@own+1234abcd", "400 drawn faces (experimental)"


def judge_video(connection: sqlite3.Connection, video: int, threshold: float = 0.5) -> None:
    insert(
        connection, "base_judges", video_id=video, judge=JUDGE, finder="drawn-faces@1", need="face",
        threshold=threshold, tested_on=TESTED_ON,
    )  # fmt: skip


def _fill(connection: sqlite3.Connection, name: str, duration_s: float, rows, judged: bool = True) -> None:
    video = add_video(connection, name)
    connection.execute("UPDATE base_videos SET duration_s = ? WHERE id = ?", (duration_s, video))
    for number, category, start, end, more, told in rows:
        key = add_tracklet(connection, video, number, category, float(start), float(end), **more)
        moments = range(start, end + 1, 4) if callable(told) else (start,)
        for t in moments if judged else ():
            insert(
                connection, "base_judgements", video_id=video, tracklet_id=key, frame=t * 25, t=float(t),
                probability=told(t) if callable(told) else None, reason=None if callable(told) else told,
                x1=10.0 + t, y1=20.0, x2=90.0 + t, y2=100.0,
            )  # fmt: skip
    if judged:
        judge_video(connection, video)
    for frame in range(0, int(duration_s * 25) + 1, 5):
        insert(connection, "base_frames", video_id=video, t=frame / 25, frame=frame)


def make_world(folder: Path) -> Path:
    """A filled library file, closed."""
    path = folder / "judged.onlooker"
    Store.open(path, create=True).close()
    connection = sqlite3.connect(path)
    with connection:
        _fill(connection, "news", 60.0, NEWS)
        _fill(connection, "clean", 12.0, CLEAN)
        _fill(connection, "plain", 12.0, CLEAN, judged=False)
        add_peaks(connection)
    connection.close()
    return path
