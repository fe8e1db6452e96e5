"""Draws the oracle-versus-tracker curve from its result file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oracle_curve_summary import points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GROUPS = {"pictures": ("composed clips", "#1f77b4"), "detections": ("real clips", "#d95f02")}
_LINES = ("-", "--")
_MARKS = ("o", "s", "^")


def draw(file: Path, target: Path) -> None:
    """Write the picture of a whole result file; one line for every type of question."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    result = json.loads(file.read_text(encoding="utf-8"))
    together = points(result, tuple(GROUPS))
    # Best at the bottom of the scale first, so that the legend is in the order of the lines.
    kinds = sorted((k for k in together if k != "all"), key=lambda k: -together[k][0][1])
    figure = plt.figure(figsize=(12, 11.5), layout="constrained")
    grid = figure.add_gridspec(3, 5, height_ratios=(1.7, 1, 1))
    _overview(figure.add_subplot(grid[0, :]), together, kinds)
    for place, kind in enumerate(kinds):
        axes = figure.add_subplot(grid[1 + place // 5, place % 5])
        _one_type(axes, result, kind)
        axes.set_xlabel("HOTA" if place >= 5 else "")
        axes.set_ylabel("answers right, %" if place % 5 == 0 else "")
    handles, labels = figure.axes[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=9, frameon=False)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=110, metadata={"Software": None})
    plt.close(figure)


def _overview(axes: Axes, together: Mapping[str, Sequence[tuple[float, float]]], kinds: Sequence[str]) -> None:
    for number, kind in enumerate(kinds):
        x, y = zip(*together[kind], strict=True)
        axes.plot(x, y, _LINES[number // 5], color=f"C{number}", marker=".", label=kind)
    x, y = zip(*together["all"], strict=True)
    axes.plot(x, y, color="black", linewidth=3, label="all questions")
    axes.set_title("Perfect tracks made worse: answers right by type of question", fontsize=11)
    axes.set_xlabel("HOTA of the tracks (100: ground truth)")
    axes.set_ylabel("answers right, %")
    axes.set_ylim(-2, 103)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", ncols=3, fontsize=9)


def _one_type(axes: Axes, result: Mapping[str, Any], kind: str) -> None:
    for group, (title, colour) in GROUPS.items():
        x, y = zip(*points(result, (group,)).get(kind, [(100.0, 100.0)]), strict=True)
        axes.plot(x, y, color=colour, label=f"{title}, degraded truth")
        for mark, (name, found) in zip(_MARKS, result[f"{group}: trackers"]["found"].items(), strict=False):
            right, asked = found["answers"].get(kind, (0, 0))
            if asked:
                share = 100 * right / asked
                axes.plot(found["hota"], share, mark, color=colour, mec="black", label=f"{title}: {name}")
    axes.set_title(kind, fontsize=10)
    axes.set_xlim(25, 102)
    axes.set_xticks([30, 50, 70, 90])
    axes.set_ylim(-4, 104)
    axes.grid(alpha=0.3)
