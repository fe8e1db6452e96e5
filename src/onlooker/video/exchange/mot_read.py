"""Reads a MOTChallenge sequence folder: `seqinfo.ini`, `gt/gt.txt` or a result file, `img1/`, `tracks.json`.

Rows are `frame, id, x, y, w, h, conf, ...`: frames from 1; the seventh number 0 means "not to be considered". With nine
numbers the last two are class and visibility (MOT16, MOT17, MOT20); with ten they are world coordinates (MOT15 and
results), and every track is a person. `tracks.json` names categories by track and overrules the class column.
"""

from __future__ import annotations

import configparser
import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from onlooker.errors import FormatError
from onlooker.types import VideoInfo
from onlooker.video.exchange.annotated import AnnotatedTrack, AnnotatedVideo, ImportReport, land
from onlooker.video.store.store import Store
from onlooker.video.store.videos import content_hash

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
_NO_OBJECTS = frozenset(range(8, 14))
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
_UNNAMED = "object"
_LARGEST = 10_000_000  # ours: 92 hours at 30 frames a second; a larger frame or track number is a broken file


@dataclass(slots=True)
class _Rows:
    """Rows of one track as they are read."""

    frames: list[int] = field(default_factory=list)
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    classes: list[int | None] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def import_mot(store: Store, folder: str | Path, name: str | None = None) -> ImportReport:
    """Import a MOTChallenge sequence folder, or every sequence folder directly inside `folder`.

    Args:
        folder: the sequence.
        name: what to call the video; by default the name in `seqinfo.ini`, else the folder's.

    Raises:
        FormatError: something is malformed; the message names file and line. Nothing was written.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FormatError(f"{folder}: expected a MOTChallenge sequence folder (with `seqinfo.ini` and `gt/gt.txt`)")
    sequences = [folder] if _is_sequence(folder) else sorted(f for f in folder.iterdir() if _is_sequence(f))
    if not sequences:
        raise FormatError(f"{folder}: holds neither `seqinfo.ini` nor `gt/gt.txt`, and no folder in it does")
    notes: list[str] = []
    several = len(sequences) > 1
    videos = [read_mot(sequence, None if several else name, notes) for sequence in sequences]
    return land(store, videos, notes)


def _is_sequence(folder: Path) -> bool:
    return (folder / "seqinfo.ini").is_file() or (folder / "gt" / "gt.txt").is_file()


def read_mot(folder: Path, name: str | None, notes: list[str]) -> AnnotatedVideo:
    """One sequence folder as values; `notes` gets remarks on what was left out or assumed."""
    header = _read_header(folder / "seqinfo.ini")
    categories, listed_fps = _read_categories(folder / "tracks.json")
    truth = _truth_file(folder)
    rows, n_ignored = _read_rows(truth)
    tracks = _tracks(rows, categories, truth, notes)
    if n_ignored:
        notes.append(f"{truth}: {n_ignored} rows marked 0 were left out")
    fps = _number(header, "frameRate", folder) or listed_fps
    if not fps:
        raise FormatError(f"{folder / 'seqinfo.ini'}: needs `frameRate=` under `[Sequence]`: times come from it")
    pictures = _pictures(folder / header.get("imdir", "img1"))
    n_frames = _frame_count(header, pictures, tracks, folder)
    width, height = _size(header, pictures, tracks, folder, notes)
    frames = _times(folder / "times.csv") or tuple((index, index / fps) for index in range(n_frames))
    companions = (folder / "seqinfo.ini", folder / "tracks.json", folder / "times.csv", truth.with_name("labels.txt"))
    marks = [truth, *(f for f in companions if f.is_file())]
    info = VideoInfo(
        path=str(folder.resolve()),
        width=width,
        height=height,
        fps=fps,
        duration_s=_number(header, "duration", folder) or n_frames / fps,
        n_frames=n_frames,
        has_audio=False,
        codec="pictures" if pictures else "boxes",
        container="mot",
        pixel_format="rgb24",
    )
    return AnnotatedVideo(
        name=name or header.get("name") or folder.resolve().name,
        info=info,
        sha256=content_hash(folder, marks),
        source="mot",
        frames=frames,
        interval_s=_number(header, "frameInterval", folder) or 1 / fps,
        tracks=tracks,
        pictures=pictures,
    )


def read_text(file: Path) -> str:
    """A whole text file.

    Raises:
        FormatError: it is missing, unreadable or not UTF-8 text.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise FormatError(f"{file}: does not exist") from error
    except UnicodeDecodeError as error:
        raise FormatError(f"{file}: not a text file (byte {error.start} is not UTF-8)") from error
    except OSError as error:
        raise FormatError(f"{file}: cannot be read ({error.strerror})") from error


