"""What a person means by the name of a video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from onlooker.errors import LibraryError, UnknownNameError


@dataclass(frozen=True, slots=True)
class VideoName:
    """A video as far as naming it goes."""

    key: int
    name: str
    path: str


def match_video_name(name: str, videos: Sequence[VideoName]) -> VideoName:
    """The one video meant by `name`.

    It is tried as the exact name, then without regard to case, then without its suffix, then as a path, then as the
    name of the file it was added from.

    Raises:
        UnknownNameError: no video is meant.
        LibraryError: several are meant; the message lists them.
    """
    folded = name.casefold()
    full = str(Path(name).resolve())
    steps = (
        [v for v in videos if v.name == name],
        [v for v in videos if v.name.casefold() == folded],
        [v for v in videos if Path(v.name).stem.casefold() == folded],
        [v for v in videos if v.path == name or str(Path(v.path).resolve()) == full],
        [v for v in videos if folded in (Path(v.path).name.casefold(), Path(v.path).stem.casefold())],
    )
    for matches in steps:
        if len(matches) == 1:
            return matches[0]
        if matches:
            listed = ", ".join(f"`{v.name}`" for v in matches[:8])
            raise LibraryError(f"`{name}` may mean {len(matches)} videos: {listed}; give one of these names in full")
    raise UnknownNameError("video", name, [v.name for v in videos])
