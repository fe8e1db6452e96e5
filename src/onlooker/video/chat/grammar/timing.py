"""Rules for when, how long and where."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.limits import length_conditions
from onlooker.video.chat.grammar.ordinals import place_before, place_said
from onlooker.video.chat.grammar.subjects import SUPERLATIVES, measure_of, order_rank, place_condition, with_conditions
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import (
    AttributeQuery,
    BoxQuery,
    DurationQuery,
    IntervalQuery,
    MomentQuery,
    PathQuery,
    PlaceTimesQuery,
    Query,
    Rank,
    Refusal,
    Selection,
    TimePoint,
    VideoFactQuery,
    Window,
)

_NTH_TIME = re.compile(r"\b(?:the|a|for) (first|second|third|fourth|fifth|last|\d+(?:st|nd|rd|th)) time\b")
_NO_TIMES = (
    "Of coming and going again and again only this is stored: when a thing is seen first and last, and when it comes "
    "back."
)
_COMES_AND_GOES = re.compile(
    r"\b(?:start|begin|entr|arriv|appear|com|enter|show|turn|entrance)\w*(?: up| in)?(?: times?)?(?: and|,|/| &) ?"
    r"(?:when (?:do|does|did|is|was) (?:it|he|she|they) |its |the |then |also )*"
    r"(?:end|exit|leav|left|depart|disappear|vanish|go|went|finish)\w*\b(?! back)"
)
_OF_LIFE = ("start", "appear", "end", "return", "gone", "first", "last", "near", "until_when")
_STAYING = words("remain stay linger persist last")
_VANISHING = words("vanish disappear")
THE_END = Window("at", TimePoint(1.0, "share"), None)
_THE_OTHER = words("other others rest")


def between_two(scene: Scene) -> Query | None:
    """ "How long after the goat does the cow appear?", "how many seconds pass between A's arrival and B's?"."""
    things = scene.specific
    asked = scene.form == "how_long" or (scene.form == "when" and scene.reading.word("how"))
    linked = scene.has("before", "after", "start", "end", "appear", "difference") or scene.reading.word(
        "between", "later", "after", "before", "separate", "separates", "apart"
    )
    together = scene.has("together", "touch", "near")
    if not asked or len(things) < 2 or not linked or together:
        return None
    if scene.others and not scene.reading.word("between", "separate", "separates", "apart", "lie", "pass"):
        return None
    first, second = scene.mentions[0], scene.mentions[1]
    events = [
        event_around(scene, first.start, first.end, second.start),
        event_around(scene, second.start, second.end, None),
    ]
    known = [e for e in events if e is not None] or ["start"]
    return IntervalQuery(things[0], things[1], events[0] or known[0], events[1] or known[0])


def event_around(scene: Scene, start: int, end: int, limit: int | None) -> Literal["start", "end"] | None:
    """Coming or leaving, said right behind a mention, or right before it ("the arrival of the car")."""
    for code in ("end", "gone", "start", "appear"):
        for cue in scene.reading.cues.get(code, ()):
            behind = end <= cue.start and (limit is None or cue.start < limit)
            before = cue.end <= start and all(
                t.text in {"of", "the", "by"} for t in scene.reading.tokens[cue.end : start]
            )
            if behind or before:
                return "end" if code in {"end", "gone"} else "start"
    return None


def when(scene: Scene) -> Query:
    """A moment of the subject's life: coming, leaving, coming back, being seen."""
    subject = scene.narrowed()
    if not scene.has_subject:
        pronoun = any(m.kind == "pronoun" for m in scene.reading.mentions)
        return VideoFactQuery("duration") if scene.has("end") and not pronoun else _no_moment()
    if measure_of(scene.reading) is not None or scene.has("stationary", "in_motion", "speed"):
        return Refusal(
            "Moments of speed and rest are not stored, only when something is seen first and last, and how fast it is."
        )
    nth = _NTH_TIME.search(scene.reading.question.lower())
    event = None if nth is None else _event_of_time(scene, nth.group(1))
    if nth is not None:
        return Refusal(_NO_TIMES) if event is None else MomentQuery(subject, event)
    if comes_and_goes(scene):
        return MomentQuery(subject, "span")
    if scene.has("return"):
        return MomentQuery(subject, "return")
    if _takes_to_cross(scene):
        return DurationQuery(subject)
    late = scene.has("last") or _closes_with_last(scene)
    asked = scene.reading.cues.get("when", [])
    said = {t.text for cue in asked for t in scene.reading.tokens[cue.start : cue.end]}
    if said & {"first", "earliest", "initial"}:
        return MomentQuery(subject, "start")
    if said & {"last", "latest", "final"}:
        return MomentQuery(subject, "end")
    spoken = [t for t in scene.reading.tokens if t.is_word]
    if "late" in said and any(t.base in _STAYING for t in spoken):
        return MomentQuery(subject, "end")  # "how late does it stay?"
    goes = bool(spoken) and spoken[-1].base in {"go", "end", "finish"}  # "when does it go?"
    if goes or scene.has("end", "until_when", "gone") or (late and scene.has("visible", "appear", "start")):
        return MomentQuery(subject, "end")
    if scene.has("visible") and not scene.has("start", "appear", "first"):
        return MomentQuery(subject, "span")
    return MomentQuery(subject, "start")


