"""Does a written answer still stand? Its statement runs again, and rows, value, words and evidence are compared.

An answer file may come from anywhere, so it is read as hostile: its SQL passes the guard, its fields are checked before
they are used. Value, words and evidence are made again by the way they were made: the grammar is asked the question
again, a model's rows go through the rules of `rows_to_answer.py` again. Where that cannot be done (a follow-up of a
conversation) the value must still be found in the rows and every piece of evidence in the library.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from typing import get_args

from onlooker.errors import NotAnAnswerError, OnlookerError, QueryError
from onlooker.video.answer import Answer, Evidence
from onlooker.video.chat.narrator import says_the_same
from onlooker.video.chat.prompting import AnswerType
from onlooker.video.chat.rows_to_answer import Found, answer_from_rows
from onlooker.video.store.reader import Reader, Rows

TOLERANCE = 1e-9
_MAX_EVIDENCE = 1_000
_MAX_DRIFT = 20
_KINDS: tuple[AnswerType, ...] = get_args(AnswerType)
_EVIDENCE_FIELDS = tuple(field.name for field in dataclasses.fields(Evidence))
_MAX_FAULTS = 3
_JSON_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (type(None), "null"), (bool, "true or false"), ((int, float), "a number"), (str, "text"), (list, "a list"),
    (Mapping, "an object"),
)  # fmt: skip
_FIELDS: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "question": ("text", str), "status": ("text", str), "text": ("text", str), "value": ("a value", object),
    "sql": ("text or null", (str, type(None))), "planner": ("text", str), "columns": ("a list", list),
    "rows": ("a list", list), "evidence": ("a list", list), "claims": ("a list", list),
}  # fmt: skip
_STATUSES = ("answered", "no_evidence", "cannot_answer")
_SCOPE = re.compile(r"video_key\s*(?:=\s*(\d+)|IN\s*\(([\d\s,]+)\))", re.IGNORECASE)
_NOTE = re.compile(r"\s*\(Answered without the language model: [^)]*\)\Z")


@dataclasses.dataclass(frozen=True, slots=True)
class Verification:
    """`ok` when nothing drifted; `drift` says in words what did."""

    ok: bool
    drift: tuple[str, ...]


def verify(answer_json: object, reader: Reader) -> Verification:
    """Check an answer (a parsed `ask --json` object) against the library as it is now.

    Raises:
        NotAnAnswerError: it has not the fields of an answer. Whatever these say, raises nothing.
    """
    answer = _checked(answer_json)
    try:
        drift = _drift(answer, reader)
    except QueryError as error:
        drift = [f"sql: {error}"]
    shown = drift[:_MAX_DRIFT]
    if len(drift) > _MAX_DRIFT:
        shown.append(f"... and {len(drift) - _MAX_DRIFT} more")
    return Verification(not drift, tuple(shown))


def _drift(answer: Mapping[str, object], reader: Reader) -> list[str]:
    with reader.snapshot():
        sql = answer["sql"]
        if sql is None:
            return _without_statement(answer)
        now = reader.query(str(sql))
        drift = _row_drift(answer, now)
        drift += _value_drift(answer, now, reader)
        return drift + _evidence_drift(answer["evidence"], reader)


def _checked(answer: object) -> Mapping[str, object]:
    if not isinstance(answer, Mapping):
        fields = ", ".join(_FIELDS)
        raise NotAnAnswerError(f"expected an answer object as `ask --json` writes it ({fields}), got {_named(answer)}")
    wrong = _malformed(answer)
    if wrong:
        more = f"; and {len(wrong) - _MAX_FAULTS} more" if len(wrong) > _MAX_FAULTS else ""
        raise NotAnAnswerError(f"not an answer as `ask --json` writes it: {'; '.join(wrong[:_MAX_FAULTS])}{more}")
    return answer


def _malformed(answer: Mapping[str, object]) -> list[str]:
    """What is not as the contract says, field by field: what was expected and what came."""
    wrong = [
        f"`{name}`: expected {wanted}, got {_named(answer[name]) if name in answer else 'no such field'}"
        for name, (wanted, kinds) in _FIELDS.items()
        if name not in answer or not isinstance(answer[name], kinds)
    ]
    if wrong:
        return wrong
    rows, evidence, claims = _items(answer["rows"]), _items(answer["evidence"]), _items(answer["claims"])
    if not _is_value(answer["value"]):
        wrong.append("`value`: expected nothing, a number, a text, or a list of numbers or texts")
    if answer["status"] not in _STATUSES:
        wrong.append(f"`status`: expected one of {', '.join(_STATUSES)}, got {answer['status']!r:.40}")
    if not all(isinstance(row, list) for row in rows):
        wrong.append("`rows`: expected lists only")
    if len(evidence) > _MAX_EVIDENCE or not all(isinstance(item, Mapping) for item in evidence):
        wrong.append(f"`evidence`: expected at most {_MAX_EVIDENCE} objects, got {len(evidence)} items")
    for claim in claims:
        indices = claim.get("evidence") if isinstance(claim, Mapping) else None
        if not isinstance(indices, list) or not all(isinstance(i, int) and 0 <= i < len(evidence) for i in indices):
            wrong.append("`claims`: a claim points at evidence by its place in the list")
            break
    return wrong


def _named(value: object) -> str:
    """The kind of a JSON value in words."""
    for kinds, name in _JSON_KINDS:
        if isinstance(value, kinds):
            return name
    return type(value).__name__


def _is_value(value: object) -> bool:
    plain = (bool, int, float, str)
    return (
        value is None
        or isinstance(value, plain)
        or (isinstance(value, list) and all(isinstance(v, plain) for v in value))
    )


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _without_statement(answer: Mapping[str, object]) -> list[str]:
    if answer["status"] == "answered" or answer["rows"] or answer["evidence"]:
        return ["sql: missing, so nothing shows where the answer comes from"]
    return []


def _row_drift(answer: Mapping[str, object], now: Rows) -> list[str]:
    drift = []
    if _items(answer["columns"]) != list(now.columns):
        drift.append(f"columns: were {answer['columns']!r:.200}, are {list(now.columns)}")
    then = _items(answer["rows"])
    if len(then) != len(now.rows):
        drift.append(f"rows: were {len(then)}, are {len(now.rows)}")
    for i, (old, new) in enumerate(zip(then, now.rows, strict=False)):
        if not same(old, list(new)):
            drift.append(f"row {i + 1}: was {old!r:.200}, is {list(new)!r:.200}")
    return drift


def same(old: object, new: object) -> bool:
    """Equal, with numbers to 1e-9 (relative above 1). 3 and 3.0 are the same, 1 and true are not."""
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    if isinstance(old, int | float) and isinstance(new, int | float):
        return old == new or math.isclose(old, new, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    if isinstance(old, list | tuple) and isinstance(new, list | tuple):
        return len(old) == len(new) and all(same(a, b) for a, b in zip(old, new, strict=True))
    return type(old) is type(new) and old == new


def _value_drift(answer: Mapping[str, object], now: Rows, reader: Reader) -> list[str]:
    by_grammar = str(answer["planner"]).endswith("grammar")
    again = _asked_again(answer, reader) if by_grammar else _made_again(answer, now, reader)
    if again is not None:
        return _differences(answer, again)
    if answer["status"] == "answered" and not now.rows:
        return ["status: answered, but the statement finds nothing"]
    if by_grammar and _is_in_rows(answer, now):
        return []
    return [f"value: {answer['value']!r:.200} does not follow from the rows"]


def _differences(answer: Mapping[str, object], again: Answer) -> list[str]:
    drift = []
    if not same(answer["value"], again.value):
        drift.append(f"value: was {answer['value']!r:.200}, is {again.value!r:.200}")
    if answer["status"] != again.status:
        drift.append(f"status: was {answer['status']}, is {again.status}")
    text = _NOTE.sub("", str(answer["text"]))
    if text != again.text and not says_the_same(text, again):
        drift.append(f"text: was {text!r:.200}, is {again.text!r:.200}")
    then = [
        [item.get(name) for name in _EVIDENCE_FIELDS]
        for item in _items(answer["evidence"])
        if isinstance(item, Mapping)
    ]
    if not same(then, [[getattr(item, name) for name in _EVIDENCE_FIELDS] for item in again.evidence]):
        drift.append(f"evidence: was {len(then)} pieces, and is {len(again.evidence)} that are not the same")
    return drift


def _asked_again(answer: Mapping[str, object], reader: Reader) -> Answer | None:
    """The grammar's answer to the same question, if it rests on the same statement."""
    from onlooker.video.chat.answering import answer_question
    from onlooker.video.chat.conversation import Conversation

    named = {tuple(int(key) for key in re.findall(r"\d+", a or b)) for a, b in _SCOPE.findall(str(answer["sql"]))}
    for scope in (None, *sorted(named)):
        try:
            again: Answer = answer_question(reader, str(answer["question"])[:2_000], scope, Conversation())
        except OnlookerError:
            continue  # the question alone cannot be answered: it was a follow-up, or was changed
        if again.sql == answer["sql"]:
            return again
    return None


