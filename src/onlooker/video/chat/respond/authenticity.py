"""Answers about what looks manipulated, from the moments a judge of authenticity looked at.

The verdict of a tracklet is the mean of its judged moments in the asked span, held against the judge's threshold. No
answer says that something is authentic: a low probability only means that this judge found nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from onlooker.video.answer import Cell, Evidence
from onlooker.video.chat.compile import Binder, Statement, moment_in_video, selection_tests
from onlooker.video.chat.query import AuthenticityQuery, Selection, Window
from onlooker.video.chat.respond.judgements import Moment, moments_of
from onlooker.video.chat.respond.session import MAX_EVIDENCE, Draft, Session, fill, nothing
from onlooker.video.chat.wording import box, joined, name_of, noun_of, number, seconds, span, window_words
from onlooker.video.reasons import NOT_A_PERSON

_MAX_NAMED = 8
_MAX_ROWS = 5000  # tracklets of one answer
# Ours. A judged moment stands for a second around it, and on long tracklets, where such moments are further apart, for
# this share of the time the tracklet is seen.
_NEAR_S = 1.0
_NEAR_SHARE = 1 / 16
HOW_TO_RUN = (
    "Run one with `onlooker ingest FILE --set authenticity_judge=m2tr:weights=DIR`; "
    "`onlooker models list` names what there is."
)
NO_PROOF = "That proves nothing either way: a low probability does not make anything authentic."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says of one tracklet in the asked span. `mean` is `None` where nothing was judged."""

    key: int
    number: int
    video: str
    category: str
    label: str | None
    n_judged: int
    mean: float | None
    highest: float | None
    threshold: float
    judge: str
    tested_on: str
    reason: str | None

    @property
    def name(self) -> str:
        return self.label or f"{self.category} {self.number}"

    @property
    def flagged(self) -> bool:
        return self.mean is not None and self.mean >= self.threshold


def judged(session: Session, query: AuthenticityQuery) -> Draft:
    """Numbers of tracklets, a count, a moment, a bool, a probability, a box or names of videos."""
    subject = query.subject
    if subject.is_unknown:
        return nothing(session, subject, _nothing_of(query))
    judges = fill(Draft(""), session, _judges_sql(session))
    if not judges.rows:
        judges.status = "cannot_answer"
        judges.text = f"No judge of authenticity has looked{session.where}, so nothing is known. {HOW_TO_RUN}"
        return judges
    if subject.rank is not None:
        ranked, _ = session.tracks(subject, limit=1)
        subject = replace(subject, rank=None, plural=False, keys=tuple(t.key for t in ranked) or (-1,))
    draft = fill(Draft(""), session, _verdicts_sql(session, subject, query.window))
    found = [_verdict(row) for row in draft.rows]
    known = [v for v in found if v.mean is not None]
    if not known:
        return _not_judged(session, query, subject, found)
    flagged = [v for v in known if v.flagged]
    # That a car has no face is told only where the car was asked about.
    unjudged = [v for v in found if v.mean is None and v.reason != NOT_A_PERSON]
    answer = _Answer(session, query, draft, known, flagged, unjudged, _unseen_videos(session, judges))
    answer.write()
    return draft


def _judges_sql(session: Session) -> Statement:
    binder = Binder()
    inside = "" if session.scope is None else f" WHERE j.video_key IN ({binder.bind_all(session.scope)})"
    return binder.statement(
        f"SELECT j.video, j.judge, j.threshold, j.tested_on FROM judges AS j{inside} ORDER BY j.video_key LIMIT 5000"
    )


def window_tests(binder: Binder, window: Window | None) -> list[str]:
    """Tests on judged moments `j` of tracklets `k`: in the span, or near the moment while the tracklet is seen."""
    if window is None:
        return []
    since = moment_in_video(binder, window.start, "j.video_key") if window.start else None
    until = moment_in_video(binder, window.end, "j.video_key") if window.end else None
    if window.kind == "at":
        near = binder.bind(_NEAR_S)
        wide = f"max({near}, (k.t_end - k.t_start) * {binder.bind(_NEAR_SHARE)})"
        seen = [f"k.t_start <= {since} + {near}", f"k.t_end >= {since} - {near}"]
        return [*seen, f"abs(j.t - {since}) <= {wide}"]
    return ([f"j.t >= {since}"] if since else []) + ([f"j.t <= {until}"] if until else [])


