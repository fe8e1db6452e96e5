"""Search by words: which tracklets, spoken lines and signs hold the words of a query, and how many of them.

A large library holds few distinct looks ("red car, small, moving left"), so words are compared with those and with the
distinct tags, and only then are tracklets fetched: the time of a search grows with what there is to say, not with how
much was filmed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from onlooker.video.answer import Cell
from onlooker.video.store.reader import Reader

HitKind = Literal["tracklet", "speech", "screen_text"]

IN_SCOPE = "(:scope IS NULL OR video_key IN (SELECT value FROM json_each(:scope)))"
_PARTIAL = 0.5  # words found, but not all of them, count half: "red dog" is no match for a red car
_MAX_WORDS = 12
_MAX_LOOKS = 8_000
_MAX_ROWS = 2_000
_MAX_LOOKS_FETCHED = 60
_STOP_WORDS = frozenset({"a", "an", "the", "of", "in", "on", "at", "with", "and", "or", "is", "to", "that", "this"})

_LOOK = ("label", "category", "color", "upper_color", "lower_color", "size", "stationary", "direction")
_TAGGED = "name NOT IN ('color', 'upper_color', 'lower_color') AND tracklet_key IS NOT NULL"
_LOOKS = (
    f"SELECT {', '.join(_LOOK)} FROM tracklets WHERE {IN_SCOPE}"  # noqa: S608
    f" GROUP BY {', '.join(_LOOK)} ORDER BY count(*) DESC LIMIT {_MAX_LOOKS}"
)
_TAGS = (
    f"SELECT value FROM attributes WHERE {_TAGGED} AND {IN_SCOPE}"  # noqa: S608
    f" GROUP BY value ORDER BY count(*) DESC LIMIT {_MAX_LOOKS}"
)
_OF_LOOK = (
    f"SELECT key FROM tracklets WHERE {' AND '.join(f'{name} IS :{name}' for name in _LOOK)} AND {IN_SCOPE}"  # noqa: S608
    " ORDER BY key LIMIT :most"
)
_OF_TAGS = (
    "SELECT a.tracklet_key, group_concat(a.value, ', '), "  # noqa: S608
    f"{', '.join('k.' + name for name in _LOOK)} FROM (SELECT DISTINCT tracklet_key, value FROM attributes"
    f" WHERE value IN (SELECT value FROM json_each(:tags)) AND {_TAGGED} AND {IN_SCOPE} LIMIT {_MAX_ROWS}) AS a"
    " JOIN tracklets k ON k.key = a.tracklet_key GROUP BY a.tracklet_key"
)


@dataclass(frozen=True, slots=True)
class Match:
    """A thing by its key in the library, before it is looked up."""

    kind: HitKind
    key: int
    score: float
    why: str


class WordIndex:
    """The distinct looks and tags of a library, read again when the library changes."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._version: tuple[int, ...] = ()
        self._held: dict[str | None, tuple[list[tuple[Cell, ...]], list[str]]] = {}

    def matches(self, text: str, scope: str | None, top_k: int) -> list[Match]:
        """Everything that holds a word of the text.

        Args:
            text: the query.
            scope: JSON list of video keys; `None` is all.
            top_k: tracklets of one look worth fetching.
        """
        words = content_words(text)[:_MAX_WORDS]
        if not words:
            return []
        looks, tags = self._distinct(scope)
        found = self._by_look(words, looks, scope, top_k) + self._by_tag(words, tags, scope)
        return found + self._lines("speech", "said", words, scope) + self._lines("screen_text", "written", words, scope)

    def _distinct(self, scope: str | None) -> tuple[list[tuple[Cell, ...]], list[str]]:
        if self._version != self._reader.data_version:
            self._held.clear()
            self._version = self._reader.data_version
        if scope not in self._held:
            looks = self._reader.query(_LOOKS, {"scope": scope}).rows
            tags = self._reader.query(_TAGS, {"scope": scope}).rows
            self._held[scope] = (list(looks), [str(tag) for (tag,) in tags])
        return self._held[scope]

    def _by_look(
        self, words: Sequence[str], looks: Sequence[tuple[Cell, ...]], scope: str | None, top_k: int
    ) -> list[Match]:
        scored = [(len(_held(words, _look_text(look))), look) for look in looks]
        best = sorted((item for item in scored if item[0]), key=lambda item: -item[0])[:_MAX_LOOKS_FETCHED]
        found: list[Match] = []
        for _, look in best:
            if len(found) >= 4 * top_k:
                break
            values = {"scope": scope, "most": top_k, **dict(zip(_LOOK, look, strict=True))}
            for (key,) in self._reader.query(_OF_LOOK, values).rows:
                found.append(_tracklet_match(words, int(str(key)), look, ""))
        return found

    def _by_tag(self, words: Sequence[str], tags: Sequence[str], scope: str | None) -> list[Match]:
        meant = [tag for tag in tags if _held(words, tag)][:_MAX_ROWS]
        if not meant:
            return []
        rows = self._reader.query(_OF_TAGS, {"scope": scope, "tags": _json_list(meant)}).rows
        return [_tracklet_match(words, int(str(key)), look, str(held)) for key, held, *look in rows]

    def _lines(
        self, kind: Literal["speech", "screen_text"], verb: str, words: Sequence[str], scope: str | None
    ) -> list[Match]:
        likes = [f"(text LIKE :w{i} ESCAPE '\\')" for i in range(len(words))]
        sql = (
            f"SELECT key, text FROM {kind} WHERE {IN_SCOPE} AND ({' OR '.join(likes)})"  # noqa: S608
            f" ORDER BY {' + '.join(likes)} DESC, key LIMIT {_MAX_ROWS}"
        )
        patterns = {f"w{i}": f"%{_escaped(stem(word))}%" for i, word in enumerate(words)}
        rows = self._reader.query(sql, {"scope": scope, **patterns}).rows
        matches = [
            Match(kind, int(str(key)), coverage(words, str(text)), f'{verb}: "{shortened(str(text))}"')
            for key, text in rows
        ]
        return [match for match in matches if match.score > 0]


