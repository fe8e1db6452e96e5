"""Writes COCO-VID and YouTube-VIS JSON, times included."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from onlooker.formats.run_lengths import mask_area
from onlooker.video.exchange.json_rows import Json, JsonRows, json_of_lists
from onlooker.video.exchange.outgoing import (
    ExportReport,
    OutgoingTrack,
    OutgoingVideo,
    OutgoingVideos,
    open_videos,
    unique_names,
)
from onlooker.video.store.store import Store


def export_coco_vid(store: Store, target: str | Path, video_ids: Sequence[int] | None = None) -> ExportReport:
    """Write one COCO-VID file: an image row per frame that was looked at, `track_id` the tracklet's number.

    Lost: names given by people, which boxes were detected, gaps as such, speech and all attributes.

    Raises:
        NothingFoundError: there is no finished video to write.
    """
    with (
        open_videos(store, video_ids) as videos,
        json_of_lists(Path(target), ("videos", "images", "annotations", "categories")) as lists,
    ):
        ids = _add_categories(lists["categories"], videos)
        for video, name in zip(videos, unique_names(videos.stored), strict=True):
            lists["videos"].add(_video_fields(video))
            image_of = _add_images(lists["images"], video, name)
            for track in video.tracks:
                _add_boxes(lists["annotations"], video, track, image_of, ids[track.category])
    return _report(target, "COCO-VID")


def _add_images(images: JsonRows, video: OutgoingVideo, name: str) -> dict[int, int]:
    """Adds a row for each frame; returns the ids of the rows by frame."""
    image_of: dict[int, int] = {}
    for frame, time in video.frames:
        image_of[frame] = len(images) + 1
        image: dict[str, Json] = {"file_name": f"{name}/{frame + 1:06d}.jpg"}
        image |= {"width": video.stored.width, "height": video.stored.height}
        image |= {"id": len(images) + 1, "video_id": video.stored.id, "frame_id": frame, "time_s": time}
        images.add(image)
    return image_of


def _add_boxes(
    annotations: JsonRows, video: OutgoingVideo, track: OutgoingTrack, image_of: dict[int, int], category: int
) -> None:
    for place, frame in enumerate(track.frames.tolist()):
        row = _box_fields(track, place)
        mask = track.masks.get(frame)
        if mask is not None:
            row |= {"segmentation": _rle(mask, video), "area": mask_area(mask)}
        row |= {"id": len(annotations) + 1, "image_id": image_of[frame], "video_id": video.stored.id}
        row |= {"category_id": category, "track_id": track.number, "instance_id": track.number}
        annotations.add(row)


def export_ytvis(store: Store, target: str | Path, video_ids: Sequence[int] | None = None) -> ExportReport:
    """Write one YouTube-VIS file: per tracklet a box and a mask for every frame that was looked at, or null.

    Lost: as in `export_coco_vid`. `id` counts through the file; `track_id` is the tracklet's number.

    Raises:
        NothingFoundError: there is no finished video to write.
    """
    about: dict[str, Json] = {"info": {"description": "tracklets of an Onlooker library"}}
    with (
        open_videos(store, video_ids) as videos,
        json_of_lists(Path(target), ("videos", "annotations", "categories"), about) as lists,
    ):
        ids = _add_categories(lists["categories"], videos)
        annotations = lists["annotations"]
        for video, name in zip(videos, unique_names(videos.stored), strict=True):
            row = _video_fields(video)
            row["file_names"] = [f"{name}/{frame + 1:06d}.jpg" for frame, _ in video.frames]
            row["frame_ids"] = [frame for frame, _ in video.frames]
            row["times_s"] = [time for _, time in video.frames]
            lists["videos"].add(row)
            for track in video.tracks:
                annotation = _ytvis_annotation(video, track)
                annotation |= {"id": len(annotations) + 1, "category_id": ids[track.category]}
                annotations.add(annotation)
    return _report(target, "YouTube-VIS")


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
        # Of the whole tube: what YouTube-VIS ranks results by.
        "score": round(float(np.mean(track.scores)), 6) if len(track.scores) else 0.0,
        "bboxes": [None if row is None else row["bbox"] for row in fields],
        "scores": [None if row is None else row["score"] for row in fields],
        "areas": areas,
        "segmentations": [None if mask is None else _rle(mask, video) for mask in masks],
    }


def _add_categories(categories: JsonRows, videos: OutgoingVideos) -> dict[str, int]:
    """Adds a row for each category; returns their ids."""
    ids = {name: place for place, name in enumerate(videos.categories(), start=1)}
    for name, place in ids.items():
        categories.add({"id": place, "name": name})
    return ids


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


def _report(target: str | Path, name: str) -> ExportReport:
    return ExportReport((Path(target),), (f"{name} carries no names given by people, speech or attributes",))
