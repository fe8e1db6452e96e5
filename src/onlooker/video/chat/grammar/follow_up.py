"""Questions that lean on the one before: "and the car?", "how about at 5 seconds?", "when?", "why?"."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise
from typing import Literal

from onlooker.video.chat.grammar.context import Focus, Scene
from onlooker.video.chat.grammar.moments import UNITS, read_duration
from onlooker.video.chat.grammar.nouns import HYPERNYMS
from onlooker.video.chat.grammar.ordinals import place_before
from onlooker.video.chat.grammar.subjects import COMPARATIVES, MEASURES, SUPERLATIVES, measure_of, order_rank
from onlooker.video.chat.grammar.tokens import ORDINAL_WORDS
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import (
    Anchor,
    BoxQuery,
    CompareQuery,
    CountQuery,
    EventsQuery,
    ExistsQuery,
    ListQuery,
    MomentQuery,
    PathQuery,
    PeakQuery,
    Query,
    Rank,
    Refusal,
    RelationQuery,
    Selection,
    TimePoint,
    VideoFactQuery,
    Window,
)

# Cues that do not make a question of their own.
_EMPTY_CUES = frozenset({"visible", "what", "how", "video", "filler", "all", "total", "appear", "not", "list"})
# Cues a bare question about the last subject may hold.
_BARE_CUES = words(
    "until_when gone return color speed direction visible what how appear start end how_long when where "
    "which count path  size look move travel_far where_place wear peak first last total filler time_noun together all"
)
# "Which direction?", "how fast?": phrases that ask by themselves.
_ASKED_BY_PHRASE = words("direction speed color size")
_OPENERS = words(
    "and or what about how same for now but also then of in on at the a an instead it them one ones to question thing "
    "again please likewise ditto among amongst within from with regarding concerning too as well goes do just only next"
)
# "One second later", "two seconds before that": how far, and whether on or back.
_ON = words("later after afterwards further on")
_THAT = words("that this the one a an half second seconds")
_BACK = words("earlier before sooner previously")
_AROUND_THAT = words("before after that next him her it them first last then")
_SAME_MOMENT = (
    "at that moment", "at that time", "at that point", "at that instant", "at that second", "at the same moment",
    "at this moment", "at this point", "right then", "just then", "by then", "at that very moment",
)  # fmt: skip
_IN_TURN = ("t_start", "t_end")
_THIRD_PERSON = words("he she him her his hers himself herself")
_LIVING = frozenset({*HYPERNYMS["living thing"], *HYPERNYMS["rider"]})
_POINTING = words("that this those these other next")


def elliptic(scene: Scene) -> Query | None:
    """The last query with the parts that the new words replace; None when the question stands by itself."""
    focus = scene.focus
    if focus is not None and (weighed := _weighed_again(scene, focus.query)) is not None:
        return weighed
    if focus is not None and (other := _which_of_kind(scene, focus.query)) is not None:
        return other
    if focus is not None and (peak := _at_once(scene, focus.query)) is not None:
        return peak
    if focus is not None and (placed := _next_place(scene, focus.query)) is not None:
        return placed
    if focus is None or not _is_fragment(scene):
        return None
    query = focus.query
    names = {f.name for f in fields(query)}
    changes: dict[str, object] = {}
    moved = _moved_window(scene, query)
    if (scene.window is not None or moved is not None) and "window" in names:
        changes["window"] = moved if moved is not None else scene.window
    rank = _new_rank(scene)
    subject = _new_subject(scene, focus)
    if subject is not None or rank is not None:
        base = subject if subject is not None else _subject_of(query)
        if base is None or "subject" not in names:
            return _other_option(query, subject)
        changes["subject"] = replace(base, rank=rank) if rank is not None else base
    if not changes:
        return None
    if isinstance(query, PathQuery) and isinstance(changes.get("window"), Window):
        window = scene.window
        if window is not None and window.kind == "at":
            return BoxQuery(changes.get("subject", query.subject), window, videos=query.videos)  # type: ignore[arg-type]
    return replace(query, **changes)  # type: ignore[arg-type]


def _weighed_again(scene: Scene, query: Query) -> Query | None:
    """ "And before the backpack?" after "does the dog come before the truck?"."""
    said = [t.text for t in scene.reading.tokens if t.is_word]
    order = next((w for w in ("before", "after") if w in said[:2]), None)
    one = len(scene.things) == 1 and scene.form == "none" and scene.window is None and scene.pronoun is None
    ordered = isinstance(query, CompareQuery) and query.ask == "yes_no" and query.column in {"t_start", "t_end"}
    if order is None or not one or not ordered or not isinstance(query, CompareQuery):
        return None
    return replace(query, options=(query.options[0], scene.things[0]), descending=order == "after")


def _which_of_kind(scene: Scene, query: Query) -> Query | None:
    """ "Which car?" after "which person is the fastest?"."""
    said = [t.text for t in scene.reading.tokens if t.is_word and t.text not in {"and", "then"}]
    if not isinstance(query, ListQuery) or len(said) != 2 or said[0] != "which" or len(scene.things) != 1:
        return None
    kind = scene.things[0]
    plain = query.subject.rank is not None and kind.categories and kind.rank is None and not kind.numbers
    return replace(query, subject=replace(kind, rank=query.subject.rank)) if plain else None


def _at_once(scene: Scene, query: Query) -> Query | None:
    """ "And at the same time?" after "how many people are there?"."""
    bare = not scene.things and scene.pronoun is None and scene.form == "none" and scene.window is None
    if not isinstance(query, CountQuery) or not bare or not scene.has("peak", "together"):
        return None
    loose = set(scene.reading.cues) - _EMPTY_CUES - {"peak", "together"}
    return None if loose else PeakQuery(replace(query.subject, plural=True))


def _next_place(scene: Scene, query: Query) -> Query | None:
    """ "And the third?" after "when does the first bird come?"."""
    said = [t for t in scene.reading.tokens if t.is_word or t.ordinal]
    small = all(t.text in {"and", "what", "about", "the", "one"} for t in said[:-1]) and 1 < len(said) <= 5
    last = said[-1] if said else None
    place = None if last is None else int(last.number or 0) if last.ordinal else ORDINAL_WORDS.get(last.text)
    place = -1 if last is not None and last.text == "last" else place
    subject = _subject_of(query)
    if not small or not place or subject is None or subject.rank is None or subject.rank.column not in _IN_TURN:
        return None
    rank = (
        replace(subject.rank, n=place)
        if place > 0
        else replace(subject.rank, n=1, descending=not subject.rank.descending)
    )
    return replace(query, subject=replace(subject, rank=rank, keys=()))  # type: ignore[call-arg]


def _moved_window(scene: Scene, query: Query) -> Window | None:
    """The last moment, moved: "and one second later?", "two seconds before that?"."""
    before, tokens = getattr(query, "window", None), scene.reading.tokens
    if not isinstance(before, Window) or before.kind != "at" or before.start is None or before.start.base != "start":
        return None
    for i in range(len(tokens)):
        length = read_duration(tokens, i)
        word = tokens[length[1]].text if length is not None and length[1] < len(tokens) else ""
        if length is not None and word in _ON | _BACK:
            seconds = before.start.value + (length[0] if word in _ON else -length[0])
            return Window("at", TimePoint(max(seconds, 0.0)), None)
    return None


def around_that(scene: Scene) -> Query | None:
    """ "And before that?": the one before in an order, or the time before the moment asked about."""
    small = _OPENERS - ({"next", "then"} if scene.window is None else {"next"})
    texts = [t.text for t in scene.reading.tokens if t.is_word and t.text not in small]
    focus = scene.focus
    if focus is None or scene.things or not 1 <= len(texts) <= 3 or not set(texts) <= _AROUND_THAT:
        return None
    back, query = "before" in texts, focus.query
    rank = query.subject.rank if isinstance(query, ListQuery) else None
    if isinstance(query, ListQuery) and rank is not None and rank.column in {"t_start", "t_end"}:
        if texts[0] in {"first", "last"}:
            return replace(query, subject=replace(query.subject, rank=Rank(rank.column, texts[0] == "last")))
        if rank.descending != back:
            return None
        return replace(query, subject=replace(query.subject, rank=replace(rank, n=rank.n + 1)))
    window = getattr(query, "window", None)
    if not isinstance(window, Window) or not isinstance(query, CountQuery | ExistsQuery | ListQuery | EventsQuery):
        return None
    if not ("that" in texts or (isinstance(query, EventsQuery) and texts == ["then"])):
        return None
    edge = window.start if back or window.kind == "at" else window.end
    if edge is None:
        return None
    return replace(query, window=Window("span", None, edge) if back else Window("span", edge, None))


def changed_event(scene: Scene) -> Query | None:
    """ "And leave?" after "when does it enter?"."""
    focus = scene.focus
    if focus is None or scene.has_subject or scene.form != "none" or not isinstance(focus.query, MomentQuery):
        return None
    codes = set(scene.reading.cues) - _EMPTY_CUES
    spoken = [t for t in scene.reading.tokens if t.is_word and t.text not in _OPENERS]
    codes = codes - {"move"} | {"end"} if spoken and spoken[-1].base == "go" else codes
    if not codes <= {"start", "end", "gone", "return", "first", "last"} or len(spoken) > 3 or not codes:
        return None
    event: Literal["start", "end", "return"]
    event = "return" if "return" in codes else "end" if codes & {"end", "gone", "last"} else "start"
    return replace(focus.query, event=event, subject=replace(focus.subject or focus.query.subject, definite=True))


def _is_fragment(scene: Scene) -> bool:
    """Nothing is asked anew: only noun phrases, times and small words, with or without "what about"."""
    reading = scene.reading
    moved = scene.focus is not None and _moved_window(scene, scene.focus.query) is not None
    back = scene.pronoun is not None and not scene.things and not moved
    if reading.strangers or reading.unsupported or reading.quotes or back:
        return _opens_with_about(scene) and not reading.strangers
    asked = {code for code in reading.cues if code not in _EMPTY_CUES and code not in MEASURES}
    asked -= {"first", "last", "before", "after"} if moved else {"first", "last"}
    if asked or reading.form not in {"none", "what", "how"}:
        return False
    if reading.form in {"what", "how"} and not _opens_with_about(scene):
        return False
    covered = {i for m in reading.mentions for i in range(m.start, m.end)}
    covered |= {i for w in reading.windows for i in range(w.start, w.end)}
    small_words = _OPENERS | (UNITS.keys() | _ON | _BACK | _THAT if moved else frozenset())
    rest = [t.text for i, t in enumerate(reading.tokens) if i not in covered and t.is_word]
    small = all(word in small_words or word in {"fastest", "slowest"} or _is_measure_word(scene, word) for word in rest)
    return small and (_opens_with_about(scene) or not any(m.quantifier == "any" for m in scene.mentions))


def _is_measure_word(scene: Scene, word: str) -> bool:
    return measure_of(scene.reading) is not None or scene.has("first", "last", "visible", "video", "appear") or not word


def _opens_with_about(scene: Scene) -> bool:
    texts = [t.text for t in scene.reading.tokens[:4]]
    if texts[:2] in (["what", "about"], ["how", "about"], ["what", "of"]) or "about" in texts:
        return True
    return "same" in texts[:3] and bool({"for", "with", "goes", "of"} & {t.text for t in scene.reading.tokens[:6]})


def _new_subject(scene: Scene, focus: Focus) -> Selection | None:
    if not scene.things:
        moved = _moved_window(scene, focus.query) is not None
        return scene.pronoun if scene.window is None and scene.pronoun is not None and not moved else None
    subject = scene.things[0]
    old = _subject_of(focus.query)
    plain = subject.rank is not None and subject.rank.column in {"t_start", "t_end"}
    if old is not None and old.rank is not None and subject.rank is None and not subject.numbers:
        return replace(subject, rank=old.rank)
    if plain and old is not None and old.rank is not None:
        return replace(subject, rank=replace(subject.rank, column=old.rank.column))  # type: ignore[type-var]
    return replace(subject, plural=subject.plural or (old is not None and old.plural and not subject.definite))


def _new_rank(scene: Scene) -> Rank | None:
    measure = measure_of(scene.reading)
    if measure is None or scene.things:
        return None
    return Rank(*measure, place_before(scene.reading, SUPERLATIVES))


def _subject_of(query: Query) -> Selection | None:
    subject = getattr(query, "subject", None)
    return subject if isinstance(subject, Selection) else None


def _other_option(query: Query, subject: Selection | None) -> Query | None:
    """ "And the dog?" after "is the car faster than the bird?"."""
    if isinstance(query, CompareQuery) and subject is not None:
        return replace(query, options=(subject, *query.options[1:]))
    return None


def bare(scene: Scene) -> Scene:
    """ "When?", "how long?", "which ones?": a bare question word is about what was just talked of."""
    focus = scene.focus
    if focus is None or focus.subject is None or scene.has_subject or isinstance(focus.query, VideoFactQuery):
        return scene
    if scene.reading.word("who") and scene.has("visible", "appear") and len(scene.reading.tokens) > 2:
        return scene  # "who is there then?" asks for people, not for what was talked of
    form = scene.reading.form
    covered = {i for w in scene.reading.windows for i in range(w.start, w.end)}
    covered |= {i for found in scene.reading.cues.values() for c in found for i in range(c.start, c.end)}
    loose = [t for i, t in enumerate(scene.reading.tokens) if t.is_word and i not in covered]
    by_phrase = (
        form == "none" and bool(scene.reading.cues) and set(scene.reading.cues) <= _ASKED_BY_PHRASE and not loose
    )
    if (form in {"none", "yes_no", "list"} and not by_phrase) or len(loose) > 2 or len(scene.reading.tokens) > 12:
        return scene
    if (
        not set(scene.reading.cues) <= _BARE_CUES
        or not scene.reading.cues
        or set(scene.reading.cues) <= {"what", "how"}
    ):
        return scene
    return replace(scene, pronoun=replace(focus.subject, definite=True))


def among(scene: Scene) -> Query | None:
    """ "Which of them is faster?", "which is the quickest?": a choice among what was talked of."""
    focus, reading = scene.focus, scene.reading
    if focus is None or scene.things or scene.form not in {"which", "what", "none", "list"} or reading.strangers:
        return None
    if reading.has("most_common", "least_common", "peak", "kind", "color", "wear") or reading.sides or reading.colors:
        return None
    edge = reading.word("first", "last", "earliest", "latest", "earlier", "later")
    ordered = (edge or scene.has("first", "last", "before", "after")) and scene.has("start", "end", "appear", "visible")
    measure = measure_of(reading)
    if measure is None and not ordered:
        return None
    if measure is None:
        rank = order_rank(reading, -1 if scene.has("last", "after") or reading.word("last", "latest", "later") else 1)
        measure = (rank.column, rank.descending)
    two = reading.word("two", "both", "either") or any(scene.has(c) for c in COMPARATIVES)
    if len(focus.recent) > 1 and (two or focus.group is None or (focus.subject is not None and focus.subject.keys)):
        count = 2 if two else len(focus.recent)
        if two or focus.group is None:
            return CompareQuery(focus.recent[:count], *measure)
    whole = focus.group or focus.subject
    if whole is None:
        return None
    rank = Rank(*measure, place_before(reading, SUPERLATIVES))
    return ListQuery(replace(whole, rank=rank, plural=False), scene.window)


def next_in_turn(scene: Scene) -> Query | None:
    """ "And the next person?", "and the one after that?": who comes after the one talked of."""
    focus, said = scene.focus, " ".join(t.text for t in scene.reading.tokens if t.is_word)
    turns = scene.reading.word("next") or said.endswith("after that")
    whole = scene.form in {"none", "which", "what"} and len(scene.reading.tokens) <= 8 and scene.window is None
    if focus is None or not turns or not whole or len(scene.things) > 1 or scene.reading.strangers:
        return None
    current, named = focus.subject, scene.things[0] if scene.things else None
    if scene.has("events", "speech", "sound", "text") or (named is not None and named.is_unknown):
        return None
    if current is None or len(current.keys) != 1:
        return Refusal("Say after which one: of several talked of, nobody knows what the next one is.")
    kind = named if named is not None and named.categories else replace(current, keys=(), label=None, numbers=())
    kind = replace(kind, rank=Rank("t_start", False), plural=False, definite=False, keys=())
    behind = Window("span", TimePoint(0.001, "event"), None)
    return ListQuery(kind, behind, "start", anchor=Anchor(current, "start"))


def both_of_them(scene: Scene) -> Query | None:
    """ "How long are they both there?" of the two things talked of: the time they share."""
    focus = scene.focus
    shared = scene.reading.word("both", "together") or scene.has("together")
    if focus is None or scene.things or not shared or scene.form not in {"how_long", "when", "yes_no"}:
        return None
    if len(focus.named) != 2 or not any(m.kind == "pronoun" for m in scene.reading.mentions):
        return None
    if scene.has("start", "end", "return", "speed", "direction", "color", "move", "touch", "near"):
        return None
    return RelationQuery(*focus.named, "together", scene.form)  # type: ignore[arg-type]


def pointing_nowhere(scene: Scene) -> Query | None:
    """ "And that one?", "when does he come?" with nothing talked of that it could mean."""
    reading, focus = scene.reading, scene.focus
    spoken = next((t.text for t in reading.tokens if t.text in _THIRD_PERSON), None)
    about = None if focus is None or focus.subject is None else focus.subject.categories
    somebody = about is not None and (not about or bool(set(about) & _LIVING) or bool(set(about) & set(reading.people)))
    if spoken is not None and not scene.things and not somebody and (focus is None or about is not None):
        return Refusal(f'Say who is meant by "{spoken}": nobody was talked of before.')
    it = next((m.word for m in reading.mentions if m.kind == "pronoun"), None)
    seen = scene.form == "how_long" and reading.word("there", "visible", "seen", "shown", "stay")
    often = scene.form == "count" and reading.word("times", "often")
    if it is not None and scene.pronoun is None and not scene.things and (seen or often) and focus is None:
        return Refusal(f'Say what is meant by "{it}": nothing was talked of before.')
    ones = [m for m in scene.mentions if m.kind == "one"]
    told = [t.text for t in reading.tokens]
    other = None if focus is not None else _the_other(scene)
    if other is not None:
        return Refusal(f"Say which {other} is meant: nothing was talked of before.")
    if focus is not None or not ones or len(scene.things) != len(ones) or reading.form != "none":
        return None
    near = {*told[max(0, ones[0].start - 1) : ones[0].end + 2]}
    plain = not (scene.subject.conditions or scene.subject.rank or scene.subject.numbers)
    return Refusal("Say which one is meant: nothing was talked of before.") if near & _POINTING and plain else None


def _the_other(scene: Scene) -> str | None:
    """ "Does the other car move?", where no car was named that it could be another than."""
    if len(scene.mentions) != 1 or scene.form != "yes_no":
        return None
    mention = scene.mentions[0]
    said = {t.text for t in scene.reading.tokens[mention.start : mention.end]}
    one = mention.kind == "noun" and mention.selection.definite and not mention.selection.plural
    return mention.word if one and "other" in said else None


def with_window_of_them(query: Query, scene: Scene) -> Query:
    """ "How many of them are vans?", "where is the other one then?" are about the same moment."""
    focus = scene.focus
    texts = [t.text for t in scene.reading.tokens]
    of_them = any(a == "of" and b in {"them", "those", "these"} for a, b in pairwise(texts))
    if focus is None or not (of_them or says_same_moment(scene)) or getattr(query, "window", query) is not None:
        return query
    before = getattr(focus.query, "window", None)
    if before is not None:
        return replace(query, window=before, anchor=focus.query.anchor)  # type: ignore[call-arg]
    anchor = _moment_of(focus) if says_same_moment(scene) and query.anchor is None else None
    if anchor is None:
        return query
    return replace(query, window=Window("at", TimePoint(0.0, "event"), None), anchor=anchor)  # type: ignore[call-arg]


def says_same_moment(scene: Scene) -> bool:
    """ "At that moment", "... then?", after something that has a moment."""
    texts = [t.text for t in scene.reading.tokens]
    said = " ".join(t for t in texts if t.isalpha())
    pointed = texts[-1:] == ["then"] or texts[-2:-1] == ["then"] or any(p in said for p in _SAME_MOMENT)
    focus = scene.focus
    known = focus is not None and (getattr(focus.query, "window", None) is not None or _moment_of(focus) is not None)
    return pointed and known


def _moment_of(focus: Focus) -> Anchor | None:
    """The moment of the one thing talked of: when it left, where that was asked, else when it came."""
    if focus.subject is None or not focus.subject.keys:
        return None
    late = isinstance(focus.query, MomentQuery) and focus.query.event == "end"
    return Anchor(focus.subject, "end" if late else "start")


def carried(query: Query, scene: Scene) -> Query:
    """A query about what was talked of stays in the videos that were talked of."""
    focus = scene.focus
    if focus is not None and scene.reading.videos is None and focus.query.videos is not None and query.videos is None:
        return replace(query, videos=focus.query.videos)
    return query
