"""Answers about what things do, from the `action` attributes that a recogniser stored with their spans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from onlooker.video.answer import Cell, Evidence
from onlooker.video.chat.compile import Binder, moment_in_video, selection_tests
from onlooker.video.chat.query import ActionQuery, Selection, Window
from onlooker.video.chat.respond.session import MAX_EVIDENCE, Draft, Session, Track, certainty, fill, nothing
from onlooker.video.chat.wording import joined, name_of, noun_of, seconds, span, window_words

ACTION = "action"
_MAX_NAMED = 8
_MAX_ROWS = 5000  # actions of one answer
_JOIN_S = 0.2  # spans this near to each other are one: windows follow each other by a frame


@dataclass(frozen=True, slots=True)
class Done:
    """One stored action: of which tracklet, from when to when, and how sure."""

    key: int
    number: int
    video: str
    category: str
    label: str | None
    action: str
    score: float
    start_s: float
    end_s: float

    @property
    def name(self) -> str:
        return self.label or f"{self.category} {self.number}"

    @property
    def told(self) -> str:
        """ "running (0.0–4.0 s, 0.91)"."""
        return f"{self.action} ({span(self.start_s, self.end_s)}, {self.score:.2f})"

    def evidence(self) -> Evidence:
        return Evidence("attribute", self.video, self.number, self.start_s, self.end_s, quote=self.action)


def acting(session: Session, query: ActionQuery) -> Draft:
    """Numbers of tracklets, a count, the moment or the seconds of it, a bool, or the name of the action."""
    subject = query.subject
    if subject.is_unknown:
        return nothing(session, subject, _nothing_of(query))
    found, draft = done(session, subject, query.labels, query.window)
    if not found:
        return _not_done(session, query, draft)
    draft.confidence = sum(d.score for d in found) / len(found)
    draft.named = _tracks(session, found)
    answer = {"count": _count, "when": _when, "how_long": _how_long, "yes_no": _yes_no, "what": _what, "who": _who}
    answer[query.ask](session, query, found, draft)
    return draft


def done(
    session: Session, subject: Selection, labels: Sequence[str], window: Window | None
) -> tuple[list[Done], Draft]:
    """Stored actions of a selection in order of time, and a draft that holds the statement and its rows.

    Args:
        labels: which actions; all of them when empty.
        window: only actions whose span meets it.
    """
    binder = Binder()
    start, end = "coalesce(a.t_start, k.t_start)", "coalesce(a.t_end, k.t_end)"
    tests = [f"a.name = {binder.bind(ACTION)}"]
    if labels:
        tests.append(f"a.value IN ({binder.bind_all(tuple(labels))})")
    tests += selection_tests(binder, subject, session.scope)
    if window is not None:
        since = moment_in_video(binder, window.start, "k.video_key") if window.start else None
        until = moment_in_video(binder, window.end, "k.video_key") if window.end else None
        until = since if window.kind == "at" else until
        tests += [f"{end} >= {since}"] if since else []
        tests += [f"{start} <= {until}"] if until else []
    statement = binder.statement(
        f"SELECT k.key, k.id, k.video, k.category, k.label, a.value, a.score, {start} AS t_start, {end} AS t_end"
        f" FROM attributes AS a JOIN tracklets AS k ON k.key = a.tracklet_key WHERE {' AND '.join(tests)}"
        f" ORDER BY t_start, k.video_key, k.id, a.score DESC, a.value LIMIT {binder.bind(_MAX_ROWS)}"
    )
    draft = fill(Draft(""), session, statement)
    return _joined_spans([_done(row) for row in draft.rows]), draft


def _done(row: Sequence[Cell]) -> Done:
    key, number, video, category, label, action, score, start, end = row
    return Done(
        key=int(key or 0),
        number=int(number or 0),
        video=str(video),
        category=str(category),
        label=None if label is None else str(label),
        action=str(action),
        score=float(score or 0.0),
        start_s=float(start or 0.0),
        end_s=float(end or 0.0),
    )


def _joined_spans(found: Sequence[Done]) -> list[Done]:
    """The same action of the same tracklet in windows that follow each other is one, as sure as the surest of them."""
    kept: list[Done] = []
    latest: dict[tuple[int, str], int] = {}
    for one in found:
        at = latest.get((one.key, one.action))
        if at is not None and one.start_s <= kept[at].end_s + _JOIN_S:
            end_s, score = max(kept[at].end_s, one.end_s), max(kept[at].score, one.score)
            kept[at] = replace(kept[at], end_s=end_s, score=score)
        else:
            latest[one.key, one.action] = len(kept)
            kept.append(one)
    return kept


def _tracks(session: Session, found: Sequence[Done]) -> tuple[Track, ...]:
    keys = tuple(dict.fromkeys(d.key for d in found))[:MAX_EVIDENCE]
    tracks = {track.key: track for track in session.tracks(Selection(keys=keys))[0]}
    return tuple(tracks[key] for key in keys if key in tracks)


def _listed(session: Session, found: Sequence[Done]) -> str:
    """ "person 2: running (0.0–4.0 s, 0.91); dog 3: ..."."""
    by_key: dict[int, list[Done]] = {}
    for one in found:
        by_key.setdefault(one.key, []).append(one)
    told = [
        f"{own[0].name}{f' in {own[0].video}' if session.several_videos else ''}: "
        f"{joined([d.told for d in own[:_MAX_NAMED]])}"
        for own in list(by_key.values())[:_MAX_NAMED]
    ]
    more = f"; {len(by_key) - _MAX_NAMED} more" if len(by_key) > _MAX_NAMED else ""
    return "; ".join(told) + more


def _cite(draft: Draft, text: str, found: Sequence[Done]) -> None:
    draft.cite(text.rstrip("."), [d.evidence() for d in found[:MAX_EVIDENCE]])


def _doing(query: ActionQuery, found: Sequence[Done]) -> str:
    """The action in the library's words where there is one, else in those of the question."""
    names = dict.fromkeys(d.action for d in found)
    return next(iter(names)) if len(names) == 1 else query.said


