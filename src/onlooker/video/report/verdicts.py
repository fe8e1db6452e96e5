"""What a judge of authenticity said, in the few words that fit on a label, a card or a page."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection, select

from onlooker.video.reasons import NOT_A_PERSON
from onlooker.video.store.schema import JUDGEMENTS, JUDGES


@dataclass(frozen=True, slots=True)
class ShownVerdict:
    """Of one tracklet.

    Attributes:
        judge: name and version.
        threshold: probability from which something looks manipulated.
        tested_on: where its probabilities were measured, in words.
        curve: (seconds, probability) of its judged moments, in order of time.
        reason: why some or all of its moments were not judged.
    """

    judge: str
    threshold: float
    tested_on: str
    curve: tuple[tuple[float, float], ...]
    reason: str | None

    @property
    def mean(self) -> float | None:
        """Of all judged moments; the verdict. `None` where nothing was judged."""
        return sum(p for _, p in self.curve) / len(self.curve) if self.curve else None

    @property
    def summary(self) -> str:
        """ "Looks manipulated, 0.83", "below the threshold, 0.12" or "not judged: no face found"."""
        if self.mean is None:
            return f"not judged: {self.reason}"
        return f"{'looks manipulated' if self.mean >= self.threshold else 'below the threshold'}, {self.mean:.2f}"

    @property
    def whole(self) -> str:
        """The summary, who said so, from what probability on, and, of what looks manipulated, on what he was tested."""
        if self.mean is None:
            return f"{self.summary} ({self.judge})"
        tested = f"; tested on {self.tested_on}" if self.mean >= self.threshold else ""
        return f"{self.summary}, suspected from {self.threshold:.2f} ({self.judge}{tested})"

    def label_at(self, t: float) -> str:
        """ "Manipulated? 0.83" where the judged moment nearest to `t` (seconds) reaches the threshold, else nothing."""
        if not self.curve:
            return ""
        _, probability = min(self.curve, key=lambda moment: abs(moment[0] - t))
        return f"manipulated? {probability:.2f}" if probability >= self.threshold else ""


def load_verdicts(connection: Connection, video_id: int) -> dict[int, ShownVerdict]:
    """By tracklet key, without things that have no face; empty where no judge has looked at the video."""
    judge = connection.execute(select(JUDGES).where(JUDGES.c.video_id == video_id)).one_or_none()
    if judge is None:
        return {}
    j = JUDGEMENTS.c
    query = select(j.tracklet_id, j.t, j.probability, j.reason).where(j.video_id == video_id).order_by(j.t)
    curves: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
    reasons: dict[int, str] = {}
    for key, t, probability, reason in connection.execute(query):
        if probability is None:
            reasons.setdefault(key, reason)
        else:
            curves[key].append((t, probability))
    reasons = {key: reason for key, reason in reasons.items() if reason != NOT_A_PERSON}
    return {
        key: ShownVerdict(judge.judge, judge.threshold, judge.tested_on, tuple(curves.get(key, ())), reasons.get(key))
        for key in {*curves, *reasons}
    }
