"""From a file to a finished video: hash, one decode, then every annotator that is missing.

Each stage ends in one transaction, so a cut-off ingest repeats the stage it was in and nothing before it. Questions see
the video only when the last stage is done.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, func, select, update

from onlooker.errors import LibraryBusyError, MediaError
from onlooker.media.decode import VideoReader
from onlooker.media.probe import probe
from onlooker.media.shots import ShotDetector
from onlooker.types import VideoInfo
from onlooker.video.attributes.pictures import KeyframeKeeper, save_keyframes
from onlooker.video.attributes.pipeline import in_order, is_done, run_annotator
from onlooker.video.attributes.registry import Annotator
from onlooker.video.attributes.write import write_tracking
from onlooker.video.ingest.decode_pass import DecodeOutcome, decode_once
from onlooker.video.ingest.job import IngestReport, Progress
from onlooker.video.masks.stage import MaskStage, segment_video
from onlooker.video.protocols import Tracker
from onlooker.video.store import (
    StageRun,
    Store,
    StoredVideo,
    add_video,
    clear_stage,
    content_hash,
    find_by_content,
    get_video,
    record_stage,
    set_status,
    stage_done,
    stages_done,
)
from onlooker.video.store.schema import TRACKLETS, VIDEOS
from onlooker.video.store.stages import TRACK_STAGE


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What wiring gives an ingest. Everything has a name and version first and is built only when its stage runs.

    Attributes:
        tracker_version: fingerprint of all that decides the tracklets; another one makes tracking due again.
        detector: `name@version` of the detector, for the record.
        make_tracker: a new tracker for one video.
        annotators: the pool, in any order.
        masks: the stage that gives tracklets masks; `None` without a segmenter.
        release: forgets the model of a role, so that no more models are in memory than one stage needs.
    """

    tracker_version: str
    detector: str
    make_tracker: Callable[[], Tracker]
    annotators: Sequence[Annotator]
    release: Callable[[str], None] = lambda role: None
    masks: MaskStage | None = None


@dataclass(slots=True)
class _Tally:
    """What the report will say."""

    seconds: dict[str, float]
    n_detector_runs: int = 0
    problem: str | None = None
    outdated: bool = False


def ingest_video(
    store: Store, tools: Toolbox, path: Path, again: bool = False
) -> Generator[Progress, None, IngestReport]:
    """Reads one video file into the library, doing only what is missing.

    Args:
        again: replace the tracklets of a finished video that was read with other settings. Corrections made by hand
            are lost with them, so this is never done unasked.

    Raises:
        MediaError: the file cannot be read as a video; the library is unchanged.
        LibraryError: the library cannot be written; finished stages stay.
    """
    info = check_readable(path)
    path = Path(info.path)
    yield Progress(path.name, "hash", 0, None, "file")
    sha256 = content_hash(path)
    tally = _Tally({})
    with store.read() as connection:
        video = find_by_content(connection, sha256)
        tracked = video is not None and stage_done(connection, video.id, TRACK_STAGE, tools.tracker_version)
    finished = video is not None and video.status != "ingesting"
    tally.outdated = finished and not tracked and not again
    if video is None or not (tracked or tally.outdated):
        store.check_writable()
        video = yield from _track(store, tools, (path, info, sha256), tally)
    elif video.path != info.path:
        with store.write() as connection:  # the file has moved: what shows pictures of it must find it
            add_video(connection, info, sha256, path.name, "video")
    if tools.masks is not None and not is_done(store, video.id, tools.masks.spec):
        yield from _segment(store, tools, tools.masks, video, tally)
    yield from _annotate(store, tools, video, tally)
    return _finish(store, tools, video, tally)


def check_readable(path: Path) -> VideoInfo:
    """What a file says about its video stream, under its full path; touches nothing.

    Raises:
        MediaError: the file cannot be read as a video, or cannot be named in a library.
    """
    _check_name(path)
    # A library outlives the folder it was filled from: another one must find the file again.
    return probe(Path(os.path.abspath(path)))


def _check_name(path: Path) -> None:
    """The library keeps paths as text, and what asks for a video by name has to be able to type it."""
    try:
        str(path.resolve()).encode()
    except UnicodeEncodeError as error:
        raise MediaError(f"the name of `{path}` is not valid text (UTF-8); rename it and add it again") from error


