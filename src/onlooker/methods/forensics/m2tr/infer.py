"""`M2trJudge`: face crops or whole frames in, probability of a forgery and a heat map out."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from onlooker.configs import config_from_dict, real_number
from onlooker.errors import ConfigError, NothingFoundError, ShapeError, UnknownNameError, WeightsError
from onlooker.methods.forensics.m2tr.augment import resize_picture
from onlooker.methods.forensics.m2tr.config import CONFIGS, M2trConfig
from onlooker.methods.forensics.m2tr.data import to_pixels
from onlooker.methods.forensics.m2tr.model import M2tr, M2trOutput, fake_probability
from onlooker.methods.forensics.m2tr.task import CALIBRATION_FILE
from onlooker.methods.forensics.m2tr.weights import key_map
from onlooker.nn.device import check_device
from onlooker.types import BoxXYXY, FloatArray, Image, Judgement
from onlooker.weights.load import load_weights, locate_weights

FindFaces = Callable[[Image], Sequence[BoxXYXY]]
"""A picture to boxes of faces in its pixels; the application brings one."""

_MARGIN = 1.3  # a face's box is enlarged by so much before it is judged (DeepfakeBench's crops)
_SMALL_PX = 64  # below, what a forgery leaves is gone after enlarging (ours)
_AT_ONCE = 16

NOT_CALIBRATED = "the probability is not calibrated: no calibration lies beside these weights"
NO_FACE = "no face was found: the whole picture was judged, outside what the detector learned from"
SMALL = f"the face is smaller than {_SMALL_PX} px: the number says little"


@dataclass(frozen=True)
class Calibration:
    """What a training run measured beside its weights.

    Attributes:
        temperature: logits are divided by it.
        threshold: probability from which validation pictures are best called fake.
        tested_on: the data the detector was measured on, in words; `None` where nobody said.
    """

    temperature: float = 1.0
    threshold: float = 0.5
    tested_on: str | None = None

    def __post_init__(self) -> None:
        real_number("temperature", self.temperature, 1e-3, 1e3)
        real_number("threshold", self.threshold, 0.0, 1.0)


@dataclass(frozen=True)
class TrackJudgement:
    """One face through a video.

    Attributes:
        mean: of the frames' probabilities; the verdict, as benchmarks of whole videos take it.
        highest: of them; for forgeries that are there for a moment.
        frames: one per picture.
    """

    mean: float
    highest: float
    frames: tuple[Judgement, ...]


class M2trJudge:
    """Says how likely faces were forged.

    Args:
        weights: a folder of ours, a file in our or the official layout, or a hub name.
        config: name of a configuration or the configuration; left out, the one stored beside the weights, or "paper".
        find_faces: given, pictures are whole frames and every face found is judged; left out, a picture is one face.
        calibration: left out, the one beside the weights, where there is one.
        device: where it runs.

    Raises:
        ConfigError: the configuration or device cannot be used.
        WeightsError: weights or calibration are missing, damaged, or do not fit.
    """

    name = "m2tr"
    version = "1"

    def __init__(
        self,
        weights: str | Path,
        config: str | M2trConfig | None = None,
        find_faces: FindFaces | None = None,
        calibration: Calibration | None = None,
        device: str = "cpu",
    ) -> None:
        check_device(device)
        found = locate_weights(weights)
        chosen = _chosen_config(config, found.config)
        network = M2tr(chosen)
        load_weights(network, found, key_map(chosen))
        stored = calibration or _read_calibration(found.path.parent / CALIBRATION_FILE)
        self._set_up(network.to(device), find_faces, stored)

    @classmethod
    def from_network(
        cls, network: M2tr, find_faces: FindFaces | None = None, calibration: Calibration | None = None
    ) -> M2trJudge:
        """The same around a network that is at hand; its tensors are shared."""
        made = cls.__new__(cls)
        made._set_up(network, find_faces, calibration)
        return made

    @property
    def config(self) -> M2trConfig:
        """Of the network."""
        return self._network.config

    @property
    def calibration(self) -> Calibration | None:
        """What probabilities are calibrated with."""
        return self._calibration

    def judge(self, images: Sequence[Image]) -> list[Judgement]:
        """One judgement per picture.

        With `find_faces`, the probability is that of the likeliest forgery among the faces of a frame and the heat map
        covers all of them; a frame without a face is judged whole and says so.

        Args:
            images: RGB uint8 (H, W, 3), of any size; none gives an empty list. `onlooker.media.images.read_picture`
                makes them of grey, CMYK, 16-bit and rotated files.

        Raises:
            ShapeError: not such pictures.
        """
        pictures = [_checked(image, f"picture {place}") for place, image in enumerate(images)]
        if self._find_faces is None:
            return self._judge_crops(pictures)
        return [self._judge_frame(picture, self._find_faces(picture)) for picture in pictures]

    def judge_faces(self, image: Image, boxes_xyxy_px: Sequence[BoxXYXY]) -> list[Judgement]:
        """One judgement per box of a frame, heat maps in the size of the frame: for faces that are tracked already.

        Raises:
            ShapeError: no such picture, or a box that does not touch it.
        """
        picture = _checked(image, "the frame")
        windows = [_window(box, picture.shape[0], picture.shape[1]) for box in boxes_xyxy_px]
        crops = [picture[top:bottom, left:right] for left, top, right, bottom in windows]
        return [
            _into_frame(judged, window, picture.shape[0], picture.shape[1])
            for judged, window in zip(self._judge_crops(crops), windows, strict=True)
        ]

    def judge_track(self, images: Sequence[Image]) -> TrackJudgement:
        """One face through a video, a picture per frame that was looked at.

        Raises:
            NothingFoundError: no picture.
            ShapeError: as `judge`.
        """
        if len(images) == 0:
            raise NothingFoundError("a track needs a picture at least, got none")
        frames = tuple(self.judge(images))
        probabilities = [frame.probability for frame in frames]
        return TrackJudgement(math.fsum(probabilities) / len(frames), max(probabilities), frames)

    def _set_up(self, network: M2tr, find_faces: FindFaces | None, calibration: Calibration | None) -> None:
        self._network = network.eval()
        self._find_faces, self._calibration = find_faces, calibration
        self._temperature = 1.0 if calibration is None else calibration.temperature

    def _judge_frame(self, picture: Image, boxes: Sequence[BoxXYXY]) -> Judgement:
        if len(boxes) == 0:
            whole = self._judge_crops([picture])[0]
            return Judgement(whole.probability, whole.heat_map, whole.kind, (*whole.notes, NO_FACE))
        faces = self.judge_faces(picture, boxes)
        likeliest = max(faces, key=lambda face: face.probability)
        maps = [face.heat_map for face in faces if face.heat_map is not None]
        notes = likeliest.notes if len(faces) == 1 else (*likeliest.notes, f"{len(faces)} faces were judged")
        return Judgement(likeliest.probability, np.maximum.reduce(maps) if maps else None, likeliest.kind, notes)

    def _judge_crops(self, crops: Sequence[Image]) -> list[Judgement]:
        device = next(self._network.parameters()).device
        judged: list[Judgement] = []
        for start in range(0, len(crops), _AT_ONCE):
            part = crops[start : start + _AT_ONCE]
            batch = torch.stack([to_pixels(resize_picture(crop, self.config.image_size), self.config) for crop in part])
            with torch.inference_mode():
                output: M2trOutput = self._network(batch.to(device))
            judged += [self._judgement(output, row, crop) for row, crop in enumerate(part)]
        return judged

    def _judgement(self, output: M2trOutput, row: int, crop: Image) -> Judgement:
        notes = [] if self._calibration is not None else [NOT_CALIBRATED]
        if min(crop.shape[:2]) < _SMALL_PX:
            notes.append(SMALL)
        heat_map: FloatArray | None = None
        if output.mask_logits is not None:
            found = output.mask_logits[row, 0].float().sigmoid().cpu().numpy()
            heat_map = _resized_map(found, crop.shape[0], crop.shape[1])
        probability = float(fake_probability(output.logits[row : row + 1], self._temperature).item())
        return Judgement(probability, heat_map, None, tuple(notes))


def _chosen_config(config: str | M2trConfig | None, stored: Mapping[str, object] | None) -> M2trConfig:
    if isinstance(config, M2trConfig):
        return config
    if config is None:
        return CONFIGS["paper"] if stored is None else config_from_dict(M2trConfig, stored)
    if config not in CONFIGS:
        raise UnknownNameError("configuration of `m2tr`", config, CONFIGS)
    return CONFIGS[config]


def _read_calibration(path: Path) -> Calibration | None:
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ConfigError(f"expected named values, got `{content!r:.40}`")
        wanted = {name: content[name] for name in ("temperature", "threshold", "tested_on") if name in content}
        return config_from_dict(Calibration, wanted)
    except (OSError, ValueError) as error:  # ConfigError is a ValueError
        raise WeightsError(f"the calibration `{path}` cannot be used: {error}; delete it to go without") from error


def _checked(image: Image, what: str) -> Image:
    array = np.asarray(image)
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8 or 0 in array.shape:
        raise ShapeError(
            f"{what} must be RGB uint8 of shape (H, W, 3) with pixels in it, got {array.dtype} of shape {array.shape}; "
            "`onlooker.media.images.read_picture` reads any picture file so"
        )
    return array


def _window(box: BoxXYXY, height: int, width: int) -> tuple[int, int, int, int]:
    """A square around a face, enlarged by the margin, cut at the edges of the frame."""
    left, top, right, bottom = (real_number("a box", end) for end in box)
    if not (right > left and bottom > top and right > 0 and bottom > 0 and left < width and top < height):
        raise ShapeError(f"a face's box is (x1, y1, x2, y2) inside {width}x{height} pixels, got {tuple(box)}")
    side = _MARGIN * max(right - left, bottom - top)
    x, y = (left + right) / 2, (top + bottom) / 2
    x1, y1 = max(math.floor(x - side / 2), 0), max(math.floor(y - side / 2), 0)
    return x1, y1, min(math.ceil(x + side / 2), width), min(math.ceil(y + side / 2), height)


def _into_frame(judged: Judgement, window: tuple[int, int, int, int], height: int, width: int) -> Judgement:
    if judged.heat_map is None:
        return judged
    left, top, right, bottom = window
    whole = np.zeros((height, width), np.float32)
    whole[top:bottom, left:right] = judged.heat_map
    return Judgement(judged.probability, whole, judged.kind, judged.notes)


def _resized_map(heat_map: FloatArray, height: int, width: int) -> FloatArray:
    """In the size of a picture; values stay in [0, 1], as both ways of resizing are means of neighbours."""
    shrinks = max(heat_map.shape) > 2 * max(height, width)
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized: FloatArray = cv2.resize(heat_map.astype(np.float32), (width, height), interpolation=way)
    return np.clip(resized, 0.0, 1.0)
