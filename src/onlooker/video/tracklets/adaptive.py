"""When to run the detector: at a set rate while something changes, rarely while the picture stands still."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from onlooker.types import Image
from onlooker.video.tracklets.config import SamplingConfig


def changed_share(before: Image, after: Image, noise: float) -> float:
    """Share of pixels of two grey pictures that differ by more than `noise` levels; 1.0 if their sizes differ."""
    if before.shape != after.shape:
        return 1.0
    difference = np.maximum(before, after) - np.minimum(before, after)
    return float(np.count_nonzero(difference > noise) / max(difference.size, 1))


class DetectorSchedule:
    """Decides frame by frame. The mean rate is kept on any grid of frame times: a late run is made up for by the next.

    A run is due every `1 / detector_hz` seconds. A due run waits while the picture has not changed since the last run,
    but never beyond `1 / minimum_hz` seconds after it: a static scene costs little, and a thing that was missed or that
    came slowly is still looked for.
    """

    def __init__(self, config: SamplingConfig) -> None:
        self._config = config
        self._due_s: float | None = None
        self._last_s = 0.0
        self._held_s = 0.0
        self._frame_s: float | None = None
        self._seen: NDArray[np.uint8] | None = None

    def wants_run(self, time_s: float, grey: Image, new_shot: bool) -> bool:
        """Whether to detect on this frame; the caller then does it. Call once per frame, in order."""
        interval = 0.0 if self._frame_s is None else time_s - self._frame_s
        self._frame_s = time_s
        if self._due_s is None or self._seen is None or new_shot:
            return self._run(time_s, grey, restart=True)
        # Half a frame early is nearer to the wanted time than half a frame late.
        if time_s + interval / 2 < self._due_s:
            return False
        if time_s + interval / 2 >= self._last_s + 1 / self._config.minimum_hz:
            return self._run(time_s, grey, restart=False)
        if changed_share(self._seen, grey, self._config.grey_noise) < self._config.change_level:
            self._held_s = time_s
            return False
        return self._run(time_s, grey, restart=False)

    @property
    def held_s(self) -> float:
        """Latest time at which the picture was found unchanged since the last run: what it saw is still there."""
        return self._held_s

    def _run(self, time_s: float, grey: Image, *, restart: bool) -> bool:
        period = 1 / self._config.detector_hz
        late = self._due_s is None or time_s - self._due_s > period / 2
        self._due_s = time_s + period if restart or late or self._due_s is None else self._due_s + period
        self._last_s = self._held_s = time_s
        self._seen = grey
        return True
