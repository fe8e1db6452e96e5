"""Noun phrases: which objects a question talks about, with their numbers, colours and ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from onlooker.video.chat.grammar.nouns import Nouns, NounSense, is_plural, singular
from onlooker.video.chat.grammar.tokens import ORDINAL_WORDS, Token
from onlooker.video.chat.grammar.words import COLORS, DEMONSTRATIVES, words
from onlooker.video.chat.query import Condition, Selection

MentionKind = Literal["noun", "number", "label", "pronoun", "one", "unknown"]
QuantifierWord = Literal["any", "all", "both", "none"]

SHADES = {shade: group for group in COLORS.values() for shade in group}
_SHADE_WORDS = words("dark light bright pale deep")
_DETERMINERS = words("the this that these those its his her their my our your said given")
_QUANTIFIERS: dict[str, QuantifierWord] = {
    "a": "any", "an": "any", "any": "any", "some": "any", "one": "any", "all": "all", "every": "all", "each": "all",
    "both": "both", "no": "none", "zero": "none", "none": "none", "neither": "none",
}  # fmt: skip
_MOVING = words("moving driving walking running flying swimming travelling traveling riding")
_RESTING = words("stationary parked static motionless standing still immobile unmoving idle")
SIZE_WORDS = {
    **dict.fromkeys(("small", "tiny", "little"), "small"),
    **dict.fromkeys(("large", "big", "huge", "giant"), "large"),
    "medium": "medium",
}
_ADJECTIVE_CONDITIONS: dict[str, Condition] = {
    **dict.fromkeys(_MOVING, Condition("stationary", "=", 0)),
    **dict.fromkeys(_RESTING, Condition("stationary", "=", 1)),
    **{word: Condition("size", "=", size) for word, size in SIZE_WORDS.items()},
    "approaching": Condition("approach", "=", "approaching"),
    "receding": Condition("approach", "=", "receding"),
}  # fmt: skip
RANK_WORDS: dict[str, tuple[str, bool]] = {
    **dict.fromkeys(["fastest", "quickest", "speediest", "swiftest"], ("speed", True)),
    "slowest": ("speed", False),
    **dict.fromkeys(["largest", "biggest", "hugest"], ("area_rel", True)),
    **dict.fromkeys(["smallest", "tiniest", "littlest"], ("area_rel", False)),
    "longest": ("duration", True),
    **dict.fromkeys(["shortest", "briefest"], ("duration", False)),
}
ORDER_WORDS: dict[str, int] = {
    "first": 1, "earliest": 1, "initial": 1, "last": -1, "latest": -1, "final": -1, "penultimate": -2,
} | {w: n for w, n in ORDINAL_WORDS.items() if n > 1}  # fmt: skip
_EMPTY_ADJECTIVES = words(
    "different distinct unique individual separate various visible tracked detected same other only "
    "single new following particular certain specific given whole several own said seen present available "
    "existing recorded respective actual overall main mentioned aforementioned named called shown such "
    "individual"
)
_NUMBER_LINKS = words(
    "number no nr num # id ids numbered . : = _ - tracklet track with the of whose is labelled labeled having has"
)
_PRONOUNS = words("it they them he she him her its their his hers theirs itself themselves himself herself")
# Behind "is that" these show that nothing is determined: "how long is that in sight?".
_BEHIND_THAT = words(
    "in on at visible there around still first last see seen shown for present out gone faster slower longer shorter "
    "bigger larger smaller earlier later"
)


@dataclass(frozen=True, slots=True)
class Mention:
    """One noun phrase at tokens `[start, end)`.

    `order` is a bare ordinal ("first" 1, "last" -1) whose meaning depends on the verb; `amount` a number in front
    ("two cars"); `word` the head as typed.
    """

    selection: Selection
    start: int
    end: int
    kind: MentionKind
    word: str
    quantifier: QuantifierWord | None = None
    amount: int | None = None
    order: int | None = None
    possessive: bool = False


class MentionReader:
    """Reads the mentions of one question; `blocked` tokens belong to time expressions or video names."""

    def __init__(self, tokens: Sequence[Token], nouns: Nouns, labels: dict[str, str]) -> None:
        self._tokens, self._nouns, self._labels = tokens, nouns, labels

    def read(self, blocked: frozenset[int]) -> list[Mention]:
        """Known nouns, numbers, names and pronouns, left to right."""
        found: list[Mention] = []
        i = 0
        while i < len(self._tokens):
            mention = None if i in blocked else self._at(i, blocked)
            if mention is None:
                i += 1
            else:
                floor = found[-1].end if found else 0
                whole = self._of_either_color(self._with_modifiers(mention, floor, blocked), floor, blocked)
                if found and self._is_compound(found[-1], whole):
                    whole = replace(whole, start=found.pop().start)
                shared = self._sharing(whole, floor)
                found += [whole] if shared is None else [shared, whole]
                i = mention.end
        return found

    def _of_either_color(self, mention: Mention, floor: int, blocked: frozenset[int]) -> Mention:
        """ "Red or white cars": one colour out of both; "the red or the white car" is two things."""
        i, first = mention.start - 2, next(iter(mention.selection.conditions), None)
        colored = first is not None and first.column == "color" and isinstance(first.value, tuple)
        if not colored or i < floor or self._text(i + 1) != "or" or self._text(i) not in SHADES or first is None:
            return mention
        if self._text(i - 1) == "the" or not isinstance(first.value, tuple):
            return mention
        either = replace(first, value=(*SHADES[self._text(i)], *first.value))
        selection = replace(mention.selection, conditions=(either, *mention.selection.conditions[1:]))
        return self._with_modifiers(replace(mention, selection=selection, start=i), floor, blocked)

    def _is_compound(self, first: Mention, second: Mention) -> bool:
        """ "A bus stop sign": of two nouns behind one article the last says what it is."""
        plain = first.kind == second.kind == "noun" and not first.selection.plural and not first.possessive
        opened = self._text(first.start) in {"a", "an", "any", "the"}
        joined = first.end == second.start and self._text(second.start) not in _DETERMINERS | _QUANTIFIERS.keys()
        return plain and opened and joined and second.selection.categories is not None

    def _sharing(self, mention: Mention, floor: int) -> Mention | None:
        """ "The black or the brown dog": the first of two things that share the noun of the second."""
        i = mention.start - 2
        if mention.order is not None and mention.kind == "noun" and i > floor and self._text(i - 1) == "the":
            place = self._place_at(i)
            joined = self._text(i + 1) in {"or", "and"}
            return replace(mention, order=place, start=i - 1, end=i + 1) if place is not None and joined else None
        shaded = len(mention.selection.conditions) == 1 and mention.selection.conditions[0].column == "color"
        link = self._text(i + 1) in {"or", "and", "nor"}
        if not (shaded and link and mention.kind == "noun" and i - 1 >= floor) or self._text(i) not in SHADES:
            return None
        if self._text(i - 1) != "the":
            return None
        condition = Condition("color", "in", SHADES[self._text(i)])
        return replace(mention, selection=replace(mention.selection, conditions=(condition,)), start=i - 1, end=i + 1)

    def _place_at(self, i: int) -> int | None:
        token = self._tokens[i]
        if token.ordinal and token.number is not None:
            return int(token.number)
        return ORDER_WORDS.get(token.text)

    def unknown_at(self, i: int, end: int, floor: int, blocked: frozenset[int]) -> Mention:
        """A noun phrase whose head nothing is known about."""
        head = singular(self._tokens[end - 1].text)
        noun = " ".join([*(t.text for t in self._tokens[i : end - 1]), head])
        selection = Selection(noun=noun, categories=(), plural=is_plural(self._tokens[end - 1].text))
        numbers, after = self._numbers(end, blocked, strict=True)
        mention = Mention(replace(selection, numbers=numbers), i, after, "unknown", noun)
        return self._with_modifiers(mention, floor, blocked)

    def _text(self, i: int) -> str:
        return self._tokens[i].text if 0 <= i < len(self._tokens) else ""

    def _at(self, i: int, blocked: frozenset[int]) -> Mention | None:
        token = self._tokens[i]
        return (
            self._label(i, blocked)
            or self._noun(i, blocked)
            or self._bare_number(i, blocked)
            or self._pronoun(i, token)
        )

    def _label(self, i: int, blocked: frozenset[int]) -> Mention | None:
        for size in (3, 2, 1):
            words = [t.text for t in self._tokens[i : i + size]]
            label = self._labels.get(" ".join(words)) if len(words) == size else None
            if label is not None and not any(j in blocked for j in range(i, i + size)):
                return Mention(Selection(noun=label, label=label, definite=True), i, i + size, "label", label)
        return None

    def _noun(self, i: int, blocked: frozenset[int]) -> Mention | None:
        for size in (4, 3, 2, 1):
            part = self._tokens[i : i + size]
            if len(part) < size or any(not t.is_word for t in part) or any(j in blocked for j in range(i, i + size)):
                continue
            sense = self._nouns.lookup([t.text for t in part])
            if sense is not None and not self._is_verb_use(i, size, sense) and not self._is_adjective(i, size):
                return self._build(i, i + size, sense, blocked)
        return None

    def _is_adjective(self, i: int, size: int) -> bool:
        """ "individual cars": a noun that is also an adjective, right before another noun."""
        if size != 1 or self._text(i) not in _EMPTY_ADJECTIVES or i + 1 >= len(self._tokens):
            return False
        return self._tokens[i + 1].is_word and self._nouns.lookup([self._text(i + 1)]) is not None

    def _is_verb_use(self, i: int, size: int, sense: NounSense) -> bool:
        """ "track" and "subject" are verbs and settings too: only a noun after a determiner, a number or a plural."""
        word = self._text(i)
        if size > 1 or sense.kind == "exact":
            return False
        if self._text(i + 1) == "else":
            return True
        if word in {"fly", "cycle", "auto", "male", "female", "coach", "phone", "mobile", "ship", "plant"}:
            return self._text(i - 1) in {"to", "do", "does", "not"}
        if word == "crowd":
            return self._text(i + 1) == "of"
        if word == "track" and self._text(i - 1) == "of":
            return self._text(i - 2) in {"end", "start", "beginning"}
        return word == "track" and self._text(i + 1) in {"of", "the"} and self._text(i - 1) in {"", "keep", "to"}

    def _build(self, i: int, end: int, sense: NounSense, blocked: frozenset[int]) -> Mention:
        head = self._text(end - 1)
        several = (is_plural(head) and head not in {"misc", "miscs"}) or any(
            is_plural(self._text(k)) for k in range(i, end)
        )
        several = several or head in {"miscs", "everyone", "everything", "everybody"}
        numbers, after = self._numbers(end, blocked, strict=sense.kind == "generic")
        selection = Selection(
            noun=sense.noun, categories=sense.categories, numbers=numbers, plural=several, caveat=sense.caveat
        )
        kind: MentionKind = "number" if numbers else "noun"
        quantifier = _word_quantifier(head)
        possessive = self._text(after) == "'s"
        return Mention(selection, i, after + possessive, kind, head, quantifier, possessive=possessive)

    def _numbers(self, end: int, blocked: frozenset[int], strict: bool) -> tuple[tuple[int, ...], int]:
        """Track numbers behind a noun: "car 3", "cars 3 and 5", "person with the id 4", "object #7"."""
        j = end
        while self._text(j) in _NUMBER_LINKS and j not in blocked:
            j += 1
        linked = {self._text(k) for k in range(end, j)}
        if linked and not linked & {
            "number",
            "no",
            "nr",
            "num",
            "#",
            "id",
            "ids",
            "numbered",
            "_",
            "-",
            "tracklet",
            "track",
        }:
            return (), end
        numbers: list[int] = []
        after = end
        while j < len(self._tokens) and j not in blocked and self._is_whole(j):
            spelt = self._tokens[j].text.isalpha()
            if spelt and (is_plural(self._text(end - 1)) or self._text(j - 1) == "the"):
                break  # "the objects one can see"
            numbers.append(int(self._tokens[j].number or 0))
            after = j + 1
            link = self._text(after)
            more = after + 1
            if link == "," and self._text(more) in {"and", "or"}:
                more += 1
            if link not in {"and", "or", "&", ","} or not (more < len(self._tokens) and self._is_whole(more)):
                break
            if self._nouns.lookup([self._text(more + 1)]) is not None:
                break  # "car 3 and 2 dogs"
            j = more
        del strict
        return tuple(dict.fromkeys(numbers)), after

    def _is_whole(self, i: int) -> bool:
        token = self._tokens[i]
        return token.kind == "number" and not token.ordinal and token.number is not None and token.number.is_integer()

    def _bare_number(self, i: int, blocked: frozenset[int]) -> Mention | None:
        """ "#4", "id 4", "number 4", "no. 4" without a noun."""
        word = self._text(i)
        if word not in {"#", "id", "ids", "number", "no", "nr"} or (word == "number" and self._text(i + 1) == "of"):
            return None
        numbers, after = self._numbers(i, blocked, strict=True)
        if not numbers:
            return None
        selection = Selection(numbers=numbers, definite=True, plural=len(numbers) > 1)
        possessive = self._text(after) == "'s"
        return Mention(selection, i, after + possessive, "number", f"object {numbers[0]}", possessive=possessive)

    def _pronoun(self, i: int, token: Token) -> Mention | None:
        selection = Selection(definite=True)
        if token.text in {"one", "ones"}:
            before = self._text(i - 1)
            anchored = before in _DETERMINERS | {"other", "another"} or before in ORDER_WORDS or before in SHADES
            anchored = anchored and self._text(i - 2) not in {"which", "what"}  # "until which second one sees"
            anchored = anchored or before in RANK_WORDS or before in _ADJECTIVE_CONDITIONS
            if anchored:
                return Mention(replace(selection, plural=token.text == "ones"), i, i + 1, "one", token.text)
            return None
        if (
            token.text in {"other", "others"}
            and self._text(i - 1) == "the"
            and self._text(i - 2) != "all"
            and not self._noun_follows(i)
        ):
            return Mention(replace(selection, plural=token.text == "others"), i, i + 1, "one", token.text)
        if token.text in _PRONOUNS:
            many = token.text in {"they", "them", "their", "themselves", "theirs"}
            return Mention(replace(selection, plural=many), i, i + 1, "pronoun", token.text)
        if token.text in DEMONSTRATIVES and self._stands_alone(i):
            return Mention(replace(selection, plural=token.text in {"those", "these"}), i, i + 1, "pronoun", token.text)
        return None

    def _noun_follows(self, i: int) -> bool:
        following = self._tokens[i + 1] if i + 1 < len(self._tokens) else None
        return (
            following is not None
            and following.is_word
            and (following.text in {"one", "ones"} or self._nouns.lookup([following.text]) is not None)
        )

    def _stands_alone(self, i: int) -> bool:
        """ "that" is a pronoun when nothing it could determine follows, and not a conjunction."""
        following = self._tokens[i + 1] if i + 1 < len(self._tokens) else None
        if following is None or following.kind == "mark":
            return i > 0
        return self._text(i - 1) in {"is", "does", "do", "did", "was", "of", "about"} and following.base in {
            "be",
            "move",
            "leave",
            "enter",
            "appear",
            "go",
            *_BEHIND_THAT,
        }

    def _with_modifiers(self, mention: Mention, floor: int, blocked: frozenset[int]) -> Mention:
        """Takes in what stands before the head: determiner, number, colour, size, rank; unknown adjectives are kept."""
        i = mention.start - 1
        state = mention
        closed = False
        while i >= floor and i not in blocked:
            # A determiner opens the phrase: only "all the", "both the" may stand before it.
            if closed and self._text(i) not in {"all", "both", "each", "any", "none", "of", "most"}:
                break
            closed = closed or self._text(i) in _DETERMINERS
            step = self._modifier(state, i)
            if step is None:
                break
            state = step
            i -= 1
        return replace(state, start=i + 1)

    def _modifier(self, mention: Mention, i: int) -> Mention | None:
        token, selection = self._tokens[i], mention.selection
        word = token.text
        if mention.kind == "pronoun":
            return None
        if word in _DETERMINERS:
            return replace(mention, selection=replace(selection, definite=True))
        if word in _QUANTIFIERS and word not in {"one"}:
            if (
                (word == "no" and self._text(i - 1) in {"there", ""})
                or word != "no"
                or self._text(i - 1) in {"is", "are"}
            ):
                return replace(mention, quantifier=mention.quantifier or _QUANTIFIERS[word])
            return replace(mention, quantifier="none")
        if word in SHADES:
            return _add(mention, Condition("color", "in", SHADES[word]))
        if word in _SHADE_WORDS and i + 1 < len(self._tokens) and self._text(i + 1) in SHADES:
            return mention
        if word in _ADJECTIVE_CONDITIONS:
            return _add(mention, _ADJECTIVE_CONDITIONS[word])
        return self._order_or_amount(mention, i)

    def _order_or_amount(self, mention: Mention, i: int) -> Mention | None:
        token, selection = self._tokens[i], mention.selection
        word = token.text
        if selection.numbers and (token.ordinal or word in ORDER_WORDS):
            return None  # "the second object 8 leaves": a moment
        if token.ordinal and token.number is not None:
            return replace(mention, order=int(token.number))
        if word in ORDER_WORDS and mention.order is None:
            return replace(mention, order=ORDER_WORDS[word])
        if word in RANK_WORDS or word in {"leftmost", "rightmost", "topmost", "bottommost"}:
            return None if word not in RANK_WORDS else _ranked(mention, word)
        if token.kind == "number" and token.number is not None and self._is_whole(i) and not mention.selection.numbers:
            many = int(token.number) != 1
            return replace(
                mention, amount=int(token.number), selection=replace(selection, plural=selection.plural or many)
            )
        if word in _EMPTY_ADJECTIVES:
            before = self._text(i - 1)
            alone = word == "following" and before not in _DETERMINERS and before not in {"of", "each", ""}
            return None if alone else mention  # "is the dog following person 1" is no list
        return None


def _add(mention: Mention, condition: Condition) -> Mention:
    selection = mention.selection
    return replace(mention, selection=replace(selection, conditions=(condition, *selection.conditions)))


def _ranked(mention: Mention, word: str) -> Mention:
    from onlooker.video.chat.query import Rank

    column, descending = RANK_WORDS[word]
    n = mention.order if mention.order is not None and mention.order > 0 else 1
    return replace(mention, order=None, selection=replace(mention.selection, rank=Rank(column, descending, n)))


def _word_quantifier(head: str) -> QuantifierWord | None:
    if head in {"anyone", "anything", "anybody", "someone", "something", "somebody"}:
        return "any"
    if head in {"everyone", "everything", "everybody"}:
        return "all"
    return "none" if head in {"nobody", "nothing"} else None
