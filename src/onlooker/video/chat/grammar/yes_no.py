"""Rules for yes/no questions: is there, is it visible, does it move, are all of them, are there more than two."""

from __future__ import annotations

import re
from dataclasses import replace

from onlooker.video.chat.grammar.coming import span_of_event
from onlooker.video.chat.grammar.context import Scene, united
from onlooker.video.chat.grammar.exclusions import denies_another, is_part_of_kind, without_excluded
from onlooker.video.chat.grammar.limits import comparator_before, length_conditions
from onlooker.video.chat.grammar.moments import INSTANT_S
from onlooker.video.chat.grammar.nouns import kind_names
from onlooker.video.chat.grammar.ordinals import place_said
from onlooker.video.chat.grammar.subjects import SUPERLATIVES, measure_of, order_rank, with_conditions
from onlooker.video.chat.grammar.words import ALL_TIME, words
from onlooker.video.chat.query import (
    AttributeQuery,
    CheckQuery,
    Condition,
    CountQuery,
    Event,
    ExistsQuery,
    IsRankQuery,
    PeakQuery,
    Quantifier,
    Query,
    Rank,
    Refusal,
    Selection,
    TimePoint,
    Window,
)

_EVER = re.compile(r"\b(?:at|in) (?:any|some|one|a) (?:time|moment|point|stage|instant)\b")
_INDEFINITE = words("there something anything somebody anybody someone anyone any some a an")
_WHOLE_VIDEO = re.compile(r"\b(?:whole|entire|full) (?:video|clip|film|footage|movie|recording|duration|length)\b")
_WHOLE_TIME = re.compile(rf"(?<!\S)(?:{ALL_TIME})")
_POINTS = words("point time moment stage instant frame")


def yes_no(scene: Scene) -> Query:
    """The query of a yes/no question."""
    return _choice(scene) or _is_ranked(scene) or _amount(scene) or _kind(scene) or _holds(scene) or _exists(scene)


def _choice(scene: Scene) -> Query | None:
    """ "Moving or parked?", "approaching or receding?", "red or blue?", "is object 5 a car or a bird?"."""
    named = scene.things[0] if scene.things else None
    offered = scene.things[1:]
    if scene.reading.has_or and named is not None and named.numbers and len(offered) > 1:
        kinds = all(t.categories is not None and not t.numbers and not t.definite for t in offered)
        if kinds and not set(scene.reading.cues) - {"not", "filler", "video", "kind"}:
            return AttributeQuery(named, "category")
    if not scene.reading.has_or or len(scene.specific) > 1:
        return None
    if scene.has("stationary") and scene.has("in_motion", "move"):
        return AttributeQuery(scene.subject, "stationary", ("moving", "stationary"))
    if scene.has("approach") and scene.has("recede"):
        return AttributeQuery(scene.subject, "approach")
    if len(scene.reading.colors) > 1 and not _any_of_them(scene):
        return AttributeQuery(scene.subject, "color")
    return None


def _any_of_them(scene: Scene) -> bool:
    """ "Is there anything red or white?": either colour will do; "is the car red or blue?" asks which it is."""
    first = scene.reading.colors[0][0]
    return any(t.text in _INDEFINITE for t in scene.reading.tokens[:first])


def _is_ranked(scene: Scene) -> Query | None:
    """ "Is car 3 the fastest?", "does person 2 enter last?"."""
    column = measure_of(scene.reading)
    things = list(scene.things)
    ranked = next((t for t in things if t.rank is not None), None)
    subject = scene.pronoun or next((t for t in things if t is not ranked), None)
    if ranked is not None and subject is not None and (subject.numbers or subject.definite):
        return IsRankQuery(subject, ranked)
    if (
        len(things) <= 1
        and ranked is None
        and subject is not None
        and (subject.numbers or subject.keys or subject.definite)
    ):
        everything = Selection()
        if column is not None and any(scene.has(c) for c in SUPERLATIVES):
            return IsRankQuery(subject, replace(everything, rank=Rank(*column)))
        place = place_said(scene.reading)
        if place is not None or (scene.has("first", "last") and scene.has("start", "end", "appear")):
            order = place or (-1 if scene.has("last") else 1)
            return IsRankQuery(subject, replace(everything, rank=order_rank(scene.reading, order)))
    return None


