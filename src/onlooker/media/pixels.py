"""Lazy pixels: one decoded libav frame becomes a `Frame` whose conversions are paid for only when asked."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import av
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter
from numpy.typing import NDArray

from onlooker.media.orientation import Orientation
from onlooker.types import Frame, Image

_UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED; PyAV's enumeration leaves it out


@dataclass(frozen=True, slots=True)
class PictureShape:
    """What every frame of one video is brought to: the first frame's stored size, and the turn that sets it upright.

    A stream may change its size midway. Later frames are then scaled to fit inside the first size, aspect kept, on
    black: boxes of one video share one coordinate system and nothing looks stretched.
    """

    stored_width: int
    stored_height: int
    orientation: Orientation
    _scaler: _Scaler = field(default_factory=lambda: _Scaler(), repr=False, compare=False)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) as seen."""
        return self.orientation.size(self.stored_width, self.stored_height)

    def lazy_frame(self, index: int, time_s: float, picture: av.VideoFrame) -> Frame:
        """A `Frame` that keeps `picture` (one libav buffer) alive until it is dropped itself."""
        return Frame(index, time_s, self.size, lambda: self._rgb(picture), lambda width: self._grey(picture, width))

    def _rgb(self, picture: av.VideoFrame) -> Image:
        pixels = self._convert(picture, "rgb24", self.stored_width, self.stored_height)
        return self.orientation.apply(pixels)

    def _grey(self, picture: av.VideoFrame, width: int) -> Image:
        # One step from the stored luma to the small picture: no RGB, no full-size copy. Never enlarged.
        seen_width = self.size[0]
        scale = min(1.0, max(width, 1) / seen_width)
        stored_width = max(1, round(self.stored_width * scale))
        stored_height = max(1, round(self.stored_height * scale))
        return self.orientation.apply(self._convert(picture, "gray", stored_width, stored_height))

    def _convert(self, picture: av.VideoFrame, pixel_format: str, width: int, height: int) -> NDArray[np.uint8]:
        """(height, width[, 3]) pixels, letterboxed when `picture` has another aspect than the video's first frame."""
        if (picture.width, picture.height) == (self.stored_width, self.stored_height):
            return self._scaler.scaled(picture, pixel_format, width, height)
        fit = min(width / picture.width, height / picture.height)
        inner_width = min(width, max(1, round(picture.width * fit)))
        inner_height = min(height, max(1, round(picture.height * fit)))
        inner = self._scaler.scaled(picture, pixel_format, inner_width, inner_height)
        canvas = np.zeros((height, width, *inner.shape[2:]), np.uint8)
        top, left = (height - inner_height) // 2, (width - inner_width) // 2
        canvas[top : top + inner_height, left : left + inner_width] = inner
        return canvas


class _Scaler:
    """libswscale with its set-up kept: making a new one for every frame costs ten times the work itself.

    Frames of one video may be converted from several threads, a libswscale context may not; hence the lock.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reformatters: dict[tuple[str, int, int], VideoReformatter] = {}

    def scaled(self, picture: av.VideoFrame, pixel_format: str, width: int, height: int) -> NDArray[np.uint8]:
        """(height, width) or (height, width, 3) pixels; shrinking averages over areas."""
        with self._lock:
            key = (pixel_format, width, height)
            if key not in self._reformatters:
                self._reformatters[key] = VideoReformatter()
            small = self._reformatters[key].reformat(
                picture, width, height, pixel_format, src_colorspace=_colour_matrix(picture), interpolation="AREA"
            )
        return np.asarray(small.to_ndarray(), np.uint8)


def _colour_matrix(picture: av.VideoFrame) -> int | None:
    """What to assume for a stream that names no colour matrix: as every player, BT.709 from 720 lines up.

    `None` leaves it to libswscale: the matrix the stream names, else BT.601.
    """
    is_high_definition = min(picture.width, picture.height) >= 720
    return Colorspace.ITU709.value if is_high_definition and picture.colorspace == _UNSPECIFIED else None
