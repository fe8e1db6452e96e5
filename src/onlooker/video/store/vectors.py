"""Vectors in the library: half-precision blobs, and exact search by one matrix product.

Scores are cosines of unit vectors. Vectors of different spaces (models) are never compared: a search names its space.
Loaded vectors stay in memory until another connection changes the file (`PRAGMA data_version`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import LibraryError, ShapeError
from onlooker.types import FloatArray
from onlooker.video.store.failures import mapped_failures
from onlooker.video.store.store import read_only_uri

# Up to here the matrix is kept as float32, which multiplies five times faster; beyond, as stored (half the memory).
FLOAT32_UP_TO_BYTES = 512 << 20
_CHUNK_ROWS = 65_536  # rows widened and multiplied at once: bounds the memory of a search


@dataclass(frozen=True, slots=True)
class VectorHit:
    """One row found. `score` is the cosine in [-1, 1]."""

    subject: str
    subject_id: int
    video_id: int
    tracklet_id: int | None
    score: float


def vector_to_blob(vector: NDArray[np.floating]) -> bytes:
    """A (D,) vector, made unit length, as little-endian half precision; a zero vector stays zero and is near nothing.

    Raises:
        ShapeError: it is not one-dimensional or not finite.
    """
    wide = np.asarray(vector, dtype=np.float64)
    if wide.ndim != 1 or not np.all(np.isfinite(wide)):
        raise ShapeError(f"expected a finite vector (D,), got shape {wide.shape}")
    length = float(np.linalg.norm(wide))
    return (wide / length if length > 0 else wide).astype("<f2").tobytes()


def blob_to_vector(blob: bytes) -> FloatArray:
    """(D,) float32 from a blob of `vector_to_blob`."""
    return np.frombuffer(blob, "<f2").astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Space:
    """All vectors of one space: N rows of the matrix and what they are of."""

    subjects: NDArray[np.str_]
    subject_ids: NDArray[np.int64]
    video_ids: NDArray[np.int64]
    tracklet_ids: NDArray[np.int64]  # 0 where there is none: keys start at 1
    matrix: NDArray[np.float16] | NDArray[np.float32]


class VectorSearch:
    """Exact nearest vectors of a library. Make one per process with `open`; it notices when the file changes."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._spaces: dict[str, _Space] = {}
        self._seen: int | None = None

    @classmethod
    def open(cls, path: str | Path) -> VectorSearch:
        """Search the library at `path`, read-only.

        Raises:
            LibraryError: there is no such file.
        """
        path = Path(path)
        if not path.is_file():
            raise LibraryError(f"there is no library at `{path}`")
        with mapped_failures(path):
            connection = sqlite3.connect(read_only_uri(path), uri=True, isolation_level=None, check_same_thread=False)
        return cls(path, connection)

    def spaces(self) -> tuple[str, ...]:
        """Names of the spaces that hold vectors."""
        with mapped_failures(self.path):
            return tuple(
                r[0] for r in self._connection.execute("SELECT DISTINCT space FROM base_embeddings ORDER BY 1")
            )

    def search(
        self,
        space: str,
        query: FloatArray,
        top_k: int = 10,
        subjects: Sequence[str] | None = None,
        video_ids: Collection[int] | None = None,
    ) -> list[VectorHit]:
        """The nearest vectors of finished videos, best first; equal scores in the order they were added.

        Args:
            space: the space `query` was made in.
            query: (D,).
            top_k: how many at most.
            subjects: kinds of things to look among; all by default.
            video_ids: videos to look in; all by default.

        Raises:
            ShapeError: the query has another width than the vectors of this space, or no direction.
        """
        with mapped_failures(self.path):
            held = self._load(space)
        if not len(held.subject_ids) or top_k < 1:
            return []
        unit = _unit_query(query)
        if len(unit) != held.matrix.shape[1]:
            raise ShapeError(
                f"space `{space}` has vectors of {held.matrix.shape[1]} numbers, the query has {len(unit)}"
            )
        keep = np.ones(len(held.subject_ids), np.bool_)
        if subjects is not None:
            keep &= np.isin(held.subjects, list(subjects))
        if video_ids is not None:
            keep &= np.isin(held.video_ids, list(video_ids))
        rows = np.flatnonzero(keep)
        scores = _scores(held.matrix, rows, unit)
        if len(rows) > top_k:
            near = np.argpartition(-scores, top_k - 1)[:top_k]
            rows, scores = rows[near], scores[near]
        return [_hit(held, int(rows[i]), float(scores[i])) for i in np.lexsort((rows, -scores))]

    def cosines(self, space: str, queries: FloatArray, hits: Sequence[VectorHit]) -> FloatArray:
        """(len(hits), Q) cosines of vectors found before with other queries (Q, D) of unit length."""
        with mapped_failures(self.path):
            held = self._load(space)
        rows = [
            int(np.flatnonzero((held.subjects == hit.subject) & (held.subject_ids == hit.subject_id))[0])
            for hit in hits
        ]
        found: FloatArray = held.matrix[rows].astype(np.float32) @ queries.astype(np.float32).T
        return found

    def close(self) -> None:
        """Close the connection and let the vectors go."""
        self._spaces.clear()
        self._connection.close()

    def __enter__(self) -> VectorSearch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _load(self, space: str) -> _Space:
        version = int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        if version != self._seen:
            self._spaces.clear()
            self._seen = version
        if space not in self._spaces:
            self._spaces[space] = self._read(space)
        return self._spaces[space]

    def _read(self, space: str) -> _Space:
        rows = self._connection.execute(
            "SELECT e.subject, e.subject_id, e.video_id, coalesce(e.tracklet_id, 0), e.vector FROM base_embeddings e "
            "JOIN base_videos v ON v.id = e.video_id AND v.status IN ('ready', 'partial') "
            "WHERE e.space = ? ORDER BY e.id",
            (space,),
        ).fetchall()
        width = len(rows[0][4]) // 2 if rows else 0
        odd = next((row for row in rows if len(row[4]) != 2 * width), None)
        if odd is not None:
            raise ShapeError(f"space `{space}` mixes vectors of {width} and {len(odd[4]) // 2} numbers")
        matrix = np.frombuffer(b"".join(row[4] for row in rows), "<f2").reshape(len(rows), width)
        return _Space(
            subjects=np.array([row[0] for row in rows], dtype=np.str_),
            subject_ids=np.array([row[1] for row in rows], np.int64),
            video_ids=np.array([row[2] for row in rows], np.int64),
            tracklet_ids=np.array([row[3] for row in rows], np.int64),
            matrix=matrix.astype(np.float32) if matrix.size * 4 <= FLOAT32_UP_TO_BYTES else matrix,
        )


