"""Simple trackers on the real sequences at hand: what a network's table has to beat. `python tracking_baselines.py`."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from PIL import Image

from common import machine, rounded, write_result
from onlooker.evaluation.baselines import copy_first_mask, correlate_template, keep_box, link_boxes, propagate_by_flow
from onlooker.evaluation.single_object import BoxTrack, score_single_object
from onlooker.evaluation.tracking import FrameBoxes, Sequence2D, score_sequences
from onlooker.evaluation.video_objects import ObjectScores, mean_objects, score_video_objects
from onlooker.formats import davis, mot, single_object
from onlooker.synth.masked_clips import TEST_SEQUENCES

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
LEAST_SCORE = 0.7  # of a public detection
KITTI_LEAST_SCORE = 3.24  # of the sheet


def main() -> None:
    result = {
        "machine": machine(["numpy", "opencv-python-headless", "trackeval"]),
        "video_objects": video_objects(),
        "single_object": single_objects(),
        "boxes": {**linked_people(), "kitti cars": linked_cars()},
    }
    write_result("tracking_baselines", rounded(result))


def video_objects() -> dict[str, object]:
    root = DATA / "davis2016-val-240p"
    methods = ("copy", "dis", "farneback")
    scores: dict[str, dict[str, ObjectScores]] = {method: {} for method in methods}
    seconds, n_frames = dict.fromkeys(methods, 0.0), 0
    for name, folder in davis.sequence_folders(root).items():
        truth = davis.read_sequence(folder).labels
        frames = [np.asarray(Image.open(f)) for f in sorted((root / "JPEGImages" / name).glob("*.jpg"))]
        n_frames += len(frames)
        for method in methods:
            began = time.perf_counter()
            if method == "copy":
                found = copy_first_mask(truth[0], len(truth))
            else:
                found = propagate_by_flow(frames, truth[0], "dis" if method == "dis" else "farneback")
            seconds[method] += time.perf_counter() - began
            scores[method][name] = score_video_objects(found, truth, one_object=True)[1]
    made: dict[str, object] = {"sequences": sorted(scores["copy"]), "n_frames": n_frames}
    for method, each in scores.items():
        held_out = [score for name, score in each.items() if name in TEST_SEQUENCES]
        parts = {"all": mean_objects(each.values()), "held out": mean_objects(held_out)}
        made[method] = {
            **{part: {"J": s.j.mean, "F": s.f.mean, "J&F": s.j_and_f} for part, s in parts.items()},
            "ms_per_frame": 1000 * seconds[method] / n_frames,
        }
    return made


def single_objects() -> dict[str, object]:
    made: dict[str, object] = {}
    for name, file in single_object.sequence_files(DATA / "sot-otb-vot").items():
        if file.name not in single_object.TRUTH_NAMES:
            continue
        truth = single_object.read_boxes(file)
        pictures = sorted(file.parent.glob("img*/*.jpg"))[: len(truth)]
        x1, y1, x2, y2 = truth.boxes_xyxy[0].tolist()
        frames = [np.asarray(Image.open(f).convert("RGB")) for f in pictures]
        began = time.perf_counter()
        followed = correlate_template(frames, (x1, y1, x2, y2))
        spent = time.perf_counter() - began
        made[name] = {
            "first box kept": _single(keep_box((x1, y1, x2, y2), len(truth)), truth),
            "correlation": _single(followed, truth) | {"ms_per_frame": 1000 * spent / len(frames)},
        }
    return made


def _single(found: BoxTrack, truth: BoxTrack) -> dict[str, float]:
    scores = score_single_object(found, truth)
    return {"success_auc": scores.success_auc, "precision_20px": scores.precision_20px}


def linked_people() -> dict[str, object]:
    made: dict[str, object] = {}
    root = DATA / "mot15-boxes"
    for file in sorted((root / "gt").glob("*.txt")):
        rows = list(mot.iterate_rows(file))
        n_frames = max(row.frame for row in rows)
        found = mot.iterate_rows(root / "det" / file.name, detections=True)
        sure = [row for row in found if (row.confidence or 0) >= LEAST_SCORE]
        boxes = [_corners([row.box_xyxy for row in sure if row.frame == t]) for t in range(1, n_frames + 1)]
        truth = []
        for t in range(1, n_frames + 1):
            here = [row for row in rows if row.frame == t]
            numbers = np.array([row.number for row in here], np.int64)
            truth.append(FrameBoxes(numbers, _corners([row.box_xyxy for row in here])))
        made[file.stem] = _linked([Sequence2D(file.stem, tuple(truth), link_boxes(boxes), 0.04)])
    return made


def linked_cars() -> dict[str, object]:
    """Cars and vans of KITTI as the sheet counts them: no rules for what is ignored."""
    sequences = []
    for name in ("0001", "0006", "0011", "0014", "0018", "0020"):
        lines = (DATA / "kitti-tracking-boxes" / "gt_label_02" / f"{name}.txt").read_text().splitlines()
        labels = [row for row in map(str.split, lines) if row[2] in ("Car", "Van")]
        text = (DATA / "kitti-tracking-boxes" / "pointrcnn_Car_val" / f"{name}.txt").read_text().split()
        found = np.array([[float(v) for v in line.split(",")] for line in text])
        found = found[found[:, 6] >= KITTI_LEAST_SCORE]
        n_frames = max(int(found[:, 0].max()), *(int(row[0]) for row in labels)) + 1
        truth = []
        for t in range(n_frames):
            here = [row for row in labels if int(row[0]) == t]
            corners = _corners([[float(v) for v in row[6:10]] for row in here])
            truth.append(FrameBoxes(np.array([int(row[1]) for row in here], np.int64), corners))
        boxes = [found[found[:, 0] == t, 2:6] for t in range(n_frames)]
        sequences.append(Sequence2D(name, tuple(truth), link_boxes(boxes), 0.1))
    return _linked(sequences)


def _linked(sequences: list[Sequence2D]) -> dict[str, object]:
    scores, _ = score_sequences(sequences)
    return {"HOTA": scores.hota, "MOTA": scores.mota, "IDF1": scores.idf1, "id_switches": scores.id_switches}


def _corners(boxes: list) -> np.ndarray:
    return np.array(boxes, np.float64).reshape(-1, 4)


if __name__ == "__main__":
    main()
