"""What sprites do in a clip, as poses over time.

With `looped` motion every action has the same distribution of place and size in every single frame (a mover that
reaches the end of its path starts it again, as a repeated clip does), so that no single frame tells left from right or
growing from shrinking. With `once` the path is run through one time without a jump; its first and last frames then
tell something. A blinking sprite can be told from a frame in which it is hidden; that cannot be helped. Ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from onlooker.synth.sprites import Poses

Motion = Literal["looped", "once"]

STILL = "stays still"
ACTIONS = (
    "moves left",
    "moves right",
    "moves up",
    "moves down",
    "grows",
    "shrinks",
    "spins",
    "blinks",
    "circles",
    "shakes",
    STILL,
)
# The same after "a circle": "a circle moving left".
DOING = {
    "moves left": "moving left",
    "moves right": "moving right",
    "moves up": "moving up",
    "moves down": "moving down",
    "grows": "growing",
    "shrinks": "shrinking",
    "spins": "spinning",
    "blinks": "blinking",
    "circles": "circling",
    "shakes": "shaking",
    STILL: "staying still",
}
# Fewer frames show no turning, blinking or circling.
MIN_FRAMES = 4
_RESIZING = frozenset({"grows", "shrinks"})
_TRAVELLING = frozenset({"moves left", "moves right", "moves up", "moves down", "circles", "shakes"})
# From the smallest to the largest, in radii.
_GROWTH = (0.7, 1.3)
_SHAKE = 0.07  # of the picture, to each side


@dataclass(frozen=True, slots=True)
class Stage:
    """Where actions happen.

    Attributes:
        size_px: side of the picture.
        n_frames: T.
        actions: all that may happen in this world; what none of them needs (room to travel, other sizes) is left out.
        motion: see the module.
    """

    size_px: int
    n_frames: int
    actions: tuple[str, ...]
    motion: Motion


def act(action: str, radius_px: float, stage: Stage, rng: np.random.Generator) -> Poses:
    """Random poses of a sprite that does `action`; mostly inside the picture.

    Args:
        action: one of `ACTIONS`.
        radius_px: mean radius over all draws.
    """
    n, size = stage.n_frames, stage.size_px
    path = _path(stage, rng)
    # Places on the path in [0, 1] along x, y and size; an action replaces one of them by the running path.
    along_x, along_y, along_size = (np.full(n, rng.random()) for _ in range(3))
    angle = np.full(n, rng.uniform(0, 2 * np.pi))
    shown = np.ones(n, np.bool_)
    if action == "moves left":
        along_x = 1 - path
    elif action == "moves right":
        along_x = path
    elif action == "moves up":
        along_y = 1 - path
    elif action == "moves down":
        along_y = path
    elif action == "grows":
        along_size = path
    elif action == "shrinks":
        along_size = 1 - path
    elif action == "spins":
        # 20 to 40 degrees a frame: below half of the 90 after which a square is itself again.
        angle = angle + np.arange(n) * np.deg2rad(rng.uniform(20, 40)) * rng.choice((-1, 1))
    elif action == "blinks":
        shown = (np.arange(n) + rng.integers(3)) % 3 != 0
    elif action == "circles":
        turn = 2 * np.pi * (path * rng.choice((-1, 1)) + rng.random())
        along_x, along_y = 0.5 + 0.5 * np.cos(turn), 0.5 + 0.5 * np.sin(turn)
    low, high = _GROWTH if _RESIZING & set(stage.actions) else (1.0, 1.0)
    radius = radius_px * (low + (high - low) * along_size)
    travel = rng.uniform(0.3, 0.45) * size if _TRAVELLING & set(stage.actions) else 0.0
    # The margin is that of the largest size whatever the action, or else the border would tell growing from shrinking.
    room = max(0.0, size - 2.4 * radius_px * high - travel)
    start = 1.2 * radius_px * high
    x = start + room * rng.random() + travel * along_x
    y = start + room * rng.random() + travel * along_y
    if action == "shakes":
        direction = rng.uniform(0, np.pi)
        side = _SHAKE * size * np.where(np.arange(n) % 2 == rng.integers(2), 1, -1)
        x, y = x + side * np.cos(direction), y + side * np.sin(direction)
    return Poses(x.astype(np.float32), y.astype(np.float32), radius.astype(np.float32), angle.astype(np.float32), shown)


def _path(stage: Stage, rng: np.random.Generator) -> NDArray[np.float64]:
    """(T,) how far along, in [0, 1]."""
    steps = np.arange(stage.n_frames)
    if stage.motion == "looped":
        return np.asarray((rng.random() + steps / stage.n_frames) % 1.0)
    return steps / max(1, stage.n_frames - 1)
