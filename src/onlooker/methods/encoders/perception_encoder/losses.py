"""Loss terms of the three trainings: contrast, mask regularisation, and the two terms of spatial alignment."""

from __future__ import annotations

from typing import Literal, cast

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx

from onlooker.errors import ShapeError

Squash = Literal["sigmoid", "none"]


def contrastive_loss(image: Tensor, text: Tensor, scale: Tensor) -> Tensor:
    """Symmetric InfoNCE: every picture picks its text out of the batch, and every text its picture.

    Args:
        image, text: (B, D) of unit length, row i of one belonging to row i of the other.
        scale: scalar, the factor of cosines.

    Returns:
        Scalar, mean over both directions.
    """
    if image.ndim != 2 or image.shape != text.shape:
        raise ShapeError(f"contrast is between rows of two (B, D), got {tuple(image.shape)} and {tuple(text.shape)}")
    logits = scale * image @ text.T  # (B, B)
    own = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2


def gather_rows(rows: Tensor) -> Tensor:
    """Rows of all processes, (B * processes, D) in the order of their ranks; the rows themselves in a single one.

    Gradients reach the process a row came from, summed over all that used it. Where every process computes the same
    loss from all rows and gradients are then averaged over processes, as in distributed training, the result is the
    gradient of that loss.
    """
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return rows
    return cast("Tensor", _GatherRows.apply(rows))


class _GatherRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, rows: Tensor) -> Tensor:
        parts = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total.chunk(dist.get_world_size())[dist.get_rank()]


def token_cosine_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean over tokens of 1 - cosine, (B, N, C) each. Zero for equal directions, 2 for opposite ones."""
    if student.shape != teacher.shape or student.ndim != 3:
        raise ShapeError(
            f"tokens are compared one by one, (B, N, C) each, got {tuple(student.shape)} and {tuple(teacher.shape)}"
        )
    return (1 - F.cosine_similarity(student, teacher, dim=-1)).mean()


def similarity_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared difference of the two matrices of cosines between the tokens of a picture.

    Args:
        student: (B, N, C).
        teacher: (B, N, K); K is free: only which locations are alike is compared.

    Returns:
        Scalar. Zero when both find the same locations equally alike.
    """
    if student.ndim != 3 or teacher.ndim != 3 or student.shape[:2] != teacher.shape[:2]:
        raise ShapeError(
            f"similarities need the same tokens, (B, N, C) and (B, N, K), got {tuple(student.shape)} and "
            f"{tuple(teacher.shape)}"
        )
    return F.mse_loss(cosines_between(student), cosines_between(teacher))


def cosines_between(tokens: Tensor) -> Tensor:
    """(B, N, C) to (B, N, N)."""
    unit = F.normalize(tokens, dim=-1)
    return unit @ unit.transpose(1, 2)


def mask_features(
    logits: Tensor, grid: tuple[int, int], squash: Squash = "sigmoid", temperature: float = 1.0
) -> Tensor:
    """Mask logits as one feature vector per location: entry m says how much location belongs to mask m.

    Args:
        logits: (B, M, H, W), one map per prompt.
        grid: rows and columns of the result.
        squash: "sigmoid" of logit / temperature keeps the far inside and outside of a mask from drowning its border;
            "none" takes the logits as they are. The paper's choice could not be confirmed; sigmoid at 1 is ours.

    Returns:
        (B, h*w, M), row by row.
    """
    if logits.ndim != 4 or temperature <= 0:
        raise ShapeError(f"mask logits are (B, M, H, W) at a temperature above 0, got {tuple(logits.shape)}")
    maps = torch.sigmoid(logits / temperature) if squash == "sigmoid" else logits
    return F.adaptive_avg_pool2d(maps, grid).flatten(2).transpose(1, 2)


def instance_features(masks: Tensor, grid: tuple[int, int]) -> Tensor:
    """True instance masks as `mask_features` would give them: the part of each location that an instance covers.

    Args:
        masks: (B, H, W) whole numbers, 0 for ground.
        grid: rows and columns of the result.

    Returns:
        (B, h*w, K) in [0, 1], each row sums to 1; K is the largest number and one.
    """
    if masks.ndim != 3 or masks.is_floating_point() or int(masks.min()) < 0:
        raise ShapeError(f"instance masks are whole numbers (B, H, W) from 0, got {masks.dtype} {tuple(masks.shape)}")
    parts = F.one_hot(masks.long(), int(masks.max()) + 1).permute(0, 3, 1, 2).float()  # (B, K, H, W)
    return F.adaptive_avg_pool2d(parts, grid).flatten(2).transpose(1, 2)
