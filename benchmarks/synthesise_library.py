"""Makes a large library to measure speed with: by default 1,000 videos, 100,000 tracklets, 5 million boxes.

    python benchmarks/synthesise_library.py large.onlooker [--videos 1000] [--tracklets 100] [--boxes 51] [--seed 0]

Everything goes through the package's own writers, so that rows are consistent with each other: geometry, pairs and
peaks are computed from the boxes. Names, colours, words and paths are drawn from seeded distributions with a long tail.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from onlooker.types import Gap, Shot, TrackingResult, Tracklet, VideoInfo
from onlooker.video.attributes.write import write_tracking
from onlooker.video.store import Store
from onlooker.video.store.stages import StageRun, record_stage
from onlooker.video.store.videos import add_video, set_status

# Most frequent first; a category's share falls with its place (Zipf).
CATEGORIES = """
person car bicycle dog truck chair bus motorcycle bird cat traffic_light backpack handbag boat bench umbrella horse cow
sheep train bottle cup laptop tv stop_sign skateboard surfboard sports_ball kite frisbee suitcase book clock vase couch
potted_plant bed dining_table elephant giraffe zebra bear airplane fire_hydrant parking_meter tie
""".split()  # noqa: SIM905 - forty quoted names are harder to read
COLORS = "black white grey blue red brown green yellow orange silver beige pink purple".split()  # noqa: SIM905
TAGS = "street park kitchen crowd sport traffic night indoor water snow stage market office".split()  # noqa: SIM905
WORDS = """
the we you and now look here over there please wait turn left right stop go careful train bus station ticket open close
door window water coffee market price today tomorrow morning meeting number seven eleven red blue green
""".split()  # noqa: SIM905
SIGNS = "STOP EXIT OPEN CLOSED TAXI BUS HOTEL CAFE PARKING POLICE SALE METRO 42 7A GATE PLATFORM".split()  # noqa: SIM905
SOUNDS = ("silence", "quiet", "sound", "loud", "speech")
SIZE = (1280, 720)
FPS = 10.0


@dataclass(frozen=True)
class Amount:
    """How much to make. `boxes` is the mean per tracklet."""

    videos: int
    tracklets: int
    boxes: int
    n_frames: int = 600


def make_tracklet(rng: np.random.Generator, number: int, amount: Amount) -> Tracklet:
    """A smooth path with jitter; one in seven tracklets is hidden for a while."""
    n = int(np.clip(rng.gamma(4.0, amount.boxes / 4.0), 2, amount.n_frames * 0.8))
    hidden = int(rng.integers(3, 30)) if rng.random() < 1 / 7 and n > 4 else 0
    start = int(rng.integers(0, max(1, amount.n_frames - n - hidden)))
    cut = int(rng.integers(1, n)) if hidden else n
    frames = start + np.arange(n) + hidden * (np.arange(n) >= cut)
    category = CATEGORIES[min(int(rng.zipf(1.6)) - 1, len(CATEGORIES) - 1)].replace("_", " ")
    width, height = rng.uniform(20, 260, 2)
    centre = rng.uniform((0, 0), SIZE) + np.outer(frames - start, rng.normal(0, 4, 2)) + rng.normal(0, 1.5, (n, 2))
    half = np.array([width, height]) / 2
    boxes = np.clip(np.hstack([centre - half, centre + half]), (0, 0, 4, 4), (1276, 716, *SIZE))
    boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 4)
    times = frames / FPS
    gaps = (Gap(times[cut - 1], times[cut], "occlusion", float(rng.uniform(0.5, 1))),) if hidden else ()
    return Tracklet(
        number=number,
        category=category,
        category_score=float(rng.uniform(0.4, 1)),
        frames=frames.astype(np.int64),
        times_s=times,
        boxes_xyxy_px=boxes.astype(np.float32),
        scores=rng.uniform(0.3, 1, n).astype(np.float32),
        detected=rng.random(n) < 0.3,
        gaps=gaps,
    )


def write_attributes(
    connection: Connection, rng: np.random.Generator, video: int, result: TrackingResult, ids: dict[int, int]
) -> None:
    """Colours in columns and rows, and two tags a tracklet."""
    rows, colors = [], []
    for tracklet in result.tracklets:
        key = ids[tracklet.number]
        color, upper, lower = (COLORS[min(int(i) - 1, len(COLORS) - 1)] for i in rng.zipf(1.5, 3))
        person = tracklet.category == "person"
        colors.append((color, upper if person else None, lower if person else None, key))
        named = [("color", color)] + ([("upper_color", upper), ("lower_color", lower)] if person else [])
        named += [("tag", str(tag)) for tag in rng.choice(TAGS, 2, replace=False)]
        rows += [(video, key, name, value, float(rng.uniform(0.3, 1)), "synthetic") for name, value in named]
    update = "UPDATE base_tracklets SET color = ?, upper_color = ?, lower_color = ? WHERE id = ?"
    connection.exec_driver_sql(update, colors)
    columns = "video_id, tracklet_id, name, value, score, annotator"
    connection.exec_driver_sql(f"INSERT INTO base_attributes ({columns}) VALUES (?, ?, ?, ?, ?, ?)", rows)


def write_sound_and_text(connection: Connection, rng: np.random.Generator, video: int, duration_s: float) -> None:
    """Twenty sentences, five signs and ten stretches of sound a video."""
    said = np.sort(rng.uniform(0, duration_s - 3, 20))
    speech = [(video, t, t + 2.5, " ".join(rng.choice(WORDS, 8)), float(rng.uniform(0.5, 1))) for t in said.tolist()]
    connection.exec_driver_sql(
        "INSERT INTO base_speech (video_id, start_s, end_s, text, confidence) VALUES (?, ?, ?, ?, ?)", speech
    )
    signs = [
        (video, t, t + 4.0, str(rng.choice(SIGNS)), 0.9, 10.0, 10.0, 90.0, 40.0)
        for t in rng.uniform(0, duration_s - 4, 5).tolist()
    ]
    connection.exec_driver_sql(
        "INSERT INTO base_screen_text (video_id, start_s, end_s, text, score, x1, y1, x2, y2)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        signs,
    )
    step = duration_s / 10
    sounds = [(video, i * step, (i + 1) * step, SOUNDS[i % 5], 1.0, -60.0 + 10 * (i % 5)) for i in range(10)]
    connection.exec_driver_sql(
        "INSERT INTO base_sounds (video_id, start_s, end_s, label, score, level_db) VALUES (?, ?, ?, ?, ?, ?)", sounds
    )


def write_video(store: Store, number: int, amount: Amount, seed: int) -> int:
    """One video in one transaction; its content depends on `seed` and `number` alone. Returns its boxes."""
    rng = np.random.default_rng([seed, number])
    tracklets = tuple(make_tracklet(rng, i + 1, amount) for i in range(amount.tracklets))
    result = TrackingResult(tracklets, links=(), crops={}, n_detector_runs=0)
    duration_s = amount.n_frames / FPS
    name = f"camera-{number % 40:02d}-{number:04d}.mp4"
    info = VideoInfo(f"/videos/{name}", *SIZE, FPS, duration_s, amount.n_frames, True, "h264", "mp4", "yuv420p")
    frames = [(i, i / FPS) for i in range(amount.n_frames)]
    cuts = [0.0, *np.sort(rng.uniform(1, duration_s - 1, 4)).tolist(), duration_s]
    shots = [Shot(start, end) for start, end in itertools.pairwise(cuts)]
    with store.write() as connection:
        video = add_video(connection, info, f"synthetic-{seed}-{number}", name, "video")
        ids = write_tracking(connection, video, result, shots, frames, SIZE, 1 / FPS)
        write_attributes(connection, rng, video, result, ids)
        write_sound_and_text(connection, rng, video, duration_s)
        record_stage(connection, video, StageRun("synthetic", "1", len(tracklets), 0.0))
        set_status(connection, video, "ready", decoded_until_s=duration_s)
    return sum(len(tracklet) for tracklet in tracklets)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--videos", type=int, default=1000)
    parser.add_argument("--tracklets", type=int, default=100, help="per video")
    parser.add_argument("--boxes", type=int, default=51, help="mean per tracklet")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.path.exists():
        parser.error(f"{arguments.path} exists already")
    amount = Amount(arguments.videos, arguments.tracklets, arguments.boxes)
    started, n_boxes = time.perf_counter(), 0
    with Store.open(arguments.path) as store:
        for number in range(amount.videos):
            n_boxes += write_video(store, number, amount, arguments.seed)
            if number % 50 == 49:
                print(f"{number + 1} videos, {time.perf_counter() - started:.0f} s", file=sys.stderr)
    made = {"videos": amount.videos, "tracklets": amount.videos * amount.tracklets, "boxes": n_boxes}
    made |= {"seconds": round(time.perf_counter() - started, 1), "bytes": arguments.path.stat().st_size}
    print(json.dumps(made | {"seed": arguments.seed}))


if __name__ == "__main__":
    main()
