"""Several things in the order of a measure: "sort the people by how long they stay", "the three fastest", "top 3"."""

from __future__ import annotations

from dataclasses import replace

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.subjects import MEASURES, SUPERLATIVES, measure_of, with_conditions
from onlooker.video.chat.grammar.tokens import Token
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import Condition, ListQuery, Query, Rank, Refusal

_SORTING = words("sort sorted rank ranked ranking arrange arranged order ordered")
_LISTING = words("list show give name enumerate")
_BY = words("by from according based")
_MEASURED: dict[str, tuple[str, bool]] = {
    **dict.fromkeys(words("speed fast quick quickly velocity pace speeds"), ("speed", True)),
    **dict.fromkeys(words("long duration stay stayed time lifetime visibility presence"), ("duration", True)),
    **dict.fromkeys(words("size big large area sizes"), ("area_rel", True)),
    **dict.fromkeys(words("distance far path"), ("path_px", True)),
    **dict.fromkeys(
        words("arrival arrivals appearance entry entrance arrive arrived appear appeared"), ("t_start", False)
    ),
    **dict.fromkeys(words("departure exit leave leaving left"), ("t_end", False)),
}
_SMALLEST_FIRST = words("slowest shortest smallest briefest ascending increasing")
_LARGEST_FIRST = words("fastest longest largest biggest quickest descending decreasing latest last")
_MOST = 100


def ranked(scene: Scene) -> Query | None:
    """A list in the order of a measure, of all of them or of so many."""
    if scene.clause is not None:
        return None
    plain = scene.form in {"none", "list", "which", "what", "how"}
    found = _sorted(scene) if plain or _is_told_to(scene) else None
    if found is None and _is_told_to(scene) and scene.has_subject and not scene.reading.word(*_LISTING):
        return Refusal("Say by what they are put in order: by speed, size, arrival, or how long they stay.")
    return found or (_several(scene) if plain else None)


def _is_told_to(scene: Scene) -> bool:
    """ "Sort the people by how long they stay": an order, whatever words it closes with."""
    first = next((t.text for t in scene.reading.tokens if t.is_word), "")
    return first in _SORTING or (first in _LISTING and scene.reading.word("by"))


def _sorted(scene: Scene) -> Query | None:
    """ "Rank everything by speed", "list the cars from slowest to fastest"."""
    texts = [t.text for t in scene.reading.tokens]
    asked = next((i for i, text in enumerate(texts) if text in _SORTING), None)
    by = next((i for i in range((asked or 0), len(texts)) if texts[i] in _BY), None)
    from_to = by is not None and texts[by] == "from" and "to" in texts[by:]
    listed = by is not None and texts[by] == "by" and texts[0] in _LISTING
    if by is None or (asked is None and not from_to and not listed) or not (scene.has_subject or _is_told_to(scene)):
        return None
    order = _order_said(texts[by + 1 :])
    if order is None:
        return None
    subject = replace(scene.narrowed(), rank=None, plural=True)
    return ListQuery(subject, scene.window, None, Rank(*order))


def _order_said(behind: list[str]) -> tuple[str, bool] | None:
    """The measure said behind "by", and whether the most of it comes first."""
    first = next((w for w in behind if w in _SMALLEST_FIRST | _LARGEST_FIRST), None)
    said = [w for w in behind if w in _MEASURED]
    told = next((w for w in said if w != "time"), next(iter(said), None))  # "by time of arrival"
    measure = None if told is None else _MEASURED[told]
    named = next((MEASURES[w] for w in behind if w in MEASURES), None)
    if measure is None and named is not None:
        return named
    if measure is None or first is None:
        return measure
    return measure[0], (first in _LARGEST_FIRST)


def _several(scene: Scene) -> Query | None:
    """ "The three fastest objects", "which three are fastest?", "top 3 by speed"."""
    measure, found = measure_of(scene.reading), _amount(scene)
    main = scene.main
    if main is not None and main.selection.rank is not None:
        measure = main.selection.rank.column, main.selection.rank.descending
    if found is None or not 1 < found <= _MOST or scene.reading.has_or:
        return None
    if measure is None:
        measure = _order_said([t.text for t in scene.reading.tokens]) if scene.reading.word("top") else None
    if measure is None or not (scene.has(*SUPERLATIVES) or _is_superlative(scene) or scene.reading.word("top")):
        return None
    subject = replace(scene.narrowed(), rank=None, plural=True)
    if scene.reading.word("mover", "movers"):  # "the two slowest movers" do move
        subject = with_conditions(subject, (Condition("stationary", "=", 0),))
    return ListQuery(subject, scene.window, None, Rank(*measure), found)


def _is_superlative(scene: Scene) -> bool:
    return scene.main is not None and scene.main.selection.rank is not None


def _amount(scene: Scene) -> int | None:
    """The number right before the superlative or the noun; "which of the two dogs is faster" asks for one."""
    tokens = scene.reading.tokens
    timed = {i for w in scene.reading.windows for i in range(w.start, w.end)}
    numbered = {i for m in scene.mentions if m.selection.numbers for i in range(m.start, m.end)}
    for i, token in enumerate(tokens):
        if i in timed or i in numbered or not _is_whole(token):
            continue
        before = tokens[i - 1].text if i else ""
        earlier = tokens[i - 2].text if i > 1 else ""
        if earlier == "of" or before == "of":
            return None
        if before in {"the", "top", "which", "what", "name", "list", "show", "give", "me", ""}:
            return int(token.number or 0)
    return None


def _is_whole(token: Token) -> bool:
    return token.number is not None and not token.ordinal and token.kind != "clock" and token.number.is_integer()
