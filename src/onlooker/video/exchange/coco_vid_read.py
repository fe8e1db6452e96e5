"""Reads COCO-VID JSON. One file may hold many videos; all of them are one import."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from onlooker.errors import FormatError
from onlooker.formats.json_masks import mask_of, size_of
from onlooker.formats.json_node import Node
from onlooker.formats.run_lengths import mask_box
from onlooker.video.exchange.annotated import ImportReport
from onlooker.video.exchange.clips import (
    Clip,
    ClipBox,
    ClipFormat,
    category_of,
    import_clips,
    picture_name,
    score_of,
)
from onlooker.video.store.store import Store

ASSUMED_FPS = 30.0  # where neither the file nor the caller says: usual footage


def import_coco_vid(
    store: Store, file: str | Path, fps: float | None = None, pictures: str | Path | None = None
) -> ImportReport:
    """Import a COCO-VID file: `videos`, `images` with `video_id` and `frame_id`, `annotations` with `track_id`.

    Args:
        file: the JSON.
        fps: frames a second, where the file does not say.
        pictures: the folder that picture names start from; looked for beside the file by default.

    Raises:
        FormatError: something is malformed; the message names file, place and line. Nothing was written.
    """
    return import_clips(store, Path(file), fps, pictures, ClipFormat("coco-vid", ASSUMED_FPS, _read_coco_vid))


def _read_coco_vid(root: Node, categories: dict[int, str], notes: list[str]) -> list[Clip]:
    images = list(root.field("images").items())
    first_of: dict[int, Node] = {}
    for image in images:
        first_of.setdefault(image.field("video_id").integer(), image)
    clips: dict[int, Clip] = {}
    for node in root.field("videos").items():
        key = node.field("id").integer()
        if key in clips:
            raise node.field("id").wrong("an id that no other video has")
        if key not in first_of:
            notes.append(f"{node.where}: has no images and was left out")
            continue
        clips[key] = Clip(node, key, size_of(node if node.get("width") else first_of[key]), parts=[node.value])
    place_of = _place_images(images, clips)
    for item in root.field("annotations").items():
        image_id = item.field("image_id")
        if image_id.integer() not in place_of:
            raise image_id.wrong("the id of one of `images`")
        clip, frame = place_of[image_id.integer()]
        clip.parts.append(item.value)
        _add_coco_annotation(clip, frame, item, categories)
    return list(clips.values())


def _place_images(images: Sequence[Node], clips: dict[int, Clip]) -> dict[int, tuple[Clip, int]]:
    """(video, frame index) by image id. `frame_id` counts from 0 if any image of the file has 0, else from 1."""
    numbers = [image.get("frame_id") for image in images]
    base = min((n.integer() for n in numbers if n is not None), default=0)
    base = min(base, 1)
    place_of: dict[int, tuple[Clip, int]] = {}
    seen: set[tuple[int, int]] = set()
    for image, number in zip(images, numbers, strict=True):
        owner = image.field("video_id")
        clip = clips.get(owner.integer())
        if clip is None:
            raise owner.wrong("the id of one of `videos`")
        frame = number.integer() - base if number is not None else len(clip.frames)
        key = image.field("id").integer()
        if frame < 0 or (clip.key, frame) in seen or key in place_of:
            raise FormatError(
                f"{image.where}: image {key} repeats an id or a `frame_id` of its video, or counts below 0"
            )
        seen.add((clip.key, frame))
        time, name = image.get("time_s"), image.get("file_name")
        clip.frames.append((frame, time.number() if time else None, picture_name(name) if name else None))
        clip.parts.append(image.value)
        place_of[key] = (clip, frame)
    return place_of


def _add_coco_annotation(clip: Clip, frame: int, item: Node, categories: dict[int, str]) -> None:
    number = item.get("track_id") or item.get("instance_id")
    if number is None:
        raise FormatError(
            f"{item.where}: `track_id` (or `instance_id`) is missing; these are detections without tracks"
        )
    mask = mask_of(item.get("segmentation"), clip.size)
    listed = item.get("bbox")
    box = listed.box_xywh() if listed else (mask_box(mask, clip.size[1], clip.size[0]) if mask else None)
    if box is None:
        raise FormatError(f"{item.where}: has neither `bbox` nor a mask of at least one pixel")
    clip.add(number.integer(), category_of(item, categories), frame, ClipBox(box, score_of(item), mask), item.where)
