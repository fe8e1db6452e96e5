"""From a question to an answer with its proof: read, plan, run, word."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from typing import Literal

from onlooker.errors import QueryError
from onlooker.video.answer import Answer
from onlooker.video.chat.compile import Scope
from onlooker.video.chat.conversation import Conversation
from onlooker.video.chat.grammar import Focus, Planned, QuestionReader, plan
from onlooker.video.chat.grammar.nouns import AGED, GENDERED, SAID_OF_ANYBODY, SUBKINDS
from onlooker.video.chat.query import (
    AbsenceQuery,
    ActionQuery,
    Anchor,
    AttributeQuery,
    AuthenticityQuery,
    BoxQuery,
    CategoriesQuery,
    CheckQuery,
    CompareQuery,
    CountCompareQuery,
    CountQuery,
    DurationQuery,
    EdgeQuery,
    EventsQuery,
    EvidenceQuery,
    ExistsQuery,
    IntervalQuery,
    IsRankQuery,
    ListQuery,
    MomentQuery,
    OvertakeQuery,
    PathQuery,
    PeakQuery,
    PlaceTimesQuery,
    Query,
    Refusal,
    RelationQuery,
    Selection,
    SideQuery,
    SightingsQuery,
    SoundQuery,
    SummaryQuery,
    TagsQuery,
    TimePoint,
    VideoFactQuery,
    VideosCompareQuery,
    VideosCountQuery,
    VideosQuery,
    Window,
    WordsQuery,
)
from onlooker.video.chat.respond import (
    absence,
    acting,
    authenticity,
    comparing,
    counts,
    edges,
    limits,
    listing,
    media,
    moments,
    places,
    signs,
    together,
    videos,
)
from onlooker.video.chat.respond.session import Draft, Session, Track
from onlooker.video.chat.vocabulary import Reader, VersionedReader, Vocabulary, categories_in

MAX_QUESTION_CHARS = 2000
_MAX_RECENT = 4
_MAX_SCOPES = 64


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
        self._version: tuple[int, ...] | None = None
        self._readers: dict[Scope, tuple[tuple[str, ...], QuestionReader]] = {}
        self._current: set[Scope] = set()

    @property
    def vocabulary(self) -> Vocabulary:
        if self._vocabulary is None:
            self._vocabulary = Vocabulary.read(self._reader)
        return self._vocabulary

    def refresh(self) -> None:
        """Reads the library's words again, after videos came or went; what was made from them stays where they did not
        change, as after every answer that is kept."""
        before, self._vocabulary = self._vocabulary, None
        self._current.clear()
        if self.vocabulary != before:
            self._readers.clear()

    def _notice_commits(self) -> None:
        if isinstance(self._reader, VersionedReader):
            version = self._reader.data_version
            if version != self._version:
                self.refresh()
            self._version = version

    def answer(self, question: str, scope: Scope = None, conversation: Conversation | None = None) -> Answer:
        """See `answer_question`. What was read of the library before is used until somebody commits to it."""
        started = time.perf_counter()
        self._notice_commits()
        talk = conversation if conversation is not None else Conversation()
        planned = self.plan(question, scope, talk)
        inside = planned.query.videos if planned.query.videos is not None else scope
        session = Session(self._reader, self.vocabulary, inside)
        if isinstance(planned.query, EvidenceQuery):
            draft = media.proof(talk.answer)
        elif (doubt := limits.doubt(session, planned.query)) is not None:
            draft = doubt
        elif (read := signs.written(session, planned.query)) is not None:
            draft = read
        elif planned.query.anchor is not None:
            draft = _respond_anchored(session, planned.query, planned.query.anchor)
        else:
            draft = _respond(session, planned.query)
        _add_caveat(planned.query, draft)
        answer = _finished(question, draft, planned, (time.perf_counter() - started) * 1000)
        _remember(talk, planned.query, draft, answer)
        return answer

    def plan(self, question: str, scope: Scope, conversation: Conversation | None = None) -> Planned:
        """The query a question means, without running it."""
        reading = self._question_reader(scope).read(question[:MAX_QUESTION_CHARS])
        return plan(reading, conversation.focus if conversation is not None else None)

    def _question_reader(self, scope: Scope) -> QuestionReader:
        """The reader for these videos; made anew only when the words it was made from are others."""
        if scope not in self._current:
            categories = categories_in(self._reader, scope)
            if scope not in self._readers or self._readers[scope][0] != categories:
                if len(self._readers) >= _MAX_SCOPES:
                    self._readers.clear()
                    self._current.clear()
                self._readers[scope] = categories, QuestionReader(self.vocabulary, scope, categories)
            self._current.add(scope)
        return self._readers[scope][1]


def _add_caveat(query: Query, draft: Draft) -> None:
    """Says what the answer takes for granted: a woman is stored as a person."""
    for name in ("subject", "first", "second"):
        selection = getattr(query, name, None)
        if not isinstance(selection, Selection) or not selection.caveat:
            continue
        part_of_kind = selection.noun in SUBKINDS.values()  # "a puppy" is stored as a dog
        unseen = part_of_kind or selection.noun in (GENDERED | AGED) - SAID_OF_ANYBODY
        told_apart = unseen and not selection.definite
        if isinstance(query, ExistsQuery) and draft.status == "answered" and told_apart and draft.value:
            # "Is there a woman?" where there are people: a "yes" would be a guess.
            draft.value, draft.status = None, "cannot_answer"
            draft.text = f"{selection.caveat} {draft.text.removeprefix('Yes: ')}"
        elif selection.caveat not in draft.text:
            draft.text = f"{draft.text} {selection.caveat}"
            draft.confidence *= 0.5


def _respond(session: Session, query: Query) -> Draft:
    """The draft of the responder for this kind of query."""
    if isinstance(query, Refusal):
        return Draft(query.text, None, "cannot_answer")
    for respond in (_about_numbers, _about_tracklets, _about_times, _about_two, _about_video):
        draft = respond(session, query)
        if draft is not None:
            return draft
    raise QueryError(f"no responder for {type(query).__name__}")


def _about_numbers(session: Session, query: Query) -> Draft | None:
    match query:
        case CountQuery():
            return counts.count(session, query)
        case ExistsQuery():
            return counts.exists(session, query)
        case SightingsQuery():
            return counts.sightings(session, query)
        case CountCompareQuery():
            return counts.count_compare(session, query)
        case PeakQuery():
            return counts.peak(session, query)
        case CategoriesQuery():
            return counts.categories(session, query)
    return None


def _about_tracklets(session: Session, query: Query) -> Draft | None:
    match query:
        case ListQuery():
            return listing.listing(session, query)
        case AttributeQuery():
            return listing.attribute(session, query)
        case CheckQuery():
            return listing.check(session, query)
        case IsRankQuery():
            return listing.is_rank(session, query)
        case BoxQuery():
            return moments.where(session, query)
        case PathQuery():
            return moments.path(session, query)
        case ActionQuery():
            return acting.acting(session, query)
        case AuthenticityQuery():
            return authenticity.judged(session, query)
    return None


def _about_times(session: Session, query: Query) -> Draft | None:
    match query:
        case MomentQuery():
            return moments.moment(session, query)
        case PlaceTimesQuery():
            return places.times_of_place(session, query)
        case DurationQuery():
            return moments.duration(session, query)
        case AbsenceQuery():
            return absence.absence(session, query)
        case IntervalQuery():
            return moments.interval(session, query)
    return None


def _about_two(session: Session, query: Query) -> Draft | None:
    match query:
        case CompareQuery():
            return comparing.compare(session, query)
        case RelationQuery():
            return together.relation(session, query)
        case SideQuery():
            return together.side(session, query)
        case OvertakeQuery():
            return together.overtake(session, query)
        case EdgeQuery():
            return edges.nearest_to_edge(session, query)
    return None


def _about_video(session: Session, query: Query) -> Draft | None:
    match query:
        case VideosQuery():
            return videos.listed(session, query)
        case VideosCompareQuery():
            return videos.compared(session, query)
        case VideosCountQuery():
            return videos.counted_in_each(session, query)
        case EventsQuery():
            return media.events(session, query)
        case SummaryQuery():
            return media.summary(session)
        case WordsQuery():
            return media.words(session, query)
        case SoundQuery():
            return media.sound(session, query)
        case VideoFactQuery():
            return media.fact(session, query)
        case TagsQuery():
            return media.tags(session, query)
    return None


def _respond_anchored(session: Session, query: Query, anchor: Anchor) -> Draft:
    """Looks up the moment of the anchor first; without it there is no time to ask about."""
    event: Literal["start", "end"] = "end" if anchor.event == "end" else "start"
    found = moments.moment(session, MomentQuery(anchor.subject, event))
    if not isinstance(found.value, float) or not found.named:
        return found
    if anchor.event == "stay":
        return _respond_over_stay(session, query, found.named[0])
    window = getattr(query, "window", None)
    if not isinstance(window, Window):
        return _respond(session, query)
    here = replace(session, scope=(found.named[0].video_key,))
    start, end = (
        TimePoint(found.value + point.value) if point is not None and point.base == "event" else point
        for point in (window.start, window.end)
    )
    draft = _respond(here, replace(query, window=Window(window.kind, start, end)))  # type: ignore[call-arg]
    draft.text = f"{draft.text} ({found.text.split('.  ')[0].split(' Others:')[0].rstrip('.')}.)"
    return draft


def _respond_over_stay(session: Session, query: Query, track: Track) -> Draft:
    """The answer over the span from the first to the last sight of a tracklet."""
    here = replace(session, scope=(track.video_key,))
    window = Window("span", TimePoint(track.t_start), TimePoint(track.t_end))
    draft = _respond(here, replace(query, window=window))  # type: ignore[call-arg]
    draft.text = f"{draft.text} ({track.spanned} is there then.)"
    return draft


def _finished(question: str, draft: Draft, planned: Planned, elapsed_ms: float) -> Answer:
    sql = draft.statement.rendered if draft.statement is not None else draft.sql
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
    """Keeps what "it", "they", "the other one" and "why" will mean in the next question."""
    focus = conversation.focus
    if isinstance(query, Refusal) and focus is not None:
        conversation.focus = replace(focus, refused=True)
    if isinstance(query, Refusal | EvidenceQuery):
        return
    subject = getattr(query, "subject", None) or getattr(query, "first", None)
    subject = subject if isinstance(subject, Selection) else None
    named = tuple(_pinned(Selection(noun=t.category, categories=(t.category,)), t) for t in draft.named)
    singles: tuple[Selection, ...] = ()
    if isinstance(query, CompareQuery | SideQuery | OvertakeQuery):
        singles = named
    elif subject is not None and draft.named and _chose_one(query, subject, draft):
        singles = (_pinned(subject, draft.named[0]),)
    group = subject if subject is not None and not singles and not subject.is_unknown else None
    if isinstance(query, ListQuery) and query.subject.rank is not None and not query.subject.is_unknown:
        group = replace(query.subject, rank=None, plural=True)  # "the fastest car": then "the slower one" is a car, too
    recent = dict.fromkeys((*singles, *(focus.recent if focus is not None else ())))
    conversation.focus = Focus(
        subject=singles[0] if singles else subject or (focus.subject if focus is not None else None),
        group=group or (focus.group if focus is not None else None),
        recent=tuple({s.keys: s for s in reversed(recent)}.values())[::-1][:_MAX_RECENT],
        named=named,
        query=query,
    )
    conversation.answer = answer


def _chose_one(query: Query, subject: Selection, draft: Draft) -> bool:
    """Whether the answer is about one tracklet: the only one, or the one chosen for a singular."""
    if len(draft.named) == 1 or subject.rank is not None:
        return True
    return not subject.plural and not isinstance(
        query, ExistsQuery | CountQuery | ListQuery | CategoriesQuery | PeakQuery
    )


def _pinned(selection: Selection, track: Track) -> Selection:
    """The selection brought down to one tracklet; it keeps the noun it was called by."""
    return replace(selection, keys=(track.key,), conditions=(), rank=None, plural=False, definite=True)
