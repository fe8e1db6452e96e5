"""What following gives: tracks with a box, a score and perhaps a mask on every frame that was looked at."""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ShapeError
from onlooker.types import BoxXYXY, FloatArray, VideoInfo

Source = Literal["box", "class"]


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where one thing is on one frame.

    Attributes:
        box_xyxy_px: in pixels of the frame; `None` where it is not seen.
        score: how sure, in [0, 1]; `None` for a follower that cannot say.
        measured: whether the box was found on this very frame, not drawn between two others.
        mask: compressed run lengths of the frame's size, where the follower gives masks.
    """

    box_xyxy_px: BoxXYXY | None
    score: float | None
    measured: bool = True
    mask: bytes | None = None


@dataclass(frozen=True, eq=False, slots=True)
class FollowedTrack:
    """One thing through the frames on which it was followed, those included on which it was not seen.

    Attributes:
        number: its id, from 1.
        source: pointed at by a box, or of a class that was asked for.
        label: name of its category; `None` for a box nobody can name.
        frames: (N,) int64 indices of decoded frames, increasing.
        times_s: (N,) float64.
        boxes_xyxy_px: (N, 4) float32; zeros where it is not seen.
        seen: (N,) bool.
        measured: (N,) bool, see `Sighting`; False where not seen.
        scores: (N,) float32, 0 where not seen; `None` for a follower that cannot say how sure it is.
        masks: compressed run lengths by frame index.
        same_as: numbers of tracks of the other source that are the same thing.
    """

    number: int
    source: Source
    label: str | None
    frames: NDArray[np.int64]
    times_s: NDArray[np.float64]
    boxes_xyxy_px: FloatArray
    seen: NDArray[np.bool_]
    measured: NDArray[np.bool_]
    scores: FloatArray | None
    masks: Mapping[int, bytes] = field(default_factory=dict)
    same_as: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.frames)
        shapes = (self.times_s.shape, self.boxes_xyxy_px.shape, self.seen.shape, self.measured.shape)
        if shapes != ((n,), (n, 4), (n,), (n,)) or (self.scores is not None and self.scores.shape != (n,)):
            raise ShapeError(f"the arrays of track {self.number} disagree about N={n}: {shapes}")

    def stretches(self) -> list[tuple[int, int]]:
        """Rows `[first, end)` in which it is seen without a break."""
        edges = np.flatnonzero(np.diff(np.concatenate([[False], self.seen, [False]]).astype(np.int8)))
        return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


@dataclass(frozen=True, eq=False, slots=True)
class FollowResult:
    """Everything that was followed in one video.

    Attributes:
        info: the video.
        frames: (index, seconds) of every frame that was looked at.
        tracks: those of boxes first, numbered in the order they were given, then those of classes.
        cuts_s: where new shots begin.
        models: role -> name@version of what was used.
        end_s: when the last frame that was looked at stops being shown.
        gives_masks: whether tracks can have masks at all.
        problem: what was wrong with the file, `None` when nothing was.
    """

    info: VideoInfo
    frames: Sequence[tuple[int, float]]
    tracks: tuple[FollowedTrack, ...]
    cuts_s: tuple[float, ...]
    models: Mapping[str, str]
    end_s: float
    gives_masks: bool
    problem: str | None = None


class TrackBuilder:
    """Collects the sightings of one thing, frame after frame."""

    def __init__(self) -> None:
        self._frames: list[int] = []
        self._times: list[float] = []
        self._sightings: list[Sighting | None] = []

    def add(self, frame: int, time_s: float, sighting: Sighting | None) -> None:
        """The next frame; `None` for one that nobody looked at."""
        self._frames.append(frame)
        self._times.append(time_s)
        self._sightings.append(sighting)

    def build(self, number: int, source: Source, label: str | None) -> FollowedTrack:
        """The track; a follower that ever said how sure it was gives scores."""
        rows = _filled(self._sightings, self._times)
        scored = any(row.score is not None for row in rows)
        nowhere = (0.0, 0.0, 0.0, 0.0)
        return FollowedTrack(
            number=number,
            source=source,
            label=label,
            frames=np.array(self._frames, np.int64),
            times_s=np.array(self._times, np.float64),
            boxes_xyxy_px=np.array([row.box_xyxy_px or nowhere for row in rows], np.float32).reshape(-1, 4),
            seen=np.array([row.box_xyxy_px is not None for row in rows], np.bool_),
            measured=np.array([row.box_xyxy_px is not None and row.measured for row in rows], np.bool_),
            scores=np.array([row.score or 0.0 for row in rows], np.float32) if scored else None,
            masks={f: row.mask for f, row in zip(self._frames, rows, strict=True) if row.mask is not None},
        )


def _filled(sightings: Sequence[Sighting | None], times_s: Sequence[float]) -> list[Sighting]:
    """Boxes on frames that nobody looked at: on the straight line between two looks that both saw the thing, and for
    the frames after the last look where that left it; elsewhere it is not known to be there."""
    rows: list[Sighting] = []
    looks = [place for place, sighting in enumerate(sightings) if sighting is not None]
    for place, sighting in enumerate(sightings):
        if sighting is not None:
            rows.append(sighting)
            continue
        at = bisect.bisect(looks, place)
        before = sightings[looks[at - 1]] if at else None
        after = sightings[looks[at]] if at < len(looks) else before
        if before is None or after is None or before.box_xyxy_px is None or after.box_xyxy_px is None:
            rows.append(Sighting(None, None))
            continue
        span_s = (times_s[looks[at]] if at < len(looks) else times_s[place]) - times_s[looks[at - 1]]
        share = (times_s[place] - times_s[looks[at - 1]]) / span_s if at < len(looks) else 0.0
        x1, y1, x2, y2 = (a + share * (b - a) for a, b in zip(before.box_xyxy_px, after.box_xyxy_px, strict=True))
        score = None if before.score is None or after.score is None else min(before.score, after.score)
        rows.append(Sighting((x1, y1, x2, y2), score, measured=False))
    return rows
