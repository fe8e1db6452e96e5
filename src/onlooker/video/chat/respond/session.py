"""What every responder works with: the reader, the scope, tracklets as typed rows, and a draft of the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from onlooker.video.answer import Cell, Claim, Evidence, Status, Value
from onlooker.video.chat.compile import Binder, Scope, Statement, order_sql, tracklets_sql
from onlooker.video.chat.query import Event, Rank, Selection, Window
from onlooker.video.chat.vocabulary import Reader, Vocabulary
from onlooker.video.chat.wording import noun_of, span

MAX_EVIDENCE = 50
_TRACK_COLUMNS = (
    "key", "id", "video", "video_key", "label", "category", "category_score", "identity", "t_start", "t_end", "best_t",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Track:
    """One tracklet of a result; `values` holds the further columns that were asked for."""

    key: int
    number: int
    video: str
    video_key: int
    label: str | None
    category: str
    category_score: float
    identity: float
    t_start: float
    t_end: float
    best_t: float
    values: Mapping[str, Cell] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people call it: "car 3", or the name a person gave it."""
        return self.label or f"{self.category} {self.number}"

    @property
    def spanned(self) -> str:
        """ "car 3 (0.5–4.2 s)"."""
        return f"{self.name} ({span(self.t_start, self.t_end)})"

    @property
    def certainty(self) -> float:
        return self.category_score * self.identity

    def number_of(self, column: str) -> float | None:
        """A further column as a number."""
        value = self.values.get(column)
        return None if value is None else float(value)

    def text_of(self, column: str) -> str | None:
        """A further column as text."""
        value = self.values.get(column)
        return None if value is None else str(value)


@dataclass(slots=True)
class Draft:
    """An answer being written. `statement` is the one that gave the value."""

    text: str
    value: Value = None
    status: Status = "answered"
    unit: str | None = None
    claims: list[Claim] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    statement: Statement | None = None
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    confidence: float = 1.0
    named: tuple[Track, ...] = ()
    sql: str | None = None

    def cite(self, text: str, items: Sequence[Evidence]) -> None:
        """Adds a claim that rests on these pieces of evidence."""
        indices = []
        for item in items:
            if item not in self.evidence:
                self.evidence.append(item)
            indices.append(self.evidence.index(item))
        self.claims.append(Claim(text, tuple(indices)))


