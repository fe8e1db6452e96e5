"""Boxes in which nothing stands: does `onlooker track --box` slide on to the thing that passes there?

    python benchmarks/follow_bare_ground.py

Two boxes per sequence of DAVIS 2016, drawn by lot on the ground where the object will be a little later, are followed
over 40 frames as the command does it with the bundled models, once more without looking at colours. Where the ground
truly is nobody has marked; but a box of ground of which the object covers more than half is told wrongly. Thresholds
were chosen while looking at some of these boxes. Writes benchmarks/results/follow_bare_ground.json; one thread, a
minute or two.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from follow_boxes import DETECTOR_HZ, POOL
from onlooker.types import BoxXYXY, Detections, Frame, TrackingResult
from onlooker.video.following.compose import with_tracklets
from onlooker.video.following.looking import Overheard
from onlooker.video.following.pointed import PointedConfig, PointedFollower
from onlooker.video.following.values import FollowedTrack
from onlooker.video.protocols import Detector
from real_sequences import MaskedVideo, masked_files, masked_videos
from tracking_common import fingerprint, machine, rounded, write_result

FPS, FRAMES, BOXES, TRIES = 24.0, 40, 2, 4000
COVERED = 0.6  # of a box is covered by the object at some time
WRONG = 0.5  # of a told box is the object
WAYS: Mapping[str, PointedConfig] = {
    "shape and colours (default)": PointedConfig(),
    "shape alone": PointedConfig(colours=0.0, found_colours=0.0),
}


def ground_boxes(objects: NDArray[np.bool_], rng: np.random.Generator) -> list[BoxXYXY]:
    """Boxes of (T, H, W) masks that are free of the object on the first frame and in its way; fewer where few are."""
    height, width = objects.shape[1:]
    coming = objects[1:].any(axis=0) & ~objects[0]
    boxes: list[BoxXYXY] = []
    for _ in range(TRIES):
        wide, high = int(rng.integers(16, width // 5)), int(rng.integers(16, height // 4))
        x, y = int(rng.integers(0, width - wide)), int(rng.integers(0, height - high))
        here = np.s_[y : y + high, x : x + wide]
        if not objects[0][here].any() and coming[here].mean() >= COVERED:
            boxes.append((float(x), float(y), float(x + wide), float(y + high)))
        if len(boxes) == BOXES:
            break
    return boxes


def watched(frames: Sequence[Frame]) -> tuple[list[Detections | None], TrackingResult]:
    """What the detector says of each frame it looks at, and the tracklets of all; one pass for all ways."""
    heard = Overheard(POOL.get("detector", Detector))  # type: ignore[type-abstract]
    tracker, found = POOL.tracker(heard), []
    for frame in frames:
        tracker.update(frame, False)
        found.append(heard.heard(frame) if frame.index else heard.looked_at(frame))
    return found, tracker.finish()


def told(video: MaskedVideo, boxes: Sequence[BoxXYXY]) -> dict[str, list[FollowedTrack]]:
    """Way -> the track of each box."""
    frames = [Frame.from_image(n, n / FPS, image) for n, image in enumerate(video.frames[:FRAMES])]
    found, tracking = watched(frames)
    tracks = {}
    for way, config in WAYS.items():
        follower = PointedFollower(config)
        follower.start(frames[0], dict(enumerate(boxes, start=1)), found[0])
        for frame in frames[1:]:
            follower.update(frame, False, found[frame.index])
        tracks[way] = [with_tracklets(track, tracking.tracklets) for track in follower.finish().values()]
    return tracks


def on_object(track: FollowedTrack, objects: NDArray[np.bool_]) -> int:
    """Frames on which more than `WRONG` of a told box is the object."""
    wrong = 0
    for row in np.flatnonzero(track.seen).tolist():
        x1, y1, x2, y2 = np.round(track.boxes_xyxy_px[row]).astype(int).tolist()
        part = objects[int(track.frames[row]), max(y1, 0) : y2, max(x1, 0) : x2]
        wrong += bool(part.size and part.mean() > WRONG)
    return wrong


def main() -> None:
    cv2.setNumThreads(1)
    counts = {way: {"boxes": 0, "frames": 0, "seen": 0, "on_object": 0, "slid": 0} for way in WAYS}
    for number, video in enumerate(masked_videos()):
        objects = video.labels[:FRAMES] != 0
        boxes = ground_boxes(objects, np.random.default_rng(number))
        if not boxes:
            continue
        for way, tracks in told(video, boxes).items():
            for track in tracks:
                wrong = on_object(track, objects)
                new = {"boxes": 1, "frames": len(track.frames), "seen": int(track.seen.sum())}
                for key, value in (new | {"on_object": wrong, "slid": int(wrong > 0)}).items():
                    counts[way][key] += value
        print(video.name, counts, flush=True)
    result = {
        "machine": machine(),
        "data_sha256": fingerprint(masked_files()),
        "detector_hz": DETECTOR_HZ,
        "settings": {way: dataclasses.asdict(config) for way, config in WAYS.items()},
        "what": " ".join(__doc__.split("\n\n")[2].split()),
        "ways": counts,
    }
    write_result("follow_bare_ground", rounded(result))


if __name__ == "__main__":
    main()
