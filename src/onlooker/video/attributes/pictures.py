"""Pictures kept from the one decode: crops of tracklets and keyframes, as JPEG rows of `base_pictures`.

Annotators read these instead of decoding the video again. While decoding, `KeyframeKeeper` decides which frames are
worth keeping and holds them as JPEG bytes only, so that memory is bounded for a video of any length.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image as Pillow
from sqlalchemy import Connection, delete, insert, select

from onlooker.errors import ConfigError
from onlooker.media.images import from_jpeg, to_jpeg
from onlooker.types import BoxXYXY, Crop, Frame, Image
from onlooker.video.store import schema
from onlooker.video.store.store import Store

PictureKind = Literal["crop", "keyframe"]

CROP_JPEG_QUALITY = 90
KEYFRAME_JPEG_QUALITY = 85
KEYFRAME_MAX_SIDE_PX = 1280
_GREY_WIDTH = 160
_CHANGED_BY = 20  # grey levels: above sensor noise and codec ringing (ours)
_CHANGED_SHARE = 0.005  # of the pixels: a line of text coming up changes more (ours)
_SHORT_SHOT_S = 0.5  # a cut this soon after the last kept frame is left out (ours)


@dataclass(frozen=True, slots=True)
class Picture:
    """A kept picture. `inner_xyxy` is the tracklet's box inside `image`, for crops only."""

    id: int
    tracklet_id: int | None
    frame: int
    time_s: float
    box_xyxy_px: BoxXYXY
    inner_xyxy: BoxXYXY | None
    quality: float
    image: Image


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A frame kept as JPEG. `frame_size` is (width, height) of the video, `size` that of the picture."""

    frame: int
    time_s: float
    frame_size: tuple[int, int]
    size: tuple[int, int]
    quality: float
    jpeg: bytes


class KeyframeKeeper:
    """Decides during the one decode which frames are kept.

    A frame is kept when at least `interval_s` has passed since the last kept one and the grey picture differs from
    that one, or when a shot begins. Above `limit` frames every second one is dropped and the interval doubles, so that
    what is kept stays spread over the whole video.

    Args:
        interval_s: least time between two kept frames of one shot.
        limit: most frames kept.
        max_side_px: longer side of a kept picture.
    """

    def __init__(self, interval_s: float = 2.0, limit: int = 600, max_side_px: int = KEYFRAME_MAX_SIDE_PX) -> None:
        if not (interval_s > 0 and limit >= 2 and max_side_px >= 16):
            raise ConfigError(
                "keyframes need `interval_s` > 0, `limit` >= 2 and `max_side_px` >= 16, got "
                f"{interval_s}, {limit}, {max_side_px}"
            )
        self._interval_s, self._limit, self._max_side_px = interval_s, limit, max_side_px
        self._kept: list[Keyframe] = []
        self._last_grey: Image | None = None
        self._shot_is_due = False

    def update(self, frame: Frame, new_shot: bool) -> None:
        """Look at the next frame; pixels are converted only when it is kept."""
        self._shot_is_due = self._shot_is_due or new_shot
        if not self._is_due(frame):
            return
        grey = frame.grey(_GREY_WIDTH)
        if not self._shot_is_due and self._last_grey is not None and not _differs(grey, self._last_grey):
            return
        self._last_grey, self._shot_is_due = grey, False
        self._kept.append(_keyframe(frame, grey, self._max_side_px))
        if len(self._kept) > self._limit:
            self._kept = self._kept[::2]
            self._interval_s *= 2

    def finish(self) -> tuple[Keyframe, ...]:
        """All kept frames in time order."""
        return tuple(self._kept)

    def _is_due(self, frame: Frame) -> bool:
        if not self._kept:
            return True
        passed = frame.time_s - self._kept[-1].time_s
        # Cuts may come faster than the interval, but a long film thinned out many times must not fill up with them.
        soon = min(_SHORT_SHOT_S * self._interval_s / 2.0, self._interval_s)
        return passed >= (soon if self._shot_is_due else self._interval_s)


def _differs(a: Image, b: Image) -> bool:
    if a.shape != b.shape:  # the stream changed its size
        return True
    return float(np.mean(np.abs(a.astype(np.int16) - b.astype(np.int16)) > _CHANGED_BY)) > _CHANGED_SHARE


def _keyframe(frame: Frame, grey: Image, max_side_px: int) -> Keyframe:
    image = frame.image
    scale = max_side_px / max(image.shape[:2])
    if scale < 1:
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        image = np.asarray(Pillow.fromarray(image).resize(size, Pillow.Resampling.BILINEAR, reducing_gap=2.0))
    # Mean grey gradient: sharp frames above blurred ones. 32 levels a pixel is as sharp as pictures get (ours).
    sharpness = float(np.abs(np.diff(grey.astype(np.int16), axis=1)).mean()) / 32 if grey.shape[1] > 1 else 0.0
    jpeg = to_jpeg(np.ascontiguousarray(image), KEYFRAME_JPEG_QUALITY)
    size = (image.shape[1], image.shape[0])
    return Keyframe(frame.index, frame.time_s, (frame.width, frame.height), size, min(1.0, sharpness), jpeg)


def save_keyframes(connection: Connection, video_id: int, keyframes: Sequence[Keyframe]) -> None:
    """Replace the keyframes of a video, in the caller's transaction."""
    pictures = schema.PICTURES.c
    connection.execute(delete(schema.PICTURES).where(pictures.video_id == video_id, pictures.kind == "keyframe"))
    rows = [_keyframe_row(video_id, keyframe) for keyframe in keyframes]
    if rows:
        connection.execute(insert(schema.PICTURES), rows)


