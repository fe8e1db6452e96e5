"""Which tracklets, what they are like, and whether something holds of them."""

from __future__ import annotations

from dataclasses import replace

from onlooker.video.chat.compile import Binder, Statement, condition_sql, half_of, place_sql, tracklets_sql
from onlooker.video.chat.query import (
    AttributeQuery,
    CheckQuery,
    Condition,
    IsRankQuery,
    ListQuery,
    Rank,
    Selection,
    Window,
)
from onlooker.video.chat.respond.session import MAX_EVIDENCE, Draft, Session, Track, certainty, fill, nothing
from onlooker.video.chat.respond.traits import NEEDED, UNITS, look, measured, trait
from onlooker.video.chat.wording import event_words, joined, name_of, noun_of, number, place_words, window_words

_MAX_NAMED = 8
_RANK_WORDS = {
    ("speed", True): "the fastest", ("speed", False): "the slowest", ("duration", True): "visible the longest",
    ("duration", False): "visible the shortest", ("area_rel", True): "the largest", ("area_rel", False): "the smallest",
    ("path_px", True): "moves the farthest", ("path_px", False): "moves the least",
    ("t_start", False): "the first to appear", ("t_start", True): "the last to appear",
    ("t_end", False): "the first to leave", ("t_end", True): "the last to be seen",
}  # fmt: skip
_TOLD = {"start": "there from the first frame", "end": "there until the last frame", "none": "not moving to any side"}


def _here(session: Session, track: Track) -> str:
    return f" in {track.video}" if session.several_videos else ""


def listing(session: Session, query: ListQuery) -> Draft:
    """A list of tracklet numbers, in order."""
    subject = query.subject
    if subject.is_unknown:
        return nothing(session, subject, [])
    order = query.order_by
    measure = subject.rank or order
    extra = (measure.column,) if measure is not None else ()
    limit = query.most if query.most is not None else MAX_EVIDENCE
    tracks, statement = session.tracks(subject, extra, query.window, query.event, order, limit)
    when = event_words(query.event) + window_words(query.window)
    if not tracks:
        draft = nothing(session, subject, [])
        draft.text = f"None: no {noun_of(subject)} was found{when}{session.where}."
        if subject.rank is not None and subject.rank.n > 1 and session.exists(subject):
            draft.text = f"None: there are fewer than {subject.rank.n} of {noun_of(subject, True)}{session.where}."
        draft.status = "answered" if session.exists(subject) else "no_evidence"
        return fill(draft, session, statement)
    total = len(tracks)
    if subject.rank is not None:
        text = _rank_told(session, subject, tracks[0])
        tied = _tied(session, query, tracks[0])
        text += f" The same holds of {joined([t.name + _here(session, t) for t in tied])}." if tied else ""
    elif order is not None and (query.most is not None or order.column not in {"t_start", "t_end"}):
        text = _order_told(session, query, tracks, order)
    else:
        total = session.count(subject, query.window, query.event)[0]
        names = [t.spanned + _here(session, t) for t in tracks[:_MAX_NAMED]]
        if total > len(names):
            names.append(f"{total - len(names)} more")
        text = f"{total} {noun_of(subject, total != 1)}{when}{session.where}: {joined(names)}."
    draft = Draft(text[:1].upper() + text[1:], [t.number for t in tracks])
    fill(draft, session, statement)
    draft.cite(text.rstrip("."), session.evidence(tracks))
    draft.confidence, draft.named = certainty(tracks), tuple(tracks)
    return draft


def _order_told(session: Session, query: ListQuery, tracks: list[Track], order: Rank) -> str:
    """The tracklets in their order, each with what it is ordered by."""
    names = [
        f"{t.name}{_here(session, t)} ({measured(order.column, t.values.get(order.column))})"
        for t in tracks[:_MAX_NAMED]
    ]
    if len(tracks) > len(names):
        names.append(f"{len(tracks) - len(names)} more")
    first = _RANK_WORDS.get((order.column, order.descending), f"first by {order.column}")
    fewer = f" There are only {len(tracks)}." if query.most is not None and len(tracks) < query.most else ""
    return f"in this order, {first} first{window_words(query.window)}{session.where}: {joined(names)}.{fewer}"


