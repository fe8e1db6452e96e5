"""What counts in a tracking benchmark: the preprocessing rules of MOTChallenge and KITTI on plain arrays.

MOT17: a tracker box that found a distractor (person on a vehicle, static person, distractor, reflection) is taken out
without harm, and only pedestrians marked for evaluation are truths. KITTI: boxes that found a neighbouring class, a
heavily occluded or truncated object are taken out, and so are unmatched ones that are small or lie in an ignore region.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onlooker.evaluation.tracking import Array, FrameBoxes, matched_pairs

MOT17_PEDESTRIAN = 1
MOT17_DISTRACTORS = frozenset({2, 7, 8, 12})
KITTI_NEIGHBOURS = {"Car": frozenset({"Van"}), "Pedestrian": frozenset({"Person_sitting", "Person"})}
_KITTI_MAX_OCCLUSION = 2
_KITTI_MAX_TRUNCATION = 0
_KITTI_MIN_HEIGHT_PX = 25


@dataclass(frozen=True, slots=True)
class KittiTruth:
    """Labels of one KITTI frame for the class being scored and its neighbours, (N,) each.

    `own_class` tells them apart; `ignore_xyxy` (M, 4) are the DontCare regions.
    """

    boxes: FrameBoxes
    own_class: NDArray[np.bool_]
    occlusion: NDArray[np.int64]
    truncation: NDArray[np.int64]
    ignore_xyxy: Array


def apply_mot17_rules(
    truth: FrameBoxes, classes: NDArray[np.int64], considered: NDArray[np.bool_], tracked: FrameBoxes
) -> tuple[FrameBoxes, FrameBoxes]:
    """Truth and tracker boxes of one frame that count; `classes`, `considered` (N,): columns 8 and 7 of gt.txt."""
    keep = np.ones(len(tracked.ids), bool)
    rows, columns = matched_pairs(truth.boxes_xyxy, tracked.boxes_xyxy)
    keep[columns[np.isin(classes[rows], list(MOT17_DISTRACTORS))]] = False
    return truth.select((classes == MOT17_PEDESTRIAN) & considered), tracked.select(keep)


def apply_kitti_rules(truth: KittiTruth, tracked: FrameBoxes) -> tuple[FrameBoxes, FrameBoxes]:
    """Truth and tracker boxes of one frame that count for the class of `truth`."""
    keep = np.ones(len(tracked.ids), bool)
    hard = (truth.occlusion > _KITTI_MAX_OCCLUSION) | (truth.truncation > _KITTI_MAX_TRUNCATION)
    rows, columns = matched_pairs(truth.boxes.boxes_xyxy, tracked.boxes_xyxy)
    keep[columns[hard[rows] | ~truth.own_class[rows]]] = False
    free = np.setdiff1d(np.arange(len(tracked.ids)), columns)
    boxes = tracked.boxes_xyxy[free]
    small = boxes[:, 3] - boxes[:, 1] <= _KITTI_MIN_HEIGHT_PX
    keep[free[small | _mostly_inside(boxes, truth.ignore_xyxy)]] = False
    return truth.boxes.select(truth.own_class & ~hard), tracked.select(keep)


def kitti_truth(rows: Collection[tuple[str, ...]], category: str) -> KittiTruth:
    """Labels of one frame from the columns of a KITTI label file (frame, id, type, truncated, occluded, ...)."""
    wanted = [r for r in rows if r[2] == category or r[2] in KITTI_NEIGHBOURS.get(category, frozenset())]
    ignored = [r for r in rows if r[2] == "DontCare"]
    return KittiTruth(
        FrameBoxes(np.array([int(r[1]) for r in wanted], np.int64), _corners(wanted)),
        np.array([r[2] == category for r in wanted], bool),
        np.array([int(float(r[4])) for r in wanted], np.int64),
        np.array([int(float(r[3])) for r in wanted], np.int64),
        _corners(ignored),
    )


def _corners(rows: Collection[tuple[str, ...]]) -> Array:
    return np.array([[float(v) for v in r[6:10]] for r in rows], np.float64).reshape(-1, 4)


def _mostly_inside(boxes: Array, regions: Array) -> NDArray[np.bool_]:
    low = np.maximum(boxes[:, None, :2], regions[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], regions[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    own = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)[:, None]
    share = np.divide(shared, own, out=np.zeros_like(shared), where=own > 0)
    result: NDArray[np.bool_] = (share > 0.5 + np.finfo(float).eps).any(axis=1)
    return result
