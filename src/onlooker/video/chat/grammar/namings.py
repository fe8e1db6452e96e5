"""Names that say more than the noun in them: "a car park" is no car, "the boss" is nobody that pictures know."""

from __future__ import annotations

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.mentions import Mention
from onlooker.video.chat.grammar.nouns import HYPERNYMS, is_plural, kind_names
from onlooker.video.chat.grammar.words import FUNCTION_WORDS, words
from onlooker.video.chat.query import Query, Refusal

# Behind a noun they name another thing: "a bus stop", "a dog show". Some are verbs, too.
_HEADS = words(
    "park parks show shows sign signs picture pictures photo photos corner corners frame frames place places area "
    "areas top coat coats jacket jackets entrance entrances exit exits view stop stops race races number numbers line "
    "lines lane lanes"
)
_VERBS = words("park show exit stop race")
_ARTICLES = words("a an any no some another one")
_HELPING = words("do can will would could should may might must let to")
_SEEING = words("see watch notice spot hear catch observe")
_SAID_OF_ONE = words("a an the my your his her their our")
_NO_ROLES = words(
    "lot bit little while whole entire full only one ones first last main very other such way most least kind sort type"
)
_PEOPLE = frozenset({*HYPERNYMS["person"], *HYPERNYMS["rider"]})


def more_than_a_noun(scene: Scene) -> Query | None:
    """The refusal of a question about such a thing, None for all others."""
    for mention in scene.mentions:
        head = _head_behind(scene, mention)
        if head is not None:
            return Refusal(f'Nothing is stored about "{mention.word} {head}", only about {mention.selection.noun}s.')
    return _role(scene)


def _head_behind(scene: Scene, mention: Mention) -> str | None:
    """The noun right behind one in the singular, where no verb can stand: "is there a car park?"."""
    tokens, selection = scene.reading.tokens, mention.selection
    named = mention.kind == "noun" and selection.categories and not mention.possessive
    if not named or mention.end >= len(tokens) or is_plural(tokens[mention.end - 1].text):
        return None
    head, opening = tokens[mention.end].text, tokens[mention.start].text
    before = tokens[mention.start - 1].base if mention.start else ""
    behind = tokens[mention.end + 1].text if mention.end + 1 < len(tokens) else ""
    if head not in _HEADS or before in _HELPING or behind in _SAID_OF_ONE | {"up", "left", "right"}:
        return None
    said = {t.base for t in tokens[: mention.start]}
    several = is_plural(head) and (scene.form == "count" or bool(said & {"be", "any"}))
    opened = opening in _ARTICLES or several or (opening == "the" and before == "be")
    return head if opened and not (head in _VERBS and said & _SEEING) else None


def _role(scene: Scene) -> Query | None:
    """ "Is person 2 the shop assistant?", "is he a thief?": what somebody is to others, and kinds never looked for."""
    if scene.form != "yes_no" or not scene.reading.mentions:
        return None
    first, tokens = scene.reading.mentions[0], scene.reading.tokens
    if first.kind == "unknown" and first.start == 1 and tokens[1].text in {"that", "this"}:
        ends = first.end >= len(tokens) or tokens[first.end].kind == "mark"
        return _not_stored(first.selection.noun) if tokens[0].base == "be" and ends else None  # "is that legal?"
    told = first.end < len(tokens) and first.start and tokens[first.start - 1].base == "be" and _is_one(first)
    if not told:
        return None
    start = first.end + 1
    if tokens[first.end].text not in _SAID_OF_ONE or start >= len(tokens):
        return _called(scene, first)
    if tokens[start].text == "same":
        return Refusal(
            "Which things in one video or in several are the same is not stored. Ask of each what it is like."
        )
    if any(m.start == first.end for m in scene.mentions):
        return _called(scene, first)
    covered = {i for m in scene.reading.mentions for i in range(m.start, m.end)}
    covered |= {i for w in scene.reading.windows for i in range(w.start, w.end)}
    covered |= {i for s in scene.reading.sides for i in range(s.start, s.end)}
    covered |= {
        i
        for code, found in scene.reading.cues.items()
        if code != "filler"
        for c in found
        for i in range(c.start, c.end)
    }
    if start in covered or not tokens[start].is_word or tokens[start].text in _NO_ROLES:
        return None
    return _not_stored(tokens[start].text) if tokens[start].text in FUNCTION_WORDS else None


def _called(scene: Scene, first: Mention) -> Query | None:
    """ "Is it dangerous?", "is person 1 a thief?": an unknown word right behind what it is said of."""
    behind = next((m.selection for m in scene.mentions if m.start == first.end), None)
    if behind is None or not behind.is_unknown or behind.numbers:
        return None
    somebody = set(first.selection.categories or ()) & set(scene.reading.people)
    kind = behind.noun in kind_names() and not (somebody and behind.noun in _PEOPLE)
    return None if kind else _not_stored(behind.noun)


def _is_one(mention: Mention) -> bool:
    selection = mention.selection
    return bool(selection.definite or selection.numbers or selection.label)


def _not_stored(noun: str) -> Query:
    return Refusal(f'Whether somebody or something is "{noun}" is not stored, only of what category it is.')
