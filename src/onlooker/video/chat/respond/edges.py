"""What is nearest to an edge of the frame, and how much of a video something is visible."""

from __future__ import annotations

from dataclasses import replace

from onlooker.video.chat.compile import Binder, tracklets_sql
from onlooker.video.chat.query import EdgeQuery, Selection
from onlooker.video.chat.respond.session import Draft, Session, Track, certainty, fill, nothing
from onlooker.video.chat.wording import name_of, number, window_words

_DISTANCES = {"left": "b.x1", "right": "m.width - b.x2", "top": "b.y1", "bottom": "m.height - b.y2"}


def nearest_to_edge(session: Session, query: EdgeQuery) -> Draft:
    """A list with the one tracklet whose box is nearest to the edge at the moment of the window."""
    subject, when = query.subject, window_words(query.window)
    if subject.is_unknown:
        return nothing(session, subject, [])
    binder = Binder()
    sql = tracklets_sql(
        binder, subject, session.scope, f"k.id, k.category, {_DISTANCES[query.edge]} AS distance_px, k.key, b.t",
        query.window,
    )  # fmt: skip
    statement = binder.statement(f"{sql} ORDER BY distance_px, k.id LIMIT 1")
    _, rows = session.run(statement)
    if not rows:
        draft = nothing(session, subject, [])
        draft.text = f"None: no {name_of(subject)} is visible{when}{session.where}."
        return fill(draft, session, statement)
    key, distance = int(rows[0][3] or 0), float(rows[0][2] or 0.0)
    tracks, _ = session.tracks(replace(subject, keys=(key,), rank=None))
    told = f"{tracks[0].name} is nearest to the {query.edge} edge{when}: {number(distance)} px away"
    draft = Draft(f"{told[:1].upper()}{told[1:]}.", [tracks[0].number])
    fill(draft, session, statement)
    moment = float(rows[0][4] or 0.0)
    draft.cite(told, [replace(e, frame_s=moment, box_xyxy_px=None) for e in session.evidence(tracks)])
    draft.confidence, draft.named = certainty(tracks), tuple(tracks)
    return draft


def share(session: Session, subject: Selection, tracks: list[Track]) -> Draft:
    """Percent of the looked-at frames on which the subject (of several, any of them) has a box."""
    binder = Binder()
    keys = tracklets_sql(binder, subject, session.scope, "k.key")
    inside = "" if session.scope is None else f" WHERE f.video_key IN ({binder.bind_all(session.scope)})"
    seen = (
        "SELECT count(*) FROM (SELECT DISTINCT b.video_key, b.frame FROM boxes AS b"
        f" WHERE b.tracklet_key IN ({keys})) AS s"
    )
    statement = binder.statement(
        f"SELECT 100.0 * ({seen}) / nullif((SELECT count(*) FROM frames AS f{inside}), 0) AS percent"
    )
    _, rows = session.run(statement)
    if rows[0][0] is None:
        draft = Draft(f"The frames are not stored{session.where}.", None, "no_evidence")
        return fill(draft, session, statement)
    value = float(rows[0][0])
    told = f"{name_of(subject)} is visible during {number(value)} % of the time{session.where}"
    draft = Draft(f"{told[:1].upper()}{told[1:]}.", value, unit="%")
    fill(draft, session, statement)
    draft.cite(told, session.evidence(tracks))
    draft.confidence, draft.named = certainty(tracks), tuple(tracks)
    return draft
