"""Who should follow a box when no trained follower is at hand: the ways `onlooker track --box` could go, on real truth.

    python benchmarks/follow_boxes.py [--again] [PART ...]

Writes benchmarks/results/follow_boxes.json part by part; a part that is there is measured again only when named, or
when its data changed. One thread; minutes on a quiet core. Thresholds of the default were chosen while looking at the
composites and at DAVIS; OTB and VOT were only measured.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import cv2
import numpy as np

from onlooker.evaluation.baselines import correlate_template, keep_box
from onlooker.evaluation.single_object import frame_overlap, score_single_object
from onlooker.formats.davis import read_sequence
from onlooker.formats.single_object import BoxTrack
from onlooker.synth.masked_clips import box_of
from onlooker.types import BoxXYXY, Frame, Image
from onlooker.video.following.compose import with_tracklets
from onlooker.video.following.looking import Overheard
from onlooker.video.following.pointed import PointedFollower
from onlooker.video.following.values import FollowedTrack
from onlooker.video.protocols import Detector
from onlooker.video.wiring import ModelPool, Settings
from real_sequences import followed_files, followed_videos, masked_files, masked_videos, pictures
from tracking_common import DATA, Part, measure_parts

WRONG = 0.1  # a box that overlaps the thing less is told wrongly
DETECTOR_HZ = 6.0  # the command's default
CLIPS = DATA / "davis-composites"
CLIP_NAMES = ("comp-00", "comp-04", "comp-08")
POOL = ModelPool(Settings(detector_hz=DETECTOR_HZ))


class Case(NamedTuple):
    """One thing to follow, from the first frame on."""

    name: str
    frames: tuple[Image, ...]
    truth: BoxTrack
    fps: float


class Tally(NamedTuple):
    """Success in percent, and counts of frames."""

    success_auc: float
    told_wrong: int
    lost_wrong: int
    absent_told: int
    absent: int
    n_frames: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", choices=[[], *PARTS], help="measured even if it is there")
    parser.add_argument("--again", action="store_true", help="measure every part, whatever is there")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    head = {
        "detector_hz": DETECTOR_HZ,
        "told_wrong": f"percent of frames told as seen with an overlap below {WRONG}, or while the thing is absent",
        "lost_wrong": "percent of frames that show the thing and are told as lost",
        "absent_told": "percent of the frames without the thing that are told as lost",
    }
    measure_parts("follow_boxes", head, PARTS, PARTS if options.again else options.part)


def one_object() -> Iterator[Case]:
    for video in followed_videos():
        yield Case(video.name, video.frames, video.truth, 25.0)


def masked() -> Iterator[Case]:
    for video in masked_videos():
        yield Case(video.name, video.frames, _boxes(video.labels != 0), 24.0)


def composites() -> Iterator[Case]:
    """Every object of some clips, from the first frame on that shows most of it."""
    for name in CLIP_NAMES:
        frames = pictures(sorted((CLIPS / name / "img1").glob("*.jpg")))
        labels = read_sequence(CLIPS / name / "masks").labels
        for number in np.unique(labels[labels > 0]).tolist():
            areas = (labels == number).sum(axis=(1, 2))
            first = int(np.argmax(areas > 0.6 * np.median(areas[areas > 0])))
            yield Case(f"{name}-{number}", frames[first:], _boxes(labels[first:] == number), 10.0)


def _boxes(masks: np.ndarray) -> BoxTrack:
    visible = masks.any(axis=(1, 2))
    return BoxTrack(np.array([box_of(m) if m.any() else (0,) * 4 for m in masks], np.float64), visible)


def measure(cases: Callable[[], Iterator[Case]]) -> dict[str, object]:
    each: dict[str, dict[str, Tally]] = {way: {} for way in WAYS}
    spent = dict.fromkeys(WAYS, 0.0)
    for case in cases():
        x1, y1, x2, y2 = case.truth.boxes_xyxy[0].tolist()
        for way, follow in WAYS.items():
            began = time.process_time()
            found = follow(case, (x1, y1, x2, y2))
            spent[way] += time.process_time() - began
            each[way][case.name] = _tally(found, case.truth)
        print(case.name, {way: round(rows[case.name].success_auc, 1) for way, rows in each.items()}, flush=True)
    return {way: _summary(list(rows.values()), spent[way]) | {"each": _aucs(rows)} for way, rows in each.items()}


def _tally(found: BoxTrack, truth: BoxTrack) -> Tally:
    overlap, absent = frame_overlap(found, truth), ~truth.visible
    return Tally(
        success_auc=score_single_object(found, truth).success_auc,
        told_wrong=int((found.visible & (overlap < WRONG)).sum()),
        lost_wrong=int((~found.visible & truth.visible).sum()),
        absent_told=int((~found.visible & absent).sum()),
        absent=int(absent.sum()),
        n_frames=len(truth),
    )


def _summary(rows: list[Tally], spent_s: float) -> dict[str, object]:
    n, absent = sum(row.n_frames for row in rows), sum(row.absent for row in rows)
    return {
        "success_auc": float(np.mean([row.success_auc for row in rows])),
        "told_wrong": 100 * sum(row.told_wrong for row in rows) / n,
        "lost_wrong": 100 * sum(row.lost_wrong for row in rows) / n,
        "absent_told": 100 * sum(row.absent_told for row in rows) / absent if absent else None,
        "n_frames": n,
        "ms_per_frame": 1000 * spent_s / n,
    }


def _aucs(rows: dict[str, Tally]) -> dict[str, float]:
    return {name: row.success_auc for name, row in rows.items()}


def keep(case: Case, box: BoxXYXY) -> BoxTrack:
    return keep_box(box, len(case.frames))


def correlation(case: Case, box: BoxXYXY) -> BoxTrack:
    return correlate_template(case.frames, box)


def multiple_instances(case: Case, box: BoxXYXY) -> BoxTrack:
    """OpenCV's MIL (Babenko et al. 2009), the one of its trackers that needs no weights."""
    x1, y1, x2, y2 = map(round, box)
    tracker = cv2.TrackerMIL.create()
    tracker.init(case.frames[0], (x1, y1, max(x2 - x1, 1), max(y2 - y1, 1)))
    boxes, seen = [np.array(box)], [True]
    for frame in case.frames[1:]:
        found, (x, y, width, height) = tracker.update(frame)
        boxes.append(np.array([x, y, x + width, y + height], np.float64) if found else np.zeros(4))
        seen.append(bool(found))
    return BoxTrack(np.stack(boxes), np.array(seen))


