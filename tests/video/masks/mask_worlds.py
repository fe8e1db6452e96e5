"""Doubles for masks: coloured blocks on grey, a segmenter that knows colours, a tracker that says what it was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onlooker.synth.clips import make_clip
from onlooker.types import BoxXYXY, Frame, Image, TrackingResult, Tracklet
from onlooker.video.attributes.registry import ModelHandle
from onlooker.video.ingest.pipeline import Toolbox
from onlooker.video.masks.config import MaskConfig
from onlooker.video.masks.stage import MaskStage

Mask = NDArray[np.bool_]
FPS = 10.0
SIZE = (160, 96)  # (width, height)
COLOURS = {1: (220, 30, 30), 2: (30, 60, 220), 3: (30, 200, 60), 4: (230, 210, 40), 5: (200, 40, 200)}
GREY = 90


def picture(boxes: Mapping[int, BoxXYXY], size: tuple[int, int] = SIZE) -> Image:
    """Blocks of the objects' colours on grey."""
    image = np.full((size[1], size[0], 3), GREY, np.uint8)
    for number, (x1, y1, x2, y2) in boxes.items():
        image[max(0, int(y1)) : int(y2), max(0, int(x1)) : int(x2)] = COLOURS[number]
    return image


class ColourSession:
    """Remembers the colour in the middle of each prompt; an object is wherever that colour is."""

    def __init__(self, log: list[tuple[object, ...]], image: Image, prompts: Mapping[int, BoxXYXY]) -> None:
        self._log, self._image = log, image
        self._colours: dict[int, np.ndarray] = {}
        self._learn(prompts)

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(self._colours)

    @property
    def masks(self) -> dict[int, Mask]:
        return {n: np.abs(self._image.astype(int) - c).max(axis=2) < 60 for n, c in self._colours.items()}

    def step(self, frame: Image) -> dict[int, Mask]:
        self._log.append(("step", *self._colours))
        self._image = frame
        return self.masks

    def add(self, prompts: Mapping[int, BoxXYXY]) -> dict[int, Mask]:
        assert not set(prompts) & set(self._colours)
        self._log.append(("add", *prompts))
        self._learn(prompts)
        return self.masks

    def remove(self, number: int) -> None:
        self._log.append(("remove", number))
        del self._colours[number]

    def cut(self) -> None:
        self._log.append(("cut",))

    def _learn(self, prompts: Mapping[int, BoxXYXY]) -> None:
        for number, (x1, y1, x2, y2) in prompts.items():
            self._colours[number] = self._image[int((y1 + y2) / 2), int((x1 + x2) / 2)].astype(int)


class SleepingSession(ColourSession):
    """Its masks stay where the objects were shown."""

    @property
    def masks(self) -> dict[int, Mask]:
        return {number: self._shown[number] for number in self._colours}

    def _learn(self, prompts: Mapping[int, BoxXYXY]) -> None:
        super()._learn(prompts)
        self._shown = {**getattr(self, "_shown", {}), **{n: super(SleepingSession, self).masks[n] for n in prompts}}


class ColourSegmenter:
    """Every call is written down in `log`."""

    name = "colour"

    def __init__(self, version: str = "1", session: type[ColourSession] = ColourSession) -> None:
        self.version, self._session = version, session
        self.log: list[tuple[object, ...]] = []

    def start(self, frame: Image, prompts: Mapping[int, BoxXYXY]) -> ColourSession:
        self.log.append(("start", *prompts))
        return self._session(self.log, frame, prompts)


class ScriptedTracker:
    """Gives back tracklets made beforehand: frame -> box by number."""

    name, version = "scripted", "1"

    def __init__(self, tracks: Mapping[int, Mapping[int, BoxXYXY]], carried: Sequence[int] = ()) -> None:
        self._tracks, self._carried = tracks, set(carried)
        self.times: dict[int, float] = {}

    def update(self, frame: Frame, new_shot: bool) -> None:
        self.times[frame.index] = frame.time_s

    def finish(self) -> TrackingResult:
        return TrackingResult(tuple(self._tracklet(n, boxes) for n, boxes in self._tracks.items()), (), {}, 0)

    def _tracklet(self, number: int, boxes: Mapping[int, BoxXYXY]) -> Tracklet:
        frames = sorted(boxes)
        return Tracklet(
            number=number,
            category="person" if number % 2 else "car",
            category_score=0.9,
            frames=np.array(frames, np.int64),
            times_s=np.array([self.times[frame] for frame in frames]),
            boxes_xyxy_px=np.array([boxes[frame] for frame in frames], np.float32),
            scores=np.full(len(frames), 0.9, np.float32),
            detected=np.array([frame not in self._carried for frame in frames]),
        )


def two_tracks(n_frames: int = 12) -> dict[int, dict[int, BoxXYXY]]:
    """1 glides to the right all along, 2 stands still and is there from frame 3 to 8."""
    one = {f: (10.0 + 4 * f, 20.0, 40.0 + 4 * f, 60.0) for f in range(n_frames)}
    two = dict.fromkeys(range(3, min(9, n_frames)), (110.0, 66.0, 150.0, 90.0))
    return {1: one, 2: two}


def clip_of(tracks: Mapping[int, Mapping[int, BoxXYXY]], path: Path, n_frames: int = 12) -> Path:
    """A clip in which the objects are where `tracks` say."""
    pictures = [picture({n: boxes[f] for n, boxes in tracks.items() if f in boxes}) for f in range(n_frames)]
    return make_clip(path, pictures, [f / FPS for f in range(n_frames)])


def mask_stage(segmenter: object, config: MaskConfig | None = None) -> MaskStage:
    name = f"{segmenter.name}@{segmenter.version}"  # type: ignore[attr-defined]
    return MaskStage(ModelHandle("segmenter", name, lambda: segmenter), config or MaskConfig())  # type: ignore[arg-type, return-value]


def toolbox(tracks: Mapping[int, Mapping[int, BoxXYXY]], stage: MaskStage | None, *annotators: object) -> Toolbox:
    return Toolbox("scripted@1", "none@1", lambda: ScriptedTracker(tracks), annotators, masks=stage)  # type: ignore[arg-type]
