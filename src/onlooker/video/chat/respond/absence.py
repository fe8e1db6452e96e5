"""When nothing of a kind is visible: the spans between the frames on which it has a box."""

from __future__ import annotations

from onlooker.video.answer import Evidence
from onlooker.video.chat.compile import Binder, tracklets_sql
from onlooker.video.chat.query import AbsenceQuery, Selection
from onlooker.video.chat.respond.session import Draft, Session, certainty, fill, nothing
from onlooker.video.chat.wording import joined, name_of, seconds, span

_MAX_NAMED = 8
_MAX_SPANS = 200


def absence(session: Session, query: AbsenceQuery) -> Draft:
    """The start of the first such span, a bool, or the seconds of all of them, on the frames that were looked at."""
    subject = query.subject
    if subject.is_unknown or not session.exists(subject):
        return nothing(session, subject, True if query.ask == "yes_no" else None)
    binder = Binder()
    statement = binder.statement(_spans_sql(session, binder, subject))
    _, rows = session.run(statement)
    tracks, _ = session.tracks(subject)
    spans = [(str(row[0]), float(row[1] or 0.0), float(row[2] or 0.0)) for row in rows]
    names = [f"{span(start, end)}{f' in {video}' if session.several_videos else ''}" for video, start, end in spans]
    if len(names) > _MAX_NAMED:
        names = [*names[:_MAX_NAMED], f"{len(spans) - _MAX_NAMED} more"]
    told = f"no {name_of(subject)} is visible {joined(names)}{session.where}"
    if not spans:
        told = f"{name_of(subject)} is visible on every frame{session.where}"
    yes_no = f"{'Yes' if spans else 'No'}: " if query.ask == "yes_no" else ""
    total = sum(end - start for _, start, end in spans)
    length = f"{seconds(total)}: " if query.ask == "how_long" else ""
    text = f"{yes_no}{length}{told}."
    draft = Draft(text[:1].upper() + text[1:], bool(spans))
    if query.ask != "yes_no":
        draft.value, draft.unit = (total if query.ask == "how_long" else spans[0][1] if spans else None), "s"
    fill(draft, session, statement)
    draft.cite(told, [Evidence("video", video, start_s=start, end_s=end) for video, start, end in spans[:20]])
    draft.cite(f"{name_of(subject)} at other times", session.evidence(tracks))
    draft.confidence, draft.named = certainty(tracks), tuple(tracks)
    return draft


def _spans_sql(session: Session, binder: Binder, subject: Selection) -> str:
    """Runs of frames without a box of the subject; each lasts until the next frame, the last one to its own time."""
    keys = tracklets_sql(binder, subject, session.scope, "k.key")
    inside = "" if session.scope is None else f" WHERE f.video_key IN ({binder.bind_all(session.scope)})"
    order = "PARTITION BY f.video_key ORDER BY f.frame"
    looked = (
        "SELECT f.video, f.video_key, f.frame, f.t, row_number() OVER"
        f" ({order}) AS place, lead(f.t, 1, f.t) OVER ({order}) AS next_t FROM frames AS f{inside}"
    )
    seen = f"SELECT b.video_key, b.frame FROM boxes AS b WHERE b.tracklet_key IN ({keys})"
    missing = (
        "SELECT l.*, l.place - row_number() OVER (PARTITION BY l.video_key ORDER BY l.frame) AS run"
        f" FROM ({looked}) AS l LEFT JOIN (SELECT DISTINCT s.video_key, s.frame FROM ({seen}) AS s) AS h"
        " ON h.video_key = l.video_key AND h.frame = l.frame WHERE h.frame IS NULL"
    )
    return (
        f"SELECT r.video, min(r.t) AS t_start, max(r.next_t) AS t_end, count(*) AS n FROM ({missing}) AS r"
        f" GROUP BY r.video_key, r.run ORDER BY r.video_key, t_start LIMIT {_MAX_SPANS}"
    )
