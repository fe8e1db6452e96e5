"""Narrowed and asked again: "and without the white one?", "only the red ones", "and when?" after words or sounds."""

from __future__ import annotations

import re
from dataclasses import replace

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.subjects import opposite
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import (
    AttributeQuery,
    CategoriesQuery,
    Condition,
    CountQuery,
    DurationQuery,
    ExistsQuery,
    ListQuery,
    PeakQuery,
    Query,
    Refusal,
    Selection,
    SoundQuery,
    WordsQuery,
)

_LEADING = words("and but ok okay so now then what about how well hm hmm if you we i also please leave")
_BARRING = (
    ("not", "counting"), ("not", "including"), ("other", "than"), ("apart", "from"), ("aside", "from"),
    ("leaving", "out"),
    ("take", "away"), ("leave", "out"), ("except", "for"), ("without",), ("except",), ("excluding",), ("minus",),
    ("besides",), ("ignoring",), ("ignore",), ("not",), ("out",), ("less",),
)  # fmt: skip
_KEEPING = (("only",), ("just",), ("solely",), ("merely",))
_BEHIND = words("then now please too instead though")
_NARROWED = (CountQuery, ListQuery, ExistsQuery, CategoriesQuery, PeakQuery, DurationQuery, AttributeQuery)
_BUT_NO = re.compile(r"^\W*(?:(?:ok|okay|and|well|yes|yeah|so|alright)\W+)*but no\b")  # "ok but no bikes"
_ELSE = words("and who what anyone anybody anything is was are were there else in it visible")
_LEADING_ELSE = words("and so ok but")
_WHAT_ELSE = words("what else is was there are were can do you we i see visible shown in it the this video clip")
_SHORT = 4  # words: "and who else?"; "what else is there?" asks for everything
_ASKED = frozenset({"when", "where", "how_long", "count"})
_SMALL = frozenset(
    {"when", "where", "how_long", "count", "visible", "appear", "filler", "start", "end", "until_when", "first", "last",
     "what", "time_noun", "total", "list"}
)  # fmt: skip
# What a question may call the words or the sounds that were asked about before.
_CALLED = {"speech": "speech", "screen_text": "text", "loud": "loud", "silence": "silent"}
_LONGEST = 8  # words: more say something of their own


def narrowed_again(scene: Scene) -> Query | None:
    """The last query with something left out of its subject, or with only a part of it kept."""
    focus = scene.focus
    if len(scene.things) != 1 or scene.window is not None or scene.pronoun is not None or scene.form != "none":
        return None
    keeping = _says_which_way(scene)
    if keeping is None or (focus is None and keeping):
        return None
    if focus is None:
        return Refusal("Say in full what is meant: there is no question before from which that could be left out.")
    subject = getattr(focus.query, "subject", None)
    if not isinstance(subject, Selection):
        return None
    if not isinstance(focus.query, _NARROWED):
        return Refusal("Say in full what is meant: nothing can be left out of the question before.")
    thing = scene.things[0]
    if thing.is_unknown:
        return Refusal(f"No {thing.noun} is known here, so none can be {'kept' if keeping else 'left out'}.")
    if keeping:
        part = _part_kept(subject, thing)
    else:
        part = _rest(subject, thing)
    if part is None:
        return Refusal("Say in full what is meant: that cannot be left out of what was talked of before.")
    return replace(focus.query, subject=replace(part, plural=subject.plural or part.rank is None))


def _says_which_way(scene: Scene) -> bool | None:
    """True for "only the red ones", False for "without the red one", None where more or something else is said."""
    tokens, mention = scene.reading.tokens, scene.mentions[0]
    if mention.quantifier == "none" and mention.end >= len([t for t in tokens if t.is_word]):
        return False if _BUT_NO.search(scene.reading.question.lower()) else None
    said = [t.text for t in tokens[: mention.start] if t.is_word]
    rest = [t.text for t in tokens[mention.end :] if t.is_word]
    for phrases, keeping in ((_BARRING, False), (_KEEPING, True)):
        hit = next((p for p in phrases if tuple(said[-len(p) :]) == p), None)
        if hit is not None:
            before = said[: -len(hit)]
            return keeping if set(before) <= _LEADING and set(rest) <= _BEHIND else None
    return None


