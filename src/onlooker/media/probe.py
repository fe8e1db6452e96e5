"""What a video file says about itself, checked by decoding its first frame."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

from onlooker.errors import DecodeError
from onlooker.media.container import Damage, decoded_frames, open_container, video_stream
from onlooker.media.orientation import Orientation
from onlooker.types import VideoInfo


def probe(path: str | Path) -> VideoInfo:
    """Size (after rotation), rate, promised length and codec of a video file.

    `rotation_deg` is the clockwise turn that makes the stored pixels upright. Pixels are counted as stored:
    a pixel aspect ratio other than 1:1 is not applied, so that boxes stay whole pixels of the decoded picture.

    Raises:
        NotAVideoError: missing file, folder, empty, text, a picture, audio only, unknown codec.
        DecodeError: a video stream of which not one frame can be decoded.
    """
    with open_container(path) as container:
        stream = video_stream(container, path)
        frame = first_frame(container, stream, path)
        orientation = orientation_of(frame)
        width, height = orientation.size(frame.width, frame.height)
        return VideoInfo(
            path=str(path),
            width=width,
            height=height,
            fps=frame_rate(stream),
            duration_s=promised_duration_s(container, stream),
            n_frames=int(stream.frames) or None,
            has_audio=any(s.codec_context is not None for s in container.streams.audio),
            codec=str(stream.codec_context.name),
            container=str(container.format.name),
            pixel_format=str(frame.format.name),
            rotation_deg=orientation.rotation_deg,
        )


def first_frame(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, path: str | Path
) -> av.VideoFrame:
    """The first frame that decodes; damaged packets before it are passed over.

    Raises:
        DecodeError: none does.
    """
    damage = Damage()
    frame = next(decoded_frames(container, stream, damage), None)
    if frame is None:
        raise no_frame_error(path, damage)
    return frame


def no_frame_error(path: str | Path, damage: Damage) -> DecodeError:
    """The error for a stream of which nothing could be decoded."""
    reason = damage.reason or "it ends before the first frame"
    return DecodeError(f"not one frame of `{path}` can be decoded ({reason}); the file is damaged, copy it again")


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """How the pixels of a decoded frame must be turned, from its display matrix."""
    side_data = frame.side_data.get("DISPLAYMATRIX")
    return Orientation() if side_data is None else Orientation.from_display_matrix(bytes(side_data))


def frame_rate(stream: av.video.stream.VideoStream) -> float | None:
    """Average frames per second as the container tells it, `None` when it does not or tells nonsense."""
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate is not None and 0 < rate <= 1000:
            return float(rate)
    return None


def promised_duration_s(container: av.container.InputContainer, stream: av.video.stream.VideoStream) -> float | None:
    """Length of the video stream in seconds as the container tells it."""
    exact = stream_duration_s(stream)
    if exact is not None:
        return exact
    if container.duration is None or container.duration <= 0:
        return None
    end_s = Fraction((container.start_time or 0) + container.duration, av.time_base)
    start_s = (stream.start_time or 0) * stream.time_base if stream.time_base else 0
    length_s = float(end_s - start_s)
    return length_s if length_s > 0 else None


def stream_duration_s(stream: av.video.stream.VideoStream) -> float | None:
    """Length of this very stream: unlike the container's length, a longer audio track does not count."""
    if stream.duration is not None and stream.time_base and stream.duration > 0:
        return float(stream.duration * stream.time_base)
    told_s = _matroska_duration_s(stream.metadata.get("DURATION", ""))
    if told_s is None or any(key.startswith("_STATISTICS") for key in stream.metadata):
        return told_s
    # FFmpeg's tag is the second at which the stream ends; that of mkvmerge, which adds others, is the length.
    start_s = float((stream.start_time or 0) * (stream.time_base or 0))
    return told_s - start_s if 0 < start_s < told_s else told_s


def _matroska_duration_s(text: str) -> float | None:
    """Seconds of Matroska's per-stream tag, "00:00:05.280000000"."""
    parts = text.replace("\x00", "").strip().split(":")
    if len(parts) != 3:
        return None
    try:
        hours, minutes, seconds = (float(part) for part in parts)
    except ValueError:
        return None
    total_s = hours * 3600 + minutes * 60 + seconds
    return total_s if 0 < total_s < float("inf") else None
