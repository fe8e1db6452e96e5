"""Boxes of one object, a line per frame: OTB, LaSOT, TrackingNet, GOT-10k, VOT.

Four numbers are `x, y, width, height`, eight the corners of a polygon, of which the upright box around it counts.
Separators may be commas, tabs, semicolons or blanks. A line of NaN, or a box without width or height, says that the
object is absent; LaSOT says so too in `full_occlusion.txt` and `out_of_view.txt`, GOT-10k in `absence.label`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import FormatError, NothingFoundError, ShapeError
from onlooker.formats.files import number_text, read_text, visible, write_text
from onlooker.formats.mot import LARGEST_PX, LEAST_SIDE

TRUTH_NAMES = ("groundtruth_rect.txt", "groundtruth.txt")
_ABSENCE_NAMES = ("full_occlusion.txt", "out_of_view.txt", "absence.label")
Origin = Literal[0, 1]


@dataclass(frozen=True, eq=False, slots=True)
class BoxTrack:
    """One object: `boxes_xyxy` (T, 4) float64, ends exclusive, and `visible` (T,); hidden rows are zeros."""

    boxes_xyxy: NDArray[np.float64]
    visible: NDArray[np.bool_]

    def __post_init__(self) -> None:
        n = len(self.visible)
        if self.boxes_xyxy.shape != (n, 4) or not np.isfinite(self.boxes_xyxy).all():
            raise ShapeError(f"expected ({n}, 4) finite boxes, got {self.boxes_xyxy.shape}")
        sizes = self.boxes_xyxy[self.visible]
        if (sizes[:, 2:] <= sizes[:, :2]).any():
            raise ShapeError("a box of a visible object has no width or no height")

    def __len__(self) -> int:
        return len(self.visible)


def read_boxes(file: Path, *, origin: Origin = 0) -> BoxTrack:
    """The boxes of a file; flags of absence in files beside it count.

    Args:
        origin: the number of the first pixel; 1 in files of MATLAB's time, such as OTB's.

    Raises:
        FormatError: something is malformed; the message names file and line.
    """
    boxes: list[tuple[float, float, float, float] | None] = []
    # Blank lines at the end are nothing; one before it would move all frames after it.
    for line, text in enumerate(read_text(file).rstrip().splitlines(), start=1):
        if not text.strip():
            raise FormatError(f"{file}:{line}: is blank; write NaN four times where the object is absent")
        boxes.append(_box(text, origin, f"{file}:{line}"))
    visible = np.array([box is not None for box in boxes], np.bool_)
    for name in _ABSENCE_NAMES:
        flags = file.with_name(name)
        if flags.is_file() and file.name in TRUTH_NAMES:
            visible &= ~_flags(flags, len(boxes))
    rows = [box if box is not None and seen else (0.0,) * 4 for box, seen in zip(boxes, visible, strict=True)]
    return BoxTrack(np.array(rows, np.float64).reshape(-1, 4), visible)


def write_boxes(file: Path, track: BoxTrack, *, origin: Origin = 0, separator: str = ",") -> Path:
    """Write `x, y, width, height` per frame; NaN four times where the object is absent.

    Sides are at least `LEAST_SIDE`: a box of nothing would be read as absence.
    """
    lines = []
    for (x1, y1, x2, y2), seen in zip(track.boxes_xyxy.tolist(), track.visible.tolist(), strict=True):
        sides = max(x2 - x1, LEAST_SIDE), max(y2 - y1, LEAST_SIDE)
        values = [number_text(v) for v in (x1 + origin, y1 + origin, *sides)] if seen else ["NaN"] * 4
        lines.append(separator.join(values) + "\n")
    return write_text(file, "".join(lines))


def sequence_files(root: Path) -> dict[str, Path]:
    """File of boxes by sequence: `SEQUENCE/groundtruth*.txt`, the same in folders of categories as LaSOT has them,
    `SEQUENCE.txt`, or `root` itself as a file or folder.

    Raises:
        NothingFoundError: there is none.
        FormatError: two categories have a sequence of one name.
    """
    if root.is_file():
        return {root.stem: root}
    if not root.is_dir():
        raise NothingFoundError(f"`{root}`: neither a file nor a folder")
    if (lone := _own_truth(root)) is not None:
        return {root.resolve().name: lone}
    found = {f.stem: f for f in visible(root.glob("*.txt"))} | _truths_below(root)
    for category in _folders(root):
        if _own_truth(category) is None:
            for name, file in _truths_below(category).items():
                if name in found:
                    raise FormatError(f"`{file.parent}`: `{found[name]}` is of a sequence `{name}`, too")
                found[name] = file
    if not found:
        raise NothingFoundError(f"`{root}`: holds neither `SEQUENCE.txt` nor `SEQUENCE/groundtruth.txt`")
    return found


def _folders(root: Path) -> list[Path]:
    return [folder for folder in visible(root.iterdir()) if folder.is_dir()]


def _own_truth(folder: Path) -> Path | None:
    return next((folder / name for name in TRUTH_NAMES if (folder / name).is_file()), None)


def _truths_below(root: Path) -> dict[str, Path]:
    return {folder.name: own for folder in _folders(root) if (own := _own_truth(folder)) is not None}


def _box(text: str, origin: Origin, where: str) -> tuple[float, float, float, float] | None:
    parts = [p for p in re.split(r"[,;\s]+", text.strip()) if p]
    try:
        values = [float(p) for p in parts]
    except ValueError as error:
        raise FormatError(f"{where}: {error}; expected numbers only") from error
    if any(map(math.isnan, values)):
        return None
    if len(values) not in (4, 8) or any(map(math.isinf, values)):
        raise FormatError(f"{where}: expected 4 finite numbers (x, y, w, h) or 8 (corners), got `{text.strip()[:60]}`")
    if len(values) == 8:
        x, y = values[0::2], values[1::2]
        box = min(x) - origin, min(y) - origin, max(x) - origin, max(y) - origin
    else:
        left, top = values[0] - origin, values[1] - origin
        box = left, top, left + values[2], top + values[3]
    if max(map(abs, values)) > LARGEST_PX:
        raise FormatError(f"{where}: the box `{text.strip()[:60]}` is too large; pixels go up to {LARGEST_PX:g}")
    return box if box[2] > box[0] and box[3] > box[1] else None


def _flags(file: Path, n_frames: int) -> NDArray[np.bool_]:
    parts = [p for p in re.split(r"[,;\s]+", read_text(file).strip()) if p]
    if len(parts) != n_frames or set(parts) - {"0", "1"}:
        raise FormatError(f"{file}: expected {n_frames} flags of 0 or 1, one per frame, got {len(parts)}")
    return np.array([p == "1" for p in parts], np.bool_)
