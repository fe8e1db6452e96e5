"""Splicing and copy-move."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from onlooker.errors import ConfigError
from onlooker.synth.forgeries import chain, masks
from onlooker.synth.forgeries.config import BlendConfig, ForgeryConfig, History, MaskShape
from onlooker.synth.forgeries.hosts import Host, HostPool
from onlooker.synth.forgeries.values import Draws, Mask
from onlooker.types import FloatArray, Image

_COPY_AREA_MOST = 0.12  # a copy and its source must both fit the tile
_COPY_TRIES = 60
_MIN_VISIBLE = 0.005


class Draft(NamedTuple):
    """A manipulated tile before post-processing: `image` (S, S, 3) uint8, its `mask`, the other photos used, draws."""

    image: Image
    mask: Mask
    donors: tuple[str, ...]
    draws: Draws


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a recipe works with: the settings, the photos of its split, the tile's own generator, and the history of
    what is pasted. With "same" the host has not been saved yet, and donors must not have been."""

    config: ForgeryConfig
    pool: HostPool
    rng: np.random.Generator
    history: History


def untouched(host: Host, shop: Workshop) -> Draft:
    """The host through the operations of a splice that change nothing: warped by the identity, blended with itself.
    Rounding and interpolation thus happen to both classes."""
    size = host.pixels.shape[0]
    region = masks.draw_region("blob", shop.config.blend.area, size, shop.rng)
    same = warp(host.pixels, np.array([[1, 0, 0], [0, 1, 0]], np.float32))
    image = composite(host.pixels, same, masks.feather(region, 1.0))
    return Draft(image, np.zeros((size, size), np.bool_), (), {})


def splice(host: Host, shop: Workshop) -> Draft:
    """A region of another photo, moved, scaled, turned, matched in colour and blended in (recipe 1)."""
    config, rng = shop.config.blend, shop.rng
    donor = shop.pool.draw_other(host, rng, donor_save(shop.history, host, shop))
    if donor is None:
        raise ConfigError("a splice needs a second photo")
    shape = _draw_shape(config, rng)
    rigid = rng.random() < config.rigid_share
    region, matrix = _lay(donor.pixels, shape, rigid, host, shop)
    moved = warp(donor.pixels, matrix)
    sigma = float(rng.uniform(*config.feather_px))
    alpha = masks.feather(region, sigma)
    matched = match_colour(moved, host.pixels, alpha, config.colour_jitter, rng)
    poisson = rng.random() < config.poisson_share
    image = _clone(host.pixels, matched, alpha) if poisson else composite(host.pixels, matched, alpha)
    draws: Draws = {
        "shape": shape, "feather_px": sigma, "poisson": poisson, "rigid": rigid,
        "donor_quality": donor.camera.quality, "donor_phase": donor.camera.phase, "matrix": matrix.tolist(),
    }  # fmt: skip
    return Draft(image, masks.to_mask(alpha), (donor.photo_id,), draws)


def copy_move(host: Host, shop: Workshop) -> Draft:
    """A region of the tile itself, pasted elsewhere on it (recipe 2). The mask is the pasted region only.

    At least half of the rigid shifts are no multiple of 8.
    """
    config, rng, size = shop.config.blend, shop.rng, host.pixels.shape[0]
    shape: MaskShape = "polygon" if rng.random() < 0.5 else "blob"
    rigid = rng.random() < config.rigid_share
    area = min(config.area[0], _COPY_AREA_MOST), min(config.area[1], _COPY_AREA_MOST)
    for attempt in range(_COPY_TRIES):
        shrunk = area[0], max(area[0], area[1] * 0.96**attempt)
        region = masks.draw_region(shape, shrunk, size, rng)
        matrix = _draw_copy(region, config, rigid, rng)
        if matrix is not None:
            break
    else:
        raise AssertionError("a region of a hundredth of the tile finds a place for its copy")
    sigma = float(rng.uniform(*config.feather_px))
    alpha = masks.feather(region, sigma)
    image = composite(host.pixels, warp(host.pixels, matrix), alpha)
    draws: Draws = {"shape": shape, "feather_px": sigma, "rigid": rigid, "matrix": matrix.tolist()}
    return Draft(image, masks.to_mask(alpha), (), draws)


def donor_save(history: str, host: Host, shop: Workshop) -> chain.Save:
    """First save of what is pasted; none yet where the manipulation comes before it."""
    if history != "own":
        return chain.Save(None, host.camera.chroma, (0, 0))
    compression, rng = shop.config.compression, shop.rng
    phase = chain.draw_phase(rng) if rng.random() < 0.5 else (0, 0)
    return chain.Save(chain.draw_quality(compression.camera_quality, rng), chain.draw_chroma(compression, rng), phase)


def warp(image: Image, matrix: FloatArray) -> Image:
    """`image` under a (2, 3) affine map, same size, mirrored at the edges; whole-pixel shifts are exact."""
    size = image.shape[1], image.shape[0]
    made: Image = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return made


def composite(below: Image, above: Image, alpha: FloatArray) -> Image:
    """`above` over `below` by `alpha` (H, W) in [0, 1], rounded once."""
    share = alpha[..., None]
    return chain.to_uint8(below * (1 - share) + above * share)


