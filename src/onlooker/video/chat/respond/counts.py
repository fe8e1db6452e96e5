"""How many, is there any, which kinds, the most at one time."""

from __future__ import annotations

from dataclasses import replace

from onlooker.video.answer import Evidence, Value
from onlooker.video.chat.compile import Binder, tracklets_sql
from onlooker.video.chat.query import (
    CategoriesQuery,
    CountCompareQuery,
    CountQuery,
    ExistsQuery,
    Operator,
    PeakQuery,
    Selection,
    SightingsQuery,
)
from onlooker.video.chat.respond.comparing import called
from onlooker.video.chat.respond.session import Draft, Session, Track, certainty, fill, nothing
from onlooker.video.chat.wording import counted, event_words, joined, name_of, noun_of, seconds, window_words

_MAX_NAMED = 8


def _listed(tracks: list[Track], total: int, several_videos: bool) -> str:
    names = [f"{t.spanned}{f' in {t.video}' if several_videos else ''}" for t in tracks[:_MAX_NAMED]]
    if total > len(names):
        names.append(f"{total - len(names)} more")
    return joined(names)


def compared(n: int, operator: Operator, number: int) -> bool:
    """Whether `n operator number` holds."""
    holds = {"=": n == number, ">": n > number, ">=": n >= number, "<": n < number, "<=": n <= number}
    return holds.get(operator, n != number)


def count(session: Session, query: CountQuery) -> Draft:
    """An int; with a comparison a bool."""
    if query.subject.is_unknown:
        return nothing(session, query.subject, 0 if query.operator is None else False)
    n, statement = session.count(query.subject, query.window, query.event)
    when = event_words(query.event) + window_words(query.window)
    noun = noun_of(query.subject, n != 1)
    if n == 0:
        draft = Draft(f"None: no {noun_of(query.subject)} was found{when}{session.where}.", 0)
        draft.status = "answered" if session.exists(query.subject) else "no_evidence"
        fill(draft, session, statement)
        _cite_others(draft, session, query.subject)
    else:
        tracks, _ = session.tracks(query.subject, (), query.window, query.event)
        draft = Draft(f"{n} {noun}{when}{session.where}: {_listed(tracks, n, session.several_videos)}.", n)
        fill(draft, session, statement)
        note = "" if n <= len(tracks) else f" (the first {len(tracks)} are cited)"
        draft.cite(f"{n} {noun}{when}{note}", session.evidence(tracks))
        draft.confidence, draft.named = certainty(tracks), tuple(tracks)
    if query.operator is not None and query.number is not None:
        held = compared(n, query.operator, query.number)
        draft.text = f"{'Yes' if held else 'No'}: {draft.text}"
        draft.value = held
    return draft


def sightings(session: Session, query: SightingsQuery) -> Draft:
    """An int: how many times anything of the subject comes, coming back after a gap included."""
    subject = query.subject
    if subject.is_unknown:
        return nothing(session, subject, 0)
    tracks, _ = session.tracks(subject, (), query.window)
    if not tracks:
        return nothing(session, subject, 0)
    binder = Binder()
    sql = tracklets_sql(
        binder, subject, session.scope, "sum(k.n_gaps + 1) AS times, count(*) AS n, sum(k.n_gaps) AS returns",
        query.window,
    )  # fmt: skip
    statement = binder.statement(sql)
    _, rows = session.run(statement)
    times, n, returns = (int(cell or 0) for cell in rows[0])
    back = f", {counted(returns, 'return')} after being away included" if returns else ""
    noun = noun_of(subject, n != 1)
    told = f"{counted(times, 'time')}{window_words(query.window)}{session.where}: {n} {noun}{back}"
    draft = Draft(f"{told} ({_listed(tracks, n, session.several_videos)}).", times)
    fill(draft, session, statement)
    draft.cite(told, session.evidence(tracks))
    draft.confidence, draft.named = certainty(tracks), tuple(tracks)
    return draft


