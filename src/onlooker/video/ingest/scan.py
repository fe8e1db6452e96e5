"""Finds videos: a file named by the user is taken as it is, a folder is searched for known endings."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from onlooker.errors import NotAVideoError, NothingFoundError

VIDEO_SUFFIXES = frozenset(
    {
        ".mp4",
        ".m4v",
        ".mov",
        ".mkv",
        ".webm",
        ".avi",
        ".mpg",
        ".mpeg",
        ".ts",
        ".mts",
        ".m2ts",
        ".wmv",
        ".flv",
        ".3gp",
        ".ogv",
        ".gif",
        ".mxf",
        ".vob",
        ".h264",
        ".h265",
        ".hevc",
    }
)


def find_videos_below(paths: Iterable[str | Path]) -> list[Path]:
    """Files and the videos inside folders, sorted inside each folder, each file once, hidden ones left out.

    Raises:
        NotAVideoError: a path does not exist.
        NothingFoundError: a folder holds no file with a video's ending.
    """
    found: dict[str, Path] = {}
    for given in paths:
        path = Path(given).expanduser()
        if path.is_dir():
            inside = sorted(_walk(path))
            if not inside:
                endings = " ".join(sorted(VIDEO_SUFFIXES))
                raise NothingFoundError(f"no video below `{path}`; looked for files ending in {endings}")
        elif path.exists():
            inside = [path]
        else:
            raise NotAVideoError(f"`{path}` does not exist; give the path of a video file or of a folder of videos")
        for file in inside:
            found.setdefault(os.path.realpath(file), file)
    return list(found.values())


def _walk(folder: Path) -> list[Path]:
    files = []
    for root, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if not f.startswith(".")]
        files += [Path(root, n) for n in names if not n.startswith(".") and Path(n).suffix.lower() in VIDEO_SUFFIXES]
    return files
