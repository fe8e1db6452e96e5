"""Boundary-sensitive contextual incoherence (section 3.3): where a patch differs from those around it, it is damped.

A pasted region is unlike its surroundings along its edge. S is the mean cosine of a position with the window around it;
the map is multiplied by S before the next layer.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

_SMALLEST_NORM = 1e-6  # ours: a vector of zeros is like nothing


def coherence(features: Tensor, window: int) -> Tensor:
    """S of every position.

    The mean of cosines with unit vectors is the product with the mean of unit vectors, so that one pooling does it.
    Positions outside the map do not count: with zeros there, every border would look like an edge (as it does in
    IMDL-BenCo, which moreover divides by the window twice).

    Args:
        features: (B, C, H, W).
        window: k, odd; the position itself is one of the k * k.

    Returns:
        (B, 1, H, W) in [-1, 1]; 1 where the whole window points one way.
    """
    units = functional.normalize(features, dim=1, eps=_SMALLEST_NORM)
    around = functional.avg_pool2d(units, window, stride=1, padding=window // 2, count_include_pad=False)
    return (units * around).sum(dim=1, keepdim=True)
