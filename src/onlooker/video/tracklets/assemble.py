"""Fragments become tracklets: joined over gaps, filled to every frame, freed of weak evidence, numbered."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from onlooker.types import Gap, Link, Tracklet
from onlooker.video.tracklets.association import Fragment
from onlooker.video.tracklets.config import LifeConfig, TrackletConfig
from onlooker.video.tracklets.paths import Clock, Path, fill_path
from onlooker.video.tracklets.relink import Join, ends_of, find_joins

# Ours: detections of one object further apart in time than this err independently.
_NEW_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Assembled:
    """Tracklets in order of their numbers, links between them, and the number each fragment uid went into."""

    tracklets: tuple[Tracklet, ...]
    links: tuple[Link, ...]
    number_of: Mapping[int, int]


def assemble(fragments: Sequence[Fragment], clocks: Sequence[Clock], config: TrackletConfig) -> Assembled:
    """All tracklets of a video.

    Args:
        fragments: pieces of track; `Fragment.shot` is a position in `clocks`.
        clocks: frames and detector runs of each shot.
        config: settings.
    """
    pieces = [f for f in fragments if _plausible(f, config.life)]
    joins = find_joins(*ends_of(pieces), config.relink) if pieces else []
    certain = {join.first: join for join in joins if join.certain}
    chains = [chain for chain in _chains(len(pieces), certain) if _enough([pieces[i] for i in chain], clocks, config)]
    paths = {i: fill_path(pieces[i], clocks[pieces[i].shot]) for chain in chains for i in chain}
    built = [_tracklet([pieces[i] for i in c], [paths[i] for i in c], _gaps(c, certain, paths)) for c in chains]
    order = sorted(range(len(built)), key=lambda k: _appearance_order(built[k]))
    number_at = {i: number for number, k in enumerate(order, 1) for i in chains[k]}
    tracklets = tuple(replace(built[k], number=number) for number, k in enumerate(order, 1))
    number_of = {pieces[i].uid: number for i, number in number_at.items()}
    return Assembled(tracklets, _links(joins, number_at), number_of)


def _plausible(fragment: Fragment, life: LifeConfig) -> bool:
    return float(fragment.scores.max()) >= life.minimum_best_score


def _enough(chain: Sequence[Fragment], clocks: Sequence[Clock], config: TrackletConfig) -> bool:
    """Whether the detections add up. A shot with one or two runs cannot give more than one or two."""
    runs = sum(float(_weights(clocks[shot].runs_s).sum()) for shot in {f.shot for f in chain})
    needed = min(config.life.minimum_evidence, config.match.start_score * runs)
    best = max(float(f.scores.max()) for f in chain)
    return sum(float(_weights(f.times_s) @ f.scores) for f in chain) >= needed or best >= config.life.sure_score


def _weights(times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each look counts: a look shortly after another repeats its errors and says little new."""
    since = np.diff(times_s, prepend=-np.inf)
    return np.minimum(since / _NEW_LOOK_S, 1.0)


def _chains(n: int, certain: Mapping[int, Join]) -> list[list[int]]:
    has_predecessor = {join.second for join in certain.values()}
    chains = []
    for head in range(n):
        if head in has_predecessor:
            continue
        chain = [head]
        while chain[-1] in certain:
            chain.append(certain[chain[-1]].second)
        chains.append(chain)
    return chains


def _gaps(chain: Sequence[int], certain: Mapping[int, Join], paths: Mapping[int, Path]) -> tuple[Gap, ...]:
    gaps = []
    for i, j in itertools.pairwise(chain):
        join = certain[i]
        start_s, end_s = float(paths[i].times_s[-1]), float(paths[j].times_s[0])
        gaps.append(Gap(start_s, max(end_s, start_s), join.kind, join.probability))
    return tuple(gaps)


def _tracklet(chain: Sequence[Fragment], paths: Sequence[Path], gaps: tuple[Gap, ...]) -> Tracklet:
    votes: defaultdict[str, float] = defaultdict(float)
    for fragment in chain:
        for name, score in fragment.votes.items():
            votes[name] += score
    category = max(sorted(votes), key=lambda name: votes[name])
    scores = np.concatenate([f.scores for f in chain])
    frames = np.concatenate([p.frames for p in paths])
    # Both sides of a short gap may be extended onto the same frame: the earlier piece keeps it.
    _, first_at = np.unique(frames, return_index=True)
    seen = [f for f in chain if f.appearance is not None]
    look = None
    if seen:
        mixed = np.sum([f.appearance * len(f) for f in seen if f.appearance is not None], axis=0)
        look = (mixed / max(float(np.linalg.norm(mixed)), 1e-9)).astype(np.float32)
    return Tracklet(
        number=0,
        category=category,
        category_score=float(votes[category] / sum(votes.values()) * scores.mean()),
        frames=frames[first_at].astype(np.int64),
        times_s=np.concatenate([p.times_s for p in paths])[first_at],
        boxes_xyxy_px=np.concatenate([p.boxes_xyxy_px for p in paths])[first_at],
        scores=np.concatenate([p.scores for p in paths])[first_at],
        detected=np.concatenate([p.detected for p in paths])[first_at],
        gaps=gaps,
        appearance=look,
    )


def _appearance_order(tracklet: Tracklet) -> tuple[float, ...]:
    return (float(tracklet.frames[0]), *(float(v) for v in tracklet.boxes_xyxy_px[0]), -float(tracklet.scores[0]))


def _links(joins: Sequence[Join], number_at: Mapping[int, int]) -> tuple[Link, ...]:
    best: dict[tuple[int, int], float] = {}
    for join in joins:
        if join.certain or join.first not in number_at or join.second not in number_at:
            continue
        pair = (number_at[join.first], number_at[join.second])
        if pair[0] != pair[1]:
            best[pair] = max(best.get(pair, 0.0), join.probability)
    return tuple(Link(a, b, p) for (a, b), p in sorted(best.items()))
