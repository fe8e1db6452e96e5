"""Clips of tracklets: what one object does over time, cut out of the video file for models that look at motion.

Crops kept while tracking are a few good views, no motion, so here the file is decoded a second time: once from front to
back for all tracklets together, whatever they overlap. Nothing of this runs unless a profile has a model for clips.

A clip follows its object with a square of one size, along a smoothed path. One size, because a square that breathes
with every box looks like zooming; following, because a fixed square around everywhere the object goes would be the
whole frame for anything that crosses it. Moving from place to place is in the boxes already; the clip is for the rest.
"""

from __future__ import annotations

import itertools
import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from sqlalchemy import select

from onlooker.errors import ConfigError, MediaError
from onlooker.media.images import from_jpeg, to_jpeg
from onlooker.types import Frame, Image
from onlooker.video.attributes.registry import Context, Report
from onlooker.video.source import open_frames
from onlooker.video.store import schema
from onlooker.video.store.store import Store
from onlooker.video.store.videos import StoredVideo

Floats = NDArray[np.float64]

_LOG = logging.getLogger(__name__)
_JPEG_QUALITY = 90
_ABSENT_S = 1.0  # a clip does not run across a longer absence (ours)
_SMOOTH_S = 0.5  # centres are averaged this far to both sides: above jitter of boxes, below a step or a jump (ours)
_SMALLEST_SIDE_PX = 32
_MIN_FRAMES = 2  # one picture shows no motion


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """How clips are cut. All values are ours.

    Attributes:
        n_frames: pictures of one clip, evenly over its window; where the window has fewer, some stand twice.
        window_s: a tracklet visible for longer gets one clip for every stretch of about this length.
        max_windows: most clips of one tracklet; over it, windows grow longer.
        context: side of the square, in longer sides of the object's box: arms and what they hold belong to an action.
        max_side_px: longer side of a picture in memory and for the model.
    """

    n_frames: int = 16
    window_s: float = 10.0
    max_windows: int = 12
    context: float = 1.5
    max_side_px: int = 256

    def __post_init__(self) -> None:
        if not (2 <= self.n_frames <= 64 and self.window_s > 0 and self.max_windows >= 1):
            raise ConfigError(
                "clips need 2 to 64 `n_frames`, `window_s` > 0 and `max_windows` >= 1, got "
                f"{self.n_frames}, {self.window_s}, {self.max_windows}"
            )
        if not (self.context >= 1 and self.max_side_px >= 32):
            raise ConfigError(
                f"clips need `context` >= 1 and `max_side_px` >= 32, got {self.context}, {self.max_side_px}"
            )


@dataclass(frozen=True, slots=True)
class Window:
    """One clip before its pixels are read.

    Attributes:
        tracklet_id: `base_tracklets.id`.
        start_s, end_s: the time it stands for.
        frames: (n,) frame indices in time order; one may stand twice.
        crops_xyxy_px: (n, 4) int64 cuts inside the frame, all of one size.
    """

    tracklet_id: int
    start_s: float
    end_s: float
    frames: NDArray[np.int64]
    crops_xyxy_px: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Clip:
    """Pictures of one tracklet in time order, all of one size, and the span `[start_s, end_s)` they stand for."""

    tracklet_id: int
    start_s: float
    end_s: float
    images: tuple[Image, ...]


@dataclass(slots=True)
class _Open:
    """A window whose frames are being read: JPEG by frame index."""

    window: Window
    pictures: dict[int, bytes] = field(default_factory=dict)


def read_clips(context: Context, plan: ClipPlan | None = None) -> Iterator[Clip]:
    """The clips of a video, each as soon as its last frame has been decoded.

    One sequential decode, ended after the last frame that is needed. Pictures wait as JPEG, and only for windows that
    have begun and not ended: about a quarter of a megabyte for every object that is visible at the same time, however
    long the video is.

    Args:
        context: the video; `report` is told how many clips are done.
        plan: how to cut; the defaults when `None`.

    Yields:
        Clips in order of their end. A video that was imported and whose pictures are not at hand has none.

    Raises:
        MediaError: the file of an ingested video is gone or holds something else.
    """
    windows = plan_windows(context.store, context.video, plan or ClipPlan())
    if not windows:
        return
    size = (plan or ClipPlan()).max_side_px
    try:
        with open_frames(context.video) as frames:
            yield from _cut(frames, windows, size, context.report)
    except MediaError as error:
        if context.video.source == "video":
            raise
        _LOG.info("no clips of the imported `%s`: %s", context.video.name, error)


def plan_windows(store: Store, video: StoredVideo, plan: ClipPlan) -> list[Window]:
    """The windows of all tracklets of a video, in order of tracklet number and time. No pixels are touched."""
    k, b = schema.TRACKLETS.c, schema.BOXES.c
    with store.read() as connection:
        ids = connection.execute(select(k.id).where(k.video_id == video.id).order_by(k.number)).scalars().all()
        found: list[Window] = []
        for key in ids:
            rows = connection.execute(
                select(b.t, b.frame, b.x1, b.y1, b.x2, b.y2).where(b.tracklet_id == key).order_by(b.t)
            ).all()
            table = np.asarray([tuple(row) for row in rows], np.float64).reshape(-1, 6)
            found += windows_of(key, table, (video.width, video.height), plan)
    return found


