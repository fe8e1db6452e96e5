"""The pictures of a stored video, decoded again from where they came from, after checking that they are the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, select

from onlooker.errors import FormatError, MediaError
from onlooker.formats.files import check_inside
from onlooker.formats.mot import LARGEST, picture_folder, read_header
from onlooker.media.decode import VideoReader
from onlooker.media.images import PICTURE_SUFFIXES, ImageSequenceReader, list_pictures
from onlooker.media.seek import decode_at
from onlooker.types import Frame
from onlooker.video.store.schema import FRAMES
from onlooker.video.store.videos import StoredVideo, content_hash

_SAME_TIME_S = 1e-4  # ours: stored times are exact, frames are a thousandth of a second apart at the least


@contextmanager
def open_frames(video: StoredVideo, source: Path | None = None) -> Iterator[Iterator[Frame]]:
    """All frames of a stored video in order, with the indices and times the library knows.

    Args:
        video: the stored video.
        source: where the file is now, when it is not where it was added from.

    Raises:
        MediaError: the file is gone or holds something else; the message says how to name it.
    """
    path = source or Path(video.path)
    if path.is_dir():
        yield _sequence_frames(video, path)
        return
    check_source(video, path)
    with VideoReader(path) as reader:
        yield iter(reader)


def frame_near(video: StoredVideo, at_s: float, source: Path | None = None) -> Frame | None:
    """The frame nearest to a moment, by seeking: nothing before it is decoded that need not be.

    A seek does not tell how many frames came before, so `index` means nothing here; `index_of` has it.

    Raises:
        MediaError: as `open_frames`.
    """
    path = source or Path(video.path)
    if path.is_dir():
        # Frames of a folder are not read before somebody looks at them.
        return min(_sequence_frames(video, path), key=lambda frame: abs(frame.time_s - at_s), default=None)
    check_source(video, path)
    return decode_at(path, [at_s])[0]


def index_of(connection: Connection, video: StoredVideo, time_s: float) -> int | None:
    """The index of the frame that was looked at with this time; `None` when that frame was not looked at."""
    near = FRAMES.c.t.between(time_s - _SAME_TIME_S, time_s + _SAME_TIME_S)
    return connection.execute(select(FRAMES.c.frame).where(FRAMES.c.video_id == video.id, near).limit(1)).scalar()


def check_source(video: StoredVideo, path: Path) -> None:
    """Refuses a file that is not the one the library was made from.

    Raises:
        MediaError: it is missing, or its content differs.
    """
    point = "give its place with `--source PATH`, or ingest it from there"
    if not path.exists():
        raise MediaError(f"the file of `{video.name}` is no longer at `{path}`; if it moved, {point}")
    if video.source == "video" and content_hash(path) != video.sha256:
        raise MediaError(
            f"`{path}` is not the file that `{video.name}` was made from: its content differs. "
            f"If the right file is elsewhere, {point}; if it was edited, ingest it again"
        )


def _sequence_frames(video: StoredVideo, folder: Path) -> Iterator[Frame]:
    pictures = _pictures_of(folder, video.name)
    # Frame 0 is picture 1 where all names are numbers (MOTChallenge), whatever numbers are missing; else order counts.
    numbers = [int(p.stem) if p.stem.isdecimal() else None for p in pictures]
    by_number = all(number is not None and 1 <= number <= LARGEST for number in numbers)
    fps = video.fps or 25.0
    reader = ImageSequenceReader(pictures, fps)
    if reader.size != (video.width, video.height):
        raise MediaError(
            f"the pictures in `{folder}` are {reader.size[0]}x{reader.size[1]} but `{video.name}` is "
            f"{video.width}x{video.height}; give the right folder with `--source PATH`"
        )
    for frame, number in zip(reader, numbers, strict=True):
        index = number - 1 if by_number and number is not None else frame.index
        yield Frame(index, index / fps, reader.size, lambda frame=frame: frame.image, frame.grey)  # type: ignore[misc]


def _pictures_of(folder: Path, name: str) -> list[Path]:
    """The pictures of a sequence folder, or in the folder itself. As on import, they have to lie inside of it."""
    remedy = "give the folder of the pictures with `--source PATH`"
    try:
        for candidate in (picture_folder(read_header(folder / "seqinfo.ini"), folder, folder, remedy), folder):
            if candidate.is_dir() and any(p.suffix.lower() in PICTURE_SUFFIXES for p in candidate.iterdir()):
                pictures = list_pictures(candidate)
                check_inside(pictures, [folder], str(candidate), remedy)
                return pictures
    except FormatError as error:
        raise MediaError(str(error)) from error
    raise MediaError(f"`{name}` was imported from `{folder}`, which holds no pictures: only its annotations are known")
