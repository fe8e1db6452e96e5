"""A handful of moments of a video, by seeking."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import av

from onlooker.media.container import Damage, decoded_frames, open_container, video_stream
from onlooker.media.decode import clock_of
from onlooker.media.pixels import PictureShape
from onlooker.media.probe import no_frame_error, orientation_of
from onlooker.types import Frame

# Containers with an index of true stamps. Elsewhere a seek may land anywhere, so those are decoded from the start.
_INDEXED = ("mov", "matroska")
# Decoding on is cheaper than a seek for about one group of pictures. Ours.
_DECODE_ON_S = 2.0


def decode_at(path: str | Path, times_s: Sequence[float]) -> list[Frame]:
    """The frames nearest to given times, by seeking: for showing some moments, not for whole videos.

    Times are on the same clock as `VideoReader`. A time past the end gives the last frame. `index` of a returned frame
    is its place in `times_s`: after a seek nobody knows how many frames came before.

    Returns:
        One frame per time, in the order of `times_s`. All their buffers are held at once.

    Raises:
        NotAVideoError: as `VideoReader`.
        DecodeError: no frame could be decoded.
    """
    found: dict[int, Frame] = {}
    with open_container(path) as container:
        seeker = _Seeker(container, path)
        for place in sorted(range(len(times_s)), key=lambda i: times_s[i]):
            time_s, picture = seeker.nearest(times_s[place])
            found[place] = seeker.shape.lazy_frame(place, time_s, picture)
    return [found[place] for place in range(len(times_s))]


class _Stamped(NamedTuple):
    time_s: float
    picture: av.VideoFrame


class _Seeker:
    """Walks forward through a video, jumping over stretches nobody asked for. Ask in ascending order of time."""

    def __init__(self, container: av.container.InputContainer, path: str | Path) -> None:
        self._container = container
        self._stream = video_stream(container, path)
        self._stream.thread_type = "AUTO"
        self._indexed = any(name in container.format.name.split(",") for name in _INDEXED)
        self._damage = Damage()
        self._clock = clock_of(self._stream)
        self._pictures = decoded_frames(container, self._stream, self._damage)
        picture = next(self._pictures, None)
        if picture is None:
            raise no_frame_error(path, self._damage)
        self.shape = PictureShape(picture.width, picture.height, orientation_of(picture))
        self._before = self._after = _Stamped(self._clock.next(picture.pts), picture)

    def nearest(self, time_s: float) -> _Stamped:
        if self._indexed and time_s > self._after.time_s + _DECODE_ON_S:
            self._jump(time_s)
        while self._after.time_s < time_s:
            following = self._following()
            if following is None:
                break
            self._before, self._after = self._after, following
        return min(self._before, self._after, key=lambda f: abs(f.time_s - time_s))

    def _following(self) -> _Stamped | None:
        for picture in self._pictures:
            # After a jump the clock cannot know the frames in between, so stamps are taken as they are.
            time_s = self._clock.time_of(picture.pts) if self._indexed else self._clock.next(picture.pts)
            if time_s is not None:
                return _Stamped(time_s, picture)
        return None

    def _jump(self, time_s: float) -> None:
        """Go to the key frame before `time_s`; when the index leads past it, go back to the start."""
        for target_s in (time_s, 0.0):
            try:
                self._container.seek(self._clock.tick_of(target_s), stream=self._stream, backward=True)
            except av.error.FFmpegError:
                return
            self._pictures = decoded_frames(self._container, self._stream, self._damage)
            landed = self._following()
            if landed is not None and landed.time_s <= time_s:
                self._before = self._after = landed
                return
