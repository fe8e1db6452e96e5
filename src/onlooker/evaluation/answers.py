"""Is an answer right? The comparison behind every answer-accuracy number.

Values follow the contract of `onlooker.video.answer.Answer.value`. Expected values come from files that were not
written for that contract: existence as 0 or 1, an id as a bare number.
"""

from __future__ import annotations

from onlooker.video.answer import Value

Expected = bool | int | float | str | list[int] | list[float] | list[str] | None
# Expected coordinates were rounded when they were written down; a box counts as the same within this, in pixels.
_BOX_TOLERANCE_PX = 0.01


def value_matches(value: Value, expected: Expected, tolerance: float = 0.0) -> bool:
    """Whether `value` is what was expected.

    Args:
        value: `Answer.value`.
        expected: the truth. A list of four numbers is a box; another list is a set of ids or names, order aside;
            0 and 1 stand for no and yes where the answer is a bool; a number stands for a list of that one id.
        tolerance: largest difference of two numbers that are not counts, in their unit (seconds).
    """
    if value is None or expected is None:
        return value is None and expected is None
    if isinstance(value, bool):
        return expected in (0, 1) and value == bool(expected)
    if isinstance(value, str) or isinstance(expected, str):
        return isinstance(value, str) and isinstance(expected, str) and value.casefold() == expected.casefold()
    if isinstance(value, list):
        return _list_matches(value, expected if isinstance(expected, list) else [expected])
    if isinstance(expected, (list, bool)):
        return False
    return abs(value - expected) <= tolerance + 1e-6


def _list_matches(value: list[int] | list[float] | list[str], expected: list[int] | list[float] | list[str]) -> bool:
    if len(value) != len(expected):
        return False
    if any(isinstance(item, str) for item in [*value, *expected]):
        return sorted(map(str, value)) == sorted(map(str, expected))
    numbers, truth = [float(item) for item in value], [float(item) for item in expected]
    if len(truth) == 4 and any(isinstance(item, float) for item in expected):
        return all(abs(a - b) <= _BOX_TOLERANCE_PX for a, b in zip(numbers, truth, strict=True))
    return sorted(numbers) == sorted(truth)


def says_none(value: Value) -> bool:
    """Whether a value claims nothing: the only right answer about something that is not there."""
    return value is None or value is False or value == 0 or value == []
