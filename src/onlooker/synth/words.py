"""A word-level tokenizer over a closed vocabulary: byte-pair vocabularies are far too large for tiny runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from onlooker.errors import ConfigError
from onlooker.synth.actions import ACTIONS, DOING
from onlooker.synth.captions import NUMBERS
from onlooker.synth.sprites import COLOURS, SHAPES, TEXTURES

_WORD = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")
_GRAMMAR = (
    "a an the and with of that is are there : , ? . picture video object objects left right above below "
    "how many what shape colour texture has does do biggest yes no small big"
)


def world_vocabulary() -> tuple[str, ...]:
    """Every word that captions, questions and answers of any world can hold, in alphabetical order."""
    groups: tuple[Iterable[str], ...] = (SHAPES, COLOURS, TEXTURES, ACTIONS, DOING.values(), NUMBERS, (_GRAMMAR,))
    return tuple(sorted({word for group in groups for text in group for word in split_words(text)}))


def split_words(text: str) -> list[str]:
    """Lower-case words and single marks: "A ring, red?" becomes a, ring, `,`, red, `?`."""
    return _WORD.findall(text.lower())


@dataclass(frozen=True, slots=True)
class SpecialIds:
    """Ids that stand for no word. `bos` and `eos` begin and end a sentence; `None` leaves them out."""

    pad: int = 0
    unknown: int = 1
    bos: int | None = 2
    eos: int | None = 3

    def __post_init__(self) -> None:
        used = self.used
        if len(set(used)) != len(used) or min(used) < 0:
            raise ConfigError(f"special ids are different numbers from 0, got {self}")

    @property
    def used(self) -> tuple[int, ...]:
        return tuple(i for i in (self.pad, self.unknown, self.bos, self.eos) if i is not None)


class WordTokenizer:
    """Words to numbers and back.

    Args:
        vocabulary: words in the order of their ids; they take the numbers that `special` leaves free, from 0.
        special: ids that stand for no word.
    """

    def __init__(self, vocabulary: Sequence[str], special: SpecialIds | None = None) -> None:
        self.special = special or SpecialIds()
        self.vocabulary = tuple(vocabulary)
        if len(set(self.vocabulary)) != len(self.vocabulary):
            raise ConfigError("a word stands twice in the vocabulary")
        wrong = [word for word in self.vocabulary if split_words(word) != [word]]
        if wrong:
            raise ConfigError(f"a vocabulary holds lower-case words or single marks, got `{wrong[0]}`")
        taken = set(self.special.used)
        free = (i for i in range(len(self.vocabulary) + len(taken)) if i not in taken)
        self._ids = dict(zip(self.vocabulary, free, strict=False))
        self._words = {i: word for word, i in self._ids.items()}

    @property
    def size(self) -> int:
        """Rows an embedding needs: the largest id and one."""
        return max((*self.special.used, *self._words)) + 1

    def encode(self, text: str, length: int | None = None) -> list[int]:
        """Ids of `text` between the begin and end marks, padded or cut to `length`; the end mark survives a cut.

        Raises:
            ConfigError: `length` has no room for the marks.
        """
        begin = [] if self.special.bos is None else [self.special.bos]
        end = [] if self.special.eos is None else [self.special.eos]
        ids = [self._ids.get(word, self.special.unknown) for word in split_words(text)]
        if length is None:
            return begin + ids + end
        room = length - len(begin) - len(end)
        if room < 0:
            raise ConfigError(f"a length of {length} has no room for {len(begin) + len(end)} marks")
        ids = begin + ids[:room] + end
        return ids + [self.special.pad] * (length - len(ids))

    def decode(self, ids: Iterable[int]) -> str:
        """Words joined by blanks, up to the first end mark. Unknown words read `<unk>`; other marks are left out."""
        words = []
        for i in ids:
            if i == self.special.eos:
                break
            if i == self.special.unknown:
                words.append("<unk>")
            elif i in self._words:
                words.append(self._words[i])
            elif i not in self.special.used:
                raise ConfigError(f"id {i} is neither a word nor a mark; ids end at {self.size - 1}")
        return " ".join(words)
