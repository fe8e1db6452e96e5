"""The first frame of instance tracking: given boxes or masks become trajectories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import box_convert

from onlooker.errors import ShapeError
from onlooker.methods.trackers.omnitracker.config import TrackingConfig
from onlooker.methods.trackers.omnitracker.detections import Detected, FrameTracks
from onlooker.methods.trackers.omnitracker.model import OmniTrackerNetwork, Seen, boxes_px
from onlooker.methods.trackers.omnitracker.motion import Array, box_overlaps
from onlooker.methods.trackers.omnitracker.tracking import FrameInput, TrackState, keep_tokens, new_trajectory

_SURE = 8.0  # logit of a given mask


@dataclass(frozen=True, eq=False)
class Targets:
    """What is to be followed.

    Attributes:
        boxes: (K, 4) xyxy in pixels of the first frame, cut to it; without extent where a target is not on it.
        masks: (K, H, W) bool, or `None`.
        ids: K different positive numbers.
    """

    boxes: Array
    masks: NDArray[np.bool_] | None
    ids: tuple[int, ...]

    @classmethod
    def given(
        cls,
        size: tuple[int, int],
        boxes: NDArray[np.floating] | None,
        masks: NDArray[np.bool_] | None,
        ids: tuple[int, ...] | None,
    ) -> Targets:
        """Targets of a frame of (height, width) `size`, checked; ids from 1 where none are given.

        Raises:
            ShapeError: neither boxes nor masks, wrong shapes, numbers that are not finite, ids that repeat.
        """
        if masks is not None and (masks.ndim != 3 or masks.shape[1:] != size or masks.dtype != np.bool_):
            raise ShapeError(f"expected masks (K, {size[0]}, {size[1]}) bool, got {masks.shape} {masks.dtype}")
        if boxes is None and masks is None:
            raise ShapeError("instance tracking starts from boxes or masks; give one of them")
        corners = np.asarray(_boxes_of(masks) if boxes is None and masks is not None else boxes, np.float64)
        if corners.size == 0:
            corners = corners.reshape(0, 4)
        if corners.ndim != 2 or corners.shape[1] != 4 or not np.isfinite(corners).all():
            raise ShapeError(f"expected finite boxes (K, 4), got {corners.shape}")
        numbers = tuple(range(1, len(corners) + 1)) if ids is None else ids
        if masks is not None and len(masks) != len(corners):
            raise ShapeError(f"{len(corners)} boxes and {len(masks)} masks; give one of each per target")
        if len(numbers) != len(corners) or len(set(numbers)) != len(numbers) or any(n < 1 for n in numbers):
            raise ShapeError(f"expected {len(corners)} different positive ids, got {numbers}")
        limits = np.array([size[1], size[0]] * 2, np.float64)
        return cls(np.clip(corners, 0.0, limits), masks, numbers)

    def has_extent(self, place: int) -> bool:
        """Whether a target is on the frame at all."""
        x1, y1, x2, y2 = self.boxes[place]
        return bool(x2 > x1 and y2 > y1)

    def twin_of(self, place: int) -> int | None:
        """An earlier target with the very same box and mask."""
        for earlier in range(place):
            same = np.array_equal(self.boxes[earlier], self.boxes[place])
            if same and (self.masks is None or np.array_equal(self.masks[earlier], self.masks[place])):
                return earlier
        return None


@torch.no_grad()
def start_targets(
    network: OmniTrackerNetwork, config: TrackingConfig, frame: FrameInput, targets: Targets
) -> tuple[TrackState, FrameTracks]:
    """The state after the first frame, and the answer for it: what was given.

    The frame refers to itself. A target's identity is that of the query that is nearest to its box, with what the given
    box shows.
    """
    state = TrackState("instance", config, frame_size=frame.size, time_s=frame.time_s)
    pyramid = network.encode(frame.pixels[None])
    inner = (frame.pixels.shape[1], frame.pixels.shape[2])
    boxes = torch.from_numpy(targets.boxes).to(frame.pixels)[None]  # (1, K, 4)
    seen = network.look(pyramid, network.refer(pyramid, frame.size, boxes), inner)
    queries = _nearest(seen, targets.boxes, frame.size)
    identities = _identities(network, seen, queries, boxes, frame.size)
    predicted = None
    if network.mask_head is not None and len(queries):
        predicted = network.mask_logits(seen, queries[None])[0]  # (K, h, w)
    rows = []
    for place, number in enumerate(targets.ids):
        twin = targets.twin_of(place)
        here = targets.has_extent(place)
        if twin is not None:
            first = targets.ids[twin]
            state.same_as[number] = state.same_as.get(first, first)
        else:
            trajectory = new_trajectory(state, number, targets.boxes[place], np.zeros(network.config.detector.classes))
            if here:
                trajectory.memory.remember(identities[place], 1.0)
            state.trajectories.append(trajectory)
        logits = None if predicted is None else predicted[place]
        if targets.masks is not None:
            logits = (torch.from_numpy(targets.masks[place]).float() * 2 - 1) * _SURE
        row = Detected(number, targets.boxes[place], 1.0, None, identities[place], logits)
        rows.append(row if here else row._replace(score=0.0, identity=None, mask_logits=None))
    keep_tokens(network, pyramid, [t for t in state.trajectories if len(t.memory)], frame.size)
    state.born = max(targets.ids, default=0)
    return state, FrameTracks.of(sorted(rows, key=lambda row: row.number), frame.size)


def _nearest(seen: Seen, boxes: Array, size: tuple[int, int]) -> Tensor:
    """(K,) queries whose boxes overlap the given ones (K, 4) best, the surest where none does."""
    found = boxes_px(seen.decoded.boxes[-1][0], size).double().cpu().numpy()  # (Q, 4)
    sure = seen.decoded.target_logits[-1][0].sigmoid().double().cpu().numpy()  # (Q,)
    best = (box_overlaps(boxes, found) + 1e-3 * sure).argmax(1) if len(boxes) else np.zeros(0, np.int64)
    return torch.from_numpy(best).to(seen.decoded.boxes.device)


def _identities(
    network: OmniTrackerNetwork, seen: Seen, queries: Tensor, boxes: Tensor, size: tuple[int, int]
) -> Tensor:
    """(K, D): identities of queries (K,) as if they had predicted the given boxes (1, K, 4)."""
    parts = box_convert(boxes / boxes.new_tensor([size[1], size[0], size[1], size[0]]), "xyxy", "cxcywh")
    chosen = seen.decoded.queries[-1][:, queries]  # (1, K, d)
    identities: Tensor = network.identity(chosen, parts, seen.pyramid)
    return identities[0]


def _boxes_of(masks: NDArray[np.bool_]) -> Array:
    """(K, 4) xyxy around masks (K, H, W), ends exclusive; zeros for an empty mask."""
    boxes = np.zeros((len(masks), 4))
    for place, mask in enumerate(masks):
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if len(rows):
            boxes[place] = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return boxes
