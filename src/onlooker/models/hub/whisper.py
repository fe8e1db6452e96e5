"""Writes down speech in many languages with a Whisper model through transformers.

Whisper: Radford et al. 2022, arXiv 2212.04356. Silero's voice detector cuts the sound track into stretches of voice of
at most half a minute first: the network never hears silence, which it would fill with invented sentences, and every
segment has honest times.
"""

from __future__ import annotations

import numpy as np
import torch
from faster_whisper.vad import VadOptions, get_speech_timestamps
from numpy.typing import NDArray
from transformers import AutoModelForSpeechSeq2Seq, AutoProcessor

from onlooker.errors import ConfigError, ShapeError
from onlooker.models.hub.loading import HubModel, load_network, load_part
from onlooker.types import SpeechSegment

SAMPLE_RATE = 16_000


class HubWhisper(HubModel):
    """Transcriber from a hub name or a local folder.

    Args:
        model: hub name or folder.
        revision: branch, tag or commit.
        offline: refuse the network.
        device: torch device.
        language: language code such as "en"; the model guesses per stretch when `None`.
        min_logprob: stretches whose mean log probability per token is lower are dropped.

    Raises:
        WeightsError: the model cannot be found, fetched or fitted.
    """

    def __init__(
        self,
        model: str,
        revision: str = "main",
        offline: bool = False,
        device: str = "cpu",
        language: str | None = None,
        min_logprob: float = -1.0,
    ) -> None:
        super().__init__(model, revision, offline, device)
        self._processor = load_part(self._folder, AutoProcessor.from_pretrained)
        self._network = load_network(self._folder, AutoModelForSpeechSeq2Seq, self._device)
        if language is not None and not self._network.generation_config.is_multilingual:
            raise ConfigError(f"`{self._folder.name}` knows English only; leave `language` out")
        settings = self._network.generation_config
        settings.do_sample, settings.return_dict_in_generate, settings.output_scores = False, True, True
        self._language, self._min_logprob = language, min_logprob

    def transcribe(self, waveform: NDArray[np.float32]) -> list[SpeechSegment]:
        """One segment per stretch of voice, in time order; empty when nobody speaks.

        Args:
            waveform: (N,) float32 mono at 16 kHz in [-1, 1].

        Raises:
            ShapeError: if the waveform is not one-dimensional or holds NaN or infinity.
        """
        if waveform.ndim != 1 or not np.all(np.isfinite(waveform)):
            raise ShapeError(f"a waveform is (N,) finite samples, got {waveform.shape}")
        if len(waveform) == 0:
            return []
        options = VadOptions(max_speech_duration_s=28, min_silence_duration_ms=500, min_speech_duration_ms=250)
        segments = []
        for stretch in get_speech_timestamps(waveform, options):
            text, logprob = self.write_down(waveform[stretch["start"] : stretch["end"]])
            if logprob >= self._min_logprob and any(character.isalnum() for character in text):
                start_s, end_s = stretch["start"] / SAMPLE_RATE, stretch["end"] / SAMPLE_RATE
                segments.append(SpeechSegment(start_s, end_s, text, float(np.exp(min(0.0, logprob)))))
        return segments

    def write_down(self, stretch: NDArray[np.float32]) -> tuple[str, float]:
        """Text of at most 30 s of voice and its mean log probability per token."""
        features = self._processor.feature_extractor(
            stretch, sampling_rate=SAMPLE_RATE, return_tensors="pt", return_attention_mask=True
        ).to(self._device)
        chosen = {"language": self._language, "task": "transcribe"} if self._language is not None else {}
        with torch.inference_mode():
            output = self._network.generate(**features, **chosen)
        scores = self._network.compute_transition_scores(output.sequences, output.scores, normalize_logits=True)
        finite = scores[torch.isfinite(scores)]
        text: str = self._processor.batch_decode(output.sequences, skip_special_tokens=True)[0]
        return text.strip(), float(finite.mean()) if len(finite) else float("-inf")
