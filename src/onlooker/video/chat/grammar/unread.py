"""Small words that change what a question asks and that no query stands for: "alone", "twice", "most of", "almost".

They are common enough to be read over; an answer that leaves them out would be one to another question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.moments import UNITS
from onlooker.video.chat.grammar.reading import Reading
from onlooker.video.chat.grammar.subjects import measure_of
from onlooker.video.chat.grammar.times import Found
from onlooker.video.chat.grammar.tokens import Token
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import (
    CheckQuery,
    CountQuery,
    DurationQuery,
    ExistsQuery,
    ListQuery,
    MomentQuery,
    Query,
    RelationQuery,
    Selection,
)

_CHANGING = words("alone twice thrice barely scarcely almost nearly hardly yesterday tomorrow")
# Of a yes/no question: how many, or that there is nothing else.
_PARTS = words("only several couple pair few half majority")
_ONES = words("one ones")
_WON = words("win wins won winner winning")
# "Are they outside?" is no place in the picture.
_PLACES = words("outside outdoors inside indoors upstairs downstairs underwater abroad")
_SHOWING = words("video clip footage film recording picture pictures")
_GOING = words("go walk run drive move come step disappear vanish hide drives walks")
_THEN = words("then")
_LASTING = words("video clip time film footage recording duration")
_BY_ITSELF = re.compile(
    r"\b(?:on (?:its|his|her|their) own|(?<!see )(?<!show )by (?:itself|himself|herself|themselves))\b"
)
# Queries that hold of things or do not, or count or list them.
HELD = (CountQuery, ExistsQuery, ListQuery, CheckQuery)
_TIMING = words("before after until till during since")
_SAID_OF_ONE = words("the a an that this his her its their")
_TIMES = _SHOWING | words("half middle start beginning end very first last final whole entire")
_NEGATION = re.compile(r"n't\b|\b(?:not|no|never|none|nobody|nothing|neither|without)\b")
_ASKED_POLITELY = re.compile(r"^\W*\w+n't\b")  # "isn't there a dog?" asks whether there is one
_TAG = re.compile(r",[^,]{0,16}$")
_EXTENTS = words("long short big large small often")
_QUICK_THINGS = words("question questions one look check answer")
_PACE = words("fast quick quickly rapid rapidly slow slowly swift swiftly speedy")
_FRAMES = words("frames images")
_NO_DEGREES = words(
    "rest west test guest forest chest nest crest quest request interest nearest closest farthest furthest honest "
    "earliest latest earlier pier soldier barrier carrier terrier courier best finest most"
)
_WHOLE_PART = re.compile(
    r"\b(?:whole|entire|full|complete|all of the|throughout the|all through the) (?:first|second|last|final)\b"
)
_EACH_PART = re.compile(r"\b(?:each|every|per) (?:half|third|quarter|minute|second|part|\w+ (?:seconds|minutes))\b")
_SHARE_OF = re.compile(r"\b(half|most|majority|third|quarter|part|percent) of (?:the |all |these |those )*(\w+)")


def unread_word(scene: Scene, query: Query) -> str | None:
    """The first such word of a question about what is there, `None` where there is none."""
    by_itself = _BY_ITSELF.search(scene.reading.question.lower())
    if by_itself is not None and isinstance(query, (*HELD, RelationQuery, DurationQuery, MomentQuery)):
        return by_itself.group()
    if isinstance(query, DurationQuery | MomentQuery):
        return "alone" if scene.reading.word("alone") else _of_length(scene, query)
    if not isinstance(query, (*HELD, RelationQuery)):
        return None
    tokens = scene.reading.tokens
    if scene.focus is None and getattr(query, "window", None) is None and scene.reading.says("by", _THEN):
        return "then"  # "how many are gone by then?" with nothing talked of before
    free = [i for i in range(len(tokens)) if i not in _understood(scene)]
    where = next((t for i, t in _closing(tokens) if i in free and t in _PLACES), None)
    if where is not None:
        return where
    changing = (i for i in free if tokens[i].text in _CHANGING and (not i or tokens[i - 1].text not in _SHOWING))
    found = next((tokens[i].text for i in changing), None)
    if found is not None or not isinstance(query, HELD):
        return found
    behind = next((i for i in free if tokens[i].text == "behind" and i), None)
    if behind is not None and tokens[behind - 1].base in _GOING:
        return "behind"  # "does it go behind something?"
    return (
        _as_much(scene)
        or _pace(scene, query, free)
        or _bare(scene, query, free)
        or _part(scene, query, free)
        or _between(scene, free)
        or _won(scene, query)
        or _other_degree(scene, query)
        or _all(scene, query)
    )


def _closing(tokens: Sequence[Token]) -> list[tuple[int, str]]:
    """Words that close a part of the question, with where they stand."""
    ends = [i for i in range(len(tokens)) if i + 1 == len(tokens) or tokens[i + 1].kind == "mark"]
    return [(i, tokens[i].text) for i in ends]


def unplaced_time(scene: Scene, query: Query) -> str | None:
    """ "How many birds before the rain?": a time given by something that has none here."""
    subject = getattr(query, "subject", None)
    ranked = isinstance(subject, Selection) and subject.rank is not None
    if ranked or scene.clause is not None or query.anchor is not None or getattr(query, "order_by", None) is not None:
        return None
    tokens = scene.reading.tokens
    inside = {i for w in scene.reading.windows for i in range(w.start, w.end)}
    for i, token in enumerate(tokens[:-2]):
        if token.text not in _TIMING or i in inside or tokens[i + 1].text not in _SAID_OF_ONE:
            continue
        behind = tokens[i + 2]
        if behind.is_word and behind.text not in _TIMES and behind.text not in UNITS:
            return f"{token.text} {tokens[i + 1].text} {behind.text}"
    return None


def denied_twice(scene: Scene) -> str | None:
    """ "Is there not no dog?", "it is not the case that nobody is there": nobody knows which way round it is meant."""
    if scene.form != "yes_no":
        return None
    said = _TAG.sub("", _ASKED_POLITELY.sub("", scene.reading.question.lower()))
    found = [_NEGATION.findall(part) for part in re.split(r"[:;.!?]", said)]
    return next((" ... ".join(words[:2]) for words in found if len(words) > 1), None)


def _bare(scene: Scene, query: Query, free: list[int]) -> str | None:
    """ "qtty vans", "goat secs": a search with a word that asks for more than whether there is one."""
    if not isinstance(query, ExistsQuery) or scene.form != "none":
        return None
    tokens = scene.reading.tokens
    return next(iter(scene.reading.noise), None) or next(
        (tokens[i].text for i in free if tokens[i].text in UNITS), None
    )


def _as_much(scene: Scene) -> str | None:
    """ "Is it there as long as the truck?": of measures only more and less is told."""
    texts = [t.text for t in scene.reading.tokens]
    triples = zip(texts, texts[1:], texts[2:], strict=False)
    return next((f"as {b} as" for a, b, c in triples if a == c == "as" and b in _PACE | _EXTENTS), None)


def _pace(scene: Scene, query: CountQuery | ExistsQuery | ListQuery | CheckQuery, free: list[int]) -> str | None:
    """ "Is the dog fast?", "who moves slowly?": from what speed on is not known."""
    if query.subject.rank is not None or getattr(query, "order_by", None) or measure_of(scene.reading) is not None:
        return None
    texts = [t.text for t in (*scene.reading.tokens, *scene.reading.tokens[-1:])]
    return next((texts[i] for i in free if texts[i] in _PACE and texts[i + 1] not in _QUICK_THINGS), None)


def _of_length(scene: Scene, query: DurationQuery | MomentQuery) -> str | None:
    """ "How many frames is it in?", "how long before the end does it leave?", "from its arrival to its leaving"."""
    reading = scene.reading
    if isinstance(query, DurationQuery) and reading.word("between") and len(reading.windows) == 0:
        return "between"  # "how long between the two arrivals?"
    if isinstance(query, MomentQuery):
        return "between" if query.window is None and reading.word("between") else None
    if reading.says("how many", _FRAMES) or reading.says("number of", _FRAMES):
        return "frames"
    whole = all(p is None or p.base == "share" for w in reading.windows for p in (w.window.start, w.window.end))
    if not whole and isinstance(query, DurationQuery) and query.ask != "gone":
        return next(_said(reading, w) for w in reading.windows)  # "how long is it visible in the first 3 s?"
    edge = whole and reading.windows and reading.word("before", "until", "till") and scene.has("start", "end", "appear")
    return "before" if edge else None


def _said(reading: Reading, found: Found) -> str:
    return " ".join(t.text for t in reading.tokens[found.start : found.end])


def _understood(scene: Scene) -> set[int]:
    """Tokens of times, and of phrases longer than a word: "hardly move", "at nearly 3 s"."""
    reading = scene.reading
    spans = [(w.start, w.end) for w in reading.windows]
    spans += [(c.start, c.end) for found in reading.cues.values() for c in found if c.end > c.start + 1]
    return {i for start, end in spans for i in range(start, end)}


def _part(scene: Scene, query: Query, free: list[int]) -> str | None:
    """ "Is only the goat there?", "are there several dogs?", "are most objects cars?": more than that there is one."""
    if not isinstance(query, ExistsQuery) or scene.form != "yes_no":
        return None
    tokens = scene.reading.tokens
    near = {i for m in scene.mentions for i in range(m.start - 2, m.end)}
    if scene.reading.says("only", _ONES):
        return "only"
    return next((tokens[i].text for i in free if i in near and tokens[i].text in _PARTS | {"most"}), None)


def _between(scene: Scene, free: list[int]) -> str | None:
    """ "Which objects come in between the car and the cow?": neither of the two."""
    tokens, starts = scene.reading.tokens, {m.start for m in scene.mentions}
    between = (i for i in free if tokens[i].text == "between" and i + 1 in starts)
    return "between" if len(scene.specific) > 1 and next(between, None) is not None else None


def _won(scene: Scene, query: Query) -> str | None:
    """ "Which car would have won?": not all of them."""
    plain = isinstance(query, ListQuery | ExistsQuery | CountQuery) and query.subject.rank is None
    plain = plain and getattr(query, "order_by", None) is None
    return next((t.text for t in scene.reading.tokens if t.text in _WON), None) if plain else None


def _other_degree(scene: Scene, query: Query) -> str | None:
    """ "Which person is the strongest?", "which dog is fluffier?": a measure that nothing is stored of."""
    if not isinstance(query, ListQuery) or query.subject.rank is not None or query.order_by is not None:
        return None
    named = {i for m in scene.mentions if m.kind not in {"unknown", "one"} for i in range(m.end - 1, m.end)}
    said = ((i, t.text) for i, t in enumerate(scene.reading.tokens) if t.is_word and i not in named)
    degrees = (t for _, t in said if t.endswith(("est", "ier")) and len(t) > 4 and t not in _NO_DEGREES)
    return next(degrees, None)


def share_of_them(scene: Scene) -> str | None:
    """ "Half of the people wear red?": not of one of them; "half of the video" is a time."""
    found = _SHARE_OF.search(scene.reading.question.lower())
    if found is None:
        return None
    heads = {m.word for m in scene.mentions if m.selection.plural}
    return f"{found.group(1)} of" if found.group(2) in heads else None


def _all(scene: Scene, query: Query) -> str | None:
    """ "Are all objects cars?" is not whether there is a car."""
    everything = any(m.quantifier == "all" for m in scene.mentions)
    said = scene.reading.question.lower()
    if _WHOLE_PART.search(said):
        return "whole"
    if (each := _EACH_PART.search(said)) is not None:
        return each.group()
    several = everything or (scene.quantifier == "all" and scene.subject.plural and not scene.others)
    if several and isinstance(query, ExistsQuery) and query.window is not None:
        return "all"  # "are all cars gone by the end?"
    if isinstance(query, ExistsQuery) and (scene.reading.says("most of the", _LASTING) or scene.reading.word("mostly")):
        return "most of"
    asked = isinstance(query, ExistsQuery) and scene.form == "yes_no" and len(scene.things) > 1
    return "all" if everything and asked else None
