"""Detects a fixed set of categories with RT-DETRv2 or another transformers detector of the same interface.

RT-DETRv2 (Lv et al. 2024, arXiv 2407.17140) predicts a set of boxes directly, so nothing needs suppressing; but its
scores are independent per category and one query may answer with two labels: the better one stays, as for every
detector here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from transformers import AutoImageProcessor, AutoModelForObjectDetection

from onlooker.errors import ConfigError
from onlooker.models.boxes import check_image, make_detections, suppress
from onlooker.models.coco import coco_spelling
from onlooker.models.hub.loading import HubModel, load_network, load_part
from onlooker.types import Detections, Image


class HubDetector(HubModel):
    """Object detector from a hub name or a local folder.

    Args:
        model: hub name or folder.
        revision: branch, tag or commit.
        offline: refuse the network.
        device: torch device.
        score_floor: boxes below this are not returned.
        batch_size: images per forward pass.

    Raises:
        WeightsError: the model cannot be found, fetched or fitted.
    """

    def __init__(
        self,
        model: str,
        revision: str = "main",
        offline: bool = False,
        device: str = "cpu",
        score_floor: float = 0.05,
        batch_size: int = 4,
    ) -> None:
        if not 0 < score_floor < 1 or batch_size < 1:
            raise ConfigError(
                f"`score_floor` lies between 0 and 1 and `batch_size` is at least 1, got {score_floor}, {batch_size}"
            )
        super().__init__(model, revision, offline, device)
        self._processor = load_part(self._folder, AutoImageProcessor.from_pretrained)
        self._network = load_network(self._folder, AutoModelForObjectDetection, self._device)
        self._score_floor, self._batch_size = score_floor, batch_size
        labels: dict[int, str] = self._network.config.id2label
        self._names = {index: coco_spelling(name) for index, name in labels.items()}

    @property
    def categories(self) -> tuple[str, ...]:
        """The model's names in the order of their ids; COCO's are spelled as COCO does."""
        return tuple(dict.fromkeys(self._names[index] for index in sorted(self._names)))

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """One `Detections` per RGB image, best score first.

        Raises:
            ShapeError: if an image is not (H, W, 3) uint8.
        """
        for image in images:
            check_image(image)
        found: list[Detections] = []
        for start in range(0, len(images), self._batch_size):
            found += self._detect_batch(images[start : start + self._batch_size])
        return found

    def _detect_batch(self, images: Sequence[Image]) -> list[Detections]:
        inputs = self._processor(images=list(images), input_data_format="channels_last", return_tensors="pt")
        sizes = [image.shape[:2] for image in images]
        with torch.inference_mode():
            output = self._network(**inputs.to(self._device))
        rows = self._processor.post_process_object_detection(output, threshold=self._score_floor, target_sizes=sizes)
        return [self._to_detections(row, size) for row, size in zip(rows, sizes, strict=True)]

    def _to_detections(self, row: dict[str, torch.Tensor], size: tuple[int, int]) -> Detections:
        boxes = row["boxes"].float().cpu().numpy().reshape(-1, 4)
        scores = row["scores"].float().cpu().numpy()
        labels = [self._names[int(index)] for index in row["labels"].tolist()]
        kept = suppress(np.asarray(boxes, np.float32), scores, labels, same_iou=1.0, other_iou=0.9)
        return make_detections(boxes[kept], scores[kept], [labels[i] for i in kept], (size[1], size[0]))
