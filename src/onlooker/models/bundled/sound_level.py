"""Says where a sound track is silent, quiet, audible or loud. No weights: levels only.

This is the honest floor under the sound role. It never names a sound; a label is a range of the level in dB relative to
full scale (dBFS, where a full-scale square wave is 0). A level must leave its range by a margin to change the label,
and short flickers join their neighbour, so that breathing between words does not shred a conversation.
"""

from __future__ import annotations

from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ConfigError, ShapeError
from onlooker.types import FloatArray, SoundSegment

SAMPLE_RATE = 16_000
LABELS = ("silence", "quiet", "sound", "loud")
_WINDOW_S = 0.1
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
    starts = np.arange(0, len(waveform), size)
    sums = np.add.reduceat(waveform.astype(np.float64) ** 2, starts)
    counts = np.minimum(size, len(waveform) - starts)
    return (sums / counts).astype(np.float32)


def _to_db(power: FloatArray) -> FloatArray:
    result: FloatArray = 10 * np.log10(np.maximum(power, 10 ** (_FLOOR_DB / 10)))
    return result.astype(np.float32)


def _join_short(labels: list[int], min_windows: int) -> list[int]:
    """Labels in which every run is at least `min_windows` long, unless the whole is shorter.

    The shortest run goes first and takes the label of its longer neighbour, the earlier one in a tie.
    """
    runs = [[label, len(list(group))] for label, group in groupby(labels)]
    while len(runs) > 1:
        shortest = min(range(len(runs)), key=lambda i: runs[i][1])
        if runs[shortest][1] >= min_windows:
            break
        neighbours = [i for i in (shortest - 1, shortest + 1) if 0 <= i < len(runs)]
        runs[shortest][0] = runs[max(neighbours, key=lambda i: runs[i][1])][0]
        runs = [[label, sum(length for _, length in group)] for label, group in _by_label(runs)]
    return [label for label, length in runs for _ in range(length)]


def _by_label(runs: list[list[int]]) -> list[tuple[int, list[list[int]]]]:
    return [(label, list(group)) for label, group in groupby(runs, key=lambda run: run[0])]
