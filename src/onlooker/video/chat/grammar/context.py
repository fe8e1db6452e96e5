"""What the rules look at: the reading, the subjects in it, and what the conversation was about before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from onlooker.video.chat.grammar.clauses import Clause, find_clause, without
from onlooker.video.chat.grammar.mentions import Mention
from onlooker.video.chat.grammar.reading import Reading
from onlooker.video.chat.grammar.subjects import said_conditions, selection_of, with_conditions
from onlooker.video.chat.grammar.words import words
from onlooker.video.chat.query import Condition, Quantifier, Query, Selection, Window

_RESTRICTING = words(
    "with without holding carrying wearing on in under behind inside riding pushing using by near beside"
)


@dataclass(frozen=True, slots=True)
class Focus:
    """What the conversation is about.

    Attributes:
        subject: what "it" or "they" means: the subject of the last question, pinned where the answer chose one.
        group: the last set of things talked of, what "which of them" chooses from.
        recent: single things talked of, the latest first.
        named: what the last answer named, in its order.
        query: the last query.
        refused: the question after it was refused, so that a bare "when?" leans on nothing.
    """

    subject: Selection | None
    group: Selection | None
    recent: tuple[Selection, ...]
    named: tuple[Selection, ...]
    query: Query
    refused: bool = False


@dataclass(frozen=True)
class Scene:
    """One reading with its subjects resolved.

    `things` are the selections of explicit noun phrases; `pronoun` is what a pronoun refers to, when there is one and
    something to refer to.
    """

    reading: Reading
    focus: Focus | None
    mentions: tuple[Mention, ...]
    things: tuple[Selection, ...]
    pronoun: Selection | None
    clause: Clause | None = None

    @classmethod
    def of(cls, whole: Reading, focus: Focus | None) -> Scene:
        """Resolves the mentions of a reading; a clause that only says when is set apart."""
        clause = _resolved_clause(find_clause(whole), whole, focus)
        reading = whole if clause is None else without(whole, clause)
        explicit = _explicit(reading)
        things = tuple(_resolved(reading, m, focus) for m in explicit)
        pronoun = _pinned(focus, reading) if focus is not None and _refers_back(reading) else None
        return cls(reading, focus, explicit, things, pronoun, clause)

    def has(self, *codes: str) -> bool:
        return self.reading.has(*codes)

    @property
    def form(self) -> str:
        return self.reading.form

    @property
    def window(self) -> Window | None:
        return self.clause.window if self.clause is not None else self.reading.window

    @property
    def has_subject(self) -> bool:
        return bool(self.things) or self.pronoun is not None

    @property
    def subject(self) -> Selection:
        """The main subject: the first specific noun phrase, else a generic one, else the pronoun, else any object."""
        specific = [t for t in self.things if t.categories is not None or t.numbers or t.label or t.keys or t.rank]
        if specific:
            return self._asked_about() if specific[0].is_unknown else specific[0]
        if self.pronoun is not None:
            return self.pronoun
        return self.things[0] if self.things else self.whoever or Selection(plural=True)

    @property
    def whoever(self) -> Selection | None:
        """People, where "who" asks and no noun does: "who is there at 3 s?"; "who or what" may be anything."""
        asks = self.form == "which" and not self.things and self.reading.word("who", "whom")
        asks = asks and not self.reading.word("what", "which")
        return Selection("person", self.reading.people, plural=True) if asks and self.reading.people else None

    def _asked_about(self) -> Selection:
        """The noun right behind "how many" or "which", when the only specific noun is a stranger further on
        ("how many targets does the tracker follow?")."""
        stranger = next(i for i, t in enumerate(self.things) if t.is_unknown)
        mention = self.mentions[stranger]
        linked = self.reading.tokens[mention.start - 1].base in {"be", "of"} if mention.start else False
        if stranger and self.form in {"count", "which"} and not linked and not self._restricts(stranger):
            return self.things[0]
        known = [t for t in self.things[stranger + 1 :] if not t.is_unknown]
        return (
            known[0] if known and not self._restricts(stranger) and self._is_aside(mention) else self.things[stranger]
        )

    def _is_aside(self, mention: Mention) -> bool:
        """A noun before the word that asks: "for the headcount, how many people ..."."""
        return mention.end <= min(
            (self.reading.at(f) for f in ("count", "when", "where", "which", "how_long")), default=0
        )

    def _restricts(self, index: int) -> bool:
        """Whether the noun narrows the one before it: "people with umbrellas"."""
        before = self.reading.tokens[self.mentions[index].start - 1].text if self.mentions[index].start else ""
        return index > 0 and before in _RESTRICTING

    @property
    def stranger(self) -> Selection | None:
        """A noun that nothing is known of and that narrows the subject."""
        return next((t for i, t in enumerate(self.things) if t.is_unknown and self._restricts(i)), None)

    @property
    def specific(self) -> tuple[Selection, ...]:
        """Subjects that name something, the pronoun's first when it stands first."""
        named = tuple(t for t in self.things if t.categories is not None or t.numbers or t.label or t.keys)
        if self.pronoun is None:
            return named
        first = next((m.start for m in self.reading.mentions if m.kind == "pronoun"), 0)
        later = [m for m in self.mentions if m.start > first]
        return (self.pronoun, *named) if len(later) == len(self.mentions) else (*named, self.pronoun)

    @property
    def others(self) -> tuple[Selection, ...]:
        """Further subjects that are joined to the first by "and" or "or"."""
        found = []
        for before, mention, thing in zip(self.mentions, self.mentions[1:], self.things[1:], strict=False):
            between = [t.text for t in self.reading.tokens[before.end : mention.start]]
            if between and set(between) <= {"and", "or", ",", "&"}:
                found.append(thing)
        return tuple(found)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return said_conditions(self.reading)

    def narrowed(self) -> Selection:
        """The subject with everything said of it as a filter."""
        return with_conditions(self.subject, self.conditions)

    @property
    def main(self) -> Mention | None:
        """The mention behind `subject`, when it is an explicit one."""
        for mention, thing in zip(self.mentions, self.things, strict=True):
            if thing == self.subject:
                return mention
        return None

    @property
    def quantifier(self) -> Quantifier:
        main = self.main
        word = main.quantifier if main is not None else None
        if word in {"all", "both"} or (self.has("all") and word != "none"):
            return "all"
        return "none" if word == "none" else "any"


