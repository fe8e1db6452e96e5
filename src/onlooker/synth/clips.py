"""Small video files made on the spot, with every oddity a real one may have."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from onlooker.types import Image

# Fine enough for every rate used here, and what phones use.
_TIME_BASE = Fraction(1, 90_000)


class Sound(NamedTuple):
    """(N,) float32 samples at 16 kHz and when they start."""

    samples: NDArray[np.float32]
    start_s: float = 0.0


def moving_squares(
    n_frames: int, size: tuple[int, int] = (64, 48), n_squares: int = 2, seed: int = 0, side: int | None = None
) -> list[Image]:
    """Bright squares gliding over a dim textured ground; the same for the same seed.

    Args:
        n_frames: pictures.
        size: (width, height).
        n_squares: squares, each in its own colour and direction, reflected at the borders.
        seed: chooses ground, colours, places and directions.
        side: of a square in pixels; a quarter of the smaller side of the picture when `None`.

    Returns:
        `n_frames` images (H, W, 3) uint8 RGB.
    """
    rng = np.random.default_rng(seed)
    width, height = size
    side = side or max(2, min(size) // 4)
    blocks = rng.integers(20, 100, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    ground = np.repeat(np.repeat(blocks, 8, axis=0), 8, axis=1)[:height, :width]
    colours = rng.integers(120, 256, (n_squares, 3), dtype=np.uint8)
    room = np.array([max(1, width - side), max(1, height - side)])
    start = rng.uniform(0, room, (n_squares, 2))
    step = rng.uniform(0.5, 2.0, (n_squares, 2)) * rng.choice([-1, 1], (n_squares, 2))
    images = []
    for k in range(n_frames):
        image = ground.copy()
        # Reflection at 0 and `room`: fold the straight path.
        places = np.abs((start + k * step + room) % (2 * room) - room).astype(int)
        for (x, y), colour in zip(places, colours, strict=True):
            image[y : y + side, x : x + side] = colour
        images.append(image)
    return images


def make_clip(
    path: str | Path,
    frames: Sequence[Image],
    times_s: Sequence[float] | None = None,
    rotation_deg: int = 0,
    sound: Sound | None = None,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
) -> Path:
    """Write a video file; the ending of `path` chooses the container.

    Args:
        path: file to write.
        frames: (H, W, 3) uint8 RGB, all of one size.
        times_s: when each frame is shown, increasing; 25 frames a second when `None`.
        rotation_deg: clockwise turn a player shall apply (0, 90, 180, 270), written as a display matrix.
        sound: a sound track, or `None` for a silent film.
        codec, pixel_format: as libavcodec names them, "libx264" and "yuv420p10le", "libvpx-vp9", "gif" and "rgb8".

    Returns:
        `path`.
    """
    path = Path(path)
    times_s = [k / 25 for k in range(len(frames))] if times_s is None else times_s
    options = {"movflags": "+faststart"} if path.suffix in {".mp4", ".mov"} else {}
    with av.open(f"file:{path}", "w", options=options) as container:
        video = container.add_stream(codec, rate=25)
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = pixel_format
        # GIF counts in hundredths whatever it is told.
        video.codec_context.time_base = Fraction(1, 100) if codec == "gif" else _TIME_BASE
        if rotation_deg:
            video.set_display_rotation(-rotation_deg)
        track = None if sound is None else container.add_stream(_sound_codec(path), rate=16_000, layout="mono")
        for time_s, image in zip(times_s, frames, strict=True):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            picture.pts, picture.time_base = round(time_s / _TIME_BASE), _TIME_BASE
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        if track is not None and sound is not None:
            _write_sound(container, track, sound)
    return path


def make_sound(path: str | Path, sound: Sound) -> Path:
    """Write a file with sound only."""
    path = Path(path)
    with av.open(f"file:{path}", "w") as container:
        stream = container.add_stream(_sound_codec(path), rate=16_000, layout="mono")
        _write_sound(container, stream, sound)
    return path


def tone(duration_s: float, frequency_hz: float = 440.0, level: float = 0.5) -> NDArray[np.float32]:
    """(N,) float32 sine at 16 kHz; its level is 20 log10(level / sqrt 2) dB."""
    t = np.arange(round(duration_s * 16_000)) / 16_000
    return (level * np.sin(2 * np.pi * frequency_hz * t)).astype(np.float32)


def _sound_codec(path: Path) -> str:
    return {".wav": "pcm_s16le", ".webm": "libopus", ".mkv": "pcm_f32le", ".mp3": "libmp3lame"}.get(path.suffix, "aac")


def _write_sound(container: av.container.OutputContainer, stream: av.audio.stream.AudioStream, sound: Sound) -> None:
    frame = av.AudioFrame.from_ndarray(sound.samples.reshape(1, -1), format="flt", layout="mono")
    frame.sample_rate = 16_000
    frame.pts, frame.time_base = round(sound.start_s * 16_000), Fraction(1, 16_000)
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
