"""Reads a MOTChallenge sequence folder: `seqinfo.ini`, `gt/gt.txt` or a result file, `img1/`, `tracks.json`.

Rows are `frame, id, x, y, w, h, conf, ...`: frames from 1; the seventh number 0 means "not to be considered". With nine
numbers the last two are class and visibility (MOT16, MOT17, MOT20); with ten they are world coordinates (MOT15 and
results), and every track is a person. `tracks.json` names categories by track and overrules the class column.
"""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from onlooker.errors import ConfigError, FormatError
from onlooker.formats.files import check_inside, is_whole_text, read_text, visible
from onlooker.formats.json_node import Node
from onlooker.formats.mot import (
    LARGEST,
    MOT_CLASSES,
    NO_OBJECTS,
    header_number,
    is_sequence,
    iterate_rows,
    picture_folder,
    read_header,
    whole,
)
from onlooker.media.images import natural_key
from onlooker.types import VideoInfo
from onlooker.video.exchange.annotated import AnnotatedTrack, AnnotatedVideo, ImportReport, land
from onlooker.video.store.store import Store
from onlooker.video.store.videos import content_hash

_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
_UNNAMED = "object"
_REMEDY = "if it is meant, give the folder of the pictures as `pictures`"


@dataclass(frozen=True, slots=True)
class _Pictures:
    """Where pictures may lie: `own` is the folder of them that the user named, `within` the folder to import."""

    within: Path
    own: Path | None


