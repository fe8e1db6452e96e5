"""Query objects to SQL over the views. Values of a question are bound parameters; only names of ours are text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from onlooker.video.chat.query import Condition, Event, Rank, Scalar, Selection, TimePoint, Window

if TYPE_CHECKING:
    from sqlglot import exp

Scope = tuple[int, ...] | None
# Ties are broken the same way everywhere: the earlier one, then the earlier video, then the lower number.
_PLACEHOLDER = re.compile(r":(p\d+)\b")
TIE_BREAK = "k.t_start, k.video_key, k.id"
_ALL_VIDEOS = 1_000_000  # more than a library holds
_SAME_TIME_S = 0.0005  # times of one frame differ by rounding only
EVENT_COLUMNS: Mapping[str, str] = {"start": "t_start", "end": "t_end"}


@dataclass(frozen=True, slots=True)
class Statement:
    """One SELECT with named parameters."""

    sql: str
    params: Mapping[str, Scalar]

    @property
    def rendered(self) -> str:
        """The same statement with its values written into it, so that it can be run again by itself."""
        return render(self.sql, self.params)


def render(sql: str, params: Mapping[str, Scalar]) -> str:
    """SQL with its named parameters replaced by literals, quoted by the SQL writer."""
    from sqlglot import exp

    def literal(node: exp.Expression) -> exp.Expression:
        if not isinstance(node, exp.Placeholder):
            return node
        value = params[str(node.this)]
        if isinstance(value, str):
            return exp.Literal.string(value)
        number = exp.Literal.number(repr(abs(value)))
        return exp.Neg(this=number) if value < 0 else number

    return str(_parsed(sql).transform(literal).sql(dialect="sqlite", copy=False))


@lru_cache(maxsize=256)
def _parsed(sql: str) -> exp.Expr:
    """The tree of a statement; questions of one kind share it, so nobody changes it."""
    import sqlglot

    return sqlglot.parse_one(sql, dialect="sqlite")


@dataclass
class Binder:
    """Collects bound values while a statement is written."""

    params: dict[str, Scalar] = field(default_factory=dict)

    def bind(self, value: Scalar) -> str:
        """The `:name` that stands for a value; equal values share one."""
        for name, known in self.params.items():
            if type(known) is type(value) and known == value:
                return f":{name}"
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f":{name}"

    def bind_all(self, values: Sequence[Scalar]) -> str:
        """Placeholders of several values, for IN."""
        return ", ".join(self.bind(value) for value in values)

    def statement(self, sql: str) -> Statement:
        used = set(_PLACEHOLDER.findall(sql))
        return Statement(sql, {name: value for name, value in self.params.items() if name in used})


# Halves of the frame, from the centre of a box `b` in a frame of `m.width` by `m.height`.
_HALF_OF_FRAME = {
    "left half": "(b.x1 + b.x2) / 2 < m.width / 2.0",
    "right half": "(b.x1 + b.x2) / 2 >= m.width / 2.0",
    "top half": "(b.y1 + b.y2) / 2 < m.height / 2.0",
    "bottom half": "(b.y1 + b.y2) / 2 >= m.height / 2.0",
}
# A third of the frame each way, from the centre of a box `b` in a frame of `m.width` by `m.height`.
_COLUMN_OF_FRAME = {"left": "< m.width / 3.0", "right": ">= 2 * m.width / 3.0"}
_ROW_OF_FRAME = {"top": "< m.height / 3.0", "bottom": ">= 2 * m.height / 3.0"}


def place_at_moment(condition: Condition) -> str:
    """A condition on the place of a tracklet as one on its box at a moment; the words of a place are sides."""
    denied, half = "NOT " if _is_denied(condition) else "", half_of(condition)
    if half is not None:
        return f"{denied}({half})"
    wanted = condition.value[0] if isinstance(condition.value, tuple) else condition.value
    across, down = "(b.x1 + b.x2) / 2", "(b.y1 + b.y2) / 2"
    tests = [f"{across} {_COLUMN_OF_FRAME[w]}" for w in str(wanted).split() if w in _COLUMN_OF_FRAME]
    tests += [f"{down} {_ROW_OF_FRAME[w]}" for w in str(wanted).split() if w in _ROW_OF_FRAME]
    if not tests:
        tests = [
            f"{across} BETWEEN m.width / 3.0 AND 2 * m.width / 3.0",
            f"{down} BETWEEN m.height / 3.0 AND 2 * m.height / 3.0",
        ]
    return f"{denied}({' AND '.join(tests)})"


def place_sql(binder: Binder, condition: Condition, window: Window | None, alias: str = "k") -> str:
    """Where a tracklet is: its box `b` at a moment, else most of its boxes in the span, or in all."""
    if window is not None and window.kind == "at":
        return place_at_moment(condition)
    if window is None and half_of(condition) is None:
        return condition_sql(binder, condition, alias)
    tests = [f"b.tracklet_key = {alias}.key"]
    for point, side in ((window.start, ">="), (window.end, "<=")) if window is not None else ():
        tests += [f"b.t {side} {moment_in_video(binder, point, f'{alias}.video_key')}"] if point is not None else []
    boxes = f"boxes AS b JOIN videos AS m ON m.key = b.video_key WHERE {' AND '.join(tests)}"
    share = f"(SELECT avg({place_at_moment(condition)}) FROM {boxes})"
    return f"{share} {'>=' if _is_denied(condition) else '>'} 0.5"


def _is_denied(condition: Condition) -> bool:
    return condition.operator in {"not in", "!="}


def condition_sql(binder: Binder, condition: Condition, alias: str = "k") -> str:
    """One condition on the tracklets view."""
    tests = []
    for column in (condition.column, *condition.also):
        name = f"{alias}.{column}"
        if condition.of_frame:
            tests.append(_share_of_frame(binder, condition, column, alias))
            continue
        if half_of(condition) is not None:
            tests.append(place_sql(binder, condition, None, alias))
        elif isinstance(condition.value, tuple) and condition.operator == "not in":
            unknown = f"{name} IS NULL OR " if condition.also else ""
            tests.append(f"({unknown}{name} NOT IN ({binder.bind_all(condition.value)}))")
        elif isinstance(condition.value, tuple):
            tests.append(f"{name} IN ({binder.bind_all(condition.value)})")
        else:
            tests.append(f"{name} {condition.operator} {binder.bind(condition.value)}")
    # "Not in red" holds where no garment is red; where no colour is known it holds of nothing.
    link = " AND " if condition.operator == "not in" else " OR "
    return tests[0] if len(tests) == 1 else "(" + link.join(tests) + ")"


def half_of(condition: Condition) -> str | None:
    """What a box meets whose centre is in the half of the frame that a condition names; `None` for other conditions."""
    named = condition.value if isinstance(condition.value, tuple) and condition.column == "place" else ()
    return next((_HALF_OF_FRAME[str(value)] for value in named if value in _HALF_OF_FRAME), None)


_FRAME_SIDES = {"dx_px": "width", "dy_px": "height"}


def _share_of_frame(binder: Binder, condition: Condition, column: str, alias: str) -> str:
    """How far something comes, either way, as a share of the width or the height of its video."""
    side = f"(SELECT v.{_FRAME_SIDES[column]} FROM videos AS v WHERE v.key = {alias}.video_key)"
    share = binder.bind(float(condition.value)) if isinstance(condition.value, int | float) else "NULL"
    return f"abs({alias}.{column}) {condition.operator} {share} * {side}"


def moment_sql(binder: Binder, point: TimePoint, video: str) -> str:
    """Seconds of a time point, as SQL over the row `video` of the videos view."""
    value = binder.bind(point.value)
    if point.base == "start":
        return value
    if point.base == "frame":
        frame = f"f.video_key = {video}.key AND f.frame >= {value}"
        return f"(SELECT f.t FROM frames AS f WHERE {frame} ORDER BY f.t LIMIT 1)"
    if point.base in {"shot", "shot_end"}:
        return _shot_sql(point, f"{video}.key")
    return f"({video}.duration - {value})" if point.base == "end" else f"({video}.duration * {value})"


def _shot_sql(point: TimePoint, video_key: str) -> str:
    """The start of a shot, or its last instant; NULL where there is no such shot, or more than the one cut meant."""
    place, column = int(point.value), "s.t_start" if point.base == "shot" else f"s.t_end - {_SAME_TIME_S}"
    shots = f"FROM shots AS s WHERE s.video_key = {video_key}"
    if place == 0:
        number = 2 if point.base == "shot" else 1
        sole = f"(SELECT count(*) {shots}) = 2"
        return f"(SELECT {column} {shots} AND s.shot = {number} AND {sole})"
    if place > 0:
        return f"(SELECT {column} {shots} AND s.shot = {place})"
    return f"(SELECT {column} {shots} ORDER BY s.shot DESC LIMIT 1 OFFSET {-place - 1})"


def moment_in_video(binder: Binder, point: TimePoint, video_key: str) -> str:
    """Seconds of a time point in the video whose key is `video_key`, a column of the statement around it."""
    if point.base == "start":
        return binder.bind(point.value)
    return f"(SELECT {moment_sql(binder, point, 'v')} FROM videos AS v WHERE v.key = {video_key})"


def window_tests(binder: Binder, window: Window, event: Event | None, alias: str = "k") -> list[str]:
    """Tests on tracklets for a span: seen at some time in it, or coming (or leaving) in it."""
    start = moment_in_video(binder, window.start, f"{alias}.video_key") if window.start else None
    end = moment_in_video(binder, window.end, f"{alias}.video_key") if window.end else None
    if event in EVENT_COLUMNS:
        column = f"{alias}.{EVENT_COLUMNS[event or 'start']}"
        tests = [f"{column} >= {start}"] if start else []
        # What is there until the last frame is not seen to leave.
        tests += [f"({alias}.leaves_to IS NULL OR {alias}.leaves_to <> 'end')"] if event == "end" else []
        return tests + ([f"{column} <= {end}"] if end else [])
    tests = [f"{alias}.t_end >= {start}"] if start else []
    tests += [f"{alias}.t_start <= {end}"] if end else []
    if start and end:
        inside = f"SELECT 1 FROM boxes AS w WHERE w.tracklet_key = {alias}.key AND w.t BETWEEN {start} AND {end}"
        tests.append(f"({alias}.n_gaps = 0 OR EXISTS ({inside}))")
    return tests


def selection_tests(
    binder: Binder, selection: Selection, scope: Scope, alias: str = "k", window: Window | None = None
) -> list[str]:
    """Tests on tracklets for everything in a selection but its rank; places are those of the window."""
    tests = [] if scope is None else [f"{alias}.video_key IN ({binder.bind_all(scope)})"]
    if selection.keys:
        tests.append(f"{alias}.key IN ({binder.bind_all(selection.keys)})")
    elif selection.categories == ():
        tests.append(f"{alias}.category = {binder.bind(selection.noun)}")
    elif selection.categories is not None:
        tests.append(f"{alias}.category IN ({binder.bind_all(selection.categories)})")
    if selection.excluded:
        tests.append(f"{alias}.category NOT IN ({binder.bind_all(selection.excluded)})")
    if selection.numbers:
        tests.append(f"{alias}.id IN ({binder.bind_all(selection.numbers)})")
    if selection.label is not None:
        tests.append(f"{alias}.label = {binder.bind(selection.label)}")
    return tests + [
        place_sql(binder, c, window, alias) if c.column == "place" else condition_sql(binder, c, alias)
        for c in selection.conditions
    ]


def order_sql(rank: Rank | None) -> str:
    """The ORDER BY of a rank with the common tie-break."""
    if rank is None:
        return "k.video_key, k.t_start, k.id"
    return f"k.{rank.column} {'DESC' if rank.descending else 'ASC'}, {TIE_BREAK}"


def tracklets_sql(
    binder: Binder,
    selection: Selection,
    scope: Scope,
    columns: str,
    window: Window | None = None,
    event: Event | None = None,
) -> str:
    """SELECT of the tracklets `k` of a selection (with the box `b` at an instant), without ORDER BY and LIMIT."""
    at_moment = window is not None and window.kind == "at"
    source = "tracklets AS k"
    tests: list[str] = []
    if window is not None and at_moment:
        source, tests = at_source(binder, window, scope)
    # What comes or goes in a span is where it is in the whole of its stay.
    tests += selection_tests(binder, selection, scope, window=window if at_moment or event is None else None)
    if window is not None and not at_moment:
        tests += window_tests(binder, window, event)
    if selection.rank is not None:
        picked = (
            f"SELECT k.key FROM {source} WHERE {' AND '.join(tests) or '1 = 1'} ORDER BY {order_sql(selection.rank)}"
        )
        kept = tests if at_moment else []
        tests = [*kept, f"k.key IN ({picked} LIMIT 1 OFFSET {binder.bind(selection.rank.n - 1)})"]
    return f"SELECT {columns} FROM {source} WHERE {' AND '.join(tests) or '1 = 1'}"


def at_source(binder: Binder, window: Window, scope: Scope) -> tuple[str, list[str]]:
    """FROM and tests for tracklets `k` with their box `b` on the frame nearest to a moment, at most a second away.

    The moment of every video is worked out first (`m`, kept apart from the rest of the statement by its LIMIT) and
    leads the join: one look-up a video, then only the tracklets around that moment.
    """
    assert window.start is not None, "an instant has a moment"
    inside = "" if scope is None else f" WHERE v.key IN ({binder.bind_all(scope)})"
    target = moment_sql(binder, window.start, "v")
    # The nearest of the frame before and the frame after: both are found in the index. (An ORDER BY on the distance
    # names an outer column, which SQLite 3.40 loses.)
    before = f"SELECT max(f.t) FROM frames AS f WHERE f.video_key = v.key AND f.t BETWEEN {target} - 1 AND {target}"
    after = f"SELECT min(f.t) FROM frames AS f WHERE f.video_key = v.key AND f.t BETWEEN {target} AND {target} + 1"
    near = (
        f"SELECT v.key AS video_key, v.width, v.height, {target} AS target, ({before}) AS low, ({after}) AS high"
        f" FROM videos AS v{inside} LIMIT {_ALL_VIDEOS}"
    )
    nearest = "CASE WHEN n.high IS NULL OR n.target - n.low <= n.high - n.target THEN n.low ELSE n.high END"
    moment = f"SELECT n.video_key, n.width, n.height, {nearest} AS t FROM ({near}) AS n LIMIT {_ALL_VIDEOS}"
    tests = [
        "k.video_key = m.video_key",
        f"k.t_start <= m.t + {_SAME_TIME_S}",
        f"k.t_end >= m.t - {_SAME_TIME_S}",
        "b.tracklet_key = k.key",
        f"b.t BETWEEN m.t - {_SAME_TIME_S} AND m.t + {_SAME_TIME_S}",
    ]
    return f"({moment}) AS m CROSS JOIN tracklets AS k CROSS JOIN boxes AS b", tests
