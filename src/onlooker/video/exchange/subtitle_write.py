"""Writes WebVTT: what is said, and which tracklet is on screen when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from onlooker.formats.files import write_text
from onlooker.video.exchange.outgoing import ExportReport, OutgoingTrack, OutgoingVideo, open_videos, targets_per_video
from onlooker.video.store.store import Store

CueKind = Literal["speech", "tracklets", "both"]
_SHORTEST_S = 0.001  # WebVTT counts milliseconds, and a cue has to end after it starts


def export_webvtt(
    store: Store, target: str | Path, video_ids: Sequence[int] | None = None, cues: CueKind = "both"
) -> ExportReport:
    """Write one `.vtt` per video: to `target` for one video, into the folder `target` for several.

    A tracklet gives one cue for every stretch in which it is visible. Boxes, scores and attributes are lost.

    Raises:
        NothingFoundError: there is no finished video to write.
        ConfigError: `target` names one file, and there are several videos.
    """
    with open_videos(store, video_ids) as videos:
        targets = targets_per_video(videos.stored, Path(target), ".vtt")
        files = [write_text(file, _vtt(video, cues)) for video, file in zip(videos, targets, strict=True)]
    return ExportReport(tuple(files), ("WebVTT carries times and words only",))


def _vtt(video: OutgoingVideo, cues: CueKind) -> str:
    found: list[tuple[float, float, str, str]] = []
    if cues != "tracklets":
        found += [(s.start_s, s.end_s, f"speech-{i}", s.text) for i, s in enumerate(video.speech, start=1)]
    if cues != "speech":
        for track in video.tracks:
            title = track.category + (f" ({track.label})" if track.label else "")
            spans = visible_spans(track, video.interval_s)
            found += [
                (start, end, f"tracklet-{track.number}-{i}", f"#{track.number} {title}")
                for i, (start, end) in enumerate(spans, start=1)
            ]
    return "WEBVTT\n\n" + "".join(_cue(*cue) for cue in sorted(found))


def visible_spans(track: OutgoingTrack, interval_s: float) -> Iterable[tuple[float, float]]:
    """Half-open stretches in which a tracklet is seen, from one gap to the next."""
    if not len(track.times_s):
        return []
    starts = [float(track.times_s[0]), *(gap.end_s for gap in track.gaps)]
    ends = [*(gap.start_s for gap in track.gaps), float(track.times_s[-1])]
    return [(start, end + interval_s) for start, end in zip(starts, ends, strict=True)]


def _cue(start_s: float, end_s: float, name: str, words: str) -> str:
    # Escaped, so that words heard can neither end the cue ("-->", blank line) nor be read as a tag.
    text = " ".join(words.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"{name}\n{_clock(start_s)} --> {_clock(max(end_s, start_s + _SHORTEST_S))}\n{text}\n\n"


def _clock(seconds: float) -> str:
    whole_ms = round(max(seconds, 0.0) * 1000)
    minutes, ms = divmod(whole_ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{ms // 1000:02d}.{ms % 1000:03d}"
