"""MOTS text (Voigtlaender et al. 2019): rows `frame id class height width run-lengths`, one per object and frame.

In the truth an id is 1000 times the class plus the instance's number, and class 10 marks regions to ignore. Masks of
one frame do not overlap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from onlooker.errors import FormatError, ShapeError
from onlooker.formats.files import read_text, write_text
from onlooker.formats.mot import LARGEST
from onlooker.formats.run_lengths import check_runs, counts_to_runs

CAR, PEDESTRIAN, IGNORED = 1, 2, 10
_LARGEST_SIDE = 20_000  # ours: no picture is larger, a broken file may say so


@dataclass(frozen=True, slots=True)
class MotsRow:
    """One mask of one track: `counts` are compressed run lengths of a (height, width) mask."""

    frame: int
    number: int
    class_number: int
    height: int
    width: int
    counts: bytes


def read_rows(file: Path) -> tuple[MotsRow, ...]:
    """All rows of a file, in its order.

    Raises:
        FormatError: something is malformed; the message names file and line.
    """
    rows: list[MotsRow] = []
    seen: set[tuple[int, int]] = set()
    for line, text in enumerate(read_text(file).splitlines(), start=1):
        if not text.strip():
            continue
        row = _row(text.split(), f"{file}:{line}")
        # Several regions to ignore share one id.
        if row.class_number != IGNORED and (row.frame, row.number) in seen:
            raise FormatError(f"{file}:{line}: track {row.number} has a second mask on frame {row.frame}")
        if rows and (row.height, row.width) != (rows[0].height, rows[0].width):
            raise FormatError(
                f"{file}:{line}: a mask of {row.width}x{row.height}, the first is {rows[0].width}x{rows[0].height}"
            )
        seen.add((row.frame, row.number))
        rows.append(row)
    return tuple(rows)


def write_rows(file: Path, rows: Iterable[MotsRow]) -> Path:
    """Write rows sorted by frame and track."""
    listed = sorted(rows, key=lambda row: (row.frame, row.number))
    lines = (f"{r.frame} {r.number} {r.class_number} {r.height} {r.width} {r.counts.decode('ascii')}\n" for r in listed)
    return write_text(file, "".join(lines))


def _row(parts: list[str], where: str) -> MotsRow:
    if len(parts) != 6:
        raise FormatError(f"{where}: expected 6 parts (frame, id, class, height, width, run lengths), got {len(parts)}")
    try:
        frame, number, kind, height, width = (int(part) for part in parts[:5])
    except ValueError as error:
        raise FormatError(f"{where}: {error}; expected whole numbers before the run lengths") from error
    if not (0 <= frame <= LARGEST and 0 <= number <= LARGEST and kind >= 0):
        raise FormatError(f"{where}: frame {frame}, id {number} or class {kind} is out of range")
    if not (0 < height <= _LARGEST_SIDE and 0 < width <= _LARGEST_SIDE):
        raise FormatError(f"{where}: a mask of {width}x{height} pixels")
    try:
        counts = parts[5].encode()
        check_runs(counts_to_runs(counts), height, width)
    except ShapeError as error:
        raise FormatError(f"{where}: {error}") from error
    return MotsRow(frame, number, kind, height, width, counts)
