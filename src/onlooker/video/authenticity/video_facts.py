"""What a video file says of itself and what its packets show: writer, times, rate, groups, edit lists, gaps, sound."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from onlooker.media.container import is_moving_picture, open_container, video_stream
from onlooker.types import Frame
from onlooker.video.authenticity.boxes import Boxes, read_boxes
from onlooker.video.authenticity.packets import (
    PacketScan,
    find_gaps,
    find_rhythm,
    group_lengths,
    key_period,
    rate_varies,
    scan_packets,
)
from onlooker.video.authenticity.picture_facts import shown, software_note
from onlooker.video.authenticity.verdict import Fact

_HEAD_BYTES = 1 << 20
_SHOWN_GAPS = 5
_GREY_PX = 96
# Ours, in grey levels: a repeated frame after another encoding, the largest change of a pixel in it, and motion. Looked
# at in sample clips encoded at qualities from 18 to 35: repeated frames move by less than 0.1 in the mean, but for the
# first and last of a stretch; moving ones by 0.23 and more.
_NEARLY, _DETAIL, _MOTION = 0.1, 15, 0.5
_AROUND, _STRETCH = 3, 3  # frames beside a stretch that are looked at for motion; the shortest stretch that counts
_UNEQUAL_S = 0.25  # ours: sound and picture that end further apart than this were cut apart or recorded apart
_WRITERS = (("lavf", "written by FFmpeg's library, as editors, platforms and Onlooker do and cameras do not"),)


def container_facts(path: str | Path) -> tuple[Fact, ...]:
    """Facts of the file, its streams and its packets; nothing is decoded.

    Raises:
        NotAVideoError: no decodable video stream.
    """
    place = Path(path)
    boxes, scan = read_boxes(place), scan_packets(place)
    with open_container(place) as container:
        stream = video_stream(container, place)
        facts = [*_stream_facts(container, stream), *_writer_facts(container, stream, place)]
        facts += _sound_facts(container, stream, scan)
    return (*facts, *_box_facts(boxes), *_packet_facts(scan))


def _stream_facts(container: av.container.InputContainer, stream: av.video.stream.VideoStream) -> list[Fact]:
    context = stream.codec_context
    facts = [
        Fact("format", str(container.format.name)),
        Fact("codec", f"{context.name}" + (f" ({context.profile})" if context.profile else "")),
        Fact("size", f"{context.width}x{context.height}"),
        Fact("fps", round(float(stream.average_rate), 4) if stream.average_rate else None),
        Fact("bit_rate", int(container.bit_rate) or None),
    ]
    others = len([s for s in container.streams.video if is_moving_picture(s)]) - 1
    if others:
        facts.append(Fact("more_video_streams", others, "only the main one was looked at", True))
    return facts


def _writer_facts(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, path: Path
) -> list[Fact]:
    tags = {key.lower(): shown(value) for key, value in {**stream.metadata, **container.metadata}.items()}
    facts = []
    for key in ("encoder", "software", "com.apple.quicktime.software", "writing_application"):
        if tags.get(key):
            note = _writer_note(tags[key])
            facts.append(Fact(key.rsplit(".", 1)[-1], tags[key], note, bool(note)))
    x264 = _x264_settings(path)
    if x264 is not None:
        facts.append(Fact("x264", x264, "encoded by x264, as programs do; few cameras do", True))
    camera = " ".join(tags[k] for k in ("com.apple.quicktime.make", "com.apple.quicktime.model") if tags.get(k))
    facts.append(Fact("camera", camera or tags.get("make"), "" if camera else "no camera is named"))
    facts.append(_time_fact(tags))
    handler = stream.metadata.get("handler_name")
    if handler:
        facts.append(Fact("handler", shown(handler)))
    if len(tags) <= 4 and not camera:
        facts.append(Fact("metadata", len(tags), "hardly any entries: removed, or never there", True))
    return facts


def _time_fact(tags: Mapping[str, str]) -> Fact:
    created = tags.get("creation_time")
    if created is None:
        return Fact("created", None, "no time of creation")
    if created.startswith(("1904", "1970-01-01T00:00:00")):
        return Fact("created", created, "the clock was not set, or the time was removed", True)
    return Fact("created", created, "as the writer's clock said")


def _writer_note(text: str) -> str:
    for start, note in _WRITERS:
        if text.lower().startswith(start):
            return note
    return software_note(text)


def _x264_settings(path: Path) -> str | None:
    """What x264 writes of itself into the first frame."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    found = re.search(rb"x264 - core (\d+)[^\0]{0,200}?options: ([^\0]{0,2000})", head)
    if found is None:
        return None
    wanted = re.findall(r"\b((?:crf|keyint|bframes|rc|bitrate)=\S+)", found[2].decode("latin-1"))
    return shown(" ".join([f"core {found[1].decode()}", *wanted]))


