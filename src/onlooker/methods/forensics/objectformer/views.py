"""How a picture of any size becomes squares for a network, and how their heat maps become one in the picture's size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ShapeError
from onlooker.types import Image

_EDGE = 0.1  # ours: weight of a tile's heat at its rim, 1 being the middle; hides seams


@dataclass(frozen=True, eq=False, slots=True)
class TilePlan:
    """Where tiles lie.

    Attributes:
        side: of a tile, in pixels.
        size: (height, width) that tiles are cut from: the picture's, or smaller where there would be too many tiles.
        tops, lefts: of rows and columns of tiles.
    """

    side: int
    size: tuple[int, int]
    tops: tuple[int, ...]
    lefts: tuple[int, ...]

    @property
    def count(self) -> int:
        """Number of tiles."""
        return len(self.tops) * len(self.lefts)


def to_rgb8(picture: NDArray[np.generic]) -> Image:
    """(H, W, 3) uint8 of a picture as it may come.

    Args:
        picture: (H, W), (H, W, 1), (H, W, 3) or, with transparency that is dropped, (H, W, 4); uint8 or uint16.

    Raises:
        ShapeError: another shape or type, or no pixel. Floats are refused: their range is not known, and they may
            hold NaN.
    """
    array = np.asarray(picture)
    shape_fits = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))
    if not shape_fits or 0 in array.shape:
        raise ShapeError(f"a picture is (H, W, 3), grey (H, W), or with transparency (H, W, 4), got {array.shape}")
    if array.dtype not in (np.uint8, np.uint16):
        finite = array.dtype.kind != "f" or bool(np.isfinite(array).all())
        what = "" if finite else ", NaN or infinity among its values"
        raise ShapeError(f"a picture is uint8 or uint16, got {array.dtype}{what}; bring floats to 0 to 255 first")
    if array.dtype == np.uint16:
        array = np.rint(array / 257).astype(np.uint8)
    if array.ndim == 2 or array.shape[2] == 1:
        array = np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=2)
    return np.ascontiguousarray(array[:, :, :3], np.uint8)


def plan_tiles(size: tuple[int, int], side: int, most: int) -> TilePlan:
    """Tiles that overlap by half; where there would be more than `most`, tiles side by side; where even those are too
    many, tiles of a smaller picture."""
    for stride in (max(side // 2, 1), side):
        plan = TilePlan(side, size, _starts(size[0], side, stride), _starts(size[1], side, stride))
        if plan.count <= most:
            return plan
    height, width = size
    while plan.count > most:
        shrink = math.sqrt(most / plan.count) * 0.999  # rounding up of tiles takes a few rounds
        height, width = max(int(height * shrink), 1), max(int(width * shrink), 1)
        plan = TilePlan(side, (height, width), _starts(height, side, side), _starts(width, side, side))
    return plan


def cut_tiles(image: Image, plan: TilePlan) -> list[Image]:
    """(side, side, 3) each, row after row. A picture smaller than a tile is mirrored outwards."""
    if image.shape[:2] != plan.size:
        image = np.asarray(cv2.resize(image, (plan.size[1], plan.size[0]), interpolation=cv2.INTER_AREA), np.uint8)
    below, beside = (max(plan.side - length, 0) for length in plan.size)
    padded = np.pad(image, ((0, below), (0, beside), (0, 0)), mode="symmetric")
    return [padded[top : top + plan.side, left : left + plan.side] for top in plan.tops for left in plan.lefts]


def join_heat(heat: NDArray[np.float32], plan: TilePlan, size: tuple[int, int]) -> NDArray[np.float32]:
    """One map (H, W) of the maps of all tiles: a mean in which the middle of a tile counts more than its rim.

    Args:
        heat: (tiles, side, side) in [0, 1].
        plan: of these tiles.
        size: of the map to return.
    """
    ramp = 1.0 - (1.0 - _EDGE) * np.abs(np.linspace(-1.0, 1.0, plan.side, dtype=np.float64))
    weight = np.outer(ramp, ramp)
    height, width = (max(length, plan.side) for length in plan.size)
    total, weights = np.zeros((height, width)), np.zeros((height, width))
    places = [(top, left) for top in plan.tops for left in plan.lefts]
    for (top, left), tile in zip(places, heat, strict=True):
        total[top : top + plan.side, left : left + plan.side] += weight * tile
        weights[top : top + plan.side, left : left + plan.side] += weight
    joined = (total / weights)[: plan.size[0], : plan.size[1]].astype(np.float32)
    return resize_heat(joined, size)


def resize_heat(heat: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """(h, w) probabilities to (H, W), linearly, and kept in [0, 1]."""
    if heat.shape == size:
        return heat
    resized = cv2.resize(heat, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(resized, 0.0, 1.0), np.float32)


def _starts(length: int, side: int, stride: int) -> tuple[int, ...]:
    """Evenly spread so that the first tile begins at 0 and the last one ends at the end."""
    if length <= side:
        return (0,)
    count = math.ceil((length - side) / stride) + 1
    return tuple(int(start) for start in np.linspace(0, length - side, count).round())
