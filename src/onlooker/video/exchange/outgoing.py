"""Videos on their way out of a library: everything a format may want of one video, read in one consistent view."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, exists, select

from onlooker.errors import ConfigError, NothingFoundError
from onlooker.types import Gap, SpeechSegment
from onlooker.video.store.schema import BOXES, FRAMES, GAPS, MASKS, SPEECH, TRACKLETS
from onlooker.video.store.store import Store
from onlooker.video.store.videos import StoredVideo, list_videos

_UNSAFE = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
_MAX_NAME_BYTES = 180  # ours
_COMPANIONS = ("-wal", "-shm", "-journal")  # that SQLite keeps beside a library


@dataclass(frozen=True, slots=True)
class OutgoingTrack:
    """One tracklet with all its boxes, in time order.

    Attributes:
        frames: (N,) frame indices from 0; `times_s` (N,), `boxes_xyxy_px` (N, 4), `scores` (N,), `detected` (N,) align.
        masks: compressed run lengths by frame index.
    """

    number: int
    category: str
    label: str | None
    frames: NDArray[np.int64]
    times_s: NDArray[np.float64]
    boxes_xyxy_px: NDArray[np.float64]
    scores: NDArray[np.float64]
    detected: NDArray[np.bool_]
    gaps: tuple[Gap, ...]
    masks: dict[int, bytes]


@dataclass(frozen=True, slots=True)
class OutgoingVideo:
    """One finished video: its row, the frames that were looked at, its tracklets and what is said in it."""

    stored: StoredVideo
    frames: tuple[tuple[int, float], ...]
    tracks: tuple[OutgoingTrack, ...]
    speech: tuple[SpeechSegment, ...]

    @property
    def n_frames(self) -> int:
        """Frames of the video, those without boxes included."""
        last = max((frame for frame, _ in self.frames), default=-1) + 1
        return max(self.stored.n_frames or 0, last)

    @property
    def interval_s(self) -> float:
        """Usual time between frames that were looked at."""
        if len(self.frames) > 1:
            return float(np.median(np.diff([t for _, t in self.frames])))
        return 1 / (self.stored.fps or 1.0)

    @property
    def fps(self) -> float:
        """Frames a second: as the container says, else from the frames themselves."""
        return self.stored.fps or 1 / self.interval_s


@dataclass(frozen=True, slots=True)
class ExportReport:
    """Files written, and what the format could not carry."""

    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


class OutgoingVideos:
    """The finished videos that leave a library, in one consistent view; all that hangs on one is read when it is due.

    Attributes:
        stored: their rows, in the order in which iterating reads them.
    """

    def __init__(self, connection: Connection, stored: Sequence[StoredVideo]) -> None:
        self._connection = connection
        self.stored = tuple(stored)

    def __len__(self) -> int:
        return len(self.stored)

    def __iter__(self) -> Iterator[OutgoingVideo]:
        for video in self.stored:
            yield _read(self._connection, video)

    def with_masks(self) -> OutgoingVideos:
        """Those of them that have masks.

        Raises:
            NothingFoundError: none has.
        """
        masked = select(TRACKLETS.c.id).where(exists().where(MASKS.c.tracklet_id == TRACKLETS.c.id)).limit(1)
        kept = [
            video
            for video in self.stored
            if self._connection.execute(masked.where(TRACKLETS.c.video_id == video.id)).first() is not None
        ]
        if not kept:
            raise NothingFoundError(
                "there are no masks to export; make some with `onlooker ingest FILE --set segmenter=NAME`, "
                "or import a ytvis file that has segmentations"
            )
        return OutgoingVideos(self._connection, kept)

    def categories(self) -> list[str]:
        """Every category among their tracklets, sorted."""
        found: set[str] = set()
        for video in self.stored:
            query = select(TRACKLETS.c.category).where(TRACKLETS.c.video_id == video.id).distinct()
            found.update(self._connection.execute(query).scalars())
        return sorted(found)


@contextmanager
def open_videos(store: Store, video_ids: Sequence[int] | None = None) -> Iterator[OutgoingVideos]:
    """Finished videos to write; leave the block when all are written.

    Args:
        video_ids: which ones; all by default.

    Raises:
        NothingFoundError: there is none.
    """
    with store.read() as connection:
        stored = [v for v in list_videos(connection) if v.status != "ingesting"]
        if video_ids is not None:
            stored = [v for v in stored if v.id in set(video_ids)]
        if not stored:
            raise NothingFoundError("there is no finished video to export")
        yield OutgoingVideos(connection, stored)


def _read(connection: Connection, video: StoredVideo) -> OutgoingVideo:
    frames = select(FRAMES.c.frame, FRAMES.c.t).where(FRAMES.c.video_id == video.id).order_by(FRAMES.c.t)
    speech = select(SPEECH).where(SPEECH.c.video_id == video.id).order_by(SPEECH.c.start_s)
    tracks = tuple(_read_tracks(connection, video.id))
    times = {int(frame): float(t) for frame, t in connection.execute(frames)}
    for track in tracks:  # files with repeated timestamps keep one frame per time; boxes may be on the other one
        times |= {f: t for f, t in zip(track.frames.tolist(), track.times_s.tolist(), strict=True) if f not in times}
    return OutgoingVideo(
        stored=video,
        frames=tuple(sorted(times.items())),
        tracks=tracks,
        speech=tuple(SpeechSegment(r.start_s, r.end_s, r.text, r.confidence) for r in connection.execute(speech)),
    )


def _read_tracks(connection: Connection, video_id: int) -> Iterator[OutgoingTrack]:
    own = TRACKLETS.c.video_id == video_id
    boxes: dict[int, list[tuple[float, ...]]] = defaultdict(list)
    b = BOXES.c
    columns = (b.tracklet_id, b.frame, b.t, b.x1, b.y1, b.x2, b.y2, b.score, b.detected)
    join = select(*columns).join_from(TRACKLETS, BOXES, TRACKLETS.c.id == b.tracklet_id).where(own)
    for row in connection.execute(join.order_by(b.tracklet_id, b.t)):
        boxes[row[0]].append(tuple(row[1:]))
    gaps: dict[int, list[Gap]] = defaultdict(list)
    for row in connection.execute(select(GAPS).join(TRACKLETS).where(own).order_by(GAPS.c.start_s)):
        gaps[row.tracklet_id].append(Gap(row.start_s, row.end_s, row.kind, row.probability))
    masks: dict[int, dict[int, bytes]] = defaultdict(dict)
    for row in connection.execute(select(MASKS).join(TRACKLETS).where(own)):
        masks[row.tracklet_id][row.frame] = row.rle
    for row in connection.execute(select(TRACKLETS).where(own).order_by(TRACKLETS.c.number)):
        table = np.array(boxes[row.id], np.float64).reshape(-1, 8)
        yield OutgoingTrack(
            number=row.number,
            category=row.category,
            label=row.label,
            frames=table[:, 0].astype(np.int64),
            times_s=table[:, 1],
            boxes_xyxy_px=table[:, 2:6],
            scores=table[:, 6],
            detected=table[:, 7] > 0,
            gaps=tuple(gaps[row.id]),
            masks=masks[row.id],
        )


def safe_name(name: str) -> str:
    """A video's name as a file name that every system takes."""
    # Cut so that endings and temporary names fit into the 255 bytes that file systems allow.
    short = _UNSAFE.sub("_", name).encode("utf-8")[:_MAX_NAME_BYTES].decode("utf-8", "ignore")
    return short.strip(". ") or "video"


