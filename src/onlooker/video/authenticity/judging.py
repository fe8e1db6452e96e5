"""Who is asked about a picture, and how what they say becomes evidence and a verdict.

A judge is any object with a name, a version and `judge(images) -> [Judgement]`. Only what was measured counts: a judge
that names data it was tested on, a threshold, and how often that threshold alarms for nothing. Others are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from onlooker.types import Detections, FloatArray, Image, Judgement
from onlooker.video.authenticity.verdict import Evidence, FileKind, Status

Domain = Literal["jpeg", "pixels", "video"]
_NOT_MEASURED = (
    "it takes no part in the verdict: nobody measured how often its threshold alarms for nothing; "
    "`onlooker calibrate` does"
)
_OTHER_KIND = "it takes no part in the verdict: how often its threshold alarms for nothing was measured on {} only"
_PLURALS = {"image": "pictures", "video": "videos"}


class PictureJudge(Protocol):
    """A network that judges pictures. It may also have, read where present: `tested_on` (data in words or `None`),
    `threshold`, `false_alarm_rate` (what the threshold stands for), `found_share`, `tested_kinds` (of files it was
    measured on, "image" or "video"; all if left out), `need` ("face" or "crop") and `smallest_px`."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    def judge(self, images: Sequence[Image]) -> list[Judgement]: ...


class FaceFinder(Protocol):
    """Finds faces: boxes in pixels of each picture."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    def find(self, images: Sequence[Image]) -> list[Detections]: ...


class Reading(Protocol):
    """What one rule says; see `RuleReading` of the method."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def score(self) -> float | None: ...
    @property
    def probability(self) -> float | None: ...
    @property
    def sentence(self) -> str: ...
    @property
    def refused(self) -> bool: ...
    @property
    def known_failures(self) -> str: ...


class Report(Protocol):
    """What all rules say; see `RuleReport` of the method."""

    @property
    def probability(self) -> float | None: ...
    @property
    def score(self) -> float | None: ...
    @property
    def threshold(self) -> float: ...
    @property
    def stated_false_alarms(self) -> float: ...
    @property
    def found_share(self) -> float: ...
    @property
    def tested_on(self) -> str: ...
    @property
    def readings(self) -> Sequence[Reading]: ...
    @property
    def heat_map(self) -> FloatArray | None: ...
    @property
    def n_windows(self) -> int: ...
    @property
    def outside(self) -> tuple[str, ...]: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def jpeg_quality(self) -> int | None: ...


class Rules(Protocol):
    """The classical rules, together."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    def report_file(self, image: Image, data: bytes | None, domain: Domain | None, most_windows: int | None) -> Report:
        """Of a picture and the bytes of its file, looking at up to so many windows."""
        ...

    def is_useful(self, domain: Domain) -> bool:
        """Whether the rules tell forged from untouched pictures of a domain at all."""
        ...

    def mean_probability(self, scores: Sequence[float], domain: Domain) -> float:
        """Of a video from the scores of its frames."""
        ...


@dataclass(frozen=True, slots=True)
class Vote:
    """A probability that counts, with what it stands for."""

    probability: float
    threshold: float
    false_alarm_rate: float
    found_share: float | None
    tested_on: str


@dataclass(frozen=True, slots=True)
class Traits:
    """What a judge says of itself beyond its name."""

    tested_on: str | None
    threshold: float | None
    false_alarm_rate: float | None
    found_share: float | None
    wants_faces: bool
    smallest_px: int
    tested_kinds: tuple[str, ...] | None


def traits_of(judge: PictureJudge) -> Traits:
    """Optional attributes of a judge, absent ones as `None`."""
    tested_on, kinds = getattr(judge, "tested_on", None), getattr(judge, "tested_kinds", None)
    return Traits(
        None if tested_on is None else str(tested_on),
        _number(getattr(judge, "threshold", None)),
        _number(getattr(judge, "false_alarm_rate", None)),
        _number(getattr(judge, "found_share", None)),
        getattr(judge, "need", "crop") == "face",
        int(_number(getattr(judge, "smallest_px", None)) or 0),
        None if kinds is None else tuple(str(kind) for kind in kinds),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def vote_of(judge: PictureJudge, probability: float, kind: FileKind) -> Vote | None:
    """The vote of a judge on a kind of file; `None` where it is not calibrated for it."""
    traits = traits_of(judge)
    if traits.tested_on is None or traits.threshold is None or traits.false_alarm_rate is None:
        return None
    if traits.tested_kinds is not None and kind not in traits.tested_kinds:
        return None
    return Vote(probability, traits.threshold, traits.false_alarm_rate, traits.found_share, traits.tested_on)


def judge_evidence(
    judge: PictureJudge, probability: float, kind: FileKind, sentence: str, notes: Sequence[str]
) -> Evidence:
    """What a judge said of a kind of file, as evidence."""
    traits = traits_of(judge)
    counts = vote_of(judge, probability, kind) is not None
    caveats = tuple(dict.fromkeys(notes if counts else (*notes, _why_not(traits, kind))))  # notes of many looks repeat
    return Evidence(judge.name, judge.version, None, probability, traits.tested_on, sentence, None, counts, caveats)


def _why_not(traits: Traits, kind: FileKind) -> str:
    if traits.false_alarm_rate is None or traits.tested_kinds is None or kind in traits.tested_kinds:
        return _NOT_MEASURED
    return _OTHER_KIND.format(" and ".join(_PLURALS.get(one, one) for one in traits.tested_kinds))


def refused_evidence(judge: PictureJudge, why: str) -> Evidence:
    """A judge that could not judge."""
    return Evidence(judge.name, judge.version, None, None, traits_of(judge).tested_on, "", why)


def rule_evidence(rules: Rules, report: Report, what: str) -> tuple[Evidence, ...]:
    """All rules together first, then each by itself."""
    together = Evidence(
        rules.name,
        rules.version,
        report.score,
        report.probability,
        report.tested_on,
        f"all rules together, on {what}" if report.reason is None else "",
        report.reason,
        report.probability is not None,
    )
    alone = [
        Evidence(
            one.name,
            one.version,
            one.score,
            one.probability,
            report.tested_on if one.probability is not None else None,
            "" if one.refused else one.sentence,
            one.sentence if one.refused else None,
            False,
            (one.known_failures,),
            True,
        )
        for one in report.readings
    ]
    return (together, *alone)


def loudest(votes: Sequence[Vote]) -> Vote | None:
    """The vote that is farthest above its threshold, or nearest to it; `None` of none. Several votes alarm for nothing
    more often than one: the rate that is stated is their sum."""
    if not votes:
        return None
    best = max(votes, key=lambda vote: (vote.probability >= vote.threshold, vote.probability - vote.threshold))
    rate = min(1.0, sum(vote.false_alarm_rate for vote in votes))
    tested_on = "; ".join(dict.fromkeys(vote.tested_on for vote in votes))
    return Vote(best.probability, best.threshold, rate, best.found_share, tested_on)


def status_of(vote: Vote | None) -> Status:
    """What a vote means."""
    if vote is None:
        return "not_judged"
    return "manipulation_suspected" if vote.probability >= vote.threshold else "nothing_found"
