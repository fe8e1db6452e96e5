"""Writes Label Studio tasks with video rectangles, as predictions that a person can accept or correct."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

from onlooker.formats.files import atomic_path
from onlooker.video.exchange.json_rows import Json
from onlooker.video.exchange.outgoing import ExportReport, OutgoingTrack, OutgoingVideo, open_videos
from onlooker.video.store.store import Store


def export_label_studio(store: Store, target: str | Path, video_ids: Sequence[int] | None = None) -> ExportReport:
    """Write one JSON file of tasks, one per video, for a labelling set-up with `Video`, `VideoRectangle` and `Labels`.

    Boxes are per cent of the frame, frames count from 1, and the last box before a gap has `enabled: false`, which
    stops the interpolation there. `data.video` is the path the file had when it was added. Lost: masks, scores,
    attributes.

    Raises:
        NothingFoundError: there is no finished video to write.
    """
    file = Path(target)
    with (
        open_videos(store, video_ids) as videos,
        atomic_path(file) as part,
        part.open("w", encoding="utf-8", newline="\n") as stream,
    ):
        for place, video in enumerate(videos):
            task = json.dumps(_task(video), ensure_ascii=False, indent=1)
            stream.write((",\n " if place else "[\n ") + task.replace("\n", "\n "))  # one level deeper
        stream.write("\n]")
    return ExportReport((file,), ("Label Studio tasks carry no scores, masks or attributes",))


def _task(video: OutgoingVideo) -> Json:
    results: list[Json] = [_region(video, track) for track in video.tracks if len(track.frames)]
    prediction: Json = {"model_version": "onlooker", "result": results}
    return {"data": {"video": video.stored.path, "name": video.stored.name}, "predictions": [prediction]}


def _region(video: OutgoingVideo, track: OutgoingTrack) -> Json:
    labels: list[Json] = [track.category]
    value: Json = {
        "framesCount": video.n_frames,
        "duration": video.stored.duration_s,
        "sequence": _sequence(video, track),
        "labels": labels,
    }
    return {
        "id": f"tracklet-{track.number}",
        "type": "videorectangle",
        "from_name": "box",
        "to_name": "video",
        "origin": "prediction",
        "meta": {"text": [track.label or f"#{track.number}"]},
        "value": value,
    }


def _sequence(video: OutgoingVideo, track: OutgoingTrack) -> list[Json]:
    width, height = video.stored.width, video.stored.height
    looked = [frame for frame, _ in video.frames]
    following = dict(itertools.pairwise(looked))
    frames = track.frames.tolist()
    present = set(frames)
    sequence: list[Json] = []
    for place, (x1, y1, x2, y2) in enumerate(track.boxes_xyxy_px.tolist()):
        frame = frames[place]
        keyframe: dict[str, Json] = {
            "frame": frame + 1,
            "enabled": following.get(frame, frame + 1) in present,
            "rotation": 0,
            "x": round(100 * x1 / width, 6),
            "y": round(100 * y1 / height, 6),
            "width": round(100 * (x2 - x1) / width, 6),
            "height": round(100 * (y2 - y1) / height, 6),
            "time": float(track.times_s[place]),
        }
        sequence.append(keyframe)
    return sequence
