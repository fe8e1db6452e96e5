"""The memory of one video: frames with keys and, per object, values; bounded in frames and, strictly, in bytes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import torch
from torch import Tensor

from onlooker.errors import ConfigError
from onlooker.methods.trackers.isvos.config import MemoryConfig
from onlooker.methods.trackers.isvos.keys import Keys
from onlooker.methods.trackers.isvos.memory import affinity, similarity

_MEGABYTE = 2**20


@dataclass(frozen=True)
class Remembered:
    """One frame.

    Attributes:
        key: (C, M), M = h*w locations.
        shrinkage: (1, M), or `None`.
        ids: objects that were seen in it.
        values: (K, D, M), in the order of `ids`.
    """

    key: Tensor
    shrinkage: Tensor | None
    ids: tuple[int, ...]
    values: Tensor

    @classmethod
    def of(cls, keys: Keys, ids: tuple[int, ...], values: Tensor) -> Remembered:
        """From keys (1, C, h, w) and values (K, D, h, w); copied, so that nothing larger is kept alive."""
        shrinkage = None if keys.shrinkage is None else keys.shrinkage[0].flatten(1).clone()
        return cls(keys.key[0].flatten(1).clone(), shrinkage, ids, values.flatten(2).clone())

    @property
    def n_bytes(self) -> int:
        tensors = (self.key, self.values) if self.shrinkage is None else (self.key, self.values, self.shrinkage)
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    def without(self, number: int) -> Remembered:
        """The same without an object."""
        rows = [place for place, other in enumerate(self.ids) if other != number]
        return Remembered(self.key, self.shrinkage, tuple(self.ids[r] for r in rows), self.values[rows])


class MemoryBank:
    """Frames of one video.

    The first frame of every object stays for good. Others go, the oldest first, when there are more than
    `config.max_frames` of them or when everything together would take more than `config.max_megabytes`; what does not
    fit even then is not stored.

    Args:
        config: the bounds.
    """

    def __init__(self, config: MemoryConfig) -> None:
        self.config = config
        self._first: list[Remembered] = []
        self._later: deque[Remembered] = deque()
        self._last: Remembered | None = None

    @property
    def n_bytes(self) -> int:
        """Bytes of all keys and values."""
        return sum(frame.n_bytes for frame in self._frames())

    @property
    def n_frames(self) -> int:
        """Frames that can be read."""
        return len(self._frames())

    def knows(self, number: int) -> bool:
        """Whether an object was ever seen."""
        return any(number in frame.ids for frame in self._frames())

    def store_first(self, frame: Remembered) -> None:
        """Keep the frame in which objects were given, for good.

        Raises:
            ConfigError: the first frames of all objects take more than the memory may; nothing is stored then.
        """
        fixed = frame.n_bytes + sum(other.n_bytes for other in self._first)
        if fixed > self._most_bytes:
            raise ConfigError(
                f"the first frames of the objects take {fixed / _MEGABYTE:.1f} MB of memory, `memory.max_megabytes` "
                f"is {self.config.max_megabytes:g}; raise it, or lower `short_side`"
            )
        self._first.append(frame)
        self._evict(0)

    def store(self, frame: Remembered) -> None:
        """Keep a frame for as long as there is room."""
        if self.config.max_frames == 0:
            return
        self._evict(frame.n_bytes)
        if self.n_bytes + frame.n_bytes <= self._most_bytes:
            self._later.append(frame)
        while self.config.max_frames is not None and len(self._later) > self.config.max_frames:
            self._later.popleft()

    def store_last(self, frame: Remembered) -> None:
        """Keep a frame until the next one comes, if there is room without pushing another out."""
        self._last = None
        if self.n_bytes + frame.n_bytes <= self._most_bytes:
            self._last = frame

    def forget_last(self) -> None:
        """After a cut, the frame before says nothing."""
        self._last = None

    def drop(self, number: int) -> None:
        """Forget an object; frames that hold no other go as well."""
        self._first = [left for frame in self._first if (left := frame.without(number)).ids]
        self._later = deque(left for frame in self._later if (left := frame.without(number)).ids)
        if self._last is not None:
            left = self._last.without(number)
            self._last = left if left.ids else None

    def read(self, keys: Keys, ids: tuple[int, ...]) -> Tensor:
        """What memory says at every location of a frame.

        Args:
            keys: of one frame, (1, C, h, w).
            ids: objects, each known.

        Returns:
            (K, D, h, w). An object is read from the frames it was seen in.
        """
        frames = self._frames()
        groups: dict[tuple[int, ...], list[int]] = {}
        for number in ids:
            seen_in = tuple(place for place, frame in enumerate(frames) if number in frame.ids)
            groups.setdefault(seen_in, []).append(number)
        key = torch.cat([frame.key for frame in frames], dim=1)[None]  # (1, C, N)
        scales = [frame.shrinkage for frame in frames if frame.shrinkage is not None]
        shrinkage = torch.cat(scales, dim=1)[None] if scales else None
        query = keys.key.flatten(2)  # (1, C, M)
        selection = None if keys.selection is None else keys.selection.flatten(2)
        found = query.new_empty(len(ids), frames[0].values.shape[1], query.shape[2])
        chunk = max(1, int(self.config.chunk_megabytes * _MEGABYTE) // (key.shape[2] * key.element_size()))
        for start in range(0, query.shape[2], chunk):
            part = slice(start, start + chunk)
            chosen = None if selection is None else selection[:, :, part]
            similar = similarity(key, query[:, :, part], shrinkage, chosen)  # (1, N, m)
            for seen_in, numbers in groups.items():
                rows = [ids.index(number) for number in numbers]
                found[rows, :, part] = self._read_group([frames[f] for f in seen_in], frames, similar, numbers)
        return found.view(len(ids), -1, *keys.key.shape[-2:])

    def _read_group(
        self, seen_in: list[Remembered], frames: list[Remembered], similar: Tensor, numbers: list[int]
    ) -> Tensor:
        """(K, D, m) for objects that were seen in the same frames."""
        sizes = [frame.key.shape[1] for frame in frames]
        rows = torch.split(similar, sizes, dim=1)
        wanted = [part for part, frame in zip(rows, frames, strict=True) if any(frame is other for other in seen_in)]
        weights = affinity(similar if len(wanted) == len(frames) else torch.cat(wanted, dim=1), self.config.top_k)
        # Frame by frame: values are never copied into one large tensor.
        total: Tensor | None = None
        for frame, weight in zip(seen_in, torch.split(weights, [f.key.shape[1] for f in seen_in], dim=1), strict=True):
            values = frame.values[[frame.ids.index(number) for number in numbers]]  # (K, D, M_f)
            read = values @ weight[0]  # (K, D, m)
            total = read if total is None else total + read
        assert total is not None  # every object was seen somewhere
        return total

    @property
    def _most_bytes(self) -> float:
        return self.config.max_megabytes * _MEGABYTE

    def _evict(self, wanted: int) -> None:
        """Makes room for so many bytes, as far as that can be done."""
        if self.n_bytes + wanted > self._most_bytes:
            self._last = None
        while self._later and self.n_bytes + wanted > self._most_bytes:
            self._later.popleft()

    def _frames(self) -> list[Remembered]:
        last = [] if self._last is None else [self._last]
        return [*self._first, *self._later, *last]
