"""One pass over a video: frames with true times, pixels on demand, bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import av

from onlooker.media.clock import FrameClock
from onlooker.media.container import Damage, decoded_frames, open_container, video_stream
from onlooker.media.pixels import PictureShape
from onlooker.media.probe import frame_rate, no_frame_error, orientation_of, stream_duration_s
from onlooker.types import Frame


class VideoReader:
    """Iterates once over the frames of a video file.

    A `Frame` holds its decoded buffer until it is dropped: look at it and let it go, and one pass needs the memory of a
    few frames however long the video is; keeping a list of frames keeps all their buffers. To keep pixels, keep
    `frame.image`. Frames stay usable after the reader is closed.

    Damage does not raise once a frame came out: iteration ends (or steps over the damaged part) and `problem` says so.

    Args:
        path: a video file.

    Attributes:
        n_frames: frames given out so far; complete after iteration.
        end_s: when the last frame given out stops being shown.
        problem: after iteration, what was wrong with the stream and how far it got, or `None`.
        n_repaired_times: stamps that were missing, doubled or not increasing.
        size: (width, height) of every frame, rotation applied; `None` before the first.

    Raises:
        NotAVideoError: on opening, for anything without a decodable video stream.
        DecodeError: during iteration, when not one frame could be decoded.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.n_frames = 0
        self.end_s = 0.0
        self.problem: str | None = None
        self.size: tuple[int, int] | None = None
        self._container = open_container(self.path)
        try:
            self._stream = video_stream(self._container, self.path)
        except BaseException:
            self._container.close()
            raise
        self._stream.thread_type = "AUTO"
        self._clock = clock_of(self._stream)
        self._shape: PictureShape | None = None
        self._damage = Damage()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def n_repaired_times(self) -> int:
        return self._clock.n_repaired

    def close(self) -> None:
        """Release the file and the decoder. Frames already given out stay valid."""
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        for picture in decoded_frames(self._container, self._stream, self._damage):
            if self._shape is None:
                self._shape = PictureShape(picture.width, picture.height, orientation_of(picture))
                self.size = self._shape.size
            time_s = self._clock.next(picture.pts)
            self.end_s = time_s + _shown_s(picture, self._clock.step_s)
            self.n_frames += 1
            yield self._shape.lazy_frame(self.n_frames - 1, time_s, picture)
        if self.n_frames == 0:
            raise no_frame_error(self.path, self._damage)
        self.problem = self._describe_problem()

    def _describe_problem(self) -> str | None:
        found = []
        promised_s = stream_duration_s(self._stream)
        # Two frames of slack: containers round, and some count the last frame's duration differently.
        if promised_s is not None and promised_s - self.end_s > max(2.5 * self._clock.step_s, 0.02 * promised_s):
            found.append(f"ends at {self.end_s:.2f} s of the {promised_s:.2f} s its container promises")
        if self._damage.n_packets:
            found.append(f"{self._damage.n_packets} damaged packets were passed over ({self._damage.reason})")
        elif self._damage.reason is not None:
            found.append(f"reading stopped at {self.end_s:.2f} s ({self._damage.reason})")
        if self._damage.n_frames:
            found.append(f"{self._damage.n_frames} frames are damaged")
        return f"`{self.path.name}` " + "; ".join(found) if found else None


def clock_of(stream: av.video.stream.VideoStream) -> FrameClock:
    """The clock of a stream that starts at its first frame."""
    rate = frame_rate(stream)
    return FrameClock(stream.time_base, stream.start_time, 1 / rate if rate else None)


def _shown_s(picture: av.VideoFrame, step_s: float) -> float:
    """How long a frame is shown: its own duration where that makes sense, else the last step."""
    if picture.duration and picture.time_base:
        own_s = float(picture.duration * picture.time_base)
        if 0 < own_s <= max(10.0, 10 * step_s):
            return own_s
    return step_s
