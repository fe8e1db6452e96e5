"""What was followed, to look at: the video with everything drawn on it, and a sheet of views of every track."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from onlooker.formats.files import atomic_path
from onlooker.formats.run_lengths import decode_mask
from onlooker.media.decode import VideoReader
from onlooker.media.draw import DrawnTrack, Note, colour_of, draw_tracks
from onlooker.media.encode import VideoWriter
from onlooker.media.panels import SheetCell, contact_sheet
from onlooker.types import BoxXYXY, Frame, Image
from onlooker.video.following.values import FollowedTrack, FollowResult
from onlooker.video.ingest.job import Progress

# Ours: a sheet shows how a few tracks change, or many tracks once each.
_VIEWS = 6
_FEW_TRACKS = 12
_MOST_CELLS = 240
_TRAIL_S = 1.5
_CONTEXT = 0.25
_PROGRESS_EVERY = 10


@dataclass(frozen=True, slots=True)
class Drawn:
    """The files that were written."""

    video: Path
    sheet: Path


def draw_result(folder: Path, result: FollowResult) -> Generator[Progress, None, Drawn]:
    """Writes `annotated.mp4` (with the sound of the stretch) and `sheet.png`; decodes the file once more.

    Raises:
        MediaError: the file is gone, or the folder cannot be written.
    """
    name, info = Path(result.info.path).name, result.info
    wanted = {frame for frame, _ in result.frames}
    start_s, last = result.frames[0][1], result.frames[-1][0]
    rows, views = _rows_by_frame(result), _chosen_views(result)
    pictures: dict[tuple[int, int], Image] = {}
    video = folder / "annotated.mp4"
    sound = info.path if info.has_audio else None
    size, done = (info.width, info.height), 0
    with (
        VideoReader(info.path) as reader,
        VideoWriter(video, size, audio_from=sound, audio_start_s=start_s, fps_hint=info.fps or 25.0) as writer,
    ):
        for frame in reader:
            if frame.index in wanted:
                here = rows.get(frame.index, [])
                writer.write(_painted(frame, here), frame.time_s - start_s)
                for seen in here:
                    if frame.index in views[seen.track.number]:
                        pictures[seen.track.number, frame.index] = _view(frame.image, seen.box)
                done += 1
                if done % _PROGRESS_EVERY == 0:
                    yield Progress(name, "draw", done, len(wanted), "frames")
            if frame.index >= last:
                break
    yield Progress(name, "draw", done, done, "frames")
    return Drawn(video, _write_sheet(folder / "sheet.png", result, views, pictures))


@dataclass(frozen=True, slots=True)
class _Row:
    """One track on one frame; `since` is the row from which on it was in sight without a break."""

    track: FollowedTrack
    row: int
    since: int

    @property
    def box(self) -> BoxXYXY:
        x1, y1, x2, y2 = self.track.boxes_xyxy_px[self.row].tolist()
        return x1, y1, x2, y2

    def trail(self) -> tuple[tuple[float, float], ...]:
        """Centres up to now, oldest first."""
        times = self.track.times_s
        first = max(self.since, int(np.searchsorted(times, times[self.row] - _TRAIL_S)))
        boxes = self.track.boxes_xyxy_px[first : self.row + 1]
        return tuple((float(x), float(y)) for x, y in (boxes[:, :2] + boxes[:, 2:]) / 2)


def _rows_by_frame(result: FollowResult) -> Mapping[int, list[_Row]]:
    rows: defaultdict[int, list[_Row]] = defaultdict(list)
    for track in result.tracks:
        for first, end in track.stretches():
            for row in range(first, end):
                rows[int(track.frames[row])].append(_Row(track, row, first))
    return rows


def _painted(frame: Frame, rows: Sequence[_Row]) -> Image:
    items = []
    for here in rows:
        rle = here.track.masks.get(frame.index)
        items.append(
            DrawnTrack(
                number=here.track.number,
                box_xyxy_px=here.box,
                label=here.track.label or "",
                carried=not here.track.measured[here.row],
                trail_px=here.trail(),
                mask=None if rle is None else decode_mask(rle, frame.height, frame.width),
            )
        )
    return draw_tracks(frame.image, items, [Note(f"{frame.time_s:.2f} s", "top right")])


def _chosen_views(result: FollowResult) -> Mapping[int, list[int]]:
    """Frames of which the sheet shows a view, by number: some spread over its life, or the middle one of each."""
    per_track = _VIEWS if len(result.tracks) <= _FEW_TRACKS else 1
    chosen: dict[int, list[int]] = {}
    for track in result.tracks[:_MOST_CELLS]:
        seen = track.frames[track.seen]
        if per_track == 1:
            chosen[track.number] = seen[len(seen) // 2 : len(seen) // 2 + 1].tolist()
        else:
            places = np.linspace(0, max(len(seen) - 1, 0), per_track).round().astype(int)
            chosen[track.number] = np.unique(seen[places]).tolist() if len(seen) else []
    return defaultdict(list, chosen)


def _view(image: Image, box: BoxXYXY) -> Image:
    """The box with some of what is around it."""
    height, width = image.shape[:2]
    border = _CONTEXT * float(max(box[2] - box[0], box[3] - box[1], 8.0))
    x1, y1 = max(0, int(box[0] - border)), max(0, int(box[1] - border))
    x2, y2 = min(width, int(np.ceil(box[2] + border))), min(height, int(np.ceil(box[3] + border)))
    return image[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)].copy()


def _write_sheet(
    file: Path,
    result: FollowResult,
    views: Mapping[int, list[int]],
    pictures: Mapping[tuple[int, int], Image],
) -> Path:
    cells = []
    for track in result.tracks[:_MOST_CELLS]:
        title = f"{track.number} {track.label or ''}".strip()
        times = dict(zip(track.frames.tolist(), track.times_s.tolist(), strict=True))
        for frame in views[track.number]:
            picture = pictures.get((track.number, frame))
            cells.append(SheetCell(picture, title, (f"{times[frame]:.2f} s",), colour_of(track.number)))
        if not views[track.number]:
            cells.append(SheetCell(None, title, ("never seen",), colour_of(track.number)))
    shown = min(len(result.tracks), _MOST_CELLS)
    heading = f"{Path(result.info.path).name}: {shown} of {len(result.tracks)} tracks"
    with atomic_path(file) as part:
        Pillow.fromarray(contact_sheet(heading, cells, columns=_VIEWS)).save(part, "PNG")
    return file
