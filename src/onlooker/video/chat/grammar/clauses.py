"""Clauses that only say when: "when the dog leaves", "by the time person 8 appears", "before the car is gone"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from onlooker.video.chat.grammar.mentions import Mention
from onlooker.video.chat.grammar.moments import INSTANT_S
from onlooker.video.chat.grammar.phrases import Cue
from onlooker.video.chat.grammar.reading import Reading
from onlooker.video.chat.grammar.segments import length_before, stood_first
from onlooker.video.chat.grammar.tokens import Token
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import Anchor, Rank, TimePoint, Window

_AT = words("when once while as moment")
_BEFORE = words("before until till by")
_AFTER = words("after since")
_BETWEEN = words("the time that moment soon as")
_EVENT_CUES = ("start", "end", "appear", "visible", "gone")
# Questions that use "before" and "after" to weigh two things against each other.
_WEIGHING = frozenset({"yes_no", "when", "how_long"})
_RELATIONS = ("near", "touch", "together", "pass", "nearest", "distance")
_ASKING = words("who what which how where")


@dataclass(frozen=True, slots=True)
class Clause:
    """A time clause at tokens `[start, end)`; `is_stay` where it means all the time something is visible."""

    anchor: Anchor
    window: Window
    start: int
    end: int
    is_stay: bool = False


def find_clause(reading: Reading) -> Clause | None:
    """The time clause of a question, when it has one beside what it asks."""
    for mention in reading.mentions:
        opening = _opening(reading, mention)
        if opening is None or _is_the_other(reading, mention):
            continue
        start, relation = opening
        offset, start = _offset(reading.tokens, start, relation)
        end = next((i for i in range(mention.end, len(reading.tokens)) if reading.tokens[i].text in {",", "?"}), None)
        if end in {None, len(reading.tokens) - 1} and start == 0:
            end = _asked_behind(reading, mention) or end
        end = len(reading.tokens) if end is None else end
        if start == 0 and end == len(reading.tokens):
            continue
        event = _event(reading, mention, end, relation)
        if event == "end" and reading.tokens[start].text == "once":
            relation = "after"  # "once the car has gone": from then on, not at that moment
        others = [m for m in reading.mentions if m is not mention and not start <= m.start < end]
        if reading.form == "when" and all(m.kind == "pronoun" for m in others):
            continue  # "how late is it when the van first shows?"
        asks = reading.form in {"what", "list", "count", "which"} or reading.has("events")
        if event is None or (not others and not asks):
            continue
        selection = replace(mention.selection, definite=True)
        if mention.order is not None and selection.rank is None and not selection.numbers:
            place = Rank("t_start", mention.order < 0, abs(mention.order))  # "when the second bird comes"
            selection = replace(selection, rank=place, plural=False)
        is_stay = reading.tokens[start].text == "while" and not _cues(reading, mention, end) - {"visible"}
        window = _window(relation) if offset is None else Window("at", TimePoint(offset, "event"), None)
        return Clause(Anchor(selection, event), window, start, end, is_stay)
    return None


def _asked_behind(reading: Reading, mention: Mention) -> int | None:
    """ "While the truck is there who else is there": where the question begins, with no comma before it."""
    tokens = reading.tokens
    opened = tokens[0].text in {"while", "when"} and len(tokens) > mention.end
    behind = range(mention.end + 2, len(tokens))
    return next((i for i in behind if tokens[i].text in _ASKING), None) if opened else None


def _is_the_other(reading: Reading, mention: Mention) -> bool:
    """ "Which do we see before the other?": of the two that are compared."""
    return any(t.text in {"other", "others", "rest"} for t in reading.tokens[mention.start : mention.end])


def _opening(reading: Reading, mention: Mention) -> tuple[int, Literal["at", "before", "after"]] | None:
    """Where the conjunction before a mention stands and what it says."""
    i = mention.start - 1
    while i > 0 and reading.tokens[i].text in _BETWEEN and reading.tokens[i].text not in {"as", "moment"}:
        i -= 1
    if i < 0:
        return None
    word = reading.tokens[i].text
    if word in {"soon", "moment"}:
        i -= 1
    asked = i == reading.at("when") and reading.form == "when"
    if word in _AT and not asked and (word != "as" or reading.tokens[i - 1].text in {"soon", "just"}):
        return i, "at"
    timed = {t.text for t in reading.tokens[i + 1 : i + 3]} & {"time", "moment", "second", "instant"}
    if word == "by" and not timed:  # "hit by the car"
        return None
    first = length_before(reading.tokens, i)
    apart = stood_first(reading.tokens, i if first is None else first[1]) or reading.form not in _WEIGHING
    apart = apart or word == "by" or (first is not None and reading.form == "yes_no")
    if word in _BEFORE | _AFTER and (apart or _relates(reading, i)):
        return i, "before" if word in _BEFORE else "after"
    return None


def _offset(
    tokens: Sequence[Token], start: int, relation: Literal["at", "before", "after"]
) -> tuple[float | None, int]:
    """ "One second after the cow appears": so far from that moment, and where the phrase begins."""
    length = length_before(tokens, start) if relation != "at" else None
    if length is None:
        return None, start
    return (length[0] if relation == "after" else -length[0]), length[1]


def _relates(reading: Reading, end: int) -> bool:
    """Whether two things are already set against each other before token `end`: "was A near B, after C came?"."""
    said = any(cue.start < end for code in _RELATIONS for cue in reading.cues.get(code, ()))
    return said and sum(mention.end <= end for mention in reading.mentions) >= 2


def _event(
    reading: Reading, mention: Mention, end: int, relation: Literal["at", "before", "after"]
) -> Literal["start", "end"] | None:
    codes = _cues(reading, mention, end)
    if codes & {"end", "gone"} or _only_goes(reading, mention, end):
        return "end"
    if codes:
        return "start"
    if relation != "at" and reading.form in {"count", "which", "list", "what"}:
        return "end" if "end" in reading.cues else "start"  # "which appear before the car (does)?"
    return None


def _only_goes(reading: Reading, mention: Mention, end: int) -> bool:
    """ "When the bicycle goes", "once it went": with nothing behind it, going is leaving."""
    said = [t for t in reading.tokens[mention.end : end] if t.is_word]
    return bool(said) and said[-1].base == "go" and all(t.base in {"go", "have", "do"} for t in said)


def _cues(reading: Reading, mention: Mention, end: int) -> set[str]:
    """What a clause says of its mention: that it comes, is there, leaves."""
    return {code for code in _EVENT_CUES for cue in reading.cues.get(code, ()) if mention.end <= cue.start < end}


def _window(relation: Literal["at", "before", "after"]) -> Window:
    # Before and after leave the moment itself out.
    if relation == "at":
        return Window("at", TimePoint(0.0, "event"), None)
    if relation == "before":
        return Window("span", None, TimePoint(-INSTANT_S, "event"))
    return Window("span", TimePoint(INSTANT_S, "event"), None)


def without(reading: Reading, clause: Clause) -> Reading:
    """The reading of the main clause alone; token indices stay."""

    def outside(start: int) -> bool:
        return not clause.start <= start < clause.end

    cues: dict[str, list[Cue]] = {}
    for code, found in reading.cues.items():
        kept = [cue for cue in found if outside(cue.start)]
        if kept:
            cues[code] = kept
    form = reading.form
    return replace(
        reading,
        form=form,
        mentions=tuple(m for m in reading.mentions if outside(m.start)),
        cues=cues,
        sides=tuple(s for s in reading.sides if outside(s.start)),
        colors=tuple(c for c in reading.colors if outside(c[0])),
    )
