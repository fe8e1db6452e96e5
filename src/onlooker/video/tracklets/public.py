"""Tracking without pictures: detections that somebody else made, tracklets out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onlooker.errors import ShapeError
from onlooker.types import Detections, TrackingResult
from onlooker.video.tracklets.assemble import assemble
from onlooker.video.tracklets.association import Associator
from onlooker.video.tracklets.config import TrackletConfig
from onlooker.video.tracklets.paths import Clock


def associate(
    detections_per_frame: Sequence[Detections],
    times_s: Sequence[float],
    frame_size: tuple[int, int],
    config: TrackletConfig | None = None,
) -> TrackingResult:
    """Tracklets of one shot from its detections.

    Args:
        detections_per_frame: one value per frame, frame index = position; empty ones count as "looked and saw nothing".
        times_s: presentation time of each frame, increasing.
        frame_size: (width, height) in px; boxes are cut to it.
        config: settings; the defaults when `None`.

    Returns:
        Tracklets numbered in order of appearance, uncertain links, no crops.

    Raises:
        ShapeError: if the lengths differ or times do not increase.
    """
    clock_s = np.asarray(times_s, np.float64)
    if len(clock_s) != len(detections_per_frame):
        raise ShapeError(
            f"expected one time per frame, got {len(clock_s)} times for {len(detections_per_frame)} frames"
        )
    if np.any(np.diff(clock_s) <= 0):
        raise ShapeError("frame times must increase strictly")
    settings = config or TrackletConfig()
    associator = Associator(settings)
    for time_s, detections in zip(clock_s, detections_per_frame, strict=True):
        associator.step(float(time_s), detections)
    clock = Clock(np.arange(len(clock_s), dtype=np.int64), clock_s, clock_s, clock_s, frame_size)
    result = assemble(associator.finish(), [clock], settings)
    return TrackingResult(result.tracklets, result.links, {}, len(clock_s))
