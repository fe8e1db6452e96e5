"""YouTube-VIS JSON as tubes: one object through a video, a mask or nothing per frame (Yang et al. 2019).

The truth is an object with `videos`, `categories`, `annotations`; results are a list of tubes with scores. Masks are
compressed run lengths here whatever form they had.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from onlooker.errors import FormatError, ShapeError
from onlooker.formats.files import write_text
from onlooker.formats.json_masks import categories_of, mask_of, size_of
from onlooker.formats.json_node import Node


@dataclass(frozen=True, slots=True)
class TubeVideo:
    """One video of a file: `size` is (width, height) in pixels, `file_names` one per frame."""

    number: int
    size: tuple[int, int]
    file_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tube:
    """One object through a video: compressed run lengths per frame, `None` where it is not seen.

    `score` is `None` in the truth. A crowd's tube is a region in which results are neither right nor wrong.
    """

    video: int
    category: int
    counts: tuple[bytes | None, ...]
    score: float | None = None
    crowd: bool = False


@dataclass(frozen=True, slots=True)
class TubeSet:
    """A file of truths: videos by number, names of categories by number, and all tubes."""

    videos: Mapping[int, TubeVideo]
    categories: Mapping[int, str]
    tubes: tuple[Tube, ...]

    def __post_init__(self) -> None:
        for place, tube in enumerate(self.tubes):
            _check_tube(tube, self.videos, self.categories, f"tube {place}")


def read_truth(file: Path) -> TubeSet:
    """A file of videos with annotations.

    Raises:
        FormatError: something is malformed; the message names file and place.
    """
    root = Node.read(file)
    videos: dict[int, TubeVideo] = {}
    for node in root.field("videos").items():
        number, size = node.field("id").integer(), size_of(node)
        if number in videos:
            raise node.field("id").wrong("an id that no other video has")
        names = tuple(item.text() for item in node.field("file_names").items())
        videos[number] = TubeVideo(number, size, names)
    categories = categories_of(root)
    twice = {name for name in categories.values() if list(categories.values()).count(name) > 1}
    if twice:
        raise FormatError(
            f"{file}: several categories are called `{min(twice)}`; results tell them apart by their names"
        )
    kinds = {number: number for number in categories}
    listed = root.get("annotations")
    tubes = tuple(_read_tube(n, videos, kinds, scored=False) for n in (listed.items() if listed else ()))
    return TubeSet(videos, categories, tubes)


def read_results(file: Path, truth: TubeSet) -> tuple[Tube, ...]:
    """Scored tubes: a list, or a file like the truth whose annotations have scores (1 where they have none).

    A file with categories of its own is understood by their names: who numbers them otherwise means the same.

    Raises:
        FormatError: something is malformed, or a video or category is not one of the truth's.
    """
    root = Node.read(file)
    own: Mapping[int, str] = truth.categories
    if isinstance(root.value, dict):
        own = categories_of(root) if root.get("categories") else own
        root = root.field("annotations")
    numbers = {name: number for number, name in truth.categories.items()}
    same = {number: number for number, name in own.items() if truth.categories.get(number) == name}
    kinds = {number: numbers[name] for number, name in own.items() if name in numbers} | same
    return tuple(_read_tube(node, truth.videos, kinds, scored=True) for node in root.items())


def write_truth(file: Path, tubes: TubeSet) -> Path:
    """Write videos, categories and annotations; scores too, where tubes have them: such a file can be scored."""
    videos = [
        {"id": v.number, "width": v.size[0], "height": v.size[1], "length": len(v.file_names)}
        | {"file_names": list(v.file_names)}
        for v in tubes.videos.values()
    ]
    annotations = [
        {"id": place, "iscrowd": int(tube.crowd), **_tube_fields(tube, tubes.videos)}
        | ({} if tube.score is None else {"score": tube.score})
        for place, tube in enumerate(tubes.tubes, start=1)
    ]
    categories = [{"id": number, "name": name} for number, name in tubes.categories.items()]
    content = {"videos": videos, "categories": categories, "annotations": annotations}
    return write_text(file, json.dumps(content, ensure_ascii=False) + "\n")


def write_results(file: Path, tubes: Iterable[Tube], videos: Mapping[int, TubeVideo]) -> Path:
    """Write scored tubes as the evaluation server takes them."""
    rows = []
    for place, tube in enumerate(tubes):
        _check_tube(tube, videos, None, f"tube {place}")
        if tube.score is None:
            raise ShapeError(f"tube {place} has no score; results are ranked by it")
        rows.append({**_tube_fields(tube, videos), "score": tube.score})
    return write_text(file, json.dumps(rows) + "\n")


def _tube_fields(tube: Tube, videos: Mapping[int, TubeVideo]) -> dict[str, object]:
    width, height = videos[tube.video].size
    masks = [None if c is None else {"size": [height, width], "counts": c.decode("ascii")} for c in tube.counts]
    return {"video_id": tube.video, "category_id": tube.category, "segmentations": masks}


def _read_tube(node: Node, videos: Mapping[int, TubeVideo], kinds: Mapping[int, int], *, scored: bool) -> Tube:
    """`kinds`: number of a category in the file -> number in the truth."""
    owner, kind = node.field("video_id"), node.field("category_id")
    video = videos.get(owner.integer())
    if video is None:
        raise owner.wrong("the id of a video of the truth")
    if kind.integer() not in kinds:
        raise kind.wrong("the id of a category of the truth")
    masks = list(node.field("segmentations").items())
    if len(masks) != len(video.file_names):
        raise FormatError(f"{node.where}: has {len(masks)} masks, its video has {len(video.file_names)} frames")
    counts = tuple(mask_of(None if mask.value is None else mask, video.size) for mask in masks)
    score, crowd = node.get("score"), node.get("iscrowd")
    value = (score.number() if score else 1.0) if scored else None
    return Tube(video.number, kinds[kind.integer()], counts, value, bool(crowd and crowd.integer()))


def _check_tube(tube: Tube, videos: Mapping[int, TubeVideo], categories: Mapping[int, str] | None, where: str) -> None:
    video = videos.get(tube.video)
    if video is None or (categories is not None and tube.category not in categories):
        raise ShapeError(f"{where} is of video {tube.video}, category {tube.category}, which are not listed")
    if len(tube.counts) != len(video.file_names):
        raise ShapeError(f"{where} has {len(tube.counts)} frames, its video has {len(video.file_names)}")
