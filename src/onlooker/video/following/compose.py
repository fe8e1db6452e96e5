"""What was pointed at, told by the tracklets it turned out to be.

A follower of boxes decides frame by frame and drifts; a tracklet is put together from all detections of one thing when
the video is over. Where a tracklet begins as the thing that was pointed at, its boxes are the better ones; before it,
after it, and in its gaps the follower speaks, as long as the two agreed while both saw the thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from onlooker.types import Tracklet
from onlooker.video.following.overlap import Array, Places, paired_overlap, shared_frames
from onlooker.video.following.values import FollowedTrack


@dataclass(frozen=True, slots=True)
class ComposeConfig:
    """When a tracklet is what was pointed at. All values are ours.

    Attributes:
        bind_overlap: mean overlap of box and tracklet on the first frames that both are on.
        look_s: how long these first frames are.
        bind_s: how long after the start the first tracklet may begin.
        agree_overlap: a follower that overlaps its tracklet less on half of the frames, or on the last one, has drifted
            off the thing: it is not believed from then on.
    """

    bind_overlap: float = 0.5
    look_s: float = 0.25
    bind_s: float = 0.7
    agree_overlap: float = 0.35


@dataclass(frozen=True, slots=True)
class _Meeting:
    """A tracklet on frames of the pointed thing: rows of both, and their overlap where the follower saw the thing."""

    tracklet: Tracklet
    mine: Places
    theirs: Places
    overlap: Array


def with_tracklets(
    pointed: FollowedTrack, tracklets: Sequence[Tracklet], config: ComposeConfig | None = None
) -> FollowedTrack:
    """The same thing with the boxes of its tracklets.

    Args:
        pointed: from the frame on which the box was given.
        tracklets: of all categories.
    """
    settings = config or ComposeConfig()
    boxes, seen, measured = pointed.boxes_xyxy_px.copy(), pointed.seen.copy(), pointed.measured.copy()
    scores = np.zeros(len(seen), np.float32) if pointed.scores is None else pointed.scores.copy()
    chain = _chain(pointed, tracklets, settings)
    for meeting in chain:
        if not _agrees(meeting, settings):
            seen[meeting.mine[0] :] = False
    measured &= seen
    for meeting in chain:
        mine, theirs, tracklet = meeting.mine, meeting.theirs, meeting.tracklet
        boxes[mine], scores[mine] = tracklet.boxes_xyxy_px[theirs], tracklet.scores[theirs]
        measured[mine], seen[mine] = tracklet.detected[theirs], True
    boxes[~seen], scores[~seen] = 0.0, 0.0
    return replace(
        pointed,
        label=chain[0].tracklet.category if chain else pointed.label,
        boxes_xyxy_px=boxes,
        seen=seen,
        measured=measured,
        scores=scores if chain else pointed.scores,
    )


def _chain(pointed: FollowedTrack, tracklets: Sequence[Tracklet], config: ComposeConfig) -> list[_Meeting]:
    """The tracklets that are the thing, one after the other, up to the first that the follower does not agree with."""
    chain: list[_Meeting] = []
    while not chain or _agrees(chain[-1], config):
        from_row = int(chain[-1].mine[-1]) + 1 if chain else 0
        meetings = [_meeting(pointed, tracklet, from_row) for tracklet in tracklets]
        fitting = [m for m in meetings if m is not None and _continues(pointed, chain, m, config)]
        if not fitting:
            break
        chain.append(min(fitting, key=lambda m: (int(m.mine[0]), -float(m.overlap[0]))))
    return chain


def _meeting(pointed: FollowedTrack, tracklet: Tracklet, from_row: int) -> _Meeting | None:
    mine, theirs = shared_frames(pointed.frames, tracklet.frames)
    mine, theirs = mine[mine >= from_row], theirs[mine >= from_row]
    if not len(mine) or not pointed.seen[mine].any():
        return None
    overlap = paired_overlap(pointed.boxes_xyxy_px[mine], tracklet.boxes_xyxy_px[theirs])
    return _Meeting(tracklet, mine, theirs, overlap[pointed.seen[mine]])


def _continues(pointed: FollowedTrack, chain: Sequence[_Meeting], meeting: _Meeting, config: ComposeConfig) -> bool:
    """Whether a tracklet begins as the thing: near the start, or later under the name it has."""
    begins_s = float(pointed.times_s[meeting.mine[0]])
    if chain and meeting.tracklet.category != chain[0].tracklet.category:
        return False
    if not chain and begins_s - float(pointed.times_s[0]) > config.bind_s:
        return False
    times_s = pointed.times_s[meeting.mine][pointed.seen[meeting.mine]]
    first = meeting.overlap[times_s <= begins_s + config.look_s]
    return len(first) > 0 and float(first.mean()) >= config.bind_overlap


def _agrees(meeting: _Meeting, config: ComposeConfig) -> bool:
    return min(float(np.median(meeting.overlap)), float(meeting.overlap[-1])) >= config.agree_overlap
