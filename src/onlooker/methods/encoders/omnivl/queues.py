"""Keys of earlier steps that the contrastive loss takes as further negatives (and, by class id, positives)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from onlooker.errors import ShapeError


class StepKeys(NamedTuple):
    """What one step adds to a queue.

    Attributes:
        vision, text: (B, D) unit rows of the momentum copies.
        ids: (B,) class ids, 0 for captions.
        is_clip: whether the step was of clips.
    """

    vision: Tensor
    text: Tensor
    ids: Tensor
    is_clip: bool


class KeyQueue(nn.Module):
    """A ring of the last `size` keys of both sides. Slots never filled hold random unit vectors with id 0.

    Args:
        size: keys kept.
        dim: of a key.
        labelled: whether class ids are kept; without, all are 0.
    """

    vision: Tensor
    text: Tensor
    pointer: Tensor
    ids: Tensor | None

    def __init__(self, size: int, dim: int, labelled: bool) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("vision", functional.normalize(torch.randn(dim, size), dim=0))
        self.register_buffer("text", functional.normalize(torch.randn(dim, size), dim=0))
        self.register_buffer("ids", torch.zeros(1, size, dtype=torch.int64) if labelled else None)
        self.register_buffer("pointer", torch.zeros(1, dtype=torch.int64))

    def class_ids(self) -> Tensor:
        """(K,) class ids of the slots."""
        return self.pointer.new_zeros(self.size) if self.ids is None else self.ids[0]

    @torch.no_grad()
    def enqueue(self, keys: StepKeys) -> None:
        """Overwrites the oldest slots with the keys of a step, of all processes, in place.

        Raises:
            ShapeError: the global batch does not divide the queue.
        """
        vision, text, ids = (gather_processes(part) for part in (keys.vision, keys.text, keys.ids))
        count = vision.shape[0]
        if self.size % count:
            raise ShapeError(f"the global batch ({count}) must divide the queue size ({self.size})")
        start = int(self.pointer)
        self.vision[:, start : start + count] = vision.T
        self.text[:, start : start + count] = text.T
        if self.ids is not None:
            self.ids[0, start : start + count] = ids
        self.pointer[0] = (start + count) % self.size


def gather_processes(part: Tensor) -> Tensor:
    """(B, ...) of every process below each other, in the order of the processes; `part` itself when there is one."""
    if not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return part
    parts = [torch.empty_like(part) for _ in range(torch.distributed.get_world_size())]
    torch.distributed.all_gather(parts, part.contiguous())
    return torch.cat(parts)
