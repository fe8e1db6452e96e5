"""Multi-object tracking scores: HOTA, MOTA, IDF1, id switches, count error. The sums are done by `trackeval`.

Inputs are plain arrays, one `FrameBoxes` per frame for truth and for the tracker. The rules of a benchmark (which
tracker boxes are forgiven, which truths do not count) are in `tracking_rules` and come first; `score_sequences` then
calls the reference implementation. What is not a box (masks: `mask_tracking`) comes as overlaps, to
`score_overlaps`. Percentages are in [0, 100].
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from onlooker.errors import MissingExtraError, ShapeError
from onlooker.types import Tracklet

if TYPE_CHECKING:
    from types import ModuleType

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]
# The overlap at which a tracker box counts as having found a truth, in every benchmark used here.
_FOUND_IOU = 0.5


@dataclass(frozen=True, slots=True)
class FrameBoxes:
    """Objects in one frame: `ids` (N,) unique, `boxes_xyxy` (N, 4)."""

    ids: IntArray
    boxes_xyxy: Array

    def __post_init__(self) -> None:
        if self.boxes_xyxy.shape != (len(self.ids), 4):
            raise ShapeError(f"expected boxes ({len(self.ids)}, 4), got {self.boxes_xyxy.shape}")
        if len(np.unique(self.ids)) != len(self.ids):
            raise ShapeError("an id stands twice in one frame")

    @classmethod
    def empty(cls) -> FrameBoxes:
        return cls(np.zeros(0, np.int64), np.zeros((0, 4)))

    def select(self, keep: NDArray[np.bool_]) -> FrameBoxes:
        return FrameBoxes(self.ids[keep], self.boxes_xyxy[keep])


@dataclass(frozen=True, slots=True)
class Sequence2D:
    """One video: truth and tracker output, frame by frame, after the rules of the benchmark were applied.

    `frame_interval_s` is the time between frames and is only used for rates per minute.
    """

    name: str
    truth: tuple[FrameBoxes, ...]
    tracked: tuple[FrameBoxes, ...]
    frame_interval_s: float

    def __post_init__(self) -> None:
        if len(self.truth) != len(self.tracked):
            raise ShapeError(f"`{self.name}`: {len(self.truth)} frames of truth, {len(self.tracked)} tracked")


@dataclass(frozen=True, eq=False, slots=True)
class OverlapSequence:
    """One video as ids and overlaps: `overlaps[t]` (N, M) in [0, 1] of `truth_ids[t]` (N,), `tracked_ids[t]` (M,)."""

    name: str
    truth_ids: tuple[IntArray, ...]
    tracked_ids: tuple[IntArray, ...]
    overlaps: tuple[Array, ...]
    frame_interval_s: float

    def __post_init__(self) -> None:
        wanted = [(len(a), len(b)) for a, b in zip(self.truth_ids, self.tracked_ids, strict=True)]
        if [o.shape for o in self.overlaps] != wanted:
            raise ShapeError(f"`{self.name}`: overlaps do not have the shapes of their ids, frame by frame")


@dataclass(frozen=True, slots=True)
class TrackingScores:
    """Scores of one sequence or of several together.

    Attributes:
        hota, deta, assa, loca: HOTA and its parts, averaged over overlaps 0.05..0.95, percent.
        mota, idf1: at overlap 0.5, percent.
        smota: MOTA with every true positive counted by its overlap, percent; of masks it is called sMOTSA.
        id_switches: how often a true object's tracker id changed.
        id_switches_per_object_minute: switches per minute that true objects are in view.
        count_error: number of tracker ids minus number of true ids, as a share of the latter, percent, absolute value
            per sequence, averaged over sequences weighted by true ids.
        n_truths, n_tracks: true and tracker ids.
    """

    hota: float
    deta: float
    assa: float
    loca: float
    mota: float
    smota: float
    idf1: float
    id_switches: int
    id_switches_per_object_minute: float
    count_error: float
    n_truths: int
    n_tracks: int


def tracklets_to_frames(tracklets: Sequence[Tracklet], n_frames: int) -> tuple[FrameBoxes, ...]:
    """Tracklets as one `FrameBoxes` per frame index 0..n_frames-1; boxes of later frames are left out."""
    ids: list[list[int]] = [[] for _ in range(n_frames)]
    boxes: list[list[NDArray[np.float32]]] = [[] for _ in range(n_frames)]
    for tracklet in tracklets:
        for frame, box in zip(tracklet.frames.tolist(), tracklet.boxes_xyxy_px, strict=True):
            if frame < n_frames:
                ids[frame].append(tracklet.number)
                boxes[frame].append(box)
    return tuple(
        FrameBoxes(np.array(i, np.int64), np.array(b, np.float64).reshape(-1, 4))
        for i, b in zip(ids, boxes, strict=True)
    )


def rows_to_frames(rows: NDArray[np.floating], n_frames: int, *, first_frame: int = 1) -> tuple[FrameBoxes, ...]:
    """MOTChallenge rows (frame, id, x, y, width, height, ...) as one `FrameBoxes` per frame."""
    table = np.asarray(rows, np.float64).reshape(-1, rows.shape[1] if rows.ndim == 2 else 6)
    frame = table[:, 0].astype(np.int64) - first_frame
    corners = np.concatenate([table[:, 2:4], table[:, 2:4] + table[:, 4:6]], axis=1)
    result = []
    for t in range(n_frames):
        here = frame == t
        result.append(FrameBoxes(table[here, 1].astype(np.int64), corners[here]))
    return tuple(result)


def score_sequences(sequences: Sequence[Sequence2D]) -> tuple[TrackingScores, dict[str, TrackingScores]]:
    """Scores of all sequences together and of each by name.

    Raises:
        MissingExtraError: without the `trackeval` package.
        ShapeError: without a sequence.
    """
    return score_overlaps([_box_overlaps(sequence) for sequence in sequences])


def score_overlaps(sequences: Sequence[OverlapSequence]) -> tuple[TrackingScores, dict[str, TrackingScores]]:
    """Scores of all sequences together and of each by name; errors as of `score_sequences`."""
    if not sequences:
        raise ShapeError("expected at least one sequence to score")
    metrics = _load_metrics()
    quiet = {"PRINT_CONFIG": False, "THRESHOLD": _FOUND_IOU}
    tools = {"hota": metrics.HOTA(), "clear": metrics.CLEAR(dict(quiet)), "identity": metrics.Identity(dict(quiet))}
    raw: dict[str, dict[str, dict[str, object]]] = {name: {} for name in tools}
    for sequence in sequences:
        data = _to_trackeval(sequence)
        for name, tool in tools.items():
            raw[name][sequence.name] = tool.eval_sequence(data)
    each = {s.name: _scores([s], {name: raw[name][s.name] for name in tools}) for s in sequences}
    together = {name: tool.combine_sequences(raw[name]) for name, tool in tools.items()}
    return _scores(sequences, together), each


def _load_metrics() -> ModuleType:
    try:
        # The package prints which of its optional datasets it cannot read; that is no result of ours.
        with contextlib.redirect_stdout(io.StringIO()):
            from trackeval import metrics
    except ImportError as error:
        raise MissingExtraError("tracking scores need the package `trackeval`: pip install trackeval") from error
    loaded: ModuleType = metrics
    return loaded


def _box_overlaps(sequence: Sequence2D) -> OverlapSequence:
    pairs = list(zip(sequence.truth, sequence.tracked, strict=True))
    return OverlapSequence(
        sequence.name,
        tuple(a.ids for a, _ in pairs),
        tuple(b.ids for _, b in pairs),
        tuple(box_iou(a.boxes_xyxy, b.boxes_xyxy) for a, b in pairs),
        sequence.frame_interval_s,
    )


def _to_trackeval(sequence: OverlapSequence) -> dict[str, object]:
    truth_code, track_code = _contiguous(sequence.truth_ids), _contiguous(sequence.tracked_ids)
    return {
        "gt_ids": [np.array([truth_code[i] for i in ids.tolist()], int) for ids in sequence.truth_ids],
        "tracker_ids": [np.array([track_code[i] for i in ids.tolist()], int) for ids in sequence.tracked_ids],
        "similarity_scores": list(sequence.overlaps),
        "num_gt_dets": sum(map(len, sequence.truth_ids)),
        "num_tracker_dets": sum(map(len, sequence.tracked_ids)),
        "num_gt_ids": len(truth_code),
        "num_tracker_ids": len(track_code),
        "num_timesteps": len(sequence.truth_ids),
        "seq": sequence.name,
    }


def _contiguous(frames: Sequence[IntArray]) -> dict[int, int]:
    used = sorted({i for ids in frames for i in ids.tolist()})
    return {old: new for new, old in enumerate(used)}


def _scores(sequences: Sequence[OverlapSequence], raw: Mapping[str, Mapping[str, object]]) -> TrackingScores:
    truths = [len(_contiguous(s.truth_ids)) for s in sequences]
    tracks = [len(_contiguous(s.tracked_ids)) for s in sequences]
    minutes = sum(sum(map(len, s.truth_ids)) * s.frame_interval_s for s in sequences) / 60
    wrong = sum(abs(a - b) for a, b in zip(truths, tracks, strict=True))
    switches = int(np.asarray(raw["clear"]["IDSW"]))

    def percent(part: str, field: str) -> float:
        return 100 * float(np.mean(np.asarray(raw[part][field], np.float64)))

    return TrackingScores(
        hota=percent("hota", "HOTA"),
        deta=percent("hota", "DetA"),
        assa=percent("hota", "AssA"),
        loca=percent("hota", "LocA"),
        mota=percent("clear", "MOTA"),
        smota=percent("clear", "sMOTA"),
        idf1=percent("identity", "IDF1"),
        id_switches=switches,
        id_switches_per_object_minute=switches / minutes if minutes > 0 else 0.0,
        count_error=100 * wrong / max(sum(truths), 1),
        n_truths=sum(truths),
        n_tracks=sum(tracks),
    )


def box_iou(first: Array, second: Array) -> Array:
    """(N, M) intersection over union of corner boxes."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    area_a, area_b = (np.prod(np.maximum(b[:, 2:] - b[:, :2], 0), axis=1) for b in (first, second))
    union = area_a[:, None] + area_b[None, :] - shared
    overlap: Array = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlap


def matched_pairs(truth_boxes: Array, tracked_boxes: Array) -> tuple[IntArray, IntArray]:
    """Rows of truths and of tracker boxes that belong together at the usual overlap of 0.5."""
    overlap = box_iou(truth_boxes, tracked_boxes)
    overlap[overlap < _FOUND_IOU - np.finfo(float).eps] = 0
    rows, columns = linear_sum_assignment(-overlap)
    real = overlap[rows, columns] > 0
    return rows[real].astype(np.int64), columns[real].astype(np.int64)
