"""Colours right behind a noun that tell which one is meant: "the man in green", "the person with the red shirt"."""

from __future__ import annotations

from dataclasses import replace

from onlooker.video.chat.grammar.mentions import SHADES, Mention
from onlooker.video.chat.grammar.phrases import Cue
from onlooker.video.chat.grammar.reading import Reading
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import Condition

_LINKS = words("in with wearing wears dressed")
_AROUND_LINKS = words("the a an who that is was all entirely")
_GARMENT_CODES = ("upper", "lower", "wear")
# Cues that say nothing of their own in a yes/no question: with no others "in red" is what is asked.
_SILENT = frozenset({"not", "all", "filler", "video", "list", *_GARMENT_CODES})


def with_garments(reading: Reading) -> Reading:
    """The reading with such colours as conditions of their nouns; a colour that is asked about stays."""
    reading = _without_stuff(reading)
    for index, shades in reading.colors:
        owner = _owner(reading, index)
        if owner is None:
            continue
        end = _garment_end(reading, index)
        if end is not None and not _is_asked(reading, owner, end):
            reading = _attached(reading, owner, index, end, shades)
    return reading


def _without_stuff(reading: Reading) -> Reading:
    """ "Who wears blue stuff?": what is worn is no thing of its own, its colour is what is asked."""
    worn = {c.end for c in reading.cues.get("wear", ())}
    for mention in reading.mentions:
        selection = mention.selection
        generic = mention.kind == "noun" and selection.categories is None and not selection.numbers
        shades = [i for i in range(mention.start, mention.end) if reading.tokens[i].text in SHADES]
        if generic and mention.start in worn and len(shades) == len(selection.conditions) == 1:
            color = (shades[0], SHADES[reading.tokens[shades[0]].text])
            kept = tuple(m for m in reading.mentions if m is not mention)
            return replace(reading, mentions=kept, colors=tuple(sorted((*reading.colors, color))))
    return reading


def _owner(reading: Reading, index: int) -> Mention | None:
    """The noun that a colour stands behind, with nothing but "in", "with the", "wearing a" between them."""
    before = [m for m in reading.mentions if m.end <= index and m.kind in {"noun", "one"} and not m.selection.numbers]
    if not before:
        return None
    between = {t.text for t in reading.tokens[before[-1].end : index]}
    return before[-1] if between & _LINKS and between <= _LINKS | _AROUND_LINKS else None


def _garment_end(reading: Reading, index: int) -> int | None:
    """Where the phrase ends: behind the garment, or behind the colour; None where the colour belongs to a noun."""
    cues = [c for code in _GARMENT_CODES for c in reading.cues.get(code, ()) if c.start == index + 1]
    behind = {m.start for m in reading.mentions}
    return None if index + 1 in behind else max((c.end for c in cues), default=index + 1)


def _is_asked(reading: Reading, owner: Mention, end: int) -> bool:
    """ "Is the man in red?", "is she wearing a blue shirt at 3 s?": the colour is the question."""
    if reading.form != "yes_no" or not owner.selection.definite:
        return False
    tokens = reading.tokens
    if owner is reading.mentions[0] and tokens[owner.end].text in {"wearing", "dressed"}:
        return True
    said = {code for code, cues in reading.cues.items() for c in cues if not owner.start <= c.start < end}
    return not (said - _SILENT) and len(reading.mentions) == 1 and not reading.has_or


def _attached(reading: Reading, owner: Mention, index: int, end: int, shades: tuple[str, ...]) -> Reading:
    cues: dict[str, list[Cue]] = {}
    condition = Condition("upper_color", "in", shades, also=("lower_color", "color"))
    for code, found in reading.cues.items():
        if code in {"upper", "lower"} and any(index < c.start < end for c in found):
            condition = Condition(f"{code}_color", "in", shades)
        kept = [c for c in found if not owner.end <= c.start < end]
        if kept:
            cues[code] = kept
    selection = replace(owner.selection, conditions=(*owner.selection.conditions, condition))
    return replace(
        reading,
        mentions=tuple(replace(m, selection=selection, end=end) if m is owner else m for m in reading.mentions),
        cues=cues,
        colors=tuple(c for c in reading.colors if c[0] != index),
        sides=tuple(s for s in reading.sides if not owner.end <= s.start < end),
    )
