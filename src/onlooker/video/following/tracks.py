"""Tracklets of classes as followed tracks, and which of them are the things that were pointed at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from onlooker.types import TrackingResult, Tracklet
from onlooker.video.following.overlap import paired_overlap, shared_frames
from onlooker.video.following.values import FollowedTrack

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
    """All tracks; each that was found by class names the one that was pointed at and is the same thing, and that names
    it: one thing that was hidden for a while may have been found as several."""
    same: dict[int, list[int]] = defaultdict(list)
    for track in found:
        best, number = max(((_shared(track, other), -other.number) for other in given), default=(0.0, 0))
        if best >= _SAME_SHARE:
            same[track.number].append(-number)
            same[-number].append(track.number)
    return tuple(replace(track, same_as=tuple(same[track.number])) for track in (*given, *found))


def _shared(first: FollowedTrack, second: FollowedTrack) -> float:
    """Share of the frames on which both are seen on which they overlap; 0 for tracks that never met."""
    mine, theirs = shared_frames(first.frames[first.seen], second.frames[second.seen])
    if not len(mine):
        return 0.0
    overlap = paired_overlap(first.boxes_xyxy_px[first.seen][mine], second.boxes_xyxy_px[second.seen][theirs])
    return float(np.mean(overlap >= _SAME_OVERLAP))
