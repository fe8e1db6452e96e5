"""Questions that choose among videos: which of them show something, the most of it, none of it, or are the longest."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import Literal

from onlooker.video.chat.grammar.context import Scene, united
from onlooker.video.chat.grammar.limits import comparator_before
from onlooker.video.chat.grammar.mentions import Mention
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import (
    Operator,
    Query,
    Refusal,
    Selection,
    VideosCompareQuery,
    VideosCountQuery,
    VideosQuery,
)

_VIDEO = words("video clip film movie recording footage file vid")
_VIDEOS = words("videos clips films movies recordings footages files vids")
_ALL = words("both all every each")
_WITHIN_ALL = words("of the these those two my our")
_MOST = words("most more")
_LEAST = words("least fewest fewer less")
_HIGH = words("largest highest greatest biggest maximum larger higher greater bigger")
_LOW = words("smallest lowest minimum smaller lower")
_AMOUNT = words("number count amount total")
_LENGTHS: dict[str, Literal["most", "least"]] = {
    **dict.fromkeys(("longest", "longer", "lengthiest"), "most"),
    **dict.fromkeys(("shortest", "shorter", "briefest"), "least"),
}
_ABSENT = words("no not without never none neither nor lack lacks lacking")
# Cues that a choice among videos stands for, with nothing shown in them, with something, and by how much of it.
_PLAIN = words("video which count list what visible filler total all how appear not")
_OF_THINGS = words(
    "start move in_motion stationary approach recede direction wear upper lower color size look when_noun"
)
_WEIGHING = words("more fewer equal most_common least_common largest smallest larger smaller")
_AT_ONCE = words("once same time moment simultaneously together")
_IN_TURN = words("first last earliest latest earlier later")
_NOT_SAID = (
    "Of videos one can ask which, or how many, show something, show none of it or the most of it, and which is the "
    "longest. Ask the rest of one video at a time."
)
_TWO_COUNTS = re.compile(r"\bhow many\b.*\bhow many\b")
_EACH_VIDEO = re.compile(
    rf"\b(?:each|every|per) (?:of )?(?:the |these |those |one of |two )*(?:{'|'.join(sorted(_VIDEO | _VIDEOS))})\b"
)
_COUNTED = re.compile(r"\bhow many (\w+)")
_NO_COUNTED = words("in are is were was there of at from do does did")
_EACH = re.compile(r"\beach\b")
_ANY_VIDEO = re.compile(
    r"\b(?:any|either|one|some|a|single) (?:of (?:the|these|those|my|our) )?(?:two |single )?"
    rf"(?:{'|'.join(sorted(_VIDEO | _VIDEOS))})\b"
)


def counted(scene: Scene) -> Query | None:
    """ "How many cars in A and how many in B?", "how many dogs are in each video?": the number in every one of them."""
    named, said = scene.reading.videos or (), scene.reading.question.lower()
    apart = len(named) > 1 and (_TWO_COUNTS.search(said) is not None or scene.reading.word("respectively"))
    if scene.form != "count" or not (apart or _EACH_VIDEO.search(said) or (len(named) > 1 and _EACH.search(said))):
        return None
    things = scene.specific
    kinds = {(t.categories, t.numbers, t.conditions, t.label) for t in things}
    asked = {noun for noun in _COUNTED.findall(said) if noun not in _NO_COUNTED}
    plain = (
        len(kinds) == 1
        and len(asked) <= 1
        and not things[0].rank
        and not scene.has("peak", "mean", "other_than", "start", "end")
    )
    if not plain or scene.clause is not None or scene.pronoun is not None:
        return Refusal(f"The numbers in several videos are given for one kind of thing at a time. {_NOT_SAID}")
    return VideosCountQuery(replace(scene.narrowed(), plural=True), scene.window)


def compared(scene: Scene) -> Query | None:
    """ "Are there more cars in A than in B?", "which has more people, A or B?" of two videos named in the question."""
    pair = scene.reading.videos
    if pair is None or len(pair) != 2:
        return None
    kinds = {t.noun for t in scene.specific}
    if len(kinds) > 1 and not scene.others and scene.form == "yes_no" and scene.reading.word("and"):
        return Refusal("This asks for one thing in one video and for another in the other; ask them one by one.")
    length = _length_weighed(scene, pair)
    if length is not None:
        return length
    operator = _weighed(scene)
    if operator is None:
        return None
    things = [t for t in scene.things if not t.is_unknown]
    if len(things) != 1 or len(scene.things) != 1 or things[0].numbers or things[0].label:
        return Refusal(f"Two videos are compared by how many of one kind of thing they show. {_NOT_SAID}")
    which = scene.reading.has_or or scene.form == "which"
    if not which and scene.form != "yes_no":
        return Refusal(_NOT_SAID)
    subject = replace(scene.narrowed(), plural=True, rank=None)
    return VideosCompareQuery(
        subject, (pair[0], pair[1]), operator, "which" if which else "yes_no", scene.window, videos=pair
    )


def _length_weighed(scene: Scene, pair: tuple[int, ...]) -> Query | None:
    """ "Which is longer, A or B?", "is A shorter than B?" of two videos and of nothing in them."""
    word = next((t.text for t in scene.reading.tokens if t.text in _LENGTHS), None)
    if word is None or any(not t.is_unknown or t.noun not in _VIDEO for t in scene.things):
        return None
    which = scene.reading.has_or or scene.form == "which"
    ask: Literal["which", "yes_no"] = "which" if which else "yes_no"
    operator: Operator = ">" if _LENGTHS[word] == "most" else "<"
    return VideosCompareQuery(None, (pair[0], pair[1]), operator, ask, videos=pair)


def _weighed(scene: Scene) -> Operator | None:
    """More, fewer or as many: what is said of the numbers in two videos."""
    reading = scene.reading
    said = [t.text for t in reading.tokens]
    if reading.says("as", frozenset({"many"})) or reading.says("the same", _AMOUNT):
        return "="
    if "than" not in said and not reading.has_or:
        return None
    high = bool(_MOST & set(said)) or _sized_amount(said, _HIGH)
    low = bool(_LEAST & set(said)) or _sized_amount(said, _LOW)
    return None if high == low else ">" if high else "<"


def _sized_amount(said: list[str], sizes: frozenset[str]) -> bool:
    """ "The largest number of", "a number ... greater than"."""
    return bool(sizes & set(said)) and bool(_AMOUNT & set(said))


def within_one(scene: Scene) -> Query | None:
    """ "Does any video show a truck and a bird?": both in one, not one here and the other there."""
    asked = scene.form == "yes_no" and _ANY_VIDEO.search(scene.reading.question.lower()) is not None
    joined = scene.others and not scene.reading.has_or and len(scene.things) == 1 + len(scene.others)
    if not asked or not joined or scene.window is not None or {t.text for t in scene.reading.tokens} & _ABSENT:
        return None
    plain = all(t.categories and not (t.numbers or t.label or t.rank or t.adjectives) for t in scene.things)
    if not plain or scene.conditions or scene.clause is not None:
        return None
    return VideosQuery(scene.things[0], "which", others=scene.others)


def videos(scene: Scene) -> Query | None:
    """ "Which videos contain a dog?", "how many videos have no people?", "which is the longest clip?"."""
    asks_every = scene.form == "yes_no" and _of_every_video(scene)
    length = _length_asked(scene)
    if length is not None:
        return VideosQuery(None, pick=length)
    if not asks_every and not _asks_for_videos(scene):
        return None
    required, absent = _parted(scene)
    unclear = _unclear(scene, required, absent)
    if unclear is not None:
        return unclear
    pick = None if asks_every else _pick(scene)
    main = required[0] if required else None
    operator, number = (None, None) if main is None else _limit(scene, required)
    return VideosQuery(
        main,
        "every" if asks_every else "count" if scene.form == "count" else "which",
        tuple(required[1:]),
        tuple(absent),
        pick,
        operator,
        number,
        scene.window,
    )


def _asks_for_videos(scene: Scene) -> bool:
    reading = scene.reading
    plural = reading.word(*(_VIDEOS - {"footages", "vids"}))
    asked = plural or (scene.form == "which" and reading.has("video") and _follows(scene, "which", "video"))
    if not asked or not reading.has("video") or scene.form not in {"which", "count", "list", "what", "none"}:
        return False
    if scene.form == "count" and not _follows(scene, "count", "video"):
        return False
    return not (scene.form in {"list", "what"} and scene.has_subject and not _before_subject(scene))


def _follows(scene: Scene, first: str, second: str) -> bool:
    """Whether a cue of the second code comes right behind one of the first."""
    ends = {cue.end for cue in scene.reading.cues.get(first, ())}
    of_the = {"of", "the", "these", "those", "two", "my", "our"}
    tokens = scene.reading.tokens
    for cue in scene.reading.cues.get(second, ()):
        for end in ends:
            between = {t.text for t in tokens[end : cue.start]}
            if cue.start >= end and (cue.start - end < 2 or between <= of_the):
                return True
    return False


def _before_subject(scene: Scene) -> bool:
    return not scene.mentions or scene.reading.at("video") < scene.mentions[0].start


def _of_every_video(scene: Scene) -> bool:
    """ "Is there a dog in every clip?", "do both videos show a car?", "do A and B both have a dog?"."""
    said = [t.text for t in scene.reading.tokens]
    if not scene.things:
        return False
    for i, word in enumerate(said):
        if word not in _ALL or (i and said[i - 1] in {"across", "over", "among"}):
            continue
        k = i + 1
        while k < len(said) and said[k] in _WITHIN_ALL:
            k += 1
        several = k < len(said) and said[k] in (_VIDEO if word in {"every", "each"} and k == i + 1 else _VIDEOS)
        pair = scene.reading.videos is not None and len(scene.reading.videos) > 1 and word in {"both", "each", "all"}
        if several or (pair and not any(m.start == i for m in scene.mentions)):
            return True
    return False


def _length_asked(scene: Scene) -> Literal["most", "least"] | None:
    """ "Which video is the longest?", "what is the shortest clip?", "which of the two videos runs longer?"."""
    if scene.things or scene.form not in {"which", "what", "list", "none", "how_long"}:
        return None
    said = [t.text for t in scene.reading.tokens]
    word = next((w for w in said if w in _LENGTHS), None)
    if word is None or (scene.form == "how_long" and not scene.has("which")):
        return None
    named = any(a in _LENGTHS and b in _VIDEO for a, b in pairwise(said))
    return _LENGTHS[word] if named or _asks_for_videos(scene) else None


def _parted(scene: Scene) -> tuple[list[Selection], list[Selection]]:
    """What must be there and what must not: "a cow but no person", "neither a dog nor a cat"."""
    required: list[Selection] = []
    absent: list[Selection] = []
    before = 0
    for mention, thing in zip(scene.mentions, scene.things, strict=True):
        between = {t.text for t in scene.reading.tokens[before : mention.end]}
        (absent if _denied(mention, between) else required).append(thing)
        before = mention.end
    if not scene.things and scene.pronoun is not None:
        required.append(scene.pronoun)
    said = scene.conditions
    if said and required:
        required[0] = replace(required[0], conditions=tuple(dict.fromkeys((*required[0].conditions, *said))))
    if len(required) > 1 and scene.reading.has_or:
        required = [united(required) or required[0]]
    return required, absent


def _denied(mention: Mention, between: set[str]) -> bool:
    return mention.quantifier == "none" or bool(between & _ABSENT)


def _pick(scene: Scene) -> Literal["most", "least"] | None:
    """ "The most people", "the smallest number of cars"; "more than two" is a limit."""
    said = [t.text for t in scene.reading.tokens]
    if "than" in said or scene.reading.says("at", _MOST | _LEAST):
        return None
    if _MOST & set(said) or _sized_amount(said, _HIGH):
        return "most"
    return "least" if _LEAST & set(said) or _sized_amount(said, _LOW) else None


def _limit(scene: Scene, required: list[Selection]) -> tuple[Operator | None, int | None]:
    """ "Exactly two cars", "more than three people"."""
    main = next((m for m, t in zip(scene.mentions, scene.things, strict=True) if t.categories), None)
    if main is None or main.amount is None or len(required) > 1:
        return None, None
    tokens = scene.reading.tokens
    at = next((i for i in range(main.start, main.end) if tokens[i].number == main.amount), main.start)
    return comparator_before(scene, at) or ("=" if main.amount != 1 else ">="), main.amount


def _unclear(scene: Scene, required: list[Selection], absent: list[Selection]) -> Refusal | None:
    """What a choice among videos cannot stand for: who moves fastest, what comes first, the largest of all."""
    ranked = any(t.rank is not None for t in required) or (len(required) > 1 and scene.reading.has_or)
    limited = any(m.amount is not None and m.amount > 1 for m in scene.mentions) and len(required) > 1
    mixed = _pick(scene) is not None and (len(required) != 1 or bool(absent))
    allowed = _PLAIN if not required and not absent else _PLAIN | _OF_THINGS
    allowed |= _WEIGHING if required else frozenset()
    said = [t.text for t in scene.reading.tokens]
    if _sized_amount(said, _HIGH) and not scene.reading.word(*_AT_ONCE):
        allowed |= {"peak"}  # "the largest number of cars"
    strange = set(scene.reading.cues) - allowed or scene.reading.word(*_IN_TURN)
    return Refusal(_NOT_SAID) if ranked or limited or mixed or strange or scene.clause is not None else None
