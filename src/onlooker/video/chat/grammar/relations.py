"""Rules for two things at once: together, touching, near, beside, overtaking."""

from __future__ import annotations

from dataclasses import replace

from onlooker.video.chat.grammar.comparisons import suffers
from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.query import OvertakeQuery, Query, Refusal, RelationQuery, Selection, SideQuery, Window


def overtaking(scene: Scene) -> Query | None:
    """ "Does the car overtake the cyclist?", "when does A pass B?"."""
    if not scene.has("pass") or len(scene.specific) < 2:
        return None
    ask = "when" if scene.form == "when" else "which" if scene.form == "which" else "yes_no"
    first, second = scene.specific[1::-1] if suffers(scene) else scene.specific[:2]
    return OvertakeQuery(first, second, ask, _span_of(scene))  # type: ignore[arg-type]


def _span_of(scene: Scene) -> Window | None:
    """The span of a question; passing takes longer than the moment a question may name."""
    return scene.window if scene.window is not None and scene.window.kind == "span" else None


def sides(scene: Scene) -> Query | None:
    """ "Is the dog left of the car at 3 s?", "which is further right, A or B?"."""
    things = scene.specific
    if len(things) < 2:
        return None
    side = scene.reading.side("of", "further")
    value = side.value if side is not None else None
    if scene.has("leftmost") or scene.has("rightmost"):
        value = "left" if scene.has("leftmost") else "right"
    if scene.has("above", "below") and value is None and (scene.form == "yes_no" or scene.reading.has_or):
        value = "above" if scene.has("above") else "below"
    names = {
        "left": "left",
        "right": "right",
        "above": "above",
        "below": "below",
        "top": "above",
        "bottom": "below",
        "up": "above",
        "down": "below",
    }
    if value not in names:
        return None
    if scene.form in {"when", "how_long"}:
        return Refusal(
            "When one thing is on a side of another is not told. Ask whether it is, at a moment or most of the time."
        )
    ask = "yes_no" if scene.form == "yes_no" and not scene.reading.has_or else "which"
    said = {names[s.value] for s in scene.reading.sides if s.value in names}
    said |= {code for code in ("above", "below") if scene.has(code)}
    if scene.reading.has_or and (said >= {"left", "right"} or said >= {"above", "below"}):
        ask = "side"
    return SideQuery(things[0], things[1], names[value], ask, scene.window)  # type: ignore[arg-type]


def pairs(scene: Scene) -> Query | None:
    """Touching, together, near, how far apart, the closest pair, who is nearest."""
    relation = _relation(scene)
    if relation is None:
        return None
    things = scene.specific
    first = things[0] if things else scene.subject
    second = things[1] if len(things) > 1 else None
    if second is None and len(first.numbers) == 2:  # "do persons 1 and 8 touch?"
        first, second = (replace(first, numbers=(number,), plural=False) for number in first.numbers)
    among = scene.reading.word("two", "both", "each", "another", "pair") or relation == "together" or _meet(scene)
    if second is None and first.plural and among:
        second = first
    farthest = scene.has("farthest_apart")
    ask = _ask(scene, relation, first, second)
    if ask is None:
        return None
    if ask in {"who", "count"} and second is not None and _is_asked(scene, first):
        first, second = second, first  # the answer names the second: the one that was asked for
    if ask == "who" and second is None and scene.reading.word("who") and scene.reading.people:
        second = Selection("person", scene.reading.people, plural=True)
    nearest = scene.has("nearest", "farthest_apart", "distance")
    return RelationQuery(first, second, relation, ask, scene.window, farthest, nearest)  # type: ignore[arg-type]


def company(scene: Scene) -> Query | None:
    """ "How many people are visible with bird 1?", "which objects are visible at the same time as car 5?"."""
    if scene.form not in {"count", "which", "what", "list"} or scene.clause is not None or scene.pronoun is not None:
        return None
    if not 1 <= len(scene.things) <= 2 or scene.has("first", "last", "not", "other_than", "near", "touch", "nearest"):
        return None
    mention, other = scene.mentions[-1], scene.things[-1]
    asked, since = (scene.things[0], scene.mentions[0].end) if len(scene.things) == 2 else (Selection(plural=True), 0)
    link = scene.reading.tokens[mention.start - 1].text if mention.start else ""
    codes = {"with": ("together", "peak", "visible", "appear"), "as": ("together", "peak")}.get(link, ())
    said = any(since <= c.start < mention.start for code in codes for c in scene.reading.cues.get(code, ()))
    said = said or (link == "with" and mention.start > 1 and scene.reading.tokens[mention.start - 2].base == "be")
    if len(scene.things) == 1 and scene.reading.word("who"):
        asked = Selection("person", scene.reading.people, plural=True) if scene.reading.people else asked
    plain = not (asked.numbers or asked.rank or asked.is_unknown or other.rank or other.is_unknown or scene.conditions)
    if not said or not plain or not (other.categories or other.numbers or other.label):
        return None
    if mention.amount is not None and mention.amount > 1:
        return Refusal("Which things are visible together is stored for two at a time, not for more.")
    return RelationQuery(other, asked, "together", "count" if scene.form == "count" else "who", scene.window)


