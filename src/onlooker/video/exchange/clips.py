"""Videos of a COCO-like JSON file while they are put together: what COCO-VID and YouTube-VIS share.

Neither format carries times in its standard form. Ours are read from `fps` of a video (or `time_s` of an image and
`times_s` of a video, which our exporters write); without them a rate has to be given, or is assumed and said so.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from onlooker.errors import FormatError
from onlooker.formats.files import check_inside, portable_name
from onlooker.formats.json_masks import categories_of
from onlooker.formats.json_node import Node
from onlooker.types import BoxXYXY, VideoInfo
from onlooker.video.exchange.annotated import AnnotatedTrack, AnnotatedVideo, ImportReport, land
from onlooker.video.store.store import Store

_PICTURE_FOLDERS = ("", "JPEGImages", "images", "img", "frames", "data", "train/JPEGImages", "valid/JPEGImages")
_REMEDY = "if it is meant, correct the names, or give the folder of the pictures as `pictures`"


@dataclass(slots=True)
class ClipBox:
    """One box of one track on one frame."""

    box: BoxXYXY
    score: float
    mask: bytes | None


@dataclass(slots=True)
class ClipTrack:
    """A track while its boxes are collected."""

    number: int
    category: str
    where: str
    boxes: dict[int, ClipBox] = field(default_factory=dict)


@dataclass(slots=True)
class Clip:
    """A video while its parts are collected. `frames` is (index, time or None, picture name or None)."""

    node: Node
    key: int
    size: tuple[int, int]
    frames: list[tuple[int, float | None, str | None]] = field(default_factory=list)
    tracks: dict[int, ClipTrack] = field(default_factory=dict)
    parts: list[object] = field(default_factory=list)

    def add(self, number: int, category: str, frame: int, box: ClipBox, where: str) -> None:
        if number < 0:
            raise FormatError(f"{where}: track number {number}; they count from 0, -1 is for detections without tracks")
        track = self.tracks.setdefault(number, ClipTrack(number, category, where))
        if track.category != category:
            raise FormatError(
                f"{where}: track {number} is a `{category}` here and a `{track.category}` at {track.where}"
            )
        if frame in track.boxes:
            raise FormatError(f"{where}: track {number} has a second box on this frame")
        track.boxes[frame] = box


@dataclass(frozen=True, slots=True)
class ClipFormat:
    """What the two formats differ in."""

    source: str
    fps: float
    read: Callable[[Node, dict[int, str], list[str]], list[Clip]]


def import_clips(
    store: Store, file: Path, fps: float | None, pictures: str | Path | None, form: ClipFormat
) -> ImportReport:
    if fps is not None and not (math.isfinite(fps) and fps > 0):
        raise FormatError(f"a frame rate is a number above 0, got {fps}")
    root = Node.read(file)
    notes: list[str] = []
    clips = form.read(root, categories_of(root), notes)
    if not clips:
        raise FormatError(f"{file}: holds no videos")
    folder = Path(pictures) if pictures is not None else None
    videos = [_annotated(clip, file, fps, folder, form, notes) for clip in clips]
    return land(store, videos, dict.fromkeys(notes))


def picture_name(node: Node) -> str:
    """The name of a picture, `/` between its parts."""
    name = portable_name(node.text())
    if name is None:
        raise node.wrong("the name of a picture in a folder")
    return name


def category_of(node: Node, categories: dict[int, str]) -> str:
    place = node.field("category_id")
    name = categories.get(place.integer())
    if name is None:
        raise place.wrong(f"one of the ids in `categories` ({', '.join(map(str, sorted(categories)))})")
    return name


def score_of(node: Node) -> float:
    score = node.get("score")
    return min(max(score.number(), 0.0), 1.0) if score else 1.0


def _annotated(
    clip: Clip, file: Path, fps: float | None, folder: Path | None, form: ClipFormat, notes: list[str]
) -> AnnotatedVideo:
    rate = clip.node.get("fps") or clip.node.get("frame_rate")
    timed = all(time is not None for _, time, _ in clip.frames)
    chosen = rate.number() if rate else fps
    if rate is not None and not rate.number() > 0:
        raise rate.wrong("a frame rate above 0")
    if chosen is None and not timed:
        chosen = form.fps
        notes.append(f"{file}: no frame rate given; {chosen:g} frames a second are assumed (say otherwise with `fps`)")
    listed = sorted(clip.frames)
    frames = tuple((f, t if timed and t is not None else f / (chosen or form.fps)) for f, t, _ in listed)
    if any(later[1] <= earlier[1] for earlier, later in itertools.pairwise(frames)):
        raise FormatError(f"{clip.node.where}: frame numbers and times must increase together")
    interval = float(np.median(np.diff([t for _, t in frames]))) if len(frames) > 1 else 1 / (chosen or form.fps)
    pictures = _find_pictures(clip, file, folder)
    return AnnotatedVideo(
        name=_name(clip),
        info=_info(clip, str(file.resolve()), chosen, frames[-1], interval, "pictures" if pictures else "boxes"),
        sha256=hashlib.sha256(json.dumps(clip.parts, sort_keys=True).encode()).hexdigest(),
        source=form.source,
        frames=frames,
        interval_s=interval,
        tracks=tuple(_finished(track) for _, track in sorted(clip.tracks.items())),
        pictures=pictures,
    )


def _info(clip: Clip, path: str, fps: float | None, last: tuple[int, float], interval: float, codec: str) -> VideoInfo:
    length, duration = clip.node.get("length"), clip.node.get("duration_s")
    if duration is not None and not duration.number() > 0:
        raise duration.wrong("seconds above 0")
    return VideoInfo(
        path=path,
        width=clip.size[0],
        height=clip.size[1],
        fps=fps,
        duration_s=duration.number() if duration else last[1] + interval,
        n_frames=max(length.integer() if length else 0, last[0] + 1),
        has_audio=False,
        codec=codec,
        container="json",
        pixel_format="rgb24",
    )


def _finished(track: ClipTrack) -> AnnotatedTrack:
    order = sorted(track.boxes)
    return AnnotatedTrack(
        number=track.number,
        category=track.category,
        frames=np.array(order, np.int64),
        boxes_xyxy_px=np.array([track.boxes[f].box for f in order], np.float64),
        scores=np.array([track.boxes[f].score for f in order], np.float64),
        masks={f: mask for f in order if (mask := track.boxes[f].mask) is not None},
    )


def _name(clip: Clip) -> str:
    for key in ("name", "file_name"):
        listed = clip.node.get(key)
        if listed is not None:
            return listed.text()
    named = (name for _, _, name in clip.frames if name is not None and "/" in name)
    folders = Counter(name.rsplit("/", 2)[-2] for name in named)
    return folders.most_common(1)[0][0] if folders else f"video {clip.key}"


def _find_pictures(clip: Clip, file: Path, folder: Path | None) -> dict[int, Path]:
    """Picture files of a clip, where all of them are at hand.

    Raises:
        FormatError: one lies outside of the folders in which its name may lead, or `folder` lacks one.
    """
    named = {frame: name for frame, _, name in clip.frames if name is not None}
    roots, allowed = _places(file) if folder is None else ([folder], [folder])
    for root in roots:
        found = {frame: root / name for frame, name in named.items()}
        if found and all(map(os.path.isfile, found.values())):
            check_inside(found.values(), allowed, f"{clip.node.where}: the name of a picture", _REMEDY)
            return found
    if folder is not None:
        missing = next((str(folder / n) for n in named.values() if not os.path.isfile(folder / n)), "any picture")
        raise FormatError(f"{clip.node.where}: `{missing}` is not there; name the folder that picture names start from")
    return {}


def _places(file: Path) -> tuple[list[Path], list[Path]]:
    """(folders that names may start from, folders in which pictures may lie) where the user names none.

    A folder `annotations` has its pictures beside it as often as inside; nothing else around it is the data set's.
    """
    own = Path(os.path.abspath(file)).parent
    roots, allowed = [file.parent / sub for sub in _PICTURE_FOLDERS], [own]
    if own.name.casefold() == "annotations":
        above = Path(os.path.realpath(own.parent))
        beside = [above / sub for sub in _PICTURE_FOLDERS if sub]
        # Links among them may lead anywhere.
        roots, allowed = (
            roots + beside,
            allowed + [folder for folder in beside if Path(os.path.realpath(folder)) == folder],
        )
    return roots, allowed
