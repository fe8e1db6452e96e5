"""The contract of detectors: what they are given, what they say, and how they refuse.

A detector that does not apply says so with a reason instead of printing noise: rules about JPEG are void for a picture
that was never one, and for one that was resized since. No detector ever says "authentic"; the least it says is that it
found nothing.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage
from PIL import ImageOps, UnidentifiedImageError

from onlooker.errors import MediaError, ShapeError
from onlooker.methods.forensics.media_forensics.rules.blocks import StoredJpeg
from onlooker.types import FloatArray, Image

Mask = NDArray[np.bool_]
MOST_PIXELS = 64_000_000


class Need(StrEnum):
    """What a detector asks of a sample."""

    RGB = "rgb"
    JPEG = "jpeg"  # the very bytes of a JPEG whose pixels are judged
    METADATA = "metadata"
    FACE_BOX = "face_box"
    LANDMARKS = "landmarks"
    VIDEO = "video"


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture to be judged, or one frame of a video.

    Attributes:
        image: (H, W, 3) uint8 RGB, as stored; orientation applied.
        data: bytes of the file; `None` when the picture never was one.
        label: 1 manipulated, 0 not, `None` unknown.
        mask: (H, W) bool, True = manipulated.
        source_id, video_id: photo and video it is of, for splits and intervals.
        manipulation, split: names, where known.
        meta: what else is known.
        stored: luminance and table of the JPEG, where they are at hand already: a window of a JPEG has no bytes of its
            own, but begins at a corner of a block.
    """

    image: Image
    data: bytes | None = None
    label: int | None = None
    mask: Mask | None = None
    source_id: str = ""
    video_id: str | None = None
    manipulation: str | None = None
    split: str | None = None
    meta: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    stored: StoredJpeg | None = None

    def __post_init__(self) -> None:
        if self.stored is not None and self.stored.luma.shape != self.image.shape[:2]:
            raise ShapeError(f"expected luminance {self.image.shape[:2]}, got {self.stored.luma.shape}")
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8 or 0 in self.image.shape:
            raise ShapeError(f"expected an image (H, W, 3) uint8, got {self.image.shape} {self.image.dtype}")
        if self.mask is not None and (self.mask.shape != self.image.shape[:2] or self.mask.dtype != np.bool_):
            raise ShapeError(f"expected a mask {self.image.shape[:2]} of bool, got {self.mask.shape} {self.mask.dtype}")

    @cached_property
    def is_jpeg(self) -> bool:
        """`data` is a JPEG of this very size: its blocks are the picture's."""
        if self.stored is not None:
            return True
        if self.data is None or not self.data.startswith(b"\xff\xd8"):
            return False
        with PILImage.open(io.BytesIO(self.data)) as opened:
            return bool(opened.format in ("JPEG", "MPO") and opened.size == self.image.shape[1::-1])

    def lacks(self, need: Need) -> str | None:
        """Why a need is not met; `None` when it is."""
        if need is Need.JPEG and not self.is_jpeg:
            return "it reads traces of JPEG blocks, and this is no JPEG of the size it was saved in"
        if need is Need.METADATA and self.data is None:
            return "it reads the file, and only pixels are at hand"
        if need is Need.LANDMARKS and "landmarks" not in self.meta:
            return "it needs landmarks of a face, and none were given"
        if need is Need.FACE_BOX and "face_box_xyxy_px" not in self.meta:
            return "it needs the box of a face, and none was given"
        if need is Need.VIDEO and self.video_id is None:
            return "it looks at videos, and this is a still picture"
        return None


