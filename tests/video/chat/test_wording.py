"""Words of answers: sensible digits, plurals, lists."""

from __future__ import annotations

import pytest

from onlooker.video.chat.query import Condition, Selection, TimePoint, Window
from onlooker.video.chat.wording import box, joined, name_of, noun_of, seconds, span, window_words


@pytest.mark.parametrize(("value", "text"), [(3.0, "3 s"), (1.1, "1.1 s"), (0.0667, "0.07 s"), (65.0, "1:05.0 min")])
def test_seconds(value: float, text: str) -> None:
    assert seconds(value) == text


def test_spans_boxes_and_lists() -> None:
    assert span(0.5, 4.25) == "0.5–4.25 s"
    assert box([1.0, 2.5, 3.04, 4.0]) == "[1, 2.5, 3, 4]"
    assert joined(["a", "b", "c"]) == "a, b and c"


def test_a_selection_is_named_as_people_say_it() -> None:
    red = Selection("car", ("car",), conditions=(Condition("color", "in", ("red", "crimson")),))
    assert noun_of(red, several=True) == "red cars"
    long = Selection("object", conditions=(Condition("duration", ">", 5.0),))
    assert noun_of(long, several=True) == "objects visible for more than 5 s"
    assert name_of(Selection("car", ("car",), numbers=(3,))) == "car 3"
    assert noun_of(Selection(excluded=("car",)), several=True) == "objects other than cars"


def test_windows_are_said() -> None:
    assert window_words(None) == ""
    assert window_words(Window("at", TimePoint(3.0), None)) == " at 3 s"
    assert window_words(Window("span", TimePoint(2.0), TimePoint(4.0))) == " between 2 s and 4 s"
    assert window_words(Window("at", TimePoint(1.0, "share"), None)) == " at the end"
