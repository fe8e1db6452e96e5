"""Two small videos of a shop and a garden: clothes, a bag, vehicles, words, sounds, a gap without people, a cut."""

from __future__ import annotations

import itertools
from pathlib import Path

from sqlalchemy import Connection, insert
from street_world import track

from onlooker.types import Shot, TrackingResult, Tracklet
from onlooker.video.attributes.write import write_tracking
from onlooker.video.store import Store, schema

# Person 1 (red, blue) crosses to the right; person 2 (green, black) stands, away from 8 s to 10 s; person 3 (blue,
# grey) walks left until the end. Car 6 (white) is parked, car 7 (red) drives left while truck 8 drives right.
SHOP = (
    track(1, "person", (0, 6), ((0, 200, 40, 300), (600, 200, 640, 300))),
    track(2, "person", (3, 15), ((450, 150, 490, 280), (450, 150, 490, 280)), (8, 10)),
    track(3, "person", (12, 20), ((610, 180, 640, 260), (20, 180, 50, 260))),
    track(4, "backpack", (5, 18), ((300, 280, 330, 320), (300, 280, 330, 320))),
    track(5, "dog", (7, 11), ((0, 300, 60, 340), (580, 300, 640, 340))),
    track(6, "car", (0, 20), ((250, 10, 330, 50), (250, 10, 330, 50))),
    track(7, "car", (14, 17), ((560, 60, 640, 110), (0, 60, 80, 110))),
    track(8, "truck", (16, 19), ((0, 20, 150, 120), (490, 20, 640, 120))),
    track(9, "bicycle", (13, 16), ((100, 290, 150, 340), (100, 100, 150, 150))),
)
SHOP_LOOKS = {
    1: {"color": "red", "upper_color": "red", "lower_color": "blue"},
    2: {"color": "green", "upper_color": "green", "lower_color": "black"},
    3: {"color": "blue", "upper_color": "blue", "lower_color": "grey"},
    4: {"color": "black"}, 5: {"color": "brown"}, 6: {"color": "white"}, 7: {"color": "red"}, 8: {"color": "white"},
    9: {"color": "yellow"},
}  # fmt: skip
GARDEN = (
    track(1, "bird", (2, 4), ((300, 50, 320, 70), (500, 20, 520, 40))),
    track(2, "bird", (6, 9), ((100, 60, 120, 80), (0, 10, 20, 30))),
    track(3, "cat", (3, 12), ((500, 200, 560, 240), (200, 200, 260, 240))),
    track(4, "person", (5, 10), ((0, 100, 50, 300), (200, 100, 250, 300))),
    track(5, "bird", (11, 12), ((400, 90, 420, 110), (430, 90, 450, 110))),
)
GARDEN_LOOKS = {1: {"color": "black"}, 2: {"color": "white"}, 3: {"color": "orange"}, 5: {"color": "black"}}
SPEECH = ((4.0, 5.5, "Can I help you"), (9.0, 11.0, "That will be five dollars"), (17.0, 18.0, "Thank you goodbye"))
SIGNS = ((0.0, 20.0, "OPEN", 10), (6.0, 12.0, "SALE 50", 500))
SOUNDS = ((0.0, 5.0, "sound"), (5.0, 7.0, "silence"), (7.0, 9.0, "loud"), (9.0, 20.0, "sound"))


def _put(
    connection: Connection, name: str, tracks: tuple[Tracklet, ...], looks: dict[int, dict[str, str]], has_audio: int,
    duration_s: float, cuts: tuple[float, ...],
) -> int:  # fmt: skip
    n_frames = int(duration_s * 10)
    result = connection.execute(
        insert(schema.VIDEOS).values(
            name=name, path=f"/films/{name}", sha256=name, source="video", status="ready", width=640, height=360,
            fps=10.0, n_frames=n_frames, duration_s=duration_s, decoded_until_s=duration_s, has_audio=has_audio,
            rotation_deg=0, codec="h264", created_at="2026-01-01T00:00:00",
        )
    )  # fmt: skip
    key = result.inserted_primary_key
    assert key is not None
    video = int(key[0])
    shots = [Shot(a, b) for a, b in itertools.pairwise((0.0, *cuts, duration_s))]
    frames = tuple((i, i / 10) for i in range(n_frames))
    keys = write_tracking(connection, video, TrackingResult(tracks, (), {}, 1), shots, frames, (640, 360), 0.1)
    for number, look in looks.items():
        connection.execute(schema.TRACKLETS.update().where(schema.TRACKLETS.c.id == keys[number]).values(**look))
    return video


def make_world(path: Path) -> Path:
    """The library file with the videos `shop.mp4` (20.1 s) and `garden.mp4` (12.1 s, no audio)."""
    with Store.open(path) as store, store.write() as connection:
        shop = _put(connection, "shop.mp4", SHOP, SHOP_LOOKS, 1, 20.1, ())
        for start, end, text in SPEECH:
            connection.execute(
                insert(schema.SPEECH).values(video_id=shop, start_s=start, end_s=end, text=text, confidence=0.8)
            )
        for start, end, text, x in SIGNS:
            connection.execute(
                insert(schema.SCREEN_TEXT).values(
                    video_id=shop, start_s=start, end_s=end, text=text, score=0.9, x1=x, y1=10, x2=x + 60, y2=40
                )
            )
        for start, end, label in SOUNDS:
            connection.execute(
                insert(schema.SOUNDS).values(
                    video_id=shop, start_s=start, end_s=end, label=label, score=1.0, level_db=-20.0
                )
            )
        _put(connection, "garden.mp4", GARDEN, GARDEN_LOOKS, 0, 12.1, (5.0,))
    return path