def _made_again(answer: Mapping[str, object], now: Rows, reader: Reader) -> Answer | None:
    """What the rules make of the rows, under the answer type that gives this value, and best these words."""
    unit = answer.get("unit")
    made: list[Answer] = []
    for kind in _KINDS:
        found = Found(str(answer["sql"]), now, kind, unit if isinstance(unit, str) else None)
        try:
            made.append(answer_from_rows(str(answer["question"]), found, reader, "llm"))
        except QueryError:
            continue  # rows that cannot be of this type
    fitting = [again for again in made if same(answer["value"], again.value)]
    return next((again for again in fitting if again.text == answer["text"]), fitting[0] if fitting else None)


def _is_in_rows(answer: Mapping[str, object], now: Rows) -> bool:
    """Whether the value can have come from the rows: one of their cells, a part of a column or row, or their number."""
    value = answer["value"]
    if value is None:
        return True
    if isinstance(value, bool):
        return str(answer["text"]).startswith("Yes" if value else "No")
    if isinstance(value, list):
        columns = [[row[i] for row in now.rows] for i in range(len(now.columns))]
        stretches = [list(row[i : i + len(value)]) for row in now.rows for i in range(len(row))]
        return any(same(value, part) for part in stretches) or any(
            all(any(same(item, cell) for cell in column) for item in value) for column in columns
        )
    return any(same(value, cell) for row in now.rows for cell in row) or same(value, len(now.rows))


