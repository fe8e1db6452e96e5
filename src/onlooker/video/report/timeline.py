"""Timeline: one lane per tracklet with its gaps, above them shots, words and sound, as one PNG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from onlooker.video.report.colours import RGB, ink_on, tracklet_colour
from onlooker.video.report.data import ShownTracklet, VideoData
from onlooker.video.report.paint import INK, LANE, LINE, PAPER, SOFT, draw_text, fitted

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

_WIDTH = 1400
_LABEL = 190
_RIGHT = 24
_TOP = 64
_LANE = 24
_BAR = 16
_MAX_LANES = 400  # ours: a longer picture no longer opens everywhere
_SHOT_COLOURS: tuple[RGB, RGB] = ((159, 179, 200), (190, 205, 220))
_SPEECH: RGB = (47, 125, 79)
_TEXT: RGB = (122, 79, 163)
_SOUND: RGB = (179, 114, 42)
_STEPS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)


@dataclass(frozen=True, slots=True)
class _Bar:
    """A stretch of a lane; `height` is its share of the lane, from the bottom; `text` is written into it."""

    start_s: float
    end_s: float
    colour: RGB
    text: str = ""
    height: float = 1.0
    hatched: bool = False


@dataclass(frozen=True, slots=True)
class _Lane:
    name: str
    bars: tuple[_Bar, ...]
    colour: RGB | None = None


def write_timeline(data: VideoData, output: str | Path) -> Path:
    """Writes the picture; lanes of tracklets in the order of their numbers."""
    from PIL import Image, ImageDraw

    lanes = _lanes(data)
    canvas = Image.new("RGB", (_WIDTH, _TOP + len(lanes) * _LANE + 14), PAPER)
    pen = ImageDraw.Draw(canvas)
    length_s = max(data.duration_s, data.interval_s)
    left_out = max(0, len(data.tracklets) - _MAX_LANES)
    head = f"{data.video.name}: {length_s:.2f} s, {len(data.tracklets)} tracklets"
    head += f", the first {_MAX_LANES} shown" if left_out else ""
    draw_text(pen, (14, 10), fitted(head, 17, _WIDTH - 28), 17)
    _draw_ruler(pen, length_s, canvas.height)
    for place, lane in enumerate(lanes):
        _draw_lane(pen, lane, _TOP + place * _LANE, length_s)
    output = Path(output)
    canvas.save(output, "PNG", optimize=True)
    return output


def _lanes(data: VideoData) -> list[_Lane]:
    shots = tuple(
        _Bar(shot.start_s, shot.end_s, _SHOT_COLOURS[at % 2], str(at + 1)) for at, shot in enumerate(data.shots)
    )
    lanes = [_Lane("shots", shots)]
    if data.speech:
        lanes.append(_Lane("speech", tuple(_Bar(s.start_s, s.end_s, _SPEECH, s.text) for s in data.speech)))
    if data.screen_text:
        seen = tuple(_Bar(t.start_s, t.end_s, _TEXT, t.text) for t in data.screen_text)
        lanes.append(_Lane("words seen", seen))
    if data.sounds:
        # -60 dB and below is a line, 0 dB fills the lane.
        heard = tuple(
            _Bar(s.start_s, s.end_s, _SOUND, height=min(1.0, max(0.14, 1 + s.level_db / 60))) for s in data.sounds
        )
        lanes.append(_Lane("sound", heard))
    return lanes + [_tracklet_lane(one, data.interval_s) for one in data.tracklets[:_MAX_LANES]]


def _tracklet_lane(tracklet: ShownTracklet, interval_s: float) -> _Lane:
    colour = tracklet_colour(tracklet.number)
    gaps = [_Bar(gap.start_s, gap.end_s, SOFT, height=0.5, hatched=True) for gap in tracklet.gaps]
    seen = [_Bar(s.start_s, s.end_s + interval_s, colour) for s in tracklet.stretches]
    return _Lane(tracklet.title, (*gaps, *seen), colour)


def _x(t: float, length_s: float) -> float:
    return _LABEL + min(max(t / length_s, 0.0), 1.0) * (_WIDTH - _LABEL - _RIGHT)


def _draw_ruler(pen: ImageDraw, length_s: float, height: int) -> None:
    step_s = _step_s(length_s)
    for mark in range(int(length_s / step_s + 1e-6) + 1):
        t = mark * step_s
        x = _x(t, length_s)
        pen.line((x, _TOP - 8, x, height - 8), fill=LINE)
        told = f"{int(t // 60)}:{t % 60:02.0f}" if length_s >= 60 else f"{t:.{1 if step_s < 1 else 0}f} s"
        draw_text(pen, (x - 8, _TOP - 24), told, 12, SOFT)


def _step_s(length_s: float, room: Sequence[float] = _STEPS_S) -> float:
    """Seconds between two marks, so that there are at most fifteen."""
    return next((step for step in room if length_s / step <= 15), length_s / 10)


def _draw_lane(pen: ImageDraw, lane: _Lane, top: int, length_s: float) -> None:
    if lane.colour is not None:
        pen.rounded_rectangle((14, top + 6, 24, top + 16), 3, fill=lane.colour)
    left = 30 if lane.colour is not None else 14
    draw_text(pen, (left, top + 3), fitted(lane.name, 13, _LABEL - left - 8), 13, INK if lane.colour else SOFT)
    bottom = top + 3 + _BAR
    pen.rounded_rectangle((_LABEL, top + 3, _WIDTH - _RIGHT, bottom), 3, fill=LANE)
    for bar in lane.bars:
        x1, x2 = _x(bar.start_s, length_s), _x(bar.end_s, length_s)
        x2 = max(x2, x1 + 2)
        if bar.hatched:
            for x in range(round(x1), round(x2), 5):
                pen.line((x, bottom - 4, min(x + 8, x2), top + 7), fill=bar.colour)
            continue
        pen.rectangle((x1, bottom - bar.height * _BAR, x2 - 1, bottom), fill=bar.colour)
        text = fitted(bar.text, 11, x2 - x1 - 8) if bar.text and x2 - x1 > 24 else ""
        if text:
            draw_text(pen, (x1 + 4, top + 5), text, 11, ink_on(bar.colour))
