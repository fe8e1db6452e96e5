"""Reading a space-time memory: which remembered location is like this one, and what was there.

Distances are negative squared L2, scaled and weighed as in XMem (2207.07115) or plain as in STCN (2106.05210).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from onlooker.errors import ShapeError


def similarity(key: Tensor, query: Tensor, shrinkage: Tensor | None = None, selection: Tensor | None = None) -> Tensor:
    """How like remembered and asking locations are; the larger the nearer.

    Args:
        key: (B, C, N) remembered.
        query: (B, C, M) asking.
        shrinkage: (B, 1, N), at least 1: how sharply a remembered location is told from others.
        selection: (B, C, M) in [0, 1]: which channels count for an asking location.

    Returns:
        (B, N, M): -s_n * sum_c e_cm (k_cn - q_cm)^2 / sqrt(C). With neither, what is equal for all N is left out, as
        STCN does: a softmax over N does not see it.

    Raises:
        ShapeError: channels or batches differ.
    """
    if key.ndim != 3 or query.ndim != 3 or key.shape[:2] != query.shape[:2]:
        raise ShapeError(f"expected keys (B, C, N) and (B, C, M), got {tuple(key.shape)} and {tuple(query.shape)}")
    by_location = key.transpose(1, 2)  # (B, N, C)
    if selection is None:
        near = 2 * by_location @ query - by_location.square().sum(dim=2, keepdim=True)
        if shrinkage is not None:
            near = near - query.square().sum(dim=1, keepdim=True)
    else:
        weighed = query * selection
        near = 2 * by_location @ weighed - by_location.square() @ selection
        near = near - (weighed * query).sum(dim=1, keepdim=True)
    if shrinkage is not None:
        near = near * shrinkage.transpose(1, 2)
    return near / math.sqrt(key.shape[1])


def affinity(similar: Tensor, top_k: int | None = None) -> Tensor:
    """Softmax over the remembered locations, for every asking one; beyond the best `top_k` exactly zero.

    Args:
        similar: (B, N, M), N >= 1.
        top_k: locations that count; `None` or more than N for all.

    Returns:
        (B, N, M), sums over N are 1.
    """
    if top_k is None or top_k >= similar.shape[1]:
        return similar.softmax(dim=1)
    best, places = similar.topk(top_k, dim=1)
    return torch.zeros_like(similar).scatter_(1, places, best.softmax(dim=1))


def readout(weights: Tensor, values: Tensor) -> Tensor:
    """Values at asking locations.

    Args:
        weights: (B, N, M), shared by all objects.
        values: (B, K, D, N).

    Returns:
        (B, K, D, M).
    """
    if values.ndim != 4 or values.shape[-1] != weights.shape[1]:
        raise ShapeError(f"expected values (B, K, D, {weights.shape[1]}), got {tuple(values.shape)}")
    batch, objects, channels, _ = values.shape
    found = values.flatten(1, 2) @ weights  # (B, K*D, M)
    return found.view(batch, objects, channels, weights.shape[2])
