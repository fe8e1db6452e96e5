"""Small drawn worlds for following: a speckled thing on a speckled ground, and a detector that finds what is red."""

from collections.abc import Sequence

import numpy as np
from PIL import Image as Pil

from onlooker.types import Detections, Frame

SIZE = (200, 140)  # width, height
STEP_S = 0.04


def speckled(seed, width, height, grain=5, level=(40, 215)):
    """(height, width, 3) uint8: soft blots, the same for the same seed."""
    coarse = np.random.default_rng(seed).integers(*level, (max(2, height // grain), max(2, width // grain), 3))
    return np.asarray(Pil.fromarray(coarse.astype(np.uint8)).resize((width, height), Pil.Resampling.BICUBIC))


GROUND = speckled(1, *SIZE, grain=12, level=(90, 160))
THING = speckled(2, 36, 28, level=(30, 180))  # nothing in it is as red as what the detector finds


def picture(places, size=SIZE):
    """The ground with `{corner (x, y): patch}` on it, cut at the border."""
    image = GROUND.copy() if size == SIZE else speckled(1, *size, grain=12, level=(90, 160))
    for (x, y), patch in places.items():
        left, top = max(x, 0), max(y, 0)
        right, bottom = min(x + patch.shape[1], size[0]), min(y + patch.shape[0], size[1])
        if right > left and bottom > top:
            image[top:bottom, left:right] = patch[top - y : bottom - y, left - x : right - x]
    return image


def frame_of(index, image):
    return Frame.from_image(index, index * STEP_S, image)


def overlap(first, second):
    """Intersection over union of two boxes, worked out anew."""
    wide = min(first[2], second[2]) - max(first[0], second[0])
    high = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(wide, 0) * max(high, 0)
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (first, second)]
    return shared / (sum(areas) - shared)


class RedDetector:
    """Finds the box around all red pixels and calls it what it is told to; counts the pictures it was shown."""

    name, version = "red", "1"
    categories = ("person", "car", "dog")

    def __init__(self, label="person"):
        self.label, self.n_looks = label, 0

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        self.n_looks += len(images)
        return [self._one(image.astype(int)) for image in images]

    def _one(self, image) -> Detections:
        red = (image[..., 0] > 200) & (image[..., 1] < 90) & (image[..., 2] < 90)
        rows, columns = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
        if not len(rows):
            return Detections.empty()
        box = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        return Detections(np.array([box], np.float32), np.array([0.9], np.float32), (self.label,))
