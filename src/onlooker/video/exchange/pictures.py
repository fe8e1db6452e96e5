"""Pictures kept when a picture sequence is imported: a few good crops per track and some whole frames.

The same rows that ingesting a video leaves behind, so that contact sheets, reports and annotators work on imports too.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage

from onlooker.errors import FormatError
from onlooker.types import BoxXYXY

CROPS_PER_TRACK = 3  # ours: enough to see an object from more than one side
N_KEYFRAMES = 12  # ours: a strip of thumbnails
_CONTEXT = 0.1  # of the box on each side, as for crops made while decoding
_CROP_PX, _KEYFRAME_PX, _JPEG_QUALITY = 256, 640, 88
Row: TypeAlias = dict[str, int | float | str | bytes | None]


class Track(Protocol):
    """The part of an annotated track that choosing pictures needs."""

    @property
    def number(self) -> int: ...
    @property
    def frames(self) -> NDArray[np.int64]: ...
    @property
    def boxes_xyxy_px(self) -> NDArray[np.float64]: ...


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """One JPEG with what it shows. `number` is the track of a crop, `None` for a whole frame."""

    kind: Literal["crop", "keyframe"]
    number: int | None
    frame: int
    time_s: float
    box_xyxy_px: BoxXYXY
    inner_xyxy: BoxXYXY | None
    quality: float
    size: tuple[int, int]
    jpeg: bytes


def choose_pictures(
    tracks: Sequence[Track], files: dict[int, Path], times: dict[int, float]
) -> tuple[EncodedPicture, ...]:
    """Crops and keyframes of a picture sequence; empty when there are no pictures. Every file is read at most once.

    Raises:
        FormatError: a picture cannot be read.
    """
    if not files:
        return ()
    first = _read(files[min(files)])
    wanted = _wanted_crops(tracks, files, first.size)
    indices = sorted(files)
    picks = np.linspace(0, len(indices) - 1, min(N_KEYFRAMES, len(indices))).round().astype(int)
    keyframes = {indices[i] for i in picks}
    made: list[EncodedPicture] = []
    for frame in sorted(wanted.keys() | keyframes):
        image = _read(files[frame])
        if frame in keyframes:
            made.append(_keyframe(image, frame, times[frame]))
        for number, box, quality in wanted.get(frame, ()):
            crop = _crop(image, box)
            if crop is not None:
                made.append(EncodedPicture("crop", number, frame, times[frame], box, crop[1], quality, *crop[0]))
    return tuple(made)


def _wanted_crops(
    tracks: Iterable[Track], files: dict[int, Path], size: tuple[int, int]
) -> dict[int, list[tuple[int, BoxXYXY, float]]]:
    """(track, box, quality) of the crops to cut from each frame: the best of each third of a track."""
    wanted: dict[int, list[tuple[int, BoxXYXY, float]]] = {}
    for track in tracks:
        at_hand = np.array([i for i, frame in enumerate(track.frames) if int(frame) in files], dtype=int)
        if not len(at_hand):
            continue
        quality = view_quality(track.boxes_xyxy_px, size)
        for part in np.array_split(at_hand, min(CROPS_PER_TRACK, len(at_hand))):
            best = int(part[np.argmax(quality[part])])
            x1, y1, x2, y2 = map(float, track.boxes_xyxy_px[best])
            row = (track.number, (x1, y1, x2, y2), float(quality[best]))
            wanted.setdefault(int(track.frames[best]), []).append(row)
    return wanted


def view_quality(boxes_xyxy_px: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """(N,) how good a view each box is: far from the border and large (the choice of the ChatVideo paper's code)."""
    x1, y1, x2, y2 = boxes_xyxy_px.T
    border = np.minimum.reduce([x1, y1, size[0] - x2, size[1] - y2])
    quality: NDArray[np.float64] = border + np.sqrt(np.maximum((x2 - x1) * (y2 - y1), 0))
    return quality


def _read(file: Path) -> PILImage.Image:
    try:
        with PILImage.open(file) as image:
            rgb: PILImage.Image = image.convert("RGB")
            return rgb
    except (OSError, PILImage.DecompressionBombError, SyntaxError, ValueError) as error:
        raise FormatError(
            f"{file}: not a readable picture ({error}); restore it or remove the picture folder"
        ) from error


def _encode(image: PILImage.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


def _crop(image: PILImage.Image, box: BoxXYXY) -> tuple[tuple[tuple[int, int], bytes], BoxXYXY] | None:
    """((size, jpeg), inner box), or `None` for a box outside the picture."""
    x1, y1, x2, y2 = box
    margin_x, margin_y = (x2 - x1) * _CONTEXT, (y2 - y1) * _CONTEXT
    left, top = max(0, int(np.floor(x1 - margin_x))), max(0, int(np.floor(y1 - margin_y)))
    right, bottom = min(image.width, int(np.ceil(x2 + margin_x))), min(image.height, int(np.ceil(y2 + margin_y)))
    if right - left < 2 or bottom - top < 2:
        return None
    scale = min(1.0, _CROP_PX / max(right - left, bottom - top))
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    cut = image.crop((left, top, right, bottom)).resize(size, PILImage.Resampling.LANCZOS)
    inner = tuple((v - origin) * scale for v, origin in zip(box, (left, top, left, top), strict=True))
    return (size, _encode(cut)), (inner[0], inner[1], inner[2], inner[3])


def _keyframe(image: PILImage.Image, frame: int, time_s: float) -> EncodedPicture:
    full = (0.0, 0.0, float(image.width), float(image.height))
    scale = min(1.0, _KEYFRAME_PX / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    jpeg = _encode(image.resize(size, PILImage.Resampling.LANCZOS) if scale < 1 else image)
    return EncodedPicture("keyframe", None, frame, time_s, full, None, 0.0, size, jpeg)


def picture_rows(video_id: int, ids: dict[int, int], pictures: Iterable[EncodedPicture]) -> list[Row]:
    """Rows of `base_pictures`; `ids` gives the tracklet id of a track number."""
    return [
        {
            "video_id": video_id,
            "tracklet_id": None if picture.number is None else ids[picture.number],
            "kind": picture.kind,
            "frame": picture.frame,
            "t": picture.time_s,
            **dict(zip(("x1", "y1", "x2", "y2"), picture.box_xyxy_px, strict=True)),
            "inner": None if picture.inner_xyxy is None else json.dumps(picture.inner_xyxy),
            "quality": picture.quality,
            "width": picture.size[0],
            "height": picture.size[1],
            "jpeg": picture.jpeg,
        }
        for picture in pictures
    ]
