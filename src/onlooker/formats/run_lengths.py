"""Masks as COCO run lengths: bytes in the database, text in JSON, boolean arrays in between.

Runs go down the columns and start with zeros. The compressed form writes each run from the third on as its difference
to the run before the last, in groups of five bits with a sixth that says "more follows", as characters from "0" on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ShapeError

Mask = NDArray[np.bool_]
_MOST_BITS = 60


def runs_to_counts(runs: Sequence[int]) -> bytes:
    """Compressed counts of run lengths."""
    out = bytearray()
    for place, run in enumerate(runs):
        value = run - runs[place - 2] if place > 2 else run
        more = True
        while more:
            group = value & 0x1F
            value >>= 5
            more = value != (-1 if group & 0x10 else 0)
            out.append((group | 0x20 if more else group) + 48)
    return bytes(out)


def counts_to_runs(counts: bytes) -> list[int]:
    """Run lengths of compressed counts.

    Raises:
        ShapeError: a character that cannot occur, or a value that breaks off.
    """
    runs: list[int] = []
    value = shift = 0
    for byte in counts:
        group = byte - 48
        if not 0 <= group < 64:
            raise ShapeError(f"run lengths hold the byte {byte}, expected 48 to 111")
        value |= (group & 0x1F) << shift
        shift += 5
        if group & 0x20:
            if shift > _MOST_BITS:  # or else a long broken text takes for ever
                raise ShapeError(f"run lengths hold a value of more than {_MOST_BITS} bits")
            continue
        if group & 0x10:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    if shift:
        raise ShapeError("run lengths break off in the middle of a value")
    return runs


def encode_mask(mask: Mask) -> bytes:
    """Compressed counts of an (H, W) boolean mask."""
    flat = np.asarray(mask, np.bool_).ravel(order="F")
    changes = np.flatnonzero(np.diff(flat)) + 1
    edges = np.concatenate([[0], changes, [flat.size]])
    runs = np.diff(edges).tolist()
    return runs_to_counts([0, *runs] if flat.size and flat[0] else runs)


def decode_mask(counts: bytes, height: int, width: int) -> Mask:
    """(height, width) boolean mask.

    Raises:
        ShapeError: the counts do not describe a mask of this size.
    """
    runs = check_runs(counts_to_runs(counts), height, width)
    values = np.arange(len(runs)) % 2 == 1
    flat: Mask = np.repeat(values, runs)
    return flat.reshape((height, width), order="F")


def check_runs(runs: Sequence[int], height: int, width: int) -> list[int]:
    """`runs` as a list, if they fill a mask of this size exactly.

    Raises:
        ShapeError: they do not.
    """
    if min(runs, default=0) < 0:
        raise ShapeError(f"run lengths hold {min(runs)}; a length is 0 or more")
    if sum(runs) != height * width:
        raise ShapeError(f"run lengths add up to {sum(runs)}, a mask of {width}x{height} has {height * width} pixels")
    return list(runs)


def mask_box(counts: bytes, height: int, width: int) -> tuple[float, float, float, float] | None:
    """`[x1, y1, x2, y2]` around a mask, ends exclusive; `None` for a mask of nothing."""
    rows, columns = (np.flatnonzero(decode_mask(counts, height, width).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def mask_area(counts: bytes) -> int:
    """Pixels inside."""
    return sum(counts_to_runs(counts)[1::2])


def polygons_to_counts(polygons: Sequence[Sequence[float]], height: int, width: int) -> bytes:
    """Compressed counts of the union of polygons, each `[x1, y1, x2, y2, x3, y3, ...]` in pixels.

    Borders are drawn, so that a result may differ from other rasterisers by the pixels on the outline.

    Raises:
        ShapeError: a polygon has fewer than three corners or half a corner.
    """
    from PIL import Image, ImageDraw

    canvas = Image.new("1", (width, height))
    draw = ImageDraw.Draw(canvas)
    for polygon in polygons:
        if len(polygon) < 6 or len(polygon) % 2:
            raise ShapeError(f"a polygon has at least 3 corners of 2 numbers each, got {len(polygon)} numbers")
        draw.polygon([float(v) for v in polygon], fill=1)
    return encode_mask(np.asarray(canvas, np.bool_))