def _rest(subject: Selection, thing: Selection) -> Selection | None:
    """The subject without the thing; None where no query says so."""
    if thing.rank is not None or thing.adjectives:
        return None
    if thing.numbers and not thing.conditions:
        return replace(subject, conditions=(*subject.conditions, Condition("id", "not in", thing.numbers)))
    if thing.keys and not thing.conditions:
        return replace(subject, conditions=(*subject.conditions, Condition("key", "not in", thing.keys)))
    same = not thing.categories or (subject.categories is not None and set(subject.categories) <= set(thing.categories))
    if len(thing.conditions) == 1 and same:
        return replace(subject, conditions=(*subject.conditions, opposite(thing.conditions[0])))
    if thing.conditions or thing.label or not thing.categories or same:
        return None
    return replace(subject, excluded=tuple(dict.fromkeys((*subject.excluded, *thing.categories))))


def _part_kept(subject: Selection, thing: Selection) -> Selection | None:
    """What is both: "only the red ones", "just the cars"."""
    if thing.rank is not None or thing.adjectives or thing.numbers or thing.label or thing.keys:
        return None
    kept = replace(subject, conditions=tuple(dict.fromkeys((*subject.conditions, *thing.conditions))))
    if not thing.categories:
        return kept
    shared = tuple(c for c in thing.categories if subject.categories is None or c in subject.categories)
    return replace(kept, noun=thing.noun, categories=shared, caveat=thing.caveat) if shared else None


def who_else(scene: Scene) -> Query | None:
    """ "Who else?" after something with a moment: the others at that moment; else nobody knows when is meant."""
    focus, said = scene.focus, [t.text for t in scene.reading.tokens if t.is_word]
    if (
        focus is None
        or "else" not in said
        or len(said) > _LONGEST
        or not set(said) <= _ELSE
        or scene.window is not None
    ):
        return None
    subject, window = getattr(focus.query, "subject", None), getattr(focus.query, "window", None)
    if not isinstance(focus.query, ListQuery | ExistsQuery | CountQuery) or not isinstance(subject, Selection):
        return Refusal("Say when is meant: who else is there at which moment?") if len(said) < _SHORT else None
    if window is None or not subject.categories or subject.conditions:
        return Refusal("Say when is meant: who else is there at which moment?") if len(said) < _SHORT else None
    rest = Selection(excluded=subject.categories, plural=True)
    return ListQuery(rest, window, anchor=focus.query.anchor)


def what_else(scene: Scene) -> Query | None:
    """ "What else is there?" after something that is in the video: everything but that."""
    focus = scene.focus
    said = [t.text for t in scene.reading.tokens if t.is_word and t.text not in _LEADING_ELSE]
    if focus is None or scene.window is not None or said[:2] != ["what", "else"] or not set(said) <= _WHAT_ELSE:
        return None
    subject = focus.subject
    if subject is None or not subject.categories or getattr(focus.query, "window", None) is not None:
        return None
    if subject.keys:
        return ListQuery(Selection(conditions=(Condition("key", "not in", subject.keys),), plural=True))
    return None if subject.conditions else ListQuery(Selection(excluded=subject.categories, plural=True))


def words_again(scene: Scene) -> Query | None:
    """ "And when?", "how long is it there?" after what is written or said, or after what is heard."""
    focus, reading = scene.focus, scene.reading
    if focus is None or not isinstance(focus.query, WordsQuery | SoundQuery) or scene.things or reading.quotes:
        return None
    if scene.form not in _ASKED or reading.strangers or reading.unsupported or _of_something_else(scene, focus.query):
        return None
    if len([t for t in reading.tokens if t.is_word]) > _LONGEST or (scene.form == "count" and not _times(scene)):
        return None
    query, until = focus.query, scene.has("end", "until_when")
    if isinstance(query, SoundQuery):
        if query.label is None or scene.form not in {"when", "how_long"}:
            return Refusal("Say what is meant: when it is loud, or when it is silent?")
        return SoundQuery("how_long" if scene.form == "how_long" else "until" if until else "when", query.label)
    pick = "until" if until and scene.form == "when" else "all"
    return replace(query, ask=scene.form, pick=pick, window=scene.window)  # type: ignore[arg-type]


def _of_something_else(scene: Scene, query: WordsQuery | SoundQuery) -> bool:
    """ "How long is the video?", "when is it silent?" after words: a question of its own."""
    reading = scene.reading
    asked = query.source if isinstance(query, WordsQuery) else query.label
    if asked == "speech" and scene.form == "where":
        return True  # what is said has no place
    called = {_CALLED[asked]} if asked in _CALLED else set()
    if asked == "speech" and reading.word("it", "that"):
        called.add("sound")  # "when is it heard?"
    before = [reading.tokens[max(0, cue.start - 2) : cue.start] for cue in reading.cues.get("video", ())]
    if all(any(t.text == "in" for t in tokens) for tokens in before):
        called.add("video")  # "when in the video?"
    return bool(reading.cues.keys() - _SMALL - called)


def _times(scene: Scene) -> bool:
    return scene.reading.word("often", "times")
