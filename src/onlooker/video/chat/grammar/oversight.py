"""Keeps from answering an easier question: what was said but is not in the query makes it a question not answered."""

from __future__ import annotations

import re
from itertools import pairwise

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.leftover import left_over
from onlooker.video.chat.grammar.limits import length_conditions
from onlooker.video.chat.grammar.moments import UNITS
from onlooker.video.chat.grammar.subjects import COMPARATIVES, CROSSING
from onlooker.video.chat.grammar.timing import comes_and_goes
from onlooker.video.chat.grammar.unread import HELD, denied_twice, share_of_them, unplaced_time, unread_word
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import (
    AttributeQuery,
    BoxQuery,
    CheckQuery,
    CompareQuery,
    Condition,
    CountQuery,
    DurationQuery,
    EventsQuery,
    ExistsQuery,
    ListQuery,
    MomentQuery,
    OvertakeQuery,
    PeakQuery,
    Query,
    Refusal,
    RelationQuery,
    Selection,
    VideoFactQuery,
    VideosQuery,
)

# Ways of moving that are not told apart: all of them are stored as moving.
_MANNERS = words(
    "run jog walk fly swim ride drive cycle stroll march pedal roam wander race sail hurry rush drift glide"
)
_ONWARD = words("in into onto by through past across around out off on away from to towards toward up down back over")
# What people and animals do that no column holds.
_DEEDS = words(
    "sit sitting wait hold carry talk chat whisper shout hide kick bounce play pedal speeding holding waiting friends "
    "family siblings strangers lean facing overtake"
)
_MOTION = {"direction", "dx_px", "dy_px", "leaves_to", "enters_from", "stationary", "approach", "speed", "n_gaps"}
_SIDED = {"place", "direction", "dx_px", "dy_px", "leaves_to", "enters_from"}
_AT_ONCE = re.compile(r"(?<!all )\btogether\b|\bat (?:the same|one|a) time\b|\bat once\b|\bsimultaneous|\bconcurrent")
# "At 3 and at 4 seconds", "at 3 s and 4 s"; "at 1 minute and 30 seconds" is one moment.
_SECONDS = r"(?:s|secs?|seconds?)\b"
_TWO_MOMENTS = re.compile(
    rf"\bat \d+(?:\.\d+)? ?(?:{_SECONDS})?,? ?(?:and|&) ?(?:also )?(?:at )?\d+(?:\.\d+)? ?{_SECONDS}"
)
_TWO_COUNTS = re.compile(r"\bhow many\b.*(?:\band|&|,|\bplus)(?: also)? (how many)\b")
# "When does the car leave and who is person 3?"
_TWO_ASKED = re.compile(
    r"\b(?:who|what|when|where|which|how (?:many|long|fast|far))\b.*\w.* and (?:also )?"
    r"(who|what|when|where|which|how (?:long|fast|far)) (?:is|are|was|were|does|do|did|\w+ (?:is|are|does|do))\b"
)
_QUESTION_WORDS = ("who", "what", "when", "where", "which", "how many", "how long", "how fast", "how far")
_TWO_DOINGS = re.compile(
    r"^(?:who|which \w+|what)\b.*\w.* and (?:also )?(who)"
    r" (?:leaves?|left|came|comes|enters?|stays?|stayed|goes|went|moves?|wears?|wore|walks?|drives?|stands?|has)\b"
)
_VAGUE_EDGES = words("dying closing opening early late final last first few")
_VAGUE_TIMES = words("seconds moments minutes stages")
_Held = CountQuery | ExistsQuery | ListQuery | CheckQuery
_LINKS = words("and but or well")
_LESS_OR_MORE = words("slower faster quicker bigger larger smaller longer shorter")
_NOT_BUT = re.compile(r"\bnot (?:the |a |an )?\w+ but\b")


