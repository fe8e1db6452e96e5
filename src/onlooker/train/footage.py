"""Pixels of the rows of a table: pictures upright, clips by the true times of their frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image as PilImage

from onlooker.errors import FormatError, MediaError
from onlooker.media.decode import VideoReader
from onlooker.media.images import read_picture
from onlooker.media.seek import decode_at
from onlooker.train.tables import TableRow
from onlooker.types import Image

PICTURES_PER_S = 30.0
"""Rate that pictures of a clip are taken to have, which bring no times (ours)."""


def picture_of(row: TableRow) -> Image:
    """(H, W, 3) uint8 RGB of a row that is a picture.

    Raises:
        FormatError: it cannot be read; the message names row and file.
    """
    try:
        return read_picture(row.files[0])
    except MediaError as error:
        raise FormatError(f"{row.where}: {error}") from error


def length_s(row: TableRow) -> float:
    """How long a clip is, by the times of its frames: one pass over the file, so keep what comes out.

    Raises:
        FormatError: it cannot be read, or is a single frame: nothing can happen in it.
    """
    try:
        n_frames, duration_s = _length(row)
    except MediaError as error:
        raise FormatError(f"{row.where}: {error}") from error
    if n_frames < 2:
        raise FormatError(f"{row.where}: `{row.files[0]}` has one frame, a clip has two or more; take it out")
    return duration_s


def frames_at(row: TableRow, times_s: Sequence[float]) -> list[Image]:
    """(H, W, 3) uint8 RGB frames of a clip nearest to some times, turned upright, all of one size.

    Raises:
        FormatError: it cannot be read.
    """
    try:
        if len(row.files) == 1:
            return [frame.image for frame in decode_at(row.files[0], times_s)]
        last = len(row.files) - 1
        chosen = [min(max(round(time_s * PICTURES_PER_S), 0), last) for time_s in times_s]
        pictures = {place: read_picture(row.files[place]) for place in sorted(set(chosen))}
    except MediaError as error:
        raise FormatError(f"{row.where}: {error}") from error
    first = pictures[chosen[0]]
    return [_resized(pictures[place], first) for place in chosen]


def _length(row: TableRow) -> tuple[int, float]:
    """Frames and seconds."""
    if len(row.files) > 1:
        return len(row.files), len(row.files) / PICTURES_PER_S
    with VideoReader(row.files[0]) as reader:
        for _ in reader:  # containers round, and are wrong where the rate varies; pixels are not converted
            pass
        return reader.n_frames, reader.end_s


def _resized(picture: Image, like: Image) -> Image:
    if picture.shape == like.shape:
        return picture
    size = (like.shape[1], like.shape[0])
    return np.asarray(PilImage.fromarray(picture).resize(size, PilImage.Resampling.BILINEAR))