def _verdicts_sql(session: Session, subject: Selection, window: Window | None) -> Statement:
    binder = Binder()
    tests = [*window_tests(binder, window), *selection_tests(binder, subject, session.scope)]
    return binder.statement(
        "SELECT k.key, k.id, k.video, k.category, k.label, count(j.probability) AS n_judged,"
        " avg(j.probability) AS mean, max(j.probability) AS highest, max(g.threshold) AS threshold,"
        " max(g.judge) AS judge, max(g.tested_on) AS tested_on, min(j.reason) AS reason"
        " FROM judgements AS j JOIN tracklets AS k ON k.key = j.tracklet_key"
        " JOIN judges AS g ON g.video_key = k.video_key"
        f" WHERE {' AND '.join(tests) or '1 = 1'} GROUP BY k.key, k.id, k.video, k.category, k.label"
        f" ORDER BY mean DESC, k.video_key, k.id LIMIT {binder.bind(_MAX_ROWS)}"
    )


def _verdict(row: Sequence[Cell]) -> Verdict:
    key, number_, video, category, label, n_judged, mean, highest, threshold, judge, tested_on, reason = row
    return Verdict(
        key=int(key or 0),
        number=int(number_ or 0),
        video=str(video),
        category=str(category),
        label=None if label is None else str(label),
        n_judged=int(n_judged or 0),
        mean=None if mean is None else float(mean),
        highest=None if highest is None else float(highest),
        threshold=float(threshold or 0.0),
        judge=str(judge),
        tested_on=str(tested_on),
        reason=None if reason is None else str(reason),
    )


def _unseen_videos(session: Session, judges: Draft) -> str:
    """A sentence where some of the videos asked about were not looked at."""
    n = len(session.vocabulary.videos) if session.scope is None else len(session.scope)
    left = n - len(judges.rows)
    return f" {left} of the {n} videos were not looked at by a judge." if left > 0 else ""


def _nothing_of(query: AuthenticityQuery) -> bool | int | list[int] | list[str] | None:
    """The value where nothing looks manipulated. Of "real" it is never a value: no judge can say so."""
    if query.genuine:
        return None
    if query.ask == "yes_no":
        return query.quantifier == "none"
    if query.ask == "count":
        return 0
    return [] if query.ask in {"who", "videos"} else None


def _not_judged(session: Session, query: AuthenticityQuery, subject: Selection, found: Sequence[Verdict]) -> Draft:
    """Nothing of the subject was judged: it is not there, or there is a reason, or another time was looked at."""
    if not session.exists(subject):
        return nothing(session, query.subject, _nothing_of(query))
    if found:
        reasons = list(dict.fromkeys(v.reason for v in found if v.reason is not None))
        who = found[0].name if len(found) == 1 else f"None of {len(found)} {noun_of(subject, True)}"
        told = f"{_capital(who)} was {'not ' if len(found) == 1 else ''}judged: {joined(reasons)}."
        draft = fill(Draft(told), session, _verdicts_sql(session, subject, query.window))
    else:
        draft = fill(Draft(""), session, _verdicts_sql(session, subject, None))
        span_s = _judged_span(session, [_verdict(row) for row in draft.rows])
        where = f"; judged is {span_s}" if span_s else ""
        draft.text = f"No moment of {name_of(subject)} was judged{_when(query.window)}{session.where}{where}."
    draft.status = "cannot_answer"
    tracks, _ = session.tracks(subject)
    draft.cite("not judged", session.evidence(tracks))
    return draft


def _judged_span(session: Session, found: Sequence[Verdict]) -> str:
    moments = moments_of(session, [v.key for v in found if v.mean is not None], [])
    times = [m.time_s for m in moments]
    return span(min(times), max(times)) if times else ""


def _when(window: Window | None) -> str:
    """ " from 40 s on"; of a moment the nearest that were judged count."""
    return window_words(window).replace(" at ", " around ", 1)