@dataclass(frozen=True, eq=False)
class Finding:
    """What a detector says: a score, a map, or both.

    Attributes:
        score: in [0, 1], higher is more suspicious. Not a probability before `calibration`.
        heat_map: (H, W) float32 in [0, 1], high where it is suspicious.
        evidence: one sentence for a reader: what was measured and found.
        values: the measured numbers behind it.
    """

    score: float | None
    heat_map: FloatArray | None
    evidence: str
    values: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if self.score is None and self.heat_map is None:
            raise ShapeError("a finding has a score or a map")
        if self.score is not None and not 0 <= self.score <= 1:
            raise ShapeError(f"a score is in [0, 1], got {self.score}")
        if self.heat_map is not None:
            low, high = float(self.heat_map.min()), float(self.heat_map.max())
            if self.heat_map.ndim != 2 or self.heat_map.dtype != np.float32 or not 0 <= low <= high <= 1:
                raise ShapeError(f"a heat map is (H, W) float32 in [0, 1], got {self.heat_map.shape} {low} to {high}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A detector that does not apply to a sample, and why."""

    reason: str


class Detector(Protocol):
    """Anything that looks for one kind of trace.

    `name` is its key in tables, `requires` what a sample must have, `known_failures` where it is known to be wrong.
    `inspect` may still refuse a sample that has all it requires (too small, too dark).
    """

    @property
    def name(self) -> str: ...

    @property
    def requires(self) -> frozenset[Need]: ...

    @property
    def known_failures(self) -> str: ...

    def inspect(self, sample: Sample) -> Finding | Refusal: ...


@runtime_checkable
class LooksTogether(Protocol):
    """A detector that is quicker with several samples than with one after the other, and needs no more than pixels."""

    def inspect_all(self, samples: Sequence[Sample]) -> list[Finding | Refusal]: ...


def inspect(detector: Detector, sample: Sample) -> Finding | Refusal:
    """What a detector says; a refusal when the sample lacks what it requires."""
    for need in sorted(detector.requires):
        reason = sample.lacks(need)
        if reason is not None:
            return Refusal(f"`{detector.name}` does not apply: {reason}")
    return detector.inspect(sample)


def open_sample(path: str | Path) -> Sample:
    """A picture file as a sample: any mode becomes RGB, 16 bits become 8, orientation is applied, of an animation the
    first frame is taken. A rotated JPEG loses its claim to be one: its blocks do not lie where they were.

    Raises:
        MediaError: missing, no picture, cut off, or more than 64 million pixels.
    """
    place = Path(path)
    try:
        data = place.read_bytes()
        with PILImage.open(io.BytesIO(data)) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise MediaError(f"`{place}` has {opened.width}x{opened.height} pixels, more than {MOST_PIXELS:,}")
            image = _to_rgb(ImageOps.exif_transpose(opened))
            orientation = opened.getexif().get(0x0112, 1)
    except (OSError, UnidentifiedImageError, PILImage.DecompressionBombError, SyntaxError) as error:
        raise MediaError(f"`{place}` is no picture that can be read: {error}") from error
    meta = {"orientation": orientation} if orientation != 1 else {}
    sample = Sample(image, data, source_id=place.name, meta=MappingProxyType(meta))
    return sample if orientation == 1 else Sample(image, None, source_id=place.name, meta=MappingProxyType(meta))


def _to_rgb(opened: PILImage.Image) -> Image:
    if opened.mode in ("I;16", "I;16B", "I", "F"):
        values = np.asarray(opened, np.float64)
        most = 65535.0 if opened.mode.startswith("I;16") or values.max() > 255 else 255.0
        grey = np.clip(values * (255.0 / most), 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    return np.array(opened.convert("RGB"))


def squash(value: float, half: float, steepness: float = 1.0) -> float:
    """A raw measurement to (0, 1): 0.5 at `half`, growing with it. For readability only; ranks do not change."""
    return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, steepness * (value - half)))))


def to_unit_map(values: NDArray[np.floating], low: float, high: float) -> FloatArray:
    """Values at or below `low` to 0, at or above `high` to 1. Fixed limits: a map of an untouched picture stays dark,
    which stretching each map to its own range would not do."""
    return np.asarray(np.clip((values - low) / (high - low), 0, 1), np.float32)
