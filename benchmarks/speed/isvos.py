"""What following objects costs: frames per second and peak memory of ISVOS beside its instance branch alone, and
whether time and memory stay flat in the length of a video.

    python benchmarks/speed/isvos.py [--threads 2] [--frames 60]

Writes benchmarks/results/speed/isvos.json. Weights are random and frames are noise: neither changes the cost. Every row
runs in a process of its own, so that peak memory is its own; processor time is given beside time by the clock, which
other work on the machine stretches.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import machine, rounded, write_result
from onlooker.methods.trackers.isvos import CONFIGS, Isvos, IsvosSegmenter


@dataclass(frozen=True)
class Case:
    """One row: a configuration, the height and width of frames, how many objects."""

    config: str
    height: int
    width: int
    objects: int

    @property
    def words(self) -> list[str]:
        return [self.config, str(self.height), str(self.width), str(self.objects)]


CASES = (
    Case("tiny", 128, 224, 1),
    Case("tiny", 128, 224, 5),
    Case("paper", 240, 432, 1),
    Case("paper", 480, 854, 1),
)
LENGTH_CASE = Case("tiny", 128, 224, 1)


def frames(case: Case, count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (case.height, case.width, 3)).astype(np.uint8) for _ in range(count)]


def masks(case: Case) -> dict[int, np.ndarray]:
    side, found = case.width // (case.objects + 1), {}
    for number in range(case.objects):
        mask = np.zeros((case.height, case.width), np.bool_)
        mask[case.height // 4 : case.height // 2, number * side : number * side + side // 2] = True
        found[number + 1] = mask
    return found


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kilobytes on Linux


def built(case: Case) -> Isvos:
    torch.manual_seed(0)
    return Isvos(CONFIGS[case.config]).eval()


def follow(case: Case, count: int) -> dict[str, object]:
    """One video, in this process."""
    network, pictures = built(case), frames(case, count + 1)
    before = peak_mb()
    session = IsvosSegmenter.from_network(network).start(pictures[0], masks(case))
    session.step(pictures[1])  # warms up
    started, processor = time.perf_counter(), time.process_time()
    quarters = []
    for number, picture in enumerate(pictures[1:], start=1):
        session.step(picture)
        if number % max(1, count // 4) == 0:
            quarters.append(time.process_time() - processor)
    seconds, used = time.perf_counter() - started, time.process_time() - processor
    alone = instance_branch(network, case)
    return {
        "config": case.config,
        "frame": f"{case.width}x{case.height}",
        "objects": case.objects,
        "frames": count,
        "frames_per_second": count / seconds,
        "frames_per_processor_second": count / used,
        "processor_ms_per_frame": 1000 * used / count,
        "instance_branch_alone_processor_ms": alone,
        "of_instance_branch": 1000 * used / count / alone,
        "first_quarter_processor_s": quarters[0],
        "last_quarter_processor_s": quarters[-1] - quarters[-2],
        "memory_bank_mb": session.memory_bytes / 2**20,
        "memory_frames": session.memory_frames,
        "peak_mb": peak_mb(),
        "peak_mb_network_alone": before,
    }


def instance_branch(network: Isvos, case: Case) -> float:
    """Processor milliseconds of backbone and instance branch on one frame, classes included."""
    picture = torch.zeros(1, 3, -(-case.height // 32) * 32, -(-case.width // 32) * 32)
    taken = []
    with torch.inference_mode():
        for _ in range(4):
            started = time.process_time()
            network.instances(network.instances.stages(picture), heads=True)
            taken.append(time.process_time() - started)
    return 1000 * float(np.median(taken[1:]))


def in_own_process(case: Case, count: int, threads: int) -> dict[str, object]:
    command = [sys.executable, __file__, "--threads", str(threads), "--one", *case.words, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    row: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    print(row, flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--frames", type=int, default=24, help="of a video, for tiny; a third of it for paper")
    parser.add_argument("--one", nargs=5, metavar=("CONFIG", "HEIGHT", "WIDTH", "OBJECTS", "FRAMES"))
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    if asked.one:
        config, *numbers = asked.one
        height, width, objects, count = map(int, numbers)
        print(json.dumps(follow(Case(config, height, width, objects), count)))
        return
    result: dict[str, object] = {
        "what": "following objects, random weights, float32, every fifth frame stored, at most 21 in all; time "
        "by the clock suffers from other work on the machine, processor time does not",
        "machine": machine(("onlooker", "torch", "transformers")),
        "threads": asked.threads,
    }
    counts = [asked.frames if case.config == "tiny" else max(4, asked.frames // 3) for case in CASES]
    result["rows"] = [in_own_process(case, n, asked.threads) for case, n in zip(CASES, counts, strict=True)]
    result["length_of_video"] = [in_own_process(LENGTH_CASE, n * asked.frames, asked.threads) for n in (1, 5, 15)]
    write_result("speed/isvos", rounded(result, 4))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
