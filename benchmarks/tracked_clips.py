"""Real trackers on the clips with official questions: public detections linked, and pictures looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from asked_tracks import tracking_to_rows
from degraded_tracks import Rows, Scene
from onlooker.evaluation.baselines import link_boxes
from onlooker.models.bundled.efficientnet import EfficientNetLite
from onlooker.models.bundled.ssd_detector import SsdDetector
from onlooker.types import Detections, Frame, Image, TrackingResult
from onlooker.video.protocols import AppearanceEmbedder
from onlooker.video.tracklets import TrackletConfig, TrackletTracker, associate
from oracle import sequence_folder
from real_sequences import pictures
from tracking_common import DATA, kitti_detections, mot_detections
from tracking_speed_accuracy import RecordedDetector

LINK_SCORE = 0.5  # detections below are not linked by overlap alone
Tracker = Callable[[Sequence[Scene]], list[Rows]]


def public_detections(scene: Scene) -> list[Detections]:
    """The detections that come with a clip; of KITTI, cars and pedestrians."""
    pack, clip = scene.name.split("/")
    if pack == "kitti-tracking-boxes":
        root = DATA / pack
        kinds = [(root / f"pointrcnn_{name}_val" / f"{clip}.txt", name.lower()) for name in ("Car", "Pedestrian")]
        return [_both(a, b) for a, b in zip(*(kitti_detections(f, scene.n_frames, k) for f, k in kinds), strict=True)]
    folder = DATA / pack
    file = folder / "det" / f"{clip}.txt" if pack == "mot15-boxes" else folder / "train" / clip / "det" / "det.txt"
    return mot_detections(file, scene.n_frames, "person")


def bundled_on_public(scenes: Sequence[Scene]) -> list[Rows]:
    """The application's tracker on public detections, with its default settings."""
    made = []
    for scene in scenes:
        times = [t / scene.fps for t in range(scene.n_frames)]
        made.append(tracking_to_rows(associate(public_detections(scene), times, scene.size, TrackletConfig())))
    return made


def linked_public(scenes: Sequence[Scene]) -> list[Rows]:
    """Public detections linked by overlap with constant velocity."""
    return [linked(public_detections(scene)) for scene in scenes]


def linked(detections: Sequence[Detections]) -> Rows:
    """Sure detections linked by overlap; a track's category is the one most of its boxes have."""
    sure = [found.scores >= LINK_SCORE for found in detections]
    frames = link_boxes([f.boxes_xyxy_px[keep].astype(np.float64) for f, keep in zip(detections, sure, strict=True)])
    ids = np.concatenate([np.zeros(0, np.int64), *(frame.ids for frame in frames)])
    labels = [
        [n for n, kept in zip(f.labels, keep, strict=True) if kept] for f, keep in zip(detections, sure, strict=True)
    ]
    names = np.array([name for frame in labels for name in frame], np.str_)
    categories = names.copy()
    for number in np.unique(ids):
        own, counts = np.unique(names[ids == number], return_counts=True)
        categories[ids == number] = own[counts.argmax()]
    boxes = np.concatenate([np.zeros((0, 4)), *(frame.boxes_xyxy for frame in frames)])
    return Rows(np.repeat(np.arange(len(frames)), [len(f.ids) for f in frames]), ids, boxes, categories)


class LookedAt:
    """Trackers on the pictures of clips; the bundled detector looks at every picture once, for all of them."""

    def __init__(self) -> None:
        self._detector, self._embedder = SsdDetector(), EfficientNetLite(input_px=128)
        self._seen: dict[str, tuple[Sequence[Image], list[Detections]]] = {}

    def bundled(self, hz: float) -> Tracker:
        """The application's tracker, its detector at most so many times a second."""

        def track(scenes: Sequence[Scene]) -> list[Rows]:
            config = TrackletConfig().at_detector_hz(hz)
            return [tracking_to_rows(self._track(scene, config, self._embedder)) for scene in scenes]

        return track

    def linked(self, scenes: Sequence[Scene]) -> list[Rows]:
        """Detections on every picture linked by overlap with constant velocity."""
        return [linked(self._look(scene)[1]) for scene in scenes]

    def _look(self, scene: Scene) -> tuple[Sequence[Image], list[Detections]]:
        if scene.name not in self._seen:
            images = pictures(sorted((sequence_folder(scene.name, DATA) / "img1").glob("*.jpg")))
            self._seen[scene.name] = images, [self._detector.detect([image])[0] for image in images]
        return self._seen[scene.name]

    def _track(self, scene: Scene, config: TrackletConfig, embedder: AppearanceEmbedder) -> TrackingResult:
        images, found = self._look(scene)
        detector = RecordedDetector(found)
        tracker = TrackletTracker(detector, embedder, config)
        for number, image in enumerate(images):
            detector.position = number
            tracker.update(Frame.from_image(number, number / scene.fps, image), new_shot=number == 0)
        return tracker.finish()


def _both(a: Detections, b: Detections) -> Detections:
    return Detections(
        np.concatenate([a.boxes_xyxy_px, b.boxes_xyxy_px]), np.concatenate([a.scores, b.scores]), a.labels + b.labels
    )
