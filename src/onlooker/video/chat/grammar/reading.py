"""What was understood of a question before deciding what it asks: times, mentions, phrases, sides, words left over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from onlooker.video.chat.grammar.deeds import Deed, DeedFinder
from onlooker.video.chat.grammar.forms import SPECIFIC, Form, form_of
from onlooker.video.chat.grammar.fronts import unwrapped
from onlooker.video.chat.grammar.mentions import SHADES, Mention, MentionReader
from onlooker.video.chat.grammar.moments import UNITS
from onlooker.video.chat.grammar.nouns import Nouns, is_plural, singular
from onlooker.video.chat.grammar.phrases import Cue, PhraseTable, cue_table
from onlooker.video.chat.grammar.rewordings import as_leave, in_place, same_kind
from onlooker.video.chat.grammar.segments import ASKING, Segment, beside, clause_behind, core, split
from onlooker.video.chat.grammar.sides import SIDES, Side, find_sides, is_side
from onlooker.video.chat.grammar.spelling import EnglishWords, Speller
from onlooker.video.chat.grammar.suspicion import SPELT, Suspicion, find_suspicion
from onlooker.video.chat.grammar.times import Found, find_windows
from onlooker.video.chat.grammar.tokens import NUMBER_WORDS, ORDINAL_WORDS, Token, normalise, tokenise
from onlooker.video.chat.grammar.verbs import BASE_FORMS, base_form
from onlooker.video.chat.grammar.video_names import VideoNames
from onlooker.video.chat.grammar.words import FUNCTION_WORDS, UNSUPPORTED, words
from onlooker.video.chat.query import TimePoint, Window
from onlooker.video.chat.vocabulary import Vocabulary

_UNSUPPORTED = {word: topic for topic, words in UNSUPPORTED.items() for word in words}
_NOUN_BEFORE = words(
    "a an the any some no every each all both many which what whose of these those this other and or with "
    "by than another more fewer less contain show see have has having feature include are there"
)
_WHOLE = Window("span", TimePoint(0.0, "share"), TimePoint(1.0, "share"))
_WORTH = words("good bad better worse best worst nice nicer nicest")
_NO_WORTH_BEFORE = words("look guess view morning afternoon evening day idea luck estimate thing")
_INSTANTS = words("instant moment time point second")
_QUESTION_WORDS = words("which what who whose when where how is are does do was were")
_COUNTING = words("many there any no some")  # "how many wheels": a noun, whatever verb it is elsewhere
_BEHIND_HOW = words("many much long far fast quickly slowly often big large close tall")


@dataclass(frozen=True)
class Reading:
    """One question, taken apart.

    `cues` maps a code of `words.CUES` to where it stands; `mentions` are in order; `strangers` are words that mean
    nothing to the grammar, `unsupported` topics no column holds; `corrections` are spelling changes (typed, meant).
    `deeds` are stored actions it names, `people` the categories that "who" means, `suspicion` that it asks whether
    something looks manipulated, `noise` words of no language.
    """

    question: str
    tokens: tuple[Token, ...]
    form: Form
    windows: tuple[Found, ...]
    mentions: tuple[Mention, ...]
    cues: dict[str, list[Cue]]
    sides: tuple[Side, ...]
    colors: tuple[tuple[int, tuple[str, ...]], ...]
    quotes: tuple[str, ...]
    videos: tuple[int, ...] | None
    strangers: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()
    english: frozenset[str] = frozenset()
    corrections: tuple[tuple[str, str], ...] = field(default=())
    deeds: tuple[Deed, ...] = ()
    people: tuple[str, ...] = ()
    suspicion: Suspicion | None = None
    noise: tuple[str, ...] = ()

    def has(self, *codes: str) -> bool:
        """Whether any of these cues is there."""
        return any(code in self.cues for code in codes)

    def at(self, code: str) -> int:
        """Index of the first token of a cue, or one past the end."""
        return self.cues[code][0].start if code in self.cues else len(self.tokens)

    def is_english(self, word: str) -> bool:
        """Whether a word of the question is common English."""
        return word in self.english

    def word(self, *texts: str) -> bool:
        """Whether any of these words occurs."""
        return any(token.text in texts for token in self.tokens)

    def outside_times(self, *texts: str) -> bool:
        """Whether any of these words occurs and is no part of a time: "first" of "who comes first in the first 5 s"."""
        timed = {i for found in self.windows for i in range(found.start, found.end)}
        return any(token.text in texts for i, token in enumerate(self.tokens) if i not in timed)

    def says_of_worth(self) -> bool:
        """ "Is he a good walker?", "which is better?"; not "have you had a good look?"."""
        pairs = zip(self.tokens, (*self.tokens[1:], None), strict=True)
        return any(t.text in _WORTH and (n is None or n.text not in _NO_WORTH_BEFORE) for t, n in pairs)

    def side(self, *roles: str) -> Side | None:
        """The first side word with one of these roles."""
        return next((side for side in self.sides if side.role in roles), None)

    @property
    def spans_all(self) -> bool:
        """ "From start to finish"."""
        return any(found.window == _WHOLE for found in self.windows)

    @property
    def window(self) -> Window | None:
        """The first time said; "from start to finish" is no restriction."""
        said = [found.window for found in self.windows if found.window != _WHOLE]
        exact = [w for w in said if w.kind == "at" and w.start is not None and w.start.base == "start"]
        loose = bool(said) and all(p is None or p.base == "share" for p in (said[0].start, said[0].end))
        window = exact[0] if loose and exact else said[0] if said else None  # "just before the end, at 5.8 s"
        if (
            window is not None
            and window.kind == "span"
            and window.end is None
            and self.word("currently", "now", "then")
        ):
            return Window("at", window.start, None)
        if window is not None and window.start is None and window.end is not None and self.says("at that", _INSTANTS):
            return Window("at", window.end, None)
        return window

    @property
    def claimed(self) -> frozenset[int]:
        """Tokens of times, noun phrases, sides and phrases that say something."""
        spans = [(m.start, m.end) for m in self.mentions] + [(w.start, w.end) for w in self.windows]
        spans += [(s.start, s.end) for s in self.sides]
        spans += [(c.start, c.end) for code, found in self.cues.items() if code != "filler" for c in found]
        return frozenset(i for start, end in spans for i in range(start, end))

    def says(self, front: str, words: frozenset[str]) -> bool:
        """Whether one of some words stands right behind a phrase."""
        said = [t.text for t in self.tokens]
        size = len(front.split())
        return any(said[i : i + size] == front.split() and said[i + size] in words for i in range(len(said) - size))

    @property
    def has_or(self) -> bool:
        return self.word("or", "vs", "versus")


@dataclass(slots=True)
class _Loose:
    """Mentions, indices of words that are strangers or topics nothing is stored about, and words of no language."""

    mentions: list[Mention]
    strangers: list[int]
    topics: list[int]
    noise: list[str]


def _asking_part(
    tokens: Sequence[Token],
    loose: _Loose,
    cues: dict[str, list[Cue]],
    sides: list[Side],
    colors: tuple[tuple[int, tuple[str, ...]], ...],
) -> tuple[list[Mention], dict[str, list[Cue]], list[Side], tuple[tuple[int, tuple[str, ...]], ...]]:
    """What counts of a question with asides: of the other parts only the things known and the times are kept.

    Strangers before the question word are dropped in any case: "I should be obliged to learn which ...".
    """
    unknown = {m.start for m in loose.mentions if m.kind == "unknown"}
    odd = frozenset({*loose.strangers, *loose.topics, *unknown})
    segments = split(tokens)
    part = core(tokens, segments, cues, loose.mentions, odd)
    asked = min((cue.start for code in SPECIFIC for cue in cues.get(code, ())), default=0)
    if not any(m.start < asked and m.kind != "pronoun" for m in loose.mentions):
        loose.strangers = [i for i in loose.strangers if i > asked]
    if part is None:
        return loose.mentions, cues, sides, colors
    loose.strangers = [i for i in loose.strangers if part.holds(i)]
    loose.topics = [i for i in loose.topics if part.holds(i)]
    barring = frozenset(c.start for c in cues.get("other_than", ()))
    parts = [part, *beside(tokens, segments, part, odd, barring)]
    excepted = [s for s in parts if s.start in barring]

    def counts(index: int) -> bool:
        return any(p.holds(index) for p in parts)

    own = any(part.holds(m.start) and m.kind not in {"pronoun", "one"} for m in loose.mentions)
    choice = any(t.text in {"or", "vs", "versus", "compare", "compared", "comparing"} for t in tokens)
    mentions = [
        m
        for m in loose.mentions
        if part.holds(m.start)
        or any(s.holds(m.start) for s in excepted)
        or ((not own or choice) and (counts(m.start) or (m.kind != "unknown" and m.start < part.start)))
    ]
    mentions = mentions if own or choice else _pointed_at(mentions, part)
    kept = {
        code: [c for c in found if part.holds(c.start) or (counts(c.start) and code not in ASKING) or code == "peak"]
        for code, found in cues.items()
    }
    return (
        mentions,
        {code: found for code, found in kept.items() if found},
        [s for s in sides if counts(s.start)],
        tuple(c for c in colors if counts(c[0])),
    )


def _pointed_at(mentions: list[Mention], part: Segment) -> list[Mention]:
    """Mentions without those before the asking part that its pronoun cannot mean: "everybody says there is a dog, when
    does it come?"."""
    pronoun = next((m for m in mentions if m.kind == "pronoun" and part.holds(m.start)), None)
    if pronoun is None:
        return mentions
    before = [m for m in mentions if m.start < part.start and m.kind != "pronoun"]
    meant = [m for m in before if m.selection.plural == pronoun.selection.plural][-1:]
    return [m for m in mentions if m not in before or m in meant] if meant else mentions


