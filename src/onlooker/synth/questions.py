"""Questions about a scene with exact answers, none of which can be given without looking."""

from __future__ import annotations

import numpy as np

from onlooker.synth.actions import ACTIONS
from onlooker.synth.captions import CLEARLY_APART, NUMBERS, name, offset
from onlooker.synth.scenes import Question, Scene, Track
from onlooker.synth.sprites import COLOURS, SHAPES, TEXTURES

# Everything a question of any world can be answered with.
ANSWERS = ("yes", "no", *NUMBERS[1:], *SHAPES, *COLOURS, *TEXTURES, *ACTIONS)


def ask_questions(scene: Scene, pairs: tuple[str, ...], rng: np.random.Generator) -> tuple[Question, ...]:
    """What can be asked of this scene: always the count, the biggest shape and whether something is there.

    Args:
        pairs: "colour shape" pairs that may be asked for although they are absent.
    """
    questions = [
        Question("how many objects are there ?", NUMBERS[len(scene.tracks)], "count"),
        Question("what shape is the biggest object ?", scene.main.shape, "shape"),
        *_presence(scene, pairs, rng),
    ]
    track = scene.tracks[int(rng.integers(len(scene.tracks)))]
    if sum(t.shape == track.shape for t in scene.tracks) == 1:
        questions.append(Question(f"what colour is the {track.shape} ?", track.colour, "colour"))
    questions.append(Question(f"what texture has the {name(track)} ?", track.texture, "texture"))
    if len(scene.frames) > 1:
        questions.append(Question(f"what does the {name(track)} do ?", track.action, "action"))
    elif len(scene.tracks) > 1:
        questions.extend(_side(scene, rng))
    return tuple(questions)


def _presence(scene: Scene, pairs: tuple[str, ...], rng: np.random.Generator) -> list[Question]:
    """Yes and no are equally likely, and an absent pair is as likely as any other."""
    there = {name(track) for track in scene.tracks}
    absent = [pair for pair in pairs if pair not in there]
    if absent and rng.random() < 0.5:
        pair, answer = absent[int(rng.integers(len(absent)))], "no"
    else:
        pair, answer = name(scene.tracks[int(rng.integers(len(scene.tracks)))]), "yes"
    article = "an" if pair[0] in "aeiou" else "a"
    return [Question(f"is there {article} {pair} ?", answer, "present")]


def _side(scene: Scene, rng: np.random.Generator) -> list[Question]:
    first, second = _two_tracks(scene, rng)
    right, _ = offset(first, second)
    if abs(right) < CLEARLY_APART * scene.frames.shape[1]:
        return []
    answer = "yes" if right < 0 else "no"
    return [Question(f"is the {name(first)} left of the {name(second)} ?", answer, "left_of")]


def _two_tracks(scene: Scene, rng: np.random.Generator) -> tuple[Track, Track]:
    first, second = rng.permutation(len(scene.tracks))[:2]
    return scene.tracks[first], scene.tracks[second]
