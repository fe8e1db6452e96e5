"""When, how long, where and along which path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from onlooker.video.answer import Cell, Evidence
from onlooker.video.chat.compile import Binder, moment_in_video, tracklets_sql
from onlooker.video.chat.query import (
    BoxQuery,
    DurationQuery,
    IntervalQuery,
    MomentQuery,
    PathQuery,
    Rank,
    Selection,
    TimePoint,
    Window,
)
from onlooker.video.chat.respond import edges
from onlooker.video.chat.respond.session import Draft, Session, Track, certainty, fill, nothing
from onlooker.video.chat.wording import (
    box,
    joined,
    name_of,
    noun_of,
    seconds,
    span,
    window_words,
)

_MAX_NAMED = 6
_SIDES = ("left", "right", "top", "bottom")
_EVENT_WORDS = {"start": "first seen at", "end": "last seen at"}


def _of_video(session: Session, track: Track) -> str:
    return f" in {track.video}" if session.several_videos else ""


def _others(tracks: Sequence[Track], said: str) -> str:
    """A sentence that says which others the question may mean."""
    if len(tracks) < 2:
        return ""
    shown = tracks[1 : 1 + _MAX_NAMED]
    names = [f"{t.name} ({said} {seconds(t.t_start if said == 'from' else t.t_end)})" for t in shown]
    names = [t.spanned for t in shown] if said == "span" else names
    more = f" and {len(tracks) - 1 - _MAX_NAMED} more" if len(tracks) - 1 > _MAX_NAMED else ""
    return f" Others: {', '.join(names)}{more}."


def moment(session: Session, query: MomentQuery) -> Draft:
    """Seconds of the first or last sight, or of coming back; of several the earliest start and the latest end."""
    subject = query.subject
    if subject.is_unknown:
        return nothing(session, subject, None)
    if query.event == "return":
        return _returns(session, subject)
    order = Rank("t_end", True) if query.event == "end" else Rank("t_start", False)
    tracks, statement = session.tracks(subject, (), query.window, None, order)
    if not tracks:
        return nothing(session, subject, None)
    best = tracks[0]
    value = best.t_end if query.event == "end" else best.t_start
    if query.event == "span":
        told = f"{best.name} is visible from {seconds(best.t_start)} to {seconds(best.t_end)}{_of_video(session, best)}"
    else:
        told = f"{best.name} is {_EVENT_WORDS[query.event]} {seconds(value)}{_of_video(session, best)}"
    others = _others(tracks, {"end": "until", "span": "span"}.get(query.event, "from"))
    draft = Draft(f"{told[:1].upper()}{told[1:]}.{others}", value, unit="s")
    fill(draft, session, statement)
    cited = [replace(e, frame_s=t.t_end if query.event == "end" else t.t_start, box_xyxy_px=None)
             for e, t in zip(session.evidence(tracks), tracks, strict=False)]  # fmt: skip
    draft.cite(told, cited[:1])
    if len(cited) > 1:
        draft.cite(f"{len(cited)} candidates", cited)
    draft.confidence, draft.named = certainty(tracks[:1]), tuple(tracks)
    return draft


def _returns(session: Session, subject: Selection) -> Draft:
    tracks, _ = session.tracks(subject, ("n_gaps",))
    if not tracks:
        return nothing(session, subject, None)
    binder = Binder()
    keys = tracklets_sql(binder, subject, session.scope, "k.key")
    statement = binder.statement(
        "SELECT g.video, g.id, g.category, g.t_start, g.t_end, g.probability FROM gaps AS g"
        f" WHERE g.tracklet_key IN ({keys}) ORDER BY g.t_end, g.video_key, g.id LIMIT 50"
    )
    _, rows = session.run(statement)
    if not rows:
        draft = Draft(f"Never: {name_of(subject)} is not away and back{session.where}.", None, "answered")
        fill(draft, session, statement)
        draft.cite(f"{name_of(subject)} is seen without a break", session.evidence(tracks))
        return draft
    number_, category, away, back, probability = rows[0][1:]
    told = f"{category} {number_} comes back at {seconds(float(back or 0))}, away since {seconds(float(away or 0))}"
    draft = Draft(f"{told[:1].upper()}{told[1:]}.", float(back or 0), unit="s", confidence=float(probability or 0))
    fill(draft, session, statement)
    draft.cite(told, [_gap_evidence(row) for row in rows[:10]])
    draft.named = tuple(tracks)
    return draft


def _gap_evidence(row: Sequence[Cell]) -> Evidence:
    return Evidence(
        "tracklet", str(row[0]), int(row[1] or 0), float(row[3] or 0), float(row[4] or 0), float(row[4] or 0)
    )


def duration(session: Session, query: DurationQuery) -> Draft:
    """Seconds visible (gaps left out), or seconds away. For a plural: the time at least one is visible."""
    subject = query.subject
    if subject.is_unknown:
        return nothing(session, subject, None)
    tracks, statement = session.tracks(subject, ("duration", "n_gaps"), None, None, Rank("duration", True))
    if not tracks:
        return nothing(session, subject, None)
    if query.ask == "share":
        return edges.share(session, subject, tracks)
    if query.ask == "gone":
        return _gone(session, subject, tracks)
    if query.ask == "mean":
        return _mean(session, subject, tracks)
    if subject.plural and len(tracks) > 1 and subject.rank is None and not subject.numbers:
        return _union(session, subject, tracks)
    best = tracks[0]
    value = best.number_of("duration") or 0.0
    here = _of_video(session, best)
    told = f"{best.name} is visible for {seconds(value)}{here}, between {span(best.t_start, best.t_end)}"
    names = ", ".join(f"{t.name} {seconds(t.number_of('duration') or 0)}" for t in tracks[1 : 1 + _MAX_NAMED])
    others = f" There are {len(tracks)} that fit; this is the longest. Others: {names}." if len(tracks) > 1 else ""
    draft = Draft(f"{told[:1].upper()}{told[1:]}.{others}", value, unit="s")
    fill(draft, session, statement)
    draft.cite(told, session.evidence(tracks[:1]))
    if len(tracks) > 1:
        draft.cite(f"{len(tracks)} candidates", session.evidence(tracks))
    draft.confidence, draft.named = certainty(tracks[:1]), tuple(tracks)
    return draft


def interval(session: Session, query: IntervalQuery) -> Draft:
    """Seconds between two events, without sign; the text says which comes first."""
    drafts = [
        moment(session, MomentQuery(query.first, query.first_event)),
        moment(session, MomentQuery(query.second, query.second_event)),
    ]
    missing = next((d for d in drafts if not isinstance(d.value, float)), None)
    if missing is not None:
        return missing
    first, second = (d.named[0] for d in drafts)
    times = [d.value for d in drafts if isinstance(d.value, float)]
    value = abs(times[1] - times[0])
    said = [d.claims[0].text for d in drafts]
    draft = Draft(f"{seconds(value)}: {said[0]}, {said[1]}.", value, unit="s")
    binder = Binder()
    keys = binder.bind_all((first.key, second.key))
    fill(draft, session, binder.statement(
        f"SELECT k.video, k.id, k.category, k.t_start, k.t_end FROM tracklets AS k WHERE k.key IN ({keys})"
        " ORDER BY k.t_start"
    ))  # fmt: skip
    for text, found in zip(said, drafts, strict=True):
        draft.cite(text, [found.evidence[i] for i in found.claims[0].evidence])
    draft.confidence, draft.named = certainty([first, second]), (first, second)
    return draft


def _mean(session: Session, subject: Selection, tracks: list[Track]) -> Draft:
    binder = Binder()
    statement = binder.statement(
        tracklets_sql(binder, subject, session.scope, "avg(k.duration) AS seconds, count(*) AS n")
    )
    _, rows = session.run(statement)
    value = float(rows[0][0] or 0)
    noun = noun_of(subject, rows[0][1] != 1)
    told = f"On average each of {rows[0][1]} {noun} is visible for {seconds(value)}{session.where}"
    draft = Draft(f"{told}.", value, unit="s")
    fill(draft, session, statement)
    draft.cite(told, session.evidence(tracks))
    draft.confidence, draft.named = certainty(tracks), tuple(tracks)
    return draft


def _union(session: Session, subject: Selection, tracks: list[Track]) -> Draft:
    binder = Binder()
    keys = tracklets_sql(binder, subject, session.scope, "k.key")
    statement = binder.statement(
        "SELECT sum(s.n * s.step) AS seconds FROM (SELECT count(DISTINCT b.frame) AS n, min(k.duration / k.n_frames)"
        f" AS step FROM boxes AS b JOIN tracklets AS k ON k.key = b.tracklet_key WHERE b.tracklet_key IN ({keys})"
        " GROUP BY b.video_key) AS s"
    )
    _, rows = session.run(statement)
    value = float(rows[0][0] or 0)
    told = f"At least one {noun_of(subject)} is visible for {seconds(value)}{session.where}"
    names = [f"{t.name} {seconds(t.number_of('duration') or 0)}" for t in tracks[:_MAX_NAMED]]
    more = f" and {len(tracks) - _MAX_NAMED} more" if len(tracks) > _MAX_NAMED else ""
    draft = Draft(f"{told}: {', '.join(names)}{more}.", value, unit="s")
    fill(draft, session, statement)
    draft.cite(told, session.evidence(tracks))
    draft.confidence, draft.named = certainty(tracks), tuple(tracks)
    return draft


def _gone(session: Session, subject: Selection, tracks: list[Track]) -> Draft:
    binder = Binder()
    keys = tracklets_sql(binder, subject, session.scope, "k.key")
    statement = binder.statement(
        "SELECT g.video, g.id, g.category, g.t_start, g.t_end, g.t_end - g.t_start AS seconds FROM gaps AS g"
        f" WHERE g.tracklet_key IN ({keys}) ORDER BY seconds DESC, g.video_key, g.id LIMIT 50"
    )
    _, rows = session.run(statement)
    if not rows:
        draft = Draft(f"{name_of(subject).capitalize()} is never away between its first and last sight.", 0.0, unit="s")
        fill(draft, session, statement)
        draft.cite("no gap", session.evidence(tracks))
        return draft
    value = sum(float(r[5] or 0) for r in rows if r[1] == rows[0][1] and r[0] == rows[0][0])
    told = f"{rows[0][2]} {rows[0][1]} is away for {seconds(value)}"
    draft = Draft(f"{told[:1].upper()}{told[1:]}.", value, unit="s")
    fill(draft, session, statement)
    draft.cite(told, [_gap_evidence(r) for r in rows])
    draft.named = tuple(tracks)
    return draft


def where(session: Session, query: BoxQuery) -> Draft:
    """`[x1, y1, x2, y2]` on the frame nearest to the moment; of several candidates the longest visible."""
    subject = query.subject
    if subject.is_unknown:
        return nothing(session, subject, None)
    if query.window is None or (
        query.window.kind == "span" and query.window.start is None and query.window.end is None
    ):
        return _where_any_time(session, query)
    point = query.window.start or query.window.end
    window = Window("at", point, None)
    binder = Binder()
    columns = (
        "b.video, b.id, b.category, b.t, b.x1, b.y1, b.x2, b.y2, b.score, k.place, k.t_start, k.t_end,"
        " k.category_score, k.duration, k.key"
    )
    sql = tracklets_sql(binder, subject, session.scope, columns, window)
    statement = binder.statement(f"{sql} ORDER BY k.duration DESC, k.t_start, k.video_key, k.id LIMIT 50")
    _, rows = session.run(statement)
    if not rows:
        return _not_there(session, subject, window)
    return _boxes_told(session, subject, statement, rows, window_words(window))


def _where_any_time(session: Session, query: BoxQuery) -> Draft:
    """The box at the best view, or when first or last seen."""
    subject = query.subject
    moment_column = {"start": "k.t_start", "end": "k.t_end"}.get(query.event or "", "k.best_t")
    binder = Binder()
    keys = tracklets_sql(binder, subject, session.scope, "k.key")
    statement = binder.statement(
        "SELECT b.video, b.id, b.category, b.t, b.x1, b.y1, b.x2, b.y2, b.score, k.place, k.t_start, k.t_end,"
        " k.category_score, k.duration, k.key, k.enters_from, k.leaves_to FROM tracklets AS k"
        " JOIN boxes AS b ON b.tracklet_key = k.key"
        f" WHERE k.key IN ({keys}) AND b.t = {moment_column}"
        " ORDER BY k.duration DESC, k.t_start, k.video_key, k.id LIMIT 50"
    )
    _, rows = session.run(statement)
    if not rows:
        return nothing(session, subject, None)
    said = {"start": " when first seen", "end": " when last seen"}.get(query.event or "", "")
    draft = _boxes_told(session, subject, statement, rows, said)
    side = rows[0][15 if query.event == "start" else 16]
    if query.event is not None and side in _SIDES:
        draft.text += f" It {'comes in from' if query.event == 'start' else 'leaves to'} the {side}."
    if query.event is None:
        draft.text += f" Most of the time it is at the {rows[0][9]} of the picture."
    return draft


def _boxes_told(
    session: Session, subject: Selection, statement: object, rows: Sequence[Sequence[Cell]], when: str
) -> Draft:
    from onlooker.video.chat.compile import Statement

    assert isinstance(statement, Statement)
    best = rows[0]
    values = [float(c or 0.0) for c in best[4:8]]
    at = float(best[3] or 0)
    here = f" in {best[0]}" if session.several_videos else ""
    told = f"{best[2]} {best[1]} is at {box(values)} at {seconds(at)}{when if when.startswith(' when') else ''}{here}"
    draft = Draft(f"{told[:1].upper()}{told[1:]}.", values, unit="px")
    fill(draft, session, statement)
    evidence = [
        Evidence("box", str(r[0]), int(r[1] or 0), float(r[10] or 0), float(r[11] or 0), float(r[3] or 0),
                 (float(r[4] or 0), float(r[5] or 0), float(r[6] or 0), float(r[7] or 0)))
        for r in rows
    ]  # fmt: skip
    draft.cite(told, evidence[:1])
    if len(rows) > 1:
        names = [f"{r[2]} {r[1]} {box([float(c or 0) for c in r[4:8]])}" for r in rows[1 : 1 + _MAX_NAMED]]
        draft.text += (
            f" {len(rows)} fit; this one is visible the longest. Which one do you mean? Others: {', '.join(names)}."
        )
        draft.cite(f"{len(rows)} candidates", evidence)
    draft.confidence = float(best[12] or 0) * float(best[8] or 0) / max(len(rows), 1) ** 0.5
    draft.named = tuple(session.tracks(replace(subject, keys=tuple(int(r[14] or 0) for r in rows)), ())[0])
    return draft


def _not_there(session: Session, subject: Selection, window: Window) -> Draft:
    tracks, statement = session.tracks(subject)
    if not tracks:
        return nothing(session, subject, None)
    seen = joined([f"{t.spanned}" for t in tracks[:_MAX_NAMED]])
    draft = Draft(f"Not visible{window_words(window)}: {seen}.", None, "no_evidence")
    fill(draft, session, statement)
    draft.cite("seen at other times", session.evidence(tracks))
    draft.named = tuple(tracks)
    return draft


def path(session: Session, query: PathQuery) -> Draft:
    """The boxes over a span; the value is the first and the last box, eight numbers."""
    subject = query.subject
    if subject.is_unknown:
        return nothing(session, subject, None)
    tracks, _ = session.tracks(subject, (), query.window, None, Rank("duration", True))
    if not tracks:
        return _not_there(session, subject, query.window) if query.window else nothing(session, subject, None)
    best = tracks[0]
    binder = Binder()
    tests = [f"b.tracklet_key = {binder.bind(best.key)}"]
    window = query.window
    if window is not None and window.start is not None:
        tests.append(f"b.t >= {moment_in_video(binder, window.start, 'b.video_key')}")
    end = window.end if window is not None and window.kind == "span" else window.start if window is not None else None
    if end is not None:
        tests.append(f"b.t <= {moment_in_video(binder, end, 'b.video_key')}")
    statement = binder.statement(
        f"SELECT b.t, b.x1, b.y1, b.x2, b.y2 FROM boxes AS b WHERE {' AND '.join(tests)} ORDER BY b.t LIMIT 1000"
    )
    _, rows = session.run(statement)
    if not rows:
        return _not_there(session, subject, window or Window("at", TimePoint(0.0), None))
    boxes = [[float(c or 0) for c in row] for row in rows]
    first, last = boxes[0], boxes[-1]
    told = (
        f"{best.name} goes from {box(first[1:])} at {seconds(first[0])} to {box(last[1:])} at {seconds(last[0])}"
        f"{_of_video(session, best)}"
    )
    others = f" {len(tracks)} fit; this one is visible the longest." if len(tracks) > 1 else ""
    draft = Draft(f"{told[:1].upper()}{told[1:]} ({len(rows)} boxes).{others}", [*first[1:], *last[1:]], unit="px")
    fill(draft, session, statement)
    steps = [boxes[round(i * (len(boxes) - 1) / 9)] for i in range(10)] if len(boxes) > 10 else boxes
    draft.cite(
        told,
        [
            Evidence("box", best.video, best.number, best.t_start, best.t_end, s[0], (s[1], s[2], s[3], s[4]))
            for s in steps
        ],
    )
    draft.confidence, draft.named = certainty([best]), tuple(tracks)
    return draft