def _unit_query(query: FloatArray) -> FloatArray:
    wide = np.asarray(query, np.float32)
    length = np.float32(np.linalg.norm(wide)) if wide.ndim == 1 else np.float32(0)
    if not (np.isfinite(length) and length > 0):
        raise ShapeError(f"expected a finite query (D,) of non-zero length, got shape {wide.shape}, length {length:g}")
    return wide / length


def _scores(
    matrix: NDArray[np.float16] | NDArray[np.float32], rows: NDArray[np.intp], query: FloatArray
) -> NDArray[np.float32]:
    """(len(rows),) cosines with `query` (D,)."""
    scores = np.empty(len(rows), np.float32)
    everything = len(rows) == len(matrix)
    for start in range(0, len(rows), _CHUNK_ROWS):
        part = slice(start, start + _CHUNK_ROWS)
        chunk = matrix[part] if everything else matrix[rows[part]]
        scores[part] = chunk.astype(np.float32, copy=False) @ query
    return scores


def _hit(held: _Space, row: int, score: float) -> VectorHit:
    tracklet = int(held.tracklet_ids[row])
    return VectorHit(
        subject=str(held.subjects[row]),
        subject_id=int(held.subject_ids[row]),
        video_id=int(held.video_ids[row]),
        tracklet_id=tracklet or None,
        score=score,
    )
