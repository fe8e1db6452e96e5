"""Rows of `base_masks`: the pixels of one tracklet on one frame, as COCO run lengths with their area beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from onlooker.formats.run_lengths import mask_area
from onlooker.video.store.schema import MASKS, TRACKLETS

_CHUNK = 5_000  # rows of one executemany; ours


class StoredMask(NamedTuple):
    """One mask: `rle` are compressed counts of an (H, W) mask of the video's size, `t` seconds."""

    tracklet_id: int
    frame: int
    t: float
    rle: bytes


def add_masks(connection: Connection, masks: Iterable[StoredMask]) -> int:
    """Write masks, a few thousand at a time however many come; returns how many.

    Raises:
        ShapeError: run lengths that cannot be read.
    """
    written = 0
    for chunk in _chunks(iter(masks)):
        rows = [
            {"tracklet_id": m.tracklet_id, "frame": m.frame, "t": m.t, "area_px": mask_area(m.rle), "rle": m.rle}
            for m in chunk
        ]
        connection.execute(insert(MASKS), rows)
        written += len(rows)
    return written


def clear_masks(connection: Connection, video_id: int) -> None:
    """Remove all masks of a video."""
    own = select(TRACKLETS.c.id).where(TRACKLETS.c.video_id == video_id)
    connection.execute(delete(MASKS).where(MASKS.c.tracklet_id.in_(own)))


def _chunks(masks: Iterator[StoredMask]) -> Iterator[list[StoredMask]]:
    while chunk := list(islice(masks, _CHUNK)):
        yield chunk
