"""What the builders of this room hand out: a picture, what was done to it, where, and every number drawn on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ShapeError
from onlooker.types import Image

Mask = NDArray[np.bool_]
Split = Literal["train", "validation", "test"]
Kind = Literal["authentic", "splice", "copy_move", "removal", "self_blended", "face_swap", "reenactment", "corruption"]
Draws = dict[str, object]

KINDS: tuple[Kind, ...] = (
    "authentic",
    "splice",
    "copy_move",
    "removal",
    "self_blended",
    "face_swap",
    "reenactment",
    "corruption",
)
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class ForgedImage:
    """One picture as a detector meets it.

    Attributes:
        image: (H, W, 3) uint8, decoded from its final save.
        mask: (H, W), True where manipulated; of a copy-move the pasted region only.
        kind: what was done; "authentic" has an empty mask.
        source_ids: photos the pixels are from, the host first.
        provenance: every random draw by name; "final_jpeg" holds the bytes of the final save where it was a JPEG.
        original: (H, W, 3) uint8, what this very chain of saves makes of the untouched host. Equal to `image` for
            authentic pictures; `None` where there is none.
    """

    image: Image
    mask: Mask
    kind: str
    source_ids: tuple[str, ...]
    provenance: Mapping[str, object]
    original: Image | None = None

    def __post_init__(self) -> None:
        check_image(self.image)
        if self.mask.shape != self.image.shape[:2] or self.mask.dtype != np.bool_:
            raise ShapeError(f"expected a mask {self.image.shape[:2]} bool, got {self.mask.shape} {self.mask.dtype}")
        if self.original is not None and self.original.shape != self.image.shape:
            raise ShapeError(f"`original` has the shape {self.original.shape}, the image {self.image.shape}")
        if self.kind == "authentic" and self.mask.any():
            raise ShapeError("an authentic picture has an empty mask")

    @property
    def label(self) -> int:
        """1 = manipulated."""
        return int(self.kind != "authentic")

    @property
    def final_jpeg(self) -> bytes | None:
        """Bytes of the final save, for detectors that read compressed data."""
        found = self.provenance.get("final_jpeg")
        return found if isinstance(found, bytes) else None


def check_image(image: Image) -> None:
    """Raises ShapeError unless `image` is (H, W, 3) uint8 with pixels in it."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise ShapeError(f"expected an image (H, W, 3) uint8, got {image.shape} {image.dtype}")


@dataclass(frozen=True, eq=False)
class TileArrays:
    """Many items as arrays: `images` (N, H, W, 3) uint8, `masks` (N, H, W) bool, `labels` (N,) int64 (1 = manipulated),
    `kinds` (N,) of names, `hosts` (N,) of the host photo's id."""

    images: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    labels: NDArray[np.int64]
    kinds: tuple[str, ...]
    hosts: tuple[str, ...]


def stack_items(items: Sequence[ForgedImage]) -> TileArrays:
    """Items of one size as arrays, at least one."""
    if not items:
        raise ShapeError("nothing to stack")
    return TileArrays(
        np.stack([item.image for item in items]),
        np.stack([item.mask for item in items]),
        np.array([item.label for item in items], np.int64),
        tuple(item.kind for item in items),
        tuple(item.source_ids[0] for item in items),
    )
