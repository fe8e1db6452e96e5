"""Parts of things ("how many wheels?", "any faces?"): only whole things are followed, so nothing was looked for."""

from __future__ import annotations

import re

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.nouns import singular
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import Query, Refusal

# Of vehicles, buildings, bodies, plants and clothes; a library in which one of them is a category finds that.
_PARTS = words(
    "wheel tyre tire door window windscreen windshield headlight taillight lamp light mirror bumper bonnet hood boot "
    "trunk roof engine exhaust seat handlebar pedal spoke chain brake mudguard fender axle plate numberplate licence "
    "license aerial antenna wiper sunroof "
    "wall floor ceiling stair step shelf counter handle lock hinge chimney brick tile pillar "
    "leg arm hand finger thumb foot toe knee elbow shoulder neck head face eye eyebrow ear nose mouth lip tooth tongue "
    "chin cheek beard moustache hair skin belly chest back hip wrist ankle nail "
    "tail paw claw hoof horn antler wing feather beak fur whisker snout mane fin scale shell collar "
    "leaf branch root petal stem thorn bark "
    "pocket sleeve button zip zipper shoelace lace buckle strap hem stripe logo pattern "
    "part component piece side corner edge"
)


_NUMBERED = re.compile(
    r"\b(?:plate|licen[cs]e|registration|phone|telephone|house|serial|flight|route|room|jersey|shirt|model|door|seat"
    r"|ticket|account|badge|bus(?! \w+ \d)) (?:number|num|nr)s?\b|\bnumber ?plates?\b"
)
_ASKED = frozenset({"count", "yes_no", "which", "list", "none", "when", "how_long", "where"})


def of_things(scene: Scene) -> Query | None:
    """The refusal of a question whose subject is such a part, None for all others."""
    subject = scene.subject
    numbered = _NUMBERED.search(scene.reading.question.lower())
    if numbered is not None and not scene.has("text", "speech"):
        return Refusal(f'No "{numbered.group()}" is stored, only what is read on screen. Ask what is written.')
    if not scene.things or not subject.is_unknown or scene.form not in _ASKED or scene.has("text", "speech", "sound"):
        return None
    head = singular(subject.noun.split()[-1])
    if head not in _PARTS or subject.numbers:
        return None
    return Refusal(
        f'Whole things are followed, not their parts, so nothing is known of any "{subject.noun}". '
        "Ask about the things themselves."
    )
