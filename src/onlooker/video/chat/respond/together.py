"""Two things at once: together, touching, near, how far apart, which side, who passes whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from onlooker.video.answer import Cell, Evidence, Value
from onlooker.video.chat.compile import Binder, Statement, tracklets_sql
from onlooker.video.chat.query import OvertakeQuery, Rank, RelationQuery, Selection, SideQuery, Window
from onlooker.video.chat.respond.session import Draft, Session, Track, certainty, fill, nothing
from onlooker.video.chat.wording import joined, name_of, number, seconds, window_words

_MAX_NAMED = 8
# Edges this near, as a share of the frame diagonal, make two things near each other (ours).
_NEAR_SHARE = 0.05
_MAX_SHARED_FRAMES = 5000


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tracklets and a measure of them, at a moment."""

    video: str
    first: str
    first_number: int
    second: str
    second_number: int
    holds: bool
    measure: float
    t: float
    lasts_s: float

    @property
    def told(self) -> str:
        return f"{self.first} {self.first_number} and {self.second} {self.second_number}"

    @property
    def evidence(self) -> Evidence:
        return Evidence("pair", self.video, self.first_number, self.t, self.t + self.lasts_s, self.t)


def relation(session: Session, query: RelationQuery) -> Draft:
    """The answer about a relation, from the table of pairs, or from the boxes of one moment."""
    empty: Value = {"yes_no": False, "count": 0, "who": [], "pair": []}.get(query.ask)  # type: ignore[assignment]
    for selection in (query.first, query.second):
        if selection is not None and (selection.is_unknown or not session.exists(selection)):
            return nothing(session, selection, empty)
    at = query.window is not None and query.window.kind == "at"
    statement = _pairs_at(session, query) if at else _pairs(session, query)
    _, rows = session.run(statement)
    pairs = [_pair(row) for row in rows]
    holding = [p for p in pairs if p.holds]
    if query.ask in {"distance", "pair", "who"} and query.relation == "near":
        return _nearest(session, query, statement, pairs, empty)
    draft = _held(query, holding)
    draft.text += "" if holding else f" It is so for no pair{window_words(query.window)}{session.where}."
    fill(draft, session, statement)
    shown = holding or pairs
    draft.cite(draft.text.rstrip("."), [p.evidence for p in shown[:20]])
    if not shown:
        _cite_each(draft, session, query)
    return draft


def _held(query: RelationQuery, holding: list[Pair]) -> Draft:
    words = {"together": "are visible at the same time", "touch": "touch", "near": "are near each other"}[
        query.relation
    ]
    told = joined([f"{p.told} at {seconds(p.t)}" for p in holding[:_MAX_NAMED]])
    best = min(holding, key=lambda p: p.t, default=None)
    if query.ask == "yes_no":
        return Draft(f"Yes, they {words}: {told}." if holding else "No.", bool(holding))
    if query.ask == "when":
        text = f"First at {seconds(best.t)}: {best.told} {words}." if best else "Never."
        return Draft(text, best.t if best else None, "answered" if best else "no_evidence", "s")
    if query.ask == "how_long":
        longest = max(holding, key=lambda p: p.lasts_s, default=None)
        text = f"{longest.told} {words} for {seconds(longest.lasts_s)}." if longest else "Never."
        return Draft(text[:1].upper() + text[1:], longest.lasts_s if longest else 0.0, unit="s")
    if query.ask == "count":
        others = {(p.video, p.second_number) for p in holding}
        return Draft(f"{len(others)}: {told}." if others else "None.", len(others))
    numbers = list(dict.fromkeys(p.second_number for p in holding))
    return Draft(f"{told}." if numbers else "None.", numbers)


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


def _pair(row: Sequence[Cell]) -> Pair:
    return Pair(
        video=str(row[0]), first=str(row[1]), first_number=int(row[2] or 0), second=str(row[3]),
        second_number=int(row[4] or 0), holds=bool(row[5]), measure=float(row[6] or 0), t=float(row[7] or 0),
        lasts_s=float(row[8] or 0),
    )  # fmt: skip


