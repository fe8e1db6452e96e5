"""What a correlation filter sees of a patch: where edges point and which colour there is, cell by cell.

Histograms of signed and unsigned gradient directions, softly binned and divided by the energy around (Dalal and Triggs
2005; Felzenszwalb et al. 2010), beside the mean colour. Plain numpy: a patch is small, and no model is needed.

A `View` is a coarser look at a box, to tell a thing from another one that the filter takes for it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil
from scipy.ndimage import uniform_filter

from onlooker.types import Image

Floats = NDArray[np.float32]

CELL = 4  # pixels of a patch along each side of a cell
COLOURS = 16**3  # colours that are told apart in histograms

# Ours, set on composites of DAVIS; see benchmarks/follow_boxes.py.
_DIRECTIONS = 18
_LEAST_ENERGY = 0.02  # of a cell without edges: noise must not be blown up
_LARGEST = 0.3  # one strong edge must not outshout the others
_VIEW = 16
_MARGIN = 2  # of them: the border of a box is often ground
_LEVELS = 8
_FLAT = 2.0  # grey levels of contrast that a camera's noise makes
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def cut_patch(image: Image, centre: NDArray[np.float64], size: NDArray[np.float64], out: tuple[int, int]) -> Image:
    """A part of a picture, resized; the picture's border is repeated outside it.

    Args:
        image: (H, W, 3) uint8.
        centre: (x, y) in pixels of the picture, anywhere.
        size: (width, height) of the part, positive.
        out: (width, height) of the result.
    """
    height, width = image.shape[:2]
    low, high = centre - size / 2, centre + size / 2
    left, top = (int(v) for v in np.floor(low))
    right, bottom = (int(v) + 1 for v in np.ceil(high))
    if left >= 0 and top >= 0 and right <= width and bottom <= height:
        part = image[top:bottom, left:right]
    else:
        rows, columns = np.clip(np.arange(top, bottom), 0, height - 1), np.clip(np.arange(left, right), 0, width - 1)
        part = image[rows[:, None], columns[None]]
    box = (low[0] - left, low[1] - top, high[0] - left, high[1] - top)
    picture = Pil.fromarray(np.ascontiguousarray(part))
    return np.asarray(picture.resize(out, Pil.Resampling.BILINEAR, box=box))


def cell_features(patch: Image) -> Floats:
    """(30, h / 4, w / 4): 18 signed directions, 9 unsigned ones, red, green, blue around 0.

    Args:
        patch: (h, w, 3) uint8, both sides multiples of `CELL`.
    """
    colour = patch.astype(np.float32) / 255.0
    luma = np.sqrt(colour) @ _LUMA  # a root evens out light and shade
    down, across = np.zeros_like(luma), np.zeros_like(luma)
    down[1:-1] = luma[2:] - luma[:-2]
    across[:, 1:-1] = luma[:, 2:] - luma[:, :-2]
    signed = _direction_histograms(np.hypot(across, down), np.arctan2(down, across))
    unsigned = signed[: _DIRECTIONS // 2] + signed[_DIRECTIONS // 2 :]
    around = uniform_filter(np.square(unsigned).sum(axis=0), 3, mode="nearest")
    # A running sum may come out a hair below zero.
    energy = 3.0 * np.sqrt(np.maximum(around, 0.0)) + _LEAST_ENERGY * CELL**2
    edges = np.minimum(np.concatenate([signed, unsigned]) / energy, _LARGEST)
    rows, columns = luma.shape[0] // CELL, luma.shape[1] // CELL
    means = colour.reshape(rows, CELL, columns, CELL, 3).mean(axis=(1, 3)).transpose(2, 0, 1) - 0.5
    return np.concatenate([edges, means]).astype(np.float32)


def _direction_histograms(strength: Floats, angle: Floats) -> Floats:
    """(18, h / 4, w / 4): strength of edges by direction, shared between the two nearest bins."""
    rows, columns = strength.shape[0] // CELL, strength.shape[1] // CELL
    place = angle * (_DIRECTIONS / (2 * np.pi))
    lower = np.floor(place)
    share = place - lower
    first = lower.astype(np.intp) % _DIRECTIONS
    second = (first + 1) % _DIRECTIONS
    cell = (np.arange(strength.shape[0]) // CELL)[:, None] * columns + np.arange(strength.shape[1]) // CELL
    n = _DIRECTIONS * rows * columns
    total = np.bincount((first * rows * columns + cell).ravel(), (strength * (1 - share)).ravel(), n)
    total += np.bincount((second * rows * columns + cell).ravel(), (strength * share).ravel(), n)
    return total.reshape(_DIRECTIONS, rows, columns).astype(np.float32)


def colour_numbers(patch: Image) -> NDArray[np.intp]:
    """(h, w) number of each pixel's colour, below `COLOURS`: 16 levels of red, green and blue."""
    levels = (patch >> 4).astype(np.intp)
    return (levels[..., 0] << 8) | (levels[..., 1] << 4) | levels[..., 2]


@dataclass(frozen=True, eq=False, slots=True)
class View:
    """What a box shows, coarsely.

    Attributes:
        shape: (16, 16, 3) with its mean colour taken off, of length 1; `None` where it is all of one colour.
        colours: (8, 8, 8) shares of red, green and blue in the middle of the box, each pixel shared out between the
            nearest levels, so that noise moves little.
    """

    shape: Floats | None
    colours: Floats


def view_of(image: Image, centre: NDArray[np.float64], size: NDArray[np.float64]) -> View:
    """What a box of (width, height) `size` around a place shows; parts outside the picture repeat its border."""
    small = cut_patch(image, centre, size, (_VIEW, _VIEW)).astype(np.float32)
    shape = small - small.mean(axis=(0, 1))
    length = float(np.linalg.norm(shape))
    middle = small[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    return View(shape / length if length > _FLAT * _VIEW else None, _shared_out(middle.reshape(-1, 3)))


def likeness(first: View, second: View) -> float:
    """Correlation of two shapes, in [-1, 1]; 1 where the first has nothing to be told by, 0 where only the second has
    not."""
    if first.shape is None:
        return 1.0
    return 0.0 if second.shape is None else float((first.shape * second.shape).sum())


def shared_colours(first: View, second: View) -> float:
    """How alike the colours of two views are, wherever in the box: Bhattacharyya's coefficient, in [0, 1]."""
    return float(np.sqrt(first.colours * second.colours).sum())


def _shared_out(pixels: Floats) -> Floats:
    """(8, 8, 8) shares of colours (N, 3) in 0..255."""
    place = pixels * ((_LEVELS - 1) / 255.0)
    lower = np.minimum(np.floor(place), _LEVELS - 2).astype(np.intp)
    above = place - lower
    total = np.zeros(_LEVELS**3)
    for corner in itertools.product((0, 1), repeat=3):
        weight = np.where(np.array(corner) == 1, above, 1 - above).prod(axis=1)
        number = (lower + np.array(corner)) @ np.array([_LEVELS**2, _LEVELS, 1])
        total += np.bincount(number, weight, _LEVELS**3)
    return (total / len(pixels)).astype(np.float32).reshape((_LEVELS,) * 3)
