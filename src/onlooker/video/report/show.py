"""What `onlooker show` makes: picks the videos, names the files, calls the right writer."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from onlooker.errors import ConfigError, MediaError, NothingFoundError, UnknownNameError
from onlooker.formats.files import atomic_path
from onlooker.types import BoxXYXY, Frame
from onlooker.video.exchange.outgoing import check_target, safe_name, unlike
from onlooker.video.ingest.job import Progress
from onlooker.video.report.annotated import FramePainter, annotate_video
from onlooker.video.report.answers import load_answers
from onlooker.video.report.data import ShownTracklet, VideoData, load_video
from onlooker.video.report.masks import best_view_masks, masks_on
from onlooker.video.report.page import write_page
from onlooker.video.report.sheet import write_sheet
from onlooker.video.report.timeline import write_timeline
from onlooker.video.source import frame_near, index_of
from onlooker.video.store import Store, StoredVideo, find_videos, list_videos

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

Kind = Literal["video", "sheet", "timeline", "report", "crop"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_ENDINGS: dict[Kind, str] = {
    "video": ".annotated.mp4",
    "sheet": ".sheet.png",
    "timeline": ".timeline.png",
    "report": ".report.html",
    "crop": ".jpg",
}
_JPEG_QUALITY = 92
_MAX_UNNAMED = 40  # ours: nobody means a page, or hours of encoding, of a thousand videos without saying so


@dataclass(frozen=True, slots=True)
class ShowRequest:
    """What is to be shown.

    Attributes:
        kind: what to make.
        videos: names; empty means all of the library.
        output: a file, or a folder to put files into; the current folder by default.
        at_s: crop only: the moment; by default that of the best view.
        track: crop only: number of the tracklet; the whole frame with its boxes by default.
        source: where the file of the one video is now, when it has moved.
        masks: whether to draw masks, where there are some.
    """

    kind: Kind
    videos: tuple[str, ...] = ()
    output: Path | None = None
    at_s: float | None = None
    track: int | None = None
    source: Path | None = None
    masks: bool = True

    def __post_init__(self) -> None:
        if self.kind != "crop" and (self.at_s is not None or self.track is not None):
            raise ConfigError(f"`--at` and `--track` belong to `--kind crop`, not to `--kind {self.kind}`")
        if self.at_s is not None and not 0 <= self.at_s < math.inf:
            raise ConfigError(f"`--at` is a second of the video, from 0 on, got {self.at_s}")
        if self.kind == "crop" and self.at_s is None and self.track is None:
            raise ConfigError("`--kind crop` needs `--track N`, `--at SECONDS` or both")
        if self.source is not None and self.kind not in ("video", "crop"):
            raise ConfigError("`--source` belongs to `--kind video` and `--kind crop`: nothing else reads the file")


@dataclass(frozen=True, slots=True)
class Shown:
    """One file that was written and the videos it is about."""

    kind: Kind
    videos: tuple[str, ...]
    path: str


def kind_named(name: str) -> Kind:
    """The kind with this name.

    Raises:
        UnknownNameError: there is none.
    """
    for kind in KINDS:
        if kind == name:
            return kind
    raise UnknownNameError("kind", name, KINDS)


def show(store: Store, request: ShowRequest) -> Generator[Progress, None, list[Shown]]:
    """Writes what is asked for; yields progress, returns what was written.

    Raises:
        UnknownNameError: no video or tracklet has this name or number.
        NothingFoundError: the library is empty, or there is nothing to draw.
        ConfigError: one file name for several files, the name of a file that is read for it, or very many videos
            unnamed.
        MediaError: the video file is needed and has moved or changed.
    """
    with store.read() as connection:
        videos = find_videos(connection, request.videos) if request.videos else list_videos(connection)
    videos = [video for video in videos if video.status != "ingesting"]
    if not videos:
        raise NothingFoundError("the library holds no finished video; add one with `onlooker ingest FILE`")
    if len(videos) > _MAX_UNNAMED and not request.videos:
        raise ConfigError(f"the library holds {len(videos)} videos; name those you want, e.g. `{videos[0].name}`")
    if request.kind == "report":
        path = _path_for(request, videos, videos)
        check_target(store, path, [video.path for video in videos])
        return [_report(store, videos, path)]
    if len(videos) > 1 and (request.kind == "crop" or request.source is not None):
        raise ConfigError(f"name one video: the library holds {len(videos)}, the first is `{videos[0].name}`")
    written = []
    for video in videos:
        path = _path_for(request, [video], videos)
        check_target(
            store, path, [other.path for other in videos] + ([] if request.source is None else [request.source])
        )
        yield from _show_one(store, video, request, path)
        written.append(Shown(request.kind, (video.name,), str(path)))
    return written


def _show_one(store: Store, video: StoredVideo, request: ShowRequest, path: Path) -> Generator[Progress, None, None]:
    if request.kind == "video":
        yield from annotate_video(store, video.id, path, request.source, request.masks)
        return
    with store.read() as connection:
        data = load_video(connection, video.id)
        on_views = best_view_masks(connection, video.id) if request.masks and request.kind == "sheet" else {}
    if request.kind == "sheet":
        write_sheet(data, path, on_views)
    elif request.kind == "timeline":
        write_timeline(data, path)
    else:
        _write_crop(store, data, request, path)


def _report(store: Store, videos: Sequence[StoredVideo], path: Path) -> Shown:
    with store.read() as connection:
        shown = [load_video(connection, video.id) for video in videos]
        everything = len(videos) == sum(v.status != "ingesting" for v in list_videos(connection))
        answers = load_answers(connection, None if everything else {video.name for video in videos})
    title = videos[0].name if len(videos) == 1 else f"{len(videos)} videos"
    write_page(shown, answers, path, title=f"Onlooker: {title}")
    return Shown("report", tuple(video.name for video in videos), str(path))


def _path_for(request: ShowRequest, about: Sequence[StoredVideo], of: Sequence[StoredVideo]) -> Path:
    """Where one file goes. `about` is what it shows, `of` all videos of this request."""
    output = request.output
    is_folder = output is None or output.is_dir()
    if output is not None and not is_folder:
        if len(about) < len(of):
            raise ConfigError(f"`{output}` is one file but {len(of)} are to be written; give an existing folder")
        path = output
    else:
        name = file_stems([video.name for video in of])[of.index(about[0])]
        detail = "" if request.track is None else f".{request.track}"
        detail += "" if request.at_s is None else f".{request.at_s:g}s"
        path = (output or Path()) / (f"{name}{detail}{_ENDINGS[request.kind]}" if len(about) == 1 else "report.html")
    if not path.parent.is_dir():
        raise ConfigError(f"the folder `{path.parent}` does not exist; make it first")
    return path


def file_stem(name: str) -> str:
    """The same without the suffix of the video file: `clip.mp4 (2)` is `clip (2)`."""
    return re.sub(r"\.[A-Za-z0-9]{2,4}(?= \(\d+\)$|$)", "", safe_name(name)) or "video"


def file_stems(names: Sequence[str]) -> list[str]:
    """A file name without suffix for each video, no two alike even where case does not count."""
    stems = [file_stem(name) for name in names]
    if len({stem.casefold() for stem in stems}) < len(stems):
        stems = [safe_name(name) for name in names]
    return unlike(stems)


def _write_crop(store: Store, data: VideoData, request: ShowRequest, path: Path) -> None:
    tracklet = None if request.track is None else _tracklet(data, request.track)
    if tracklet is not None and request.at_s is None and tracklet.crop is not None:
        # The best view was kept when the video was read: no file is needed.
        from PIL import Image as Pillow

        with Pillow.open(io.BytesIO(tracklet.crop.jpeg)) as kept:
            _save(kept, path, tracklet.crop.jpeg)
        return
    _write_view(store, data, tracklet, request, path)


def _tracklet(data: VideoData, number: int) -> ShownTracklet:
    for tracklet in data.tracklets:
        if tracklet.number == number:
            return tracklet
    known = [str(tracklet.number) for tracklet in data.tracklets]
    raise UnknownNameError(f"tracklet of `{data.video.name}`", str(number), known)


def _write_view(
    store: Store, data: VideoData, tracklet: ShownTracklet | None, request: ShowRequest, path: Path
) -> None:
    """A view cut from the video itself: the box of a tracklet at a moment, or the frame with all boxes."""
    from PIL import Image as Pillow

    at_s = request.at_s if request.at_s is not None else (tracklet.t_start if tracklet else 0.0)
    box = None if tracklet is None else tracklet.box_at(at_s, data.interval_s / 2 + 1e-3)
    if tracklet is not None and box is None:
        spans = ", ".join(f"{s.start_s:.2f} to {s.end_s:.2f} s" for s in tracklet.stretches)
        raise NothingFoundError(f"tracklet {tracklet.title} is not visible at {at_s:.2f} s; it is seen from {spans}")
    nearest = frame_near(data.video, at_s, request.source)
    if nearest is None or abs(nearest.time_s - at_s) > 1.0:
        raise MediaError(f"`{data.video.name}` has no frame at {at_s:.2f} s; it is {data.duration_s:.2f} s long")
    if box is None or tracklet is None:
        with store.read() as connection:
            index = index_of(connection, data.video, nearest.time_s)
            masks = {} if index is None or not request.masks else masks_on(connection, data.video.id, index)
        painted = FramePainter(data).paint(nearest, masks)
        _save(Pillow.fromarray(painted), path)
        return
    _save(Pillow.fromarray(nearest.image).crop(_inside(box, nearest, tracklet)), path)


def _inside(box: BoxXYXY, frame: Frame, tracklet: ShownTracklet) -> tuple[int, int, int, int]:
    """The pixels of a box that are on the frame; of a thin box one.

    Raises:
        NothingFoundError: there are none.
    """
    if box[0] >= frame.width or box[1] >= frame.height or box[2] <= 0 or box[3] <= 0:
        raise NothingFoundError(f"tracklet {tracklet.title} is outside the picture at {frame.time_s:.2f} s")
    x1, y1 = min(max(round(box[0]), 0), frame.width - 1), min(max(round(box[1]), 0), frame.height - 1)
    return x1, y1, min(max(round(box[2]), x1 + 1), frame.width), min(max(round(box[3]), y1 + 1), frame.height)


def _save(image: PillowImage, path: Path, jpeg: bytes | None = None) -> None:
    """Whole or not at all, as PNG where the name says so, else as JPEG."""
    with atomic_path(path) as part:
        if path.suffix.lower() == ".png":
            image.save(part, "PNG")
        elif jpeg is not None:
            part.write_bytes(jpeg)
        else:
            image.save(part, "JPEG", quality=_JPEG_QUALITY)
