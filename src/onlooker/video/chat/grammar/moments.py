"""Moments and lengths of time in a question: "1:05", "two and a half seconds", "frame 30", "the start", "3 s in"."""

from __future__ import annotations

from collections.abc import Sequence

from onlooker.video.chat.grammar.tokens import ORDINAL_WORDS, Token
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import TimePoint

SECOND_UNITS = words("s sec secs second seconds")
UNITS = (
    dict.fromkeys(SECOND_UNITS, 1.0)
    | dict.fromkeys(["m", "min", "mins", "minute", "minutes"], 60.0)
    | dict.fromkeys(["h", "hr", "hrs", "hour", "hours"], 3600.0)
    | dict.fromkeys(["ms", "msec", "millisecond", "milliseconds"], 0.001)
)
INSTANT_S = 0.001  # before and after leave the moment itself out
VAGUE = words("about around roughly approximately approx circa exactly precisely the very just nearly time t")
START = words("start beginning outset opening onset")
END = words("end ending close finish conclusion")
MIDDLE = words("middle midpoint centre center")
_FILLERS_BEHIND = words(
    "in into mark point of the a this video clip footage film recording movie sequence it timestamp moment"
)
VIDEO_STARTS = words("starts begins opens")
VIDEO_ENDS = words("ends ended finishes stops closes")
VIDEO = words("video clip footage film movie recording sequence scene")
NUMBERED = words("frame frames second seconds minute minutes timestamp t sec secs")
SHARES = {"half": 0.5, "third": 1 / 3, "quarter": 0.25}


def word_at(tokens: Sequence[Token], i: int) -> str:
    return tokens[i].text if 0 <= i < len(tokens) else ""


def skip(tokens: Sequence[Token], i: int, words: frozenset[str]) -> int:
    while i < len(tokens) and tokens[i].text in words:
        i += 1
    return i


def read_duration(tokens: Sequence[Token], i: int, needs_unit: bool = True) -> tuple[float, int] | None:
    """(seconds, index behind) of "5 s", "1:05", "half a second", "2 and a half minutes", "1 min 5 s"."""
    if word_at(tokens, i) in {"half", "a", "an", "quarter", "third"}:
        return _read_worded(tokens, i)
    if i >= len(tokens) or tokens[i].number is None or tokens[i].ordinal:
        return None
    value, j = tokens[i].number or 0.0, i + 1
    if tokens[i].kind == "clock":
        return value, j + (word_at(tokens, j) in UNITS or word_at(tokens, j) == "minutes")
    half = [t.text for t in tokens[j : j + 3]] == ["and", "a", "half"]
    unit_at = j + 3 if half else j
    unit = UNITS.get(word_at(tokens, unit_at))
    if unit is None or (word_at(tokens, unit_at) in {"m", "h"} and value != int(value)):
        return None if needs_unit else (value, j)
    seconds, j = (value + 0.5 * half) * unit, unit_at + 1
    if unit >= 1:
        more = read_duration(tokens, skip(tokens, j, frozenset({"and", ","})))
        if more is not None and more[0] < unit:
            return seconds + more[0], more[1]
        if unit == UNITS["minute"] and half is False and _is_bare_seconds(tokens, j):
            return seconds + (tokens[j].number or 0.0), j + 1
    return seconds, j


def _is_bare_seconds(tokens: Sequence[Token], j: int) -> bool:
    """ "1 min 30", "two minutes ten": seconds without their unit, with nothing behind that they could count."""
    seconds = tokens[j].number if j < len(tokens) and not tokens[j].ordinal else None
    if seconds is None or tokens[j].kind == "clock":
        return False
    return seconds < 60 and (j + 1 >= len(tokens) or tokens[j + 1].kind == "mark")


