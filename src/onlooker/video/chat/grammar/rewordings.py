"""Words read as other words because of what stands beside them: "left" as leaving, "in the shop" as being there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from onlooker.video.chat.grammar.moments import UNITS
from onlooker.video.chat.grammar.tokens import ORDINAL_WORDS, Token
from onlooker.video.chat.grammar.words import words

_IN = words("in inside at")
_SHOPS = words("shop store premises")
_VIDEOS = words("video clip film footage")  # "in the shop video" names a video
_DONE_BY = words("overtaken passed outrun")
_THAN = words("faster slower bigger larger smaller")
_LAST_MOMENT = words("end ending close finish last final closing")
_BEHIND_REMAINING = words("in on once after when over")  # "who is left in the shot once the car is gone?"
_TIME_CLAUSE = words("after before once when since until till as while")
_MOVING = words("move go turn drive walk run ride head look step veer steer point face and or be stay keep from")
_WHO_LEFT = words("what who anyone anybody someone somebody nobody everyone everybody anything something nothing")
_MOMENT_BEHIND = words("between at during by until till in within around since ?")  # "what left between 3 and 5 s?"
_SIDE_BEFORE = words("the to or further farther more from on at most far bottom top move moves go goes turn turns and")
_LEFT_BEHIND = words("first last earlier later before after early late already")


def in_place(tokens: list[Token]) -> list[Token]:
    """ "Who was in the shop longest?": in the place that is filmed is there."""
    for i in range(1, len(tokens) - 2):
        texts = [t.text for t in tokens[i : i + 4]]
        article = texts[1] in {"the", "my", "our", "this"}
        if (
            tokens[i - 1].base == "be"
            and texts[0] in _IN
            and article
            and texts[2] in _SHOPS
            and _VIDEOS.isdisjoint(texts[3:])
        ):
            return [*tokens[:i], replace(tokens[i], text="there", base="there"), *tokens[i + 3 :]]
    return tokens


def same_kind(tokens: list[Token]) -> list[Token]:
    """ "Is car 6 overtaken by 7?": the number of another of the same kind, and no moment."""
    for i in range(2, len(tokens) - 1):
        texts = (tokens[i - 1].text, tokens[i].text)
        linked = (texts[0] in _DONE_BY and texts[1] == "by") or (texts[0] in _THAN and texts[1] == "than")
        behind = tokens[i + 2 : i + 3]
        if not linked or tokens[i + 1].kind != "number" or any(t.kind != "mark" for t in behind):
            continue
        pairs = pairwise(tokens[:i])
        kind = next((a for a, b in pairs if a.is_word and b.kind == "number" and not b.ordinal), None)
        if kind is not None and kind.text not in UNITS:
            at = tokens[i + 1].start
            return [*tokens[: i + 1], replace(kind, start=at, end=at), *tokens[i + 1 :]]
    return tokens


def as_leave(tokens: Sequence[Token], i: int) -> Token:
    """ "left" as the past of "leave": behind "has" or "who", before "first", or closing a question about when."""
    token = _as_remain(tokens, i)
    if token.text != "left" or (i and tokens[i - 1].text in _SIDE_BEFORE):
        return token
    before = {t.text for t in tokens[max(0, i - 5) : i]}
    following = tokens[i + 1].text if i + 1 < len(tokens) else "?"
    perfect = bool(before & {"has", "have", "had", "who", "never"})
    closing = following in {"?", "."} and "when" in before
    asked = i and tokens[i - 1].text in _WHO_LEFT and tokens[0].base != "be" and following in _MOMENT_BEHIND
    if asked or (i == 1 and tokens[0].text in {"what", "who"} and following != "of"):
        return replace(token, text="leave", base="leave")
    clause = before & _TIME_CLAUSE and following in {"?", ".", ","} and tokens[i - 1].base not in _MOVING
    if clause:
        return replace(token, text="leave", base="leave")  # "who came after the dog left?"
    placed = following in ORDINAL_WORDS or (i + 1 < len(tokens) and tokens[i + 1].ordinal)  # "which left third?"
    if (perfect or closing or placed or following in _LEFT_BEHIND) and following != "or":
        return replace(token, text="leave", base="leave")
    return token


def _as_remain(tokens: Sequence[Token], i: int) -> Token:
    """ "How many are left at the end?": "left" as what remains, where the end is spoken of."""
    behind = {t.text for t in tokens[i + 1 : i + 5]}
    left = tokens[i].text == "left" and i and tokens[i - 1].base == "be" and "of" not in behind
    following = tokens[i + 1].text if i + 1 < len(tokens) else ""
    asked = {t.text for t in tokens[:i]} & {"who", "what", "which", "many"}
    if left and (behind & _LAST_MOMENT or (asked and following in _BEHIND_REMAINING)):
        return replace(tokens[i], text="remaining", base="remain")
    return tokens[i]
