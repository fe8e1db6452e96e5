"""The stage of an ingest that gives tracklets their masks.

The file is decoded once more, after tracking: only then is it known which boxes are one object. Only frames with boxes
are looked at, and memory holds the objects that are visible at about the same time, however many the video has. Masks
wait on disk and come into the library in one transaction, with the record that the stage is done.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from onlooker.formats.run_lengths import encode_mask
from onlooker.types import Frame
from onlooker.video.attributes.pipeline import is_done
from onlooker.video.attributes.registry import AnnotatorSpec, ModelHandle
from onlooker.video.masks.config import MaskConfig
from onlooker.video.masks.follow import MaskFollower, SeenBox
from onlooker.video.masks.spool import MaskSpool
from onlooker.video.protocols import Segmenter
from onlooker.video.source import open_frames
from onlooker.video.store.masks import StoredMask, add_masks, clear_masks
from onlooker.video.store.schema import BOXES, EDITS, SHOTS, TRACKLETS
from onlooker.video.store.stages import TRACK_STAGE, StageRun, clear_stage, record_stage, stages_done
from onlooker.video.store.store import Store
from onlooker.video.store.videos import StoredVideo, get_video

MASK_STAGE = "masks"
_VERSION = "1"
_REPORT_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class MaskStage:
    """Which segmenter, and how it is led."""

    segmenter: ModelHandle[Segmenter]
    config: MaskConfig

    @property
    def spec(self) -> AnnotatorSpec:
        """What results are keyed by."""
        c = self.config
        led = f"{_VERSION} overlap {c.least_overlap:g}, {c.max_objects} objects, hold {c.hold_s:g} s"
        model = self.segmenter
        return AnnotatorSpec(MASK_STAGE, led, "video", role=model.role, model=model.fingerprint)


# One row per box, sorted by frame. Compact, because a long video has many: 45 bytes each.
_BOX = np.dtype(
    [
        *(("frame", "i8"), ("t", "f8"), ("key", "i8")),
        *((edge, "f4") for edge in ("x1", "y1", "x2", "y2")),
        *(("detected", "?"), ("is_last", "?")),
    ]
)


@dataclass(frozen=True, slots=True)
class _State:
    """What masks hang on: version of the tracking, the last edit that moved boxes, and the keys of the tracklets."""

    tracking: str | None
    last_move: int | None
    keys: frozenset[int]

    def still_fits(self, seen: _State) -> bool:
        """Whether what was computed from `seen` is true now: tracklets may have gone, none may have other boxes."""
        # Keys of tracklets that were replaced may be given out again, so they alone would not tell.
        same = (self.tracking, self.last_move) == (seen.tracking, seen.last_move)
        return same and self.keys <= seen.keys


def segment_video(store: Store, video_id: int, stage: MaskStage) -> Generator[tuple[int, int], None, int]:
    """Gives the tracklets of a video their masks, unless they have them already.

    Yields:
        Frames done, and how many there are to do.

    Returns:
        Masks written.

    Raises:
        MediaError: the file is gone or holds something else.
        LibraryError: the video was deleted meanwhile, or the library cannot be written.
    """
    while not is_done(store, video_id, stage.spec):
        written = yield from _segment_once(store, video_id, stage)
        if written is not None:
            return written
    return 0


def _segment_once(store: Store, video_id: int, stage: MaskStage) -> Generator[tuple[int, int], None, int | None]:
    """Masks written, or `None` when boxes came to the video or changed hands meanwhile: it has to be done again."""
    started = time.monotonic()
    with store.read() as connection:
        video, seen = get_video(connection, video_id), _state(connection, video_id)
        boxes = _load_boxes(connection, video_id)
        cuts = [shot for shot in _cut_times(connection, video_id) if shot > 0]
    with MaskSpool() as spool:
        if len(boxes):
            yield from _follow(video, boxes, cuts, stage, spool)
        with store.write() as connection:
            get_video(connection, video_id)
            now = _state(connection, video_id)
            if not now.still_fits(seen):
                return None
            clear_masks(connection, video_id)
            clear_stage(connection, video_id, MASK_STAGE)
            written = add_masks(connection, (mask for mask in spool.read() if mask.tracklet_id in now.keys))
            spec, took_s = stage.spec, time.monotonic() - started
            run = StageRun(MASK_STAGE, spec.full_version, written, took_s, model=spec.model, role=spec.role)
            record_stage(connection, video_id, run)
    return written


def _follow(
    video: StoredVideo, boxes: NDArray[np.void], cuts: list[float], stage: MaskStage, spool: MaskSpool
) -> Generator[tuple[int, int], None, None]:
    follower = MaskFollower(stage.segmenter.get(), stage.config)
    times = dict(zip(boxes["frame"].tolist(), boxes["t"].tolist(), strict=True))
    total, done, reported = len(times), 0, time.monotonic()
    yield 0, total
    with open_frames(video) as frames:
        for frame in _until(frames, int(boxes["frame"][-1])):
            if cuts and frame.time_s >= cuts[0]:
                cuts = [cut for cut in cuts if cut > frame.time_s]
                follower.cut()
            if frame.index not in times:
                continue
            masks = follower.update(frame.image, frame.time_s, _seen_on(boxes, frame.index))
            for key, mask in masks.items():
                spool.write(StoredMask(key, frame.index, times[frame.index], encode_mask(mask)))
            done += 1
            if time.monotonic() - reported > _REPORT_EVERY_S:
                reported = time.monotonic()
                yield done, total
    yield total, total


def _until(frames: Iterator[Frame], last: int) -> Iterator[Frame]:
    for frame in frames:
        yield frame
        if frame.index >= last:
            return


def _load_boxes(connection: Connection, video_id: int) -> NDArray[np.void]:
    """(N,) rows of `_BOX`, sorted by frame."""
    b = BOXES.c
    columns = (b.frame, b.t, b.tracklet_id, b.x1, b.y1, b.x2, b.y2, b.detected)
    query = select(*columns).join_from(BOXES, TRACKLETS).where(TRACKLETS.c.video_id == video_id)
    rows = ((*row, False) for row in connection.execute(query.order_by(b.frame, b.tracklet_id)))
    table = np.fromiter(rows, _BOX)
    # The first place of a key from behind is its last box.
    ends = len(table) - 1 - np.unique(table["key"][::-1], return_index=True)[1]
    table["is_last"][ends] = True
    return table


def _seen_on(boxes: NDArray[np.void], frame: int) -> list[SeenBox]:
    first, end = np.searchsorted(boxes["frame"], [frame, frame + 1])
    return [
        SeenBox(key, (x1, y1, x2, y2), detected, is_last)
        for _, _, key, x1, y1, x2, y2, detected, is_last in boxes[first:end].tolist()
    ]


def _cut_times(connection: Connection, video_id: int) -> list[float]:
    query = select(SHOTS.c.start_s).where(SHOTS.c.video_id == video_id).order_by(SHOTS.c.start_s)
    return [float(start_s) for start_s in connection.execute(query).scalars()]


def _state(connection: Connection, video_id: int) -> _State:
    keys = connection.execute(select(TRACKLETS.c.id).where(TRACKLETS.c.video_id == video_id)).scalars()
    moves = select(func.max(EDITS.c.id)).where(EDITS.c.video_id == video_id, EDITS.c.kind.in_(("merge", "split")))
    tracking = stages_done(connection, video_id).get(TRACK_STAGE)
    return _State(tracking, connection.execute(moves).scalar(), frozenset(keys))
