"""What can be said of a tracklet from its boxes alone: path, speed, direction, place, entry and exit, approach.

All numbers are measured in the picture. The motion of the camera is not compensated here: under a panning camera a
parked car moves, and the columns say so. Boxes are computed in float64; an importer may hand over exact values beside
the float32 boxes of a `Tracklet`.

Thresholds are ours (no paper): they are relative to the size of the object and of the frame, so that the jitter of a
detector (a few per cent of the box) never reads as motion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from onlooker.errors import ShapeError
from onlooker.types import Shot, Tracklet
from onlooker.video.attributes.motion_text import Movement, describe_motion

Boxes = NDArray[np.float64]
Floats = NDArray[np.float64]
Direction = Literal["right", "down-right", "down", "down-left", "left", "up-left", "up", "up-right", "none"]
Edge = Literal["left", "right", "top", "bottom", "inside", "start", "end"]
Approach = Literal["approaching", "receding", "steady"]
Size = Literal["small", "medium", "large"]

_DIRECTIONS: tuple[Direction, ...] = ("right", "down-right", "down", "down-left", "left", "up-left", "up", "up-right")
_EDGES: tuple[Edge, ...] = ("left", "top", "right", "bottom")
_PLACES = ("top left", "top", "top right", "left", "centre", "right", "bottom left", "bottom", "bottom right")

SMALL_BELOW = 0.01  # mean box area over frame area
LARGE_FROM = 0.10
MOVES_FROM_OWN_SIZE = 0.3  # of sqrt(box area)
MOVES_FROM_DIAGONAL = 0.01  # of the frame diagonal
SMOOTHING_S = 0.4  # running median of the centres over this long, before asking whether they moved
EDGE_MARGIN = 0.015  # of the frame side: a box this near to an edge touches it
EDGE_WINDOW_S = 0.6  # motion this long after the first (before the last) box decides the edge
APPROACH_RATIO = 1.5  # the area must change by this factor
_MAX_SLOPE_POINTS = 64  # the median of pairwise slopes is quadratic in this


@dataclass(frozen=True, slots=True)
class Scene:
    """What geometry needs to know of the video.

    `frame_interval_s` is the time one box stands for; `first_frame` and `last_frame` are the first and last frame on
    which boxes were looked for (`None` when there is no frame); `shots` may be empty (one shot).
    """

    width: int
    height: int
    frame_interval_s: float
    first_frame: int | None
    last_frame: int | None
    shots: tuple[Shot, ...] = ()

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0 or not self.frame_interval_s > 0:
            raise ShapeError(
                f"expected a frame size and a frame interval above 0, got {self.width}x{self.height}, "
                f"{self.frame_interval_s} s"
            )

    @property
    def diagonal_px(self) -> float:
        return math.hypot(self.width, self.height)

    @property
    def cuts_s(self) -> tuple[float, ...]:
        """Start of every shot but the first."""
        return tuple(sorted(shot.start_s for shot in self.shots))[1:]


@dataclass(frozen=True, slots=True)
class TrackletGeometry:
    """The geometric columns of `base_tracklets`, named as there (`video/store/schema.py` says what they mean)."""

    t_start: float
    t_end: float
    n_boxes: int
    visible_s: float
    n_gaps: int
    identity: float
    path_px: float
    net_px: float
    dx_px: float
    dy_px: float
    speed_px_s: float
    speed_rel_s: float
    direction: Direction
    stationary: int
    enters_from: Edge
    leaves_to: Edge
    approach: Approach | None
    area_rel: float
    size: Size
    place: str
    best_t: float
    motion: str


def boxes_of(tracklet: Tracklet, exact: Boxes | None = None) -> Boxes:
    """(N, 4) float64 boxes of a tracklet: `exact` when given, else its own, widened.

    Raises:
        ShapeError: if `exact` has another number of boxes.
    """
    if exact is None:
        return tracklet.boxes_xyxy_px.astype(np.float64)
    if exact.shape != (len(tracklet), 4):
        raise ShapeError(f"expected exact boxes ({len(tracklet)}, 4) for tracklet {tracklet.number}, got {exact.shape}")
    return np.asarray(exact, dtype=np.float64)


def tracklet_geometry(tracklet: Tracklet, scene: Scene, exact: Boxes | None = None) -> TrackletGeometry:
    """All geometric columns of one tracklet. `exact`: its (N, 4) float64 boxes, where float32 would round them."""
    boxes = boxes_of(tracklet, exact)
    times = tracklet.times_s
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    path = float(np.hypot(*np.diff(centres, axis=0).T).sum())
    dx, dy = (float(v) for v in centres[-1] - centres[0])
    moving_s = (len(tracklet) - 1) * scene.frame_interval_s
    speed = path / moving_s if moving_s > 0 else 0.0
    threshold = motion_threshold_px(boxes, scene)
    approach = approach_of(boxes, times, scene)
    smooth = smoothed(centres, SMOOTHING_S / scene.frame_interval_s)
    extent = float(np.hypot(*np.ptp(smooth, axis=0)))
    stationary = extent < threshold and approach in (None, "steady")
    area = _area_rel(boxes, scene)
    return TrackletGeometry(
        t_start=float(times[0]),
        t_end=float(times[-1]),
        n_boxes=len(tracklet),
        visible_s=len(tracklet) * scene.frame_interval_s,
        n_gaps=len(tracklet.gaps),
        identity=float(math.prod(gap.probability for gap in tracklet.gaps)),
        path_px=path,
        net_px=math.hypot(dx, dy),
        dx_px=dx,
        dy_px=dy,
        speed_px_s=speed,
        speed_rel_s=speed / scene.diagonal_px,
        direction="none" if stationary else direction_of(dx, dy, threshold),
        stationary=int(stationary),
        enters_from=_enters_from(tracklet, boxes, scene),
        leaves_to=_leaves_to(tracklet, boxes, scene),
        approach=approach,
        area_rel=area,
        size="small" if area < SMALL_BELOW else "large" if area >= LARGE_FROM else "medium",
        place=_place(centres, scene),
        best_t=_best_time(tracklet, boxes, scene),
        motion=_motion(tracklet, boxes, approach, stationary, scene),
    )


def motion_threshold_px(boxes: Boxes, scene: Scene) -> float:
    """Displacements below this are jitter: 0.3 of the object's size or 1 % of the frame diagonal, the larger."""
    size = float(np.sqrt(np.median(_areas(boxes))))
    return max(MOVES_FROM_OWN_SIZE * size, MOVES_FROM_DIAGONAL * scene.diagonal_px)