def overlooked(scene: Scene, query: Query) -> Refusal | None:
    """A refusal that names the part of the question the query leaves out, None where it leaves out nothing."""
    second = _second_question(scene, query)
    if second is not None and second in _QUESTION_WORDS:
        return Refusal(f'This asks two things at once; ask them one after the other, the second from "{second}" on.')
    part = second or _second_moment(scene, query) or _unread_time(scene, query) or _the_other_one(scene, query)
    part = (
        part
        or denied_twice(scene)
        or _unread_span(scene)
        or _unread_exception(scene, query)
        or unread_word(scene, query)
        or left_over(scene, query)
        or (share_of_them(scene) if isinstance(query, (*HELD, AttributeQuery)) else None)
    )
    if part is not None:
        pass
    elif isinstance(query, _Held):
        part = _of_held(scene, query)
    elif isinstance(query, MomentQuery):
        part = _of_moment(scene, query)
    elif isinstance(query, RelationQuery):
        part = "not" if scene.has("not") else "other than" if scene.has("other_than") else _of_pair(scene, query)
    elif isinstance(query, CompareQuery):
        part = _of_compared(scene, query)
    elif isinstance(query, OvertakeQuery):
        part = "how many" if scene.form == "count" else None
    elif isinstance(query, DurationQuery):
        part = "nobody" if scene.quantifier == "none" else _at_once(scene) or _first_word(scene, words("without"))
        later = _first_word(scene, words("later earlier sooner")) if scene.reading.word("than") else None
        part = part or later  # "how much later does it come than ..." is no length of a stay
    elif isinstance(query, VideosQuery):
        part = _first_word(scene, words("who whose"))
    elif isinstance(query, VideoFactQuery):
        part = _first_word(scene, words("they them")) if scene.has("together", "touch") else None
    else:
        part = _of_another(scene, query)
    if part is None:
        return None
    return Refusal(f'The part "{part}" of the question cannot be answered from what is stored, so nothing is claimed.')


def _second_question(scene: Scene, query: Query) -> str | None:
    """ "How many people at 3 and at 4 seconds?", "how many people and how many cars?": half would be answered."""
    said = scene.reading.question.lower()
    moments = _TWO_MOMENTS.search(said)
    if moments is not None and isinstance(query, (*HELD, PeakQuery, BoxQuery, RelationQuery)):
        return moments.group()
    if isinstance(query, MomentQuery) and query.event == "span" and comes_and_goes(scene):
        return None
    asked = _TWO_ASKED.search(said) or _TWO_DOINGS.search(said)
    if asked is not None:
        return asked.group(1)
    counts = _TWO_COUNTS.search(said)
    return counts.group(1) if counts is not None and isinstance(query, (*HELD, PeakQuery)) else None


def _second_moment(scene: Scene, query: Query) -> str | None:
    """ "Who is visible at 3 s but not at 7 s?": a query has one moment."""
    if not isinstance(query, (*HELD, PeakQuery, BoxQuery)):
        return None
    starts = [(f, f.window.start) for f in scene.reading.windows if f.window.kind == "at"]
    exact = [f for f, start in starts if start is not None and start.base == "start"]
    other = next((f for f in exact if f.window != exact[0].window), None)
    if other is None or not {t.text for t in scene.reading.tokens[exact[0].end : other.start]} & _LINKS:
        return None
    return " ".join(t.text for t in scene.reading.tokens[other.start : other.end])


def _the_other_one(scene: Scene, query: Query) -> str | None:
    """ "And the slower one, what colour is it?": "it" is not what was talked of before."""
    subject = getattr(query, "subject", None)
    if scene.pronoun is None or not isinstance(subject, Selection) or subject.rank is not None:
        return None
    said = [t.text for t in scene.reading.tokens]
    return next((f"{a} {b}" for a, b in pairwise(said) if a in _LESS_OR_MORE and b in {"one", "ones"}), None)


def _unread_time(scene: Scene, query: Query) -> str | None:
    """ "Which car is visible for 3.5 s?": a time that nothing in the query stands for."""
    if getattr(query, "window", None) is not None or not isinstance(query, (*HELD, BoxQuery, PeakQuery)):
        return None
    if isinstance(query, PeakQuery) and scene.window is not None and scene.reading.windows:
        found = scene.reading.windows[0]  # "at most how many in the first 3 s": the most of the whole is another number
        return " ".join(t.text for t in scene.reading.tokens[found.start : found.end])
    if length_conditions(scene):
        return None
    unplaced = unplaced_time(scene, query)
    if unplaced is not None:
        return unplaced
    tokens = scene.reading.tokens
    inside = {i for w in scene.reading.windows for i in range(w.start, w.end)}
    for i, token in enumerate(tokens[:-1]):
        if token.text in _VAGUE_EDGES and i not in inside and tokens[i + 1].text in _VAGUE_TIMES:
            return f"{token.text} {tokens[i + 1].text}"  # "in the dying seconds": nobody knows how many
        if token.number is not None and i not in inside and tokens[i + 1].text in UNITS:
            return f"{token.text} {tokens[i + 1].text}"
    return None