def _keyframe_row(video_id: int, keyframe: Keyframe) -> dict[str, object]:
    width, height = keyframe.frame_size
    return {
        "video_id": video_id,
        "tracklet_id": None,
        "kind": "keyframe",
        "frame": keyframe.frame,
        "t": keyframe.time_s,
        "x1": 0.0,
        "y1": 0.0,
        "x2": float(width),
        "y2": float(height),
        "inner": None,
        "quality": keyframe.quality,
        "width": keyframe.size[0],
        "height": keyframe.size[1],
        "jpeg": keyframe.jpeg,
    }


def crop_row(video_id: int, tracklet_id: int, crop: Crop) -> dict[str, object]:
    """The `base_pictures` row of a crop."""
    x1, y1, x2, y2 = (float(v) for v in crop.box_xyxy_px)
    # Bytes at hand are stored as they are: a picture compressed twice is a worse picture.
    jpeg = crop.jpeg or to_jpeg(np.ascontiguousarray(crop.image), CROP_JPEG_QUALITY)
    return {
        "video_id": video_id,
        "tracklet_id": tracklet_id,
        "kind": "crop",
        "frame": int(crop.frame),
        "t": float(crop.time_s),
        "x1": x1,
        "y1": y1,
        "x2": x2,
        "y2": y2,
        "inner": json.dumps([round(float(v), 2) for v in crop.inner_xyxy]),
        "quality": float(crop.quality),
        "width": crop.image.shape[1],
        "height": crop.image.shape[0],
        "jpeg": jpeg,
    }


def count_pictures(store: Store, video_id: int, kind: PictureKind, per_tracklet: int | None = None) -> int:
    """How many pictures of a kind are kept of a video; of crops at most `per_tracklet` count, where that is given."""
    return len(_picture_ids(store, video_id, kind, per_tracklet))


def load_pictures(
    store: Store, video_id: int, kind: PictureKind, batch: int = 32, per_tracklet: int | None = None
) -> Iterator[list[Picture]]:
    """Pictures of a video in batches: crops by tracklet, best first; keyframes in time order.

    Only one batch is held decoded. A picture deleted meanwhile is left out.

    Args:
        batch: most pictures a batch; at least 1.
        per_tracklet: most crops of one tracklet, the best ones; all when `None`.
    """
    ids = _picture_ids(store, video_id, kind, per_tracklet)
    for start in range(0, len(ids), batch):
        wanted = ids[start : start + batch]
        with store.read() as connection:
            rows = connection.execute(select(schema.PICTURES).where(schema.PICTURES.c.id.in_(wanted))).mappings().all()
        by_id = {row["id"]: row for row in rows}
        yield [_picture(by_id[key]) for key in wanted if key in by_id]


def load_crops(store: Store, video_id: int, batch: int = 32) -> Iterator[tuple[int, list[Picture]]]:
    """(tracklet id, its crops, best first), read in batches and never splitting a tracklet."""
    current: list[Picture] = []
    for pictures in load_pictures(store, video_id, "crop", batch):
        for picture in pictures:
            if current and picture.tracklet_id != current[0].tracklet_id:
                yield _owner(current[0]), current
                current = []
            current.append(picture)
    if current:
        yield _owner(current[0]), current


def _owner(picture: Picture) -> int:
    assert picture.tracklet_id is not None  # only crops with a tracklet are listed
    return picture.tracklet_id


def _picture_ids(store: Store, video_id: int, kind: PictureKind, per_tracklet: int | None = None) -> list[int]:
    pictures = schema.PICTURES.c
    query = select(pictures.id, pictures.tracklet_id).where(pictures.video_id == video_id, pictures.kind == kind)
    if kind == "crop":
        query = query.where(pictures.tracklet_id.is_not(None))
        query = query.order_by(pictures.tracklet_id, pictures.quality.desc(), pictures.t)
    else:
        query = query.order_by(pictures.t)
    with store.read() as connection:
        rows = connection.execute(query).all()
    if kind != "crop" or per_tracklet is None:
        return [row[0] for row in rows]
    owned = itertools.groupby(rows, key=lambda row: row[1])
    return [row[0] for _, own in owned for row in itertools.islice(own, per_tracklet)]


def _picture(row: object) -> Picture:
    values = dict(row)  # type: ignore[call-overload]
    inner = json.loads(values["inner"]) if values["inner"] else None
    return Picture(
        id=values["id"],
        tracklet_id=values["tracklet_id"],
        frame=values["frame"],
        time_s=values["t"],
        box_xyxy_px=(values["x1"], values["y1"], values["x2"], values["y2"]),
        inner_xyxy=None if inner is None else (inner[0], inner[1], inner[2], inner[3]),
        quality=values["quality"],
        image=from_jpeg(values["jpeg"]),
    )