def direction_of(dx: float, dy: float, threshold_px: float) -> Direction:
    """Name of the 45 degree sector of a displacement (y grows downwards), or none when it is below the threshold."""
    if math.hypot(dx, dy) < threshold_px:
        return "none"
    return _DIRECTIONS[round(math.atan2(dy, dx) / (math.pi / 4)) % 8]


def smoothed(centres: Floats, window: float) -> Floats:
    """(N, 2) running median of about `window` centres: kills jitter, keeps straight lines and sharp turns."""
    half = min(int(window) // 2, (len(centres) - 1) // 4)
    if half < 1:
        return centres
    # Odd reflection continues the line at both ends, so that ends neither stick nor run away.
    padded = np.pad(centres, ((half, half), (0, 0)), mode="reflect", reflect_type="odd")
    return np.asarray(np.median(sliding_window_view(padded, 2 * half + 1, axis=0), axis=-1))


def approach_of(boxes: Boxes, times: Floats, scene: Scene) -> Approach | None:
    """Whether the object comes nearer, from the median slope of its log area; `None` when too little can be seen.

    Boxes cut by the frame edge grow and shrink without any approach, so they are left out; an object that is nearly
    always cut is judged by the side (width or height) that is whole.
    """
    touch = _touching(boxes, scene)
    width, height = np.maximum(boxes[:, 2] - boxes[:, 0], 1e-6), np.maximum(boxes[:, 3] - boxes[:, 1], 1e-6)
    cut_x, cut_y = touch[:, 0] | touch[:, 2], touch[:, 1] | touch[:, 3]
    enough = max(3, len(boxes) // 2)
    measures = ((np.log(width * height), ~cut_x & ~cut_y), (2 * np.log(width), ~cut_x), (2 * np.log(height), ~cut_y))
    for measure, whole in measures:
        if whole.sum() >= enough:
            t, value = times[whole], measure[whole]
            change = _median_slope(t, value) * float(t[-1] - t[0])
            limit = math.log(APPROACH_RATIO)
            return "approaching" if change > limit else "receding" if change < -limit else "steady"
    return None


def _median_slope(t: Floats, value: Floats) -> float:
    """Median of the slopes between all pairs of points (Theil-Sen), thinned to a bounded number of points."""
    if len(t) > _MAX_SLOPE_POINTS:
        keep = np.linspace(0, len(t) - 1, _MAX_SLOPE_POINTS).round().astype(np.intp)
        t, value = t[keep], value[keep]
    first, second = np.triu_indices(len(t), 1)
    step = t[second] - t[first]
    usable = step > 0
    if not usable.any():
        return 0.0
    return float(np.median((value[second] - value[first])[usable] / step[usable]))


def _areas(boxes: Boxes) -> Floats:
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1])


