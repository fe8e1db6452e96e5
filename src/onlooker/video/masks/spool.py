"""Masks on their way to the database: kept on disk, because a long video has more of them than memory should hold."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from onlooker.video.store.masks import StoredMask

_HEAD = struct.Struct("<qqdI")  # tracklet, frame, seconds, bytes of run lengths
_IN_MEMORY = 16 * 2**20  # bytes up to which no file is made; ours


class MaskSpool:
    """Write all, then read all once, in the order written. A context: the file goes with it, whatever happens."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed on leaving the context

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, mask: StoredMask) -> None:
        """Appends one mask."""
        self._file.write(_HEAD.pack(mask.tracklet_id, mask.frame, mask.t, len(mask.rle)) + mask.rle)

    def read(self) -> Iterator[StoredMask]:
        """All masks that were written."""
        self._file.seek(0)
        while head := self._file.read(_HEAD.size):
            tracklet_id, frame, t, n_bytes = _HEAD.unpack(head)
            yield StoredMask(tracklet_id, frame, t, self._file.read(n_bytes))