def _amount(scene: Scene) -> Query | None:
    """ "Are there more than two cars?"."""
    main = scene.main
    if main is None or main.amount is None or main.selection.definite or main.quantifier == "all":
        return None
    number_at = next(
        (i for i in range(main.start, main.end) if scene.reading.tokens[i].number == main.amount), main.start
    )
    operator = comparator_before(scene, number_at) or ("=" if main.amount != 1 else ">=")
    subject = replace(scene.narrowed(), plural=True)
    if scene.has("peak"):
        return PeakQuery(subject, "count", operator if operator != "=" else ">=", main.amount)
    return CountQuery(subject, scene.window, None, operator, main.amount)


def _kind(scene: Scene) -> Query | None:
    """ "Is object 5 a car?"."""
    if len(scene.things) != 2 or scene.has("move", "speed", "touch", "near", "together", "before", "after"):
        return None
    first, second = scene.things
    first = scene.pronoun if scene.pronoun is not None and not first.numbers else first
    said_of_it = first.definite and not first.plural and _is_called(scene)
    if not (first.numbers or first.label or first.keys or said_of_it) or second.numbers or second.definite:
        return None
    told = scene.mentions[1].quantifier is not None or scene.mentions[1].selection.definite
    if second.is_unknown and not told and second.noun not in kind_names():
        return Refusal(f'Whether anything is "{second.noun}" is not stored.')  # "is the shirt of person 1 striped?"
    values = second.categories if second.categories else (second.noun,)
    return CheckQuery(first, (Condition("category", "in", values),), "any")


def _is_called(scene: Scene) -> bool:
    """ "Is the red thing a car?": "a car" stands right behind what it is said of."""
    first, second = scene.mentions
    before = scene.reading.tokens[first.start - 1].base if first.start else ""
    return before == "be" and second.start == first.end and second.quantifier == "any"


def _holds(scene: Scene) -> Query | None:
    """Something said of a subject that is taken to exist."""
    conditions = scene.conditions + life_conditions(scene)
    subject = scene.subject
    thing = subject.definite or subject.numbers or subject.label or subject.keys or subject.rank is not None
    quantifier: Quantifier = scene.quantifier
    if not conditions or quantifier == "none" or not (thing or quantifier == "all"):
        return None
    if subject.plural and subject.definite and scene.pronoun is None:
        quantifier = "all"
    if scene.others and not scene.reading.has_or:
        whole = united((subject, *scene.others))
        named = all(t.definite or t.numbers or t.label for t in (subject, *scene.others))
        if whole is None or not named:
            return Refusal("Whether it holds of the one and of the other are two questions; ask for each by itself.")
        subject, quantifier = whole, "all" if quantifier == "any" else quantifier
    return CheckQuery(subject, conditions, quantifier, window=scene.window)


def life_conditions(scene: Scene) -> tuple[Condition, ...]:
    """Coming back, leaving at all, staying to the end, and how long it is visible."""
    found = list(length_conditions(scene))
    window = scene.window
    to_end = window is not None and window.kind == "span" and window.end is not None and window.end.base == "share"
    from_start = window is not None and window.start is not None and window.start.base == "share" and window.end is None
    to_end = to_end and window is not None and window.start is None
    if scene.has("return") or _is_ever_away(scene):
        found.append(Condition("n_gaps", "=" if _is_negated(scene, "return") else ">", 0))
    elif lasts(scene):
        found += [Condition("enters_from", "=", "start"), Condition("leaves_to", "=", "end")]
        found.append(Condition("n_gaps", "=", 0))
    elif scene.has("end") and window is None and not any(c.column == "leaves_to" for c in scene.conditions):
        found.append(Condition("leaves_to", "=" if _is_negated(scene, "end") else "!=", "end"))
    elif to_end and window is not None and window.end is not None and window.end.value == 1.0 and scene.has("visible"):
        found.append(Condition("leaves_to", "=", "end"))
    elif from_start and window is not None and window == Window("span", TimePoint(0.0, "share"), None):
        found.append(Condition("enters_from", "=", "start"))
    return tuple(found)


def _is_ever_away(scene: Scene) -> bool:
    """ "Is he away at any time?", "is she ever out of sight?": whether it is away and back."""
    ever = scene.reading.word("ever") or _EVER.search(scene.reading.question.lower()) is not None
    return ever and scene.form == "yes_no" and scene.window is None and scene.has("gone") and not scene.has("not")


