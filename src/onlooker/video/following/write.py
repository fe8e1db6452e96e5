"""What was followed, as files: `tracks.json`, `tracks.txt` (MOTChallenge), `boxes/` (single objects), and masks.

`tracks.json`, field by field (times in seconds on the video's own clock, its first frame at 0; boxes `[x1, y1, x2, y2]`
in pixels of the shown frame, ends exclusive):

- `video`: `path`, `width`, `height` (as shown), `rotation_deg`, `fps` (average, `null` if unknown; times are exact),
  `from_s`, `to_s`, `n_frames` of the stretch that was looked at, `cuts_s` where shots begin, `problem` or `null`;
- `asked`: `boxes`, `at_s`, `classes`; `models`: role -> name@version;
- `tracks`: a list of `id`, `source` ("box" or "class"), `label` or `null`, `same_as` (ids of the tracks of the
  other source that are the same thing), `first_s`, `last_s` it was seen, and `boxes`: one entry per frame, of a box
  from the frame it was given on, of a class for the frames the thing is on alone, with `time_s`, `frame` (from 0),
  `seen`, `box_xyxy` (`null` where not seen), `score` in [0, 1] (`null` where not seen, or for a follower that cannot
  say), `measured` (false: between two looks), and with masks `mask`: `size` [height, width] and `counts`, COCO's
  compressed run lengths.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from onlooker.formats import davis, mot, single_object, ytvis
from onlooker.formats.files import write_text
from onlooker.formats.run_lengths import decode_mask
from onlooker.video.following.folder import BOXES, MASKS, TRACKS_FILE, clear
from onlooker.video.following.request import FollowRequest
from onlooker.video.following.values import FollowedTrack, FollowResult

_LARGEST_LABEL = 254  # 255 is void in mask pictures


def as_dict(request: FollowRequest, result: FollowResult) -> dict[str, object]:
    """The content of `tracks.json`."""
    info = result.info
    return {
        "video": {
            "path": info.path,
            "width": info.width,
            "height": info.height,
            "rotation_deg": info.rotation_deg,
            "fps": info.fps,
            "from_s": request.from_s,
            "to_s": round(result.end_s, 6),
            "n_frames": len(result.frames),
            "cuts_s": [round(cut, 6) for cut in result.cuts_s],
            "problem": result.problem,
        },
        "asked": {
            "boxes": [list(box) for box in request.boxes],
            "at_s": request.at_s if request.boxes else None,
            "classes": list(request.classes),
        },
        "models": dict(result.models),
        "tracks": [_track(track, (info.height, info.width)) for track in result.tracks],
    }


def _track(track: FollowedTrack, size: tuple[int, int]) -> dict[str, object]:
    times = track.times_s[track.seen]
    return {
        "id": track.number,
        "source": track.source,
        "label": track.label,
        "same_as": list(track.same_as),
        "first_s": round(float(times[0]), 6) if len(times) else None,
        "last_s": round(float(times[-1]), 6) if len(times) else None,
        "boxes": [_row(track, row, size) for row in range(len(track.frames))],
    }


def _row(track: FollowedTrack, row: int, size: tuple[int, int]) -> dict[str, object]:
    frame, seen = int(track.frames[row]), bool(track.seen[row])
    told: dict[str, object] = {
        "time_s": round(float(track.times_s[row]), 6),
        "frame": frame,
        "seen": seen,
        "box_xyxy": [round(float(value), 2) for value in track.boxes_xyxy_px[row]] if seen else None,
        "score": round(float(track.scores[row]), 4) if seen and track.scores is not None else None,
        "measured": bool(track.measured[row]),
    }
    if frame in track.masks:
        told["mask"] = {"size": list(size), "counts": track.masks[frame].decode("ascii")}
    return told


def write_tracks(folder: Path, request: FollowRequest, result: FollowResult) -> tuple[Path, ...]:
    """Writes `tracks.json`, `tracks.txt` and, for every thing that was pointed at, `boxes/NUMBER.txt`."""
    text = json.dumps(as_dict(request, result), ensure_ascii=False) + "\n"
    # A file name that is not UTF-8 comes as halves of characters; with a backslash each is JSON that reads back as it.
    told = write_text(folder / TRACKS_FILE, text.encode("utf-8", "backslashreplace").decode())
    rows = mot.write_rows(folder / "tracks.txt", _mot_rows(result))
    place = folder / BOXES
    clear(folder, BOXES)
    pointed = [track for track in result.tracks if track.source == "box"]
    for track in pointed:
        single_object.write_boxes(place / f"{track.number}.txt", _box_track(track, result))
    return (told, rows, place) if pointed else (told, rows)


def _box_track(track: FollowedTrack, result: FollowResult) -> single_object.BoxTrack:
    """A line per frame that was looked at; absent before the frame it was given on."""
    places = {frame: place for place, (frame, _) in enumerate(result.frames)}
    boxes, visible = np.zeros((len(places), 4)), np.zeros(len(places), np.bool_)
    mine = [places[frame] for frame in track.frames.tolist()]
    boxes[mine], visible[mine] = track.boxes_xyxy_px, track.seen
    return single_object.BoxTrack(boxes, visible)


def _mot_rows(result: FollowResult) -> Iterator[mot.MotRow]:
    """Frames count from 1 at the start of the file, so that they fit its pictures."""
    for track in result.tracks:
        for row in np.flatnonzero(track.seen).tolist():
            x1, y1, x2, y2 = (round(float(value), 2) for value in track.boxes_xyxy_px[row])
            score = 1.0 if track.scores is None else round(float(track.scores[row]), 4)
            yield mot.MotRow(int(track.frames[row]) + 1, track.number, (x1, y1, x2, y2), confidence=score)


def picture_limit(result: FollowResult) -> str | None:
    """Why there are no mask pictures; `None` where there are."""
    if len(result.tracks) <= _LARGEST_LABEL:
        return None
    return (
        f"mask pictures number {_LARGEST_LABEL} things at most, there are {len(result.tracks)}: none are written, "
        "all masks are in youtube_vis.json"
    )


def missing_masks(result: FollowResult) -> str | None:
    """How many boxes have no mask though their thing has some; `None` where all have one."""
    tracks = [track for track in result.tracks if track.masks]
    boxes = sum(int(track.seen.sum()) for track in tracks)
    bare = boxes - sum(len(track.masks) for track in tracks)
    if not bare:
        return None
    return f"{bare} of {boxes} boxes have no mask: nothing was found inside, or nobody looked at the frame"


def write_masks(folder: Path, result: FollowResult) -> tuple[Path, ...]:
    """Writes `masks/NNNNN.png`, a palette picture per frame as DAVIS has them, and `youtube_vis.json`.

    Where masks overlap, the thing with the lower number lies in front. With more things than a picture can number
    there are no pictures, see `picture_limit`.
    """
    place = folder / MASKS
    clear(folder, MASKS)
    tubes = _write_tubes(folder / "youtube_vis.json", result)
    if picture_limit(result) is not None:
        return (tubes,)
    place.mkdir(exist_ok=True)
    _write_pictures(place, result)
    return place, tubes


def _write_pictures(place: Path, result: FollowResult) -> None:
    by_frame: defaultdict[int, list[FollowedTrack]] = defaultdict(list)
    for track in result.tracks:
        for frame in track.masks:
            by_frame[frame].append(track)
    height, width = result.info.height, result.info.width
    for frame, _ in result.frames:
        labels = np.zeros((1, height, width), np.uint8)
        for track in sorted(by_frame[frame], key=lambda item: -item.number):
            labels[0][decode_mask(track.masks[frame], height, width)] = track.number
        davis.write_sequence(place, labels, [f"{frame:05d}"])


def _write_tubes(file: Path, result: FollowResult) -> Path:
    names = sorted({track.label or "thing" for track in result.tracks})
    categories = dict(enumerate(names, start=1))
    number_of = {name: number for number, name in categories.items()}
    pictures = tuple(f"{frame:05d}.jpg" for frame, _ in result.frames)
    video = ytvis.TubeVideo(1, (result.info.width, result.info.height), pictures)
    tubes = tuple(
        ytvis.Tube(1, number_of[track.label or "thing"], counts, _mean_score(track))
        for track in result.tracks
        for counts in [tuple(track.masks.get(frame) for frame, _ in result.frames)]
    )
    return ytvis.write_truth(file, ytvis.TubeSet({1: video}, categories, tubes))


def _mean_score(track: FollowedTrack) -> float | None:
    if track.scores is None or not track.seen.any():
        return None
    return round(float(track.scores[track.seen].mean()), 4)
