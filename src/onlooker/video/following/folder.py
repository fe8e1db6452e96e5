"""The folder of results: whether it may be written, and what of an earlier run has to go.

Results of the same video are replaced as a whole. Files of anybody else that would be replaced are a reason to stop
before hours are spent: masks and boxes in a folder of a data set look just like ours.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from onlooker.errors import ConfigError

TRACKS_FILE = "tracks.json"
BOXES, MASKS = "boxes", "masks"
_FILES = (TRACKS_FILE, "tracks.txt", "youtube_vis.json", "annotated.mp4", "sheet.png")
_INSIDE = {BOXES: re.compile(r"\d+\.txt"), MASKS: re.compile(r"\d{5,}\.png")}
_BEGINNING = '{"video": '  # of `tracks.json`
_HEAD = 1 << 20  # characters of it that are read; ours: the part on the video is not longer


def check_folder(folder: Path, video: Path) -> None:
    """Whether results can be written there, before hours are spent on them; nothing is made.

    Raises:
        ConfigError: it is a file, may not be written, or holds files that would be replaced and are no results of
            following in this video.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"`{folder}` is a file; give a folder for the results with --out")
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise ConfigError(f"`{folder}` cannot be written (`{there}` does not allow it); give another folder with --out")
    standing = next(_results(folder), None)
    if standing is None:
        return
    owner = _video_of(folder / TRACKS_FILE)
    if owner is None:
        raise ConfigError(
            f"`{standing}` would be replaced, and is not of an earlier `onlooker track`; give another folder with --out"
        )
    if Path(owner).resolve() != video.resolve():
        raise ConfigError(
            f"`{folder}` holds what was followed in `{owner}`, which would be replaced; "
            "give another folder with --out, or remove that one"
        )


def clear(folder: Path, place: str) -> None:
    """Removes the files of an earlier run from `folder/place`, which may have had more of them."""
    for old in list(_inside(folder, place)):
        old.unlink()


def remove_left_over(folder: Path, written: Iterable[Path]) -> None:
    """Removes what an earlier run wrote and the present one did not: it would tell of something else."""
    kept = set(written)
    for name in _FILES:
        if folder / name not in kept:
            (folder / name).unlink(missing_ok=True)
    for place in _INSIDE:
        if folder / place not in kept:
            clear(folder, place)
            if (folder / place).is_dir() and not any((folder / place).iterdir()):
                (folder / place).rmdir()


def _results(folder: Path) -> Iterator[Path]:
    """What a run would replace or remove."""
    yield from (folder / name for name in _FILES if os.path.lexists(folder / name))
    for place in _INSIDE:
        yield from _inside(folder, place)


def _inside(folder: Path, place: str) -> Iterator[Path]:
    below = folder / place
    yield from (file for file in (below.iterdir() if below.is_dir() else ()) if _INSIDE[place].fullmatch(file.name))


def _video_of(file: Path) -> str | None:
    """The video that a `tracks.json` tells of; `None` for a file of another kind, or none."""
    try:
        with file.open(encoding="utf-8") as stream:
            head = stream.read(_HEAD)
        told, _ = json.JSONDecoder().raw_decode(head.removeprefix(_BEGINNING))
    except (OSError, ValueError, RecursionError):
        return None
    path = told.get("path") if head.startswith(_BEGINNING) and isinstance(told, dict) else None
    return path if isinstance(path, str) else None
