"""The video again, with what was found in it drawn on every frame; sound and times stay as they are."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from onlooker.media.encode import VideoWriter
from onlooker.types import Frame, Image
from onlooker.video.ingest.job import Progress
from onlooker.video.report.colours import tracklet_colour
from onlooker.video.report.data import ShownTracklet, VideoData, load_video
from onlooker.video.report.paint import draw_label, fitted, font
from onlooker.video.report.source import open_frames
from onlooker.video.store.store import Store

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

_TRAIL_S = 1.5
_TRAIL_STEP_S = 0.08
_PROGRESS_EVERY = 10


def annotate_video(
    store: Store, video_id: int, output: str | Path, source: Path | None = None
) -> Generator[Progress, None, Path]:
    """Writes an H.264 mp4 with boxes, numbers, names, colours, trails, speech and times; yields progress.

    Args:
        store: the library.
        video_id: key of the video.
        output: the .mp4 file; it appears only when it is complete.
        source: where the video file is now, when it is not where it was added from.

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
            writer.write(painter.paint(frame), frame.time_s)
            if done % _PROGRESS_EVERY == 0:
                yield Progress(video.name, "annotate", done, video.n_frames, "frames")
    return output


class FramePainter:
    """Draws the tracklets of one video onto its frames; sizes follow the height of the frame."""

    def __init__(self, data: VideoData) -> None:
        self._data = data
        height = data.video.height
        self._text_px = max(10, round(height / 40))
        self._line_px = max(2, round(height / 270))
        self._slack_s = data.interval_s / 2 + 1e-3

    def paint(self, frame: Frame) -> Image:
        """(H, W, 3) uint8: a copy of the frame's picture with everything visible at its time."""
        from PIL import Image as Pillow
        from PIL import ImageDraw

        canvas = Pillow.fromarray(frame.image)
        pen = ImageDraw.Draw(canvas, "RGBA")
        visible = [
            (one, box) for one in self._data.tracklets if (box := one.box_at(frame.time_s, self._slack_s)) is not None
        ]
        for tracklet, _ in visible:
            self._draw_trail(pen, tracklet, frame.time_s)
        for tracklet, box in visible:
            pen.rectangle(box, outline=tracklet_colour(tracklet.number), width=self._line_px)
        # Labels last: a box must not cross out the name of its neighbour.
        for tracklet, box in visible:
            text = _told(tracklet, box[2] - box[0], self._text_px)
            draw_label(pen, box[:2], text, self._text_px, tracklet_colour(tracklet.number))
        self._draw_speech(pen, frame)
        self._draw_clock(pen, frame)
        return np.asarray(canvas)

    def _draw_trail(self, pen: ImageDraw, tracklet: ShownTracklet, t: float) -> None:
        colour = tracklet_colour(tracklet.number)
        before: tuple[float, float] | None = None
        steps = int(_TRAIL_S / _TRAIL_STEP_S)
        for step in range(steps, -1, -1):
            box = tracklet.box_at(t - step * _TRAIL_STEP_S, 1e-3)
            point = None if box is None else ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
            if before is not None and point is not None:
                alpha = round(40 + 180 * (1 - step / steps))
                pen.line((*before, *point), fill=(*colour, alpha), width=self._line_px)
            before = point

    def _draw_speech(self, pen: ImageDraw, frame: Frame) -> None:
        words = " ".join(s.text.strip() for s in self._data.speech if s.start_s <= frame.time_s < s.end_s)
        if words:
            size = round(1.2 * self._text_px)
            text = fitted(words, size, 0.92 * frame.width)
            self._draw_note(pen, (frame.width / 2, frame.height - 1.6 * size), text, size, "mm")

    def _draw_clock(self, pen: ImageDraw, frame: Frame) -> None:
        edge = 0.6 * self._text_px
        self._draw_note(pen, (frame.width - edge, edge), f"{frame.time_s:.2f} s", self._text_px, "ra")

    def _draw_note(self, pen: ImageDraw, at: tuple[float, float], text: str, size: int, anchor: str) -> None:
        left, top, right, bottom = pen.textbbox(at, text, font=font(size), anchor=anchor)
        room = 0.3 * size
        pen.rectangle((left - room, top - room, right + room, bottom + room), fill=(0, 0, 0, 150))
        pen.text(at, text, font=font(size), fill=(255, 255, 255), anchor=anchor)


def _told(tracklet: ShownTracklet, box_width: float, text_px: int) -> str:
    """Number, name and main colour (`3 car, red`), less of it over a narrow box: names must not hide a crowd."""
    told = [str(tracklet.number), tracklet.title]
    if tracklet.colors and " " not in tracklet.colors[0]:
        told.append(f"{tracklet.title}, {tracklet.colors[0]}")
    fitting = [text for text in told if font(text_px).getlength(text) < 1.6 * box_width]
    return fitting[-1] if fitting else told[0]
