"""Writes down English speech with Whisper tiny.en, and stays silent when nobody speaks.

Whisper (Radford et al. 2022, arXiv 2212.04356) in CTranslate2 with int8 arithmetic through faster-whisper; weights
`openai/whisper-tiny.en`, MIT. Whisper invents sentences when it is handed silence or music, so three gates stand around
it: Silero's voice detector (MIT, in the faster-whisper wheel) removes what is not a voice; earlier text never
conditions later text, so an invention cannot repeat itself; and segments the network itself doubts are dropped.
Decoding is greedy-beam at temperature zero: the usual fallback samples, and the same file would give two transcripts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.vad import VadOptions
from numpy.typing import NDArray

from onlooker.errors import ConfigError, ShapeError
from onlooker.types import SpeechSegment
from onlooker.weights.bundled import SILERO_VAD, WHISPER_CONFIG, WHISPER_TOKENIZER, WHISPER_VOCABULARY, WHISPER_WEIGHTS
from onlooker.weights.verify import verified_path

SAMPLE_RATE = 16_000
_MIN_SAMPLES = SAMPLE_RATE // 10
"""Less than a tenth of a second cannot hold a word (ours)."""
_PIECE_SAMPLES = 300 * SAMPLE_RATE
_CUT_SAMPLES = 30 * SAMPLE_RATE
_CUT_WINDOW = SAMPLE_RATE // 2
"""Longest piece, the stretch at its end in which a quiet place is looked for, and how long that place is (ours)."""
_SENTENCE_ENDS = (".", "?", "!")


class Word(Protocol):
    """What this module reads of faster-whisper's words."""

    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...
    @property
    def word(self) -> str: ...
    @property
    def probability(self) -> float: ...


class WhisperTiny:
    """Whisper tiny.en.

    Args:
        beam_size: hypotheses kept while decoding; 1 is faster and a little worse.
        voice_threshold: probability above which the voice detector believes in a voice.
        min_logprob: segments whose mean log probability per token is lower are dropped.
        max_compression: segments whose text compresses better than this repeat themselves and are dropped.
        max_no_speech: segments the network calls "no speech" with more than this probability are dropped.
        threads: CPU threads; 0 leaves the choice to CTranslate2.

    Raises:
        WeightsError: if the weights are not installed or were altered.
    """

    def __init__(
        self,
        beam_size: int = 5,
        voice_threshold: float = 0.5,
        min_logprob: float = -1.0,
        max_compression: float = 2.4,
        max_no_speech: float = 0.6,
        threads: int = 0,
    ) -> None:
        if beam_size < 1 or not 0 < voice_threshold < 1:
            raise ConfigError(
                f"`beam_size` is at least 1 and `voice_threshold` between 0 and 1, got {beam_size}, {voice_threshold}"
            )
        for file in (SILERO_VAD, WHISPER_CONFIG, WHISPER_TOKENIZER, WHISPER_VOCABULARY):
            verified_path(file)
        folder = verified_path(WHISPER_WEIGHTS).parent
        self._model = WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )
        self._beam_size, self._voice_threshold = beam_size, voice_threshold
        self._min_logprob, self._max_compression, self._max_no_speech = min_logprob, max_compression, max_no_speech

    @property
    def name(self) -> str:
        return "whisper-tiny.en"

    @property
    def version(self) -> str:
        return WHISPER_WEIGHTS.sha256[:8]

    def transcribe(self, waveform: NDArray[np.float32]) -> list[SpeechSegment]:
        """One segment per sentence, in time order; empty when nobody speaks.

        Args:
            waveform: (N,) float32 mono at 16 kHz in [-1, 1].

        Raises:
            ShapeError: if the waveform is not one-dimensional or holds NaN or infinity.
        """
        if waveform.ndim != 1 or not np.all(np.isfinite(waveform)):
            raise ShapeError(f"a waveform is (N,) finite samples, got {waveform.shape}")
        spoken: list[SpeechSegment] = []
        for start, piece in quiet_pieces(waveform):
            if len(piece) >= _MIN_SAMPLES:
                spoken += [_later(segment, start / SAMPLE_RATE) for segment in self._transcribe_piece(piece)]
        return spoken

    def _transcribe_piece(self, waveform: NDArray[np.float32]) -> list[SpeechSegment]:
        segments, _ = self._model.transcribe(
            waveform.astype(np.float32, copy=False),
            language="en",
            beam_size=self._beam_size,
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
            vad_filter=True,
            vad_parameters=VadOptions(threshold=self._voice_threshold, min_speech_duration_ms=250),
        )
        kept = []
        for segment in segments:
            if self._is_trusted(segment.avg_logprob, segment.compression_ratio, segment.no_speech_prob):
                kept += sentences(segment.words or ())
        return kept

    def _is_trusted(self, logprob: float, compression: float, no_speech: float) -> bool:
        return (
            logprob >= self._min_logprob and compression <= self._max_compression and no_speech <= self._max_no_speech
        )


def quiet_pieces(waveform: NDArray[np.float32]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """(first sample, samples) of pieces of at most five minutes, cut where it is quietest.

    The features of a piece are in memory at once: a whole hour of them takes gigabytes.
    """
    start = 0
    while len(waveform) - start > _PIECE_SAMPLES:
        tail = waveform[start + _PIECE_SAMPLES - _CUT_SAMPLES : start + _PIECE_SAMPLES]
        windows = np.abs(tail[: len(tail) // _CUT_WINDOW * _CUT_WINDOW]).reshape(-1, _CUT_WINDOW).mean(axis=1)
        quietest = int(np.argmin(windows)) * _CUT_WINDOW + _CUT_WINDOW // 2
        end = start + _PIECE_SAMPLES - _CUT_SAMPLES + quietest
        yield start, waveform[start:end]
        start = end
    yield start, waveform[start:]


def _later(segment: SpeechSegment, by_s: float) -> SpeechSegment:
    return replace(segment, start_s=segment.start_s + by_s, end_s=segment.end_s + by_s)


def sentences(words: Iterable[Word]) -> list[SpeechSegment]:
    """Words grouped into sentences, so that a quotation points at its own seconds; confidence is the mean of words."""
    result: list[SpeechSegment] = []
    current: list[Word] = []
    for word in words:
        current.append(word)
        if word.word.rstrip().endswith(_SENTENCE_ENDS):
            result += _one_segment(current)
            current = []
    return result + _one_segment(current)


def _one_segment(words: Sequence[Word]) -> list[SpeechSegment]:
    text = "".join(word.word for word in words).strip()
    if not any(character.isalnum() for character in text):
        return []
    confidence = float(np.clip(np.mean([word.probability for word in words]), 0, 1))
    return [SpeechSegment(float(words[0].start), float(words[-1].end), text, confidence)]
