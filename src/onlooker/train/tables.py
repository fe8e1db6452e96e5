"""Tables of one's own pictures and clips: which file shows what, and whether it is for training or for the test.

Three forms are read. A folder with a folder of files per class; with `train` and `test` above the classes, these name
the split. A `.csv` with a header: `file`, and `label` or `text` or both, and `split` if wished. JSON lines with
"video", "image" or "images" (the pictures of one clip, in order), and the same names otherwise. Paths are relative to
the table.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from onlooker.errors import ConfigError, FormatError, UnknownNameError
from onlooker.media.images import PICTURE_SUFFIXES

Split = Literal["train", "test"]
_SPLITS: Mapping[str, Split] = {"train": "train", "test": "test", "val": "test", "validation": "test"}
_COLUMNS = ("file", "label", "text", "split")
_KEYS = ("video", "image", "images", "label", "text", "split")


@dataclass(frozen=True, slots=True)
class TableRow:
    """A picture or a clip.

    Attributes:
        files: one picture or video, or the pictures of a clip in order.
        label, text: name of its class, and what is to be seen; at least one of them.
        split: where the table says it.
        where: place in the table, for messages.
    """

    files: tuple[Path, ...]
    label: str | None
    text: str | None
    split: Split | None
    where: str

    @property
    def is_picture(self) -> bool:
        """One picture, no clip."""
        return len(self.files) == 1 and self.files[0].suffix.lower() in PICTURE_SUFFIXES


def read_table(path: str | Path) -> tuple[TableRow, ...]:
    """Every row, in the order of the table; of a folder, by name.

    Raises:
        FormatError: no table, none with such an ending, an empty one, a row without file or without label and text, a
            file that is not there, or a split named in some rows only.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        rows = tuple(_folder_rows(path))
    elif not path.is_file():
        raise FormatError(f"there is no table at `{path}`; give a folder of classes, a `.csv` or a `.jsonl`")
    elif path.suffix.lower() in (".csv", ".jsonl"):
        rows = tuple(_csv_rows(path) if path.suffix.lower() == ".csv" else _json_rows(path))
    else:
        raise FormatError(f"`{path}` is no table: expected a folder of classes, a `.csv` or a `.jsonl`")
    if not rows:
        raise FormatError(f"the table `{path}` is empty; it needs a row per picture or clip")
    _check_files(rows)
    unsaid = next((row for row in rows if row.split is None), None)
    if unsaid is not None and any(row.split is not None for row in rows):
        raise FormatError(f"{unsaid.where} names no split, other rows do; name it in all rows or in none")
    return rows


def split_rows(rows: Sequence[TableRow], held_out: float, seed: int) -> Mapping[Split, tuple[TableRow, ...]]:
    """Rows for training and for the test: as the table says, or a share of every class that seed and file names draw.

    Args:
        rows: of one table.
        held_out: share for the test, in (0, 1), where the table names no split; at least one of every class.
        seed: of that draw, which does not depend on the order of the rows.

    Raises:
        ConfigError: the share is out of range.
        FormatError: a split is empty, or a class has one row only.
    """
    if not 0 < held_out < 1:
        raise ConfigError(f"`held_out` is a share above 0 and below 1, got {held_out}")
    found: dict[Split, list[TableRow]] = {"train": [], "test": []}
    if rows and rows[0].split is not None:
        for row in rows:
            found[row.split or "train"].append(row)
    else:
        for label, group in _by_label(rows).items():
            if len(group) < 2:
                what = "the table" if label is None else f"the class `{label}`"
                raise FormatError(f"{group[0].where}: {what} has one row; training and test need one each")
            drawn = sorted(group, key=lambda row: _draw(row, seed))
            n_test = min(max(round(held_out * len(group)), 1), len(group) - 1)
            found["test"] += drawn[:n_test]
            found["train"] += drawn[n_test:]
    for split, chosen in found.items():
        if not chosen:
            raise FormatError(f"the table has no rows for the split `{split}`")
    return {split: tuple(chosen) for split, chosen in found.items()}


def class_names(splits: Mapping[Split, Sequence[TableRow]]) -> tuple[str, ...]:
    """Labels of the training rows in alphabetical order; empty where none has a label.

    Raises:
        FormatError: a class of the test is not among them; the message names the nearest.
    """
    names = sorted({row.label for row in splits["train"] if row.label is not None})
    for row in splits["test"]:
        if row.label is not None and row.label not in names:
            raise FormatError(f"{row.where}: {UnknownNameError('class of the training rows', row.label, names)}")
    return tuple(names)


