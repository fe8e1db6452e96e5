"""Masks seen through crops: where masks are stored, the object's pixels in a crop are known and not guessed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from onlooker.video.attributes.pictures import Picture
from onlooker.video.attributes.registry import Context
from onlooker.video.store import schema

Mask = NDArray[np.bool_]


def masks_of(context: Context, crops: Sequence[Picture]) -> dict[int, Mask]:
    """The (h, w) mask of each crop of one tracklet, by picture id; crops without a mask on their frame are left out."""
    # The room of file formats imports this one, so it is reached for when needed.
    from onlooker.formats.run_lengths import decode_mask

    if not crops:
        return {}
    m = schema.MASKS.c
    wanted = [crop.frame for crop in crops]
    query = select(m.frame, m.rle).where(m.tracklet_id == crops[0].tracklet_id, m.frame.in_(wanted))
    with context.store.read() as connection:
        rles = {row[0]: row[1] for row in connection.execute(query)}
    size = (context.video.height, context.video.width)
    return {crop.id: crop_mask(crop, decode_mask(rles[crop.frame], *size)) for crop in crops if crop.frame in rles}


def crop_mask(crop: Picture, frame_mask: Mask) -> Mask:
    """The (h, w) part of an (H, W) mask of the whole frame that lies under the crop, at the crop's scale."""
    inner = crop.inner_xyxy or (0.0, 0.0, float(crop.image.shape[1]), float(crop.image.shape[0]))
    return mask_under((crop.image.shape[0], crop.image.shape[1]), inner, crop.box_xyxy_px, frame_mask)


def mask_under(size: tuple[int, int], inner: Sequence[float], box: Sequence[float], frame_mask: Mask) -> Mask:
    """The part of a frame's mask that lies under a picture cut from the frame.

    Args:
        size: (h, w) of the picture.
        inner, box: the same box (x1, y1, x2, y2) in pixels of the picture and of the frame.
        frame_mask: (H, W).

    Returns:
        (h, w) bool.
    """
    x = _frame_places(size[1], (inner[0], inner[2]), box[::2], frame_mask.shape[1])
    y = _frame_places(size[0], (inner[1], inner[3]), box[1::2], frame_mask.shape[0])
    return np.asarray(frame_mask[np.ix_(y, x)])


def _frame_places(n: int, inner: tuple[float, float], box: Sequence[float], limit: int) -> NDArray[np.intp]:
    """Frame pixel under each of the n crop pixels along one axis."""
    scale = (box[1] - box[0]) / max(inner[1] - inner[0], 1e-6)
    places = box[0] + (np.arange(n) + 0.5 - inner[0]) * scale
    return np.asarray(np.clip(np.floor(places), 0, limit - 1), dtype=np.intp)
