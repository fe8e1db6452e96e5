"""Parts of a question between its punctuation: which part asks, and which only lead up to it or trail behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from onlooker.video.chat.grammar.mentions import Mention
from onlooker.video.chat.grammar.moments import read_duration
from onlooker.video.chat.grammar.phrases import Cue, PhraseTable
from onlooker.video.chat.grammar.times import find_windows
from onlooker.video.chat.grammar.tokens import Token
from onlooker.video.chat.grammar.words import QUESTION_WORDS, words

_BREAKS = words(", ; : ! ? .")
_OPENERS = words("and but or so also then now well ok okay like uh um er right please actually basically though yet")
ASKING = ("count", "when", "how_long", "where", "which", "what", "how", "until_when")
_AUXILIARIES = words("be do have can will")
# Cues that make a part say something by itself.
_SMALL = words("what which how filler not all list video when_noun time_noun total mean")
_CLAUSE_OPENERS = words("if when while as looking taking considering judging given remembering since although because")
_TIME_CLAUSES = tuple(
    tuple(opener.split())
    for opener in (
        "after", "before", "once", "when", "while", "until", "till", "as soon as", "just as", "by the time",
        "by the moment", "right after", "shortly after", "just before", "right before", "even after",
    )
)  # fmt: skip
_EVENTS = words("start end appear visible gone")
_OFFSETS = (("after",), ("before",))  # "one second after the cow appears"
_LONGEST_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Segment:
    """Tokens `[start, end)` between two marks."""

    start: int
    end: int

    def holds(self, index: int) -> bool:
        return self.start <= index < self.end


def split(tokens: Sequence[Token]) -> list[Segment]:
    """The parts of a question; a dash between spaces breaks it too."""
    edges = [-1]
    for i, token in enumerate(tokens):
        spaced = 0 < i < len(tokens) - 1 and tokens[i - 1].end < token.start and tokens[i + 1].start > token.end
        if token.kind == "mark" and (token.text in _BREAKS or (token.text == "-" and spaced)):
            edges.append(i)
    edges.append(len(tokens))
    return [Segment(a + 1, b) for a, b in pairwise(edges) if b > a + 1]


def core(
    tokens: Sequence[Token],
    segments: Sequence[Segment],
    cues: Mapping[str, list[Cue]],
    mentions: Sequence[Mention],
    odd: frozenset[int],
) -> Segment | None:
    """The part that asks by itself: it opens with a question word and names what it is about and what of it.

    `odd` are tokens nothing is known about; of several parts the one with the fewest of them asks.
    """
    found = [s for s in segments if _asks(tokens, s, cues) and _stands_alone(s, cues, mentions)]
    if not found and segments and _opens(tokens, segments[-1]) and _asks_of_unknown(segments[-1], cues, mentions):
        found = [segments[-1]]  # "what is up with the sign, when does sale 50 show?"
    if not found or len(segments) < 2:
        return None

    def order(segment: Segment) -> tuple[bool, int, bool, int]:
        strange = sum(segment.holds(i) for i in odd)
        return _is_clause(tokens, segment), strange, not _opens(tokens, segment), segment.start

    best = min(found, key=order)
    # "At what time, expressed in seconds, was it seen": the question word stands before the aside.
    opened = [s for s in segments if s.end <= best.start and _asks(tokens, s, cues)]
    torn = [
        s
        for s in opened
        if _holds_question_word(tokens, s) and not any(s.holds(m.start) for m in mentions) and not _is_clause(tokens, s)
    ]
    return Segment(torn[0].start, best.end) if torn else best


def _is_clause(tokens: Sequence[Token], segment: Segment) -> bool:
    return tokens[segment.start].text in _CLAUSE_OPENERS and segment.end - segment.start > 1


def beside(
    tokens: Sequence[Token], segments: Sequence[Segment], part: Segment, odd: frozenset[int], barring: frozenset[int]
) -> list[Segment]:
    """Other parts that belong to the question: understood throughout, no clause of their own, and before it (behind it
    only a choice, "..., left or right?", or one that opens with an exception at `barring`)."""
    return [
        s
        for s in segments
        if not part.holds(s.start)
        and not any(s.holds(i) for i in odd)
        and not _is_clause(tokens, s)
        and (s.end - s.start > 1)
        and (
            s.start < part.start
            or s.start in barring
            or any(tokens[i].text in {"or", "vs", "versus"} for i in range(s.start, s.end))
        )
    ]


def _first(tokens: Sequence[Token], segment: Segment) -> Token | None:
    return next((t for t in tokens[segment.start : segment.end] if t.text not in _OPENERS), None)


def _opens(tokens: Sequence[Token], segment: Segment) -> bool:
    """Whether a part begins with a question word or an auxiliary."""
    first = _first(tokens, segment)
    return first is not None and (first.text in QUESTION_WORDS or first.base in _AUXILIARIES)


def _holds_question_word(tokens: Sequence[Token], segment: Segment) -> bool:
    return any(t.text in QUESTION_WORDS for t in tokens[segment.start : segment.end])


def _asks(tokens: Sequence[Token], segment: Segment, cues: Mapping[str, list[Cue]]) -> bool:
    """Whether a part opens with a question word, or holds one behind an opening like "I wonder"."""
    first = _first(tokens, segment)
    if first is not None and first.base in _AUXILIARIES:
        return True
    return any(segment.holds(cue.start) for code in ASKING for cue in cues.get(code, ()))


def _stands_alone(segment: Segment, cues: Mapping[str, list[Cue]], mentions: Sequence[Mention]) -> bool:
    known = [m.start for m in mentions if m.kind not in {"pronoun", "unknown"}]
    named = any(segment.holds(m.start) and (m.kind != "pronoun" or any(k < m.start for k in known)) for m in mentions)
    said = {code for code, found in cues.items() for cue in found if segment.holds(cue.start)}
    return named and bool(said - _SMALL)


def _asks_of_unknown(segment: Segment, cues: Mapping[str, list[Cue]], mentions: Sequence[Mention]) -> bool:
    """Whether a part asks by itself of a thing that no category is called."""
    named = any(segment.holds(m.start) and m.kind == "unknown" for m in mentions)
    said = {code for code, found in cues.items() for cue in found if segment.holds(cue.start)}
    return named and bool(said & {"when", "how_long", "where"}) and bool(said - _SMALL - {"when", "how_long", "where"})


def clause_behind(tokens: list[Token], table: PhraseTable, is_noun: Callable[[str], bool]) -> list[Token]:
    """ "After the cow has left, is the bird there?" with the time clause behind what is asked, without the comma.

    Only a clause with a noun and a coming, going or being there is moved; the offsets of its tokens stay, so that
    `stood_first` can tell that it was.
    """
    comma = next((i for i, t in enumerate(tokens) if t.text == ","), 0)
    clause, rest = tokens[:comma], tokens[comma + 1 :]
    length = read_duration(clause, 0)
    lead = length[1] if length is not None else 0
    said = tuple(t.text for t in clause[lead:])
    opens = any(said[: len(opener)] == opener for opener in (_OFFSETS if lead else _TIME_CLAUSES))
    if not opens or len(clause) < 3 or len(rest) < 3 or clause[1].base in _AUXILIARIES:
        return tokens
    codes = {cue.code for cue in table.find(clause, frozenset())}
    if not codes & _EVENTS or find_windows(clause[lead:]) or not any(is_noun(t.text) for t in clause):
        return tokens
    end = len(rest)
    while end and rest[end - 1].kind == "mark":
        end -= 1
    return [*rest[:end], *clause, *rest[end:]]


def length_before(tokens: Sequence[Token], end: int) -> tuple[float, int] | None:
    """Seconds and first token of a length of time that ends right before a token: "half a second | after the ..."."""
    for i in range(max(0, end - _LONGEST_LENGTH), end):
        length = read_duration(tokens, i)
        if length is not None and length[1] == end and (not i or tokens[i - 1].text not in {"many", "much"}):
            return length[0], i
    return None


def stood_first(tokens: Sequence[Token], i: int) -> bool:
    """Whether the word at i opened the question before `clause_behind` moved it."""
    return i > 0 and tokens[i].start < tokens[i - 1].start