def comes_and_goes(scene: Scene) -> bool:
    """ "When does it come and go?", "start and end times": both ends of the time it is there."""
    return scene.form == "when" and _COMES_AND_GOES.search(scene.reading.question.lower()) is not None


def _event_of_time(scene: Scene, place: str) -> Literal["start", "end", "return"] | None:
    """What is stored of the n-th time: the first coming, the first coming back, the last going."""
    going = scene.has("end", "gone")
    if place == "last":
        return None if scene.has("start", "return") and not going else "end"
    if going:
        return None
    return {"first": "start", "1st": "start", "second": "return", "2nd": "return"}.get(place)  # type: ignore[return-value]


def placed(scene: Scene) -> Query | None:
    """ "When is Anna in the left half?": where the centre of its box is, and no coming or going at that side."""
    side = scene.reading.side("at")
    if side is None or len(scene.reading.sides) > 1 or scene.window is not None or scene.clause is not None:
        return None
    said = scene.reading.tokens[:2]
    asked = scene.form == "when" and said[0].text == "when" and said[1].base == "be" and scene.has_subject
    weighed = measure_of(scene.reading) is not None or len(scene.specific) > 1
    if not asked or weighed or scene.has(*_OF_LIFE, "move", "direction", "not"):
        return None
    return PlaceTimesQuery(scene.subject, place_condition(side))


def _takes_to_cross(scene: Scene) -> bool:
    """ "How long does it take the cyclist to cross?" is how long it is there, not when it comes."""
    asked = scene.reading.cues.get("when", [])
    takes = any(t.base == "take" for cue in asked for t in scene.reading.tokens[cue.start : cue.end])
    moves = [cue.start for cue in scene.reading.cues.get("move", ())]
    crossing = any(scene.reading.tokens[i - 1].text == "to" for i in moves if i)
    return takes and crossing and not scene.has("start", "appear", "end", "visible")


def _closes_with_last(scene: Scene) -> bool:
    main = scene.main
    end = main.end if main is not None else 0
    return any(t.text in {"last", "lastly", "finally"} for t in scene.reading.tokens[end:])


def _no_moment() -> Query:
    return Refusal("Say what is meant: when does which object appear or leave, or when is which word said?")


def how_long(scene: Scene) -> Query:
    """Time visible, or time away."""
    measure = measure_of(scene.reading)
    subject = scene.narrowed()
    if _NTH_TIME.search(scene.reading.question.lower()):
        return Refusal(_NO_TIMES)
    if measure is not None and subject.rank is None:
        subject = replace(subject, rank=Rank(*measure))
    if scene.has("stationary", "in_motion") and not scene.has("visible"):
        return Refusal("How long something moves or rests is not stored, only how long it is visible.")
    if scene.has("until_when"):
        return MomentQuery(subject, "end")
    if scene.has("gone") or _goes_missing(scene):
        return DurationQuery(subject, "gone")
    return DurationQuery(subject, "mean" if scene.has("mean") else "visible")


def _goes_missing(scene: Scene) -> bool:
    """ "For how long does it vanish?": away, not visible; "how long until it vanishes" is the time before."""
    vanishing = any(t.base in _VANISHING for t in scene.reading.tokens)
    return vanishing and not scene.reading.word("until", "till", "before", "after", "visible", "seen")


