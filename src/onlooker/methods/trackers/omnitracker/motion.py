"""Where a followed object should be: the Kalman filter of `onlooker.kalman` for one box, and the gate on overlaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from onlooker.kalman import MotionConfig, MotionModel, MotionState

Array = NDArray[np.float64]
_MODEL = MotionModel(MotionConfig())


@dataclass(slots=True)
class BoxMotion:
    """The motion of one box.

    Attributes:
        box: (4,) xyxy in pixels, where it is believed to be.
        kind: "linear" keeps its speed, "still" stands.
    """

    box: Array
    kind: Literal["linear", "still"]
    _state: MotionState | None = None

    def predict(self, elapsed_s: float) -> Array:
        """Moves on by `elapsed_s` seconds, in place, and returns the box (4,)."""
        if self.kind == "linear":
            state = self._state if self._state is not None else _MODEL.start(_centre_form(self.box))
            self._state = _MODEL.predict(state, max(elapsed_s, 0.0))
            self.box = _corners(self._state.position[0])
        return self.box

    def correct(self, box: Array) -> None:
        """Takes a seen box (4,), in place."""
        if self.kind == "linear" and self._state is not None:
            self._state = _MODEL.correct(self._state, _centre_form(box))
        self.box = np.array(box, np.float64)

    def restart(self, box: Array) -> None:
        """Forgets all speed: after a cut, or when the frame's size changes."""
        self.box, self._state = np.array(box, np.float64), None


def box_overlaps(first: Array, second: Array) -> Array:
    """(N, M) intersection over union of (N, 4) and (M, 4) xyxy boxes; 0 where neither has an area."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0.0), axis=2)
    areas = [np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0), axis=1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    overlaps: Array = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlaps


def _centre_form(box: Array) -> Array:
    """(4,) xyxy to (1, 4) cxcywh."""
    return np.concatenate([(box[:2] + box[2:]) / 2, box[2:] - box[:2]])[None]


def _corners(box: Array) -> Array:
    """(4,) cxcywh to xyxy; a size that shrank below nothing is nothing."""
    half = np.maximum(box[2:], 0.0) / 2
    return np.concatenate([box[:2] - half, box[:2] + half])
