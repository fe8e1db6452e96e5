"""Annotations of one video on their way into a library, whatever format they came in.

Every importer reads its files into `AnnotatedVideo`s first and touches the library afterwards: malformed input is found
before anything is written, and one import is one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, insert

from onlooker.errors import FormatError
from onlooker.formats.files import is_whole_text
from onlooker.types import Gap, Shot, TrackingResult, Tracklet, VideoInfo
from onlooker.video.attributes.write import write_tracking
from onlooker.video.exchange.pictures import EncodedPicture, choose_pictures, picture_rows
from onlooker.video.store.masks import StoredMask, add_masks
from onlooker.video.store.schema import PICTURES
from onlooker.video.store.stages import StageRun, record_stage, stage_done
from onlooker.video.store.store import Store
from onlooker.video.store.videos import add_video, get_video, set_status

IMPORT_STAGE = "import"
IMPORT_VERSION = "1"
_LATEST = 10**10  # frame or second; ours: seconds since 1970 fit, and a broken file may say anything
_SHORTEST_S = 1e-9  # between two frames; ours: no camera is faster, and what is reckoned from less is no number
MIN_INTERVAL_S = 1e-3  # a sequence of one frame without a rate still needs a frame time above zero; ours


# The best moment of a tracklet is the one a picture was kept of.
_BEST_T = """
UPDATE base_tracklets SET best_t = best.t
FROM (SELECT tracklet_id, t, max(quality) FROM base_pictures
      WHERE kind = 'crop' AND video_id = ? GROUP BY tracklet_id) AS best
WHERE best.tracklet_id = base_tracklets.id
"""


@dataclass(frozen=True, slots=True)
class AnnotatedTrack:
    """One annotated object.

    Attributes:
        number: the track number of the source; people ask for it.
        frames: (N,) int64 frame indices from 0, strictly increasing.
        boxes_xyxy_px: (N, 4) float64, exactly as annotated: not clipped, not rounded.
        scores: (N,) float64 in [0, 1].
        masks: COCO compressed run lengths by frame index, where the source has masks.
    """

    number: int
    category: str
    frames: NDArray[np.int64]
    boxes_xyxy_px: NDArray[np.float64]
    scores: NDArray[np.float64]
    masks: dict[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnnotatedVideo:
    """One annotated video, complete and checked.

    Attributes:
        name: what people will call it.
        info: its size, rate and so on; `info.path` is where it came from.
        sha256: identity of its content.
        source: the format.
        frames: (index, seconds) of every frame on which objects were looked for, also those without any.
        interval_s: seconds between two of those frames.
        pictures: the picture file of a frame index, where pictures are at hand.
    """

    name: str
    info: VideoInfo
    sha256: str
    source: str
    frames: tuple[tuple[int, float], ...]
    interval_s: float
    tracks: tuple[AnnotatedTrack, ...]
    pictures: dict[int, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        where = f"{self.info.path}: video `{self.name}`"
        if not (is_whole_text(self.info.path) and is_whole_text(self.name)):
            raise FormatError(f"{where}: the name is not valid text (UTF-8); rename it and import it again")
        if self.frames[0][0] < 0:
            raise FormatError(f"{where} has the frame number {self.frames[0][0]}; they count from 0")
        if not max(map(abs, (*self.frames[0], *self.frames[-1]))) <= _LATEST or not self.interval_s <= _LATEST:
            raise FormatError(f"{where} goes on for {self.frames[-1][1]:g} s; is its frame rate or time right?")
        if not self.interval_s >= _SHORTEST_S:
            raise FormatError(f"{where} has a frame every {self.interval_s:g} s; is its frame rate or time right?")


@dataclass(frozen=True, slots=True)
class ImportedVideo:
    """What one video became. `unchanged`: the same content was there already and was left alone."""

    video_id: int
    name: str
    n_tracklets: int
    n_boxes: int
    unchanged: bool


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import brought in. `notes` say what was left out or assumed, for people to read."""

    videos: tuple[ImportedVideo, ...]
    notes: tuple[str, ...] = ()

    @property
    def n_tracklets(self) -> int:
        return sum(video.n_tracklets for video in self.videos)

    @property
    def n_boxes(self) -> int:
        return sum(video.n_boxes for video in self.videos)


