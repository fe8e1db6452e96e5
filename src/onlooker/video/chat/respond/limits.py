"""What the library cannot tell of these videos: moments after their end, colours nobody has looked at."""

from __future__ import annotations

from dataclasses import replace

from onlooker.video.chat.compile import Binder
from onlooker.video.chat.query import CountQuery, ExistsQuery, ListQuery, Query, Selection, Window
from onlooker.video.chat.respond.session import Draft, Session, fill
from onlooker.video.chat.wording import counted, noun_of, seconds

_AROUND_A_CUT = 2  # shots, one on each side of "the cut"
_COLORS = ("color", "upper_color", "lower_color")


def doubt(session: Session, query: Query) -> Draft | None:
    """The answer that says so, None where the question can be answered."""
    return _after_the_end(session, query) or _no_such_shot(session, query) or _no_colors(session, query)


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


def _no_such_shot(session: Session, query: Query) -> Draft | None:
    """A shot that a video asked about has not, or "the cut" where there is none or more than one."""
    window = getattr(query, "window", None)
    points = (window.start, window.end) if isinstance(window, Window) else ()
    places = [int(p.value) for p in points if p is not None and p.base in {"shot", "shot_end"}]
    if not places:
        return None
    binder = Binder()
    inside = "" if session.scope is None else f" WHERE s.video_key IN ({binder.bind_all(session.scope)})"
    statement = binder.statement(
        f"SELECT s.video, count(*) AS n FROM shots AS s{inside} GROUP BY s.video_key ORDER BY s.video_key"
    )
    _, rows = session.run(statement)
    odd = [r for r in rows if (int(r[1] or 0) != _AROUND_A_CUT if places[0] == 0 else int(r[1] or 0) < abs(places[0]))]
    if rows and not odd:
        return None
    video, number = (str(odd[0][0]), int(odd[0][1] or 0)) if odd else ("the video", 0)
    told = f"There {'is' if number == 1 else 'are'} only {counted(number, 'shot')} in {video}."
    if places[0] == 0:
        told = f"There are {number - 1} cuts in {video}: say which." if number > 1 else f"There is no cut in {video}."
    return fill(Draft(told, None, "cannot_answer"), session, statement)


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
