"""One decode of a video: every frame goes past the cut finder, the tracker of classes and the follower of boxes."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from onlooker.errors import ConfigError, UnknownNameError
from onlooker.media.decode import VideoReader
from onlooker.media.probe import probe
from onlooker.media.shots import ShotDetector
from onlooker.types import BoxXYXY, Detections, Frame, TrackingResult, VideoInfo
from onlooker.video.following.compose import with_tracklets
from onlooker.video.following.looking import Overheard
from onlooker.video.following.outlined import with_outlines
from onlooker.video.following.protocols import BoxFollower, KeepsMasks
from onlooker.video.following.request import FollowRequest, check_against_video
from onlooker.video.following.tracks import class_tracks, with_twins
from onlooker.video.following.values import FollowedTrack, FollowResult
from onlooker.video.ingest.job import Progress
from onlooker.video.masks.config import MaskConfig
from onlooker.video.protocols import Segmenter, Tracker

_REPORT_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class Outliner:
    """A segmenter, and how it is led by boxes."""

    segmenter: Segmenter
    config: MaskConfig


@dataclass(frozen=True, slots=True)
class FollowTools:
    """What wiring gives a run.

    Attributes:
        detector: the one the tracker uses, for the follower to listen to; `None` where there is none.
        tracker: of classes; `None` where nobody needs one.
        follower: of boxes; `None` where none are given.
        composed: whether the tracker's tracklets tell what was pointed at (see `compose`).
        outliner: gives the tracks of classes their masks; `None` where nobody does.
        categories: names that the tracker can be asked for; `None` where it does not say.
        models: role -> name@version of all that is used.
    """

    detector: Overheard | None
    tracker: Tracker | None
    follower: BoxFollower | None
    composed: bool
    outliner: Outliner | None
    categories: tuple[str, ...] | None
    models: Mapping[str, str]

    @property
    def gives_masks(self) -> bool:
        """Whether any track can have masks."""
        follows = self.outliner is not None or (self.follower is not None and self.follower.gives_masks)
        return follows or (
            self.tracker is not None and isinstance(self.tracker, KeepsMasks) and self.tracker.gives_masks
        )


def follow_video(
    request: FollowRequest, make_tools: Callable[[FollowRequest], FollowTools]
) -> Generator[Progress, None, FollowResult]:
    """Follows what was asked for through one video; yields progress in seconds of video.

    Args:
        make_tools: called when the request is known to fit the video: before, no model is built.

    Raises:
        MediaError: the file cannot be read as a video.
        ConfigError: a box outside the frame, or a time after the end.
        UnknownNameError: a class the tracker does not know.
    """
    info = probe(request.path)
    boxes = check_against_video(request, info)
    tools = make_tools(request)
    classes = _known_classes(request.classes, tools.categories)
    start = _Start(request.at_s, dict(enumerate(boxes, start=1)), tools)
    seen = yield from _decode(request, info, tools, start)
    result = FollowResult(
        info=info,
        frames=seen.frames,
        tracks=_gathered(classes, tools),
        cuts_s=tuple(seen.cuts_s),
        models=tools.models,
        end_s=seen.end_s,
        gives_masks=tools.gives_masks,
        problem=seen.problem,
    )
    if tools.outliner is not None:
        result = yield from with_outlines(result, tools.outliner.segmenter, tools.outliner.config)
    return result


@dataclass(slots=True)
class _Seen:
    """What a decode passed by."""

    frames: list[tuple[int, float]] = field(default_factory=list)
    cuts_s: list[float] = field(default_factory=list)
    end_s: float = 0.0
    problem: str | None = None


def _decode(
    request: FollowRequest, info: VideoInfo, tools: FollowTools, start: _Start
) -> Generator[Progress, None, _Seen]:
    shots, seen, name = ShotDetector(), _Seen(), request.path.name
    total_s = info.duration_s if request.to_s is None else request.to_s
    reported = time.monotonic()
    with VideoReader(request.path) as reader:
        for frame in _stretch(reader, request):
            new_shot = shots.update(frame)
            if new_shot and seen.frames:
                seen.cuts_s.append(frame.time_s)
            if tools.tracker is not None:
                tools.tracker.update(frame, new_shot)
            start.pass_on(frame, new_shot)
            seen.frames.append((frame.index, frame.time_s))
            if time.monotonic() - reported > _REPORT_EVERY_S:
                reported = time.monotonic()
                yield Progress(name, "follow", frame.time_s, total_s, "s")
        seen.end_s, seen.problem = reader.end_s, reader.problem
    if not seen.frames:
        raise ConfigError(f"`{name}` ends at {seen.end_s:.2f} s: there is nothing from {request.from_s:g} s on")
    start.finish(seen.end_s)
    if request.to_s is not None:
        seen.end_s = min(seen.end_s, request.to_s)
    yield Progress(name, "follow", seen.end_s, seen.end_s, "s")
    return seen


def _stretch(frames: Iterable[Frame], request: FollowRequest) -> Iterator[Frame]:
    """The frames that are shown inside the wanted stretch."""
    for frame in frames:
        if request.to_s is not None and frame.time_s >= request.to_s:
            return
        if frame.time_s >= request.from_s:
            yield frame


def _known_classes(asked: Sequence[str], categories: Sequence[str] | None) -> tuple[str, ...]:
    """The names as the tracker writes them, whatever the case they were asked in."""
    if categories is None:
        return tuple(asked)
    written = {name.casefold(): name for name in categories}
    for name in asked:
        if name.strip().casefold() not in written:
            raise UnknownNameError("class", name, categories)
    return tuple(written[name.strip().casefold()] for name in asked)


def _gathered(classes: Sequence[str], tools: FollowTools) -> tuple[FollowedTrack, ...]:
    pointed = tools.follower.finish() if tools.follower is not None else {}
    tracker = tools.tracker
    found = TrackingResult((), (), {}, 0) if tracker is None else tracker.finish()
    given = [pointed[number] for number in sorted(pointed)]
    if tools.composed:
        given = [with_tracklets(track, found.tracklets) for track in given]
    masks = tracker.masks() if tracker is not None and isinstance(tracker, KeepsMasks) else {}
    return with_twins(given, class_tracks(found, masks, classes, first_number=len(given) + 1))


class _Start:
    """Gives a follower its boxes on the frame nearest to their time, and every frame after it."""

    def __init__(self, at_s: float, boxes: Mapping[int, BoxXYXY], tools: FollowTools) -> None:
        self._at_s, self._boxes = at_s, boxes
        self._follower, self._detector = tools.follower, tools.detector
        self._held: Frame | None = None
        self._started = False

    def pass_on(self, frame: Frame, new_shot: bool) -> None:
        """The next frame, after the tracker has had it."""
        if self._follower is None:
            return
        if self._started:
            self._follower.update(frame, new_shot, self._heard(frame))
            return
        if frame.time_s < self._at_s:
            self._held = frame
            return
        held, self._held = self._held, None
        if held is None or frame.time_s - self._at_s <= self._at_s - held.time_s:
            self._start(frame)
        else:
            self._start(held)
            self._follower.update(frame, new_shot, self._heard(frame))

    def finish(self, end_s: float) -> None:
        """No more frames: the last one may be the nearest.

        Raises:
            ConfigError: the video ended before the time of the boxes.
        """
        if self._follower is None or self._started:
            return
        if self._held is None or self._at_s > end_s:
            raise ConfigError(f"the boxes are of {self._at_s:g} s, but the video ends at {end_s:.2f} s")
        self._start(self._held)

    def _heard(self, frame: Frame) -> Detections | None:
        return None if self._detector is None else self._detector.heard(frame)

    def _start(self, frame: Frame) -> None:
        if self._follower is not None:
            found = None if self._detector is None else self._detector.looked_at(frame)
            self._follower.start(frame, self._boxes, found)
            self._started = True
