"""Finds in a question that it asks whether something looks manipulated: "which faces look fake", "is he real?".

Only words in the place of such a question count: behind "be", "look" or "seem" ("was her face edited?"), before
somebody or something the library knows ("the fake faces"), or as a noun ("any deepfakes?"). "The real speed", "who
edited this" and "the sign says fake" stay with the other rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from onlooker.video.chat.grammar.tokens import Token
from onlooker.video.chat.grammar.words import words

FAKE = words(
    "fake faked phony phoney bogus deepfaked deep-faked forged tampered manipulated altered edited doctored "
    "photoshopped retouched synthetic synthesised synthesized falsified ai-generated computer-generated face-swapped "
    "fabricated tampered-with counterfeit faker fakest inauthentic fishy"
)
REAL = words("real genuine authentic legit unaltered unedited untampered unmanipulated unmodified undoctored")
NOUNS = words(
    "deepfake deepfakes deep-fake deep-fakes forgery forgeries fakes manipulation manipulations tampering fakery "
    "face-swap face-swaps"
)
_FACES = {"face": "person", "faces": "people"}
_POINTING = {"this": "it", "that": "it", "these": "they", "those": "they"}
_ALSO = words("face faces likeliest suspicious flag flagged photoshop swap swaps swapped")
SPELT = FAKE | REAL | NOUNS | _ALSO

_BEING = words("be look seem appear get become sound feel")
_LOOKING = words("look looks looked looking seem seems seemed appear appears appeared")
# What may stand behind "fake" at the end of what it is said of.
_BEHIND = words(
    "after past beyond before between at in from during until till by to with or and than according here now then "
    "anywhere ever when while since around within throughout somewhere somehow somewhat there first last as if on "
    "please right again one ones because for digitally me you exactly today again over near the this that about"
)
_NOT_BEHIND = words("by for the this that")  # of these only at the end of a time ("by 3 s") or never
_LEADING = words(
    "look looks looked looking seem seems seemed appear appears appeared to be been being have has had like a an "
    "digitally obviously clearly possibly likely probably really very most more least potentially actually perhaps "
    "maybe completely entirely totally partly partially artificially so too at all slightly heavily somehow as if"
)
_ADVERBS = words("most more obviously clearly possibly likely probably potentially digitally artificially very")
_SIGNS = words("sign signs trace traces evidence proof hint hints indication indications clue clues mark marks")
_FLAGS = words("flag flags flagged")
_MEASURES = words("probability likelihood chance chances odds score confidence certainty")
_HOW = words("likely probable sure certain confident fake real genuine authentic manipulated suspicious")
# Questions about words and sounds; nothing judges those.
_NOT_SEEN = words(
    "text sign signs subtitle subtitles caption captions word words say says said saying sentence speech voice voices "
    "audio sound sounds music news written read name names mention mentions mentioned speak spoken talk story"
)
_AGENTS = words("someone anyone somebody anybody they people")
_DONE_TO = words(
    "manipulate manipulated tamper tampered alter altered edit edited fake faked forge forged doctor doctored "
    "photoshop photoshopped swap swapped"
)
_THEM = words("person people persons anyone anybody someone somebody him her them")
_VIDEOS = words("video clip footage film movie recording picture image photo scene")
_MADE = words("made generated created drawn produced rendered")
_OWNERS = words("his her their its whose 's")

Place = Literal["behind", "before", "noun"]


@dataclass(frozen=True, slots=True)
class Suspicion:
    """That a question asks whether something looks manipulated.

    Attributes:
        said: the word of the question.
        genuine: it asks the other way round, whether something is real.
        most: it asks for the most suspicious one.
        measured: it asks how likely that is.
        taken: indices of the words that say so, and of "face" where an owner is named.
    """

    said: str
    genuine: bool
    most: bool
    measured: bool
    taken: frozenset[int]


def find_suspicion(
    tokens: Sequence[Token], is_known: Callable[[str], bool], is_stored: Callable[[str], bool]
) -> tuple[Suspicion | None, list[Token]]:
    """The suspicion of a question and its tokens, with "face" read as the one it belongs to.

    Args:
        is_known: whether a noun names something in the library, or anything at all ("object").
        is_stored: whether a word is a category of the library by itself.
    """
    finder = _Finder(tokens, is_known)
    found = finder.find()
    if found is None:
        return None, list(tokens)
    taken = set(found.taken)
    changed = list(tokens)
    for i, token in enumerate(tokens):
        if token.text in _POINTING and i and i + 1 in found.taken and tokens[i - 1].base in {"be", "do", "have"}:
            changed[i] = replace(token, text=_POINTING[token.text], base=_POINTING[token.text])  # "is that real?"
        if i in taken or token.text not in _FACES or is_stored(token.text):
            continue
        before, behind = finder.text(i - 1), finder.text(i + 1)
        if behind == "of":
            taken |= {i, i + 1} | ({i - 1} if before in {"the", "a"} else set())
        elif before in _OWNERS or before in {"persons", "people"}:  # "which persons' faces"
            taken.add(i)
        elif before == "s" and i > 1 and tokens[i - 2].kind == "number":  # "person 1's face"
            taken |= {i - 1, i}
        else:
            changed[i] = replace(token, text=_FACES[token.text], base=_FACES[token.text])
    return replace(found, taken=frozenset(taken)), changed


class _Finder:
    """One question being looked through."""

    def __init__(self, tokens: Sequence[Token], is_known: Callable[[str], bool]) -> None:
        self._tokens, self._is_known = tokens, is_known

    def text(self, i: int) -> str:
        return self._tokens[i].text if 0 <= i < len(self._tokens) else ""

    def find(self) -> Suspicion | None:
        found = [(i, place) for i in range(len(self._tokens)) if (place := self._place(i)) is not None]
        if not found:
            return None
        taken = {j for i, place in found for j in self._with_words_around(i, place)}
        for (a, _), (b, _) in pairwise(found):  # "real or fake", "edited or manipulated"
            between = {self.text(j) for j in range(a + 1, b)} - {""}
            if between <= {"or", "and", "a", "an"}:
                taken |= set(range(a, b))
        measured = self._measures()
        taken |= measured | {i for i in range(len(self._tokens)) if self._is_flagging(i)}
        if any(t.text in _NOT_SEEN for i, t in enumerate(self._tokens) if i not in taken):
            return None
        said = [self.text(i) for i, _ in found]
        most = self._most(taken)
        return Suspicion(said[0], all(word in REAL for word in said), most, bool(measured), frozenset(taken))

    def _place(self, i: int) -> Place | None:
        """How the word at i says that something is manipulated, or that it is real."""
        token = self._tokens[i]
        if not token.is_word:
            return None
        text, before = token.text, self.text(i - 1)
        if text in NOUNS or (text == "deep" and self.text(i + 1) in {"fake", "fakes"}) or self._is_swap(i):
            return "before" if self._names_someone(i) and text != "deep" else "noun"
        suspicious = text == "suspicious" and (before == "most" or self._has_face())
        generated = text == "generated" and before in {"ai", "computer", "artificially", "digitally"}
        by_ai = text == "ai" and self.text(i + 1) != "generated"  # "is he AI?", "was it generated by AI?"
        if not (text in FAKE or text in REAL or suspicious or generated or by_ai):
            return "behind" if text in _DONE_TO and self._is_done_by_somebody(i) else None
        # "Fake faces", "the fake score of person 2", "the most suspicious moment".
        moment = suspicious and self.text(i + 1) in {"moment", "moments", "part", "parts", "frame", "frames"}
        if self._names_someone(i) or self.text(i + 1) in _MEASURES or moment:
            return "before"
        if by_ai and not self._is_said_of(i):
            return "behind" if before in {"by", "with"} and self.text(i - 2) in _MADE else None
        if (self._is_said_of(i) or self._is_choice(i)) and not self._is_about_making(i):
            return "behind"
        by_someone = text in _DONE_TO and self._is_done_by_somebody(i)
        return "behind" if by_someone else None

    def _names_someone(self, i: int) -> bool:
        """ "Fake faces", "the real person": right before somebody, or for what is fake before anything known."""
        word = self.text(i + 1)
        if word in _FACES:
            return not (word == "face" and self.text(i + 2) in {"mask", "paint", "swap", "value", "covering"})
        if word in {"person", "people", "persons", "man", "men", "woman", "women", "human", "humans"}:
            return True
        return self.text(i) not in REAL and bool(word) and self._tokens[i + 1].is_word and self._is_known(word)

    def _is_said_of(self, i: int) -> bool:
        """ "Is he fake?", "which people look edited after 3 s?": behind "be" or "look", and nothing it belongs to."""
        noun = self.text(i) == "fake" and self.text(i - 1) == "the"  # "which one is the fake?"
        if self.text(i - 1) in {"for", "the", "its"} and not noun:
            return False
        if not any(t.is_word for j, t in enumerate(self._tokens) if j != i):
            return True  # "fake?"
        asked_how = self.text(i - 1) == "how"
        said = any(t.base in _BEING or self._is_flagging(j) for j, t in enumerate(self._tokens[:i]))
        if not asked_how and not said:
            return False
        if asked_how or i + 1 >= len(self._tokens) or self._tokens[i + 1].kind == "mark":
            return True
        behind = self.text(i + 1)
        if self.text(i) in FAKE and behind == "with" and self.text(i).startswith("tamper"):
            return i + 2 >= len(self._tokens) or self._tokens[i + 2].kind == "mark" or self.text(i + 2) in _BEHIND
        if behind in _NOT_BEHIND:
            return behind == "by" and i + 2 < len(self._tokens) and self._tokens[i + 2].kind in {"number", "clock"}
        return behind in _BEHIND or behind in FAKE or behind in REAL

    def _is_choice(self, i: int) -> bool:
        """ "Person 3: real or fake?"."""
        pair = {self.text(i), self.text(i + 2) if self.text(i + 1) == "or" else self.text(i - 2)}
        chosen = self.text(i + 1) == "or" or self.text(i - 1) == "or"
        return chosen and bool(pair & FAKE) and bool(pair & REAL)

    def _is_flagging(self, i: int) -> bool:
        """ "Did the judge flag anyone as fake?"; a flag with an article is a thing."""
        return self.text(i) in _FLAGS and self.text(i - 1) not in {"the", "a", "this", "that", "any", "his", "her"}

    def _is_about_making(self, i: int) -> bool:
        """ "When was the video edited?", "how was it edited?": about the making of a film."""
        if self.text(i) not in {"edited", "altered", "retouched"} or self._has_face():
            return False
        looks = any(t.text in _LOOKING for t in self._tokens[:i])
        asked = any(t.text in {"when", "how", "where", "who", "why", "what"} for t in self._tokens[:i])
        return asked and not looks and any(t.text in _VIDEOS for t in self._tokens)

    def _is_done_by_somebody(self, i: int) -> bool:
        """ "Did someone tamper with his face?", "did somebody photoshop person 3?"."""
        agent = self.text(i - 1) in _AGENTS and self._tokens[i - 2].base in {"do", "have"} if i >= 2 else False
        done_to = self.text(i + 2) if self.text(i + 1) == "with" else self.text(i + 1)
        somebody = done_to in _THEM and not self.text(i).startswith("swap")
        return agent and (somebody or any(t.text in _FACES for t in self._tokens[i + 1 :]))

    def _is_swap(self, i: int) -> bool:
        swap = self.text(i) in {"swap", "swaps", "swapped"}
        return swap and (self.text(i - 1) == "face" or (self.text(i) == "swapped" and self._has_face()))

    def _has_face(self) -> bool:
        return any(t.text in _FACES for t in self._tokens)

    def _with_words_around(self, i: int, place: Place) -> set[int]:
        """The word at i and those that only lead to it: "appears to have been edited", "signs of tampering"."""
        taken = {i}
        if self.text(i) == "deep":
            taken.add(i + 1)
        if self.text(i + 1) == "with" and self.text(i).startswith("tamper"):
            taken.add(i + 1)
        j = i - 1
        if self.text(j) == "face" and self._is_swap(i):
            taken.add(j)
            j -= 1
        if self._is_done_by_somebody(i):
            taken.add(j)
            return taken
        if self.text(i) == "ai" and self.text(j) in {"by", "with"}:
            taken |= {j, j - 1}
            j -= 2
        leading = _ADVERBS if place == "before" else _LEADING
        # The word that opens a question says of what form it is.
        while j > 0 and (self.text(j) in leading or self._opens_generated(i, j)):
            taken.add(j)
            j -= 1
        if place == "noun":
            k = j - 1 if self.text(j) == "of" or (j > 0 and self.text(j) == "any") else j
            k = k - 1 if self.text(k) == "of" else k
            if self.text(k) in _SIGNS and k < j:
                taken |= set(range(k, i)) | ({k - 1} if self.text(k - 1) in {"any", "a", "the"} and k > 1 else set())
        return taken | self._sign_that(i)

    def _opens_generated(self, i: int, j: int) -> bool:
        return j == i - 1 and self.text(i) == "generated" and self.text(j) in {"ai", "computer"}

    def _sign_that(self, i: int) -> set[int]:
        """ "Any evidence that person 3 is fake": the evidence is the same question."""
        for j in range(i):
            if self.text(j) in _SIGNS and self.text(j + 1) == "that":
                return {j, j + 1} | ({j - 1} if j and self.text(j - 1) in {"any", "some"} else set())
        return set()

    def _measures(self) -> set[int]:
        """ "How likely is it that ...", "the probability that ...", "how fake does he look"."""
        for i in range(len(self._tokens)):
            if self.text(i) == "how" and self.text(i + 1) in _HOW:
                return {i + 1} | self._it_that(i + 2)
            if self.text(i) in _MEASURES:
                linked = {i + 1} if self.text(i + 1) in {"that", "of"} else set()
                return {i} | linked | ({i - 1} if self.text(i - 1) == "the" else set())
        return set()

    def _it_that(self, i: int) -> set[int]:
        """ "(is) it that", "(are you) that": words that only link."""
        end = next((j for j in range(i, min(i + 4, len(self._tokens))) if self.text(j) == "that"), None)
        return set() if end is None else set(range(i, end + 1))

    def _most(self, taken: set[int]) -> bool:
        return any(self.text(i) in {"most", "likeliest", "fakest"} for i in taken)
