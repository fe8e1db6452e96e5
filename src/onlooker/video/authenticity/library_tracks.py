"""Tracklets of a library at a moment of a video that is in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from onlooker.video.authenticity.following import Seen
from onlooker.video.report.data import ShownTracklet, VideoData, load_video
from onlooker.video.store.store import Store
from onlooker.video.store.videos import content_hash, find_by_content


class LibraryTracks:
    """Who is where, as the library knows.

    Args:
        data: the video, as `load_video` reads it.
    """

    def __init__(self, data: VideoData) -> None:
        self._tracklets: tuple[ShownTracklet, ...] = data.tracklets
        self._slack_s = data.interval_s

    def at(self, time_s: float) -> Sequence[Seen]:
        """Every tracklet with a box at a moment."""
        found = [(one, one.box_at(time_s, self._slack_s)) for one in self._tracklets]
        return [
            Seen(one.number, f"tracklet {one.number} ({one.label or one.category})", box, one.number)
            for one, box in found
            if box is not None
        ]


def open_tracks(library: str | Path, video: str | Path) -> LibraryTracks | None:
    """The tracklets of a video file; `None` where the library does not hold this very file.

    Raises:
        LibraryError: there is no such library, or it cannot be read.
    """
    with Store.open(library, create=False) as store, store.read() as connection:
        stored = find_by_content(connection, content_hash(video))
        return None if stored is None else LibraryTracks(load_video(connection, stored.id))
