"""Cuts found while decoding, one small grey picture per frame.

Two consecutive pictures are of different shots when they differ in *both* layout and tones: layout is what is left
of their correlation at the best shift (a moving camera shifts the picture, a flash or fade scales it, neither lowers
this), tones are what two grey histograms do not share (fast motion stirs the picture, its tones stay).

Why not scenedetect: a tracker must be told of a cut on the very frame, without looking ahead, which leaves its
`ContentDetector`; that wants full-colour frames (a conversion per frame of every video) and reacts to flashes and fast
pans. Dissolves are not reported: no single frame starts a shot there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ConfigError
from onlooker.types import Frame, Image, Shot

_WIDTH = 64
_TONES = 32


@dataclass(frozen=True, slots=True)
class ShotConfig:
    """Thresholds, all ours, set on real footage without cuts (DAVIS, OTB, VOT) and on pairs of its frames.

    Attributes:
        change: least product of layout change and tone change, each in [0, 1]. The wildest motion seen made 0.073,
            one pair of unrelated pictures in a thousand stays below 0.08.
        above_motion: how far a cut stands out above the changes of the last frames.
        flat_std: pictures with less contrast than this (flash, black) start no shot; the one after them is compared
            with the one before them.
        flash_s: a picture that comes back within this time was covered by a flash, not cut away from.
    """

    change: float = 0.08
    above_motion: float = 1.5
    flat_std: float = 5.0
    flash_s: float = 0.3

    def __post_init__(self) -> None:
        if not (0 < self.change < 1 and self.above_motion >= 1 and self.flat_std >= 0 and self.flash_s >= 0):
            raise ConfigError(f"shot thresholds are out of range: {self}")


class _Look(NamedTuple):
    """What is compared of one picture: its zero-mean unit-norm spectrum and its histogram."""

    spectrum: NDArray[np.complexfloating]
    shape: tuple[int, ...]
    tones: NDArray[np.float64]
    std: float


class ShotDetector:
    """Tells, frame by frame, where a new shot begins. One per video."""

    def __init__(self, config: ShotConfig | None = None) -> None:
        self._config = config or ShotConfig()
        self._last: _Look | None = None
        self._left: tuple[_Look, float] | None = None  # the picture last cut away from, and when
        self._recent: list[float] = []
        self._starts_s: list[float] = []

    def update(self, frame: Frame) -> bool:
        """True when `frame` starts a new shot; the first frame of a video does not count as a cut."""
        look = _look(frame.grey(_WIDTH))
        if not self._starts_s:
            self._starts_s.append(frame.time_s)
        if self._last is None or self._last.std < self._config.flat_std:
            self._last = look
            return False
        if look.std < self._config.flat_std:
            return False
        change = _change(self._last, look)
        previous, self._last = self._last, look
        if change < max(self._config.change, self._config.above_motion * max(self._recent, default=0.0)):
            self._recent = [*self._recent[-2:], change]
            return False
        if self._is_flash_over(look, frame.time_s):
            return False
        self._left = (previous, frame.time_s)
        self._recent = []
        self._starts_s.append(frame.time_s)
        return True

    def finish(self, end_s: float) -> list[Shot]:
        """The shots of a video that ends at `end_s`, in order and without holes; empty when no frame came."""
        ends_s = [*self._starts_s[1:], max(end_s, self._starts_s[-1])] if self._starts_s else []
        return [Shot(start, end) for start, end in zip(self._starts_s, ends_s, strict=True)]

    def _is_flash_over(self, look: _Look, time_s: float) -> bool:
        """Whether the picture before the last cut is back already; that cut is then taken back."""
        if self._left is None or time_s - self._left[1] > self._config.flash_s:
            return False
        if _change(self._left[0], look) >= self._config.change / 2:
            return False
        self._starts_s.pop()
        self._left = None
        self._recent = []
        return True


def _look(grey: Image) -> _Look:
    pixels = grey.astype(np.float32)
    pixels -= pixels.mean()
    norm = float(np.sqrt(np.square(pixels).sum()))
    spectrum = np.fft.rfft2(pixels / max(norm, 1e-6))
    tones = np.bincount(grey.reshape(-1) // (256 // _TONES), minlength=_TONES) / grey.size
    return _Look(spectrum, grey.shape, tones, norm / grey.size**0.5)


def _change(before: _Look, after: _Look) -> float:
    """0 for the same scene, towards 1 for another."""
    correlation = np.fft.irfft2(before.spectrum * np.conj(after.spectrum), s=before.shape).max()
    unshared_tones = 1.0 - np.minimum(before.tones, after.tones).sum()
    return float(max(0.0, 1.0 - correlation) * unshared_tones)
