"""Shared by the tracking benchmarks: readers of the ground-truth folder, and what every result file must say."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onlooker.types import Detections

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
RESULTS = Path(__file__).resolve().parent / "results"


def machine() -> dict[str, object]:
    """The machine and the versions, without anything that names it or its paths."""
    packages = ("numpy", "scipy", "trackeval", "trackers", "opencv-python-headless", "av")
    found = {}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return {
        "cpu_count": os.cpu_count(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": found,
    }


def fingerprint(paths: Iterable[Path]) -> str:
    """One sha256 over the contents of files in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def write_result(name: str, result: Mapping[str, object]) -> None:
    """Write `benchmarks/results/<name>.json`."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(result, indent=1, sort_keys=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


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


def rounded(value: Mapping[str, object] | Sequence[object] | object, digits: int = 3) -> object:
    """The same value with floats rounded, for result files that people read."""
    if isinstance(value, float):
        return round(value, digits)
    if isinstance(value, Mapping):
        return {key: rounded(item, digits) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item, digits) for item in value]
    return value
