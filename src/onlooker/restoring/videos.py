"""A video restored frame by frame; where, is kept steady over time.

Damage is looked for in every frame, and what a frame is filled by is the mean of what was found in it and in its
neighbours: damage that is missed once stays covered, what is taken for damage once is left alone. What is filled in is
drawn for every frame by itself and may flicker. All frames are encoded anew.
"""

from __future__ import annotations

import os
import secrets
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ConfigError
from onlooker.media.decode import VideoReader
from onlooker.media.encode import VideoWriter
from onlooker.media.marks import Mark, save_marked
from onlooker.media.probe import probe
from onlooker.media.video_marks import mark_video, read_video_mark
from onlooker.methods.forensics.fttdr import FtTdrRestorer, Restored
from onlooker.restoring.drawing import draw_comparison
from onlooker.restoring.pictures import read_mask, write_mask
from onlooker.restoring.request import RestoreRequest
from onlooker.restoring.values import Mask, OutputFiles, Restoration, regions_of, with_history
from onlooker.types import Image, VideoInfo
from onlooker.video.ingest.job import Progress

NEIGHBOURS = 2
"""Frames before and after that a frame's damage is averaged with (ours)."""

Field = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Seen:
    """A frame: its picture, its time, and what was found in it (`None` where the mask is given)."""

    image: Image
    time_s: float
    likely: Field | None


@dataclass
class _Tally:
    """What was done so far. `ever` is where anything was filled in, `most` the frame with most of it and its result;
    `notes` are those of the first frame that has some, `n_noted` counts such frames."""

    ever: Mask
    n_frames: int = 0
    n_restored: int = 0
    n_pixels: int = 0
    most: tuple[Image, Restored] | None = None
    notes: list[str] = field(default_factory=list)
    n_noted: int = 0

    def add(self, seen: _Seen, restored: Restored) -> None:
        """Counts one more frame."""
        changed = int(restored.mask.sum())
        self.n_frames += 1
        self.n_restored += int(changed > 0)
        self.n_pixels += changed
        self.ever |= restored.mask
        if changed and (self.most is None or changed > int(self.most[1].mask.sum())):
            self.most = seen.image, restored
        if restored.notes and not self.notes:
            self.notes += [f"at {seen.time_s:.2f} s: {note}" for note in restored.notes]
        self.n_noted += int(bool(restored.notes))

    @property
    def share(self) -> float:
        return self.n_pixels / max(1, self.n_frames * self.ever.size)


def restore_video(
    restorer: FtTdrRestorer, request: RestoreRequest, files: OutputFiles
) -> Generator[Progress, None, Restoration]:
    """Restores a video file; where nothing is found in any frame, nothing is written.

    Raises:
        ConfigError: a label is asked for: it would be burnt into every frame.
        NotAVideoError, DecodeError: the video or the mask cannot be read.
        ShapeError: the mask has another size, or the video is below 2x2.
        StorageFullError, MediaError: the result cannot be written.
    """
    if request.label:
        raise ConfigError("a label is written on pictures alone; leave it out for a video")
    source = Path(request.source)
    info, before = probe(source), read_video_mark(source)
    mask = None if request.mask is None else read_mask(request.mask, (info.width, info.height))
    tally = _Tally(np.zeros((info.height, info.width), np.bool_))
    unmarked = files.restored.with_name(f".{files.restored.stem}.{os.getpid()}-{secrets.token_hex(4)}.mp4")
    try:
        with VideoReader(source) as reader:
            writer = VideoWriter(
                unmarked, (info.width, info.height), source if info.has_audio else None, fps_hint=info.fps or 25.0
            )
            yield from _restore_frames(restorer, reader, mask, (writer, tally, info))
            problem = reader.problem
        mark = _mark(tally, before)
        if mark is not None:
            mark_video(unmarked, mark)
            _write_pictures(tally, mark, mask is None, files)
            os.replace(unmarked, files.restored)
    finally:
        unmarked.unlink(missing_ok=True)
    notes = (*([problem] if problem else []), *tally.notes)
    if tally.n_noted > 1:
        notes = (*notes, f"{tally.n_noted} frames in all are like that")
    return _told(request, info, tally, (mark, before), notes, files)


def _restore_frames(
    restorer: FtTdrRestorer, reader: VideoReader, mask: Mask | None, made: tuple[VideoWriter, _Tally, VideoInfo]
) -> Iterator[Progress]:
    """Every frame into the writer, which is closed where anything was restored, and gives up where not."""
    writer, tally, info = made
    try:
        frames = (_Seen(f.image, f.time_s, restorer.find(f.image) if mask is None else None) for f in reader)
        with closing(_with_neighbours(frames)) as steps:
            for seen, likely in steps:
                restored = (
                    restorer.restore(seen.image, mask) if likely is None else restorer.restore_found(seen.image, likely)
                )
                writer.write(np.asarray(restored.image, np.uint8), seen.time_s)
                tally.add(seen, restored)
                yield Progress(reader.path.name, "restoring", tally.n_frames, info.n_frames, "frames")
        if tally.n_restored:
            writer.close()
    finally:
        writer.abort()  # does nothing after `close`


def _with_neighbours(frames: Iterator[_Seen]) -> Generator[tuple[_Seen, Field | None], None, None]:
    """Every frame with the mean of what was found in it and its neighbours; few frames are held at a time."""
    held: deque[_Seen] = deque()
    place = 0  # of the next frame to give, in `held`
    for frame in frames:
        held.append(frame)
        if len(held) - place > NEIGHBOURS:
            yield held[place], _mean(held, place)
            place += 1
        if place > NEIGHBOURS:
            held.popleft()
            place -= 1
    while place < len(held):
        yield held[place], _mean(held, place)
        place += 1


def _mean(held: deque[_Seen], place: int) -> Field | None:
    """Over the frames at most `NEIGHBOURS` away."""
    near = [one.likely for at, one in enumerate(held) if abs(at - place) <= NEIGHBOURS and one.likely is not None]
    return np.mean(near, axis=0, dtype=np.float32) if near else None


def _mark(tally: _Tally, before: Mark | None) -> Mark | None:
    if tally.most is None:
        return None
    detail = (
        f"{tally.share:.2%} of the pixels of {tally.n_frames} frames were filled in by a network: a guess, not a record"
    )
    return with_history(Mark("restored", tally.most[1].mark.by, detail), before)


def _write_pictures(tally: _Tally, mark: Mark, found: bool, files: OutputFiles) -> None:
    """The mask of everything that was filled in at any time, and the frame with most of it."""
    assert tally.most is not None
    image, restored = tally.most
    write_mask(files.mask, tally.ever)
    titles = ("input", f"{'found' if found else 'given'}: {restored.mask.mean():.2%}", "restored")
    save_marked(draw_comparison(image, restored.mask, restored.image, titles), files.compare, mark)


def _told(
    request: RestoreRequest,
    info: VideoInfo,
    tally: _Tally,
    marks: tuple[Mark | None, Mark | None],
    notes: tuple[str, ...],
    files: OutputFiles,
) -> Restoration:
    count, regions = regions_of(tally.ever)
    changed = tally.n_restored > 0
    return Restoration(
        source=str(request.source),
        kind="video",
        size=(info.width, info.height),
        share=tally.share,
        n_regions=count,
        regions=regions,
        n_frames=tally.n_frames,
        n_restored_frames=tally.n_restored,
        mark=marks[0],
        before=marks[1],
        notes=notes,
        restored=str(files.restored) if changed else None,
        mask=str(files.mask) if changed else None,
        compare=str(files.compare) if changed else None,
    )
