"""Rules for questions about objects: how many, is there, which, when, how long, where, how, of what kind."""

from __future__ import annotations

from dataclasses import replace

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.media import EXAMPLES
from onlooker.video.chat.grammar.subjects import measure_of, order_rank, with_conditions
from onlooker.video.chat.query import (
    AttributeQuery,
    BoxQuery,
    CategoriesQuery,
    CheckQuery,
    Condition,
    CountQuery,
    DurationQuery,
    Event,
    EventsQuery,
    ExistsQuery,
    ListQuery,
    MomentQuery,
    PathQuery,
    PeakQuery,
    Query,
    Rank,
    Refusal,
    Selection,
)


def unsupported(scene: Scene) -> Query | None:
    """Topics that no column holds."""
    topics = scene.reading.unsupported
    if topics:
        return Refusal(f"Nothing is stored about {topics[0]}. {EXAMPLES}")
    return None


def kinds(scene: Scene) -> Query | None:
    """ "What kinds of objects are there?", "what is the most common object?"."""
    generic = [t for t in scene.things if t.categories is None and not t.numbers]
    if scene.has("most_common", "least_common") and scene.form != "yes_no" and not scene.has("peak"):
        return CategoriesQuery(Selection(plural=True), scene.window, "least" if scene.has("least_common") else "most")
    subject = scene.subject
    if scene.has("kind") and scene.form != "yes_no":
        if subject.numbers or subject.rank or scene.pronoun is not None or measure_of(scene.reading):
            return AttributeQuery(_ranked(scene), "category")
        return CategoriesQuery(scene.narrowed(), scene.window, "count" if scene.form == "count" else "names")
    asked = scene.form in {"what", "none"} and not scene.specific and not measure_of(scene.reading)
    if asked and not scene.has("first", "last", "start", "end", "color", "speed", "direction", "events"):
        if generic or scene.has("visible", "appear"):
            if not (subject.rank or subject.numbers):
                return CategoriesQuery(scene.narrowed(), scene.window)
    return None


def peak(scene: Scene) -> Query | None:
    """The most at one time, and when."""
    if not scene.has("peak") or scene.form not in {"count", "what", "when", "list", "how", "none"}:
        return None
    if len(scene.specific) > 1:
        return None
    return PeakQuery(scene.narrowed(), "when" if scene.form == "when" else "count")


def events(scene: Scene) -> Query | None:
    """What happens, what something does."""
    if (
        scene.has("events")
        and scene.form in {"what", "list", "none", "how"}
        and not scene.has("direction", "speed", "color")
    ):
        return EventsQuery(scene.subject if scene.has_subject else None, scene.window)
    return None


def by_form(scene: Scene) -> Query | None:
    """The general rules, by the form of the question."""
    if scene.reading.strangers and not scene.has_subject:
        return Refusal(f"This was not understood as a question about the videos. {EXAMPLES}")
    rules = {
        "count": _count,
        "when": _when,
        "how_long": _how_long,
        "where": _where,
        "which": _which,
        "list": _list,
        "what": _what,
        "how": _what,
        "yes_no": _yes_no,
        "none": _bare,
    }
    return rules[scene.form](scene)


def _event(scene: Scene) -> Event | None:
    """Coming or leaving, where a window or a filter can be about it."""
    if scene.has("end"):
        return "end"
    return "start" if scene.has("start") else None


def _ranked(scene: Scene) -> Selection:
    """The subject with the rank that a superlative outside its noun phrase gives it."""
    subject = scene.narrowed()
    if subject.rank is not None:
        return subject
    measure = measure_of(scene.reading)
    if measure is not None:
        return replace(subject, rank=Rank(*measure))
    words = [t.text for t in scene.reading.tokens]
    if scene.has("last") or "last" in words or "latest" in words:
        return replace(subject, rank=order_rank(scene.reading, -1))
    if scene.has("first") or "first" in words or "earliest" in words:
        return replace(subject, rank=order_rank(scene.reading, 1))
    return subject


def _count(scene: Scene) -> Query:
    if scene.has("return") and scene.reading.word("times"):
        return AttributeQuery(scene.narrowed(), "n_gaps")
    event = _event(scene) if scene.window is not None else None
    return CountQuery(scene.narrowed(), scene.window, event)


