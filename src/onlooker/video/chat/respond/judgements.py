"""Judged moments as typed rows: when, what box, how likely manipulated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onlooker.video.answer import Cell, Evidence
from onlooker.video.chat.compile import Binder
from onlooker.video.chat.respond.session import Session

_MAX_MOMENTS = 5000


@dataclass(frozen=True, slots=True)
class Moment:
    """One judged moment of one tracklet; `reaches` whether its probability is at least the judge's threshold."""

    key: int
    number: int
    video: str
    time_s: float
    probability: float
    box_xyxy_px: tuple[float, float, float, float]
    reaches: bool

    def evidence(self) -> Evidence:
        """The moment with the box that was judged and the probability as its words."""
        said = f"probability {self.probability:.2f}"
        t = self.time_s
        return Evidence("judgement", self.video, self.number, t, t, t, self.box_xyxy_px, said)


def moments_of(
    session: Session, keys: Sequence[int], tests: Sequence[str], binder: Binder | None = None
) -> list[Moment]:
    """Judged moments of tracklets, in order of time.

    Args:
        keys: library keys of tracklets.
        tests: further tests on `j` and its tracklet `k`, with their values in `binder`.
    """
    if not keys:
        return []
    binder = binder or Binder()
    owned = f"j.tracklet_key IN ({binder.bind_all(tuple(keys))})"
    statement = binder.statement(
        "SELECT j.tracklet_key, j.id, j.video, j.t, j.probability, j.x1, j.y1, j.x2, j.y2,"
        " j.probability >= j.threshold AS reaches FROM judgements AS j JOIN tracklets AS k ON k.key = j.tracklet_key"
        f" WHERE {' AND '.join([owned, 'j.probability IS NOT NULL', *tests])}"
        f" ORDER BY j.t, j.tracklet_key LIMIT {binder.bind(_MAX_MOMENTS)}"
    )
    _, rows = session.run(statement)
    return [_moment(row) for row in rows]


def _moment(row: Sequence[Cell]) -> Moment:
    x1, y1, x2, y2 = (float(cell or 0.0) for cell in row[5:9])
    return Moment(
        key=int(row[0] or 0),
        number=int(row[1] or 0),
        video=str(row[2]),
        time_s=float(row[3] or 0.0),
        probability=float(row[4] or 0.0),
        box_xyxy_px=(x1, y1, x2, y2),
        reaches=bool(row[9]),
    )
