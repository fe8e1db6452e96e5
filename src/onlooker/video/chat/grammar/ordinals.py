"""Places in an order said outside a noun phrase: "the second to leave", "left third", "second to last"."""

from __future__ import annotations

from collections.abc import Sequence

from onlooker.video.chat.grammar.reading import Reading
from onlooker.video.chat.grammar.tokens import ORDINAL_WORDS, Token
from onlooker.video.chat.grammar.words import words

_LAST = words("last latest final")
_BEHIND_LAST = {"one": 2, "two": 3, "three": 4}
_COMING_OR_GOING = ("start", "end", "appear", "visible")
_PLACING = words("come finish end be rank")
_OF_ALL = words("of among amongst overall in")


def place_from_end(reading: Reading) -> int | None:
    """ "Second to last", "last but one", "penultimate": -2, -2, -2; None where no such place is said."""
    texts = [t.text for t in reading.tokens]
    for i, text in enumerate(texts):
        if text == "penultimate" or texts[i : i + 3] == ["next", "to", "last"]:
            return -2
        if text in _LAST and texts[i + 1 : i + 2] == ["but"] and texts[i + 2 : i + 3] and texts[i + 2] in _BEHIND_LAST:
            return -_BEHIND_LAST[texts[i + 2]]
        n = _ordinal(reading.tokens[i])
        behind = texts[i + 2 : i + 3] if texts[i + 1 : i + 2] == ["to"] else texts[i + 1 : i + 2]
        if n is not None and n > 1 and behind and behind[0] in _LAST:
            return -n
    return None


def place_said(reading: Reading) -> int | None:
    """The place in the order of coming or going that stands outside every noun phrase, from the end where negative."""
    late = place_from_end(reading)
    if late is not None:
        return late
    inside = {i for m in reading.mentions for i in range(m.start, m.end)}
    inside |= {i for w in reading.windows for i in range(w.start, w.end)}
    cues = [cue for code in _COMING_OR_GOING for cue in reading.cues.get(code, ())]
    tokens = reading.tokens
    for i, token in enumerate(tokens):
        n = _ordinal(token)
        if n is None or n == 1 or i in inside:
            continue
        behind = tokens[i + 1] if i + 1 < len(tokens) else None
        closes = behind is None or behind.kind == "mark" or behind.text in _OF_ALL
        led = any(cue.end == i for cue in cues) or (i > 0 and tokens[i - 1].base in _PLACING)
        if closes and led:
            return n
        if behind is not None and behind.text == "to" and any(cue.start in {i + 2, i + 3} for cue in cues):
            return n
    return None


def place_before(reading: Reading, codes: Sequence[str]) -> int:
    """The place said right before a superlative: 2 of "who is the second fastest?", 1 where none is said."""
    starts = [cue.start for code in codes for cue in reading.cues.get(code, ())]
    found = (_ordinal(reading.tokens[i - 1]) for i in starts if i)
    return next((n for n in found if n is not None and n > 1), 1)


def _ordinal(token: Token) -> int | None:
    if token.ordinal and token.number is not None:
        return int(token.number)
    return ORDINAL_WORDS.get(token.text)