def _is_asked(scene: Scene, first: Selection) -> bool:
    """Whether the first thing stands right behind "which": "which person is closest to the car?"."""
    main = next((m for m, t in zip(scene.mentions, scene.things, strict=True) if t == first), None)
    before = scene.reading.tokens[: main.start] if main is not None else ()
    named = bool(first.numbers or first.keys or first.label)
    return not named and any(t.text in {"which", "what", "many"} for t in before[-3:])


def _relation(scene: Scene) -> str | None:
    pair = len(scene.specific) >= 2 or (len(scene.specific) == 1 and len(scene.specific[0].numbers) == 2)
    many = pair or scene.reading.word("two", "pair", "each", "another", "other", "both", "pairs")
    if scene.has("touch") and (scene.has_subject or many):
        return "touch"
    if scene.has("nearest", "farthest_apart") or (scene.has("distance") and pair):
        return "near"
    if _is_near_a_thing(scene) and scene.has_subject and (len(scene.things) > 1 or scene.form in {"which", "what"}):
        return "near"
    if _meet(scene) or (_is_near_a_thing(scene) and scene.subject.plural and scene.reading.word("each", "another")):
        return "near"
    main = scene.main
    if main is not None and main.amount is not None and not main.selection.definite:
        return None  # "are there more than three at the same time" is a count
    if scene.form == "when" and main is not None and main.quantifier == "both" and scene.has("visible"):
        return "together"
    if pair and scene.form in {"yes_no", "how_long"} and _with_the_other(scene):
        return "together"
    together = scene.has("together") and scene.form not in {"count"} and not scene.has("most_common")
    asked = scene.form == "yes_no" or (scene.form in {"which", "what", "list"} and scene.window is not None)
    if together and (pair or (asked and scene.subject.plural)):
        return "together"
    return None


def _is_near_a_thing(scene: Scene) -> bool:
    """ "Near the car", not "near the top"."""
    placed = {s.start for s in scene.reading.sides}
    starts, tokens = {m.start for m in scene.reading.mentions}, scene.reading.tokens
    near = (c for c in scene.reading.cues.get("near", ()) if c.start not in placed and c.end not in placed)
    # "Who stood around?" stands near nothing.
    return any(tokens[c.start].text != "around" or c.end in starts for c in near)


def _meet(scene: Scene) -> bool:
    """ "Do the people ever meet?": each other, where no second thing is named."""
    tokens, main = scene.reading.tokens, scene.main
    if main is None or not main.selection.plural or len(scene.things) != 1 or scene.form == "count":
        return False
    behind = [t.base for t in tokens[main.end : main.end + 2] if t.text not in {"ever", "never", "also"}]
    return behind[:1] == ["meet"]


def _with_the_other(scene: Scene) -> bool:
    """ "Is A ever in the shot with B?"; in "is the person with the dog visible?" the dog only says which person."""
    if len(scene.mentions) != 2 or scene.mentions[1].start == 0:
        return False
    first, second = scene.mentions
    found = (cue for code in ("visible", "appear") for cue in scene.reading.cues.get(code, ()))
    seen = [cue for cue in found if scene.reading.tokens[cue.start].base != "come"]  # "did it come with him?" is more
    tokens = scene.reading.tokens
    linked = tokens[second.start - 1].text == "with"
    there = scene.form == "how_long" and any(t.text == "there" for t in tokens[first.end : second.start])
    return linked and (there or any(first.end <= cue.start < second.start for cue in seen))


def _ask(scene: Scene, relation: str, first: Selection, second: Selection | None) -> str | None:
    if scene.form == "when":
        return "when"
    if scene.form == "how_long":
        return "how_long"
    if scene.has("distance") and scene.form not in {"which", "yes_no"}:
        return "distance"
    if relation == "near" and scene.has("nearest", "farthest_apart") and scene.form != "yes_no":
        pair = second in (None, first) and (
            scene.reading.word("pair", "two", "each", "together", "apart") or not scene.specific
        )
        return "pair" if pair else "who"
    if scene.form == "count":
        return "count"
    if scene.form in {"which", "what", "list"}:
        return "who"
    return "yes_no"
