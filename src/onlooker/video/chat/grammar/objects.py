"""Rules for questions about objects: how many, is there, which, when, how long, where, how, of what kind."""

from __future__ import annotations

import re
from dataclasses import replace

from onlooker.video.chat.grammar import follow_up, timing, yes_no
from onlooker.video.chat.grammar.coming import span_of_event
from onlooker.video.chat.grammar.context import Scene, united
from onlooker.video.chat.grammar.exclusions import without_excluded
from onlooker.video.chat.grammar.limits import comparator_before
from onlooker.video.chat.grammar.media import EXAMPLES
from onlooker.video.chat.grammar.ordinals import place_said
from onlooker.video.chat.grammar.subjects import measure_of, with_conditions
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import (
    AttributeQuery,
    CategoriesQuery,
    CountQuery,
    Event,
    EventsQuery,
    ExistsQuery,
    ListQuery,
    PeakQuery,
    Query,
    Rank,
    Refusal,
    Selection,
    SightingsQuery,
)

# "What is the busiest moment?", not "the number of people at the busiest moment".
_BUSY_MOMENT = re.compile(
    r"(?<!\bat )(?<!\bin )(?<!\bof )(?<!\bon )(?<!\bduring )\bthe (?:busiest|fullest|most (?:crowded|busy))"
    r" (?:moment|time|point|instant|second)\b"
)
# "Do they go the same way?", "are they of different sizes?"
_ALIKE = re.compile(r"\b(same|opposite|different) (way|direction|speed|size|length|side)s?\b")
_LIKE_ANOTHER = re.compile(r"\b(?:same|similar|opposite) (way|direction|speed|size|length|side|colou?r)s? (?:as|to)\b")
_KINDS = words("kind kinds type types sort sorts species breed breeds variety varieties")
_PEAK_FORMS = ("count", "what", "when", "list", "how", "none")
_DIRECTLY = words("right directly immediately straight next just")
_COMING = words("arrive enter appear come join leave exit go depart disappear")


def _counts_colors(scene: Scene) -> bool:
    """ "How many colours are there?", "what is the most common colour?"."""
    ends = {cue.end for cue in scene.reading.cues.get("count", ())}
    counted = any(cue.start in ends for cue in scene.reading.cues["color"])
    return counted or scene.has("most_common", "least_common") or scene.reading.word("most", "least")


def unsupported(scene: Scene) -> Query | None:
    """Topics that no column holds."""
    topics = scene.reading.unsupported
    if scene.form in {"yes_no", "which", "how"} and scene.has_subject and scene.reading.says_of_worth():
        return Refusal(f"Nothing is stored about quality and taste. {EXAMPLES}")
    if scene.has("color") and scene.form == "yes_no" and scene.reading.word("same", "different"):
        return Refusal("Colours are not compared with each other. Ask for the colour of each.")
    if scene.has("color") and _counts_colors(scene):
        return Refusal("Colours are not counted. Ask for the colour of each, or how many red ones there are.")
    said = scene.reading.question.lower()
    alike = _ALIKE.search(said) if scene.form == "yes_no" else None
    like = _LIKE_ANOTHER.search(said)
    if like is not None:
        return Refusal(f"Of two things the {like.group(1)} is not compared. Ask for the {like.group(1)} of each.")
    if alike is not None and (len(scene.specific) > 1 or scene.subject.plural):
        return Refusal(f"Of two things the {alike.group(2)} is not compared. Ask for the {alike.group(2)} of each.")
    if topics:
        return Refusal(f"Nothing is stored about {topics[0]}. {EXAMPLES}")
    odd = [a for t in scene.things for a in t.adjectives] if scene.has_subject else []
    if odd:
        return Refusal(f'Whether something is "{odd[0]}" is not stored. {EXAMPLES}')
    for mention, behind, thing in zip(scene.mentions, scene.mentions[1:], scene.things[1:], strict=False):
        texts = [t.text for t in scene.reading.tokens[mention.end - 1 : behind.start]]
        owns = mention.possessive or texts[1:] == ["'s"]
        if owns and len(texts) < 3 and thing.is_unknown:
            return Refusal(f"Nothing is stored about the {thing.noun} of anything or anybody. {EXAMPLES}")
    if scene.reading.strangers and scene.has_subject:
        return Refusal(f'Nothing is stored about "{scene.reading.strangers[0]}". {EXAMPLES}')
    return None