def _unread_span(scene: Scene) -> str | None:
    """ "How many cars are visible while the dog is on screen?": a clause gives a moment, never a whole stay."""
    return "while" if scene.clause is not None and scene.clause.is_stay else None


def _unread_exception(scene: Scene, query: Query) -> str | None:
    """ "Not counting the dog, when does the last one come?", "besides car 3": an exception the query does not make."""
    subject = getattr(query, "subject", None)
    if not isinstance(subject, Selection) or subject.excluded or not scene.has("other_than"):
        return None
    said = _cue_word(scene, "other_than")
    return None if said.split()[0] in {"that", "which", "but"} or said in {"not a", "not an"} else said


def _at_once(scene: Scene) -> str | None:
    """ "How long are two birds visible together?": the time of each is not the time of all."""
    found = _AT_ONCE.search(scene.reading.question.lower()) if scene.form == "how_long" else None
    both = scene.form == "how_long" and scene.reading.word("both")
    return found.group() if found is not None else "both" if both else None


def _of_pair(scene: Scene, query: RelationQuery) -> str | None:
    """ "How long are three people and a car visible together?": pairs say nothing of more than two things."""
    if query.ask != "how_long":
        return None
    many = any(m.amount is not None and m.amount > 1 for m in scene.mentions)
    return _at_once(scene) if many or len(scene.specific) > 2 else None


def _of_another(scene: Scene, query: Query) -> str | None:
    """Of a query for a column, for what happens, or for the most at one time."""
    part = None
    if isinstance(query, PeakQuery):
        part = _same_time_as(scene)
    elif isinstance(query, AttributeQuery) and query.column == "category":
        part = _deed(scene)
        named = scene.reading.word("name", "named", "called") and not scene.has("kind")
        part = part or ("name" if named and query.subject.categories is not None else None)
    elif isinstance(query, EventsQuery):
        part = _anchor_word(scene) if query.window is None and query.anchor is None else None
    return part


def _of_held(scene: Scene, query: _Held) -> str | None:
    """Of a query for tracklets to which something applies."""
    holds = (*query.subject.conditions, *(query.holds if isinstance(query, CheckQuery) else ()))
    columns = {c for condition in holds for c in (condition.column, *condition.also)}
    ranked = query.subject.rank is not None or (isinstance(query, ListQuery) and query.order_by is not None)
    part = None if ranked and scene.reading.word("speeding") else _deed(scene)
    if part is None and isinstance(query, CountQuery) and scene.has("mean"):
        part = _cue_word(scene, "mean")  # "how many people are there on average?"
    part = _unread_rank(scene, query, ranked, bool(columns)) or _contradicted(scene, holds) or part
    if part is None and isinstance(query, ListQuery) and scene.form == "what" and scene.has("color"):
        part = _cue_word(scene, "color")  # "what colour are the trousers of whoever wears a red shirt?"
    if part is None and not columns & {"color", "upper_color", "lower_color"}:
        # "How many legs do you see?"; "the top person by speed" wears nothing.
        codes = ("wear", "upper", "lower") if isinstance(query, CountQuery) else ("wear",)
        part = next((_cue_word(scene, code) for code in codes if scene.has(code)), None)
    if part is None and scene.has("touch", "follow", "nearest"):
        part = next(_cue_word(scene, code) for code in ("touch", "follow", "nearest") if scene.has(code))
    part = part or _unread_rest(scene, query) or _weighed(scene, query, bool(columns)) or _toward_another(scene)
    asked_away = isinstance(query, ExistsQuery) and query.negated
    if part is None and scene.has("gone") and "n_gaps" not in columns and not asked_away and query.event != "end":
        part = _cue_word(scene, "gone")
    if part is None and scene.form == "count" and "direction" in columns and "are left" in _said(scene):
        part = "left"
    if part is None and not ranked and not columns & _MOTION and query.event is None:
        part = _manner(scene)
    if part is None and not ranked:
        part = _manner_adjective(scene) or _other_thing(scene, query)
    if part is None and not columns & _SIDED and not ranked:
        part = _side(scene)
    if part is None and scene.has("not"):
        part = _negation(scene, query, holds)
    return part or _choice(scene, query)


