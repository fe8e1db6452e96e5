"""Input, what was found, and the result side by side in one picture, for a person to look at."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import ImageDraw

from onlooker.media.lettering import lettering
from onlooker.restoring.values import Mask
from onlooker.types import Image

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
_PAPER, _INK = (250, 251, 252), (22, 25, 29)
_FOUND = np.array((230, 40, 40), np.float32)
_SIDES = (200, 640)  # the longer side of a panel is brought between these
_GAP, _LETTERS_PX = 10, 15


def draw_comparison(image: Pixels, mask: Mask, restored: Pixels, titles: Sequence[str]) -> Image:
    """(h, w, 3) uint8: the input, the input in grey with the mask in red, and the result, each under its title.

    Args:
        image, restored: (H, W), (H, W, 3) or (H, W, 4), uint8 or uint16; transparent places are shown white.
        mask: (H, W).
        titles: three.
    """
    before, after = _small(image), _small(restored)
    shape = before.shape
    found = cv2.resize(mask.astype(np.float32), (shape[1], shape[0]), interpolation=_way(mask.shape, shape))
    grey = before.mean(axis=2, keepdims=True) * 0.6 + 80
    shown = np.rint(grey + (_FOUND - grey) * np.clip(found, 0, 1)[..., None]).astype(np.uint8)
    return _beside([before, shown, after], titles)


def _beside(panels: Sequence[Image], titles: Sequence[str]) -> Image:
    height, width = panels[0].shape[:2]
    letters, top = lettering(_LETTERS_PX), _LETTERS_PX + 2 * _GAP
    page = Pil.new("RGB", (len(panels) * (width + _GAP) + _GAP, top + height + _GAP), _PAPER)
    pen = ImageDraw.Draw(page)
    for place, (panel, title) in enumerate(zip(panels, titles, strict=True)):
        left = _GAP + place * (width + _GAP)
        letters.write(pen, (left, _GAP), letters.fitted(title, width), _INK)
        page.paste(Pil.fromarray(panel), (left, top))
    return np.asarray(page)


def _small(image: Pixels) -> Image:
    """RGB of 8 bits at the size of a panel."""
    longest = max(image.shape[:2])
    scale = float(np.clip(longest, *_SIDES)) / longest
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    small = cv2.resize(image, size, interpolation=_way(image.shape, (size[1], size[0])))
    if small.dtype == np.uint16:
        small = np.rint(small.astype(np.float32) / 257).astype(np.uint8)
    if small.ndim == 2:
        small = np.repeat(small[..., None], 3, axis=2)
    if small.shape[2] == 4:
        cover = small[..., 3:].astype(np.float32) / 255
        small = np.rint(small[..., :3] * cover + 255 * (1 - cover))
    return np.asarray(small, np.uint8)


def _way(given: tuple[int, ...], wanted: tuple[int, ...]) -> int:
    """Shrinking averages; enlarging keeps pixels as they are, which are what is looked at."""
    return cv2.INTER_AREA if wanted[0] < given[0] else cv2.INTER_NEAREST
