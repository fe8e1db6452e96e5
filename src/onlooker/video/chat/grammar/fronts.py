"""What stands around a question: polite fronts and tails, and tags that turn a statement into a question.

"Would you say that", "please", "if you do not mind" say nothing of what is asked. "Confirm that ...", "..., right?" and
"..., is it not?" make a yes/no question of what is otherwise a statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onlooker.video.chat.grammar.phrases import expand
from onlooker.video.chat.grammar.tokens import Token
from onlooker.video.chat.grammar.words import ASSERTING, LEADING, POLITE, QUESTION_WORDS, TAILS, words

Phrase = tuple[str, ...]


def _longest_first(patterns: Sequence[str]) -> tuple[Phrase, ...]:
    return tuple(sorted((p for line in patterns for p in expand(line)), key=len, reverse=True))


_ASSERTING = frozenset(p for line in ASSERTING for p in expand(line))
_FRONTS = frozenset({*_longest_first(POLITE), *_ASSERTING})
_LONGEST_FRONT = max(map(len, _FRONTS))
_TAILS = _longest_first(TAILS)
_ASIDES = frozenset(expand("would|do you say|think|guess|reckon|suppose|believe"))
_LINKS = words("whether if that")
# A clause that only says why somebody asks: "because they keep asking, I need to know whether ...".
_REASONS = words("because given although though seeing considering")
_POINTING = words("it they he she them him her its their his")
_BREAKS = words(", . ! : ; ? -")
_TAG_WORDS = words("right correct true yes yeah yep no eh huh innit agreed ok okay")
_AUXILIARIES = words("is are was were do does did has have had can could will would")
_OR_NOT = words("not never no nah nope none")
_TAG_PRONOUNS = words("it there he she they that this one we you i")
_ARTICLES = words("the a an any some these those")
_NEGATIONS = words("not never no")
_ASKING_WORDS = QUESTION_WORDS | {"why"}
_SEEN_BY_YOU = words("see spot read hear notice")
_SIDES = words("left right")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A question without what stands around it; `asserted` when what is left is a statement to be judged."""

    tokens: list[Token]
    asserted: bool


def unwrapped(tokens: list[Token]) -> Spoken:
    """Drops fronts, tails and tags; a text of nothing else stays as it is."""
    rest, asserted = _without_fronts(tokens)
    rest = _without_tails(_without_asides(_without_expected(rest)))
    said, tagged = _without_tag(rest)
    said = _without_tails(said)
    asks = any(t.text in _ASKING_WORDS for t in said)
    return Spoken(said or tokens, (asserted or tagged) and not asks)


def _without_fronts(tokens: list[Token]) -> tuple[list[Token], bool]:
    """Without the fronts of the whole and of its parts: "compared to the start, would you say that it ..."."""
    rest, asserted = _without_front(tokens)
    for i in range(len(rest) - 2, 0, -1):
        if rest[i].text in _BREAKS:
            behind, claims = _without_front(rest[i + 1 :], shortest=3)
            if len(behind) < len(rest) - i - 1 and len(behind) > 1:
                only_why = rest[0].text in _REASONS and not any(t.text in _POINTING for t in behind)
                rest, asserted = behind if only_why else [*rest[: i + 1], *behind], asserted or claims
                if only_why:
                    break
    return rest, asserted


def _without_front(tokens: list[Token], shortest: int = 1) -> tuple[list[Token], bool]:
    """Without "could you please tell me whether" and its like; says whether that claims what follows."""
    i, claims = 0, False
    while i < len(tokens):
        if tokens[i].text in LEADING and shortest == 1:
            i += 1
            continue
        texts = tuple(t.text for t in tokens[i : i + _LONGEST_FRONT])
        lengths = range(len(texts), shortest - 1, -1)
        hit = next((texts[:n] for n in lengths if texts[:n] in _FRONTS), None)
        if hit is None or _is_own_question(hit, texts) or i + len(hit) >= len(tokens):
            break
        claims = claims or hit in _ASSERTING
        i += len(hit)
    rest = tokens[i:]
    if i and len(rest) > 2 and rest[0].text in _LINKS:
        return rest[1:], True
    return (rest, claims) if _has_tail(rest) or not _has_tail(tokens) else (tokens, False)


def _is_own_question(front: Phrase, texts: Phrase) -> bool:
    """ "Can you see a dog?" asks about the dog."""
    return front in {("can", "you"), ("do", "you"), ("could", "you")} and bool(_SEEN_BY_YOU & set(texts[2:3]))