def _contradicted(scene: Scene, holds: tuple[Condition, ...]) -> str | None:
    """ "How many go left vs right?", "how many red and blue cars?": two of which no one thing can have both."""
    for i, one in enumerate(holds):
        for other in holds[i + 1 :]:
            if one.column == other.column and one.operator == other.operator == "in" and not one.also:
                first, second = one.value, other.value
                if isinstance(first, tuple) and isinstance(second, tuple) and not set(first) & set(second):
                    return _first_word(scene, words("vs versus and or")) or str(second[0])
    return None


def _unread_rest(scene: Scene, query: _Held) -> str | None:
    """ "Does it end up on the left?" where it mostly is, "is the number of cars even?", "not cars but trucks"."""
    placed = isinstance(query, CheckQuery) and any(c.column == "place" for c in query.holds)
    if placed and (scene.has("end_up") or _first_word(scene, words("start begin finish"))):
        return _cue_word(scene, "end_up") if scene.has("end_up") else _first_word(scene, words("start begin finish"))
    if isinstance(query, ExistsQuery) and scene.form == "yes_no" and scene.reading.says("the number", words("of")):
        behind = scene.reading.tokens[scene.main.end : scene.main.end + 2] if scene.main is not None else ()
        last = len(behind) == 1 or (len(behind) == 2 and behind[1].kind == "mark")
        if last and (behind[0].text == "even" or behind[0].number is not None):
            return behind[0].text
    return "not" if _NOT_BUT.search(_said(scene)) else None


def _weighed(scene: Scene, query: _Held, narrowed: bool) -> str | None:
    """ "Is it faster then?", "are people faster than the car?": no question of whether there is one."""
    if not isinstance(query, ExistsQuery) or narrowed:
        return None
    return next((_cue_word(scene, code) for code in COMPARATIVES if scene.has(code)), None)


def _toward_another(scene: Scene) -> str | None:
    """ "Does car 1 approach car 2?": what is stored is whether it comes nearer to the camera."""
    named = zip(scene.mentions, scene.things, strict=True)
    last = max((mention.start for mention, thing in named if thing not in scene.others), default=-1)
    for code in ("approach", "recede"):
        for cue in scene.reading.cues.get(code, ()):
            if cue.end <= last:
                return " ".join(t.text for t in scene.reading.tokens[cue.start : cue.end])
    return None


def _unread_rank(scene: Scene, query: _Held, ranked: bool, narrowed: bool) -> str | None:
    """ "Which car zigzags the most?", "the two fastest people": more, or more of them, than the query asks for."""
    main, reading = scene.main, scene.reading
    if isinstance(query, CountQuery) and not scene.has("peak") and reading.word("maximum", "max", "record"):
        return "maximum"
    if not isinstance(query, ListQuery):
        return None
    if ranked:
        if query.most is not None or main is None or (main.amount or 1) <= 1 or _is_partitive(scene):
            return None
        return f"{main.amount}"
    closing = [t.text for t in reading.tokens if t.is_word][-2:]
    if closing in (["the", "most"], ["the", "least"]):
        return " ".join(closing)  # "who stood around the most?"
    if narrowed or query.window is not None:
        return None
    return next(iter(reading.noise), None) or next((t for t in ("most", "least") if reading.word(t)), None)


def _is_partitive(scene: Scene) -> bool:
    """ "Which of the two dogs came later?": one of them is asked for; "the ids of the two fastest" are of both."""
    main, said = scene.main, [t.text for t in scene.reading.tokens]
    of = next((i for i in range(max(0, main.start - 1), main.start + 1) if said[i] == "of"), None) if main else None
    one = of is not None and (said[of - 1].endswith("est") or said[of - 1] in {"which", "who", "one", "first", "last"})
    return of is not None and (of == 0 or one)


def _said(scene: Scene) -> str:
    return " ".join(t.text for t in scene.reading.tokens)


