"""What to follow, as people say it: a mask, a box or a point; boxes and points become masks on the frame they name.

A box takes the proposal of the instance branch whose own box is most like it, cut off at the box; where none is like
it, the whole box. A point takes the likeliest proposal that covers it; where none does, a small disk. Ours.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from onlooker.errors import ConfigError, ShapeError
from onlooker.methods.trackers.isvos.framing import Framing
from onlooker.methods.trackers.isvos.instances import InstanceView
from onlooker.types import BoxXYXY

Mask = NDArray[np.bool_]
Point = tuple[float, float]
Prompt = Mask | BoxXYXY | Point
"""A mask (H, W) bool, a box (x1, y1, x2, y2) or a point (x, y), in pixels of the frame."""

_ALIKE = 0.6  # overlap of two boxes from which a proposal stands for the box
_COVERED = 0.5  # probability from which a proposal covers a place
_DISK = 0.02  # radius in parts of the short side


def needs_proposals(prompts: Mapping[int, Prompt]) -> bool:
    """Whether any prompt is less than a mask."""
    return any(not _is_mask(prompt) for prompt in prompts.values())


def check_prompts(prompts: Mapping[int, Prompt], size: tuple[int, int]) -> None:
    """Raises before anything is computed.

    Raises:
        ConfigError: an id that is not a whole number from 1.
        ShapeError: a mask of another size or type, a box or point that is malformed or outside the frame.
    """
    for number, prompt in prompts.items():
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
            raise ConfigError(f"objects are numbered from 1, got `{number!r}`")
        if _is_mask(prompt):
            mask = np.asarray(prompt)
            if mask.shape != size or mask.dtype != np.bool_:
                raise ShapeError(f"the mask of object {number} must be bool {size}, got {mask.dtype} {mask.shape}")
            continue
        values = np.asarray(prompt, np.float64)
        if values.shape not in ((4,), (2,)) or not np.isfinite(values).all():
            raise ShapeError(f"object {number} needs a mask, a box of 4 or a point of 2 numbers, got {prompt!r}")
        _check_inside(int(number), values, size)


def _check_inside(number: int, values: NDArray[np.float64], size: tuple[int, int]) -> None:
    height, width = size
    if len(values) == 4:
        x1, y1, x2, y2 = values
        if x1 >= x2 or y1 >= y2:
            raise ShapeError(f"the box of object {number} needs x1 < x2 and y1 < y2, got {tuple(values.tolist())}")
        outside = x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height
    else:
        x, y = values
        outside = not (0 <= x < width and 0 <= y < height)
    if outside:
        raise ShapeError(f"object {number} at {tuple(values.tolist())} lies outside the frame of {width}x{height}")


def masks_of(
    prompts: Mapping[int, Prompt], size: tuple[int, int], framing: Framing, proposals: InstanceView | None
) -> dict[int, Mask]:
    """A mask (H, W) per object; where several claim a pixel, the smallest has it.

    Args:
        prompts: checked.
        size: (height, width) of the frame.
        framing: how the frame lies in the network's input.
        proposals: of that frame, with classes; needed for boxes and points.
    """
    masks = {}
    for number, prompt in prompts.items():
        if _is_mask(prompt):
            masks[int(number)] = np.array(prompt, np.bool_)
            continue
        assert proposals is not None
        values = tuple(float(value) for value in np.asarray(prompt, np.float64))
        from_box = len(values) == 4
        make = mask_of_box if from_box else mask_of_point
        masks[int(number)] = make(values, size, framing, proposals)
    taken = np.zeros(size, np.bool_)
    for number in sorted(masks, key=lambda n: (np.count_nonzero(masks[n]), n)):
        masks[number] &= ~taken
        taken |= masks[number]
    return masks


def mask_of_box(box: tuple[float, ...], size: tuple[int, int], framing: Framing, proposals: InstanceView) -> Mask:
    """The proposal like the box, or the box."""
    filled = np.zeros(size, np.bool_)
    x1, y1, x2, y2 = box
    # A box thinner than a pixel still has one.
    left, top = min(max(0, int(x1)), size[1] - 1), min(max(0, int(y1)), size[0] - 1)
    filled[top : max(top + 1, int(np.ceil(y2))), left : max(left + 1, int(np.ceil(x2)))] = True
    covers = _covers(proposals)  # (N, h/4, w/4)
    asked = torch.tensor([*framing.place_to_input(x1, y1, size), *framing.place_to_input(x2, y2, size)]) / 4
    overlaps = _box_overlaps(covers > _COVERED, asked.to(covers))
    best = int(overlaps.argmax())
    if overlaps[best] < _ALIKE:
        return filled
    found = _on_picture(covers[best], framing, size) & filled
    return found if found.any() else filled


def mask_of_point(point: tuple[float, ...], size: tuple[int, int], framing: Framing, proposals: InstanceView) -> Mask:
    """The likeliest proposal that covers the point, or a disk around it."""
    covers = _covers(proposals)
    x, y = framing.place_to_input(point[0], point[1], size)
    column, row = (min(int(value / 4), side - 1) for value, side in zip((x, y), covers.shape[:0:-1], strict=True))
    here = covers[:, row, column]
    likely = 1 - proposals.class_logits[-1][0].softmax(dim=-1)[:, -1]  # (N,) that it is an object at all
    scores = torch.where(here > _COVERED, here * likely, -1.0)
    best = int(scores.argmax())
    if scores[best] >= 0:
        found = _on_picture(covers[best], framing, size)
        if found[int(point[1]), int(point[0])]:
            return found
    rows, columns = np.ogrid[: size[0], : size[1]]
    radius = max(_DISK * min(size), 1.0)
    distance = np.hypot(rows - int(point[1]), columns - int(point[0]))
    return np.asarray(distance <= radius)


def _covers(proposals: InstanceView) -> Tensor:
    """(N, h/4, w/4) probabilities."""
    return proposals.mask_logits[-1][0].sigmoid()


def _box_overlaps(masks: Tensor, box: Tensor) -> Tensor:
    """(N,) intersection over union of each mask's own box with `box`; 0 for a mask of nothing."""
    height, width = masks.shape[1:]
    columns, rows = masks.any(dim=1), masks.any(dim=2)  # (N, w), (N, h)
    x = torch.arange(width, device=masks.device)
    y = torch.arange(height, device=masks.device)
    left = torch.where(columns, x, width).amin(dim=1)
    right = torch.where(columns, x + 1, 0).amax(dim=1)
    top = torch.where(rows, y, height).amin(dim=1)
    bottom = torch.where(rows, y + 1, 0).amax(dim=1)
    wide = (torch.minimum(right, box[2]) - torch.maximum(left, box[0])).clamp_min(0)
    high = (torch.minimum(bottom, box[3]) - torch.maximum(top, box[1])).clamp_min(0)
    area = (right - left).clamp_min(0) * (bottom - top).clamp_min(0)
    shared = wide * high
    return shared / (area + (box[2] - box[0]) * (box[3] - box[1]) - shared)


def _on_picture(cover: Tensor, framing: Framing, size: tuple[int, int]) -> Mask:
    """A proposal (h/4, w/4) as a mask of the picture."""
    larger = torch.nn.functional.interpolate(
        cover[None, None], framing.input_size, mode="bilinear", align_corners=False
    )
    (found,) = framing.maps_to_picture(larger[0], size)
    return np.asarray((found > _COVERED).cpu().numpy())


def _is_mask(prompt: Prompt) -> bool:
    return isinstance(prompt, np.ndarray) and prompt.ndim == 2
