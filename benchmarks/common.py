"""Shared by all benchmarks: what a result file says of the machine, how it is written, and how two networks race."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"


def machine(packages: Sequence[str]) -> dict[str, object]:
    """The machine and the versions, without anything that names it or its paths."""
    found: dict[str, str | None] = {}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return {
        "cpu_count": os.cpu_count(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": found,
    }


def write_result(name: str, result: Mapping[str, object]) -> None:
    """Write `benchmarks/results/<name>.json`."""
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, sort_keys=False) + "\n", encoding="utf-8")


def rounded(value: Mapping[str, object] | Sequence[object] | object, digits: int = 3) -> object:
    """The same value with floats rounded, for result files that people read."""
    if isinstance(value, float):
        return round(value, digits)
    if isinstance(value, Mapping):
        return {key: rounded(item, digits) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item, digits) for item in value]
    return value


def race(ours: Callable[[], object], theirs: Callable[[], object], runs: int) -> dict[str, float]:
    """Two calls timed in turn, so that a busy moment of the machine meets both.

    Who goes first alternates. The ratio is the median over pairs of neighbours: one slow pair moves nothing.

    Returns:
        Medians in milliseconds, `ratio` ours / theirs, its quartiles, and the number of `runs`.
    """
    for call in (ours, theirs):
        call()
    times: list[tuple[float, float]] = []
    for run in range(runs):
        pair = {}
        for name, call in (("ours", ours), ("theirs", theirs))[:: 1 if run % 2 else -1]:
            start = time.perf_counter()
            call()
            pair[name] = time.perf_counter() - start
        times.append((pair["ours"], pair["theirs"]))
    ratios = [mine / other for mine, other in times]
    low, _, high = statistics.quantiles(ratios, n=4)
    return {
        "ours_ms": 1000 * statistics.median(mine for mine, _ in times),
        "theirs_ms": 1000 * statistics.median(other for _, other in times),
        "ratio": statistics.median(ratios),
        "ratio_lower_quartile": low,
        "ratio_upper_quartile": high,
        "runs": runs,
    }
