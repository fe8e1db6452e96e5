"""Describes pictures with a small vision-language model: SmolVLM2, LLaVA-OneVision, or another with a chat template.

SmolVLM: Marafioti et al. 2025, arXiv 2504.05299. LLaVA-OneVision: Li et al. 2024, arXiv 2408.03326. Decoding is greedy:
the same picture always gets the same sentence.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image as PilImage
from transformers import AutoModelForImageTextToText, AutoProcessor

from onlooker.errors import ConfigError
from onlooker.models.boxes import check_image
from onlooker.models.hub.loading import HubModel, load_network, load_part
from onlooker.types import Image

DEFAULT_PROMPT = "Describe what this picture shows in one plain sentence. Do not guess names or intentions."


class ChatCaptioner(HubModel):
    """Captioner from a hub name or a local folder.

    Args:
        model: hub name or folder.
        revision: branch, tag or commit.
        offline: refuse the network.
        device: torch device.
        max_tokens: upper bound of a caption's length.

    Raises:
        ConfigError: the model has no chat template.
        WeightsError: the model cannot be found, fetched or fitted.
    """

    def __init__(
        self,
        model: str,
        revision: str = "main",
        offline: bool = False,
        device: str = "cpu",
        max_tokens: int = 64,
    ) -> None:
        if max_tokens < 1:
            raise ConfigError(f"`max_tokens` is at least 1, got {max_tokens}")
        super().__init__(model, revision, offline, device)
        self._processor = load_part(self._folder, AutoProcessor.from_pretrained)
        if getattr(self._processor, "chat_template", None) is None:
            raise ConfigError(f"`{self._folder.name}` has no chat template, so it cannot be asked for a caption")
        self._network = load_network(self._folder, AutoModelForImageTextToText, self._device)
        self._max_tokens = max_tokens

    def caption(self, images: Sequence[Image], prompt: str | None = None) -> list[str]:
        """One sentence per RGB image; `prompt` asks something else of each."""
        return [self._caption_one(image, prompt or DEFAULT_PROMPT) for image in images]

    def _caption_one(self, image: Image, prompt: str) -> str:
        check_image(image)
        turn = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": prompt}]}
        text = self._processor.apply_chat_template([turn], add_generation_prompt=True)
        inputs = self._processor(images=[PilImage.fromarray(image)], text=text, return_tensors="pt")
        with torch.inference_mode():
            output = self._network.generate(**inputs.to(self._device), max_new_tokens=self._max_tokens, do_sample=False)
        answer = output[0, inputs["input_ids"].shape[1] :]
        decoded: str = self._processor.tokenizer.decode(answer, skip_special_tokens=True)
        return " ".join(decoded.split())
