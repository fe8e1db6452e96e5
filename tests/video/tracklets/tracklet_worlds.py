"""Small worlds with known truth for the tracker's tests: textured squares that move over a textured ground."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from onlooker.types import Detections, FloatArray, Frame, Image

WIDTH, HEIGHT = 320, 180


def detections(rows: Sequence[tuple[float, float, float, float, float, str]]) -> Detections:
    """Rows (x1, y1, x2, y2, score, label)."""
    boxes = np.array([r[:4] for r in rows], np.float32).reshape(-1, 4)
    return Detections(boxes, np.array([r[4] for r in rows], np.float32), tuple(r[5] for r in rows))


class World:
    """A ground of noise and squares of noise whose left upper corner is a function of time."""

    def __init__(self, corners: Sequence[Callable[[float], tuple[float, float] | None]], side: int = 30) -> None:
        rng = np.random.default_rng(7)
        # Coarse noise: texture that survives shrinking to the small grey picture.
        self.ground = np.kron(rng.integers(0, 90, (HEIGHT // 10, WIDTH // 10)), np.ones((10, 10))).astype(np.uint8)
        self.skins = [
            np.kron(rng.integers(120, 255, (side // 5, side // 5)), np.ones((5, 5))).astype(np.uint8) for _ in corners
        ]
        self.corners, self.side = corners, side

    def boxes(self, time_s: float) -> list[tuple[float, float, float, float] | None]:
        found = [corner(time_s) for corner in self.corners]
        return [
            None if at is None else (*map(round, at), round(at[0]) + self.side, round(at[1]) + self.side)
            for at in found
        ]

    def image(self, time_s: float) -> Image:
        picture = self.ground.copy()
        for box, skin in zip(self.boxes(time_s), self.skins, strict=True):
            if box is None:
                continue
            x1, y1, x2, y2 = (int(v) for v in box)
            left, top, right, bottom = max(x1, 0), max(y1, 0), min(x2, WIDTH), min(y2, HEIGHT)
            if right > left and bottom > top:
                picture[top:bottom, left:right] = skin[top - y1 : bottom - y1, left - x1 : right - x1]
        return np.repeat(picture[..., None], 3, axis=2)

    def frame(self, index: int, time_s: float) -> Frame:
        return Frame.from_image(index, time_s, self.image(time_s))


class TruthDetector:
    """A detector that knows the world; `blind` times see nothing."""

    name, version, categories = "truth", "1", ("thing",)

    def __init__(self, world: World, blind: Callable[[float], bool] = lambda _: False) -> None:
        self.world, self.blind, self.time_s, self.n_runs = world, blind, 0.0, 0

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        self.n_runs += len(images)
        if self.blind(self.time_s):
            return [Detections.empty() for _ in images]
        seen = [b for b in self.world.boxes(self.time_s) if b is not None]
        inside = [b for b in seen if b[0] < WIDTH and b[2] > 0]
        return [detections([(*b, 0.9, "thing") for b in inside]) for _ in images]


class ColourEmbedder:
    """Appearance as the brightness of 25 parts of the middle of a crop, where the object is."""

    name, version, dim = "parts", "1", 25

    def embed_images(self, images: Sequence[Image]) -> FloatArray:
        rows = []
        for image in images:
            border = image.shape[0] // 12
            luma = image[border : image.shape[0] - border, border : image.shape[1] - border, 0].astype(np.float32)
            parts = [part.mean() for strip in np.array_split(luma, 5) for part in np.array_split(strip, 5, axis=1)]
            vector = np.array(parts) - luma.mean()
            rows.append(vector / max(float(np.linalg.norm(vector)), 1e-6))
        return np.array(rows, np.float32)