def where(scene: Scene) -> Query:
    """A box, or a path over a span; "from where" and "which side" give a side."""
    subject = with_conditions(scene.subject, tuple(c for c in scene.conditions if c.column == "place"))
    window = scene.window
    if not scene.has_subject:
        return Refusal("Say what should be located, and when: where is the dog at 3 s?")
    done = _done_somewhere(scene)
    if done is not None:
        return Refusal(f'Where anything is in the picture is stored, not where it would "{done}".')
    if scene.has("path") or (window is not None and window.kind == "span" and window.start and window.end):
        return PathQuery(subject, window)
    if window is not None:
        return BoxQuery(subject, _instant(window))
    if scene.reading.word("from") and scene.has("start", "appear", "move", "direction"):
        return AttributeQuery(subject, "enters_from")
    if scene.has("direction") or (scene.has("move") and not scene.has("start", "end")):
        return AttributeQuery(subject, "direction")
    late = scene.has("end", "end_up") or scene.has("last")
    early = scene.has("start", "first", "appear")
    if (late or early) and scene.reading.word("edge", "side", "border"):
        return AttributeQuery(subject, "leaves_to" if late else "enters_from")
    return BoxQuery(subject, None, "end" if late else "start" if early else None)


def _done_somewhere(scene: Scene) -> str | None:
    """ "Where does he live?", "where is she from?": no place in the picture."""
    reading, tokens = scene.reading, scene.reading.tokens
    asked = next((i for i, t in enumerate(tokens[:-1]) if t.text in {"where", "whereabouts"}), None)
    subject = next((m for m in reading.mentions if asked is not None and m.start == asked + 2), None)
    if asked is None or subject is None or subject.end >= len(tokens):
        return None
    verb = tokens[subject.end]
    codes = {code for code, found in reading.cues.items() for c in found if c.start <= subject.end < c.end}
    timed = any(w.start <= subject.end < w.end for w in reading.windows)
    elsewhere = not codes - {"filler", "where"} or verb.base == "look"
    if tokens[asked + 1].base == "do" and verb.is_word and not timed and elsewhere:
        return verb.text
    return "be from" if tokens[asked + 1].base == "be" and verb.text == "from" else None


def _instant(window: Window) -> Window:
    """ "Where is it after 3 s?" asks for that moment."""
    point = window.start or window.end or TimePoint(0.0)
    return Window("at", point, None)


def _weighed_in_turn(scene: Scene) -> bool:
    """ "Which dog comes later?", with no moment and nothing else that it comes later than."""
    free = scene.window is None and not scene.reading.word("than")
    return free and scene.form == "which" and scene.reading.word("later", "earlier", "sooner")


def which_subject(scene: Scene) -> Selection:
    """The subject with the rank a superlative outside its noun phrase gives it."""
    subject = scene.narrowed()
    if subject.rank is not None:
        return subject
    place = place_said(scene.reading)
    if place is not None:
        return replace(subject, rank=order_rank(scene.reading, place), plural=False)
    measure = measure_of(scene.reading)
    if measure is not None:
        limits = length_conditions(scene)  # "faster than 50 px/s" is a limit, not a race
        rank = Rank(*measure, place_before(scene.reading, SUPERLATIVES))
        return with_conditions(subject, limits) if limits else replace(subject, rank=rank)
    if scene.window == THE_END and scene.has("start") and (not subject.plural or scene.reading.word("who", "whose")):
        return replace(subject, rank=Rank("t_start", True))  # "whose entry comes at the very end?"
    if _weighed_in_turn(scene) and not subject.plural:
        return replace(subject, rank=order_rank(scene.reading, -1 if scene.reading.word("later") else 1))
    if scene.reading.says("after the", _THE_OTHER) or scene.reading.says("later than the", _THE_OTHER):
        return replace(subject, rank=order_rank(scene.reading, -1))
    if scene.has("last") or scene.reading.outside_times("last", "latest", "final"):
        return replace(subject, rank=order_rank(scene.reading, -1))
    if scene.has("first") or scene.reading.outside_times("first", "earliest"):
        return replace(subject, rank=order_rank(scene.reading, 1))
    return subject
