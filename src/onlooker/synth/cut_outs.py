"""Objects cut from real sequences, and how they move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage

from onlooker.errors import ShapeError
from onlooker.synth import paste
from onlooker.synth.masked_clips import LabelMap, MaskedPictures, box_of
from onlooker.types import Image


@dataclass(frozen=True, eq=False, slots=True)
class Motion:
    """A path: `centres_xy` (T, 2) in pixels, `scales` (T,) of the source's pixels, and the first frame it is on."""

    centres_xy: NDArray[np.float64]
    scales: NDArray[np.float64]
    first_frame: int = 0

    def __post_init__(self) -> None:
        n = len(self.scales)
        if self.centres_xy.shape != (n, 2) or not np.isfinite(self.centres_xy).all() or not (self.scales > 0).all():
            raise ShapeError(f"expected {n} finite centres and scales above 0, got {self.centres_xy.shape}")


@dataclass(frozen=True, slots=True)
class CutOut:
    """The annotated object of a sequence on the frames `order`, cut out by its mask.

    All objects of the source's mask count as one, as in DAVIS 2016.
    """

    pictures: MaskedPictures
    sequence: str
    order: tuple[int, ...]
    mirrored: bool = False

    def first_height_px(self) -> int:
        """Height of the object on the first of its frames that shows it; 0 if none does."""
        for index in self.order:
            box = box_of(self.pictures.read(self.sequence, index).labels > 0)
            if box is not None:
                return box[3] - box[1]
        return 0

    def paint(
        self, frame: Image, labels: LabelMap, t: int, motion: Motion, gain: NDArray[np.float32], number: int
    ) -> None:
        """Paint the object as it is on frame `t` into `frame` and `labels`, which change."""
        if t < motion.first_frame:
            return
        image, mask = self.pictures.read(self.sequence, self.order[t])
        box = box_of(mask > 0)
        if box is None:
            return
        x1, y1, x2, y2 = box
        # No object grows beyond the clip, whatever its sequence does with it.
        scale = min(float(motion.scales[t]), 0.95 * labels.shape[0] / (y2 - y1), 0.95 * labels.shape[1] / (x2 - x1))
        size = max(2, round((y2 - y1) * scale)), max(2, round((x2 - x1) * scale))
        cut, alpha = paste.resize_cut(image[y1:y2, x1:x2], mask[y1:y2, x1:x2] > 0, size)
        if self.mirrored:
            cut, alpha = cut[:, ::-1], alpha[:, ::-1]
        coloured = np.clip(cut * gain, 0, 255).astype(np.uint8)
        centre = motion.centres_xy[t]
        corner = round(float(centre[0]) - size[1] / 2), round(float(centre[1]) - size[0] / 2)
        paste.paint_(frame, labels, coloured, alpha, corner, number)


def smooth_step(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """0 up to 0, 1 from 1 on, and a smooth way between."""
    v = np.clip(u, 0.0, 1.0)
    return np.asarray(v * v * (3 - 2 * v))


def textured_board(size: tuple[int, int], rng: np.random.Generator) -> Image:
    """(H, W, 3) uint8 of soft random patches: something in front that is no object."""
    coarse = rng.integers(0, 256, (max(2, size[0] // 24), max(2, size[1] // 24), 3)).astype(np.uint8)
    tint = rng.integers(60, 196, 3)
    mixed = (0.35 * coarse + 0.65 * tint).astype(np.uint8)
    board = PILImage.fromarray(mixed).resize((size[1], size[0]), PILImage.Resampling.BICUBIC)
    return np.asarray(board)
