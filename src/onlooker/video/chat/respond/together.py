"""Two things at once: together, touching, near, how far apart, which side, who passes whom."""

from __future__ import annotations

from dataclasses import replace

from onlooker.video.answer import Value
from onlooker.video.chat.compile import Binder, Statement, moment_in_video
from onlooker.video.chat.query import OvertakeQuery, Rank, RelationQuery, Selection, SideQuery, Window
from onlooker.video.chat.respond.pairing import ASKING_DISTANCE, Pair, frames_in, pair_of, pairs_of, span_tests
from onlooker.video.chat.respond.session import Draft, Session, Track, certainty, fill, nothing
from onlooker.video.chat.wording import joined, name_of, number, seconds, window_words

_MAX_NAMED = 8
_MAX_SHARED_FRAMES = 5000
_HOLDS = {
    "together": "are visible at the same time", "touch": "overlap in the picture", "near": "are near each other",
}  # fmt: skip
_OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}


def relation(session: Session, query: RelationQuery) -> Draft:
    """The answer about a relation, from the table of pairs, or from the boxes of one moment."""
    empty: Value = {"yes_no": False, "count": 0, "who": [], "pair": []}.get(query.ask)  # type: ignore[assignment]
    for selection in (query.first, query.second):
        if selection is not None and (selection.is_unknown or not session.exists(selection)):
            return nothing(session, selection, empty)
    if query.window is not None and query.window.kind == "span":
        unseen = _unseen(session, query.window)
        if unseen is not None:
            return unseen
    statement = pairs_of(session, query)
    _, rows = session.run(statement)
    pairs = [pair_of(row) for row in rows]
    holding = [p for p in pairs if p.holds]
    if query.ask == "who" and query.relation == "near" and not query.nearest and pairs:
        return _near(session, query, statement, pairs)
    if query.ask in ASKING_DISTANCE and query.relation == "near":
        return _nearest(session, query, statement, pairs, empty)
    draft = _held(query, holding)
    if not holding:
        draft.text += f" No two of them {_HOLDS[query.relation]}{window_words(query.window)}{session.where}."
    fill(draft, session, statement)
    shown = holding or pairs
    draft.cite(draft.text.rstrip("."), [p.evidence for p in shown[:20]])
    if not shown:
        _cite_each(draft, session, query)
    return draft


def _unseen(session: Session, window: Window) -> Draft | None:
    """The answer where no frame of a span was looked at; None where one was."""
    statement = frames_in(session, window)
    _, rows = session.run(statement)
    if rows[0][0]:
        return None
    draft = Draft(f"No frame was looked at{window_words(window)}{session.where}.", None, "cannot_answer")
    return fill(draft, session, statement)


def _held(query: RelationQuery, holding: list[Pair]) -> Draft:
    words = _HOLDS[query.relation]
    told = joined([f"{p.told} at {seconds(p.t)}" for p in holding[:_MAX_NAMED]])
    best = min(holding, key=lambda p: p.t, default=None)
    if query.ask == "yes_no":
        return Draft(f"Yes, they {words}: {told}." if holding else "No.", bool(holding))
    if query.ask == "when":
        # Of nearness in the whole video only the moment of the least distance is stored.
        least = query.relation == "near" and query.window is None
        said = "Closest at" if least else "First at"
        text = f"{said} {seconds(best.t)}: {best.told} {words}." if best else "Never."
        return Draft(text, best.t if best else None, "answered" if best else "no_evidence", "s")
    if query.ask == "how_long":
        longest = max(holding, key=lambda p: p.lasts_s, default=None)
        text = f"{longest.told} {words} for {seconds(longest.lasts_s)}." if longest else "Never."
        return Draft(text[:1].upper() + text[1:], longest.lasts_s if longest else 0.0, unit="s")
    # "Which objects were together?" asks for both members of every pair.
    members = [(p.video, n) for p in holding for n in (p.first_number, p.second_number)]
    if query.second != query.first:
        members = [(p.video, p.second_number) for p in holding]
    if query.ask == "count":
        others = set(members)
        return Draft(f"{len(others)}: {told}." if others else "None.", len(others))
    numbers = list(dict.fromkeys(number for _, number in members))
    return Draft(f"{told}." if numbers else "None.", numbers)


