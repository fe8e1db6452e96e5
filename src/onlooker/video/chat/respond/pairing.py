"""Rows of pairs: of the whole video from the pairs view, of one moment or of a span from the boxes themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onlooker.video.answer import Cell, Evidence
from onlooker.video.chat.compile import Binder, Statement, moment_in_video, tracklets_sql
from onlooker.video.chat.query import RelationQuery, Selection, Window
from onlooker.video.chat.respond.session import Session

# Edges this near, as a share of the frame diagonal, make two things near each other (ours).
_NEAR_SHARE = 0.05
_SAME_TIME_S = 0.0005  # times of one frame differ by rounding only
_MAX_PAIRS = 200
_ROW = "video, one_category, one_id, other_category, other_id, holds, distance_px, t, seconds"
# What is asked of nearness that the pair with the least distance answers.
ASKING_DISTANCE = frozenset({"distance", "pair", "who"})


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


def pair_of(row: Sequence[Cell]) -> Pair:
    """The pair in a row of one of the statements below."""
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


def pairs_of(session: Session, query: RelationQuery) -> Statement:
    """One row a pair, its first member of the first selection: whether it holds, how near, when, how long."""
    if query.window is None:
        return _pairs_of_video(session, query)
    if query.window.kind == "at":
        return _pairs_at(session, query)
    return _pairs_in_span(session, query, query.window)


def frames_in(session: Session, window: Window) -> Statement:
    """How many frames were looked at in a span."""
    binder = Binder()
    inside = "" if session.scope is None else f" AND f.video_key IN ({binder.bind_all(session.scope)})"
    tests = span_tests(binder, window, "f.t", "f.video_key")
    return binder.statement(f"SELECT count(*) AS frames FROM frames AS f WHERE {tests}{inside}")


def span_tests(binder: Binder, window: Window, time: str, video_key: str) -> str:
    """Tests that the column `time` lies in a span, both ends included."""
    tests = [f"{time} >= {moment_in_video(binder, window.start, video_key)}"] if window.start else []
    tests += [f"{time} <= {moment_in_video(binder, window.end, video_key)}"] if window.end else []
    return " AND ".join(tests) or "1 = 1"


def _sides(session: Session, binder: Binder, query: RelationQuery) -> tuple[str, str]:
    """Tests that a row of pairs is of both selections: as it stands, and the other way round."""
    second = query.second or Selection()
    straight, swapped = (
        f"({_member_tests(session, binder, query.first, a)} AND {_member_tests(session, binder, second, b)})"
        for a, b in (("first", "second"), ("second", "first"))
    )
    return straight, swapped


def _turned(straight: str, *columns: str) -> str:
    """Columns of both members, turned so that the first (`one_`) is of the first selection."""
    return ", ".join(
        f"CASE WHEN {straight} THEN p.{a}_{column} ELSE p.{b}_{column} END AS {name}_{column}"
        for column in columns
        for a, b, name in (("first", "second", "one"), ("second", "first", "other"))
    )


def _in_scope(session: Session, binder: Binder) -> str:
    return "" if session.scope is None else f" AND p.video_key IN ({binder.bind_all(session.scope)})"


def _pairs_of_video(session: Session, query: RelationQuery) -> Statement:
    binder = Binder()
    near = f"p.min_gap_px <= {binder.bind(_NEAR_SHARE)} * sqrt(v.width * v.width + v.height * v.height)"
    holds, moment, lasts = {
        "together": ("1", "p.first_t", "p.together_s"),
        "touch": ("p.overlap_s > 0", "coalesce(p.overlap_t, p.min_distance_t)", "p.overlap_s"),
        "near": (near, "p.min_distance_t", "0.0"),
    }[query.relation]
    straight, swapped = _sides(session, binder, query)
    turned = _turned(straight, "category", "id")
    order = "distance_px DESC" if query.farthest else "distance_px"
    found = (
        f"SELECT p.video, {turned}, {holds} AS holds, p.min_distance_px AS distance_px, {moment} AS t,"
        f" {lasts} AS seconds FROM pairs AS p JOIN videos AS v ON v.key = p.video_key"
        f" WHERE ({straight} OR {swapped}){_in_scope(session, binder)}"
    )
    return binder.statement(f"SELECT {_ROW} FROM ({found}) ORDER BY holds DESC, {order}, t LIMIT {_MAX_PAIRS}")


def _measures(binder: Binder, relation: str) -> tuple[str, str]:
    """Whether a relation holds of boxes `a` and `c` in a video `v`, and the distance of their centres."""
    across, down = "(a.x1 + a.x2 - c.x1 - c.x2) / 2", "(a.y1 + a.y2 - c.y1 - c.y2) / 2"
    gap_x = "max(0, a.x1 - c.x2, c.x1 - a.x2)"
    gap_y = "max(0, a.y1 - c.y2, c.y1 - a.y2)"
    diagonal = "(v.width * v.width + v.height * v.height)"
    near = f"{gap_x} * {gap_x} + {gap_y} * {gap_y} <= {binder.bind(_NEAR_SHARE**2)} * {diagonal}"
    touch = "a.x1 < c.x2 AND c.x1 < a.x2 AND a.y1 < c.y2 AND c.y1 < a.y2"
    return {"together": "1", "touch": touch, "near": near}[relation], f"sqrt({across} * {across} + {down} * {down})"


def _pairs_in_span(session: Session, query: RelationQuery, window: Window) -> Statement:
    """From the boxes on every frame of the span that shows both.

    The moment is the first at which the relation holds; where the distance is asked for, or it never holds, that of the
    least distance.
    """
    binder = Binder()
    straight, swapped = _sides(session, binder, query)
    meeting = [
        f"p.last_t >= {moment_in_video(binder, window.start, 'p.video_key')}" if window.start else "1 = 1",
        f"p.first_t <= {moment_in_video(binder, window.end, 'p.video_key')}" if window.end else "1 = 1",
    ]
    pairs = (
        f"SELECT p.video, p.video_key, {_turned(straight, 'key', 'category', 'id')} FROM pairs AS p"
        f" WHERE ({straight} OR {swapped}){_in_scope(session, binder)} AND {' AND '.join(meeting)}"
    )
    holds, distance = _measures(binder, query.relation)
    shared = (
        f"SELECT o.*, a.t, ({holds}) AS held, {distance} AS distance, k.duration / k.n_frames AS step"
        f" FROM ({pairs}) AS o JOIN videos AS v ON v.key = o.video_key JOIN tracklets AS k ON k.key = o.one_key"
        " JOIN boxes AS a ON a.tracklet_key = o.one_key JOIN boxes AS c ON c.tracklet_key = o.other_key"
        f" AND c.t BETWEEN a.t - {_SAME_TIME_S} AND a.t + {_SAME_TIME_S}"
        f" WHERE {span_tests(binder, window, 'a.t', 'o.video_key')}"
    )
    placed = (
        f"SELECT *, row_number() OVER (PARTITION BY one_key, other_key ORDER BY distance, t) AS place FROM ({shared})"
    )
    closest = "max(CASE WHEN place = 1 THEN t END)"
    first = f"coalesce(min(CASE WHEN held THEN t END), {closest})"
    moment = closest if query.relation == "near" and query.ask in ASKING_DISTANCE else first
    found = (
        f"SELECT video, one_category, one_id, other_category, other_id, max(held) AS holds,"
        f" min(distance) AS distance_px, {moment} AS t, sum(held) * max(step) AS seconds"
        f" FROM ({placed}) GROUP BY one_key, other_key"
    )
    order = "distance_px DESC" if query.farthest else "distance_px"
    return binder.statement(f"SELECT {_ROW} FROM ({found}) ORDER BY holds DESC, {order}, t LIMIT {_MAX_PAIRS}")


def _pairs_at(session: Session, query: RelationQuery) -> Statement:
    """From the boxes on the frame nearest to one moment."""
    binder = Binder()
    columns = "k.key, k.id, k.category, k.video, k.video_key, b.t, b.x1, b.y1, b.x2, b.y2"
    first = tracklets_sql(binder, query.first, session.scope, columns, query.window)
    second = tracklets_sql(binder, query.second or Selection(), session.scope, columns, query.window)
    holds, distance = _measures(binder, query.relation)
    order = "distance_px DESC" if query.farthest else "distance_px"
    return binder.statement(
        f"SELECT a.video, a.category AS one_category, a.id AS one_id, c.category AS other_category, c.id AS other_id,"
        f" ({holds}) AS holds, {distance} AS distance_px, a.t, 0.0 AS seconds"
        f" FROM ({first}) AS a JOIN ({second}) AS c ON c.video_key = a.video_key AND c.key <> a.key"
        f" JOIN videos AS v ON v.key = a.video_key ORDER BY holds DESC, {order}, one_id, other_id LIMIT {_MAX_PAIRS}"
    )