def united(things: Sequence[Selection]) -> Selection | None:
    """ "Cars or trucks", "cars 1 and 3": one selection of them all; None where that would lose what is said of one."""
    first = things[0]
    if any((t.conditions, t.rank, t.label, t.keys) != (first.conditions, None, None, ()) for t in things):
        return None
    if len(things) > 1 and all(t.numbers and t.categories == first.categories for t in things):
        return replace(first, numbers=tuple(dict.fromkeys(n for t in things for n in t.numbers)), plural=True)
    if len(things) > 1 and any(t.numbers or t.categories is None for t in things):
        return None
    categories = (
        tuple(dict.fromkeys(c for t in things for c in t.categories or ())) if first.categories is not None else None
    )
    noun = " or ".join(dict.fromkeys(t.noun for t in things))
    return replace(first, noun=noun, categories=categories)


def _resolved_clause(clause: Clause | None, reading: Reading, focus: Focus | None) -> Clause | None:
    """ "While it is there": the clause of what was talked of; without that it says nothing."""
    spoken = (m for m in reading.mentions if clause is not None and clause.start <= m.start < clause.end)
    if clause is None or all(m.kind != "pronoun" for m in spoken):
        return clause
    if focus is None or focus.subject is None:
        return clause
    return replace(clause, anchor=replace(clause.anchor, subject=replace(focus.subject, definite=True)))


def _explicit(reading: Reading) -> tuple[Mention, ...]:
    """Mentions that name something, each thing once: "where category = car and id = 3" is one, so is "every truck,
    ... the fastest one"."""
    found = [m for m in reading.mentions if m.kind != "pronoun" and not _is_the_rest(reading, m)]
    for i in range(len(found) - 1, 0, -1):
        earlier, later = found[i - 1], found[i]
        bare = later.kind == "number" and later.word.startswith("object ") and later.selection.categories is None
        if bare and earlier.kind == "noun" and not earlier.selection.plural:
            found[i - 1 : i + 1] = [
                replace(earlier, selection=replace(earlier.selection, numbers=later.selection.numbers), kind="number")
            ]
        elif later.kind == "one" and earlier.kind in {"noun", "unknown"} and _is_told_of(reading, earlier, later):
            named = replace(later.selection, noun=earlier.selection.noun, categories=earlier.selection.categories)
            found[i - 1 : i + 1] = [replace(later, selection=named, kind="noun")]
        elif later.kind == "one" and earlier.kind == "noun" and later.selection.conditions:
            like = replace(later.selection, noun=earlier.selection.noun, categories=earlier.selection.categories)
            found[i] = replace(later, selection=like, kind="noun")
        elif _same(earlier, later) and not _is_barred(reading, earlier, later):
            found.pop(i)
    return tuple(found)