def _without_asides(tokens: list[Token]) -> list[Token]:
    """Without "would you say" in the middle: "how many would you say we can see?"."""
    kept: list[Token] = []
    i = 0
    while i < len(tokens):
        texts = tuple(t.text for t in tokens[i : i + 3])
        aside = texts in _ASIDES and any(t.text in _ASKING_WORDS for t in kept)
        kept += [] if aside else [tokens[i]]
        i += 3 if aside else 1
    return kept


def _without_expected(tokens: list[Token]) -> list[Token]:
    """ "Isn't there a tram?", "doesn't the dog leave?" ask what "is there a tram?" asks."""
    contracted = len(tokens) > 3 and tokens[0].text in _AUXILIARIES and tokens[1].text == "not"
    return [tokens[0], *tokens[2:]] if contracted and tokens[2].text in _TAG_PRONOUNS | _ARTICLES else tokens


def _without_tails(tokens: list[Token]) -> list[Token]:
    """Without "thanks", "if you do not mind", "would you" and their like at the end."""
    end = len(tokens)
    while end > 1:
        if tokens[end - 1].kind == "mark" and tokens[end - 1].text in _BREAKS:
            end -= 1
            continue
        texts = tuple(t.text for t in tokens[:end])
        hit = next((p for p in _TAILS if texts[-len(p) :] == p), None)
        if hit is None or len(hit) >= end or (len(hit) > 1 and tokens[end - len(hit) - 1].kind != "mark"):
            break
        end -= len(hit)
    return tokens[:end] if end < len(tokens) and _has_tail(tokens[end:]) else tokens


def _has_tail(tokens: Sequence[Token]) -> bool:
    return any(t.is_word for t in tokens)


def _without_tag(tokens: list[Token]) -> tuple[list[Token], bool]:
    """Without ", right?" or ", is it not?"; a negative statement with a positive tag asks the positive thing."""
    end = len(tokens)
    while end and tokens[end - 1].kind == "mark":
        end -= 1
    comma = next((i for i in range(end - 1, 0, -1) if tokens[i].text in {",", "-", "."}), None)
    texts = [t.text for t in tokens[:end]]
    if comma is None:
        comma = _bare_tag(texts)
    if comma is None or comma + 1 >= end:
        return tokens, False
    tag = texts[comma + 1 : end] if tokens[comma].kind == "mark" else texts[comma:end]
    said = tokens[:comma]
    kind = _tag_kind(tag, texts[:comma])
    if kind is None or not said or any(t.text in _ASKING_WORDS for t in said):
        return tokens, False
    if kind == "positive" and any(t.text in _NEGATIONS for t in said):
        said = [t for t in said if t.text not in _NEGATIONS]
    return said, True


def _bare_tag(texts: Sequence[str]) -> int | None:
    """Where a tag without a comma begins: "there is a dog is not there", "is it there or is it not"."""
    if list(texts[-4:-1]) == ["or", "am", "i"]:
        return len(texts) - 4
    if len(texts) > 2 and texts[-2] == "or" and texts[-1] in _OR_NOT:
        return len(texts) - 2
    begins = len(texts) - 3
    if begins < 3 or "not" not in texts[begins:] or not _is_helper_tag(list(texts[begins:])):
        return None
    return begins - (texts[begins - 1] == "or")


def _tag_kind(tag: list[str], said: Sequence[str]) -> str | None:
    """ "positive" for "is it?", "other" for every other tag, None for what is no tag."""
    if tag and tag[0] == "or":
        tag = tag[1:]
        if len(tag) == 1 and tag[0] in _OR_NOT:
            return "other"
    if tag[:2] == ["am", "i"] and len(tag) == 3:
        return "other"  # "or am I dreaming?"
    if len(tag) == 1:
        is_side = tag[0] == "right" and bool(_SIDES & set(said))
        return "other" if tag[0] in _TAG_WORDS and not is_side else None
    if tag in (["am", "i", "right"], ["am", "i", "wrong"], ["is", "that", "right"], ["is", "that", "so"]) or tag in (
        ["is", "that", "correct"], ["is", "that", "true"], ["do", "not", "you", "think"], ["you", "reckon"],
        ["yes", "or", "no"], ["true", "or", "false"], ["y", "/", "n"], ["yes", "/", "no"], ["t", "/", "f"],
    ):  # fmt: skip
        return "other"
    if not _is_helper_tag(tag) or (tag[-1] == "you" and "you" not in said):
        return None
    return "other" if "not" in tag else "positive"


def _is_helper_tag(tag: list[str]) -> bool:
    """ "is it", "does it not", "are not they"."""
    core = [word for word in tag if word != "not"]
    return len(core) == 2 and core[0] in _AUXILIARIES and core[1] in _TAG_PRONOUNS and len(tag) <= 3
