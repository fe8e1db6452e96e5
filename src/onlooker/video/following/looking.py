"""Who looks at a frame: one detector, whose answer the tracker of classes and the follower of boxes share."""

from __future__ import annotations

from collections.abc import Sequence

from onlooker.types import Detections, Frame, Image
from onlooker.video.protocols import Detector


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

    def looked_at(self, frame: Frame) -> Detections:
        """What is on this frame, looking now if nobody has."""
        return self.detect([frame.image])[0]

    def heard(self, frame: Frame) -> Detections | None:
        """What was found on this very frame; `None` when nobody looked at it."""
        return self._found if self._image is not None and frame.image is self._image else None
