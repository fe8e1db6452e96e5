"""Masks of tracks that were found by class: a segmenter led by their boxes, in a second decode of the file.

Only when a tracklet is complete is it known which boxes are one thing; the pass that finds them can show a segmenter
no more than single boxes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from onlooker.formats.run_lengths import encode_mask
from onlooker.media.decode import VideoReader
from onlooker.video.following.values import FollowedTrack, FollowResult
from onlooker.video.ingest.job import Progress
from onlooker.video.masks.config import MaskConfig
from onlooker.video.masks.follow import MaskFollower, SeenBox
from onlooker.video.protocols import Segmenter

_PROGRESS_EVERY = 5


def with_outlines(
    result: FollowResult, segmenter: Segmenter, config: MaskConfig
) -> Generator[Progress, None, FollowResult]:
    """The same with masks for the tracks of classes that have none.

    Raises:
        MediaError: the file is gone.
    """
    bare = [track for track in result.tracks if track.source == "class" and not track.masks]
    rows = _boxes_by_frame(bare)
    if not rows:
        return result
    masks: defaultdict[int, dict[int, bytes]] = defaultdict(dict)
    follower, cuts, done, last = MaskFollower(segmenter, config), list(result.cuts_s), 0, max(rows)
    with VideoReader(result.info.path) as reader:
        for frame in reader:
            if cuts and frame.time_s >= cuts[0]:
                cuts = [cut for cut in cuts if cut > frame.time_s]
                follower.cut()
            if frame.index in rows:
                for number, mask in follower.update(frame.image, frame.time_s, rows[frame.index]).items():
                    masks[number][frame.index] = encode_mask(mask)
                done += 1
                if done % _PROGRESS_EVERY == 0:
                    yield Progress(Path(result.info.path).name, "outline", done, len(rows), "frames")
            if frame.index >= last:
                break
    yield Progress(Path(result.info.path).name, "outline", done, len(rows), "frames")
    tracks = [replace(track, masks=masks.get(track.number, track.masks)) for track in result.tracks]
    return replace(result, tracks=tuple(tracks))


def _boxes_by_frame(tracks: Sequence[FollowedTrack]) -> Mapping[int, list[SeenBox]]:
    rows: defaultdict[int, list[SeenBox]] = defaultdict(list)
    for track in tracks:
        seen = np.flatnonzero(track.seen)
        for row in seen.tolist():
            x1, y1, x2, y2 = track.boxes_xyxy_px[row].tolist()
            box = SeenBox(track.number, (x1, y1, x2, y2), bool(track.measured[row]), row == seen[-1])
            rows[int(track.frames[row])].append(box)
    return rows