def _member_tests(session: Session, binder: Binder, selection: Selection, side: str) -> str:
    """Tests that one side ("first" or "second") of a pair is of a selection; plain ones need the pairs table only."""
    if selection.conditions or selection.excluded or selection.label or selection.rank:
        return f"p.{side}_key IN ({tracklets_sql(binder, selection, session.scope, 'k.key')})"
    if selection.keys:
        return f"p.{side}_key IN ({binder.bind_all(selection.keys)})"
    tests = []
    if selection.categories is not None:
        tests.append(f"p.{side}_category IN ({binder.bind_all(selection.categories)})")
    if selection.numbers:
        tests.append(f"p.{side}_id IN ({binder.bind_all(selection.numbers)})")
    return " AND ".join(tests) or "1 = 1"


def _pairs(session: Session, query: RelationQuery) -> Statement:
    """One row a pair, its first member of the first selection: whether it holds, how near, when, how long."""
    binder = Binder()
    near = f"p.min_gap_px <= {binder.bind(_NEAR_SHARE)} * sqrt(v.width * v.width + v.height * v.height)"
    holds, moment, lasts = {
        "together": ("1", "p.first_t", "p.together_s"),
        "touch": ("p.overlap_s > 0", "coalesce(p.overlap_t, p.min_distance_t)", "p.overlap_s"),
        "near": (near, "p.min_distance_t", "0.0"),
    }[query.relation]
    second = query.second or Selection()
    straight, swapped = (
        f"({_member_tests(session, binder, query.first, a)} AND {_member_tests(session, binder, second, b)})"
        for a, b in (("first", "second"), ("second", "first"))
    )
    inside = "" if session.scope is None else f" AND p.video_key IN ({binder.bind_all(session.scope)})"
    # The pair is turned so that its first member is of the first selection.
    turned = ", ".join(
        f"CASE WHEN {straight} THEN p.{a} ELSE p.{b} END AS {name}"
        for a, b, name in (
            ("first_category", "second_category", "one"),
            ("first_id", "second_id", "one_id"),
            ("second_category", "first_category", "other"),
            ("second_id", "first_id", "other_id"),
        )
    )
    order = "distance_px DESC" if query.farthest else "distance_px"
    return binder.statement(
        f"SELECT p.video, {turned}, {holds} AS holds, p.min_distance_px AS distance_px, {moment} AS t,"
        f" {lasts} AS seconds FROM pairs AS p JOIN videos AS v ON v.key = p.video_key"
        f" WHERE ({straight} OR {swapped}){inside} ORDER BY holds DESC, {order}, t LIMIT 200"
    )


