"""The video's own clock: stamps of decoded frames become seconds that strictly increase."""

from __future__ import annotations

import math
from fractions import Fraction

# A stamp that falls back by more than this is a new clock (two recordings joined), not jitter. Ours.
CLOCK_RESTART_S = 1.0
DEFAULT_STEP_S = 0.04


class FrameClock:
    """Turns the stamps of one video, in decoding order, into strictly increasing seconds.

    A good stamp is taken as it is, never computed from a frame rate. Missing stamps continue by the usual step; a
    doubled or slightly backward stamp is nudged half a step past the last, so that later good stamps hold again; a
    clock that starts over is carried on from where it was.

    Args:
        time_base: seconds per tick.
        start_tick: the stream's start, or `None` to start at the first frame.
        step_s: usual time between frames, used only where stamps are missing.
    """

    def __init__(self, time_base: Fraction | None, start_tick: int | None, step_s: float | None) -> None:
        self._time_base = time_base or Fraction(1, 1000)
        self._start_tick = start_tick
        self._step_s = step_s if step_s is not None and 1e-4 < step_s < 60 else DEFAULT_STEP_S
        self._shift_s = 0.0
        self._last_s: float | None = None
        self.n_repaired = 0

    @property
    def step_s(self) -> float:
        """Time between the last two frames, or the usual step before there were two."""
        return self._step_s

    def time_of(self, tick: int | None) -> float | None:
        """Seconds of a stamp on this clock, without repair; `None` for a missing stamp."""
        if tick is None:
            return None
        if self._start_tick is None:
            self._start_tick = tick
        return float((tick - self._start_tick) * self._time_base)

    def tick_of(self, time_s: float) -> int:
        """The stamp at or before a time on this clock."""
        return math.floor(Fraction(time_s) / self._time_base) + (self._start_tick or 0)

    def next(self, tick: int | None) -> float:
        """Seconds of the next frame in decoding order, greater than all before it."""
        if self._last_s is None and tick is not None and self._start_tick is not None:
            self._start_tick = min(self._start_tick, tick)
        time_s = self.time_of(tick)
        if self._last_s is None:
            self._last_s = 0.0 if time_s is None else time_s
            return self._last_s
        self._last_s = self._repaired(time_s, self._last_s)
        return self._last_s

    def _repaired(self, time_s: float | None, last_s: float) -> float:
        if time_s is None:
            self.n_repaired += 1
            return last_s + self._step_s
        time_s += self._shift_s
        if time_s < last_s - CLOCK_RESTART_S:
            self.n_repaired += 1
            self._shift_s += last_s + self._step_s - time_s
            return last_s + self._step_s
        if time_s <= last_s:
            self.n_repaired += 1
            return max(last_s + self._step_s / 2, math.nextafter(last_s, math.inf))
        self._step_s = min(time_s - last_s, 1.0)
        return time_s