def _track(
    store: Store, tools: Toolbox, source: tuple[Path, VideoInfo, str], tally: _Tally
) -> Generator[Progress, None, StoredVideo]:
    """Decodes the file once and writes all that needs pixels of every frame, in one transaction."""
    path, info, sha256 = source
    started = time.monotonic()
    keyframes = KeyframeKeeper()
    with VideoReader(path) as reader:
        consumers = (ShotDetector(), tools.make_tracker(), keyframes)
        outcome = yield from decode_once(reader, path.name, info.duration_s, consumers)
    del consumers
    tools.release("detector")
    seconds = time.monotonic() - started
    tally.n_detector_runs, tally.problem = outcome.tracking.n_detector_runs, outcome.problem
    with store.write() as connection:
        video_id = add_video(connection, info, sha256, path.name, "video")
        if stage_done(connection, video_id, TRACK_STAGE, tools.tracker_version):
            # Another ingest of the same file was quicker. Its annotators may be at work on its tracklets by now.
            tally.seconds["track"] = seconds
            return get_video(connection, video_id)
        set_status(connection, video_id, "ingesting")
        _describe(connection, video_id, outcome)
        clear_stage(connection, video_id, TRACK_STAGE)
        tracking = outcome.tracking
        write_tracking(
            connection,
            video_id,
            tracking,
            outcome.shots,
            outcome.frames,
            (info.width, info.height),
            outcome.frame_interval_s,
        )
        save_keyframes(connection, video_id, keyframes.finish())
        run = StageRun(
            annotator=TRACK_STAGE,
            version=tools.tracker_version,
            rows=len(tracking.tracklets),
            seconds=seconds,
            model=tools.detector,
            role="detector",
        )
        record_stage(connection, video_id, run)
        video = get_video(connection, video_id)
    tally.seconds["track"] = seconds
    tally.seconds["write"] = time.monotonic() - started - seconds
    return video


def _describe(connection: Connection, video_id: int, outcome: DecodeOutcome) -> None:
    """What only the decode knows: containers may be wrong about length and frame count, or silent."""
    values = {
        "n_frames": len(outcome.frames),
        "duration_s": outcome.end_s,
        "decoded_until_s": outcome.end_s if outcome.problem else None,
    }
    connection.execute(update(VIDEOS).where(VIDEOS.c.id == video_id).values(values))


def _segment(
    store: Store, tools: Toolbox, stage: MaskStage, video: StoredVideo, tally: _Tally
) -> Generator[Progress, None, None]:
    started = time.monotonic()
    for done, total in segment_video(store, video.id, stage):
        yield Progress(video.name, stage.spec.name, done, total, "frames")
    tools.release("segmenter")
    tally.seconds[stage.spec.name] = time.monotonic() - started


def _annotate(store: Store, tools: Toolbox, video: StoredVideo, tally: _Tally) -> Generator[Progress, None, None]:
    due = [annotator for annotator in in_order(tools.annotators) if not is_done(store, video.id, annotator.spec)]
    for done, annotator in enumerate(due):
        name = annotator.spec.name
        yield Progress(video.name, "annotate", done, len(due), "annotators", name)
        started = time.monotonic()
        run_annotator(store, video.id, annotator)
        tally.seconds[name] = time.monotonic() - started
        role = annotator.spec.role
        if role is not None and all(later.spec.role != role for later in due[done + 1 :]):
            tools.release(role)
    if due:
        yield Progress(video.name, "annotate", len(due), len(due), "annotators")


def _finish(store: Store, tools: Toolbox, video: StoredVideo, tally: _Tally) -> IngestReport:
    """Lets questions see the video, and says what it became.

    Raises:
        LibraryBusyError: another ingest has begun the video anew with other settings, and will finish it.
    """
    with store.read() as connection:
        current = get_video(connection, video.id)
        n_tracklets = connection.execute(
            select(func.count()).select_from(TRACKLETS).where(TRACKLETS.c.video_id == video.id)
        ).scalar_one()
    finished: Literal["ready", "partial"] = "partial" if current.decoded_until_s is not None else "ready"
    if current.status == "ingesting":
        with store.write() as connection:
            if not _is_whole(connection, tools, video.id):
                raise LibraryBusyError(
                    f"another ingest reads `{current.name}` with other settings at this moment; wait until it is done"
                )
            set_status(connection, video.id, finished)
    return IngestReport(
        path=current.path,
        video=current.name,
        status=finished if tally.seconds else "unchanged",
        n_tracklets=n_tracklets,
        n_frames=current.n_frames or 0,
        n_detector_runs=tally.n_detector_runs,
        seconds={stage: round(value, 3) for stage, value in tally.seconds.items()},
        problem=tally.problem,
        outdated=tally.outdated,
    )


def _is_whole(connection: Connection, tools: Toolbox, video_id: int) -> bool:
    done = stages_done(connection, video_id)
    specs = [annotator.spec for annotator in tools.annotators]
    if tools.masks is not None:
        specs.append(tools.masks.spec)
    due = {TRACK_STAGE: tools.tracker_version} | {spec.name: spec.full_version for spec in specs}
    return all(done.get(stage) == version for stage, version in due.items())
