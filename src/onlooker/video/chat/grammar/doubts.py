"""Questions that other rules would misread: other languages, impossible moments, parts of things, shares, edges."""

from __future__ import annotations

import re

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.reading import Reading
from onlooker.video.chat.grammar.words import WATCHERS, words
from onlooker.video.chat.query import DurationQuery, EdgeQuery, Query, Refusal

# Question words and little words of German, Spanish, French, Italian, Portuguese and Dutch that English has not.
_FOREIGN = words(
    "wie wieviele wieviel viele wann welche welcher welches welchen gibt sieht zeigt ist sind und nicht ein eine einen "
    "der dem den das auf mit lange wo wer hoeveel welke wanneer waar zijn er een het cuantos cuantas cuántos cuántas "
    "cuando cuándo donde dónde quien quién cual cuál hay coches personas está esta están el los las una del qué "
    "combien quand où qui quel quelle quels quelles sont est les des une voitures personnes dans vidéo y-a-t-il "
    "quante quanti quando dove sono macchine persone quantos quantas onde quem há pessoas são"
)
_ENGLISH = words(
    "the is are was were be what which who how many much when where does do did of at there has have can in first last"
)
_IMPOSSIBLE = re.compile(r"\d+e[+-]?\d+|(?<![\w.)-])(?<!\d )-\d|\bminus \d|\bnegative \d")
_DENIED = re.compile(r"\b(?:false|untrue|wrong|incorrect|a lie|a mistake) (?:that|to (?:say|claim|think))\b")
_NO_PARTS = words("gap gaps absence absences frame frames second seconds box boxes time times detection detections id")
_SHARE_WORDS = words("percentage percent share fraction proportion")
_OF_VIDEO = words("video clip footage film movie recording time duration length visible seen present appear screen")
_EDGE_NOUNS = words("edge edges border side boundary margin")
_EDGE_SIDES = {"left": "left", "right": "right", "top": "top", "bottom": "bottom", "upper": "top", "lower": "bottom"}

_STOPPING = words("stop halt pause")
_ABOUT_THE_VIDEO = words("video clip film movie footage playback recording here there being appearing")

_OPINION = re.compile(
    r"\b(?:do|would|can|did) (?:you|we|one|i) (?:think|say|make|feel|guess) (?:about|of)\b|\byour opinion\b"
)
_OFTEN_TOGETHER = re.compile(
    r"\bhow (?:often|frequently|many times)\b.*"
    r"(?:(?<!all )\btogether\b|\bat (?:the same|one) time\b|\bat once\b|\bsimultaneous)"
)
# "Was the dog lost?" is not whether it left; "lost from view" and "lost sight of" are.
_LOST = re.compile(
    r"\b(?:is|are|was|were|be|been|being|get|gets|got|look|looks|looked|seems?|appears?)\b(?: \w+){0,4}? lost\b"
    r"(?! (?:from|out of|to) (?:view|sight|the view)| (?:sight|track) of| by the track)"
)


def doubtful(scene: Scene) -> Query | None:
    """A refusal or the right query for a question of these kinds, None for all others."""
    for rule in (_opinion, _lost, _gender, _foreign, _impossible, _denied, _parts, _share, _edge, _how_often, _stops):
        query = rule(scene)
        if query is not None:
            return query
    return None


def _opinion(scene: Scene) -> Query | None:
    """ "What do you think of person 2?"."""
    if scene.form in {"what", "how", "none"} and _OPINION.search(scene.reading.question.lower()):
        return Refusal("There are no opinions here, only what is seen and heard, where and when. Ask what happens.")
    return None


def _lost(scene: Scene) -> Query | None:
    if scene.has_subject and _LOST.search(scene.reading.question.lower()):
        return Refusal(
            'Whether anybody or anything is "lost" is not stored, only when it is seen first and last and when it is '
            "out of sight in between. Ask for example: how long is the dog out of sight?"
        )
    return None


def _gender(scene: Scene) -> Query | None:
    """ "Is person 3 a man or a woman?": both are stored as persons."""
    told = [t.caveat for t in scene.things if t.caveat]
    if told and scene.form in {"yes_no", "which", "what"} and (len(told) > 1 or len(scene.things) > 1):
        return Refusal(told[0])
    return None


def _foreign(scene: Scene) -> Query | None:
    said = re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", scene.reading.question.lower())
    strange = sum(word in _FOREIGN for word in said)
    if strange and strange * 3 >= len(said) and not any(word in _ENGLISH for word in said):
        return Refusal("Questions are understood in English only. Ask for example: How many cars are there?")
    return None


def _impossible(scene: Scene) -> Query | None:
    """Negative times and numbers with exponents."""
    if _IMPOSSIBLE.search(scene.reading.question.lower()):
        return Refusal("That is not a moment of a video: times are seconds from 0 to its end, like 3.5 s or 1:05.")
    return None


def _denied(scene: Scene) -> Query | None:
    """ "Is it false that a car appears?": the answer to the statement would be the wrong way round."""
    if _DENIED.search(scene.reading.question.lower()):
        return Refusal("Whether a statement is false is not answered. Ask whether it is true, like: Is there a car?")
    return None


