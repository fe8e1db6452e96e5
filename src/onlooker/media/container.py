"""Opening files safely: which files may be read, which stream is the video, what went wrong.

Only containers that hold audio or video are let in. libavformat knows many more "formats", and some are a trap for a
program that is handed files by others: play lists read further files and addresses, a text file can be "played" as a
terminal recording, a picture is a film of one frame.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
from av.stream import Disposition

from onlooker.errors import NotAVideoError

# Names of libavformat demuxers. `file` is the only protocol: nothing in a file can make us read an address.
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,f4v,matroska,webm,avi,flv,live_flv,mpeg,mpegts,mpegvideo,m4v,h264,hevc,vvc,obu,av1,ivf,asf,"
    "ogg,gif,apng,nut,mxf,wtv,rm,dv,mjpeg,mpjpeg,vc1,yuv4mpegpipe,nsv,swf,gxf,lxf,mv,smjpeg,h261,h263,dirac,cavsvideo,"
    "wav,w64,mp3,flac,aac,ac3,eac3,aiff,caf,amr,au,ape,wv,tta,mpc,mpc8,dts,dtshd,truehd,voc"
)
_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}


def check_file(path: str | Path) -> Path:
    """The path itself if it is a regular file with bytes in it.

    Raises:
        NotAVideoError: missing, a folder, a device or pipe (reading one may never end), empty, or not readable.
    """
    path = Path(path)
    try:
        status = path.stat()
    except FileNotFoundError:
        raise NotAVideoError(f"there is no file `{path}`; check the name and the folder it is in") from None
    except (OSError, ValueError) as error:
        raise NotAVideoError(f"`{path}` cannot be read: {error}") from error
    if stat.S_ISDIR(status.st_mode):
        raise NotAVideoError(f"`{path}` is a folder, expected one video file; name a file inside it")
    if not stat.S_ISREG(status.st_mode):
        raise NotAVideoError(f"`{path}` is not a regular file; copy the video to a file first")
    if status.st_size == 0:
        raise NotAVideoError(f"`{path}` is empty (0 bytes); copy or download it again")
    return path


def open_container(path: str | Path) -> av.container.InputContainer:
    """Open a media file for reading. The caller closes it.

    Raises:
        NotAVideoError: the file cannot be read or is no audio or video container.
    """
    path = check_file(path)
    try:
        return av.open(f"file:{path}", mode="r", options=_OPTIONS, metadata_errors="replace")
    except PermissionError as error:
        raise NotAVideoError(f"`{path}` may not be read by this user; change its permissions") from error
    except (av.error.FFmpegError, UnicodeError) as error:
        raise NotAVideoError(
            f"`{path}` is not a video that can be opened ({_reason(error)}); if it plays elsewhere, convert it to mp4"
        ) from error


def is_moving_picture(stream: av.video.stream.VideoStream) -> bool:
    """False for the cover picture of an audio file."""
    return not stream.disposition & Disposition.attached_pic


def video_stream(container: av.container.InputContainer, path: str | Path) -> av.video.stream.VideoStream:
    """The main moving-picture stream; cover pictures of audio files do not count.

    Raises:
        NotAVideoError: there is none, or there is no decoder for it.
    """
    streams = [s for s in container.streams.video if is_moving_picture(s)]
    if not streams:
        what = "only audio" if container.streams.audio else "no video stream"
        raise NotAVideoError(f"`{path}` holds {what}; expected a file with moving pictures")
    best = container.streams.best("video")
    stream = best if best in streams else streams[0]
    if stream.codec_context is None:
        raise NotAVideoError(f"`{path}` holds video in a codec that cannot be decoded here; convert it to H.264 mp4")
    return stream


@dataclass(slots=True)
class Damage:
    """What went wrong while decoding a stream. `reason` is the last error in words."""

    n_packets: int = 0
    n_frames: int = 0
    reason: str | None = None


def decoded_frames(
    container: av.container.InputContainer, stream: av.stream.Stream, damage: Damage
) -> Iterator[av.VideoFrame | av.AudioFrame]:
    """Decode from the current position to the end, stepping over damaged packets and noting them in `damage`."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError as error:
            # The container itself is broken here; frames still inside a threaded decoder can be had.
            damage.reason = _reason(error)
            yield from _decoded(lambda: stream.decode(None), damage)
            return
        if packet is None:
            return
        if packet.is_corrupt:
            damage.n_packets += 1
            damage.reason = "parts of it are missing"
        yield from _decoded(packet.decode, damage)


def _decoded(
    decode: Callable[[], list[av.VideoFrame | av.AudioFrame]], damage: Damage
) -> Iterator[av.VideoFrame | av.AudioFrame]:
    try:
        frames = decode()
    except av.error.EOFError:
        return
    except av.error.FFmpegError as error:
        damage.n_packets += 1
        damage.reason = _reason(error)
        return
    for frame in frames:
        damage.n_frames += bool(frame.is_corrupt)
        yield frame


def _reason(error: Exception) -> str:
    text = str(getattr(error, "strerror", None) or error).lower()
    # What libavformat says about a format that is not on our list, or that it knows but will not play.
    return "not a known audio or video format" if text == "invalid argument" else text
