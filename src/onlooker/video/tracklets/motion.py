"""The motion model of the tracklets: `onlooker.kalman`, which the methods use too."""

from __future__ import annotations

from onlooker.kalman import MotionModel, MotionState

__all__ = ["MotionModel", "MotionState"]
