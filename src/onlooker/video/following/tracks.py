"""Tracklets of classes as followed tracks, and which of them are the things that were pointed at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from onlooker.types import TrackingResult, Tracklet
from onlooker.video.following.values import FollowedTrack
from onlooker.video.tracklets.boxes import area

Array = NDArray[np.float64]

MasksByTracklet = Mapping[int, Mapping[int, bytes]]

# Ours: two tracks that overlap so much, on so large a share of the frames that both were seen on, are one thing.
_SAME_OVERLAP = 0.5
_SAME_SHARE = 0.6


def class_tracks(
    found: TrackingResult, masks: MasksByTracklet, classes: Sequence[str], first_number: int
) -> list[FollowedTrack]:
    """The tracklets of some classes, numbered anew in order of appearance.

    Args:
        masks: by number of a tracklet and index of a frame; may be empty.
    """
    wanted = [tracklet for tracklet in found.tracklets if tracklet.category in classes]
    return [
        _as_track(number, tracklet, masks.get(tracklet.number, {}))
        for number, tracklet in enumerate(wanted, start=first_number)
    ]


def _as_track(number: int, tracklet: Tracklet, masks: Mapping[int, bytes]) -> FollowedTrack:
    return FollowedTrack(
        number=number,
        source="class",
        label=tracklet.category,
        frames=tracklet.frames,
        times_s=tracklet.times_s,
        boxes_xyxy_px=tracklet.boxes_xyxy_px,
        seen=np.ones(len(tracklet), np.bool_),
        measured=tracklet.detected,
        scores=tracklet.scores,
        masks=masks,
    )


def with_twins(given: Sequence[FollowedTrack], found: Sequence[FollowedTrack]) -> tuple[FollowedTrack, ...]:
    """All tracks; a thing that was pointed at and is of a wanted class, too, names its other track."""
    same: dict[int, int] = {}
    for track in given:
        shares = [(_shared(track, other), other.number) for other in found if other.number not in same]
        best, number = max(shares, default=(0.0, 0))
        if best >= _SAME_SHARE:
            same |= {track.number: number, number: track.number}
    return tuple(replace(track, same_as=same.get(track.number)) for track in (*given, *found))


def _shared(first: FollowedTrack, second: FollowedTrack) -> float:
    """Share of the frames with both on which they overlap; 0 for tracks that never met."""
    both, mine, theirs = np.intersect1d(
        first.frames[first.seen], second.frames[second.seen], assume_unique=True, return_indices=True
    )
    if not len(both):
        return 0.0
    overlap = _paired_overlap(
        first.boxes_xyxy_px[first.seen][mine].astype(np.float64),
        second.boxes_xyxy_px[second.seen][theirs].astype(np.float64),
    )
    return float(np.mean(overlap >= _SAME_OVERLAP))


def _paired_overlap(first: Array, second: Array) -> Array:
    """(N,) intersection over union of the boxes (N, 4) of each row."""
    sides = np.minimum(first[:, 2:], second[:, 2:]) - np.maximum(first[:, :2], second[:, :2])
    shared = np.prod(np.maximum(sides, 0), axis=1)
    union = area(first) + area(second) - shared
    overlap: Array = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlap
