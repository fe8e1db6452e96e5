"""One decode of a video: every frame goes past the cut finder, the tracker of classes and the follower of boxes."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from onlooker.errors import ConfigError, UnknownNameError
from onlooker.media.decode import VideoReader
from onlooker.media.probe import probe
from onlooker.media.shots import ShotDetector
from onlooker.types import BoxXYXY, Detections, Frame, TrackingResult
from onlooker.video.following.looking import Looks
from onlooker.video.following.protocols import BoxFollower, KeepsMasks
from onlooker.video.following.request import FollowRequest, check_against_video
from onlooker.video.following.tracks import class_tracks, with_twins
from onlooker.video.following.values import FollowedTrack, FollowResult
from onlooker.video.ingest.job import Progress
from onlooker.video.protocols import Tracker

_REPORT_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class FollowTools:
    """What wiring gives a run.

    Attributes:
        looks: detections for the follower.
        tracker: of classes; `None` where none are asked for.
        follower: of boxes; `None` where none are given.
        categories: names that the tracker can be asked for; `None` where it does not say.
        models: role -> name@version of all that is used.
    """

    looks: Looks
    tracker: Tracker | None
    follower: BoxFollower | None
    categories: tuple[str, ...] | None
    models: Mapping[str, str]

    @property
    def gives_masks(self) -> bool:
        """Whether any track can have masks."""
        follows = self.follower is not None and self.follower.gives_masks
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
    shots, start = ShotDetector(), _Start(request.at_s, dict(enumerate(boxes, start=1)), tools)
    frames: list[tuple[int, float]] = []
    cuts_s: list[float] = []
    end_s = info.duration_s if request.to_s is None else request.to_s
    with VideoReader(request.path) as reader:
        reported = time.monotonic()
        for frame in _stretch(reader, request):
            new_shot = shots.update(frame)
            if new_shot and frames:
                cuts_s.append(frame.time_s)
            if tools.tracker is not None:
                tools.tracker.update(frame, new_shot)
            start.pass_on(frame, new_shot, tools.looks.at(frame, new_shot))
            frames.append((frame.index, frame.time_s))
            if time.monotonic() - reported > _REPORT_EVERY_S:
                reported = time.monotonic()
                yield Progress(request.path.name, "follow", frame.time_s, end_s, "s")
        end_s = reader.end_s if request.to_s is None else min(reader.end_s, request.to_s)
        if not frames:
            raise ConfigError(f"`{request.path.name}` ends at {reader.end_s:.2f} s: nothing from {request.from_s:g} s")
        start.finish(end_s)
        problem = reader.problem
    yield Progress(request.path.name, "follow", end_s, end_s, "s")
    return FollowResult(
        info=info,
        frames=frames,
        tracks=_gathered(classes, tools),
        cuts_s=tuple(cuts_s),
        models=tools.models,
        end_s=end_s,
        gives_masks=tools.gives_masks,
        problem=problem,
    )


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
    given = [pointed[number] for number in sorted(pointed)]
    tracker = tools.tracker
    found = TrackingResult((), (), {}, 0) if tracker is None else tracker.finish()
    masks = tracker.masks() if tracker is not None and isinstance(tracker, KeepsMasks) else {}
    return with_twins(given, class_tracks(found, masks, classes, first_number=len(given) + 1))


class _Start:
    """Gives a follower its boxes on the frame nearest to their time, and every frame after it."""

    def __init__(self, at_s: float, boxes: Mapping[int, BoxXYXY], tools: FollowTools) -> None:
        self._at_s, self._boxes = at_s, boxes
        self._follower, self._looks = tools.follower, tools.looks
        self._held: Frame | None = None
        self._started = False

    def pass_on(self, frame: Frame, new_shot: bool, found: Detections | None) -> None:
        """The next frame."""
        if self._follower is None:
            return
        if self._started:
            self._follower.update(frame, new_shot, found)
            return
        if frame.time_s < self._at_s:
            self._held = frame
            return
        held, self._held = self._held, None
        if held is None or new_shot or frame.time_s - self._at_s <= self._at_s - held.time_s:
            self._start(frame)
        else:
            self._start(held)
            self._follower.update(frame, new_shot, found)

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

    def _start(self, frame: Frame) -> None:
        if self._follower is not None:
            self._follower.start(frame, self._boxes, self._looks.surely_at(frame))
            self._started = True
