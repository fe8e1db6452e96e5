"""The boxes of an MP4 or QuickTime file: what libav does not tell of them (edit lists, order, content credentials)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_CONTAINERS = frozenset({b"moov", b"trak", b"edts", b"mdia", b"minf", b"stbl", b"udta"})
_MOST_BOXES = 5000  # ours: more is no file but an attack
_MOST_DEPTH = 8
_MOST_READ = 4096
C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


@dataclass(frozen=True, slots=True)
class Edit:
    """A row of an edit list, in ticks: `start` -1 is an empty edit."""

    duration: int
    start: int


@dataclass(frozen=True, slots=True)
class Boxes:
    """What was found.

    Attributes:
        top: names of the outermost boxes in order.
        brand: the major brand of `ftyp`.
        edits: edit lists, one per track that has one.
        has_credentials: a box of content credentials (C2PA).
        damaged: the boxes do not fit into the file.
    """

    top: tuple[str, ...]
    brand: str | None
    edits: tuple[tuple[Edit, ...], ...]
    has_credentials: bool
    damaged: bool


def read_boxes(path: str | Path) -> Boxes | None:
    """The boxes of a file; `None` when it does not begin like one that has any."""
    with Path(path).open("rb") as stream:
        head = stream.read(8)
        if len(head) < 8 or head[4:8] not in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
            return None
        walk = _Walk(stream, stream.seek(0, 2))
        walk.run()
    return Boxes(tuple(walk.top), walk.brand, tuple(walk.edits), walk.has_credentials, walk.damaged)


class _Walk:
    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self._size, self._count = stream, size, 0
        self.top: list[str] = []
        self.brand: str | None = None
        self.edits: list[tuple[Edit, ...]] = []
        self.has_credentials = self.damaged = False

    def run(self) -> None:
        for name, start, end in self._children(0, self._size, 0):
            self.top.append(name.decode("latin-1"))
            self._visit(name, start, end, 1)

    def _visit(self, name: bytes, start: int, end: int, depth: int) -> None:
        if name == b"ftyp":
            self.brand = self._read(start, 4).decode("latin-1").strip() or None
        elif name == b"elst":
            self.edits.append(_edits(self._read(start, min(end - start, _MOST_READ))))
        elif name == b"uuid" and self._read(start, 16) == C2PA_UUID:
            self.has_credentials = True
        elif name in _CONTAINERS and depth < _MOST_DEPTH:
            for child, first, last in self._children(start, end, depth):
                self._visit(child, first, last, depth + 1)

    def _children(self, start: int, end: int, depth: int) -> Iterator[tuple[bytes, int, int]]:
        """(name, first byte of the content, end) of the boxes in a stretch."""
        place = start
        while place + 8 <= end:
            self._count += 1
            size, name = struct.unpack(">I4s", self._read(place, 8))
            content = place + 8
            if size == 1:
                large = self._read(content, 8)
                size, content = (struct.unpack(">Q", large)[0] if len(large) == 8 else 0), content + 8
            elif size == 0:
                size = end - place
            if size < content - place or place + size > end or self._count > _MOST_BOXES:
                # `udta` may end in four zero bytes; in the outermost level this is a file that was cut off.
                self.damaged = self.damaged or depth == 0
                return
            yield name, content, place + size
            place += size

    def _read(self, place: int, count: int) -> bytes:
        self._stream.seek(place)
        return self._stream.read(count)


def _edits(content: bytes) -> tuple[Edit, ...]:
    """Rows of an `elst` box, of either version."""
    if len(content) < 8:
        return ()
    version, count = content[0], struct.unpack(">I", content[4:8])[0]
    row = struct.Struct(">Qqi" if version == 1 else ">Iii")
    found = []
    for k in range(min(count, (len(content) - 8) // row.size)):
        duration, start, _ = row.unpack_from(content, 8 + k * row.size)
        found.append(Edit(duration, start))
    return tuple(found)
