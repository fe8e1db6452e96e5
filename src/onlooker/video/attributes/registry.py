"""What an annotator is: the pool of models behind the attributes, one small contract.

An annotator says beforehand what it is called, what it reads and where it writes; running it returns rows and touches
no table. Results are keyed by its name and its full version (own version, model, versions of what it builds on), so a
second run does only what is missing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, Protocol, TypeVar

from sqlalchemy import Table, select

from onlooker.video.store import schema
from onlooker.video.store.store import Store
from onlooker.video.store.videos import StoredVideo

Need = Literal["crop", "keyframe", "audio", "geometry", "video"]
Value = str | int | float | bytes | None
Row = Mapping[str, Value]
Report = Callable[[int, int], None]
M = TypeVar("M")

MAX_TEXT = 2000  # characters of one text from a model or a video that are kept


@dataclass(frozen=True, slots=True)
class ModelHandle(Generic[M]):
    """A model that is named before it is built, so that deciding what is missing loads nothing.

    Attributes:
        role: the role it plays ("tagger").
        fingerprint: `name@version`, with a digest of its options where it has any.
        get: builds it, or returns the one built before.
    """

    role: str
    fingerprint: str
    get: Callable[[], M]


@dataclass(frozen=True, slots=True)
class AnnotatorSpec:
    """What an annotator says of itself.

    Attributes:
        name: signs its rows in `base_attributes` and `base_annotator_runs`.
        version: of its own code; raise it when results change.
        need: what it looks at.
        columns: columns of `base_tracklets` it fills.
        tables: tables whose rows of a video are all its own (speech, sounds, screen text).
        subjects: `base_embeddings.subject` values that are all its own.
        role, model: the role it needs and the fingerprint of the model that plays it.
        after: annotators whose rows it reads; they run before it, and a new version of one makes it due.
    """

    name: str
    version: str
    need: Need
    columns: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    subjects: tuple[str, ...] = ()
    role: str | None = None
    model: str | None = None
    after: tuple[AnnotatorSpec, ...] = ()

    @property
    def full_version(self) -> str:
        """What results are keyed by."""
        parts = [self.version]
        if self.model is not None:
            parts.append(self.model)
        if self.after:
            upstream = "\n".join(f"{spec.name} {spec.full_version}" for spec in self.after)
            parts.append("after " + hashlib.sha256(upstream.encode()).hexdigest()[:8])
        return " | ".join(parts)


@dataclass(frozen=True, slots=True)
class Output:
    """What one run found.

    Attributes:
        inserts: rows by table, without `id`. `video_id` is filled in by the pipeline.
        columns: values of `base_tracklets` columns by tracklet id.
    """

    inserts: Mapping[Table, Sequence[Row]] = field(default_factory=dict)
    columns: Mapping[int, Row] = field(default_factory=dict)

    @property
    def n_rows(self) -> int:
        """Rows written; for one that only fills columns, tracklets described."""
        return sum(len(rows) for rows in self.inserts.values()) or len(self.columns)


@dataclass(frozen=True, slots=True)
class TrackletInfo:
    """What annotators need to know of a tracklet; `id` is its key in the library."""

    id: int
    number: int
    category: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Context:
    """What an annotator is given: the library to read from, the video, and where to report progress (done, total)."""

    store: Store
    video: StoredVideo
    report: Report

    def tracklets(self) -> dict[int, TrackletInfo]:
        """The tracklets of the video by key, in order of their number."""
        k = schema.TRACKLETS.c
        query = select(k.id, k.number, k.category, k.t_start, k.t_end).where(k.video_id == self.video.id)
        with self.store.read() as connection:
            rows = connection.execute(query.order_by(k.number)).all()
        return {row[0]: TrackletInfo(*row) for row in rows}


class Annotator(Protocol):
    """One member of the pool."""

    @property
    def spec(self) -> AnnotatorSpec: ...
    def run(self, context: Context) -> Output:
        """Look at one video and return all rows; writes nothing."""
        ...


def attribute_row(
    spec: AnnotatorSpec,
    name: str,
    value: str,
    score: float,
    tracklet_id: int | None = None,
    span_s: tuple[float, float] | None = None,
) -> Row:
    """A row of `base_attributes`. `value` is cleaned; `score` is clipped to [0, 1]; `span_s` is (start, end)."""
    return {
        "tracklet_id": tracklet_id,
        "name": name,
        "value": clean_text(value),
        "score": min(1.0, max(0.0, float(score))),
        "start_s": None if span_s is None else span_s[0],
        "end_s": None if span_s is None else span_s[1],
        "annotator": spec.name,
    }


def clean_text(text: str, limit: int = MAX_TEXT) -> str:
    """Text from a model or a video as one line of printable characters, at most `limit` long.

    It is data that came from outside: control, bidirectional-override and unpaired surrogate characters could change
    what a terminal or a page shows around it.
    """
    kept = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(kept.split())[:limit].rstrip()
