"""Which videos show something, how many do, whether all do, and which of two shows more of it."""

from __future__ import annotations

import operator
from dataclasses import replace

from onlooker.video.answer import Cell, Evidence, Value
from onlooker.video.chat.compile import Binder, Statement, tracklets_sql
from onlooker.video.chat.grammar.nouns import plural
from onlooker.video.chat.query import Selection, VideosCompareQuery, VideosCountQuery, VideosQuery
from onlooker.video.chat.respond.session import Draft, Session, fill, nothing
from onlooker.video.chat.wording import counted, joined, noun_of, seconds, window_words

_MAX_NAMED = 8
_MAX_EVIDENCE = 50
_HOLDS = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_Row = tuple[Cell, ...]


def listed(session: Session, query: VideosQuery) -> Draft:
    """Names of videos, their number, or a bool: whether all of them are meant."""
    unknown = next((t for t in (query.subject, *query.others) if t is not None and t.is_unknown), None)
    if unknown is not None and query.pick is None:
        empty: Value = 0 if query.ask == "count" else False if query.ask == "every" else []
        return nothing(session, unknown, empty)
    statement = _statement(session, query)
    _, rows = session.run(statement)
    if query.ask == "every":
        return _every(session, query, statement, rows)
    if query.pick is not None and rows:
        column = 1 if query.subject is not None else 2
        best = (max if query.pick == "most" else min)(float(row[column] or 0) for row in rows)
        rows = tuple(row for row in rows if float(row[column] or 0) == best)
    kept = [row for row in rows if query.pick is not None or _is_meant(query, row)]
    return _named(session, query, statement, kept)


def _statement(session: Session, query: VideosQuery) -> Statement:
    """Name, number of the subject's tracklets and length of every video that fits what else is said."""
    binder = Binder()
    tests = [] if session.scope is None else [f"v.key IN ({binder.bind_all(session.scope)})"]
    for things, word in ((query.others, "IN"), (query.absent, "NOT IN")):
        for thing in things:
            inner = tracklets_sql(binder, thing, session.scope, "k.video_key", query.window)
            tests.append(f"v.key {word} ({inner})")
    inside = f" WHERE {' AND '.join(tests)}" if tests else ""
    if query.subject is None:
        return binder.statement(f"SELECT v.name, 0 AS n, v.duration FROM videos AS v{inside} ORDER BY v.name")
    return binder.statement(_counts_sql(session, binder, query.subject, query, inside))


def _counts_sql(
    session: Session,
    binder: Binder,
    subject: Selection,
    query: VideosQuery | VideosCompareQuery | VideosCountQuery,
    inside: str,
) -> str:
    inner = tracklets_sql(binder, subject, session.scope, "k.video_key", query.window)
    return (
        f"SELECT v.name, count(s.video_key) AS n, v.duration FROM videos AS v"
        f" LEFT JOIN ({inner}) AS s ON s.video_key = v.key{inside}"
        " GROUP BY v.key, v.name, v.duration ORDER BY n DESC, v.name"
    )


def _is_meant(query: VideosQuery, row: _Row) -> bool:
    """Whether a video shows as many of the subject as is asked; at least one where no number is said."""
    if query.subject is None:
        return True
    n = int(row[1] or 0)
    if query.number is None:
        return n > 0
    return bool(_HOLDS[query.operator or "="](n, query.number))


def _told(query: VideosQuery, row: _Row) -> str:
    if query.subject is not None:
        return f"{row[0]} ({row[1]})"
    return f"{row[0]} ({seconds(float(row[2] or 0))})" if query.pick is not None else str(row[0])


def _named(session: Session, query: VideosQuery, statement: Statement, rows: list[_Row]) -> Draft:
    subject = query.subject
    if not rows:
        what = "" if subject is None and not query.absent else _shown(query)
        draft = Draft(f"None: no video{what} was found{session.where}.", 0 if query.ask == "count" else [])
        draft.status = "no_evidence"
        return fill(draft, session, statement)
    names = [str(row[0]) for row in rows]
    more = f" and {len(rows) - _MAX_NAMED} more" if len(rows) > _MAX_NAMED else ""
    told = joined([_told(query, row) for row in rows[:_MAX_NAMED]])
    what = "" if subject is None and not query.absent and query.pick is None else _shown(query)
    text = f"{counted(len(rows), 'video')}{what}: {told}{more}."
    draft = Draft(text, len(rows) if query.ask == "count" else names)
    fill(draft, session, statement)
    _cite(draft, session, query, names)
    return draft