def filter_alone(case: Case, box: BoxXYXY) -> BoxTrack:
    follower = PointedFollower()
    for index, frame in enumerate(_frames(case)):
        if index == 0:
            follower.start(frame, {1: box}, None)
        else:
            follower.update(frame, False, None)
    return _told(follower.finish()[1])


def default(case: Case, box: BoxXYXY) -> BoxTrack:
    """As the command does it with the bundled models."""
    heard, follower = Overheard(POOL.get("detector", Detector)), PointedFollower()  # type: ignore[type-abstract]
    tracker = POOL.tracker(heard)
    for index, frame in enumerate(_frames(case)):
        tracker.update(frame, False)
        if index == 0:
            follower.start(frame, {1: box}, heard.looked_at(frame))
        else:
            follower.update(frame, False, heard.heard(frame))
    return _told(with_tracklets(follower.finish()[1], tracker.finish().tracklets))


def _frames(case: Case) -> Iterator[Frame]:
    for index, image in enumerate(case.frames):
        yield Frame.from_image(index, index / case.fps, image)


def _told(track: FollowedTrack) -> BoxTrack:
    boxes = track.boxes_xyxy_px.astype(np.float64)
    seen = track.seen & (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    return BoxTrack(np.where(seen[:, None], boxes, 0.0), seen)


WAYS: dict[str, Callable[[Case, BoxXYXY], BoxTrack]] = {
    "first box kept": keep,
    "template correlation": correlation,
    "MIL of OpenCV": multiple_instances,
    "correlation filter alone": filter_alone,
    "filter, detector and tracklets (default)": default,
}
PARTS = {
    "OTB and VOT": Part(lambda: measure(one_object), followed_files),
    "DAVIS, boxes around masks": Part(lambda: measure(masked), masked_files),
    "composites": Part(lambda: measure(composites), lambda: CLIPS.glob("*/masks/*.png")),
}


if __name__ == "__main__":
    main()