def _read_worded(tokens: Sequence[Token], i: int) -> tuple[float, int] | None:
    words = [t.text for t in tokens[i : i + 5]]
    lead = words[:1] in (["a"], ["one"])
    if words[lead : lead + 3] in (["quarter", "of", "a"], ["third", "of", "a"]) and len(words) > lead + 3:
        unit = UNITS.get(words[lead + 3])
        return None if unit is None else (SHARES[words[lead]] * unit, i + lead + 4)
    if words[:2] in (["half", "a"], ["half", "an"]) and len(words) > 2 and words[2] in UNITS:
        return 0.5 * UNITS[words[2]], i + 3
    if words[:1] in (["a"], ["an"]) and len(words) > 1:
        if words[1] in UNITS and words[1] not in {"s", "m", "h"}:
            return UNITS[words[1]], i + 2
        if words[1] == "half" and len(words) > 2 and words[2] in UNITS:
            return 0.5 * UNITS[words[2]], i + 3
    return None


def read_point(tokens: Sequence[Token], i: int, needs_unit: bool = True) -> tuple[TimePoint, int] | None:
    """A moment at token i: a duration, "frame 30", "50 %", "the start", "halfway", "second 5", "t = 3"."""
    i = skip(tokens, i, VAGUE)
    word = word_at(tokens, i)
    if word in NUMBERED:
        return read_numbered(tokens, i)
    if word == "=" and i and word_at(tokens, i - 1) in {"t", "time"}:
        return read_point(tokens, i + 1, needs_unit=False)
    nth = ordinal_at(tokens, i)
    if nth is not None and word_at(tokens, i + 1) in {"second", "sec", "minute", "frame"}:
        if word_at(tokens, i + 1) == "frame":
            return TimePoint(nth - 1, "frame"), i + 2
        return TimePoint(nth * UNITS[word_at(tokens, i + 1)]), i + 2
    if i + 1 < len(tokens) and tokens[i].number is not None and word_at(tokens, i + 1) in {"%", "percent"}:
        end = skip(tokens, i + 2, _FILLERS_BEHIND | {"through", "way"})
        return TimePoint((tokens[i].number or 0.0) / 100, "share"), end
    parts = read_parts(tokens, i)
    if parts is not None:
        return parts
    duration = read_duration(tokens, i, needs_unit)
    if duration is None:
        return read_edge(tokens, i)
    return shifted(tokens, *duration)


def read_parts(tokens: Sequence[Token], i: int) -> tuple[TimePoint, int] | None:
    """ "Three quarters of the clip", "a third of the way through", "the three-quarter mark", "3/4 of a second"."""
    number = 1.0 if word_at(tokens, i) in {"a", "one"} else tokens[i].number if i < len(tokens) else None
    name, behind = word_at(tokens, i + 1), [word_at(tokens, k) for k in (i + 2, i + 3, i + 4)]
    size = SHARES.get(name.removesuffix("s"))
    is_share = name[-1:] == "s" or behind == ["of", "the", "way"] or behind[0] in {"mark", "through"}
    if number is None or size is None or not is_share:
        return None
    part = number * size
    if word_at(tokens, i + 2) == "of" and word_at(tokens, i + 3) in {"a", "one"} and word_at(tokens, i + 4) in UNITS:
        return TimePoint(part * UNITS[word_at(tokens, i + 4)]), behind_video(tokens, i + 5)
    return TimePoint(part, "share"), skip(tokens, i + 2, words("of the this that way through into in mark") | VIDEO)


def ordinal_at(tokens: Sequence[Token], i: int) -> float | None:
    """ "5th", or "fifth"; "second" is a unit and "first" an edge."""
    if i < len(tokens) and tokens[i].ordinal:
        return tokens[i].number
    nth = ORDINAL_WORDS.get(word_at(tokens, i), 0)
    return float(nth) if nth > 2 else None


