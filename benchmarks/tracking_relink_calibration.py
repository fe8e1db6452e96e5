"""Fit and check the probability that two pieces of track are one object.

Pieces come from the tracker itself on public detections (KITTI cars and pedestrians, MOT15), each named by the true
object it follows most. Every pair the tracker would consider is one sample. Fitted on KITTI sequences of even number,
checked on odd ones and on MOT15: log loss, and how often joins of a stated probability are right (reliability table).
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from onlooker.evaluation.tracking import matched_pairs
from onlooker.video.tracklets.association import Associator, Fragment
from onlooker.video.tracklets.config import TrackletConfig
from onlooker.video.tracklets.relink import SHOT_WEIGHTS, candidate_pairs, ends_of, join_features
from tracking_common import DATA, fingerprint, machine, rounded, write_result
from tracking_public_detections import Scene, kitti_scenes, mot15_scenes

# The appearance weight is not fitted here (there are no pictures) and the label one only sees one class at a time.
FITTED = 4


def pieces(scene: Scene, config: TrackletConfig, every: int) -> list[Fragment]:
    """Pieces of track of one scene with the detector run on every n-th frame only."""
    associator = Associator(config)
    for i in range(0, len(scene.detections), every):
        associator.step(i / scene.fps, scene.detections[i])
    return [f for f in associator.finish() if len(f) >= 2 and f.scores.max() >= config.life.minimum_best_score]


def owner(scene: Scene, fragment: Fragment) -> int | None:
    """The true object that most boxes of a piece follow, if they are more than half of them."""
    votes: Counter[int] = Counter()
    for time_s, box in zip(fragment.times_s, fragment.boxes_xyxy, strict=True):
        t = round(float(time_s) * scene.fps)
        truth = scene.kitti[t].boxes if scene.kitti else scene.truth[t]
        rows, _ = matched_pairs(truth.boxes_xyxy, box[None])
        votes.update(truth.ids[rows].tolist())
    best = votes.most_common(1)
    return best[0][0] if best and best[0][1] > len(fragment) / 2 else None


def samples(scenes: Sequence[Scene], config: TrackletConfig) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Features and truth of every pair of pieces that could be joined."""
    features, same = [], []
    for scene in scenes:
        for every in (1, 3):
            found = [(f, owner(scene, f)) for f in pieces(scene, config, every)]
            known = [(f, who) for f, who in found if who is not None]
            if not known:
                continue
            ends, starts = ends_of([f for f, _ in known])
            first, second = candidate_pairs(ends, starts, config.relink)
            features.append(join_features(ends.select(first), starts.select(second), config.relink.neutral_cosine))
            who = np.array([who for _, who in known])
            same.append(who[first] == who[second])
    return np.concatenate(features), np.concatenate(same)


def fit(features: NDArray[np.float64], same: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Bias and weights by maximum likelihood with a small ridge."""
    x = np.concatenate([np.ones((len(features), 1)), features[:, : FITTED - 1]], axis=1)

    def loss(w: NDArray[np.float64]) -> float:
        z = x @ w
        return float(np.sum(np.logaddexp(0, z) - same * z) + 0.01 * np.sum(w[1:] ** 2))

    return np.asarray(minimize(loss, np.zeros(FITTED), method="BFGS").x)


def reliability(probability: NDArray[np.float64], same: NDArray[np.bool_]) -> list[dict[str, float]]:
    """Mean probability and share of true pairs in ten bins."""
    rows: dict[int, list[int]] = defaultdict(list)
    for i, p in enumerate(probability):
        rows[min(int(p * 10), 9)].append(i)
    return [
        {"stated": float(probability[r].mean()), "true": float(same[r].mean()), "pairs": len(r)}
        for _, r in sorted(rows.items())
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    warnings.simplefilter("ignore")
    config = TrackletConfig()
    config = replace(config, life=replace(config.life, patience_s=0.4, patience_runs=1))
    kitti = [*kitti_scenes("Car"), *kitti_scenes("Pedestrian")]
    sets = {
        "fit": [s for s in kitti if int(s.name) % 2 == 0],
        "kitti-odd": [s for s in kitti if int(s.name) % 2 == 1],
        "mot15": mot15_scenes(),
    }
    data = {name: samples(scenes, config) for name, scenes in sets.items()}
    weights = fit(*data["fit"])
    checks = {}
    for name, (features, same) in data.items():
        used = SHOT_WEIGHTS.probability(features)
        fresh = 1 / (1 + np.exp(-(weights[0] + features[:, : FITTED - 1] @ weights[1:])))
        checks[name] = {
            "pairs": len(same),
            "true_pairs": int(same.sum()),
            "log_loss_used": log_loss(used, same),
            "log_loss_fitted": log_loss(fresh, same),
            "reliability_used": reliability(used, same),
        }
    result = {
        "what": __doc__,
        "seed": 0,
        "machine": machine(),
        "data_sha256": fingerprint((DATA / "kitti-tracking-boxes").rglob("0*.txt")),
        "fitted": dict(zip(("bias", "distance", "growth", "time"), weights.tolist(), strict=True)),
        "used": {name: getattr(SHOT_WEIGHTS, name) for name in ("bias", "distance", "growth", "time")},
        "checks": checks,
    }
    print(rounded(result["fitted"], 2), rounded(checks, 3))
    write_result("tracking_relink_calibration", rounded(result))


def log_loss(probability: NDArray[np.float64], same: NDArray[np.bool_]) -> float:
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    return float(-np.mean(np.where(same, np.log(p), np.log(1 - p))))


if __name__ == "__main__":
    main()
