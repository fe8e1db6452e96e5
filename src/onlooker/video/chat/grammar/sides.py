"""Left, right, top and bottom: a place, a direction, an edge to come from or leave by, or a side of another thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from onlooker.video.chat.grammar.phrases import Cue
from onlooker.video.chat.grammar.tokens import Token
from onlooker.video.chat.grammar.verbs import BASE_FORMS
from onlooker.video.chat.grammar.words import words

Role = Literal["from", "to", "at", "of", "further", "bare"]

SIDES = {
    "left": "left", "leftward": "left", "leftwards": "left", "lefthand": "left", "right": "right", "rightward": "right",
    "rightwards": "right", "righthand": "right", "top": "top", "upper": "top", "up": "up", "upward": "up",
    "upwards": "up",
    "bottom": "bottom", "down": "down", "lower": "bottom", "downward": "down", "downwards": "down", "centre": "centre",
    "center": "centre", "middle": "centre", "central": "centre",
}  # fmt: skip
_ARTICLES = words("the its their his her very far a")
_BEHIND = words("side sides edge border half part corner hand third area region margin end boundary")
_FROM = frozenset({"from"})
_TO = words("to towards toward into through via across over")
_AT = words("on at in near inside within along by")
_BEHIND_EXACTLY = words("now away when before after at")
_FURTHER = words("further farther more")
_WAYS = words("way direction movement motion move path heading headed bound aimed route turn from")
# "Show up", "came up": no way up.
_RISING = words("end show pop turn roll pull sum come comes came coming crop crops cropped")
_LEADING_TO = words("at from to toward towards near along")
_FRAME = words("frame picture image screen video view scene shot clip camera")


@dataclass(frozen=True, slots=True)
class Side:
    """One side word at tokens `[start, end)` with the part it plays; `of_half` where "half" is said of it."""

    value: str
    role: Role
    start: int
    end: int
    of_half: bool = False


def find_sides(tokens: Sequence[Token], blocked: frozenset[int]) -> list[Side]:
    """Side words outside blocked tokens; "top left" is one side."""
    found: list[Side] = []
    i = 0
    while i < len(tokens):
        side = None if i in blocked or tokens[i].text not in SIDES else _side_at(tokens, i, blocked)
        if side is None:
            i += 1
        else:
            found.append(side)
            i = side.end
    return found


def is_side(tokens: Sequence[Token], cue: Cue) -> bool:
    """Whether a phrase is really part of a side: "go from" of "go from left to right" is no leaving, "top" of "at the
    top" or "the top right corner" no garment."""
    if cue.code == "end" and cue.end > cue.start + 1 and _text(tokens, cue.end - 1) == "from":
        return bool({_text(tokens, cue.end), _text(tokens, cue.end + 1)} & SIDES.keys())
    if cue.code in {"upper", "lower"} and _text(tokens, cue.end - 1) == "half":
        return _text(tokens, cue.start - 1) == "the" and _text(tokens, cue.start - 2) in {"in", "within", "inside"}
    if cue.code != "upper" or cue.end != cue.start + 1 or _text(tokens, cue.start) != "top":
        return False
    following = _text(tokens, cue.end)
    if following in _BEHIND | {"left", "right"}:
        return True
    if following == "of":
        return bool({_text(tokens, cue.end + 1), _text(tokens, cue.end + 2)} & _FRAME)
    before = cue.start - 1
    article = _text(tokens, before) == "the"
    return _text(tokens, before - article) in _LEADING_TO or (article and _text(tokens, before - 1) in {"in", "on"})


def _text(tokens: Sequence[Token], i: int) -> str:
    return tokens[i].text if 0 <= i < len(tokens) else ""


def _side_at(tokens: Sequence[Token], i: int, blocked: frozenset[int]) -> Side | None:
    value, end = SIDES[tokens[i].text], i + 1
    if (
        value == "right"
        and _text(tokens, end) in _BEHIND_EXACTLY
        and _text(tokens, i - 1) not in _FURTHER | {"or", "left", "the", "to"}
    ):
        return None  # "right at 3 s"
    if value == "up" and _text(tokens, i - 1) in {"add", "count", "sum", "tally", "total", "tot", "end", "how"}:
        return None
    if value in {"top", "bottom", "centre"} and _text(tokens, end) in {"left", "right"} and end not in blocked:
        value, end = f"{value} {SIDES[tokens[end].text]}", end + 1
    if _text(tokens, end) == "most":
        end += 1
    behind = end
    while _text(tokens, behind) in _BEHIND and behind not in blocked:
        behind += 1
    start = i
    while start > 0 and _text(tokens, start - 1) in _ARTICLES:
        start -= 1
    before = _text(tokens, start - 1)
    if _text(tokens, behind) == "of":
        k = behind + 1
        while _text(tokens, k) in _ARTICLES:
            k += 1
        if _text(tokens, k) not in _FRAME and behind == end:
            return Side(value, "of", start - (before in _TO | _AT), behind + 1)
        if _text(tokens, k) in _FRAME:
            behind = k + 1
    role = _role(before, value, start != i or behind != end)
    role = "at" if role == "to" and before == "to" and start != i and _only_is(tokens, start - 1) else role
    if value == "up" and role == "bare" and _text(tokens, i - 1) in _RISING:
        return None
    of_half = any(_text(tokens, k) == "half" for k in range(end, behind))
    return Side(value, role, start - (role != "bare"), behind, of_half)


def _only_is(tokens: Sequence[Token], end: int) -> bool:
    """ "Who is to the left?", "the car to the right": said to be there, where no verb of going and no way is named."""
    verbs = {t.base for t in tokens[:end] if t.base in BASE_FORMS.values()}
    return verbs <= {"be"} and not any(t.text in _WAYS for t in tokens[:end])


def _role(before: str, value: str, framed: bool) -> Role:
    if before in _FROM:
        return "from"
    if before in _FURTHER:
        return "further"
    if before in _TO:
        return "to"
    if before in _AT and (framed or value not in {"up", "down"}):
        return "at"
    return "bare"