class QuestionReader:
    """Takes questions apart with the words of one library.

    Args:
        vocabulary: the words of the whole library.
        scope: keys of the videos asked about, None for all.
        categories: the categories of those videos.
    """

    def __init__(self, vocabulary: Vocabulary, scope: tuple[int, ...] | None, categories: Sequence[str]) -> None:
        self._vocabulary = vocabulary
        self._nouns = Nouns(categories, vocabulary.categories)
        self._table: PhraseTable = cue_table()
        words = self._table.words | FUNCTION_WORDS | set(_UNSUPPORTED) | set(SIDES) | set(SHADES) | set(BASE_FORMS)
        words |= {w for w in UNITS if len(w) > 2} | set(NUMBER_WORDS) | set(ORDINAL_WORDS)
        labels = {w for label in vocabulary.labels for w in label.split()}
        nouns = self._nouns.words
        plurals = {word + "s" for word in nouns}
        self._deeds = DeedFinder(vocabulary.actions, nouns)
        person = Nouns(categories, categories).lookup(("person",))
        self._people = (person.categories or ()) if person is not None else ()
        self._known = frozenset(SPELT | words | nouns | plurals | labels | self._deeds.words)
        self._english = EnglishWords()
        here = [v for v in vocabulary.videos if scope is None or v.key in scope]
        self._names = VideoNames(((v.key, v.name) for v in here), self._known)
        stored = self._nouns.stored_words
        stored |= {word + "s" for word in stored} | self._deeds.words
        self._speller = Speller(stored, self._table.words, self._known, self._english)

    def read(self, question: str) -> Reading:
        """The reading of one question."""
        videos, text = self._names.taken_from(normalise(question))
        spoken = unwrapped(tokenise(text))
        tokens, corrections = self._spelled(spoken.tokens)
        tokens = same_kind(in_place(self._unquoted(tokens)))
        tokens = clause_behind(self._without_call(tokens), self._table, self._nouns.is_noun)
        suspicion, tokens = find_suspicion(tokens, self._nouns.is_known, self._nouns.is_stored)
        windows = find_windows(tokens)
        timed = frozenset(i for w in windows for i in range(w.start, w.end))
        deeds = self._deeds.find(tokens, timed)
        if suspicion is not None:
            deeds = tuple(d for d in deeds if d.start not in suspicion.taken)
        blocked = timed | (suspicion.taken if suspicion is not None else frozenset())
        blocked |= {i for deed in deeds for i in range(deed.start, deed.end)}
        reader = MentionReader(tokens, self._nouns, dict(self._vocabulary.labels))
        mentions = reader.read(blocked)
        # Phrases may run over a pronoun ("how long does it take"), not over a noun phrase.
        solid = {i for m in mentions if m.kind != "pronoun" for i in range(m.start, m.end)}
        cues = [c for c in self._table.find(tokens, blocked | solid) if not is_side(tokens, c)]
        taken = blocked | {i for m in mentions for i in range(m.start, m.end)}
        taken |= {i for c in cues for i in range(c.start, c.end)}
        sides = find_sides(tokens, frozenset(taken))
        taken |= {i for s in sides for i in range(s.start, s.end)}
        colors = tuple((i, SHADES[t.text]) for i, t in enumerate(tokens) if t.text in SHADES and i not in taken)
        taken |= {i for i, _ in colors}
        loose = self._left_over(tokens, reader, mentions, frozenset(taken), blocked)
        table: dict[str, list[Cue]] = {}
        for cue in cues:
            table.setdefault(cue.code, []).append(cue)
        mentions, table, sides, colors = _asking_part(tokens, loose, table, sides, colors)
        return Reading(
            question=question,
            tokens=tuple(tokens),
            form=form_of(tokens, table, timed, mentions, spoken.asserted),
            windows=tuple(windows),
            mentions=tuple(mentions),
            cues=table,
            sides=tuple(sides),
            colors=colors,
            quotes=tuple(t.text for t in tokens if t.kind == "quote"),
            videos=videos,
            strangers=tuple(tokens[i].text for i in loose.strangers),
            unsupported=tuple(dict.fromkeys(_UNSUPPORTED[tokens[i].text] for i in loose.topics)),
            english=frozenset(
                form for t in tokens if t.is_word and self._is_english(t.text) for form in (t.text, singular(t.text))
            ),
            corrections=corrections,
            deeds=deeds,
            people=self._people,
            suspicion=suspicion,
            noise=tuple(loose.noise),
        )

    def _unquoted(self, tokens: list[Token]) -> list[Token]:
        """ "How many 'cars' are there?", "a 'red' car": marks round things and colours, where no words are meant."""
        if not any(t.kind == "quote" for t in tokens):
            return tokens
        codes = {cue.code for cue in self._table.find(tokens, frozenset())}
        if codes & {"speech", "text", "sound"} or any(t.text in {"word", "words", "phrase"} for t in tokens):
            return tokens
        plain: list[Token] = []
        for token in tokens:
            inner = tokenise(token.text) if token.kind == "quote" else []
            kind = [t.text for t in inner if t.text not in SHADES]
            known = all(t.is_word for t in inner) and (not kind or self._nouns.lookup(kind) is not None)
            bare = token.kind == "quote" and known  # marks round nothing go too
            plain += [replace(t, start=token.start, end=token.end) for t in inner] if bare else [token]
        return plain

    def _without_call(self, tokens: list[Token]) -> list[Token]:
        """Without a word of no language right before what is asked: "bruh, is there a cow", "idk which is faster"."""
        first = tokens[0].text if len(tokens) > 2 and tokens[0].is_word else ""
        strange = first and first not in self._known and not self._is_english(first)
        behind = 2 if len(tokens) > 3 and tokens[1].text == "," else 1
        return tokens[behind:] if strange and tokens[behind].text in _QUESTION_WORDS else tokens

    def _is_english(self, word: str) -> bool:
        return word in self._english or singular(word) in self._english

    def _spelled(self, tokens: list[Token]) -> tuple[list[Token], tuple[tuple[str, str], ...]]:
        corrected, changes = [], []
        tokens = [part for token in tokens for part in self._parted(token)]
        for i, token in enumerate(tokens):
            meant = token.text
            if token.is_word and token.text not in self._known and singular(token.text) not in self._known:
                following = self._speller.correct(tokens[i + 1].text) if i + 1 < len(tokens) else ""
                # "hwo many" is as near to "who" as to "how": what follows decides.
                how = following in _BEHIND_HOW and sorted(token.text) == sorted("how")
                meant = "how" if how else self._speller.correct(token.text)
            if meant != token.text:
                changes.append((token.text, meant))
                number = float(NUMBER_WORDS[meant]) if meant in NUMBER_WORDS else None
                kind: Literal["word", "number"] = "number" if number is not None else "word"
                token = replace(token, text=meant, base=base_form(meant), number=number, kind=kind)
            corrected.append(token)
        return [as_leave(corrected, i) for i in range(len(corrected))], tuple(changes)

    def _parted(self, token: Token) -> list[Token]:
        """ "sametime" as two words, but "fastset" with its letters swapped; every other token alone."""
        parts = self._speller.split(token.text) if token.is_word else None
        meant = self._speller.correct(token.text) if parts is not None else token.text
        swapped = meant != token.text and sorted(meant) == sorted(token.text)
        if parts is None or swapped:
            return [token]
        return [replace(token, text=part, base=base_form(part)) for part in parts]

    def _left_over(
        self,
        tokens: Sequence[Token],
        reader: MentionReader,
        mentions: list[Mention],
        taken: frozenset[int],
        blocked: frozenset[int],
    ) -> _Loose:
        """Sorts words that nothing claimed: topics without a column, nouns of strange things, adjectives, the rest."""
        found, strangers, topics, noise = list(mentions), [], [], []
        i = 0
        while i < len(tokens):
            if i in taken or not self._is_stranger(tokens[i]):
                if i not in taken and tokens[i].text in _UNSUPPORTED:
                    topics.append(i)
                i += 1
                continue
            end = i + 1
            while end < len(tokens) and end not in taken and self._is_stranger(tokens[end]):
                end += 1
            owner = next((k for k, m in enumerate(found) if m.start == end and m.kind != "pronoun"), None)
            counted = i > 0 and tokens[i - 1].text in _COUNTING and is_plural(tokens[end - 1].text)
            if not counted and all(t.base in BASE_FORMS and t.base != t.text for t in tokens[i:end]):
                pass  # a verb the grammar knows but no phrase uses: "what box surrounds the car"
            elif owner is not None:
                strange = tuple(t.text for t in tokens[i:end] if t.text in self._english)
                noise += [t.text for t in tokens[i:end] if t.text not in self._english]
                held = found[owner]
                selection = replace(held.selection, adjectives=(*held.selection.adjectives, *strange))
                found[owner] = replace(held, selection=selection, start=i)
            elif self._is_noun_place(tokens, i, found):
                floor = max((m.end for m in found if m.end <= i), default=0)
                found.append(reader.unknown_at(i, end, floor, blocked))
            else:
                strangers += [k for k in range(i, end) if tokens[k].text in self._english]
                noise += [tokens[k].text for k in range(i, end) if tokens[k].text not in self._english]
            i = end
        return _Loose(sorted(found, key=lambda m: m.start), strangers, topics, noise)

    def _is_stranger(self, token: Token) -> bool:
        if token.kind == "quote":
            return False
        known = (
            any(form in FUNCTION_WORDS for form in stems(token.text))
            or token.base in FUNCTION_WORDS
            or token.text in _UNSUPPORTED
        )
        return token.is_word and not known and len(token.text) > 1

    def _is_noun_place(self, tokens: Sequence[Token], i: int, mentions: Sequence[Mention]) -> bool:
        """Whether the word at i stands where a noun does: behind a determiner or a number, or as the only noun."""
        before = tokens[i - 1] if i else None
        if before is None or before.kind in {"number", "mark"}:
            return True
        if before.text in _NOUN_BEFORE or before.text in SHADES:
            return True
        return not [m for m in mentions if m.kind != "pronoun"]


def stems(word: str) -> tuple[str, ...]:
    """The word and what it may be a form of: "corresponds" of "correspond"."""
    found = [word]
    for ending, base in (("s", ""), ("es", ""), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e")):
        if word.endswith(ending) and len(word) > len(ending) + 3:
            found.append(word[: -len(ending)] + base)
    return tuple(found)