def _cite_others(draft: Draft, session: Session, subject: Selection) -> None:
    """Evidence for a zero: the tracklets of that kind that do not qualify."""
    if draft.status == "answered":
        others, _ = session.tracks(replace(subject, conditions=(), rank=None), limit=10)
        draft.cite(f"{noun_of(replace(subject, conditions=()), True)} elsewhere", session.evidence(others))


def exists(session: Session, query: ExistsQuery) -> Draft:
    """A bool."""
    subject = query.subject
    if subject.is_unknown:
        return nothing(session, subject, query.negated)
    tracks, statement = session.tracks(subject, (), query.window, query.event)
    when = event_words(query.event) + window_words(query.window)
    for other in query.others if tracks else ():
        found = [] if other.is_unknown else session.tracks(other, (), query.window, query.event)[0]
        if not found:
            tracks, subject = [], other  # "cars and dogs": both must be there
            break
        tracks += found
    if not tracks:
        known = session.exists(subject)
        draft = Draft(f"{'Yes' if query.negated else 'No'}: no {name_of(subject)} was found{when}{session.where}.")
        draft.value, draft.status = query.negated, "answered" if known else "no_evidence"
        fill(draft, session, statement)
        _cite_others(draft, session, subject)
        return draft
    draft = Draft(
        f"{'No' if query.negated else 'Yes'}: {_listed(tracks, len(tracks), session.several_videos)}{when}"
        f"{session.where}.",
        not query.negated,
    )
    fill(draft, session, statement)
    draft.cite(f"{name_of(subject)} is there{when}", session.evidence(tracks))
    draft.confidence, draft.named = max(t.certainty for t in tracks), tuple(tracks)
    return draft


def count_compare(session: Session, query: CountCompareQuery) -> Draft:
    """A bool, the word for the larger group, or the difference."""
    counts = [0 if s.is_unknown else session.count(s, query.window)[0] for s in (query.first, query.second)]
    binder = Binder()
    parts = [
        f"({_count_sql(session, binder, s, query)}) AS {name}"
        for s, name in ((query.first, "first"), (query.second, "second"))
    ]
    a, b = counts
    names = [noun_of(query.first, True), noun_of(query.second, True)]
    told = f"{a} {noun_of(query.first, a != 1)} and {b} {noun_of(query.second, b != 1)}"
    told += f"{window_words(query.window)}{session.where}"
    if query.ask == "yes_no":
        held = {"<": a < b, "=": a == b}.get(query.operator, a > b)
        draft = Draft(f"{'Yes' if held else 'No'}: {told}.", held)
    elif query.ask == "each":
        draft = Draft(f"{told}.", [a, b])
    elif query.ask == "difference":
        difference = b - a if query.operator == "<" else a - b
        draft = Draft(f"{difference}: {told}.", difference)
    else:
        fewer = query.operator == "<"
        more = None if a == b else 0 if (a > b) != fewer else 1
        winner = None if more is None else called((query.first, query.second)[more])
        draft = Draft(f"{'Neither' if more is None else names[more].capitalize()}: {told}.", winner)
    if a == 0 and b == 0:
        draft.status = "no_evidence"
    fill(draft, session, binder.statement("SELECT " + ", ".join(parts)))
    for selection, n in zip((query.first, query.second), counts, strict=True):
        if n:
            tracks, _ = session.tracks(selection, (), query.window)
            draft.cite(f"{n} {noun_of(selection, n != 1)}", session.evidence(tracks))
    return draft


def _count_sql(session: Session, binder: Binder, selection: Selection, query: CountCompareQuery) -> str:
    return tracklets_sql(binder, selection, session.scope, "count(*)", query.window)


