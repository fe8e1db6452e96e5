"""Damage for blind restoration: strokes, rectangles or letters that hide part of a picture (recipe 8).

What hides the picture fades into it, so that its edge is no line to cheat on, and may have the colours of what it
hides. Numbers are VCNet's where the configuration says so, else ours.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont

from onlooker.errors import ShapeError
from onlooker.synth.forgeries import masks, pasting
from onlooker.synth.forgeries.config import Content, CorruptionConfig
from onlooker.synth.forgeries.hosts import Host
from onlooker.synth.forgeries.pasting import Draft, Workshop
from onlooker.synth.forgeries.values import Draws, Mask, check_image
from onlooker.types import FloatArray, Image

_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
_EDGE = (0.01, 0.03)  # standard deviation of the edge, in parts of the shorter side
_UNSEEN = 1 / 512  # less than half a grey level
_TRIES = 12
_NOISE_STD = (15.0, 70.0)  # grey levels


class Damage(NamedTuple):
    """A damaged picture: `image` (H, W, 3) uint8, equal to the given one wherever `cover` is 0; `mask` (H, W), where
    more than half of what shows is damage; `cover` (H, W) float32 in [0, 1], how much of it is; what it shows."""

    image: Image
    mask: Mask
    cover: FloatArray
    content: Content
    draws: Draws


def corrupt(host: Host, shop: Workshop) -> Draft:
    """Damages a tile; photos that show in the damage are others of the same split, with a history of their own."""
    donor = shop.pool.draw_other(host, shop.rng, pasting.donor_save(shop.history, host, shop))
    made = damage(host.pixels, None if donor is None else donor.pixels, shop.config.corruption, shop.rng)
    shown = (donor.photo_id,) if donor is not None and made.content == "photo" else ()
    return Draft(made.image, made.mask, shown, made.draws)


def damage(picture: Image, other: Image | None, config: CorruptionConfig, rng: np.random.Generator) -> Damage:
    """Damages a picture; every draw comes from `rng`.

    Args:
        picture: (H, W, 3) uint8, 8 pixels each way at least. Not changed.
        other: of the same shape, from another photo; without it, content "photo" becomes "constant".
        config: see there.
        rng: of all draws.

    Raises:
        ShapeError: other shapes or types.
    """
    check_image(picture)
    if min(picture.shape[:2]) < 8 or (other is not None and other.shape != picture.shape):
        found = None if other is None else other.shape
        raise ShapeError(f"a picture has 8 pixels each way, and the other its shape, got {picture.shape} and {found}")
    content = config.contents[int(rng.integers(len(config.contents)))]
    cover, shape = _draw_cover(content, (picture.shape[0], picture.shape[1]), config, rng)
    matched = rng.random() < config.matched_share
    if content == "photo" and other is None:
        content = "constant"
    signal, matched = _signal(content, picture, other, cover, matched, rng)
    image = pasting.composite(picture, signal, cover)
    draws: Draws = {"content": content, "shape": shape, "matched": matched, "area": float((cover > 0.5).mean())}
    return Damage(image, masks.to_mask(cover), cover, content, draws)


def _draw_cover(
    content: Content, size: tuple[int, int], config: CorruptionConfig, rng: np.random.Generator
) -> tuple[FloatArray, str]:
    """(H, W) in [0, 1] with soft edges, and its shape; the last try is taken where none has the wanted area."""
    shape = "letters" if content == "text" else "rectangles" if rng.random() < config.rectangle_share else "strokes"
    draw = {"letters": _letters, "rectangles": _rectangles, "strokes": _strokes}[shape]
    sigma = float(rng.uniform(*_EDGE)) * min(size) if config.smooth_edges else 0.0
    cover = np.zeros(size, np.float32)
    for _ in range(_TRIES):
        tried = masks.feather((draw(size, config, rng) > 0).astype(np.float32), sigma)
        tried = np.clip(np.where(tried < _UNSEEN, 0, tried), 0, 1).astype(np.float32)
        part = float((tried > 0.5).mean())
        if part > 0:
            cover = tried
        if config.area[0] <= part <= config.area[1]:
            break
    return cover, shape


def _strokes(size: tuple[int, int], config: CorruptionConfig, rng: np.random.Generator) -> Image:
    """Brush strokes that turn to and fro by 2 pi / 5, give or take a third (VCNet's free-form masks)."""
    height, width = size
    drawn = np.zeros(size, np.uint8)
    reach = math.hypot(height, width) / 8
    for _ in range(_count(config.strokes, rng)):
        thick = max(1, round(float(rng.uniform(*config.width)) * min(size)))
        x, y, heading = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0, 2 * math.pi)
        turn = 2 * math.pi / 5 + rng.uniform(-1, 1) * 2 * math.pi / 15
        for corner in range(_count(config.vertices, rng)):
            heading += turn * rng.uniform(0.5, 1.5) * (1 if corner % 2 else -1)
            length = float(np.clip(rng.normal(reach, reach / 2), 0, 2 * reach))
            to_x = float(np.clip(x + length * math.cos(heading), 0, width - 1))
            to_y = float(np.clip(y + length * math.sin(heading), 0, height - 1))
            end = round(to_x), round(to_y)
            cv2.line(drawn, (round(x), round(y)), end, 255, thick)
            cv2.circle(drawn, end, thick // 2, 255, -1)
            x, y = to_x, to_y
    return drawn


def _rectangles(size: tuple[int, int], config: CorruptionConfig, rng: np.random.Generator) -> Image:
    """Turned rectangles, anywhere, cut off by the border."""
    drawn = np.zeros(size, np.uint8)
    for _ in range(_count(config.rectangles, rng)):
        centre = (float(rng.uniform(0, size[1])), float(rng.uniform(0, size[0])))
        sides = tuple(float(rng.uniform(*config.rectangle_side)) * length for length in (size[1], size[0]))
        corners = cv2.boxPoints((centre, sides, float(rng.uniform(-30, 30))))
        cv2.fillPoly(drawn, [np.rint(corners).astype(np.int32)], 255)
    return drawn


def _letters(size: tuple[int, int], config: CorruptionConfig, rng: np.random.Generator) -> Image:
    """Lines of letters in Pillow's own font, a little turned."""
    step = max(8, round(float(rng.uniform(0.12, 0.3)) * min(size)))
    page, font = PILImage.new("L", (size[1], size[0])), ImageFont.load_default(step)
    pen, y = ImageDraw.Draw(page), float(rng.uniform(-step / 2, step))
    while y < size[0]:
        n_letters = 1 + int(2 * size[1] / step * rng.uniform(0.3, 1.0))
        line = "".join(_LETTERS[k] for k in rng.integers(0, len(_LETTERS), n_letters))
        pen.text((float(rng.uniform(-step, size[1] / 2)), y), line, fill=255, font=font)
        y += step * float(rng.uniform(1.0, 2.5))
    turned = page.rotate(float(rng.uniform(-20, 20)), PILImage.Resampling.BILINEAR)
    return np.where(np.asarray(turned) > 127, 255, 0).astype(np.uint8)


def _signal(
    content: Content,
    picture: Image,
    other: Image | None,
    cover: FloatArray,
    matched: bool,
    rng: np.random.Generator,
) -> tuple[Image, bool]:
    """(H, W, 3) uint8, what shows in the damage, and whether it was matched in colour to what it hides."""
    if content == "photo" and other is not None:
        matched = matched and bool((cover > 0.5).any())
        return (pasting.match_colour(other, picture, cover, 0.2, rng) if matched else other), matched
    colour = rng.uniform(0, 255, 3)
    if content == "noise":
        drawn = colour + float(rng.uniform(*_NOISE_STD)) * rng.standard_normal(picture.shape)
        return np.clip(np.rint(drawn), 0, 255).astype(np.uint8), False
    return np.broadcast_to(np.rint(colour).astype(np.uint8), picture.shape), False


def _count(bounds: tuple[int, int], rng: np.random.Generator) -> int:
    return int(rng.integers(bounds[0], bounds[1] + 1))
