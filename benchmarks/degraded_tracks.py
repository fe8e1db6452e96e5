"""Perfect tracks made worse, in seeded steps, until a tracker's score is reached. All rates are ours.

Five kinds of errors: boxes that are missing half a second at a time, boxes that shake, two neighbours of one category
that swap their ids, tracks that go on under a new id, and tracks of nothing. Every chance is drawn before the amount is
looked at, so that a larger amount keeps every missing box, swap, new id and false track of a smaller one.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ConfigError
from onlooker.evaluation.tracking import OverlapSequence, TrackingScores, box_iou, score_overlaps

KINDS = ("missing boxes", "shaking boxes", "swapped ids", "new ids", "false tracks")
# At amount 1; other amounts are in proportion.
MISSING_SHARE, MISSING_S = 0.6, 0.5
SHAKE = 0.15  # deviation of every side, in sizes of the box
SWAPS_PER_S = NEW_IDS_PER_S = 0.25  # of every object
FALSE_TRACKS, FALSE_S = 1.0, 1.0  # for every true track; mean seconds of one
_MOST = _FALSE_POOL = 8  # false tracks drawn for every true one, of which the amount takes some: at most all
_LARGEST_CHANCE = 0.98
_NEAR = 1e-3  # amounts nearer than this differ by one event at most: what lies between their scores is a jump


@dataclass(frozen=True, eq=False)
class Rows:
    """Boxes of objects, one a row, in order of frames: (N,) frames from 0, (N,) ids, (N, 4) xyxy, (N,) categories."""

    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    boxes_xyxy: NDArray[np.float64]
    categories: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.frames)

    def select(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Rows:
        return Rows(self.frames[keep], self.ids[keep], self.boxes_xyxy[keep], self.categories[keep])

    def renumbered(self, ids: NDArray[np.int64]) -> Rows:
        return Rows(self.frames, ids, self.boxes_xyxy, self.categories)


@dataclass(frozen=True, eq=False)
class Scene:
    """A clip and its true boxes; `size` is (width, height) in px."""

    name: str
    truth: Rows
    n_frames: int
    fps: float
    size: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Reached:
    """Degraded tracks of every scene, the amounts that made them, and their scores over all scenes."""

    tracks: tuple[Rows, ...]
    amount: float
    shaking: float
    scores: TrackingScores


def degrade(
    scene: Scene, amount: float, seed: int, kinds: Collection[str] = KINDS, *, shaking: float | None = None
) -> Rows:
    """The scene's tracks with errors of the given kinds; amount 0 leaves them as they are.

    Args:
        shaking: amount of shaking boxes where it is not that of the others.

    Raises:
        ConfigError: a kind that does not exist, or a negative amount.
    """
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown or amount < 0:
        raise ConfigError(f"kinds are among {KINDS} and an amount is not negative, got {unknown} and {amount}")
    rng = np.random.default_rng([seed, zlib.crc32(scene.name.encode())])
    truth, n = scene.truth, len(scene.truth)
    swap, split, offsets = rng.random(n), rng.random(n), rng.normal(size=(n, 4))
    missing, false_tracks = _missing_chances(scene, rng), _false_pool(scene, rng)
    ids, boxes = truth.ids, truth.boxes_xyxy
    if "swapped ids" in kinds or "new ids" in kinds:
        swaps = swap < _chance(SWAPS_PER_S / scene.fps * amount * ("swapped ids" in kinds))
        splits = split < _chance(NEW_IDS_PER_S / scene.fps * amount * ("new ids" in kinds))
        ids = _confused(truth, swaps, splits)
    if "shaking boxes" in kinds:
        boxes = _shaken(boxes, SHAKE * (amount if shaking is None else shaking) * offsets)
    rows = Rows(truth.frames, ids, boxes, truth.categories)
    if "missing boxes" in kinds:
        rows = rows.select(missing >= _chance(MISSING_SHARE * amount))
    if "false tracks" in kinds:
        rows = _joined(rows, false_tracks, FALSE_TRACKS * amount / _FALSE_POOL)
    return rows


def reach_hota(
    scenes: Sequence[Scene], hota: float, seed: int, kinds: Collection[str] = KINDS, *, within: float = 0.5
) -> Reached:
    """Degraded tracks of all scenes whose common HOTA is as near to the wanted one as `within`.

    One swap may move the score by more than that; what is missing then is made up by boxes that shake more.

    Raises:
        ConfigError: errors of these kinds do not bring it so low, or jump over it.
    """
    reached = _search(lambda amount: _reached(scenes, amount, seed, kinds), (0.0, 100.0), hota, within)
    if abs(reached.scores.hota - hota) > within and "shaking boxes" in kinds:
        at, best = reached.amount, reached.scores.hota
        reached = _search(lambda more: _reached(scenes, at, seed, kinds, at + more), (0.0, best), hota, within)
    if reached.scores.hota > hota + within:
        said = f"{', '.join(kinds)} leave a HOTA of {reached.scores.hota:.1f} at amount {reached.amount:.4f}"
        raise ConfigError(
            f"{said}; {hota:g} is not reached" if reached.amount >= _MOST else f"{said} and jump {hota:g}"
        )
    return reached


def _search(made: Callable[[float], Reached], low: tuple[float, float], hota: float, within: float) -> Reached:
    """Where falling scores come as near to a wanted one as `within`; else the nearest found above it.

    Args:
        low: where the search starts, and the score there.
    """
    best, reached = None, made(1.0)
    high = (1.0, reached.scores.hota)
    while reached.scores.hota > hota + within:
        best, low = reached, (high[0], reached.scores.hota)
        if low[0] >= _MOST:
            return reached
        reached = made(2 * low[0])
        high = (2 * low[0], reached.scores.hota)
    place, step = high[0], 0
    while abs(reached.scores.hota - hota) > within and high[0] - low[0] > _NEAR:
        # Halving in turn with a straight line, which alone may creep.
        share = 0.5 if step % 2 else (low[1] - hota) / max(low[1] - high[1], 1e-9)
        place, step = low[0] + min(max(share, 0.05), 0.95) * (high[0] - low[0]), step + 1
        reached = made(place)
        if reached.scores.hota > hota:
            best, low = reached, (place, reached.scores.hota)
        else:
            high = (place, reached.scores.hota)
    if abs(reached.scores.hota - hota) <= within:
        return reached
    return made(low[0]) if best is None else best


def score_rows(scenes: Sequence[Scene], tracks: Sequence[Rows], *, by_category: bool = True) -> TrackingScores:
    """Scores over all scenes; a track of another category finds nothing, unless all are to count as one."""
    sequences = []
    for scene, tracked in zip(scenes, tracks, strict=True):
        frames = zip(_by_frame(scene.truth, scene.n_frames), _by_frame(tracked, scene.n_frames), strict=True)
        true_ids, ids, overlaps = [], [], []
        for a, b in frames:
            here, there = scene.truth.select(a), tracked.select(b)
            overlap = box_iou(here.boxes_xyxy, there.boxes_xyxy)
            same = here.categories[:, None] == there.categories[None]
            true_ids.append(here.ids)
            ids.append(there.ids)
            overlaps.append(np.where(same, overlap, 0.0) if by_category else overlap)
        sequences.append(OverlapSequence(scene.name, tuple(true_ids), tuple(ids), tuple(overlaps), 1 / scene.fps))
    return score_overlaps(sequences)[0]


def _reached(
    scenes: Sequence[Scene], amount: float, seed: int, kinds: Collection[str], shaking: float | None = None
) -> Reached:
    tracks = tuple(degrade(scene, amount, seed, kinds, shaking=shaking) for scene in scenes)
    return Reached(tracks, amount, amount if shaking is None else shaking, score_rows(scenes, tracks))


def _chance(share: float) -> float:
    return min(share, _LARGEST_CHANCE)


def _missing_chances(scene: Scene, rng: np.random.Generator) -> NDArray[np.float64]:
    """(N,) one draw for all boxes of a track within a piece of time."""
    length = max(1, round(MISSING_S * scene.fps))
    known, places = np.unique(scene.truth.ids, return_inverse=True)
    pieces = rng.random((len(known), scene.n_frames // length + 1))
    drawn: NDArray[np.float64] = pieces[places, scene.truth.frames // length]
    return drawn


def _shaken(boxes: NDArray[np.float64], offsets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Boxes with every side moved by so many sizes of the box; a side that would pass its opposite changes places."""
    sizes = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    moved = boxes + offsets * sizes
    low, high = np.minimum(moved[:, :2], moved[:, 2:]), np.maximum(moved[:, :2], moved[:, 2:])
    return np.concatenate([low, np.maximum(high, low + 1.0)], axis=1)