def kinds(scene: Scene) -> Query | None:
    """ "What kinds of objects are there?", "what is the most common object?"."""
    generic = [t for t in scene.things if t.categories is None and not t.numbers]
    one = any(t.definite and not t.plural for t in scene.specific)
    asked_kind = scene.form in {"which", "what"} or (scene.form == "none" and scene.reading.word("which", "what"))
    if scene.has("kind") and asked_kind and scene.reading.word("most", "least") and not one:
        return CategoriesQuery(Selection(plural=True), scene.window, "most" if scene.reading.word("most") else "least")
    common = scene.has("most_common", "least_common") and not one  # "where is the car mostly?" is about the car
    if common and scene.form != "yes_no" and not scene.has("peak"):
        return CategoriesQuery(Selection(plural=True), scene.window, "least" if scene.has("least_common") else "most")
    subject = scene.subject
    if _kind_of_one(scene) or (_names_one(scene) and subject.categories == (subject.noun,)):
        return Refusal(f"What kind of {subject.noun} it is is not stored, only that it is a {subject.noun}.")
    named = next((t for t in scene.specific[1:] if t.numbers or (t.definite and not t.plural)), None)
    if scene.has("kind") and named is not None and scene.form not in {"yes_no", "count"} and not scene.others:
        return AttributeQuery(named, "category")  # "what kind of animal is cat 3?"
    if scene.has("kind") and scene.form != "yes_no":
        if subject.numbers or subject.rank or scene.pronoun is not None or measure_of(scene.reading):
            return AttributeQuery(timing.which_subject(scene), "category")
        return CategoriesQuery(scene.narrowed(), scene.window, "count" if scene.form == "count" else "names")
    if _names_one(scene) and subject.categories and not subject.numbers:
        return CategoriesQuery(scene.narrowed(), scene.window)
    asked = scene.form == "what" or (scene.form == "none" and scene.window is None and not scene.has("total"))
    asked = asked and not scene.specific and measure_of(scene.reading) is None and not yes_no.lasts(scene)
    asked = asked and not scene.has("first", "last", "start", "end", "color", "speed", "direction", "events", "order")
    seen = (bool(generic) or scene.has("visible", "appear") or _is_then(scene)) and not _comes_in_turn(scene)
    if asked and seen and not (subject.rank or subject.numbers):
        return CategoriesQuery(scene.narrowed(), scene.window)
    return None


def _is_then(scene: Scene) -> bool:
    """ "What is in the first shot?": nothing said but when."""
    tokens, windows = scene.reading.tokens, scene.reading.windows
    return len(windows) == 1 and windows[0].start == 2 and tokens[0].text == "what" and tokens[1].base == "be"


def _names_one(scene: Scene) -> bool:
    """ "What animal is it?", "what vehicle was that at 3 s?" with nothing talked of before."""
    main, tokens = scene.main, scene.reading.tokens
    if scene.form != "what" or main is None or not main.start or main.end + 1 >= len(tokens) or len(scene.things) > 1:
        return False
    asked = tokens[main.start - 1].text == "what" and tokens[main.end].base == "be"
    return asked and tokens[main.end + 1].text in {"it", "this", "that", "these", "those"}


def _kind_of_one(scene: Scene) -> bool:
    """ "What kind of bird is it?" where all that is stored is that it is a bird."""
    main, said = scene.main, [t.text for t in scene.reading.tokens]
    if main is None or main.start < 2 or scene.subject.categories != (scene.subject.noun,):
        return False
    if scene.subject.definite and scene.reading.tokens[main.start - 1].base == "be" and said[main.start - 2] in _KINDS:
        return True  # "which species is the black bird?"
    return said[main.start - 1] == "of" and said[main.start - 2] in _KINDS and scene.form != "yes_no"


