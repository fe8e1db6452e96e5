"""Writes CVAT's "CVAT for video 1.1" XML."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from onlooker.formats.files import number_text, write_text
from onlooker.video.exchange.outgoing import ExportReport, OutgoingTrack, OutgoingVideo, open_videos, targets_per_video
from onlooker.video.store.store import Store

_CONTROL = dict.fromkeys((*range(9), 11, 12, *range(14, 32)))  # characters XML 1.0 does not know


def export_cvat(store: Store, target: str | Path, video_ids: Sequence[int] | None = None) -> ExportReport:
    """Write one `.xml` per video: to `target` for one video, into the folder `target` for several.

    Every box is a key frame; after the last frame of a stretch comes a box with `outside="1"`, without which CVAT would
    draw the object on. Lost: scores, masks, seconds (CVAT counts frames), speech and attributes.

    Raises:
        NothingFoundError: there is no finished video to write.
        ConfigError: `target` names one file, and there are several videos.
    """
    with open_videos(store, video_ids) as videos:
        targets = targets_per_video(videos.stored, Path(target), ".xml")
        files = [write_text(file, _xml(video)) for video, file in zip(videos, targets, strict=True)]
    return ExportReport(tuple(files), ("CVAT XML carries no scores, masks, seconds or attributes",))


def _xml(video: OutgoingVideo) -> str:
    root = ET.Element("annotations")
    ET.SubElement(root, "version").text = "1.1"
    task = ET.SubElement(ET.SubElement(root, "meta"), "task")
    for key, value in (
        ("name", video.stored.name),
        ("size", video.n_frames),
        ("mode", "interpolation"),
        ("start_frame", 0),
        ("stop_frame", max(video.n_frames - 1, 0)),
    ):
        ET.SubElement(task, key).text = _plain(str(value))
    labels = ET.SubElement(task, "labels")
    for category in sorted({track.category for track in video.tracks}):
        label = ET.SubElement(labels, "label")
        ET.SubElement(label, "name").text = _plain(category)
        ET.SubElement(label, "attributes")
    size = ET.SubElement(task, "original_size")
    ET.SubElement(size, "width").text = str(video.stored.width)
    ET.SubElement(size, "height").text = str(video.stored.height)
    looked = [frame for frame, _ in video.frames]
    for track in video.tracks:
        _add_track(root, track, looked, video.n_frames)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _add_track(root: ET.Element, track: OutgoingTrack, looked: Sequence[int], n_frames: int) -> None:
    node = ET.SubElement(root, "track", id=str(track.number), label=_plain(track.category), source="auto")
    following = dict(itertools.pairwise(looked))
    frames = track.frames.tolist()
    present = set(frames)
    for frame, box in zip(frames, track.boxes_xyxy_px.tolist(), strict=True):
        _add_box(node, frame, box, outside=0)
        after = following.get(frame, frame + 1)
        # CVAT interpolates over frames nobody looked at; a frame that was looked at and has no box ends the stretch.
        if after not in present and after < n_frames:
            _add_box(node, after, box, outside=1)


def _add_box(node: ET.Element, frame: int, box: Sequence[float], outside: int) -> None:
    corners = dict(zip(("xtl", "ytl", "xbr", "ybr"), map(number_text, box), strict=True))
    ET.SubElement(
        node, "box", frame=str(frame), keyframe="1", outside=str(outside), occluded="0", z_order="0", attrib=corners
    )


def _plain(text: str) -> str:
    return text.translate(_CONTROL)
