"""From a question to an answer with its proof: read, plan, run, word."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace

from onlooker.video.answer import Answer
from onlooker.video.chat.compile import Scope
from onlooker.video.chat.conversation import Conversation
from onlooker.video.chat.grammar import Focus, Planned, QuestionReader, plan
from onlooker.video.chat.query import (
    AttributeQuery,
    BoxQuery,
    CategoriesQuery,
    CheckQuery,
    CompareQuery,
    CountCompareQuery,
    CountQuery,
    DurationQuery,
    ExistsQuery,
    ListQuery,
    MomentQuery,
    PathQuery,
    PeakQuery,
    Query,
    Refusal,
    Selection,
    VideosQuery,
)
from onlooker.video.chat.respond import comparing, counts, listing, moments
from onlooker.video.chat.respond.session import Draft, Session
from onlooker.video.chat.vocabulary import Reader, Vocabulary

MAX_QUESTION_CHARS = 2000


def answer_question(
    reader: Reader, question: str, scope: Scope = None, conversation: Conversation | None = None
) -> Answer:
    """Answers one question from the library behind `reader`.

    Args:
        reader: runs checked SELECTs over the views.
        question: any text; only its first 2,000 characters are read.
        scope: library keys of the videos to look at, None for all of them.
        conversation: what was asked before; updated with this answer.
    """
    return Answerer(reader).answer(question, scope, conversation)


class Answerer:
    """Answers questions over one reader and reads the library's words once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._vocabulary: Vocabulary | None = None
        self._readers: dict[Scope, QuestionReader] = {}

    @property
    def vocabulary(self) -> Vocabulary:
        if self._vocabulary is None:
            self._vocabulary = Vocabulary.read(self._reader)
        return self._vocabulary

    def refresh(self) -> None:
        """Forgets the library's words, after videos came or went."""
        self._vocabulary = None
        self._readers.clear()

    def answer(self, question: str, scope: Scope = None, conversation: Conversation | None = None) -> Answer:
        """See `answer_question`."""
        started = time.perf_counter()
        talk = conversation if conversation is not None else Conversation()
        planned = self.plan(question, scope, talk)
        inside = planned.query.videos if planned.query.videos is not None else scope
        session = Session(self._reader, self.vocabulary, inside)
        draft = _respond(session, planned.query)
        answer = _finished(question, draft, planned, (time.perf_counter() - started) * 1000)
        _remember(talk, planned.query, draft, answer)
        return answer

    def plan(self, question: str, scope: Scope, conversation: Conversation | None = None) -> Planned:
        """The query a question means, without running it."""
        if scope not in self._readers:
            self._readers[scope] = QuestionReader(self.vocabulary, scope)
        reading = self._readers[scope].read(question[:MAX_QUESTION_CHARS])
        return plan(reading, conversation.focus if conversation is not None else None)


Responder = Callable[[Session, Query], Draft]


def _respond(session: Session, query: Query) -> Draft:
    match query:
        case CountQuery():
            return counts.count(session, query)
        case ExistsQuery():
            return counts.exists(session, query)
        case CountCompareQuery():
            return counts.count_compare(session, query)
        case PeakQuery():
            return counts.peak(session, query)
        case CategoriesQuery():
            return counts.categories(session, query)
        case ListQuery():
            return listing.listing(session, query)
        case AttributeQuery():
            return listing.attribute(session, query)
        case CheckQuery():
            return listing.check(session, query)
        case VideosQuery():
            return listing.videos(session, query)
        case CompareQuery():
            return comparing.compare(session, query)
        case MomentQuery():
            return moments.moment(session, query)
        case DurationQuery():
            return moments.duration(session, query)
        case BoxQuery():
            return moments.where(session, query)
        case PathQuery():
            return moments.path(session, query)
        case Refusal():
            return Draft(query.text, None, "cannot_answer", confidence=1.0)
    return Draft("This kind of question is not answered yet.", None, "cannot_answer")


def _finished(question: str, draft: Draft, planned: Planned, elapsed_ms: float) -> Answer:
    sql = draft.statement.rendered if draft.statement is not None else None
    seed = "\0".join((question, sql or "", repr(draft.value)))
    return Answer(
        question=question,
        status=draft.status,
        text=draft.text,
        value=draft.value,
        unit=draft.unit,
        claims=tuple(draft.claims),
        evidence=tuple(draft.evidence),
        sql=sql,
        columns=draft.columns,
        rows=draft.rows,
        confidence=round(max(0.0, min(1.0, draft.confidence * planned.certainty)), 4),
        elapsed_ms=round(elapsed_ms, 3),
        answer_id=hashlib.sha256(seed.encode()).hexdigest()[:16],
    )


def _remember(conversation: Conversation, query: Query, draft: Draft, answer: Answer) -> None:
    if isinstance(query, Refusal):
        return
    subject = getattr(query, "subject", None)
    named = tuple(
        Selection(noun=t.category, categories=(t.category,), numbers=(t.number,), keys=(t.key,)) for t in draft.named
    )
    if isinstance(subject, Selection) and draft.named and (len(draft.named) == 1 or subject.rank is not None):
        subject = replace(named[0], noun=subject.noun)
    elif isinstance(query, CompareQuery) and draft.named:
        subject = named[0]
    conversation.focus = Focus(subject if isinstance(subject, Selection) else None, named, query)
    conversation.answer, conversation.videos = answer, query.videos
