"""Following the masks of the first frame through a clip by the likeness of frozen features.

The protocol of DINO (Caron et al. 2021, section 4.2.2 and appendix): each location takes the labels of the locations
most like it in the first and the last few frames, nearby ones only; nothing is trained. Jabri et al. 2020.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from onlooker.errors import ConfigError, ShapeError


@dataclass(frozen=True, slots=True)
class PropagationConfig:
    """Defaults are those of DINO's evaluation on DAVIS.

    Attributes:
        recent_frames: frames before the current one that are looked at, besides the first.
        radius: how far away, in locations along each axis, labels are taken from; `None` for anywhere.
        top_k: locations that count.
        temperature: of the exponential of the cosine.
    """

    recent_frames: int = 7
    radius: int | None = 12
    top_k: int = 5
    temperature: float = 0.1

    def __post_init__(self) -> None:
        if self.recent_frames < 0 or self.top_k < 1 or self.temperature <= 0 or (self.radius or 0) < 0:
            raise ConfigError(f"a count, the radius or the temperature is out of range: {self}")


@torch.no_grad()
def propagate_labels(features: Tensor, first_mask: Tensor, config: PropagationConfig | None = None) -> Tensor:
    """Carry the labels of the first frame to the others.

    Args:
        features: (T, h, w, C) of any scale; cosines are compared.
        first_mask: (H, W) whole numbers from 0, at the resolution that is wanted.

    Returns:
        (T, H, W) int64; the first frame is `first_mask`.

    Raises:
        ShapeError: other ranks, no frame, NaN, or a mask of other than whole numbers from 0.
    """
    config = config or PropagationConfig()
    _check(features, first_mask)
    n_frames, h, w, _ = features.shape
    unit = F.normalize(features.float().flatten(1, 2), dim=-1)  # (T, h*w, C)
    near = _neighbourhood(h, w, config.radius, features.device)  # (h*w, h*w)
    ids, index = torch.unique(first_mask, return_inverse=True)
    small = F.interpolate(index[None, None].float(), (h, w), mode="nearest")[0, 0].long()
    first = F.one_hot(small.flatten(), len(ids)).float()  # (h*w, K)
    recent: deque[tuple[Tensor, Tensor]] = deque(maxlen=config.recent_frames)
    masks = [first_mask.long()]
    for t in range(1, n_frames):
        sources = [(unit[0], first), *recent]
        labels = _vote(unit[t], sources, near, config)  # (h*w, K)
        recent.append((unit[t], labels))
        masks.append(ids[_to_full_size(labels.view(h, w, -1), first_mask.shape)].long())
    return torch.stack(masks)


def _vote(query: Tensor, sources: list[tuple[Tensor, Tensor]], near: Tensor, config: PropagationConfig) -> Tensor:
    """Soft labels (h*w, K) of one frame from (features, soft labels) of others."""
    cosine = torch.cat([query @ keys.T for keys, _ in sources], dim=1)  # (h*w, S*h*w)
    cosine = cosine.masked_fill(~near.repeat(1, len(sources)), -torch.inf)
    best, places = cosine.topk(min(config.top_k, cosine.shape[1]), dim=1)  # (h*w, k)
    # A location alone in a tiny neighbourhood has fewer than k to choose from; -inf then weighs nothing.
    weights = (best / config.temperature).softmax(dim=1)
    labels = torch.cat([label for _, label in sources])  # (S*h*w, K)
    return torch.einsum("qk,qkc->qc", weights, labels[places])


def _neighbourhood(h: int, w: int, radius: int | None, device: torch.device) -> Tensor:
    """(h*w, h*w) bool: which locations may give their labels to which."""
    rows, columns = torch.meshgrid(torch.arange(h, device=device), torch.arange(w, device=device), indexing="ij")
    far_rows = (rows.flatten()[:, None] - rows.flatten()).abs()
    far_columns = (columns.flatten()[:, None] - columns.flatten()).abs()
    reach = max(h, w) if radius is None else radius
    return torch.maximum(far_rows, far_columns) <= reach


def _to_full_size(labels: Tensor, size: torch.Size) -> Tensor:
    """(h, w, K) soft labels to (H, W) numbers; every label is first stretched to [0, 1], or else the ground, which is
    everywhere a little, would eat thin objects."""
    full = F.interpolate(labels.permute(2, 0, 1)[None], size, mode="bilinear", align_corners=False)[0]  # (K, H, W)
    low, high = full.flatten(1).min(dim=1).values, full.flatten(1).max(dim=1).values
    spread = (high - low).clamp_min(1e-12)[:, None, None]
    # A label that is nowhere stays at 0, one that is everywhere at 1.
    stretched = torch.where((high > low)[:, None, None], (full - low[:, None, None]) / spread, full)
    return stretched.argmax(dim=0)


def _check(features: Tensor, first_mask: Tensor) -> None:
    if features.ndim != 4 or 0 in features.shape or first_mask.ndim != 2 or 0 in first_mask.shape:
        raise ShapeError(
            f"expected features (T, h, w, C) and a mask (H, W), got {tuple(features.shape)}, {tuple(first_mask.shape)}"
        )
    if features.isnan().any():
        raise ShapeError("a feature is NaN")
    if first_mask.is_floating_point() or first_mask.dtype == torch.bool or int(first_mask.min()) < 0:
        raise ShapeError(f"a mask holds whole numbers from 0, got {first_mask.dtype}")
