"""Things nobody detects that are written on screen: "when does sale 50 disappear?" is about the words."""

from __future__ import annotations

from typing import Literal

from onlooker.video.chat.query import DurationQuery, ExistsQuery, MomentQuery, Query, SightingsQuery, WordsQuery
from onlooker.video.chat.respond import media
from onlooker.video.chat.respond.session import Draft, Session


def written(session: Session, query: Query) -> Draft | None:
    """The answer about words on screen that bear the unknown name of a subject, None where none do."""
    if (
        not isinstance(query, MomentQuery | DurationQuery | ExistsQuery | SightingsQuery)
        or not query.subject.is_unknown
    ):
        return None
    subject = query.subject
    if subject.conditions or subject.adjectives or len(subject.noun) < 3:
        return None
    ask: Literal["when", "how_long", "yes_no", "count"] = "when"
    if isinstance(query, SightingsQuery):
        ask = "count"
    elif isinstance(query, DurationQuery):
        if query.ask != "visible":
            return None
        ask = "how_long"
    elif isinstance(query, ExistsQuery):
        if query.negated or query.others:
            return None
        ask = "yes_no"
    elif isinstance(query, MomentQuery) and query.event == "return":
        return None
    late = isinstance(query, MomentQuery) and query.event == "end"
    phrase = " ".join([subject.noun, *(str(n) for n in subject.numbers)])
    window = None if isinstance(query, DurationQuery) else query.window
    words = WordsQuery("screen_text", ask, phrase, window, "until" if late else "all")
    draft = media.words(session, words)
    return draft if draft.status == "answered" else None