def match_colour(donor: Image, host: Image, alpha: FloatArray, jitter: float, rng: np.random.Generator) -> Image:
    """`donor` with mean and spread of its region in Lab as the host has there, varied by up to `jitter`, so that colour
    alone does not betray it."""
    inside = alpha > 0.5
    gains, shifts = rng.uniform(1 - jitter, 1 + jitter, 3), rng.uniform(-jitter, jitter, 3)
    if inside.sum() < 8:
        return donor
    donor_lab = cv2.cvtColor(donor.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    host_lab = cv2.cvtColor(host.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    d, h = donor_lab[inside], host_lab[inside]  # (M, 3)
    spread = h.std(axis=0)
    scale = np.clip(spread / np.maximum(d.std(axis=0), 1e-3), 0.25, 4) * gains
    moved = (donor_lab - d.mean(axis=0)) * scale + h.mean(axis=0) + shifts * spread
    back = cv2.cvtColor(moved.astype(np.float32), cv2.COLOR_LAB2RGB)
    return chain.to_uint8(back * 255)


def _draw_shape(config: BlendConfig, rng: np.random.Generator) -> MaskShape:
    return config.shapes[int(rng.integers(len(config.shapes)))]


def _lay(donor: Image, shape: MaskShape, rigid: bool, host: Host, shop: Workshop) -> tuple[FloatArray, FloatArray]:
    """(region on the tile, map from donor to tile). A segment goes where its superpixel goes."""
    config, rng, size = shop.config.blend, shop.rng, host.pixels.shape[0]
    if shape == "segment":
        segment = masks.segment_of(donor, rng)
        for _ in range(8):
            target = float(rng.uniform(0, size)), float(rng.uniform(0, size))
            matrix = _draw_map(masks.centre_of(segment), target, config, rigid, rng)
            moved: FloatArray = cv2.warpAffine(segment, matrix, (size, size), flags=cv2.INTER_LINEAR)
            if config.area[0] <= float((moved > 0.5).mean()) <= config.area[1]:
                return moved, matrix
    region = masks.draw_region("polygon" if shape == "polygon" else "blob", config.area, size, rng)
    source = float(rng.uniform(0.3, 0.7) * size), float(rng.uniform(0.3, 0.7) * size)
    return region, _draw_map(source, masks.centre_of(region), config, rigid, rng)


def _draw_map(
    source_xy: tuple[float, float], target_xy: tuple[float, float], config: BlendConfig, rigid: bool,
    rng: np.random.Generator,
) -> FloatArray:  # fmt: skip
    """(2, 3): `source_xy` goes to `target_xy`, perhaps scaled and turned; rigid maps move by whole pixels."""
    scale = math.exp(rng.uniform(math.log(config.scale[0]), math.log(config.scale[1])))
    turn = math.radians(rng.uniform(-config.rotation_deg, config.rotation_deg))
    source, target = np.array(source_xy), np.array(target_xy)
    if rigid:
        shift = np.rint(target - source)
        return np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    linear = scale * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    return np.hstack([linear, (target - linear @ source)[:, None]]).astype(np.float32)


def _draw_copy(region: FloatArray, config: BlendConfig, rigid: bool, rng: np.random.Generator) -> FloatArray | None:
    """A map onto the region from a place of the tile that is whole and apart from it; `None` if ten draws find none."""
    size = region.shape[0]
    rows, columns = np.nonzero(region > 0.5)
    if len(rows) == 0:
        return None
    corners = np.array([[x, y] for x in (columns.min(), columns.max()) for y in (rows.min(), rows.max())], np.float64)
    centre = corners.mean(axis=0)
    diameter = float(np.ptp(corners, axis=0).max()) + 1
    for _ in range(10):
        source = np.rint(centre + rng.uniform(-size, size, 2))
        if rng.random() < 0.5:
            shift = np.rint(source - centre)
            source = centre + shift + (shift % 8 == 0)
        else:
            source = centre + np.rint(source - centre)
        matrix = _draw_map((source[0], source[1]), (centre[0], centre[1]), config, rigid, rng)
        if not rigid and rng.random() < 0.3:  # mirrored about the source's middle
            matrix[:, 2] += 2 * matrix[:, 0] * np.float32(source[0])
            matrix[:, 0] *= -1
        inverse = cv2.invertAffineTransform(matrix)
        there = corners @ inverse[:, :2].T + inverse[:, 2]
        inside = there.min() >= 0 and there.max() <= size - 1
        if inside and float(np.abs(there.mean(axis=0) - centre).max()) >= diameter:
            return matrix
    return None


def _clone(host: Image, donor: Image, alpha: FloatArray) -> Image:
    """Gradients of the donor within the mask, colours of the host around it. Masks at the tile's edge stop 2 pixels
    short of it, where `cv2.seamlessClone` has nothing to hold on to; too small ones are blended."""
    mask = np.zeros(alpha.shape, np.uint8)
    mask[2:-2, 2:-2] = (alpha[2:-2, 2:-2] > 0.5) * np.uint8(255)
    rows, columns = np.nonzero(mask)
    if len(rows) < _MIN_VISIBLE * mask.size or min(np.ptp(rows), np.ptp(columns)) < 3:
        return composite(host, donor, alpha)
    centre = (int(columns.min() + columns.max() + 1) // 2, int(rows.min() + rows.max() + 1) // 2)
    made: Image = cv2.seamlessClone(donor, host, mask, centre, cv2.NORMAL_CLONE)
    return made