@dataclass(frozen=True)
class Session:
    """One question's access to the library."""

    reader: Reader
    vocabulary: Vocabulary
    scope: Scope

    @property
    def where(self) -> str:
        """Words for the scope: " in comp-00", " in 3 videos"."""
        if self.scope is not None and len(self.scope) == 1:
            return f" in {self.vocabulary.video_names.get(self.scope[0], 'the video')}"
        n = len(self.vocabulary.videos) if self.scope is None else len(self.scope)
        if n == 1:
            return f" in {self.vocabulary.videos[0].name}"
        return f" in the {n} videos"

    @property
    def several_videos(self) -> bool:
        return (len(self.vocabulary.videos) if self.scope is None else len(self.scope)) != 1

    def run(self, statement: Statement) -> tuple[tuple[str, ...], tuple[tuple[Cell, ...], ...]]:
        """Columns and rows of a statement."""
        table = self.reader.query(statement.sql, statement.params)
        return tuple(table.columns), tuple(tuple(row) for row in table.rows)

    def tracks(
        self,
        selection: Selection,
        columns: Sequence[str] = (),
        window: Window | None = None,
        event: Event | None = None,
        order: Rank | None = None,
        limit: int = MAX_EVIDENCE,
    ) -> tuple[list[Track], Statement]:
        """Tracklets of a selection in order, at most `limit`, with further columns of the view."""
        binder = Binder()
        wanted = [*_TRACK_COLUMNS, *(c for c in columns if c not in _TRACK_COLUMNS)]
        sql = tracklets_sql(binder, selection, self.scope, ", ".join(f"k.{c}" for c in wanted), window, event)
        sql += f" ORDER BY {order_sql(order)} LIMIT {binder.bind(limit)}"
        statement = binder.statement(sql)
        _, rows = self.run(statement)
        return [_track(wanted, row) for row in rows], statement

    def count(
        self, selection: Selection, window: Window | None = None, event: Event | None = None
    ) -> tuple[int, Statement]:
        """How many tracklets a selection has."""
        binder = Binder()
        statement = binder.statement(tracklets_sql(binder, selection, self.scope, "count(*) AS n", window, event))
        _, rows = self.run(statement)
        return int(rows[0][0] or 0), statement

    def exists(self, selection: Selection) -> bool:
        """Whether any tracklet bears the noun at all, whatever else is said of it."""
        plain = replace(selection, conditions=(), rank=None)
        return not selection.is_unknown and bool(self.tracks(plain, limit=1)[0])

    def evidence(self, tracks: Sequence[Track]) -> list[Evidence]:
        """Tracklet evidence with the box at the best view, for at most `MAX_EVIDENCE` tracklets."""
        shown = list(tracks)[:MAX_EVIDENCE]
        boxes = self._best_boxes([t.key for t in shown])
        return [Evidence("tracklet", t.video, t.number, t.t_start, t.t_end, t.best_t, boxes.get(t.key)) for t in shown]

    def _best_boxes(self, keys: Sequence[int]) -> dict[int, tuple[float, float, float, float]]:
        if not keys:
            return {}
        binder = Binder()
        sql = (
            "SELECT b.tracklet_key, b.x1, b.y1, b.x2, b.y2 FROM boxes AS b"
            " JOIN tracklets AS k ON k.key = b.tracklet_key"
            f" WHERE b.tracklet_key IN ({binder.bind_all(tuple(keys))}) AND b.t = k.best_t"
        )
        _, rows = self.run(binder.statement(sql))
        return {int(r[0] or 0): _box(r[1:5]) for r in rows}


def _box(cells: Sequence[Cell]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (float(c or 0.0) for c in cells)
    return x1, y1, x2, y2


def _track(columns: Sequence[str], row: Sequence[Cell]) -> Track:
    cells = dict(zip(columns, row, strict=True))
    return Track(
        key=int(cells["key"] or 0),
        number=int(cells["id"] or 0),
        video=str(cells["video"]),
        video_key=int(cells["video_key"] or 0),
        label=None if cells["label"] is None else str(cells["label"]),
        category=str(cells["category"]),
        category_score=float(cells["category_score"] or 0.0),
        identity=float(cells["identity"] or 0.0),
        t_start=float(cells["t_start"] or 0.0),
        t_end=float(cells["t_end"] or 0.0),
        best_t=float(cells["best_t"] if cells["best_t"] is not None else cells["t_start"] or 0.0),
        values=cells,
    )


def certainty(tracks: Sequence[Track]) -> float:
    """How sure the tracklets themselves are: their mean category score and identity."""
    return sum(t.certainty for t in tracks) / len(tracks) if tracks else 1.0


def fill(draft: Draft, session: Session, statement: Statement) -> Draft:
    """Runs the statement of a draft and keeps its rows."""
    draft.statement = statement
    draft.columns, draft.rows = session.run(statement)
    return draft


def nothing(session: Session, selection: Selection, value: Value) -> Draft:
    """The honest answer about something that is not there."""
    noun = noun_of(selection)
    if selection.numbers and selection.categories is None:
        noun = f"object {', '.join(str(n) for n in selection.numbers)}"
    elif selection.numbers:
        noun = f"{noun} {', '.join(str(n) for n in selection.numbers)}"
    draft = Draft(f"None: no {noun} was found{session.where}.", value, "no_evidence")
    _, statement = session.count(replace(selection, rank=None))
    return fill(draft, session, statement)