def _cue_word(scene: Scene, code: str) -> str:
    cue = scene.reading.cues[code][0]
    return " ".join(t.text for t in scene.reading.tokens[cue.start : cue.end])


def _of_compared(scene: Scene, query: CompareQuery) -> str | None:
    """ "Which people are slower than the car?" asks for a list, "is it behind the car" for a place."""
    ordered = query.column in {"t_start", "t_end"}
    kinds = [t for t in query.options if t.categories and not (t.definite or t.numbers or t.keys or t.conditions)]
    wider = next((k for k in kinds for t in query.options if t is not k and _covers(k, t) and k != t), None)
    if wider is not None and query.ask == "which":
        return wider.noun  # "which animal is bigger than the dog": a thing against its own kind
    if ordered and query.ask == "yes_no" and (word := _first_word(scene, words("follow"))) is not None:
        return word  # "is the dog following person 1?" is more than coming later
    if ordered and scene.reading.word("behind"):
        return "behind"
    offered = scene.reading.has_or or scene.reading.word("and", ",", "between")
    if query.ask != "which" or offered or query.options[0].numbers or query.options[0].definite:
        return None
    return "than" if scene.reading.word("than") else _first_word(scene, words("follow")) if ordered else None


def _first_word(scene: Scene, wanted: frozenset[str]) -> str | None:
    found = (t.text for t in scene.reading.tokens if t.text in wanted or t.base in wanted)
    return next(found, None)


def _deed(scene: Scene) -> str | None:
    said = [t.text for t in scene.reading.tokens]
    for a, b, c in zip(said, said[1:], said[2:], strict=False):
        if (a in {"looking", "look", "staring", "looks"} and b == "at" and c != "video") and "camera" in said:
            return f"{a} at"
    for a, b in pairwise(said):
        if a in {"look", "looks", "looked", "looking"} and b in {"back", "away", "down", "up", "around"}:
            return f"{a} {b}"
    named = (m for m in scene.reading.mentions if m.kind != "unknown")  # "person sitting" is a category
    inside = {i for m in named for i in range(m.start, m.end)}
    outside = (t for i, t in enumerate(scene.reading.tokens) if i not in inside)
    return next((t.text for t in outside if t.text in _DEEDS or t.base in _DEEDS), None)


def _manner(scene: Scene) -> str | None:
    """ "How many people are running?"; "running past", "running out" and "driving cars" are other things."""
    tokens = scene.reading.tokens
    for cue in scene.reading.cues.get("move", ()):
        token = tokens[cue.start]
        following = tokens[cue.end].text if cue.end < len(tokens) else ""
        if cue.end == cue.start + 1 and token.base in _MANNERS and following not in _ONWARD:
            return token.text
    crossed = scene.has("move") and _first_word(scene, words("street road"))
    return crossed or None


def _manner_adjective(scene: Scene) -> str | None:
    """ "How many running people": more than that they move."""
    for mention in scene.mentions:
        for token in scene.reading.tokens[mention.start : mention.end]:
            if token.base in _MANNERS - {"drive"} and token.text.endswith("ing"):
                return token.text
    return None


def _other_thing(scene: Scene, query: _Held) -> str | None:
    """A second thing that the answer would say nothing of: "who is driving the car?"."""
    subject = query.subject
    joined = {*scene.others, *(query.others if isinstance(query, ExistsQuery) else ())}
    if query.anchor is not None:
        joined.add(query.anchor.subject)
    known = (t for t in scene.specific if not t.is_unknown and (t.definite or t.numbers or t.label) and t not in joined)
    other = next((t for t in known if not _covers(subject, t)), None)
    who = scene.form == "which" and any(t.text in {"who", "whom"} for t in scene.reading.tokens)
    if other is None and isinstance(query, ExistsQuery) and subject.definite:
        strange = (t for t in scene.specific if t.is_unknown and t not in joined)
        other = next((t for t in strange if t.noun != subject.noun), None)  # "could the goat be a sheep?"
    if other is not None:
        return other.noun
    only = scene.specific[0] if len(scene.specific) == 1 else None
    aimed = only is not None and only.definite and not only.plural and not scene.pronoun
    doing = ("move", "after", "pass", "above", "below", "stationary", "start", "end")
    if isinstance(query, ListQuery) and who and aimed and scene.has(*doing) and not _is_somebody(scene, query.subject):
        return "who"
    return None


