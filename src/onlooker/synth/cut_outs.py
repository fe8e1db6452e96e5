"""Objects cut from real sequences, and how they move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage
from PIL import ImageDraw, ImageFilter

from onlooker.errors import ShapeError
from onlooker.synth import paste
from onlooker.synth.masked_clips import LabelMap, MaskedPictures, box_of
from onlooker.types import Image

_INVENTED_PX = 128  # side of the square an outline is drawn in


class Piece(NamedTuple):
    """`image` (h, w, 3) uint8 and which of its pixels are the object's, `mask` (h, w) bool."""

    image: Image
    mask: NDArray[np.bool_]


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

    def piece(self, t: int) -> Piece | None:
        """What frame `t` shows of it."""
        image, mask = self.pictures.read(self.sequence, self.order[t])
        box = box_of(mask > 0)
        if box is None:
            return None
        x1, y1, x2, y2 = box
        return Piece(image[y1:y2, x1:x2], mask[y1:y2, x1:x2] > 0)


@dataclass(frozen=True, eq=False, slots=True)
class Invented:
    """An object like none in the world, the same on every frame: a random outline filled with a piece of a picture."""

    shape: Piece
    mirrored: bool = False

    def first_height_px(self) -> int:
        """Height of the object."""
        return len(self.shape.mask)

    def piece(self, t: int) -> Piece:
        """What frame `t` shows of it."""
        return self.shape


def paint(
    cut: CutOut | Invented,
    frame: Image,
    labels: LabelMap,
    t: int,
    motion: Motion,
    gain: NDArray[np.float32],
    number: int,
) -> None:
    """Paint an object as it is on frame `t` into `frame` and `labels`, which change."""
    piece = None if t < motion.first_frame else cut.piece(t)
    if piece is None:
        return
    height, width = piece.mask.shape
    # No object grows beyond the clip, whatever its sequence does with it.
    scale = min(float(motion.scales[t]), 0.95 * labels.shape[0] / height, 0.95 * labels.shape[1] / width)
    size = max(2, round(height * scale)), max(2, round(width * scale))
    picture, alpha = paste.resize_cut(piece.image, piece.mask, size)
    if cut.mirrored:
        picture, alpha = picture[:, ::-1], alpha[:, ::-1]
    coloured = np.clip(picture * gain, 0, 255).astype(np.uint8)
    centre = motion.centres_xy[t]
    corner = round(float(centre[0]) - size[1] / 2), round(float(centre[1]) - size[0] / 2)
    paste.paint_(frame, labels, coloured, alpha, corner, number)


def invent(pictures: MaskedPictures, rng: np.random.Generator) -> Invented:
    """A new object, filled with a piece of one of the pictures or, one time in five, with one colour."""
    mask = _outline(rng)
    height, width = mask.shape
    name = pictures.sequences[int(rng.integers(len(pictures.sequences)))]
    source = pictures.read(name, int(rng.integers(pictures.n_frames(name)))).image
    if rng.random() < 0.2:
        image = np.broadcast_to(rng.integers(0, 256, 3).astype(np.uint8), (height, width, 3))
    else:
        part = rng.uniform(0.3, 1.0) * min(source.shape[0] / height, source.shape[1] / width)
        top, left = (rng.uniform(0, side - part * own) for side, own in zip(source.shape, mask.shape, strict=False))
        window = float(left), float(top), float(left + part * width), float(top + part * height)
        image, _ = paste.crop_resized(source, source[..., 0], window, (height, width))
    return Invented(Piece(image, mask))


def _outline(rng: np.random.Generator) -> NDArray[np.bool_]:
    """(h, w) of a random star with 5 to 11 points and rounded corners, longer one way than the other; cut close."""
    points = int(rng.integers(5, 12))
    angles, radii = np.sort(rng.uniform(0, 2 * np.pi, points)), rng.uniform(0.35, 1.0, points)
    axes = rng.uniform(0.35, 1.0, 2)
    turn = rng.uniform(0, np.pi)
    corners = np.stack([axes[0] * radii * np.cos(angles), axes[1] * radii * np.sin(angles)], axis=1)
    corners = corners @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    side, centre = _INVENTED_PX, _INVENTED_PX / 2
    drawn = PILImage.new("L", (side, side))
    ImageDraw.Draw(drawn).polygon([(float(x), float(y)) for x, y in centre + 0.9 * centre * corners], fill=255)
    mask = np.asarray(drawn.filter(ImageFilter.GaussianBlur(rng.uniform(1.0, 5.0)))) > 127
    box = box_of(mask)
    if box is None:  # thinner than the rounding leaves anything of
        return np.ones((side // 4, side // 4), np.bool_)
    x1, y1, x2, y2 = box
    return mask[y1:y2, x1:x2]


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
