"""Times said by shots and cuts: "in the second shot", "in scene 2", "after the cut", "before the first cut"."""

from __future__ import annotations

from collections.abc import Sequence

from onlooker.video.chat.grammar.moments import UNITS, word_at
from onlooker.video.chat.grammar.tokens import ORDINAL_WORDS, Token
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import TimePoint, Window

LAST = words("last final closing")
_IN = words("in during within throughout inside")
_SHOTS = words("shot scene take")
_CUTS = words("cut transition")
_AROUND = {"after": "after", "since": "after", "following": "after", "before": "before", "until": "before"}
SOLE = 0  # the number of "the cut" where no more is said of it: there must be but one


def read_shot(tokens: Sequence[Token], i: int) -> tuple[Window, int] | None:
    """ "In the second shot": from its first frame to its last; a shot "of the dog" is no such thing."""
    if word_at(tokens, i) not in _IN:
        return None
    j = i + 2 if word_at(tokens, i + 1) == "the" else i + 1
    counted = _number(tokens, j + 1) if _is_shot(tokens, j) and j == i + 1 else None
    place = _place(tokens, j) if counted is None and _is_shot(tokens, j + 1) else counted
    end = j + 2
    if not place or place % 1 > 0 or word_at(tokens, end) == "of":
        return None
    return Window("span", TimePoint(place, "shot"), TimePoint(place, "shot_end")), end


def read_cut(tokens: Sequence[Token], i: int) -> tuple[Window, int] | None:
    """ "After the cut", "before the second cut", "after the scene change"."""
    side = _AROUND.get(word_at(tokens, i))
    if side is None or word_at(tokens, i + 1) not in {"the", "that"}:
        return None
    place = _place(tokens, i + 2)
    j = i + 2 if place is None else i + 3
    changed = word_at(tokens, j) in {"scene", "shot"} and word_at(tokens, j + 1) == "change"
    if not changed and word_at(tokens, j) not in _CUTS:
        return None
    end = j + 2 if changed else j + 1
    if place is None:
        place = SOLE
    if side == "before":
        return Window("span", None, TimePoint(place - 1 if place < 0 else place, "shot_end")), end
    return Window("span", TimePoint(place + 1 if place > 0 else place, "shot"), None), end


def names_no_shot(tokens: Sequence[Token]) -> bool:
    """ "In shot 0", "in scene 1.5": a number that no shot has."""
    named = (_number(tokens, i + 2) for i in range(len(tokens)) if tokens[i].text in _IN and _is_shot(tokens, i + 1))
    return any(n is not None and (n == 0 or n % 1 > 0) for n in named)


def _place(tokens: Sequence[Token], i: int) -> int | None:
    token = tokens[i] if i < len(tokens) else None
    if token is None:
        return None
    if token.text in LAST:
        return -1
    return int(token.number) if token.ordinal and token.number else ORDINAL_WORDS.get(token.text)


def _is_shot(tokens: Sequence[Token], i: int) -> bool:
    return word_at(tokens, i) in _SHOTS


def _number(tokens: Sequence[Token], i: int) -> float | None:
    """The number at `i`, but not that of "in shot 7.4 seconds in"."""
    token = tokens[i] if i < len(tokens) else None
    return (
        token.number if token is not None and token.kind == "number" and word_at(tokens, i + 1) not in UNITS else None
    )
