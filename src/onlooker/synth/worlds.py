"""A seeded world of sprites: item i of a world depends on its seed, its split and i alone.

The main object of a scene is its biggest: `Scene.label` is its shape, `Scene.action` what it does. Colour, texture,
place, size, angle, ground, light, noise, specks and the other objects are drawn independently of both. Ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np

from onlooker.errors import ConfigError, UnknownNameError
from onlooker.synth.actions import ACTIONS, MIN_FRAMES, STILL, Motion
from onlooker.synth.captions import write_captions
from onlooker.synth.layout import Placed, place_objects
from onlooker.synth.pictures import NuisanceConfig, Picture, boxes_of, render
from onlooker.synth.questions import ask_questions
from onlooker.synth.scenes import Scene, Track, size_word
from onlooker.synth.sprites import COLOURS, ROUND_SHAPES, SHAPES, TEXTURES

Split = Literal["train", "test", "held_out"]


@dataclass(frozen=True, slots=True)
class WorldConfig:
    """What scenes are made of.

    Attributes:
        size_px: side of the square frames.
        n_frames: T; 1 makes still pictures.
        n_objects: least and most objects drawn. One that finds no free place, or has the colour and shape of another,
            is left out; `Scene.tracks` says how many there are.
        shapes, colours, textures: what is drawn from.
        actions: what the main object may do; `("stays still",)` for still pictures.
        others: whether the other objects act as well ("any") or not ("still").
        motion: "looped" or "once", see `onlooker.synth.actions`.
        radius: least and most mean radius of the main object, as a part of `size_px`. Others are 0.5 to 0.75 of it.
        min_gap: least distance of two objects in every frame, in sums of their radii, from 0.5. Above 1.4 nothing
            ever overlaps; movers below it hide one another for a while.
        held_out: "colour shape" pairs that no training scene holds, drawn or named; see `World`.
        nuisance: what differs and means nothing.
    """

    size_px: int = 48
    n_frames: int = 1
    n_objects: tuple[int, int] = (1, 3)
    shapes: tuple[str, ...] = SHAPES
    colours: tuple[str, ...] = tuple(COLOURS)
    textures: tuple[str, ...] = TEXTURES
    actions: tuple[str, ...] = (STILL,)
    others: Literal["still", "any"] = "still"
    motion: Motion = "looped"
    radius: tuple[float, float] = (0.15, 0.2)
    min_gap: float = 0.9
    held_out: tuple[str, ...] = ()
    nuisance: NuisanceConfig = field(default_factory=NuisanceConfig)

    def __post_init__(self) -> None:
        _check_names("shape", self.shapes, SHAPES)
        _check_names("colour", self.colours, tuple(COLOURS))
        _check_names("texture", self.textures, TEXTURES)
        _check_names("action", self.actions, ACTIONS)
        pairs = self.pairs
        for pair in self.held_out:
            if pair not in pairs:
                raise UnknownNameError("pair to hold out", pair, sorted(pairs))
        if len(set(self.held_out)) >= len(pairs):
            raise ConfigError("every pair of colour and shape is held out; leave some to train on")
        if self.n_frames < 1 or (self.n_frames < MIN_FRAMES and set(self.actions) != {STILL}):
            raise ConfigError(f"actions need at least {MIN_FRAMES} frames, got {self.n_frames} with {self.actions}")
        if self.size_px < 16 or not 1 <= self.n_objects[0] <= self.n_objects[1] <= 6:
            raise ConfigError(f"frames have 16 pixels a side and 1 to 6 objects, got {self.size_px}, {self.n_objects}")
        if not 0.02 <= self.radius[0] <= self.radius[1] <= 0.35 or self.min_gap < 0.5:
            raise ConfigError(f"`radius` is in [0.02, 0.35] and `min_gap` from 0.5, got {self.radius}, {self.min_gap}")
        if "spins" in self.actions and set(self.shapes) <= ROUND_SHAPES and set(self.textures) == {"plain"}:
            raise ConfigError("nobody sees a plain circle or ring spin; add another shape or texture")

    @property
    def pairs(self) -> tuple[str, ...]:
        """All "colour shape" pairs."""
        return tuple(f"{colour} {shape}" for colour in self.colours for shape in self.shapes)


class World:
    """Random access to scenes: `world[i]` for every i >= 0.

    Args:
        config: what scenes are made of.
        seed: another seed is another world of the same kind.
        split: "train" and "test" never share a scene. "held_out" is like "test", with a main object from
            `config.held_out`. "train" has no object of a held-out pair; "test" is like "train" in this, so that the
            difference of the two other splits is the new pairs and nothing else.
    """

    def __init__(self, config: WorldConfig, seed: int, split: Split = "train") -> None:
        if split not in get_args(Split):
            raise UnknownNameError("split", split, get_args(Split))
        if split == "held_out" and not config.held_out:
            raise ConfigError("the split `held_out` needs pairs in `WorldConfig.held_out`")
        self.config, self.seed, self.split = config, seed, split
        # The "colour shape" pairs that training scenes are made of.
        self.known_pairs = tuple(pair for pair in config.pairs if pair not in config.held_out)

    def __getitem__(self, index: int) -> Scene:
        if index < 0:
            raise IndexError(f"scenes are counted from 0, got {index}")
        rng = np.random.default_rng((self.seed, get_args(Split).index(self.split), index))
        config = self.config
        main_pairs = config.held_out if self.split == "held_out" else self.known_pairs
        placed, main = place_objects(config, main_pairs, self.known_pairs, rng)
        picture = render([(p.look, p.poses) for p in placed], config.size_px, config.n_frames, config.nuisance, rng)
        tracks = read_tracks(picture, placed)
        scene = Scene(picture.frames, picture.masks, tracks, main + 1, (), (), tracks[main].visible)
        captions, questions = write_captions(scene, rng), ask_questions(scene, self.known_pairs, rng)
        return replace(scene, captions=captions, questions=questions)


def read_tracks(picture: Picture, placed: list[Placed]) -> tuple[Track, ...]:
    """Objects with the boxes of their visible pixels. `placed` is in the order of drawing, the farthest first."""
    tracks = []
    for k, (look, poses, action) in enumerate(placed):
        boxes, visible = boxes_of(picture.masks, k + 1)
        size = size_word(poses.mean_radius, picture.masks.shape[1])
        tracks.append(Track(k + 1, look, action, poses, size, boxes, visible))
    return tuple(tracks)


def _check_names(what: str, names: tuple[str, ...], known: tuple[str, ...]) -> None:
    for name in names:
        if name not in known:
            raise UnknownNameError(what, name, known)
    if not names or len(set(names)) != len(names):
        raise ConfigError(f"a world needs at least one {what} and none twice, got {names}")


STILLS = WorldConfig()
CLIPS = WorldConfig(n_frames=8, n_objects=(1, 2), actions=ACTIONS)
