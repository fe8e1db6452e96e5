"""Removing something: a region is filled from what surrounds it (recipe 3)."""

from __future__ import annotations

import cv2
import numpy as np

from onlooker.errors import MissingExtraError
from onlooker.synth.forgeries import masks
from onlooker.synth.forgeries.config import Fill
from onlooker.synth.forgeries.hosts import Host
from onlooker.synth.forgeries.pasting import Draft, Workshop
from onlooker.synth.forgeries.values import Draws, Mask
from onlooker.types import Image

# Criminisi et al. 2004 use 9x9 exemplars. Half of a patch is written, so that patches overlap; large tiles take larger
# ones, for the time it takes.
_PATCH_PX = 9
_SEARCH = 4


def remove(host: Host, shop: Workshop) -> Draft:
    """A polygon or blob filled by one of `BlendConfig.fills`. The mask is the filled region."""
    config, rng = shop.config.blend, shop.rng
    shape = config.shapes[int(rng.integers(len(config.shapes)))]
    size = host.pixels.shape[0]
    region = masks.draw_region("polygon" if shape == "polygon" else "blob", config.area, size, rng) > 0.5
    fill_name = config.fills[int(rng.integers(len(config.fills)))]
    radius = int(rng.integers(3, 6))
    draws: Draws = {"fill": fill_name, "radius_px": radius}
    return Draft(fill(host.pixels, region, fill_name, radius), region, (), draws)


def fill(image: Image, region: Mask, how: Fill, radius_px: int = 3) -> Image:
    """`image` with `region` made up from the rest.

    Args:
        image: (H, W, 3).
        region: (H, W); not all of it.
        how: "telea" and "navier_stokes" of OpenCV, "biharmonic" of scikit-image, or "exemplar": patches copied from
            elsewhere, from the rim inwards.
        radius_px: reach of the OpenCV methods.
    """
    if not region.any() or region.all():
        return image.copy()
    if how == "exemplar":
        return _fill_with_patches(image, region)
    if how == "biharmonic":
        return _fill_smoothly(image, region)
    flag = cv2.INPAINT_TELEA if how == "telea" else cv2.INPAINT_NS
    made: Image = cv2.inpaint(image, region.astype(np.uint8), radius_px, flag)
    return made


def _fill_smoothly(image: Image, region: Mask) -> Image:
    try:
        from skimage.restoration import inpaint_biharmonic
    except ImportError as error:
        raise MissingExtraError(
            "the fill `biharmonic` needs scikit-image: pip install 'onlooker[forensics]'"
        ) from error
    made = inpaint_biharmonic(image, region, channel_axis=-1)  # in [0, 1]
    filled = np.where(region[..., None], np.clip(np.rint(made * 255), 0, 255), image)
    return filled.astype(np.uint8)


def _fill_with_patches(image: Image, region: Mask) -> Image:
    """Exemplar filling: the pixel whose surroundings are best known takes the middle of the most similar known patch
    (Criminisi et al. 2004 without its gradient term)."""
    patch_px = int(np.clip(min(image.shape[:2]) // 12, _PATCH_PX, 21)) | 1
    reach, written = patch_px // 2, patch_px // 4
    padded = cv2.copyMakeBorder(image, reach, reach, reach, reach, cv2.BORDER_REFLECT_101)
    missing = np.pad(region, reach)
    clean = _clean_middles(missing, patch_px)
    if not clean.any():  # no whole patch is known
        made: Image = cv2.inpaint(image, region.astype(np.uint8), 3, cv2.INPAINT_TELEA)
        return made
    while missing.any():
        known = cv2.boxFilter((~missing).astype(np.float32), -1, (patch_px, patch_px))
        place = np.unravel_index(int(np.where(missing, known, -1).argmax()), missing.shape)
        y, x = (int(np.clip(v, reach, n - reach - 1)) for v, n in zip(place, missing.shape, strict=True))
        top, left = _most_similar(padded, missing, clean, (y, x), patch_px)
        here = np.s_[y - written : y + written + 1, x - written : x + written + 1]
        there = np.s_[top - written : top + written + 1, left - written : left + written + 1]
        padded[here][missing[here]] = padded[there][missing[here]]
        missing[here] = False
    return np.ascontiguousarray(padded[reach:-reach, reach:-reach])


def _most_similar(padded: Image, missing: Mask, clean: Mask, place: tuple[int, int], patch_px: int) -> tuple[int, int]:
    """Middle of the whole patch nearest to what is known around `place`, within `_SEARCH` patches of it if there is
    one."""
    reach, (y, x) = patch_px // 2, place
    far = _SEARCH * patch_px
    rows = slice(max(reach, y - far), min(missing.shape[0] - reach, y + far + 1))
    columns = slice(max(reach, x - far), min(missing.shape[1] - reach, x + far + 1))
    if not clean[rows, columns].any():
        rows, columns = slice(reach, missing.shape[0] - reach), slice(reach, missing.shape[1] - reach)
    window = np.s_[y - reach : y + reach + 1, x - reach : x + reach + 1]
    seen = np.repeat((~missing[window]).astype(np.float32)[..., None], 3, axis=2)
    area = padded[rows.start - reach : rows.stop + reach, columns.start - reach : columns.stop + reach]
    error = cv2.matchTemplate(area.astype(np.float32), padded[window].astype(np.float32), cv2.TM_SQDIFF, mask=seen)
    best = np.unravel_index(int(np.where(clean[rows, columns], error, np.inf).argmin()), error.shape)
    return int(best[0]) + rows.start, int(best[1]) + columns.start


def _clean_middles(missing: Mask, patch_px: int) -> Mask:
    """Middles of patches without a missing pixel, as large as `missing`."""
    inside = cv2.boxFilter(missing.astype(np.float32), -1, (patch_px, patch_px), normalize=False)
    reach = patch_px // 2
    whole = np.zeros_like(missing)
    whole[reach:-reach, reach:-reach] = inside[reach:-reach, reach:-reach] < 0.5
    return whole
