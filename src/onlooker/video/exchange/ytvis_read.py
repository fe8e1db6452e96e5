"""Reads YouTube-VIS JSON. One file may hold many videos; all of them are one import."""

from __future__ import annotations

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

ASSUMED_FPS = 6.0  # where neither the file nor the caller says: YouTube-VIS annotates every fifth frame of 30 a second


def import_ytvis(
    store: Store, file: str | Path, fps: float | None = None, pictures: str | Path | None = None
) -> ImportReport:
    """Import a YouTube-VIS file: `videos` with `file_names`, `annotations` with one mask or box per frame, or null.

    Args:
        file: the JSON.
        fps: annotated frames a second, where the file does not say.
        pictures: the folder that picture names start from; looked for beside the file by default.

    Raises:
        FormatError: something is malformed; the message names file, place and line. Nothing was written.
    """
    return import_clips(store, Path(file), fps, pictures, ClipFormat("ytvis", ASSUMED_FPS, _read_ytvis))


def _read_ytvis(root: Node, categories: dict[int, str], notes: list[str]) -> list[Clip]:
    clips: dict[int, Clip] = {}
    for node in root.field("videos").items():
        key = node.field("id").integer()
        if key in clips:
            raise node.field("id").wrong("an id that no other video has")
        names = [picture_name(item) for item in node.field("file_names").items()]
        if not names:
            notes.append(f"{node.where}: has no frames and was left out")
            continue
        times, indices = node.get("times_s"), node.get("frame_ids")
        seconds: list[float | None] = [item.number() for item in times.items()] if times else [None] * len(names)
        frames = [item.integer() for item in indices.items()] if indices else list(range(len(names)))
        if len(seconds) != len(names) or len(frames) != len(names):
            raise node.wrong("as many `times_s` and `frame_ids` as `file_names`")
        listed: list[tuple[int, float | None, str | None]] = list(zip(frames, seconds, names, strict=True))
        clips[key] = Clip(node, key, size_of(node), listed, parts=[node.value])
    listed_tracks = root.get("annotations")  # the public validation files have none
    for item in listed_tracks.items() if listed_tracks else ():
        owner = item.field("video_id")
        clip = clips.get(owner.integer())
        if clip is None:
            raise owner.wrong("the id of one of `videos`")
        clip.parts.append(item.value)
        _add_ytvis_annotation(clip, item, categories, notes)
    return list(clips.values())


def _add_ytvis_annotation(clip: Clip, item: Node, categories: dict[int, str], notes: list[str]) -> None:
    number = (item.get("track_id") or item.field("id")).integer()
    if number in clip.tracks:
        raise item.wrong(f"a track number that no other annotation of its video has (not {number})")
    masks, boxes = (_per_frame(item.get(key), len(clip.frames)) for key in ("segmentations", "bboxes"))
    scores = _per_frame(item.get("scores"), len(clip.frames))
    category = category_of(item, categories)
    for place, (frame, _, _) in enumerate(clip.frames):
        mask = mask_of(masks[place], clip.size)
        listed = boxes[place]
        box = listed.box_xywh() if listed else (mask_box(mask, clip.size[1], clip.size[0]) if mask else None)
        own = scores[place]
        if box is not None:
            score = min(max(own.number(), 0.0), 1.0) if own else score_of(item)
            clip.add(number, category, frame, ClipBox(box, score, mask), item.where)
    if number not in clip.tracks:
        notes.append(f"{item.where}: is on no frame and was left out")


def _per_frame(node: Node | None, n_frames: int) -> list[Node | None]:
    if node is None:
        return [None] * n_frames
    found = list(node.items())
    if len(found) != n_frames:
        raise FormatError(f"{node.where}: has {len(found)} entries, its video has {n_frames} frames")
    return [None if item.value is None or item.value == [] else item for item in found]