def content_words(text: str) -> list[str]:
    """The words that carry meaning, in lower case, once each."""
    every = dict.fromkeys(word[:60] for word in re.findall(r"\w+", text.lower()))
    return [word for word in every if word not in _STOP_WORDS] or list(every)


def stem(word: str) -> str:
    """A plural without its ending, so that "cars" finds "car" (and "people" is left to the meaning)."""
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def coverage(words: Sequence[str], text: str) -> float:
    """1 when the text has all of the words, half the share of them when it has some."""
    share = len(_held(words, text)) / len(words)
    return share if share == 1 else _PARTIAL * share


def shortened(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."


def _held(words: Sequence[str], text: str) -> list[str]:
    there = {stem(word) for word in re.findall(r"\w+", text.lower())}
    return [word for word in words if stem(word) in there]


def _look_text(look: Sequence[Cell]) -> str:
    """What can be said of a look in words."""
    *names, stationary, direction = look
    moves = "standing still" if stationary else f"moving {direction}"
    return " ".join([*(str(name) for name in names if name is not None), moves])


def _tracklet_match(words: Sequence[str], key: int, look: Sequence[Cell], tags: str) -> Match:
    said = _look_text(look)
    named = _held(words, said)
    why = f"{look[1]}: {', '.join(named)}" if named else f'tag "{shortened(tags)}"'
    return Match("tracklet", key, coverage(words, f"{said} {tags}"), why)


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _json_list(texts: Sequence[str]) -> str:
    """As much of the list as one parameter holds."""
    kept: list[str] = []
    size = 0
    for text in texts:
        size += len(text) + 4
        if size > 40_000:  # a letter outside ASCII may take more than one place in JSON
            break
        kept.append(text)
    return json.dumps(kept, ensure_ascii=False)
