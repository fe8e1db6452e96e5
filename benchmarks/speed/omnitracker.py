"""What OmniTracker costs: the detector inside beside transformers' own at equal outputs, frames per second of the
tracker, and its memory over a long video.

    python benchmarks/speed/omnitracker.py [--threads 2] [--runs 5] [--frames 200]

Writes benchmarks/results/speed/omnitracker.json. Weights are random; the number of followed objects is set by what is
given, not by what is found.
"""

from __future__ import annotations

import argparse
import gc
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from transformers import DeformableDetrForObjectDetection

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import machine, race, rounded, write_result
from onlooker.methods.trackers.omnitracker import CONFIGS, OmniTracker, OmniTrackerConfig, TrackingConfig
from onlooker.methods.trackers.omnitracker import from_deformable_detr as started_from
from onlooker.methods.trackers.omnitracker.detector import transformers_config
from onlooker.methods.trackers.omnitracker.infer import to_input

TOLERANCE = 1e-5
SIZES = {"tiny": (160, 288), "paper": (240, 432)}
TARGETS = (1, 10)
LONG = (48, 64)


def pictures(count: int, size: tuple[int, int]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (*size, 3), dtype=np.uint8) for _ in range(count)]


def detector_of(config: OmniTrackerConfig) -> DeformableDetrForObjectDetection:
    torch.manual_seed(0)
    model = DeformableDetrForObjectDetection(transformers_config(config.backbone, config.detector)).eval()
    for parameter in model.parameters():  # fresh box heads are zero: they would agree whatever came before
        parameter.add_(torch.randn_like(parameter), alpha=0.02)
    return model


def beside_the_detector(name: str, runs: int) -> dict[str, object]:
    """One frame: whole network against transformers' detector; outputs of the detector are equal."""
    config = CONFIGS[name]
    size = SIZES[name]
    theirs = detector_of(config)
    ours = started_from(theirs, config).network
    frame = to_input(pictures(1, size)[0], replace(config, short_side=1000, long_side=2000))[None]
    expected, found = theirs(frame).pred_boxes, ours(frame).decoded.boxes[-1]
    difference = float((found - expected).abs().max())
    if difference > TOLERANCE:
        raise SystemExit(f"boxes differ by {difference:.1e}: nothing to time")
    row: dict[str, object] = {"config": name, "frame": list(size), "difference": f"{difference:.1e}"}
    return row | race(lambda: ours(frame), lambda: theirs(frame), runs)


def tracker_speed(name: str, targets: int, runs: int) -> dict[str, object]:
    """Frames per second of instance tracking, and what is kept per frame of category tracking."""
    config, size = CONFIGS[name], SIZES[name]
    network = started_from(detector_of(config), config).network
    tracker = OmniTracker.from_network(network, TrackingConfig(select_score=0.0))
    first, *rest = pictures(runs + 1, size)
    corners = np.random.default_rng(1).uniform(0, 100, (targets, 2))
    tracker.start(first, boxes=np.concatenate([corners, corners + 40], 1))
    seconds = []
    for frame in rest:
        started = time.perf_counter()
        tracker.update(frame)
        seconds.append(time.perf_counter() - started)
    median = float(np.median(seconds))
    return {"config": name, "frame": list(size), "targets": targets, "ms": 1000 * median, "fps": 1 / median}


def memory_over(frames: int) -> dict[str, object]:
    """Largest resident memory after a tenth of a long video and after all of it, of the tiny network."""
    network = started_from(detector_of(CONFIGS["tiny"]), CONFIGS["tiny"]).network
    tracker = OmniTracker.from_network(network, TrackingConfig(select_score=0.0, birth_score=0.0))
    marks = {}
    for number, frame in enumerate(pictures(frames, LONG), 1):
        tracker.update(frame)
        if number in (max(1, frames // 10), frames):
            gc.collect()
            marks[str(number)] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"frames": frames, "frame": list(LONG), "peak_megabytes_after": marks}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--frames", type=int, default=200)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    result: dict[str, object] = {
        "what": "OmniTracker on the CPU in float32, random weights, one frame at a time",
        "machine": machine(("onlooker", "torch", "torchvision", "transformers")),
        "threads": asked.threads,
    }
    with torch.inference_mode():
        result["memory"] = memory_over(asked.frames)  # first, while nothing larger has been in memory
        result["beside_the_detector"] = [beside_the_detector(name, asked.runs) for name in SIZES]
        result["tracker"] = [tracker_speed(name, targets, asked.runs) for name in SIZES for targets in TARGETS]
    write_result("speed/omnitracker", rounded(result, 4))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
