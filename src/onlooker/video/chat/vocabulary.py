"""The words a library holds: categories, names, videos, colours. Read once per reader, so that questions are understood
in the library's own terms and spelling mistakes are corrected towards things that exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

from onlooker.video.answer import Cell


class Table(Protocol):
    """Rows of a result."""

    @property
    def columns(self) -> Sequence[str]: ...
    @property
    def rows(self) -> Sequence[Sequence[Cell]]: ...


class Reader(Protocol):
    """Runs one checked SELECT with bound parameters."""

    def query(self, sql: str, params: Mapping[str, str | int | float | None]) -> Table: ...


@runtime_checkable
class VersionedReader(Protocol):
    """A reader that tells when the library has changed."""

    @property
    def data_version(self) -> tuple[int, ...]: ...


@dataclass(frozen=True, slots=True)
class VideoName:
    """A finished video: library key, name and length."""

    key: int
    name: str
    duration_s: float | None


def phrase_of(value: str) -> tuple[str, ...]:
    """A category or name as lower-case words: "Traffic_Light" is ("traffic", "light")."""
    return tuple(value.lower().replace("_", " ").replace("-", " ").split())


@dataclass(frozen=True)
class Vocabulary:
    """What can be asked about.

    `counts` holds (video key, category) -> number of tracklets; `labels` are names given by people, lower case.
    """

    videos: tuple[VideoName, ...]
    counts: Mapping[tuple[int, str], int]
    labels: Mapping[str, str]

    @classmethod
    def read(cls, reader: Reader) -> Vocabulary:
        """Three small queries; no table that grows with the boxes is read."""
        videos = reader.query("SELECT key, name, duration FROM videos ORDER BY key", {}).rows
        peaks = reader.query("SELECT video_key, category, n_tracklets FROM peaks WHERE category <> ''", {}).rows
        labels = reader.query("SELECT DISTINCT label FROM tracklets WHERE label IS NOT NULL", {}).rows
        return cls(
            tuple(VideoName(int(k or 0), str(n), None if d is None else float(d)) for k, n, d in videos),
            {(int(k or 0), str(c)): int(n or 0) for k, c, n in peaks},
            {str(label).lower(): str(label) for (label,) in labels},
        )

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """Every category in the library, most common first."""
        return self.categories_in(None)

    def categories_in(self, scope: tuple[int, ...] | None) -> tuple[str, ...]:
        """Categories of the videos in scope, most common first."""
        totals: dict[str, int] = {}
        for (video, category), n in self.counts.items():
            if scope is None or video in scope:
                totals[category] = totals.get(category, 0) + n
        return tuple(sorted(totals, key=lambda c: (-totals[c], c)))

    @cached_property
    def video_names(self) -> Mapping[int, str]:
        return {video.key: video.name for video in self.videos}
