"""Pictures of any size, depth and number of channels, to what the network takes and back.

The network sees squares of the size it was trained on. A picture is scaled until its shorter side has the working size
and is covered with overlapping squares; what is found is brought back to the picture's own pixels, band by band, so
that a large picture is never held in floats.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ShapeError

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
Mask = NDArray[np.bool_]
Field = NDArray[np.float32]
_OVERLAP = 0.25  # least part of a window that the next one sees again (ours)
_MOST_WINDOWS = 64  # along a side (ours): beyond, a picture is made so small that its shorter side needs padding
_BAND = 256  # rows that are put together at once
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True)
class Framing:
    """How a picture was scaled and cut.

    Attributes:
        size: (height, width) of the picture.
        scaled: (height, width) after scaling; below `window` where the picture is that thin, and then padded.
        window: side of the squares.
    """

    size: tuple[int, int]
    scaled: tuple[int, int]
    window: int

    @property
    def padded(self) -> tuple[int, int]:
        """(height, width) that windows cover: `scaled`, at least one window."""
        return max(self.scaled[0], self.window), max(self.scaled[1], self.window)

    def corners(self) -> list[tuple[int, int]]:
        """(top, left) of every window."""
        rows, columns = (_starts(length, self.window) for length in self.padded)
        return [(top, left) for top in rows for left in columns]


def plan_framing(size: tuple[int, int], short_side: int, window: int) -> Framing:
    """A picture of `size` (height, width) whose shorter side becomes `short_side`, in squares of `window`."""
    most = int(_MOST_WINDOWS * window * (1 - _OVERLAP))
    scale = min(short_side / min(size), most / max(size))
    height, width = (max(1, round(length * scale)) for length in size)
    return Framing(size, (height, width), window)


def check_pixels(image: Pixels) -> None:
    """Raises ShapeError unless `image` is a picture: (H, W), or (H, W, C) with 1, 3 or 4 channels, uint8 or uint16."""
    array = np.asarray(image)
    if array.dtype.kind == "f":
        bad = "NaN" if np.isnan(array).any() else "floats"
        raise ShapeError(f"a picture holds whole numbers (uint8 or uint16), got {bad}; bring [0, 1] to 0 to 255")
    if array.dtype not in (np.uint8, np.uint16):
        raise ShapeError(f"a picture is uint8 or uint16, got {array.dtype}")
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)) or 0 in array.shape:
        raise ShapeError(f"a picture is (H, W) or (H, W, C) with 1, 3 or 4 channels, got {array.shape}")


def to_working(image: Pixels, framing: Framing) -> Field:
    """The picture as RGB (h, w, 3) float32 in [0, 1] at the padded working size; transparency is left out."""
    height, width = framing.scaled
    way = cv2.INTER_AREA if height < framing.size[0] else cv2.INTER_LINEAR
    colour = image[..., :3] if image.ndim == 3 else image
    small = cv2.resize(np.ascontiguousarray(colour), (width, height), interpolation=way).astype(np.float32)
    small /= np.iinfo(image.dtype).max
    if small.ndim == 2:
        small = np.repeat(small[..., None], 3, axis=2)
    return _pad(small, framing)


def mask_to_working(mask: Mask, framing: Framing) -> Field:
    """A mask (H, W) as (h, w) of 0 and 1 at the padded working size: 1 where any of its pixels is."""
    height, width = framing.scaled
    way = cv2.INTER_AREA if height < framing.size[0] else cv2.INTER_NEAREST
    small = cv2.resize(mask.astype(np.float32), (width, height), interpolation=way)
    return _pad((small > 0).astype(np.float32), framing)


def bands(framing: Framing) -> Iterator[slice]:
    """Rows of the picture, a band at a time."""
    for top in range(0, framing.size[0], _BAND):
        yield slice(top, min(top + _BAND, framing.size[0]))


def from_working(small: Field, framing: Framing, rows: slice) -> Field:
    """Some rows of a map (h, w) or (h, w, C) at working size in the picture's own pixels: (rows, W) or (rows, W, C)."""
    small = small[: framing.scaled[0], : framing.scaled[1]]
    above, below, down = _between(np.arange(rows.start, rows.stop), framing.size[0], framing.scaled[0])
    left, right, across = _between(np.arange(framing.size[1]), framing.size[1], framing.scaled[1])
    if small.ndim == 3:
        down, across = down[:, None, None], across[:, None]
    else:
        down = down[:, None]
    lines = small[above] * (1 - down) + small[below] * down  # (rows, w)
    return np.asarray(lines[:, left] * (1 - across) + lines[:, right] * across, np.float32)


def blend(image: Pixels, restored: Field, cover: Field) -> Pixels:
    """`image` where `cover` is 0, `restored` where it is 1, between otherwise, in the type of `image`.

    Args:
        image: (h, W), (h, W, 1), (h, W, 3) or (h, W, 4); transparency stays as it is.
        restored: (h, W, 3) in [0, 1].
        cover: (h, W) in [0, 1].
    """
    made = image.copy()
    touched = cover > 0
    given = image[touched]  # (n,) or (n, C)
    share = cover[touched]
    wanted = restored[touched] * np.float32(np.iinfo(image.dtype).max)  # (n, 3)
    if image.ndim == 2:
        mixed = given * (1 - share) + wanted @ _LUMA * share
    elif image.shape[2] == 1:
        mixed = given * (1 - share[:, None]) + (wanted @ _LUMA)[:, None] * share[:, None]
    else:
        mixed = given.astype(np.float32)
        mixed[:, :3] = given[:, :3] * (1 - share[:, None]) + wanted * share[:, None]
    made[touched] = np.clip(np.rint(mixed), 0, np.iinfo(image.dtype).max).astype(image.dtype)
    return made


def window_weights(side: int) -> Field:
    """(side, side) weights that fall towards the border, where a window knows least; above 0 everywhere."""
    line = 1 - np.abs(np.linspace(-1, 1, side + 2, dtype=np.float32)[1:-1])
    return np.asarray(line[:, None] * line, np.float32)


def _starts(length: int, window: int) -> list[int]:
    """Evenly spread so that neighbours overlap and the last one ends at `length`."""
    if length <= window:
        return [0]
    n_windows = 1 + math.ceil((length - window) / (window * (1 - _OVERLAP)))
    return [round(place * (length - window) / (n_windows - 1)) for place in range(n_windows)]


def _pad(small: Field, framing: Framing) -> Field:
    """Repeats the last row and column until there is one window."""
    height, width = framing.padded
    extra = [(0, height - small.shape[0]), (0, width - small.shape[1])] + [(0, 0)] * (small.ndim - 2)
    return np.pad(small, extra, mode="edge")


def _between(
    places: NDArray[np.intp], size: int, small: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Pixels of one axis between two of the working size: lower, upper, and how far towards the upper."""
    at = np.clip((places + 0.5) * small / size - 0.5, 0, small - 1)
    lower = np.minimum(at.astype(np.intp), max(small - 2, 0))
    return lower, np.minimum(lower + 1, small - 1), (at - lower).astype(np.float32)
