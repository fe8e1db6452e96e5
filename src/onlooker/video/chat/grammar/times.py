"""Time expressions: "at 1:05", "between 2 and 4 s", "in the first five seconds", "halfway through", "at the end"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from onlooker.video.chat.grammar.moments import (
    END,
    MIDDLE,
    NUMBERED,
    SHARES,
    START,
    UNITS,
    VAGUE,
    VIDEO,
    VIDEO_ENDS,
    VIDEO_STARTS,
    behind_video,
    ordinal_at,
    read_duration,
    read_edge,
    read_numbered,
    read_parts,
    read_point,
    shifted,
    skip,
    word_at,
)
from onlooker.video.chat.grammar.shot_times import LAST, read_cut, read_shot
from onlooker.video.chat.grammar.tokens import ORDINAL_WORDS, Token
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import TimePoint, Window

_AT = words("at @ around about near circa on by in")
_JOINING = words("and but , to")
_OPENING = words("first initial opening")
# Nouns that follow a count, never a time: "at 3 cars" is no moment.
_NO_TIME_BEHIND = words("of px pixels time moment point instant go once frame")
Matcher = Callable[[Sequence[Token], int], "tuple[Window, int] | None"]
# "The last second that it is seen" is what is asked, no time.
_NAMED_BY = words("that when where which at on")
# What a search says behind a moment: "trucks 7.8 s count", "van 9 14 s box".
_ASKED_BEHIND = words("count number total box boxes bbox coordinates coords position location where how objects xyxy")
_CLOCK_SUBJECT = words("the this that time clock timestamp timer counter player playback is at has it") | VIDEO
# Before a bare duration these make it a length, not a moment: "for 3 s", "longer than 3 s".
_LENGTH_BEFORE = words("for than least most over under exactly lasts last lasting every")


@dataclass(frozen=True, slots=True)
class Found:
    """A window and the tokens it was read from, `[start, end)`."""

    window: Window
    start: int
    end: int


def _at(tokens: Sequence[Token], i: int) -> tuple[Window, int] | None:
    word = word_at(tokens, i)
    if word not in _AT and word not in {"exactly", "precisely", "roughly"}:
        return None
    if word not in _AT and word_at(tokens, i - 1) == "for":
        return None  # "for exactly 3 seconds" is a length
    j = i + 1
    if (word in {"in", "on", "by", "near"} and word_at(_s := tokens, j) in {"the", "frame"}) or word not in {
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
        if word == "in" and tokens[end - 1].text in END:
            return None  # "how many did you find in the end"
        if loose and point.base == "share" and point.value == 0.5 and not _is_of_video(tokens, j, end):
            return None  # "in the middle" is a place unless it is the middle of the video
        if point == TimePoint(0.5, "share") and _is_place(tokens, j, end):
            return None
        if point.base == "start" and word_at(tokens, end) in _NO_TIME_BEHIND:
            return None
        return Window("at", point, None), behind_video(tokens, end)
    return None


def _is_place(tokens: Sequence[Token], i: int, end: int) -> bool:
    """ "At the centre of the frame", against "at the middle of the video"."""
    return any(t.text in MIDDLE for t in tokens[i:end]) and _is_of_picture(tokens, end)


def _is_of_picture(tokens: Sequence[Token], i: int) -> bool:
    behind = {t.text for t in tokens[i : i + 3]} if word_at(tokens, i) in {"of", "in"} else set()
    return bool(behind & {"frame", "picture", "image", "screen", "view"})


def _is_of_video(tokens: Sequence[Token], i: int, end: int) -> bool:
    return any(t.text in VIDEO for t in tokens[i:end])


def _between(tokens: Sequence[Token], i: int) -> tuple[Window, int] | None:
    word = word_at(tokens, i)
    if word not in {"between", "from", "during", "in", "within", "over"} and tokens[i].number is None:
        return None
    j = i if tokens[i].number is not None else i + 1
    first = read_point(tokens, j, needs_unit=False) or _nth_of_two(tokens, j)
    if first is None:
        return None
    k = first[1]
    link = word_at(tokens, k)
    if link not in {"and", "to", "-", "until", "till", "through", "thru", "up"}:
        return None
    if link == "and" and word != "between":
        return None
    k = skip(tokens, k + 1, frozenset({"to", "till", "until", "the"}))
    bare = word in {"between", "from", "during"} or word_at(tokens, skip(tokens, j, VAGUE)) in NUMBERED
    second = read_point(tokens, k, needs_unit=not bare)
    if second is None:
        return None
    start, end = _same_unit(tokens, j, first, second, k), second[0]
    if start.base == end.base == "start" and end.value < start.value:
        start, end = end, start  # "between 8 and 3 seconds"
    return Window("span", start, end), behind_video(tokens, second[1])


def _nth_of_two(tokens: Sequence[Token], j: int) -> tuple[TimePoint, int] | None:
    """The first of "the 5th and the 6th second"."""
    j = skip(tokens, j, frozenset({"the"}))
    nth = ordinal_at(tokens, j)
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
    word = word_at(tokens, i)
    j = i + 1
    two = (word, word_at(tokens, j))
    refused = word_at(tokens, i - 1) in {"no", "not"}
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
    found = _edge_length(tokens, j) or read_point(tokens, j, needs_unit=word in {"from", "past", "by"})
    if found is None:
        return None
    point, end = found
    if word == "by" and point.base != "start":
        return None
    end = skip(tokens, end, frozenset({"on", "onwards", "onward", "mark"}))
    end = _behind_passed(tokens, behind_video(tokens, end))
    return (Window("span", None, point), end) if before else (Window("span", point, None), end)


def _edge_length(tokens: Sequence[Token], i: int) -> tuple[TimePoint, int] | None:
    """ "The first three seconds", "the last minute", "the opening third" behind "after" or "before": where it borders
    on the rest of the video."""
    j = skip(tokens, i, frozenset({"the", "very"}))
    word, share = word_at(tokens, j), SHARES.get(word_at(tokens, j + 1))
    first = word in _OPENING
    if not first and word not in LAST:
        return None
    if share is not None and word_at(tokens, j + 2) not in UNITS:
        return TimePoint(share if first else 1 - share, "share"), j + 2
    found = read_duration(tokens, j + 1)
    return None if found is None else (TimePoint(found[0], "start" if first else "end"), found[1])


def _edge_span(tokens: Sequence[Token], i: int) -> tuple[Window, int] | None:
    """ "in the first 5 seconds", "during the last half", "within 5 seconds", "the opening third"."""
    if word_at(tokens, i) not in {"in", "during", "within", "over", "for", "throughout", "the"}:
        return None
    j = skip(tokens, i + 1, frozenset({"the", "very"}))
    word = word_at(tokens, j)
    first, last = word in _OPENING, word in LAST
    second_half = word in {"second", "latter", "other"} and word_at(tokens, j + 1) == "half"
    inner = _inner_share(tokens, j) or _nth_minute(tokens, i, j)
    if inner is not None:
        return inner
    if not (first or last or second_half):
        if word_at(tokens, i) == "within":
            return _within(tokens, j)
        return None
    share = SHARES.get(word_at(tokens, j + 1))
    if share is not None and word_at(tokens, j + 2) in UNITS:
        near = TimePoint(share * UNITS[word_at(tokens, j + 2)], "start" if first else "end")
        end = behind_video(tokens, j + 3)
    elif share is not None:
        near = TimePoint(share if first else 1 - share, "share")
        end = behind_video(tokens, j + 2)
    else:
        found = read_duration(tokens, j + 1) or _one_unit(tokens, j + 1)
        asked = word_at(tokens, i) == "the" and found is not None and word_at(tokens, found[1]) in _NAMED_BY
        asked = asked or (word_at(tokens, i) == "the" and i > 0 and tokens[i - 1].base == "be" and i < 3)
        if found is None or asked:
            return None
        near = TimePoint(found[0]) if first else TimePoint(found[0], "end")
        end = behind_video(tokens, found[1])
    return Window("span", None if first else near, near if first else None), end


def _inner_share(tokens: Sequence[Token], j: int) -> tuple[Window, int] | None:
    """ "The middle third", "the second quarter" of the video; the middle third of the picture is a place."""
    size, end = SHARES.get(word_at(tokens, j + 1)), behind_video(tokens, j + 2)
    nth = tokens[j].number if j < len(tokens) and tokens[j].ordinal else ORDINAL_WORDS.get(word_at(tokens, j))
    if size is None or size == SHARES["half"] or _is_of_picture(tokens, j + 2):
        return None
    if word_at(tokens, j) in MIDDLE:
        return Window("span", TimePoint(0.5 - size / 2, "share"), TimePoint(0.5 + size / 2, "share")), end
    if nth is None or not 1 < nth < 1 / size:
        return None
    return Window("span", TimePoint((nth - 1) * size, "share"), TimePoint(nth * size, "share")), end


def _nth_minute(tokens: Sequence[Token], i: int, j: int) -> tuple[Window, int] | None:
    """ "In the second minute": from 60 s to 120 s. Of seconds the n-th is a moment."""
    nth = tokens[j].number if j < len(tokens) and tokens[j].ordinal else ORDINAL_WORDS.get(word_at(tokens, j))
    unit = UNITS.get(word_at(tokens, j + 1), 0.0)
    if nth is None or nth < 1 or unit < UNITS["minute"] or word_at(tokens, i) == "the":
        return None
    return Window("span", TimePoint((nth - 1) * unit), TimePoint(nth * unit)), behind_video(tokens, j + 2)


def _within(tokens: Sequence[Token], j: int) -> tuple[Window, int] | None:
    """ "Within 5 s", "within 5 s of the end"."""
    found = read_duration(tokens, j)
    if found is None:
        return None
    k = skip(tokens, found[1] + 1, frozenset({"the", "very"}))
    if word_at(tokens, found[1]) == "of" and word_at(tokens, k) in END:
        return Window("span", TimePoint(found[0], "end"), None), behind_video(tokens, k + 1)
    end = k + 1 if word_at(tokens, found[1]) == "of" and word_at(tokens, k) in START else found[1]
    return Window("span", None, TimePoint(found[0])), behind_video(tokens, end)


def _one_unit(tokens: Sequence[Token], i: int) -> tuple[float, int] | None:
    """ "the first second": one of that unit."""
    word = word_at(tokens, i)
    return (UNITS[word], i + 1) if word in {"second", "minute", "hour"} else None


def _bare(tokens: Sequence[Token], i: int) -> tuple[Window, int] | None:
    """ "halfway through", "initially", "3 seconds in", "frame 12", "t = 4"."""
    word = word_at(tokens, i)
    if word in {"initially", "originally"}:
        return Window("at", TimePoint(0.0, "share"), None), i + 1
    if word in {"halfway", "midway", "halftime"} or (word == "half" and word_at(tokens, i + 1) in {"way", "time"}):
        found = read_edge(tokens, i)
        return (Window("at", found[0], None), found[1]) if found else None
    if word == "time" and word_at(tokens, i + 1) in {"=", ":"}:
        stated = read_point(tokens, i + 2, needs_unit=False)
        return (Window("at", stated[0], None), stated[1]) if stated else None
    if (word_at(tokens, i - 1), word, word_at(tokens, i + 1)) == ("the", "second", "one"):
        return None  # "when does the second one appear?"
    if word in {"t", "timestamp", "second", "frame"} and word_at(tokens, i - 1) not in {"per", "which", "what"}:
        numbered = read_numbered(tokens, i)
        return (Window("at", numbered[0], None), numbered[1]) if numbered else None
    parts = read_parts(tokens, i)
    if parts is not None and (parts[0].base == "start" or parts[1] > i + 3):
        return Window("at", parts[0], None), parts[1]
    duration = read_duration(tokens, i)
    if duration is not None:
        point, end = shifted(tokens, *duration)
        spoken = tokens[i].number is not None
        if end > duration[1] or (spoken and (tokens[i].kind == "clock" or _ends_clause(tokens, i, end))):
            return Window("at", point, None), end
    return None


def _ends_clause(tokens: Sequence[Token], i: int, end: int) -> bool:
    """Whether a bare length of time is a moment: it closes a part, opens a search ("3 s dogs?") or asks behind it."""
    if end >= len(tokens) or tokens[end].kind == "mark":
        return True
    opens = i == 0 and len(tokens) <= 6 and tokens[end].base not in {"be", "long", "later", "earlier", "of", "or"}
    return tokens[end].text in _ASKED_BEHIND or opens


def _video_event(tokens: Sequence[Token], i: int) -> tuple[Window, int] | None:
    """ "When the clip ends", "as the video starts", "once 5 seconds have passed", "when the clock reads 3 s"."""
    if word_at(tokens, i) not in {"when", "as", "once", "until", "by", "after"}:
        return None
    j = skip(tokens, i + 1, _CLOCK_SUBJECT)
    event = word_at(tokens, j)
    spoken_of = any(t.text in VIDEO for t in tokens[i:j]) or (word_at(tokens, i + 1) == "it" and event in VIDEO_ENDS)
    if spoken_of and event in VIDEO_STARTS | VIDEO_ENDS:
        early = event in VIDEO_STARTS
        point = TimePoint(0.0 if early else 1.0, "share")
        kind_span = word_at(tokens, i) in {"until", "by"}
        return (Window("span", None, point) if kind_span else Window("at", point, None)), j + 1
    j = skip(tokens, j, words("reads read shows says hit hits reaches reached the"))
    found = read_duration(tokens, j)
    if found is None:
        return None
    # "After the 9 second mark" is a span; "after 9 seconds have passed" and "when the clock reads 9 s" are moments.
    clock = any(t.text not in {"the", "this", "that", "is", "at"} for t in tokens[i + 1 : j])
    end = _behind_passed(tokens, found[1])
    if end == found[1] and not clock and (j == i + 1 or word_at(tokens, i) not in {"when", "as", "once"}):
        return None
    point, end = TimePoint(found[0]), behind_video(tokens, end)
    return (Window("span", None, point) if word_at(tokens, i) in {"by", "until"} else Window("at", point, None)), end


def _behind_passed(tokens: Sequence[Token], i: int) -> int:
    """Past "have passed", "are up", "had gone by"; stays where nothing of the kind is said."""
    j = skip(tokens, i, words("have has had are is were was"))
    if word_at(tokens, j) in {"passed", "elapsed", "gone", "went"} or (j > i and word_at(tokens, j) in {"up", "over"}):
        return j + 1 + (word_at(tokens, j + 1) == "by")
    return i


def _whole(tokens: Sequence[Token], i: int) -> tuple[Window, int] | None:
    """ "Between the first and the last frame": the whole video."""
    texts = [t.text for t in tokens[i : i + 8] if t.text not in {"the", "very"}]
    if texts[:4] == ["between", "first", "and", "last"] and texts[4:5] and texts[4].rstrip("s") in {"second", "frame"}:
        end = next(j for j in range(i, len(tokens)) if tokens[j].text == texts[4]) + 1
        return Window("span", TimePoint(0.0, "share"), TimePoint(1.0, "share")), end
    return None


_MATCHERS: tuple[Matcher, ...] = (
    _whole, _edge_span, _video_event, _between, _at, _open, _bare, read_shot, read_cut,
)  # fmt: skip


def find_windows(tokens: Sequence[Token]) -> list[Found]:
    """All time expressions, left to right, longest reading first."""
    found: list[Found] = []
    i = 0
    while i < len(tokens):
        best: tuple[Window, int] | None = None
        for matcher in _MATCHERS:
            if matcher is _bare and word_at(tokens, i - 1) in _LENGTH_BEFORE:
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
