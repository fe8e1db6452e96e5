"""Rows of `base_videos`: who is who, by content; and taking a video out again, with all that came from it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from onlooker.errors import LibraryError
from onlooker.types import VideoInfo
from onlooker.video.store.migrations import utc_now
from onlooker.video.store.names import VideoName, match_video_name
from onlooker.video.store.schema import ANSWER_VIDEOS, ANSWERS, VIDEOS
from onlooker.video.store.store import Store

VideoStatus = Literal["ingesting", "ready", "partial"]
_CHUNK = 1 << 20
# What describes an image sequence beside its pictures; the pictures count by name.
_ANNOTATIONS = frozenset({".txt", ".ini", ".json", ".xml", ".csv"})


@dataclass(frozen=True, slots=True)
class StoredVideo:
    """One row of `base_videos`."""

    id: int
    name: str
    path: str
    sha256: str
    source: str
    status: VideoStatus
    width: int
    height: int
    fps: float | None
    n_frames: int | None
    duration_s: float | None
    decoded_until_s: float | None
    has_audio: bool


def content_hash(path: str | Path, annotations: Sequence[str | Path] | None = None) -> str:
    """sha256 of what a file or an image sequence holds, as hexadecimal.

    A folder counts by the relative names of all files in it and the bytes of its annotation files.

    Args:
        path: a file, or a folder.
        annotations: for a folder, the files that count by content; by default all text annotations in it.
    """
    path = Path(path)
    digest = hashlib.sha256()
    if path.is_file():
        _feed(digest, path)
        return digest.hexdigest()
    files = sorted(f for f in path.rglob("*") if f.is_file())
    chosen = {Path(a).resolve() for a in annotations} if annotations is not None else None
    for file in files:
        by_content = file.suffix.lower() in _ANNOTATIONS if chosen is None else file.resolve() in chosen
        if chosen is not None and not by_content and file.suffix.lower() in _ANNOTATIONS:
            continue  # a note that the caller says is no part of the sequence
        digest.update(file.relative_to(path).as_posix().encode() + b"\0")
        if by_content:
            _feed(digest, file)
    return digest.hexdigest()


def _feed(digest: hashlib._Hash, file: Path) -> None:
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)


def add_video(connection: Connection, info: VideoInfo, sha256: str, name: str, source: str) -> int:
    """The id of the video with this content, added with status `ingesting` when it is new.

    The same content again gives the same row, its path brought up to date. Another video under a name already taken
    is called `clip.mp4 (2)`.

    Args:
        info: what is known of the video.
        sha256: `content_hash` of it.
        name: the name people will use.
        source: "video", or the format it was imported from.
    """
    known = connection.execute(select(VIDEOS.c.id).where(VIDEOS.c.sha256 == sha256)).scalar()
    if known is not None:
        connection.execute(update(VIDEOS).where(VIDEOS.c.id == known).values(path=info.path))
        return int(known)
    row = {
        "name": free_name(connection, name),
        "path": info.path,
        "sha256": sha256,
        "source": source,
        "status": "ingesting",
        "width": info.width,
        "height": info.height,
        "fps": info.fps,
        "n_frames": info.n_frames,
        "duration_s": info.duration_s,
        "has_audio": int(info.has_audio),
        "rotation_deg": info.rotation_deg,
        "codec": info.codec,
        "created_at": utc_now(),
    }
    return int(connection.execute(insert(VIDEOS).values(row).returning(VIDEOS.c.id)).scalar_one())


def free_name(connection: Connection, name: str) -> str:
    """`name`, or `name (2)`, `name (3)`, ... when a video has it already."""
    like = select(VIDEOS.c.name).where(VIDEOS.c.name.startswith(name, autoescape=True))
    taken = set(connection.execute(like).scalars())
    if name not in taken:
        return name
    number = 2
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})"


def set_status(
    connection: Connection, video_id: int, status: VideoStatus, decoded_until_s: float | None = None
) -> None:
    """Say that a video is finished (`ready`), or finished as far as it could be read (`partial`)."""
    values: dict[str, str | float] = {"status": status}
    if decoded_until_s is not None:
        values["decoded_until_s"] = decoded_until_s
    connection.execute(update(VIDEOS).where(VIDEOS.c.id == video_id).values(values))


def list_videos(connection: Connection) -> list[StoredVideo]:
    """All videos in the order they were added, unfinished ones too."""
    return [_stored(row) for row in connection.execute(select(VIDEOS).order_by(VIDEOS.c.id)).mappings()]


def get_video(connection: Connection, video_id: int) -> StoredVideo:
    """The video with this id.

    Raises:
        LibraryError: there is none (it was deleted meanwhile).
    """
    row = connection.execute(select(VIDEOS).where(VIDEOS.c.id == video_id)).mappings().first()
    if row is None:
        raise LibraryError(f"the library holds no video with key {video_id}; it may have been deleted meanwhile")
    return _stored(row)


def find_by_content(connection: Connection, sha256: str) -> StoredVideo | None:
    """The video with this content, finished or not; `None` when the library does not hold it."""
    row = connection.execute(select(VIDEOS).where(VIDEOS.c.sha256 == sha256)).mappings().first()
    return None if row is None else _stored(row)


def _stored(row: RowMapping) -> StoredVideo:
    values = {name: row[name] for name in StoredVideo.__dataclass_fields__}
    values["has_audio"] = bool(row["has_audio"])
    return StoredVideo(**values)


def find_videos(connection: Connection, names: Iterable[str]) -> list[StoredVideo]:
    """The videos meant by `names` (see `match_video_name`), in that order, each once.

    Raises:
        UnknownNameError: no video is meant.
        LibraryError: several are meant; the message lists them.
    """
    videos = {video.id: video for video in list_videos(connection)}
    known = [VideoName(video.id, video.name, video.path) for video in videos.values()]
    keys = dict.fromkeys(match_video_name(name, known).key for name in names)
    return [videos[key] for key in keys]


def forget_answers(connection: Connection, video_id: int) -> None:
    """Remove cached answers that cite a video: it is about to change or to go."""
    cited = select(ANSWER_VIDEOS.c.answer_id).where(ANSWER_VIDEOS.c.video_id == video_id)
    connection.execute(delete(ANSWERS).where(ANSWERS.c.answer_id.in_(cited)))


def delete_rows(connection: Connection, video_id: int) -> None:
    """Take a video, all derived from it and all answers that cite it out of the tables, in the caller's transaction."""
    forget_answers(connection, video_id)
    connection.execute(delete(VIDEOS).where(VIDEOS.c.id == video_id))


def delete_video(store: Store, video_id: int) -> None:
    """Delete a video with everything derived from it, so that nothing of it can be read from the file any more.

    Raises:
        LibraryError: the library holds no such video.
    """
    with store.write() as connection:
        get_video(connection, video_id)
        delete_rows(connection, video_id)
    with store.raw() as raw:
        # secure_delete has overwritten the rows with zeros; the log still holds the pages as they were before.
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.execute("VACUUM")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