def _area_rel(boxes: Boxes, scene: Scene) -> float:
    limit = np.array([scene.width, scene.height] * 2, dtype=np.float64)
    return float(_areas(np.clip(boxes, 0, limit)).mean() / (scene.width * scene.height))


def _edge_distances(boxes: Boxes, scene: Scene) -> Floats:
    """(N, 4) distance from box to frame edge: left, top, right, bottom; below 0 where the box reaches outside."""
    return np.concatenate([boxes[:, :2], np.array([scene.width, scene.height]) - boxes[:, 2:]], axis=1)


def _touching(boxes: Boxes, scene: Scene) -> NDArray[np.bool_]:
    margin = np.maximum(EDGE_MARGIN * np.array([scene.width, scene.height] * 2), 1.5)
    return np.asarray(_edge_distances(boxes, scene) <= margin)


def _edge(boxes: Boxes, scene: Scene) -> Edge:
    """The frame edge an object came through, `boxes` running from the edge inwards.

    A box that touches an edge and does not move towards it came through it; so did one that is as near as it moves
    during the window, since detectors are late. Of several edges the one it moves away from most counts: a person who
    enters from the left touches the bottom as well.
    """
    first = boxes[0]
    distance = _edge_distances(boxes[:1], scene)[0]
    touch = _touching(boxes[:1], scene)[0]
    move = (boxes[-1, :2] + boxes[-1, 2:] - first[:2] - first[2:]) / 2
    inward = np.array([move[0], move[1], -move[0], -move[1]])
    sides = np.array([first[2] - first[0], first[3] - first[1]] * 2)
    came_from = touch & (inward >= -0.1 * sides)
    came_from |= (distance <= inward) & (distance <= sides) & (inward > 0.1 * sides)
    if not came_from.any():
        return "inside"
    order = np.lexsort((distance, np.where(came_from, -inward, np.inf)))
    return _EDGES[int(order[0])]


def _enters_from(tracklet: Tracklet, boxes: Boxes, scene: Scene) -> Edge:
    if tracklet.frames[0] == scene.first_frame:
        return "start"
    start = float(tracklet.times_s[0])
    # Something already in the picture when a shot begins did not enter, even where it touches an edge.
    if any(abs(start - cut) < scene.frame_interval_s / 2 for cut in scene.cuts_s):
        return "inside"
    return _edge(boxes[tracklet.times_s <= start + EDGE_WINDOW_S], scene)


def _leaves_to(tracklet: Tracklet, boxes: Boxes, scene: Scene) -> Edge:
    if tracklet.frames[-1] == scene.last_frame:
        return "end"
    end = float(tracklet.times_s[-1])
    if any(0 < cut - end < 1.5 * scene.frame_interval_s for cut in scene.cuts_s):
        return "inside"
    return _edge(boxes[tracklet.times_s >= end - EDGE_WINDOW_S][::-1], scene)


def _place(centres: Floats, scene: Scene) -> str:
    """Name of the ninth of the frame that holds the centre most of the time; the earlier one when two tie."""
    thirds = np.clip((centres * 3 / np.array([scene.width, scene.height])).astype(int), 0, 2)
    cells = thirds[:, 1] * 3 + thirds[:, 0]
    counts = np.bincount(cells, minlength=9)
    return _PLACES[int(cells[np.argmax(counts[cells])])]


def _best_time(tracklet: Tracklet, boxes: Boxes, scene: Scene) -> float:
    """Time of the largest, surest box; boxes cut by the frame edge and boxes not seen by the detector count less."""
    cut = _touching(boxes, scene).any(axis=1)
    quality = np.maximum(tracklet.scores.astype(np.float64), 0.05) * np.sqrt(_areas(boxes))
    quality *= np.where(cut, 0.6, 1.0) * np.where(tracklet.detected, 1.0, 0.7)
    return float(tracklet.times_s[int(np.argmax(quality))])


def _motion(tracklet: Tracklet, boxes: Boxes, approach: Approach | None, stationary: bool, scene: Scene) -> str:
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    smooth = smoothed(centres, SMOOTHING_S / scene.frame_interval_s)
    movement = Movement(
        times_s=tracklet.times_s,
        centres_px=centres,
        smooth_px=np.broadcast_to(smooth[:1], smooth.shape) if stationary else smooth,
        threshold_px=motion_threshold_px(boxes, scene),
        enters=_enters_from(tracklet, boxes, scene),
        leaves=_leaves_to(tracklet, boxes, scene),
        approach=approach,
        gaps_s=[(gap.start_s, gap.end_s) for gap in tracklet.gaps],
    )
    return describe_motion(movement)
