"""Answers kept in a library, read back as values."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, literal_column, select

from onlooker.video.answer import Answer, Claim, Evidence
from onlooker.video.store.schema import ANSWERS


def load_answers(connection: Connection, videos: Collection[str] | None = None, limit: int = 100) -> list[Answer]:
    """The latest kept answers, oldest of them first.

    Args:
        connection: from `Store.read()`.
        videos: only answers all of whose evidence lies in these; all answers by default.
        limit: at most this many.
    """
    # Stamps are whole seconds; rows of one second are told apart by when they came in.
    query = select(ANSWERS.c.answer_json).order_by(ANSWERS.c.created_at.desc(), literal_column("rowid").desc())
    found: list[Answer] = []
    for text in connection.execute(query).scalars():
        answer = answer_from_dict(json.loads(text))
        cited = {item.video for item in answer.evidence}
        if videos is None or (cited and cited <= set(videos)):
            found.append(answer)
        if len(found) == limit:
            break
    return found[::-1]


def answer_from_dict(content: Mapping[str, object]) -> Answer:
    """The answer whose `to_json` gave `content`.

    Raises:
        TypeError: a field is unknown or missing.
    """
    values = dict(content)
    values["claims"] = tuple(_claim(item) for item in _dicts(values.get("claims")))
    values["evidence"] = tuple(_evidence(item) for item in _dicts(values.get("evidence")))
    values["columns"] = tuple(_list(values.get("columns")))
    values["rows"] = tuple(tuple(_list(row)) for row in _list(values.get("rows")))
    return Answer(**values)  # type: ignore[arg-type]


def _claim(content: dict[str, object]) -> Claim:
    return Claim(str(content["text"]), tuple(at for at in _list(content["evidence"]) if isinstance(at, int)))


def _evidence(content: dict[str, object]) -> Evidence:
    box = content.get("box_xyxy_px")
    return Evidence(**{**content, "box_xyxy_px": None if box is None else tuple(_list(box))})  # type: ignore[arg-type]


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _dicts(value: object) -> list[dict[str, object]]:
    return [item for item in _list(value) if isinstance(item, dict)]