def _who(session: Session, query: ActionQuery, found: list[Done], draft: Draft) -> None:
    numbers = {d.key: d.number for d in found}
    draft.text = f"{_listed(session, found)}.".replace(found[0].name, _capital(found[0].name), 1)
    draft.value = list(numbers.values())
    _cite(draft, draft.text, found)


def _count(session: Session, query: ActionQuery, found: list[Done], draft: Draft) -> None:
    n = len({d.key for d in found})
    noun = noun_of(query.subject, n != 1)
    draft.value = n
    draft.text = f"{n} {noun} {_doing(query, found)}{window_words(query.window)}: {_listed(session, found)}."
    _cite(draft, draft.text, found)


def _when(session: Session, query: ActionQuery, found: list[Done], draft: Draft) -> None:
    chosen = found[-1] if query.pick == "last" else found[0]
    others = [d for d in found if d is not chosen]
    more = f" Also: {_listed(session, others)}." if others else ""
    draft.text = f"{_capital(chosen.name)}: {chosen.told}.{more}"
    draft.value, draft.unit = chosen.start_s, "s"
    _cite(draft, f"{chosen.name} {chosen.told}", [chosen])
    if others:
        _cite(draft, more, others)


def _how_long(session: Session, query: ActionQuery, found: list[Done], draft: Draft) -> None:
    own = [d for d in found if d.key == found[0].key]
    total, reached = 0.0, float("-inf")
    for one in sorted(own, key=lambda d: d.start_s):  # two of the named actions may be at the same time
        total += max(0.0, one.end_s - max(one.start_s, reached))
        reached = max(reached, one.end_s)
    draft.value, draft.unit = round(total, 3), "s"
    others = [d for d in found if d.key != found[0].key]
    more = f" Others: {_listed(session, others)}." if others else ""
    draft.text = f"{_capital(own[0].name)}: {seconds(total)} of {_doing(query, own)}.{more}"
    _cite(draft, draft.text, own)


def _yes_no(session: Session, query: ActionQuery, found: list[Done], draft: Draft) -> None:
    doing = {d.key for d in found}
    if query.quantifier == "all":
        n, _ = session.count(query.subject, query.window)
        draft.value = n == len(doing)
        draft.text = f"{'Yes' if draft.value else 'No'}: {len(doing)} of {n}: {_listed(session, found)}."
    else:
        draft.value = query.quantifier != "none"
        draft.text = f"{'Yes' if draft.value else 'No'}: {_listed(session, found)}."
    _cite(draft, draft.text, found)


def _what(session: Session, query: ActionQuery, found: list[Done], draft: Draft) -> None:
    best = max(found, key=lambda d: d.score)
    draft.value = best.action
    draft.text = f"{_capital(best.name)}: {_listed(session, found).removeprefix(f'{best.name}: ')}."
    _cite(draft, draft.text, found)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _nothing_of(query: ActionQuery) -> bool | int | list[int] | None:
    if query.ask == "yes_no":
        return query.quantifier == "none"
    if query.ask == "count":
        return 0
    return [] if query.ask == "who" else None


def _not_done(session: Session, query: ActionQuery, draft: Draft) -> Draft:
    """Nobody does it: known only where actions of these things are stored at all."""
    subject = replace(query.subject, conditions=(), rank=None)
    if not session.exists(subject):
        return nothing(session, query.subject, _nothing_of(query))
    others, known = done(session, subject, (), None)
    when = window_words(query.window)
    if not others:
        known.text = f"What {noun_of(subject, True)} do is not stored{session.where}."
        known.status = "cannot_answer"
        tracks, _ = session.tracks(subject)
        known.cite("no action stored", session.evidence(tracks))
        return known
    lead = "" if query.ask != "yes_no" else "Yes: " if query.quantifier == "none" else "No: "
    draft.text = (
        f"{lead or 'None: '}no {name_of(query.subject)} is stored as {query.said}{when}{session.where}. "
        f"Stored are: {joined(list(dict.fromkeys(d.action for d in others))[:_MAX_NAMED])}."
    )
    draft.value = _nothing_of(query)
    if draft.value is None:
        draft.status = "no_evidence"  # a moment or a length that is not there
    _cite(draft, "other actions", others)
    draft.confidence = certainty(list(_tracks(session, others)))
    return draft


def deeds_by_track(session: Session, tracks: Sequence[Track], window: Window | None) -> dict[int, list[Done]]:
    """Stored actions of tracklets by key, in order of time; of one span only the surest."""
    if not tracks:
        return {}
    found, _ = done(session, Selection(keys=tuple(t.key for t in tracks)), (), window)
    surest: dict[tuple[int, float], Done] = {}
    for one in found:
        held = surest.get((one.key, one.start_s))
        if held is None or one.score > held.score:
            surest[one.key, one.start_s] = one
    by_key: dict[int, list[Done]] = {}
    for one in surest.values():
        by_key.setdefault(one.key, []).append(one)
    return by_key
