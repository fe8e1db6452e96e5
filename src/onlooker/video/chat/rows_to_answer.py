"""Rows of a checked statement become value, evidence and words, by rules; no model has a say in any of them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from onlooker.errors import QueryError
from onlooker.video.answer import Answer, Cell, Claim, Evidence, Status, Value
from onlooker.video.chat.prompting import AnswerType
from onlooker.video.chat.scoping import evidence_sql
from onlooker.video.store.reader import Reader, Rows

_BOX = ("x1", "y1", "x2", "y2")
_MAX_EVIDENCE = 100
_MAX_TOLD = 8
_TRACKLETS = (
    "SELECT key, id, video, category, t_start, t_end, best_t FROM tracklets "
    "WHERE key IN (SELECT value FROM json_each(:keys)) ORDER BY key"
)


def value_of(answer_type: AnswerType, result: Rows) -> Value:
    """The machine-readable value that these rows carry. The same rows always give the same value.

    Raises:
        QueryError: the rows cannot be of that type; the message says what was expected.
    """
    if answer_type == "count":
        return _count(result)
    if not result.rows or answer_type == "rows":
        return _single(result)
    if answer_type in ("moment", "duration"):
        cell = _first_number(result)
        return None if cell is None else float(cell)
    if answer_type == "yes_no":
        return any(bool(cell) for cell in result.rows[0]) if len(result.rows) == 1 else True
    if answer_type == "tracklets":
        return _numbers_of_tracklets(result)
    if answer_type == "box":
        return _box(result)
    texts = [str(row[0]) for row in result.rows if row[0] is not None]
    return texts[0] if len(texts) == 1 else (texts or None)


def _count(result: Rows) -> int:
    if len(result.rows) == 1 and len(_numbers(result.rows[0])) == 1 and not {"id", "key"} & set(result.columns):
        number = _numbers(result.rows[0])[0]
        if number != int(number) or number < 0:
            raise QueryError(f"answer_type count needs a whole number, the query gave {number}")
        return int(number)
    if result.rows and not {"id", "key", "tracklet_key"} & set(result.columns):
        raise QueryError(f"answer_type count needs one number or one row per thing, got columns {result.columns}")
    return len(result.rows)


def _numbers(row: Sequence[Cell]) -> list[float]:
    return [cell for cell in row if isinstance(cell, int | float) and math.isfinite(cell)]


def _single(result: Rows) -> Value:
    return result.rows[0][0] if len(result.rows) == 1 and len(result.columns) == 1 else None


def _first_number(result: Rows) -> float | None:
    cell = result.rows[0][0]
    if cell is None:
        return None
    if not isinstance(cell, int | float) or not math.isfinite(cell):
        raise QueryError(f"put the time first in the SELECT: its first column `{result.columns[0]}` holds {cell!r}")
    return cell


def _numbers_of_tracklets(result: Rows) -> list[int]:
    if "id" not in result.columns:
        raise QueryError("answer_type tracklets needs the column id in the SELECT")
    at = result.columns.index("id")
    ids = [row[at] for row in result.rows if row[at] is not None]
    whole = [cell for cell in ids if isinstance(cell, int)]
    if len(whole) != len(ids):
        raise QueryError("the column id must hold tracklet numbers")
    return list(dict.fromkeys(whole))


def _box(result: Rows) -> list[float]:
    if any(name not in result.columns for name in _BOX):
        raise QueryError("answer_type box needs the columns x1, y1, x2, y2 in the SELECT")
    cells = [result.rows[0][result.columns.index(name)] for name in _BOX]
    edges = [float(cell) for cell in cells if isinstance(cell, int | float)]
    if len(edges) != len(_BOX):
        raise QueryError(f"x1, y1, x2, y2 must be numbers, got {cells}")
    return edges


@dataclass(frozen=True, slots=True)
class Found:
    """What a query of a model gave: the statement that ran, its rows, and what they are meant to be."""

    sql: str
    result: Rows
    answer_type: AnswerType
    unit: str | None


def answer_from_rows(question: str, found: Found, reader: Reader, planner: str) -> Answer:
    """The whole answer.

    Raises:
        QueryError: the rows do not fit the answer type.
    """
    value = value_of(found.answer_type, found.result)
    evidence = find_evidence(found.sql, found.result, reader)
    status: Status = "no_evidence" if _is_empty(found, value) else "answered"
    text = _text(found, value, evidence) if status == "answered" else "None: nothing in the library matches."
    claims = (Claim(text, tuple(range(len(evidence)))),) if status == "answered" else ()
    unit = {"moment": "s", "duration": "s", "box": "px"}.get(found.answer_type, found.unit)
    return Answer(
        question=question,
        status=status,
        text=text,
        value=value,
        unit=unit if value is not None else None,
        claims=claims,
        evidence=evidence,
        sql=found.sql,
        columns=found.result.columns,
        rows=found.result.rows,
        planner=planner,
    )


def _is_empty(found: Found, value: Value) -> bool:
    """Nothing matched. A plain "no" to a yes-or-no question and a count of zero are results; no rows are not."""
    if found.answer_type == "count":
        return value == 0
    if not found.result.rows:
        return True
    return all(cell is None for row in found.result.rows for cell in row)


def find_evidence(sql: str, result: Rows, reader: Reader) -> tuple[Evidence, ...]:
    """What the rows rest on: tracklets named by a key or behind an aggregate, and words with their times."""
    views = reader.checked(sql).views
    columns = result.columns
    if "text" in columns and {"video", "t_start", "t_end"} <= set(columns) and views & {"speech", "screen_text"}:
        return _quotes(result, "speech" if "speech" in views else "screen_text")
    keys = _keys(result, views)
    if not keys and "id" not in columns:
        behind = evidence_sql(sql)
        keys = [] if behind is None else _keys_behind(behind, reader)
    if not keys:
        return ()
    # A judged box is that of a face, not the tracklet's own.
    boxes = {} if "judgements" in views else _boxes_by_key(result)
    told = reader.query(_TRACKLETS, {"keys": json.dumps(keys[:_MAX_EVIDENCE])})
    return tuple(_tracklet_evidence(row, boxes.get(row[0])) for row in told.rows)


def _keys(result: Rows, views: frozenset[str]) -> list[int]:
    name = "tracklet_key" if "tracklet_key" in result.columns else "key"
    owned_by_others = views & {"videos", "speech", "screen_text", "sounds"}
    if name not in result.columns or (name == "key" and owned_by_others):
        return []
    at = result.columns.index(name)
    return list(dict.fromkeys(cell for row in result.rows if isinstance(cell := row[at], int)))


def _keys_behind(sql: str, reader: Reader) -> list[int]:
    try:
        rows = reader.query(sql).rows
    except QueryError:
        return []  # the statement itself stands; only this look behind its aggregate does not work out
    return [cell for (cell,) in rows if isinstance(cell, int)]


def _boxes_by_key(result: Rows) -> dict[Cell, tuple[float, Sequence[float]]]:
    if not {"tracklet_key", "t", *_BOX} <= set(result.columns):
        return {}
    at = [result.columns.index(name) for name in ("tracklet_key", "t", *_BOX)]
    boxes: dict[Cell, tuple[float, Sequence[float]]] = {}
    for row in result.rows:
        numbers = [float(cell) for i in at[1:] if isinstance(cell := row[i], int | float)]
        if len(numbers) == 1 + len(_BOX):
            # Only the first box of a tracklet: the one a question about one moment asks for.
            boxes.setdefault(row[at[0]], (numbers[0], numbers[1:]))
    return boxes


def _tracklet_evidence(row: Sequence[Cell], box: tuple[float, Sequence[float]] | None) -> Evidence:
    _, number, video, _, t_start, t_end, best_t = row
    moment = box[0] if box is not None else best_t
    x1, y1, x2, y2 = box[1] if box is not None else (0.0, 0.0, 0.0, 0.0)
    return Evidence(
        kind="tracklet" if box is None else "box",
        video=str(video),
        tracklet=int(str(number)),
        start_s=float(str(t_start)),
        end_s=float(str(t_end)),
        frame_s=None if moment is None else float(str(moment)),
        box_xyxy_px=None if box is None else (x1, y1, x2, y2),
    )


def _quotes(result: Rows, kind: str) -> tuple[Evidence, ...]:
    at = {name: result.columns.index(name) for name in ("video", "t_start", "t_end", "text")}
    return tuple(
        Evidence(
            kind="speech" if kind == "speech" else "screen_text",
            video=str(row[at["video"]]),
            start_s=_seconds(row[at["t_start"]]),
            end_s=_seconds(row[at["t_end"]]),
            quote=str(row[at["text"]]),
        )
        for row in result.rows[:_MAX_EVIDENCE]
    )


def _seconds(cell: Cell) -> float | None:
    return float(cell) if isinstance(cell, int | float) else None


def _text(found: Found, value: Value, evidence: Sequence[Evidence]) -> str:
    """Our words for the value. Numbers are rounded for reading only."""
    if found.answer_type == "yes_no":
        return "Yes." if value else "No."
    if found.answer_type == "moment" and isinstance(value, float):
        return f"At {value:.1f} s."
    if found.answer_type == "duration" and isinstance(value, float):
        return f"{value:.1f} s."
    if found.answer_type == "box" and isinstance(value, list):
        box = ", ".join(f"{float(edge):.0f}" for edge in value)
        when = f" at {evidence[0].frame_s:.1f} s" if evidence and evidence[0].frame_s is not None else ""
        return f"[{box}] px{when}."
    if found.answer_type == "tracklets" and isinstance(value, list):
        named = [f"{item.tracklet} (in {item.video})" for item in evidence if item.tracklet is not None]
        return _listed(named or [str(number) for number in value])
    if isinstance(value, list):
        return _listed([str(item) for item in value])
    if value is not None:
        unit = f" {found.unit}" if found.unit and isinstance(value, int | float) else ""
        return f"{value:g}{unit}." if isinstance(value, float) else f"{value}{unit}."
    return _table(found.result)


def _listed(items: Sequence[str]) -> str:
    shown = ", ".join(items[:_MAX_TOLD])
    more = len(items) - _MAX_TOLD
    return f"{shown}, and {more} more." if more > 0 else f"{shown}."


def _table(result: Rows) -> str:
    lines = [
        "; ".join(f"{name} {_shown(cell)}" for name, cell in zip(result.columns, row, strict=True))
        for row in result.rows[:_MAX_TOLD]
    ]
    more = len(result.rows) - _MAX_TOLD
    return "\n".join([*lines, f"... and {more} more rows"] if more > 0 else lines)


def _shown(cell: Cell) -> str:
    if cell is None:
        return "unknown"
    return f"{cell:g}" if isinstance(cell, float) else str(cell)