def _sound_facts(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, scan: PacketScan
) -> list[Fact]:
    sounds = [s for s in container.streams.audio if s.codec_context is not None]
    if not sounds:
        return [Fact("sound", False)]
    facts = [Fact("sound", str(sounds[0].codec_context.name))]
    length_s = float(sounds[0].duration * sounds[0].time_base) if sounds[0].duration and sounds[0].time_base else None
    if length_s is None or not len(scan.times_s):
        return facts
    usual = float(np.median(np.diff(scan.times_s))) if len(scan.times_s) > 1 else 0.0
    apart_s = length_s - (float(scan.times_s[-1]) + usual)
    note = "sound and picture end apart: one of them was cut or replaced, or it was recorded so"
    odd = abs(apart_s) > _UNEQUAL_S
    return [*facts, Fact("sound_minus_picture_s", round(apart_s, 3), note if odd else "", odd)]


def _box_facts(boxes: Boxes | None) -> list[Fact]:
    if boxes is None:
        return []
    facts = [Fact("brand", boxes.brand), Fact("boxes", " ".join(boxes.top[:12]))]
    cuts = [edit for edits in boxes.edits for edit in edits]
    many = [edits for edits in boxes.edits if len([e for e in edits if e.start >= 0]) > 1]
    if many:
        facts.append(
            Fact("edit_list", len(cuts), "an edit list joins several parts: the file was cut after recording", True)
        )
    elif cuts:
        facts.append(Fact("edit_list", len(cuts), "one entry per track, as most writers set it"))
    if boxes.damaged:
        facts.append(Fact("boxes_damaged", True, "the boxes do not fit the file: cut off or repaired", True))
    return facts


def _packet_facts(scan: PacketScan) -> list[Fact]:
    lengths = group_lengths(scan.keys)
    facts = [Fact("frames", len(scan.sizes), "" if scan.complete else "not all packets could be read")]
    facts.append(Fact("key_frames", int(scan.keys.sum())))
    if lengths:
        steady = key_period(scan.keys)
        told = f"every {steady} frames" if steady else f"every {min(lengths)} to {max(lengths)} frames"
        note = "" if steady else "irregular, as encoders that watch for cuts set them"
        facts.append(Fact("groups", f"{told}, {statistics.median(lengths):g} in the middle", note))
    varies = rate_varies(scan.times_s)
    facts.append(Fact("variable_frame_rate", varies, "phones and screen recorders write so" if varies else ""))
    if scan.n_without_time:
        facts.append(Fact("frames_without_time", scan.n_without_time, "their times are guessed", True))
    _, gaps = find_gaps(scan.times_s)
    if gaps:
        told = ", ".join(f"{a:.2f} to {b:.2f} s" for a, b in gaps[:_SHOWN_GAPS])
        more = f" and {len(gaps) - _SHOWN_GAPS} more" if len(gaps) > _SHOWN_GAPS else ""
        facts.append(Fact("gaps", told + more, "frames are missing from a steady rate: dropped, or cut out", True))
    rhythm = find_rhythm(scan)
    if rhythm is not None:
        note = f"frames cost more every {rhythm.period}: an earlier encoding had its key frames there"
        facts.append(Fact("earlier_encoding", rhythm.period, note, True))
    return facts