def peak(scene: Scene) -> Query | None:
    """The most at one time, and when."""
    if scene.form == "yes_no" and scene.reading.word("crowded", "busy", "busiest") and not scene.has_subject:
        return Refusal("How many make a crowd is not known. Ask how many there are at most at one time, and when.")
    most = scene.form == "none" and scene.has_subject and scene.reading.word("max", "maximum")  # "persons max?"
    if not (scene.has("peak") or most or _most_visible(scene)) or not (
        scene.form in _PEAK_FORMS or _which_number(scene)
    ):
        return None
    if len(scene.specific) > 1:
        return None
    how = scene.form == "how" or scene.reading.says("how", words("crowded busy full packed"))
    if how and scene.window is not None and scene.window.kind == "at":
        return CountQuery(scene.narrowed(), scene.window)  # "how crowded is it at 10 s?"
    asked_when = scene.form == "when" and (not scene.has("peak") or scene.reading.at("when") < scene.reading.at("peak"))
    said = " ".join(t.text for t in scene.reading.tokens)
    asked_when = asked_when or (scene.form in {"what", "list", "none"} and _BUSY_MOMENT.search(said) is not None)
    return PeakQuery(scene.narrowed(), "when" if asked_when else "count")


def _which_number(scene: Scene) -> bool:
    """ "Which is the maximum of objects in one frame?"; "which cars are visible at once" is about cars."""
    first = scene.mentions[0].start if scene.mentions else 0
    return scene.form == "which" and scene.reading.at("which") < scene.reading.at("peak") < first


def _most_visible(scene: Scene) -> bool:
    """ "When are the most cars visible?", "what is the most cars one sees?"."""
    starts, tokens = {m.start for m in scene.reading.mentions}, scene.reading.tokens
    most = [i for i, t in enumerate(tokens) if t.text == "most" and i + 1 in starts]
    if not most or not scene.has("visible", "appear"):
        return False
    is_number = scene.form == "what" and most[0] > 1 and tokens[most[0] - 2].base == "be"
    return scene.form in {"when", "count"} or is_number


def events(scene: Scene) -> Query | None:
    """What happens, what something does; not what is still to come."""
    if scene.has("events") and (
        scene.reading.word("will", "gonna", "would") or scene.reading.says("going", frozenset({"to"}))
    ):
        return Refusal("Only what the videos show is stored, not what comes after it. Ask what happens at some moment.")
    edge = _edge_of_events(scene)
    if edge is not None:
        return edge
    if (
        scene.has("events")
        and scene.form in {"what", "list", "none", "how"}
        and not scene.has("direction", "speed", "color")
    ):
        return EventsQuery(scene.subject if scene.has_subject else None, scene.window)
    return None


def _edge_of_events(scene: Scene) -> Query | None:
    """ "What happens first?": what comes first; what happens last is no one thing."""
    plain = scene.has("events") and scene.form in {"what", "none"} and not scene.things and scene.pronoun is None
    if not plain or scene.window is not None or scene.clause is not None:
        return None
    said = [t.text for t in scene.reading.tokens if t.is_word]
    if said[-1] == "last":
        return Refusal(
            "Several things may happen last. Ask what is there at the end, or which object is the last to leave."
        )
    return ListQuery(Selection(rank=Rank("t_start", False))) if said[-1] == "first" else None


def by_form(scene: Scene) -> Query | None:
    """The general rules, by the form of the question."""
    if _is_foreign(scene):
        return _not_understood()
    stranger = scene.stranger
    if stranger is not None:
        return _about_stranger(scene, stranger)
    if (scene.reading.strangers and not scene.has_subject) or (scene.form == "yes_no" and yes_no.asks_nothing(scene)):
        return Refusal(f"This was not understood as a question about the videos. {EXAMPLES}")
    asked_id = scene.has("which") or not scene.reading.word("how", "what")
    if scene.form == "how_long" and measure_of(scene.reading) and asked_id:
        return _which(scene)  # "object with the longest duration"
    rules = {
        "count": _count,
        "when": timing.when,
        "how_long": timing.how_long,
        "where": timing.where,
        "which": _which,
        "list": _which,
        "what": _what,
        "how": _what,
        "yes_no": yes_no.yes_no,
        "none": _bare,
    }
    return rules[scene.form](scene)


def _is_foreign(scene: Scene) -> bool:
    """Nothing known but a noun, and nothing asked of it: "what is the meaning of life", "asdf qwer"."""
    known = [t for t in scene.things if not t.is_unknown]
    if known or not scene.things or scene.pronoun is not None or scene.window is not None:
        return False
    asking = set(scene.reading.cues) - {
        "what",
        "which",
        "list",
        "not",
        "filler",
        "how",
        "when_noun",
        "time_noun",
        "mean",
        "total",
    }
    if scene.form in {"what", "which", "how"}:
        return (not asking and scene.form != "which") or (not asking and not scene.subject.plural)
    return (
        scene.form == "none" and not asking and not any(scene.reading.is_english(w) for w in scene.subject.noun.split())
    )


