"""Sound of a video as 16 kHz mono, on the video's clock: sample k is heard at k / 16000 seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import av
import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ConfigError
from onlooker.media.container import Damage, decoded_frames, is_moving_picture, open_container

SAMPLE_RATE = 16_000
SILENCE_DB = -100.0
# Stamps of audio jitter by a few milliseconds; only a longer hole is filled or overlap cut. Ours.
_TOLERANCE_S = 0.05
# A hole longer than this is a broken stamp rather than silence. Ours.
_LONGEST_HOLE_S = 600.0

Waveform = NDArray[np.float32]


def read_audio(path: str | Path) -> Waveform | None:
    """The whole sound track, (N,) float32 in [-1, 1], 16 kHz mono; `None` when the file has none.

    An hour takes 230 MB; use `iter_audio` to work in pieces.

    Raises:
        NotAVideoError: the file is no media file.
    """
    pieces = list(iter_audio(path))
    return np.concatenate(pieces) if pieces else None


def iter_audio(path: str | Path, chunk_s: float = 30.0) -> Iterator[Waveform]:
    """The sound track in consecutive pieces of `chunk_s` seconds (the last one shorter); none when there is no sound.

    Sample 0 is at second 0 of the video's clock: a track that starts late is led in by silence, one that starts early
    is cut; holes are silent. A damaged tail ends the track where it breaks.

    Raises:
        NotAVideoError: the file is no media file.
        ConfigError: `chunk_s` is not positive.
    """
    if chunk_s <= 0:
        raise ConfigError(f"`chunk_s` must be positive, got {chunk_s}")
    size = max(1, round(chunk_s * SAMPLE_RATE))
    waiting: list[Waveform] = []
    n_waiting = 0
    for piece in aligned_sound(path, SAMPLE_RATE, "mono"):
        waiting.append(piece[0])
        n_waiting += piece.shape[1]
        while n_waiting >= size:
            joined = np.concatenate(waiting)
            yield joined[:size]
            waiting, n_waiting = [joined[size:]], n_waiting - size
    if n_waiting:
        yield np.concatenate(waiting)


def levels(waveform: Waveform, step_s: float = 0.1) -> NDArray[np.float32]:
    """Loudness per step in dB relative to full scale (a full-scale square wave is 0), never below -100.

    Args:
        waveform: (N,) float32, 16 kHz mono.
        step_s: length of a step.

    Returns:
        (ceil(N / (step_s * 16000)),) float32; the last step may cover less.
    """
    if step_s <= 0:
        raise ConfigError(f"`step_s` must be positive, got {step_s}")
    size = max(1, round(step_s * SAMPLE_RATE))
    if len(waveform) == 0:
        return np.zeros(0, np.float32)
    starts = np.arange(0, len(waveform), size)
    energy = np.add.reduceat(waveform.astype(np.float64) ** 2, starts)
    counts = np.diff(np.append(starts, len(waveform)))
    power = np.maximum(energy / counts, 10 ** (SILENCE_DB / 10))
    return (10 * np.log10(power)).astype(np.float32)


def aligned_sound(path: str | Path, rate: int, layout: Literal["mono", "stereo"]) -> Iterator[NDArray[np.float32]]:
    """The first sound track in pieces of (channels, n) float32 that follow each other from second 0 of the video.

    Each piece is put where its stamp says: holes are filled with silence, overlaps cut. Nothing comes when there is
    no sound track.

    Raises:
        NotAVideoError: the file is no media file.
    """
    with open_container(path) as container:
        streams = [s for s in container.streams.audio if s.codec_context is not None]
        if not streams:
            return
        origin_s = _origin_s(container, streams[0])
        n_out = 0
        for piece_s, samples in _resampled(container, streams[0], rate, layout):
            hole = 0 if piece_s is None else round((piece_s - origin_s) * rate) - n_out
            if abs(hole) <= _TOLERANCE_S * rate and n_out:
                hole = 0
            if 0 < hole <= _LONGEST_HOLE_S * rate:
                yield np.zeros((len(samples), hole), np.float32)
                n_out += hole
            kept = samples[:, -hole:] if hole < 0 else samples
            if kept.shape[1]:
                yield kept
                n_out += kept.shape[1]


def _resampled(
    container: av.container.InputContainer, stream: av.audio.stream.AudioStream, rate: int, layout: str
) -> Iterator[tuple[float | None, NDArray[np.float32]]]:
    """(time of the first sample on the container's clock, samples) in decoding order."""
    resampler: av.AudioResampler | None = None
    found: tuple[str, str, int] | None = None
    for frame in decoded_frames(container, stream, Damage()):
        # A resampler is made for one kind of input; streams may change theirs midway.
        if found != (frame.format.name, frame.layout.name, frame.sample_rate):
            found = (frame.format.name, frame.layout.name, frame.sample_rate)
            yield from _outputs(resampler, None)
            resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
        yield from _outputs(resampler, frame)
    yield from _outputs(resampler, None)


def _outputs(
    resampler: av.AudioResampler | None, frame: av.AudioFrame | None
) -> Iterator[tuple[float | None, NDArray[np.float32]]]:
    if resampler is None:
        return
    for output in resampler.resample(frame):
        # Damaged float audio may hold anything, and lossy codecs overshoot.
        samples = np.nan_to_num(output.to_ndarray(), nan=0.0, posinf=1.0, neginf=-1.0)
        yield output.time, np.clip(samples, -1.0, 1.0).astype(np.float32, copy=False)


def _origin_s(container: av.container.InputContainer, audio: av.audio.stream.AudioStream) -> float:
    """Second 0 of the video's clock on the container's clock; of the sound itself where there is no video."""
    videos = [s for s in container.streams.video if is_moving_picture(s)]
    stream = videos[0] if videos else audio
    if stream.start_time is None or stream.time_base is None:
        return 0.0
    return float(stream.start_time * stream.time_base)
