"""Appearance vectors from a timm network in a folder, meant for Perception Encoder's picture side.

PE-Core: Bolya et al. 2025, arXiv 2504.13181; weights as published for timm, Apache-2.0. The folder's `config.json`
names the architecture and its pre-processing, so any timm network saved with `timm.models.save_for_hf` works.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import timm
import torch
from PIL import Image as PilImage
from timm.data import create_transform, resolve_model_data_config

from onlooker.errors import ConfigError, WeightsError
from onlooker.models.boxes import check_image
from onlooker.models.hub.loading import HubModel, load_part
from onlooker.types import FloatArray, Image


class PeCore(HubModel):
    """Appearance embedder from a hub name or a local folder in timm's format.

    Args:
        model: hub name or folder.
        revision: branch, tag or commit.
        offline: refuse the network.
        device: torch device.
        batch_size: pictures per forward pass.

    Raises:
        WeightsError: the model cannot be found, fetched or fitted.
    """

    def __init__(
        self,
        model: str,
        revision: str = "main",
        offline: bool = False,
        device: str = "cpu",
        batch_size: int = 16,
    ) -> None:
        if batch_size < 1:
            raise ConfigError(f"`batch_size` is at least 1, got {batch_size}")
        super().__init__(model, revision, offline, device)
        try:
            network = load_part(self._folder, lambda path: timm.create_model(f"local-dir:{path}", pretrained=True))
        except RuntimeError as error:
            raise WeightsError(f"the weights in `{self._folder.path}` do not fit the network: {error}") from error
        self._network = network.to(self._device).eval()
        self._transform = create_transform(**resolve_model_data_config(self._network), is_training=False)
        self._batch_size = batch_size
        with torch.inference_mode():
            probe = self._transform(PilImage.new("RGB", (32, 32)))[None].to(self._device)
            self._dim = int(self._network(probe).shape[-1])

    @property
    def dim(self) -> int:
        """Length of a vector: the size of the network's projection."""
        return self._dim

    def embed_images(self, images: Sequence[Image]) -> FloatArray:
        """(N, dim) float32 unit rows."""
        rows = [np.zeros((0, self.dim), np.float32)]
        for start in range(0, len(images), self._batch_size):
            chunk = images[start : start + self._batch_size]
            for image in chunk:
                check_image(image)
            batch = torch.stack([self._transform(PilImage.fromarray(image)) for image in chunk])
            with torch.inference_mode():
                features = self._network(batch.to(self._device)).float()
            rows.append(torch.nn.functional.normalize(features, dim=-1).cpu().numpy())
        return np.concatenate(rows)
