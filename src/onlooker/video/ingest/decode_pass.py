"""The one decode of a video: every frame goes once past the shot detector, the tracker and the keyframe keeper."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from onlooker.types import Frame, Shot, TrackingResult
from onlooker.video.ingest.job import Progress
from onlooker.video.protocols import Tracker

_REPORT_EVERY_S = 0.25


class FrameSource(Protocol):
    """What a video reader offers: frames in order, and afterwards how the stream ended."""

    end_s: float
    problem: str | None

    def __iter__(self) -> Iterator[Frame]: ...


class ShotFinder(Protocol):
    """Streaming cut detection."""

    def update(self, frame: Frame) -> bool: ...
    def finish(self, end_s: float) -> list[Shot]: ...


class KeyframeSink(Protocol):
    """Keeps some frames as pictures."""

    def update(self, frame: Frame, new_shot: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class DecodeOutcome:
    """What one decode gave. `frames` are (index, time) of every decoded frame."""

    frames: Sequence[tuple[int, float]]
    shots: Sequence[Shot]
    tracking: TrackingResult
    end_s: float
    problem: str | None

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
    frames: list[tuple[int, float]] = []
    reported = time.monotonic()
    for frame in source:
        new_shot = shots.update(frame)
        tracker.update(frame, new_shot)
        keyframes.update(frame, new_shot)
        frames.append((frame.index, frame.time_s))
        if time.monotonic() - reported > _REPORT_EVERY_S:
            reported = time.monotonic()
            yield Progress(video, "track", frame.time_s, total_s, "s")
    yield Progress(video, "track", source.end_s, source.end_s, "s")
    return DecodeOutcome(frames, shots.finish(source.end_s), tracker.finish(), source.end_s, source.problem)
