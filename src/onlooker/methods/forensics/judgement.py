"""What a forensic method says about one picture: the value that every judge of this family returns.

A judge has `judge(images: Sequence[Image]) -> list[Judgement]`, one value per picture in the order given. It never says
"authentic": a low probability means that this detector found nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from onlooker.errors import ShapeError
from onlooker.types import FloatArray


@dataclass(frozen=True, slots=True)
class Judgement:
    """One picture, judged.

    Attributes:
        probability: that it was manipulated, in [0, 1].
        heat_map: (H, W) float32 in [0, 1] in the size of the picture, high where it looks manipulated; `None` where the
            method does not say where.
        kind: what kind of manipulation it looks like, for methods that tell kinds apart.
        notes: what a reader must know before believing the number ("no face was found").

    Raises:
        ShapeError: a probability outside [0, 1], or a heat map of another rank, type or range.
    """

    probability: float
    heat_map: FloatArray | None = None
    kind: str | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not math.isfinite(self.probability) or not 0.0 <= self.probability <= 1.0:
            raise ShapeError(f"a probability is in [0, 1], got {self.probability}")
        if self.heat_map is not None:
            _check_map(self.heat_map)


def _check_map(heat_map: FloatArray) -> None:
    if heat_map.ndim != 2 or 0 in heat_map.shape or heat_map.dtype != np.float32:
        raise ShapeError(f"a heat map is (H, W) float32, got {heat_map.dtype} of shape {heat_map.shape}")
    low, high = float(heat_map.min()), float(heat_map.max())  # NaN makes both NaN
    if not 0.0 <= low <= high <= 1.0:
        raise ShapeError(f"a heat map is in [0, 1], got values from {low} to {high}")
