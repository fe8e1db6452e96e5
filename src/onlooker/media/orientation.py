"""How stored pixels must be turned to stand upright: the display matrix that phones write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Quarter = Literal[0, 90, 180, 270]


@dataclass(frozen=True, slots=True)
class Orientation:
    """One of the eight ways to turn and mirror a picture: transpose first, then mirror.

    Attributes:
        transpose: rows become columns.
        mirror_x, mirror_y: left and right, top and bottom change places (after transposing).
    """

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @property
    def rotation_deg(self) -> Quarter:
        """Clockwise turn that makes the stored picture upright (what cameras call `rotate`), mirroring left aside."""
        if self.transpose:
            # Transpose and mirror_x is a clockwise quarter turn; transpose and mirror_y a counter-clockwise one.
            return 90 if self.mirror_x else 270
        return 180 if self.mirror_y else 0

    def size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) after turning."""
        return (height, width) if self.transpose else (width, height)

    def apply(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Turn (H, W) or (H, W, C) pixels; the result is contiguous."""
        if self.transpose:
            pixels = pixels.swapaxes(0, 1)
        if self.mirror_x:
            pixels = pixels[:, ::-1]
        if self.mirror_y:
            pixels = pixels[::-1]
        return np.ascontiguousarray(pixels)

    @classmethod
    def from_display_matrix(cls, matrix: bytes) -> Orientation:
        """Read nine native 32-bit integers (a b u, c d v, x y w): x' = a x + c y, y' = b x + d y.

        Turns that are no multiple of a quarter are taken as the nearest one, as players do.
        """
        if len(matrix) < 20:
            return cls()
        a, b, _, c, d = (int(v) for v in np.frombuffer(matrix[:20], np.int32))
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return cls(False, a < 0, d < 0)
        return cls(True, c < 0, b < 0)
