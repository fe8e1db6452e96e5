"""Rules that weigh one thing against another: which is faster, which comes first, are there more of these."""

from __future__ import annotations

import re
from dataclasses import replace

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.moments import INSTANT_S
from onlooker.video.chat.grammar.subjects import COMPARATIVES, measure_of
from onlooker.video.chat.grammar.timing import event_around
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import (
    Anchor,
    CompareQuery,
    CountCompareQuery,
    ExistsQuery,
    Operator,
    Query,
    Refusal,
    Selection,
    TimePoint,
    Window,
)

_TIMES_AS_MANY = re.compile(r"\b(?:twice|double|triple|thrice|times|half) (?:as many|the number|the amount)\b")
_TWO_COUNTS = re.compile(r"\bhow many\b.*(?:\band|&|,|\bplus)(?: also)? how many\b")
_NUMBERS = words("number count amount total quantity")
_SMALLER = words("smaller lower less fewer")
_LARGER = words("larger bigger higher greater more")


def counts_of_each(scene: Scene) -> Query | None:
    """ "How many cars and how many people?", "how many cars vs vans?": the number of each of two kinds."""
    things = scene.specific
    said = scene.reading.question.lower()
    several = _TWO_COUNTS.search(said) is not None or scene.reading.word("vs", "versus")
    if scene.form != "count" or len(things) != 2 or not several or scene.conditions or scene.pronoun is not None:
        return None
    if scene.has("peak", "start", "end", "return", "gone", "not", "other_than", "more", "fewer") or scene.clause:
        return None
    return CountCompareQuery(_plain(things[0]), _plain(things[1]), ">", "each", scene.window)


def counts_compared(scene: Scene) -> Query | None:
    """ "Are there more cars than people?", "how many more dogs than cats are there?"."""
    things, numbers = scene.specific, _numbers_compared(scene)
    if len(things) > 1 and _TIMES_AS_MANY.search(scene.reading.question.lower()):
        return Refusal("Numbers are compared as more, fewer or equal, not as multiples. Ask for the number of each.")
    weighing = ("more", "fewer", "equal", "difference", "most_common", "least_common")
    if len(things) < 2 or not (numbers or scene.has(*weighing)):
        return None
    if measure_of(scene.reading) is not None and not numbers:
        return None
    operator: Operator = "<" if scene.has("fewer", "least_common") else "=" if scene.has("equal") else ">"
    operator = numbers or operator
    first, second = _plain(things[0]), _plain(things[1])
    if scene.form == "count" or scene.has("difference"):
        return CountCompareQuery(first, second, operator, "difference", scene.window)
    ask = "yes_no" if scene.form == "yes_no" and not scene.reading.has_or else "which"
    return CountCompareQuery(first, second, operator, ask, scene.window)  # type: ignore[arg-type]


def _numbers_compared(scene: Scene) -> Operator | None:
    """ "Is the number of vans smaller than that of the cars?": a size that is said of numbers, not of the things."""
    texts = [t.text for t in scene.reading.tokens]
    counted = [i for i in range(len(texts) - 1) if texts[i] in _NUMBERS and texts[i + 1] == "of"]
    than = texts.index("than") if "than" in texts else len(texts)
    if not counted or not counted[0] < than < len(texts):
        return None
    weighed = texts[than - 1]
    return "<" if weighed in _SMALLER else ">" if weighed in _LARGER else None


def _plain(selection: Selection) -> Selection:
    return replace(selection, rank=None, plural=True)


def options_compared(scene: Scene) -> Query | None:
    """ "Which moves faster, the bird or the car?", "does the dog leave before the car?"."""
    things = tuple(replace(t, rank=None) if _by_order(t) else t for t in scene.specific)
    things = _without_the_kind(things)
    things = things[::-1] if suffers(scene) and len(things) == 2 else things
    if len(things) < 2 or scene.form in {"count", "where"} or scene.has("other_than"):
        return None
    measure = measure_of(scene.reading) or _order_measure(scene)
    if measure is None:
        return None
    if _the_other(scene):
        return Refusal("Say which other one is meant, by its number or its colour.")
    column, descending = measure
    if column in {"t_start", "t_end"} and (mixed := _mixed_order(scene)) is not None:
        return mixed
    if scene.form == "when" and column != "t_start":
        return None
    if scene.form == "yes_no" and not scene.reading.has_or:
        weighed = scene.has("before", "after", "first", "last") or scene.reading.word("than") or _verb_weighs(scene)
        if not weighed:
            return None
        crossed = _different_events(scene)
        return crossed or CompareQuery(things[:2], column, descending, "yes_no")
    if scene.form in {"which", "what", "none", "yes_no", "list", "how"}:
        return CompareQuery(things, column, descending, "which")
    return None


