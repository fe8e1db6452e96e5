"""Rules for what things do, where the library stores it: who is running, when does the man wave, how many dance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.media import EXAMPLES
from onlooker.video.chat.grammar.subjects import measure_of, with_conditions
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import ActionAsk, ActionQuery, Query, Refusal, Selection

_ASKS: Mapping[str, ActionAsk] = {
    "count": "count", "when": "when", "how_long": "how_long", "yes_no": "yes_no", "which": "who", "list": "who",
    "none": "who", "what": "what",
}  # fmt: skip
# What a question may not ask beside an action: its answer would leave one of the two out.
_BESIDE = words(
    "touch near nearest together pass follow above below speech text sound return gone end peak most_common "
    "least_common approach recede stationary path color size speed direction kind look more fewer equal difference "
    "other_than order wear distance farthest_apart before after not until_when mean where"
)
ASKING_ONCE = ("count", "when", "which", "how_long", "where")
_VIDEOS = words("video videos clip clips recording recordings film films file files")
_BEFORE_VIDEOS = words("which what many list")
_PEOPLE_ASKED = words("who whom whose")


def acting(scene: Scene) -> Query | None:
    """The query of a question that names a stored action; a refusal where it asks for more than that."""
    deeds = scene.reading.deeds
    if not deeds:
        return None
    part = _left_out(scene)
    if part is not None:
        return Refusal(f'"{part}" cannot be answered together with what somebody does. {EXAMPLES}')
    labels = tuple(dict.fromkeys(label for deed in deeds for label in deed.labels))
    said = " or ".join(dict.fromkeys(deed.said for deed in deeds))
    return ActionQuery(
        _subject(scene),
        labels,
        said=said,
        ask=_ask(scene),
        quantifier=scene.quantifier,
        pick="last" if scene.has("last") else "first",
        window=scene.window,
    )


def _ask(scene: Scene) -> ActionAsk:
    """ "Is the man walking or running?" and "what is the man eating?" ask which action it is."""
    ask = _ASKS[scene.form]
    if ask == "yes_no" and len(scene.reading.deeds) > 1:
        return "what"
    if ask == "what":
        first = scene.mentions[0] if scene.mentions else None
        behind = first is not None and first.start > scene.reading.deeds[0].start
        named = first is not None and scene.reading.tokens[max(0, first.start - 1)].text in {"what", "which"}
        return "who" if (first is None and scene.pronoun is None) or behind or named else "what"
    return ask


def _subject(scene: Scene) -> Selection:
    subject = scene.subject
    if not scene.has_subject:
        people = scene.reading.people if any(t.text in _PEOPLE_ASKED for t in scene.reading.tokens) else ()
        subject = Selection(noun="person", categories=people, plural=True) if people else Selection(plural=True)
    return with_conditions(subject, scene.conditions)


def _left_out(scene: Scene) -> str | None:
    """A part of the question that an answer about actions would leave out; `None` where there is none."""
    reading, deeds = scene.reading, scene.reading.deeds
    if scene.form not in _ASKS:
        return scene.form
    stray = (*reading.strangers, *reading.unsupported, *(a for t in scene.things for a in t.adjectives))
    unknown = tuple(t.noun for t in scene.things if t.is_unknown)
    if stray:
        return stray[0]
    if unknown and len(scene.things) > 1:
        return unknown[0]
    done_to = _object(scene)
    if done_to is not None:
        return done_to
    for code in _BESIDE & set(reading.cues):
        cue = reading.cues[code][0]
        return " ".join(t.text for t in reading.tokens[cue.start : cue.end])
    if measure_of(reading) is not None or scene.subject.rank is not None:
        return "the most"
    if scene.form == "which" and scene.has("first", "last"):
        return "last" if scene.has("last") else "first"
    return _videos_asked(scene) or _two_things(scene) or _two_deeds(scene, deeds[0].start)


def _videos_asked(scene: Scene) -> str | None:
    """ "Which video shows somebody dancing?": answers about actions name things, not videos."""
    for before, token in pairwise(scene.reading.tokens):
        if before.text in _BEFORE_VIDEOS and token.text in _VIDEOS:
            return f"{before.text} {token.text}"
    return None


def _object(scene: Scene) -> str | None:
    """ "Who is eating a pizza?": what it is done to, where no stored action has it; "the running dog" has none."""
    end = scene.reading.deeds[-1].end
    who = any(t.text in _PEOPLE_ASKED for t in scene.reading.tokens)
    for mention, thing in zip(scene.mentions, scene.things, strict=True):
        if mention.start >= end and (who or mention.start > end):
            return thing.noun
    return None


def _two_things(scene: Scene) -> str | None:
    specific = dict.fromkeys(replace(t, definite=False, plural=False) for t in scene.specific)
    if len(specific) > 1:
        return scene.specific[1].noun
    if any(m.amount is not None for m in scene.mentions):
        return "a number of things"
    return None


def _two_deeds(scene: Scene, deed: int) -> str | None:
    """More than one question, or an action that only says when."""
    asked = [code for code in ASKING_ONCE if code in scene.reading.cues]
    if len(asked) > 1:
        return asked[1].replace("_", " ")
    if scene.clause is not None and scene.clause.start <= deed < scene.clause.end:
        return scene.reading.deeds[0].said
    if len(scene.reading.deeds) > 1 and not scene.reading.has_or:
        return scene.reading.deeds[1].said
    return None