def lasts(scene: Scene) -> bool:
    """ "Always visible", "there the whole time", "in view throughout"."""
    said = " ".join(t.text for t in scene.reading.tokens)
    always = _WHOLE_TIME.search(said) is not None
    # "How many cars are seen throughout the video" counts them all; of one thing, and at the end, it says how long.
    lasting = (scene.form == "yes_no" and _has_name(scene.subject)) or said.rstrip(" ?.!").endswith("throughout")
    lasting = lasting or any(t.base in {"stay", "remain"} for t in scene.reading.tokens)
    always = always or (lasting and scene.reading.word("throughout") and scene.window is None)
    always = always or (lasting and _WHOLE_VIDEO.search(said) is not None) or _at_both_ends(scene)
    chosen = lasting or scene.form in {"which", "what", "list"}
    always = always or (chosen and scene.reading.spans_all)
    there = scene.has("visible") or scene.reading.word("there")
    return there and always and not scene.has("not")


def _at_both_ends(scene: Scene) -> bool:
    """ "There at the start and still there at the end"."""
    moments = {w.window.start.value for w in scene.reading.windows if w.window.start and w.window.start.base == "share"}
    return moments >= {0.0, 1.0} and scene.reading.word("still", "both", "also") and not scene.has("start", "end")


def _is_negated(scene: Scene, code: str) -> bool:
    """ "Never leaves", "does not come back"; the "not" must stand before the phrase."""
    negations = words("not never without")
    before = scene.reading.tokens[: scene.reading.at(code)]
    return any(t.text in negations for t in before)


def asks_nothing(scene: Scene) -> bool:
    """ "Is the video any good?": no thing, no time and nothing that could be there."""
    telling = set(scene.reading.cues) - {"video", "filler", "not", "all"} or scene.reading.word("there", "here")
    return not (scene.has_subject or scene.conditions or telling or scene.window is not None)


def _exists(scene: Scene) -> Query:
    event: Event | None = None
    if scene.window is not None:
        event = "end" if scene.has("end") else "start" if scene.has("start") else None
        if event is None and scene.has("appear") and scene.window.kind == "span" and _has_name(scene.subject):
            event = "start"
    if event is None and _is_away(scene):
        return ExistsQuery(scene.narrowed(), _inside(scene.window), None, scene.quantifier != "none", scene.others)
    lives = length_conditions(scene) if event is not None else life_conditions(scene)
    subject, others = with_conditions(scene.narrowed(), lives), scene.others
    window, event = span_of_event(scene, event)
    if others and scene.reading.has_or:
        either = united((scene.subject, *others))
        if either is None:
            return Refusal(
                "Whether there is the one or the other is told for plain kinds only; ask for each by itself."
            )
        subject, others = with_conditions(with_conditions(either, scene.conditions), lives), ()
    both = _neither(scene)
    if both is not None:
        return ExistsQuery(both, window, event, True)
    rest = without_excluded(scene, subject)
    if is_part_of_kind(rest) and scene.quantifier != "none":
        return ExistsQuery(rest, window, event)
    if denies_another(scene):
        return Refusal("Whether one thing is there and another is not are two questions; ask for each by itself.")
    return ExistsQuery(subject, window, event, scene.quantifier == "none" or _never(scene), others)


def _never(scene: Scene) -> bool:
    """ "The dog never appears", "at no point did a dog appear": whether there is none, so said."""
    said = scene.reading.word("never") or any(scene.reading.says(front, _POINTS) for front in ("at no", "in no"))
    return said and scene.has("start", "appear", "visible") and not scene.has("end", "return", "gone")


def _neither(scene: Scene) -> Selection | None:
    """ "Neither the cow nor the car": either of them, so that none is the answer."""
    things = scene.specific
    plain = not any(t.conditions or t.rank or t.label for t in things)
    if len(things) != 2 or not plain or not (scene.reading.word("neither") and scene.reading.word("nor", "or")):
        return None
    whole = united([replace(t, definite=False) for t in things])
    return None if whole is None or whole.categories is None else replace(whole, plural=True)


def _is_away(scene: Scene) -> bool:
    """ "Is the cow not visible at 1 s?", "is it gone after 3 s?": asks the opposite of "is it there?"."""
    timed = scene.window is not None and (scene.window.kind == "at" or scene.clause is None)
    return timed and _has_name(scene.subject) and scene.has("gone") and not scene.has("return", "end", "start")


def _inside(window: Window | None) -> Window | None:
    """A span without its two ends: what is last seen at 6 s is gone after that."""
    if window is None or window.kind == "at":
        return window
    start, end = window.start, window.end
    start = replace(start, value=start.value + INSTANT_S) if start is not None and start.base == "start" else start
    end = replace(end, value=end.value - INSTANT_S) if end is not None and end.base == "start" else end
    return Window("span", start, end)


def _has_name(subject: Selection) -> bool:
    return subject.definite or bool(subject.numbers)
