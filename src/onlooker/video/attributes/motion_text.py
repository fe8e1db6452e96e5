"""The movement of one tracklet in plain words, stretch by stretch, with times.

The path is cut into stretches of standing still and of moving in one of eight directions; stretches shorter than a
moment are folded into their neighbours, so that the text tells what a person would tell.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STILL = -1
_WORDS = ("right", "down and right", "down", "down and left", "left", "up and left", "up", "up and right")
_STEP_S = 0.5  # the path is looked at in steps this long
_MOST_STEPS = 1_000_000  # ours: six days of them; of what goes on for longer the steps are longer
_SHORTEST_S = 0.75  # stretches shorter than this join a neighbour
_MAX_STRETCHES = 8  # a text longer than this helps nobody
_MAX_GAPS = 3
_OUTSIDE = ("left", "right", "top", "bottom")


@dataclass(frozen=True, slots=True)
class _Stretch:
    """`sector` is 0..7 clockwise from right, or still. `path_px` is the distance covered."""

    sector: int
    start_s: float
    end_s: float
    dx: float
    dy: float

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s

    @property
    def speed_px_s(self) -> float:
        return math.hypot(self.dx, self.dy) / self.length_s if self.length_s > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Movement:
    """What the text is made from.

    Attributes:
        times_s: (N,) times of the boxes.
        centres_px: (N, 2) centres, for speeds.
        smooth_px: (N, 2) smoothed centres, for telling motion from jitter.
        threshold_px: distance below which a whole stretch counts as standing still.
        enters, leaves, approach: the columns `enters_from`, `leaves_to` and `approach`.
        gaps_s: absences, as (start, end).
    """

    times_s: Floats
    centres_px: Floats
    smooth_px: Floats
    threshold_px: float
    enters: str
    leaves: str
    approach: str | None
    gaps_s: Sequence[tuple[float, float]]


def describe_motion(movement: Movement) -> str:
    """One to three sentences: how it enters, what it does from when to when, how it leaves."""
    start, end = float(movement.times_s[0]), float(movement.times_s[-1])
    text = ", ".join([_entry(movement.enters, start), *_middle(movement), _exit(movement.leaves, end)]) + "."
    if movement.approach in ("approaching", "receding"):
        text += " It comes nearer." if movement.approach == "approaching" else " It goes farther away."
    if movement.gaps_s:
        gaps = list(movement.gaps_s)
        shown = " and ".join(f"from {a:.1f} s to {b:.1f} s" for a, b in gaps[:_MAX_GAPS])
        more = f" and {len(gaps) - _MAX_GAPS} more times" if len(gaps) > _MAX_GAPS else ""
        text += f" Out of sight {shown}{more}."
    return text


def _entry(enters: str, start_s: float) -> str:
    if enters in _OUTSIDE:
        return f"enters from the {enters} at {start_s:.1f} s"
    return "is there from the start" if enters == "start" else f"appears at {start_s:.1f} s"


def _exit(leaves: str, end_s: float) -> str:
    if leaves in _OUTSIDE:
        where = f"at the {leaves}" if leaves in ("top", "bottom") else f"to the {leaves}"
        return f"leaves {where} at {end_s:.1f} s"
    return "is there until the end" if leaves == "end" else f"is last seen at {end_s:.1f} s"


def _middle(movement: Movement) -> list[str]:
    rough = _stretches(movement.times_s, movement.smooth_px, movement.threshold_px)
    stretches = [_measured(stretch, movement.times_s, movement.centres_px) for stretch in rough]
    parts = [_words(s, last=s is stretches[-1], only=len(stretches) == 1) for s in stretches[:_MAX_STRETCHES]]
    if len(stretches) > _MAX_STRETCHES:
        parts.append("goes on changing direction")
    return parts


def _words(stretch: _Stretch, *, last: bool, only: bool) -> str:
    if stretch.sector == _STILL:
        doing = "stands still"
    else:
        doing = f"moves {_WORDS[stretch.sector]} at {stretch.speed_px_s:.0f} px/s"
    if last:
        return doing if only else f"then {doing}"
    return f"{doing} until {stretch.end_s:.1f} s"


def _stretches(times: Floats, centres: Floats, threshold_px: float) -> list[_Stretch]:
    """Runs of one sector, short ones folded away. Never empty."""
    if len(times) < 2:
        return [_Stretch(_STILL, float(times[0]), float(times[-1]), 0.0, 0.0)]
    whole_s = float(times[-1] - times[0])
    steps = min(max(1, round(whole_s / _STEP_S)), _MOST_STEPS)
    at = np.unique(np.searchsorted(times, np.linspace(times[0], times[-1], steps + 1)).clip(0, len(times) - 1))
    # A step counts as moving when going on like that for two seconds (or the whole time, if shorter) would be motion.
    still_below = threshold_px / max(min(2.0, whole_s), 1e-6)
    raw = []
    for a, b in itertools.pairwise(at):
        dx, dy = (float(v) for v in centres[b] - centres[a])
        raw.append(_named(_Stretch(_STILL, float(times[a]), float(times[b]), dx, dy), still_below))
    return _fold(_merge(raw, still_below), still_below)


def _measured(stretch: _Stretch, times: Floats, centres: Floats) -> _Stretch:
    """The stretch with the displacement of the raw centres: smoothing shortens paths at their turns."""
    a, b = np.searchsorted(times, (stretch.start_s, stretch.end_s))
    dx, dy = (float(v) for v in centres[b] - centres[a])
    return replace(stretch, dx=dx, dy=dy)


def _named(stretch: _Stretch, still_below_px_s: float) -> _Stretch:
    if stretch.speed_px_s < still_below_px_s:
        return replace(stretch, sector=_STILL)
    return replace(stretch, sector=round(math.atan2(stretch.dy, stretch.dx) / (math.pi / 4)) % 8)


def _joined(a: _Stretch, b: _Stretch) -> _Stretch:
    keep = a if a.length_s >= b.length_s else b
    return _Stretch(keep.sector, a.start_s, b.end_s, a.dx + b.dx, a.dy + b.dy)


def _merge(stretches: list[_Stretch], still_below_px_s: float) -> list[_Stretch]:
    """Neighbours of one sector become one; the sector of a moving one is taken anew from its whole displacement."""
    out: list[_Stretch] = []
    for stretch in stretches:
        if out and out[-1].sector == stretch.sector:
            joined = _joined(out[-1], stretch)
            out[-1] = joined if joined.sector == _STILL else _named(joined, still_below_px_s)
        else:
            out.append(stretch)
    return out


def _fold(stretches: list[_Stretch], still_below_px_s: float) -> list[_Stretch]:
    """Join the shortest stretch with its longer neighbour until none is too short."""
    while len(stretches) > 1:
        i = min(range(len(stretches)), key=lambda k: stretches[k].length_s)
        if stretches[i].length_s >= _SHORTEST_S:
            break
        left = stretches[i - 1].length_s if i > 0 else -1.0
        right = stretches[i + 1].length_s if i + 1 < len(stretches) else -1.0
        j = i - 1 if left >= right else i
        stretches[j : j + 2] = [_joined(stretches[j], stretches[j + 1])]
        stretches = _merge(stretches, still_below_px_s)
    return stretches