def fingerprint_rows(rows: Iterable[TableRow]) -> str:
    """Digest of what the rows say and how large their files are; contents are not read."""
    digest = hashlib.sha256()
    for row in rows:
        files = [(file.name, file.stat().st_size) for file in row.files]
        digest.update(json.dumps([files, row.label, row.text, row.split]).encode())
    return digest.hexdigest()[:16]


def _folder_rows(folder: Path) -> Iterator[TableRow]:
    inner = _folders(folder)
    named = {part.name for part in inner}
    if "train" in named and named <= set(_SPLITS):
        for part in inner:
            yield from _class_rows(part, _SPLITS[part.name])
    else:
        yield from _class_rows(folder, None)


def _class_rows(folder: Path, split: Split | None) -> Iterator[TableRow]:
    for part in _folders(folder):
        for file in sorted(part.iterdir()):
            if file.is_file() and not file.name.startswith("."):
                yield TableRow((file,), part.name, None, split, f"`{file}`")


def _folders(folder: Path) -> list[Path]:
    return sorted(part for part in folder.iterdir() if part.is_dir() and not part.name.startswith("."))


def _csv_rows(path: Path) -> Iterator[TableRow]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            reader = csv.DictReader(file, strict=True)
            columns = reader.fieldnames or ()
            if "file" not in columns or not {"label", "text"} & set(columns):
                raise FormatError(f"{path}: the header needs `file` and `label` or `text`, got {', '.join(columns)}")
            unknown = next((name for name in columns if name not in _COLUMNS), None)
            if unknown is not None:
                raise FormatError(f"{path}: {UnknownNameError('column', unknown, _COLUMNS)}")
            for line in reader:
                where = f"{path}, line {reader.line_num}"
                if None in line:
                    raise FormatError(f"{where} has more cells than the header; put text with commas in quotes")
                yield _row([line["file"]], line.get("label"), line.get("text"), line.get("split"), where, path)
        except (csv.Error, UnicodeDecodeError) as error:
            raise FormatError(f"{path} is no readable CSV: {error}") from error


def _json_rows(path: Path) -> Iterator[TableRow]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is no readable text: {error}") from error
    for number, line in enumerate(lines, 1):
        where = f"{path}, line {number}"
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise FormatError(f"{where} is no JSON: {error}") from error
        given = [row[key] for key in ("video", "image", "images") if key in row] if isinstance(row, dict) else []
        if len(given) != 1:
            raise FormatError(f'{where} needs "video", "image" or "images", one of them, got `{line[:80]}`')
        unknown = next((key for key in row if key not in _KEYS), None)
        if unknown is not None:
            raise FormatError(f"{where}: {UnknownNameError('key', unknown, _KEYS)}")
        files = given[0] if isinstance(given[0], list) else [given[0]]
        yield _row(files, row.get("label"), row.get("text"), row.get("split"), where, path)


def _row(files: Sequence[object], label: object, text: object, split: object, where: str, table: Path) -> TableRow:
    names = [file for file in files if isinstance(file, str) and file]
    if not names or len(names) < len(files):
        raise FormatError(f"{where}: a file is a path, got {list(files)!r}")
    for name, value in (("label", label), ("text", text), ("split", split)):
        if value is not None and not isinstance(value, str):
            raise FormatError(f"{where}: `{name}` is text, got {value!r}")
    said = [value.strip() or None if isinstance(value, str) else None for value in (label, text, split)]
    if said[0] is None and said[1] is None:
        raise FormatError(f"{where}: `{names[0]}` has neither `label` nor `text`")
    if said[2] is not None and said[2] not in _SPLITS:
        raise FormatError(f"{where}: {UnknownNameError('split', said[2], _SPLITS)}")
    places = tuple(table.parent / name for name in names)
    return TableRow(places, said[0], said[1], None if said[2] is None else _SPLITS[said[2]], where)


def _check_files(rows: Sequence[TableRow]) -> None:
    for row in rows:
        absent = next((file for file in row.files if not file.is_file()), None)
        if absent is not None:
            raise FormatError(f"{row.where}: there is no file `{absent}`; paths are relative to the table")


def _by_label(rows: Sequence[TableRow]) -> Mapping[str | None, list[TableRow]]:
    groups: defaultdict[str | None, list[TableRow]] = defaultdict(list)
    for row in rows:
        groups[row.label].append(row)
    return groups


def _draw(row: TableRow, seed: int) -> str:
    """Where a row stands in the draw. Its folder and file name count, so a table that moved draws the same."""
    name = "/".join(row.files[0].parts[-2:])
    return hashlib.sha256(f"{seed} {name} {row.label} {row.text}".encode()).hexdigest()
