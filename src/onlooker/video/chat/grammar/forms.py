"""What kind of answer a question wants: a number, a moment, a length, a place, one of several, yes or no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from onlooker.video.chat.grammar.mentions import Mention
from onlooker.video.chat.grammar.phrases import Cue
from onlooker.video.chat.grammar.tokens import Token
from onlooker.video.chat.grammar.words import LEADING, WATCHERS, words

Form = Literal["count", "when", "how_long", "where", "which", "list", "what", "how", "yes_no", "none"]
_AUXILIARIES = frozenset({"be", "do", "have", "can", "will", "shall", "may", "must", "might"})
SPECIFIC: tuple[Form, ...] = ("count", "when", "how_long", "where", "which")
# "which bounding box", "which direction": the noun says what is wanted, not "which".
_RANKING = ("longest", "shortest", "fastest", "slowest", "largest", "smallest")
_ASKED_BY_NOUN = frozenset({"where", "how_long", "when", "count"})
_LEARNING = words("ask know learn determine establish ascertain enquire inquire discover")
_LEARNING_OUT = words("find work figure make")
_MOMENT_NOUNS = words("time times second seconds moment point instant clock timestamp frame")
_SOMEBODY = words("somebody someone anyone anybody")
_HELPING = words("count tell give show explain list check help")
_SEEING = words("see spot find notice detect hear recognise identify have visible seen appear enter leave move come be")


def form_of(
    tokens: Sequence[Token],
    cues: Mapping[str, list[Cue]],
    blocked: frozenset[int],
    mentions: Sequence[Mention],
    asserted: bool = False,
) -> Form:
    """What kind of answer is wanted, from the earliest phrase that says so; of a statement, whether it is true."""
    if asserted:
        return "yes_no"
    starts = _form_starts(tokens, cues, blocked, mentions)
    opening = _opening(tokens, blocked)
    if opening is not None and (not starts or starts[0][0] > opening):
        return starts[0][1] if starts and _is_indirect(tokens, starts[0][0]) else "yes_no"
    if starts:
        return starts[0][1]
    noun = next((c for c in cues.get("when_noun", ()) if any(m.start == c.end for m in mentions)), None)
    timed = "time_noun" in cues and "what" not in cues and bool(mentions)
    if noun is not None or (timed and ("start" in cues or "end" in cues)):
        return "when"
    if timed and "visible" in cues:
        return "how_long"
    if "list" in cues and not ("what" in cues and cues["what"][0].start < cues["list"][0].start):
        return "list"
    return "what" if "what" in cues else "how" if "how" in cues else "none"


def _is_indirect(tokens: Sequence[Token], i: int) -> bool:
    """ "Is it possible to find out which ...", "might one ask how many ...": the inner question is what is asked."""
    before, earlier = (tokens[k].base if k >= 0 else "" for k in (i - 1, i - 2))
    return before in _LEARNING or (before == "out" and earlier in _LEARNING_OUT)


def _form_starts(
    tokens: Sequence[Token], cues: Mapping[str, list[Cue]], blocked: frozenset[int], mentions: Sequence[Mention]
) -> list[tuple[int, Form]]:
    found: list[tuple[int, Form]] = []
    for form in SPECIFIC:
        for cue in cues.get(form, ()):
            number_of_one = form == "count" and _is_number_of_one(tokens, cue, mentions)
            found.append((cue.start, "which" if number_of_one else form))
    found += [(cue.start, "when") for cue in cues.get("until_when", ())]
    found += [(m.end, "count") for m in mentions if _is_numbered_group(tokens, m)]
    found += [(cue.start, "which") for cue in cues.get("what", ()) if _asks_which(cue, mentions)]
    found.sort()
    # "when the clock reads 3 s, how many ...": a clause that only gives the time.
    while len(found) > 1 and found[0][1] == "when" and any(found[0][0] < i < found[1][0] for i in blocked):
        found.pop(0)
    if len(found) == 1 and _is_only_a_clause(tokens, found[0], cues):
        return []
    commas = [i for i, t in enumerate(tokens) if t.text == ","]
    if len(found) > 1 and found[0] == (0, "when") and any(c < found[1][0] for c in commas) and found[1][1] != "when":
        found.pop(0)
    named = len(found) > 1 and found[0][1] == "which" and found[1][1] in _ASKED_BY_NOUN
    if named and found[1][0] - found[0][0] == 1 and not any(code in cues for code in _RANKING):
        found.pop(0)
    return found


def _asks_which(what: Cue, mentions: Sequence[Mention]) -> bool:
    """ "What animals are there?" asks which; "what objects are there?" asks for kinds."""
    behind = next((m.selection for m in mentions if m.start == what.end), None)
    if behind is None or not behind.categories or behind.numbers:
        return False
    return behind.plural or not any(m.kind == "pronoun" for m in mentions)  # "what animal is it?" asks for its kind


def _is_only_a_clause(tokens: Sequence[Token], asked: tuple[int, Form], cues: Mapping[str, list[Cue]]) -> bool:
    """ "What was on screen when the person came?": "what" asks, "when" only says when."""
    start, form = asked
    what = min((cue.start for cue in cues.get("what", ())), default=start)
    between = {t.text for t in tokens[what:start]}
    inverted = start + 1 < len(tokens) and tokens[start + 1].base in {"do", "be", "have"}  # "..., when does it show?"
    apart = form == "when" and tokens[start].text == "when" and start - what > 2 and not inverted
    return (
        apart and not between & _MOMENT_NOUNS and bool(cues.keys() & {"visible", "events", "speech", "text", "sound"})
    )


def _is_numbered_group(tokens: Sequence[Token], mention: Mention) -> bool:
    """ "The cyclists' number"."""
    behind = tokens[mention.end].text if mention.end < len(tokens) else ""
    return (
        mention.selection.definite and mention.selection.plural and behind in {"number", "count", "total", "quantity"}
    )


def _is_number_of_one(tokens: Sequence[Token], cue: Cue, mentions: Sequence[Mention]) -> bool:
    """ "the number of the car that ...": a track number, not a count."""
    behind = next((m for m in mentions if m.start == cue.end), None)
    of = tokens[cue.end - 1].text == "of" and tokens[cue.start].text == "number"
    return of and behind is not None and behind.selection.definite and not behind.selection.plural


def _is_seeing(tokens: Sequence[Token]) -> bool:
    """ "Can you see a car?" asks about the car, "could you be so kind as to tell me" does not."""
    return any(
        t.base in {"see", "spot", "find", "notice", "detect", "hear", "read", "recognise", "identify", "have"}
        for t in tokens
    )


def _opening(tokens: Sequence[Token], blocked: frozenset[int]) -> int | None:
    """Index of the auxiliary that opens a yes/no question: at the front, or behind a comma, colon or dash."""
    before: Token | None = None
    for i, token in enumerate(tokens):
        if i in blocked or token.text in LEADING:
            before = token if i not in blocked else before
            continue
        asked = tokens[i + 1].text if i + 1 < len(tokens) else ""
        helper = asked in _SOMEBODY and i + 2 < len(tokens) and tokens[i + 2].text in _HELPING
        addressed = (asked in WATCHERS or helper) and not _is_seeing(tokens[i + 2 : i + 5])
        auxiliary = (
            token.base in _AUXILIARIES
            and not addressed
            and token.text not in {"be", "being", "having", "doing", "been"}
        )
        if auxiliary and (before is None or before.text in LEADING):
            return i
        before = token
    return None
