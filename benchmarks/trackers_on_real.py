"""OmniTracker and ISVOS on real sequences they were not trained on, beside the bundled tracker.

    python benchmarks/trackers_on_real.py --omnitracker RUN --isvos RUN [PART ...]

RUN is the folder of a finished `onlooker train`. Writes benchmarks/results/trackers_on_real.json part by part; a part
that is there is measured again only when named, or when data or weights changed. The simple baselines are in
tracking_baselines.json. Without a folder, tiny networks with random weights go over a few frames and nothing is
written: that shows that the script works.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np
import torch

from followers import (
    CROWD_LINES,
    BundledFollower,
    IsvosFollower,
    OmniFollower,
    Trained,
    described,
    trained_or_random,
)
from onlooker.evaluation.single_object import mean_single_object, score_single_object
from onlooker.evaluation.tracking import FrameBoxes, score_sequences
from onlooker.evaluation.video_objects import mean_objects, score_video_objects
from onlooker.formats.single_object import BoxTrack
from onlooker.models.bundled.efficientnet import EfficientNetLite
from onlooker.models.bundled.ssd_detector import SsdDetector
from onlooker.synth.masked_clips import TEST_SEQUENCES, TRAIN_SEQUENCES
from real_sequences import (
    CROWD_FPS,
    Crowd,
    FollowedVideo,
    MaskedVideo,
    crowd_files,
    crowds,
    followed_files,
    followed_videos,
    masked_files,
    masked_videos,
)
from tracking_common import Part, measure_parts, rounded

FPS = 25.0  # of OTB and VOT, whose files do not say
TRIAL_FRAMES = 4


class Sequences:
    """The sequences, or their first frames in a trial."""

    def __init__(self, most: int | None) -> None:
        self._most = most

    def masked(self) -> Iterable[MaskedVideo]:
        for video in masked_videos(held_out_only=True):
            yield MaskedVideo(video.name, video.frames[: self._most], video.labels[: self._most])

    def followed(self) -> Iterable[FollowedVideo]:
        for video in followed_videos():
            truth = BoxTrack(video.truth.boxes_xyxy[: self._most], video.truth.visible[: self._most])
            yield FollowedVideo(video.name, video.frames[: self._most], truth)

    def crowds(self) -> Iterable[Crowd]:
        for crowd in crowds():
            yield Crowd(crowd.name, crowd.frames[: self._most], crowd.rows, crowd.public[: self._most])


def video_objects(videos: Iterable[MaskedVideo], follow: Callable[[MaskedVideo], np.ndarray]) -> dict[str, object]:
    """J and F of held-out sequences, percent."""
    each, n_frames, seconds = {}, 0, 0.0
    for video in videos:
        began = time.process_time()
        found = follow(video)
        seconds += time.process_time() - began
        n_frames += len(video.frames)
        each[video.name] = score_video_objects(found, video.labels, one_object=True)[1]
    mean = mean_objects(each.values())
    return {
        "n_frames": n_frames,
        "J": mean.j.mean,
        "F": mean.f.mean,
        "J&F": mean.j_and_f,
        "each": {name: scores.j_and_f for name, scores in each.items()},
        "processor_ms_per_frame": 1000 * seconds / n_frames,
    }


def single_object(videos: Iterable[FollowedVideo], follow: Callable[[FollowedVideo], BoxTrack]) -> dict[str, object]:
    """Success and precision, percent; the first frame counts, as OTB counts it."""
    each, lost, n_frames, seconds = {}, {}, 0, 0.0
    for video in videos:
        began = time.process_time()
        found = follow(video)
        seconds += time.process_time() - began
        n_frames += len(video.frames)
        each[video.name] = score_single_object(found, video.truth)
        lost[video.name] = 100 * float((~found.visible).mean())
    mean = mean_single_object(each)
    return {
        "n_frames": n_frames,
        "success_auc": mean.success_auc,
        "precision_20px": mean.precision_20px,
        "each": {
            name: {"success_auc": s.success_auc, "precision_20px": s.precision_20px, "frames_lost": lost[name]}
            for name, s in each.items()
        },
        "processor_ms_per_frame": 1000 * seconds / n_frames,
    }


def crowd(clips: Iterable[Crowd], follow: Callable[[Crowd], list[FrameBoxes]]) -> dict[str, object]:
    """Scores of pedestrians over all clips, MOT17's rules applied."""
    sequences, seconds = [], 0.0
    for clip in clips:
        began = time.process_time()
        found = follow(clip)
        seconds += time.process_time() - began
        sequences.append(clip.scored(found))
    scores, n_frames = score_sequences(sequences)[0], sum(len(s.truth) for s in sequences)
    return {
        "n_frames": n_frames,
        "HOTA": scores.hota,
        "MOTA": scores.mota,
        "IDF1": scores.idf1,
        "id_switches": scores.id_switches,
        "count_error": scores.count_error,
        "n_boxes": sum(len(frame.ids) for s in sequences for frame in s.tracked),
        "processor_ms_per_frame": 1000 * seconds / n_frames,
    }


