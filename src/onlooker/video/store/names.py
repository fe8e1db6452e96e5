"""What a person means by the name of a video."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
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
    full = os.path.realpath(name)
    # In this order, each tried only when the ones before found nothing: reading paths of thousands of videos is slow.
    steps: tuple[Callable[[VideoName], bool], ...] = (
        lambda v: v.name == name,
        lambda v: v.name.casefold() == folded,
        lambda v: os.path.splitext(v.name)[0].casefold() == folded,
        lambda v: v.path == name or os.path.realpath(v.path) == full,
        lambda v: folded in (os.path.basename(v.path).casefold(), Path(v.path).stem.casefold()),
    )
    for meant in steps:
        matches = [v for v in videos if meant(v)]
        if len(matches) == 1:
            return matches[0]
        if matches:
            listed = ", ".join(f"`{v.name}`" for v in matches[:8])
            raise LibraryError(f"`{name}` may mean {len(matches)} videos: {listed}; give one of these names in full")
    raise UnknownNameError("video", name, [v.name for v in videos])
