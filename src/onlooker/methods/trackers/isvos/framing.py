"""Pictures of any size into the network and its maps back: made smaller, then padded evenly to multiples of 32."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from onlooker.errors import ShapeError
from onlooker.methods.trackers.isvos.config import STRIDE
from onlooker.methods.trackers.isvos.data import normalise
from onlooker.types import Image


@dataclass(frozen=True)
class Framing:
    """How a picture lies inside the network's input.

    Attributes:
        height, width: of the picture inside, in pixels.
        left, right, top, bottom: padding around it.
    """

    height: int
    width: int
    left: int
    right: int
    top: int
    bottom: int

    @classmethod
    def fit(cls, size: tuple[int, int], short_side: int) -> Framing:
        """For pictures of (height, width); a short side above `short_side` pixels is brought down to it."""
        scale = min(1.0, short_side / min(size))
        height, width = (max(1, round(side * scale)) for side in size)
        wide, high = -width % STRIDE, -height % STRIDE
        return cls(height, width, wide // 2, wide - wide // 2, high // 2, high - high // 2)

    def picture_to_input(self, image: Image) -> Tensor:
        """(H, W, 3) uint8 RGB of any size to (1, 3, h, w), normalised."""
        return self._padded(self._resized(normalise(image)[None]))

    def masks_to_input(self, masks: Tensor) -> Tensor:
        """(K, H, W) in [0, 1] of any size to (1, K, h, w); area is kept, so that one pixel leaves a trace."""
        if masks.shape[0] == 0:
            return masks.new_zeros(1, 0, *self.input_size)
        return self._padded(self._resized(masks[None]))

    @property
    def input_size(self) -> tuple[int, int]:
        """(h, w) of the network's input."""
        return self.height + self.top + self.bottom, self.width + self.left + self.right

    def maps_to_picture(self, maps: Tensor, size: tuple[int, int]) -> Iterator[Tensor]:
        """(K, h, w) of the network's input size, one by one as (H, W) of a picture: a large picture with many objects
        would not fit into memory at once."""
        inside = maps[:, self.top : self.top + self.height, self.left : self.left + self.width]
        for one in inside:
            larger = F.interpolate(one[None, None], size, mode="bilinear", align_corners=False)
            yield larger[0, 0]

    def place_to_input(self, x: float, y: float, size: tuple[int, int]) -> tuple[float, float]:
        """A place of a picture of (height, width) in pixels of the network's input."""
        return x * self.width / size[1] + self.left, y * self.height / size[0] + self.top

    def _resized(self, x: Tensor) -> Tensor:
        if x.shape[-2:] == (self.height, self.width):
            return x
        return F.interpolate(x, (self.height, self.width), mode="bilinear", align_corners=False, antialias=True)

    def _padded(self, x: Tensor) -> Tensor:
        return F.pad(x, (self.left, self.right, self.top, self.bottom))


def checked_frame(frame: Image) -> Image:
    """The frame, if it is one.

    Raises:
        ShapeError: not RGB uint8 (H, W, 3), or without pixels.
    """
    array = np.asarray(frame)
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8 or 0 in array.shape:
        raise ShapeError(
            f"a frame is RGB uint8 (H, W, 3), got {array.dtype} {array.shape}; drop an alpha channel, "
            "repeat a grey picture three times"
        )
    return array


def labels_of(maps: Iterator[Tensor]) -> Tensor:
    """(H, W) int64 places of the largest of several (H, W) maps, the first of equals."""
    best = next(maps)
    found = torch.zeros(best.shape, dtype=torch.int64, device=best.device)
    for place, candidate in enumerate(maps, start=1):
        larger = candidate > best
        found[larger] = place
        best = torch.where(larger, candidate, best)
    return found