def _is_told_of(reading: Reading, earlier: Mention, later: Mention) -> bool:
    """ "Which van is the fastest one", not "the van or the fastest one", "the moving car ... the parked one"."""
    between = {t.text for t in reading.tokens[earlier.end : later.start]}
    both = bool(earlier.selection.conditions) and bool(later.selection.conditions)
    return bool(between - {"and", "or", ","}) and not (both and earlier.selection.definite)


def _same(a: Mention, b: Mention) -> bool:
    """The same thing named twice."""
    plain = not a.selection.rank and not b.selection.rank and a.order is None and b.order is None
    alike = (a.selection.categories, a.selection.numbers, a.selection.conditions, a.selection.label) == (
        b.selection.categories, b.selection.numbers, b.selection.conditions, b.selection.label,
    )  # fmt: skip
    return plain and alike and a.kind != "unknown" and b.selection.definite and a.selection.categories is not None


def _is_barred(reading: Reading, earlier: Mention, later: Mention) -> bool:
    """ "Any animals besides the dog?", where dogs are the only animals: the second is left out of the first."""
    return any(earlier.end <= c.start < later.start for c in reading.cues.get("other_than", ()))


def _is_the_rest(reading: Reading, mention: Mention) -> bool:
    """ "All other cars", "any of the others": what a superlative is measured against, not a subject."""
    texts = [t.text for t in reading.tokens]
    said = set(texts[max(0, mention.start - 2) : mention.end])
    if "other than" in " ".join(texts[max(0, mention.start - 2) : mention.end]):
        return False
    return bool(said & {"other", "others", "remaining"}) and bool(said & {"all", "any", "every", "each", "than"})


def _refers_back(reading: Reading) -> bool:
    """Whether a pronoun means something outside the question: it stands before every noun, or closes the sentence
    ("is car 3 faster than it?"); in "the car ... where it started" it means the car."""
    nouns = [m.start for m in reading.mentions if m.kind != "pronoun"]
    for mention in reading.mentions:
        if mention.kind == "pronoun":
            closing = mention.end >= len(reading.tokens) or reading.tokens[mention.end].kind == "mark"
            if nouns and closing and reading.tokens[mention.start - 1].base == "be":
                continue  # "..., which is it?"
            if closing or not nouns or mention.start < nouns[0]:
                return True
    return False


def _pinned(focus: Focus, reading: Reading) -> Selection | None:
    subject = focus.subject
    if subject is None:
        return None
    one = not any(m.selection.plural for m in reading.mentions if m.kind == "pronoun")
    if one and subject.plural and subject.categories is None and not subject.keys and focus.recent:
        return focus.recent[0]  # "what else is there?", "how long does it stay?": what was talked of before
    return replace(subject, definite=True)


def _pointed_at(reading: Reading, mention: Mention, focus: Focus) -> Selection | None:
    """ "The other one", "the second one", "this person", "that one": something talked of before."""
    said = {t.text for t in reading.tokens[mention.start : mention.end]}
    subject = focus.subject
    if said & {"other", "others"}:
        current = subject.keys if subject is not None else ()
        pool = [s for s in (*focus.recent, *focus.named) if s.keys != current and _fits(mention, s)]
        return pool[0] if pool else None
    if said & {"this", "that", "these", "those"} and subject is not None and _fits(mention, subject):
        return subject if not mention.selection.numbers else None
    if mention.kind == "one" and mention.order is not None and not reading.has("start", "end", "appear"):
        index = mention.order - 1 if mention.order > 0 else -1
        return focus.named[index] if len(focus.named) > 1 and index < len(focus.named) else None
    return None


def _fits(mention: Mention, selection: Selection) -> bool:
    wanted = mention.selection.categories
    return wanted is None or not selection.categories or selection.categories[0] in wanted


def _resolved(reading: Reading, mention: Mention, focus: Focus | None) -> Selection:
    selection = selection_of(reading, mention)
    if focus is not None and mention.selection.definite:
        pointed = _pointed_at(reading, mention, focus)
        if pointed is not None:
            return pointed
    whole = None if focus is None else focus.group or focus.subject
    if mention.kind == "one" and whole is not None:
        return replace(selection, noun=whole.noun, categories=whole.categories, caveat=whole.caveat)
    who = reading.form == "which" and reading.word("who") and not reading.word("what", "which")
    if mention.kind == "one" and who and selection.categories is None and reading.people:
        return replace(selection, noun="person", categories=reading.people)  # "who is the last one to leave?"
    return selection
