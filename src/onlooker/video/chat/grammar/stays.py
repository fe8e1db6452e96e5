"""Questions about all the time something is there: "who is there while the truck is there?"."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.query import (
    Anchor,
    CategoriesQuery,
    CountQuery,
    EventsQuery,
    ExistsQuery,
    ListQuery,
    Query,
    RelationQuery,
    Selection,
    SoundQuery,
    WordsQuery,
)


def during(scene: Scene, query: Query) -> Query | None:
    """The query over a whole stay, None where it cannot be asked of one: then the clause is not answered."""
    clause = scene.clause
    if clause is None or not clause.is_stay:
        return None
    subject = clause.anchor.subject
    if isinstance(query, EventsQuery | WordsQuery | SoundQuery):
        return replace(query, anchor=Anchor(subject, "stay"))
    if not isinstance(query, CountQuery | ListQuery | ExistsQuery | CategoriesQuery):
        return None
    if isinstance(query, CountQuery | ListQuery | ExistsQuery) and scene.has("start", "appear", "end"):
        event: Literal["start", "end"] = "end" if scene.has("end") else "start"
        return replace(query, event=event, anchor=Anchor(subject, "stay"))
    return _together(query, subject)


def _together(query: CountQuery | ListQuery | ExistsQuery | CategoriesQuery, subject: Selection) -> Query | None:
    """What is visible on a frame of the stay; what is away in a gap of it is not."""
    ask: Literal["count", "who", "yes_no"] = "who"
    if isinstance(query, CountQuery):
        ask, plain = "count", query.operator is None
    elif isinstance(query, ExistsQuery):
        ask, plain = "yes_no", not query.negated and not query.others
    elif isinstance(query, ListQuery):
        plain = query.subject.rank is None and query.order_by is None
    else:
        plain = query.ask == "names"
    return RelationQuery(subject, query.subject, "together", ask, videos=query.videos) if plain else None
