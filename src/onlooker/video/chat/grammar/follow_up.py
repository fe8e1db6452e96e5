"""Questions that lean on the one before: "and the car?", "how about at 5 seconds?", "when?", "why?"."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise

from onlooker.video.chat.grammar.context import Focus, Scene
from onlooker.video.chat.grammar.subjects import COMPARATIVES, MEASURES, measure_of, order_rank
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import (
    BoxQuery,
    CompareQuery,
    ListQuery,
    PathQuery,
    Query,
    Rank,
    Selection,
    VideoFactQuery,
    Window,
)

# Cues that do not make a question of their own.
_EMPTY_CUES = frozenset({"visible", "what", "how", "video", "filler", "all", "total", "appear", "not", "list"})
# Cues a bare question about the last subject may hold.
_BARE_CUES = words(
    "until_when gone return color speed direction visible what how appear start end how_long when where "
    "which count path  size look move travel_far where_place wear peak first last"
)
_OPENERS = words("and or what about how same for now but also then of in on at the a an instead it them one ones to")


def elliptic(scene: Scene) -> Query | None:
    """The last query with the parts that the new words replace; None when the question stands by itself."""
    focus = scene.focus
    if focus is None or not _is_fragment(scene):
        return None
    query = focus.query
    names = {f.name for f in fields(query)}
    changes: dict[str, object] = {}
    if scene.window is not None and "window" in names:
        changes["window"] = scene.window
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


def _is_fragment(scene: Scene) -> bool:
    """Nothing is asked anew: only noun phrases, times and small words, with or without "what about"."""
    reading = scene.reading
    if reading.strangers or reading.unsupported or reading.quotes or (scene.pronoun is not None and not scene.things):
        return _opens_with_about(scene) and not reading.strangers
    asked = {code for code in reading.cues if code not in _EMPTY_CUES and code not in MEASURES}
    asked -= {"first", "last"}
    if asked or reading.form not in {"none", "what", "how"}:
        return False
    if reading.form in {"what", "how"} and not _opens_with_about(scene):
        return False
    covered = {i for m in reading.mentions for i in range(m.start, m.end)}
    covered |= {i for w in reading.windows for i in range(w.start, w.end)}
    rest = [t.text for i, t in enumerate(reading.tokens) if i not in covered and t.is_word]
    small = all(word in _OPENERS or word in {"fastest", "slowest"} or _is_measure_word(scene, word) for word in rest)
    return small and not any(m.quantifier == "any" for m in scene.mentions)


def _is_measure_word(scene: Scene, word: str) -> bool:
    return measure_of(scene.reading) is not None or scene.has("first", "last", "visible", "video", "appear") or not word


def _opens_with_about(scene: Scene) -> bool:
    texts = [t.text for t in scene.reading.tokens[:4]]
    return texts[:2] in (["what", "about"], ["how", "about"], ["what", "of"], ["same", "for"]) or "about" in texts


def _new_subject(scene: Scene, focus: Focus) -> Selection | None:
    if not scene.things:
        return scene.pronoun if scene.window is None and scene.pronoun is not None else None
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
    return Rank(*measure) if measure is not None and not scene.things else None


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
    form = scene.reading.form
    spoken = [t for t in scene.reading.tokens if t.is_word]
    covered = {i for w in scene.reading.windows for i in range(w.start, w.end)}
    if form in {"none", "yes_no", "list"} or len(spoken) - len(covered) > 4:
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
    if reading.has("most_common", "least_common", "peak", "kind") or reading.sides or reading.colors:
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
    return ListQuery(replace(whole, rank=Rank(*measure), plural=False), scene.window)


def with_window_of_them(query: Query, scene: Scene) -> Query:
    """ "How many of them are vans?" is about the same moment."""
    focus, reading = scene.focus, scene.reading
    texts = [t.text for t in reading.tokens]
    of_them = any(a == "of" and b in {"them", "those", "these"} for a, b in pairwise(texts))
    before = getattr(focus.query, "window", None) if focus is not None else None
    if not of_them or before is None or getattr(query, "window", before) is not None:
        return query
    return replace(query, window=before)  # type: ignore[call-arg]


def carried(query: Query, scene: Scene) -> Query:
    """A query about what was talked of stays in the videos that were talked of."""
    focus = scene.focus
    if focus is not None and scene.reading.videos is None and focus.query.videos is not None and query.videos is None:
        return replace(query, videos=focus.query.videos)
    return query
