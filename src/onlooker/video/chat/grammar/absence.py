"""Rules for when nothing is there: "when is nobody on screen?", "is there ever a moment with no car?"."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Literal

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import AbsenceQuery, Query, Refusal, Selection

EMPTY = words("empty deserted vacant")
_PLACES = words("shop store room street road yard garden scene frame picture screen shot place view image car park lot")
_TIMES = words("moment time point second part period span stretch instant")
# What a question about something that is there would say besides.
_OTHERWISE = ("start", "appear", "end", "return", "first", "last", "before", "after", "near", "touch", "peak", "not")
_SEEN = words("visible there seen present here around")


def absence(scene: Scene) -> Query | None:
    """The time without any of the subject, when that is what is asked."""
    ask: dict[str, Literal["when", "how_long", "yes_no"]] = {"when": "when", "how_long": "how_long", "yes_no": "yes_no"}
    if scene.window is not None and scene.form == "yes_no" and scene.clause is None and _spoken_span(scene):
        return Refusal("Times without something are told for the whole video only. Ask when nobody is there.")
    if scene.form not in ask or scene.window is not None or scene.clause is not None or scene.pronoun is not None:
        return None
    empty = _called_empty(scene)
    if empty is not None:
        return AbsenceQuery(empty, ask[scene.form])
    subject = _missing(scene)
    if subject is None or (scene.form == "yes_no" and not _says_ever(scene)):
        return None
    return AbsenceQuery(subject, ask[scene.form])


def _spoken_span(scene: Scene) -> bool:
    """ "Any footage without people between 5 and 12 s?"."""
    said = [t.text for t in scene.reading.tokens]
    spans = _TIMES | {"footage"}
    timed = any(a in {"a", "any", "some"} and b in spans for a, b in pairwise(said))
    return timed and len(scene.things) == 1 and _missing(scene) is not None


def _called_empty(scene: Scene) -> Selection | None:
    """ "When is the shop empty?", "is the street ever empty of people?"."""
    said = [t.text for t in scene.reading.tokens]
    empty = next((i for i, word in enumerate(said) if word in EMPTY), None)
    if empty is None or scene.reading.has("not", "start", "appear", "end"):
        return None
    things = [t for m, t in zip(scene.mentions, scene.things, strict=True) if not (m.start <= empty < m.end)]
    named = [t for t in things if t.categories and t.noun not in _PLACES]
    if named:
        return replace(named[-1], plural=True, definite=False) if "of" in said[empty + 1 : empty + 2] else None
    strange = [t for t in scene.things if t.is_unknown and not {*t.noun.split()} & (_PLACES | EMPTY)]
    return None if strange else Selection(plural=True)


def _missing(scene: Scene) -> Selection | None:
    """The thing of "nobody", "no car", "without any dog"; None where something else is asked of it."""
    mention, tokens = scene.mentions[0] if scene.mentions else None, scene.reading.tokens
    if mention is None or len(scene.things) != 1:
        return None
    around = tokens[-1].text == "around" or (tokens[-1].kind == "mark" and tokens[-2].text == "around")
    if scene.has(*(c for c in _OTHERWISE if c != "not" and not (around and c == "near"))):
        return None
    if scene.reading.word("anymore") or scene.reading.says("any", frozenset({"more"})):
        return None  # "when are there no birds any more?" is about the last of them
    if _is_not_seen(scene):
        return scene.narrowed()
    before = {t.text for t in tokens[max(0, mention.start - 2) : mention.start]}
    denied = mention.quantifier == "none" or bool(before & {"no", "without"})
    return replace(scene.narrowed(), plural=True) if denied and not scene.things[0].numbers else None


def _is_not_seen(scene: Scene) -> bool:
    """ "When is person 2 not visible?", "how long is the cat not there?"."""
    one = scene.form in {"when", "how_long"} and (
        scene.subject.definite or scene.subject.numbers or scene.subject.label
    )
    return bool(one) and any(scene.reading.says(word, _SEEN) for word in ("not", "not even"))


def _says_ever(scene: Scene) -> bool:
    """ "Is there ever nobody?", "is there a moment with no people?"; "is there no dog?" asks something else."""
    said = [t.text for t in scene.reading.tokens]
    timed = any(a in {"a", "any", "some"} and b in _TIMES for a, b in pairwise(said))
    return "ever" in said or timed
