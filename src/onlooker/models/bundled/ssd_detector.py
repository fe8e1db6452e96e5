"""Detects COCO's 80 categories with SSD MobileNet V2 on a CPU.

One forward pass of a small convolutional network predicts boxes and class scores at 1,917 fixed anchors. Network:
Sandler et al. 2018 (arXiv 1801.04381) in the detector of Liu et al. 2016 (arXiv 1512.02325); weights: TensorFlow
detection model zoo, `ssd_mobilenet_v2_coco_2018_03_29`, Apache-2.0. OpenCV's network module runs the graph, which ends
in its own class-wise suppression (IoU 0.6, at most 100 boxes).

What we do beyond the graph: near-identical boxes of different categories are one object seen by one anchor, so only the
best label stays; and, when asked, overlapping tiles are searched too, because everything is shrunk to 300 pixels and
an object much smaller than a tenth of the frame vanishes.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ConfigError
from onlooker.models.boxes import check_image, make_detections, suppress
from onlooker.models.coco import COCO_NAMES
from onlooker.types import Detections, FloatArray, Image
from onlooker.weights.bundled import SSD_GRAPH, SSD_GRAPH_TEXT
from onlooker.weights.verify import verified_path

_INPUT_PX = 300
_CUT_MARGIN_PX = 2.0
"""A box this near to a tile's inner border is taken as cut by it (ours)."""

Window = tuple[int, int, int, int]


class SsdDetector:
    """SSD MobileNet V2, COCO categories.

    Args:
        score_floor: boxes below this are not returned.
        tiles: with `n` > 1 the frame is also searched in n x n overlapping tiles, for small objects, at n*n + 1 times
            the cost.
        tile_overlap: part of a tile shared with its neighbour, in [0, 0.9].
        cross_category_iou: boxes of different categories that overlap more than this keep the best label; 1.0 keeps
            all labels.

    Raises:
        WeightsError: if the graph is not installed or was altered.
    """

    def __init__(
        self,
        score_floor: float = 0.05,
        tiles: int = 1,
        tile_overlap: float = 0.25,
        cross_category_iou: float = 0.9,
    ) -> None:
        if not 0 < score_floor < 1 or not 0 < cross_category_iou <= 1:
            raise ConfigError(
                f"`score_floor` lies between 0 and 1 and `cross_category_iou` in (0, 1], "
                f"got {score_floor} and {cross_category_iou}"
            )
        if tiles < 1 or not 0 <= tile_overlap <= 0.9:
            raise ConfigError(f"`tiles` is at least 1 and `tile_overlap` in [0, 0.9], got {tiles} and {tile_overlap}")
        self._score_floor, self._cross_category_iou = score_floor, cross_category_iou
        self._tiles, self._tile_overlap = tiles, tile_overlap
        self._net = cv2.dnn.readNetFromTensorflow(str(verified_path(SSD_GRAPH)), str(verified_path(SSD_GRAPH_TEXT)))

    @property
    def name(self) -> str:
        return "ssd-mobilenet-v2"

    @property
    def version(self) -> str:
        tiled = f"+tiles{self._tiles}" if self._tiles > 1 else ""
        return f"2018.03.29{tiled}"

    @property
    def categories(self) -> tuple[str, ...]:
        """COCO's 80 names in the order of their ids."""
        return tuple(COCO_NAMES.values())

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """One `Detections` per RGB image, best score first.

        Images go through the network one at a time: a batch was measured to be no faster, and this way a result cannot
        depend on its neighbours.

        Raises:
            ShapeError: if an image is not (H, W, 3) uint8.
        """
        return [self._detect_one(image) for image in images]

    def _detect_one(self, image: Image) -> Detections:
        check_image(image)
        height, width = image.shape[:2]
        windows: list[Window] = [(0, 0, width, height)]
        if self._tiles > 1:
            windows += tile_windows(width, height, self._tiles, self._tile_overlap)
        found = [self._forward(image, window) for window in windows]
        boxes = np.concatenate([rows[:, 2:] for rows in found])
        scores = np.concatenate([rows[:, 1] for rows in found])
        labels = [COCO_NAMES[int(identifier)] for rows in found for identifier in rows[:, 0]]
        # The graph suppressed inside each window; between windows the same object may come twice.
        same_iou = 0.5 if self._tiles > 1 else 1.0
        kept = suppress(boxes, scores, labels, same_iou, self._cross_category_iou)
        return make_detections(boxes[kept], scores[kept], [labels[i] for i in kept], (width, height))

    def _forward(self, image: Image, window: Window) -> FloatArray:
        """(N, 6) rows of COCO id, score and box in pixels of the whole image."""
        left, top, right, bottom = window
        crop = np.ascontiguousarray(image[top:bottom, left:right])
        self._net.setInput(cv2.dnn.blobFromImage(crop, size=(_INPUT_PX, _INPUT_PX), swapRB=False))
        output = np.asarray(self._net.forward(), np.float32).reshape(-1, 7)
        known = np.isin(output[:, 1].astype(np.int64), np.fromiter(COCO_NAMES, np.int64))
        output = output[known & (output[:, 2] >= self._score_floor)]
        size = np.array([right - left, bottom - top] * 2, np.float32)
        boxes = np.clip(output[:, 3:7], 0, 1) * size + np.array([left, top] * 2, np.float32)
        rows = np.concatenate([output[:, 1:3], boxes], axis=1)
        return rows[~cut_by_window(boxes, window, image.shape[1], image.shape[0])]


def tile_windows(width: int, height: int, tiles: int, overlap: float) -> list[Window]:
    """`tiles * tiles` windows of equal size that cover the frame and share `overlap` of their side with neighbours."""

    def spans(length: int) -> list[tuple[int, int]]:
        side = min(length, int(np.ceil(length / (tiles - (tiles - 1) * overlap))))
        starts = np.linspace(0, length - side, tiles)
        return [(round(start), round(start) + side) for start in starts.tolist()]

    return [(left, top, right, bottom) for top, bottom in spans(height) for left, right in spans(width)]


def cut_by_window(boxes: FloatArray, window: Window, width: int, height: int) -> NDArray[np.bool_]:
    """(N,) True for boxes at a border of the window inside the frame: they show only half an object."""
    left, top, right, bottom = window
    cut = np.zeros(len(boxes), np.bool_)
    if left > 0:
        cut |= boxes[:, 0] <= left + _CUT_MARGIN_PX
    if top > 0:
        cut |= boxes[:, 1] <= top + _CUT_MARGIN_PX
    if right < width:
        cut |= boxes[:, 2] >= right - _CUT_MARGIN_PX
    if bottom < height:
        cut |= boxes[:, 3] >= bottom - _CUT_MARGIN_PX
    return cut
