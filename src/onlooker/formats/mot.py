"""MOTChallenge text: rows `frame, id, x, y, w, h, conf, class, visibility`, and the header `seqinfo.ini`.

Frames count from 1. The seventh number of a truth row is 0 for "not to be considered"; in a result it is a score. With
eight or nine numbers the eighth is the class (MOT16, MOT17, MOT20); with ten the last are world coordinates (MOT15).
Separators may be commas, semicolons or blanks.
"""

from __future__ import annotations

import configparser
import math
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from onlooker.errors import FormatError
from onlooker.formats.files import check_inside, number_text, portable_name, read_text, write_text

# Classes of MOT16/17/20 (their development kit's table). Distractors, occluders and reflections are no objects.
MOT_CLASSES = {
    1: "person",
    2: "person",  # on a vehicle
    3: "car",
    4: "bicycle",
    5: "motorcycle",
    6: "non-motorised vehicle",
    7: "person",  # static
}
NO_OBJECTS = frozenset(range(8, 14))
LEAST_SIDE = 1e-6  # ours: what the six decimals of a written number can say; a side of nothing is no box
LARGEST_PX = 1e9  # ours: the area of a larger box is no number to reckon with
LARGEST = 10_000_000  # ours: 92 hours at 30 frames a second; a larger frame or track number is a broken file


@dataclass(frozen=True, slots=True)
class MotRow:
    """One box of one track on one frame.

    Attributes:
        frame: from 1.
        box_xyxy: corners in the numbers of the file, x + w and y + h; no pixel is added or taken away.
        confidence, class_number, visibility: `None` where the row does not say.
        line: where it stands in the file, from 1; 0 for rows that were not read.
    """

    frame: int
    number: int
    box_xyxy: tuple[float, float, float, float]
    confidence: float | None = None
    class_number: int | None = None
    visibility: float | None = None
    line: int = 0

    @property
    def considered(self) -> bool:
        """False for a truth row that is marked 0."""
        return self.confidence != 0


def iterate_rows(file: Path, *, detections: bool = False) -> Iterator[MotRow]:
    """The rows of a file, in its order.

    Args:
        detections: rows may have the track number -1.

    Raises:
        FormatError: something is malformed; the message names file and line.
    """
    seen: set[tuple[int, int]] = set()
    for line, text in enumerate(read_text(file).splitlines(), start=1):
        if not text.strip():
            continue
        row = _row(_values(text, file, line), file, line)
        if row.number < 0 and not detections:
            raise FormatError(f"{file}:{line}: track id {row.number}; these are detections without tracks")
        key = (row.frame, row.number)
        if row.considered and row.number >= 0:
            if key in seen:
                raise FormatError(f"{file}:{line}: track {row.number} has a second box on frame {row.frame}")
            seen.add(key)
        yield row


def write_rows(file: Path, rows: Iterable[MotRow]) -> Path:
    """Write rows sorted by frame and track, with nine numbers each where class or visibility is known, else seven.

    Boxes thinner than `LEAST_SIDE` are written with it, so that what is written can be read.
    """
    listed = sorted(rows, key=lambda row: (row.frame, row.number))
    classed = any(row.class_number is not None or row.visibility is not None for row in listed)
    lines = []
    for row in listed:
        x1, y1, x2, y2 = row.box_xyxy
        sides = max(x2 - x1, LEAST_SIDE), max(y2 - y1, LEAST_SIDE)
        values = [x1, y1, *sides, 1.0 if row.confidence is None else row.confidence]
        if classed:
            # -1 is the format's own word for "unknown" in the class column; a visibility defaults to whole.
            values += [-1 if row.class_number is None else row.class_number]
            values += [1.0 if row.visibility is None else row.visibility]
        lines.append(f"{row.frame},{row.number}," + ",".join(map(number_text, values)) + "\n")
    return write_text(file, "".join(lines))