def _tied(session: Session, query: ListQuery, track: Track) -> list[Track]:
    """Others that come or leave at the very same time as the first of an order: nobody was the first alone."""
    rank = query.subject.rank
    if rank is None or rank.n > 1 or rank.column not in {"t_start", "t_end"} or query.event is not None:
        return []
    value = track.values.get(rank.column)
    if not isinstance(value, int | float):
        return []
    same = Condition(rank.column, "=", value)
    alike = replace(query.subject, rank=None, conditions=(*query.subject.conditions, same))
    return [t for t in session.tracks(alike, (), query.window, limit=_MAX_NAMED)[0] if t.key != track.key]


def _rank_told(session: Session, subject: Selection, track: Track) -> str:
    rank = subject.rank
    if rank is None:
        return track.spanned
    words = _RANK_WORDS.get((rank.column, rank.descending), f"first by {rank.column}")
    if rank.n > 1:
        words = f"number {rank.n} in that order ({words.removeprefix('the ')} is number 1)"
    verb = "" if words.startswith(("moves",)) else "is "
    return (
        f"{track.name}{_here(session, track)} {verb}{words} ({measured(rank.column, track.values.get(rank.column))})."
    )


def attribute(session: Session, query: AttributeQuery) -> Draft:
    """One column of the subject: text or a number; with options the one that fits."""
    subject, column = query.subject, query.column
    if subject.is_unknown:
        return nothing(session, subject, None)
    columns = (column, *NEEDED.get(column, ()))
    window = query.window if column != "place" else None
    tracks, statement = session.tracks(subject, columns, window, None, Rank("duration", True))
    if not tracks:
        return nothing(session, subject, None)
    if query.aggregate == "mean":
        return _mean(session, query, tracks)
    if column == "appearance":
        tracks = [replace(t, values={**t.values, column: look(t)}) for t in tracks]
    known = [t for t in tracks if t.values.get(column) is not None]
    if not known:
        return unstored(session, subject, column, tracks, statement)
    found = [trait(t, column, query.options) for t in known]
    told = found[0].told + _here(session, known[0])
    names = [f"{t.name}: {f.value}" for t, f in zip(known[1 : 1 + _MAX_NAMED], found[1:], strict=False)]
    others = f" {len(known)} fit; this one is visible the longest. Others: {'; '.join(names)}." if names else ""
    value = found[0].value
    if subject.plural and subject.rank is None and len(known) > 1 and isinstance(value, str):
        values = list(dict.fromkeys(str(f.value) for f in found))
        value = values if len(values) > 1 else value
        told = joined([f.told + _here(session, t) for t, f in zip(known, found, strict=True)][:_MAX_NAMED])
        others = f" And {len(known) - _MAX_NAMED} more." if len(known) > _MAX_NAMED else ""
    draft = Draft(f"{told[:1].upper()}{told[1:]}.{others}", value)
    draft.unit = UNITS.get(column) if isinstance(value, float) else None
    fill(draft, session, statement)
    draft.cite(told, session.evidence(known[:1] if value is found[0].value else known))
    if len(known) > 1:
        draft.cite(f"{len(known)} candidates", session.evidence(known))
    draft.confidence, draft.named = certainty(known[:1]), tuple(known)
    return draft


def unstored(session: Session, subject: Selection, column: str, tracks: list[Track], statement: Statement) -> Draft:
    """The answer where the thing is there but nobody looked at that side of it."""
    noun = column.replace("_", " ").replace("color", "colour")
    owner = name_of(subject) if subject.numbers or subject.label else f"the {name_of(subject)}"
    draft = Draft(f"The {noun} of {owner} is not stored{session.where}.", None, "no_evidence")
    fill(draft, session, statement)
    draft.cite(f"no {noun} stored", session.evidence(tracks))
    return draft


def _mean(session: Session, query: AttributeQuery, tracks: list[Track]) -> Draft:
    binder = Binder()
    statement = binder.statement(
        tracklets_sql(
            binder, query.subject, session.scope, f"avg(k.{query.column}) AS mean, count(*) AS n", query.window
        )
    )
    _, rows = session.run(statement)
    value = float(rows[0][0] or 0)
    noun = noun_of(query.subject, rows[0][1] != 1)
    told = f"The mean {query.column.replace('_', ' ')} of {rows[0][1]} {noun} is {measured(query.column, value)}"
    draft = Draft(f"{told}{session.where}.", value, unit=UNITS.get(query.column))
    fill(draft, session, statement)
    draft.cite(told, session.evidence(tracks))
    draft.confidence, draft.named = certainty(tracks), tuple(tracks)
    return draft


