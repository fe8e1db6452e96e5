"""Tracks of the clips with official questions, made into a library and asked: how many answers of each type are right.

Whoever made the tracks, they go the way of a user's import. A question that names an object by its number means the
track that lies on that object longest (one track for one object, as IDF1 pairs them): a person would point at it.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from degraded_tracks import Rows, Scene
from onlooker.evaluation.answers import value_matches
from onlooker.evaluation.tracking import box_iou
from onlooker.types import TrackingResult
from onlooker.video.answer import Value
from onlooker.video.exchange import import_mot
from onlooker.video.library import Library
from onlooker.video.store import Store
from oracle import sequence_folder

_FOUND_IOU = 0.5
SIZES = {"davis-composites": (428, 240), "kitti-tracking-boxes": (1242, 375), "mot15-boxes": (640, 480)}


def load_scene(source: str) -> Scene:
    """The true boxes behind the official questions of a clip, named "pack/clip"."""
    from clips import load  # type: ignore[import-not-found]

    tracks = load(source)
    rows = sorted((b[0] - 1, t.id, b[1:], t.category) for t in tracks.values() for b in t.boxes)
    frames, ids, boxes, categories = zip(*rows, strict=True)
    truth = Rows(np.array(frames, np.int64), np.array(ids, np.int64), np.array(boxes, float), np.array(categories))
    pack = source.split("/")[0]
    if pack in SIZES:
        n_frames, size = int(truth.frames[-1]) + 1, SIZES[pack]
    else:
        folder = sequence_folder(source, Path())
        n_frames, size = len(list((folder / "img1").glob("*.jpg"))), (1920, 1080)
    return Scene(source, truth, n_frames, next(iter(tracks.values())).fps, size)


def tracking_to_rows(result: TrackingResult) -> Rows:
    """A tracker's result as rows."""
    kept = result.tracklets
    lengths = [len(t) for t in kept]
    rows = Rows(
        np.concatenate([np.zeros(0, np.int64), *(t.frames for t in kept)]),
        np.repeat(np.array([t.number for t in kept], np.int64), lengths),
        np.concatenate([np.zeros((0, 4)), *(t.boxes_xyxy_px for t in kept)]),
        np.repeat(np.array([t.category for t in kept], np.str_), lengths),
    )
    return rows.select(np.argsort(rows.frames, kind="stable"))


def numbered_like(truth: Rows, tracked: Rows) -> Rows:
    """Tracks under the numbers of the true objects they lie on for most frames, one for one; others get new ones."""
    true_ids, ids = np.unique(truth.ids), np.unique(tracked.ids)
    together = np.zeros((len(true_ids), len(ids)))
    for frame in np.unique(tracked.frames):
        here, there = np.flatnonzero(truth.frames == frame), np.flatnonzero(tracked.frames == frame)
        near = box_iou(truth.boxes_xyxy[here], tracked.boxes_xyxy[there]) >= _FOUND_IOU
        places = np.searchsorted(true_ids, truth.ids[here]), np.searchsorted(ids, tracked.ids[there])
        together[np.ix_(*places)] += near
    numbers = dict(zip(ids.tolist(), range(int(true_ids.max(initial=0)) + 1, 10**9), strict=False))
    for row, column in zip(*linear_sum_assignment(-together), strict=True):
        if together[row, column] > 0:
            numbers[int(ids[column])] = int(true_ids[row])
    return tracked.renumbered(np.array([numbers[number] for number in tracked.ids.tolist()], np.int64))


def write_sequence(scene: Scene, tracked: Rows, folder: Path) -> Path:
    """A MOTChallenge folder with the tracks of a clip."""
    (folder / "gt").mkdir(parents=True)
    corners = tracked.boxes_xyxy
    sides = corners[:, 2:] - corners[:, :2]
    lines = [
        f"{frame + 1},{number},{x!r},{y!r},{w!r},{h!r},1,1,1"
        for frame, number, (x, y), (w, h) in zip(
            tracked.frames.tolist(), tracked.ids.tolist(), corners[:, :2].tolist(), sides.tolist(), strict=True
        )
    ]
    (folder / "gt" / "gt.txt").write_text("".join(line + "\n" for line in lines))
    header = {"name": clip_name(scene), "frameRate": f"{scene.fps:g}", "seqLength": scene.n_frames}
    header |= {"imWidth": scene.size[0], "imHeight": scene.size[1]}
    text = "".join(f"{key}={value}\n" for key, value in header.items())
    (folder / "seqinfo.ini").write_text("[Sequence]\n" + text)
    categories = dict(zip(map(str, tracked.ids.tolist()), tracked.categories.tolist(), strict=True))
    (folder / "tracks.json").write_text(json.dumps({"categories": categories}))
    return folder


def ask_official(scenes: Sequence[Scene], tracks: Sequence[Rows]) -> dict[str, tuple[int, int]]:
    """(right, asked) by type of question over all scenes, each with its tracks."""
    from clips import official  # type: ignore[import-not-found]

    right, asked = Counter(), Counter()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "tracks.onlooker"
        with Store.open(path) as store:
            for scene, tracked in zip(scenes, tracks, strict=True):
                named = numbered_like(scene.truth, tracked)
                import_mot(store, write_sequence(scene, named, Path(scratch) / "clips" / clip_name(scene)))
        with Library.open(path) as library:
            for scene in scenes:
                for item in official(scene.name):
                    answer = library.ask(item["question"], videos=[clip_name(scene)])
                    asked[item["type"]] += 1
                    right[item["type"]] += is_right(item, answer.value)
    return {kind: (right[kind], n) for kind, n in sorted(asked.items())}


def is_right(item: Mapping[str, object], value: Value) -> bool:
    """Whether a value answers an official question; a box is right when it overlaps the true one by one half."""
    if item["type"] != "trajectory":
        return value_matches(value, item["answer"], item["tolerance"])
    numbers = [float(v) for v in value if isinstance(v, int | float)] if isinstance(value, list) else []
    if len(numbers) != 4:
        return False
    return bool(box_iou(np.array([numbers]), np.array([item["answer"]], float))[0, 0] >= _FOUND_IOU)


def clip_name(scene: Scene) -> str:
    """The clip without its pack."""
    return scene.name.split("/")[1]