def peak(session: Session, query: PeakQuery) -> Draft:
    """The most at one time (int), or the moment of it (seconds)."""
    subject = query.subject
    if subject.is_unknown:
        return nothing(session, subject, 0 if query.ask == "count" else None)
    binder = Binder()
    if subject.conditions or subject.excluded or subject.numbers or len(subject.categories or ("",)) > 1:
        sql = _counted_peak(session, binder, subject)
    else:
        category = binder.bind((subject.categories or ("",))[0])
        scope = "" if session.scope is None else f" AND p.video_key IN ({binder.bind_all(session.scope)})"
        sql = (
            "SELECT p.peak AS n, p.peak_t AS t, p.video, p.video_key FROM peaks AS p"
            f" WHERE p.category = {category}{scope} ORDER BY p.peak DESC, p.video_key LIMIT 1"
        )
    statement = binder.statement(sql)
    _, rows = session.run(statement)
    if not rows:
        return nothing(session, subject, 0 if query.ask == "count" else None)
    n, t, video, video_key = int(rows[0][0] or 0), float(rows[0][1] or 0), str(rows[0][2]), int(rows[0][3] or 0)
    told = f"{n} {noun_of(subject, n != 1)} at the same time, first at {seconds(t)}"
    draft = Draft(
        f"At most {told} in {video}.", n if query.ask == "count" else t, unit=None if query.ask == "count" else "s"
    )
    if query.operator is not None and query.number is not None:
        draft.value = compared(n, query.operator, query.number)
        draft.text = f"{'Yes' if draft.value else 'No'}: {draft.text[:1].lower()}{draft.text[1:]}"
    fill(draft, session, statement)
    _cite_visible(draft, session, subject, t, video, video_key, told)
    return draft


def _cite_visible(
    draft: Draft, session: Session, subject: Selection, t: float, video: str, video_key: int, told: str
) -> None:
    from onlooker.video.chat.query import TimePoint, Window

    here = replace(session, scope=(video_key,))
    tracks, _ = here.tracks(subject, (), Window("at", TimePoint(t), None))
    draft.cite(told, [replace(e, frame_s=t, box_xyxy_px=None) for e in session.evidence(tracks)])
    if not tracks:
        draft.cite(told, [Evidence("video", video, start_s=t, end_s=t, frame_s=t)])
    draft.confidence, draft.named = certainty(tracks), tuple(tracks)


def _counted_peak(session: Session, binder: Binder, subject: Selection) -> str:
    keys = tracklets_sql(binder, subject, session.scope, "k.key")
    return (
        "SELECT count(*) AS n, min(b.t) AS t, min(b.video) AS video, b.video_key FROM boxes AS b"
        f" WHERE b.tracklet_key IN ({keys}) GROUP BY b.video_key, b.frame ORDER BY n DESC, b.video_key, t LIMIT 1"
    )


def categories(session: Session, query: CategoriesQuery) -> Draft:
    """Names of categories, how many of them, or the most or least common one."""
    binder = Binder()
    order = f"GROUP BY s.category ORDER BY n {'ASC' if query.ask == 'least' else 'DESC'}, s.category"
    if query.window is None and query.subject == Selection(noun=query.subject.noun, plural=query.subject.plural):
        inside = "" if session.scope is None else f" AND s.video_key IN ({binder.bind_all(session.scope)})"
        sql = f"SELECT s.category, sum(s.n_tracklets) AS n FROM peaks AS s WHERE s.category <> ''{inside} {order}"
    else:
        inner = tracklets_sql(binder, query.subject, session.scope, "k.category", query.window)
        sql = f"SELECT s.category, count(*) AS n FROM ({inner}) AS s {order}"
    statement = binder.statement(sql)
    _, rows = session.run(statement)
    if not rows:
        empty: Value = 0 if query.ask == "count" else None if query.ask in {"most", "least"} else []
        return nothing(session, query.subject, empty)
    told = joined([counted(int(n or 0), str(c)) for c, n in rows])
    when = window_words(query.window)
    names = [str(c) for c, _ in rows]
    if query.ask == "count":
        draft = Draft(f"{counted(len(rows), 'kind')} of objects{when}{session.where}: {told}.", len(rows))
    elif query.ask in {"most", "least"}:
        draft = Draft(f"{names[0].capitalize()}: {told}{when}{session.where}.", names[0])
    else:
        draft = Draft(f"{told[:1].upper()}{told[1:]}{when}{session.where}.", names)
    fill(draft, session, statement)
    tracks, _ = session.tracks(query.subject, (), query.window)
    draft.cite(told, session.evidence(tracks))
    draft.confidence, draft.named = certainty(tracks), tuple(tracks)
    return draft
