"""What the library cannot tell of these videos: moments after their end, colours nobody has looked at."""

from __future__ import annotations

from dataclasses import replace

from onlooker.video.chat.query import CountQuery, ExistsQuery, ListQuery, Query, Selection, Window
from onlooker.video.chat.respond.session import Draft, Session, fill
from onlooker.video.chat.wording import noun_of, seconds

_COLORS = ("color", "upper_color", "lower_color")


def doubt(session: Session, query: Query) -> Draft | None:
    """The answer that says so, None where the question can be answered."""
    return _after_the_end(session, query) or _no_colors(session, query)


def _after_the_end(session: Session, query: Query) -> Draft | None:
    """A moment, or the start of a span, behind the end of every video asked about."""
    window = getattr(query, "window", None)
    if not isinstance(window, Window) or window.start is None or window.start.base != "start":
        return None
    asked = [v for v in session.vocabulary.videos if session.scope is None or v.key in session.scope]
    lengths = [v.duration_s for v in asked if v.duration_s is not None]
    if not asked or len(lengths) < len(asked) or window.start.value <= max(lengths) + 1:
        return None
    told = f"{seconds(window.start.value)} is after the end{session.where}: "
    return Draft(f"{told}it lasts {seconds(max(lengths))}.", None, "no_evidence")


def _no_colors(session: Session, query: Query) -> Draft | None:
    """A colour asked for where no tracklet of the kind has one stored: none counted would be a guess."""
    if not isinstance(query, CountQuery | ExistsQuery | ListQuery):
        return None
    subject: Selection = query.subject
    asked = [c for c in subject.conditions if c.column in _COLORS]
    if not asked or subject.is_unknown:
        return None
    plain = replace(subject, conditions=(), rank=None)
    tracks, statement = session.tracks(plain, _COLORS)
    if not tracks or any(t.text_of(c) is not None for t in tracks for c in _COLORS):
        return None
    draft = Draft(f"Colours of {noun_of(plain, True)} are not known{session.where}.", None, "cannot_answer")
    fill(draft, session, statement)
    draft.cite("no colour stored", session.evidence(tracks))
    return draft
