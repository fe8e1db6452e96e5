"""Simple trackers on the real sequences at hand: what a network's table has to beat.

    python benchmarks/tracking_baselines.py [--again] [PART ...]

Writes benchmarks/results/tracking_baselines.json part by part; a part that is there is measured again only when named,
or when its data changed. Every frame of every sequence at hand counts; one thread, about two minutes in all.
"""

from __future__ import annotations

import argparse
import time

import cv2
import numpy as np

from onlooker.evaluation.baselines import copy_first_mask, correlate_template, keep_box, link_boxes, propagate_by_flow
from onlooker.evaluation.single_object import BoxTrack, score_single_object
from onlooker.evaluation.tracking import FrameBoxes, Sequence2D, score_sequences
from onlooker.evaluation.video_objects import ObjectScores, mean_objects, score_video_objects
from onlooker.formats import mot
from real_sequences import (
    LEAST_SCORE,
    crowd_files,
    crowds,
    followed_files,
    followed_videos,
    masked_files,
    masked_videos,
)
from tracking_common import DATA, Part, measure_parts

KITTI_LEAST_SCORE = 3.24  # of the sheet
KITTI_SEQUENCES = ("0001", "0006", "0011", "0014", "0018", "0020")  # of the sheet
MASK_METHODS = ("copy", "dis", "farneback")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", choices=[[], *PARTS], help="measured even if it is there")
    parser.add_argument("--again", action="store_true", help="measure every part again")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    head = {"what": __doc__.splitlines()[0], "seed": None, "limits": "every frame of every sequence at hand; 1 thread"}
    measure_parts("tracking_baselines", head, PARTS, PARTS if asked.again else asked.part)


def video_objects() -> dict[str, object]:
    """J and F of the first mask carried on."""
    scores: dict[str, dict[str, ObjectScores]] = {method: {} for method in MASK_METHODS}
    seconds, n_frames, held_out = dict.fromkeys(MASK_METHODS, 0.0), 0, []
    for video in masked_videos():
        n_frames += len(video.frames)
        held_out += [video.name] if video.held_out else []
        for method in MASK_METHODS:
            began = time.process_time()
            if method == "copy":
                found = copy_first_mask(video.labels[0], len(video.labels))
            else:
                found = propagate_by_flow(video.frames, video.labels[0], "dis" if method == "dis" else "farneback")
            seconds[method] += time.process_time() - began
            scores[method][video.name] = score_video_objects(found, video.labels, one_object=True)[1]
    made: dict[str, object] = {"sequences": list(scores["copy"]), "held_out": held_out, "n_frames": n_frames}
    for method, each in scores.items():
        parts = {"all": mean_objects(each.values()), "held out": mean_objects(each[name] for name in held_out)}
        made[method] = {
            **{part: {"J": s.j.mean, "F": s.f.mean, "J&F": s.j_and_f} for part, s in parts.items()},
            "processor_ms_per_frame": 1000 * seconds[method] / n_frames,
            "each": {name: s.j_and_f for name, s in each.items()},
        }
    return made


def single_objects() -> dict[str, object]:
    """Success and precision of the first box kept, and of the first look searched for."""
    made: dict[str, object] = {}
    for video in followed_videos():
        x1, y1, x2, y2 = video.truth.boxes_xyxy[0].tolist()
        began = time.process_time()
        followed = correlate_template(video.frames, (x1, y1, x2, y2))
        spent = {"processor_ms_per_frame": 1000 * (time.process_time() - began) / len(video.frames)}
        made[video.name] = {
            "n_frames": len(video.frames),
            "first box kept": _single(keep_box((x1, y1, x2, y2), len(video.truth)), video.truth),
            "correlation": _single(followed, video.truth) | spent,
        }
    return made


def _single(found: BoxTrack, truth: BoxTrack) -> dict[str, float]:
    scores = score_single_object(found, truth)
    return {"success_auc": scores.success_auc, "precision_20px": scores.precision_20px}


def linked_people() -> dict[str, object]:
    """Public detections of people linked by overlap: TUD of MOT15."""
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


def linked_crowds() -> dict[str, object]:
    """Public detections of MOT17-mini linked by overlap, all clips together."""
    sequences = []
    for crowd in crowds():
        boxes = [found.boxes_xyxy_px[found.scores >= LEAST_SCORE].astype(np.float64) for found in crowd.public]
        sequences.append(crowd.scored(link_boxes(boxes)))
    return _linked(sequences)


def linked_cars() -> dict[str, object]:
    """Cars and vans of KITTI as the sheet counts them: no rules for what is ignored."""
    sequences = []
    for name in KITTI_SEQUENCES:
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
    return {
        "n_frames": sum(len(s.truth) for s in sequences),
        "HOTA": scores.hota,
        "MOTA": scores.mota,
        "IDF1": scores.idf1,
        "id_switches": scores.id_switches,
        "count_error": scores.count_error,
    }


def _corners(boxes: list) -> np.ndarray:
    return np.array(boxes, np.float64).reshape(-1, 4)


def _kitti_files() -> list:
    folders = ("gt_label_02", "pointrcnn_Car_val")
    return [DATA / "kitti-tracking-boxes" / folder / f"{name}.txt" for folder in folders for name in KITTI_SEQUENCES]


PARTS = {
    "video_objects": Part(video_objects, masked_files),
    "single_object": Part(single_objects, followed_files),
    "people": Part(linked_people, lambda: (DATA / "mot15-boxes").glob("*/TUD*.txt")),
    "crowds": Part(linked_crowds, crowd_files),
    "cars": Part(linked_cars, _kitti_files),
}

if __name__ == "__main__":
    main()
