"""A needle in a haystack: clips in which only a few frames, or a small region, tell the class. Ours.

Made for methods that choose where and when to look. What is not the needle looks much like it (sprites of other
shapes, in the same colours, sizes and places), so that the needle cannot be found by its brightness or motion.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from onlooker.errors import ConfigError, UnknownNameError
from onlooker.synth.actions import STILL
from onlooker.synth.layout import Placed, draw_look
from onlooker.synth.pictures import NuisanceConfig, render
from onlooker.synth.scenes import Scene
from onlooker.synth.sprites import COLOURS, SHAPES, TEXTURES, Poses
from onlooker.synth.worlds import Split, read_tracks

_TRIES = 20


@dataclass(frozen=True, slots=True)
class NeedleConfig:
    """What the clips are made of.

    Attributes:
        size_px, n_frames: of a clip.
        n_signal: frames that show the needle, at random times; all others show only distractors.
        classes: shapes of needles; the label.
        distractors: shapes of everything else, none of them in `classes`.
        n_distractors: least and most distractors in a frame. A frame with the needle has one less, so that the
            number of sprites tells nothing.
        places: "fixed" keeps each sprite in one place for the whole clip, "jumping" draws a place for every frame.
        radius: least and most radius of a sprite, as a part of `size_px`.
    """

    size_px: int = 48
    n_frames: int = 8
    n_signal: int = 2
    classes: tuple[str, ...] = ("circle", "square", "triangle", "star", "cross")
    distractors: tuple[str, ...] = ("ring", "diamond", "bar", "moon", "corner")
    n_distractors: tuple[int, int] = (1, 3)
    colours: tuple[str, ...] = tuple(COLOURS)
    textures: tuple[str, ...] = TEXTURES
    places: Literal["fixed", "jumping"] = "jumping"
    radius: tuple[float, float] = (0.1, 0.14)
    nuisance: NuisanceConfig = field(default_factory=NuisanceConfig)

    def __post_init__(self) -> None:
        for shape in (*self.classes, *self.distractors):
            if shape not in SHAPES:
                raise UnknownNameError("shape", shape, SHAPES)
        if set(self.classes) & set(self.distractors) or len(self.classes) < 2 or not self.distractors:
            raise ConfigError(f"two classes or more, none a distractor: got {self.classes} and {self.distractors}")
        if not 1 <= self.n_signal <= self.n_frames:
            raise ConfigError(f"`n_signal` is in [1, {self.n_frames}], got {self.n_signal}")
        if not 1 <= self.n_distractors[0] <= self.n_distractors[1]:
            raise ConfigError(f"`n_distractors` is (least, most) from 1, got {self.n_distractors}")


class NeedleWorld:
    """Random access to needle clips, like `onlooker.synth.worlds.World`.

    `Scene.main` is the needle, `Scene.label` its shape, `Scene.signal_frames` where it is shown,
    `Scene.instance_masks == Scene.main_id` the region that tells.
    """

    def __init__(self, config: NeedleConfig, seed: int, split: Literal["train", "test"] = "train") -> None:
        if split not in ("train", "test"):
            raise UnknownNameError("split of a needle world", split, ("train", "test"))
        self.config, self.seed, self.split = config, seed, split

    def __getitem__(self, index: int) -> Scene:
        if index < 0:
            raise IndexError(f"clips are counted from 0, got {index}")
        config = self.config
        # The last number keeps these apart from the scenes of a `World` of the same seed.
        rng = np.random.default_rng((self.seed, get_args(Split).index(self.split), index, 1))
        signal = np.zeros(config.n_frames, np.bool_)
        signal[rng.permutation(config.n_frames)[: config.n_signal]] = True
        n = int(rng.integers(config.n_distractors[0], config.n_distractors[1] + 1))
        # The first distractor steps aside while the needle is shown.
        shown = [signal, ~signal] + [np.ones_like(signal)] * (n - 1)
        radii = rng.uniform(*config.radius, len(shown)) * config.size_px
        xy = _places(config, radii, rng)  # (n + 1, T, 2)
        label = config.classes[int(rng.integers(len(config.classes)))]
        placed = []
        for k, on in enumerate(shown):
            shape = label if k == 0 else config.distractors[int(rng.integers(len(config.distractors)))]
            colour = config.colours[int(rng.integers(len(config.colours)))]
            angle = np.full(config.n_frames, rng.uniform(0, 2 * np.pi), np.float32)
            poses = Poses(xy[k, :, 0], xy[k, :, 1], np.full_like(angle, radii[k]), angle, on)
            placed.append(Placed(draw_look(f"{colour} {shape}", config.textures, rng), poses, STILL))
        order = rng.permutation(len(placed))
        placed = [placed[k] for k in order]
        main = int(np.flatnonzero(order == 0)[0])
        picture = render([(p.look, p.poses) for p in placed], config.size_px, config.n_frames, config.nuisance, rng)
        tracks = read_tracks(picture, placed)
        # Sprites come and go and jump about: the sentences of the plain world would not be true of them.
        captions = (f"a {label}",)
        return Scene(picture.frames, picture.masks, tracks, main + 1, captions, (), tracks[main].visible)


def _places(config: NeedleConfig, radii: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float32]:
    """(n, T, 2) centres. In every frame sprites keep apart, the best of several draws where there is little room."""
    n_draws = config.n_frames if config.places == "jumping" else 1
    low, high = (1.2 * radii)[:, None], config.size_px - (1.2 * radii)[:, None]
    places = np.stack([_spread_out(radii, low, high, rng) for _ in range(n_draws)])  # (T or 1, n, 2)
    return np.broadcast_to(places, (config.n_frames, *places.shape[1:])).transpose(1, 0, 2).astype(np.float32)


def _spread_out(
    radii: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """(n, 2) centres: the first draw in which nothing touches, or the best of all."""
    draws = rng.uniform(low, high, (_TRIES, len(radii), 2))
    first, second = np.triu_indices(len(radii), 1)
    apart = draws[:, first] - draws[:, second]  # (tries, pairs, 2)
    gap = (np.sqrt((apart**2).sum(axis=-1)) / (radii[first] + radii[second])).min(axis=1)
    # Gaps beyond touching are all as good: the first of them keeps the places evenly spread.
    best: NDArray[np.float64] = draws[np.minimum(gap, 1).argmax()]
    return best
