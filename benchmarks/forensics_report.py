"""The forensic benchmark in one command: `python benchmarks/forensics_report.py [--output FOLDER] [--quick]`.

Detectors x manipulations x protocols x perturbations, on tiles of 64 pixels (rules, linear models, tiny networks) and
of 256 (rules and linear models), as JSON, CSV and a page with pictures. The whole takes under 30 minutes on two cores;
`--quick` takes a few and proves nothing but that it runs. `--networks none` leaves the networks out.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from common import machine, write_result
from onlooker.methods.forensics.media_forensics.benchmark import BenchmarkPlan, BenchmarkReport
from onlooker.methods.forensics.media_forensics.detectors import RULES, find_rule
from onlooker.methods.forensics.media_forensics.learned import FEATURES, LinearDetector, fit_detector
from onlooker.methods.forensics.media_forensics.protocols import Contestant, rule
from onlooker.methods.forensics.media_forensics.report import report_to_dict, write_report
from onlooker.methods.forensics.media_forensics.running import run_benchmarks
from onlooker.methods.forensics.media_forensics.samples import Sample
from onlooker.synth.forgeries import ForgeryConfig, photo_sources

# Files made here carry no camera's metadata: that rule has nothing to say of them.
_LEFT_OUT = frozenset({"metadata"})
_ALWAYS = frozenset({"value", "low", "high"})
_KEPT = frozenset({"image auc", "pixel f1", "pixel iou", "pixel auc"})
_QUICK_SWEEP = {"jpeg": (90.0, 50.0), "blur": (3.0,)}


def plans(quick: bool) -> tuple[BenchmarkPlan, BenchmarkPlan]:
    small = BenchmarkPlan("tiles of 64 pixels", n_train=1600)
    large = BenchmarkPlan(
        "pictures of 256 pixels", ForgeryConfig(256), n_train=160, n_validation=80, n_test=120, n_swept=40
    )
    if not quick:
        return small, large
    few = {"n_validation": 60, "n_swept": 20, "sweep": _QUICK_SWEEP, "n_resamples": 50}
    return (
        dataclasses.replace(small, n_train=120, n_test=60, **few),
        dataclasses.replace(large, n_train=24, n_test=24, **{**few, "n_validation": 24, "n_swept": 8}),
    )


def contestants(size_px: int, steps: int, networks: str) -> list[Contestant]:
    made = [rule(find_rule(name)) for name in RULES if name not in _LEFT_OUT]
    made += [Contestant(name, functools.partial(_fit_linear, name), is_trained=True) for name in FEATURES]
    if networks == "tiny":
        from forensics_networks import network_contestants

        made = network_contestants(size_px, steps) + made  # the longest first: processes end together
    return made


def _fit_linear(name: str, samples: Sequence[Sample], seed: int) -> LinearDetector:
    return fit_detector(name, samples)


def summary(report: BenchmarkReport) -> dict[str, object]:
    """What goes into benchmarks/results: AUC of pictures in all protocols, and the first scores of places. The folder
    with the page has every number."""
    found = report_to_dict(report)
    kept = [row for row in found["rows"] if row["metric"] == "image auc" or row["protocol"] == "within"]
    return {**found, "rows": [_short(row) for row in kept if row["metric"] in _KEPT]}


def _short(row: Mapping[str, object]) -> dict[str, object]:
    """Without the plan, which stands above, and without a perturbation where there was none."""
    return {name: value for name, value in row.items() if name != "plan" and (value is not None or name in _ALWAYS)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("forensics_report"))
    parser.add_argument("--quick", action="store_true", help="minutes; the numbers mean nothing")
    parser.add_argument("--networks", choices=("tiny", "none"), default="tiny")
    parser.add_argument("--jobs", type=int, default=2, help="processes, one thread each")
    parser.add_argument("--steps", type=int, default=400, help="of training the networks")
    parser.add_argument("--conditions", default="", help="what else the machine did, said beside the minutes")
    asked = parser.parse_args()
    started = time.perf_counter()
    photos = photo_sources()
    steps = 10 if asked.quick else asked.steps
    reports = run_benchmarks(
        [(plan, contestants(plan.tiles.size_px, steps, asked.networks)) for plan in plans(asked.quick)],
        photos,
        jobs=asked.jobs,
        progress=lambda line: print(f"{time.perf_counter() - started:6.0f} s  {line}", flush=True),
    )
    page = write_report(reports, asked.output)
    print(f"{page}: {(time.perf_counter() - started) / 60:.1f} min", flush=True)
    if not asked.quick:
        result = {
            "minutes": round((time.perf_counter() - started) / 60, 1),
            "conditions": asked.conditions,
            "jobs": asked.jobs,
            "photos": [photo.id for photo in photos],
            "machine": machine(
                ("onlooker", "torch", "numpy", "opencv-python-headless", "scikit-image", "scikit-learn")
            ),
            "plans": [summary(report) for report in reports],
        }
        write_result("forensics", result)


if __name__ == "__main__":
    main()
