"""The verdict on any file: what it is decides who looks at it."""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path

from onlooker.errors import DecodeError, MediaError, NotAVideoError
from onlooker.video.authenticity.boxes import read_boxes
from onlooker.video.authenticity.opening import is_picture
from onlooker.video.authenticity.pictures import Tools, verify_picture
from onlooker.video.authenticity.verdict import Verdict
from onlooker.video.authenticity.videos import VideoLook, verify_video
from onlooker.video.ingest.job import Progress


def verify_file(path: str | Path, tools: Tools, look: VideoLook | None = None) -> Generator[Progress, None, Verdict]:
    """Looks for traces of manipulation in a picture or video; yields progress, returns the verdict.

    Args:
        path: of the file; its content decides what it is, not its name.
        tools: who is asked.
        look: how a video is looked at.

    Raises:
        MediaError: missing, or neither a picture nor a video.
        DecodeError: cut off or damaged so that nothing can be decoded.
    """
    place = Path(path)
    if is_picture(place):
        yield Progress(place.name, "check", 0, 1, "picture")
        verdict = verify_picture(place, tools)
        yield Progress(place.name, "check", 1, 1, "picture")
        return verdict
    try:
        return (yield from verify_video(place, tools, look))
    except NotAVideoError as error:
        boxes = read_boxes(place)
        if boxes is not None and "moov" not in boxes.top:
            raise DecodeError(
                f"`{place}` is cut off: it begins like an MP4 video, and the index at its end is missing; "
                "copy or download it again"
            ) from error
        why = re.sub(r"^`[^`]*`", "it", str(error))
        raise MediaError(f"`{place}` is neither a picture nor a video that can be read: {why}") from error
