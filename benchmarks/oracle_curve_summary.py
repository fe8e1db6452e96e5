"""What the oracle-versus-tracker curve says, worked out from its measured parts."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

GROUPS = ("pictures", "detections")
# Types of questions in the order in which the sheet expects them to suffer, the least first.
EXPECTED_ORDER = ("existence", "count", "temporal", "trajectory")
Points = list[tuple[float, float]]


def points(result: Mapping[str, Any], groups: Sequence[str]) -> dict[str, Points]:
    """By type of question, and "all": (HOTA level, percent right) of degraded tracks, low to high, seeds together."""
    counts: dict[str, dict[float, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for group in groups:
        for run in result[f"{group}: degraded"]["found"]["runs"]:
            # Perfect tracks are asked once, the others once for every seed: shares of a level are not mixed.
            for kind, (right, asked) in run["answers"].items():
                for name in (kind, "all"):
                    counts[name][run["level"]][0] += right
                    counts[name][run["level"]][1] += asked
    return {
        kind: [(level, 100 * right / asked) for level, (right, asked) in sorted(levels.items())]
        for kind, levels in counts.items()
    }


def summarise(result: Mapping[str, Any]) -> dict[str, object]:
    """The tables and verdicts of the results page.

    `by_type` has a share per level of `levels`, perfect tracks first; a tracker's `at_same_hota` is what degraded truth
    of the same clips gives at the tracker's HOTA, between the two nearest levels.
    """
    together = points(result, GROUPS)
    levels = [level for level, _ in reversed(together["all"])]
    by_type = {kind: [share for _, share in reversed(line)] for kind, line in together.items()}
    rises = {kind: bool(np.all(np.diff(shares) <= 0)) for kind, shares in by_type.items()}
    ordered = [
        level
        for place, level in enumerate(levels)
        if level < 100 and _falling([by_type[kind][place] for kind in EXPECTED_ORDER])
    ]
    return {
        "levels": levels,
        "by_type": dict(sorted(by_type.items(), key=lambda item: -item[1][-1])),
        "rises_with_hota": rises,
        "expected_order": list(EXPECTED_ORDER),
        "expected_order_holds_at": ordered,
        "trackers": [row for group in GROUPS for row in _beside_the_curve(result, group)],
    }


def _beside_the_curve(result: Mapping[str, Any], group: str) -> list[dict[str, object]]:
    runs = result[f"{group}: degraded"]["found"]["runs"]
    rows = []
    for name, found in result[f"{group}: trackers"]["found"].items():
        same = {field: at_hota(runs, found["hota"], field) for field in ("accuracy", "objects_never_found")}
        rows.append(
            {
                "group": group,
                "tracker": name,
                "hota": found["hota"],
                "accuracy": found["accuracy"],
                "accuracy_at_same_hota": same["accuracy"],
                "points_ahead": found["accuracy"] - same["accuracy"],
                "objects_never_found": found["objects_never_found"],
                "objects_never_found_at_same_hota": same["objects_never_found"],
                "count_error": found["count_error"],
            }
        )
    return rows


def at_hota(runs: Sequence[Mapping[str, Any]], hota: float, field: str) -> float:
    """A field of degraded runs at a HOTA, in a straight line between the means of the two nearest levels."""
    by_level: dict[float, list[tuple[float, float]]] = defaultdict(list)
    for run in runs:
        by_level[run["level"]].append((run["hota"], run[field]))
    x, y = zip(*sorted(tuple(np.mean(pairs, axis=0)) for pairs in by_level.values()), strict=True)
    return float(np.interp(hota, x, y))


def _falling(shares: Sequence[float]) -> bool:
    return all(a > b for a, b in itertools.pairwise(shares))