def shifted(tokens: Sequence[Token], seconds: float, j: int) -> tuple[TimePoint, int]:
    """A duration, or one counted from an edge: "5 seconds before the end", "3 s after the start", "3 s in"."""
    if word_at(tokens, j) in {"before", "from", "after", "into", "to"}:
        k = skip(tokens, j + 1, frozenset({"the", "very"}))
        if word_at(tokens, k) in END and word_at(tokens, j) in {"before", "from"}:
            return TimePoint(seconds, "end"), behind_video(tokens, k + 1)
        if word_at(tokens, k) in START and word_at(tokens, j) in {"from", "after", "into"}:
            return TimePoint(seconds), behind_video(tokens, k + 1)
    k = skip(tokens, j + 1, words("the this that")) + 1
    if word_at(tokens, j) in {"after", "before"} and word_at(tokens, k - 1) in VIDEO:
        if word_at(tokens, j) == "after" and word_at(tokens, k) in VIDEO_STARTS:
            return TimePoint(seconds), k + 1
        if word_at(tokens, j) == "before" and word_at(tokens, k) in VIDEO_ENDS:
            return TimePoint(seconds, "end"), k + 1
    if word_at(tokens, j) in {"frame", "image", "still", "snapshot"}:
        return TimePoint(seconds), j + 1  # "the 3 second frame"
    if word_at(tokens, j) in {"in", "into", "mark", "point"}:
        return TimePoint(seconds), behind_video(tokens, j)
    return TimePoint(seconds), j


def behind_video(tokens: Sequence[Token], j: int) -> int:
    """Past "mark", "flat", "in", "into the video", "of the clip"; stays where no such words follow."""
    if word_at(tokens, j) in {"flat", "sharp"}:
        return j + 1
    if [word_at(tokens, k) for k in (j, j + 1, j + 2)] == ["on", "the", "dot"]:
        return j + 3
    if word_at(tokens, j) in {"mark", "timestamp", "point", "moment"}:
        j += 1
    if word_at(tokens, j) in {"in", "into", "of", "through", "to"}:
        k = skip(tokens, j + 1, frozenset({"the", "this", "that"}))
        if word_at(tokens, k) in VIDEO or word_at(tokens, k) == "it":
            return k + 1
        if word_at(tokens, j) in {"in", "into"} and k == j + 1:
            return j + 1
    return j


def read_numbered(tokens: Sequence[Token], i: int) -> tuple[TimePoint, int] | None:
    j = skip(tokens, i + 1, frozenset({"number", "no", "#", "=", ":", "."}))
    if j >= len(tokens) or tokens[j].number is None:
        return None
    value = tokens[j].number or 0.0
    if tokens[i].text in {"frame", "frames"} and (value != int(value) or word_at(tokens, j + 1) in UNITS):
        return None  # "in frame 7.4 seconds in": the frame is the picture
    if tokens[i].text in {"frame", "frames"}:
        return TimePoint(value, "frame"), j + 1
    if word_at(tokens, j + 1) in UNITS and tokens[i].text in {"t", "timestamp"}:
        return TimePoint(value * UNITS[word_at(tokens, j + 1)]), j + 2
    return TimePoint(value * UNITS.get(tokens[i].text, 1.0)), j + 1


def read_edge(tokens: Sequence[Token], i: int) -> tuple[TimePoint, int] | None:
    word, following = word_at(tokens, i), word_at(tokens, i + 1)
    share: float | None = None
    if word in {"halfway", "midway", "halftime"} or (word == "half" and following in {"way", "time"}):
        share = 0.5
        i += word == "half"
    elif word in MIDDLE:
        share = 0.5
    elif word == "quarter" and following in {"of", "way", "mark"}:
        share = 0.25
    elif word in START or (word in {"first", "opening", "initial"} and following in {"frame", "image", "moment"}):
        share = 0.0
        i += word not in START
    elif word in END or (word in {"last", "final", "closing"} and following in {"frame", "image", "moment"}):
        share = 1.0
        i += word not in END
    if share is None:
        return None
    j = i + 1
    if word_at(tokens, j) in {"of", "through", "into"}:
        k = skip(tokens, j + 1, frozenset({"the", "this", "that", "way", "through"}))
        j = (
            k + 1
            if word_at(tokens, k) in VIDEO or word_at(tokens, k) == "it"
            else j + (word_at(tokens, j) == "through")
        )
    return TimePoint(share, "share"), j
