"""The one loop: detect with the reference of the frame before, match identities, remember.

Given objects and objects of known classes differ in two places only: what the frame refers to (`_reference`), and
whether unmatched detections start trajectories (`_births`). Paper, section on inference; thresholds are IDOL's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from onlooker.methods.trackers.omnitracker.config import TrackingConfig, TrackTask
from onlooker.methods.trackers.omnitracker.detections import Detected, Found, FrameTracks, find
from onlooker.methods.trackers.omnitracker.enhancement import Pyramid, Reference
from onlooker.methods.trackers.omnitracker.memory import TrajectoryMemory
from onlooker.methods.trackers.omnitracker.model import OmniTrackerNetwork
from onlooker.methods.trackers.omnitracker.motion import Array, BoxMotion, box_overlaps

_FRAME_S = 0.04  # between frames whose times are not known (ours)
_LEAST_OVERLAP = 0.25  # of "overlap" association where no gate is set


@dataclass(slots=True)
class Trajectory:
    """One followed object.

    Attributes:
        number: its id.
        memory: its identities.
        motion: where it is expected, in pixels of the last frame.
        box: where it was last seen, likewise.
        class_scores: (C,) summed over the frames it was seen on.
        score: of its last detection.
        unseen: frames since then.
        ungated: matched by identity alone, whatever the overlap, until it is seen again.
        tokens: cells of its box where it was last seen (given objects only).
    """

    number: int
    memory: TrajectoryMemory
    motion: BoxMotion
    box: Array
    class_scores: NDArray[np.float64]
    score: float
    unseen: int = 0
    ungated: bool = False
    tokens: Reference | None = None


@dataclass(slots=True)
class TrackState:
    """Everything the loop knows between two frames of one video.

    Attributes:
        task: which family.
        config: how it decides.
        classes: those that count in category tracking; `None` for all.
        trajectories: those that live.
        before: the frame before, pooled (category tracking).
        frame_size: (height, width) of the frame before.
        time_s: of the frame before.
        born: highest id given so far.
        same_as: id of a target that was given twice -> the one that is followed for both.
    """

    task: TrackTask
    config: TrackingConfig
    classes: tuple[int, ...] | None = None
    trajectories: list[Trajectory] = field(default_factory=list)
    before: Reference | None = None
    frame_size: tuple[int, int] | None = None
    time_s: float | None = None
    born: int = 0
    same_as: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FrameInput:
    """A frame for the loop: (3, h, w) normalised at the network's size, its own (height, width), time, cut."""

    pixels: Tensor
    size: tuple[int, int]
    time_s: float | None = None
    new_shot: bool = False


@torch.no_grad()
def track_frame(network: OmniTrackerNetwork, state: TrackState, frame: FrameInput) -> FrameTracks:
    """Follows everything onto the next frame; changes `state`."""
    elapsed_s = _arrive(state, frame)
    pyramid = network.encode(frame.pixels[None])
    inner = (frame.pixels.shape[1], frame.pixels.shape[2])
    reference = _reference(network, state, pyramid, inner)
    found = find(network, network.look(pyramid, reference, inner), state.task, state.classes, state.config, frame.size)
    predicted = [trajectory.motion.predict(elapsed_s) for trajectory in state.trajectories]
    pairs = match(state, predicted, found)
    for row, column in pairs:
        _see(state, state.trajectories[row], found, column)
    matched = {row for row, _ in pairs}
    for row, trajectory in enumerate(state.trajectories):
        trajectory.unseen += row not in matched
    places: list[tuple[Trajectory, int | None]] = [(state.trajectories[row], column) for row, column in pairs]
    if state.task == "instance":
        places += [(t, None) for row, t in enumerate(state.trajectories) if row not in matched]
        keep_tokens(network, pyramid, [state.trajectories[row] for row, _ in pairs], frame.size)
    else:
        places += _births(state, found, {column for _, column in pairs})
        state.trajectories = [t for t in state.trajectories if t.unseen <= state.config.patience]
        state.before = network.refer(pyramid, inner, None)
    return report(state, places, found, frame.size)


def _arrive(state: TrackState, frame: FrameInput) -> float:
    """Seconds since the frame before; boxes are brought to the new frame, and forget their speed over a cut."""
    elapsed_s = _FRAME_S
    if frame.time_s is not None and state.time_s is not None:
        elapsed_s = frame.time_s - state.time_s
    state.time_s = frame.time_s if frame.time_s is not None else (state.time_s or 0.0) + _FRAME_S
    resized = state.frame_size is not None and state.frame_size != frame.size
    if state.frame_size is not None and (resized or frame.new_shot):
        (old_height, old_width), (height, width) = state.frame_size, frame.size
        scale = np.array([width / old_width, height / old_height] * 2)
        for trajectory in state.trajectories:
            trajectory.motion.restart(trajectory.motion.box * scale)
            trajectory.box = trajectory.box * scale
            trajectory.ungated = trajectory.ungated or frame.new_shot
        if frame.new_shot:
            state.before = None
    state.frame_size = frame.size
    return elapsed_s


def _reference(
    network: OmniTrackerNetwork, state: TrackState, pyramid: Pyramid, size: tuple[int, int]
) -> Reference | None:
    """What the frame refers to: the cells of every given object where it was last seen, or the frame before."""
    if state.task == "category":
        return state.before if state.before is not None else network.refer(pyramid, size, None)
    joined: Reference | None = None
    for trajectory in state.trajectories:
        if trajectory.tokens is not None:
            joined = trajectory.tokens if joined is None else joined.joined(trajectory.tokens)
    return joined


