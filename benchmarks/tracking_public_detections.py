"""Association alone: ours and ByteTrack (package `trackers`) on the very same public detections.

MOT15 (TUD-Campus, TUD-Stadtmitte; Faster R-CNN boxes) and KITTI (21 sequences; PointRCNN boxes; cars, pedestrians),
scored by trackeval. ByteTrack runs at the true frame rate with several settings around its documented defaults, and its
best setting PER DATASET is the one compared with; ours runs with one and the same default setting everywhere.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from onlooker.evaluation.tracking import (
    FrameBoxes,
    Sequence2D,
    TrackingScores,
    rows_to_frames,
    score_sequences,
    tracklets_to_frames,
)
from onlooker.evaluation.tracking_rules import KittiTruth, apply_kitti_rules, kitti_truth
from onlooker.types import Detections
from onlooker.video.tracklets import TrackletConfig, associate
from tracking_common import (
    DATA,
    fingerprint,
    kitti_detections,
    kitti_labels,
    machine,
    mot_detections,
    read_rows,
    rounded,
    write_result,
)

TrackFunction = Callable[["Scene"], tuple[FrameBoxes, ...]]


@dataclass(frozen=True)
class Scene:
    """One sequence of one class with its detections and either plain truth or KITTI truth."""

    name: str
    detections: tuple[Detections, ...]
    size: tuple[int, int]
    fps: float
    truth: tuple[FrameBoxes, ...] = ()
    kitti: tuple[KittiTruth, ...] = ()

    def scored(self, tracked: tuple[FrameBoxes, ...]) -> Sequence2D:
        """The sequence ready for scoring, benchmark rules applied."""
        if not self.kitti:
            return Sequence2D(self.name, self.truth, tracked, 1 / self.fps)
        pairs = [apply_kitti_rules(k, t) for k, t in zip(self.kitti, tracked, strict=True)]
        return Sequence2D(self.name, tuple(a for a, _ in pairs), tuple(b for _, b in pairs), 1 / self.fps)


def mot15_scenes() -> list[Scene]:
    scenes = []
    for name in ("TUD-Campus", "TUD-Stadtmitte"):
        truth = read_rows(DATA / "mot15-boxes" / "gt" / f"{name}.txt")
        n = int(truth[:, 0].max())
        found = mot_detections(DATA / "mot15-boxes" / "det" / f"{name}.txt", n, "person")
        scenes.append(Scene(name, tuple(found), (640, 480), 25.0, truth=rows_to_frames(truth, n)))
    return scenes


def kitti_scenes(category: str) -> list[Scene]:
    root = DATA / "kitti-tracking-boxes"
    scenes = []
    for path in sorted((root / "gt_label_02").glob("*.txt")):
        labels, n = kitti_labels(path)
        found = kitti_detections(root / f"pointrcnn_{category}_val" / path.name, n, category.lower())
        truth = tuple(kitti_truth(labels.get(t, []), category) for t in range(n))
        scenes.append(Scene(path.stem, tuple(found), (1242, 375), 10.0, kitti=truth))
    return scenes


def ours(config: TrackletConfig) -> TrackFunction:
    def run(scene: Scene) -> tuple[FrameBoxes, ...]:
        times = [i / scene.fps for i in range(len(scene.detections))]
        result = associate(scene.detections, times, scene.size, config)
        return tracklets_to_frames(result.tracklets, len(scene.detections))

    return run


def bytetrack(activation: float, high: float, iou: float, consecutive: int) -> TrackFunction:
    def run(scene: Scene) -> tuple[FrameBoxes, ...]:
        import supervision as sv
        from trackers import ByteTrackTracker

        tracker = ByteTrackTracker(
            lost_track_buffer=30,
            frame_rate=scene.fps,
            track_activation_threshold=activation,
            minimum_consecutive_frames=consecutive,
            minimum_iou_threshold=iou,
            high_conf_det_threshold=high,
        )
        frames = []
        for found in scene.detections:
            given = sv.Detections(xyxy=found.boxes_xyxy_px, confidence=found.scores, class_id=np.zeros(len(found), int))
            out = tracker.update(given)
            ids = np.asarray(out.tracker_id if out.tracker_id is not None else [], np.int64)
            keep = ids >= 0
            frames.append(FrameBoxes(ids[keep], np.asarray(out.xyxy, np.float64)[keep].reshape(-1, 4)))
        return tuple(frames)

    return run


def evaluate(scenes: Sequence[Scene], run: TrackFunction) -> tuple[TrackingScores, dict[str, TrackingScores]]:
    return score_sequences([scene.scored(run(scene)) for scene in scenes])


def best_bytetrack(scenes: Sequence[Scene]) -> dict[str, object]:
    """Every setting tried, and the best by the sum of HOTA and IDF1."""
    tried = []
    for activation, high, iou, consecutive in itertools.product((0.25, 0.5, 0.7), (0.5, 0.6), (0.1, 0.2), (1, 2)):
        setting = {"activation": activation, "high": high, "iou": iou, "consecutive": consecutive}
        together, each = evaluate(scenes, bytetrack(activation, high, iou, consecutive))
        tried.append({"setting": setting, "all": dataclasses.asdict(together), "each": each})
    best = max(tried, key=lambda t: t["all"]["hota"] + t["all"]["idf1"])
    overview = [{**t["setting"], "hota": t["all"]["hota"], "idf1": t["all"]["idf1"]} for t in tried]
    each = {name: dataclasses.asdict(scores) for name, scores in best["each"].items()}
    return {"best_setting": best["setting"], "all": best["all"], "sequences": each, "tried": overview}


def verdict(result: dict[str, object], names: Sequence[str]) -> dict[str, dict[str, object]]:
    """Per data set, by how many points ours is ahead of ByteTrack's best setting."""
    table: dict[str, dict[str, object]] = {}
    for name in names:
        ours_all, theirs = result[name]["ours"]["all"], result[name]["bytetrack"]["all"]
        ahead = {metric: ours_all[metric] - theirs[metric] for metric in ("hota", "idf1")}
        table[name] = {**ahead, "bar_met": min(ahead.values()) >= 0}
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ours-only", action="store_true", help="print our scores and write nothing")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    datasets = {
        "mot15": mot15_scenes(),
        "kitti-car": kitti_scenes("Car"),
        "kitti-pedestrian": kitti_scenes("Pedestrian"),
    }
    config = TrackletConfig()
    result: dict[str, object] = {
        "what": __doc__,
        "seed": 0,
        "machine": machine(),
        "data_sha256": fingerprint(
            [*(DATA / "mot15-boxes").rglob("TUD*.txt"), *(DATA / "kitti-tracking-boxes").rglob("0*.txt")]
        ),
        "our_config": dataclasses.asdict(config),
    }
    for name, scenes in datasets.items():
        together, each = evaluate(scenes, ours(config))
        print(name, "ours", rounded(dataclasses.asdict(together), 2))
        if arguments.ours_only:
            continue
        baseline = best_bytetrack(scenes)
        print(name, "bytetrack", baseline["best_setting"], rounded(baseline["all"], 2))
        result[name] = {
            "ours": {
                "all": dataclasses.asdict(together),
                "sequences": {k: dataclasses.asdict(v) for k, v in each.items()},
            },
            "bytetrack": baseline,
        }
    if not arguments.ours_only:
        result["at_least_equal"] = verdict(result, list(datasets))
        print(result["at_least_equal"])
        write_result("tracking_public_detections", rounded(result))


if __name__ == "__main__":
    main()
