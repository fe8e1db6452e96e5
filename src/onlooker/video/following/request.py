"""What is to be followed in a video, checked as far as it can be without opening the file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from onlooker.errors import ConfigError
from onlooker.types import BoxXYXY, VideoInfo

MAX_BOXES = 1000  # ours: more is a mistake in a script; a mask picture numbers 254 anyway


@dataclass(frozen=True, slots=True)
class FollowRequest:
    """One video and what to follow in it.

    Attributes:
        path: a video file.
        boxes: things pointed at, `(x1, y1, x2, y2)` in pixels of the shown (rotated) frame at `at_s`; numbered from 1.
        at_s: the second the boxes belong to; the frame nearest to it is taken.
        classes: names of categories of which everything is followed.
        from_s, to_s: only what is shown in `[from_s, to_s)` is looked at; `None` for the end of the video.

    Raises:
        ConfigError: nothing to follow, a box without extent or of numbers that are not finite, times out of order.
    """

    path: Path
    boxes: tuple[BoxXYXY, ...] = ()
    at_s: float = 0.0
    classes: tuple[str, ...] = ()
    from_s: float = 0.0
    to_s: float | None = None

    def __post_init__(self) -> None:
        if not self.boxes and not self.classes:
            raise ConfigError("nothing to follow: point at something with a box, name a class, or both")
        if len(self.boxes) > MAX_BOXES:
            raise ConfigError(f"at most {MAX_BOXES} boxes can be followed at once, got {len(self.boxes)}")
        for place, box in enumerate(self.boxes, start=1):
            _check_box(place, box)
        _check_times(self)


def _check_box(place: int, box: BoxXYXY) -> None:
    x1, y1, x2, y2 = box
    if not all(map(math.isfinite, box)):
        raise ConfigError(f"box {place} must be four finite numbers, got {box_text(box)}")
    if x2 <= x1 or y2 <= y1:
        raise ConfigError(f"box {place} has no extent: {box_text(box)}; expected X1,Y1,X2,Y2 with X1 < X2 and Y1 < Y2")


def _check_times(request: FollowRequest) -> None:
    times = {"from": request.from_s, "at": request.at_s, "to": request.to_s}
    for name, value in times.items():
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise ConfigError(f"`{name}` is a second of the video, 0 or later, got {value}")
    if request.to_s is not None and request.to_s <= request.from_s:
        raise ConfigError(f"`to` must be later than `from`, got {request.from_s:g} to {request.to_s:g} s")
    after_end = request.to_s is not None and request.at_s >= request.to_s
    if request.boxes and (request.at_s < request.from_s or after_end):
        until = "the end" if request.to_s is None else f"{request.to_s:g} s"
        raise ConfigError(
            f"the boxes are of {request.at_s:g} s, which is not in the stretch that is looked at, "
            f"{request.from_s:g} s to {until}"
        )


def check_against_video(request: FollowRequest, info: VideoInfo) -> tuple[BoxXYXY, ...]:
    """The boxes cut to the frame.

    Raises:
        ConfigError: a box lies outside the frame, or a time after the end that the container promises.
    """
    wanted_s = max(request.from_s, request.at_s if request.boxes else 0.0)
    if info.duration_s is not None and wanted_s >= info.duration_s:
        raise ConfigError(f"`{request.path.name}` is {info.duration_s:.2f} s long, there is nothing at {wanted_s:g} s")
    return tuple(cut_box(place, box, (info.width, info.height)) for place, box in enumerate(request.boxes, start=1))


def cut_box(place: int, box: BoxXYXY, size: tuple[int, int]) -> BoxXYXY:
    """The part of a box inside a frame of (width, height) `size`.

    Raises:
        ConfigError: there is none.
    """
    width, height = size
    x1, y1, x2, y2 = max(0.0, box[0]), max(0.0, box[1]), min(float(width), box[2]), min(float(height), box[3])
    if x2 <= x1 or y2 <= y1:
        raise ConfigError(f"box {place}, {box_text(box)}, lies outside the frame of {width}x{height} pixels")
    return x1, y1, x2, y2


def box_text(box: BoxXYXY) -> str:
    """As people write it."""
    return ",".join(f"{value:g}" for value in box)