def _pairs_at(session: Session, query: RelationQuery) -> Statement:
    """The same from the boxes on the frame nearest to one moment."""
    binder = Binder()
    columns = "k.key, k.id, k.category, k.video, k.video_key, b.t, b.x1, b.y1, b.x2, b.y2"
    first = tracklets_sql(binder, query.first, session.scope, columns, query.window)
    second = tracklets_sql(binder, query.second or Selection(), session.scope, columns, query.window)
    across, down = "(a.x1 + a.x2 - c.x1 - c.x2) / 2", "(a.y1 + a.y2 - c.y1 - c.y2) / 2"
    gap_x = "max(0, a.x1 - c.x2, c.x1 - a.x2)"
    gap_y = "max(0, a.y1 - c.y2, c.y1 - a.y2)"
    diagonal = "(v.width * v.width + v.height * v.height)"
    near = f"{gap_x} * {gap_x} + {gap_y} * {gap_y} <= {binder.bind(_NEAR_SHARE**2)} * {diagonal}"
    touch = "a.x1 < c.x2 AND c.x1 < a.x2 AND a.y1 < c.y2 AND c.y1 < a.y2"
    holds = {"together": "1", "touch": touch, "near": near}[query.relation]
    order = "distance_px DESC" if query.farthest else "distance_px"
    return binder.statement(
        f"SELECT a.video, a.category AS one, a.id AS one_id, c.category AS other, c.id AS other_id, ({holds}) AS holds,"
        f" sqrt({across} * {across} + {down} * {down}) AS distance_px, a.t, 0.0 AS seconds"
        f" FROM ({first}) AS a JOIN ({second}) AS c ON c.video_key = a.video_key AND c.key <> a.key"
        f" JOIN videos AS v ON v.key = a.video_key ORDER BY holds DESC, {order}, one_id, other_id LIMIT 200"
    )


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
    """Rows (t, centre of a, centre of b) of the frames on which both are visible."""
    binder = Binder()
    pick = "t, (x1 + x2) / 2 AS x, (y1 + y2) / 2 AS y"
    tests = ""
    if window is not None and window.start is not None and window.start.base == "start":
        tests = f" AND p.t >= {binder.bind(window.start.value)}" if window.kind == "span" else ""
        if window.kind == "at":
            tests = f" AND abs(p.t - {binder.bind(window.start.value)}) <= 1"
    sql = (
        f"SELECT p.t, p.x AS first_x, p.y AS first_y, q.x AS second_x, q.y AS second_y"
        f" FROM (SELECT frame, {pick} FROM boxes WHERE tracklet_key = {binder.bind(a.key)}) AS p"
        f" JOIN (SELECT frame, {pick} FROM boxes WHERE tracklet_key = {binder.bind(b.key)}) AS q ON q.frame = p.frame"
        f" WHERE 1 = 1{tests} ORDER BY p.t LIMIT {binder.bind(_MAX_SHARED_FRAMES)}"
    )
    statement = binder.statement(sql)
    _, rows = session.run(statement)
    shared = [[float(c or 0) for c in row] for row in rows]
    if (
        window is not None
        and window.kind == "at"
        and window.start is not None
        and window.start.base == "start"
        and shared
    ):
        shared = [min(shared, key=lambda r: abs(r[0] - window.start.value))]  # type: ignore[union-attr]
    return statement, shared


def side(session: Session, query: SideQuery) -> Draft:
    """Which side of another: at a moment, or on most of the frames both are on."""
    empty: Value = False if query.ask == "yes_no" else None
    chosen = _one_of_each(session, query.first, query.second, query.window)
    if isinstance(chosen, Selection):
        return nothing(session, chosen, empty)
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
    words = f"{query.side} of" if query.side in {"left", "right"} else query.side
    first, second = (a, b) if held else (b, a)
    extra = "" if len(shared) == 1 else f" on {max(ahead, len(shared) - ahead)} of {len(shared)} shared frames"
    told = f"{first.name} is {words} {second.name}{extra}{when}"
    value: Value = held
    if query.ask == "which":
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
    chosen = _one_of_each(session, query.first, query.second, None)
    if isinstance(chosen, Selection):
        return nothing(session, chosen, empty)
    a, b = chosen
    statement, shared = _shared(session, a, b, None)
    dx, dy = a.number_of("dx_px") or 0.0, a.number_of("dy_px") or 0.0
    axis, sign = (1, 1 if dx > 0 else -1) if abs(dx) >= abs(dy) else (2, 1 if dy > 0 else -1)
    lead = [sign * (row[axis] - row[axis + 2]) for row in shared]
    crossing = next((i for i in range(1, len(lead)) if lead[i - 1] <= 0 < lead[i]), None)
    passes = crossing is not None and lead[0] < 0 < lead[-1]
    moment = shared[crossing][0] if crossing is not None else None
    if passes and moment is not None:
        told = f"{a.name} passes {b.name} at {seconds(moment)}"
    else:
        told = f"{a.name} does not pass {b.name}" + ("" if shared else ": they are never visible at the same time")
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
