"""What is left out of a kind ("objects that are not cars"), and what must not be there beside it ("but no bus")."""

from __future__ import annotations

from dataclasses import replace

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.subjects import opposite
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import Selection

_DENIALS = words("no not without")


def without_excluded(scene: Scene, subject: Selection) -> Selection:
    """ "Objects that are not cars", "everything except people": the second noun is left out of the first."""
    tokens = scene.reading.tokens
    cut = min(scene.reading.at("other_than"), _not_a_noun(scene))
    until = next((i for i in range(cut, len(tokens)) if tokens[i].text == ","), len(tokens))
    placed = list(zip(scene.mentions, scene.things, strict=True))
    barred = [t for m, t in placed if cut <= m.start < until and t.categories]
    if len(placed) == 1 and len(barred) == 1 and len(barred[0].conditions) == 1 and tokens[cut - 1].text == "non":
        return replace(subject, conditions=(opposite(barred[0].conditions[0]),))  # "non-white vehicles"
    if any(t.conditions for t in barred):
        return subject  # "objects that are not red cars" leaves out more than cars
    if not barred or any(t.numbers for t in barred):
        return subject
    kept = next((t for m, t in placed if not cut <= m.start < until), Selection(plural=True))
    kept = replace(kept, rank=subject.rank if kept.rank is None else kept.rank)
    names = tuple(c for t in barred for c in t.categories or ())
    return replace(kept, excluded=names, conditions=subject.conditions)


def _not_a_noun(scene: Scene) -> int:
    """Where a "not" stands right before a noun."""
    starts = {m.start for m in scene.mentions}
    found = [cue.end for cue in scene.reading.cues.get("not", ()) if cue.end in starts]
    tokens = scene.reading.tokens
    found += [m.start for m in scene.mentions[1:] if tokens[m.start].text == "neither"]
    # "Animals that are no birds"
    found += [m.start for m in scene.mentions[1:] if tokens[m.start].text == "no" and tokens[m.start - 1].base == "be"]
    return min(found, default=len(tokens))


def denies_another(scene: Scene) -> bool:
    """ "Is there a car but no bus?", "a bicycle and no car": one is there and another is not."""
    denied = [m.quantifier == "none" or _denied_before(scene, k) for k, m in enumerate(scene.mentions)]
    return len(denied) > 1 and not denied[0] and any(denied[1:])


def _denied_before(scene: Scene, place: int) -> bool:
    mention, begins = scene.mentions[place], scene.mentions[place - 1].end if place else 0
    return any(t.text in _DENIALS for t in scene.reading.tokens[begins : mention.end])


def is_part_of_kind(subject: Selection) -> bool:
    """Whether what is left out is of the kind it is left out of: cars of vehicles, and no buses of cars."""
    return bool(subject.excluded) and (not subject.categories or set(subject.excluded) <= set(subject.categories))
