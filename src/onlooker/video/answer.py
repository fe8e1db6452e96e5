"""The one value every face renders: an answer with its proof (DESIGN section 5)."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Literal

Status = Literal["answered", "no_evidence", "cannot_answer"]
Value = bool | int | float | str | list[int] | list[float] | list[str] | None
Cell = None | bool | int | float | str
EvidenceKind = Literal[
    "tracklet", "box", "pair", "speech", "screen_text", "sound", "shot", "video", "attribute", "judgement"
]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing in a video that a claim rests on.

    `video` is the video's name; `tracklet` its number in that video; times are seconds of that video; `frame_s` the one
    moment to look at; `quote` is text heard or read, verbatim.
    """

    kind: EvidenceKind
    video: str
    tracklet: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    frame_s: float | None = None
    box_xyxy_px: tuple[float, float, float, float] | None = None
    quote: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of the answer and the indices of the evidence it rests on."""

    text: str
    evidence: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, readable by people (`text`) and by machines (`value`), with everything needed to check it.

    `value` is int for counts, float seconds for when and how long, bool for yes or no, a list of tracklet numbers for
    which and who, `[x1, y1, x2, y2]` for where, a string for what, colour, direction and category. `sql` is the exact
    statement that gave `rows`; running it again gives them again.
    """

    question: str
    status: Status
    text: str
    value: Value = None
    unit: str | None = None
    claims: tuple[Claim, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    sql: str | None = None
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    planner: str = "grammar"
    confidence: float = 1.0
    models: dict[str, str] = field(default_factory=dict)
    elapsed_ms: float = 0.0
    answer_id: str = ""

    def to_json(self, indent: int | None = None) -> str:
        """The contract of `onlooker ask --json`: these fields, in this order."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, indent=indent)
