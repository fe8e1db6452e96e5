"""Which objects a scene has and where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from onlooker.synth.actions import STILL, Stage, act
from onlooker.synth.sprites import COLOURS, ROUND_SHAPES, Look, Poses

if TYPE_CHECKING:
    from onlooker.synth.worlds import WorldConfig

_TRIES = 20


class Placed(NamedTuple):
    """An object before it is drawn."""

    look: Look
    poses: Poses
    action: str


def place_objects(
    config: WorldConfig, main_pairs: tuple[str, ...], other_pairs: tuple[str, ...], rng: np.random.Generator
) -> tuple[list[Placed], int]:
    """Draw the objects of a scene, no two of one colour and shape.

    Returns:
        objects from the farthest to the nearest; index of the main one, which is the biggest.
    """
    stage = Stage(config.size_px, config.n_frames, config.actions, config.motion)
    action = pick(config.actions, rng)
    radius = rng.uniform(*config.radius) * config.size_px
    look = draw_look(pick(main_pairs, rng), config.textures, rng)
    if action == "spins" and look.shape in ROUND_SHAPES and look.texture == "plain":
        look = _seen_turning(look, config, main_pairs, rng)
    main = Placed(look, act(action, radius, stage, rng), action)
    placed = [main]
    n_objects = int(rng.integers(config.n_objects[0], config.n_objects[1] + 1))
    for _ in range(n_objects - 1):
        taken = {(p.look.colour, p.look.shape) for p in placed}
        other = _place_other(config, stage, other_pairs, placed, rng)
        if other is not None and (other.look.colour, other.look.shape) not in taken:
            placed.append(other)
    order = rng.permutation(len(placed))
    return [placed[k] for k in order], int(np.flatnonzero(order == 0)[0])


def pick(names: tuple[str, ...], rng: np.random.Generator) -> str:
    """One of `names`, all equally likely."""
    return names[int(rng.integers(len(names)))]


def draw_look(pair: str, textures: tuple[str, ...], rng: np.random.Generator) -> Look:
    """A shade and a texture for a "colour shape" pair."""
    colour, shape = pair.split()
    red, green, blue = np.clip(np.array(COLOURS[colour]) + rng.uniform(-18, 18, 3), 0, 255).tolist()
    return Look(shape, colour, pick(textures, rng), (red, green, blue))


def _seen_turning(look: Look, config: WorldConfig, pairs: tuple[str, ...], rng: np.random.Generator) -> Look:
    """Another texture, or where there is none another shape, for a round thing that shall spin."""
    textures = tuple(t for t in config.textures if t != "plain")
    if textures:
        return Look(look.shape, look.colour, pick(textures, rng), look.rgb)
    angular = tuple(pair for pair in pairs if pair.split()[1] not in ROUND_SHAPES)
    return draw_look(pick(angular, rng), config.textures, rng)


def _place_other(
    config: WorldConfig, stage: Stage, pairs: tuple[str, ...], placed: list[Placed], rng: np.random.Generator
) -> Placed | None:
    """A smaller object with room around it, or `None` when none was found."""
    action = pick(config.actions, rng) if config.others == "any" else STILL
    look = draw_look(pick(pairs, rng), config.textures, rng)
    if action == "spins" and look.shape in ROUND_SHAPES and look.texture == "plain":
        look = _seen_turning(look, config, pairs, rng)
    mean_radius = placed[0].poses.mean_radius * rng.uniform(0.5, 0.75)
    for _ in range(_TRIES):
        poses = act(action, mean_radius, stage, rng)
        # The words "biggest" and "main" must stay true whatever size was drawn on the way.
        small_enough = poses.mean_radius <= 0.8 * placed[0].poses.mean_radius
        if small_enough and all(_gap(poses, p.poses) >= config.min_gap for p in placed):
            return Placed(look, poses, action)
    return None


def _gap(first: Poses, second: Poses) -> float:
    """Least distance of the centres over all frames, in sums of the radii."""
    distance = np.hypot(first.x - second.x, first.y - second.y)
    return float((distance / (first.radius + second.radius)).min())
