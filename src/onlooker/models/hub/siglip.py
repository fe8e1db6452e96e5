"""Pictures and text in one vector space, with SigLIP 2 or another transformers model of the same interface.

SigLIP (Zhai et al. 2023, arXiv 2303.15343; SigLIP 2: Tschannen et al. 2025, arXiv 2502.14786) trains a picture and a
text encoder so that matching pairs have a large inner product. Text is lower case and padded to 64 tokens, as in
training: shorter padding moves the vectors.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

from onlooker.errors import ConfigError
from onlooker.models.boxes import check_image
from onlooker.models.hub.loading import HubModel, load_network, load_part
from onlooker.types import FloatArray, Image

_MAX_TOKENS = 64


class SigLip(HubModel):
    """Appearance and text embedder in one space.

    Args:
        model: hub name or folder.
        revision: branch, tag or commit.
        offline: refuse the network.
        device: torch device.
        batch_size: pictures or texts per forward pass.

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
        self._images = load_part(self._folder, AutoImageProcessor.from_pretrained)
        self._tokenizer = load_part(self._folder, AutoTokenizer.from_pretrained)
        self._network = load_network(self._folder, AutoModel, self._device)
        self._batch_size = batch_size

    @property
    def dim(self) -> int:
        """Length of a vector."""
        size: int = self._network.config.vision_config.hidden_size
        return size

    @property
    def similarity_scale(self) -> float:
        """Factor of cosines between pictures and texts that was learned with them."""
        return float(self._network.logit_scale.detach().exp())

    def embed_images(self, images: Sequence[Image]) -> FloatArray:
        """(N, dim) float32 unit rows."""
        rows = [np.zeros((0, self.dim), np.float32)]
        for start in range(0, len(images), self._batch_size):
            chunk = list(images[start : start + self._batch_size])
            for image in chunk:
                check_image(image)
            inputs = self._images(images=chunk, input_data_format="channels_last", return_tensors="pt")
            with torch.inference_mode():
                rows.append(_unit(self._network.get_image_features(**inputs.to(self._device)).pooler_output))
        return np.concatenate(rows)

    def embed_texts(self, texts: Sequence[str]) -> FloatArray:
        """(N, dim) float32 unit rows.

        Raises:
            ConfigError: if handed one string instead of a sequence, which would embed its letters.
        """
        if isinstance(texts, str):
            raise ConfigError("`embed_texts` takes a list of texts, got one string; pass `[text]`")
        rows = [np.zeros((0, self.dim), np.float32)]
        for start in range(0, len(texts), self._batch_size):
            inputs = self._tokenizer(
                [text.lower() for text in texts[start : start + self._batch_size]],
                padding="max_length",
                truncation=True,
                max_length=_MAX_TOKENS,
                return_tensors="pt",
            )
            with torch.inference_mode():
                ids = inputs["input_ids"].to(self._device)
                rows.append(_unit(self._network.get_text_features(input_ids=ids).pooler_output))
        return np.concatenate(rows)


def _unit(features: Tensor) -> FloatArray:
    result: FloatArray = torch.nn.functional.normalize(features.float(), dim=-1).cpu().numpy()
    return result
