"""Writes COCO-VID and YouTube-VIS JSON, times included."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from onlooker.video.exchange.masks import mask_area
from onlooker.video.exchange.outgoing import (
    ExportReport,
    OutgoingTrack,
    OutgoingVideo,
    read_videos,
    unique_names,
    write_text,
)
from onlooker.video.store.store import Store

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | dict[str, Json] | None"


def export_coco_vid(store: Store, target: str | Path, video_ids: Sequence[int] | None = None) -> ExportReport:
    """Write one COCO-VID file: an image row per frame that was looked at, `track_id` the tracklet's number.

    Lost: names given by people, which boxes were detected, gaps as such, speech and all attributes.

    Raises:
        NothingFoundError: there is no finished video to write.
    """
    videos = read_videos(store, video_ids)
    ids = _category_ids(videos)
    images: list[Json] = []
    annotations: list[Json] = []
    for video, name in zip(videos, unique_names(videos), strict=True):
        image_of: dict[int, int] = {}
        for frame, time in video.frames:
            image_of[frame] = len(images) + 1
            image = _named(video, f"{name}/{frame + 1:06d}.jpg")
            image |= {"id": len(images) + 1, "video_id": video.stored.id, "frame_id": frame, "time_s": time}
            images.append(image)
        for track in video.tracks:
            for place, frame in enumerate(track.frames.tolist()):
                row = _box_fields(track, place)
                mask = track.masks.get(frame)
                if mask is not None:
                    row |= {"segmentation": _rle(mask, video), "area": mask_area(mask)}
                row |= {"id": len(annotations) + 1, "image_id": image_of[frame], "video_id": video.stored.id}
                row |= {"category_id": ids[track.category], "track_id": track.number, "instance_id": track.number}
                annotations.append(row)
    content: Json = {
        "videos": [_video_fields(video) for video in videos],
        "images": images,
        "annotations": annotations,
        "categories": [{"id": key, "name": name} for name, key in ids.items()],
    }
    return _written(target, content, "COCO-VID")


def export_ytvis(store: Store, target: str | Path, video_ids: Sequence[int] | None = None) -> ExportReport:
    """Write one YouTube-VIS file: per tracklet a box and a mask for every frame that was looked at, or null.

    Lost: as in `export_coco_vid`. `id` counts through the file; `track_id` is the tracklet's number.

    Raises:
        NothingFoundError: there is no finished video to write.
    """
    videos = read_videos(store, video_ids)
    ids = _category_ids(videos)
    listed: list[Json] = []
    annotations: list[Json] = []
    for video, name in zip(videos, unique_names(videos), strict=True):
        row = _video_fields(video)
        row["file_names"] = [f"{name}/{frame + 1:06d}.jpg" for frame, _ in video.frames]
        row["frame_ids"] = [frame for frame, _ in video.frames]
        row["times_s"] = [time for _, time in video.frames]
        listed.append(row)
        for track in video.tracks:
            annotation = _ytvis_annotation(video, track)
            annotation |= {"id": len(annotations) + 1, "category_id": ids[track.category]}
            annotations.append(annotation)
    content: Json = {
        "info": {"description": "tracklets of an Onlooker library"},
        "videos": listed,
        "annotations": annotations,
        "categories": [{"id": key, "name": name} for name, key in ids.items()],
    }
    return _written(target, content, "YouTube-VIS")


def _ytvis_annotation(video: OutgoingVideo, track: OutgoingTrack) -> dict[str, Json]:
    places = {frame: place for place, frame in enumerate(track.frames.tolist())}
    fields = [_box_fields(track, places[f]) if f in places else None for f, _ in video.frames]
    masks = [track.masks.get(frame) for frame, _ in video.frames]
    areas: list[Json] = []
    for row, mask in zip(fields, masks, strict=True):
        areas.append(None if row is None else row["area"] if mask is None else mask_area(mask))
    return {
        "video_id": video.stored.id,
        "track_id": track.number,
        "iscrowd": 0,
        "width": video.stored.width,
        "height": video.stored.height,
        "length": len(video.frames),
        "bboxes": [None if row is None else row["bbox"] for row in fields],
        "scores": [None if row is None else row["score"] for row in fields],
        "areas": areas,
        "segmentations": [None if mask is None else _rle(mask, video) for mask in masks],
    }


def _category_ids(videos: Sequence[OutgoingVideo]) -> dict[str, int]:
    names = sorted({track.category for video in videos for track in video.tracks})
    return {name: place for place, name in enumerate(names, start=1)}


def _named(video: OutgoingVideo, file_name: str) -> dict[str, Json]:
    return {"file_name": file_name, "width": video.stored.width, "height": video.stored.height}


def _video_fields(video: OutgoingVideo) -> dict[str, Json]:
    return {
        "id": video.stored.id,
        "name": video.stored.name,
        "width": video.stored.width,
        "height": video.stored.height,
        "fps": video.fps,
        "length": video.n_frames,
        "duration_s": video.stored.duration_s,
    }


def _box_fields(track: OutgoingTrack, place: int) -> dict[str, Json]:
    x1, y1, x2, y2 = track.boxes_xyxy_px[place].tolist()
    box: list[Json] = [round(v, 6) for v in (x1, y1, x2 - x1, y2 - y1)]
    area = round((x2 - x1) * (y2 - y1), 6)
    return {"bbox": box, "area": area, "iscrowd": 0, "score": float(track.scores[place])}


def _rle(mask: bytes, video: OutgoingVideo) -> dict[str, Json]:
    return {"size": [video.stored.height, video.stored.width], "counts": mask.decode("ascii")}


def _written(target: str | Path, content: Json, name: str) -> ExportReport:
    file = write_text(Path(target), json.dumps(content, ensure_ascii=False))
    return ExportReport((file,), (f"{name} carries no names given by people, speech or attributes",))
