"""The sentences of answers: plain, short, with sensible digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from onlooker.video.chat.grammar.nouns import plural
from onlooker.video.chat.grammar.words import COLORS
from onlooker.video.chat.query import HALVES, Condition, Event, Scalar, Selection, TimePoint, Window


def seconds(value: float) -> str:
    """Seconds with one decimal below a minute (two where one would lose the frame), else minutes too."""
    if abs(value) >= 60:
        minutes, rest = divmod(value, 60)
        return f"{int(minutes)}:{rest:04.1f} min"
    return f"{number(value, 2)} s"


def number(value: float, digits: int = 1) -> str:
    """A number without needless zeros."""
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def span(start_s: float, end_s: float) -> str:
    """ "0.5–4.2 s"."""
    if end_s >= 60:
        return f"{seconds(start_s)}–{seconds(end_s)}"
    return f"{number(start_s, 2)}–{number(end_s, 2)} s"


def box(values: Sequence[float]) -> str:
    """ "[10, 20, 30.5, 40]"."""
    return "[" + ", ".join(number(v) for v in values) + "]"


def joined(parts: Sequence[str], word: str = "and") -> str:
    """ "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def counted(n: int, noun: str) -> str:
    """ "2 cars", "1 dog"."""
    return f"{n} {noun if n == 1 else plural(noun)}"


def noun_of(selection: Selection, several: bool = False) -> str:
    """The words for a selection without its numbers: "red car", "objects other than cars"."""
    noun = plural(selection.noun) if several else selection.noun
    words = [*selection.adjectives, noun]
    behind = []
    for condition in selection.conditions:
        before, after = _condition_words(condition)
        if before:
            words.insert(0, before)
        if after:
            behind.append(after)
    text = " ".join([*words, *behind])
    if selection.excluded:
        text += f" other than {joined([plural(c) for c in selection.excluded])}"
    return text


def name_of(selection: Selection) -> str:
    """ "car 3", "the dog", "Anna", "the fastest car"."""
    if selection.label is not None:
        return selection.label
    if selection.numbers:
        return f"{noun_of(selection)} {joined([str(n) for n in selection.numbers])}"
    return noun_of(selection)


def article(noun: str) -> str:
    """ "a car", "an apple"."""
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


_BEFORE_NOUN = frozenset({"color", "size", "approach"})
_BEHIND_NOUN = {
    "upper_color": "in {}",
    "lower_color": "with {} trousers",
    "direction": "moving {}",
    "place": "at the {}",
    "enters_from": "entering from the {}",
    "leaves_to": "leaving to the {}",
}
_SPECIAL_BEHIND = {
    ("place", "centre"): "in the centre",
    **{("place", f"{side} half"): f"in the {side} half" for side in HALVES},
    ("enters_from", "start"): "there from the first frame",
    ("enters_from", "inside"): "appearing inside the picture",
    ("leaves_to", "end"): "there until the last frame",
    ("leaves_to", "inside"): "vanishing inside the picture",
}


def place_words(condition: Condition) -> str:
    """Where something is: "in the left half", "at the top"."""
    return _condition_words(condition)[1]


def _denied_words(condition: Condition, value: Scalar) -> str:
    """What something is not, behind the noun."""
    if condition.column in {"id", "key"}:
        numbers = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        if condition.column == "key":
            return "that one" if len(numbers) == 1 else "those"
        return f"number {joined([str(n) for n in numbers], 'or')}"
    if condition.column == "place":
        return _condition_words(replace(condition, operator="in"))[1]
    way = "moving " if condition.column == "direction" else "in " if condition.also else ""
    return f"{way}{value}"


def _condition_words(condition: Condition) -> tuple[str, str]:
    """Words before and after the noun for one condition."""
    value = condition.value[0] if isinstance(condition.value, tuple) else condition.value
    if isinstance(condition.value, tuple) and condition.column.endswith("color"):
        value = " or ".join(str(v) for v in condition.value if v in COLORS) or value
    column = condition.column
    if condition.of_frame:
        return "", "going across at least two thirds of the picture"
    if condition.operator == "not in":
        return "", f"not {_denied_words(condition, value)}"
    if (column, condition.operator, value) == ("n_gaps", "=", 0):
        return "", "without a gap"
    if column == "size" and condition.operator == "!=":
        return "", f"not {value}"
    if column in _BEFORE_NOUN:
        return str(value), ""
    if column == "stationary":
        return ("stationary" if value else "moving"), ""
    if column == "leaves_to" and condition.operator == "!=":
        return "", "that leave before the end"
    if column in _BEHIND_NOUN:
        return "", _SPECIAL_BEHIND.get((column, str(value)), _BEHIND_NOUN[column].format(value))
    if column == "duration":
        return "", f"visible for {_than(condition)} {number(float(value), 2)} s"
    if column == "speed":
        return "", f"at {_than(condition)} {number(float(value))} px/s"
    return (
        "",
        "that come back after being away" if column == "n_gaps" else f"with {column} {condition.operator} {value}",
    )


def _than(condition: Condition) -> str:
    return {">": "more than", ">=": "at least", "<": "less than", "<=": "at most", "=": "exactly"}.get(
        condition.operator, ""
    )


def event_words(event: Event | None) -> str:
    """ " leaving", " coming", with its leading space: what is found in a span is not all that is there in it."""
    return {None: "", "start": " coming", "end": " leaving", "return": " coming back"}[event]


def window_words(window: Window | None) -> str:
    """ " at 3 s", " between 2 and 4 s", "" for none; with its leading space."""
    if window is None:
        return ""
    if window.kind == "at":
        return f" at {_point(window.start)}" if window.start else ""
    shots = (window.start, window.end)
    if all(p is not None and p.base in {"shot", "shot_end"} for p in shots):
        return f" in {_shot_said(window.start)}"
    if window.start and window.end:
        return f" between {_point(window.start)} and {_point(window.end)}"
    return f" from {_point(window.start)} on" if window.start else f" until {_point(window.end)}"


def _shot_said(point: TimePoint | None) -> str:
    place = 0 if point is None else int(point.value)
    return {0: "the shot behind the cut", -1: "the last shot"}.get(place, f"shot {place}")


def _point(point: TimePoint | None) -> str:
    if point is None:
        return ""
    if point.base in {"shot", "shot_end"}:
        return "the cut" if point.value == 0 else f"{'the end of ' * (point.base == 'shot_end')}{_shot_said(point)}"
    if point.base == "frame":
        return f"frame {int(point.value)}"
    if point.base == "end":
        return f"{seconds(point.value)} before the end"
    if point.base == "share":
        return {0.0: "the start", 1.0: "the end", 0.5: "the middle"}.get(
            point.value, f"{point.value:.0%} of the length"
        )
    return seconds(point.value)