_TRACKLET = "SELECT t_start, t_end FROM tracklets WHERE video = :video AND id = :id"
_BOX = (
    "SELECT x1, y1, x2, y2 FROM boxes WHERE video = :video AND id = :id"
    " AND abs(t - :t) <= 1 ORDER BY abs(t - :t) LIMIT 1"
)
_JUDGED = "SELECT x1, y1, x2, y2 FROM judgements WHERE video = :video AND id = :id AND abs(t - :t) < 0.001"
_WORDS = {
    "speech": "SELECT text FROM speech WHERE video = :video AND abs(t_start - :t) < 0.001",
    "screen_text": "SELECT text FROM screen_text WHERE video = :video AND abs(t_start - :t) < 0.001",
}


def _evidence_drift(evidence: object, reader: Reader) -> list[str]:
    drift = []
    for i, item in enumerate(_items(evidence)):
        problem = _problem_of(item, reader) if isinstance(item, Mapping) else "not an object"
        if problem:
            drift.append(f"evidence {i + 1}: {problem}")
    return drift


def _problem_of(item: Mapping[str, object], reader: Reader) -> str | None:
    """What is wrong with one piece of evidence, `None` when it holds."""
    video = item.get("video")
    if not isinstance(video, str) or not reader.query("SELECT 1 FROM videos WHERE name = :v", {"v": video}).rows:
        return f"there is no video {video!r:.80}"
    times = [item.get(name) for name in ("start_s", "end_s", "frame_s")]
    if not all(time is None or _is_number(time) for time in times):
        return "its times are not numbers"
    start, end, moment = (None if time is None else float(str(time)) for time in times)
    tracklet = item.get("tracklet")
    if tracklet is not None:
        if not isinstance(tracklet, int) or isinstance(tracklet, bool) or abs(tracklet) > 2**60:
            return "its tracklet is not a number"
        return _tracklet_problem(item, (video, tracklet), (start, end, moment), reader)
    kind, quote = item.get("kind"), item.get("quote")
    if quote is not None and kind in _WORDS and start is not None:
        said = reader.query(_WORDS[str(kind)], {"video": video, "t": start}).rows
        if (quote,) not in said:
            return f"{video} does not hold the words {quote!r:.80} at {start:g} s"
    return None


def _tracklet_problem(
    item: Mapping[str, object],
    owner: tuple[str, int],
    times: tuple[float | None, float | None, float | None],
    reader: Reader,
) -> str | None:
    video, number = owner
    found = reader.query(_TRACKLET, {"video": video, "id": number}).rows
    if not found:
        return f"there is no tracklet {number} in {video}"
    first, last = (float(str(cell)) for cell in found[0])
    if any(time is not None and not first - 1.0 <= time <= last + 1.0 for time in times):
        return f"tracklet {number} of {video} is seen from {first:g} to {last:g} s only"
    box, moment = item.get("box_xyxy_px"), times[2]
    if box is None or moment is None:
        return None
    look_up = _JUDGED if item.get("kind") == "judgement" else _BOX
    now = reader.query(look_up, {"video": video, "id": number, "t": moment}).rows
    if not now or not isinstance(box, list) or not _near(box, now[0]):
        return f"the box of tracklet {number} of {video} at {moment:g} s is {list(now[0]) if now else None}"
    return None


def _near(box: Sequence[object], now: Sequence[object]) -> bool:
    return len(box) == 4 and all(
        _is_number(a) and _is_number(b) and abs(float(str(a)) - float(str(b))) < 1e-3
        for a, b in zip(box, now, strict=True)
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
