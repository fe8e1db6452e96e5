"""The video again, with what was found in it drawn on every frame; sound and times stay as they are."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from pathlib import Path

import numpy as np

from onlooker.formats.run_lengths import decode_mask
from onlooker.media.draw import DrawnTrack, Note, draw_tracks
from onlooker.media.encode import VideoWriter
from onlooker.types import BoxXYXY, Frame, Image
from onlooker.video.ingest.job import Progress
from onlooker.video.report.data import ShownTracklet, VideoData, load_video
from onlooker.video.report.masks import masks_on
from onlooker.video.source import open_frames
from onlooker.video.store.store import Store

_TRAIL_S = 1.5
_TRAIL_STEP_S = 0.08
_PROGRESS_EVERY = 10


def annotate_video(
    store: Store, video_id: int, output: str | Path, source: Path | None = None, masks: bool = True
) -> Generator[Progress, None, Path]:
    """Writes an H.264 mp4 with boxes, masks, numbers, names, colours, trails, speech and times; yields progress.

    Args:
        store: the library.
        video_id: key of the video.
        output: the .mp4 file; it appears only when it is complete.
        source: where the video file is now, when it is not where it was added from.
        masks: whether to draw masks, where there are some.

    Raises:
        MediaError: the file is gone, or is another file than the one that was ingested.
    """
    with store.read() as connection:
        data = load_video(connection, video_id)
    video, output = data.video, Path(output)
    origin = source or Path(video.path)
    sound = origin if video.has_audio and origin.is_file() else None
    painter = FramePainter(data)
    with (
        open_frames(video, source) as frames,
        VideoWriter(output, (video.width, video.height), audio_from=sound, fps_hint=video.fps or 25.0) as writer,
    ):
        for done, frame in enumerate(frames, start=1):
            # A connection a frame: one held for as long as this takes would keep the log of a busy library growing.
            with store.read() as connection:
                drawn = masks_on(connection, video_id, frame.index) if masks else {}
            writer.write(painter.paint(frame, drawn), frame.time_s)
            if done % _PROGRESS_EVERY == 0:
                yield Progress(video.name, "annotate", done, video.n_frames, "frames")
    return output


class FramePainter:
    """Draws the tracklets of one video onto its frames."""

    def __init__(self, data: VideoData) -> None:
        self._data = data
        self._slack_s = data.interval_s / 2 + 1e-3

    def paint(self, frame: Frame, masks: Mapping[int, bytes]) -> Image:
        """(H, W, 3) uint8: a copy of the frame's picture with everything visible at its time.

        Args:
            masks: compressed run lengths of the frame by tracklet number; may be empty.
        """
        visible = [
            self._drawn(one, box, frame, masks.get(one.number))
            for one in self._data.tracklets
            if (box := one.box_at(frame.time_s, self._slack_s)) is not None
        ]
        notes = [Note(f"{frame.time_s:.2f} s", "top right")]
        words = " ".join(s.text.strip() for s in self._data.speech if s.start_s <= frame.time_s < s.end_s)
        if words:
            notes.append(Note(words, "bottom"))
        return draw_tracks(frame.image, visible, notes)

    def _drawn(self, tracklet: ShownTracklet, box: BoxXYXY, frame: Frame, rle: bytes | None) -> DrawnTrack:
        # A colour with a space says which part it is of ("upper red"): too long for a label.
        main = [colour for colour in tracklet.colors[:1] if " " not in colour]
        return DrawnTrack(
            number=tracklet.number,
            box_xyxy_px=box,
            label=tracklet.label or tracklet.category,
            detail="".join(main),
            verdict="" if tracklet.verdict is None else tracklet.verdict.label_at(frame.time_s),
            carried=bool(np.any(np.abs(tracklet.carried_s - frame.time_s) < self._slack_s)),
            trail_px=_trail(tracklet, frame.time_s, self._slack_s),
            mask=None if rle is None else decode_mask(rle, frame.height, frame.width),
        )


def _trail(tracklet: ShownTracklet, t: float, slack_s: float) -> tuple[tuple[float, float], ...]:
    """Centres up to now, oldest first, from the last time on that the tracklet came into sight."""
    for stretch in tracklet.stretches:
        if stretch.start_s - slack_s <= t <= stretch.end_s + slack_s:
            times = np.arange(min(t, stretch.end_s), max(stretch.start_s, t - _TRAIL_S) - 1e-6, -_TRAIL_STEP_S)[::-1]
            centres = (stretch.boxes_xyxy_px[:, :2] + stretch.boxes_xyxy_px[:, 2:]) / 2
            x, y = (np.interp(times, stretch.times_s, centres[:, axis]).tolist() for axis in (0, 1))
            return tuple(zip(x, y, strict=True))
    return ()
