"""Finds in a question the actions that a library stores: "runs", "ran" and "who is running" all mean `running`.

Only actions that some annotator has stored are looked for; whatever else people and animals may do stays with the other
rules, which say that it is not known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from onlooker.video.chat.grammar.nouns import singular
from onlooker.video.chat.grammar.tokens import Token
from onlooker.video.chat.grammar.verbs import base_form
from onlooker.video.chat.grammar.words import words

_IRREGULAR = {
    "ate": "eat", "eaten": "eat", "threw": "throw", "thrown": "throw", "sang": "sing", "sung": "sing", "dug": "dig",
    "fought": "fight", "swung": "swing", "slept": "sleep", "bent": "bend", "built": "build", "fed": "feed",
    "drank": "drink", "drunk": "drink", "fell": "fall", "fallen": "fall", "shook": "shake", "shaken": "shake",
    "rang": "ring", "swept": "sweep", "wept": "weep", "shot": "shoot", "dove": "dive", "knelt": "kneel",
    "spun": "spin", "blew": "blow", "blown": "blow", "leapt": "leap", "crept": "creep", "bit": "bite",
}  # fmt: skip
# Told from the boxes themselves, or between two things: the rules for these come first.
_MEASURED = words(
    "be do have go come get enter leave exit appear disappear move stop stay show see look happen contain start begin "
    "end keep pass overtake follow chase touch meet approach cross turn make take play use put"
)
_SIDES = words("left right up down still around away back forward backward forwards backwards")
_SMALL = words("a an the his her its their some any on in at with of to into onto for from")
_ONWARD = words("in into onto off out past across through by away")
_DETERMINERS = words("the a an this that these those any no some every each of my your")
_ASKS_DONE = words("many do does did who which that what to can will would could may might has have had")


@dataclass(frozen=True, slots=True)
class Deed:
    """An action said at tokens `[start, end)`: the stored names it stands for, and the words of the question."""

    labels: tuple[str, ...]
    said: str
    start: int
    end: int


class DeedFinder:
    """Knows the actions of a library by their words.

    Args:
        labels: the stored actions, in lower case or not.
        nouns: words that name things in questions.
    """

    def __init__(self, labels: Iterable[str], nouns: frozenset[str] = frozenset()) -> None:
        self._nouns = nouns
        self._rest: dict[str, frozenset[str]] = {}
        self._by_verb: dict[str, list[str]] = defaultdict(list)
        for label in labels:
            said = _label_words(label)
            verbs = [word for word in said if word.endswith("ing") and len(word) > 4] or said[:1]
            self._rest[label] = frozenset(s for w in said if w not in verbs and w not in _SMALL for s in verb_stems(w))
            for stem in {s for verb in verbs for s in verb_stems(verb)}:
                self._by_verb[stem].append(label)

    @property
    def words(self) -> frozenset[str]:
        """Every form that stands for an action, so that spelling is not mended away from it."""
        said = {word for label in self._rest for word in _label_words(label) if word not in _SMALL}
        return frozenset(said | set(self._by_verb) | {w for w, base in _IRREGULAR.items() if base in self._by_verb})

    def find(self, tokens: Sequence[Token], blocked: frozenset[int]) -> tuple[Deed, ...]:
        """The actions in a question, outside blocked token indices."""
        found: list[Deed] = []
        i = 0
        while self._rest and i < len(tokens):
            deed = self._at(tokens, i, blocked)
            if deed is not None:
                found.append(deed)
            i = i + 1 if deed is None else deed.end
        return tuple(found)

    def _at(self, tokens: Sequence[Token], i: int, blocked: frozenset[int]) -> Deed | None:
        token = tokens[i]
        if i in blocked or not token.is_word or not _is_verb_place(tokens, i, self._nouns):
            return None
        labels = list(dict.fromkeys(l for s in verb_stems(token.text) for l in self._by_verb.get(s, ())))  # noqa: E741
        if not labels:
            return None
        known = frozenset().union(*(self._rest[label] for label in labels))
        extra, end = _object_of(tokens, i, blocked, known)
        if not extra and (token.base in _MEASURED or _goes_on(tokens, i + 1)):
            return None
        if extra:
            shared = {label: sum(bool(self._rest[label] & stems) for stems in extra) for label in labels}
            labels = [label for label in labels if shared[label] == max(shared.values())]
        return Deed(tuple(labels), " ".join(t.text for t in tokens[i:end]), i, end)


def _object_of(
    tokens: Sequence[Token], i: int, blocked: frozenset[int], known: frozenset[str]
) -> tuple[list[frozenset[str]], int]:
    """Stems of the words behind a verb that some stored action has, too, and where the last of them ends."""
    extra: list[frozenset[str]] = []
    end = j = i + 1
    while j < len(tokens) and j not in blocked and tokens[j].is_word:
        stems = verb_stems(tokens[j].text)
        if stems & known and tokens[j].text not in _SIDES:
            extra.append(stems)
            end = j + 1
        elif tokens[j].text not in _SMALL:
            break
        j += 1
    return extra, end


def _goes_on(tokens: Sequence[Token], i: int) -> bool:
    """ "Running into view", "standing still": a way through the frame, not an action."""
    return i < len(tokens) and (tokens[i].text in _ONWARD or tokens[i].text in _SIDES)


def _is_verb_place(tokens: Sequence[Token], i: int, nouns: frozenset[str]) -> bool:
    """Whether the word at i is used as a verb or as an adjective made of one."""
    text = tokens[i].text
    before = tokens[i - 1].text if i else ""
    if before in _DETERMINERS - {"that"}:
        follows = tokens[i + 1].text if i + 1 < len(tokens) else ""
        return text.endswith("ing") and (follows in nouns or singular(follows) in nouns)
    if text.endswith("ing"):
        return True
    if singular(text) in nouns:
        return False
    is_passive = any(t.base == "be" for t in tokens[max(0, i - 2) : i])
    return not is_passive and any(t.text in _ASKS_DONE for t in tokens[:i])


def _label_words(label: str) -> list[str]:
    return [word for word in label.lower().replace("_", " ").replace("-", " ").replace("(", " ").split() if word]


@cache
def verb_stems(word: str) -> frozenset[str]:
    """What a form may be made of: "running" of "run", "runn", "runne" or itself. Two forms meet in any of them."""
    word = word.strip("().,'")
    found = {word, base_form(word), _IRREGULAR.get(word, word)}
    endings = (("ing", ""), ("ing", "e"), ("ied", "y"), ("ies", "y"), ("ed", ""), ("ed", "e"), ("es", ""), ("s", ""))
    for ending, base in endings:
        stem = word.removesuffix(ending) + base
        if word.endswith(ending) and len(stem) > 2 and not (ending == "s" and word.endswith("ss")):
            found.add(stem)
            if not base and len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "aeiou":
                found.add(stem[:-1])
    return frozenset(found)
