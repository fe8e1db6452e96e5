"""Tracklets of a library at moments of the very file it was made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from authenticity_doubles import moving

from onlooker.errors import LibraryError
from onlooker.media.probe import probe
from onlooker.types import Shot, TrackingResult, Tracklet
from onlooker.video.attributes.write import write_tracking
from onlooker.video.authenticity.library_tracks import open_tracks
from onlooker.video.store import Store, add_video, content_hash, set_status


def make_library(path: Path, clip: Path) -> None:
    """One person who stands still in the first half of a clip of 20 frames at 25 a second."""
    n, step_s = 10, 0.04
    boxes = np.tile(np.array([[10, 20, 40, 90]], np.float32), (n, 1))
    frames, ones = np.arange(n), np.ones(n, np.float32)
    person = Tracklet(3, "person", 0.9, frames, frames * step_s, boxes, ones, np.ones(n, np.bool_))
    with Store.open(path) as store, store.write() as connection:
        video = add_video(connection, probe(clip), content_hash(clip), clip.name, "video")
        times = [(k, k * step_s) for k in range(20)]
        found = TrackingResult((person,), (), {}, 20)
        write_tracking(connection, video, found, [Shot(0.0, 0.8)], times, (128, 96), step_s)
        set_status(connection, video, "ready", 0.8)


def test_who_is_where_at_a_moment(write_clip, tmp_path: Path) -> None:
    clip = write_clip(moving(20), "walk.mp4")
    make_library(tmp_path / "a.onlooker", clip)
    tracks = open_tracks(tmp_path / "a.onlooker", clip)
    assert tracks is not None
    (seen,) = tracks.at(0.1)
    assert seen.label == "tracklet 3 (person)"
    assert seen.tracklet == 3
    assert seen.box_xyxy_px == (10, 20, 40, 90)
    assert list(tracks.at(0.7)) == []


def test_another_file_under_the_same_name_has_no_tracklets_there(write_clip, tmp_path: Path) -> None:
    clip = write_clip(moving(20), "walk.mp4")
    make_library(tmp_path / "a.onlooker", clip)
    clip.write_bytes(clip.read_bytes() + b"\0")
    assert open_tracks(tmp_path / "a.onlooker", clip) is None


def test_a_missing_library_is_an_error_not_an_empty_one(write_clip, tmp_path: Path) -> None:
    clip = write_clip(moving(3), "walk.mp4")
    with pytest.raises(LibraryError):
        open_tracks(tmp_path / "none.onlooker", clip)