def _about_stranger(scene: Scene, stranger: Selection) -> Query:
    """ "People with umbrellas" where no umbrella is known: nothing fits, whatever people there are."""
    if scene.form == "count":
        return CountQuery(stranger)
    return ExistsQuery(stranger) if scene.form == "yes_no" else ListQuery(stranger)


def _event(scene: Scene) -> Event | None:
    """Coming or leaving, where the time is about it."""
    if scene.window is None:
        return None
    if scene.has("end"):
        return "end"
    if scene.has("appear") and not scene.has("return") and any(t.base == "come" for t in scene.reading.tokens):
        return "start"
    since = scene.window.kind == "span" and scene.window.end is None
    return "start" if scene.has("start") or (since and scene.has("appear")) else None


def _filtered(scene: Scene) -> Selection:
    """The subject with everything said of it: looks, motion, how long it is there, coming back, leaving."""
    return without_excluded(scene, with_conditions(scene.narrowed(), yes_no.life_conditions(scene)))


def _count(scene: Scene) -> Query:
    if not scene.things and scene.reading.says("how", words("much")):
        return _not_understood()  # "by how much?"
    if scene.reading.word("times", "often") and scene.has("return", "gone", "end", "start", "appear"):
        if scene.has("return", "gone", "end"):
            return AttributeQuery(scene.narrowed(), "n_gaps")
        return SightingsQuery(scene.narrowed())
    if scene.others and any(t.conditions for t in scene.others) and _united(scene, scene.subject) == scene.subject:
        return Refusal(
            "Several kinds are counted together where no more is said of one of them; ask for each by itself."
        )
    return CountQuery(_united(scene, _filtered(scene)), *span_of_event(scene, _event(scene)))


def _united(scene: Scene, subject: Selection) -> Selection:
    """ "Cars and trucks": one selection of both, with what is said of the first."""
    whole = united((replace(subject, conditions=(), rank=None), *scene.others))
    return subject if whole is None else replace(whole, conditions=subject.conditions, rank=subject.rank)


def _which(scene: Scene) -> Query:
    if scene.has("order") and scene.has("start", "end", "appear", "visible"):
        return ListQuery(scene.narrowed(), scene.window, None, Rank("t_end" if scene.has("end") else "t_start", False))
    main = scene.main
    if scene.form == "list" and main is not None and main.quantifier == "any" and not scene.subject.plural:
        return yes_no.yes_no(scene)
    if not scene.has_subject and not scene.conditions and not _superlative(scene) and not yes_no.lasts(scene):
        timed = scene.window is not None or follow_up.says_same_moment(scene) or scene.has("visible")
        whoever = scene.whoever if timed else None
        if not timed and scene.whoever is not None and (lives := yes_no.life_conditions(scene)):
            return ListQuery(with_conditions(scene.whoever, lives))  # "who never leaves?"
        if whoever is None:
            return _not_understood()
        return ListQuery(with_conditions(whoever, yes_no.life_conditions(scene)), *span_of_event(scene, _event(scene)))
    if scene.form == "list" and scene.has("total") and not _superlative(scene):
        return CountQuery(_filtered(scene), scene.window)  # "give total persons"
    ranked = timing.which_subject(scene)
    if scene.has("other_than"):
        ranked = without_excluded(scene, ranked)
    if ranked.rank is None:
        ranked = without_excluded(scene, with_conditions(_united(scene, ranked), yes_no.life_conditions(scene)))
    if ranked.rank is None:
        return ListQuery(_in_turn(scene, ranked), *span_of_event(scene, _event(scene)))
    by_entry = scene.window == timing.THE_END and scene.has("start")  # the rank already says so
    in_span = scene.window is not None and scene.window.kind == "span" and ranked.rank.column in {"t_start", "t_end"}
    return ListQuery(ranked, None if by_entry else scene.window, _event(scene) if in_span else None)


def _in_turn(scene: Scene, subject: Selection) -> Selection:
    """ "Who comes right after the truck?", "what appears just before it?": the nearest in the order of coming."""
    before = scene.window is not None and scene.window.start is None
    if scene.clause is None or not scene.reading.word(*_DIRECTLY) or not scene.has("start", "appear"):
        return subject
    return replace(subject, rank=Rank("t_start", before), plural=False)


