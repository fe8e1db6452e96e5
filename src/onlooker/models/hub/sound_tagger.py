"""Names sounds with the Audio Spectrogram Transformer or another transformers audio classifier.

AST: Gong et al. 2021, arXiv 2104.01778; trained on AudioSet's 527 kinds of sound, several of which may be heard at
once. The network hears ten seconds at most: the waveform is cut into windows, and neighbouring windows with the same
label are joined.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

from onlooker.errors import ConfigError, ShapeError
from onlooker.models.hub.loading import HubModel, load_network, load_part
from onlooker.types import FloatArray, SoundSegment

SAMPLE_RATE = 16_000
_FLOOR_DB = -100.0


class AudioSpectrogramTagger(HubModel):
    """Sound tagger from a hub name or a local folder.

    Args:
        model: hub name or folder.
        revision: branch, tag or commit.
        offline: refuse the network.
        device: torch device.
        threshold: labels below this probability are dropped; AudioSet's are low by habit.
        window_s: length of one look; also the precision of the segments' ends.
        silence_db: windows quieter than this are not looked at.

    Raises:
        WeightsError: the model cannot be found, fetched or fitted.
    """

    def __init__(
        self,
        model: str,
        revision: str = "main",
        offline: bool = False,
        device: str = "cpu",
        threshold: float = 0.2,
        window_s: float = 5.0,
        silence_db: float = -60.0,
    ) -> None:
        if not 0 < threshold < 1 or not 0.5 <= window_s <= 10.24:
            raise ConfigError(
                f"`threshold` lies between 0 and 1 and `window_s` in [0.5, 10.24], got {threshold}, {window_s}"
            )
        super().__init__(model, revision, offline, device)
        self._features = load_part(self._folder, AutoFeatureExtractor.from_pretrained)
        self._network = load_network(self._folder, AutoModelForAudioClassification, self._device)
        self._threshold, self._window_s, self._silence_db = threshold, window_s, silence_db
        self._labels: dict[int, str] = self._network.config.id2label

    def tag_sound(self, waveform: NDArray[np.float32]) -> list[SoundSegment]:
        """Segments by start, then by falling score; different labels may overlap. Silence gives none.

        Args:
            waveform: (N,) float32 mono at 16 kHz in [-1, 1].

        Raises:
            ShapeError: if the waveform is not one-dimensional or holds NaN or infinity.
        """
        if waveform.ndim != 1 or not np.all(np.isfinite(waveform)):
            raise ShapeError(f"a waveform is (N,) finite samples, got {waveform.shape}")
        size = round(self._window_s * SAMPLE_RATE)
        found: list[SoundSegment] = []
        for start in range(0, len(waveform), size):
            window = waveform[start : start + size]
            level = level_db(window)
            if level < self._silence_db:
                continue
            scores = self._score(window)
            for index in np.flatnonzero(scores >= self._threshold).tolist():
                end_s = (start + len(window)) / SAMPLE_RATE
                found.append(SoundSegment(start / SAMPLE_RATE, end_s, self._labels[index], float(scores[index]), level))
        return join_neighbours(found)

    def _score(self, window: NDArray[np.float32]) -> FloatArray:
        """(K,) probability of every label."""
        inputs = self._features(window, sampling_rate=SAMPLE_RATE, return_tensors="pt")
        with torch.inference_mode():
            logits = self._network(**inputs.to(self._device)).logits[0]
        scores: FloatArray = logits.float().sigmoid().cpu().numpy()
        return scores


def level_db(waveform: NDArray[np.float32]) -> float:
    """Mean level in dB relative to full scale, at least -100."""
    power = float(np.mean(waveform.astype(np.float64) ** 2)) if len(waveform) else 0.0
    return float(10 * np.log10(max(power, 10 ** (_FLOOR_DB / 10))))


def join_neighbours(segments: list[SoundSegment]) -> list[SoundSegment]:
    """Joins segments of one label that touch; score is the larger, the level is the mean by duration."""
    open_by_label: dict[str, SoundSegment] = {}
    done: list[SoundSegment] = []
    for segment in segments:
        before = open_by_label.get(segment.label)
        if before is not None and segment.start_s - before.end_s < 1e-6:
            lengths = np.array([before.end_s - before.start_s, segment.end_s - segment.start_s])
            level = float(np.average([before.level_db, segment.level_db], weights=lengths))
            score = max(before.score, segment.score)
            open_by_label[segment.label] = SoundSegment(before.start_s, segment.end_s, segment.label, score, level)
        else:
            done += [before] if before is not None else []
            open_by_label[segment.label] = segment
    return sorted([*done, *open_by_label.values()], key=lambda s: (s.start_s, -s.score, s.label))
