"""What the network found on one frame, and what the loop answers for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import batched_nms, box_iou

from onlooker.methods.trackers.omnitracker.config import TrackingConfig, TrackTask
from onlooker.methods.trackers.omnitracker.model import OmniTrackerNetwork, Seen, boxes_px
from onlooker.methods.trackers.omnitracker.motion import box_overlaps
from onlooker.types import FloatArray

Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Found:
    """N detections on one frame, surest first.

    Attributes:
        boxes: (N, 4) xyxy in pixels of the frame as it came, cut to it.
        scores: (N,) of what the task asks for.
        class_scores: (N, C) sigmoids.
        identities: (N, D).
        mask_logits: (N, h, w), or `None` without a mask head.
    """

    boxes: Array
    scores: Array
    class_scores: Array
    identities: Tensor
    mask_logits: Tensor | None

    def __len__(self) -> int:
        return len(self.scores)

    def overlap(self, place: int, others: Sequence[int]) -> float:
        """Largest overlap of one detection with others: of masks where there are masks, else of boxes of its class."""
        rows = list(others)
        if self.mask_logits is not None:
            mine, theirs = self.mask_logits[[place]] > 0, self.mask_logits[rows] > 0
            return float(mask_overlaps(mine, theirs).max()) if rows else 0.0
        classes = self.class_scores.argmax(axis=1)
        rows = [row for row in rows if classes[row] == classes[place]]
        return float(box_overlaps(self.boxes[[place]], self.boxes[rows]).max()) if rows else 0.0


class Detected(NamedTuple):
    """One object of the answer; `identity` and `mask_logits` are `None` where it is absent or has none."""

    number: int
    box: Array
    score: float
    category: int | None
    identity: Tensor | None
    mask_logits: Tensor | None


@dataclass(frozen=True, eq=False)
class FrameTracks:
    """The answer for one frame, in order of ids.

    Attributes:
        ids: (N,) int64.
        boxes_xyxy_px: (N, 4) float32 in pixels of the frame; the last known one of an absent object.
        scores: (N,) float32, 0 for an absent object.
        categories: N class numbers; `None` where no class was ever seen.
        present: (N,) bool; only given objects are told of while they are absent.
        identities: N vectors (D,) float32, `None` for an absent object.
        size: (height, width) of the frame.
    """

    ids: NDArray[np.int64]
    boxes_xyxy_px: FloatArray
    scores: FloatArray
    categories: tuple[int | None, ...]
    present: BoolArray
    identities: tuple[FloatArray | None, ...]
    size: tuple[int, int]
    _logits: tuple[Tensor | None, ...]

    @classmethod
    def of(cls, rows: Sequence[Detected], size: tuple[int, int]) -> FrameTracks:
        """The answer made of its rows."""
        return cls(
            ids=np.array([row.number for row in rows], np.int64),
            boxes_xyxy_px=np.array([row.box for row in rows], np.float32).reshape(-1, 4),
            scores=np.array([row.score for row in rows], np.float32),
            categories=tuple(row.category for row in rows),
            present=np.array([row.identity is not None for row in rows], np.bool_),
            identities=tuple(None if row.identity is None else row.identity.float().cpu().numpy() for row in rows),
            size=size,
            _logits=tuple(row.mask_logits for row in rows),
        )

    def __len__(self) -> int:
        return len(self.ids)

    def mask(self, place: int) -> BoolArray | None:
        """(H, W) of the object at a place in `ids`, at the frame's size, made when asked for; all False for an absent
        object, `None` for one without a mask."""
        if not self.present[place]:
            return np.zeros(self.size, np.bool_)
        logits = self._logits[place]
        if logits is None:
            return None
        full = F.interpolate(logits[None, None].float(), size=self.size, mode="bilinear", align_corners=False)
        return np.asarray((full[0, 0] > 0).cpu().numpy())

    def label_map(self) -> NDArray[np.int64]:
        """(H, W) of ids, 0 for ground; where masks overlap the surer object is in front. Objects without a mask are
        not on it."""
        labels = np.zeros(self.size, np.int64)
        for place in np.argsort(self.scores, kind="stable").tolist():
            mask = self.mask(place)
            if mask is not None:
                labels[mask] = self.ids[place]
        return labels


def find(
    network: OmniTrackerNetwork,
    seen: Seen,
    task: TrackTask,
    classes: tuple[int, ...] | None,
    config: TrackingConfig,
    size: tuple[int, int],
) -> Found:
    """Detections of one frame above the selection score, without doubles.

    Args:
        network: for masks and identities of those that stay.
        seen: of one frame.
        task: "instance" is scored by the target output, "category" by the best of the classes.
        classes: those that count; `None` for all.
        config: thresholds.
        size: (height, width) of the frame as it came.
    """
    class_scores = seen.decoded.logits[-1][0].sigmoid()  # (Q, C)
    if task == "instance":
        scores = seen.decoded.target_logits[-1][0].sigmoid()  # (Q,)
    else:
        counted = class_scores if classes is None else class_scores[:, list(classes)]
        scores = counted.amax(1) if counted.shape[1] else class_scores.new_zeros(len(class_scores))
    order = scores.argsort(descending=True, stable=True)
    order = order[scores[order] > config.select_score]
    limits = seen.decoded.boxes.new_tensor([size[1], size[0], size[1], size[0]])
    boxes = boxes_px(seen.decoded.boxes[-1][0], size).clamp(min=0.0).minimum(limits)  # (Q, 4)
    masks = None
    if network.mask_head is not None and len(order):
        masks = network.mask_logits(seen, order[None])[0]  # (n, h, w)
        kept = mask_nms(masks > 0, boxes[order], config.nms_overlap)
        order, masks = order[kept], masks[kept]
    elif len(order):
        labels = class_scores[order].argmax(1) if task == "category" else torch.zeros_like(order)
        order = order[batched_nms(boxes[order], scores[order], labels, config.nms_overlap)]
    if masks is None and network.mask_head is not None:
        masks = boxes.new_zeros(0, 1, 1)
    return Found(
        boxes=boxes[order].double().cpu().numpy(),
        scores=scores[order].double().cpu().numpy(),
        class_scores=_counted(class_scores[order], classes),
        identities=network.identities(seen, order[None])[0],
        mask_logits=masks,
    )


def _counted(class_scores: Tensor, classes: tuple[int, ...] | None) -> Array:
    """(N, C) with 0 for classes that were not asked for, so that they never name a trajectory."""
    numbers = np.asarray(class_scores.double().cpu().numpy(), np.float64)
    if classes is None:
        return numbers
    wanted = np.zeros(numbers.shape[1])
    wanted[list(classes)] = 1.0
    return numbers * wanted


def mask_nms(masks: Tensor, boxes: Tensor, overlap: float) -> Tensor:
    """Places to keep of (N, h, w) masks, surest first: one that overlaps a kept one by more than `overlap` goes.

    Small objects can have empty masks: two of those are compared by their boxes (N, 4).
    """
    iou = mask_overlaps(masks, masks)
    empty = ~masks.flatten(1).any(dim=1)
    iou = torch.where(empty[:, None] & empty[None], box_iou(boxes, boxes).nan_to_num().to(iou), iou)
    kept: list[int] = []
    for place in range(len(masks)):
        if not kept or float(iou[place, kept].max()) <= overlap:
            kept.append(place)
    return torch.tensor(kept, dtype=torch.long, device=masks.device)


def mask_overlaps(first: Tensor, second: Tensor) -> Tensor:
    """(N, M) intersection over union of (N, h, w) and (M, h, w) bool masks; 0 where both are empty."""
    mine, theirs = (masks.flatten(1).float() for masks in (first, second))
    shared = mine @ theirs.T
    return shared / (mine.sum(1)[:, None] + theirs.sum(1)[None] - shared).clamp(min=1.0)