def _is_somebody(scene: Scene, subject: Selection) -> bool:
    return subject.rank is not None or bool(set(subject.categories or ()) & set(scene.reading.people))


def _covers(subject: Selection, other: Selection) -> bool:
    if set(other.categories or ()) <= set(subject.excluded) and other.categories:
        return True
    if other.label is not None and subject.label is None and not subject.keys:
        return False  # "the dog with Anna"
    named = subject.label is not None or bool(subject.keys)
    if named and other.label is None and not other.keys and subject.categories is None:
        return False  # "Bob with the truck" is about two things
    alike = other.categories is None or subject.categories is None or set(other.categories) <= set(subject.categories)
    return alike and (not other.numbers or set(other.numbers) <= set(subject.numbers))


def _side(scene: Scene) -> str | None:
    outermost = _first_word(scene, words("leftmost rightmost topmost bottommost"))
    if outermost is not None:
        return outermost
    side = next((s for s in scene.reading.sides if s.role in {"from", "at", "to", "of"}), None)
    return side.value if side is not None else None


def _negation(scene: Scene, query: _Held, holds: tuple[Condition, ...]) -> str | None:
    """A "not" that nothing in the query stands for."""
    if query.subject.excluded or (isinstance(query, ExistsQuery) and query.negated):
        return None
    if isinstance(query, CheckQuery) and query.quantifier == "none":
        return None
    if any(c.column == "stationary" or c.operator in {"!=", "not in"} or c.value in {"end", "start"} for c in holds):
        return None
    tokens = scene.reading.tokens
    tagged = {
        c.start for c in scene.reading.cues["not"] if "," in {t.text for t in tokens[max(0, c.start - 2) : c.start]}
    }
    texts = [tokens[c.start].text for c in scene.reading.cues["not"] if c.start not in tagged]  # "..., doesn't it?"
    return next((t for t in texts if t in {"not", "never", "without", "neither"}), None)


def _choice(scene: Scene, query: _Held) -> str | None:
    """ "Is person 3 walking or running?" is no yes/no question."""
    offered = [t for t in scene.specific if (t.definite or t.numbers) and not t.plural]
    unread = not query.subject.conditions or scene.reading.word("closer", "nearer")
    one_of = len(offered) > 1 and scene.reading.has_or and unread and query.subject.rank is None
    if isinstance(query, ListQuery) and one_of:
        return "or"  # "which is hairier, the dog or the cow?": one of them, not both
    definite = query.subject.definite or bool(query.subject.numbers)
    on_ground = [c for c in scene.reading.cues.get("filler", ()) if scene.reading.tokens[c.start].text in {"on", "off"}]
    telling = set(scene.reading.cues) - {"filler", "not", "all"}
    if isinstance(query, ExistsQuery) and definite and on_ground and not telling and scene.window is None:
        return _cue_word(scene, "filler")
    choosing = scene.reading.has_or and isinstance(query, ExistsQuery) and not query.others and len(scene.specific) == 1
    return "or" if choosing and definite and scene.window is None else None


def _of_moment(scene: Scene, query: MomentQuery) -> str | None:
    """ "When is the car at the centre?", "when does it move left?": not when it is first seen."""
    if scene.quantifier == "none":
        return "nobody"
    if query.event != "start" or query.window is not None:
        return None
    if scene.has("start", "appear", "first", "end", "return", "gone", "last"):
        return None
    across = CROSSING.search(scene.reading.question.lower())
    if across is not None:
        return across.group()
    placed = next((s.value for s in scene.reading.sides), None)
    return _deed(scene) or placed or ("move" if scene.has("direction", "approach", "recede", "near") else None)


def _same_time_as(scene: Scene) -> str | None:
    texts = [t.text for t in scene.reading.tokens]
    starts = {m.start for m in scene.mentions}
    return next((t for i, t in enumerate(texts) if t in {"as", "with"} and i + 1 in starts and i > 2), None)


def _anchor_word(scene: Scene) -> str | None:
    tokens = scene.reading.tokens
    for mention in scene.mentions:
        before = tokens[mention.start - 1].text if mention.start else ""
        if before in {"after", "before", "when", "while", "once", "until"}:
            return before
    return None
