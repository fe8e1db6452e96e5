"""Values that every part of the package shares.

Conventions, stated once: boxes are `[x1, y1, x2, y2]` in pixels of the decoded, rotation-corrected frame, x2 and y2
exclusive; time is seconds on the video's own clock (presentation timestamps, the first frame at its own stamp minus the
stream's start); spans are half open; images are RGB uint8 (H, W, 3). Values check themselves and are never changed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ShapeError

Image = NDArray[np.uint8]
FloatArray = NDArray[np.float32]
BoxXYXY = tuple[float, float, float, float]
GapKind = Literal["occlusion", "shot"]


def _require(ok: bool, message: str) -> None:
    if not ok:
        raise ShapeError(message)


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a container says about its video stream, after rotation is applied.

    `fps` is the container's average rate and only a description: times come from timestamps. `duration_s` and
    `n_frames` are `None` when the container does not say.
    """

    path: str
    width: int
    height: int
    fps: float | None
    duration_s: float | None
    n_frames: int | None
    has_audio: bool
    codec: str
    container: str
    pixel_format: str
    rotation_deg: Literal[0, 90, 180, 270] = 0

    def __post_init__(self) -> None:
        _require(self.width > 0 and self.height > 0, f"a video has a size, got {self.width}x{self.height}")


class Frame:
    """One decoded frame; pixels are converted only when asked for, once.

    Most frames are looked at only as a small grey picture (did anything change?), so the colour conversion of a frame
    that no model reads is never paid for.

    Args:
        index: decoded frames before this one.
        time_s: presentation time.
        width, height: size in pixels after rotation.
        load_image: makes the (H, W, 3) uint8 RGB image.
        load_grey: makes a (h, w) uint8 luma picture of the given width, aspect kept.
    """

    __slots__ = ("_grey", "_image", "_load_grey", "_load_image", "height", "index", "time_s", "width")

    def __init__(
        self,
        index: int,
        time_s: float,
        size: tuple[int, int],
        load_image: Callable[[], Image],
        load_grey: Callable[[int], Image],
    ) -> None:
        self.index, self.time_s = index, time_s
        self.width, self.height = size
        self._load_image, self._load_grey = load_image, load_grey
        self._image: Image | None = None
        self._grey: dict[int, Image] = {}

    @classmethod
    def from_image(cls, index: int, time_s: float, image: Image) -> Frame:
        """A frame around pixels at hand: (H, W, 3) uint8 RGB."""
        _require(
            image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8,
            f"a frame is (H, W, 3) uint8, got {image.shape} {image.dtype}",
        )

        def grey(width: int) -> Image:
            step = max(1, image.shape[1] // width)
            luma = image[::step, ::step].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
            return luma.astype(np.uint8)

        return cls(index, time_s, (image.shape[1], image.shape[0]), lambda: image, grey)

    @property
    def image(self) -> Image:
        """(H, W, 3) uint8 RGB."""
        if self._image is None:
            self._image = self._load_image()
        return self._image

    def grey(self, width: int = 160) -> Image:
        """(h, w) uint8 luma, about `width` wide."""
        if width not in self._grey:
            self._grey[width] = self._load_grey(width)
        return self._grey[width]


@dataclass(frozen=True, slots=True)
class Detections:
    """Objects found in one image. `boxes_xyxy_px` (N, 4) float32, `scores` (N,) in [0, 1], `labels` N names."""

    boxes_xyxy_px: FloatArray
    scores: FloatArray
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        n = len(self.labels)
        _require(self.boxes_xyxy_px.shape == (n, 4), f"expected boxes ({n}, 4), got {self.boxes_xyxy_px.shape}")
        _require(self.scores.shape == (n,), f"expected scores ({n},), got {self.scores.shape}")

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def empty(cls) -> Detections:
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), ())

    def select(self, index: Sequence[int] | NDArray[np.intp]) -> Detections:
        """The rows at integer `index`, in that order."""
        rows = np.asarray(index, dtype=np.intp)
        return Detections(self.boxes_xyxy_px[rows], self.scores[rows], tuple(self.labels[i] for i in rows))


@dataclass(frozen=True, slots=True)
class Gap:
    """An absence inside a tracklet that was bridged. `probability` that both sides are the same object."""

    start_s: float
    end_s: float
    kind: GapKind
    probability: float


@dataclass(frozen=True, slots=True)
class Link:
    """Two tracklets (by number) that may be one object, not certain enough to be joined."""

    first: int
    second: int
    probability: float


