"""Time expressions: "at 1:05", "between 2 and 4 s", "in the first five seconds", "halfway through", "at the end"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from onlooker.video.chat.grammar.tokens import ORDINAL_WORDS, Token
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import TimePoint, Window

SECOND_UNITS = words("s sec secs second seconds")
UNITS = (
    dict.fromkeys(SECOND_UNITS, 1.0)
    | dict.fromkeys(["m", "min", "mins", "minute", "minutes"], 60.0)
    | dict.fromkeys(["h", "hr", "hrs", "hour", "hours"], 3600.0)
    | dict.fromkeys(["ms", "msec", "millisecond", "milliseconds"], 0.001)
)
_VAGUE = words("about around roughly approximately approx circa exactly precisely the very just nearly time t")
_AT = words("at @ around about near circa on by in")
_BEFORE = words("before until till up_to prior by earlier")
_AFTER = words("after since past beyond following from starting")
_START = words("start beginning outset opening onset")
_END = words("end ending close finish conclusion")
_MIDDLE = words("middle midpoint centre center")
_FILLERS_BEHIND = words(
    "in into mark point of the a this video clip footage film recording movie sequence it timestamp moment"
)
_VIDEO = words("video clip footage film movie recording sequence scene")
_JOINING = words("and but , to")
_NUMBERED = words("frame frames second seconds minute minutes timestamp t sec secs")
_SHARES = {"half": 0.5, "third": 1 / 3, "quarter": 0.25}
# Nouns that follow a count, never a time: "at 3 cars" is no moment.
_NO_TIME_BEHIND = words("of px pixels time moment point instant go once frame")
Matcher = Callable[[Sequence[Token], int], "tuple[Window, int] | None"]


@dataclass(frozen=True, slots=True)
class Found:
    """A window and the tokens it was read from, `[start, end)`."""

    window: Window
    start: int
    end: int


def _word(tokens: Sequence[Token], i: int) -> str:
    return tokens[i].text if 0 <= i < len(tokens) else ""


def _skip(tokens: Sequence[Token], i: int, words: frozenset[str]) -> int:
    while i < len(tokens) and tokens[i].text in words:
        i += 1
    return i


def read_duration(tokens: Sequence[Token], i: int, needs_unit: bool = True) -> tuple[float, int] | None:
    """(seconds, index behind) of "5 s", "1:05", "half a second", "2 and a half minutes", "1 min 5 s"."""
    if _word(tokens, i) in {"half", "a", "an", "quarter", "third"}:
        return _read_worded(tokens, i)
    if i >= len(tokens) or tokens[i].number is None or tokens[i].ordinal:
        return None
    value, j = tokens[i].number or 0.0, i + 1
    if tokens[i].kind == "clock":
        return value, j + (_word(tokens, j) in UNITS or _word(tokens, j) == "minutes")
    half = [t.text for t in tokens[j : j + 3]] == ["and", "a", "half"]
    unit_at = j + 3 if half else j
    unit = UNITS.get(_word(tokens, unit_at))
    if unit is None or (_word(tokens, unit_at) in {"m", "h"} and value != int(value)):
        return None if needs_unit else (value, j)
    seconds, j = (value + 0.5 * half) * unit, unit_at + 1
    if unit >= 1:
        more = read_duration(tokens, _skip(tokens, j, frozenset({"and", ","})))
        if more is not None and more[0] < unit:
            return seconds + more[0], more[1]
    return seconds, j


def _read_worded(tokens: Sequence[Token], i: int) -> tuple[float, int] | None:
    words = [t.text for t in tokens[i : i + 5]]
    lead = words[:1] in (["a"], ["one"])
    if words[lead : lead + 3] in (["quarter", "of", "a"], ["third", "of", "a"]) and len(words) > lead + 3:
        unit = UNITS.get(words[lead + 3])
        return None if unit is None else (_SHARES[words[lead]] * unit, i + lead + 4)
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
    i = _skip(tokens, i, _VAGUE)
    word = _word(tokens, i)
    if word in _NUMBERED:
        return _read_numbered(tokens, i)
    if word == "=" and i and _word(tokens, i - 1) in {"t", "time"}:
        return read_point(tokens, i + 1, needs_unit=False)
    nth = _ordinal(tokens, i)
    if nth is not None and _word(tokens, i + 1) in {"second", "sec", "minute", "frame"}:
        if _word(tokens, i + 1) == "frame":
            return TimePoint(nth - 1, "frame"), i + 2
        return TimePoint(nth * UNITS[_word(tokens, i + 1)]), i + 2
    if i + 1 < len(tokens) and tokens[i].number is not None and _word(tokens, i + 1) in {"%", "percent"}:
        end = _skip(tokens, i + 2, _FILLERS_BEHIND | {"through", "way"})
        return TimePoint((tokens[i].number or 0.0) / 100, "share"), end
    parts = _read_parts(tokens, i)
    if parts is not None:
        return parts
    duration = read_duration(tokens, i, needs_unit)
    if duration is None:
        return _read_edge(tokens, i)
    return _shifted(tokens, *duration)


def _read_parts(tokens: Sequence[Token], i: int) -> tuple[TimePoint, int] | None:
    """ "Three quarters of the clip", "two thirds of the way through", "three quarters of a second"."""
    size = _SHARES.get(_word(tokens, i + 1).removesuffix("s"))
    if i >= len(tokens) or tokens[i].number is None or size is None or _word(tokens, i + 1)[-1:] != "s":
        return None
    part = (tokens[i].number or 0.0) * size
    if _word(tokens, i + 2) == "of" and _word(tokens, i + 3) in {"a", "one"} and _word(tokens, i + 4) in UNITS:
        return TimePoint(part * UNITS[_word(tokens, i + 4)]), _behind_video(tokens, i + 5)
    return TimePoint(part, "share"), _skip(tokens, i + 2, words("of the this that way through into in") | _VIDEO)


def _ordinal(tokens: Sequence[Token], i: int) -> float | None:
    """ "5th", or "fifth"; "second" is a unit and "first" an edge."""
    if i < len(tokens) and tokens[i].ordinal:
        return tokens[i].number
    nth = ORDINAL_WORDS.get(_word(tokens, i), 0)
    return float(nth) if nth > 2 else None


def _shifted(tokens: Sequence[Token], seconds: float, j: int) -> tuple[TimePoint, int]:
    """A duration, or one counted from an edge: "5 seconds before the end", "3 s after the start", "3 s in"."""
    if _word(tokens, j) in {"before", "from", "after", "into", "to"}:
        k = _skip(tokens, j + 1, frozenset({"the", "very"}))
        if _word(tokens, k) in _END and _word(tokens, j) in {"before", "from"}:
            return TimePoint(seconds, "end"), _behind_video(tokens, k + 1)
        if _word(tokens, k) in _START and _word(tokens, j) in {"from", "after", "into"}:
            return TimePoint(seconds), _behind_video(tokens, k + 1)
    k = _skip(tokens, j + 1, words("the this that")) + 1
    if _word(tokens, j) in {"after", "before"} and _word(tokens, k - 1) in _VIDEO:
        if _word(tokens, j) == "after" and _word(tokens, k) in _VIDEO_STARTS:
            return TimePoint(seconds), k + 1
        if _word(tokens, j) == "before" and _word(tokens, k) in _VIDEO_ENDS:
            return TimePoint(seconds, "end"), k + 1
    if _word(tokens, j) in {"frame", "image", "still", "snapshot"}:
        return TimePoint(seconds), j + 1  # "the 3 second frame"
    if _word(tokens, j) in {"in", "into", "mark", "point"}:
        return TimePoint(seconds), _behind_video(tokens, j)
    return TimePoint(seconds), j


def _behind_video(tokens: Sequence[Token], j: int) -> int:
    """Past "mark", "in", "into the video", "of the clip"; stays where no such words follow."""
    if _word(tokens, j) in {"mark", "timestamp", "point", "moment"}:
        j += 1
    if _word(tokens, j) in {"in", "into", "of", "through", "to"}:
        k = _skip(tokens, j + 1, frozenset({"the", "this", "that"}))
        if _word(tokens, k) in _VIDEO or _word(tokens, k) == "it":
            return k + 1
        if _word(tokens, j) in {"in", "into"} and k == j + 1:
            return j + 1
    return j


def _read_numbered(tokens: Sequence[Token], i: int) -> tuple[TimePoint, int] | None:
    j = _skip(tokens, i + 1, frozenset({"number", "no", "#", "=", ":", "."}))
    if j >= len(tokens) or tokens[j].number is None:
        return None
    value = tokens[j].number or 0.0
    if tokens[i].text in {"frame", "frames"} and (value != int(value) or _word(tokens, j + 1) in UNITS):
        return None  # "in frame 7.4 seconds in": the frame is the picture
    if tokens[i].text in {"frame", "frames"}:
        return TimePoint(value, "frame"), j + 1
    if _word(tokens, j + 1) in UNITS and tokens[i].text in {"t", "timestamp"}:
        return TimePoint(value * UNITS[_word(tokens, j + 1)]), j + 2
    return TimePoint(value * UNITS.get(tokens[i].text, 1.0)), j + 1


def _read_edge(tokens: Sequence[Token], i: int) -> tuple[TimePoint, int] | None:
    word, following = _word(tokens, i), _word(tokens, i + 1)
    share: float | None = None
    if word in {"halfway", "midway"} or (word == "half" and following == "way"):
        share = 0.5
        i += word == "half"
    elif word in _MIDDLE:
        share = 0.5
    elif word == "quarter" and following in {"of", "way"}:
        share = 0.25
    elif word in _START or (word in {"first", "opening", "initial"} and following in {"frame", "image", "moment"}):
        share = 0.0
        i += word not in _START
    elif word in _END or (word in {"last", "final", "closing"} and following in {"frame", "image", "moment"}):
        share = 1.0
        i += word not in _END
    if share is None:
        return None
    j = i + 1
    if _word(tokens, j) in {"of", "through", "into"}:
        k = _skip(tokens, j + 1, frozenset({"the", "this", "that", "way", "through"}))
        j = k + 1 if _word(tokens, k) in _VIDEO or _word(tokens, k) == "it" else j + (_word(tokens, j) == "through")
    return TimePoint(share, "share"), j


def _at(tokens: Sequence[Token], i: int) -> tuple[Window, int] | None:
    word = _word(tokens, i)
    if word not in _AT and word not in {"exactly", "precisely", "roughly"}:
        return None
    j = i + 1
    if (word in {"in", "on", "by", "near"} and _word(_s := tokens, j) in {"the", "frame"}) or word not in {
        "in",
        "on",
        "by",
        "near",
    }:
        numbered = word in {"at", "@"}
        found = read_point(_s if word in {"in", "on", "by", "near"} else tokens, j, needs_unit=not numbered)
        if found is None:
            return None
        point, end = found
        loose = word in {"in", "on", "by", "near"}
        if loose and point.base == "start" and not any(t.ordinal for t in tokens[j:end]):
            return None
        if word == "in" and tokens[end - 1].text in _END:
            return None  # "how many did you find in the end"
        if loose and point.base == "share" and point.value == 0.5 and not _is_of_video(tokens, j, end):
            return None  # "in the middle" is a place unless it is the middle of the video
        if point == TimePoint(0.5, "share") and _is_place(tokens, j, end):
            return None
        if point.base == "start" and _word(tokens, end) in _NO_TIME_BEHIND:
            return None
        return Window("at", point, None), _behind_video(tokens, end)
    return None


def _is_place(tokens: Sequence[Token], i: int, end: int) -> bool:
    """ "At the centre of the frame", against "at the middle of the video"."""
    middle = any(t.text in _MIDDLE for t in tokens[i:end])
    behind = {t.text for t in tokens[end : end + 3]} if _word(tokens, end) in {"of", "in"} else set()
    return middle and bool(behind & {"frame", "picture", "image", "screen", "view"})


def _is_of_video(tokens: Sequence[Token], i: int, end: int) -> bool:
    return any(t.text in _VIDEO for t in tokens[i:end])


def _between(tokens: Sequence[Token], i: int) -> tuple[Window, int] | None:
    word = _word(tokens, i)
    if word not in {"between", "from", "during", "in", "within", "over"} and tokens[i].number is None:
        return None
    j = i if tokens[i].number is not None else i + 1
    first = read_point(tokens, j, needs_unit=False) or _nth_of_two(tokens, j)
    if first is None:
        return None
    k = first[1]
    link = _word(tokens, k)
    if link not in {"and", "to", "-", "until", "till", "through", "thru", "up"}:
        return None
    if link == "and" and word != "between":
        return None
    k = _skip(tokens, k + 1, frozenset({"to", "till", "until", "the"}))
    bare = word in {"between", "from", "during"} or _word(tokens, _skip(tokens, j, _VAGUE)) in _NUMBERED
    second = read_point(tokens, k, needs_unit=not bare)
    if second is None:
        return None
    start = _same_unit(tokens, j, first, second, k)
    return Window("span", start, second[0]), _behind_video(tokens, second[1])


def _nth_of_two(tokens: Sequence[Token], j: int) -> tuple[TimePoint, int] | None:
    """The first of "the 5th and the 6th second"."""
    j = _skip(tokens, j, frozenset({"the"}))
    nth = _ordinal(tokens, j)
    return None if nth is None else (TimePoint(nth), j + 1)


def _same_unit(
    tokens: Sequence[Token], j: int, first: tuple[TimePoint, int], second: tuple[TimePoint, int], k: int
) -> TimePoint:
    """ "between 1 and 2 minutes": the unit said once counts for both."""
    said = any(t.text in UNITS for t in tokens[j : first[1]]) or tokens[min(j, len(tokens) - 1)].kind == "clock"
    factor = next((UNITS[t.text] for t in tokens[k : second[1]] if t.text in UNITS), 1.0)
    if said or first[0].base != "start" or second[0].base != "start":
        return first[0]
    return TimePoint(first[0].value * factor)


def _open(tokens: Sequence[Token], i: int) -> tuple[Window, int] | None:
    word = _word(tokens, i)
    j = i + 1
    two = (word, _word(tokens, j))
    refused = _word(tokens, i - 1) in {"no", "not"}
    if two in {("up", "to"), ("up", "until"), ("up", "till"), ("prior", "to"), ("earlier", "than"), ("later", "than")}:
        j += 1
    elif word in {"up", "prior", "earlier", "later"}:
        return None
    before = word in {"before", "until", "till", "up", "prior", "earlier"}
    after = word in {"after", "since", "past", "beyond", "later"} or word == "from"
    if refused and word in {"earlier", "later"}:
        before, after = after, before  # "no later than 3 s"
    if not before and not after:
        if word == "by":
            before = True
        else:
            return None
    found = read_point(tokens, j, needs_unit=word in {"from", "past", "by"})
    if found is None:
        return None
    point, end = found
    if word == "by" and point.base != "start":
        return None
    end = _skip(tokens, end, frozenset({"on", "onwards", "onward", "mark"}))
    end = _behind_passed(tokens, _behind_video(tokens, end))
    return (Window("span", None, point), end) if before else (Window("span", point, None), end)


# "The last second that it is seen" is what is asked, no time.
_NAMED_BY = words("that when where which at on")


def _edge_span(tokens: Sequence[Token], i: int) -> tuple[Window, int] | None:
    """ "in the first 5 seconds", "during the last half", "within 5 seconds", "the opening third"."""
    if _word(tokens, i) not in {"in", "during", "within", "over", "for", "throughout", "the"}:
        return None
    j = _skip(tokens, i + 1, frozenset({"the", "very"}))
    word = _word(tokens, j)
    first = word in {"first", "initial", "opening"}
    last = word in {"last", "final", "closing"}
    second_half = word in {"second", "latter", "other"} and _word(tokens, j + 1) == "half"
    if not (first or last or second_half):
        if _word(tokens, i) == "within":
            return _within(tokens, j)
        return None
    share = _SHARES.get(_word(tokens, j + 1))
    if share is not None and _word(tokens, j + 2) in UNITS:
        near = TimePoint(share * UNITS[_word(tokens, j + 2)], "start" if first else "end")
        end = _behind_video(tokens, j + 3)
    elif share is not None:
        near = TimePoint(share if first else 1 - share, "share")
        end = _behind_video(tokens, j + 2)
    else:
        found = read_duration(tokens, j + 1) or _one_unit(tokens, j + 1)
        asked = _word(tokens, i) == "the" and found is not None and _word(tokens, found[1]) in _NAMED_BY
        if found is None or asked:
            return None
        near = TimePoint(found[0]) if first else TimePoint(found[0], "end")
        end = _behind_video(tokens, found[1])
    return Window("span", None if first else near, near if first else None), end


def _within(tokens: Sequence[Token], j: int) -> tuple[Window, int] | None:
    """ "Within 5 s", "within 5 s of the end"."""
    found = read_duration(tokens, j)
    if found is None:
        return None
    k = _skip(tokens, found[1] + 1, frozenset({"the", "very"}))
    if _word(tokens, found[1]) == "of" and _word(tokens, k) in _END:
        return Window("span", TimePoint(found[0], "end"), None), _behind_video(tokens, k + 1)
    end = k + 1 if _word(tokens, found[1]) == "of" and _word(tokens, k) in _START else found[1]
    return Window("span", None, TimePoint(found[0])), _behind_video(tokens, end)


def _one_unit(tokens: Sequence[Token], i: int) -> tuple[float, int] | None:
    """ "the first second": one of that unit."""
    word = _word(tokens, i)
    return (UNITS[word], i + 1) if word in {"second", "minute", "hour"} else None


def _bare(tokens: Sequence[Token], i: int) -> tuple[Window, int] | None:
    """ "halfway through", "initially", "3 seconds in", "frame 12", "t = 4"."""
    word = _word(tokens, i)
    if word in {"initially", "originally"}:
        return Window("at", TimePoint(0.0, "share"), None), i + 1
    if word in {"halfway", "midway"} or (word == "half" and _word(tokens, i + 1) == "way"):
        found = _read_edge(tokens, i)
        return (Window("at", found[0], None), found[1]) if found else None
    if word == "time" and _word(tokens, i + 1) in {"=", ":"}:
        stated = read_point(tokens, i + 2, needs_unit=False)
        return (Window("at", stated[0], None), stated[1]) if stated else None
    if word in {"t", "timestamp", "second", "frame"} and (i == 0 or tokens[i - 1].text != "per"):
        numbered = _read_numbered(tokens, i)
        return (Window("at", numbered[0], None), numbered[1]) if numbered else None
    parts = _read_parts(tokens, i)
    if parts is not None and (parts[0].base == "start" or parts[1] > i + 3):
        return Window("at", parts[0], None), parts[1]
    duration = read_duration(tokens, i)
    if duration is not None:
        point, end = _shifted(tokens, *duration)
        spoken = tokens[i].number is not None
        if end > duration[1] or (spoken and (tokens[i].kind == "clock" or _ends_clause(tokens, i, end))):
            return Window("at", point, None), end
    return None


# What a search says behind a moment: "trucks 7.8 s count", "van 9 14 s box".
_ASKED_BEHIND = words("count number total box boxes bbox coordinates coords position location where how objects xyxy")


def _ends_clause(tokens: Sequence[Token], i: int, end: int) -> bool:
    """Whether a bare length of time is a moment: it closes a part, opens a search ("3 s dogs?") or asks behind it."""
    if end >= len(tokens) or tokens[end].kind == "mark":
        return True
    opens = i == 0 and len(tokens) <= 6 and tokens[end].base not in {"be", "long", "later", "earlier", "of", "or"}
    return tokens[end].text in _ASKED_BEHIND or opens


_CLOCK_SUBJECT = words("the this that time clock timestamp timer counter player playback is at has it") | _VIDEO
_VIDEO_STARTS = words("starts begins opens")
_VIDEO_ENDS = words("ends ended finishes stops closes")


def _video_event(tokens: Sequence[Token], i: int) -> tuple[Window, int] | None:
    """ "When the clip ends", "as the video starts", "once 5 seconds have passed", "when the clock reads 3 s"."""
    if _word(tokens, i) not in {"when", "as", "once", "until", "by", "after"}:
        return None
    j = _skip(tokens, i + 1, _CLOCK_SUBJECT)
    event = _word(tokens, j)
    spoken_of = any(t.text in _VIDEO for t in tokens[i:j]) or (_word(tokens, i + 1) == "it" and event in _VIDEO_ENDS)
    if spoken_of and event in _VIDEO_STARTS | _VIDEO_ENDS:
        early = event in _VIDEO_STARTS
        point = TimePoint(0.0 if early else 1.0, "share")
        kind_span = _word(tokens, i) in {"until", "by"}
        return (Window("span", None, point) if kind_span else Window("at", point, None)), j + 1
    j = _skip(tokens, j, words("reads read shows says hits reaches reached"))
    found = read_duration(tokens, j)
    if found is None:
        return None
    # "After the 9 second mark" is a span; "after 9 seconds have passed" and "when the clock reads 9 s" are moments.
    clock = any(t.text not in {"the", "this", "that", "is", "at"} for t in tokens[i + 1 : j])
    end = _behind_passed(tokens, found[1])
    if end == found[1] and not clock and (j == i + 1 or _word(tokens, i) not in {"when", "as", "once"}):
        return None
    return Window("at", TimePoint(found[0]), None), _behind_video(tokens, end)


def _behind_passed(tokens: Sequence[Token], i: int) -> int:
    """Past "have passed", "are up", "had gone by"; stays where nothing of the kind is said."""
    j = _skip(tokens, i, words("have has had are is were was"))
    if _word(tokens, j) in {"passed", "elapsed", "gone", "went"} or (j > i and _word(tokens, j) in {"up", "over"}):
        return j + 1 + (_word(tokens, j + 1) == "by")
    return i


# Before a bare duration these make it a length, not a moment: "for 3 s", "longer than 3 s".
_LENGTH_BEFORE = words("for than least most over under exactly lasts last lasting every")


def _whole(tokens: Sequence[Token], i: int) -> tuple[Window, int] | None:
    """ "Between the first and the last frame": the whole video."""
    texts = [t.text for t in tokens[i : i + 8] if t.text not in {"the", "very"}]
    if texts[:4] == ["between", "first", "and", "last"] and texts[4:5] and texts[4].rstrip("s") in {"second", "frame"}:
        end = next(j for j in range(i, len(tokens)) if tokens[j].text == texts[4]) + 1
        return Window("span", TimePoint(0.0, "share"), TimePoint(1.0, "share")), end
    return None


_MATCHERS: tuple[Matcher, ...] = (_whole, _edge_span, _video_event, _between, _at, _open, _bare)


def find_windows(tokens: Sequence[Token]) -> list[Found]:
    """All time expressions, left to right, longest reading first."""
    found: list[Found] = []
    i = 0
    while i < len(tokens):
        best: tuple[Window, int] | None = None
        for matcher in _MATCHERS:
            if matcher is _bare and _word(tokens, i - 1) in _LENGTH_BEFORE:
                continue
            result = matcher(tokens, i)
            if result is not None and (best is None or result[1] > best[1]):
                best = result
        if best is None:
            i += 1
        else:
            found.append(Found(best[0], i, best[1]))
            i = best[1]
    return _joined(tokens, found)


def _joined(tokens: Sequence[Token], found: list[Found]) -> list[Found]:
    """ "After 2 s and before 4 s", "starting at 2 s until 4 s": two open spans side by side are one."""
    joined: list[Found] = []
    for one in found:
        last = joined[-1] if joined else None
        linked = last is not None and all(t.text in _JOINING for t in tokens[last.end : one.start])
        if last is not None and linked and last.window.kind == one.window.kind == "span":
            opens, closes = (last, one) if last.window.end is None else (one, last)
            if opens.window.end is None and closes.window.start is None:
                whole = Window("span", opens.window.start, closes.window.end)
                joined[-1] = Found(whole, last.start, one.end)
                continue
        joined.append(one)
    return joined
