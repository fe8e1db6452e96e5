"""Finds which videos a question names, and takes their names out of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from onlooker.video.chat.grammar.words import words

_NAME_CUES = words("video clip file sequence movie videos film footage recording named called")
_NAMED_VIDEO = words("video clip film movie recording footage")
_NAME_LINKS = words("in of for from and")
_TAKEN = " video "
# "In a.mp4 or yard": a name that is a word like others is one beside another name.
_JOINED = r"(?:\s*,\s*|\s+)(?:(?:or|and|vs\.?|versus|than|as)\s+)?(?:(?:also|in|of|for|from|the|does|is)\s+)*"
# "Does yard have as many dogs as ...": a thing would have an article.
_HAVING = r"^(?:(?:and|so)\s+)?(?:does|do|did|is|has)\s+(?P<name>{name})(?=\s+(?:have|show|contain|longer|shorter)\b)"


class VideoNames:
    """The names of some videos, with and without their ending.

    Args:
        videos: key and name of each.
        known: words that mean something else in questions.
    """

    def __init__(self, videos: Iterable[tuple[int, str]], known: frozenset[str]) -> None:
        names = {(key, n) for key, v in videos for n in (v.lower(), v.lower().rsplit(".", 1)[0]) if n}
        self._names = sorted(names, key=lambda item: (-len(item[1]), item))
        self._known = known

    def taken_from(self, text: str) -> tuple[tuple[int, ...] | None, str]:
        """Keys of the videos a question names, in its order, and the question with "video" for each name."""
        places: dict[int, int] = {}
        whole = text
        for beside in (False, True):
            for key, name in self._names:
                if name not in text or key in places:
                    continue
                cut = _cut_beside(text, name) if beside else _cut(text, name, is_word=name in self._known)
                if cut is not None:
                    said = re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", whole)
                    places[key] = said.start() if said is not None else len(whole)
                    text = cut
            if not places:
                break
        return (tuple(sorted(places, key=lambda key: places[key])) or None), text


def _cut(text: str, name: str, is_word: bool) -> str | None:
    """The text without a video name; None where it stands inside a word, or is a common word or number by itself."""
    for match in re.finditer(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", text):
        before = text[: match.start()].replace('"', " ").replace("(", " ").split()
        behind = text[match.end() :].split()
        cued = bool(before) and before[-1].strip(",:") in _NAME_CUES
        cued = cued or (before[-1:] == ["the"] and bool(behind) and behind[0].strip("?,.") in _NAMED_VIDEO)
        if before[-2:] == ["in", "the"]:
            before.pop()  # "in the garden", where that is the name of a video
        linked = bool(before) and before[-1] in _NAME_LINKS
        common = is_word or len(name) < 3
        number = name.replace(".", "").isdigit() and not name.startswith("0")
        special = not name.isalpha() and not number
        if cued or (linked and not common and not number) or (special and not common):
            return f"{text[: match.start()]}{_TAKEN}{text[match.end() :]}"
    return None


def _cut_beside(text: str, name: str) -> str | None:
    """The text without a name that stands beside one that was taken: "which has more dogs, a.mp4 or yard?"."""
    bare = re.escape(name)
    for pattern in (
        rf"(?<=video){_JOINED}(?P<name>{bare})(?=\s*[?.!]|\s*$)",
        rf"(?<![\w.-])(?P<name>{bare})(?=\s+(?:or|and|vs\.?|versus)\s+(?:in\s+)?video\b)",
        rf"\bthan\s+(?:in\s+)?(?:the\s+)?(?P<name>{bare})(?=\s*[?.!]|\s*$)",
        _HAVING.format(name=bare),
    ):
        match = re.search(pattern, text)
        if match is not None:
            return f"{text[: match.start('name')]}{_TAKEN}{text[match.end('name') :]}"
    return None