def parts_of(found: Mapping[str, Trained], on: Sequences) -> dict[str, Part]:
    """Everything that can be measured with the networks at hand."""
    bundled = BundledFollower(SsdDetector(), EfficientNetLite(input_px=128), FPS)
    fast = BundledFollower(SsdDetector(), EfficientNetLite(input_px=128), CROWD_FPS)
    made = {
        "bundled tracker, one object": Part(lambda: single_object(on.followed(), bundled.boxes), followed_files),
        "bundled tracker, crowds": Part(lambda: crowd(on.crowds(), fast.people), crowd_files),
        "bundled tracker on public detections, crowds": Part(
            lambda: crowd(on.crowds(), lambda clip: fast.people(clip, clip.public)), crowd_files
        ),
    }
    if "isvos" in found:
        isvos, files = IsvosFollower(found["isvos"]), found["isvos"].files
        made |= {
            "isvos, masks": Part(lambda: video_objects(on.masked(), isvos.masks), lambda: [*masked_files(), *files]),
            "isvos, one object": Part(
                lambda: single_object(on.followed(), isvos.boxes), lambda: [*followed_files(), *files]
            ),
        }
    return made | (_omnitracker_parts(found["omnitracker"], on) if "omnitracker" in found else {})


def _omnitracker_parts(trained: Trained, on: Sequences) -> dict[str, Part]:
    omni, more_lines, files = OmniFollower(trained), OmniFollower(trained, CROWD_LINES), trained.files

    def masks() -> dict[str, object]:
        return video_objects(on.masked(), omni.masks) if omni.has_masks else {"not_measured": "no mask head"}

    return {
        "omnitracker, masks": Part(masks, lambda: [*masked_files(), *files]),
        "omnitracker, one object": Part(
            lambda: single_object(on.followed(), omni.boxes), lambda: [*followed_files(), *files]
        ),
        "omnitracker, crowds": Part(lambda: crowd(on.crowds(), omni.people), lambda: [*crowd_files(), *files]),
        f"omnitracker with {CROWD_LINES} lines, crowds": Part(
            lambda: crowd(on.crowds(), more_lines.people), lambda: [*crowd_files(), *files]
        ),
    }


def composed(trained: Trained) -> bool:
    """Whether a network was trained on clips composed of the training sequences of DAVIS."""
    clips = trained.described.get("clips")
    return isinstance(clips, dict) and clips.get("source") == "composites"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--omnitracker", type=Path, help="folder of a finished run")
    parser.add_argument("--isvos", type=Path, help="folder of a finished run")
    parser.add_argument("part", nargs="*", help="measured even if it is there")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        found, trained = trained_or_random(asked.omnitracker, asked.isvos, Path(scratch))
        parts = parts_of(found, Sequences(None if trained else TRIAL_FRAMES))
        if not trained:
            for name, part in parts.items():
                print(name, json.dumps(rounded(part.measure())), flush=True)
            print("random weights: nothing was written")
            return
        head = {
            "what": __doc__.splitlines()[0],
            "networks": described(found),
            "trained_on": list(TRAIN_SEQUENCES) if any(composed(one) for one in found.values()) else [],
            "held_out": list(TEST_SEQUENCES),
            "limits": "every frame of every held-out sequence at hand; 1 thread",
        }
        measure_parts("trackers_on_real", head, parts, asked.part)


if __name__ == "__main__":
    main()
