"""Writes masks in the formats of segmentation benchmarks: MOTS text and DAVIS pictures.

In both, a pixel belongs to one object at most. Where masks of a library share pixels, the smaller one has them: it is
more likely in front, and would be lost otherwise.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ConfigError
from onlooker.formats.davis import VOID, write_sequence
from onlooker.formats.files import visible, write_text
from onlooker.formats.mots import CAR, IGNORED, PEDESTRIAN, MotsRow, write_rows
from onlooker.formats.run_lengths import decode_mask, encode_mask
from onlooker.video.exchange.outgoing import (
    ExportReport,
    OutgoingTrack,
    OutgoingVideo,
    check_places,
    open_videos,
    targets_per_video,
    unique_names,
)
from onlooker.video.store.store import Store

LabelMap = NDArray[np.int64]
_PER_CLASS = 1000  # of MOTS: an id is the class times this, plus the instance
_KNOWN_CLASSES = {"car": CAR, "person": PEDESTRIAN, "pedestrian": PEDESTRIAN}


def export_mots(store: Store, target: str | Path, video_ids: Sequence[int] | None = None) -> ExportReport:
    """Write one MOTS text file per video that has masks: a single one to `target`, several into it as a folder.

    The frame number is the frame's place in decoding order plus one, as in MOTSChallenge. Cars are class 1, persons 2,
    other categories follow from 3 on; 10 is left out, it means "ignore". An id is 1000 times the class plus the
    tracklet's number, or its place among those of its class where a video has numbers from 1000 on. Lost: boxes,
    scores, names, times.

    Raises:
        NothingFoundError: there is no finished video, or none has a mask.
        ConfigError: `target` is one file for several videos, or more objects of a class than ids.
    """
    with open_videos(store, video_ids) as everything:
        videos = everything.with_masks()
        classes = _class_numbers(videos.categories())
        targets = targets_per_video(videos.stored, Path(target), ".txt")
        for video in videos:  # all of them before the first file: one that is refused leaves nothing behind
            _mots_ids(video, classes)
        for video, file in zip(videos, targets, strict=True):
            write_rows(file, _mots_rows(video, classes))
    told = ", ".join(f"{number} is {category}" for category, number in classes.items())
    notes = (f"classes in the files: {told}", "MOTS carries no boxes, scores, names, times or attributes")
    return ExportReport(tuple(targets), notes)


def export_davis(store: Store, target: str | Path, video_ids: Sequence[int] | None = None) -> ExportReport:
    """Write `Annotations/VIDEO/00000.png`, one palette picture per frame that was looked at, and `objects.json`.

    A pixel is the tracklet's number, or its place from 1 where a video has the number 0 or one above 254;
    `objects.json` has tracklet and category of each, also of videos that were exported there before. Pictures are named
    by the frame's place in decoding order. Only videos that have masks are written. Lost: boxes, scores, times.

    Raises:
        NothingFoundError: there is no finished video, or none has a mask.
        ConfigError: `target` is a file, holds masks of other frames or files that were not exported from a library, or
            a video has more than 254 objects with masks. Nothing was written.
    """
    target = Path(target)
    if target.is_file():
        raise ConfigError(f"`{target}` is a file; masks as DAVIS lays them out are a folder")
    files: list[Path] = []
    listing = target / "objects.json"
    check_places([listing])
    objects = _known_objects(listing)
    with open_videos(store, video_ids) as everything:
        videos = everything.with_masks()
        names = unique_names(videos.stored)
        for name in names:
            if name not in objects and any((target / "Annotations" / name).glob("*.png")):
                raise ConfigError(
                    f"`{target / 'Annotations' / name}` holds masks that were not exported from a library and would be "
                    "replaced; give another folder"
                )
        check_places(target / "Annotations" / name / "0.png" for name in names)
        for video, name in zip(videos, names, strict=True):  # all of them before the first picture
            _small_numbers(video)
            _check_stale(video, target / "Annotations" / name)
        for video, name in zip(videos, names, strict=True):
            numbers = _small_numbers(video)
            objects[name] = {
                str(numbers[track.number]): {"tracklet": track.number, "category": track.category}
                for track in _masked(video)
            }
            # First, so that masks of an export that was cut off are known as ours.
            text = json.dumps(dict(sorted(objects.items())), ensure_ascii=False, indent=1) + "\n"
            write_text(listing, text)
            files += _write_pictures(video, numbers, target / "Annotations" / name)
    files.append(listing)
    return ExportReport(tuple(files), ("DAVIS carries no boxes, scores, names, times or attributes",))


def _known_objects(listing: Path) -> dict[str, object]:
    """What an earlier `objects.json` says of videos whose masks are there.

    Raises:
        ConfigError: it is none of ours.
    """
    if not listing.exists():
        return {}
    try:
        told = json.loads(listing.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        told = None
    if not (isinstance(told, dict) and all(map(_is_listing, told.values()))):
        raise ConfigError(f"`{listing}` was not exported from a library and would be replaced; give another folder")
    return {name: objects for name, objects in told.items() if (listing.parent / "Annotations" / name).is_dir()}


def _is_listing(objects: object) -> bool:
    rows = objects.values() if isinstance(objects, dict) else [None]
    return all(isinstance(row, dict) and set(row) == {"tracklet", "category"} for row in rows)


def _masked(video: OutgoingVideo) -> list[OutgoingTrack]:
    return [track for track in video.tracks if track.masks]


def _frames_of(video: OutgoingVideo) -> dict[int, dict[int, bytes]]:
    """Run lengths by frame and tracklet number."""
    found: defaultdict[int, dict[int, bytes]] = defaultdict(dict)
    for track in _masked(video):
        for frame, rle in track.masks.items():
            found[frame][track.number] = rle
    return found


def _labels(masks: Mapping[int, bytes], video: OutgoingVideo) -> LabelMap:
    """(H, W) numbers of the masks of one frame, 0 for none; the smaller of two that share a pixel has it."""
    shape = (video.stored.height, video.stored.width)
    pixels = {number: decode_mask(rle, *shape) for number, rle in masks.items()}
    labels: LabelMap = np.zeros(shape, np.int64)
    for number in sorted(pixels, key=lambda n: -np.count_nonzero(pixels[n])):
        labels[pixels[number]] = number
    return labels


def _class_numbers(categories: Sequence[str]) -> dict[str, int]:
    """Class number by category: those of MOTS, then whatever is free."""
    free = (number for number in range(PEDESTRIAN + 1, len(categories) + IGNORED + 1) if number != IGNORED)
    return {category: _KNOWN_CLASSES.get(category) or next(free) for category in categories}


def _mots_rows(video: OutgoingVideo, classes: Mapping[str, int]) -> Iterator[MotsRow]:
    kinds, ids = _kinds(video, classes), _mots_ids(video, classes)
    for frame, masks in _frames_of(video).items():
        labels = _labels(masks, video)
        for number in masks:
            mine = labels == number
            if mine.any():
                size = (video.stored.height, video.stored.width)
                yield MotsRow(frame + 1, ids[number], kinds[number], *size, encode_mask(mine))


def _kinds(video: OutgoingVideo, classes: Mapping[str, int]) -> dict[int, int]:
    """Class number by tracklet number."""
    return {track.number: classes[track.category] for track in _masked(video)}


def _mots_ids(video: OutgoingVideo, classes: Mapping[str, int]) -> dict[int, int]:
    """Id in the file by tracklet number.

    Raises:
        ConfigError: there are more objects of a class than ids.
    """
    kinds = _kinds(video, classes)
    numbers = list(kinds)
    instances = {number: number for number in numbers}
    if max(numbers) >= _PER_CLASS:
        for kind in set(kinds.values()):
            own = [number for number in numbers if kinds[number] == kind]
            instances |= {number: place for place, number in enumerate(own, start=1)}
            if len(own) >= _PER_CLASS:
                raise ConfigError(
                    f"`{video.stored.name}` has {len(own)} objects of class {kind} with masks, "
                    f"MOTS numbers {_PER_CLASS - 1}; use ytvis"
                )
    return {number: kinds[number] * _PER_CLASS + instance for number, instance in instances.items()}


def _small_numbers(video: OutgoingVideo) -> dict[int, int]:
    """Number in the picture by tracklet number."""
    numbers = [track.number for track in _masked(video)]
    if 0 < min(numbers) <= max(numbers) < VOID:  # 0 would be ground
        return {number: number for number in numbers}
    if len(numbers) >= VOID:
        raise ConfigError(
            f"`{video.stored.name}` has {len(numbers)} objects with masks, DAVIS numbers {VOID - 1}; use ytvis"
        )
    return {number: place for place, number in enumerate(numbers, start=1)}


def _check_stale(video: OutgoingVideo, folder: Path) -> None:
    """Raises ConfigError where masks of other frames would lie among the new ones."""
    stems = {_stem(frame) for frame, _ in video.frames}
    stale = sorted(file.name for file in visible(folder.glob("*.png")) if file.stem not in stems)
    if stale:
        raise ConfigError(f"`{folder}` holds masks of other frames (`{stale[0]}`); give another folder or empty it")


def _write_pictures(video: OutgoingVideo, numbers: Mapping[int, int], folder: Path) -> list[Path]:
    masks = _frames_of(video)
    files: list[Path] = []
    for frame, _ in video.frames:
        small = {numbers[number]: rle for number, rle in masks.get(frame, {}).items()}
        # One at a time: a sequence as one array would not fit into memory for long videos.
        files += write_sequence(folder, _labels(small, video)[None], [_stem(frame)])
    return files


def _stem(frame: int) -> str:
    return f"{frame:05d}"