def windows_of(tracklet_id: int, boxes: Floats, frame_size: tuple[int, int], plan: ClipPlan) -> list[Window]:
    """The windows of one tracklet.

    Args:
        boxes: (N, 6) time, frame index, x1, y1, x2, y2 in time order.
        frame_size: (width, height).
    """
    found = []
    for rows, end_s in _pieces(boxes[:, 0], plan):
        part = boxes[rows]
        times = part[:, 0]
        wanted = np.linspace(times[0], times[-1], plan.n_frames)
        after = np.searchsorted(times, wanted).clip(1, len(times) - 1)
        picked = np.where(wanted - times[after - 1] <= times[after] - wanted, after - 1, after)
        crops = _crops(part, picked, frame_size, plan.context)
        found.append(Window(tracklet_id, float(times[0]), end_s, part[picked, 1].astype(np.int64), crops))
    return found


def _pieces(times: Floats, plan: ClipPlan) -> list[tuple[slice, float]]:
    """(rows, end in seconds) of the stretches that become clips, in time order."""
    steps = np.diff(times)
    if len(steps) == 0:
        return []
    # Boxes of imported videos may be a second apart all along: that is no absence.
    cuts = np.flatnonzero(steps > max(_ABSENT_S, 3 * float(np.median(steps)))) + 1
    bounds = [0, *(int(c) for c in cuts), len(times)]
    visible_s = sum(times[b - 1] - times[a] for a, b in itertools.pairwise(bounds))
    length_s = max(plan.window_s, float(visible_s) / plan.max_windows)
    found: list[tuple[slice, float]] = []
    for a, b in itertools.pairwise(bounds):
        n = max(1, int(np.ceil((times[b - 1] - times[a]) / length_s - 1e-6)))
        edges = a + np.searchsorted(times[a:b], np.linspace(times[a], times[b - 1], n + 1)[1:-1])
        rows = [a, *(int(e) for e in edges), b]
        for start, stop in itertools.pairwise(rows):
            if stop - start >= _MIN_FRAMES:
                found.append((slice(start, stop), float(times[min(stop, b - 1)])))
    if len(found) > plan.max_windows:
        longest = sorted(found, key=lambda piece: times[piece[0].start] - piece[1])[: plan.max_windows]
        found = sorted(longest, key=lambda piece: piece[0].start)
    return found


def _crops(part: Floats, picked: NDArray[np.intp], size: tuple[int, int], context: float) -> NDArray[np.int64]:
    """(n, 4) squares of one size along the smoothed path, moved into the frame, and cut where they are larger."""
    times, corners = part[:, 0], part[:, 2:]
    centres = (corners[:, :2] + corners[:, 2:]) / 2
    sides = (corners[:, 2:] - corners[:, :2]).max(axis=1)
    side = max(_SMALLEST_SIDE_PX, context * float(np.percentile(sides, 95)))
    low = np.searchsorted(times, times[picked] - _SMOOTH_S, "left")
    high = np.searchsorted(times, times[picked] + _SMOOTH_S, "right")
    sums = np.concatenate([np.zeros((1, 2)), np.cumsum(centres, axis=0)])
    smooth = (sums[high] - sums[low]) / (high - low)[:, None]
    # Something fast outruns its own average: the square goes with it as far as it must.
    slack = np.maximum(0.0, (side - sides[picked]) / 2)[:, None]
    smooth = smooth.clip(centres[picked] - slack, centres[picked] + slack)
    extent = np.minimum(round(side), np.asarray(size, np.int64))
    start = np.rint(smooth - extent / 2).astype(np.int64).clip(0, np.asarray(size, np.int64) - extent)
    return np.concatenate([start, start + extent], axis=1)


def _cut(frames: Iterator[Frame], windows: list[Window], max_side_px: int, report: Report) -> Iterator[Clip]:
    wanted: dict[int, list[int]] = defaultdict(list)
    for number, window in enumerate(windows):
        for frame in np.unique(window.frames):
            wanted[int(frame)].append(number)
    last = max(wanted)
    waiting: dict[int, _Open] = {}
    done = 0
    for frame in frames:
        for number in wanted.get(frame.index, ()):
            held = waiting.setdefault(number, _Open(windows[number]))
            held.pictures[frame.index] = _picture(frame.image, held.window, frame.index, max_side_px)
            if frame.index == held.window.frames[-1]:
                del waiting[number]
                done += 1
                report(done, len(windows))
                yield from _closed(held)
        if frame.index >= last:
            return
    for held in waiting.values():  # the file broke off earlier than it did before
        yield from _closed(held)


def _picture(image: Image, window: Window, frame: int, max_side_px: int) -> bytes:
    x1, y1, x2, y2 = window.crops_xyxy_px[int(np.searchsorted(window.frames, frame))]
    cut = np.ascontiguousarray(image[y1:y2, x1:x2])
    scale = max_side_px / max(cut.shape[:2])
    if scale < 1:
        size = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
        cut = np.asarray(Pillow.fromarray(cut).resize(size, Pillow.Resampling.BILINEAR, reducing_gap=2.0))
    return to_jpeg(cut, _JPEG_QUALITY)


def _closed(held: _Open) -> Iterator[Clip]:
    """The clip of a window, unless too little of it was read."""
    window = held.window
    if len(held.pictures) < _MIN_FRAMES:
        return
    unpacked = {frame: from_jpeg(jpeg) for frame, jpeg in held.pictures.items()}
    read = sorted(unpacked)
    nearest = [min(read, key=lambda have, want=want: abs(have - want)) for want in window.frames.tolist()]  # type: ignore[misc]
    yield Clip(window.tracklet_id, window.start_s, window.end_s, tuple(unpacked[frame] for frame in nearest))
