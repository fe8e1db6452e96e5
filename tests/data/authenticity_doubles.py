"""Pictures, clips and public doubles of judges for tests of verdicts."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image as Pil

from onlooker.methods.forensics.media_forensics.combining import Combination, Curve, Measured, Tail
from onlooker.methods.forensics.media_forensics.rule_judge import RuleJudge
from onlooker.types import Detections, Image, Judgement
from onlooker.video.authenticity.pictures import Tools


def scene(height: int = 160, width: int = 224, seed: int = 0) -> Image:
    """A noisy picture with soft shapes, as a camera might see them."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    soft = [128 + 60 * np.sin(rows / (11 + 3 * k)) + 40 * np.cos(columns / (17 + 5 * k)) for k in range(3)]
    noise = rng.normal(0, 6, (height, width, 3))
    return np.clip(np.stack(soft, axis=-1) + noise, 0, 255).astype(np.uint8)


def jpeg(image: Image, quality: int = 90, **options: object) -> bytes:
    buffer = io.BytesIO()
    Pil.fromarray(image).save(buffer, "JPEG", quality=quality, **options)
    return buffer.getvalue()


def combination(**changes: object) -> Combination:
    """Double quantisation alone decides, a score above a half is suspected. Written by hand: 4 * score - 2."""
    tail = Tail(tuple(np.linspace(-2.0, 0.0, 21).tolist()), -0.2, 0.1, 0.3)
    values: dict[str, object] = {
        "rules": ("double_quantisation", "copy_move_keypoints"),
        "typical": (0.0, 0.0),
        "mean": (0.0, 0.0),
        "spread": (1.0, 1.0),
        "weights": (4.0, 2.0),
        "bias": -2.0,
        "tail": tail,
        "curve": Curve(1.0, 0.0),
        "alone": {"double_quantisation": Curve(4.0, -2.0)},
        "threshold": 0.5,
        "stated_false_alarms": 0.05,
        "useful": True,
        "tested_on": "nothing: a test wrote it",
        "fingerprint": "none",
        "test": Measured(0.8, 0.7, 0.9, 0.02, 0.05, 0.4, {"splice": 0.4}, 10, 10, 4),
    }
    return Combination(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def rules() -> RuleJudge:
    """Real rules under a combination a test can reckon with."""
    used = combination()
    return RuleJudge({"jpeg": used, "pixels": used, "video": used})


@pytest.fixture(scope="session")
def deaf_rules() -> RuleJudge:
    """Real rules whose combination was of no use in its test."""
    used = combination(useful=False)
    return RuleJudge({"jpeg": used, "pixels": used, "video": used})


@pytest.fixture
def tools(rules: RuleJudge) -> Tools:
    return Tools(rules)


@dataclass
class BrightnessJudge:
    """Says that bright pictures were manipulated: probability = mean brightness / 255."""

    need: str = "crop"
    smallest_px: int = 0
    tested_on: str | None = None
    threshold: float | None = None
    false_alarm_rate: float | None = None
    tested_kinds: tuple[str, ...] | None = None
    name: str = "brightness"
    version: str = "1"
    sizes: list[tuple[int, ...]] = field(default_factory=list)

    def judge(self, images: Sequence[Image]) -> list[Judgement]:
        self.sizes += [image.shape for image in images]
        return [
            Judgement(
                float(image.mean()) / 255, np.full(image.shape[:2], image.mean() / 255, np.float32), None, ("bright",)
            )
            for image in images
        ]


@dataclass
class FixedFaces:
    """Finds the faces it was told."""

    boxes: Sequence[tuple[float, float, float, float]]
    name: str = "fixed"
    version: str = "1"

    def find(self, images: Sequence[Image]) -> list[Detections]:
        n = len(self.boxes)
        rows = np.array(self.boxes, np.float32).reshape(-1, 4)
        return [Detections(rows, np.ones(n, np.float32), ("face",) * n) for _ in images]


WriteClip = Callable[..., Path]


@pytest.fixture
def write_clip(tmp_path: Path) -> WriteClip:
    """Writes frames as an mp4; `times` in ticks of 1/100 s, one per frame."""

    def write(
        frames: Sequence[Image], name: str = "clip.mp4", times: Sequence[int] | None = None, **options: str
    ) -> Path:
        path = tmp_path / name
        settings = {"crf": "20", "preset": "veryfast", "bf": "0", **options}
        with av.open(str(path), "w") as out:
            stream = out.add_stream("libx264", rate=25, options=settings)
            stream.height, stream.width = frames[0].shape[:2]
            stream.pix_fmt = "yuv420p"
            stream.thread_count = 1
            stream.codec_context.time_base = Fraction(1, 100)
            for k, image in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
                frame.pts = 4 * k if times is None else times[k]
                frame.time_base = Fraction(1, 100)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        return path

    return write


def moving(n: int, height: int = 96, width: int = 128, seed: int = 0) -> list[Image]:
    """A square that walks over a still scene, a little noise in every frame."""
    ground = scene(height, width, seed)
    rng = np.random.default_rng(seed + 1)
    frames = []
    for k in range(n):
        frame = ground.astype(np.int16) + rng.integers(-3, 4, ground.shape)
        frame[30:50, (3 * k) % (width - 20) : (3 * k) % (width - 20) + 20] = 230
        frames.append(np.clip(frame, 0, 255).astype(np.uint8))
    return frames
