"""What the question is about: selections built from mentions, and conditions from what else is said of them."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

from onlooker.video.chat.grammar.mentions import SIZE_WORDS, Mention
from onlooker.video.chat.grammar.ordinals import place_from_end
from onlooker.video.chat.grammar.reading import Reading
from onlooker.video.chat.grammar.sides import Side
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import HALVES, Condition, Operator, Rank, Selection

DIRECTIONS = {
    "left": ("left", "up-left", "down-left"),
    "right": ("right", "up-right", "down-right"),
    "up": ("up", "up-left", "up-right"),
    "top": ("up", "up-left", "up-right"),
    "down": ("down", "down-left", "down-right"),
    "bottom": ("down", "down-left", "down-right"),
}
PLACES = {
    "left": ("left", "top left", "bottom left"),
    "right": ("right", "top right", "bottom right"),
    "top": ("top", "top left", "top right"),
    "bottom": ("bottom", "bottom left", "bottom right"),
    "centre": ("centre",),
}
# Superlatives and comparatives: cue -> column and whether more of it wins.
MEASURES: dict[str, tuple[str, bool]] = {
    "fastest": ("speed", True),
    "slowest": ("speed", False),
    "faster": ("speed", True),
    "slower": ("speed", False),
    "longest": ("duration", True),
    "shortest": ("duration", False),
    "longer": ("duration", True),
    "shorter": ("duration", False),
    "largest": ("area_rel", True),
    "smallest": ("area_rel", False),
    "larger": ("area_rel", True),
    "smaller": ("area_rel", False),
    "farthest": ("path_px", True),
    "least_far": ("path_px", False),
    "farther": ("path_px", True),
}

SUPERLATIVES = ("fastest", "slowest", "longest", "shortest", "largest", "smallest", "farthest", "least_far")

COMPARATIVES = ("faster", "slower", "longer", "shorter", "larger", "smaller", "farther")
_UP = words(
    "greatest highest largest biggest maximum max maximal most top longest higher greater larger bigger more longer"
)
_DOWN = words("lowest smallest least minimum min minimal shortest lower less smaller shorter fewest")
_MEASURED: dict[str, str] = {
    **dict.fromkeys(("speed", "velocity", "pace", "speeds", "velocities"), "speed"),
    **dict.fromkeys(("duration", "visibility", "lifetime", "presence", "lifespan"), "duration"),
    **dict.fromkeys(("size", "area"), "area_rel"),
    **dict.fromkeys(("distance", "path", "displacement"), "path_px"),
}
# "Crosses the picture", "drives across the frame", "passes through the whole picture"; not "cross the street".
CROSSING = re.compile(
    r"\b(?:(?:cross|travers)(?:e|es|ed|ing|s)?(?: through)?|across(?! from)|through(?= the (?:whole|entire|full)))"
    r" (?:the |our |this )?(?:whole |entire |full )?(?:frame|picture|image|screen|view|shot)\b"
)
ACROSS_SHARE = 2 / 3  # of the frame's width or height, from the first place to the last: ours
_DENYING = words("not never without")
_COMING = words("appear enter arrive come emerge")


def measure_of(reading: Reading) -> tuple[str, bool] | None:
    """The column a superlative or comparative speaks of."""
    found = [(reading.at(code), column) for code, column in MEASURES.items() if reading.has(code)]
    return min(found)[1] if found else _loose_measure(reading)


def _loose_measure(reading: Reading) -> tuple[str, bool] | None:
    """ "The highest average speed", "whose visible time is greatest": a comparing word near the name of a measure."""
    texts = [t.text for t in reading.tokens]
    for i, text in enumerate(texts):
        time = text in {"time", "seconds"} and texts[i - 1] in {
            "visible",
            "screen",
            "viewing",
            "total",
            "tracked",
            "appearance",
        }
        column = "duration" if time else _MEASURED.get(text)
        if column is None:
            continue
        near = (
            texts
            if len(reading.mentions) > 1 or reading.form == "which"
            else (*texts[max(0, i - 3) : i], *texts[i + 1 : i + 4])
        )
        for word in near:
            if word in _UP or word in _DOWN:
                return column, word in _UP
        weighed = reading.has_or or reading.word("compare", "comparing", "compared")
        if len(reading.mentions) > 1 and weighed and reading.form in {"which", "none", "list"}:
            return column, True  # "in terms of speed, which wins"
    return None


def place_condition(side: Side) -> Condition:
    """Where in the frame something mostly is."""
    named = side.value.replace("up", "top").replace("down", "bottom")
    if side.of_half and named in HALVES:
        return Condition("place", "in", (f"{named} half",))
    values = PLACES.get(named, (side.value,))
    return Condition("place", "in", values)


def wear_condition(reading: Reading, index: int, shades: tuple[str, ...]) -> Condition:
    """A colour: of the upper or lower body where a garment is named, else of the whole or what is worn."""
    behind = [t.text for t in reading.tokens[index + 1 : index + 3]]
    for code in ("upper", "lower"):
        if any(reading.tokens[cue.start].text in behind for cue in reading.cues.get(code, ())):
            return Condition(f"{code}_color", "in", shades)
    before = reading.tokens[index - 1].text if index else ""
    if before == "in" or reading.has("wear"):
        return Condition("upper_color", "in", shades, also=("lower_color", "color"))
    return Condition("color", "in", shades)


def opposite(condition: Condition) -> Condition:
    """The condition that holds where this one does not."""
    if condition.column == "stationary" and condition.operator == "=":
        return replace(condition, value=0 if condition.value else 1)
    swapped: dict[Operator, Operator] = {"in": "not in", "not in": "in", "=": "!=", "!=": "="}
    return replace(condition, operator=swapped.get(condition.operator, condition.operator))


def said_conditions(reading: Reading) -> tuple[Condition, ...]:
    """Conditions from phrases outside the noun phrases: colours, sides, motion."""
    found = [wear_condition(reading, index, shades) for index, shades in _either_color(reading)]
    crossing = crosses(reading)
    told = reading.sides[1:] if crossing else reading.sides
    # "Not | on the left" is mostly elsewhere; never there is more than is stored.
    denied = {c.end for c in reading.cues.get("not", ()) if reading.tokens[c.start].text != "never"}
    for side in told:
        condition = _side_condition(reading, side)
        if condition is not None:
            away = condition.column == "place" and side.start in denied
            found.append(opposite(condition) if away else condition)
    negated = reading.has("not")
    if _denies_direction(reading) and any(c.column == "direction" for c in found):
        # "Not moving to the left" is another way or none at all, no rest.
        return tuple(opposite(c) if c.column == "direction" else c for c in found)
    if negated and any(c.start < index for c in reading.cues["not"] for index, _ in reading.colors[:1]):
        found = [replace(c, operator="not in") for c in found]
    moving = Condition("stationary", "=", 1 if negated else 0)
    if _ends_still(reading):
        found.append(Condition("stationary", "=", 0 if negated else 1))
    elif reading.has("stationary"):
        found.append(Condition("stationary", "=", 0 if _negated(reading, "stationary") else 1))
    elif reading.has("in_motion") or _says_move(reading):
        ranked = measure_of(reading) is not None or reading.has("speed", "direction", "travel_far", "path")
        if not ranked and not any(c.column in {"direction", "leaves_to", "enters_from"} for c in found):
            found.append(moving)
    found += _sized(reading)
    if CROSSING.search(reading.question.lower()):
        found = [c for c in found if c.column != "stationary"]
        found.append(Condition("dx_px", ">=", ACROSS_SHARE, also=("dy_px",), of_frame=True))
    if reading.has("approach"):
        found.append(Condition("approach", "=", "approaching"))
    if reading.has("recede"):
        found.append(Condition("approach", "=", "receding"))
    return tuple(dict.fromkeys(found))


def _says_move(reading: Reading) -> bool:
    """ "Does it move?", "which vehicles go past?", "how many people walk by?": what stands still does not."""
    if any(reading.tokens[c.start].base == "move" for c in reading.cues.get("move", ())):
        return True
    cues = (reading.tokens[c.start : c.end] for c in reading.cues.get("move", ()))
    alone = reading.has("pass") and sum(m.kind != "pronoun" for m in reading.mentions) == 1
    return alone or any(len(said) > 1 and said[-1].text in {"by", "past"} for said in cues)


def _either_color(reading: Reading) -> list[tuple[int, tuple[str, ...]]]:
    """ "Red or green" is one colour out of both."""
    found: list[tuple[int, tuple[str, ...]]] = []
    for index, shades in reading.colors:
        if found and {t.text for t in reading.tokens[found[-1][0] + 1 : index]} == {"or"}:
            shades = (*found.pop()[1], *shades)
        found.append((index, shades))
    return found


def _sized(reading: Reading) -> list[Condition]:
    """ "Is the car big?", "how many cars are big?": what a question ends on; "how big" asks for something else."""
    said = [(i, t) for i, t in enumerate(reading.tokens) if t.is_word]
    if len(said) < 3 or measure_of(reading) is not None or said[-1][1].text not in SIZE_WORDS:
        return []
    told = reading.form == "yes_no" or (
        reading.form in {"count", "which", "list"} and said[-2][1].base in {"be", "not"}
    )
    if not told or any(m.start <= said[-1][0] < m.end for m in reading.mentions):
        return []
    return [Condition("size", "!=" if reading.has("not") else "=", SIZE_WORDS[said[-1][1].text])]


def crosses(reading: Reading) -> bool:
    """ "From left to right": one way of going, whether or not it comes in at that side."""
    if len(reading.sides) != 2:
        return False
    first, second = reading.sides
    across = {first.value, second.value} == {"left", "right"}
    along = {first.value, second.value} in ({"top", "bottom"}, {"up", "down"})
    return first.role == "from" and second.role == "to" and first.end == second.start and (across or along)


def _denies_direction(reading: Reading) -> bool:
    """Whether a "not" stands right before what moves: "not moving", "do not go"."""
    denied = any(reading.tokens[c.start].text in _DENYING for c in reading.cues.get("stationary", ()))
    moving = {c.start for code in ("move", "in_motion", "direction") for c in reading.cues.get(code, ())}
    return denied or any(c.end in moving for c in reading.cues.get("not", ()))


def _ends_still(reading: Reading) -> bool:
    """ "Is the car still?" against "is the car still visible?"."""
    texts = [t.text for t in reading.tokens if t.kind != "mark"]
    return texts[-1:] == ["still"] or any(a == "still" and b in {"or", "and", "at"} for a, b in pairwise(texts))


def _negated(reading: Reading, code: str) -> bool:
    """Whether a "not" stands before the phrase and is not part of it."""
    start = reading.at(code)
    close = {t.text for t in reading.tokens[max(0, start - 2) : start]}
    return any(cue.start < start for cue in reading.cues.get("not", ())) or bool(close & {"not", "never"})


def _side_condition(reading: Reading, side: Side) -> Condition | None:
    value = side.value
    both = reading.has("start", "appear") and reading.has("end") and len(reading.sides) == 2
    if both and value in DIRECTIONS:  # "enters from the left and leaves to the right"
        edge = {"up": "top", "down": "bottom"}.get(value, value)
        return Condition("leaves_to" if _leaves_before(reading, side) else "enters_from", "=", edge)
    if " " in value or value == "centre":
        return place_condition(side) if side.role in {"at", "bare"} else None
    if reading.has("end") and side.role in {"to", "at", "bare", "from"}:
        return Condition("leaves_to", "=", {"up": "top", "down": "bottom"}.get(value, value))
    if side.role == "from":
        return Condition("enters_from", "=", {"up": "top", "down": "bottom"}.get(value, value))
    if side.role == "at":
        entering = reading.has("start")
        return Condition("enters_from", "=", value) if entering else place_condition(side)
    if side.role in {"to", "bare"} and side.value in DIRECTIONS:
        return Condition("direction", "in", DIRECTIONS[value])
    return None


def _leaves_before(reading: Reading, side: Side) -> bool:
    """Whether the last coming or going said before a side is a going."""
    said = [(c.start, code) for code in ("start", "appear", "end") for c in reading.cues.get(code, ())]
    return max((s for s in said if s[0] < side.start), default=(0, ""))[1] == "end"


def order_rank(reading: Reading, order: int) -> Rank:
    """What "first" (1), "third" (3) or "last" (-1) orders by: coming, leaving or being seen, as the verb says."""
    coming = reading.has("start", "appear") or any(t.base in _COMING for t in reading.tokens)
    by_end = reading.has("end") or (order < 0 and reading.has("visible") and not coming)
    column = "t_end" if by_end else "t_start"
    return Rank(column, order < 0, max(abs(order), 1))


def selection_of(reading: Reading, mention: Mention) -> Selection:
    """The selection of one mention with its bare ordinal read in the light of the verb."""
    selection = mention.selection
    if selection.rank is not None and mention.order is not None and mention.order > 1:
        return replace(selection, rank=replace(selection.rank, n=mention.order))  # "the second largest object"
    if mention.order is not None and selection.rank is None and not selection.numbers:
        order = place_from_end(reading) if mention.order < 0 else None
        return replace(selection, rank=order_rank(reading, order or mention.order), plural=False)
    return selection


def with_conditions(selection: Selection, conditions: tuple[Condition, ...]) -> Selection:
    """The selection narrowed further."""
    return replace(selection, conditions=tuple(dict.fromkeys((*selection.conditions, *conditions))))
