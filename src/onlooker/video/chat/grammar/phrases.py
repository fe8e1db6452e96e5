"""Finds the phrases of the cue table in a list of tokens, longest first."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

from onlooker.video.chat.grammar.cues import CUES
from onlooker.video.chat.grammar.nouns import singular
from onlooker.video.chat.grammar.tokens import Token


@dataclass(frozen=True, slots=True)
class Cue:
    """A phrase of the table at tokens `[start, end)`. One stretch can be several cues."""

    code: str
    start: int
    end: int


@dataclass(slots=True)
class _Node:
    codes: list[str] = field(default_factory=list)
    children: dict[str, _Node] = field(default_factory=dict)


def expand(pattern: str) -> list[tuple[str, ...]]:
    """All word sequences of one phrase pattern: "come|go in? view" gives four; "a_single" is two words in one."""
    choices: list[tuple[str, ...]] = []
    for word in pattern.split():
        optional = word.endswith("?") and len(word) > 1
        options = tuple(word.rstrip("?").split("|"))
        choices.append((*options, "") if optional else options)
    return [tuple(" ".join(combination).replace("_", " ").split()) for combination in itertools.product(*choices)]


class PhraseTable:
    """A trie over all patterns of a cue table."""

    def __init__(self, cues: Mapping[str, str]) -> None:
        self._root = _Node()
        for code, patterns in cues.items():
            for pattern in patterns.split(";"):
                for phrase in expand(pattern.strip()):
                    self._add(phrase, code)

    def _add(self, phrase: tuple[str, ...], code: str) -> None:
        node = self._root
        for word in phrase:
            node = node.children.setdefault(word, _Node())
        if phrase and code not in node.codes:
            node.codes.append(code)

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word that begins or continues a phrase."""
        found: set[str] = set()
        stack = [self._root]
        while stack:
            node = stack.pop()
            found.update(node.children)
            stack.extend(node.children.values())
        return frozenset(found)

    def find(self, tokens: Sequence[Token], blocked: frozenset[int]) -> list[Cue]:
        """Cues outside the blocked token indices; a longer phrase hides the shorter ones it begins with."""
        cues: list[Cue] = []
        i = 0
        while i < len(tokens):
            if i in blocked:
                i += 1
                continue
            end, codes = self._longest(tokens, i, blocked)
            cues += [Cue(code, i, end) for code in codes]
            i = max(end, i + 1)
        return cues

    def _longest(self, tokens: Sequence[Token], i: int, blocked: frozenset[int]) -> tuple[int, tuple[str, ...]]:
        best: tuple[int, tuple[str, ...]] = (i, ())
        nodes, j = [self._root], i
        while nodes and j < len(tokens) and j not in blocked:
            token = tokens[j]
            keys = dict.fromkeys((token.text, token.base, singular(token.text)))
            nodes = [n.children[k] for n in nodes for k in keys if k in n.children]
            j += 1
            codes = tuple(dict.fromkeys(code for n in nodes for code in n.codes))
            if codes:
                best = (j, codes)
        return best


@cache
def cue_table() -> PhraseTable:
    """The table of `cues.CUES`: constant, so it is built once."""
    return PhraseTable(CUES)
