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


_PAGE = 5000  # below the row limit of readers


@dataclass(frozen=True)
class Vocabulary:
    """What can be asked about: videos, categories (most common first), names given by people, lower case, and the
    actions that a recogniser stored."""

    videos: tuple[VideoName, ...]
    categories: tuple[str, ...]
    labels: Mapping[str, str]
    actions: tuple[str, ...] = ()

    @classmethod
    def read(cls, reader: Reader) -> Vocabulary:
        """Reads the words of a whole library; no table that grows with the boxes is touched."""
        videos = _all_rows(reader, "SELECT key, name, duration FROM videos ORDER BY key")
        labels = _all_rows(reader, "SELECT DISTINCT label FROM tracklets WHERE label IS NOT NULL ORDER BY label")
        actions = _all_rows(reader, "SELECT DISTINCT value FROM attributes WHERE name = 'action' ORDER BY value")
        return cls(
            tuple(VideoName(int(k or 0), str(n), None if d is None else float(d)) for k, n, d in videos),
            categories_in(reader, None),
            {str(label).lower(): str(label) for (label,) in labels},
            tuple(str(value) for (value,) in actions),
        )

    @cached_property
    def video_names(self) -> Mapping[int, str]:
        return {video.key: video.name for video in self.videos}


def categories_in(reader: Reader, scope: tuple[int, ...] | None) -> tuple[str, ...]:
    """Categories of the videos in scope, most common first."""
    names = [] if scope is None else [f"v{i}" for i in range(len(scope))]
    inside = "" if scope is None else f" AND video_key IN ({', '.join(':' + name for name in names)})"
    sql = (
        f"SELECT category, sum(n_tracklets) AS n FROM peaks WHERE category <> ''{inside}"  # noqa: S608
        " GROUP BY category ORDER BY n DESC, category LIMIT 5000"
    )
    return tuple(str(row[0]) for row in reader.query(sql, dict(zip(names, scope or (), strict=True))).rows)


def _all_rows(reader: Reader, sql: str) -> list[Sequence[Cell]]:
    """All rows of an ordered statement, page by page."""
    rows: list[Sequence[Cell]] = []
    while True:
        page = reader.query(f"{sql} LIMIT :size OFFSET :start", {"size": _PAGE, "start": len(rows)}).rows
        rows += page
        if len(page) < _PAGE:
            return rows