def _near(session: Session, query: RelationQuery, statement: Statement, pairs: list[Pair]) -> Draft:
    """All that are near; where nothing is, how far away the nearest is."""
    holding = [p for p in pairs if p.holds]
    best = pairs[0]
    away = (
        f"{number(best.measure)} px from {best.first} {best.first_number} at {seconds(best.t)} (between their centres)"
    )
    if holding:
        told = joined([f"{p.second} {p.second_number}" for p in holding[:_MAX_NAMED]])
        text = f"near {best.first} {best.first_number}{window_words(query.window)}: {told}"
    else:
        text = f"none is near: the nearest, {best.second} {best.second_number}, is {away}"
    draft = Draft(f"{text[:1].upper()}{text[1:]}.", list(dict.fromkeys(p.second_number for p in holding)))
    fill(draft, session, statement)
    draft.cite(text, [p.evidence for p in (holding or pairs)[:20]])
    return draft


def _nearest(session: Session, query: RelationQuery, statement: Statement, pairs: list[Pair], empty: Value) -> Draft:
    if not pairs:
        draft = Draft(
            f"They are not visible together{window_words(query.window)}{session.where}.", empty, "no_evidence"
        )
        fill(draft, session, statement)
        _cite_each(draft, session, query)
        return draft
    best = pairs[0]
    told = f"{best.told} are {number(best.measure)} px apart at {seconds(best.t)} (between their centres)"
    value: Value = best.measure
    if query.ask == "pair":
        value = [best.first_number, best.second_number]
    elif query.ask == "who":
        value = [best.second_number]
        word = "farthest from" if query.farthest else "nearest to"
        told = f"{best.second} {best.second_number} is {word} {best.first} {best.first_number}: {told}"
    draft = Draft(told[:1].upper() + told[1:] + ".", value, unit="px" if query.ask == "distance" else None)
    fill(draft, session, statement)
    draft.cite(told, [best.evidence])
    return draft


def _cite_each(draft: Draft, session: Session, query: RelationQuery) -> None:
    for selection in (query.first, query.second):
        if selection is not None:
            tracks, _ = session.tracks(selection, limit=10)
            draft.cite(f"{name_of(selection)} by itself", session.evidence(tracks))


def _one_of_each(
    session: Session, first: Selection, second: Selection, window: Window | None
) -> list[Track] | Selection:
    """The longest visible tracklet of each, in one video; the selection that is missing otherwise."""
    chosen: list[Track] = []
    for selection in (first, second):
        here = session if not chosen else replace(session, scope=(chosen[0].video_key,))
        columns = ("dx_px", "dy_px", "duration")
        tracks: list[Track] = []
        if not selection.is_unknown:
            found = here.tracks(selection, columns, window, None, Rank("duration", True), limit=2)[0]
            tracks = [t for t in found if all(t.key != c.key for c in chosen)]
        if not tracks:
            return selection
        chosen.append(tracks[0])
    return chosen


def _shared(session: Session, a: Track, b: Track, window: Window | None) -> tuple[Statement, list[list[float]]]:
    """Rows (t, centre of a, centre of b) of the frames on which both are visible: in a span, or nearest to a moment."""
    binder = Binder()
    pick = "t, frame, (x1 + x2) / 2 AS x, (y1 + y2) / 2 AS y"
    first, second = (f"SELECT {pick} FROM boxes WHERE tracklet_key = {binder.bind(track.key)}" for track in (a, b))
    tests, order, limit = "1 = 1", "p.t", _MAX_SHARED_FRAMES
    if window is not None and window.kind == "at" and window.start is not None:
        away = f"abs(p.t - {moment_in_video(binder, window.start, binder.bind(a.video_key))})"
        tests, order, limit = f"{away} <= 1", f"{away}, p.t", 1
    elif window is not None:
        tests = span_tests(binder, window, "p.t", binder.bind(a.video_key))
    statement = binder.statement(
        "SELECT p.t, p.x AS first_x, p.y AS first_y, q.x AS second_x, q.y AS second_y"
        f" FROM ({first}) AS p JOIN ({second}) AS q ON q.frame = p.frame"
        f" WHERE {tests} ORDER BY {order} LIMIT {binder.bind(limit)}"
    )
    _, rows = session.run(statement)
    return statement, [[float(c or 0) for c in row] for row in rows]


def _absent(session: Session, selection: Selection, window: Window | None, empty: Value) -> Draft:
    """The answer about something that is not there, or not in the span asked about."""
    if window is None or not session.exists(selection):
        return nothing(session, selection, empty)
    draft = Draft(f"Not seen{window_words(window)}{session.where}: {name_of(selection)}.", empty, "no_evidence")
    _, statement = session.count(replace(selection, rank=None), window)
    return fill(draft, session, statement)


