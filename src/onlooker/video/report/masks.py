"""Masks of one video as pictures need them: those of one frame, and those under the best view of each tracklet."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from onlooker.formats.run_lengths import decode_mask
from onlooker.video.attributes.crop_masks import mask_under
from onlooker.video.store.schema import MASKS, PICTURES, TRACKLETS, VIDEOS


def masks_on(connection: Connection, video_id: int, frame: int) -> dict[int, bytes]:
    """Compressed run lengths by tracklet number, of one frame: a long video has more masks than memory should hold."""
    query = select(TRACKLETS.c.number, MASKS.c.rle).join(MASKS, MASKS.c.tracklet_id == TRACKLETS.c.id)
    here = query.where(TRACKLETS.c.video_id == video_id, MASKS.c.frame == frame)
    return dict(connection.execute(here).all())


def best_view_masks(connection: Connection, video_id: int) -> dict[int, NDArray[np.bool_]]:
    """(h, w) masks by tracklet number, at the size of its best view; a view on a frame without a mask is left out."""
    p = PICTURES.c
    columns = (p.x1, p.y1, p.x2, p.y2, p.inner, p.width, p.height)
    query = (
        select(TRACKLETS.c.id, TRACKLETS.c.number, VIDEOS.c.height.label("rows"), VIDEOS.c.width.label("columns"))
        .add_columns(*columns, MASKS.c.rle)
        .join_from(PICTURES, TRACKLETS, TRACKLETS.c.id == p.tracklet_id)
        .join(VIDEOS, VIDEOS.c.id == TRACKLETS.c.video_id)
        .outerjoin(MASKS, (MASKS.c.tracklet_id == p.tracklet_id) & (MASKS.c.frame == p.frame))
        .where(p.video_id == video_id, p.kind == "crop")
        .order_by(p.quality.desc(), p.id)
    )
    found: dict[int, NDArray[np.bool_]] = {}
    seen: set[int] = set()
    for row in connection.execute(query).mappings():
        if row["number"] not in seen and row["rle"] is not None:
            inner = json.loads(row["inner"]) if row["inner"] else (0.0, 0.0, float(row["width"]), float(row["height"]))
            box = (row["x1"], row["y1"], row["x2"], row["y2"])
            frame_mask = decode_mask(row["rle"], row["rows"], row["columns"])
            found[row["number"]] = mask_under((row["height"], row["width"]), inner, box, frame_mask)
        seen.add(row["number"])
    return found
