"""Writing H.264 mp4 that plays everywhere: true times, sound carried over, whole files or none."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from onlooker.errors import MediaError, ShapeError, StorageFullError
from onlooker.media.audio import aligned_sound
from onlooker.types import Image

# Fine enough for any frame rate, and a multiple of 24, 25, 30 and 60 so that common rates are exact.
_TICKS_PER_S = 90_000
_AAC_RATE = 48_000
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class VideoWriter:
    """Writes RGB frames with their own times to an mp4 file (H.264, yuv420p, index in front).

    The file appears under its name only when `close` succeeded (leaving a `with` block without an error): a reader
    never sees half a video, an older file of that name stays until then, and nothing is left behind on an error.

    Args:
        path: file to write; its folder must exist.
        size: (width, height) of the frames. Odd sizes are cropped by one pixel: yuv420p has none.
        audio_from: a media file whose first sound track is carried over (as AAC), or `None`.
        audio_start_s: second of that file which is second 0 of this one, for excerpts.
        crf: quality, 0 (perfect) to 51; 20 looks like the original.
        fps_hint: usual rate, told to players; times of frames count, not this.

    Raises:
        StorageFullError: the disk is full.
        MediaError: the file cannot be written, or `audio_from` cannot be opened.
    """

    def __init__(
        self,
        path: str | Path,
        size: tuple[int, int],
        audio_from: str | Path | None = None,
        audio_start_s: float = 0.0,
        crf: int = 20,
        fps_hint: float = 25.0,
    ) -> None:
        self.path = Path(path)
        self.size = size
        if min(size) < 2:
            raise ShapeError(f"a video frame is at least 2x2, got {size[0]}x{size[1]}")
        self._last_tick: int | None = None
        self._step_ticks = max(1, round(_TICKS_PER_S / fps_hint))
        temporary = _temporary_beside(self.path)
        self._container = av.open(f"file:{temporary}", "w", format="mp4", options={"movflags": "+faststart"})
        self._temporary: Path | None = temporary
        with self._cleaned_up_on_error(), _storage_errors(self.path):
            temporary.touch()  # libav would notice a missing folder only at the first frame
            self._video = _h264_stream(self._container, size, crf, fps_hint)
            self._sound = None if audio_from is None else _SoundTrack(self._container, audio_from, audio_start_s)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def write(self, image: Image, time_s: float) -> None:
        """Add a frame.

        Args:
            image: (H, W, 3) uint8 RGB of the writer's size.
            time_s: seconds from the start of the video, greater than that of the frame before.

        Raises:
            ShapeError: wrong size, or time not increasing.
        """
        width, height = self.size
        if image.shape != (height, width, 3) or image.dtype != np.uint8:
            raise ShapeError(f"expected ({height}, {width}, 3) uint8 frames, got {image.shape} {image.dtype}")
        tick = round(time_s * _TICKS_PER_S)
        if tick < 0 or (self._last_tick is not None and tick <= self._last_tick):
            raise ShapeError(f"frame times must start at 0 or later and increase, got {time_s} s")
        even = np.ascontiguousarray(image[: height // 2 * 2, : width // 2 * 2])
        frame = av.VideoFrame.from_ndarray(even, format="rgb24")
        frame.pts, frame.time_base = tick, Fraction(1, _TICKS_PER_S)
        if self._last_tick is not None:
            self._step_ticks = tick - self._last_tick
        frame.duration = self._step_ticks
        self._last_tick = tick
        with self._cleaned_up_on_error(), _storage_errors(self.path):
            if self._sound is not None:
                self._sound.write_until(time_s)
            self._container.mux(self._video.encode(frame))

    def close(self) -> None:
        """Finish the file and put it in its place. Closing twice does nothing."""
        if self._temporary is None:
            return
        with self._cleaned_up_on_error(), _storage_errors(self.path):
            if self._last_tick is None:
                raise MediaError(f"no frame was written to `{self.path}`; a video needs at least one")
            self._container.mux(self._video.encode(None))
            if self._sound is not None:
                self._sound.finish((self._last_tick + self._step_ticks) / _TICKS_PER_S)
            self._container.close()
            os.replace(self._temporary, self.path)
            self._temporary = None

    def abort(self) -> None:
        """Give up: nothing is written under the name, the temporary file is removed."""
        if self._temporary is not None:
            # Closing writes a trailer, which fails on a full disk or before the first frame; the file goes anyway.
            with contextlib.suppress(av.error.FFmpegError, OSError, ValueError), contextlib.ExitStack() as both:
                both.callback(self._temporary.unlink, missing_ok=True)
                self._container.close()
            self._temporary = None

    @contextlib.contextmanager
    def _cleaned_up_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.abort()
            raise


def _h264_stream(
    output: av.container.OutputContainer, size: tuple[int, int], crf: int, fps_hint: float
) -> av.video.stream.VideoStream:
    rate = Fraction(fps_hint).limit_denominator(1001)
    stream = output.add_stream("libx264", rate=rate, options={"crf": str(crf), "preset": "veryfast"})
    stream.width, stream.height = size[0] // 2 * 2, size[1] // 2 * 2
    stream.pix_fmt = "yuv420p"
    # The conversion from RGB is BT.601's; untagged, players would take HD pictures for BT.709 and shift the colours.
    stream.codec_context.colorspace = Colorspace.ITU601
    stream.codec_context.color_range = ColorRange.MPEG
    stream.time_base = stream.codec_context.time_base = Fraction(1, _TICKS_PER_S)
    return stream


class _SoundTrack:
    """Carries a sound track over beside the pictures, so that memory stays small and the file streams well."""

    def __init__(self, output: av.container.OutputContainer, source: str | Path, start_s: float) -> None:
        self._pieces = _sound_from(source, start_s)
        self._output = output
        self._n_samples = 0
        first = next(self._pieces, None)
        # A stream without packets would make some players refuse the file, so it is added only when there is sound.
        self._stream = None if first is None else output.add_stream("aac", rate=_AAC_RATE, layout="stereo")
        self._waiting = first

    def write_until(self, time_s: float) -> None:
        """Write all sound before `time_s`."""
        until = round(time_s * _AAC_RATE)
        while self._waiting is not None and self._n_samples < until:
            part = self._waiting[:, : until - self._n_samples]
            rest = self._waiting[:, part.shape[1] :]
            self._encode(part)
            self._waiting = rest if rest.shape[1] else next(self._pieces, None)

    def finish(self, end_s: float) -> None:
        """Write up to the end of the pictures and drain the encoder."""
        self.write_until(end_s)
        if self._stream is not None:
            self._output.mux(self._stream.encode(None))

    def _encode(self, samples: NDArray[np.float32]) -> None:
        if self._stream is None:
            return
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
        frame.sample_rate = _AAC_RATE
        frame.pts, frame.time_base = self._n_samples, Fraction(1, _AAC_RATE)
        self._n_samples += samples.shape[1]
        self._output.mux(self._stream.encode(frame))


def _sound_from(source: str | Path, start_s: float) -> Iterator[NDArray[np.float32]]:
    n_skipped = round(start_s * _AAC_RATE)
    for piece in aligned_sound(source, _AAC_RATE, "stereo"):
        kept = piece[:, n_skipped:]
        n_skipped = max(0, n_skipped - piece.shape[1])
        if kept.shape[1]:
            yield kept


@contextlib.contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    """Errors of the file system in our own words."""
    try:
        yield
    except (av.error.FFmpegError, OSError) as error:
        if error.errno in _FULL:
            raise StorageFullError(f"no room left to write `{path}`; nothing was kept, free some space") from error
        raise MediaError(
            f"`{path}` cannot be written: {error}; check that its folder exists and is writable"
        ) from error


def _temporary_beside(path: Path) -> Path:
    """A name in the same folder, so that the final rename is one step; hidden, so that nobody takes it for a video."""
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