@dataclass
class _Answer:
    """One answer being written: `known` are all judged tracklets, the most suspicious first."""

    session: Session
    query: AuthenticityQuery
    draft: Draft
    known: list[Verdict]
    flagged: list[Verdict]
    unjudged: list[Verdict]
    unseen: str

    def write(self) -> None:
        ways = {
            "count": self._count, "when": self._moment, "where": self._where, "most": self._most,
            "probability": self._probability, "videos": self._videos, "yes_no": self._yes_no, "who": self._who,
        }  # fmt: skip
        shown = (self.flagged or self.known[:1])[:MAX_EVIDENCE]
        top = [v.mean or 0.0 for v in shown]
        self.draft.confidence = sum(top) / len(top) if self.flagged else 1.0 - top[0]
        ways[self.query.ask](shown)
        if self.draft.value is None:
            self.draft.status = "no_evidence"
        tracks = {t.key: t for t in self.session.tracks(Selection(keys=tuple(v.key for v in shown)))[0]}
        self.draft.named = tuple(tracks[v.key] for v in shown if v.key in tracks)

    # -- the ways of asking

    def _who(self, shown: list[Verdict]) -> None:
        self._say(self._listed() if self.flagged else self._none(), shown)
        if not self.query.genuine:
            self.draft.value = [v.number for v in self.flagged]

    def _count(self, shown: list[Verdict]) -> None:
        n = len(self.flagged)
        lead = f"{n} of {len(self.known)} judged {noun_of(self.query.subject, True)}{_when(self.query.window)}"
        self._say(f"{lead}: {self._listed()}" if n else self._none(), shown)
        self.draft.value = None if self.query.genuine else n

    def _yes_no(self, shown: list[Verdict]) -> None:
        n, of = len(self.flagged), len(self.known) + len(self.unjudged)
        if self.query.quantifier == "all" and not self.query.genuine:
            value, lead = n == of, f"{n} of {of}: "
        else:
            value, lead = n > 0, ""
        if self.query.quantifier == "none" or self.query.genuine:
            value = not value
        yes = "Yes" if value else "No"
        if not self.flagged:
            yes = "" if self.query.genuine else yes
            self._say(f"{yes}{': ' if yes else ''}{self._none(bool(yes))}", shown)
        else:
            self._say(f"{yes}: {lead}{self._listed()}", shown)
        self.draft.value = None if self.query.genuine and not self.flagged else value

    def _most(self, shown: list[Verdict]) -> None:
        first = self.known[0]
        does = "looks manipulated" if first.flagged else "is below the threshold, so nothing looks manipulated"
        self._say(f"The most suspicious is {self._named(first)}: {self._told(first)}; it {does}", [first])
        self.draft.value = [first.number]

    def _probability(self, shown: list[Verdict]) -> None:
        first = self.known[0]
        lead = "Of all judged, the highest is " if len(self.known) > 1 else ""
        does = "looks manipulated" if first.flagged else f"does not reach the threshold {first.threshold:g}"
        self._say(_capital(f"{lead}{self._named(first)}: {self._told(first)}; it {does}"), [first])
        self.draft.value = round(first.mean or 0.0, 4)

    def _videos(self, shown: list[Verdict]) -> None:
        names = list(dict.fromkeys(v.video for v in self.flagged))
        self._say(f"{joined(names)}: {self._listed()}" if names else self._none(), shown)
        self.draft.value = None if self.query.genuine else names

    def _moment(self, shown: list[Verdict]) -> None:
        """The first, last or highest judged moment that reaches the threshold, and all others of them."""
        moments = self._moments(self.known)
        high = [m for m in moments if m.reaches]
        if not high:
            self._say(self._none(), shown)
            return
        highest = max(high, key=lambda m: m.probability)
        chosen = {"first": high[0], "last": high[-1], "highest": highest}[self.query.pick]
        owner = next(v for v in self.known if v.key == chosen.key)
        others = [m for m in high if m.key == chosen.key]
        more = f"; {len(others)} of its {owner.n_judged} judged moments do: {_times(others)}" if len(others) > 1 else ""
        mean = "" if owner.flagged else f". Its mean, {owner.mean:.2f}, stays below the threshold {owner.threshold:g}"
        self._close(
            f"{_capital(self._named(owner))} looks manipulated at {seconds(chosen.time_s)}"
            f" (probability {chosen.probability:.2f}){more}{mean}",
            [m.evidence() for m in (chosen, *(m for m in others if m is not chosen))],
        )
        self.draft.value, self.draft.unit = chosen.time_s, "s"

    def _where(self, shown: list[Verdict]) -> None:
        if not self.flagged:
            self._say(self._none(), shown)
            return
        moment = max(self._moments(self.flagged[:1]), key=lambda m: m.probability)
        where = f"{box(moment.box_xyxy_px)} at {seconds(moment.time_s)}"
        self._close(
            f"{_capital(self._named(self.flagged[0]))}: {where} ({moment.probability:.2f})", [moment.evidence()]
        )
        self.draft.value, self.draft.unit = [float(edge) for edge in moment.box_xyxy_px], "px"

    # -- words

    def _named(self, verdict: Verdict) -> str:
        return f"{verdict.name}{f' in {verdict.video}' if self.session.several_videos else ''}"

    def _told(self, verdict: Verdict) -> str:
        moments = f"mean of {verdict.n_judged} moments" if verdict.n_judged > 1 else "1 moment"
        highest = f", highest {verdict.highest:.2f}" if verdict.n_judged > 1 else ""
        return f"probability {verdict.mean:.2f} ({moments}{highest})"

    def _listed(self) -> str:
        told = [f"{self._named(v)} looks manipulated, {self._told(v)}" for v in self.flagged[:_MAX_NAMED]]
        more = len(self.flagged) - _MAX_NAMED
        text = "; ".join(told) + (f"; {more} more" if more > 0 else "")
        return text if self.query.ask in {"count", "yes_no", "videos"} else _capital(text)

    def _none(self, behind: bool = False) -> str:
        """Nothing reaches the threshold: what came nearest to it, and single moments that do."""
        first, n = self.known[0], len(self.known)
        noun = noun_of(self.query.subject, n != 1)
        which = f"none of {n} judged {noun} looks manipulated{_when(self.query.window)}"
        if n == 1:
            which = f"{self._named(first)} does not look manipulated{_when(self.query.window)}, {self._told(first)}"
        else:
            which += f"; the highest is {self._named(first)}, {self._told(first)}"
        which += f", threshold {first.threshold:g}"
        moments = [m for m in self._moments(self.known[:_MAX_NAMED]) if m.reaches]
        if moments:
            top = max(moments, key=lambda m: m.probability)
            owner = next(v for v in self.known if v.key == top.key)
            which += f". Single moments reach it, {self._named(owner)} at {seconds(top.time_s)} ({top.probability:.2f})"
        return which if behind else _capital(which)

    def _say(self, text: str, shown: Sequence[Verdict]) -> None:
        self._close(text, [m.evidence() for m in _highest(self._moments(shown))], bool(self.flagged))

    def _close(self, text: str, evidence: Sequence[Evidence], proof: bool = True) -> None:
        """Who judged, on what that was tested, who was not judged, and that finding nothing proves nothing."""
        self.draft.cite(text, list(evidence)[:MAX_EVIDENCE])
        judges = joined(list(dict.fromkeys(v.judge for v in self.known)))
        tested = joined(list(dict.fromkeys(v.tested_on for v in self.known)))
        if self.query.genuine and self.query.ask != "yes_no":
            text = f"What is real no judge can say. {text}"
        parts = [f"{text}, according to {judges}, tested on {tested}."]
        if self.query.whole:
            parts.append("Only what is followed in it was judged, not the video as a whole.")
        if self.unjudged:
            reasons = joined(list(dict.fromkeys(v.reason for v in self.unjudged if v.reason is not None)))
            names = joined([self._named(v) for v in self.unjudged[:_MAX_NAMED]])
            more = f" and {len(self.unjudged) - _MAX_NAMED} more" if len(self.unjudged) > _MAX_NAMED else ""
            parts.append(f"Not judged: {names}{more} ({reasons}).")
        if not proof:
            parts.append(NO_PROOF)
        self.draft.text = " ".join(parts) + self.unseen

    def _moments(self, verdicts: Sequence[Verdict]) -> list[Moment]:
        binder = Binder()
        tests = window_tests(binder, self.query.window)
        return moments_of(self.session, [v.key for v in verdicts[:MAX_EVIDENCE]], tests, binder)


def _highest(moments: Sequence[Moment]) -> list[Moment]:
    """Of every tracklet the moment with the highest probability, in the order they came."""
    best: dict[int, Moment] = {}
    for moment in moments:
        held = best.get(moment.key)
        if held is None or moment.probability > held.probability:
            best[moment.key] = moment
    return sorted(best.values(), key=lambda m: -m.probability)


def _times(moments: Sequence[Moment]) -> str:
    told = [number(m.time_s, 2) for m in moments[:_MAX_NAMED]]
    more = f" and {len(moments) - _MAX_NAMED} more" if len(moments) > _MAX_NAMED else ""
    return f"{', '.join(told)}{more} s"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
