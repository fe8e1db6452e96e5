"""True sentences about a scene, in a small closed vocabulary."""

from __future__ import annotations

import numpy as np

from onlooker.synth.actions import DOING, STILL
from onlooker.synth.scenes import Scene, Track

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six")
# Centres must differ by this part of the picture before one thing is said to be left of or above another.
CLEARLY_APART = 0.08


def write_captions(scene: Scene, rng: np.random.Generator) -> tuple[str, ...]:
    """Five wordings: everything, the short list, the main object first, the count, and a relation or what happens.

    The main object comes first except in the short list, whose order is random.
    """
    moving = len(scene.frames) > 1
    main = scene.main
    others = [track for track in scene.tracks if track is not main]
    order = [scene.tracks[k] for k in rng.permutation(len(scene.tracks))]
    full = _list([_with_action(t, describe(t), moving) for t in (main, *others)])
    short = _list([name(t) for t in order])
    first = f"{_article(name(main))}{_doing(main, moving)}"
    if others:
        first = f"{first} with {_list([name(t) for t in others])}"
    count = f"there {'is' if not others else 'are'} {number_of_objects(scene)} : {_list([name(t) for t in order])}"
    return (full, f"{'a video' if moving else 'a picture'} of {short}", first, count, _last(scene, others, moving))


def describe(track: Track) -> str:
    """All that is known: "big red striped circle"."""
    return " ".join(filter(None, (track.size, track.colour, track.texture, track.shape)))


def name(track: Track) -> str:
    """ "red circle"."""
    return f"{track.colour} {track.shape}"


def number_of_objects(scene: Scene) -> str:
    n = len(scene.tracks)
    return f"{NUMBERS[n]} object{'' if n == 1 else 's'}"


def offset(first: Track, second: Track) -> tuple[float, float]:
    """How far `first` is right of and below `second`, in pixels, between the mean centres over all frames."""
    right = first.poses.x.mean() - second.poses.x.mean()
    below = first.poses.y.mean() - second.poses.y.mean()
    return float(right), float(below)


def _last(scene: Scene, others: list[Track], moving: bool) -> str:
    """A relation in a still picture of several objects, what the main object does in a clip, its looks otherwise."""
    main = scene.main
    if moving:
        return f"the {name(main)} {main.action}"
    for other in others:
        right, below = offset(main, other)
        if max(abs(right), abs(below)) >= CLEARLY_APART * scene.frames.shape[1]:
            sideways = "right of" if right > 0 else "left of"
            upright = "below" if below > 0 else "above"
            relation = sideways if abs(right) > abs(below) else upright
            return f"{_article(name(main))} {relation} {_article(name(other))}"
    return f"the {main.shape} is {main.colour} and {main.texture}"


def _with_action(track: Track, words: str, moving: bool) -> str:
    return f"{words} that {track.action}" if moving else words


def _doing(track: Track, moving: bool) -> str:
    return f" {DOING[track.action]}" if moving and track.action != STILL else ""


def _article(words: str) -> str:
    return f"an {words}" if words[0] in "aeiou" else f"a {words}"


def _list(parts: list[str]) -> str:
    """ "a red circle", "a red circle and a blue bar", "a red circle , a blue bar and an orange ring"."""
    listed = [_article(part) for part in parts]
    return listed[0] if len(listed) == 1 else f"{' , '.join(listed[:-1])} and {listed[-1]}"
