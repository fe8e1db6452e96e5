"""The one decode of a video: every frame goes once past the shot detector, the tracker and the keyframe keeper."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from onlooker.types import Frame, Shot, TrackingResult
from onlooker.video.ingest.job import Progress
from onlooker.video.protocols import Tracker

_REPORT_EVERY_S = 0.25


class FrameSource(Protocol):
    """What a video reader offers: frames in order, and afterwards how the stream ended."""

    def __iter__(self) -> Iterable[Frame]: ...
    @property
    def end_s(self) -> float: ...
    @property
    def problem(self) -> str | None: ...


class ShotFinder(Protocol):
    """Streaming cut detection."""

    def update(self, frame: Frame) -> bool: ...
    def finish(self, end_s: float) -> list[Shot]: ...


class KeyframeSink(Protocol):
    """Keeps some frames as pictures."""

    def update(self, frame: Frame, new_shot: bool) -> None: ...


@dataclass(slots=True)
class DecodeOutcome:
    """What one decode gave. `frames` are (index, time) of every decoded frame."""

    frames: list[tuple[int, float]] = field(default_factory=list)
    shots: list[Shot] = field(default_factory=list)
    tracking: TrackingResult | None = None
    end_s: float = 0.0
    problem: str | None = None

    @property
    def frame_interval_s(self) -> float:
        """The usual time between frames: the median, which a few long gaps of a variable-rate clip do not move."""
        if len(self.frames) < 2:
            return max(self.end_s, 1e-3)
        return float(np.median(np.diff([t for _, t in self.frames])))


def decode_once(
    source: FrameSource, video: str, total_s: float | None, consumers: tuple[ShotFinder, Tracker, KeyframeSink]
) -> Generator[Progress, None, DecodeOutcome]:
    """Feeds every frame to all consumers; yields progress in seconds of video."""
    shots, tracker, keyframes = consumers
    outcome = DecodeOutcome()
    reported = time.monotonic()
    for frame in source:  # type: ignore[attr-defined]
        new_shot = shots.update(frame)
        tracker.update(frame, new_shot)
        keyframes.update(frame, new_shot)
        outcome.frames.append((frame.index, frame.time_s))
        if time.monotonic() - reported > _REPORT_EVERY_S:
            reported = time.monotonic()
            yield Progress(video, "track", frame.time_s, total_s, "s")
    outcome.end_s, outcome.problem = source.end_s, source.problem
    outcome.shots = shots.finish(outcome.end_s)
    outcome.tracking = tracker.finish()
    yield Progress(video, "track", outcome.end_s, outcome.end_s, "s")
    return outcome