@dataclass(frozen=True, slots=True)
class Tracklet:
    """One object through time.

    Attributes:
        number: the id people use, unique inside its video, from 1.
        frames: (N,) int64 frame indices, strictly increasing.
        times_s: (N,) float64 presentation times of those frames.
        boxes_xyxy_px: (N, 4) float32.
        scores: (N,) float32 in [0, 1].
        detected: (N,) bool, True where a detector saw it, False where it was carried between detections.
        gaps: absences that were bridged, in time order.
        appearance: optional (D,) float32 unit vector of the tracker's appearance model.
    """

    number: int
    category: str
    category_score: float
    frames: NDArray[np.int64]
    times_s: NDArray[np.float64]
    boxes_xyxy_px: FloatArray
    scores: FloatArray
    detected: NDArray[np.bool_]
    gaps: tuple[Gap, ...] = ()
    appearance: FloatArray | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        n = len(self.frames)
        _require(n >= 1, "a tracklet has at least one box")
        shapes = (self.times_s.shape, self.boxes_xyxy_px.shape, self.scores.shape, self.detected.shape)
        _require(shapes == ((n,), (n, 4), (n,), (n,)), f"tracklet arrays disagree about N={n}: {shapes}")
        _require(bool(np.all(np.diff(self.frames) > 0)), "tracklet frames must be strictly increasing")

    def __len__(self) -> int:
        return len(self.frames)


@dataclass(frozen=True, slots=True)
class Crop:
    """A good view of one tracklet, kept while decoding so that no frame has to be decoded twice.

    `image` is the box with 10 % context on each side, at most 256 px on its longer side. `box_xyxy_px` is in the full
    frame; `inner_xyxy` is the box inside `image`, in pixels of `image`. `quality` orders the crops of one tracklet.
    `jpeg` is the same picture as JPEG, where it is at hand.
    """

    frame: int
    time_s: float
    box_xyxy_px: BoxXYXY
    inner_xyxy: BoxXYXY
    image: Image
    quality: float
    jpeg: bytes | None = None


@dataclass(frozen=True, slots=True)
class TrackingResult:
    """All a tracker found in one video: tracklets from number 1 in order of appearance, and their best crops."""

    tracklets: tuple[Tracklet, ...]
    links: tuple[Link, ...]
    crops: Mapping[int, tuple[Crop, ...]]
    n_detector_runs: int


@dataclass(frozen=True, slots=True)
class Shot:
    """A stretch between two cuts, `[start_s, end_s)`."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class SpeechSegment:
    """Words heard. `confidence` in [0, 1] is the mean token probability."""

    start_s: float
    end_s: float
    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class SoundSegment:
    """A stretch of sound with a label; `level_db` is the mean level in dB relative to full scale."""

    start_s: float
    end_s: float
    label: str
    score: float
    level_db: float


@dataclass(frozen=True, slots=True)
class TextRegion:
    """Words seen in one image."""

    text: str
    score: float
    box_xyxy_px: BoxXYXY


@dataclass(frozen=True, slots=True)
class Tag:
    """A label with its probability."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge of authenticity says about one picture. It never says "authentic": a low probability means that this
    judge found nothing.

    Attributes:
        probability: that it was manipulated, in [0, 1].
        heat_map: (H, W) float32 in [0, 1] in the size of the picture, high where it looks manipulated; `None` where the
            method does not say where.
        kind: what kind of manipulation it looks like, for methods that tell kinds apart.
        notes: what a reader must know before believing the number ("no face was found").

    Raises:
        ShapeError: a probability outside [0, 1], or a heat map of another rank, type or range.
    """

    probability: float
    heat_map: FloatArray | None = None
    kind: str | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not math.isfinite(self.probability) or not 0.0 <= self.probability <= 1.0:
            raise ShapeError(f"a probability is in [0, 1], got {self.probability}")
        if self.heat_map is not None:
            _check_heat_map(self.heat_map)


def _check_heat_map(heat_map: FloatArray) -> None:
    if heat_map.ndim != 2 or 0 in heat_map.shape or heat_map.dtype != np.float32:
        raise ShapeError(f"a heat map is (H, W) float32, got {heat_map.dtype} of shape {heat_map.shape}")
    low, high = float(heat_map.min()), float(heat_map.max())  # NaN makes both NaN
    if not 0.0 <= low <= high <= 1.0:
        raise ShapeError(f"a heat map is in [0, 1], got values from {low} to {high}")
