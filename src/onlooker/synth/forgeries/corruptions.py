"""Damage for blind restoration: strokes, boards, blotches, writing, showing noise, a colour or part of another photo.

After the recipes of blind inpainting (VCNet's numbers where they are known, else ours): what hides the picture fades
into it, so that the edge of the damage is no line to cheat on, and the mask is exact because it is drawn first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple, get_args

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import ImageDraw

from onlooker.errors import ConfigError, ShapeError
from onlooker.types import Image

Shape = Literal["strokes", "boards", "blotches", "writing"]
Content = Literal["photo", "noise", "colour"]
Cover = NDArray[np.float32]
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
_TRIES = 12


@dataclass(frozen=True, slots=True)
class CorruptionConfig:
    """What the damage is like.

    Attributes:
        shapes, contents: drawn from, each alike.
        area: least and most part of the picture that is hidden; a shape outside is drawn again, then taken as it is if
            it hides anything at all.
        edge: least and most standard deviation of the blur of the mask, in parts of the shorter side.
        stroke_width: least and most, in parts of the shorter side (VCNet).
        board_side: least and most, in parts of either side (VCNet goes up to 0.8).
        matched: how often a photo's mean and spread are brought to those of what it hides, so that colour alone does
            not tell it (ours).
    """

    shapes: tuple[Shape, ...] = ("strokes", "boards", "blotches")
    contents: tuple[Content, ...] = ("photo", "noise", "colour")
    area: tuple[float, float] = (0.02, 0.5)
    edge: tuple[float, float] = (0.004, 0.016)
    stroke_width: tuple[float, float] = (0.02, 0.1)
    board_side: tuple[float, float] = (0.2, 0.6)
    matched: float = 0.5

    def __post_init__(self) -> None:
        for name, given, known in (
            ("shapes", self.shapes, get_args(Shape)),
            ("contents", self.contents, get_args(Content)),
        ):
            if not given or set(given) - set(known):
                raise ConfigError(f"`{name}` are some of {known}, got {given}")
        for name in ("area", "edge", "stroke_width", "board_side"):
            low, high = getattr(self, name)
            if not 0.0 <= low <= high <= 1.0:
                raise ConfigError(f"`{name}` is (least, most) in [0, 1], got {(low, high)}")
        if not 0.0 <= self.matched <= 1.0:
            raise ConfigError(f"`matched` is a probability, got {self.matched}")


class Corruption(NamedTuple):
    """A damaged picture.

    Attributes:
        image: (H, W, 3) uint8.
        mask: (H, W) bool, where more than half of what shows is damage.
        cover: (H, W) float32 in [0, 1], how much of what shows is damage; exactly 0 where the picture is untouched.
        shape, content: what was drawn.
    """

    image: Image
    mask: NDArray[np.bool_]
    cover: Cover
    shape: Shape
    content: Content


def corrupt(picture: Image, donor: Image, config: CorruptionConfig, rng: np.random.Generator) -> Corruption:
    """Damages a picture; every draw comes from `rng`.

    Args:
        picture: (H, W, 3) uint8, at least 8 pixels each way. Not changed.
        donor: (h, w, 3) uint8 of another photo, at least as large; looked at for the content "photo" alone.
        config: see there.
        rng: of all draws.

    Raises:
        ShapeError: other shapes or types, or a donor that is too small.
    """
    for name, image in (("picture", picture), ("donor", donor)):
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or min(image.shape[:2]) < 8:
            raise ShapeError(f"{name}: expected (H, W, 3) uint8 from 8 pixels on, got {image.dtype} of {image.shape}")
    if donor.shape[0] < picture.shape[0] or donor.shape[1] < picture.shape[1]:
        raise ShapeError(f"a donor covers the picture {picture.shape[:2]}, got one of {donor.shape[:2]}")
    shape = config.shapes[int(rng.integers(len(config.shapes)))]
    content = config.contents[int(rng.integers(len(config.contents)))]
    cover = _draw_cover(shape, (picture.shape[0], picture.shape[1]), config, rng)
    signal = _SIGNALS[content](picture, donor, cover, config, rng)
    mixed = picture * (1 - cover[..., None]) + signal * cover[..., None]
    image = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
    return Corruption(image, cover > 0.5, cover, shape, content)


def _draw_cover(shape: Shape, size: tuple[int, int], config: CorruptionConfig, rng: np.random.Generator) -> Cover:
    """(H, W) float32 with soft edges; the last try is taken where none has the wanted area."""
    sigma = rng.uniform(*config.edge) * min(size)
    low, high = config.area
    cover = np.zeros(size, np.float32)
    for _ in range(_TRIES):
        tried = _soften(_SHAPES[shape](size, config, rng), sigma)
        part = float((tried > 0.5).mean())
        if part > 0:
            cover = tried
        if low <= part <= high:
            return tried
    return cover


def _soften(drawn: NDArray[np.uint8], sigma: float) -> Cover:
    cover = np.asarray(drawn > 0, np.float32)
    if sigma > 0:
        cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), sigma), np.float32)
    cover[cover < 1 / 512] = 0  # less than half a grey level: nothing shows
    return np.clip(cover, 0, 1)


def _strokes(size: tuple[int, int], config: CorruptionConfig, rng: np.random.Generator) -> NDArray[np.uint8]:
    """1 to 9 brush strokes of 4 to 18 corners that turn to and fro (VCNet's free-form masks)."""
    height, width = size
    drawn = np.zeros(size, np.uint8)
    reach = math.hypot(height, width) / 8
    for _ in range(int(rng.integers(1, 10))):
        thick = max(1, round(rng.uniform(*config.stroke_width) * min(size)))
        x, y, heading = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0, 2 * math.pi)
        turn = 2 * math.pi / 5 + rng.uniform(-1, 1) * 2 * math.pi / 15
        for corner in range(int(rng.integers(4, 19))):
            heading += turn * rng.uniform(0.5, 1.5) * (1 if corner % 2 else -1)
            length = float(np.clip(rng.normal(reach, reach / 2), 0, 2 * reach))
            to_x = float(np.clip(x + length * math.cos(heading), 0, width - 1))
            to_y = float(np.clip(y + length * math.sin(heading), 0, height - 1))
            ends = (round(x), round(y)), (round(to_x), round(to_y))
            cv2.line(drawn, *ends, 255, thick)
            cv2.circle(drawn, ends[1], thick // 2, 255, -1)
            x, y = to_x, to_y
    return drawn


def _boards(size: tuple[int, int], config: CorruptionConfig, rng: np.random.Generator) -> NDArray[np.uint8]:
    """1 to 4 turned rectangles, anywhere, cut off by the border."""
    drawn = np.zeros(size, np.uint8)
    for _ in range(int(rng.integers(1, 5))):
        centre = (float(rng.uniform(0, size[1])), float(rng.uniform(0, size[0])))
        sides = (float(rng.uniform(*config.board_side) * size[1]), float(rng.uniform(*config.board_side) * size[0]))
        corners = cv2.boxPoints((centre, sides, float(rng.uniform(-30, 30))))
        cv2.fillPoly(drawn, [np.rint(corners).astype(np.int32)], (255,))
    return drawn


def _blotches(size: tuple[int, int], config: CorruptionConfig, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Where smooth noise is highest."""
    cells = int(rng.integers(3, 8))
    coarse = rng.normal(size=(cells, cells)).astype(np.float32)
    smooth = cv2.resize(coarse, (size[1], size[0]), interpolation=cv2.INTER_CUBIC)
    part = rng.uniform(max(config.area[0], 0.01), max(config.area[1], 0.02))
    highest = smooth > np.quantile(smooth, 1 - part)
    return np.asarray(highest, np.uint8)


def _writing(size: tuple[int, int], config: CorruptionConfig, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Lines of letters, in Pillow's own font, a little turned."""
    from PIL import ImageFont

    page = Pil.new("L", (size[1], size[0]))
    pen, step = ImageDraw.Draw(page), max(8, round(rng.uniform(0.12, 0.3) * min(size)))
    font = ImageFont.load_default(step)
    y = float(rng.uniform(-step / 2, step))
    while y < size[0]:
        n_letters = 1 + int(2 * size[1] / step * rng.uniform(0.3, 1.0))
        line = "".join(_LETTERS[i] for i in rng.integers(0, len(_LETTERS), n_letters))
        pen.text((float(rng.uniform(-step, size[1] / 2)), y), line, fill=255, font=font)
        y += step * float(rng.uniform(1.0, 2.5))
    turned = page.rotate(float(rng.uniform(-20, 20)), Pil.Resampling.BILINEAR)
    return (np.asarray(turned) > 127).astype(np.uint8)


def _photo(
    picture: Image, donor: Image, cover: Cover, config: CorruptionConfig, rng: np.random.Generator
) -> NDArray[np.float32]:
    """A window of the donor; matched in mean and spread to what it hides, or not."""
    height, width = picture.shape[:2]
    top = int(rng.integers(donor.shape[0] - height + 1))
    left = int(rng.integers(donor.shape[1] - width + 1))
    window = donor[top : top + height, left : left + width].astype(np.float32)
    if rng.random() >= config.matched or not (cover > 0.5).any():
        return window
    hidden, shown = picture[cover > 0.5].astype(np.float32), window[cover > 0.5]
    spread = (hidden.std(axis=0) + 1) / (shown.std(axis=0) + 1)
    matched = (window - shown.mean(axis=0)) * np.clip(spread, 0.3, 3.0) + hidden.mean(axis=0)
    return np.asarray(np.clip(matched, 0, 255), np.float32)


def _noise(
    picture: Image, donor: Image, cover: Cover, config: CorruptionConfig, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Gaussian noise around a colour."""
    std = float(rng.uniform(15, 70))
    drawn = rng.uniform(0, 255, 3) + std * rng.standard_normal(picture.shape)
    return np.clip(drawn, 0, 255).astype(np.float32)


def _colour(
    picture: Image, donor: Image, cover: Cover, config: CorruptionConfig, rng: np.random.Generator
) -> NDArray[np.float32]:
    return np.broadcast_to(rng.uniform(0, 255, 3).astype(np.float32), picture.shape)


_Draw = Callable[[tuple[int, int], CorruptionConfig, np.random.Generator], NDArray[np.uint8]]
_SHAPES: Mapping[Shape, _Draw] = MappingProxyType(
    {"strokes": _strokes, "boards": _boards, "blotches": _blotches, "writing": _writing}
)
_Signal = Callable[[Image, Image, Cover, CorruptionConfig, np.random.Generator], NDArray[np.float32]]
_SIGNALS: Mapping[Content, _Signal] = MappingProxyType({"photo": _photo, "noise": _noise, "colour": _colour})
