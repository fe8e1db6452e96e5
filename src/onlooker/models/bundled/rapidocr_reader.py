"""Reads text in an image with PP-OCR's small networks through RapidOCR.

One network finds lines of text (Liao et al. 2020, arXiv 1911.08947), one turns lines round, one reads them (PP-OCR,
Du et al. 2020, arXiv 2009.09941). The ONNX files are in the rapidocr wheel, Apache-2.0; they are handed over by path
because the library would otherwise fetch what it misses.
"""

from __future__ import annotations

import cv2
import numpy as np
from rapidocr import RapidOCR

from onlooker.errors import ConfigError
from onlooker.models.boxes import check_image
from onlooker.types import Image, TextRegion
from onlooker.weights.bundled import PP_OCR_ANGLE, PP_OCR_FINDER, PP_OCR_READER
from onlooker.weights.verify import verified_path

_SEARCH_PX = 960


class RapidOcrReader:
    """Finds and reads lines of Latin and Chinese text.

    Args:
        score_floor: lines read with less confidence are dropped. 0.5 lets through texture read as letters; 0.6 is ours.
        search_px: the image is searched for lines at this length of its longer side; time grows with its square.
        turn_lines: also read lines that hang upside down, for some ten percent more time.

    Raises:
        WeightsError: if the networks are not installed or were altered.
    """

    def __init__(self, score_floor: float = 0.6, search_px: int = _SEARCH_PX, turn_lines: bool = False) -> None:
        if not 0 <= score_floor <= 1 or not 160 <= search_px <= 4096:
            raise ConfigError(
                f"`score_floor` lies in [0, 1] and `search_px` in [160, 4096], got {score_floor} and {search_px}"
            )
        self._score_floor, self._search_px = score_floor, search_px
        self._reader = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.text_score": score_floor,
                "Global.use_cls": turn_lines,
                "Det.model_path": str(verified_path(PP_OCR_FINDER)),
                "Det.limit_type": "max",
                "Det.limit_side_len": search_px,
                "Cls.model_path": str(verified_path(PP_OCR_ANGLE)),
                "Rec.model_path": str(verified_path(PP_OCR_READER)),
            }
        )

    @property
    def name(self) -> str:
        return "pp-ocr-small"

    @property
    def version(self) -> str:
        return "v6" if self._search_px == _SEARCH_PX else f"v6+{self._search_px}px"

    def read(self, image: Image) -> list[TextRegion]:
        """Lines of text from top to bottom, then left to right, with upright boxes around them.

        Raises:
            ShapeError: if the image is not (H, W, 3) uint8.
        """
        check_image(image)
        found = self._reader(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2BGR))
        if found.boxes is None or found.txts is None:
            return []
        height, width = image.shape[:2]
        regions = []
        for corners, text, score in zip(found.boxes, found.txts, found.scores, strict=True):
            points = np.clip(np.asarray(corners, np.float64), 0, [width, height])  # (4, 2)
            (x1, y1), (x2, y2) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
            if text.strip() and score >= self._score_floor:
                regions.append(TextRegion(text.strip(), min(1.0, float(score)), (x1, y1, x2, y2)))
        return sorted(regions, key=lambda region: (region.box_xyxy_px[1], region.box_xyxy_px[0]))
