"""Ground-truth boxes of the shared clips, read the way the official questions were derived from them.

The question sets in this folder name a clip as "pack/clip". `load` gives its oracle tracks, `official` its verified
questions; the scripts beside this file compute every answer they write from these two.
"""

from __future__ import annotations

import csv
import json
import sqlite3
from collections import defaultdict
from configparser import ConfigParser
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
FPS_MOT15 = 25.0
FPS_KITTI = 10.0
FPS_MOT17 = 30.0


@dataclass(frozen=True)
class Track:
    """One oracle track: `boxes` are (frame from 1, x1, y1, x2, y2) in pixels, times are in seconds."""

    id: int
    category: str
    boxes: tuple[tuple[int, float, float, float, float], ...]
    fps: float

    @property
    def start(self) -> float:
        """Time of the first box."""
        return (self.boxes[0][0] - 1) / self.fps

    @property
    def end(self) -> float:
        """Time of the last box."""
        return (self.boxes[-1][0] - 1) / self.fps

    @property
    def duration(self) -> float:
        """Visible seconds: gaps are not counted."""
        return len(self.boxes) / self.fps

    @property
    def centres(self) -> list[tuple[float, float]]:
        """Box centres in time order, pixels."""
        return [((b[1] + b[3]) / 2, (b[2] + b[4]) / 2) for b in self.boxes]

    @property
    def speed(self) -> float:
        """Summed centre path over visible time, px/s."""
        c = self.centres
        path = sum(((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) ** 0.5 for a, b in pairwise(c))
        return float(path / max((len(c) - 1) / self.fps, 1e-9))

    @property
    def mean_area(self) -> float:
        """Mean box area, square pixels."""
        return sum((b[3] - b[1]) * (b[4] - b[2]) for b in self.boxes) / len(self.boxes)

    def box_at(self, frame: int) -> list[float] | None:
        """[x1, y1, x2, y2] on a frame, None when there is no box on it."""
        return next(([float(v) for v in b[1:]] for b in self.boxes if b[0] == frame), None)


def paths(source: str) -> tuple[Path, Path]:
    """Ground-truth file and official question file of a clip.

    Raises ValueError for a pack that is not known.
    """
    pack, clip = source.split("/")
    if pack == "davis-composites":
        return DATA / pack / clip / "gt/gt.txt", DATA / pack / clip / "qa.json"
    if pack == "kitti-tracking-boxes":
        return DATA / pack / "mot" / f"{clip}.txt", DATA / pack / "mot" / f"qa-{clip}.json"
    if pack == "mot15-boxes":
        return DATA / pack / "gt" / f"{clip}.txt", DATA / pack / f"qa-{clip}.json"
    if pack == "mot17-mini":
        return DATA / pack / "train" / clip / "gt/gt.txt", DATA / pack / f"qa-{clip}.json"
    raise ValueError(f"unknown pack in {source!r}")


def _rate_and_categories(source: str) -> tuple[float, dict[str, str] | None]:
    """Frame rate and category by track id; None when every track is a person."""
    gt, _ = paths(source)
    if source.startswith("mot15"):
        return FPS_MOT15, None
    if source.startswith("mot17"):
        info = ConfigParser()
        info.read(gt.parents[1] / "seqinfo.ini")
        return info.getfloat("Sequence", "frameRate", fallback=FPS_MOT17), None
    names = gt.parents[1] / "tracks.json" if source.startswith("davis") else gt.with_suffix(".json")
    table = json.loads(names.read_text())
    return float(table.get("fps", FPS_KITTI)), table["categories"]


def load(source: str) -> dict[int, Track]:
    """Oracle tracks of a clip by id; ignored rows and, in MOT17, classes other than the pedestrian are left out."""
    fps, categories = _rate_and_categories(source)
    rows: dict[int, list[tuple[int, float, float, float, float]]] = defaultdict(list)
    with paths(source)[0].open() as handle:
        for r in csv.reader(handle):
            if float(r[6]) == 0 or (source.startswith("mot17") and int(float(r[7])) != 1):
                continue
            x, y, w, h = map(float, r[2:6])
            rows[int(float(r[1]))].append((int(float(r[0])), x, y, x + w, y + h))
    return {
        i: Track(i, categories[str(i)] if categories else "person", tuple(sorted(boxes)), fps)
        for i, boxes in rows.items()
    }


def official(source: str) -> list[dict[str, Any]]:
    """The verified official questions of a clip."""
    items: list[dict[str, Any]] = json.loads(paths(source)[1].read_text())
    return items


def database(tracks: dict[int, Track]) -> sqlite3.Connection:
    """The same tracks as two SQL tables, for a second, independent computation of an answer."""
    con = sqlite3.connect(":memory:")
    con.execute("create table tracklets(id, category, t_start, t_end, duration, n_frames, speed)")
    con.execute("create table boxes(tracklet_id, frame, t, x1, y1, x2, y2)")
    for t in tracks.values():
        row = (t.id, t.category, t.start, t.end, t.duration, len(t.boxes), t.speed)
        con.execute("insert into tracklets values(?,?,?,?,?,?,?)", row)
        boxes = [(t.id, b[0], (b[0] - 1) / t.fps, *b[1:]) for b in t.boxes]
        con.executemany("insert into boxes values(?,?,?,?,?,?,?)", boxes)
    return con


def read_lines(name: str) -> list[dict[str, Any]]:
    """Items of a .jsonl file of this folder."""
    return [json.loads(line) for line in (Path(__file__).parent / name).read_text().splitlines()]


def write_lines(name: str, items: list[dict[str, Any]]) -> None:
    """Write items as a .jsonl file of this folder."""
    (Path(__file__).parent / name).write_text("".join(json.dumps(item) + "\n" for item in items))
