"""Nothing but a question word: "when?", "who?", "for how long?" ask more of what the question before was about.

After "do the cars touch?" it is the touching, not the cars, whose moment is asked for. Where that is not stored nothing
is claimed; after a question about what is there the rules of `follow_up` go on with the thing itself.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from onlooker.video.chat.grammar.context import Focus, Scene
from onlooker.video.chat.query import (
    AbsenceQuery,
    ActionQuery,
    AttributeQuery,
    AuthenticityQuery,
    BoxQuery,
    CheckQuery,
    CompareQuery,
    CountQuery,
    DurationQuery,
    ExistsQuery,
    IntervalQuery,
    IsRankQuery,
    ListQuery,
    MomentQuery,
    OvertakeQuery,
    PeakQuery,
    PlaceTimesQuery,
    Query,
    Refusal,
    RelationQuery,
    Selection,
    SideQuery,
    VideoFactQuery,
    WordsQuery,
)

Ask = Literal[
    "when", "before", "after", "how_long", "who", "what", "count", "times", "where", "where_to", "where_from", "parts"
]  # fmt: skip

_ASKED: tuple[tuple[Ask, str], ...] = (
    ("when", r"(?:since |from )?when|(?:at )?(?:what|which) (?:times?|seconds?|moments?|point)"),
    ("before", r"how (?:long|much time) before|how much (?:earlier|sooner)"),
    ("after", r"after how (?:long|much time)|how (?:long|much time) after|how much later"),
    ("how_long", r"(?:for )?how (?:long|much time)"),
    ("who", r"who|whom|with whom|who with|which|which ones?|which of them"),
    ("what", r"what"),
    ("times", r"how often|how many times"),
    ("count", r"how many(?: of them)?"),
    ("where_to", r"where to|to where|whereto"),
    ("where_from", r"where from|from where"),
    ("where", r"where"),
    ("parts", r"(?:which|what) parts?"),
)
_BARE = tuple(
    (
        ask,
        re.compile(
            rf"(?:(?:and|so|ok|okay|but|well|yes) )*(?:{core})"
            r"(?: (?:is|are|was|were|do|does|did)(?: (?:that|it|this|they|them|he|she))?"
            r"(?: (?:happen|happening|occur|take place|last|be|so))?)?"
            r"(?: (?:exactly|precisely|roughly|though|then|please))*"
        ),
    )
    for ask, core in _ASKED
)
_TWO = 2
_NO_MOMENT = (
    "When that is so is not stored, only when each thing is seen first and last. Ask for example: when does it appear?"
)
_NO_LENGTH = "How long that is so is not stored, only how long each thing is visible. Ask how long it is visible."
_NO_PLACE = "Where that is is not stored as such. Ask when it is, and where each thing is at that second."


def asked_again(scene: Scene) -> Query | None:
    """The question before, asked the other way; a refusal where nothing stored tells it."""
    ask = _bare_ask(scene)
    if ask is None or scene.focus is None:
        return None
    if scene.focus.refused:
        return Refusal("Ask in full what is meant: the question before was not answered.")
    found = _of_place(ask, scene.focus)
    for rule in (_of_orders, _of_presence, _of_pairs, _of_doings, _of_checked, _of_times):
        found = found or rule(ask, scene.focus.query)
    return found


def _bare_ask(scene: Scene) -> Ask | None:
    if scene.things or scene.window is not None or any(t.kind in {"number", "quote"} for t in scene.reading.tokens):
        return None
    said = " ".join(t.text for t in scene.reading.tokens if t.is_word)
    return next((ask for ask, pattern in _BARE if pattern.fullmatch(said)), None)


def _of_place(ask: Ask, focus: Focus) -> Query | None:
    """ "Where to?", "where from?" of the thing that was talked of."""
    subject = focus.subject
    if ask not in {"where_to", "where_from"} or subject is None or isinstance(focus.query, WordsQuery):
        return None
    return AttributeQuery(replace(subject, definite=True), "direction" if ask == "where_to" else "enters_from")


def _of_orders(ask: Ask, query: Query) -> Query | None:
    """ "How long before?" after "did Anna leave before the dog came?"."""
    if ask not in {"before", "after"}:
        return None
    if isinstance(query, CompareQuery) and query.column in {"t_start", "t_end"} and len(query.options) == _TWO:
        event: Literal["start", "end"] = "start" if query.column == "t_start" else "end"
        return IntervalQuery(query.options[0], query.options[1], event, event)
    if isinstance(query, ExistsQuery) and query.anchor is not None:
        first: Literal["start", "end"] = "end" if query.event == "end" else "start"
        second: Literal["start", "end"] = "end" if query.anchor.event == "end" else "start"
        return IntervalQuery(query.subject, query.anchor.subject, first, second)
    return _untold("after") if ask == "before" else None


def _of_pairs(ask: Ask, query: Query) -> Query | None:
    """Of two things: touching, passing, being on a side, being more."""
    if isinstance(query, OvertakeQuery):
        return replace(query, ask="when") if ask == "when" else _untold(ask)
    if isinstance(query, SideQuery | IsRankQuery) or (
        isinstance(query, CompareQuery) and query.column not in {"t_start", "t_end"}
    ):
        return _untold(ask)
    if not isinstance(query, RelationQuery):
        return None
    if ask == "when" or (ask == "how_long" and query.relation != "near"):
        return replace(query, ask=ask)
    if ask in {"who", "count"} and query.second is not None:
        one, other = query.first, query.second
        asked, known = (one, other) if _is_open(one) and not _is_open(other) else (other, one)
        plain = _is_open(asked)
        return replace(query, first=known, second=asked, ask=ask) if plain else None
    return _untold(ask)


def _is_open(selection: Selection) -> bool:
    return not (selection.definite or selection.numbers or selection.keys or selection.label)


def _of_presence(ask: Ask, query: Query) -> Query | None:
    """ "Who?" after "did anybody come in while the dog was there?": then, and no other time."""
    if not isinstance(query, ExistsQuery | CountQuery) or ask not in {"who", "count"}:
        return None
    if query.window is None and query.event is None and query.anchor is None:
        return None
    subject = replace(query.subject, plural=True)
    if ask == "count":
        return CountQuery(subject, query.window, query.event, anchor=query.anchor)
    return ListQuery(subject, query.window, query.event, anchor=query.anchor)


def _of_doings(ask: Ask, query: Query) -> Query | None:
    """Of stored actions and of what looks manipulated."""
    if isinstance(query, ActionQuery):
        if ask in {"when", "how_long", "who", "what", "count"}:
            return replace(query, ask=ask)
        return _untold(ask)
    if isinstance(query, AuthenticityQuery):
        told = {"parts": "when", "when": "when", "who": "who", "count": "count", "where": "where"}.get(ask)
        return replace(query, ask=told) if told is not None else _untold(ask)  # type: ignore[arg-type]
    return None


def _of_checked(ask: Ask, query: Query) -> Query | None:
    """Of what was said of a thing: coming back, coming, leaving, and what holds at no moment of its own."""
    if isinstance(query, MomentQuery) and query.event == "return" and ask in {"after", "how_long"}:
        return DurationQuery(query.subject, "gone")
    if not isinstance(query, CheckQuery):
        return None
    columns, subject = {c.column for c in query.holds}, query.subject
    if columns == {"n_gaps"}:
        back: dict[Ask, Query] = {
            "when": MomentQuery(subject, "return"),
            "how_long": DurationQuery(subject, "gone"),
            "after": DurationQuery(subject, "gone"),
            "times": AttributeQuery(subject, "n_gaps"),
        }
        return back.get(ask)
    event: Literal["start", "end"] | None = None
    if columns in ({"leaves_to"}, {"enters_from"}):
        event = "end" if columns == {"leaves_to"} else "start"
    if event is not None and ask in {"when", "where"}:
        return MomentQuery(subject, event) if ask == "when" else BoxQuery(subject, None, event)
    return _untold(ask) if ask in {"when", "how_long", "times"} else None


def _of_times(ask: Ask, query: Query) -> Query | None:
    """Of the most at one time, of nobody being there, of cuts and of words."""
    if isinstance(query, PlaceTimesQuery) and ask == "when":
        return query
    if isinstance(query, PeakQuery):
        return replace(query, ask="when", operator=None, number=None) if ask == "when" else None
    if isinstance(query, AbsenceQuery) and ask in {"when", "how_long"}:
        return replace(query, ask=ask)
    if isinstance(query, ExistsQuery) and query.negated and query.window is None and ask in {"when", "how_long"}:
        return AbsenceQuery(query.subject, ask)
    if isinstance(query, VideoFactQuery) and query.fact in {"cuts", "shots"} and ask in {"when", "where"}:
        return VideoFactQuery("cuts", "when")
    return replace(query, ask="what") if isinstance(query, WordsQuery) and ask == "what" else None


def _untold(ask: Ask) -> Refusal | None:
    """What is not stored of the question before; None for what may be asked of its things."""
    if ask in {"when", "after", "times"}:
        return Refusal(_NO_MOMENT)
    if ask == "how_long":
        return Refusal(_NO_LENGTH)
    return Refusal(_NO_PLACE) if ask == "where" else None
