"""Pictures kept from the one decode: crops of tracklets and keyframes, as JPEG rows of `base_pictures`.

Annotators read these instead of decoding the video again.
"""

from __future__ import annotations

import io
import json

import numpy as np

from onlooker.types import Crop, Image

JPEG_QUALITY = 88


def to_jpeg(image: Image, quality: int = JPEG_QUALITY) -> bytes:
    """JPEG of an (H, W, 3) uint8 RGB image."""
    from PIL import Image as Pillow

    buffer = io.BytesIO()
    Pillow.fromarray(np.ascontiguousarray(image)).save(buffer, format="JPEG", quality=quality)
    return buffer.getvalue()


def picture_row(video_id: int, tracklet_id: int, crop: Crop) -> dict[str, object]:
    """The `base_pictures` row of a crop."""
    x1, y1, x2, y2 = (float(v) for v in crop.box_xyxy_px)
    return {
        "video_id": video_id,
        "tracklet_id": tracklet_id,
        "kind": "crop",
        "frame": crop.frame,
        "t": crop.time_s,
        "x1": x1,
        "y1": y1,
        "x2": x2,
        "y2": y2,
        "inner": json.dumps([round(float(v), 2) for v in crop.inner_xyxy]),
        "quality": float(crop.quality),
        "width": crop.image.shape[1],
        "height": crop.image.shape[0],
        "jpeg": to_jpeg(crop.image),
    }