def unlike(names: Sequence[str]) -> list[str]:
    """The names, numbered where one came before, so that no two are alike even where case does not count."""
    taken: set[str] = set()
    kept = []
    for base in names:
        name, number = base, 2
        while name.casefold() in taken:
            name, number = f"{base} ({number})", number + 1
        taken.add(name.casefold())
        kept.append(name)
    return kept


def unique_names(videos: Sequence[StoredVideo]) -> list[str]:
    """A safe file name for each video, no two alike."""
    return unlike([safe_name(video.name) for video in videos])


def check_target(store: Store, path: Path, read: Sequence[str | Path] = ()) -> None:
    """Whether a file may be written without destroying what it is made from.

    Args:
        read: files, besides the library, that are read for it or that its videos were made from.

    Raises:
        ConfigError: `path` is one of them.
    """
    own = [store.path, *(store.path.with_name(store.path.name + ending) for ending in _COMPANIONS)]
    if any(_is_same(path, file) for file in own):
        raise ConfigError(f"`{path}` is the library itself; give another name for the output")
    if any(_is_same(path, Path(file)) for file in read):
        raise ConfigError(f"`{path}` is the video itself; give another name for the output")


def check_places(files: Iterable[Path]) -> None:
    """Whether files can lie where they are to be written: of several, none is written if a later one cannot be.

    Raises:
        ConfigError: a folder has the name of one of them, or a file that of a folder above one.
    """
    for file in files:
        if file.is_dir():
            raise ConfigError(f"`{file}` is a folder, but a file of that name is to be written; give another place")
        above = next((folder for folder in file.parents if folder.exists()), None)
        if above is not None and not above.is_dir():
            raise ConfigError(f"`{above}` is a file, but `{file}` is to be written inside; give another place")


def _is_same(first: Path, second: Path) -> bool:
    try:
        return first.samefile(second)
    except OSError:  # one of them is not there
        return first.resolve() == second.resolve()


def targets_per_video(videos: Sequence[StoredVideo], target: Path, suffix: str) -> list[Path]:
    """Where each video goes in a format of one file a video: `target` itself, or files in the folder `target`.

    A single video goes to `target` when that ends in `suffix`; otherwise `target` is a folder.

    Raises:
        ConfigError: `target` names one file, and there are several videos, or a place is taken by a folder.
    """
    if target.suffix.lower() == suffix and not target.is_dir():
        if len(videos) == 1:
            return [target]
        raise ConfigError(f"`{target}` is one file, but {len(videos)} videos are to be written; give a folder")
    files = [target / f"{name}{suffix}" for name in unique_names(videos)]
    check_places(files)
    return files
