"""Painting one picture into another, in place: crops, cut-outs with soft edges, boards."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage

from onlooker.types import Image

LabelMap = NDArray[np.uint8]


def crop_resized(
    image: Image, labels: LabelMap, window: tuple[float, float, float, float], size: tuple[int, int]
) -> tuple[Image, LabelMap]:
    """The part `window` (left, top, right, bottom) of an image and of its labels, made `size` (height, width)."""
    to = (size[1], size[0])
    picture = PILImage.fromarray(image).resize(to, PILImage.Resampling.BILINEAR, box=window)
    mask = PILImage.fromarray(labels).resize(to, PILImage.Resampling.NEAREST, box=window)
    return np.asarray(picture), np.asarray(mask)


def resize_cut(image: Image, mask: NDArray[np.bool_], size: tuple[int, int]) -> tuple[Image, NDArray[np.float32]]:
    """A cut-out (h, w, 3) and its cover (h, w) in [0, 1], made `size` (height, width)."""
    to = (size[1], size[0])
    picture = PILImage.fromarray(image).resize(to, PILImage.Resampling.BILINEAR)
    # Area averages keep thin parts as partial cover instead of losing them.
    cover = PILImage.fromarray(mask.astype(np.uint8) * 255).resize(to, PILImage.Resampling.BOX)
    return np.asarray(picture), np.asarray(cover, np.float32) / np.float32(255)


def paint_(
    frame: Image, labels: LabelMap, cut: Image, cover: NDArray[np.float32], corner: tuple[int, int], number: int
) -> None:
    """Paint a cut-out with its top left pixel at `corner` (x, y); parts outside are cut off. Changes its arguments.

    Pixels covered by more than half get the label `number`.
    """
    (height, width), (h, w), (x, y) = labels.shape, cover.shape, corner
    x1, y1, x2, y2 = max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)
    if x1 >= x2 or y1 >= y2:
        return
    part = slice(y1 - y, y2 - y), slice(x1 - x, x2 - x)
    own = cover[part][..., None]
    area = frame[y1:y2, x1:x2]
    area[:] = np.rint(own * cut[part] + (1 - own) * area).astype(np.uint8)
    labels[y1:y2, x1:x2][cover[part] > 0.5] = number


def cover_(frame: Image, labels: LabelMap, board: Image, left: int, number: int) -> None:
    """Paint a board as high as the frame with its left edge at `left`. Changes its arguments."""
    paint_(frame, labels, board, np.ones(board.shape[:2], np.float32), (left, 0), number)
