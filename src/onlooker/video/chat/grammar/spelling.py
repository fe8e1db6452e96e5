"""Spelling: an unknown word is moved to a word of the grammar or of the library, unless it is English of its own."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, cached_property
from importlib import resources

from onlooker.video.chat.grammar.nouns import singular


def distance(a: str, b: str, limit: int) -> int:
    """Letters to insert, drop, change or swap with the neighbour to get from a to b; `limit + 1` when more."""
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        older, before, row = before, row, [i]
        for j, y in enumerate(b, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]


@cache
def _read_english() -> frozenset[str]:
    """The words of `english.txt`: constant, so they are read once."""
    text = resources.files("onlooker.video.chat.grammar").joinpath("english.txt").read_text("utf-8")
    return frozenset(w for line in text.splitlines() if not line.startswith("#") for w in line.split())


class EnglishWords:
    """Common English words, read from the package when first asked."""

    @cached_property
    def _words(self) -> frozenset[str]:
        return _read_english()

    def __contains__(self, word: str) -> bool:
        return word in self._words


class Speller:
    """Corrects words towards the ones that can be understood.

    Args:
        stored: words of categories in the library; they win ties.
        telling: words that say what is asked; they come next.
        known: all other words the grammar understands.
    """

    def __init__(
        self, stored: Iterable[str], telling: Iterable[str], known: Iterable[str], english: EnglishWords
    ) -> None:
        self._telling = frozenset(telling)
        self._stored = frozenset(w for w in stored if w.isalpha())
        self._known = frozenset(w for w in known if w.isalpha() and len(w) > 2) | self._stored
        self._english = english
        self._by_length: dict[int, list[str]] = {}
        for word in sorted(self._known):
            self._by_length.setdefault(len(word), []).append(word)

    def correct(self, word: str) -> str:
        """The word meant by `word`; the word itself when it is known, English, or like nothing known."""
        if len(word) < 3 or not word.isascii() or word in self._known or word in self._english:
            return word
        if singular(word) in self._english:
            return word
        limit = 1 if len(word) < 7 else 2
        best: tuple[float, str] | None = None
        for length in range(len(word) - limit, len(word) + limit + 1):
            for candidate in self._by_length.get(length, ()):
                score = self._score(word, candidate, limit)
                if score is not None and (best is None or (score, candidate) < best):
                    best = (score, candidate)
        return best[1] if best else word

    def split(self, word: str) -> tuple[str, str] | None:
        """The two words that were typed as one, "sametime": both of the grammar, neither the name of a thing."""
        if len(word) < 6 or not word.isascii() or word in self._known or word in self._english:
            return None
        parts = ((word[:i], word[i:]) for i in range(3, len(word) - 2))
        return next((p for p in parts if all(w in self._telling and w not in self._stored for w in p)), None)

    def _score(self, word: str, candidate: str, limit: int) -> float | None:
        """Lower is better; None when too far. Short words may only swap letters, double one or lose one."""
        if (
            word[0] != candidate[0]
            and (len(word) < 5 or word[:2] != candidate[1::-1])
            and sorted(word) != sorted(candidate)
        ):
            return None
        apart = distance(word, candidate, limit)
        if apart > limit:
            return None
        if min(len(word), len(candidate)) <= 3 and sorted(word) != sorted(candidate):
            # A short word may have lost a letter of a word that asks: "mny" of "many".
            lost = len(candidate) == len(word) + 1 == 4 and candidate in self._telling and candidate[0] == word[0]
            doubled = len(word) == len(candidate) + 1 and any(word[i] == word[i + 1] for i in range(len(word) - 1))
            if not doubled and not lost:
                return None
        swapped = sorted(word) == sorted(candidate)
        return (
            apart
            - 0.4 * swapped
            - 0.3 * (candidate in self._stored)
            - 0.25 * (candidate in self._telling)
            - 0.2 * (word[-1] == candidate[-1])
            - 0.1 * (word[:2] == candidate[:2])
        )
