"""What a synthetic sample is: pixels with everything that is true of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ShapeError
from onlooker.synth.sprites import Field, Look, Poses

# Parts of the picture's side: the mean radius of what is called small (at most) and big (at least).
_SMALL, _BIG = 0.11, 0.14


class Question(NamedTuple):
    """`kind` is one of count, shape, colour, texture, action, present, left_of."""

    text: str
    answer: str
    kind: str


@dataclass(frozen=True, slots=True)
class Track:
    """One object.

    Attributes:
        id: its value in `Scene.instance_masks`, from 1 for the farthest.
        look: shape, colour, texture.
        action: what it does, of `onlooker.synth.actions.ACTIONS`.
        poses: where it is, hidden or not.
        size: "small" or "big", `None` between them.
        boxes_xyxy_px: (T, 4) float32 extents of its visible pixels, NaN in frames where none is visible.
        visible: (T,) whether a pixel of it is visible.
    """

    id: int
    look: Look
    action: str
    poses: Poses
    size: str | None
    boxes_xyxy_px: Field
    visible: NDArray[np.bool_]

    @property
    def shape(self) -> str:
        return self.look.shape

    @property
    def colour(self) -> str:
        return self.look.colour

    @property
    def texture(self) -> str:
        return self.look.texture


@dataclass(frozen=True, slots=True)
class Scene:
    """One sample.

    Attributes:
        frames: (T, H, W, 3) uint8 RGB; T is 1 for a still picture.
        instance_masks: (T, H, W) int16; 0 is ground, otherwise the id of the object in front.
        tracks: the objects, `tracks[k].id == k + 1`.
        main_id: the object that `label` and `action` speak of, the biggest one.
        captions: true sentences, the same number of wordings for every scene of a world.
        questions: with exact answers.
        signal_frames: (T,) bool, the frames that show what `label` speaks of.
    """

    frames: NDArray[np.uint8]
    instance_masks: NDArray[np.int16]
    tracks: tuple[Track, ...]
    main_id: int
    captions: tuple[str, ...]
    questions: tuple[Question, ...]
    signal_frames: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.instance_masks.shape != self.frames.shape[:3] or self.signal_frames.shape != self.frames.shape[:1]:
            raise ShapeError(
                f"frames {self.frames.shape}, masks {self.instance_masks.shape} and signal frames "
                f"{self.signal_frames.shape} disagree"
            )

    @property
    def main(self) -> Track:
        return self.tracks[self.main_id - 1]

    @property
    def label(self) -> str:
        """Shape of the main object."""
        return self.main.shape

    @property
    def action(self) -> str:
        """What the main object does."""
        return self.main.action


def size_word(mean_radius_px: float, size_px: int) -> str | None:
    """ "small", "big" or, between them, `None`."""
    part = mean_radius_px / size_px
    return "small" if part <= _SMALL else "big" if part >= _BIG else None
