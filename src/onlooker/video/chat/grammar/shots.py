"""Shots asked about by themselves: "how long is the last scene?", "which shot is the longest?"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.shot_times import LAST, names_no_shot
from onlooker.video.chat.grammar.tokens import ORDINAL_WORDS
from onlooker.video.chat.query import Query, Refusal, VideoFactQuery

_NUMBERED = r"(?P<place>\w+) (?:shot|scene|take)"
_LENGTH = re.compile(
    rf"\bhow (?:long|many seconds) (?:is|was|does|do|did|are) (?:the )?{_NUMBERED}\b(?! of)"
    rf"|\b(?:length|duration) of the (?P<of>\w+) (?:shot|scene|take)\b"
)
_WHICH = re.compile(
    r"\b(?:which|what)(?: of the)? (?:shots?|scenes?|takes?) (?:is|was|lasts?|takes?|runs?)(?: the)?"
    r" (?P<most>longest|longer|shortest|shorter)\b"
    r"|\bwhich is the (?P<named>longest|longer|shortest|shorter) (?:shot|scene|take)\b"
)
_ANY_SHOT = re.compile(r"\b(?:which|what|every|each|all(?: the)?) (?:shots?|scenes?|takes?)\b(?! changes?)")
_PICKS: dict[str, Literal["longest", "shortest"]] = {
    "longest": "longest", "longer": "longest", "shortest": "shortest", "shorter": "shortest",
}  # fmt: skip


def about_shots(scene: Scene) -> Query | None:
    """The length of one shot, or which is the longest; a refusal of what shots show."""
    if names_no_shot(scene.reading.tokens):
        return Refusal("Shots are counted 1, 2, 3 and so on, or back from the last: say which is meant.")
    if not scene.has("scene"):
        return None
    said = " ".join(t.text for t in scene.reading.tokens)
    which, length = _WHICH.search(said), _LENGTH.search(said)
    if which is not None and not scene.things:
        return VideoFactQuery("shots", pick=_PICKS[which.group("most") or which.group("named")])
    place = (length.group("place") or length.group("of")) if length is not None else None
    if place in _PICKS:
        return VideoFactQuery("shots", "how_long", pick=_PICKS[place])
    if place is not None and not scene.things and (number := _place(place, scene)) is not None:
        return VideoFactQuery("shots", "how_long", shot=number)
    if _ANY_SHOT.search(said) and (scene.things or scene.form not in {"count", "when", "list"}):
        return Refusal("Shots are not told by what they show. Ask when a thing is seen, and when the cuts are.")
    return None


def _place(said: str, scene: Scene) -> int | None:
    tokens: Sequence[tuple[str, int]] = [
        (t.text, int(t.number)) for t in scene.reading.tokens if t.ordinal and t.number
    ]
    return -1 if said in LAST else ORDINAL_WORDS.get(said) or dict(tokens).get(said)
