"""Rules that weigh one thing against another: which is faster, which comes first, are there more of these."""

from __future__ import annotations

from dataclasses import replace

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.subjects import COMPARATIVES, measure_of
from onlooker.video.chat.query import CompareQuery, CountCompareQuery, Operator, Query, Selection


def counts_compared(scene: Scene) -> Query | None:
    """ "Are there more cars than people?", "how many more dogs than cats are there?"."""
    things = scene.specific
    if len(things) < 2 or not scene.has("more", "fewer", "equal", "difference", "most_common", "least_common"):
        return None
    if measure_of(scene.reading) is not None:
        return None
    operator: Operator = "<" if scene.has("fewer", "least_common") else "=" if scene.has("equal") else ">"
    first, second = _plain(things[0]), _plain(things[1])
    if scene.form == "count" or scene.has("difference"):
        return CountCompareQuery(first, second, operator, "difference", scene.window)
    ask = "yes_no" if scene.form == "yes_no" and not scene.reading.has_or else "which"
    return CountCompareQuery(first, second, operator, ask, scene.window)  # type: ignore[arg-type]


def _plain(selection: Selection) -> Selection:
    return replace(selection, rank=None, plural=True)


def options_compared(scene: Scene) -> Query | None:
    """ "Which moves faster, the bird or the car?", "does the dog leave before the car?"."""
    things = tuple(replace(t, rank=None) if _by_order(t) else t for t in scene.specific)
    things = _without_the_kind(things)
    if len(things) < 2 or scene.form in {"count", "where"}:
        return None
    measure = measure_of(scene.reading) or _order_measure(scene)
    if measure is None:
        return None
    column, descending = measure
    if scene.form == "when" and column != "t_start":
        return None
    if scene.form == "yes_no" and not scene.reading.has_or:
        weighed = scene.has("before", "after", "first", "last") or scene.reading.word("than") or _verb_weighs(scene)
        if not weighed:
            return None
        return CompareQuery(things[:2], column, descending, "yes_no")
    if scene.form in {"which", "what", "none", "yes_no", "list", "how"}:
        return CompareQuery(things, column, descending, "which")
    return None


def _without_the_kind(things: tuple[Selection, ...]) -> tuple[Selection, ...]:
    """ "Is the cow or the camel the quicker animal?": the last noun is what both are."""
    if len(things) < 3 or things[-1].numbers or not things[-1].categories:
        return things
    both = {category for thing in things[:-1] for category in thing.categories or ()}
    return things[:-1] if len(both) > 1 and both <= set(things[-1].categories) else things


def _verb_weighs(scene: Scene) -> bool:
    """ "Does the dog outpace the car?": a comparing verb between the two."""
    first, second = scene.mentions[0], scene.mentions[1]
    cues = [cue for code in COMPARATIVES for cue in scene.reading.cues.get(code, ())]
    return any(first.end <= cue.start and cue.end <= second.start for cue in cues)


def _by_order(selection: Selection) -> bool:
    return selection.rank is not None and selection.rank.column in {"t_start", "t_end"}


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
