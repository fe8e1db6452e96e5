"""Simple trackers to hold networks against: what a table of results must beat to mean anything. Nothing is learned.

Boxes of many objects: Hungarian matching of overlaps with constant velocity, as in SORT (Bewley et al. 2016) without
its Kalman filter. One object: the first box kept, or the first look searched for by normalised correlation. Masks: the
first mask copied, or carried along optical flow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from onlooker.errors import ConfigError, ShapeError
from onlooker.evaluation.tracking import Array, FrameBoxes, box_iou
from onlooker.formats.single_object import BoxTrack
from onlooker.types import BoxXYXY, Image

if TYPE_CHECKING:
    from collections.abc import Iterable

LabelMap = NDArray[np.uint8]
FlowMethod = Literal["dis", "farneback"]


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """Settings of linking boxes; all ours.

    Attributes:
        least_iou: overlap with the predicted box below which a box is not the track's.
        longest_gap: frames a track goes without a box before it ends.
        velocity: "constant" moves a track on by its last step, smoothed; "none" leaves it where it was.
        smoothing: weight of the newest step in the velocity.
    """

    least_iou: float = 0.3
    longest_gap: int = 5
    velocity: Literal["constant", "none"] = "constant"
    smoothing: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.least_iou <= 1 or self.longest_gap < 0 or not 0 < self.smoothing <= 1:
            raise ConfigError(f"an overlap, a gap or a weight is out of range: {self}")


@dataclass(slots=True)
class _Track:
    number: int
    box: Array
    step: Array
    age: int = 0


def link_boxes(frames: Iterable[Array], config: LinkConfig | None = None) -> tuple[FrameBoxes, ...]:
    """Give detections ids; every box of every frame (N, 4) gets one, from 1.

    Online: an id never depends on later frames.

    Raises:
        ShapeError: boxes of another shape.
    """
    config = config or LinkConfig()
    tracks: list[_Track] = []
    made: list[FrameBoxes] = []
    n_tracks = 0
    for boxes in frames:
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ShapeError(f"expected boxes (N, 4), got {boxes.shape}")
        ids = np.zeros(len(boxes), np.int64)
        predicted = np.array([track.box + track.step for track in tracks]).reshape(-1, 4)
        rows, columns = _assign(predicted, boxes, config.least_iou)
        for row, column in zip(rows, columns, strict=True):
            _update_(tracks[row], boxes[column], config)
            ids[column] = tracks[row].number
        found = set(rows)
        for place, track in enumerate(tracks):
            if place not in found:
                track.age += 1
                track.box = predicted[place]
        tracks = [track for track in tracks if track.age <= config.longest_gap]
        for column in np.flatnonzero(ids == 0).tolist():
            n_tracks += 1
            ids[column] = n_tracks
            tracks.append(_Track(n_tracks, boxes[column].astype(np.float64), np.zeros(4)))
        made.append(FrameBoxes(ids, boxes.astype(np.float64)))
    return tuple(made)


def _assign(predicted: Array, boxes: Array, least_iou: float) -> tuple[list[int], list[int]]:
    overlap = box_iou(predicted, boxes)
    # Pairs that are not allowed weigh nothing, so that they never push out one that is.
    rows, columns = linear_sum_assignment(-np.where(overlap >= least_iou, overlap, 0.0))
    real = overlap[rows, columns] >= least_iou
    return rows[real].tolist(), columns[real].tolist()


def _update_(track: _Track, box: Array, config: LinkConfig) -> None:
    if config.velocity == "constant":
        # Over a gap the box was moved on by the velocity already: what is left is the velocity's error.
        error = (box - (track.box + track.step)) / (track.age + 1)
        step = track.step + config.smoothing * error
        # Size is left to the detector: growth carried on makes boxes explode.
        centre = np.tile((step[:2] + step[2:]) / 2, 2)
        track.step = centre
    track.box, track.age = box.astype(np.float64), 0


# -- one object by its box --------------------------------------------------------------------------------------


def keep_box(box: BoxXYXY, n_frames: int) -> BoxTrack:
    """The first box on every frame: the floor of single-object tracking."""
    return BoxTrack(np.tile(np.array(box, np.float64), (n_frames, 1)), np.ones(n_frames, np.bool_))


def correlate_template(frames: Sequence[Image], box: BoxXYXY, *, reach: float = 1.0) -> BoxTrack:
    """Follow a box by normalised correlation of its first look, at three sizes, near where it was.

    Args:
        frames: T pictures (H, W, 3) uint8.
        box: on the first frame; the part inside the picture is the template.
        reach: how far from the last place is searched, in sizes of the box.

    Returns:
        T boxes; the first is `box`.

    Raises:
        ShapeError: no frame, or less than 2x2 pixels of the box are inside.
    """
    if not len(frames):
        raise ShapeError("expected at least one frame")
    height, width = frames[0].shape[:2]
    x1, y1, x2, y2 = (round(v) for v in (max(box[0], 0), max(box[1], 0), min(box[2], width), min(box[3], height)))
    if x2 - x1 < 2 or y2 - y1 < 2:
        raise ShapeError(f"the box {box} has less than 2x2 pixels inside a picture of {width}x{height}")
    look = frames[0][y1:y2, x1:x2].astype(np.float32)
    centre, scale, size = np.array([(x1 + x2) / 2, (y1 + y2) / 2]), 1.0, np.array([x2 - x1, y2 - y1])
    boxes = [np.array(box, np.float64)]
    for frame in frames[1:]:
        best = (-np.inf, centre, scale)
        for factor in (0.97, 1.0, 1.03):
            found = _search(frame, look, centre, np.maximum(np.rint(size * scale * factor), 2).astype(int), reach)
            # A change of size must be worth it, or the box breathes.
            if found is not None and found[0] - 0.01 * (factor != 1.0) > best[0]:
                best = found[0] - 0.01 * (factor != 1.0), found[1], scale * factor
        _, centre, scale = best
        half = size * scale / 2
        boxes.append(np.concatenate([centre - half, centre + half]))
    return BoxTrack(np.stack(boxes), np.ones(len(frames), np.bool_))


def _search(
    frame: Image, look: NDArray[np.float32], centre: Array, size: NDArray[np.int64], reach: float
) -> tuple[float, Array] | None:
    """(correlation, centre) of the best place for `look` made `size` (width, height); `None` where none has room."""
    import cv2

    low = np.maximum(np.floor(centre - (0.5 + reach) * size), 0).astype(int)
    high = np.ceil(centre + (0.5 + reach) * size).astype(int)
    window = frame[low[1] : high[1], low[0] : high[0]]
    if window.shape[0] < size[1] or window.shape[1] < size[0]:
        return None
    resized = cv2.resize(look, (int(size[0]), int(size[1])), interpolation=cv2.INTER_LINEAR)
    answer = cv2.matchTemplate(window.astype(np.float32), resized, cv2.TM_CCOEFF_NORMED)
    _, score, _, place = cv2.minMaxLoc(answer)
    # 0 is what a window of one colour gets everywhere: no likeness, and the object is left where it was.
    return (float(score), low + np.array(place) + size / 2) if np.isfinite(score) and score > 0 else None


# -- masks ------------------------------------------------------------------------------------------------------


def copy_first_mask(first: LabelMap, n_frames: int) -> LabelMap:
    """(T, H, W): the first mask on every frame: the floor of video object segmentation."""
    return np.tile(first, (n_frames, 1, 1))


def propagate_by_flow(frames: Sequence[Image], first: LabelMap, method: FlowMethod = "dis") -> LabelMap:
    """Carry the first frame's labels along dense optical flow, frame by frame.

    Args:
        frames: T pictures (H, W, 3) uint8.
        first: (H, W) ids of the first frame.
        method: DIS (Kroeger et al. 2016) or Farneback 2003, as OpenCV has them.

    Returns:
        (T, H, W) ids; what comes in from outside the picture is ground.

    Raises:
        ShapeError: no frame, or another size than the labels.
    """
    import cv2

    if not len(frames) or frames[0].shape[:2] != first.shape:
        raise ShapeError(f"expected frames of the labels' size {first.shape}, got {len(frames)} frames")
    rows, columns = np.mgrid[: first.shape[0], : first.shape[1]].astype(np.float32)
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM) if method == "dis" else None
    before = cv2.cvtColor(frames[0], cv2.COLOR_RGB2GRAY)
    labels = [first]
    for frame in frames[1:]:
        now = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        # From now to before: every pixel looks up the label it had.
        if dis is None:
            flow = cv2.calcOpticalFlowFarneback(now, before, None, 0.5, 4, 21, 3, 7, 1.5, 0)
        else:
            flow = dis.calc(now, before, None)
        there = columns + flow[..., 0], rows + flow[..., 1]
        labels.append(cv2.remap(labels[-1], *there, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=0))
        before = now
    return np.stack(labels)
