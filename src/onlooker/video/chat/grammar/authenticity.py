"""Rules for what looks manipulated: which faces look fake after 00:40, is person 3 real, how many, when, how likely."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from onlooker.video.chat.grammar.acting import ASKING_ONCE
from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.subjects import measure_of
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import AuthenticityAsk, AuthenticityQuery, Query, Refusal, Selection

EXAMPLES = (
    "Ask for example: Which faces look manipulated after 0:40? Is the face of person 3 fake? When does it look fake? "
    "Which face is the most suspicious?"
)
_ASKS: Mapping[str, AuthenticityAsk] = {
    "count": "count", "when": "when", "yes_no": "yes_no", "which": "who", "list": "who", "none": "who", "what": "who",
    "where": "where", "how": "probability",
}  # fmt: skip
# What a question may not ask beside it: its answer would leave one of the two out.
_BESIDE = words(
    "touch near nearest together pass follow above below speech text sound return gone end peak most_common "
    "least_common approach recede stationary in_motion move path speed direction kind more fewer equal difference "
    "other_than order wear distance farthest_apart until_when mean"
)
_MOMENTS = words("moment moments part parts frame frames second seconds segment segments section sections time times")
_VIDEOS = words("videos clips recordings movies films files")
_COMING = words("enter arrive come emerge")
_AGAIN_CUES = words("when where which count what first last how all")


def judged(scene: Scene) -> Query | None:
    """The query of a question about authenticity; a refusal where it asks for more than that."""
    doubt = scene.reading.suspicion
    if doubt is None:
        return _again(scene)
    subject = _subject(scene)
    part = _left_out(scene)
    if part is not None or subject is None:
        part = part or scene.specific[1].noun
        return Refusal(f'"{part}" cannot be answered together with what looks manipulated. {EXAMPLES}')
    return AuthenticityQuery(
        subject,
        said=doubt.said,
        ask=_ask(scene),
        genuine=doubt.genuine,
        quantifier=scene.quantifier,
        pick="highest" if doubt.most else "last" if scene.has("last") else "first",
        whole=not scene.has_subject and scene.form in {"yes_no", "how", "none"} and scene.has("video"),
        window=scene.window,
    )


def _again(scene: Scene) -> Query | None:
    """ "When?", "how many?", "where?" after such a question."""
    focus = scene.focus
    if focus is None or not isinstance(focus.query, AuthenticityQuery) or scene.pronoun is None or scene.things:
        return None
    reading = scene.reading
    if reading.mentions or reading.strangers or reading.unsupported or not set(reading.cues) <= _AGAIN_CUES:
        return None
    if scene.form not in {"when", "where", "count", "which"}:
        return None
    before = focus.query
    window = scene.window or before.window
    return replace(before, subject=scene.pronoun, ask=_ASKS[scene.form], window=window, genuine=False)


def _ask(scene: Scene) -> AuthenticityAsk:
    doubt, tokens = scene.reading.suspicion, scene.reading.tokens
    for before, token in pairwise(tokens):
        if before.text in {"which", "what"} and token.text in _MOMENTS:
            return "when"
        if before.text in {"which", "what", "many"} and token.text in _VIDEOS:
            return "videos"
    if doubt is not None and doubt.measured and scene.form not in {"which", "list"}:
        return "probability"
    if doubt is not None and (doubt.most or doubt.measured) and scene.form not in {"count", "when", "where", "yes_no"}:
        return "most"
    said_of_one = scene.form == "none" and bool(scene.subject.numbers or scene.subject.label)
    return "yes_no" if said_of_one else _ASKS[scene.form]


def _subject(scene: Scene) -> Selection | None:
    """What is asked about; `None` for two kinds of things at once."""
    specific = scene.specific
    named = [s for s in specific[1:] if s.numbers or s.label or s.keys or s.definite]
    if specific and not named and all(s.categories == specific[0].categories for s in specific[1:]):
        specific = specific[:1]  # "is person 3 an authentic person?"
    if len(specific) > 1:
        first = specific[0]
        if any(s.categories != first.categories or not s.numbers for s in specific):
            return None
        numbers = tuple(dict.fromkeys(n for s in specific for n in s.numbers))
        return replace(first, numbers=numbers, plural=len(numbers) > 1)
    return scene.narrowed()


def _left_out(scene: Scene) -> str | None:
    """A part of the question that the answer would leave out; `None` where there is none."""
    reading = scene.reading
    if scene.form not in _ASKS or (scene.form == "how" and not (reading.suspicion and reading.suspicion.measured)):
        return scene.form.replace("_", " ")
    stray = (*reading.strangers, *reading.unsupported, *(a for t in scene.things for a in t.adjectives))
    if stray:
        return stray[0]
    if reading.deeds:
        return reading.deeds[0].said
    if reading.suspicion is not None and reading.suspicion.genuine and scene.quantifier == "none":
        return "no"
    if any(m.amount is not None for m in scene.mentions):
        return "a number of things"
    for code in sorted(_BESIDE & set(reading.cues)):
        cue = reading.cues[code][0]
        return " ".join(t.text for t in reading.tokens[cue.start : cue.end])
    if measure_of(reading) is not None:
        return "a comparison"
    coming = next((t.text for t in reading.tokens if t.base in _COMING), None)
    return coming or _negation(scene) or _two_questions(scene)


def _negation(scene: Scene) -> str | None:
    """ "Who does not look fake?"; "isn't he fake?" only asks."""
    asks = {1} if scene.form == "yes_no" else set()
    cues = scene.reading.cues.get("not", ())
    return next(("not" for cue in cues if cue.start not in asks and scene.quantifier != "none"), None)


def _two_questions(scene: Scene) -> str | None:
    asked = [code for code in ASKING_ONCE if code in scene.reading.cues]
    linked = scene.reading.word("and", "&", ",")
    return asked[1].replace("_", " ") if len(asked) > 1 and linked else None