def _shown(query: VideosQuery) -> str:
    """ " with the most cars", " with a cow without a person", for the sentence of the answer."""
    if query.subject is None and query.pick is not None:
        return f" of the {'greatest' if query.pick == 'most' else 'least'} length"
    parts = []
    if query.subject is not None and query.pick is not None:
        parts.append(f" with the {'most' if query.pick == 'most' else 'fewest'} {noun_of(query.subject, True)}")
    elif query.subject is not None:
        shown = [noun_of(t, True) for t in (query.subject, *query.others)]
        parts.append(f" with {joined(shown)}")
    if query.absent:
        parts.append(f" without {joined([noun_of(t, True) for t in query.absent], 'or')}")
    return "".join(parts) + window_words(query.window)


def _cite(draft: Draft, session: Session, query: VideosQuery, names: list[str]) -> None:
    claim = f"{counted(len(names), 'video')}{_shown(query)}"
    if query.subject is not None:
        tracks, _ = session.tracks(replace(query.subject, rank=None), window=query.window)
        here = [t for t in tracks if t.video in names]
        if here:
            draft.cite(claim, session.evidence(here))
            return
    draft.cite(claim, [Evidence("video", name) for name in names[:_MAX_EVIDENCE]])


def _every(session: Session, query: VideosQuery, statement: Statement, rows: tuple[_Row, ...]) -> Draft:
    """Whether every video asked about is among those that are meant."""
    keys = session.scope
    asked = [v.name for v in session.vocabulary.videos if keys is None or v.key in keys]
    meant = [str(row[0]) for row in rows if _is_meant(query, row)]
    missing = [name for name in asked if name not in meant]
    told = missing or [_told(query, row) for row in rows if _is_meant(query, row)]
    more = f" and {len(told) - _MAX_NAMED} more" if len(told) > _MAX_NAMED else ""
    text = f"{'No: not in' if missing else 'Yes, in all:'} {joined(told[:_MAX_NAMED])}{more}."
    draft = Draft(text, not missing)
    fill(draft, session, statement)
    _cite(draft, session, query, meant or asked)
    return draft


def compared(session: Session, query: VideosCompareQuery) -> Draft:
    """A bool, or the name of the video that shows more (or fewer); None where both show as many."""
    subject = query.subject
    binder = Binder()
    names = [session.vocabulary.video_names[key] for key in query.pair]
    inside = f" WHERE v.key IN ({binder.bind_all(query.pair)})"
    if subject is None:
        statement = binder.statement(f"SELECT v.name, v.duration AS n, v.duration FROM videos AS v{inside}")
    else:
        statement = binder.statement(_counts_sql(session, binder, subject, query, inside))
    _, rows = session.run(statement)
    found = {str(row[0]): float(row[1] or 0) for row in rows}
    first, second = found[names[0]], found[names[1]]
    if subject is None:
        told = f"{names[0]} lasts {seconds(first)} and {names[1]} {seconds(second)}"
    else:
        told = f"{names[0]} {first:.0f} and {names[1]} {second:.0f} {plural(subject.noun)}{window_words(query.window)}"
    if query.ask == "yes_no":
        held = _HOLDS[query.operator](first, second)
        draft = Draft(f"{'Yes' if held else 'No'}: {told}.", bool(held))
    elif first == second:
        draft = Draft(f"Neither: {told}.", None)
    else:
        most = names[0] if first > second else names[1]
        fewest = names[1] if first > second else names[0]
        value = fewest if query.operator == "<" else most
        draft = Draft(f"{value}: {told}.", value)
    fill(draft, session, statement)
    tracks = [] if subject is None else session.tracks(subject, window=query.window)[0]
    draft.cite(told, session.evidence(tracks) or [Evidence("video", name) for name in names])
    return draft


def counted_in_each(session: Session, query: VideosCountQuery) -> Draft:
    """A list of numbers, in the order in which the question names the videos, or in that of their names."""
    subject = query.subject
    binder = Binder()
    inside = "" if session.scope is None else f" WHERE v.key IN ({binder.bind_all(session.scope)})"
    statement = binder.statement(_counts_sql(session, binder, subject, query, inside))
    _, rows = session.run(statement)
    found = {str(row[0]): int(row[1] or 0) for row in rows}
    names = [session.vocabulary.video_names[key] for key in query.videos or ()] or sorted(found)
    told = joined([f"{name} {found[name]}" for name in names])
    text = f"{noun_of(subject, several=True)}{window_words(query.window)}: {told}"
    draft = Draft(f"{text[:1].upper()}{text[1:]}.", [found[name] for name in names])
    fill(draft, session, statement)
    tracks = [] if subject.is_unknown else session.tracks(subject, window=query.window)[0]
    draft.cite(told, session.evidence(tracks) or [Evidence("video", name) for name in names])
    return draft
