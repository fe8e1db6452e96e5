"""Writes MOTChallenge sequence folders, with companions so that they can be read back with their times and names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from onlooker.errors import ConfigError, FormatError
from onlooker.formats.files import number_text, write_text
from onlooker.formats.mot import LEAST_SIDE, read_header
from onlooker.video.exchange.outgoing import ExportReport, OutgoingVideo, check_places, open_videos, unique_names
from onlooker.video.store.store import Store

_OWN_KEY = "frameInterval"  # of the header; no other program writes it
# The header first, so that what an export leaves that was cut off is known as ours.
_FILES = ("seqinfo.ini", "gt/gt.txt", "gt/labels.txt", "tracks.json", "times.csv")


def export_mot(store: Store, target: str | Path, video_ids: Sequence[int] | None = None) -> ExportReport:
    """Write `gt/gt.txt`, `gt/labels.txt`, `seqinfo.ini`, `tracks.json` and `times.csv`.

    One video goes into the folder `target`, several into folders of their names inside it. The frame number is the
    frame's place in decoding order plus one; `times.csv` has the seconds, which frame / rate misses on uneven clips.
    Lost: scores, masks, labels given by people, which boxes were detected, speech and all attributes.

    Raises:
        NothingFoundError: there is no finished video to write.
        ConfigError: `target` is a file, or a folder holds a sequence that was not exported from a library.
    """
    target = Path(target)
    if target.is_file():
        raise ConfigError(f"`{target}` is a file; a MOTChallenge sequence is a folder")
    files: list[Path] = []
    with open_videos(store, video_ids) as videos:
        folders = [target] if len(videos) == 1 else [target / name for name in unique_names(videos.stored)]
        for folder in folders:
            _check_own(folder)
            check_places(folder / name for name in _FILES)
        for video, folder in zip(videos, folders, strict=True):
            files += _write(video, folder)
    return ExportReport(tuple(files), ("MOT carries no scores, masks, names or attributes",))


def _check_own(folder: Path) -> None:
    """Raises ConfigError where files of a data set would be replaced; what was exported before may be."""
    there = next((folder / name for name in sorted(_FILES) if (folder / name).is_file()), None)
    if there is not None and not _is_own(folder / "seqinfo.ini"):
        raise ConfigError(f"`{there}` was not exported from a library and would be replaced; give another folder")


def _is_own(header: Path) -> bool:
    try:
        return _OWN_KEY.casefold() in read_header(header)
    except FormatError:
        return False


def _write(video: OutgoingVideo, folder: Path) -> list[Path]:
    labels = sorted({track.category for track in video.tracks})
    rows = []
    for track in video.tracks:
        place = labels.index(track.category) + 1
        for frame, (x1, y1, x2, y2) in zip(track.frames.tolist(), track.boxes_xyxy_px.tolist(), strict=True):
            sides = max(x2 - x1, LEAST_SIDE), max(y2 - y1, LEAST_SIDE)
            box = ",".join(map(number_text, (x1, y1, *sides)))
            rows.append((frame + 1, track.number, f"{frame + 1},{track.number},{box},1,{place},1"))
    header = {
        "name": video.stored.name,
        "imDir": "img1",
        "frameRate": f"{video.fps:.9g}",
        "seqLength": video.n_frames,
        "imWidth": video.stored.width,
        "imHeight": video.stored.height,
        "imExt": ".jpg",
        _OWN_KEY: repr(video.interval_s),
        "duration": repr(video.stored.duration_s or video.n_frames / video.fps),
    }
    categories = {"categories": {str(track.number): track.category for track in video.tracks}}
    contents = (
        "[Sequence]\n" + "".join(f"{key}={value}\n" for key, value in header.items()),
        "".join(row[2] + "\n" for row in sorted(rows)),
        "".join(label + "\n" for label in labels),
        json.dumps(categories, ensure_ascii=False, indent=1) + "\n",
        "frame,seconds\n" + "".join(f"{frame + 1},{t!r}\n" for frame, t in video.frames),
    )
    return [write_text(folder / name, text) for name, text in zip(_FILES, contents, strict=True)]
