"""Detects categories given as words, with Grounding DINO.

The network (Liu et al. 2023, arXiv 2303.05499) scores every box against every token of a prompt. The usual decoding
joins the tokens over a threshold into a phrase, which may match no category ("red dog car") and then fails. Here the
prompt's tokens are known to belong to categories, and a box takes the category whose best token fits best: every
result is one of the names asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor

from onlooker.errors import ConfigError
from onlooker.models.boxes import check_image, make_detections, suppress
from onlooker.models.hub.loading import HubModel, load_network, load_part
from onlooker.types import Detections, FloatArray, Image


class GroundingDino(HubModel):
    """Open-vocabulary detector from a hub name or a local folder.

    Args:
        model: hub name or folder.
        categories: names to look for, separated by full stops: "person. red car. dog".
        revision: branch, tag or commit.
        offline: refuse the network.
        device: torch device.
        box_threshold: a box is kept when its best token reaches this.
        text_threshold: and when its category's best token reaches this.

    Raises:
        ConfigError: no categories, or thresholds outside (0, 1).
        WeightsError: the model cannot be found, fetched or fitted.
    """

    def __init__(
        self,
        model: str,
        categories: str = "person. bicycle. car. motorcycle. bus. truck. dog. cat. bird. horse",
        revision: str = "main",
        offline: bool = False,
        device: str = "cpu",
        box_threshold: float = 0.4,
        text_threshold: float = 0.3,
    ) -> None:
        self._categories = split_categories(categories)
        if not 0 < box_threshold < 1 or not 0 < text_threshold < 1:
            raise ConfigError(f"thresholds lie between 0 and 1, got {box_threshold} and {text_threshold}")
        super().__init__(model, revision, offline, device)
        self._processor = load_part(self._folder, AutoProcessor.from_pretrained)
        self._network = load_network(self._folder, AutoModelForZeroShotObjectDetection, self._device)
        self._box_threshold, self._text_threshold = box_threshold, text_threshold

    @property
    def categories(self) -> tuple[str, ...]:
        """The names it looks for, in the order given."""
        return self._categories

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """One `Detections` per RGB image, best score first.

        Raises:
            ShapeError: if an image is not (H, W, 3) uint8.
        """
        return [self._detect_one(image) for image in images]

    def _detect_one(self, image: Image) -> Detections:
        check_image(image)
        prompt = ". ".join(self._categories) + "."
        inputs = self._processor(images=image, text=prompt, input_data_format="channels_last", return_tensors="pt")
        with torch.inference_mode():
            output = self._network(**inputs.to(self._device))
        tokenizer = self._processor.tokenizer
        stop = int(tokenizer.convert_tokens_to_ids("."))
        spans = category_spans(inputs["input_ids"][0].tolist(), stop, set(tokenizer.all_special_ids))
        if len(spans) != len(self._categories):
            raise ConfigError(
                f"the prompt `{prompt}` is cut or has names the tokenizer does not know: "
                f"{len(spans)} of {len(self._categories)} names remain; ask for fewer at a time"
            )
        size = (image.shape[1], image.shape[0])
        boxes, scores, indices = best_categories(
            output.logits[0], output.pred_boxes[0], spans, self._box_threshold, self._text_threshold
        )
        labels = [self._categories[i] for i in indices]
        kept = suppress(boxes, scores, labels, same_iou=0.8, other_iou=0.9)
        pixels = boxes[kept] * np.array([*size, *size], np.float32)
        return make_detections(pixels, scores[kept], [labels[i] for i in kept], size)


def split_categories(text: str) -> tuple[str, ...]:
    """Names between full stops, lower case, without repeats.

    Raises:
        ConfigError: there is none.
    """
    names = dict.fromkeys(" ".join(part.lower().split()) for part in text.split("."))
    found = tuple(name for name in names if name)
    if not found:
        raise ConfigError(f"name at least one category, as in `person. red car`, got `{text}`")
    return found


def category_spans(token_ids: Sequence[int], stop_id: int, special_ids: set[int]) -> list[list[int]]:
    """Positions of each category's tokens in the prompt: what stands between full stops."""
    spans: list[list[int]] = []
    current: list[int] = []
    for position, token in enumerate(token_ids):
        if token == stop_id:
            spans += [current] if current else []
            current = []
        elif token not in special_ids:
            current.append(position)
    return spans


def best_categories(
    logits: Tensor, boxes_cxcywh: Tensor, spans: Sequence[Sequence[int]], box_threshold: float, text_threshold: float
) -> tuple[FloatArray, FloatArray, list[int]]:
    """The boxes that pass both thresholds, each with its best category.

    Args:
        logits: (Q, L) token scores of every query before the sigmoid; minus infinity at padding.
        boxes_cxcywh: (Q, 4) centre and size as parts of the image.
        spans: token positions per category.
        box_threshold, text_threshold: see `GroundingDino`.

    Returns:
        (N, 4) corners as parts of the image, (N,) scores, and N indices into `spans`.
    """
    probabilities = logits.float().sigmoid()
    per_category = torch.stack([probabilities[:, list(span)].amax(dim=1) for span in spans], dim=1)  # (Q, C)
    scores, indices = per_category.max(dim=1)
    keep = (probabilities.amax(dim=1) >= box_threshold) & (scores >= text_threshold)
    centre, size = boxes_cxcywh[keep, :2].float(), boxes_cxcywh[keep, 2:].float()
    corners = torch.cat([centre - size / 2, centre + size / 2], dim=1)
    return corners.cpu().numpy(), scores[keep].cpu().numpy(), indices[keep].tolist()