@dataclass(slots=True)
class _Rows:
    """Rows of one track as they are read."""

    frames: list[int] = field(default_factory=list)
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    classes: list[int | None] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def import_mot(
    store: Store, folder: str | Path, name: str | None = None, pictures: str | Path | None = None
) -> ImportReport:
    """Import a MOTChallenge sequence folder, or every sequence folder directly inside `folder`.

    Args:
        folder: the sequence.
        name: what to call the video; by default the name in `seqinfo.ini`, else the folder's.
        pictures: the folder of the pictures of a single sequence; by default what `seqinfo.ini` says, else `img1`,
            which has to lie inside `folder`.

    Raises:
        FormatError: something is malformed, or pictures lie outside; the message names file and line. Nothing was
            written.
        ConfigError: one folder of pictures for several sequences.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FormatError(f"{folder}: expected a MOTChallenge sequence folder (with `seqinfo.ini` and `gt/gt.txt`)")
    sequences = [folder] if is_sequence(folder) else [f for f in visible(folder.iterdir()) if is_sequence(f)]
    if not sequences:
        raise FormatError(f"{folder}: holds neither `seqinfo.ini` nor `gt/gt.txt`, and no folder in it does")
    notes: list[str] = []
    several = len(sequences) > 1
    if several and pictures is not None:
        raise ConfigError(
            f"`{folder}` holds {len(sequences)} sequences; `pictures` is the folder of one, import it alone"
        )
    place = _Pictures(folder, None if pictures is None else Path(pictures))
    videos = [read_mot(sequence, None if several else name, notes, place) for sequence in sequences]
    return land(store, videos, notes)


def read_mot(folder: Path, name: str | None, notes: list[str], place: _Pictures | None = None) -> AnnotatedVideo:
    """One sequence folder as values; `notes` gets remarks on what was left out or assumed. Pictures lie in `place`, by
    default in the folder itself."""
    place = place or _Pictures(folder, None)
    header = read_header(folder / "seqinfo.ini")
    categories, listed_fps = _read_categories(folder / "tracks.json")
    truth = _truth_file(folder)
    rows, n_ignored = _read_rows(truth)
    tracks = _tracks(rows, categories, truth, notes)
    if n_ignored:
        notes.append(f"{truth}: {n_ignored} rows marked 0 were left out")
    fps = header_number(header, "frameRate", folder) or listed_fps
    if not fps:
        raise FormatError(f"{folder / 'seqinfo.ini'}: needs `frameRate=` under `[Sequence]`: times come from it")
    pictures = _pictures(header, folder, place)
    n_frames = _frame_count(header, pictures, tracks, folder)
    width, height = _size(header, pictures, tracks, folder, notes)
    frames = _times(folder / "times.csv", tracks) or tuple((index, index / fps) for index in range(n_frames))
    listed = {index for index, _ in frames}
    pictures = {index: file for index, file in pictures.items() if index in listed}
    companions = (folder / "seqinfo.ini", folder / "tracks.json", folder / "times.csv", truth.with_name("labels.txt"))
    marks = [truth, *(f for f in companions if f.is_file())]
    info = VideoInfo(
        path=str(folder.resolve()),
        width=width,
        height=height,
        fps=fps,
        duration_s=header_number(header, "duration", folder) or n_frames / fps,
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
        interval_s=header_number(header, "frameInterval", folder) or 1 / fps,
        tracks=tracks,
        pictures=pictures,
    )


def _read_categories(file: Path) -> tuple[dict[int, str] | None, float | None]:
    """(category by track number, frame rate) of `tracks.json`; `None` where it does not say."""
    if not file.is_file():
        return None, None
    content = Node.read(file).value
    listed = content.get("categories") if isinstance(content, dict) else None
    if not (isinstance(content, dict) and isinstance(listed, dict)):
        raise FormatError(f'{file}: expected {{"categories": {{"1": "bird", ...}}}}')
    categories: dict[int, str] = {}
    for key, value in listed.items():
        named = isinstance(value, str) and bool(value.strip()) and is_whole_text(value)
        if not (named and re.fullmatch(r"\d{1,18}", key.strip())):
            raise FormatError(f"{file}: expected track number: category, got `{key[:60]}`: {json.dumps(value)[:60]}")
        categories[int(key)] = value.strip()
    try:
        fps = Node(content.get("fps"), str(file)).number()
    except FormatError:  # others may mean something else by it
        return categories, None
    return categories, fps if fps > 0 else None


def _truth_file(folder: Path) -> Path:
    truth = folder / "gt" / "gt.txt"
    if truth.is_file():
        return truth
    own = folder / f"{folder.resolve().name}.txt"
    results = [own] if own.is_file() else visible(folder.glob("*.txt"))
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
    n_ignored = 0
    for row in iterate_rows(file):
        if not row.considered:
            n_ignored += 1
            continue
        rows = tracks.setdefault(row.number, _Rows())
        rows.frames.append(row.frame - 1)
        rows.boxes.append(row.box_xyxy)
        # Results carry -1 or a detector's own scale here; a score is a probability, so both ends are cut.
        rows.scores.append(min(row.confidence, 1.0) if row.confidence is not None and row.confidence > 0 else 1.0)
        rows.classes.append(row.class_number)
        rows.lines.append(row.line)
    return tracks, n_ignored


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
            objects = [i for i in keep if labels or track.classes[i] not in NO_OBJECTS]
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
        if not labels[most - 1]:
            raise FormatError(f"{file}:{line}: class {most}, but line {most} of `labels.txt` is blank")
        return labels[most - 1]
    return MOT_CLASSES.get(most, f"class {most}")


def _read_labels(file: Path) -> tuple[str, ...]:
    """Names of the classes from 1, one a line (CVAT's companion of `gt.txt`); empty when there is no file."""
    if not file.is_file():
        return ()
    # A blank line has its number, too: the classes after it would move up.
    return tuple(line.strip() for line in read_text(file).rstrip().splitlines())


def _pictures(header: dict[str, str], sequence: Path, place: _Pictures) -> dict[int, Path]:
    """Picture file by frame index: by the number in its name where all names are numbers from 1, else by order.

    Raises:
        FormatError: they lie outside of the folder that was given, or the folder given for them holds none.
    """
    folder = place.own or picture_folder(header, sequence, place.within, _REMEDY)
    found = visible(folder.iterdir()) if os.path.isdir(folder) else []
    files = sorted(filter(_is_picture, found), key=natural_key)  # the order in which `show` takes them, too
    if not files and place.own is not None:
        raise FormatError(f"{folder}: holds no pictures ({', '.join(sorted(_PICTURES))}); name the folder that does")
    check_inside(files, [place.own or place.within], str(folder), _REMEDY)
    numbered = {int(f.stem): f for f in files if f.stem.isdecimal()}
    # A name of more digits is a time and no number of a frame; there is no such number of frames.
    if len(numbered) == len(files) and 1 <= min(numbered, default=0) <= max(numbered) <= LARGEST:
        return {number - 1: file for number, file in numbered.items()}
    return dict(enumerate(files))


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in _PICTURES and file.is_file()  # an archive may hold a pipe of that name


def _times(file: Path, tracks: tuple[AnnotatedTrack, ...]) -> tuple[tuple[int, float], ...]:
    """(frame index, seconds) of `times.csv`, which our exporter writes because rates may be uneven; else empty."""
    if not file.is_file():
        return ()
    found: list[tuple[int, float]] = []
    for line, text in enumerate(read_text(file).splitlines()[1:], start=2):
        try:
            number, seconds = (float(part) for part in text.split(","))
        except ValueError as error:
            raise FormatError(f"{file}:{line}: expected `frame,seconds`, got `{text}`") from error
        frame = whole(number, "frame", file, line) - 1
        later = not found or (frame > found[-1][0] and seconds > found[-1][1])
        if frame < 0 or not math.isfinite(seconds) or not later:
            raise FormatError(f"{file}:{line}: frames count from 1, and frames and seconds increase")
        found.append((frame, seconds))
    listed = {frame for frame, _ in found}
    for track in tracks if found else ():
        missing = next((frame for frame in track.frames.tolist() if frame not in listed), None)
        if missing is not None:
            raise FormatError(f"{file}: lacks frame {missing + 1}, on which track {track.number} has a box")
    return tuple(found)


def _frame_count(
    header: dict[str, str], pictures: dict[int, Path], tracks: tuple[AnnotatedTrack, ...], folder: Path
) -> int:
    last_box = max((int(track.frames[-1]) + 1 for track in tracks), default=0)
    if pictures:
        return max(max(pictures) + 1, last_box)
    length = header_number(header, "seqLength", folder) or 0
    if length > LARGEST:
        raise FormatError(f"{folder / 'seqinfo.ini'}: a sequence of {length:g} frames; it has {LARGEST} at most")
    n_frames = max(int(length), last_box)
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
    width, height = header_number(header, "imWidth", folder), header_number(header, "imHeight", folder)
    if width and height:
        if not 1 <= min(width, height) <= max(width, height) <= LARGEST:
            raise FormatError(f"{folder / 'seqinfo.ini'}: a picture of {width:g}x{height:g} pixels")
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
    from PIL import Image

    try:
        with Image.open(file) as image:
            return int(image.width), int(image.height)
    except (OSError, Image.DecompressionBombError, SyntaxError, ValueError) as error:
        raise FormatError(f"{file}: not a readable picture ({error})") from error
