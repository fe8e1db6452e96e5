"""One self-contained HTML page: player, boxes, timeline, tracklets, and answers whose evidence can be clicked.

The page opens from disk, loads nothing from anywhere but the video file beside it, and a content security policy says
so to the browser. Everything from videos and people enters as JSON and reaches the page through `textContent`.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import html
import io
import json
import os
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

import numpy as np

from onlooker.media.draw import colour_of
from onlooker.video.answer import Answer
from onlooker.video.report.data import Picture, ShownTracklet, Stretch, VideoData, thin

_SCRIPTS = ("core.js", "player.js", "overlay.js", "timeline.js", "lists.js", "main.js")
# All ours, to keep a page of a usual library at a few megabytes.
_CROP_PX = 112
_KEYFRAME_PX = 480
_MAX_KEYFRAMES = 24
_JPEG_QUALITY = 70
_TOLERANCE_REL = 0.002  # of the frame diagonal: about one pixel on a small video
_MAX_ROWS = 200


def write_page(
    videos: Sequence[VideoData],
    answers: Sequence[Answer],
    output: str | Path,
    title: str = "Onlooker report",
) -> Path:
    """Writes the report; answers that cite videos outside it keep their evidence but cannot seek there.

    Args:
        videos: what to show, in order; at least one.
        answers: questions and answers, in order.
        output: the .html file.
        title: heading of the page.

    A video file is referred to by a path relative to the page, so both can be moved together. Where it is missing, the
    page shows the keyframes it carries and lets people pick the file.

    Raises:
        ValueError: no video is given.
    """
    if not videos:
        raise ValueError("a report needs at least one video")
    output = Path(output)
    data = {
        "title": title,
        "videos": [_video(one, _playable(Path(one.video.path), output)) for one in videos],
        "answers": [_answer(one) for one in answers],
    }
    output.write_text(render_page(title, data), encoding="utf-8")
    return output


def render_page(title: str, data: Mapping[str, object]) -> str:
    """The HTML text around `data`, whatever strings it holds."""
    assets = files("onlooker.video.report") / "assets"
    style = (assets / "page.css").read_text(encoding="utf-8")
    parts = [(assets / name).read_text(encoding="utf-8") for name in _SCRIPTS]
    script = '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; img-src data:; "
        "media-src 'self' file: blob:; base-uri 'none'; form-action 'none'"
    )
    fields = {
        "csp": policy,
        "title": html.escape(title),
        "style": style,
        "script": script,
        "data": dumps_safe(data),
    }
    template = (assets / "page.html").read_text(encoding="utf-8")
    # One pass, so that a field cannot be replaced inside another one's text.
    page = re.sub(r"\{\{(\w+)\}\}", lambda match: fields[match[1]], template)
    return page.encode("utf-8", "replace").decode("utf-8")  # half a character of a file name cannot be written


def dumps_safe(value: object) -> str:
    """JSON that may stand inside an HTML script element whatever strings it holds."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # None of these occurs in JSON outside strings, where the escape means the same.
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _playable(source: Path, output: Path) -> str | None:
    """The source as a relative address seen from the page; `None` when there is no such file."""
    if not source.is_file():
        return None
    try:
        relative = os.path.relpath(source.resolve(), output.parent.resolve())
    except ValueError:  # another drive
        return source.resolve().as_uri()
    return quote(Path(relative).as_posix(), errors="surrogateescape")


def _video(data: VideoData, source: str | None) -> dict[str, object]:
    video = data.video
    tolerance_px = _TOLERANCE_REL * float(np.hypot(video.width, video.height))
    return {
        "name": video.name,
        "src": source,
        "width": video.width,
        "height": video.height,
        "hasAudio": video.has_audio,
        "duration": round(max(data.duration_s, data.interval_s), 3),
        "interval": round(data.interval_s, 4),
        "shots": [[round(s.start_s, 3), round(s.end_s, 3)] for s in data.shots],
        "speech": [[round(s.start_s, 3), round(s.end_s, 3), s.text, round(s.confidence, 3)] for s in data.speech],
        "text": [
            [round(s.start_s, 3), round(s.end_s, 3), s.text, round(s.score, 3), [round(v, 1) for v in s.box_xyxy_px]]
            for s in data.screen_text
        ],
        "sounds": [[round(s.start_s, 3), round(s.end_s, 3), s.label, round(s.level_db, 1)] for s in data.sounds],
        "keyframes": [[round(k.t, 3), _small(k, _KEYFRAME_PX)] for k in _some(data.keyframes, _MAX_KEYFRAMES)],
        "tracklets": [_tracklet(one, tolerance_px) for one in data.tracklets],
    }


def _tracklet(one: ShownTracklet, tolerance_px: float) -> dict[str, object]:
    return {
        "number": one.number,
        "label": one.label,
        "category": one.category,
        "start": round(one.t_start, 3),
        "end": round(one.t_end, 3),
        "best": round(one.crop.t, 3) if one.crop else None,
        "identity": round(one.identity, 3),
        "speed": round(one.speed_px_s, 1),
        "direction": one.direction,
        "colors": list(one.colors),
        "appearance": one.appearance,
        "motion": one.motion,
        "tags": list(one.tags),
        "verdict": None if one.verdict is None else one.verdict.whole,
        "gaps": [[round(g.start_s, 3), round(g.end_s, 3), g.kind, round(g.probability, 3)] for g in one.gaps],
        "paths": [_flat(thin(stretch, tolerance_px)) for stretch in one.stretches],
        "crop": _small(one.crop, _CROP_PX) if one.crop else None,
        "color": "#{:02x}{:02x}{:02x}".format(*colour_of(one.number)),
    }


def _flat(stretch: Stretch) -> list[float]:
    """`[t, x1, y1, x2, y2, t, x1, ...]`."""
    table = np.column_stack([stretch.times_s.round(3), stretch.boxes_xyxy_px.round(1)])
    flat: list[float] = table.ravel().tolist()
    return flat


def _answer(answer: Answer) -> dict[str, object]:
    shown = dataclasses.asdict(answer)
    shown["rows"] = shown["rows"][:_MAX_ROWS]
    return shown


def _some(pictures: Sequence[Picture], most: int) -> list[Picture]:
    """At most `most`, spread evenly."""
    if len(pictures) <= most:
        return list(pictures)
    return [pictures[round(at)] for at in np.linspace(0, len(pictures) - 1, most)]


def _small(picture: Picture, longest_px: int) -> str:
    """Base64 JPEG of a picture, shrunk."""
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(picture.jpeg)) as image:
        image.thumbnail((longest_px, longest_px), Pillow.Resampling.BOX)
        buffer = io.BytesIO()
        image.convert("RGB").save(buffer, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()