@dataclass(frozen=True, slots=True)
class Repeats:
    """Frames that repeat the one before them.

    Attributes:
        n_frames, n_repeated: looked at, and equal to the one before, or nearly where motion stops for them.
        period: a frame is repeated every so many frames; `None` where there is no such rule.
        longest_s: of standing still.
    """

    n_frames: int
    n_repeated: int
    period: int | None
    longest_s: float


class RepeatWatch:
    """Watches decoded frames for repetitions, as small grey pictures.

    Encoding a repeated frame changes it a little. So frames that are nearly the one before count, too, where motion
    stops and starts again at once; a scene that comes to rest does not.
    """

    def __init__(self) -> None:
        self._last: NDArray[np.uint8] | None = None
        self._times_s: list[float] = []
        self._moved: list[float] = []  # grey levels from the frame before, in the mean; infinite for the first

    def look(self, frame: Frame) -> None:
        """The next frame."""
        grey, moved = frame.grey(_GREY_PX), math.inf
        if self._last is not None and grey.shape == self._last.shape:
            apart = np.abs(grey.astype(np.int16) - self._last)
            moved = float(apart.mean())
            if int(apart.max()) > _DETAIL:  # something small moved
                moved = max(moved, _NEARLY + 1e-6)
        self._last = grey
        self._times_s.append(frame.time_s)
        self._moved.append(moved)

    def result(self) -> Repeats:
        """What was seen so far."""
        moved = np.array(self._moved, np.float64)
        framed = [run for run in _runs(moved <= _NEARLY) if _is_framed(moved, *run)]
        repeated = _with(moved == 0, framed)
        period = _period(repeated)
        if period is None:  # one or two frames nearly alike happen where an encoder saves bits
            repeated = _with(moved == 0, [run for run in framed if run[1] - run[0] >= _STRETCH])
            period = _period(repeated)
        stretches = [self._times_s[end - 1] - self._times_s[first - 1] for first, end in _runs(repeated)]
        return Repeats(len(moved), int(repeated.sum()), period, round(max(stretches, default=0.0), 3))


def _is_framed(moved: NDArray[np.float64], first: int, end: int) -> bool:
    """Whether there is motion right before a stretch of frames, and right behind it."""
    before, behind = moved[max(first - _AROUND, 1) : first], moved[end : end + _AROUND]
    return bool((before >= _MOTION).any() and (behind >= _MOTION).any())


def _with(true: NDArray[np.bool_], runs: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    whole = true.copy()
    for first, end in runs:
        whole[first:end] = True
    return whole


def _period(repeated: NDArray[np.bool_]) -> int | None:
    steps = np.diff(np.flatnonzero(repeated))
    return int(steps[0]) if len(steps) >= 4 and bool((steps == steps[0]).all()) and int(steps[0]) > 1 else None


def _runs(true: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(first, end) of every stretch of True, `end` exclusive."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], true, [False]]).astype(np.int8)))
    return [(int(first), int(end)) for first, end in zip(edges[::2], edges[1::2], strict=True)]


def repeat_facts(repeats: Repeats) -> tuple[Fact, ...]:
    """What repeated frames mean."""
    if not repeats.n_repeated:
        return (Fact("repeated_frames", 0),)
    if repeats.period is not None:
        note = f"every {repeats.period}th frame repeats the one before: the frame rate was raised after recording"
        return (Fact("repeated_frames", repeats.n_repeated, note, True),)
    share = repeats.n_repeated / max(repeats.n_frames - 1, 1)
    note = f"longest {repeats.longest_s:.2f} s; frozen pictures, a still scene, or frames filled in"
    return (Fact("repeated_frames", repeats.n_repeated, note, share < 0.5),)
