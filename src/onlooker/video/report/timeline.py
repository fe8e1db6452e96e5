"""Timeline: one lane per tracklet with its gaps, above them shots, words and sound, as one PNG."""

from __future__ import annotations

from pathlib import Path

from PIL import Image as Pillow

from onlooker.media.draw import colour_of
from onlooker.media.lettering import Colour
from onlooker.media.panels import Lane, Span, timeline
from onlooker.video.report.data import ShownTracklet, VideoData

_MAX_LANES = 400  # ours: a longer picture no longer opens everywhere
_SHOT_COLOURS: tuple[Colour, Colour] = ((159, 179, 200), (190, 205, 220))
_SPEECH: Colour = (47, 125, 79)
_TEXT: Colour = (122, 79, 163)
_SOUND: Colour = (179, 114, 42)
_GAP: Colour = (96, 106, 118)


def write_timeline(data: VideoData, output: str | Path) -> Path:
    """Writes the picture; lanes of tracklets in the order of their numbers."""
    length_s = max(data.duration_s, data.interval_s)
    heading = f"{data.video.name}: {length_s:.2f} s, {len(data.tracklets)} tracklets"
    if len(data.tracklets) > _MAX_LANES:
        heading += f", the first {_MAX_LANES} shown"
    lanes = _video_lanes(data) + [_tracklet_lane(one, data.interval_s) for one in data.tracklets[:_MAX_LANES]]
    output = Path(output)
    Pillow.fromarray(timeline(heading, lanes, length_s)).save(output, "PNG")
    return output


def _video_lanes(data: VideoData) -> list[Lane]:
    shots = tuple(
        Span(shot.start_s, shot.end_s, _SHOT_COLOURS[at % 2], str(at + 1)) for at, shot in enumerate(data.shots)
    )
    lanes = [Lane("shots", shots)]
    if data.speech:
        lanes.append(Lane("speech", tuple(Span(s.start_s, s.end_s, _SPEECH, s.text) for s in data.speech)))
    if data.screen_text:
        lanes.append(Lane("words seen", tuple(Span(t.start_s, t.end_s, _TEXT, t.text) for t in data.screen_text)))
    if data.sounds:
        # -60 dB and below is a line, 0 dB fills the lane.
        heights = [min(1.0, max(0.14, 1 + sound.level_db / 60)) for sound in data.sounds]
        heard = zip(data.sounds, heights, strict=True)
        lanes.append(Lane("sound", tuple(Span(s.start_s, s.end_s, _SOUND, height=height) for s, height in heard)))
    return lanes


def _tracklet_lane(tracklet: ShownTracklet, interval_s: float) -> Lane:
    colour = colour_of(tracklet.number)
    gaps = [Span(gap.start_s, gap.end_s, _GAP, kind="gap") for gap in tracklet.gaps]
    seen = [Span(s.start_s, s.end_s + interval_s, colour) for s in tracklet.stretches]
    return Lane(tracklet.title, (*gaps, *seen), colour)
