"""What packets of a video tell without decoding: rate, groups of pictures, gaps, traces of an earlier encoding.

A second encoding leaves a rhythm: frames that were key frames before cost more bits again, however they are stored now.
(Wang and Farid 2006 saw it in MPEG; the measure here is ours.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from onlooker.media.container import open_container, video_stream

_MOST_PACKETS = 200_000  # ours: two hours at 25 a second; what comes behind is not read
_LEAST_ROUNDS = 6  # of a rhythm, before it is told
_LONGEST = 120  # frames between two peaks
_AROUND = 3  # frames on either side that one is compared with
_PEAK = 3.5  # spreads of the sizes between that a peak stands above them, in the mean


@dataclass(frozen=True, eq=False, slots=True)
class PacketScan:
    """One stream, packets in the order they are shown.

    Attributes:
        times_s: (N,) float64, from the first one on; packets without a stamp are left out.
        sizes: (N,) int64 bytes.
        keys: (N,) bool.
        between: (N,) bool, stored after a frame that is shown later (B frames): cheap, whatever they show.
        n_without_time: packets without a stamp.
        complete: all packets were read.
    """

    times_s: NDArray[np.float64]
    sizes: NDArray[np.int64]
    keys: NDArray[np.bool_]
    between: NDArray[np.bool_]
    n_without_time: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Peaks of size every `period` frames from frame `phase` on, `strength` spreads above the sizes between."""

    period: int
    phase: int
    strength: float


def scan_packets(path: str | Path) -> PacketScan:
    """Reads the packets of the main video stream. Damage ends it, and what came before is told.

    Raises:
        NotAVideoError: as `open_container` and `video_stream`.
    """
    rows: list[tuple[float, int, bool, bool]] = []
    without, complete, latest = 0, True, -np.inf
    with open_container(path) as container:
        stream = video_stream(container, path)
        base = float(stream.time_base or 0)
        try:
            for packet in container.demux(stream):
                if packet.size == 0:
                    continue
                if packet.pts is None:
                    without += 1
                else:
                    rows.append((packet.pts * base, packet.size, bool(packet.is_keyframe), packet.pts * base < latest))
                    latest = max(latest, packet.pts * base)
                if len(rows) >= _MOST_PACKETS:
                    complete = False
                    break
        except av.error.FFmpegError:
            complete = False
    rows.sort(key=lambda row: row[0])
    times = np.array([row[0] for row in rows], np.float64)
    sizes = np.array([row[1] for row in rows], np.int64)
    keys, between = (np.array([row[k] for row in rows], np.bool_) for k in (2, 3))
    return PacketScan(times - (times[0] if len(times) else 0.0), sizes, keys, between, without, complete)


def key_period(keys: NDArray[np.bool_]) -> int | None:
    """Frames between key frames where that is the same throughout; `None` where it varies or there are too few."""
    steps = np.diff(np.flatnonzero(keys))
    return int(steps[0]) if len(steps) >= 2 and bool((steps == steps[0]).all()) else None


def find_gaps(times_s: NDArray[np.float64]) -> tuple[float | None, tuple[tuple[float, float], ...]]:
    """(usual step between frames, gaps as (start, end) seconds): frames that are missing from a steady rate.

    A video whose rate varies anyway has no gaps: nobody can tell.
    """
    if len(times_s) < 8:
        return None, ()
    steps = np.diff(times_s)
    usual = float(np.median(steps))
    if usual <= 0 or float((np.abs(steps - usual) < 0.1 * usual).mean()) < 0.9:
        return usual if usual > 0 else None, ()
    wide = np.flatnonzero(steps > 1.7 * usual)
    return usual, tuple((float(times_s[k]), float(times_s[k + 1])) for k in wide)


def rate_varies(times_s: NDArray[np.float64]) -> bool:
    """More than a tenth of the steps between frames differ from the usual one by more than a tenth."""
    if len(times_s) < 8:
        return False
    steps = np.diff(times_s)
    usual = float(np.median(steps))
    return usual > 0 and float((np.abs(steps - usual) > 0.1 * usual).mean()) > 0.1


def find_rhythm(scan: PacketScan) -> Rhythm | None:
    """Peaks of size at a steady distance among frames that are no key frames; `None` where there are none.

    Key frames, and frames that a rhythm of the key frames themselves explains, are no sign.
    """
    left_out = scan.keys | scan.between
    if int((~left_out).sum()) < 4 * _LEAST_ROUNDS:
        return None
    excess = _excess(scan.sizes, left_out)
    own = key_period(scan.keys)
    best: Rhythm | None = None
    for period in range(3, min(_LONGEST, len(excess) // _LEAST_ROUNDS) + 1):
        if own is not None and period % own == 0:
            continue
        found = _strength(excess, left_out, period)
        if found is not None and (best is None or found.strength > 1.15 * best.strength):
            best = found
    return best if best is not None and best.strength >= _PEAK else None


def _excess(sizes: NDArray[np.int64], left_out: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How far every frame stands above the frames around it, in spreads; 0 for those left out."""
    used = np.flatnonzero(~left_out)
    logs = np.log(np.maximum(sizes[used], 1).astype(np.float64))
    padded = np.pad(logs, _AROUND, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _AROUND + 1)
    above = logs - np.median(np.delete(windows, _AROUND, axis=1), axis=1)
    spread = 1.4826 * float(np.median(np.abs(above))) + 0.02
    excess = np.zeros(len(sizes), np.float64)
    excess[used] = np.clip(above / spread, -8, 8)
    return excess


def _strength(excess: NDArray[np.float64], left_out: NDArray[np.bool_], period: int) -> Rhythm | None:
    """The phase of a period whose frames stand highest, by the lower third of them: one high frame is no rhythm."""
    best: Rhythm | None = None
    for phase in range(period):
        at = np.arange(phase, len(excess), period)
        at = at[~left_out[at]]
        if len(at) < _LEAST_ROUNDS:
            continue
        strength = float(np.quantile(excess[at], 0.3))
        if best is None or strength > best.strength:
            best = Rhythm(period, phase, strength)
    return best


def group_lengths(keys: NDArray[np.bool_]) -> Sequence[int]:
    """Frames from each key frame to the next."""
    return [int(step) for step in np.diff(np.flatnonzero(keys))]
