"""Time expressions in their many forms, read to the right moment."""

from __future__ import annotations

import pytest

from onlooker.video.chat.grammar.times import find_windows
from onlooker.video.chat.grammar.tokens import normalise, tokenise
from onlooker.video.chat.query import TimePoint, Window


def at(value: float, base: str = "start") -> Window:
    return Window("at", TimePoint(value, base), None)  # type: ignore[arg-type]


def span(start: TimePoint | None, end: TimePoint | None) -> Window:
    return Window("span", start, end)


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("at 3 seconds", at(3)),
        ("at 3s?", at(3)),
        ("at 1:05", at(65)),
        ("at 1:00:05", at(3605)),
        ("three seconds in", at(3)),
        ("at twenty-five seconds", at(25)),
        ("at zero point zero seven seconds", at(0.07)),
        ("at 25 seconds and 500 milliseconds", at(25.5)),
        ("1 min 5 s into the video", at(65)),
        ("2 and a half seconds in", at(2.5)),
        ("at t = 3.5 s", at(3.5)),
        ("t=3", at(3)),
        ("at second 5", at(5)),
        ("in the 5th second", at(5)),
        ("at the 5 second mark", at(5)),
        ("at the 3.00 second point of the footage", at(3)),
        ("in frame 30", at(30, "frame")),
        ("halfway through the video", at(0.5, "share")),
        ("at nought point six eight seconds", at(0.68)),
        ("at point oh seven seconds", at(0.07)),
        ("at .8 s", at(0.8)),
        ("on the 3.5-second frame", at(3.5)),
        ("5.5 seconds after the video starts", at(5.5)),
        ("once 5 seconds have gone by", at(5)),
        ("half a minute in", at(30)),
        ("at a quarter of a minute", at(15)),
        ("at three quarters of the clip", at(0.75, "share")),
        ("at 50%", at(0.5, "share")),
        ("at the very beginning", at(0, "share")),
        ("in the last frame", at(1, "share")),
        ("when the clip ends", at(1, "share")),
        ("5 seconds before the end", at(5, "end")),
        ("when 2 seconds have passed", at(2)),
        ("between 2 and 4 s", span(TimePoint(2), TimePoint(4))),
        ("between the 5th and the sixth second", span(TimePoint(5), TimePoint(6))),
        ("in seconds 5 to 10", span(TimePoint(5), TimePoint(10))),
        ("after 5 s but before 10 s", span(TimePoint(5), TimePoint(10))),
        ("after the nine-second mark", span(TimePoint(9), None)),
        ("in the second minute", span(TimePoint(60), TimePoint(120))),
        ("during the 3rd minute of the video", span(TimePoint(120), TimePoint(180))),
        ("after 1 min 30", span(TimePoint(90), None)),
        ("at two minutes ten?", at(130)),
        ("no later than 5 s", span(None, TimePoint(5))),
        ("before 3 seconds are up", span(None, TimePoint(3))),
        ("up until the five second mark", span(None, TimePoint(5))),
        ("in the opening half second", span(None, TimePoint(0.5))),
        ("within 2 seconds of the end", span(TimePoint(2, "end"), None)),
        ("between 1 and 2 minutes", span(TimePoint(60), TimePoint(120))),
        ("from 2s until 4s", span(TimePoint(2), TimePoint(4))),
        ("2-4 s", span(TimePoint(2), TimePoint(4))),
        ("after ten seconds", span(TimePoint(10), None)),
        ("before 3 s", span(None, TimePoint(3))),
        ("in the first 5 seconds", span(None, TimePoint(5))),
        ("during the last two seconds", span(TimePoint(2, "end"), None)),
        ("in the second half", span(TimePoint(0.5, "share"), None)),
    ],
)
def test_a_time_is_read_in_any_of_its_forms(text: str, window: Window) -> None:
    found = find_windows(tokenise(normalise(text)))
    assert [f.window for f in found] == [window]


@pytest.mark.parametrize(
    "text",
    [
        "where is car 3",
        "visible for more than 3 seconds",
        "longer than 3 seconds",
        "at one time",
        "in the middle of the picture",
        "in frame 7.4 px",
        "two cars and 3 dogs",
    ],
)
def test_a_number_that_is_no_time_is_left_alone(text: str) -> None:
    assert find_windows(tokenise(normalise(text))) == []