def _read_header(file: Path) -> dict[str, str]:
    """The `[Sequence]` section, keys in lower case; empty when there is no file."""
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


def _number(header: dict[str, str], key: str, folder: Path) -> float | None:
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


def _read_categories(file: Path) -> tuple[dict[int, str] | None, float | None]:
    """(category by track number, frame rate) of `tracks.json`; `None` where it does not say."""
    if not file.is_file():
        return None, None
    try:
        content = json.loads(read_text(file))
    except json.JSONDecodeError as error:
        raise FormatError(f"{file}:{error.lineno}: {error.msg}") from error
    except RecursionError as error:
        raise FormatError(f"{file}: brackets are nested too deeply") from error
    listed = content.get("categories") if isinstance(content, dict) else None
    if not isinstance(listed, dict):
        raise FormatError(f'{file}: expected {{"categories": {{"1": "bird", ...}}}}')
    categories: dict[int, str] = {}
    for key, value in listed.items():
        if not (isinstance(value, str) and value.strip() and re.fullmatch(r"\d+", key.strip())):
            raise FormatError(f"{file}: expected track number: category, got `{key}`: {json.dumps(value)}")
        categories[int(key)] = value.strip()
    fps = content.get("fps")
    usable = isinstance(fps, (int, float)) and not isinstance(fps, bool) and math.isfinite(fps) and fps > 0
    return categories, float(fps) if usable else None


def _truth_file(folder: Path) -> Path:
    truth = folder / "gt" / "gt.txt"
    if truth.is_file():
        return truth
    own = folder / f"{folder.resolve().name}.txt"
    results = [own] if own.is_file() else sorted(folder.glob("*.txt"))
    if len(results) == 1:
        return results[0]
    if results:
        raise FormatError(
            f"{folder}: no `gt/gt.txt`, and several result files: {', '.join(f.name for f in results[:5])}"
        )
    raise FormatError(f"{folder}: expected `gt/gt.txt` or one result file `*.txt`")


def _read_rows(file: Path) -> tuple[dict[int, _Rows], int]:
    """(rows by track number, rows marked 0)."""
    tracks: dict[int, _Rows] = {}
    seen: set[tuple[int, int]] = set()
    n_ignored = 0
    for line, text in enumerate(read_text(file).splitlines(), start=1):
        if not text.strip():
            continue
        values = _values(text, file, line)
        frame, number = _whole(values[0], "frame", file, line), _whole(values[1], "track id", file, line)
        if frame < 1:
            raise FormatError(f"{file}:{line}: frame {frame}; frames count from 1")
        if number < 0:
            raise FormatError(f"{file}:{line}: track id {number}; these are detections without tracks")
        x, y, w, h = values[2:6]
        if w <= 0 or h <= 0:
            raise FormatError(f"{file}:{line}: box of width {w:g} and height {h:g}; both must be above 0")
        if len(values) > 6 and values[6] == 0:
            n_ignored += 1
            continue
        if (frame, number) in seen:
            raise FormatError(f"{file}:{line}: track {number} has a second box on frame {frame}")
        seen.add((frame, number))
        rows = tracks.setdefault(number, _Rows())
        rows.frames.append(frame - 1)
        rows.boxes.append((x, y, x + w, y + h))
        # Results carry -1 or a detector's own scale here; a score is a probability, so both ends are cut.
        rows.scores.append(min(values[6], 1.0) if len(values) > 6 and values[6] > 0 else 1.0)
        rows.classes.append(_whole(values[7], "class", file, line) if len(values) in (8, 9) else None)
        rows.lines.append(line)
    return tracks, n_ignored


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


def _whole(value: float, what: str, file: Path, line: int) -> int:
    if value != int(value) or abs(value) > _LARGEST:
        raise FormatError(f"{file}:{line}: {what} `{value:g}` is not a whole number of sane size")
    return int(value)