def _when(scene: Scene) -> Query:
    subject = scene.narrowed() if scene.subject.rank is None else scene.subject
    if scene.has("return"):
        return MomentQuery(subject, "return")
    if scene.has("end") or (scene.has("last") and scene.has("visible", "appear")):
        return MomentQuery(subject, "end")
    if scene.has("visible") and not scene.has("start", "appear", "first"):
        return MomentQuery(subject, "span")
    return MomentQuery(subject, "start")


def _how_long(scene: Scene) -> Query:
    subject = _ranked(scene) if measure_of(scene.reading) else scene.narrowed()
    if scene.has("gone"):
        return DurationQuery(subject, "gone")
    return DurationQuery(subject)


def _where(scene: Scene) -> Query:
    subject = scene.subject
    if scene.has("path"):
        return PathQuery(subject, scene.window)
    if scene.window is not None and scene.window.kind == "span" and scene.window.start and scene.window.end:
        return PathQuery(subject, scene.window)
    if scene.window is None and scene.has("start", "end"):
        if scene.reading.word("from"):
            return AttributeQuery(subject, "enters_from")
        if scene.reading.word("to", "leave", "exit", "leaves", "exits") and not scene.reading.word("last"):
            return AttributeQuery(subject, "leaves_to")
        if scene.reading.word("enter", "enters", "entered"):
            return AttributeQuery(subject, "enters_from")
        return BoxQuery(subject, None, "end" if scene.has("end") else "start")
    return BoxQuery(subject, scene.window)


def _which(scene: Scene) -> Query:
    return ListQuery(_ranked(scene), scene.window, _event(scene) if scene.window else None)


def _list(scene: Scene) -> Query:
    return _what(scene) if not scene.has_subject else _which(scene)


def _what(scene: Scene) -> Query:
    subject = scene.subject
    if scene.has("color"):
        column = "upper_color" if scene.has("upper") else "lower_color" if scene.has("lower") else "color"
        return AttributeQuery(subject, column)
    if scene.has("speed"):
        return AttributeQuery(subject, "speed")
    if scene.has("direction", "end_up"):
        return AttributeQuery(subject, "direction")
    if scene.has("path"):
        return PathQuery(subject, scene.window)
    if scene.has("look"):
        return AttributeQuery(subject, "appearance")
    if scene.has("travel_far"):
        return AttributeQuery(subject, "path_px")
    if subject.rank or measure_of(scene.reading) or scene.has("first", "last"):
        return _which(scene)
    if scene.has_subject and scene.form == "what" and subject.numbers:
        return AttributeQuery(subject, "category")
    return _bare(scene)


def _yes_no(scene: Scene) -> Query:
    subject = scene.subject
    direction = _direction_choice(scene)
    if direction is not None:
        return direction
    conditions = scene.conditions
    if subject.definite and conditions and not scene.has("visible"):
        return CheckQuery(subject, conditions, scene.quantifier, window=scene.window)
    return ExistsQuery(
        scene.narrowed(), scene.window, _event(scene) if scene.window else None, scene.quantifier == "none"
    )


def _direction_choice(scene: Scene) -> Query | None:
    """ "Does it go left or right?", "does it end up further left than where it started?"."""
    named = [s.value for s in scene.reading.sides if s.value in {"left", "right", "up", "down", "top", "bottom"}]
    options = tuple(dict.fromkeys(named))
    if len(options) == 2 and scene.reading.has_or:
        return AttributeQuery(scene.subject, "dx_px" if set(options) == {"left", "right"} else "dy_px", options)
    if scene.reading.side("further") is not None and len(options) == 1:
        column, positive = ("dx_px", "right") if options[0] in {"left", "right"} else ("dy_px", "down")
        wanted = Condition(column, ">" if options[0] == positive else "<", 0)
        return CheckQuery(scene.subject, (wanted,), scene.quantifier)
    return None


def _bare(scene: Scene) -> Query:
    if scene.has_subject:
        return ExistsQuery(with_conditions(scene.subject, scene.conditions), scene.window)
    return Refusal(f"This was not understood as a question about the videos. {EXAMPLES}")
