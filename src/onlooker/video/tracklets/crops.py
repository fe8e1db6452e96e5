"""The best views of every object, cut out while the frame is at hand, so that no frame is ever decoded twice.

Views are held as JPEG, since a long video has thousands of them, and are unpacked one object at a time. Memory is
bounded twice: a few views per object, and a budget for all of them; over the budget, objects first lose their weaker
views, then all views lose resolution, and at last the objects that are seen worst lose theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from onlooker.media.images import from_jpeg, to_jpeg
from onlooker.types import BoxXYXY, Crop, Frame, Image
from onlooker.video.tracklets.config import CropConfig

Array = NDArray[np.float64]

# Ours: beyond these a view does not become better: a box of 1/20 of the frame, and this mean gradient of grey levels.
_LARGE_SHARE = 0.05
_SHARP_GRADIENT = 12.0
_TOUCHES_PX = 2.0


_JPEG_QUALITY = 90  # as in the library, which stores these bytes as they are
_SMALLEST_SIDE_PX = 48  # below this a view tells nothing any more (ours)


@dataclass(frozen=True, slots=True)
class PackedCrop:
    """A `Crop` whose picture is held as JPEG; `longest_px` is the longer side of that picture."""

    frame: int
    time_s: float
    box_xyxy_px: BoxXYXY
    inner_xyxy: BoxXYXY
    jpeg: bytes
    longest_px: int
    quality: float

    @classmethod
    def pack(cls, crop: Crop) -> PackedCrop:
        """The crop with its picture compressed."""
        jpeg = to_jpeg(np.ascontiguousarray(crop.image), _JPEG_QUALITY)
        longest = max(crop.image.shape[:2])
        return cls(crop.frame, crop.time_s, crop.box_xyxy_px, crop.inner_xyxy, jpeg, longest, crop.quality)

    @property
    def image(self) -> Image:
        """(h, w, 3) uint8 RGB, unpacked anew at every call."""
        return from_jpeg(self.jpeg)

    def unpack(self) -> Crop:
        """The crop with its picture as pixels."""
        return Crop(self.frame, self.time_s, self.box_xyxy_px, self.inner_xyxy, self.image, self.quality, self.jpeg)


class PackedCrops(Mapping[int, tuple[Crop, ...]]):
    """Views by tracklet number, best first; those of one tracklet are unpacked when they are asked for."""

    def __init__(self, packed: Mapping[int, Sequence[PackedCrop]]) -> None:
        self._packed = dict(packed)

    def __getitem__(self, number: int) -> tuple[Crop, ...]:
        return tuple(crop.unpack() for crop in self._packed[number])

    def __iter__(self) -> Iterator[int]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


class CropKeeper:
    """Keeps the best views of each object, by the uid of its track."""

    def __init__(self, config: CropConfig) -> None:
        self._config = config
        self._kept: dict[int, list[PackedCrop]] = {}
        self._bytes = 0

    @property
    def held_bytes(self) -> int:
        """Size of all kept pictures in memory."""
        return self._bytes

    def offer(self, uid: int, frame: Frame, box_xyxy: Array, score: float) -> None:
        """Look at one detected box (4,) and keep its picture if it is among the best of its object."""
        if self._config.per_tracklet == 0:
            return
        bound = _view_quality(box_xyxy, score, (frame.width, frame.height))
        kept = self._kept.setdefault(uid, [])
        rival = _rival(kept, frame.time_s, self._config)
        if bound <= 0 or (rival is not None and bound <= rival.quality):
            return
        crop = _cut(frame, box_xyxy, bound, self._config)
        if crop is None or (rival is not None and crop.quality <= rival.quality):
            return
        if rival is not None:
            kept.remove(rival)
            self._bytes -= len(rival.jpeg)
        packed = PackedCrop.pack(crop)
        kept.append(packed)
        self._bytes += len(packed.jpeg)
        while self._bytes > self._config.budget_mb * 1e6:
            self._shrink()

    def best(self, uid: int) -> tuple[PackedCrop, ...]:
        """Views of one track, best first."""
        return tuple(sorted(self._kept.get(uid, ()), key=_best_first))

    def collect(self, number_of: Mapping[int, int]) -> PackedCrops:
        """Best views per tracklet number; `number_of` maps uids, several of which may share a number."""
        gathered: dict[int, list[PackedCrop]] = {}
        for uid, number in number_of.items():
            gathered.setdefault(number, []).extend(self._kept.get(uid, ()))
        return PackedCrops(
            {
                number: sorted(crops, key=_best_first)[: self._config.per_tracklet]
                for number, crops in sorted(gathered.items())
                if crops
            }
        )

    def _shrink(self) -> None:
        everything = [crop for crops in self._kept.values() for crop in crops]
        most = max(len(crops) for crops in self._kept.values())
        if most > 1:
            self._kept = {uid: sorted(crops, key=_best_first)[: most - 1] for uid, crops in self._kept.items()}
        elif any(crop.longest_px >= 2 * _SMALLEST_SIDE_PX for crop in everything):
            self._kept = {uid: [_halved(crop) for crop in crops] for uid, crops in self._kept.items()}
        else:
            weak = sorted(crop.quality for crop in everything)[(len(everything) - 1) // 2]
            self._kept = {uid: [c for c in crops if c.quality > weak] for uid, crops in self._kept.items()}
        self._bytes = sum(len(c.jpeg) for crops in self._kept.values() for c in crops)


def _best_first(crop: PackedCrop) -> tuple[float, int]:
    return -crop.quality, crop.frame


def _rival(kept: Sequence[PackedCrop], time_s: float, config: CropConfig) -> PackedCrop | None:
    """The view that a new one must beat: one near in time, else the worst when all places are taken."""
    near = [c for c in kept if abs(c.time_s - time_s) < config.minimum_apart_s]
    if near:
        return min(near, key=lambda c: c.quality)
    if len(kept) >= config.per_tracklet:
        return min(kept, key=lambda c: c.quality)
    return None


def _view_quality(box: Array, score: float, size: tuple[int, int]) -> float:
    """Quality in [0, 1] as far as it is known without looking at pixels."""
    width, height = size
    share = max(box[2] - box[0], 0) * max(box[3] - box[1], 0) / (width * height)
    if share <= 0:
        return 0.0
    border = min(box[0], box[1], width - box[2], height - box[3])
    whole = 1.0 if border > _TOUCHES_PX else 0.5
    return float(score * whole * min(share / _LARGE_SHARE, 1.0) ** 0.5)


def _cut(frame: Frame, box: Array, bound: float, config: CropConfig) -> Crop | None:
    border = config.context * (box[2:] - box[:2])
    left, top = np.floor(np.maximum(box[:2] - border, 0)).astype(int)
    right, bottom = np.ceil(np.minimum(box[2:] + border, (frame.width, frame.height))).astype(int)
    if right <= left or bottom <= top:
        return None
    view = frame.image[top:bottom, left:right]
    image = shrink_image(view, config.longest_side_px)
    scale = np.array([image.shape[1] / view.shape[1], image.shape[0] / view.shape[0]] * 2)
    inner = (np.clip(box, [left, top] * 2, [right, bottom] * 2) - np.array([left, top] * 2)) * scale
    quality = bound * (0.5 + 0.5 * min(_mean_gradient(image) / _SHARP_GRADIENT, 1.0))
    return Crop(frame.index, frame.time_s, _four(box), _four(inner), image, quality)


def shrink_image(image: Image, longest_side_px: int) -> Image:
    """A copy whose longer side is at most `longest_side_px`: block means, then the nearest pixel."""
    factor = max(image.shape[:2]) // longest_side_px
    if factor > 1:
        height, width = (side // factor * factor for side in image.shape[:2])
        if min(height, width) > 0:
            blocks = image[:height, :width].reshape(height // factor, factor, width // factor, factor, 3)
            image = blocks.mean(axis=(1, 3)).astype(np.uint8)
    longest = max(image.shape[:2])
    if longest <= longest_side_px:
        return image.copy()
    sides = [max(1, round(side * longest_side_px / longest)) for side in image.shape[:2]]
    rows, columns = (((np.arange(n) + 0.5) * side / n).astype(int) for n, side in zip(sides, image.shape, strict=False))
    small: Image = image[rows[:, None], columns[None, :]]
    return small


def _mean_gradient(image: Image) -> float:
    luma = image[..., 1].astype(np.float32)
    if min(luma.shape) < 2:
        return 0.0
    return float(np.abs(np.diff(luma, axis=0)).mean() + np.abs(np.diff(luma, axis=1)).mean())


def _halved(packed: PackedCrop) -> PackedCrop:
    if packed.longest_px < 2 * _SMALLEST_SIDE_PX:
        return packed
    crop = packed.unpack()
    image = shrink_image(crop.image, packed.longest_px // 2)
    scale = (image.shape[1] / crop.image.shape[1], image.shape[0] / crop.image.shape[0])
    inner = np.array(crop.inner_xyxy) * np.array(scale * 2)
    return PackedCrop.pack(replace(crop, image=image, inner_xyxy=_four(inner)))


def _four(values: Array) -> BoxXYXY:
    a, b, c, d = (float(v) for v in values)
    return a, b, c, d
