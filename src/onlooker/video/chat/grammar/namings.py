"""Names that say more than the noun in them: "a car park" is no car, "the boss" is nobody that pictures know."""

from __future__ import annotations

from onlooker.video.chat.grammar.absence import EMPTY
from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.media import EXAMPLES
from onlooker.video.chat.grammar.mentions import Mention
from onlooker.video.chat.grammar.nouns import HYPERNYMS, is_plural, kind_names
from onlooker.video.chat.grammar.reading import Reading
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
_BEING = words("is are was were")
_ADVERBS = words(
    "ever also still really actually just even not never always then already first last finally perhaps maybe only "
    "together both all again now there"
)
_EMPTY_VERBS = words(
    "keep get start begin happen seem be have do go come move make turn in on at and or with from to as the a by of"
)


def more_than_a_noun(scene: Scene) -> Query | None:
    """The refusal of a question about such a thing, None for all others."""
    for mention in scene.mentions:
        head = _head_behind(scene, mention)
        if head is not None:
            return Refusal(f'Nothing is stored about "{mention.word} {head}", only about {mention.selection.noun}s.')
    first = scene.reading.mentions[0] if scene.reading.mentions else None
    bare = first is not None and first.start == 2 and scene.reading.tokens[2].text not in _SAID_OF_ONE
    if first is not None and first.kind == "unknown" and bare and scene.reading.says("who", _BEING):
        return _not_stored(first.selection.noun)  # "who is new at 12 s?"
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
    if first.kind == "unknown" and tokens[0].base == "be":
        return _ends_on_unknown(scene, first)
    told = first.end < len(tokens) and first.start and tokens[first.start - 1].base == "be" and _is_one(first)
    if not told:
        return _does_unknown(scene)
    first = _joined(scene.reading)
    start = first.end + 1
    if first.end >= len(tokens):
        return None
    if tokens[first.end].text not in _SAID_OF_ONE or start >= len(tokens):
        return _called(scene, first)
    if tokens[start].text == "same":
        return Refusal(
            "Which things in one video or in several are the same is not stored. Ask of each what it is like."
        )
    if any(m.start == first.end for m in scene.mentions):
        return _called(scene, first)
    if start in scene.reading.claimed or not tokens[start].is_word or tokens[start].text in _NO_ROLES:
        return None
    return _not_stored(tokens[start].text) if tokens[start].text in FUNCTION_WORDS else None


def _ends_on_unknown(scene: Scene, unknown: Mention) -> Query | None:
    """ "Is that legal?", "is the shop dangerous?", "is the video fake news?": said of something, and no noun."""
    tokens, noun = scene.reading.tokens, unknown.selection.noun
    ends = unknown.end >= len(tokens) or tokens[unknown.end].kind == "mark"
    opening = tokens[unknown.start].text
    if unknown.start == 1:
        told = opening in {"that", "this"} or " " in noun
    else:
        told = opening not in _SAID_OF_ONE | {"any", "some", "no"} and not scene.reading.word("there")
    return _not_stored(noun) if ends and told and noun not in kind_names() else None


def _joined(reading: Reading) -> Mention:
    """The first mention, or the last of those joined to it: "are person 1 and person 3 a couple?"."""
    found = reading.mentions[0]
    for mention in reading.mentions[1:]:
        if {t.text for t in reading.tokens[found.end : mention.start]} != {"and"}:
            break
        found = mention
    return found


def _does_unknown(scene: Scene) -> Query | None:
    """ "Did person 1 pay?", "does the dog belong to Anna?": a verb behind its subject that nothing is stored for."""
    reading, tokens = scene.reading, scene.reading.tokens
    first = reading.mentions[0] if reading.mentions else None
    if scene.form != "yes_no" or first is None or not first.start or tokens[first.start - 1].base not in _HELPING:
        return None
    place = first.end
    while place < len(tokens) and tokens[place].text in _ADVERBS:
        place += 1
    if place >= len(tokens) or not tokens[place].is_word:
        return None
    if tokens[place].base == "have" and any(m.start > place and m.kind != "pronoun" for m in reading.mentions):
        return Refusal(
            "What belongs to a thing, or what it carries, is not stored. Ask whether both are visible together."
        )
    anybody = first.word in {"anyone", "anybody", "someone", "somebody", "one"}  # "can anyone see a dog?"
    if not anybody and tokens[place].base in _SEEING | {"lose"} and any(m.start == place + 1 for m in reading.mentions):
        return Refusal(f'What anybody would "{tokens[place].base}" is not stored. {EXAMPLES}')
    if tokens[place].text in _EMPTY_VERBS:
        return None
    unknown = any(m.start == place and m.kind == "unknown" for m in reading.mentions)
    done = any(d.start <= place < d.end for d in reading.deeds)
    if done or (place in reading.claimed and not unknown):
        return None
    return Refusal(f'Nothing is stored about "{tokens[place].text}". {EXAMPLES}')


def _called(scene: Scene, first: Mention) -> Query | None:
    """ "Is it dangerous?", "is person 1 a thief?": an unknown word right behind what it is said of."""
    behind = next((m.selection for m in scene.mentions if m.start == first.end), None)
    if behind is None or not behind.is_unknown or behind.numbers or behind.noun in EMPTY:
        return None
    somebody = set(first.selection.categories or ()) & set(scene.reading.people)
    kind = behind.noun in kind_names() and not (somebody and behind.noun in _PEOPLE)
    return None if kind else _not_stored(behind.noun)


def _is_one(mention: Mention) -> bool:
    selection = mention.selection
    return bool(selection.definite or selection.numbers or selection.label)


def _not_stored(noun: str) -> Query:
    return Refusal(f'Whether somebody or something is "{noun}" is not stored, only of what category it is.')
