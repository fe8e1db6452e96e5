"""Who looks at a frame: one detector, whose answer the tracker of classes and the follower of boxes share."""

from __future__ import annotations

from collections.abc import Sequence

from onlooker.types import Detections, Frame, Image
from onlooker.video.protocols import Detector
from onlooker.video.tracklets.adaptive import DetectorSchedule
from onlooker.video.tracklets.config import SamplingConfig


class Overheard:
    """A detector whose latest answer can be read by others: two consumers of a frame pay for one look."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._image: Image | None = None
        self._found: Detections | None = None

    @property
    def name(self) -> str:
        return self._detector.name

    @property
    def version(self) -> str:
        return self._detector.version

    @property
    def categories(self) -> tuple[str, ...]:
        return self._detector.categories

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """As the detector; the answer for a single image is kept, and not computed twice in a row."""
        if len(images) != 1:
            return self._detector.detect(images)
        if self._found is None or images[0] is not self._image:
            (self._found,) = self._detector.detect(images)
            self._image = images[0]
        return [self._found]

    def heard(self, frame: Frame) -> Detections | None:
        """What was found on this very frame; `None` when nobody looked at it."""
        return self._found if self._image is not None and frame.image is self._image else None


class Looks:
    """Detections for the follower of boxes: those that the tracker asked for, or its own, at the same rate.

    Args:
        detector: `None` leaves the follower alone.
        tracker_looks: whether a tracker runs the same detector already and decides when.
        sampling: how often to look otherwise.
    """

    def __init__(self, detector: Overheard | None, tracker_looks: bool, sampling: SamplingConfig) -> None:
        self._detector = detector
        self._schedule = None if detector is None or tracker_looks else DetectorSchedule(sampling)
        self._grey_width = sampling.grey_width

    def at(self, frame: Frame, new_shot: bool) -> Detections | None:
        """What is known of a frame; call for every frame, after the tracker."""
        if self._detector is None:
            return None
        if self._schedule is not None and self._schedule.wants_run(
            frame.time_s, frame.grey(self._grey_width), new_shot
        ):
            return self._detector.detect([frame.image])[0]
        return self._detector.heard(frame)

    def surely_at(self, frame: Frame) -> Detections | None:
        """What the detector sees on a frame, looking now if nobody has."""
        return None if self._detector is None else self._detector.detect([frame.image])[0]
