"""Mask logits of SAM 2 for a grid of points, the teacher of borders in spatial alignment.

The model is that of transformers (`Sam2Model`); it is loaded when first asked, not when built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from onlooker.errors import ConfigError

if TYPE_CHECKING:
    from transformers import Sam2Model

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # what SAM 2 was trained with
_PROMPTS_AT_ONCE = 64


class SamTeacher:
    """Pictures to one mask-logit map per point of a regular grid. Frozen; no part of a task's weights.

    Args:
        model: hub name or folder ("facebook/sam2.1-hiera-large"), or a model at hand.
        points: along each axis; 32 in the paper.
    """

    def __init__(self, model: str | Sam2Model, points: int = 32) -> None:
        if points < 1:
            raise ConfigError(f"the grid has at least one point along each axis, got {points}")
        self._source, self._points = model, points
        self._model: Sam2Model | None = None

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) float in [-1, 1] to logits (B, points^2, h, w), prompts row by row, at the model's mask size."""
        model = self._on(images.device)
        size = int(model.config.vision_config.backbone_config.image_size[0])
        mean, std = (images.new_tensor(values).view(3, 1, 1) for values in (_MEAN, _STD))
        pixels = ((images + 1) / 2 - mean) / std
        pixels = F.interpolate(pixels, (size, size), mode="bilinear", antialias=True, align_corners=False)
        embeddings = model.get_image_embeddings(pixels)
        grid = point_grid(self._points, size).to(images.device)  # (P, 2)
        maps = []
        for part in torch.split(grid, _PROMPTS_AT_ONCE):
            prompts = part[None, :, None].expand(len(images), -1, -1, -1)  # (B, p, 1, 2)
            found = model(
                image_embeddings=embeddings,
                input_points=prompts,
                input_labels=torch.ones_like(prompts[..., 0], dtype=torch.int64),
                multimask_output=False,
            )
            maps.append(found.pred_masks[:, :, 0])  # (B, p, h, w)
        return torch.cat(maps, dim=1)

    def _on(self, device: torch.device) -> Sam2Model:
        if self._model is None:
            from transformers import Sam2Model

            found = Sam2Model.from_pretrained(self._source) if isinstance(self._source, str) else self._source
            self._model = found.eval().requires_grad_(False)
        return self._model.to(device)


def point_grid(points: int, size_px: int) -> Tensor:
    """(points^2, 2) x and y in pixels of a square picture, centres of equal cells, row by row."""
    along = (torch.arange(points) + 0.5) * size_px / points
    y, x = torch.meshgrid(along, along, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=-1)
