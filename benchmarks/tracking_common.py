"""Shared by the tracking benchmarks: readers of the ground-truth folder, and what every result file must say."""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import common
from common import RESULTS as RESULTS
from common import rounded as rounded
from common import write_result as write_result
from onlooker.types import Detections

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def machine() -> dict[str, object]:
    """The machine and the versions of what tracking depends on."""
    return common.machine(("numpy", "scipy", "trackeval", "trackers", "opencv-python-headless", "av"))


def fingerprint(paths: Iterable[Path]) -> str:
    """One sha256 over the contents of files in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


class Part(NamedTuple):
    """One part of a result file: how it is measured, and the files of data it depends on."""

    measure: Callable[[], Mapping[str, object]]
    files: Callable[[], Iterable[Path]]


def measure_parts(
    name: str,
    head: Mapping[str, object],
    parts: Mapping[str, Part],
    asked: Iterable[str],
    summarise: Callable[[Mapping[str, object]], Mapping[str, object]] = dict,
) -> None:
    """Measure the parts that `benchmarks/results/<name>.json` lacks, whose data changed, or that are `asked` for.

    What is done is kept after every part in `<name>.partial.json`, and a run that was cut off goes on there; the
    result file is written when all parts are there, whole, as `summarise` makes it of them.
    """
    path, partial, again = RESULTS / f"{name}.json", RESULTS / f"{name}.partial.json", set(asked)
    kept = next((file for file in (partial, path) if file.is_file()), None)
    result = {} if kept is None else json.loads(kept.read_text(encoding="utf-8"))
    for part, (measure, files) in parts.items():
        data = fingerprint(files())
        if result.get(part, {}).get("data_sha256") == data and part not in again:
            print(f"{part}: is there")
            continue
        began, used = time.perf_counter(), time.process_time()
        found = measure()
        spent = {"seconds": time.perf_counter() - began, "processor_s": time.process_time() - used}
        result[part] = rounded({"data_sha256": data, **spent, "found": found})
        write_result(partial.stem, result)
        print(f"{part}: {spent['seconds']:.0f} s", flush=True)
    done = {part: result[part] for part in parts}
    write_result(name, {**head, "machine": machine(), **rounded(summarise(done))})  # type: ignore[dict-item]
    partial.unlink(missing_ok=True)


def read_rows(path: Path) -> NDArray[np.float64]:
    """A comma separated table of numbers; an empty file is a table without rows."""
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    return np.array([[float(v) for v in line.split(",")] for line in lines], np.float64)


def mot_detections(path: Path, n_frames: int, label: str) -> list[Detections]:
    """A MOTChallenge det.txt with scores in [0, 1], one value per frame."""
    rows = read_rows(path)
    result = []
    for frame in range(1, n_frames + 1):
        here = rows[rows[:, 0] == frame]
        boxes = np.concatenate([here[:, 2:4], here[:, 2:4] + here[:, 4:6]], axis=1)
        result.append(_detections(boxes, here[:, 6], label))
    return result


# PointRCNN scores are open-ended; these operating points were published with the boxes (AB3DMOT) and become 0.5.
KITTI_OPERATING_POINT = {"car": 3.24, "pedestrian": 2.68}


def kitti_detections(path: Path, n_frames: int, label: str) -> list[Detections]:
    """PointRCNN boxes of one class; scores become probabilities, 0.5 at the published operating point."""
    rows = read_rows(path)
    result = []
    for frame in range(n_frames):
        here = rows[rows[:, 0] == frame] if len(rows) else np.zeros((0, 15))
        scores = 1 / (1 + np.exp(KITTI_OPERATING_POINT[label] - here[:, 6]))
        result.append(_detections(here[:, 2:6], scores, label))
    return result


def kitti_labels(path: Path) -> tuple[dict[int, list[tuple[str, ...]]], int]:
    """Rows of a KITTI label file by frame, and the number of frames."""
    by_frame: dict[int, list[tuple[str, ...]]] = defaultdict(list)
    for line in path.read_text().splitlines():
        row = tuple(line.split())
        by_frame[int(row[0])].append(row)
    return by_frame, max(by_frame) + 1


def _detections(boxes: NDArray[np.float64], scores: NDArray[np.float64], label: str) -> Detections:
    return Detections(boxes.astype(np.float32), scores.astype(np.float32), (label,) * len(boxes))