def land(store: Store, videos: Sequence[AnnotatedVideo], notes: Iterable[str] = ()) -> ImportReport:
    """Write annotated videos into the library, all in one transaction."""
    # Pictures are read and encoded before the write lock is taken: that is the slow part.
    pictures = [choose_pictures(video.tracks, video.pictures, dict(video.frames)) for video in videos]
    with store.write() as connection:
        landed = [_land_one(connection, video, shown) for video, shown in zip(videos, pictures, strict=True)]
    return ImportReport(tuple(landed), tuple(notes))


def _land_one(connection: Connection, video: AnnotatedVideo, pictures: Sequence[EncodedPicture]) -> ImportedVideo:
    video_id = add_video(connection, video.info, video.sha256, video.name, video.source)
    stored_name = get_video(connection, video_id).name
    n_boxes = sum(len(track.frames) for track in video.tracks)
    if stage_done(connection, video_id, IMPORT_STAGE, IMPORT_VERSION):
        return ImportedVideo(video_id, stored_name, len(video.tracks), n_boxes, unchanged=True)
    size = (video.info.width, video.info.height)
    end_s = video.frames[-1][1] + video.interval_s
    shots = [Shot(video.frames[0][1], end_s)]
    # Tracklets carry float32, which turns 296.74 into 296.73999; an annotation comes out as it went in.
    exact = {track.number: track.boxes_xyxy_px for track in video.tracks}
    ids = write_tracking(connection, video_id, _tracking(video), shots, video.frames, size, video.interval_s, exact)
    _keep_exact_scores(connection, video, ids)
    _write_masks(connection, video, ids)
    rows = picture_rows(video_id, ids, pictures)
    if rows:
        connection.execute(insert(PICTURES), rows)
        connection.exec_driver_sql(_BEST_T, (video_id,))
    run = StageRun(IMPORT_STAGE, IMPORT_VERSION, rows=len(video.tracks), seconds=0.0)
    record_stage(connection, video_id, run)
    set_status(connection, video_id, "ready", decoded_until_s=end_s)
    return ImportedVideo(video_id, stored_name, len(video.tracks), n_boxes, unchanged=False)


def _tracking(video: AnnotatedVideo) -> TrackingResult:
    times = dict(video.frames)
    tracklets = tuple(_tracklet(track, times, video.frames) for track in video.tracks)
    return TrackingResult(tracklets, links=(), crops={}, n_detector_runs=0)


def _tracklet(track: AnnotatedTrack, times: dict[int, float], frames: Sequence[tuple[int, float]]) -> Tracklet:
    missing = [int(f) for f in track.frames if int(f) not in times]
    if missing:
        raise FormatError(f"track {track.number} has a box on frame {missing[0]}, which the video does not have")
    times_s = np.array([times[int(f)] for f in track.frames], np.float64)
    order = {index: place for place, (index, _) in enumerate(frames)}
    places = np.array([order[int(f)] for f in track.frames])
    # An annotated absence is a fact: both sides are the same object, the annotator says so.
    gaps = tuple(
        Gap(float(times_s[i]), float(times_s[i + 1]), "occlusion", 1.0) for i in np.flatnonzero(np.diff(places) > 1)
    )
    return Tracklet(
        number=track.number,
        category=track.category,
        category_score=1.0,
        frames=track.frames,
        times_s=times_s,
        boxes_xyxy_px=track.boxes_xyxy_px.astype(np.float32),
        scores=track.scores.astype(np.float32),
        detected=np.ones(len(track.frames), np.bool_),
        gaps=gaps,
    )


def _keep_exact_scores(connection: Connection, video: AnnotatedVideo, ids: dict[int, int]) -> None:
    times = dict(video.frames)
    rows = [
        (float(track.scores[i]), ids[track.number], times[int(track.frames[i])])
        for track in video.tracks
        for i in np.flatnonzero(track.scores.astype(np.float32) != track.scores)
    ]
    if rows:
        connection.exec_driver_sql("UPDATE base_boxes SET score = ? WHERE tracklet_id = ? AND t = ?", rows)


def _write_masks(connection: Connection, video: AnnotatedVideo, ids: dict[int, int]) -> None:
    times = dict(video.frames)
    masks = (
        StoredMask(ids[track.number], frame, times[frame], rle)
        for track in video.tracks
        for frame, rle in track.masks.items()
    )
    add_masks(connection, masks)
