"""The mark of `onlooker.media.marks` in video files: the same XMP packet, in a box of its own at the top of an mp4.

Adobe's specification of XMP (part 3) names the box and its identifier for MPEG-4 files; players pass over it. A mark
survives a copy of the file, not a new encoding by a tool that drops metadata.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from onlooker.errors import ConfigError, DecodeError
from onlooker.media.marks import Mark, mark_of_packet

SUFFIXES = (".mp4", ".m4v", ".mov")
"""Files whose boxes can hold a mark."""

_XMP_BOX = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")
_MOST_BYTES = 1 << 20  # of a packet that is read; ours have one thousand
_MOST_BOXES = 10_000  # at the top of a file; real ones have a handful, fragmented ones thousands


class _Box(NamedTuple):
    """`kind` and, for boxes with one, `identifier`; `start` and `length` of what is inside, in bytes."""

    kind: bytes
    identifier: bytes
    start: int
    length: int


def mark_video(path: str | Path, mark: Mark) -> None:
    """Writes a mark into a finished mp4 file, behind what is there. A file has one: others are not looked for.

    Raises:
        ConfigError: a file type that has no boxes, or one whose last box has no end.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"a marked video is one of {', '.join(SUFFIXES)}, got `{path.name}`")
    packet = mark.xmp.encode()
    with path.open("r+b") as file:
        if not _ends_with_a_box(file):
            raise ConfigError(f"`{path.name}` is no whole mp4 file: its boxes do not end with the file")
        file.seek(0, 2)
        file.write(struct.pack(">I4s", 8 + len(_XMP_BOX) + len(packet), b"uuid") + _XMP_BOX + packet)


def read_video_mark(path: str | Path) -> Mark | None:
    """The mark of a video file, ours or another tool's; `None` where it has none, or is no mp4, which says nothing.

    Raises:
        DecodeError: the file cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            for box in _boxes(file):
                if box.kind == b"uuid" and box.identifier == _XMP_BOX:
                    file.seek(box.start)
                    return mark_of_packet(file.read(min(box.length, _MOST_BYTES)).decode("utf-8", "replace"))
    except OSError as error:
        raise DecodeError(f"`{path}` cannot be read ({error})") from error
    return None


def _ends_with_a_box(file: BinaryIO) -> bool:
    size, reached = file.seek(0, 2), 0
    for box in _boxes(file):
        reached = box.start + box.length
    return 0 < reached == size


def _boxes(file: BinaryIO) -> Iterator[_Box]:
    """The boxes at the top of a file, until something is none."""
    size, place = file.seek(0, 2), 0
    for _ in range(_MOST_BOXES):
        file.seek(place)
        head = file.read(16)
        if len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head[:8])
        inside = 8
        if length == 1 and len(head) == 16:  # a box beyond 4 GB says so behind its name
            length, inside = struct.unpack(">Q", head[8:])[0], 16
        if length < inside or place + length > size:  # 0, "to the end of the file", is among them
            return
        identifier = b""
        if kind == b"uuid":
            file.seek(place + inside)
            identifier, inside = file.read(16), inside + 16
        yield _Box(kind, identifier, place + inside, max(0, length - inside))
        place += length