def _confused(truth: Rows, swaps: NDArray[np.bool_], splits: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(N,) ids after swaps with the nearest neighbour of the same category, and new ids, from those rows on."""
    shown = {int(number): int(number) for number in np.unique(truth.ids)}
    fresh = max(shown, default=0) + 1
    centres = (truth.boxes_xyxy[:, :2] + truth.boxes_xyxy[:, 2:]) / 2
    ids = np.zeros(len(truth), np.int64)
    for frame in np.unique(truth.frames):
        here = np.flatnonzero(truth.frames == frame)
        for row in here[splits[here]].tolist():
            shown[int(truth.ids[row])] = fresh
            fresh += 1
        for row in here[swaps[here]].tolist():
            others = here[(truth.categories[here] == truth.categories[row]) & (here != row)]
            if len(others):
                nearest = others[np.argmin(np.linalg.norm(centres[others] - centres[row], axis=1))]
                one, two = int(truth.ids[row]), int(truth.ids[nearest])
                shown[one], shown[two] = shown[two], shown[one]
        ids[here] = [shown[number] for number in truth.ids[here].tolist()]
    return ids


def _false_pool(scene: Scene, rng: np.random.Generator) -> list[tuple[float, Rows]]:
    """Tracks of nothing with the chance at which each is there: a true box's size and category, put anywhere."""
    truth, pool = scene.truth, []
    for _ in range(_FALSE_POOL * len(np.unique(truth.ids))):
        chance, like = float(rng.random()), int(rng.integers(len(truth)))
        length = 1 + int(rng.geometric(1 / max(1.0, FALSE_S * scene.fps)))
        start = int(rng.integers(scene.n_frames))
        corner, speed = rng.random(2), rng.normal(size=2) * 20 / scene.fps
        size = truth.boxes_xyxy[like, 2:] - truth.boxes_xyxy[like, :2]
        frames = np.arange(start, min(start + length, scene.n_frames))
        low = corner * np.maximum(np.array(scene.size) - size, 0) + (frames - start)[:, None] * speed
        boxes = np.concatenate([low, low + size], axis=1)
        n = len(frames)
        pool.append((chance, Rows(frames, np.zeros(n, np.int64), boxes, np.repeat(truth.categories[like], n))))
    return pool


def _joined(rows: Rows, pool: Sequence[tuple[float, Rows]], share: float) -> Rows:
    parts, number = [rows], int(rows.ids.max(initial=0))
    for chance, track in pool:
        if chance < share:
            number += 1
            parts.append(track.renumbered(np.full(len(track), number)))
    together = Rows(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("frames", "ids", "boxes_xyxy")),
        np.concatenate([part.categories for part in parts]),
    )
    return together.select(np.argsort(together.frames, kind="stable"))


def _by_frame(rows: Rows, n_frames: int) -> list[NDArray[np.int64]]:
    order = np.argsort(rows.frames, kind="stable")
    ends = np.searchsorted(rows.frames[order], np.arange(n_frames + 1))
    return [order[a:b] for a, b in itertools.pairwise(ends.tolist())]