def match(state: TrackState, predicted: Sequence[Array], found: Found) -> list[tuple[int, int]]:
    """Pairs (trajectory, detection), each at most once: the best sum of similarities among those that are allowed.

    A similarity of one trajectory, or to one detection, is never below a half, whatever they look like. So a given
    object that was lost is found again only by a detection sure enough to start a trajectory (ours); else the first
    weak one anywhere in the frame would be it.
    """
    config = state.config
    keys = [trajectory.memory.key() for trajectory in state.trajectories]
    known = [row for row, key in enumerate(keys) if key is not None]
    if not known or not len(found):
        return []
    overlap = box_overlaps(np.stack([predicted[row] for row in known]), found.boxes)
    allowed = np.ones(overlap.shape, np.bool_)
    if config.association == "overlap":
        similarity, bar = overlap, config.gate_iou or _LEAST_OVERLAP
    else:
        stacked = torch.stack([key for key in keys if key is not None])
        similarity, bar = bi_softmax(stacked, found.identities), config.match_score
        if config.gate_iou is not None:
            free = np.array([_is_free(state, state.trajectories[row]) for row in known])
            allowed = (overlap >= config.gate_iou) | free[:, None]
        if state.task == "instance":
            lost = np.array([state.trajectories[row].unseen > 0 for row in known])
            allowed &= ~lost[:, None] | (found.scores >= config.birth_score)
    # What is not allowed is worth nothing, and taken out again: infinite costs would make the problem infeasible.
    rows, columns = linear_sum_assignment(np.where(allowed, similarity, 0.0), maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return [(known[row], column) for row, column in pairs if allowed[row, column] and similarity[row, column] >= bar]


def bi_softmax(keys: Tensor, identities: Tensor) -> Array:
    """(T, N) similarity of T remembered keys (T, D) and N detections (N, D): the mean of a softmax over the keys and
    one over the detections."""
    products = keys.double() @ identities.double().T
    mean = (products.softmax(0) + products.softmax(1)) / 2
    return np.asarray(mean.cpu().numpy(), np.float64)


def _is_free(state: TrackState, trajectory: Trajectory) -> bool:
    """Whether a trajectory may be found anywhere. A given object that was lost may come back at any place."""
    patience = 0 if state.task == "instance" else state.config.gated_frames
    return trajectory.ungated or trajectory.unseen > patience


def _see(state: TrackState, trajectory: Trajectory, found: Found, column: int) -> None:
    score = float(found.scores[column])
    if _is_free(state, trajectory):  # found at any place: what it was moving like before says nothing
        trajectory.motion.restart(found.boxes[column])
    else:
        trajectory.motion.correct(found.boxes[column])
    trajectory.box = np.array(found.boxes[column], np.float64)
    if score >= state.config.update_score:
        trajectory.memory.remember(found.identities[column], score)
    trajectory.class_scores = trajectory.class_scores + found.class_scores[column]
    trajectory.score, trajectory.unseen, trajectory.ungated = score, 0, False


def _births(state: TrackState, found: Found, taken: set[int]) -> list[tuple[Trajectory, int | None]]:
    """Sure detections that nobody took become trajectories, the surest with the lowest number; doubles do not."""
    born: list[tuple[Trajectory, int | None]] = []
    followed = sorted(taken)
    for column in range(len(found)):
        if column in taken or found.scores[column] < state.config.birth_score:
            continue
        if state.config.birth_overlap < 1 and found.overlap(column, followed) > state.config.birth_overlap:
            continue
        followed.append(column)
        state.born += 1
        trajectory = new_trajectory(state, state.born, found.boxes[column], found.class_scores[column])
        trajectory.score = float(found.scores[column])
        trajectory.memory.remember(found.identities[column], trajectory.score)
        born.append((trajectory, column))
    state.trajectories += [trajectory for trajectory, _ in born]
    return born


def new_trajectory(state: TrackState, number: int, box: Array, class_scores: NDArray[np.float64]) -> Trajectory:
    """A trajectory that remembers nothing yet."""
    config = state.config
    memory = TrajectoryMemory(config.memory_length, config.memory_weights, keep_first=state.task == "instance")
    here = np.array(box, np.float64)
    return Trajectory(number, memory, BoxMotion(here, config.motion), here, np.array(class_scores, np.float64), 1.0)


def keep_tokens(
    network: OmniTrackerNetwork, pyramid: Pyramid, seen: Sequence[Trajectory], size: tuple[int, int]
) -> None:
    """Cells of the objects seen here. A lost one keeps those of where it was last seen, so that attention never has
    nothing to refer to."""
    if not seen:
        return
    boxes = torch.from_numpy(np.stack([trajectory.motion.box for trajectory in seen])).to(pyramid.maps[0])
    tokens = network.refer(pyramid, size, boxes[None])
    for place, trajectory in enumerate(seen):
        mine = None if tokens is None else tokens.part(place, len(seen))
        if mine is None or bool(mine.valid[0].any()):
            trajectory.tokens = mine


def report(
    state: TrackState, places: Sequence[tuple[Trajectory, int | None]], found: Found, size: tuple[int, int]
) -> FrameTracks:
    """The frame's answer in order of ids; a target that was given twice is told twice."""
    rows: list[Detected] = []
    for trajectory, column in places:
        category = int(trajectory.class_scores.argmax()) if trajectory.class_scores.any() else None
        row = Detected(trajectory.number, trajectory.box, 0.0, category, None, None)
        if column is not None:
            logits = None if found.mask_logits is None else found.mask_logits[column]
            row = Detected(
                trajectory.number, found.boxes[column], trajectory.score, category, found.identities[column], logits
            )
        rows.append(row)
        rows += [row._replace(number=twin) for twin, number in state.same_as.items() if number == trajectory.number]
    return FrameTracks.of(sorted(rows, key=lambda row: row.number), size)
