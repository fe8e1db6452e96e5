"""Pictures of any size as windows of one size: rules are calibrated on tiles, and a window is such a tile.

A window begins at a corner of a JPEG block, so that rules of compression see in it what they see in the whole picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from onlooker.errors import ConfigError
from onlooker.methods.forensics.media_forensics.rules import blocks
from onlooker.methods.forensics.media_forensics.samples import Sample
from onlooker.types import FloatArray

WINDOW_PX = 128  # ours: the largest tile that nearly all photos at hand can give
MOST_WINDOWS = 400  # ours: about twenty seconds of one core
_BLOCK = 8
_MAP_PIXELS = 4_000_000


class Window(NamedTuple):
    """Rows `top` to `bottom` and columns `left` to `right` of a picture, ends exclusive."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """Windows of a picture.

    Attributes:
        size: (height, width) of the picture.
        windows: what is looked at, row by row.
        n_all: windows that cover the picture; more than `windows` where it is too large to look at all of it.
    """

    size: tuple[int, int]
    windows: tuple[Window, ...]
    n_all: int

    @property
    def coverage(self) -> float:
        """Part of the windows that is looked at, in (0, 1]."""
        return len(self.windows) / self.n_all


def plan_windows(height: int, width: int, side_px: int = WINDOW_PX, most: int = MOST_WINDOWS) -> WindowPlan:
    """Windows that cover a picture: beside one another, the last of a row or column moved back into the picture. A side
    shorter than a window is taken whole. Above `most` windows, that many are spread evenly over the picture.

    Raises:
        ConfigError: no pixels, or a side that is no multiple of 8.
    """
    if min(height, width, most) < 1 or side_px < _BLOCK or side_px % _BLOCK:
        raise ConfigError(f"windows need pixels and a side of 8, 16, ..., got {width}x{height}, {side_px}, {most}")
    spans = [(t, left) for t in _starts(height, side_px) for left in _starts(width, side_px)]
    windows = [Window(t, left, min(t + side_px, height), min(left + side_px, width)) for t, left in spans]
    if len(windows) <= most:
        return WindowPlan((height, width), tuple(windows), len(windows))
    kept = np.unique(np.linspace(0, len(windows) - 1, most).round().astype(int))
    return WindowPlan((height, width), tuple(windows[k] for k in kept), len(windows))


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    last = (length - side) // _BLOCK * _BLOCK
    return [*range(0, last, side), last]


def stored_luma(sample: Sample) -> blocks.StoredLuma | None:
    """Luminance and table of a sample that is a JPEG, decoded once for all windows; `None` for others."""
    return blocks.read_luma(sample.data) if sample.is_jpeg and sample.data is not None else None


def cut(sample: Sample, stored: blocks.StoredLuma | None, window: Window) -> Sample:
    """A window of a sample as a sample; `stored` from `stored_luma`."""
    rows, columns = slice(window.top, window.bottom), slice(window.left, window.right)
    part = None
    if stored is not None:
        part = blocks.StoredJpeg(stored.luma[rows, columns].astype(np.float32), stored.table, stored.quality)
    return Sample(np.ascontiguousarray(sample.image[rows, columns]), source_id=sample.source_id, stored=part)


class MapCanvas:
    """The map of a picture, put together from maps of its windows: the larger where windows overlap, 0 where nobody
    looked.

    Args:
        size: (height, width) of the picture.
        step: every how many pixels the map has one: 1, 2, 4 or 8.
    """

    def __init__(self, size: tuple[int, int], step: int = 1) -> None:
        self._step = step
        self.values: FloatArray = np.zeros((-(-size[0] // step), -(-size[1] // step)), np.float32)

    def add(self, window: Window, found: FloatArray) -> None:
        """The map of a window, (H, W) of the window's size."""
        step = self._step
        top, left = window.top // step, window.left // step
        small = found if step == 1 else box_shrunk(found, step)
        part = self.values[top : top + small.shape[0], left : left + small.shape[1]]
        np.maximum(part, small[: part.shape[0], : part.shape[1]], out=part)


def box_shrunk(values: FloatArray, step: int) -> FloatArray:
    """Means of `step` by `step` pixels; a rest at the right and below is a mean of fewer."""
    rows, columns = -(-values.shape[0] // step) * step, -(-values.shape[1] // step) * step
    padded = np.pad(values, ((0, rows - values.shape[0]), (0, columns - values.shape[1])), mode="edge")
    return np.asarray(padded.reshape(rows // step, step, columns // step, step).mean(axis=(1, 3)), np.float32)


def map_step(height: int, width: int) -> int:
    """1 up to 4 million pixels, then as much coarser as keeps the map below that (at most 8)."""
    return next((step for step in (1, 2, 4) if height * width <= _MAP_PIXELS * step * step), _BLOCK)
