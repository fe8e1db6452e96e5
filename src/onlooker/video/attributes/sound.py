"""What is heard: speech as text, and sounds with their level. A video without audio gives a finished run of no rows."""

from __future__ import annotations

from onlooker.media.audio import SAMPLE_RATE, read_audio
from onlooker.types import SoundSegment, SpeechSegment
from onlooker.video.attributes.registry import AnnotatorSpec, Context, ModelHandle, Output, Row, clean_text
from onlooker.video.protocols import SoundTagger, Transcriber, Waveform
from onlooker.video.store import schema


class Speech:
    """Words heard, into `base_speech`."""

    def __init__(self, model: ModelHandle[Transcriber]) -> None:
        self._model = model

    @property
    def spec(self) -> AnnotatorSpec:
        model = self._model
        return AnnotatorSpec("speech", "1", "audio", tables=(schema.SPEECH,), role=model.role, model=model.fingerprint)

    def run(self, context: Context) -> Output:
        waveform = _waveform(context)
        if waveform is None:
            return Output()
        segments = self._model.get().transcribe(waveform)
        context.report(1, 1)
        rows = [_speech_row(segment, text) for segment in segments if (text := clean_text(segment.text))]
        return Output({schema.SPEECH: rows})


class Sounds:
    """Stretches of sound with their level, into `base_sounds`."""

    def __init__(self, model: ModelHandle[SoundTagger]) -> None:
        self._model = model

    @property
    def spec(self) -> AnnotatorSpec:
        model = self._model
        return AnnotatorSpec("sound", "1", "audio", tables=(schema.SOUNDS,), role=model.role, model=model.fingerprint)

    def run(self, context: Context) -> Output:
        waveform = _waveform(context)
        if waveform is None:
            return Output()
        segments = self._model.get().tag_sound(waveform)
        context.report(1, 1)
        return Output({schema.SOUNDS: [_sound_row(segment) for segment in segments]})


def _waveform(context: Context) -> Waveform | None:
    """The whole sound track, or `None` without one."""
    if not context.video.has_audio:
        return None
    context.report(0, 1)
    waveform = read_audio(context.video.path)
    return waveform if waveform is not None and len(waveform) >= SAMPLE_RATE // 100 else None


def _speech_row(segment: SpeechSegment, text: str) -> Row:
    confidence = min(1.0, max(0.0, segment.confidence))
    return {"start_s": segment.start_s, "end_s": segment.end_s, "text": text, "confidence": confidence}


def _sound_row(segment: SoundSegment) -> Row:
    return {
        "start_s": segment.start_s,
        "end_s": segment.end_s,
        "label": clean_text(segment.label, 80),
        "score": min(1.0, max(0.0, segment.score)),
        "level_db": segment.level_db,
    }
