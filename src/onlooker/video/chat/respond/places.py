"""When something is in a part of the picture: the spans of frames on which the centre of its box is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from onlooker.video.answer import Cell
from onlooker.video.chat.compile import Binder, place_at_moment, tracklets_sql
from onlooker.video.chat.query import PlaceTimesQuery
from onlooker.video.chat.respond.session import Draft, Session, certainty, fill, nothing
from onlooker.video.chat.wording import joined, name_of, place_words, span

_MAX_NAMED = 6
_MAX_FRAMES = 20000
_BREAK = 1.5  # frames: farther apart than this are two spans


def times_of_place(session: Session, query: PlaceTimesQuery) -> Draft:
    """The first moment in seconds; the text names the spans of everything that is meant."""
    subject = query.subject
    if subject.is_unknown or not session.exists(subject):
        return nothing(session, subject, None)
    binder = Binder()
    keys = tracklets_sql(binder, subject, session.scope, "k.key")
    statement = binder.statement(
        "SELECT b.tracklet_key, b.t, k.duration / k.n_frames AS step FROM boxes AS b"
        " JOIN videos AS m ON m.key = b.video_key JOIN tracklets AS k ON k.key = b.tracklet_key"
        f" WHERE b.tracklet_key IN ({keys}) AND {place_at_moment(query.place)}"
        f" ORDER BY b.tracklet_key, b.t LIMIT {binder.bind(_MAX_FRAMES)}"
    )
    _, rows = session.run(statement)
    tracks, _ = session.tracks(subject)
    where = place_words(query.place)
    if not rows:
        draft = Draft(f"Never: {name_of(subject)} is not {where}{session.where}.", None)
        fill(draft, session, statement)
        draft.cite(f"{name_of(subject)} elsewhere", session.evidence(tracks))
        return draft
    spans = {key: _spans([row for row in rows if row[0] == key]) for key in dict.fromkeys(row[0] for row in rows)}
    there = sorted((t for t in tracks if t.key in spans), key=lambda t: (t.video_key, spans[t.key][0]))
    told = joined([f"{t.name} is {where} {_said(spans[t.key])}" for t in there[:_MAX_NAMED]]) + session.where
    draft = Draft(f"{told[:1].upper()}{told[1:]}.", spans[there[0].key][0][0], unit="s")
    fill(draft, session, statement)
    cited = zip(session.evidence(there), there, strict=False)
    shown = [(e, spans[t.key]) for e, t in cited]
    draft.cite(
        told,
        [replace(e, start_s=s[0][0], end_s=s[-1][1], frame_s=s[0][0], box_xyxy_px=None) for e, s in shown],
    )
    draft.confidence, draft.named = certainty(there), tuple(there)
    return draft


def _spans(rows: Sequence[Sequence[Cell]]) -> list[tuple[float, float]]:
    """Runs of frames side by side, from the time of the first to that of the last."""
    found: list[tuple[float, float]] = []
    for row in rows:
        t, step = float(row[1] or 0), float(row[2] or 0)
        if found and t - found[-1][1] <= _BREAK * step:
            found[-1] = found[-1][0], t
        else:
            found.append((t, t))
    return found


def _said(spans: Sequence[tuple[float, float]]) -> str:
    named = [span(start, end) for start, end in spans[:_MAX_NAMED]]
    more = [f"{len(spans) - _MAX_NAMED} more"] if len(spans) > _MAX_NAMED else []
    return joined([*named, *more])
