"""Unknown words that name no thing one could see: "does the shop close?", "can I trust it?", "is it smoother?".

Of a thing that nothing in the library is called it is true to say that none was found. Of a verb or a comparative it is
not even wrong, so nothing is claimed.
"""

from __future__ import annotations

from itertools import pairwise

from onlooker.video.chat.grammar.absence import EMPTY
from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.media import EXAMPLES
from onlooker.video.chat.grammar.mentions import Mention
from onlooker.video.chat.grammar.nouns import is_plural
from onlooker.video.chat.grammar.tokens import Token
from onlooker.video.chat.grammar.verbs import BASE_FORMS
from onlooker.video.chat.grammar.words import DEMONSTRATIVES, words
from onlooker.video.chat.query import Query, Refusal

_SUBJECTS = words("i we you he she they it who")
_HELPERS = words("can could will would shall should may might must cannot")
# Behind these stands a verb, whatever it is: "can", "to", "let's".
_BEFORE_VERBS = _HELPERS | words("to not please ever")
_PARTICLES = words("in out on off up down over around back away")
_LINKS = words("at in on after before during between until till since from while when for with by than or and as")
# Topics with rules of their own for the words that stand beside them.
_TOPICS = ("speech", "text", "sound", "silent", "loud", "summary", "help", "tag")


def no_thing(scene: Scene) -> Query | None:
    """The refusal of a question whose unknown noun is none; None where it is one or nothing is unknown."""
    if not scene.things or not scene.subject.is_unknown or scene.has(*_TOPICS) or scene.reading.quotes:
        return None
    unknown = (m for m, t in zip(scene.mentions, scene.things, strict=True) if t == scene.subject)
    mention = next((m for m in unknown if m.kind == "unknown" and not m.selection.numbers), None)
    if mention is None or set(mention.word.split()) & EMPTY or not _is_no_noun(scene, mention):
        return None
    said = scene.reading.tokens[mention.end - 1].text
    return Refusal(f'Nothing is stored about "{said}". {EXAMPLES}')


def _is_no_noun(scene: Scene, mention: Mention) -> bool:
    tokens = scene.reading.tokens
    before = tokens[mention.start - 1] if mention.start else None
    behind = tokens[mention.end] if mention.end < len(tokens) else None
    compared = behind is not None and behind.text == "than" and tokens[mention.end - 1].text.endswith("er")
    if compared and (before is None or before.base in {"be", "get", "become"} or before.text in DEMONSTRATIVES):
        return True  # "is this smoother than before?"
    if mention.start == 0 and tokens[0].text in BASE_FORMS and behind is not None and behind.text in _PARTICLES:
        return True  # "zoom in"
    articled = mention.quantifier is not None or mention.selection.definite
    if before is not None and before.text in _BEFORE_VERBS and not articled:
        return before.text not in _HELPERS or _closes(scene, mention)  # not "can foxes be seen?"
    asked = mention.start > 1 and tokens[mention.start - 2].base == "be"
    single = not articled and not is_plural(tokens[mention.end - 1].text)
    if before is not None and before.text in _SUBJECTS | DEMONSTRATIVES and single:
        return before.text in _SUBJECTS or (asked and _closes(scene, mention))  # "when do they close?", "is this live?"
    return _is_verb_of_its_question(scene, mention) or _is_behind_plural(scene, mention)


def _is_verb_of_its_question(scene: Scene, mention: Mention) -> bool:
    """ "Does the shop close at 9?": a question with "does" whose only verb can be the last of the unknown words."""
    tokens = scene.reading.tokens
    helper = next((i for i in range(mention.start) if _helps(tokens, i)), None)
    behind = tokens[mention.end].text if mention.end < len(tokens) else ""
    moved = tokens[mention.end - 1].text in BASE_FORMS and behind in _PARTICLES  # "did he turn around?"
    if helper is None or not (_closes(scene, mention) or moved):
        return False
    between = tokens[helper + 1 : mention.start]
    named = {i for m in scene.reading.mentions if m is not mention for i in range(m.start, m.end)}
    verbs = (t for i, t in enumerate(between, helper + 1) if i not in named and t.text in BASE_FORMS)
    return next(verbs, None) is None


def _helps(tokens: tuple[Token, ...], i: int) -> bool:
    """ "Do", "does", "did" and their like, where they open a question or stand behind its question word."""
    return tokens[i].base == "do" or tokens[i].text in _HELPERS


def _closes(scene: Scene, mention: Mention) -> bool:
    """Whether nothing but a time or a link to something else stands behind the words."""
    tokens = scene.reading.tokens
    timed = any(w.start <= mention.end < w.end for w in scene.reading.windows)
    last = mention.end >= len(tokens) or tokens[mention.end].kind == "mark"
    return last or timed or tokens[mention.end].text in _LINKS


def _is_behind_plural(scene: Scene, mention: Mention) -> bool:
    """ "How many foxes bark?": a word behind a plural says what they do."""
    if scene.form != "count" or not _closes(scene, mention):
        return False
    said = [t.text for t in scene.reading.tokens[mention.start : mention.end]]
    return any(is_plural(a) and not is_plural(b) for a, b in pairwise(said))