def side(session: Session, query: SideQuery) -> Draft:
    """Which side of another: at a moment, or on most of the frames both are on."""
    empty: Value = False if query.ask == "yes_no" else None
    chosen = _one_of_each(session, query.first, query.second, query.window)
    if isinstance(chosen, Selection):
        return _absent(session, chosen, query.window, empty)
    a, b = chosen
    statement, shared = _shared(session, a, b, query.window)
    when = window_words(query.window)
    if not shared:
        draft = Draft(f"{a.name} and {b.name} are not visible at the same time{when}.", empty, "no_evidence")
        fill(draft, session, statement)
        draft.cite("never together", session.evidence(chosen))
        return draft
    axis, sign = {"left": (1, -1), "right": (1, 1), "above": (2, -1), "below": (2, 1)}[query.side]
    ahead = sum(sign * (row[axis] - row[axis + 2]) > 0 for row in shared)
    held = 2 * ahead > len(shared)
    named = query.side if held or query.ask != "side" else _OPPOSITE[query.side]
    words = f"{named} of" if named in {"left", "right"} else named
    first, second = (a, b) if held or query.ask == "side" else (b, a)
    extra = "" if len(shared) == 1 else f" on {max(ahead, len(shared) - ahead)} of {len(shared)} shared frames"
    told = f"{first.name} is {words} {second.name}{extra}{when}"
    value: Value = held
    if query.ask == "side":
        value = named
    elif query.ask == "which":
        winner = query.first if held else query.second
        plain = winner.categories is not None and len(winner.categories) == 1 and not winner.numbers
        value = winner.categories[0] if plain and winner.categories else [first.number]
    prefix = ("Yes: " if held else "No: ") if query.ask == "yes_no" else ""
    text = f"{prefix}{told}."
    draft = Draft(text[:1].upper() + text[1:], value)
    fill(draft, session, statement)
    moment = shared[len(shared) // 2][0]
    draft.cite(told, [replace(e, frame_s=moment, box_xyxy_px=None) for e in session.evidence(chosen)])
    draft.confidence, draft.named = certainty(chosen), (first, second)
    return draft


def overtake(session: Session, query: OvertakeQuery) -> Draft:
    """Whether the first gets from behind the second to in front of it, along its own way."""
    empty: Value = {"yes_no": False, "which": []}.get(query.ask)  # type: ignore[assignment]
    chosen = _one_of_each(session, query.first, query.second, query.window)
    if isinstance(chosen, Selection):
        return _absent(session, chosen, query.window, empty)
    a, b = chosen
    statement, shared = _shared(session, a, b, query.window)
    dx, dy = a.number_of("dx_px") or 0.0, a.number_of("dy_px") or 0.0
    axis, sign = (1, 1 if dx > 0 else -1) if abs(dx) >= abs(dy) else (2, 1 if dy > 0 else -1)
    lead = [sign * (row[axis] - row[axis + 2]) for row in shared]
    crossing = next((i for i in range(1, len(lead)) if lead[i - 1] <= 0 < lead[i]), None)
    passes = crossing is not None and lead[0] < 0 < lead[-1]
    moment = shared[crossing][0] if crossing is not None else None
    if passes and moment is not None:
        told = f"{a.name} passes {b.name} at {seconds(moment)}"
    else:
        told = f"{a.name} does not pass {b.name}{window_words(query.window)}"
        told += (
            ""
            if shared
            else ": they are never visible at the same time then"
            if query.window
            else (": they are never visible at the same time")
        )
    value: Value = passes
    if query.ask == "when":
        value = moment if passes else None
    elif query.ask == "which":
        value = [a.number] if passes else [b.number] if lead and lead[0] > 0 > lead[-1] else []
    prefix = ("Yes: " if passes else "No: ") if query.ask == "yes_no" else ""
    text = f"{prefix}{told} (order of their centres along the way of {a.name})."
    draft = Draft(text[:1].upper() + text[1:], value, unit="s" if query.ask == "when" else None)
    fill(draft, session, statement)
    draft.cite(told, [replace(e, frame_s=moment or e.frame_s, box_xyxy_px=None) for e in session.evidence(chosen)])
    draft.confidence, draft.named = 0.8 * certainty(chosen), tuple(chosen)
    return draft
