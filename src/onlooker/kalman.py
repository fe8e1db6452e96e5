"""Kalman filter on box centre and size for many tracks at once, with true time steps.

The four coordinates (centre x, centre y, width, height) are filtered independently, each with a position and a speed,
so that the covariance of one track is four symmetric 2x2 matrices kept as (4, 3) numbers and everything is a few array
operations whatever the number of tracks. Frames have no fixed rate: every step takes the elapsed seconds. An unseen
object's speed decays, since extrapolating a walker for two seconds at full speed is worse than a shorter step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ConfigError

Array = NDArray[np.float64]
_PP, _PV, _VV = 0, 1, 2


@dataclass(frozen=True, slots=True)
class MotionConfig:
    """The motion model. Lengths are in units of the object's own size (square root of its area), times in seconds.

    Attributes:
        start_speed: standard deviation of the speed of an object seen once, in sizes per second.
        acceleration: strength of the random change of speed, in sizes per second per square root of a second.
        size_change: the same for width and height, as a share of `acceleration`.
        measurement: standard deviation of a detected box edge, in sizes.
        speed_memory_s: an unseen object's speed decays with this time constant.
    """

    start_speed: float = 2.0
    acceleration: float = 3.0
    size_change: float = 0.5
    measurement: float = 0.1
    speed_memory_s: float = 4.0

    def __post_init__(self) -> None:
        for name in ("start_speed", "acceleration", "size_change", "measurement", "speed_memory_s"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"`{name}` must be positive, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class MotionState:
    """State of N tracks. `position` and `speed` (N, 4) in px and px/s; `covariance` (N, 4, 3) as (pp, pv, vv)."""

    position: Array
    speed: Array
    covariance: Array

    def __len__(self) -> int:
        return len(self.position)

    def select(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> MotionState:
        """The state of some tracks, in the given order."""
        return MotionState(self.position[rows], self.speed[rows], self.covariance[rows])

    def with_rows(self, rows: NDArray[np.intp], other: MotionState) -> MotionState:
        """These tracks, with those at `rows` taken from `other`."""
        position, speed, covariance = self.position.copy(), self.speed.copy(), self.covariance.copy()
        position[rows], speed[rows], covariance[rows] = other.position, other.speed, other.covariance
        return MotionState(position, speed, covariance)

    def join(self, other: MotionState) -> MotionState:
        """These tracks followed by those of `other`."""
        return MotionState(
            np.concatenate([self.position, other.position]),
            np.concatenate([self.speed, other.speed]),
            np.concatenate([self.covariance, other.covariance]),
        )


class MotionModel:
    """The equations; holds settings only, the state is passed in and a new one returned."""

    def __init__(self, config: MotionConfig) -> None:
        self._config = config
        self._kind = np.array([1.0, 1.0, config.size_change, config.size_change])

    def start(self, boxes_cxcywh: Array) -> MotionState:
        """State of objects seen once: (N, 4) centre form. The speed is unknown, zero on average."""
        unit = self._unit(boxes_cxcywh)
        covariance = np.zeros((len(boxes_cxcywh), 4, 3))
        covariance[..., _PP] = (self._config.measurement * unit) ** 2
        covariance[..., _VV] = (self._config.start_speed * unit * self._kind) ** 2
        return MotionState(np.array(boxes_cxcywh, np.float64), np.zeros((len(boxes_cxcywh), 4)), covariance)

    def predict(self, state: MotionState, elapsed_s: Array | float) -> MotionState:
        """The state `elapsed_s` later; a scalar or (N,) seconds, not negative."""
        tau = self._config.speed_memory_s
        step = np.broadcast_to(np.asarray(elapsed_s, np.float64), (len(state),))[:, None]
        decay = np.exp(-step / tau)
        reach = tau * (1 - decay)
        noise = (self._config.acceleration * self._unit(state.position) * self._kind) ** 2
        pp, pv, vv = (state.covariance[..., i] for i in (_PP, _PV, _VV))
        covariance = np.stack(
            [
                pp + 2 * reach * pv + reach**2 * vv + noise * step**3 / 3,
                decay * (pv + reach * vv) + noise * step**2 / 2,
                decay**2 * vv + noise * step,
            ],
            axis=2,
        )
        return MotionState(state.position + reach * state.speed, decay * state.speed, covariance)

    def correct(self, state: MotionState, boxes_cxcywh: Array, trust: Array | float = 1.0) -> MotionState:
        """The state after each track saw its box.

        Args:
            state: N predicted tracks.
            boxes_cxcywh: (N, 4).
            trust: scalar or (N,) in (0, 1]; the measurement noise is divided by it (weak detections are less exact).
        """
        noise = self._measurement_variance(state, trust)
        spread = state.covariance[..., _PP] + noise
        gain_p, gain_v = state.covariance[..., _PP] / spread, state.covariance[..., _PV] / spread
        residual = boxes_cxcywh - state.position
        pp, pv, vv = (state.covariance[..., i] for i in (_PP, _PV, _VV))
        covariance = np.stack([(1 - gain_p) * pp, (1 - gain_p) * pv, vv - gain_v * pv], axis=2)
        return MotionState(state.position + gain_p * residual, state.speed + gain_v * residual, covariance)

    def centre_distance(self, state: MotionState, boxes_cxcywh: Array) -> Array:
        """(N, M) squared Mahalanobis distance between predicted centres and the centres of M boxes (2 dimensions)."""
        spread = state.covariance[:, :2, _PP] + self._measurement_variance(state, 1.0)[:, :2]
        x, y = (
            np.subtract.outer(state.position[:, i], boxes_cxcywh[:, i]) ** 2 / np.maximum(spread[:, i : i + 1], 1e-9)
            for i in (0, 1)
        )
        distance: Array = x + y
        return distance

    def move(self, state: MotionState, shift_px: Array, log_zoom: Array, elapsed_s: float, error: float) -> MotionState:
        """The state after the picture itself showed how each object moved: a prediction that was measured.

        Args:
            state: N tracks.
            shift_px: (N, 2) measured motion of the centres.
            log_zoom: (N,) logarithm of the measured growth.
            elapsed_s: seconds this took, positive.
            error: standard deviation of the measured motion, in sizes.
        """
        position, speed, covariance = state.position.copy(), state.speed.copy(), state.covariance.copy()
        position[:, :2] += shift_px
        position[:, 2:] *= np.exp(log_zoom)[:, None]
        # The speed follows the measured one with a time constant of a quarter second, to ride over single bad steps.
        share = 1 - np.exp(-elapsed_s / 0.25)
        speed[:, :2] += share * (shift_px / elapsed_s - speed[:, :2])
        covariance[..., _PP] += (error * self._unit(position)) ** 2
        return MotionState(position, speed, covariance)

    def _measurement_variance(self, state: MotionState, trust: Array | float) -> Array:
        unit = self._unit(state.position) / np.broadcast_to(np.asarray(trust, np.float64), (len(state),))[:, None]
        variance: Array = np.broadcast_to((self._config.measurement * unit) ** 2, (len(state), 4)) + 0.25
        return variance

    @staticmethod
    def _unit(boxes_cxcywh: Array) -> Array:
        """(N, 1) square root of the area in px, at least 1 so that objects of one pixel have a scale."""
        sides = np.maximum(boxes_cxcywh[:, 2:4], 1.0)
        unit: Array = np.sqrt(sides[:, :1] * sides[:, 1:])
        return unit
