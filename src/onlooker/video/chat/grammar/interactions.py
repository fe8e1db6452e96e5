"""What things do to each other that boxes do not show: hitting, putting down, picking up, going into a house, winning.

Boxes tell when two things overlap in the picture and when each comes and goes; more would be a guess.
"""

from __future__ import annotations

import re

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import Query, Refusal

_HITTING = words(
    "hit hits hitting struck strikes crash crashes crashed crashing collide collides collided colliding collision bump "
    "bumps bumped bumping knock knocks knocked knocking ram rams rammed ramming smash smashes smashed"
)
_RUN_OVER = re.compile(
    r"\b(?:runs?|ran|running) over(?: by)? (?!(?:the |a )?(?:road|street|grass|field|lawn|bridge|hill|ground)\b)"
    r"|\b(?:drives?|drove|driving|runs?|ran|running) into (?:a|an|any\w*|some\w*|the|another|him|her)\b"
)
_ONTO_PICTURE = re.compile(r"\binto (?:the )?(?:view|sight|frame|scene|picture|shot|video|screen|image|clip)\b")
_CLOCK_IS_HIT = re.compile(
    r"\b(?:video|clip|film|footage|recording|clock|timer|it|we|you) hits?\b"
    r"|\bhits? (?:the )?[\w.-]+(?:[ -]\w+)? mark\b"
)
_IDLING = re.compile(r"\bknock(?:s|ed|ing)? (?:about|around|off)\b")
# "Did anyone leave a bag?", "what was left behind?", "when was it put down?", "who took the backpack?"
_HANDLING = re.compile(
    r"\b(?:left|leave|leaves|leaving)(?: \w+){0,3} behind\b|\b(?:put|puts|putting|set|lay|laid)(?: \w+){0,3} down\b"
    r"|\b(?:pick|picks|picked|picking)(?: (?:the|a|it|his|her|my)(?: \w+)?)? up\b(?! (?:by|on) (?:the |a )?camera)"
    r"|\b(?:drop|drops|dropped|dropping) (?:the|a|an|his|her|their|it|something|anything|any|some)\b"
    r"|\b(?:took|takes|taken|grab|grabs|grabbed|forgot|forgets|forgotten|abandon\w*|unload\w*|deliver\w*)\b"
)
_TAKING_TIME = re.compile(
    r"\b(?:take|takes|took|taken) (?:place|part|long|how|off|up)\b"
    r"|\bhow (?:long|much time|many \w+)\b.*\b(?:take|takes|took|taken)\b"
)
_PHOTOGRAPHED = words("picture pictures photo photos shot image footage video")
_LEAVING = words("leave leaves left leaving")
_OWNED = words("a an any some his her their something anything my")
_INSIDE = re.compile(
    r"\b(?:enter|enters|entered|entering|inside|into|(?:went|go|goes|going|came|come|comes|walk\w*) in(?:to)?)"
    r" (?:a|an|the|any|another|his|her) ((?:\w+ )?(?:building|house|home|garage|office|bank|church|hotel|elevator|lift"
    r"|kitchen|bathroom|toilet|tunnel|tent|cave|nest|pool))\b"
)
_RACE = re.compile(r"\b(?:win|wins|won|winning|winner)\b")
_HYPOTHETICAL = words("would could might speed speedwise pace fastest faster terms")


def unseen(scene: Scene) -> Query | None:
    """The refusal of such a question, None for all others."""
    if scene.reading.deeds or scene.reading.quotes or scene.has("speech", "text"):
        return None
    for rule in (_hits, _handles, _goes_inside, _owns, _wins):
        reason = rule(scene)
        if reason is not None:
            return Refusal(reason)
    return None


def _hits(scene: Scene) -> str | None:
    said = scene.reading.question.lower()
    ran = _RUN_OVER.search(said) is not None and _ONTO_PICTURE.search(said) is None
    if not (scene.reading.word(*_HITTING) or ran) or _CLOCK_IS_HIT.search(said) or _IDLING.search(said):
        return None
    return (
        "Whether one thing hits another is not stored, only whether their boxes overlap in the picture, which things "
        "far apart do, too. Ask for example: does car 1 overlap person 2, and when?"
    )


def _handles(scene: Scene) -> str | None:
    """Somebody puts, takes, drops or leaves a thing: "leave the frame" is no such thing, "leave a bag" is."""
    said = scene.reading.question.lower()
    tokens = scene.reading.tokens
    starts = {m.start: m for m in scene.reading.mentions if m.kind in {"noun", "unknown"}}
    left = any(
        token.text in _LEAVING and i + 1 in starts and tokens[i + 1].text in _OWNED for i, token in enumerate(tokens)
    )
    handled = _HANDLING.search(said) is not None and not _TAKING_TIME.search(said)
    if not (left or handled) or scene.reading.word(*_PHOTOGRAPHED):
        return None
    return (
        "Who puts down, picks up, takes or leaves a thing is not stored, only when each thing is seen first and last. "
        "Ask for example: when does the backpack appear?"
    )


def _goes_inside(scene: Scene) -> str | None:
    found = _INSIDE.search(scene.reading.question.lower())
    if found is None:
        return None
    told = "is not stored, only when it comes into the picture and leaves it."
    return f"Whether anything goes into a {found.group(1)} {told}"


def _owns(scene: Scene) -> str | None:
    """ "Whose car is the red one?"; "whose entry comes first" asks which one."""
    starts = {m.start for m in scene.reading.mentions if m.selection.categories and not m.selection.numbers}
    owned = any(t.text == "whose" and i + 1 in starts for i, t in enumerate(scene.reading.tokens))
    return "Whose a thing is is not stored, only when and where it is seen." if owned else None


def _wins(scene: Scene) -> str | None:
    if not _RACE.search(scene.reading.question.lower()) or scene.reading.word(*_HYPOTHETICAL):
        return None
    if scene.reading.has("longest", "largest", "slowest", "shortest", "smallest", "farthest"):
        return None
    return "Who wins is not stored: where a race ends is not known. Ask who is the fastest, or who leaves first."
