"""What a restoration is told as: how much was changed, where, which files say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from onlooker.media.marks import Mark

Kind = Literal["picture", "video"]
Mask = NDArray[np.bool_]
MOST_REGIONS = 100
"""Regions that are told, the largest first; scattered damage has thousands."""


@dataclass(frozen=True, slots=True)
class Region:
    """A connected part of what was filled in.

    Attributes:
        box_xyxy_px: around it, in pixels of the upright picture, right and lower edge exclusive.
        share: of the picture's pixels, in [0, 1].
    """

    box_xyxy_px: tuple[int, int, int, int]
    share: float


@dataclass(frozen=True, slots=True)
class Restoration:
    """What became of a file.

    Attributes:
        source: the file.
        kind: what it is.
        size: (width, height), upright.
        share: of the pixels that were filled in, in [0, 1]; of a video, over all frames.
        n_regions: connected parts.
        regions: the largest of them; of a video, of everything that was filled in at any time.
        n_frames, n_restored_frames: of a video; a picture is one frame.
        mark: what the restored file says of itself; `None` where nothing was found and nothing written.
        before: what the source said of itself, if it was restored or made by a network before.
        notes: what a reader must know.
        restored, mask, compare: the files that were written; `None` where nothing was found.
    """

    source: str
    kind: Kind
    size: tuple[int, int]
    share: float
    n_regions: int
    regions: tuple[Region, ...]
    n_frames: int
    n_restored_frames: int
    mark: Mark | None
    before: Mark | None
    notes: tuple[str, ...]
    restored: str | None
    mask: str | None
    compare: str | None

    @property
    def is_changed(self) -> bool:
        return self.restored is not None

    def to_dict(self) -> Mapping[str, object]:
        """As plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class OutputFiles:
    """Where results go: the restored file, the mask of what was filled in, input, mask and result side by side."""

    restored: Path
    mask: Path
    compare: Path


def regions_of(mask: Mask) -> tuple[int, tuple[Region, ...]]:
    """How many connected parts a mask (H, W) has (corners connect), and the largest, largest first."""
    count, _, found, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    rows = sorted((tuple(map(int, row)) for row in found[1:]), key=lambda row: (-row[4], row[:4]))
    regions = [
        Region((left, top, left + width, top + height), area / mask.size)
        for left, top, width, height, area in rows[:MOST_REGIONS]
    ]
    return count - 1, tuple(regions)


def with_history(mark: Mark, before: Mark | None) -> Mark:
    """`mark`, with what the source said before: a picture that was made by a network stays one, restored or not."""
    if before is None:
        return mark
    detail = f"{mark.detail}; before: {before.kind} by {before.by or 'a tool that gives no name'}"
    return Mark(before.kind, mark.by, f"{detail} ({before.detail})" if before.detail else detail)