def _the_other(scene: Scene) -> bool:
    """ "Anna or the other person": of what was named nobody knows which is the other."""
    if scene.focus is not None:
        return False
    near = (scene.reading.tokens[max(0, m.start - 1) : m.end] for m in scene.mentions[1:])
    return any(t.text in {"other", "others"} for tokens in near for t in tokens)


def _mixed_order(scene: Scene) -> Query | None:
    """ "Is the dog's arrival before or after Anna's departure?", "there before the dog and after it?"."""
    said = [t.text for t in scene.reading.tokens]
    if "before" in said and "after" in said and "and" in said[min(said.index("before"), said.index("after")) :]:
        return Refusal("Before and after are asked one by one: is it there before the dog?")
    if len(scene.things) != 2 or not scene.reading.has_or:
        return None
    first, second = scene.mentions
    mine = event_around(scene, first.start, first.end, second.start)
    other = event_around(scene, second.start, second.end, None)
    if mine is None or other is None or mine == other:
        return None
    return Refusal(
        "The coming of one and the going of another are weighed like this: does Anna leave before the dog comes?"
    )


def _different_events(scene: Scene) -> Query | None:
    """ "Does Anna leave before the dog comes?": the going of one thing against the coming of another."""
    if len(scene.things) != 2 or len(scene.specific) != 2 or scene.pronoun is not None or scene.clause is not None:
        return None
    first, second = scene.mentions
    link = next((t.text for t in scene.reading.tokens[first.end : second.start] if t.text in {"before", "after"}), None)
    mine = event_around(scene, first.start, first.end, second.start)
    other = event_around(scene, second.start, second.end, None)
    if link is None or mine is None or other is None or mine == other:
        return None
    before = Window("span", None, TimePoint(-INSTANT_S, "event"))
    window = before if link == "before" else Window("span", TimePoint(INSTANT_S, "event"), None)
    anchor = Anchor(replace(scene.things[1], definite=True), other)
    return ExistsQuery(scene.things[0], window, mine, anchor=anchor)


def suffers(scene: Scene) -> bool:
    """ "Is the pedestrian outpaced by the cyclist?": what is named first is done to by the second."""
    behind = {m.start - 1 for m in scene.mentions if m.start and scene.reading.tokens[m.start - 1].text == "by"}
    codes = (*COMPARATIVES, "before", "after", "pass")
    return any(cue.end in behind for code in codes for cue in scene.reading.cues.get(code, ()))


def _without_the_kind(things: tuple[Selection, ...]) -> tuple[Selection, ...]:
    """ "Is the cow or the camel the quicker animal?", "which animal, the cow or the camel?": one noun is both."""
    for kind, rest in ((things[-1:], things[:-1]), (things[:1], things[1:])):
        if len(rest) < 2 or kind[0].numbers or not kind[0].categories:
            continue
        both = {category for thing in rest for category in thing.categories or ()}
        several = len(both) > 1 or (not kind[0].conditions and all(thing.conditions for thing in rest))
        if several and both <= set(kind[0].categories):
            return rest
    return things


def _verb_weighs(scene: Scene) -> bool:
    """ "Does the dog outpace the car?": a comparing verb between the two."""
    first, second = scene.mentions[0], scene.mentions[1]
    cues = [cue for code in COMPARATIVES for cue in scene.reading.cues.get(code, ())]
    return any(first.end <= cue.start and cue.end <= second.start for cue in cues)


def _by_order(selection: Selection) -> bool:
    rank = selection.rank  # the second or the last of them stays that one
    return rank is not None and rank.column in {"t_start", "t_end"} and rank.n == 1 and not rank.descending


def _order_measure(scene: Scene) -> tuple[str, bool] | None:
    """First and last, before and after: ordered by coming or by leaving."""
    reading = scene.reading
    tokens = [t.text for t in reading.tokens]
    early = scene.has("first", "before") or any(w in tokens for w in ("first", "earliest", "earlier"))
    late = scene.has("last", "after") or any(w in tokens for w in ("last", "latest"))
    if not early and not late:
        return None
    by_end = scene.has("end")
    return ("t_end" if by_end else "t_start"), late and not early
