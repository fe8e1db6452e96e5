"""The survey as a toolkit: detectors with evidence, manipulations, perturbations, protocols, and a report."""

from onlooker.methods.forensics.media_forensics.benchmark import BenchmarkPlan
from onlooker.methods.forensics.media_forensics.detectors import RULES, find_rule
from onlooker.methods.forensics.media_forensics.running import run_benchmark
from onlooker.methods.forensics.media_forensics.samples import (
    Detector,
    Finding,
    Refusal,
    Sample,
    inspect,
    open_sample,
)

__all__ = [
    "RULES",
    "BenchmarkPlan",
    "Detector",
    "Finding",
    "Refusal",
    "Sample",
    "find_rule",
    "inspect",
    "open_sample",
    "run_benchmark",
]
