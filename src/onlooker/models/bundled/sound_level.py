"""Says where a sound track is silent, quiet, audible or loud. No weights: levels only.

This is the honest floor under the sound role. It never names a sound; a label is a range of the level in dB relative to
full scale (dBFS, where a full-scale square wave is 0). A level must leave its range by a margin to change the label,
and short flickers join their neighbour, so that breathing between words does not shred a conversation.
"""

from __future__ import annotations

import heapq
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ConfigError, ShapeError
from onlooker.types import FloatArray, SoundSegment

SAMPLE_RATE = 16_000
LABELS = ("silence", "quiet", "sound", "loud")
_WINDOW_S = 0.1
_BLOCK_WINDOWS = 600
_FLOOR_DB = -100.0
"""Digital silence would be minus infinity; 16-bit audio cannot express less than about -96 (ours)."""


class SoundLevel:
    """Segments of a waveform by level.

    Args:
        quiet_db, sound_db, loud_db: lower ends of the ranges; below `quiet_db` is silence. The defaults are ours:
            -60 is below the noise of a room, -40 below speech, -14 near the level of mastered music.
        hysteresis_db: how far past a bound the level must go before the label changes.
        min_length_s: shorter segments are joined to the longer neighbour.
    """

    def __init__(
        self,
        quiet_db: float = -60.0,
        sound_db: float = -40.0,
        loud_db: float = -14.0,
        hysteresis_db: float = 3.0,
        min_length_s: float = 0.5,
    ) -> None:
        if not _FLOOR_DB < quiet_db < sound_db < loud_db <= 0 or hysteresis_db < 0 or min_length_s < 0:
            raise ConfigError(
                f"levels rise from {_FLOOR_DB} to 0 dB and `hysteresis_db` and `min_length_s` are not negative, got "
                f"{quiet_db}, {sound_db}, {loud_db}, {hysteresis_db}, {min_length_s}"
            )
        self._bounds = (quiet_db, sound_db, loud_db)
        self._hysteresis_db = hysteresis_db
        self._min_windows = max(1, round(min_length_s / _WINDOW_S))

    @property
    def name(self) -> str:
        return "sound-level"

    @property
    def version(self) -> str:
        return "1"

    def tag_sound(self, waveform: NDArray[np.float32]) -> list[SoundSegment]:
        """Segments that cover the waveform without gaps; `score` is 1.0 because a level is measured, not guessed.

        Args:
            waveform: (N,) float32 mono at 16 kHz in [-1, 1].

        Raises:
            ShapeError: if the waveform is not one-dimensional or holds NaN or infinity.
        """
        if waveform.ndim != 1 or not np.all(np.isfinite(waveform)):
            raise ShapeError(f"a waveform is (N,) finite samples, got {waveform.shape}")
        if len(waveform) == 0:
            return []
        power = _window_power(waveform)
        labels = self._label(_to_db(power))
        segments = []
        start = 0
        for label, group in groupby(_join_short(labels, self._min_windows)):
            stop = start + len(list(group))
            end_s = min(stop * _WINDOW_S, len(waveform) / SAMPLE_RATE)
            level = float(_to_db(power[start:stop].mean(keepdims=True))[0])
            segments.append(SoundSegment(start * _WINDOW_S, end_s, LABELS[label], 1.0, level))
            start = stop
        return segments

    def _label(self, levels_db: FloatArray) -> list[int]:
        """The index into LABELS per window; a bound counts as crossed only past the margin."""
        current = int(np.searchsorted(self._bounds, levels_db[0], side="right"))
        labels = []
        for level in levels_db.tolist():
            while current < len(self._bounds) and level >= self._bounds[current] + self._hysteresis_db:
                current += 1
            while current > 0 and level < self._bounds[current - 1] - self._hysteresis_db:
                current -= 1
            labels.append(current)
        return labels


def _window_power(waveform: NDArray[np.float32]) -> FloatArray:
    """Mean square per window of 0.1 s; the last window may be shorter."""
    size = round(_WINDOW_S * SAMPLE_RATE)
    powers = []
    for block in range(0, len(waveform), _BLOCK_WINDOWS * size):  # widened in blocks: an hour would take a gigabyte
        samples = waveform[block : block + _BLOCK_WINDOWS * size].astype(np.float64)
        starts = np.arange(0, len(samples), size)
        counts = np.minimum(size, len(samples) - starts)
        powers.append(np.add.reduceat(samples**2, starts) / counts)
    return np.concatenate(powers).astype(np.float32)


def _to_db(power: FloatArray) -> FloatArray:
    result: FloatArray = 10 * np.log10(np.maximum(power, 10 ** (_FLOOR_DB / 10)))
    return result.astype(np.float32)


def _join_short(labels: list[int], min_windows: int) -> list[int]:
    """Labels in which every run is at least `min_windows` long, unless the whole is shorter.

    The shortest run goes first and takes the label of its longer neighbour, the earlier one in a tie. Runs are a linked
    list under a heap: an hour of chatter has ten thousand of them, too many to look through for every one that goes.
    """
    runs = _Runs(labels)
    waiting = [(length, start) for start, length in runs.length.items() if length < min_windows]
    heapq.heapify(waiting)
    while waiting:
        length, start = heapq.heappop(waiting)
        if runs.length.get(start) != length or len(runs.length) == 1:
            continue  # it has become part of a longer one, or is all there is
        joined = runs.join(start)
        if runs.length[joined] < min_windows:
            heapq.heappush(waiting, (runs.length[joined], joined))
    return [runs.label[start] for start in sorted(runs.length) for _ in range(runs.length[start])]


class _Runs:
    """Runs of equal labels by the window they start at, each knowing the run before it and the one after."""

    def __init__(self, labels: list[int]) -> None:
        self.label: dict[int, int] = {}
        self.length: dict[int, int] = {}
        start = 0
        for label, group in groupby(labels):
            self.label[start], self.length[start] = label, len(list(group))
            start += self.length[start]
        starts = list(self.length)
        self._before: dict[int, int] = dict(zip(starts[1:], starts, strict=False))
        self._after: dict[int, int] = dict(pairwise(starts))

    def join(self, start: int) -> int:
        """Gives a run the label of its longer neighbour and unites what is now alike; returns where that starts."""
        neighbours = [side[start] for side in (self._before, self._after) if start in side]
        self.label[start] = self.label[max(neighbours, key=lambda other: self.length[other])]
        after = self._after.get(start)
        if after is not None and self.label[after] == self.label[start]:
            self._unite(start, after)
        before = self._before.get(start)
        if before is not None and self.label[before] == self.label[start]:
            self._unite(before, start)
            return before
        return start

    def _unite(self, first: int, second: int) -> None:
        self.length[first] += self.length.pop(second)
        following = self._after.pop(second, None)
        if following is None:
            del self._after[first]
        else:
            self._after[first], self._before[following] = following, first
        del self._before[second], self.label[second]