def _tracks(
    rows: dict[int, _Rows], categories: dict[int, str] | None, file: Path, notes: list[str]
) -> tuple[AnnotatedTrack, ...]:
    labels = _read_labels(file.with_name("labels.txt"))
    tracks: list[AnnotatedTrack] = []
    unnamed: list[int] = []
    n_distractors = 0
    for number, track in sorted(rows.items()):
        keep = np.argsort(track.frames, kind="stable")
        if categories is not None:
            category = categories.get(number)
            if category is None:
                unnamed.append(number)
                category = _UNNAMED
        else:
            objects = [i for i in keep if labels or track.classes[i] not in _NO_OBJECTS]
            n_distractors += len(keep) - len(objects)
            if not objects:
                continue
            keep = np.array(objects)
            category = _category([track.classes[i] for i in objects], labels, file, track.lines[objects[0]])
        frames = np.array(track.frames, np.int64)[keep]
        boxes, scores = np.array(track.boxes, np.float64)[keep], np.array(track.scores, np.float64)[keep]
        tracks.append(AnnotatedTrack(number, category, frames, boxes, scores))
    if unnamed:
        shown = ", ".join(map(str, unnamed[:8]))
        notes.append(f"{file}: tracks without a category in `tracks.json` are called `{_UNNAMED}`: {shown}")
    if n_distractors:
        notes.append(f"{file}: {n_distractors} rows of distractors and occluders were left out")
    return tuple(tracks)


def _category(classes: list[int | None], labels: tuple[str, ...], file: Path, line: int) -> str:
    """The category most rows of a track name."""
    most = max(set(classes), key=classes.count)
    if most is None or most == -1:
        return "person"
    if labels:
        if not 1 <= most <= len(labels):
            raise FormatError(f"{file}:{line}: class {most}, but `labels.txt` has {len(labels)} lines")
        return labels[most - 1]
    return MOT_CLASSES.get(most, f"class {most}")


def _read_labels(file: Path) -> tuple[str, ...]:
    """Names of the classes from 1, one a line (CVAT's companion of `gt.txt`); empty when there is no file."""
    if not file.is_file():
        return ()
    return tuple(line.strip() for line in read_text(file).splitlines() if line.strip())


def _pictures(folder: Path) -> dict[int, Path]:
    """Picture file by frame index: by the number in its name where all names are numbers from 1, else by order."""
    if not folder.is_dir():
        return {}
    files = sorted(f for f in folder.iterdir() if f.suffix.lower() in _PICTURES)
    numbered = {int(f.stem): f for f in files if f.stem.isdigit()}
    if len(numbered) == len(files) and min(numbered, default=0) >= 1:
        return {number - 1: file for number, file in numbered.items()}
    return dict(enumerate(files))


def _times(file: Path) -> tuple[tuple[int, float], ...]:
    """(frame index, seconds) of `times.csv`, which our exporter writes because rates may be uneven; else empty."""
    if not file.is_file():
        return ()
    found: list[tuple[int, float]] = []
    for line, text in enumerate(read_text(file).splitlines()[1:], start=2):
        try:
            number, seconds = (float(part) for part in text.split(","))
        except ValueError as error:
            raise FormatError(f"{file}:{line}: expected `frame,seconds`, got `{text}`") from error
        frame = _whole(number, "frame", file, line) - 1
        if frame < 0 or not math.isfinite(seconds) or (found and (frame, seconds) <= found[-1]):
            raise FormatError(f"{file}:{line}: frames count from 1, and frames and seconds increase")
        found.append((frame, seconds))
    return tuple(found)


def _frame_count(
    header: dict[str, str], pictures: dict[int, Path], tracks: tuple[AnnotatedTrack, ...], folder: Path
) -> int:
    last_box = max((int(track.frames[-1]) + 1 for track in tracks), default=0)
    if pictures:
        return max(max(pictures) + 1, last_box)
    n_frames = max(min(int(_number(header, "seqLength", folder) or 0), _LARGEST), last_box)
    if not n_frames:
        raise FormatError(
            f"{folder}: no pictures, no boxes and no `seqLength`: how long the sequence is cannot be known"
        )
    return n_frames


def _size(
    header: dict[str, str],
    pictures: dict[int, Path],
    tracks: tuple[AnnotatedTrack, ...],
    folder: Path,
    notes: list[str],
) -> tuple[int, int]:
    width, height = _number(header, "imWidth", folder), _number(header, "imHeight", folder)
    if width and height:
        return int(width), int(height)
    if pictures:
        return picture_size(pictures[min(pictures)])
    if not tracks:
        raise FormatError(f"{folder / 'seqinfo.ini'}: needs `imWidth=` and `imHeight=`")
    corner = np.max([track.boxes_xyxy_px[:, 2:].max(axis=0) for track in tracks], axis=0)
    size = (max(1, math.ceil(corner[0])), max(1, math.ceil(corner[1])))
    notes.append(f"{folder}: no frame size given; {size[0]}x{size[1]} is taken, which holds every box")
    return size


def picture_size(file: Path) -> tuple[int, int]:
    """(width, height) of a picture file."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file) as image:
            return int(image.width), int(image.height)
    except (OSError, UnidentifiedImageError) as error:
        raise FormatError(f"{file}: not a readable picture ({error})") from error