def check(session: Session, query: CheckQuery) -> Draft:
    """A bool: does it hold of any, all or none of the subject's tracklets."""
    subject = query.subject
    if subject.is_unknown:
        return nothing(session, subject, False)
    columns = [c for condition in query.holds for c in (condition.column, *condition.also)]
    shown = dict.fromkeys((*columns, *(c for column in columns for c in NEEDED.get(column, ()))))
    tracks, _ = session.tracks(subject, tuple(shown), query.window, query.event, Rank("duration", True))
    if not tracks:
        return nothing(session, subject, False)
    first = query.holds[0].column
    if all(all(t.values.get(c) is None for c in columns) for t in tracks):
        return unstored(session, subject, first, tracks, session.tracks(subject, columns)[1])
    binder = Binder()
    window = None if query.event is not None else query.window
    tests = " AND ".join(
        place_sql(binder, c, window) if c.column == "place" else condition_sql(binder, c) for c in query.holds
    )
    told = ", ".join(f"k.{c}" for c in shown)
    statement = binder.statement(
        tracklets_sql(
            binder,
            subject,
            session.scope,
            f"k.video, k.id, k.category, {told}, ({tests}) AS holds, k.key",
            query.window,
        )
        + f" ORDER BY k.duration DESC, k.video_key, k.id LIMIT {binder.bind(50)}"
    )
    _, rows = session.run(statement)
    holding = {int(row[-1] or 0) for row in rows if row[-2]}
    yes = [t for t in tracks if t.key in holding]
    no = [t for t in tracks if t.key not in holding]
    held = {"any": bool(yes), "all": not no, "none": not yes}[query.quantifier]
    wanted = noun_of(replace(subject, noun="", conditions=query.holds, adjectives=(), excluded=())).strip()
    telling = yes if held and query.quantifier != "none" else no if query.quantifier == "all" else (yes or no)
    names = joined([f"{t.name} {_states(query, t, t.key in holding)}" for t in telling[:_MAX_NAMED]])
    draft = Draft(f"{'Yes' if held else 'No'}: {names}.", held)
    fill(draft, session, statement)
    draft.cite(f"{wanted or first}: {'yes' if held else 'no'}", session.evidence(yes + no))
    draft.confidence, draft.named = certainty(tracks), tuple(tracks)
    return draft


def _states(query: CheckQuery, track: Track, holds: bool) -> str:
    place = query.holds[0]
    if place.column == "place" and len(query.holds) == 1 and (query.window is not None or half_of(place) is not None):
        return _placed(place, query.window, holds)
    if any(condition.of_frame for condition in query.holds):
        across, along = (abs(track.number_of(column) or 0.0) for column in ("dx_px", "dy_px"))
        return f"ends up {number(across)} px across and {number(along)} px up or down from where it started"
    columns = dict.fromkeys(c for condition in query.holds for c in (condition.column, *condition.also))
    known = [column for column in columns if track.values.get(column) is not None]
    parts = [trait(track, column, ()).told.removeprefix(f"{track.name} ") for column in known]
    return ", ".join(parts) or "nothing stored"


def _placed(place: Condition, window: Window | None, holds: bool) -> str:
    """Where something is or is not, as it was asked: "is mostly in the left half between 7 s and 9 s"."""
    there = holds == (place.operator == "in")
    mostly = "" if window is not None and window.kind == "at" else " mostly"
    return f"is{'' if there else ' not'}{mostly} {place_words(replace(place, operator='in'))}{window_words(window)}"


def is_rank(session: Session, query: IsRankQuery) -> Draft:
    """A bool: is the subject the one the ranking picks. Equal measures count as yes."""
    if query.subject.is_unknown or query.ranked.is_unknown:
        return nothing(session, query.subject if query.subject.is_unknown else query.ranked, False)
    rank = query.ranked.rank
    column = rank.column if rank is not None else "t_start"
    mine, _ = session.tracks(query.subject, (column,))
    best, statement = session.tracks(query.ranked, (column,))
    if not mine or not best:
        return nothing(session, query.subject if not mine else query.ranked, False)
    top = best[0].number_of(column)
    held = any(t.number_of(column) == top for t in mine)
    others = "" if held else f"; {mine[0].name}: {measured(column, mine[0].values.get(column))}"
    draft = Draft(f"{'Yes' if held else 'No'}: {_rank_told(session, query.ranked, best[0]).rstrip('.')}{others}.", held)
    fill(draft, session, statement)
    draft.cite(draft.text.rstrip("."), session.evidence([best[0], *(t for t in mine if t.key != best[0].key)]))
    draft.confidence, draft.named = certainty([best[0]]), tuple(mine)
    return draft