def _parts(scene: Scene) -> Query | None:
    """ "How many wheels does the car have?": what belongs to a thing is not stored."""
    reading = scene.reading
    if "count" not in reading.cues or not scene.things:
        return None
    counted = reading.cues["count"][0].end
    helper = next((i for i, t in enumerate(reading.tokens) if i > counted and t.base in {"do", "have"}), None)
    owning = helper is not None and any(t.base in {"have", "own", "possess"} for t in reading.tokens[helper:])
    if helper is None or not owning or any(t.text in _NO_PARTS for t in reading.tokens[counted:helper]):
        return None
    later = [t for m, t in zip(scene.mentions, scene.things, strict=True) if m.start > helper]
    owner = next((t for t in later if not t.is_unknown and (t.categories is not None or t.numbers)), None)
    if owner is None or reading.tokens[helper].base == "have":
        return None
    part = " ".join(t.text for t in reading.tokens[counted:helper] if t.is_word)
    return Refusal(f'What belongs to a thing is not stored, so its "{part}" cannot be counted.')


def _share(scene: Scene) -> Query | None:
    """ "What percentage of the video is the car visible?"."""
    reading = scene.reading
    said = [i for i, t in enumerate(reading.tokens) if t.text in _SHARE_WORDS]
    said = [i for i in said if i + 1 < len(reading.tokens) and reading.tokens[i + 1].text == "of"]
    if not said:
        return None
    behind = {t.text for t in reading.tokens[said[0] + 1 : said[0] + 5]}
    if not behind & _OF_VIDEO or scene.window is not None or not scene.has_subject or scene.has("stationary", "move"):
        return Refusal("Of shares only one is known: the percentage of a video during which something is visible.")
    return DurationQuery(scene.narrowed(), "share")


def _edge(scene: Scene) -> Query | None:
    """ "Which person is nearest to the left edge at 2 seconds?", "who is leftmost at 3 s?"."""
    reading = scene.reading
    if scene.form not in {"which", "what", "list", "none"} or len(scene.specific) > 1:
        return None
    side = None
    for code in ("leftmost", "rightmost", "topmost", "bottommost"):
        if scene.has(code) and code in {t.text for t in reading.tokens}:
            side = code.removesuffix("most")
    near = reading.word("nearest", "closest", "near", "close")
    for i, token in enumerate(reading.tokens[:-1]):
        if near and token.text in _EDGE_SIDES and reading.tokens[i + 1].text in _EDGE_NOUNS:
            side = _EDGE_SIDES[token.text]
    if near and side is None:
        side = _side_alone(reading)
    if side is None:
        return None
    if scene.window is None or scene.window.kind != "at":
        return Refusal("What is nearest to an edge changes with time. Add a moment, like: at 2 s.")
    return EdgeQuery(scene.subject, side, scene.window)  # type: ignore[arg-type]


def _side_alone(reading: Reading) -> str | None:
    """ "Closest to the bottom", "nearest to the right at 2 s": a side with no noun of its own."""
    said = [t.text for t in reading.tokens]
    for i, word in enumerate(said):
        closes = i + 1 == len(said) or reading.tokens[i + 1].kind == "mark" or said[i + 1] in {"at", "of", "in"}
        owner = {"frame", "picture", "image", "screen", "view"} & set(said[i + 1 : i + 4])
        if (
            word in _EDGE_SIDES
            and said[i - 2 : i] == ["to", "the"]
            and closes
            and (said[i + 1 : i + 2] != ["of"] or owner)
        ):
            return _EDGE_SIDES[word]
    return None


def _how_often(scene: Scene) -> Query | None:
    """ "How often does the car stop?": changes of motion are not stored."""
    if _OFTEN_TOGETHER.search(scene.reading.question.lower()):
        return Refusal("How often things are visible together is not stored, only when they first are and how long.")
    counted = scene.has("count") and scene.reading.word("often", "times")
    kinds = scene.has("most_common", "least_common", "return", "gone", "end", "start", "appear", "visible")
    if counted and scene.has("stationary", "in_motion", "move", "touch", "near") and not kinds:
        return Refusal("How often something moves, stops or meets another thing is not stored.")
    return None


def _stops(scene: Scene) -> Query | None:
    """ "Does the car stop?", "when did it stop?": something that happens at a moment, where only a whole is stored."""
    tokens = scene.reading.tokens
    named = {i for mention in scene.mentions for i in range(mention.start, mention.end)}
    if not scene.has_subject or scene.reading.has("gone", "end", "text", "speech") or scene.reading.quotes:
        return None
    for cue in scene.reading.cues.get("stationary", ()):
        i = cue.start
        if tokens[i].base not in _STOPPING or i in named:
            continue
        before = {t.base for t in tokens[:i]}
        passive = (i > 0 and tokens[i - 1].base == "be") or ("be" in before and not before & {"do", "have"})
        is_state = tokens[i].text.endswith("ed") and (passive or i + 1 in named)
        following = {t.text for t in tokens[i + 1 : i + 3]}
        if not (is_state or following & _ABOUT_THE_VIDEO or before & WATCHERS):
            return Refusal(
                "Whether something stops at some moment is not stored as such, only whether it stays where it is all "
                "the time it is visible. Ask for example: is it stationary? Or: what path does it take?"
            )
    return None