def _comes_in_turn(scene: Scene) -> bool:
    """ "What shows up after the bird?": things that come then, not what is there then."""
    span = scene.clause is not None and scene.clause.window.kind == "span"
    return span and scene.form == "what" and not scene.has_subject and scene.has("start", "appear")


def _superlative(scene: Scene) -> bool:
    placed = scene.has("first", "last") or scene.reading.outside_times("first", "last", "earliest", "latest")
    ordered = placed and scene.has("start", "end", "appear", "visible", "move")
    return measure_of(scene.reading) is not None or ordered or place_said(scene.reading) is not None


def _what(scene: Scene) -> Query:
    subject = scene.subject
    if scene.window is not None and not scene.has_subject and scene.has("start", "end"):
        return ListQuery(scene.narrowed(), *span_of_event(scene, _event(scene)))  # "what leaves in the first 3 s?"
    if _comes_in_turn(scene):
        return ListQuery(_in_turn(scene, scene.narrowed()), scene.window, "start")
    if scene.has("order"):
        return _which(scene)
    if subject.rank or _superlative(scene) or (scene.has("first", "last") and scene.has_subject):
        return _which(scene)
    if scene.has("start", "end") and scene.has_subject and not scene.conditions and scene.window is None:
        return timing.when(scene)
    if scene.has_subject and subject.numbers and scene.form == "what":
        return AttributeQuery(subject, "category")
    if scene.conditions or yes_no.lasts(scene):
        return _which(scene)
    return _bare(scene)


def _bare(scene: Scene) -> Query:
    """Questions without a question word: "fastest person?", "first appearance of the dog", "objects at 3 s"."""
    main = scene.main
    if not scene.things and scene.has("before", "after") and set(scene.reading.cues) <= {"before", "after", "filler"}:
        return _not_understood()  # "and before that?" with nothing it could be before
    if len(scene.things) == 1 and scene.clause is None and scene.reading.tokens[0].text in {"before", "after"}:
        return _not_understood()  # "before the dog?" says nothing of what
    if scene.has("order") and scene.has("start", "end", "appear", "visible"):
        return _which(scene)
    named = scene.subject.definite or scene.subject.numbers
    searched = scene.window is None and any(t.text in {"find", "locate"} for t in scene.reading.tokens[:1])
    if named and searched and not _superlative(scene):
        return ListQuery(_filtered(scene))
    if named and not scene.subject.plural and scene.window is not None and scene.reading.word("find", "locate", "show"):
        return timing.where(scene)
    if main is not None and (main.order is not None or main.selection.rank is not None):
        return _which(scene)
    if scene.has("last", "first") and scene.reading.says("to", _COMING) and not scene.subject.plural:
        return _which(scene)  # "cyclist last to arrive"
    said = [t.text for t in scene.reading.tokens if t.is_word]
    if scene.has("start", "appear", "move") and scene.has_subject and said[-1] == "from":
        return AttributeQuery(scene.subject, "enters_from")  # "dog enters from?"
    if scene.has("start", "end", "return") and scene.has_subject and scene.form == "none":
        return timing.when(scene)
    if _superlative(scene) or scene.has("order"):
        return _which(scene)
    return _named_only(scene) if scene.has_subject else _not_understood()


def _named_only(scene: Scene) -> Query:
    """ "Cars at 3 s?", "more than two people?", "dogs?": how many where several are meant at a time, else whether."""
    main = scene.main
    counted = main is not None and main.selection.plural and main.quantifier is None
    if _is_limited(scene):
        return yes_no.yes_no(scene)  # "more than two people at 4 s?"
    if scene.has("total") or (counted and scene.window is not None):
        return CountQuery(_filtered(scene), scene.window)
    asks_how = scene.form in {"what", "how"} or (scene.form == "none" and scene.reading.tokens[0].text == "how")
    if asks_how and not scene.reading.word("about"):
        return _not_understood()  # no "yes" to "what ..."
    return yes_no.yes_no(scene)


def _is_limited(scene: Scene) -> bool:
    main = scene.main
    return main is not None and main.amount is not None and comparator_before(scene, main.start) is not None


def _not_understood() -> Query:
    return Refusal(f"This was not understood as a question about the videos. {EXAMPLES}")
