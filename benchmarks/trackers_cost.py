"""What trackers cost on two cores: frames per second and peak memory beside their detector alone, and whether memory
stays flat in the length of a video.

    python benchmarks/trackers_cost.py --omnitracker RUN --isvos RUN [--frames 50 200 800]

RUN is the folder of a finished `onlooker train`. A real held-out clip of DAVIS is played to and fro until it is as long
as asked; every row has a process of its own, so that peak memory is its own. Processor time is given beside time by the
clock, which other work on the machine stretches. Writes benchmarks/results/trackers_cost.json. Without a folder, tiny
networks with random weights run a few frames and nothing is written: that shows that the script works.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from onlooker.types import Frame, Image
from real_sequences import MaskedVideo, masked_files, masked_videos
from tracking_common import fingerprint, machine, rounded, write_result

if TYPE_CHECKING:
    from followers import Trained

FPS = 24.0  # of DAVIS
# Packages are imported where they are used: what a way does not need is not part of its memory.
LENGTHS, TRIAL_LENGTHS = (50, 200, 800), (4, 8)
FLAT = 1.1  # the longest video may take so many times the peak memory of the shortest
Step = Callable[[Image], object]
Way = Callable[[MaskedVideo, Path | None], tuple[Step, Callable[[], object]]]


def bundled_detector(video: MaskedVideo, weights: Path | None) -> tuple[Step, Callable[[], object]]:
    from onlooker.models.bundled.ssd_detector import SsdDetector

    detector = SsdDetector()
    return lambda frame: detector.detect([frame]), _nothing


def bundled_tracker(hz: float) -> Way:
    def way(video: MaskedVideo, weights: Path | None) -> tuple[Step, Callable[[], object]]:
        from onlooker.models.bundled.efficientnet import EfficientNetLite
        from onlooker.models.bundled.ssd_detector import SsdDetector
        from onlooker.video.tracklets import TrackletConfig, TrackletTracker

        config = TrackletConfig().at_detector_hz(hz)
        tracker = TrackletTracker(SsdDetector(), EfficientNetLite(input_px=128), config)
        numbers = itertools.count()

        def step(image: Image) -> None:
            number = next(numbers)
            tracker.update(Frame.from_image(number, number / FPS, image), new_shot=number == 0)

        return step, tracker.finish

    return way


def omnitracker_detector(video: MaskedVideo, weights: Path | None) -> tuple[Step, Callable[[], object]]:
    import torch

    from followers import OmniFollower, Trained
    from onlooker.methods.trackers.omnitracker.infer import to_input

    omni = OmniFollower(Trained.read(_given(weights)))

    def step(image: Image) -> None:
        with torch.inference_mode():
            omni.network(to_input(image, omni.network.config)[None])

    return step, _nothing


def omnitracker_classes(video: MaskedVideo, weights: Path | None) -> tuple[Step, Callable[[], object]]:
    from followers import OmniFollower, Trained

    omni = OmniFollower(Trained.read(_given(weights)))
    omni.tracker.begin()
    return omni.tracker.update, _nothing


def omnitracker_object(video: MaskedVideo, weights: Path | None) -> tuple[Step, Callable[[], object]]:
    from followers import OmniFollower, Trained

    omni = OmniFollower(Trained.read(_given(weights)))
    omni.tracker.start(video.frames[0], masks=(video.labels[0] != 0)[None])
    return omni.tracker.update, _nothing


def isvos_instances(video: MaskedVideo, weights: Path | None) -> tuple[Step, Callable[[], object]]:
    import torch

    from followers import Trained
    from onlooker.methods.trackers.isvos import Isvos

    trained = Trained.read(_given(weights))
    network = Isvos.from_pretrained(str(trained.folder)).eval()
    height = trained.lines or network.config.short_side

    def step(image: Image) -> None:
        width = round(image.shape[1] * height / image.shape[0])
        small = cv2.resize(image, (-(-width // 32) * 32, -(-height // 32) * 32), interpolation=cv2.INTER_AREA)
        with torch.inference_mode():
            pixels = torch.from_numpy(small).permute(2, 0, 1)[None].float() / 255
            network.instances(network.instances.stages(pixels), heads=True)

    return step, _nothing


def isvos_object(video: MaskedVideo, weights: Path | None) -> tuple[Step, Callable[[], object]]:
    from followers import IsvosFollower, Trained

    segmenter = IsvosFollower(Trained.read(_given(weights))).segmenter
    session = segmenter.start(video.frames[0], {1: video.labels[0] != 0})
    return session.step, _nothing


# Name: (network whose weights it needs, how it is made, the row of its detector alone).
WAYS: Mapping[str, tuple[str | None, Way, str]] = {
    "bundled detector alone": (None, bundled_detector, "bundled detector alone"),
    "bundled tracker, detector at 3 Hz": (None, bundled_tracker(3.0), "bundled detector alone"),
    "bundled tracker, detector on every frame": (None, bundled_tracker(FPS), "bundled detector alone"),
    "omnitracker, detector alone": ("omnitracker", omnitracker_detector, "omnitracker, detector alone"),
    "omnitracker, all classes": ("omnitracker", omnitracker_classes, "omnitracker, detector alone"),
    "omnitracker, one given object": ("omnitracker", omnitracker_object, "omnitracker, detector alone"),
    "isvos, instance branch alone": ("isvos", isvos_instances, "isvos, instance branch alone"),
    "isvos, one given object": ("isvos", isvos_object, "isvos, instance branch alone"),
}


def run_one(name: str, count: int, weights: Path | None) -> dict[str, object]:
    """One video in this process."""
    video = next(iter(masked_videos(held_out_only=True)))
    step, finish = WAYS[name][1](video, weights)
    for frame in itertools.islice(to_and_fro(video.frames), 2):
        step(frame)  # warms up
    loaded = peak_mb()
    began, used = time.perf_counter(), time.process_time()
    for frame in itertools.islice(to_and_fro(video.frames), count):
        step(frame)
    finish()
    seconds, processor = time.perf_counter() - began, time.process_time() - used
    return {
        "frames": count,
        "frames_per_second": count / seconds,
        "processor_ms_per_frame": 1000 * processor / count,
        "peak_mb": peak_mb(),
        "peak_mb_after_two_frames": loaded,
        "clip": f"{video.name}, {video.frames[0].shape[1]}x{video.frames[0].shape[0]}",
    }


def to_and_fro(frames: Sequence[Image]) -> Iterator[Image]:
    """A clip without end and without cuts."""
    there_and_back = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]
    for place in itertools.cycle(there_and_back):
        yield frames[place]


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kilobytes on Linux


def in_own_process(name: str, count: int, weights: Path | None, threads: int) -> dict[str, object]:
    command = [sys.executable, __file__, "--threads", str(threads), "--one", name, str(count), str(weights or "")]
    threaded = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=threaded)
    if done.returncode:
        raise SystemExit(f"{name}, {count} frames:\n{done.stderr}")
    row: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    print(name, rounded(row), flush=True)
    return row


def measured(found: Mapping[str, Trained], lengths: Sequence[int], threads: int) -> dict[str, object]:
    """Every way at every length, with what it costs beside its detector."""
    made: dict[str, dict[str, object]] = {}
    for name, (network, _, detector) in WAYS.items():
        if network is not None and network not in found:
            continue
        weights = None if network is None else found[network].folder
        rows = [in_own_process(name, count, weights, threads) for count in lengths]
        peaks = [row["peak_mb"] for row in rows]
        made[name] = {"rows": rows, "peak_ratio": peaks[-1] / peaks[0], "flat": peaks[-1] <= FLAT * peaks[0]}
        alone = made[detector]["rows"][-1]["processor_ms_per_frame"]
        made[name]["of_detector_alone"] = rows[-1]["processor_ms_per_frame"] / alone
    return made


def _given(weights: Path | None) -> Path:
    if weights is None:
        raise SystemExit("this row needs weights")
    return weights


def _nothing() -> None:
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--omnitracker", type=Path, help="folder of a finished run")
    parser.add_argument("--isvos", type=Path, help="folder of a finished run")
    parser.add_argument("--frames", type=int, nargs="+", default=list(LENGTHS), help="lengths of the video")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--one", nargs=3, metavar=("WAY", "FRAMES", "WEIGHTS"))
    asked = parser.parse_args()
    cv2.setNumThreads(asked.threads)
    if asked.one:
        name, count, weights = asked.one
        print(json.dumps(run_one(name, int(count), Path(weights) if weights else None)))
        return
    from followers import described, trained_or_random

    with tempfile.TemporaryDirectory() as scratch:
        found, trained = trained_or_random(asked.omnitracker, asked.isvos, Path(scratch))
        ways = measured(found, asked.frames if trained else TRIAL_LENGTHS, asked.threads)
        if not trained:
            print("random weights: nothing was written")
            return
        result = {
            "what": " ".join(__doc__.split("\n\n")[0].split()),
            "machine": machine(),
            "threads": asked.threads,
            "data_sha256": fingerprint(masked_files()),
            "networks": described(found),
            "bar": f"peak memory of the longest video at most {FLAT:g} times that of the shortest",
            "ways": ways,
        }
        write_result("trackers_cost", rounded(result))


if __name__ == "__main__":
    main()
