"""Things a question says that its query has no place for: a cut, a half, "one after another", "just", a second kind."""

from __future__ import annotations

import re

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.unread import HELD
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import (
    CategoriesQuery,
    CheckQuery,
    CountQuery,
    DurationQuery,
    ExistsQuery,
    ListQuery,
    MomentQuery,
    PeakQuery,
    Query,
    SoundQuery,
    WordsQuery,
)

_OF_THINGS = (CountQuery, ExistsQuery, ListQuery, CheckQuery, MomentQuery, DurationQuery, PeakQuery, CategoriesQuery)
# What is about the video and never about one thing in it.
_TOPICS = ("cut", "silent", "loud")
_SHARES = re.compile(
    r"\b(?:(?:more|less|at least|at most|over|under|about) )?(?:than )?(?:half|a third|a quarter|most) of "
    r"(?:the |this )?(?:video|clip|time|film|footage|recording|movie)\b"
)
_ONE_BY_ONE = re.compile(
    r"\bone (?:after|behind|by|following) (?:another|one|the other|the next)\b|\bin a row\b|\bin turns?\b"
    r"|\btake turns\b|\bback to back\b|\bsingle file\b"
)
_BUT_NOT = re.compile(r"\bbut not (?:before|after|then|later|earlier|since)\b")
_BECOMING = re.compile(
    r"\b(?:get|gets|got|getting|become|becomes|became|grow|grows|grew|turn|turns)\b (?:any |much |even |a bit )?"
    r"(?!closer|nearer|bigger|larger|smaller|farther|further|after|over|another|under)[a-z]+er\b(?! than)"
)
_AIDED = re.compile(r"\bask(?:s|ed|ing)? (?:for|about|to|if|whether|him|her|them|anyone|someone)\b|\bfor help\b")
_COMES_AND_GOES = re.compile(
    r"\b(?:came|come|comes|enter\w*|arriv\w*|appear\w*) (?:in )?and (?:then )?"
    r"(?:went|go|goes|left|leave|leaves|exit\w*|disappear\w*|vanish\w*)\b"
)
_NOTHING_ELSE = words("just merely solely purely")


def left_over(scene: Scene, query: Query) -> str | None:
    """The first such part of a question, `None` where its query says all of it."""
    if isinstance(query, WordsQuery | SoundQuery):
        return _thing_beside(scene, query)
    if not isinstance(query, _OF_THINGS):
        return None
    topic = next((code for code in _TOPICS if scene.has(code)), None)
    if topic is not None:
        cue = scene.reading.cues[topic][0]
        return " ".join(t.text for t in scene.reading.tokens[cue.start : cue.end])
    said = scene.reading.question.lower()
    found = _AIDED.search(said) if _asks_of_people(scene) else None
    if found is None and isinstance(query, HELD):
        found = (
            _BUT_NOT.search(said)
            or (_COMES_AND_GOES.search(said) if getattr(query, "event", None) is not None else None)
            or _BECOMING.search(said)
            or _ONE_BY_ONE.search(said)
            or (_SHARES.search(said) if isinstance(query, ExistsQuery) else None)
        )
    if found is not None:
        return found.group()
    return _only(scene, query) or _then_another(scene, query) or _first_of_moment(scene, query)


def _asks_of_people(scene: Scene) -> bool:
    """ "When does someone ask for help?"; not "I am asking for a friend: how many cars?"."""
    cues = [m.end for m in scene.mentions if set(m.selection.categories or ()) & set(scene.reading.people)]
    tokens = scene.reading.tokens
    return any(end < len(tokens) and tokens[end].base == "ask" for end in cues)


def _thing_beside(scene: Scene, query: WordsQuery | SoundQuery) -> str | None:
    """ "Did the red car stop at the sign?": of what stands before the sign nothing would be said."""
    if isinstance(query, SoundQuery) or query.phrase is not None or query.source != "screen_text":
        return None
    first = min((cue.start for cue in scene.reading.cues.get("text", ())), default=0)
    for mention, thing in zip(scene.mentions, scene.things, strict=True):
        told = thing.definite or thing.numbers or thing.label
        if mention.end < first and told and not thing.is_unknown and thing.categories is not None:
            return scene.reading.tokens[mention.end].text
    return None


def _only(scene: Scene, query: Query) -> str | None:
    """ "Is there a moment with just the cat?": that nothing else is there is more than that it is."""
    if not isinstance(query, ExistsQuery) or scene.form != "yes_no":
        return None
    tokens = scene.reading.tokens
    near = (i for m in scene.mentions for i in range(max(m.start - 2, 1), m.start))
    return next((tokens[i].text for i in near if tokens[i].text in _NOTHING_ELSE), None)


def _then_another(scene: Scene, query: Query) -> str | None:
    """ "List the cars then the people": one of two lists."""
    if not isinstance(query, CountQuery | ListQuery):
        return None
    for before, after in zip(scene.mentions, scene.mentions[1:], strict=False):
        between = [t.text for t in scene.reading.tokens[before.end : after.start] if t.is_word]
        if "then" in between and set(between) <= {"and", "then", "the", "all"}:
            return f"then {after.word}"
    return None


def _first_of_moment(scene: Scene, query: Query) -> str | None:
    """ "If I start at 6 s, what do I see first?": all that are there at a moment are there at once."""
    if not isinstance(query, ListQuery) or query.subject.rank is not None or query.order_by is not None:
        return None
    at = query.window is not None and query.window.kind == "at"
    closing = [t.text for t in scene.reading.tokens if t.is_word][-1:]
    return "first" if at and closing == ["first"] else None
