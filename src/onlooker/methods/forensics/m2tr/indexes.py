"""Index files of face forgery data: a line per picture, its path and its labels, as the official code reads them.

FaceForensics++, Celeb-DF and SR-DF: "relative/path label"; ForgeryNet: "relative/path binary three sixteen", real or
fake, real or identity replaced or identity kept, real or one of fifteen generators. 0 is real everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from onlooker.errors import FormatError

Layout = Literal["faceforensics", "celeb_df", "sr_df", "forgerynet"]
Labels = Literal["binary", "three", "sixteen"]
_N_CLASSES = {"binary": 2, "three": 3, "sixteen": 16}
_COLUMNS: tuple[Labels, ...] = ("binary", "three", "sixteen")
_SR_DF_KINDS = ("fsgan", "faceshifter", "first-order-motion", "icface")


@dataclass(frozen=True, slots=True)
class FaceRow:
    """A picture of a face.

    Attributes:
        file: where it is.
        label: class number, 0 real.
        mask: picture of what was changed; `None` for real ones and where there is no such file.
        video: folder of the frames it belongs to, as the index writes it: what must not be in two splits.
        kind: generator, where the path tells.
        where: place in the index, for messages.
    """

    file: Path
    label: int
    mask: Path | None
    video: str
    kind: str | None
    where: str


def read_index(path: str | Path, root: str | Path, layout: Layout, labels: Labels = "binary") -> tuple[FaceRow, ...]:
    """Every row of an index.

    Args:
        path: the index, UTF-8 text; empty lines are skipped.
        root: folder that paths in it are relative to.
        layout: whose index.
        labels: which of ForgeryNet's three; the others have "binary" alone.

    Raises:
        FormatError: no such file, an empty one, a line of another form, a label out of range, labels that contradict
            each other, or a picture that is not there. The message says where.
    """
    path, root = Path(path).expanduser(), Path(root).expanduser()
    if layout != "forgerynet" and labels != "binary":
        raise FormatError(f"an index of `{layout}` has binary labels, not `{labels}`; that is ForgeryNet's")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"the index `{path}` cannot be read: {error}") from error
    rows = tuple(
        _row(line, f"{path}, line {number}", root, layout, labels)
        for number, line in enumerate(lines, 1)
        if line.strip()
    )
    if not rows:
        raise FormatError(f"the index `{path}` is empty; it needs a line per picture")
    return rows


def n_classes(labels: Labels) -> int:
    """Classes of a column of labels."""
    return _N_CLASSES[labels]


def check_disjoint(train: Sequence[FaceRow], test: Sequence[FaceRow], layout: Layout) -> None:
    """Refuses splits that share a video; of FaceForensics++ also a person, as its fakes name both ("033_097").

    Raises:
        FormatError: they do; the message names one and where it is.
    """
    known = {source: row for row in reversed(train) for source in _sources(row, layout)}  # the first row of each
    for row in test:
        shared = next((source for source in _sources(row, layout) if source in known), None)
        if shared is not None:
            raise FormatError(
                f"{row.where} shows `{shared}`, and so does {known[shared].where}: frames of one source in both splits "
                "make the test measure memory; split by source"
            )


def _sources(row: FaceRow, layout: Layout) -> Iterator[str]:
    name = row.video.rpartition("/")[2]
    if layout == "faceforensics" and name.replace("_", "").isdigit():
        yield from name.split("_")
    else:
        yield row.video


def _row(line: str, where: str, root: Path, layout: Layout, labels: Labels) -> FaceRow:
    n_labels = 3 if layout == "forgerynet" else 1
    parts = line.rsplit(maxsplit=n_labels)  # paths may hold blanks
    if len(parts) == n_labels + 1 and parts[0].isdigit() and not parts[-1].isdigit():
        raise FormatError(
            f"{where} begins with its label; in such lists of Celeb-DF 1 is real. Write `path label` with 0 for real"
        )
    if len(parts) != n_labels + 1 or not all(part.isdigit() for part in parts[1:]):
        wanted = "path binary three sixteen" if n_labels == 3 else "path label"
        raise FormatError(f"{where} is `{line.strip()[:80]}`; expected `{wanted}` with whole numbers")
    numbers = dict(zip(_COLUMNS, map(int, parts[1:]), strict=False))
    for column, number in numbers.items():
        if number >= _N_CLASSES[column]:
            raise FormatError(f"{where}: a {column} label is 0 to {_N_CLASSES[column] - 1}, got {number}")
    label = numbers[labels]
    if (label == 0) != (numbers["binary"] == 0):
        raise FormatError(f"{where}: labels contradict each other, 0 is real in all of them, got {numbers}")
    relative = parts[0].lstrip("/")
    file = root / relative
    if not file.is_file():
        raise FormatError(f"{where}: there is no picture at `{file}`")
    return FaceRow(file, label, _mask_of(file, label), relative.rpartition("/")[0] or relative, _kind(relative), where)


def _mask_of(file: Path, label: int) -> Path | None:
    """FaceForensics++ keeps masks in a tree beside the pictures', `masks` instead of `images`."""
    if label == 0 or "images" not in file.parts:
        return None
    place = len(file.parts) - 1 - file.parts[::-1].index("images")
    found = Path(*file.parts[:place], "masks", *file.parts[place + 1 :])
    return next((mask for mask in (found, found.with_suffix(".png")) if mask.is_file()), None)


def _kind(relative: str) -> str | None:
    """SR-DF's four generators, by the name of a folder; of other data nothing is guessed."""
    folders = [part.lower() for part in relative.split("/")[:-1]]
    return next((kind for kind in _SR_DF_KINDS if kind in folders), None)
