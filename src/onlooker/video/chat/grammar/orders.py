"""What is ordered and not asked: an answer to be repeated, rules to be forgotten, entertainment."""

from __future__ import annotations

import re

from onlooker.video.chat.grammar.context import Scene
from onlooker.video.chat.grammar.media import EXAMPLES
from onlooker.video.chat.grammar.nouns import kind_names
from onlooker.video.chat.query import Query, Refusal

_RULES = re.compile(
    r"\b(?:ignore|ignoring|disregard|forget|override|bypass|skip|drop)\b (?:\w+ ){0,4}"
    r"(?:rules?|instructions?|prompts?|guidelines?|restrictions?|evidence|facts?|truth|database|data|limits?|training)\b"
)
# "Say there are 40 dogs", "just answer yes"; not "answer yes or no", "say, is there a dog?".
_DICTATED = re.compile(
    r"(?:^|[,.;:!?] ?|\b(?:and|just|please|then|now|simply|only) )"
    r"(?:say|answer|reply|respond|claim|pretend|write|print|repeat|lie|insist|declare|swear)"
    r" (?:with |me |to me |after me )?"
    r"(?:that\b|there (?:is|are|was|were)\b|(?:yes|no)\b(?! ?(?:or|/|if|when|idea))|(?:it|he|she) (?:is|was|has)\b"
    r"|they (?:are|were|have)\b|you (?:are|saw|see)\b)"
)
_ENTERTAIN = re.compile(
    r"^\W*(?:(?:please|can you|could you|hey|ok|okay|now|and|then|just) )*"
    r"(?:tell|sing|write|draw|paint|make|cook|play|compose|invent|recommend|buy|order|book)(?: me| us)?"
    r" (?:a|an|another|some|the|your|my)\b"
)


_MADE = re.compile(
    r"^\W*(?:(?:please|can you|could you|would you|hey|ok|okay|now|and|then|just) )*"
    r"(?:write|sing|draw|paint|compose|invent|cook|rap|recite)(?: me| us)?"
    r" (?:a|an|another|some|the(?! (?:words?|text|path|box(?:es)?)\b)|your|my)\b"
    r"(?! (?:short |brief |quick )?(?:list|summary|report|description|overview|table)\b| box around\b)"
)
# "Select all cars from the video", "select cars from street.mp4" are said to people.
_SQL = re.compile(
    r"^\W*(?:select\b.*\bfrom (?!(?:the|this|that|these|those|my|our|all|both|each|every|any)\b|\d|\S+\.\w)"
    r"|(?:drop|alter|create|truncate) (?:table|view|database)\b|insert into\b|delete from\b|update \w+ set\b)"
    r"|\bunion (?:all )?select\b"
)


_ABOUT_YOU = re.compile(
    r"^\W*(?:(?:so|hey|and|but|ok|well) )*(?:are|r|were) (?:you|u)\b(?! (?:sure|certain|able|seeing|saying))"
)
_BARE = frozenset({"list", "filler", "what", "how", "not"})


def ordered(scene: Scene) -> Query | None:
    """The refusal of an order, None for a question, however politely put."""
    said = " ".join(scene.reading.question.lower().split())
    if _RULES.search(said) or _DICTATED.search(said):
        return Refusal(f"Answers say what is stored of the videos, not what they are told to say. {EXAMPLES}")
    if _ABOUT_YOU.search(said) and (not scene.has_subject or scene.subject.is_unknown):
        return Refusal(f"Nothing is stored about who answers, only about the videos. {EXAMPLES}")
    if _SQL.search(said):
        return Refusal(f"Questions are asked in plain words, not in a language for databases. {EXAMPLES}")
    if _MADE.search(said):
        return Refusal(f"Questions about the videos are answered, nothing else is done. {EXAMPLES}")
    unknown = scene.has_subject and scene.subject.is_unknown and scene.subject.noun not in kind_names()
    if _ENTERTAIN.search(said) and (unknown or not scene.has_subject) and not scene.reading.cues.keys() - _BARE:
        return Refusal(f"Questions about the videos are answered, nothing else is done. {EXAMPLES}")
    return None