def read_header(file: Path) -> dict[str, str]:
    """The `[Sequence]` section of `seqinfo.ini`, keys in lower case; empty when there is no file.

    Raises:
        FormatError: not an INI file, or without that section.
    """
    if not file.is_file():
        return {}
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(read_text(file), str(file))
    except configparser.Error as error:
        raise FormatError(f"{file}: {' '.join(str(error).split())}") from error
    for section in parser.sections():
        if section.casefold() == "sequence":
            return {key.casefold(): value.strip() for key, value in parser[section].items() if value.strip()}
    raise FormatError(f"{file}: expected a section `[Sequence]`")


def header_number(header: dict[str, str], key: str, folder: Path) -> float | None:
    """A number above 0 of the header; `None` where it does not say."""
    text = header.get(key.casefold())
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise FormatError(f"{folder / 'seqinfo.ini'}: `{key}` is `{text}`, expected a number") from error
    if not (math.isfinite(value) and value > 0):
        raise FormatError(f"{folder / 'seqinfo.ini'}: `{key}` is `{text}`, expected a number above 0")
    return value


def picture_folder(header: dict[str, str], folder: Path, within: Path, remedy: str) -> Path:
    """Where the pictures of a sequence folder lie, or would: `imDir` of its header, else `img1`.

    Args:
        within: the folder that they may not lie outside of, by `..`, from the root or over a link.
        remedy: what to do otherwise, for the message.

    Raises:
        FormatError: they do.
    """
    where = f"{folder / 'seqinfo.ini'}: `imDir`"
    named = portable_name(header.get("imdir", "img1"))
    if named is None:
        raise FormatError(f"{where} is `{header['imdir']}`, expected a folder inside `{within}`; {remedy}")
    pictures = folder / named
    if os.path.isdir(pictures):  # where nothing is, there is nothing to keep out
        check_inside([pictures], [within], where, remedy)
    return pictures


def is_sequence(folder: Path) -> bool:
    """Whether a folder is laid out like a MOTChallenge sequence."""
    return (folder / "seqinfo.ini").is_file() or (folder / "gt" / "gt.txt").is_file()


def whole(value: float, what: str, file: Path, line: int) -> int:
    """`value` as a whole number of sane size.

    Raises:
        FormatError: it is none; the message names `what`, file and line.
    """
    if not abs(value) <= LARGEST or value != int(value):
        raise FormatError(f"{file}:{line}: {what} `{value:g}` is not a whole number of sane size")
    return int(value)


def _row(values: list[float], file: Path, line: int) -> MotRow:
    frame, number = whole(values[0], "frame", file, line), whole(values[1], "track id", file, line)
    if frame < 1:
        raise FormatError(f"{file}:{line}: frame {frame}; frames count from 1")
    x, y, w, h = values[2:6]
    if w <= 0 or h <= 0:
        raise FormatError(f"{file}:{line}: box of width {w:g} and height {h:g}; both must be above 0")
    if max(abs(x), abs(y), w, h) > LARGEST_PX:
        raise FormatError(f"{file}:{line}: a box of {w:g}x{h:g} at {x:g},{y:g}; pixels go up to {LARGEST_PX:g}")
    classed = len(values) in (8, 9)
    return MotRow(
        frame,
        number,
        (x, y, x + w, y + h),
        values[6] if len(values) > 6 else None,
        whole(values[7], "class", file, line) if classed else None,
        values[8] if len(values) == 9 else None,
        line,
    )


def _values(text: str, file: Path, line: int) -> list[float]:
    parts = [p for p in re.split(r"[,;\s]+", text.strip()) if p]
    if len(parts) < 6:
        raise FormatError(f"{file}:{line}: expected at least 6 numbers (frame, id, x, y, w, h), got {len(parts)}")
    try:
        values = [float(p) for p in parts]
    except ValueError as error:
        raise FormatError(f"{file}:{line}: {error}; expected numbers only") from error
    if not all(map(math.isfinite, values)):
        raise FormatError(f"{file}:{line}: every number must be finite")
    return values
